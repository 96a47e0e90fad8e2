//! A roster as a school's office exports it, read into rows: a table of values (CSV), a workbook of Excel, or a Common Transfer
//! File of the Department for Education. A stranger's file is read in the child; its rows come out one after another.

mod cell;
mod ctf;
mod decoded;
mod header;
mod out;
mod rows;
mod survey;
mod values;
mod workbook;

pub use domain::roster::refused::Refused;
pub use rows::{Rows, Table};

pub(crate) use survey::Survey;

use decoded::Decoded;
use out::Out;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use survey::Shape;

/// The largest file, in bytes.
pub const FILE_MOST: u64 = 50 * 1024 * 1024;
/// The most rows below the header: a trust of fifty large schools in one file.
pub const ROWS_MOST: u64 = 100_000;
/// The most columns.
pub const COLUMNS_MOST: usize = 200;
/// The most characters of one cell.
pub const CELL_MOST: usize = 2_000;

/// What the child is told instead of a kind of file.
pub(crate) const TOLD: &str = "roster";

/// What kind of file the rows stood in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Values apart by commas, semicolons or tabs.
    Csv,
    /// A workbook of Excel since 2007.
    Xlsx,
    /// A Common Transfer File (Department for Education).
    Ctf,
}

/// How the characters of a file of text are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// With or without its mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// What Excel saves as "Unicode text".
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// The same the other way round.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// What Excel saves as "CSV" in this country.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// Which school a Common Transfer File says that it comes from. Empty where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The number of its local authority, three digits.
    pub la: String,
    /// Its establishment number, four digits.
    pub establishment: String,
    /// Its name.
    pub name: String,
}

/// What a table is, before its first row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// What kind of file it stood in.
    pub format: Format,
    /// How a file of text was written; none for a workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// What stood between the values of a CSV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// The names of the columns, up to the last that has one; one between may be empty.
    pub header: Vec<String>,
    /// The school that a Common Transfer File comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

impl Head {
    fn new(format: Format) -> Self {
        Self {
            format,
            encoding: None,
            delimiter: None,
            header: Vec::new(),
            source: None,
        }
    }
}

/// One row. Its words are a stranger's: text, never a formula and never markup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Where it begins in the file: the line, or the number beside it in the sheet, counted from one.
    pub line: u64,
    /// A cell for each column of the header at least. There are more where the row has more, which mostly tells of a comma that
    /// nobody put in quotation marks: what stands behind it is in the wrong column.
    pub cells: Vec<String>,
}

/// What the child writes, each as one line of JSON. Without [`Line::End`] it broke, however many rows there were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Table(Head),
    Row(Row),
    End { rows: u64 },
    Refused(Refused),
}

/// Reads a file that was surveyed, from its beginning, and writes what is in it. An error where nobody listens.
pub(crate) fn read(survey: &Survey, file: impl Read, to: impl Write) -> std::io::Result<()> {
    let mut out = Out::new(to);
    let read = contents(survey, file, &mut out).and_then(|()| out.finish());
    out.close(read)
}

fn contents(survey: &Survey, file: impl Read, out: &mut Out<impl Write>) -> Result<(), Refused> {
    match survey.shape()? {
        Shape::Values(encoding) => values::read(Decoded::new(file, encoding), encoding, out),
        Shape::Markup(encoding) => ctf::read(Decoded::new(file, encoding), encoding, out),
        Shape::Package => workbook::read(&whole(survey, file)?, out),
        Shape::OldOffice => Err(workbook::old(&whole(survey, file)?)),
    }
}

/// The list of a package's parts stands at its end, so it is held as a whole.
fn whole(survey: &Survey, file: impl Read) -> Result<Vec<u8>, Refused> {
    let mut content = Vec::new();
    content.reserve_exact(usize::try_from(survey.length.min(FILE_MOST)).unwrap_or_default() + 1);
    file.take(FILE_MOST)
        .read_to_end(&mut content)
        .map_err(|_| Refused::Unchecked)?;
    Ok(content)
}
