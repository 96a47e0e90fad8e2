//! A workbook of Excel: the first sheet that is shown and has something in it, by the values that Excel last worked out.

use super::{COLUMNS_MOST, Format, Head, Refused, out::Out};
use crate::{
    budget::Budget,
    magic::{self, contains, utf16},
    ooxml, zip,
};
use calamine::{DataRef, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use domain::file::Kind;
use std::io::{Cursor, Write};

/// The day after the last that Excel has, 31 December 9999.
const DAYS: f64 = 2_958_466.0;

/// Reads a package, once all its parts have been looked at as those of any other file.
pub fn read(file: &[u8], out: &mut Out<impl Write>) -> Result<(), Refused> {
    match magic::really(file) {
        Some(Kind::Odt | Kind::Ods | Kind::Odp) => return Err(Refused::OpenDocument),
        Some(Kind::Docx | Kind::Pptx) => return Err(Refused::NotTable),
        _ => {}
    }
    let parts = zip::parts(file, &mut Budget::default())?;
    let types = |part: &zip::Part| part.name.eq_ignore_ascii_case("[Content_Types].xml");
    if !parts.iter().any(types) {
        // Anything else that was packed, such as a folder.
        return Err(Refused::NotTable);
    }
    ooxml::embedded(file, &mut Budget::default())?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file)).map_err(broken)?;
    let shown = |sheet: &&calamine::Sheet| {
        sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet
    };
    let sheets: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(shown)
        .map(|sheet| sheet.name.clone())
        .collect();
    for name in sheets {
        sheet(&mut book, &name, out)?;
        if out.saw() {
            return Ok(());
        }
    }
    Err(Refused::Empty)
}

/// Why a file in the old format of Office is refused: it is what it was saved as, or Office's wrapping of a locked one
/// (MS-OFFCRYPTO 2.3.1).
pub fn old(file: &[u8]) -> Refused {
    if contains(file, &utf16("EncryptedPackage")) {
        Refused::Locked
    } else {
        Refused::OldOffice
    }
}

/// One sheet, from its cells, which stand in it row by row.
fn sheet(
    book: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
    out: &mut Out<impl Write>,
) -> Result<(), Refused> {
    let head = Head::new(Format::Xlsx);
    let mut reader = book.worksheet_cells_reader(name).map_err(broken)?;
    let (mut row, mut cells) = (0, Vec::new());
    while let Some(cell) = reader.next_cell().map_err(broken)? {
        let (at, column) = cell.get_position();
        if at < row {
            return Err(Refused::Damaged);
        }
        if at > row {
            out.line(&head, u64::from(row) + 1, &cells)?;
            cells.clear();
            row = at;
        }
        let text = text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= COLUMNS_MOST {
            return Err(Refused::ManyColumns);
        }
        if column >= cells.len() {
            cells.resize(column + 1, String::new());
        }
        cells[column] = text;
    }
    out.line(&head, u64::from(row) + 1, &cells)
}

/// A value as a person would write it. What a formula came to is a value, and an error is none.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(value) => number(*value),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(true) => "TRUE".to_owned(),
        DataRef::Bool(false) => "FALSE".to_owned(),
        DataRef::DateTime(moment) => date(*moment),
        DataRef::DateTimeIso(moment) => moment.trim_end_matches("T00:00:00").to_owned(),
        DataRef::DurationIso(duration) => duration.clone(),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

/// With the fifteen digits that Excel shows, and no point where there is nothing behind it.
fn number(value: f64) -> String {
    let shown = format!("{value:.14e}").parse().unwrap_or(value);
    // Also of nought with a sign.
    if shown == 0.0 {
        "0".to_owned()
    } else {
        format!("{shown}")
    }
}

/// A day (ISO 8601), with the time where there is one; a time alone; or the number, where it is a span or no day of Excel's.
fn date(moment: ExcelDateTime) -> String {
    let days = moment.as_f64();
    if moment.is_duration() || !(0.0..DAYS).contains(&days) {
        return number(days);
    }
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    if days < 1.0 {
        format!("{hour:02}:{minute:02}")
    } else if (hour, minute, second) == (0, 0, 0) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
    }
}

/// Where its parts are whole and it cannot be read all the same.
#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn broken(error: XlsxError) -> Refused {
    match error {
        XlsxError::Password => Refused::Locked,
        _ => Refused::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::ExcelDateTimeType::{DateTime, TimeDelta};

    #[test]
    fn a_number_is_written_as_excel_shows_it() {
        for (value, shown) in [
            (1234.0, "1234"),
            (-0.0, "0"),
            (2.3, "2.3"),
            (0.1 + 0.2, "0.3"),
            (9_007_199_254_740.5, "9007199254740.5"),
            (-7.25, "-7.25"),
            (44_790_123_456.0, "44790123456"),
        ] {
            assert_eq!(number(value), shown);
        }
    }

    #[test]
    fn a_day_is_the_same_in_both_calendars_of_excel() {
        // Excel for Windows counts from the end of 1899, and Excel for the Macintosh once counted from 1904.
        for (days, from_1904, day) in [
            (41_885.0, false, "2014-09-03"),
            (40_423.0, true, "2014-09-03"),
            (1.0, false, "1900-01-01"),
            (61.0, false, "1900-03-01"),
            (1.0, true, "1904-01-02"),
            (41_885.437_5, false, "2014-09-03 10:30"),
            (0.4375, false, "10:30"),
            (-1.0, false, "-1"),
            (2_958_465.0, false, "9999-12-31"),
            (2_958_466.0, false, "2958466"),
        ] {
            assert_eq!(date(ExcelDateTime::new(days, DateTime, from_1904)), day);
        }
        assert_eq!(date(ExcelDateTime::new(1.5, TimeDelta, false)), "1.5");
    }
}
