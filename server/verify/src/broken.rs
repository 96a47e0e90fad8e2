//! Where a log is broken, and how, in one sentence that somebody can act on who has never seen a hash.

use crate::{Source, grouped};

/// The first line that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .why.sentence(*.seq))]
pub struct Break {
    /// Its place in the log; where a line is missing, the place where it should be.
    pub seq: i64,
    /// What is wrong there.
    pub why: Why,
}

/// What is wrong with a line, or with what stands beside the log to vouch for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The line does not give the hash that stands beside it.
    Edited,
    /// A field is not as the database writes it.
    Misshapen(&'static str),
    /// The line is whole, and follows another one than the one before it.
    DoesNotFollow,
    /// The line is not there; the number is that of the next one, where there is one.
    Missing(Option<i64>),
    /// There is a second line of the same number.
    Doubled,
    /// The line stands after one with a higher number.
    OutOfOrder(i64),
    /// The line belongs to another school.
    ForeignTenant,
    /// The log leads to another hash than was signed or handed out; it last agreed at the line of this number.
    Otherwise(Source, i64),
    /// The log ends before what was signed or handed out.
    Shorter(Source, i64),
    /// The lines are whole, and the database's own note of where the log ends has another hash.
    HeadDiffers,
    /// There are lines after the one that the database notes as the last.
    BeyondHead,
    /// There are lines of a school that the database does not know.
    UnknownTenant,
    /// The signature of a checkpoint is not the key's.
    SignatureBad,
    /// A checkpoint, or a file, names another key than the one it is checked with.
    OtherKey,
    /// A checkpoint is of another school.
    ForeignCheckpoint,
    /// A checkpoint stands before one of a lower number, or beside another line than its own.
    CheckpointOutOfOrder,
    /// A file begins elsewhere than the one before it ends, at the line of this number.
    FilesDoNotFollow(i64),
    /// A file carries no checkpoint at its last line.
    Unsigned,
    /// A file is not as it was signed, though its rows are.
    FileChanged,
    /// A file says that it holds another number of lines.
    Count(u64),
}

impl Why {
    fn sentence(&self, seq: i64) -> String {
        let row = grouped(seq);
        match self {
            Self::Edited => format!(
                "Row {row} was edited: what it says does not give the hash that stands beside it."
            ),
            Self::Misshapen(field) => {
                format!("Row {row} was edited: its field {field} is not as the database writes it.")
            }
            Self::DoesNotFollow => format!(
                "Row {row} does not follow the row before it: it carries the hash of another one."
            ),
            Self::Missing(Some(next)) => format!(
                "Row {row} is missing: row {} comes in its place.",
                grouped(*next)
            ),
            Self::Missing(None) => {
                format!("Row {row} is missing: the log ends before it, and did not.")
            }
            Self::Doubled => format!("Row {row} is there twice."),
            Self::OutOfOrder(after) => format!(
                "Row {row} is out of order: it comes after row {}.",
                grouped(*after)
            ),
            Self::ForeignTenant => format!("Row {row} is of another school."),
            Self::Otherwise(source, 0) => {
                format!(
                    "Row {row} is not the one that {source}: it, or a row before it, was rewritten together with every hash after it."
                )
            }
            Self::Otherwise(source, since) => format!(
                "Row {row} is not the one that {source}: a row from {} to {row} was rewritten together with every hash after it.",
                grouped(since.saturating_add(1))
            ),
            Self::Shorter(Source::Kept, last) => format!(
                "The log was cut, or the file is older than what you kept: it ends at row {}, and row {row} is one that {}.",
                grouped(*last),
                Source::Kept
            ),
            Self::Shorter(source, last) => {
                format!(
                    "The log was cut: it ends at row {}, and row {row} is one that {source}.",
                    grouped(*last)
                )
            }
            Self::HeadDiffers => format!(
                "Row {row} is not the end that the database noted: the log, or the note, was rewritten."
            ),
            Self::BeyondHead => {
                format!("Row {row} was added: the database noted the row before it as the last.")
            }
            Self::UnknownTenant => {
                format!("Row {row} is of a school that the database does not know.")
            }
            Self::SignatureBad => format!(
                "The checkpoint at row {row} was not signed with this key, or was changed afterwards."
            ),
            Self::OtherKey => format!(
                "The file, or the checkpoint at row {row}, names another key than the one it is checked with."
            ),
            Self::ForeignCheckpoint => format!("The checkpoint at row {row} is of another school."),
            Self::CheckpointOutOfOrder => {
                format!("The checkpoint at row {row} stands out of order.")
            }
            Self::FilesDoNotFollow(last) => {
                format!(
                    "The files do not follow each other: one ends at row {}, and the next does not begin there but at row {row}.",
                    grouped(*last)
                )
            }
            Self::Unsigned => {
                format!(
                    "The file is not signed at row {row}, at which it ends: the log was found broken when it was exported, or the signature was taken out."
                )
            }
            Self::FileChanged => {
                format!("The file that ends at row {row} was changed after it was signed.")
            }
            Self::Count(said) => format!(
                "The file ends at row {row} and does not hold the {} rows it says it does.",
                grouped(*said)
            ),
        }
    }
}
