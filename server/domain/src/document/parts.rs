//! The text of a document without pages of its own, in parts that are searched, compared and quoted one by one.
//!
//! Where a part ends is told by the words that stand there, and not by how many stood before: a paragraph that is put in moves the
//! ends next to it and no others (content-defined chunking; Muthitacharoen, Chen and Mazières, LBFS, 2001, 3.1).

use std::ops::Range;

/// Fewest and most words of a part; the last one may have fewer.
const WORDS_LEAST: usize = 200;
const WORDS_MOST: usize = 800;

/// The same in bytes, for writing that sets no spaces. A search quotes from as many letters of a part as the most.
const BYTES_LEAST: usize = 4_000;
const BYTES_MOST: usize = 16_000;

/// Longest word, in bytes: a longer one is taken for several.
const WORD_MOST: usize = 500;

/// Words by which an end is told from another, and bytes of each.
const TOLD_BY: usize = 6;
const TOLD_BYTES: usize = 16;

/// Longest line that may be a heading, in bytes.
const HEADING_MOST: usize = 100;

/// The parts of a text, in order. There is always one, and what is a part stays one.
pub fn split(text: &str) -> Vec<String> {
    let mut parts = vec![];
    let mut rest = text.trim();
    while let Some(end) = end(rest) {
        let (part, behind) = rest.split_at(end);
        parts.push(part.trim_end().to_owned());
        rest = behind;
    }
    parts.push(rest.to_owned());
    parts
}

/// Where the next part begins; none where the text is one part.
fn end(text: &str) -> Option<usize> {
    let mut best: Option<(Seam, u64, usize)> = None;
    let (mut words, mut last) = (0, 0);
    while let Some(word) = next(text, last) {
        if words >= WORDS_LEAST || last >= BYTES_LEAST {
            let seam = Seam::at(text, last, word.start);
            if best.is_none_or(|best| seam >= best.0) {
                best = best.max(Some((seam, told(text, word.start), word.start)));
            }
        }
        if words >= WORDS_MOST || word.end > BYTES_MOST {
            return Some(best.map_or(word.start, |(.., at)| at));
        }
        (words, last) = (words + 1, word.end);
    }
    None
}

/// The word behind a place.
fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let begin = from + text[from..].find(|letter: char| !letter.is_whitespace())?;
    let most = text.floor_char_boundary(begin + WORD_MOST);
    let length = text[begin..most].find(char::is_whitespace);
    Some(begin..length.map_or(most, |length| begin + length))
}

/// How well a part may end before a word, the best last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seam {
    /// In the middle of one that is too long.
    Letter,
    Word,
    Sentence,
    Line,
    Paragraph,
    Heading,
}

impl Seam {
    /// Between the end of one word and the beginning of the next.
    fn at(text: &str, last: usize, begin: usize) -> Self {
        let between = &text[last..begin];
        let ended = text[..last].ends_with(['.', '!', '?', ':', ';']);
        match between.matches('\n').count() {
            0 if between.is_empty() => Self::Letter,
            0 if ended => Self::Sentence,
            0 => Self::Word,
            1 if !ended => Self::Line,
            _ if is_heading(text, begin) => Self::Heading,
            _ => Self::Paragraph,
        }
    }
}

/// A short line that begins as a sentence does and does not end as one.
fn is_heading(text: &str, begin: usize) -> bool {
    let near = &text[begin..text.floor_char_boundary(begin + HEADING_MOST + 1)];
    let line = near.split('\n').next().unwrap_or_default().trim_end();
    line.len() <= HEADING_MOST
        && line.starts_with(|letter: char| letter.is_uppercase() || letter.is_numeric())
        && !line.ends_with(['.', '!', '?', ':', ';', ','])
}

/// A number that the next words always give (FNV-1a, 64 bits).
fn told(text: &str, begin: usize) -> u64 {
    let (mut hash, mut last) = (0xcbf2_9ce4_8422_2325_u64, begin);
    for _ in 0..TOLD_BY {
        let Some(word) = next(text, last) else {
            break;
        };
        let told = text.as_bytes()[word.clone()].iter().take(TOLD_BYTES);
        for byte in told.chain(b" ") {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        last = word.end;
    }
    hash
}

/// Texts of any length, as somebody writes them.
#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The paragraph of a number: a heading now and then, else three sentences.
    pub fn paragraph(number: usize) -> String {
        const SAID: [&str; 8] = [
            "pupil", "school", "board", "policy", "teacher", "parent", "record", "report",
        ];
        let word = |place: usize| SAID[(number * 7 + place * 13 + number / (place + 3)) % 8];
        if number.is_multiple_of(9) {
            return format!("{number} About the {} and the {}", word(1), word(2));
        }
        let sentence = |place: usize| {
            format!(
                "In case {number} the {} and the {} tell the {} of every {} and keep its {}.",
                word(place),
                word(place + 1),
                word(place + 2),
                word(place + 3),
                word(place + 4)
            )
        };
        [sentence(1), sentence(4), sentence(8)].join(" ")
    }

    /// More than twelve thousand words.
    pub fn long() -> Vec<String> {
        (1..=300).map(paragraph).collect()
    }

    fn words(text: &str) -> Vec<&str> {
        text.split_whitespace().collect()
    }

    #[test]
    fn a_long_text_is_told_in_parts_of_which_none_is_long_and_nothing_is_lost() {
        let text = long().join("\n");
        assert!(words(&text).len() > 12_000);
        let parts = split(&text);
        assert!((15..=60).contains(&parts.len()), "{}", parts.len());
        let (last, others) = parts.split_last().unwrap();
        for part in others {
            assert!(
                (WORDS_LEAST..=WORDS_MOST).contains(&words(part).len()),
                "{part}"
            );
            assert!(part.ends_with('.'), "in the middle of a sentence: {part}");
        }
        assert!(words(last).len() <= WORDS_MOST);
        assert_eq!(words(&parts.join("\n")), words(&text));
        // The same text has the same parts, and a part has one: itself.
        assert_eq!(split(&text), parts);
        for part in &parts {
            assert_eq!(split(part), [part.as_str()]);
        }
    }

    #[test]
    fn a_paragraph_put_in_moves_the_ends_next_to_it_and_no_others() {
        let old = split(&long().join("\n"));
        for place in [0, 1, 77, 150, 299] {
            let mut now = long();
            now.insert(
                place,
                "This paragraph is new, and nobody has read it yet.".to_owned(),
            );
            let now = split(&now.join("\n"));
            let other = now.iter().filter(|part| !old.contains(part)).count();
            assert!((1..=3).contains(&other), "{other} at {place}");
        }
    }

    #[test]
    fn a_text_without_lines_or_spaces_is_told_in_parts_too() {
        assert_eq!(split(""), [""]);
        assert_eq!(split(" \n\t"), [""]);
        assert_eq!(split(" One line\n"), ["One line"]);
        let written = "校长可以停学。".repeat(20_000);
        let parts = split(&written);
        assert!(parts.iter().all(|part| part.len() <= BYTES_MOST));
        assert_eq!(parts.concat(), written);
        let apart = format!("a{}b", " ".repeat(100_000));
        assert_eq!(split(&apart), ["a", "b"]);
        let one = split(&"word ".repeat(5_000));
        assert!(one.iter().all(|part| words(part).len() <= WORDS_MOST));
        assert_eq!(
            one.iter().map(|part| words(part).len()).sum::<usize>(),
            5_000
        );
    }

    #[test]
    fn a_part_ends_before_a_heading_where_there_is_one() {
        let lines: Vec<String> = (0..80)
            .map(|number| match number {
                30 => "4 Suspension and exclusion".to_owned(),
                number => {
                    format!("The board reads the paper that has number {number} in each term.")
                }
            })
            .collect();
        let parts = split(&lines.join("\n"));
        let [_, second] = &parts[..] else {
            panic!("{}", parts.len())
        };
        assert!(second.starts_with("4 Suspension"), "{second:.40}");
    }
}
