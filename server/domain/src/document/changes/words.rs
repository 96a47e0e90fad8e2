//! The words of a text, with where its lines end: a heading, a list or a table is told as it stands, and where a line ends is
//! no change.

use std::hash::{Hash, Hasher};

/// From so many dots on they lead the eye from a title to its page number, and how many there are says nothing.
const LEADERS_LEAST: usize = 4;

/// A word, which is the same as another wherever either stands in its line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    /// Its letters.
    pub text: &'a str,
    /// Whether its line ends behind it.
    pub ends: bool,
}

impl PartialEq for Word<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Word<'_> {}

impl Hash for Word<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// The lines of a text that have words.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Vec<Word<'_>>> {
    text.lines().filter_map(|line| {
        let mut words: Vec<Word<'_>> = vec![];
        // Dots with spaces between them: how many there are at the end of the words.
        let mut dots = 0;
        for text in line.split_whitespace().flat_map(fragments) {
            let leads = text.chars().all(is_leader);
            dots = match (leads, text) {
                (false, _) => 0,
                (true, marks) if marks.contains('…') => LEADERS_LEAST,
                (true, few) => dots + few.chars().count(),
            };
            if dots >= LEADERS_LEAST {
                while words
                    .last()
                    .is_some_and(|word| word.text.chars().all(is_leader))
                {
                    words.pop();
                }
                words.push(Word {
                    text: "…",
                    ends: false,
                });
            } else {
                words.push(Word { text, ends: false });
            }
        }
        words.last_mut()?.ends = true;
        Some(words)
    })
}

const fn is_leader(letter: char) -> bool {
    matches!(letter, '.' | '·' | '…')
}

/// A word of which dots lead to a number is three: the title's last word, the dots as one mark, and the number.
fn fragments(word: &str) -> Vec<&str> {
    let mut found = vec![];
    // Up to where it is cut, and where the dots at the place one is at began.
    let (mut cut, mut begun) = (0, None);
    for (at, letter) in word.char_indices().chain([(word.len(), ' ')]) {
        match (is_leader(letter), begun) {
            (true, None) => begun = Some(at),
            (false, Some(from)) => {
                if word[from..at].chars().count() >= LEADERS_LEAST {
                    found.push(&word[cut..from]);
                    found.push("…");
                    cut = at;
                }
                begun = None;
            }
            _ => {}
        }
    }
    found.push(&word[cut..]);
    found.retain(|text| !text.is_empty());
    found
}

/// Words as one reads them: a space between two of a line, and each line for itself.
pub(super) fn joined(words: &[Word<'_>]) -> String {
    let mut text = String::new();
    for (n, word) in words.iter().enumerate() {
        text.push_str(word.text);
        if word.ends {
            text.push('\n');
        } else if n + 1 < words.len() {
            text.push(' ');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        lines(text).map(|line| joined(&line)).collect()
    }

    #[test]
    fn dots_that_lead_to_a_page_are_one_mark_however_they_are_set() {
        for line in [
            "Suspension ............ 4",
            "Suspension.......4",
            "Suspension . . . . . . . 4",
            "Suspension ……… 4",
            "Suspension .. .. .. 4",
        ] {
            assert_eq!(read(line), "Suspension … 4\n", "{line}");
        }
        assert_eq!(
            read("and so on... Section 5.1. ends"),
            "and so on... Section 5.1. ends\n"
        );
    }

    #[test]
    fn each_line_ends_where_it_did() {
        assert_eq!(
            read("5. Exclusion\n\n  Who  decides\r\n"),
            "5. Exclusion\nWho decides\n"
        );
        assert_eq!(read(" \n"), "");
    }
}
