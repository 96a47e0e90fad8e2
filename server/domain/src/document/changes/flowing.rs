//! Comparing what has no pages of its own: as one text, in whose parts the changes are told. So a sentence that went from the end
//! of one part to the beginning of the next has not changed.

use std::ops::Range;

use super::{
    Changes, PAGES_MOST, Page, STEPS, Tag, WORDS_MOST,
    alike::{Numbers, Pair, Stretches, aligned, same_words, through},
    is_too_much,
    words::{Word, lines},
};
use crate::budget::Budget;

/// Most words of both versions that are compared as one text: a thousand pages of each.
const FLOW_MOST: usize = 1_000_000;

/// What changed from the parts of one version to those of another.
pub fn compare(old: &[String], new: &[String]) -> Changes {
    if is_too_much(old, new) || is_too_many(old, new) {
        return Changes {
            unknown: true,
            ..Changes::default()
        };
    }
    let mut numbers = Numbers::default();
    let (before, after) = (Flow::of(old, &mut numbers), Flow::of(new, &mut numbers));
    if before.words.is_empty() || after.words.is_empty() {
        return Changes {
            without_text: true,
            ..Changes::default()
        };
    }
    let pairs = stayed(&before, &after, &mut Budget::of(STEPS));
    let mut parts: Vec<(Option<usize>, Stretches<'_>)> =
        new.iter().map(|_| (None, Stretches::default())).collect();
    let (words, last) = (before.words.len(), after.words.len() - 1);
    through(&pairs, words, after.words.len(), |tag, left, right| {
        // What was taken out is told where the next word stands.
        let (stood, told) = &mut parts[after.part(right.min(last))];
        match tag {
            Tag::Removed => told.push(tag, before.words[left]),
            Tag::Added => told.push(tag, after.words[right]),
            Tag::Same => {
                stood.get_or_insert_with(|| before.part(left));
                told.push(tag, after.words[right]);
            }
        }
    });
    let mut pages: Vec<Page> = vec![];
    for (place, (stood, told)) in parts.into_iter().enumerate() {
        if told.are_same() {
            continue;
        }
        let pieces = if told.words() <= 2 * WORDS_MOST && pages.len() < PAGES_MOST {
            told.pieces()
        } else {
            vec![]
        };
        pages.push(Page {
            old: stood.and_then(number),
            new: number(place),
            pieces,
        });
    }
    Changes {
        pages,
        ..Changes::default()
    }
}

/// Whether there are more words than are compared as one text: each takes a hundred bytes meanwhile.
fn is_too_many(old: &[String], new: &[String]) -> bool {
    let words = old.iter().chain(new);
    words
        .flat_map(|part| part.split_whitespace())
        .nth(FLOW_MOST)
        .is_some()
}

fn number(index: usize) -> Option<u32> {
    u32::try_from(index + 1).ok()
}

/// A text, with where its lines and its parts are in it.
struct Flow<'a> {
    words: Vec<Word<'a>>,
    numbers: Vec<u32>,
    lines: Vec<Range<usize>>,
    /// The first word of each part.
    begins: Vec<usize>,
}

impl<'a> Flow<'a> {
    fn of(parts: &'a [String], known: &mut Numbers<'a>) -> Self {
        let mut flow = Self {
            words: vec![],
            numbers: vec![],
            lines: vec![],
            begins: vec![],
        };
        for part in parts {
            flow.begins.push(flow.words.len());
            for line in lines(part) {
                let begin = flow.words.len();
                flow.numbers
                    .extend(line.iter().map(|word| known.of(word.text)));
                flow.words.extend(line);
                flow.lines.push(begin..flow.words.len());
            }
        }
        flow
    }

    fn lines(&self) -> Vec<&[u32]> {
        self.lines
            .iter()
            .map(|line| &self.numbers[line.clone()])
            .collect()
    }

    /// The part in which a word stands.
    fn part(&self, word: usize) -> usize {
        self.begins
            .partition_point(|begin| *begin <= word)
            .saturating_sub(1)
    }
}

/// Which words stayed: those of lines that did, and in what lies between them word by word.
fn stayed(before: &Flow<'_>, after: &Flow<'_>, budget: &mut Budget) -> Vec<Pair> {
    let mut pairs = vec![];
    let (mut left, mut right) = (0, 0);
    let ends = (before.words.len(), after.words.len());
    let lines = aligned(&before.lines(), &after.lines())
        .into_iter()
        .map(|(old, new)| (before.lines[old].clone(), after.lines[new].clone()));
    for (old, new) in lines.chain([(ends.0..ends.0, ends.1..ends.1)]) {
        let between = same_words(
            &before.numbers[left..old.start],
            &after.numbers[right..new.start],
            budget,
        );
        pairs.extend(between.into_iter().map(|(a, b)| (left + a, right + b)));
        (left, right) = (old.end, new.end);
        pairs.extend(old.zip(new));
    }
    pairs
}
