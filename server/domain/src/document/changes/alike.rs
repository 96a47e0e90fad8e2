//! What is the same in two rows of things, in work that grows with their number, and not with its square.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{
    Piece, Tag,
    words::{Word, joined},
};
use crate::budget::Budget;

/// Where the same thing stands: in the old row, and in the new one.
pub(super) type Pair = (usize, usize);

/// Words that are told from all others when they stand together.
const TOGETHER: usize = 4;

/// How often a thing stands in either row, and where in the old one: the next that is not paired, and the last.
struct Seen {
    old: usize,
    new: usize,
    at: usize,
    last: usize,
}

/// Things that stand equally often in both rows and in the same order (after patience, Cohen 2003, which takes those that stand
/// once), and what is the same next to them.
pub(super) fn aligned<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<Pair> {
    let mut known: HashMap<&T, Seen> = HashMap::with_capacity(old.len());
    // For each in the old row where the same stands next.
    let mut follows = vec![0; old.len()];
    for (place, thing) in old.iter().enumerate() {
        let seen = known.entry(thing).or_insert(Seen {
            old: 0,
            new: 0,
            at: place,
            last: place,
        });
        follows[seen.last] = place;
        (seen.old, seen.last) = (seen.old + 1, place);
    }
    for thing in new {
        if let Some(seen) = known.get_mut(thing) {
            seen.new += 1;
        }
    }
    let mut equal: Vec<Pair> = vec![];
    for (place, thing) in new.iter().enumerate() {
        if let Some(seen) = known.get_mut(thing)
            && seen.old == seen.new
        {
            equal.push((seen.at, place));
            seen.at = follows[seen.at];
        }
    }
    let mut pairs = vec![];
    let (mut left, mut right) = (0, 0);
    for (to_left, to_right) in rising(&equal).into_iter().chain([(old.len(), new.len())]) {
        let (before, after) = (&old[left..to_left], &new[right..to_right]);
        let (head, tail) = ends(before, after);
        pairs.extend((0..head).map(|n| (left + n, right + n)));
        pairs.extend((0..tail).map(|n| (to_left - tail + n, to_right - tail + n)));
        if to_left < old.len() {
            pairs.push((to_left, to_right));
        }
        (left, right) = (to_left + 1, to_right + 1);
    }
    pairs
}

/// The longest of these in which the old places rise as the new ones do.
fn rising(list: &[Pair]) -> Vec<Pair> {
    // For each length where in the list the one ends that ends lowest, and what stands before each.
    let (mut lowest, mut before): (Vec<usize>, Vec<Option<usize>>) = (vec![], vec![]);
    for (place, (old, _)) in list.iter().enumerate() {
        let length = lowest.partition_point(|end| list[*end].0 < *old);
        before.push(length.checked_sub(1).map(|shorter| lowest[shorter]));
        match lowest.get_mut(length) {
            Some(end) => *end = place,
            None => lowest.push(place),
        }
    }
    let mut longest = vec![];
    let mut at = lowest.last().copied();
    while let Some(place) = at {
        longest.push(list[place]);
        at = before[place];
    }
    longest.reverse();
    longest
}

/// How many are the same at the beginning, and of the others at the end.
fn ends<T: Eq>(old: &[T], new: &[T]) -> (usize, usize) {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[head..], &new[head..]);
    let both = old.iter().rev().zip(new.iter().rev());
    (head, both.take_while(|(a, b)| a == b).count())
}

/// Which words stayed, by their numbers. Where there is no work left to compare them, they are all told as other.
pub(super) fn same_words(old: &[u32], new: &[u32], budget: &mut Budget) -> Vec<Pair> {
    let together = |words: &[u32]| words.len().saturating_sub(TOGETHER - 1);
    let (head, tail) = ends(old, new);
    let mut pairs: Vec<Pair> = (0..head).map(|n| (n, n)).collect();
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let (left, right) = (&old[head..old_end], &new[head..new_end]);
    let mut known: Vec<Pair> = vec![];
    if together(left) > 0 && together(right) > 0 {
        let lefts: Vec<&[u32]> = left.windows(TOGETHER).collect();
        let rights: Vec<&[u32]> = right.windows(TOGETHER).collect();
        for (a, b) in aligned(&lefts, &rights) {
            for n in 0..TOGETHER {
                if known.last().is_none_or(|(x, y)| *x < a + n && *y < b + n) {
                    known.push((a + n, b + n));
                }
            }
        }
    }
    let (mut a, mut b) = (0, 0);
    let mut all = vec![];
    for (to_a, to_b) in known.into_iter().chain([(left.len(), right.len())]) {
        let between = few(&left[a..to_a], &right[b..to_b], budget);
        all.extend(between.into_iter().map(|(x, y)| (a + x, b + y)));
        if to_a < left.len() {
            all.push((to_a, to_b));
        }
        (a, b) = (to_a + 1, to_b + 1);
    }
    pairs.extend(all.into_iter().map(|(x, y)| (head + x, head + y)));
    pairs.extend((0..tail).map(|n| (old_end + n, new_end + n)));
    pairs
}

/// The words that stayed between two that did (Myers 1986), of those that stand on either side at all.
fn few(old: &[u32], new: &[u32], budget: &mut Budget) -> Vec<Pair> {
    if old.is_empty() || new.is_empty() {
        return vec![];
    }
    let shared = |words: &[u32], other: &[u32]| -> Vec<usize> {
        let there: HashSet<u32> = other.iter().copied().collect();
        (0..words.len())
            .filter(|place| there.contains(&words[*place]))
            .collect()
    };
    let (left, right) = (shared(old, new), shared(new, old));
    let both = left.len() + right.len();
    if left.is_empty() || budget.spend(both.saturating_mul(both)).is_err() {
        return vec![];
    }
    let a: Vec<u32> = left.iter().map(|place| old[*place]).collect();
    let b: Vec<u32> = right.iter().map(|place| new[*place]).collect();
    let mut pairs = vec![];
    for op in capture_diff_slices(Algorithm::Myers, &a, &b) {
        if let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = op
        {
            pairs.extend((0..len).map(|n| (left[old_index + n], right[new_index + n])));
        }
    }
    pairs
}

/// Goes through both rows in order: what each thing is, where it stands in the old row, and where in the new one.
pub(super) fn through(
    pairs: &[Pair],
    old: usize,
    new: usize,
    mut tell: impl FnMut(Tag, usize, usize),
) {
    let (mut left, mut right) = (0, 0);
    for (to_left, to_right) in pairs.iter().copied().chain([(old, new)]) {
        (left..to_left).for_each(|place| tell(Tag::Removed, place, right));
        (right..to_right).for_each(|place| tell(Tag::Added, to_left, place));
        if to_left < old {
            tell(Tag::Same, to_left, to_right);
        }
        (left, right) = (to_left + 1, to_right + 1);
    }
}

/// Words as numbers, the same for the same word.
#[derive(Default)]
pub(super) struct Numbers<'a>(HashMap<&'a str, u32>);

impl<'a> Numbers<'a> {
    pub(super) fn of(&mut self, word: &'a str) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(word).or_insert(next)
    }
}

/// Stretches of words while they are gathered.
#[derive(Default)]
pub(super) struct Stretches<'a>(Vec<(Tag, Vec<Word<'a>>)>);

impl<'a> Stretches<'a> {
    pub(super) fn push(&mut self, tag: Tag, word: Word<'a>) {
        match self.0.last_mut() {
            Some((last, words)) if *last == tag => words.push(word),
            _ => self.0.push((tag, vec![word])),
        }
    }

    /// Whether every word stayed.
    pub(super) fn are_same(&self) -> bool {
        self.0.iter().all(|(tag, _)| *tag == Tag::Same)
    }

    pub(super) fn words(&self) -> usize {
        self.0.iter().map(|(_, words)| words.len()).sum()
    }

    pub(super) fn pieces(self) -> Vec<Piece> {
        let pieces = self.0.into_iter();
        pieces
            .map(|(tag, words)| Piece {
                text: joined(&words),
                tag,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_both_is_found_in_its_order_and_what_is_next_to_it() {
        assert_eq!(
            aligned(&['a', 'x', 'b', 'x'], &['c', 'a', 'x', 'b', 'x']),
            [(0, 1), (1, 2), (2, 3), (3, 4)]
        );
        assert_eq!(
            aligned(&['a', 'b', 'c'], &['c', 'a', 'b']),
            [(0, 1), (1, 2)]
        );
        assert_eq!(aligned::<char>(&[], &['a']), []);
        assert_eq!(aligned(&['x', 'x'], &['x', 'x', 'x']), [(0, 0), (1, 1)]);
        assert_eq!(aligned(&['a'], &['b']), []);
    }

    #[test]
    fn words_that_stayed_are_found_and_without_work_left_none_in_between() {
        let (old, new) = ([1, 2, 3, 4, 5, 9, 6], [1, 2, 7, 3, 8, 5, 6]);
        let mut enough = Budget::of(1_000);
        assert_eq!(
            same_words(&old, &new, &mut enough),
            [(0, 0), (1, 1), (2, 3), (4, 5), (6, 6)]
        );
        assert!(enough.left() < 1_000);
        assert_eq!(
            same_words(&old, &new, &mut Budget::of(1)),
            [(0, 0), (1, 1), (6, 6)]
        );
    }

    #[test]
    fn the_worst_rows_take_no_more_steps_than_there_are() {
        // The same few words on both sides, in another order: nothing tells one place from another.
        let rows = |length: u32| -> (Vec<u32>, Vec<u32>) {
            (0..length)
                .map(|n| (n % 5 * (n % 3) % 7, n % 11 * (n % 2) % 7))
                .unzip()
        };
        let most = 4_000_000;
        for (length, begun) in [(900, true), (40_000, false)] {
            let (old, new) = rows(length);
            let mut budget = Budget::of(most);
            let pairs = same_words(&old, &new, &mut budget);
            assert!(pairs.iter().all(|(a, b)| old[*a] == new[*b]));
            assert!(pairs.is_sorted_by(|one, other| one.0 < other.0 && one.1 < other.1));
            // What would take more is not begun.
            assert_eq!(budget.left() < most, begun, "{length}");
        }
    }
}
