//! The text of one cell.

/// Without space around it and without what does not show: control characters (the database takes no NUL), those that turn the
/// direction of a text, and marks of the byte order. Lines stay apart, as in an address.
pub fn tidy(text: &str) -> String {
    let kept = |c: char| match c {
        '\n' => Some(c),
        '\t' | '\u{a0}' => Some(' '),
        '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => None,
        _ if c.is_control() => None,
        _ => Some(c),
    };
    let mut tidied: String = text.chars().filter_map(kept).collect();
    tidied.truncate(tidied.trim_end().len());
    let leading = tidied.len() - tidied.trim_start().len();
    tidied.drain(..leading);
    tidied
}

/// The same in one line, as the name of a column is read.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_is_no_part_of_a_cell() {
        for (written, kept) in [
            (" Okafor\t", "Okafor"),
            ("\u{a0}7B\u{a0}", "7B"),
            ("\u{feff}UPN", "UPN"),
            ("Am\u{0}a\u{7}ra", "Amara"),
            ("a\u{202e}b", "ab"),
            ("1 High Street\nLeeds\n", "1 High Street\nLeeds"),
            ("=HYPERLINK(\"http://x\")", "=HYPERLINK(\"http://x\")"),
            ("  ", ""),
        ] {
            assert_eq!(tidy(written), kept, "{written:?}");
        }
        assert_eq!(one_line("Date\nof  birth"), "Date of birth");
    }
}
