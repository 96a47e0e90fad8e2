//! Comparing what has pages: which page of the one version is which of the other, and which words of it changed.

use std::{collections::HashMap, ops::Range};

use super::{
    Changes, PAGES_MOST, Page, STEPS, Tag, WORDS_MOST,
    alike::{Numbers, Pair as Place, Stretches, aligned, same_words, through},
    is_too_much,
    running::without_running,
    words::Word,
};
use crate::budget::Budget;

/// From how many shared words on, of a hundred, two pages are the same page.
const ALIKE: usize = 30;

/// Most pages on either side of a stretch in which each is held against each.
const STRETCH_MOST: usize = 80;

/// Fewest words in a row that are known again on another page than their own.
const MOVED_LEAST: usize = 4;

/// What changed from the pages of one version to those of another.
pub fn compare(old: &[String], new: &[String]) -> Changes {
    if is_too_much(old, new) {
        return Changes {
            unknown: true,
            ..Changes::default()
        };
    }
    let (old, new) = without_running(old, new);
    let mut budget = Budget::of(STEPS);
    let pairs = pairs(&old, &new, &mut budget);
    let mut pages = vec![];
    // What lies between two pages that stayed as they were: a sentence may have gone from one page of it to another.
    let is_same = |pair: &Pair| matches!(pair, (Some(a), Some(b)) if old[*a] == new[*b]);
    for run in pairs.split(is_same) {
        for (pair, told) in run.iter().zip(told(run, &old, &new, &mut budget)) {
            let (before, after) = (pair.0.map(|at| &old[at]), pair.1.map(|at| &new[at]));
            let sides = || before.iter().chain(&after);
            // One without words, as a picture is, came or went all the same.
            let is_bare = sides().all(|words| words.is_empty());
            if told.are_same() && !is_bare {
                continue;
            }
            let small = sides().all(|words| words.len() <= WORDS_MOST);
            pages.push(Page {
                old: pair.0.and_then(number),
                new: pair.1.and_then(number),
                pieces: if small && pages.len() < PAGES_MOST {
                    told.pieces()
                } else {
                    vec![]
                },
            });
        }
    }
    Changes {
        without_text: [&old, &new]
            .iter()
            .any(|pages| pages.iter().all(Vec::is_empty)),
        pages,
        ..Changes::default()
    }
}

fn number(index: usize) -> Option<u32> {
    u32::try_from(index + 1).ok()
}

type Pair = (Option<usize>, Option<usize>);

/// Which page of the new version each of the old one is, in order.
fn pairs(old: &[Vec<Word<'_>>], new: &[Vec<Word<'_>>], budget: &mut Budget) -> Vec<Pair> {
    let mut pairs = vec![];
    let (mut left, mut right) = (0, 0);
    for (to_left, to_right) in aligned(old, new)
        .into_iter()
        .chain([(old.len(), new.len())])
    {
        stretch(
            old,
            new,
            (left..to_left, right..to_right),
            budget,
            &mut pairs,
        );
        if to_left < old.len() {
            pairs.push((Some(to_left), Some(to_right)));
        }
        (left, right) = (to_left + 1, to_right + 1);
    }
    pairs
}

/// Pages between two that stayed as they were: those most alike belong together (a longest common subsequence by weight).
fn stretch(
    old: &[Vec<Word<'_>>],
    new: &[Vec<Word<'_>>],
    (before, after): (Range<usize>, Range<usize>),
    budget: &mut Budget,
    pairs: &mut Vec<Pair>,
) {
    let (rows, columns) = (before.len(), after.len());
    let mut known = HashMap::new();
    let mut bags = |pages: &[Vec<Word<'_>>]| -> Vec<Vec<u32>> {
        pages.iter().map(|page| bag(page, &mut known)).collect()
    };
    let few = rows <= STRETCH_MOST && columns <= STRETCH_MOST;
    let each = |pages: &[Vec<Word<'_>>]| -> usize {
        pages.iter().map(|page| page.len().min(WORDS_MOST)).sum()
    };
    let steps = each(&old[before.clone()]) * columns + each(&new[after.clone()]) * rows;
    if !few || budget.spend(steps).is_err() {
        for n in 0..rows.max(columns) {
            pairs.push((
                (n < rows).then_some(before.start + n),
                (n < columns).then_some(after.start + n),
            ));
        }
        return;
    }
    let (left, right) = (bags(&old[before.clone()]), bags(&new[after.clone()]));
    let alike: Vec<Vec<usize>> = left
        .iter()
        .map(|one| right.iter().map(|other| likeness(one, other)).collect())
        .collect();
    // The most likeness that can be had of the pages from here on.
    let mut most = vec![vec![0; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let paired = if alike[row][column] >= ALIKE {
                alike[row][column] + most[row + 1][column + 1]
            } else {
                0
            };
            most[row][column] = paired.max(most[row + 1][column]).max(most[row][column + 1]);
        }
    }
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if alike[row][column] >= ALIKE
            && most[row][column] == alike[row][column] + most[row + 1][column + 1]
        {
            pairs.push((Some(before.start + row), Some(after.start + column)));
            row += 1;
            column += 1;
        } else if most[row][column] == most[row + 1][column] {
            pairs.push((Some(before.start + row), None));
            row += 1;
        } else {
            pairs.push((None, Some(after.start + column)));
            column += 1;
        }
    }
    pairs.extend((row..rows).map(|row| (Some(before.start + row), None)));
    pairs.extend((column..columns).map(|column| (None, Some(after.start + column))));
}

/// The words of a page, small, as numbers in their order, so that two pages are held against each other in one go.
fn bag(words: &[Word<'_>], known: &mut HashMap<String, u32>) -> Vec<u32> {
    let mut bag: Vec<u32> = words
        .iter()
        .take(WORDS_MOST)
        .map(|word| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            *known.entry(word.text.to_lowercase()).or_insert(next)
        })
        .collect();
    bag.sort_unstable();
    bag
}

/// Words in both, of a hundred in the longer one.
fn likeness(one: &[u32], other: &[u32]) -> usize {
    let (mut a, mut b, mut shared) = (0, 0, 0_usize);
    while a < one.len() && b < other.len() {
        match one[a].cmp(&other[b]) {
            std::cmp::Ordering::Less => a += 1,
            std::cmp::Ordering::Greater => b += 1,
            std::cmp::Ordering::Equal => (a, b, shared) = (a + 1, b + 1, shared + 1),
        }
    }
    (shared * 100)
        .checked_div(one.len().max(other.len()))
        .unwrap_or(100)
}

/// The words of the pages of a run with those that are other, each page for itself.
fn told<'a>(
    run: &[Pair],
    old: &[Vec<Word<'a>>],
    new: &[Vec<Word<'a>>],
    budget: &mut Budget,
) -> Vec<Stretches<'a>> {
    let mut numbers = Numbers::default();
    let before = Side::of(
        run.iter().map(|pair| pair.0.map(|at| &old[at])),
        &mut numbers,
    );
    let after = Side::of(
        run.iter().map(|pair| pair.1.map(|at| &new[at])),
        &mut numbers,
    );
    let pairs = stayed(&before, &after, budget);
    let mut told: Vec<Stretches<'a>> = run.iter().map(|_| Stretches::default()).collect();
    let (left, right) = (before.words.len(), after.words.len());
    through(&pairs, left, right, |tag, left, right| {
        // What stayed is told where it stands now.
        let (side, at) = match tag {
            Tag::Removed => (&before, left),
            Tag::Added | Tag::Same => (&after, right),
        };
        told[side.homes[at]].push(tag, side.words[at]);
    });
    told
}

/// The words of the pages of a run in one version, one after the other.
struct Side<'a> {
    words: Vec<Word<'a>>,
    numbers: Vec<u32>,
    /// On which page of the run each word stands.
    homes: Vec<usize>,
    lines: Vec<Range<usize>>,
}

impl<'a> Side<'a> {
    fn of<'b>(
        pages: impl Iterator<Item = Option<&'b Vec<Word<'a>>>>,
        known: &mut Numbers<'a>,
    ) -> Self
    where
        'a: 'b,
    {
        let mut side = Self {
            words: vec![],
            numbers: vec![],
            homes: vec![],
            lines: vec![],
        };
        let mut begun = 0;
        for (home, page) in pages.enumerate() {
            for word in page.into_iter().flatten() {
                side.words.push(*word);
                side.numbers.push(known.of(word.text));
                side.homes.push(home);
                if word.ends {
                    side.lines.push(begun..side.words.len());
                    begun = side.words.len();
                }
            }
        }
        side
    }

    fn lines(&self) -> Vec<&[u32]> {
        let lines = self.lines.iter();
        lines.map(|line| &self.numbers[line.clone()]).collect()
    }

    /// What of a stretch stands on a page.
    fn on(&self, home: usize, within: &Range<usize>) -> Range<usize> {
        let first = |least| self.homes.partition_point(|one| *one < least);
        let (begin, end) = (first(home), first(home + 1));
        begin.clamp(within.start, within.end)..end.clamp(within.start, within.end)
    }
}

/// Which words stayed: those of lines that did, and in what lies between them word by word; where that is more than a page, each
/// page for itself. A few words are known again on their own page only, since others use them too.
fn stayed(before: &Side<'_>, after: &Side<'_>, budget: &mut Budget) -> Vec<Place> {
    let mut pairs: Vec<Place> = vec![];
    let mut hold = |left: Range<usize>, right: Range<usize>, pairs: &mut Vec<Place>| {
        let (old, new) = (&before.numbers[left.clone()], &after.numbers[right.clone()]);
        let same = same_words(old, new, budget);
        pairs.extend(
            same.into_iter()
                .map(|(a, b)| (left.start + a, right.start + b)),
        );
    };
    let (mut left, mut right) = (0, 0);
    let ends = (before.words.len(), after.words.len());
    let lines = aligned(&before.lines(), &after.lines())
        .into_iter()
        .map(|(old, new)| (before.lines[old].clone(), after.lines[new].clone()));
    for (old, new) in lines.chain([(ends.0..ends.0, ends.1..ends.1)]) {
        let (one, other) = (left..old.start, right..new.start);
        if one.len().max(other.len()) <= WORDS_MOST {
            hold(one, other, &mut pairs);
        } else {
            let homes = before.homes.get(one.clone()).unwrap_or_default();
            for home in
                homes.first().copied().unwrap_or_default()..homes.last().map_or(0, |last| last + 1)
            {
                let (one, other) = (before.on(home, &one), after.on(home, &other));
                if one.len().max(other.len()) <= WORDS_MOST {
                    hold(one, other, &mut pairs);
                }
            }
        }
        (left, right) = (old.end, new.end);
        pairs.extend(old.zip(new));
    }
    let runs = pairs.chunk_by(|one, next| (one.0 + 1, one.1 + 1) == *next);
    runs.flat_map(|run| {
        let is_known =
            |pair: &&Place| run.len() >= MOVED_LEAST || before.homes[pair.0] == after.homes[pair.1];
        run.iter().filter(is_known).copied()
    })
    .collect()
}
