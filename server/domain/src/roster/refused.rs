//! Why a file is not read as a roster: what the child says that reads it (see the crate `inspect`).

use serde::{Deserialize, Serialize};

use crate::file::Fault;

/// Why no table came of a file, or why it ended early: each with one sentence that a school's office can act on. It carries a
/// line's number at most, never words out of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// Nothing in it, or nothing but empty cells.
    #[error("This file is empty. Check that it was saved, and choose it again.")]
    Empty,
    /// Larger than any roster is.
    #[error(
        "This file is larger than 50 MB. Export the details of pupils alone, or save it in parts, and choose those."
    )]
    TooLarge,
    /// No line names at least three columns.
    #[error(
        "No line with the names of the columns was found. Put the names of at least three columns, such as UPN, Surname and Forename, in one line above the pupils (in a workbook, on its first sheet), and choose the file again."
    )]
    NoHeader,
    /// A trust of fifty large schools has fewer.
    #[error(
        "This file has more than 100,000 rows. Save it in parts, and choose those one after the other."
    )]
    ManyRows,
    /// No export of pupils has so many.
    #[error(
        "This file has more than 200 columns. Delete those that are not needed, and choose it again."
    )]
    ManyColumns,
    /// A cell is longer than any that is read, in this line.
    #[error(
        "A cell in line {0} has more than 2,000 characters. Shorten it, or close the quotation mark that is open there, and choose the file again."
    )]
    LongCell(u64),
    /// The row that begins in this line swallows all that follows.
    #[error(
        "In line {0} a quotation mark is opened and never closed. Close it or delete it, and choose the file again."
    )]
    OpenQuote(u64),
    /// A PDF.
    #[error(
        "This is a PDF, not a table. Export the roster as an Excel workbook (.xlsx) or as CSV, and choose that."
    )]
    Pdf,
    /// A picture.
    #[error(
        "This is a picture, not a table. Export the roster as an Excel workbook (.xlsx) or as CSV, and choose that."
    )]
    Picture,
    /// Office as it was until 2003, such as `.xls`.
    #[error(
        "This file is of an old version of Excel. Open it, save it as an Excel workbook (.xlsx) or as CSV, and choose that."
    )]
    OldOffice,
    /// A spreadsheet of LibreOffice, or another of its documents.
    #[error(
        "This is a file of LibreOffice. Open it, save the table as an Excel workbook (.xlsx) or as CSV, and choose that."
    )]
    OpenDocument,
    /// A page of the web, as some systems save what they call `.xls`.
    #[error(
        "This is a web page, whatever its name says. Open it in Excel, save it as an Excel workbook (.xlsx), and choose that."
    )]
    WebPage,
    /// Something else.
    #[error(
        "This file is not a table. Export the roster as an Excel workbook (.xlsx), as CSV or as a Common Transfer File, and choose that."
    )]
    NotTable,
    /// A program for some computer.
    #[error(
        "This file is a program, not a table. Delete it if you do not know where it came from."
    )]
    Program,
    /// Not to be opened without a password.
    #[error("This workbook is protected by a password. Save it without one and choose it again.")]
    Locked,
    /// Office macros.
    #[error(
        "This workbook has macros in it. Save it as an Excel workbook without macros (.xlsx), and choose that."
    )]
    Macros,
    /// It fetches values from elsewhere when it is opened.
    #[error(
        "This workbook fetches values from elsewhere when it is opened. Save it as CSV, and choose that."
    )]
    Outside,
    /// Another file is hidden in it.
    #[error("This workbook has another file inside it. Save it as CSV, and choose that.")]
    Inside,
    /// Packed as only a trap is, or in more or larger parts than are looked through.
    #[error(
        "This workbook is packed in a way that is not read. Open it in Excel, save it as CSV, and choose that."
    )]
    Packed,
    /// Markup with definitions of its own, which no transfer file has.
    #[error(
        "This file has a document type definition in it, which no Common Transfer File has. Export it again, and choose that."
    )]
    Definition,
    /// Markup, and not a Common Transfer File.
    #[error(
        "This is an XML file, but not a Common Transfer File. Export the roster as CSV or as an Excel workbook (.xlsx), and choose that."
    )]
    NotCtf,
    /// Its characters are in none of the encodings that are read.
    #[error(
        "The characters of this file are written in a way that is not read. Save it as UTF-8, and choose it again."
    )]
    Encoding,
    /// It breaks off, or is not made as files of its kind are; or reading it broke.
    #[error(
        "This file is damaged or breaks off before its end. Export it again, and choose the new file."
    )]
    Damaged,
    /// Reading it went on and on.
    #[error(
        "This file takes too long to read. Export the details of pupils alone, or save it as CSV, and choose that."
    )]
    Slow,
    /// Reading it took more memory than there is for one file.
    #[error("This file needs too much memory to read. Save it as CSV, and choose that.")]
    Memory,
    /// Ours: the same file may well be read in a moment.
    #[error("Files cannot be read just now. Try again in a few minutes.")]
    Unchecked,
}

impl Refused {
    /// Whether the same file may well be read in a moment.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Unchecked)
    }
}

/// What looking at a workbook refuses, to whoever chose it as a roster.
impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Empty => Self::Empty,
            Fault::TooLarge => Self::TooLarge,
            Fault::OldOffice => Self::OldOffice,
            Fault::Program | Fault::Virus => Self::Program,
            Fault::Damaged => Self::Damaged,
            Fault::Unpacks | Fault::ManyEntries | Fault::Ratio => Self::Packed,
            Fault::Macros | Fault::Script => Self::Macros,
            Fault::Outside => Self::Outside,
            Fault::Inside => Self::Inside,
            Fault::Locked => Self::Locked,
            Fault::Slow => Self::Slow,
            Fault::Memory => Self::Memory,
            Fault::Unchecked => Self::Unchecked,
            Fault::UnknownType
            | Fault::Name
            | Fault::Mismatch(_)
            | Fault::NoPages
            | Fault::ManyPages(_)
            | Fault::Pixels => Self::NotTable,
        }
    }
}
