//! Shows that the log of a school was not rewritten, to somebody who trusts neither the database nor whoever runs it.
//!
//! Each line of the log carries `hash = sha256(prev ‖ text)`, where `prev` is the hash of the line before it and `text` the
//! nine fields of the line, so that no line changes without every later hash changing too. Whoever holds the database could
//! still rewrite all of them. Therefore the server signs, outside the database, where the log stood: a [`Checkpoint`], at the
//! latest a thousand lines or five minutes after the last one. A rewritten log does not lead to what was signed.
//!
//! **What is found**: any line edited, added, taken out, doubled or moved, and any cut of the end, up to the last checkpoint
//! that the reader has; and a rewritten line beside a log that was left as it was, wherever it is.
//!
//! **What cannot be found**: lines after the last checkpoint, rewritten together with every hash after them. That is at most a
//! thousand lines or five minutes. A receipt or a digest carries the head of the log at its moment, and closes the gap up to
//! there ([`Given::heads`]). Nor is it found that something was never written to the log. And whoever runs the server has the
//! key as well as the database: against them only what the reader kept counts, which is checkpoints, heads and earlier
//! exports.

#![forbid(unsafe_code)]

mod broken;
mod chain;
mod checkpoint;
mod file;
mod line;
mod verify;

pub use broken::{Break, Why};
pub use chain::{Against, Mark, Point, Source, Walk};
pub use checkpoint::{Checkpoint, KeyId, PublicKey, Signature, Signer};
pub use file::{
    Bound, Checkpoints, End, FORMAT, Header, LINE_MOST, Lines, Record, Unreadable, VERSION,
    Withheld, Writer, checkpoints_in,
};
pub use line::{Hash, Id, Line};
pub use verify::{Failure, Given, Head, Report, verify};

/// A number as people read it: 1,204.
pub fn grouped(number: impl Into<i128>) -> String {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A moment, from microseconds since 1970, as people read it: 2026-06-18 17:00 UTC.
///
/// Days are turned into dates as the proleptic Gregorian calendar has it, in eras of 400 years that begin in March.
pub fn utc(micros: i64) -> String {
    let minutes = micros.div_euclid(60_000_000);
    let (days, minute) = (
        minutes.div_euclid(1_440) + 719_468,
        minutes.rem_euclid(1_440),
    );
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, after) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!(
        "{:04}-{month:02}-{day:02} {:02}:{:02} UTC",
        year + era * 400 + after,
        minute / 60,
        minute % 60
    )
}

/// What stands in a file may not steer the terminal that shows it.
pub fn shown(text: &str) -> String {
    text.chars()
        .filter(|letter| {
            !letter.is_control()
                && !matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
        .take(120)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [
            (0, "0"),
            (7, "7"),
            (999, "999"),
            (1_000, "1,000"),
            (1_204, "1,204"),
            (1_000_000, "1,000,000"),
            (i64::MIN, "-9,223,372,036,854,775,808"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn a_moment_is_told_in_universal_time() {
        for (micros, text) in [
            (0, "1970-01-01 00:00 UTC"),
            (-1, "1969-12-31 23:59 UTC"),
            (1_781_802_059_999_999, "2026-06-18 17:00 UTC"),
            (951_782_400_000_000, "2000-02-29 00:00 UTC"),
            (4_107_542_399_000_000, "2100-02-28 23:59 UTC"),
            (4_107_542_400_000_000, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(utc(micros), text);
        }
        assert!(utc(i64::MIN).len() > 10 && utc(i64::MAX).len() > 10);
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(shown("Oak\u{1b}[2Jfield\n\u{202e}x"), "Oak[2Jfieldx");
    }
}
