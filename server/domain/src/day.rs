//! The school's calendar day: which one it is, how people type it and how they read it. England has one clock, so all schools
//! share one day.

use time::{Date, Duration, Month, OffsetDateTime, UtcOffset, Weekday, macros::offset};

use crate::Refusal;

/// Years that somebody may mean: anything else was mistyped.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

const MONTHS: [Month; 12] = [
    Month::January,
    Month::February,
    Month::March,
    Month::April,
    Month::May,
    Month::June,
    Month::July,
    Month::August,
    Month::September,
    Month::October,
    Month::November,
    Month::December,
];

/// A moment as records carry it: RFC 3339 in UTC.
#[cfg(feature = "db")]
pub fn moment(at: OffsetDateTime) -> Result<String, Refusal> {
    at.format(&time::format_description::well_known::Rfc3339)
        .map_err(|_| Refusal::Broken)
}

/// A moment as records carry it. Refuses [`Refusal::Broken`] for what is none.
#[cfg(feature = "db")]
pub fn moment_of(text: &str) -> Result<OffsetDateTime, Refusal> {
    OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
        .map_err(|_| Refusal::Broken)
}

/// The day in England of a moment as records carry it. Refuses [`Refusal::Broken`] for what is none.
#[cfg(feature = "db")]
pub fn of(moment: &str) -> Result<Date, Refusal> {
    moment_of(moment)
        .ok()
        .and_then(|at| u64::try_from(at.unix_timestamp()).ok())
        .map(today)
        .ok_or(Refusal::Broken)
}

/// The day in England at a moment, in seconds since 1970 UTC.
pub fn today(now: u64) -> Date {
    let Some(utc) = i64::try_from(now)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
    else {
        return Date::MAX;
    };
    in_england(utc).date()
}

/// A moment as the clocks of England show it.
///
/// An hour ahead of Greenwich from 01:00 on the last Sunday of March to 01:00 on the last Sunday of October, both Greenwich
/// mean time (Summer Time Order 2002, SI 2002/262).
pub fn in_england(at: OffsetDateTime) -> OffsetDateTime {
    let change = |month| {
        last_sunday(at.to_offset(UtcOffset::UTC).year(), month)
            .midnight()
            .assume_utc()
            .saturating_add(Duration::hours(1))
    };
    let summer = (change(Month::March)..change(Month::October)).contains(&at);
    let ahead = if summer { offset!(+1) } else { UtcOffset::UTC };
    at.checked_to_offset(ahead).unwrap_or(at)
}

/// The last second of a day in England.
pub fn end(day: Date) -> OffsetDateTime {
    let last = day.with_time(time::macros::time!(23:59:59));
    // Clocks change in the small hours, so the day's last second has the offset of its noon.
    let noon = in_england(day.with_time(time::macros::time!(12:00)).assume_utc());
    last.assume_offset(noon.offset())
}

/// A date as somebody typed it: 2026-06-18 as a browser's date field sends it, or 18/06/2026 or 18 June 2026 where there is
/// none.
///
/// Refuses [`Refusal::DateFormat`] for all else, days that do not exist and years that nobody means among it.
pub fn parse(typed: &str) -> Result<Date, Refusal> {
    read(typed.trim()).ok_or(Refusal::DateFormat)
}

/// "18 June 2026".
pub fn words(day: Date) -> String {
    format!("{} {} {}", day.day(), day.month(), day.year())
}

/// 2026-06-18, the value of a browser's date field.
pub fn field(day: Date) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        day.year(),
        u8::from(day.month()),
        day.day()
    )
}

/// The same day so many months later; where that month has no such day, its last one (the corresponding date rule, Dodds v
/// Walker [1981] 1 WLR 1027). PostgreSQL adds an interval the same way, so the schema agrees.
pub fn months_after(day: Date, months: u16) -> Date {
    let whole = i32::from(months) + i32::from(u8::from(day.month())) - 1;
    let year = day.year() + whole / 12;
    let month = MONTHS[usize::try_from(whole % 12).unwrap_or_default()];
    Date::from_calendar_date(year, month, day.day().min(month.length(year))).unwrap_or(Date::MAX)
}

/// The same day so many years later: of 29 February, 28 February of a common year.
pub fn years_after(day: Date, years: u16) -> Date {
    months_after(day, years.saturating_mul(12))
}

/// The day before; of the first day that can be told, that day.
pub fn before(day: Date) -> Date {
    day.previous_day().unwrap_or(Date::MIN)
}

/// The day after; of the last day that can be told, that day.
pub fn after(day: Date) -> Date {
    day.next_day().unwrap_or(Date::MAX)
}

fn last_sunday(year: i32, month: Month) -> Date {
    let last = Date::from_calendar_date(year, month, 31).unwrap_or(Date::MAX);
    if last.weekday() == Weekday::Sunday {
        last
    } else {
        last.prev_occurrence(Weekday::Sunday)
    }
}

fn read(typed: &str) -> Option<Date> {
    let parts: Vec<&str> = if let Some(mark) = ['-', '/'].into_iter().find(|c| typed.contains(*c)) {
        typed.split(mark).map(str::trim).collect()
    } else {
        typed.split_whitespace().collect()
    };
    let [first, second, third] = parts[..] else {
        return None;
    };
    // Nobody writes 2026/18/06: the year comes first only with hyphens, and last otherwise.
    let (day, month, year) = if typed.contains('-') && first.len() == 4 {
        (third, second, first)
    } else {
        (first, second, third)
    };
    let year = number(year, 4).filter(|_| year.len() == 4)?;
    let month = match number(month, 2) {
        Some(number) => *MONTHS.get(usize::try_from(number).ok()?.checked_sub(1)?)?,
        None => named(month)?,
    };
    let day = u8::try_from(number(day, 2)?).ok()?;
    let year = i32::try_from(year).ok()?;
    Date::from_calendar_date(year, month, day)
        .ok()
        .filter(|_| YEARS.contains(&year))
}

/// A number of ASCII digits, at most so many.
fn number(part: &str, most: usize) -> Option<u32> {
    let good = part.len() <= most && part.bytes().all(|byte| byte.is_ascii_digit());
    part.parse().ok().filter(|_| good)
}

/// The month of a name, or of its first three letters or more.
fn named(part: &str) -> Option<Month> {
    let part = part.to_lowercase();
    MONTHS.into_iter().find(|month| {
        part.chars().count() >= 3 && month.to_string().to_lowercase().starts_with(&part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    fn at(moment: OffsetDateTime) -> Date {
        today(u64::try_from(moment.unix_timestamp()).unwrap())
    }

    #[test]
    fn summer_time_begins_and_ends_at_one_in_the_morning_in_greenwich() {
        // The clock goes forward on 29 March 2026. Neither instant is near midnight, so the days before it tell.
        for (moment, day) in [
            (datetime!(2026-03-28 23:59:59 UTC), date!(2026 - 03 - 28)),
            (datetime!(2026-03-29 00:59:59 UTC), date!(2026 - 03 - 29)),
            (datetime!(2026-03-29 22:59:59 UTC), date!(2026 - 03 - 29)),
            (datetime!(2026-03-29 23:00:00 UTC), date!(2026 - 03 - 30)),
            (datetime!(2026-06-17 22:59:59 UTC), date!(2026 - 06 - 17)),
            (datetime!(2026-06-17 23:00:00 UTC), date!(2026 - 06 - 18)),
            // And back on 25 October.
            (datetime!(2026-10-24 23:00:00 UTC), date!(2026 - 10 - 25)),
            (datetime!(2026-10-25 00:59:59 UTC), date!(2026 - 10 - 25)),
            (datetime!(2026-10-25 23:00:00 UTC), date!(2026 - 10 - 25)),
            (datetime!(2026-10-26 00:00:00 UTC), date!(2026 - 10 - 26)),
            (datetime!(2026-12-31 23:59:59 UTC), date!(2026 - 12 - 31)),
        ] {
            assert_eq!(at(moment), day, "{moment}");
        }
    }

    #[cfg(feature = "db")]
    #[test]
    fn a_record_is_of_the_day_that_it_was_in_england() {
        assert_eq!(of("2026-06-17T22:59:59Z"), Ok(date!(2026 - 06 - 17)));
        assert_eq!(of("2026-06-17T23:00:00.123Z"), Ok(date!(2026 - 06 - 18)));
        for none in ["", "2026-06-17", "1969-12-31T23:59:59Z"] {
            assert_eq!(of(none), Err(Refusal::Broken), "{none}");
        }
    }

    #[test]
    fn a_moment_is_shown_by_the_clock_of_its_season_and_a_day_ends_by_its_own() {
        for (moment, shown) in [
            (
                datetime!(2026-06-21 07:00 UTC),
                datetime!(2026-06-21 08:00 +1),
            ),
            (
                datetime!(2026-11-20 18:04 UTC),
                datetime!(2026-11-20 18:04 +0),
            ),
        ] {
            let here = in_england(moment);
            assert_eq!((here, here.offset()), (shown, shown.offset()));
        }
        for (day, last) in [
            (date!(2026 - 06 - 21), datetime!(2026-06-21 23:59:59 +1)),
            // The day on which the clock goes forward, and that on which it goes back.
            (date!(2026 - 03 - 29), datetime!(2026-03-29 23:59:59 +1)),
            (date!(2026 - 10 - 25), datetime!(2026-10-25 23:59:59 +0)),
        ] {
            assert_eq!((end(day), end(day).offset()), (last, last.offset()));
        }
    }

    #[test]
    fn the_last_sunday_is_the_thirty_first_when_that_is_one() {
        assert_eq!(last_sunday(2024, Month::March), date!(2024 - 03 - 31));
        assert_eq!(last_sunday(2026, Month::March), date!(2026 - 03 - 29));
        assert_eq!(last_sunday(2027, Month::October), date!(2027 - 10 - 31));
        assert_eq!(last_sunday(2026, Month::October), date!(2026 - 10 - 25));
        assert_eq!(at(datetime!(2024-03-30 23:30 UTC)), date!(2024 - 03 - 30));
        assert_eq!(at(datetime!(2024-03-31 23:30 UTC)), date!(2024 - 04 - 01));
    }

    #[test]
    fn a_moment_that_is_no_date_is_the_last_day() {
        assert_eq!(today(0), date!(1970 - 01 - 01));
        assert_eq!(today(u64::MAX), Date::MAX);
    }

    #[test]
    fn a_date_is_read_as_a_browser_sends_it_and_as_people_write_it() {
        for typed in [
            "2026-06-18",
            " 18/06/2026 ",
            "18/6/2026",
            "18-06-2026",
            "18 June 2026",
            "18  june   2026",
            "18 Jun 2026",
            "18-Jun-2026",
            "18\u{a0}June 2026",
        ] {
            assert_eq!(parse(typed), Ok(date!(2026 - 06 - 18)), "{typed:?}");
        }
        assert_eq!(parse("29 February 2028"), Ok(date!(2028 - 02 - 29)));
    }

    #[test]
    fn what_is_no_date_is_refused_in_one_sentence() {
        for typed in [
            "",
            "today",
            "18",
            "18/06",
            "18/06/26",
            "2026-06",
            "2026-06-18-01",
            "2026-06-31",
            "2026-02-29",
            "29 February 2027",
            "29/02/2100",
            "31/04/2026",
            "06/18/2026",
            "2026-13-01",
            "2026-00-10",
            "0/1/2026",
            "2026/18/06",
            "18 Ju 2026",
            "18 Juni 2026",
            "18 🎉 2026",
            "18//06/2026",
            "+18/06/2026",
            "18/06/-2026",
            "1899-12-31",
            "2200-01-01",
            "0018-06-20",
            "20260-06-18",
            "١٨/٠٦/٢٠٢٦",
            "99999999999999999999-01-01",
        ] {
            let refusal = parse(typed).unwrap_err();
            assert_eq!(refusal, Refusal::DateFormat, "{typed:?}");
            assert_eq!(
                refusal.to_string(),
                "Enter a date that exists, like 18 June 2026 or 18/06/2026."
            );
        }
    }

    #[test]
    fn a_date_is_told_in_words_and_as_a_field_wants_it() {
        assert_eq!(words(date!(2026 - 06 - 18)), "18 June 2026");
        assert_eq!(field(date!(2026 - 06 - 08)), "2026-06-08");
        assert_eq!(
            parse(&words(date!(2028 - 02 - 29))),
            Ok(date!(2028 - 02 - 29))
        );
        assert_eq!(
            parse(&field(date!(2028 - 02 - 29))),
            Ok(date!(2028 - 02 - 29))
        );
    }

    #[test]
    fn four_years_after_the_twenty_ninth_of_february_there_is_one_again_unless_the_century_has_none()
     {
        assert_eq!(years_after(date!(2024 - 02 - 29), 4), date!(2028 - 02 - 29));
        assert_eq!(years_after(date!(2024 - 02 - 29), 1), date!(2025 - 02 - 28));
        assert_eq!(years_after(date!(2096 - 02 - 29), 4), date!(2100 - 02 - 28));
        assert_eq!(years_after(date!(2024 - 03 - 01), 4), date!(2028 - 03 - 01));
        assert_eq!(
            before(years_after(date!(2024 - 03 - 01), 4)),
            date!(2028 - 02 - 29),
            "four years less a day end on it"
        );
    }

    #[test]
    fn months_are_counted_by_the_corresponding_date() {
        assert_eq!(
            months_after(date!(2026 - 08 - 31), 6),
            date!(2027 - 02 - 28)
        );
        assert_eq!(
            months_after(date!(2026 - 06 - 18), 6),
            date!(2026 - 12 - 18)
        );
        assert_eq!(
            months_after(date!(2026 - 12 - 01), 1),
            date!(2027 - 01 - 01)
        );
        assert_eq!(
            months_after(date!(2026 - 12 - 31), 0),
            date!(2026 - 12 - 31)
        );
        assert_eq!(before(date!(2027 - 01 - 01)), date!(2026 - 12 - 31));
        assert_eq!(after(date!(2026 - 12 - 31)), date!(2027 - 01 - 01));
    }
}
