//! What was found in a file that is taken.

use domain::{document::parts, file::Kind};
use serde::{Deserialize, Serialize};

/// The most text that is kept of one file, in bytes: more than the longest book.
pub const TEXT_MOST: usize = 20 * 1024 * 1024;
/// The most characters of a title.
const TITLE_MOST: usize = 300;

/// What a file holds. Its words are a stranger's: text, never markup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What it is, which its name says too.
    pub kind: Kind,
    /// Pages of a PDF, slides, or sheets. Where a text's pages end is decided by whatever shows it.
    pub pages: Option<u32>,
    /// Its words: one text for each page or slide, one or several for each sheet and for the other kinds, and none for pictures.
    pub text: Vec<String>,
    /// Whether there were more words than are kept, or than could be read in time.
    pub cut: bool,
    /// The title that its author gave it.
    pub title: Option<String>,
    /// Pixels of a picture.
    pub width: Option<u32>,
    /// See `width`.
    pub height: Option<u32>,
}

impl Report {
    /// Of a kind, and nothing else known.
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            pages: None,
            text: Vec::new(),
            cut: false,
            title: None,
            width: None,
            height: None,
        }
    }

    /// Keeps the words of one page as far as there is room.
    pub(crate) fn add(&mut self, page: &str) {
        let page = self.fitting(page);
        self.text.push(page);
    }

    /// The same of what has no pages of its own, such as a letter or a sheet of ten thousand rows: in parts.
    pub(crate) fn add_parts(&mut self, whole: &str) {
        let whole = self.fitting(whole);
        self.text.extend(parts::split(&whole));
    }

    fn fitting(&mut self, page: &str) -> String {
        let room = TEXT_MOST - self.text.iter().map(String::len).sum::<usize>();
        let mut page = tidy(page);
        if page.len() > room {
            page.truncate(page.floor_char_boundary(room));
            self.cut = true;
        }
        page
    }

    /// Keeps a title that says something.
    pub(crate) fn entitle(&mut self, title: &str) {
        let words = tidy(title);
        let title: String = words
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(TITLE_MOST)
            .collect();
        if !title.is_empty() {
            self.title = Some(title);
        }
    }
}

/// The words of one page while they are gathered. A workbook can name one long text a million times.
#[derive(Default)]
pub(crate) struct Words(pub(crate) String);

impl Words {
    /// Adds a piece, until there is more than is kept of a whole file.
    pub(crate) fn push(&mut self, piece: &str) {
        if self.0.len() <= TEXT_MOST {
            let room = TEXT_MOST + 1 - self.0.len();
            self.0.push_str(&piece[..piece.floor_char_boundary(room)]);
        }
    }

    /// What was gathered, and begins anew.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

/// Text without control characters (the database takes no NUL) and without those that turn its direction.
fn tidy(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' | '\t' => Some(c),
            '\r' | '\u{c}' => Some('\n'),
            '\u{a0}' => Some(' '),
            _ if c.is_control() => None,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => None,
            _ => Some(c),
        })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_file_are_kept_up_to_a_measure() {
        let mut report = Report::new(Kind::Text);
        report.add(&"é".repeat(TEXT_MOST / 2 - 1));
        assert!(!report.cut);
        report.add("ééé");
        report.add("more");
        assert!(report.cut);
        assert_eq!(report.text[1], "é");
        assert_eq!(report.text[2], "");
    }

    #[test]
    fn a_text_of_ten_thousand_words_is_kept_in_parts_and_a_page_of_a_pdf_is_one() {
        let words = "The board reads each of its papers before it meets. ".repeat(1_000);
        let mut report = Report::new(Kind::Docx);
        report.add_parts(&words);
        assert!(report.text.len() > 10, "{}", report.text.len());
        assert_eq!(report.text.join(" "), words.trim());
        assert!(!report.cut);
        let mut report = Report::new(Kind::Pdf);
        report.add(&words);
        assert_eq!(report.text, [words.trim()]);
        let mut report = Report::new(Kind::Text);
        report.add_parts("");
        assert_eq!(report.text, [""]);
        let word = format!("{} ", "é".repeat(100));
        report.add_parts(&word.repeat(TEXT_MOST / 150));
        assert!(report.cut);
        assert!(report.text.iter().map(String::len).sum::<usize>() <= TEXT_MOST);
    }

    #[test]
    fn what_is_no_text_is_not_kept_with_the_words() {
        let mut report = Report::new(Kind::Pdf);
        report.add("a\u{0}b\u{202e}c\r\nd\te");
        report.entitle(" Budget\u{0} \n 2026 ");
        assert_eq!(report.text, ["abc\n\nd\te"]);
        assert_eq!(report.title.as_deref(), Some("Budget 2026"));
        report.entitle("  ");
        assert_eq!(report.title.as_deref(), Some("Budget 2026"));
    }
}
