//! What people wrote, as it can be set: whoever reads the page must see what was written, and nothing may turn it around.

use unicode_normalization::UnicodeNormalization as _;

use crate::{mark, sheet};

/// Without what is not seen (controls, marks that turn the direction of a line, joiners), and with `(U+1F393)` for a letter
/// that no face has: PDF/UA-1 refuses a page with a letter missing, and a box says nothing.
pub(crate) fn plain(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for letter in text.nfc() {
        match letter {
            '\n' | '\t' => clean.push(' '),
            unseen if is_unseen(unseen) => {}
            letter if sheet::has(letter) => clean.push(letter),
            letter => clean.extend(format!("(U+{:04X})", u32::from(letter)).chars()),
        }
    }
    // A title that looks like the mark of a certificate must not be found in its place.
    clean.replace(mark::BEGINS, "quorate-certificate")
}

/// Controls, and what Unicode asks to be ignored where it cannot be shown (`Default_Ignorable_Code_Point`).
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_europe_stay_as_they_are() {
        for name in [
            "Siân Edwards",
            "Zofia Wiśniewska",
            "Patrick O’Donnell",
            "Nguyễn Thị Minh",
            "Δημήτρης",
            "Шевченко",
            "#import \"x\" \\ * $ <script>",
        ] {
            assert_eq!(plain(name), name);
        }
    }

    #[test]
    fn a_letter_and_its_accent_become_the_letter_that_has_it() {
        assert_eq!(plain("Sia\u{302}n Wis\u{301}niewska"), "Siân Wiśniewska");
    }

    #[test]
    fn what_turns_a_line_around_or_is_not_seen_is_gone() {
        assert_eq!(plain("policy\u{202e}fdp.exe\u{0}\u{7}"), "policyfdp.exe");
        assert_eq!(plain("one\ntwo"), "one two");
    }

    #[test]
    fn a_letter_that_no_face_has_is_told_by_its_number() {
        assert_eq!(plain("Prize 🎓"), "Prize (U+1F393)");
    }

    #[test]
    fn what_looks_like_a_mark_is_none() {
        assert!(!plain("quorate-certificate:1 sha256:00").contains(mark::BEGINS));
        // Nor does what is taken out make one.
        assert!(!plain("quorate-\u{200b}certificate:1").contains(mark::BEGINS));
    }
}
