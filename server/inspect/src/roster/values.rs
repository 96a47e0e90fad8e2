//! A table of values in lines (RFC 4180), as spreadsheets and management information systems export it.

use super::{Encoding, Format, Head, Refused, decoded::Decoded, out::Out};
use csv::{Reader, ReaderBuilder, StringRecord, Terminator};
use std::{
    collections::HashMap,
    io::{BufRead as _, Cursor, Read, Write},
};

/// So much of a file is looked at to tell what stands between its values.
const SAMPLE: usize = 64 * 1024;
/// So many lines of that.
const SAMPLE_LINES: usize = 50;
/// What may stand between values; of two that divide a file equally well, the later.
const DELIMITERS: [u8; 3] = *b",;\t";
/// A line that is read after the last one of the file: a quotation mark that is never closed swallows it.
const AFTER: &str = "\u{1}after\u{1}";

/// Reads a table from its first line to its last.
pub fn read<R: Read>(
    mut text: Decoded<R>,
    encoding: Encoding,
    out: &mut Out<impl Write>,
) -> Result<(), Refused> {
    let sample = sample(&mut text)?;
    let (delimiter, begin) = match named(&sample) {
        Some(delimiter) => (
            delimiter,
            sample.find('\n').map_or(sample.len(), |end| end + 1),
        ),
        None => (likeliest(&sample), 0),
    };
    let head = Head {
        encoding: Some(encoding),
        delimiter: Some(char::from(delimiter)),
        ..Head::new(Format::Csv)
    };
    let before = u64::from(begin > 0);
    let after = format!("{AFTER}\n");
    let rest = Cursor::new(&sample.as_bytes()[begin..])
        .chain(text)
        .chain(after.as_bytes());
    let mut reader = reader(rest, delimiter);
    let (mut record, mut cells) = (StringRecord::new(), Vec::new());
    let (mut line, mut whole) = (1, true);
    while reader.read_record(&mut record).map_err(broken)? {
        // Empty lines before a record count to it in the reader's own position, so it is told from where the record ends.
        let inner: usize = record.iter().map(|cell| lines(cell.as_bytes())).sum();
        line = (before + reader.position().line()).saturating_sub(1 + inner as u64);
        whole = record.len() == 1 && record.get(0) == Some(AFTER);
        if whole {
            continue;
        }
        if record
            .iter()
            .next_back()
            .is_some_and(|cell| cell.contains(AFTER))
        {
            // The line that it ends in is not ended itself.
            return Err(Refused::OpenQuote(line + 1));
        }
        cells.clear();
        cells.extend(record.iter().map(str::to_owned));
        out.line(&head, line, &cells)?;
    }
    if whole {
        Ok(())
    } else {
        Err(Refused::OpenQuote(line))
    }
}

fn reader<R: Read>(from: R, delimiter: u8) -> Reader<R> {
    ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(from)
}

/// The beginning of a file, in whole characters.
fn sample<R: Read>(text: &mut Decoded<R>) -> Result<String, Refused> {
    let mut sample = Vec::with_capacity(SAMPLE);
    while sample.len() < SAMPLE {
        let piece = text.fill_buf().map_err(|_| Refused::Damaged)?;
        let length = piece.len();
        if length == 0 {
            break;
        }
        sample.extend_from_slice(piece);
        text.consume(length);
    }
    // A piece is what was decoded at once, and that is whole.
    String::from_utf8(sample).map_err(|_| Refused::Damaged)
}

/// What a first line says that only Excel understands: `sep=;`.
fn named(sample: &str) -> Option<u8> {
    let line = sample.lines().next()?.trim_matches('"');
    match line.strip_prefix("sep=")?.as_bytes() {
        [delimiter] if DELIMITERS.contains(delimiter) => Some(*delimiter),
        _ => None,
    }
}

/// What divides the lines into most cells, and most of them into as many.
fn likeliest(sample: &str) -> u8 {
    let score = |delimiter: &u8| {
        let mut widths = HashMap::new();
        let records = reader(sample.as_bytes(), *delimiter).into_records();
        for record in records.flatten().take(SAMPLE_LINES) {
            *widths.entry(record.len()).or_insert(0_usize) += 1;
        }
        let all: usize = widths.values().sum();
        let scores = widths
            .into_iter()
            .map(|(width, alike)| (width - 1) * alike * alike * SAMPLE_LINES / all);
        scores.max()
    };
    DELIMITERS.into_iter().max_by_key(score).unwrap_or(b',')
}

fn lines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

/// The file is cut in the middle of a character, or has one that no text has.
fn broken(_: csv::Error) -> Refused {
    Refused::Damaged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_values_is_told_from_the_first_lines() {
        for (text, delimiter) in [
            ("a,b,c\n1,2,3\n", b','),
            ("a;b;c\n1,5;2,5;3\n", b';'),
            ("a\tb\tc\n1;2\t3\t4\n", b'\t'),
            (
                "Green Lane Primary, Leeds\n\nUPN;Surname;Forename\nx;\"a,b,c,d,e\";y\n",
                b';',
            ),
            ("UPN,Address,Surname\nx,\"1;2;3\n4;5;6\",y\n", b','),
            ("alone\n", b'\t'),
        ] {
            assert_eq!(
                char::from(likeliest(text)),
                char::from(delimiter),
                "{text:?}"
            );
        }
        assert_eq!(named("sep=;\na;b\n"), Some(b';'));
        assert_eq!(named("\"sep=\t\"\na\tb\n"), Some(b'\t'));
        assert_eq!(named("sep=|\na|b\n"), None);
    }
}
