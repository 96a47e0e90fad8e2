//! A roster in the files that schools' systems write: a table of values, a workbook, a Common Transfer File.

use std::io::{self, Write};

use domain::{
    demo::pupils::{
        AUTHORITY, School,
        roster::{NoRoster, Row, Wanted, Way, columns, rows},
    },
    pupil::field::Field,
};
use encoding_rs::WINDOWS_1252;
use inspect::roster::{Encoding, Format};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};
use rust_xlsxwriter::{ExcelDateTime, Format as Style, Workbook, XlsxError};
use time::Date;

/// How a roster is written.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// In which kind of file.
    pub format: Format,
    /// The characters of a table of values.
    pub encoding: Encoding,
    /// Whether that begins with the mark of its byte order.
    pub marked: bool,
    /// What stands between its values.
    pub delimiter: u8,
}

/// Why a roster was not written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    /// What was asked for cannot be.
    #[error("{0}")]
    NoRoster(#[from] NoRoster),
    /// The disk, or who reads.
    #[error("{0}.")]
    Disk(#[from] io::Error),
    /// The workbook.
    #[error("{0}.")]
    Workbook(#[from] XlsxError),
}

impl From<csv::Error> for Unwritten {
    fn from(error: csv::Error) -> Self {
        Self::Disk(error.into())
    }
}

/// Writes a roster, and into `faults` which line has which fault in which field. Of a table of values no more than a line is held.
pub fn write(
    wanted: Wanted,
    how: How,
    to: impl Write,
    faults: impl Write,
) -> Result<(), Unwritten> {
    let mut faults = csv::Writer::from_writer(faults);
    faults.write_record(["line", "field", "fault"])?;
    let first = match how.format {
        Format::Csv | Format::Xlsx => 2,
        Format::Ctf => TRANSFER_HEAD + 1,
    };
    let mut unlisted = Ok(());
    let rows = rows(wanted)?.zip(first..).map(|(row, line): (Row, u64)| {
        if let Some(slip) = row.slip {
            let told = [&line.to_string(), slip.field().code(), slip.code()];
            let listed = faults.write_record(told);
            if unlisted.is_ok() {
                unlisted = listed;
            }
        }
        row
    });
    match how.format {
        Format::Csv => values(wanted, how, rows, to),
        Format::Xlsx => workbook(wanted, rows, to),
        Format::Ctf => transfer(wanted, rows, to),
    }?;
    unlisted?;
    Ok(faults.flush()?)
}

/// A table of values (RFC 4180).
fn values(
    wanted: Wanted,
    how: How,
    rows: impl Iterator<Item = Row>,
    mut to: impl Write,
) -> Result<(), Unwritten> {
    if how.marked {
        to.write_all(&encoded("\u{feff}", how.encoding)?)?;
    }
    let columns = columns(wanted.sensitive);
    let header = columns.iter().map(|(_, name)| (*name).to_owned()).collect();
    let lines = rows.map(|row| cells(&row, &columns));
    for cells in std::iter::once(header).chain(lines) {
        let cells: Vec<String> = cells;
        let mut line = csv::WriterBuilder::new()
            .delimiter(how.delimiter)
            .terminator(csv::Terminator::CRLF)
            .buffer_capacity(1024)
            .from_writer(Vec::new());
        line.write_record(&cells)?;
        let line = line.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let line =
            String::from_utf8(line).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        to.write_all(&encoded(&line, how.encoding)?)?;
    }
    Ok(to.flush()?)
}

fn cells(row: &Row, columns: &[(Field, &str)]) -> Vec<String> {
    let cells = columns.iter();
    cells
        .map(|(field, _)| row.said(*field, Way::Table))
        .collect()
}

fn encoded(text: &str, encoding: Encoding) -> io::Result<Vec<u8>> {
    match encoding {
        Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
        Encoding::Utf16Le => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        Encoding::Utf16Be => Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        Encoding::Windows1252 => {
            let text: String = text.chars().map(western).collect();
            let (bytes, _, lost) = WINDOWS_1252.encode(&text);
            if lost {
                return Err(io::Error::other(
                    "a name has a letter that windows-1252 has not",
                ));
            }
            Ok(bytes.into_owned())
        }
    }
}

/// The letters of Polish and Turkish that Windows has no place for in this country, as systems write them that were made here.
fn western(c: char) -> char {
    match c {
        'ı' => 'i',
        'ł' => 'l',
        'ń' => 'n',
        'ś' => 's',
        _ => c,
    }
}

/// A workbook with dates that are dates; whatever is wrong is text.
fn workbook(
    wanted: Wanted,
    rows: impl Iterator<Item = Row>,
    mut to: impl Write,
) -> Result<(), Unwritten> {
    let columns = columns(wanted.sensitive);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let (bold, dates) = (
        Style::new().set_bold(),
        Style::new().set_num_format("dd/mm/yyyy"),
    );
    for ((_, name), column) in columns.iter().zip(0..) {
        sheet.write_string_with_format(0, column, *name, &bold)?;
    }
    for (row, line) in rows.zip(1..) {
        for ((field, _), column) in columns.iter().zip(0..) {
            if *field == Field::Born && row.is_right(*field) {
                sheet.write_datetime_with_format(line, column, day(row.pupil.born)?, &dates)?;
            } else {
                sheet.write_string(line, column, row.said(*field, Way::Table))?;
            }
        }
    }
    to.write_all(&book.save_to_buffer()?)?;
    Ok(to.flush()?)
}

fn day(day: Date) -> Result<ExcelDateTime, XlsxError> {
    let year = u16::try_from(day.year()).unwrap_or_default();
    ExcelDateTime::from_ymd(year, u8::from(day.month()), day.day())
}

/// The lines before the first pupil, who each have one.
const TRANSFER_HEAD: u64 = 4;

/// What a Common Transfer File (Department for Education, *Common transfer file: specification*) tells of these pupils.
fn transfer(
    wanted: Wanted,
    rows: impl Iterator<Item = Row>,
    to: impl Write,
) -> Result<(), Unwritten> {
    let mut xml = Writer::new(to);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.get_mut().write_all(b"\n<CTfile>\n")?;
    transfer_header(&mut xml, wanted.school, wanted.today)?;
    xml.get_mut().write_all(b"\n<CTFpupilData>\n")?;
    for row in rows {
        transfer_pupil(&mut xml, &row, wanted.sensitive)?;
        xml.get_mut().write_all(b"\n")?;
    }
    xml.get_mut().write_all(b"</CTFpupilData>\n</CTfile>\n")?;
    Ok(xml.get_mut().flush()?)
}

fn transfer_header(xml: &mut Writer<impl Write>, school: &School, today: Date) -> io::Result<()> {
    let made = format!("{}T12:00:00", domain::day::field(today));
    inside(xml, "Header", |xml| {
        element(xml, "DocumentName", "Common Transfer File")?;
        element(xml, "DateTime", &made)?;
        inside(xml, "SourceSchool", |xml| {
            element(xml, "LEA", AUTHORITY)?;
            element(xml, "Estab", &format!("{:04}", school.establishment))?;
            element(xml, "SchoolName", school.name)
        })
    })
}

fn transfer_pupil(xml: &mut Writer<impl Write>, row: &Row, sensitive: bool) -> io::Result<()> {
    let said = |field| row.said(field, Way::Transfer);
    inside(xml, "Pupil", |xml| {
        element(xml, "UPN", &said(Field::Upn))?;
        element(xml, "Surname", &said(Field::LastName))?;
        element(xml, "Forename", &said(Field::FirstName))?;
        element(xml, "DOB", &said(Field::Born))?;
        element(xml, "Sex", &said(Field::Sex))?;
        inside(xml, "BasicDetails", |xml| {
            if sensitive {
                element(xml, "PreferredForename", &said(Field::PreferredName))?;
                element(xml, "Ethnicity", &said(Field::Ethnicity))?;
                inside(xml, "Languages", |xml| {
                    inside(xml, "Type", |xml| {
                        element(xml, "LanguageType", "H")?;
                        element(xml, "Language", &said(Field::HomeLanguage))
                    })
                })?;
            }
            element(xml, "NCyearActual", &said(Field::YearGroup))
        })?;
        if !sensitive {
            return Ok(());
        }
        inside(xml, "LookedAfter", |xml| {
            let looked_after = said(Field::LookedAfter) == "Y";
            element(xml, "InCare", if looked_after { "true" } else { "false" })
        })?;
        let since = domain::day::field(row.pupil.born);
        inside(xml, "SENhistory", |xml| {
            inside(xml, "SEN", |xml| {
                element(xml, "StartDate", &since)?;
                element(xml, "SENprovision", &said(Field::Sen))
            })
        })?;
        // Who never had any has no history of meals.
        if said(Field::Fsm) == "Y" {
            inside(xml, "FSMhistory", |xml| {
                inside(xml, "FSMinstance", |xml| {
                    element(xml, "FSMstartDate", &since)
                })
            })?;
        }
        Ok(())
    })
}

fn inside<W: Write>(
    xml: &mut Writer<W>,
    name: &str,
    content: impl FnOnce(&mut Writer<W>) -> io::Result<()>,
) -> io::Result<()> {
    xml.create_element(name).write_inner_content(content)?;
    Ok(())
}

fn element(xml: &mut Writer<impl Write>, name: &str, text: &str) -> io::Result<()> {
    xml.create_element(name)
        .write_text_content(BytesText::new(text))?;
    Ok(())
}
