//! Dates of birth as rosters write them, in one column in one way and in the next school in another.

use thiserror::Error;
use time::{Date, Duration, Month, macros::date};

use crate::pupil::code::{Read, shown};

/// Years that somebody may mean. What a school then thinks of the year is for the rule of its field.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

/// Day 0 of a spreadsheet that counts from 1900 and takes that for a leap year: right from 1 March 1900 on.
const SPREADSHEET_EPOCH: Date = date!(1899 - 12 - 30);
/// Day numbers that a spreadsheet may have left in a column of dates: 1954 to 2064.
const SPREADSHEET_DAYS: std::ops::RangeInclusive<i64> = 20_000..=60_000;

/// Why a cell is no date, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DateFault {
    /// Nothing in it.
    #[error("There is no date of birth: add it, as 2016-05-09 or 9 May 2016.")]
    Missing,
    /// In no form that is read.
    #[error("“{0}” is not read as a date: write 2016-05-09 or 9 May 2016.")]
    Unreadable(String),
    /// A day that the month does not have.
    #[error("{day} {month} {year} does not exist: {month} {year} has {} days, so check the day.", month.length(*year))]
    NoSuchDay {
        /// As written.
        day: u8,
        /// As written.
        month: Month,
        /// As written, or as read from two digits.
        year: i32,
    },
    /// A thirteenth month or later, where the other number would be one. The date with both the other way round.
    #[error("There is no month {month}: did you mean day and month the other way round, {}?", words(*meant))]
    OtherWayRound {
        /// As written.
        month: u32,
        /// The date with day and month changed over.
        meant: Date,
    },
    /// No month, either way round.
    #[error("There is no month {0}: check the date.")]
    NoSuchMonth(u32),
    /// The number under which a spreadsheet keeps a day.
    #[error("“{number}” is a spreadsheet’s number for {}: show the column as dates and save it again.", words(*meant))]
    SpreadsheetDay {
        /// As written.
        number: i64,
        /// The day of that number.
        meant: Date,
    },
}

impl DateFault {
    /// What would stand there if the likely slip were put right, as a date field sends it.
    pub fn repair(&self) -> Option<String> {
        match self {
            Self::OtherWayRound { meant, .. } | Self::SpreadsheetDay { meant, .. } => {
                Some(field(*meant))
            }
            _ => None,
        }
    }
}

/// Reads a date: 2016-05-09 with or without a time of day, 20160509, 09/05/2016, 9.5.16, 9 May 2016, 09-May-2016, May 9 2016.
///
/// Where both are numbers the day stands first, or the month where `day_first` is false: one column has one way, so a date is
/// never turned round for fitting only the other. A year of two digits is the latest that has begun by `today`, with a note.
pub fn read(cell: &str, today: Date, day_first: bool) -> Result<Read<Date>, DateFault> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Err(DateFault::Missing);
    }
    let unreadable = || DateFault::Unreadable(shown(cell));
    let day = without_time(cell);
    if day.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits(day, unreadable());
    }
    let parts: Vec<&str> = day
        .split(|c: char| matches!(c, '-' | '/' | '.' | ',') || c.is_whitespace())
        .filter(|part| !part.is_empty())
        .collect();
    let [first, second, third] = parts[..] else {
        return Err(unreadable());
    };
    let (day, month, year) = if first.len() == 4 && number(first).is_some() {
        (third, second, first)
    } else if named(first).is_some() || (!day_first && named(second).is_none()) {
        (second, first, third)
    } else {
        (first, second, third)
    };
    let read = year_of(year, today).ok_or_else(unreadable)?;
    let day = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|ending| day.strip_suffix(ending))
        .unwrap_or(day);
    let day = number(day)
        .filter(|_| day.len() <= 2)
        .ok_or_else(unreadable)?;
    let month = match named(month) {
        Some(month) => u32::from(u8::from(month)),
        None => number(month)
            .filter(|_| month.len() <= 2)
            .ok_or_else(unreadable)?,
    };
    Ok(Read {
        value: calendar(read.value, month, day)?,
        note: read.note,
    })
}

/// Whether the day stands first in a column of dates, as far as they tell: one of them has a number above 12 in the first or
/// the second place. None where nothing tells, and where they contradict one another.
pub fn day_first<'a>(cells: impl IntoIterator<Item = &'a str>) -> Option<bool> {
    let (mut first, mut second) = (false, false);
    for cell in cells {
        let mut parts = without_time(cell.trim()).split(['/', '.', '-']);
        let (Some(one), Some(two), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        if one.len() <= 2 && two.len() <= 2 {
            first |= number(one).is_some_and(|one| one > 12);
            second |= number(two).is_some_and(|two| two > 12);
        }
    }
    (first != second).then_some(first)
}

/// 2016-05-09, the value of a browser's date field.
pub(super) fn field(day: Date) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        day.year(),
        u8::from(day.month()),
        day.day()
    )
}

/// "9 May 2016".
fn words(day: Date) -> String {
    format!("{} {} {}", day.day(), day.month(), day.year())
}

/// Without the time of day that databases put behind a date.
fn without_time(cell: &str) -> &str {
    match cell.split_once(['T', ' ']) {
        Some((day, time))
            if time.contains(':') && time.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            day
        }
        _ => cell,
    }
}

/// Eight digits are a date, year first; five may be a spreadsheet's number of a day.
fn digits(digits: &str, unreadable: DateFault) -> Result<Read<Date>, DateFault> {
    if digits.len() == 8 {
        let parts = (digits.get(..4), digits.get(4..6), digits.get(6..));
        if let (Some(year), Some(month), Some(day)) = parts
            && let (Ok(year), Some(month), Some(day)) = (year.parse(), number(month), number(day))
            && YEARS.contains(&year)
        {
            return calendar(year, month, day).map(Read::plain);
        }
    }
    let counted: Option<i64> = digits.parse().ok();
    match counted.filter(|days| SPREADSHEET_DAYS.contains(days)) {
        Some(number) => Err(DateFault::SpreadsheetDay {
            number,
            meant: SPREADSHEET_EPOCH.saturating_add(Duration::days(number)),
        }),
        None => Err(unreadable),
    }
}

fn year_of(written: &str, today: Date) -> Option<Read<i32>> {
    let year = i32::try_from(number(written)?).ok()?;
    match written.len() {
        4 if YEARS.contains(&year) => Some(Read::plain(year)),
        2 => {
            let read = today.year() - (today.year() - year).rem_euclid(100);
            Some(Read::noted(
                read,
                format!("The year “{written}” is read as {read}: check it."),
            ))
        }
        _ => None,
    }
}

fn calendar(year: i32, month: u32, day: u32) -> Result<Date, DateFault> {
    let made = |month: u32, day: u32| {
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
    };
    if let Some(date) = made(month, day) {
        return Ok(date);
    }
    let named = u8::try_from(month)
        .ok()
        .and_then(|month| Month::try_from(month).ok());
    match (named, made(day, month)) {
        (Some(month), _) => Err(DateFault::NoSuchDay {
            day: u8::try_from(day).unwrap_or(u8::MAX),
            month,
            year,
        }),
        (None, Some(meant)) => Err(DateFault::OtherWayRound { month, meant }),
        (None, None) => Err(DateFault::NoSuchMonth(month)),
    }
}

/// A number of one to four ASCII digits.
fn number(part: &str) -> Option<u32> {
    let good = part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    part.parse().ok().filter(|_| good)
}

/// The month of a name, or of its first three letters or more.
fn named(part: &str) -> Option<Month> {
    let part = part.to_lowercase();
    (1..=12)
        .filter_map(|month| Month::try_from(month).ok())
        .find(|month| {
            part.len() >= 3
                && (month.to_string().to_lowercase().starts_with(&part)
                    || (part == "sept" && *month == Month::September))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = date!(2026 - 11 - 22);

    #[test]
    fn one_birthday_is_read_in_every_form_that_rosters_write() {
        for (cell, noted) in [
            ("2016-05-09", false),
            (" 2016-05-09T00:00:00 ", false),
            ("2016-05-09 00:00:00.000", false),
            ("2016-05-09T00:00:00Z", false),
            ("2016/05/09", false),
            ("20160509", false),
            ("09/05/2016", false),
            ("09/05/2016 00:00", false),
            ("9.5.2016", false),
            ("09-05-2016", false),
            ("9 May 2016", false),
            ("9th May, 2016", false),
            ("09-May-2016", false),
            ("09-MAY-16", true),
            ("May 9, 2016", false),
            ("9/5/16", true),
            ("9.5.16", true),
        ] {
            let read = read(cell, TODAY, true).unwrap_or_else(|fault| panic!("{cell}: {fault}"));
            assert_eq!(read.value, date!(2016 - 05 - 09), "{cell}");
            assert_eq!(read.note.is_some(), noted, "{cell}");
        }
        let leap = read("29 February 2016", TODAY, true).unwrap();
        assert_eq!(leap.value, date!(2016 - 02 - 29));
        assert_eq!(
            read("1 Sept 2015", TODAY, true).unwrap().value,
            date!(2015 - 09 - 01)
        );
    }

    #[test]
    fn a_column_with_the_month_first_is_read_so_and_a_named_month_either_way() {
        for cell in ["05/09/2016", "9 May 2016", "2016-05-09", "May 9 2016"] {
            assert_eq!(
                read(cell, TODAY, false).unwrap().value,
                date!(2016 - 05 - 09),
                "{cell}"
            );
        }
        assert_eq!(
            read("05/09/2016", TODAY, true).unwrap().value,
            date!(2016 - 09 - 05)
        );
    }

    #[test]
    fn a_year_of_two_digits_is_the_latest_that_has_begun() {
        for (cell, year) in [
            ("1/1/26", 2026),
            ("1/1/27", 1927),
            ("1/1/08", 2008),
            ("1/1/99", 1999),
        ] {
            let read = read(cell, TODAY, true).unwrap();
            assert_eq!(read.value.year(), year, "{cell}");
            assert!(read.note.unwrap().contains(&year.to_string()), "{cell}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_named() {
        for (cell, words) in [
            (
                "31/02/2016",
                "31 February 2016 does not exist: February 2016 has 29 days",
            ),
            (
                "29/02/2015",
                "29 February 2015 does not exist: February 2015 has 28 days",
            ),
            ("31 April 2016", "31 April 2016 does not exist"),
            ("2016-06-31", "31 June 2016 does not exist"),
            ("20160230", "30 February 2016 does not exist"),
            ("0/5/2016", "0 May 2016 does not exist"),
        ] {
            let fault = read(cell, TODAY, true).unwrap_err();
            assert!(fault.to_string().contains(words), "{cell}: {fault}");
            assert_eq!(fault.repair(), None, "{cell}");
        }
    }

    #[test]
    fn day_and_month_the_other_way_round_are_asked_about_and_not_turned() {
        let fault = read("05/13/2016", TODAY, true).unwrap_err();
        assert!(
            fault
                .to_string()
                .contains("the other way round, 13 May 2016?"),
            "{fault}"
        );
        assert_eq!(fault.repair().as_deref(), Some("2016-05-13"));
        let fault = read("13/05/2016", TODAY, false).unwrap_err();
        assert_eq!(fault.repair().as_deref(), Some("2016-05-13"));
        assert_eq!(
            read("13/13/2016", TODAY, true),
            Err(DateFault::NoSuchMonth(13))
        );
        assert_eq!(
            read("1/0/2016", TODAY, true),
            Err(DateFault::NoSuchMonth(0))
        );
    }

    #[test]
    fn the_number_of_a_day_is_explained() {
        let fault = read("42499", TODAY, true).unwrap_err();
        assert!(fault.to_string().contains("9 May 2016"), "{fault}");
        assert_eq!(fault.repair().as_deref(), Some("2016-05-09"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        assert_eq!(read("  ", TODAY, true), Err(DateFault::Missing));
        for cell in [
            "unknown",
            "2016",
            "5/2016",
            "9/5/216",
            "9 Mai 2016",
            "09052016",
            "9/5/1816",
            "=TODAY()",
            "1/2/3/2016",
            "٩/5/2016",
            "009/05/2016",
            "9/5/-16/1",
            "123456789",
        ] {
            assert_eq!(
                read(cell, TODAY, true),
                Err(DateFault::Unreadable(cell.to_owned())),
                "{cell}"
            );
        }
    }

    #[test]
    fn a_column_tells_its_way_by_one_day_above_twelve() {
        assert_eq!(day_first(["01/02/2016", "", "13/02/2016"]), Some(true));
        assert_eq!(day_first(["01/02/2016", "02/13/2016"]), Some(false));
        assert_eq!(day_first(["01/02/2016", "2016-02-13", "9 May 2016"]), None);
        assert_eq!(day_first(["13/02/2016", "02/13/2016"]), None);
    }
}
