//! Text and tables of values: in an encoding that can be told, and nothing but text.

use crate::report::Report;
use domain::file::{Fault, Kind};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// In the encoding that it is marked with, else UTF-8, else what Windows writes in this country (Windows-1252).
///
/// Refuses [`Fault::Mismatch`] where there is a character that no text has, as a NUL: it is some other kind of file.
pub fn look(file: &[u8], kind: Kind) -> Result<Report, Fault> {
    let encoding = match Encoding::for_bom(file) {
        Some((encoding, _)) => encoding,
        None if std::str::from_utf8(file).is_ok() => UTF_8,
        None => WINDOWS_1252,
    };
    let (text, _, faulty) = encoding.decode(file);
    let other = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}');
    if faulty || text.chars().any(other) {
        return Err(Fault::Mismatch(None));
    }
    let mut report = Report::new(kind);
    report.add_parts(&text);
    Ok(report)
}
