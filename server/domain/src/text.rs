//! Text as people type it: what is kept of it, and what is not text at all.

use crate::Refusal;

/// One line as it is kept: trimmed, inner white space single.
///
/// Refuses an empty one, more than `most` characters, and control or direction-changing characters, which could make one line
/// look like another. Those that join letters and emoji stay.
pub fn line(typed: &str, most: u16) -> Result<String, Refusal> {
    let line = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().all(joins) || !fits(&line, most) {
        return Err(Refusal::TextFormat(most));
    }
    Ok(line)
}

/// As hashes and tokens are written: two digits a byte, in lower case.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Text of any number of lines as it is kept: each trimmed at its end, no empty ones around. It may be empty; refuses as
/// [`line`] does otherwise.
pub fn block(typed: &str, most: u16) -> Result<String, Refusal> {
    let lines: Vec<&str> = typed.lines().map(str::trim_end).collect();
    let block = lines.join("\n").trim().to_owned();
    if block.lines().all(|line| fits(line, most)) && block.chars().count() <= usize::from(most) {
        Ok(block)
    } else {
        Err(Refusal::TextFormat(most))
    }
}

fn fits(line: &str, most: u16) -> bool {
    line.chars().count() <= usize::from(most) && !line.chars().any(hidden)
}

/// Without width of their own, but at home inside words and emoji.
fn joins(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

fn hidden(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_kept_as_given_but_tidy() {
        assert_eq!(
            line("  Finance \t and   Premises ", 20).unwrap(),
            "Finance and Premises"
        );
        for good in ["P", "财务", "لجنة المال", "Teaching 👩‍🏫", &"x".repeat(20)]
        {
            assert_eq!(line(good, 20).unwrap(), *good);
        }
        for bad in [
            "",
            " \n ",
            "\u{200d}",
            "a\u{202e}b",
            "a\u{0}b",
            "a\u{1b}b",
            "a\u{feff}b",
            &"x".repeat(21),
        ] {
            assert_eq!(line(bad, 20), Err(Refusal::TextFormat(20)), "{bad:?}");
        }
    }

    #[test]
    fn a_block_keeps_its_lines_and_may_be_empty() {
        assert_eq!(block("\r\n One  \r\n\r\nTwo\n", 20).unwrap(), "One\n\nTwo");
        assert_eq!(block("  ", 20).unwrap(), "");
        for bad in ["a\u{202e}b", "a\u{0}b", &"x\n".repeat(11)] {
            assert_eq!(block(bad, 20), Err(Refusal::TextFormat(20)), "{bad:?}");
        }
    }
}
