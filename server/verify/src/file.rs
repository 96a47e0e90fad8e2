//! The files: JSON lines, each naming what it is. An export is a header, the rows with every checkpoint right behind the row
//! that it signs, one signed anew behind the last, and a closing line with the count and a signature of all bytes before it.
//! A checkpoint file is checkpoints alone.

use crate::{Break, Checkpoint, Hash, Id, Line, Point, PublicKey, Signature, Signer};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::{self, BufRead};

/// What the header of an export calls it.
pub const FORMAT: &str = "quorate-log";
/// The version of the format.
pub const VERSION: u32 = 1;
/// Longest line, in bytes. One of the log has a few hundred; PostgreSQL could hold more, and nothing writes it.
pub const LINE_MOST: usize = 16 << 20;
/// Most checkpoints of one school that are kept in mind: 38 years of one every five minutes.
const CHECKPOINTS_MOST: usize = 4_000_000;

/// One line of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
#[allow(clippy::large_enum_variant, reason = "one is read at a time")]
pub enum Record<'a> {
    /// What the export is; its first line.
    Header(Header),
    /// A row of the log.
    #[serde(borrow)]
    Event(Line<'a>),
    /// A row of the log that whoever exported may not read.
    Withheld(Withheld),
    /// Where the log stood.
    Checkpoint(Checkpoint),
    /// The last line of an export.
    End(End),
}

/// A row that stands in the chain and does not say what it holds: what happened in a folder that whoever exported does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// Whose log.
    pub tenant: Id,
    /// Its place.
    pub seq: i64,
    /// The hash of the row before it.
    pub prev: Hash,
    /// Its own, which covers that and what it holds.
    pub hash: Hash,
}

/// What an export is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// Whose log.
    pub tenant: Id,
    /// What the tenant was called.
    pub name: String,
    /// When it was made, in microseconds since 1970 (UTC).
    pub made: i64,
    /// From where; none for the beginning.
    pub from: Option<Bound>,
    /// Up to where; none for all there was.
    pub to: Option<Bound>,
    /// What the checkpoints are checked with.
    pub key: PublicKey,
    /// The row before the first.
    pub after: Point,
}

/// The end of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Bound {
    /// A row, which belongs to the period.
    Row(i64),
    /// Microseconds since 1970 (UTC): the first moment that belongs to the period, or the first after it.
    Moment(i64),
}

/// The last line of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// How many rows it holds.
    pub rows: u64,
    /// Of the SHA-256 of all lines before this one. None where the log was found broken while it was exported.
    pub signature: Option<Signature>,
}

/// Writes an export, line by line, to wherever its bytes go.
#[derive(Default)]
pub struct Writer {
    digest: Sha256,
    rows: u64,
}

impl Writer {
    /// The next line, with its line feed.
    pub fn line(&mut self, record: &Record<'_>) -> Vec<u8> {
        let mut line = Vec::with_capacity(768);
        // None of the types has a map or a number that JSON could not write.
        let _ = serde_json::to_writer(&mut line, record);
        line.push(b'\n');
        self.digest.update(&line);
        self.rows += u64::from(matches!(record, Record::Event(_) | Record::Withheld(_)));
        line
    }

    /// The closing line; `signer` where the log was found whole.
    pub fn end(mut self, signer: Option<&Signer>) -> Vec<u8> {
        let before = Hash::from_bytes(self.digest.clone().finalize().into());
        let end = End {
            rows: self.rows,
            signature: signer.map(|signer| signer.seal(&before)),
        };
        self.line(&Record::End(end))
    }
}

/// Why a file says nothing either way.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The system gave no more of it.
    #[error("{name} cannot be read: {error}.")]
    Io {
        /// The file.
        name: String,
        /// What the system said.
        error: io::Error,
    },
    /// A line is not one of these files.
    #[error("Line {line} of {name} is not a line of the log of Quorate: {reason}.")]
    Line {
        /// The file.
        name: String,
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing wrong in it, and its last line is not there.
    #[error(
        "{name} is not whole: it ends after line {line}, before its closing line. Export it again."
    )]
    CutOff {
        /// The file.
        name: String,
        /// The last line that there is.
        line: u64,
    },
    /// More than can be kept in mind.
    #[error("{name} holds more checkpoints than a school can have.")]
    TooMany {
        /// The file.
        name: String,
    },
}

/// The lines of a file, one at a time and none longer than [`LINE_MOST`].
pub struct Lines<R> {
    reader: R,
    name: String,
    line: Vec<u8>,
    count: u64,
    before: Sha256,
}

impl<R: BufRead> Lines<R> {
    /// Of a file that the messages call `name`.
    pub fn new(name: impl Into<String>, reader: R) -> Self {
        Self {
            reader,
            name: name.into(),
            line: Vec::new(),
            count: 0,
            before: Sha256::new(),
        }
    }

    /// The next record; none at the end.
    pub fn read(&mut self) -> Result<Option<Record<'_>>, Unreadable> {
        if !self.fill()? {
            return Ok(None);
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        match serde_json::from_slice(line) {
            Ok(record) => Ok(Some(record)),
            Err(error) => Err(Self::wrong(&self.name, self.count, &plain(&error))),
        }
    }

    /// Says what is wrong with the line that was read last.
    pub fn refuse(&self, reason: &str) -> Unreadable {
        Self::wrong(&self.name, self.count, reason)
    }

    /// The SHA-256 of all lines before the one that was read last.
    pub fn before(&self) -> Hash {
        Hash::from_bytes(self.before.clone().finalize().into())
    }

    /// How many lines were read.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// What the messages call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the line that was read last was written to its end.
    fn is_torn(&self) -> bool {
        !self.line.ends_with(b"\n")
    }

    fn wrong(name: &str, line: u64, reason: &str) -> Unreadable {
        Unreadable::Line {
            name: name.to_owned(),
            line,
            reason: reason.to_owned(),
        }
    }

    fn fill(&mut self) -> Result<bool, Unreadable> {
        self.before.update(&self.line);
        self.line.clear();
        loop {
            let piece = match self.reader.fill_buf() {
                Ok(piece) => piece,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Unreadable::Io {
                        name: self.name.clone(),
                        error,
                    });
                }
            };
            if piece.is_empty() {
                break;
            }
            let end = piece
                .iter()
                .position(|byte| *byte == b'\n')
                .map(|place| place + 1);
            let taken = end.unwrap_or(piece.len());
            if self.line.len() + taken > LINE_MOST {
                return Err(Self::wrong(
                    &self.name,
                    self.count + 1,
                    "it is longer than any",
                ));
            }
            self.line.extend_from_slice(&piece[..taken]);
            self.reader.consume(taken);
            if end.is_some() {
                break;
            }
        }
        if self.line.is_empty() {
            return Ok(false);
        }
        self.count += 1;
        Ok(true)
    }
}

/// What the reader of JSON says, without the place, which is told already, and without a full stop.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    crate::shown(text).trim_end_matches('.').to_owned()
}

/// The checkpoints of a checkpoint file, or of an export, one at a time. A last line that was cut while it was written is left
/// out.
pub struct Checkpoints<R> {
    lines: Lines<R>,
    ended: bool,
}

impl<R: BufRead> Checkpoints<R> {
    /// Of a file.
    pub const fn new(lines: Lines<R>) -> Self {
        Self {
            lines,
            ended: false,
        }
    }
}

impl<R: BufRead> Iterator for Checkpoints<R> {
    type Item = Result<Checkpoint, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        // Somebody may go on writing the file: what is read after its end is the rest of a line.
        while !self.ended {
            let next = self.lines.read().map(|record| {
                record.map(|record| match record {
                    Record::Checkpoint(checkpoint) => Some(checkpoint),
                    _ => None,
                })
            });
            match next {
                Ok(Some(Some(checkpoint))) => return Some(Ok(checkpoint)),
                Ok(Some(None)) => {}
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    let torn = self.lines.is_torn() && self.lines.count() > 1;
                    if !(torn && matches!(error, Unreadable::Line { .. })) {
                        return Some(Err(error));
                    }
                }
            }
        }
        None
    }
}

/// All checkpoints of a file.
pub fn checkpoints_in<R: BufRead>(lines: Lines<R>) -> Result<Vec<Checkpoint>, Unreadable> {
    let name = lines.name().to_owned();
    let mut found = Vec::new();
    for checkpoint in Checkpoints::new(lines) {
        found.push(checkpoint?);
        if found.len() > CHECKPOINTS_MOST {
            return Err(Unreadable::TooMany { name });
        }
    }
    Ok(found)
}

impl From<Unreadable> for crate::Failure {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

impl From<Break> for crate::Failure {
    fn from(error: Break) -> Self {
        Self::Broken(error)
    }
}
