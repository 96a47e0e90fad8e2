//! Where a quotation stands in a document: found again when line breaks, hyphens and ligatures are others, when a word of it was
//! changed, and when it moved to another page. Where it does not stand any more, nothing that is merely like it is taken for it.

use std::{cell::OnceCell, collections::HashMap};

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::budget::{Budget, Spent};

/// Longest quotation, in letters.
pub const EXACT_MOST: u16 = 500;

/// Letters that are kept on either side of a quotation, to tell it from the same words elsewhere.
pub const AROUND: usize = 32;

/// Steps that looking for one quotation may take: those of the longest that is kept, in the longest text, and not of one that
/// was made to take long.
pub const STEPS: u64 = 300_000_000;

/// Words of a document with what stands around them (W3C Web Annotation Data Model, 4.2.4, Text Quote Selector).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quotation {
    /// The words.
    pub exact: String,
    /// What stands before them; may be empty.
    pub prefix: String,
    /// What stands after them; may be empty.
    pub suffix: String,
}

/// Where a quotation was last seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// The page, from 1; none where nobody said.
    pub page: Option<u32>,
    /// The first letter of it on that page, as in [`Place`].
    pub start: usize,
}

/// Where a quotation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The page, from 1.
    pub page: u32,
    /// Its first letter, counted in the page's text with its white space made single.
    pub start: usize,
    /// Behind its last letter; at the end of the page where it goes on over it.
    pub end: usize,
    /// What stands there now, with what is around it.
    pub quotation: Quotation,
}

/// Least likeness of words that were changed, where what is around them is as it was: two thirds of the letters.
const ALIKE: f64 = 0.65;

/// The same where nothing is known of what was around them, as when somebody types a sentence from a print.
const ALIKE_ALONE: f64 = 0.85;

/// From how many letters on words need nothing around them to be known again.
const TELLING: usize = 40;

/// Most letters of a document that are looked at, in bytes of the key: far more than ten thousand pages of a policy.
const KEY_MOST: usize = 40_000_000;

/// Most places of the same words that are weighed.
const SAME_MOST: usize = 20_000;

/// Letters of a piece by which changed words are looked for, and how often one may occur to tell anything.
const PIECE: usize = 6;
const PIECE_MOST: usize = 128;

/// Most letters of a document in which changed words are looked for, in bytes of the key: more than two thousand pages.
const INDEXED_MOST: usize = 8_000_000;

/// What a place in the list of pieces costs, in letters compared.
const INDEXING: usize = 8;

/// Most stretches that are compared letter by letter.
const STRETCHES: usize = 6;

/// The text of a document, made ready to look for many quotations.
pub struct Text {
    pages: Vec<u32>,
    /// Where in `letters` each page begins.
    begins: Vec<usize>,
    letters: Vec<char>,
    /// What is compared: letters only, small, without accents.
    key: String,
    /// For each byte of the key the letter it comes from.
    at: Vec<u32>,
    /// Each piece of the key with where it stands, in order.
    pieces: OnceCell<Vec<(u64, u32)>>,
}

impl Text {
    /// Of pages by number, in their order.
    pub fn new<'a>(pages: impl IntoIterator<Item = (u32, &'a str)>) -> Self {
        let mut text = Self {
            pages: vec![],
            begins: vec![],
            letters: vec![],
            key: String::new(),
            at: vec![],
            pieces: OnceCell::new(),
        };
        for (number, body) in pages {
            text.pages.push(number);
            text.begins.push(text.letters.len());
            let mut first = true;
            for word in body.split_whitespace() {
                if !first {
                    text.letters.push(' ');
                }
                first = false;
                text.letters.extend(word.chars());
            }
        }
        for (place, letter) in text.letters.iter().enumerate() {
            if text.key.len() > KEY_MOST {
                break;
            }
            let Ok(place) = u32::try_from(place) else {
                break;
            };
            fold(*letter, &mut text.key);
            text.at.resize(text.key.len(), place);
        }
        text
    }

    /// Whether there is nothing to find.
    pub fn is_empty(&self) -> bool {
        self.key.is_empty()
    }

    /// Where the quotation stands; none where it does not stand here any more.
    ///
    /// Of several places with the same words it is the one with the same around it, then the one nearest to the hint. Words of few
    /// letters need something around them that is as it was: they stand in many places.
    pub fn attach(&self, quotation: &Quotation, hint: Hint) -> Option<Place> {
        let mut budget = Budget::of(STEPS);
        self.attach_within(quotation, hint, &mut budget)
            .ok()
            .flatten()
    }

    /// The same within what work is left, of which it takes its part. Refuses [`Spent`] where it is not known how it would have
    /// ended.
    pub fn attach_within(
        &self,
        quotation: &Quotation,
        hint: Hint,
        budget: &mut Budget,
    ) -> Result<Option<Place>, Spent> {
        let sought = Sought::of(quotation);
        if sought.exact.is_empty() || self.is_empty() {
            return Ok(None);
        }
        budget.spend(self.key.len())?;
        let found = match self.same(&sought, hint) {
            Some(found) => Some(found),
            None => self.changed(&sought, hint, budget)?,
        };
        Ok(found.map(|(from, to)| self.place(from, to)))
    }

    /// The same words.
    fn same(&self, sought: &Sought, hint: Hint) -> Option<(usize, usize)> {
        let length = sought.exact.len();
        let whole = sought.prefix.len() + sought.suffix.len();
        let expected = self.expected(hint);
        self.key
            .match_indices(&sought.exact)
            .take(SAME_MOST)
            .map(|(from, _)| {
                let before = run(
                    sought.prefix.bytes().rev(),
                    self.key.as_bytes()[..from].iter().rev().copied(),
                );
                let after = run(
                    sought.suffix.bytes(),
                    self.key.as_bytes()[from + length..].iter().copied(),
                );
                (from, before + after)
            })
            .filter(|(_, around)| length >= TELLING || 5 * around >= 2 * whole)
            .min_by_key(|(from, around)| (usize::MAX - around, from.abs_diff(expected)))
            .map(|(from, _)| (from, from + length))
    }

    /// Words that were changed: the stretch that shares most pieces with what stood there and around it, if it is alike enough.
    fn changed(
        &self,
        sought: &Sought,
        hint: Hint,
        budget: &mut Budget,
    ) -> Result<Option<(usize, usize)>, Spent> {
        let length = sought.exact.len();
        if length < 2 * PIECE || self.key.len() > INDEXED_MOST {
            return Ok(None);
        }
        let alone = sought.prefix.is_empty() && sought.suffix.is_empty();
        let expected = self.expected(hint);
        let mut best: Option<(f64, usize, (usize, usize))> = None;
        for begin in self.stretches(sought, budget)? {
            let slack = length / 4 + 2 * AROUND;
            let from = begin.saturating_sub(slack);
            let to = (begin + length + slack).min(self.key.len());
            let window = &self.key.as_bytes()[from..to];
            budget.spend(length.saturating_mul(window.len()))?;
            let Some((distance, start, end)) = nearest(sought.exact.as_bytes(), window) else {
                continue;
            };
            let (start, end) = (from + start, from + end);
            let alike = 1.0 - share(distance, length);
            let around = self.around(sought, start, end);
            let enough = if alone {
                alike >= ALIKE_ALONE
            } else {
                alike >= ALIKE && around >= ALIKE
            };
            let found = (
                alike + around,
                usize::MAX - start.abs_diff(expected),
                (start, end),
            );
            if enough
                && best
                    .as_ref()
                    .is_none_or(|best| (found.0, found.1) > (best.0, best.1))
            {
                best = Some(found);
            }
        }
        Ok(best.map(|(.., place)| place))
    }

    /// How much what stands around a stretch is as it was, on the side that is more so.
    fn around(&self, sought: &Sought, start: usize, end: usize) -> f64 {
        let key = self.key.as_bytes();
        let side = |wanted: &str, there: &[u8]| {
            if wanted.len() < PIECE {
                return 0.0;
            }
            let Some((distance, ..)) = nearest(wanted.as_bytes(), there) else {
                return 0.0;
            };
            1.0 - share(distance, wanted.len())
        };
        let before =
            &key[start.saturating_sub(sought.prefix.len() + 4)..(start + 2).min(key.len())];
        let after = &key[end.saturating_sub(2)..(end + sought.suffix.len() + 4).min(key.len())];
        side(&sought.prefix, before).max(side(&sought.suffix, after))
    }

    /// Where stretches begin that share pieces with the quotation and its surroundings, those with most first.
    fn stretches(&self, sought: &Sought, budget: &mut Budget) -> Result<Vec<usize>, Spent> {
        let whole = [&sought.prefix, &sought.exact, &sought.suffix]
            .map(String::as_str)
            .concat();
        if self.pieces.get().is_none() {
            budget.spend(INDEXING.saturating_mul(self.key.len()))?;
        }
        budget.spend(whole.len().saturating_mul(PIECE_MOST))?;
        let pieces = self.pieces.get_or_init(|| {
            let places = self.key.as_bytes().windows(PIECE).zip(0_u32..);
            let mut pieces: Vec<(u64, u32)> = places
                .map(|(piece, place)| (number(piece), place))
                .collect();
            pieces.sort_unstable();
            pieces
        });
        let width = (sought.exact.len() / 4).max(16);
        let mut shared: HashMap<usize, (u32, usize)> = HashMap::new();
        for (offset, piece) in whole.as_bytes().windows(PIECE).enumerate() {
            let piece = number(piece);
            let places = &pieces[pieces.partition_point(|one| one.0 < piece)..];
            let count = places.partition_point(|one| one.0 == piece);
            if count > PIECE_MOST {
                continue;
            }
            for (_, place) in &places[..count] {
                let begin = (*place as usize + sought.prefix.len()).saturating_sub(offset);
                // In two rows of boxes, so that no stretch is cut by the edge of one.
                for half in [0, 1] {
                    let bucket = (begin + half * width / 2) / width * 2 + half;
                    let count = shared.entry(bucket).or_insert((0, begin));
                    count.0 += 1;
                }
            }
        }
        let mut most: Vec<(u32, usize)> = shared.into_values().filter(|one| one.0 > 1).collect();
        most.sort_unstable_by_key(|(count, begin)| (u32::MAX - count, *begin));
        let mut begins: Vec<usize> = vec![];
        for (_, begin) in most {
            if begins.len() == STRETCHES {
                break;
            }
            if begins.iter().all(|one| one.abs_diff(begin) > width / 2) {
                begins.push(begin);
            }
        }
        Ok(begins)
    }

    /// Where in the key the hint points.
    fn expected(&self, hint: Hint) -> usize {
        let page = hint
            .page
            .map_or(0, |page| self.pages.partition_point(|one| *one < page));
        let letter = self
            .begins
            .get(page)
            .map_or(self.letters.len(), |begin| begin + hint.start);
        self.at.partition_point(|at| (*at as usize) < letter)
    }

    /// The place of a stretch of the key.
    fn place(&self, from: usize, to: usize) -> Place {
        let start = self.at[from] as usize;
        let last = self.at[to - 1] as usize;
        let page = self.begins.partition_point(|begin| *begin <= start) - 1;
        // Empty pages begin where the next one does.
        let begin = self.begins[page];
        let ends = self
            .begins
            .get(page + 1)
            .copied()
            .unwrap_or(self.letters.len());
        let end = (last + 1).min(ends);
        let said = |from: usize, to: usize| {
            let letters = self.letters[from..to].iter();
            letters
                .filter(|letter| !is_hidden(**letter) || matches!(letter, '\u{200c}' | '\u{200d}'))
                .collect()
        };
        Place {
            page: self.pages[page],
            start: start - begin,
            end: end - begin,
            quotation: Quotation {
                exact: said(start, end),
                prefix: said(start.saturating_sub(AROUND).max(begin), start),
                suffix: said(end, (end + AROUND).min(ends)),
            },
        }
    }
}

/// A quotation as it is compared.
struct Sought {
    exact: String,
    prefix: String,
    suffix: String,
}

impl Sought {
    fn of(quotation: &Quotation) -> Self {
        let key = |text: &str| {
            let mut key = String::new();
            text.chars().for_each(|letter| fold(letter, &mut key));
            key
        };
        // Of what is around it only what is next to it: whoever sends it may send any length.
        let letters = quotation.prefix.chars().count();
        let near = quotation
            .prefix
            .chars()
            .skip(letters.saturating_sub(2 * AROUND));
        Self {
            exact: key(&quotation.exact),
            prefix: key(&near.collect::<String>()),
            suffix: key(&quotation
                .suffix
                .chars()
                .take(2 * AROUND)
                .collect::<String>()),
        }
    }
}

/// What of a letter is compared; nothing of white space, hyphens, accents, and what has no width.
fn fold(letter: char, key: &mut String) {
    if letter.is_ascii_alphanumeric() {
        key.push(letter.to_ascii_lowercase());
        return;
    }
    match letter {
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => {}
        other if other.is_whitespace() || is_hidden(other) => {}
        '‘' | '’' | '‚' | '‛' | '′' | '`' => key.push('\''),
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => key.push('"'),
        other if other.is_ascii() => key.push(other),
        other => key.extend(
            std::iter::once(other)
                .nfkd()
                .filter(|part| !is_combining_mark(*part) && !part.is_whitespace())
                .flat_map(char::to_lowercase),
        ),
    }
}

/// Without width of its own, or turning the direction of what follows: nobody means it when they quote.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The letters of a piece as a number.
fn number(piece: &[u8]) -> u64 {
    piece
        .iter()
        .fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// How many are the same from the beginning.
fn run(wanted: impl Iterator<Item = u8>, there: impl Iterator<Item = u8>) -> usize {
    wanted
        .zip(there)
        .take_while(|(one, other)| one == other)
        .count()
}

/// The stretch of a window with the fewest changes to what is sought (Sellers 1980): how many, from where, to where.
fn nearest(sought: &[u8], window: &[u8]) -> Option<(usize, usize, usize)> {
    // For each letter sought: changes so far, and where the stretch began.
    let mut column: Vec<(usize, usize)> = (0..=sought.len()).map(|rows| (rows, 0)).collect();
    let mut best: Option<(usize, usize, usize)> = None;
    for (place, there) in window.iter().enumerate() {
        let mut diagonal = column[0];
        column[0] = (0, place + 1);
        for (row, wanted) in sought.iter().enumerate() {
            let (left, above) = (column[row + 1], column[row]);
            let same = (diagonal.0 + usize::from(wanted != there), diagonal.1);
            let better = if same.0 <= left.0.min(above.0) {
                same
            } else if left.0 <= above.0 {
                (left.0 + 1, left.1)
            } else {
                (above.0 + 1, above.1)
            };
            diagonal = left;
            column[row + 1] = better;
        }
        let (changes, from) = column[sought.len()];
        if from < place + 1 && best.is_none_or(|(fewest, ..)| changes < fewest) {
            best = Some((changes, from, place + 1));
        }
    }
    best
}

fn share(part: usize, whole: usize) -> f64 {
    let of = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    of(part) / of(whole.max(1))
}

#[cfg(test)]
mod tests;
