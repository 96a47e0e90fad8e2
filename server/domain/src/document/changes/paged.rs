//! Comparing what has pages: which page of the one version is which of the other, and which words of it changed.

use std::{collections::HashMap, ops::Range};

use super::{
    Changes, PAGES_MOST, Page, Piece, STEPS, Tag, WORDS_MOST,
    alike::{Numbers, Stretches, aligned, same_words, through},
    is_too_much,
};
use crate::budget::Budget;

/// From how many shared words on, of a hundred, two pages are the same page.
const ALIKE: usize = 30;

/// Most pages on either side of a stretch in which each is held against each.
const STRETCH_MOST: usize = 80;

/// What changed from the pages of one version to those of another.
pub fn compare(old: &[String], new: &[String]) -> Changes {
    if is_too_much(old, new) {
        return Changes {
            unknown: true,
            ..Changes::default()
        };
    }
    let (old, new) = (words(old), words(new));
    let mut budget = Budget::of(STEPS);
    let mut pages = vec![];
    for (before, after) in pairs(&old, &new, &mut budget) {
        let page = match (before, after) {
            (Some(before), Some(after)) if old[before] == new[after] => continue,
            (Some(before), Some(after)) => {
                let small = old[before].len().max(new[after].len()) <= WORDS_MOST;
                let pieces = if small && pages.len() < PAGES_MOST {
                    differences(&old[before], &new[after], &mut budget)
                } else {
                    vec![]
                };
                (Some(before), Some(after), pieces)
            }
            // A page that only came or went, whole: its words are all of one kind.
            (before, after) => {
                let (tag, words) = match (before, after) {
                    (Some(before), _) => (Tag::Removed, &old[before]),
                    (_, Some(after)) => (Tag::Added, &new[after]),
                    _ => continue,
                };
                let said =
                    pages.len() < PAGES_MOST && !words.is_empty() && words.len() <= WORDS_MOST;
                let piece = said.then(|| Piece {
                    text: words.join(" "),
                    tag,
                });
                (before, after, piece.into_iter().collect())
            }
        };
        pages.push(Page {
            old: page.0.and_then(number),
            new: page.1.and_then(number),
            pieces: page.2,
        });
    }
    Changes {
        without_text: [&old, &new]
            .iter()
            .any(|pages| pages.iter().all(Vec::is_empty)),
        pages,
        ..Changes::default()
    }
}

fn words(pages: &[String]) -> Vec<Vec<&str>> {
    pages
        .iter()
        .map(|page| page.split_whitespace().collect())
        .collect()
}

fn number(index: usize) -> Option<u32> {
    u32::try_from(index + 1).ok()
}

type Pair = (Option<usize>, Option<usize>);

/// Which page of the new version each of the old one is, in order.
fn pairs(old: &[Vec<&str>], new: &[Vec<&str>], budget: &mut Budget) -> Vec<Pair> {
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
    old: &[Vec<&str>],
    new: &[Vec<&str>],
    (before, after): (Range<usize>, Range<usize>),
    budget: &mut Budget,
    pairs: &mut Vec<Pair>,
) {
    let (rows, columns) = (before.len(), after.len());
    let mut known = HashMap::new();
    let mut bags = |pages: &[Vec<&str>]| -> Vec<Vec<u32>> {
        pages.iter().map(|page| bag(page, &mut known)).collect()
    };
    let few = rows <= STRETCH_MOST && columns <= STRETCH_MOST;
    let each = |pages: &[Vec<&str>]| -> usize {
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
fn bag(words: &[&str], known: &mut HashMap<String, u32>) -> Vec<u32> {
    let mut bag: Vec<u32> = words
        .iter()
        .take(WORDS_MOST)
        .map(|word| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            *known.entry(word.to_lowercase()).or_insert(next)
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

/// The words of a page with those that are other.
fn differences(old: &[&str], new: &[&str], budget: &mut Budget) -> Vec<Piece> {
    let mut numbers = Numbers::default();
    let before: Vec<u32> = old.iter().map(|word| numbers.of(word)).collect();
    let after: Vec<u32> = new.iter().map(|word| numbers.of(word)).collect();
    let pairs = same_words(&before, &after, budget);
    let mut told = Stretches::default();
    through(&pairs, old.len(), new.len(), |tag, left, right| {
        let word = if tag == Tag::Removed {
            old[left]
        } else {
            new[right]
        };
        told.push(tag, word);
    });
    told.pieces()
}
