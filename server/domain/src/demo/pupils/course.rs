//! How an invented pupil might have been doing from week to week, as the adult who teaches them would have put it down: in the
//! weeks of England's school terms, with the gaps that a busy term leaves.

use time::{Date, Duration, Month, Weekday};

use super::dice::Dice;
use crate::wellbeing::{Domain, Level};

/// What the weeks come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Well, as most are, with days that are not.
    Settled,
    /// Well, then a dip as after a move, and slowly well again.
    Dip,
    /// With difficulty, then a slow rise as something is done about it.
    Rise,
    /// Seen now and then, in a few domains.
    Sparse,
    /// Well, then worse from week to week until the end.
    Fall,
}

impl Shape {
    /// That of a seed: of twenty pupils eleven are settled.
    pub fn of(seed: u64) -> Self {
        match Dice::new(seed, &[1]).below(20) {
            0..=2 => Self::Dip,
            3..=4 => Self::Rise,
            5..=7 => Self::Sparse,
            8 => Self::Fall,
            _ => Self::Settled,
        }
    }
}

/// What is a pupil's own, whatever the week.
struct Own {
    /// How they usually are in each domain, in hundredths of a level.
    usual: Vec<i64>,
    /// When it happens, in hundredths of the whole time.
    when: i64,
    /// The two domains in which it shows most.
    most: [usize; 2],
    /// By how much they grow or shrink over the whole time, in hundredths of a level: half of it lies before the middle.
    drift: i64,
}

impl Own {
    fn of(seed: u64) -> Self {
        let mut own = Dice::new(seed, &[2]);
        // Who is well is so in most domains.
        let whole = 335 + throw(&mut own, 80);
        let usual = Domain::ALL
            .iter()
            .map(|_| whole + throw(&mut own, 60))
            .collect();
        let when = 30 + throw(&mut own, 30);
        let late = 84 + throw(&mut own, 6);
        Self {
            usual,
            when: if Shape::of(seed) == Shape::Fall {
                late
            } else {
                when
            },
            most: [own.below(8), own.below(8)],
            drift: throw(&mut own, 80) - 40,
        }
    }
}

/// The day on which something changed for a pupil, of a course between two days; none for whom nothing did.
pub fn turn(seed: u64, from: Date, to: Date) -> Option<Date> {
    let turned = matches!(Shape::of(seed), Shape::Dip | Shape::Rise | Shape::Fall);
    let after = (to - from).whole_days() * Own::of(seed).when / 100;
    turned.then(|| from.saturating_add(Duration::days(after)))
}

/// A pupil's check-ins between two days, both included: at most one in a week, on school days only, with one to eight domains of
/// each. The same seed and days lead to the same check-ins. What happens in it lies between the days, so other days tell another
/// story.
pub fn course(seed: u64, from: Date, to: Date) -> Vec<(Date, Vec<(Domain, Level)>)> {
    let shape = Shape::of(seed);
    let own = Own::of(seed);
    let whole = (to - from).whole_days().max(1);
    let mut monday = week_of(from);
    let mut weeks = Vec::new();
    while monday <= to {
        let mut dice = Dice::new(
            seed,
            &[3, u64::try_from(monday.to_julian_day()).unwrap_or_default()],
        );
        if let Some(day) = day_of(monday, from, to, shape, &mut dice) {
            let passed = (day - from).whole_days() * 100 / whole;
            let mut seen = Vec::new();
            for (place, (domain, usual)) in Domain::ALL.into_iter().zip(&own.usual).enumerate() {
                let looked = dice.in_thousand(if shape == Shape::Sparse { 350 } else { 800 });
                if looked || (place == 7 && seen.is_empty()) {
                    let strength = if own.most.contains(&place) { 100 } else { 50 };
                    let moved = moved(shape, passed - own.when) * strength / 100;
                    let moved = moved + own.drift * (passed - 50) / 100;
                    let noise = throw(&mut dice, 90) - 45;
                    seen.push((domain, level(usual + moved + noise)));
                }
            }
            weeks.push((day, seen));
        }
        let Some(next) = monday.checked_add(Duration::WEEK) else {
            break;
        };
        monday = next;
    }
    weeks
}

/// The day of a week on which somebody looked, if anybody did.
fn day_of(monday: Date, from: Date, to: Date, shape: Shape, dice: &mut Dice) -> Option<Date> {
    let looked = dice.in_thousand(if shape == Shape::Sparse { 180 } else { 880 });
    let days: Vec<Date> = (0..5)
        .filter_map(|day| monday.checked_add(Duration::days(day)))
        .filter(|day| (from..=to).contains(day) && is_school_day(*day))
        .collect();
    (looked && !days.is_empty()).then(|| dice.pick(&days))
}

/// By how many hundredths of a level, so many hundredths of the whole time after it happened.
fn moved(shape: Shape, after: i64) -> i64 {
    match shape {
        Shape::Settled | Shape::Sparse => 0,
        Shape::Dip if after < 0 => 0,
        Shape::Dip => (-200 + after * 8).min(0),
        Shape::Rise => (-210 + after.max(0) * 5).min(0),
        Shape::Fall => (after.max(0) * -28).max(-240),
    }
}

fn throw(dice: &mut Dice, below: usize) -> i64 {
    i64::try_from(dice.below(below)).unwrap_or_default()
}

/// The nearest level to so many hundredths.
fn level(hundredths: i64) -> Level {
    let nearest = ((hundredths + 50) / 100).clamp(1, 5);
    let place = usize::try_from(nearest - 1).unwrap_or_default();
    Level::ALL[place]
}

fn week_of(day: Date) -> Date {
    let since = i64::from(day.weekday().number_days_from_monday());
    day.checked_sub(Duration::days(since)).unwrap_or(Date::MIN)
}

/// Whether a school in England is open on a day, as most authorities set their terms: from the first Tuesday to Thursday of
/// September to 22 July, without a week in the middle of each term, a fortnight at Christmas and one around Easter. Bank holidays
/// are those of the Banking and Financial Dealings Act 1971, and Good Friday.
pub fn is_school_day(day: Date) -> bool {
    let weekday = !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let on = (u8::from(day.month()), day.day());
    let year = day.year();
    let summer = ((7, 23)..(9, 3)).contains(&on);
    let christmas = on >= (12, 20) || on <= (1, 4);
    let easter = easter(year);
    let around = |from: i64, to: i64| (from..=to).contains(&(day - easter).whole_days());
    let half_terms = [
        last_monday(year, Month::October),
        // The one in the week of 15 February, give or take two days.
        week_of(Date::from_calendar_date(year, Month::February, 18).unwrap_or(day)),
        last_monday(year, Month::May),
    ];
    let first_may = first_monday(year, Month::May);
    weekday
        && !summer
        && !christmas
        // From the Monday before Good Friday to the Friday after Easter Monday.
        && !around(-6, 5)
        && !half_terms.contains(&week_of(day))
        && day != first_may
}

fn first_monday(year: i32, month: Month) -> Date {
    let seventh = Date::from_calendar_date(year, month, 7).unwrap_or(Date::MIN);
    week_of(seventh)
}

fn last_monday(year: i32, month: Month) -> Date {
    let last = Date::from_calendar_date(year, month, month.length(year)).unwrap_or(Date::MIN);
    week_of(last)
}

/// Easter Sunday of the Gregorian calendar, as it was worked out for *Nature* in 1876 by somebody who did not give a name.
fn easter(year: i32) -> Date {
    let (golden, century, rest) = (year % 19, year / 100, year % 100);
    let moon = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - moon + 15) % 30;
    let sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let late = (golden + 11 * epact + 22 * sunday) / 451;
    let sum = epact + sunday - 7 * late + 114;
    let month = if sum / 31 == 3 {
        Month::March
    } else {
        Month::April
    };
    let day = u8::try_from(sum % 31 + 1).unwrap_or(1);
    Date::from_calendar_date(year, month, day).unwrap_or(Date::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::date;

    const FROM: Date = date!(2024 - 11 - 22);
    const TO: Date = date!(2026 - 11 - 20);

    #[test]
    fn school_is_shut_in_the_holidays_and_open_in_the_terms() {
        for (day, open) in [
            (date!(2026 - 09 - 03), true),
            (date!(2026 - 10 - 23), true),
            (date!(2026 - 10 - 26), false),
            (date!(2026 - 10 - 30), false),
            (date!(2026 - 11 - 02), true),
            (date!(2026 - 11 - 21), false),
            (date!(2026 - 12 - 18), true),
            (date!(2026 - 12 - 25), false),
            (date!(2027 - 01 - 01), false),
            (date!(2027 - 01 - 05), true),
            (date!(2026 - 02 - 18), false),
            (date!(2026 - 02 - 23), true),
            // Good Friday of 2026 is 3 April and Easter Monday the 6th.
            (date!(2026 - 03 - 27), true),
            (date!(2026 - 04 - 03), false),
            (date!(2026 - 04 - 06), false),
            (date!(2026 - 04 - 13), true),
            (date!(2026 - 05 - 04), false),
            (date!(2026 - 05 - 05), true),
            (date!(2026 - 05 - 25), false),
            (date!(2026 - 07 - 22), true),
            (date!(2026 - 08 - 12), false),
        ] {
            assert_eq!(is_school_day(day), open, "{day}");
        }
    }

    #[test]
    fn easter_is_when_it_was_and_a_school_year_has_about_190_days() {
        for day in [
            date!(2008 - 03 - 23),
            date!(2011 - 04 - 24),
            date!(2024 - 03 - 31),
            date!(2025 - 04 - 20),
            date!(2026 - 04 - 05),
            date!(2038 - 04 - 25),
        ] {
            assert_eq!(easter(day.year()), day);
        }
        for begins in 2020..2040 {
            let mut day = Date::from_calendar_date(begins, Month::September, 1).unwrap();
            let end = Date::from_calendar_date(begins + 1, Month::August, 31).unwrap();
            let mut open = 0;
            while day <= end {
                open += i32::from(is_school_day(day));
                day = crate::day::after(day);
            }
            assert!((185..=200).contains(&open), "{begins}: {open}");
        }
    }

    /// The mean of a stretch of a course, in hundredths of the whole.
    fn mean(course: &[(Date, Vec<(Domain, Level)>)], from: i64, to: i64) -> f64 {
        let whole = (TO - FROM).whole_days();
        let levels: Vec<f64> = course
            .iter()
            .filter(|(day, _)| (from..to).contains(&((*day - FROM).whole_days() * 100 / whole)))
            .flat_map(|(_, seen)| seen.iter().map(|(_, level)| f64::from(*level)))
            .collect();
        let many = u32::try_from(levels.len()).unwrap();
        levels.iter().sum::<f64>() / f64::from(many)
    }

    fn of(shape: Shape) -> impl Iterator<Item = u64> {
        (0..400).filter(move |seed| Shape::of(*seed) == shape)
    }

    #[test]
    fn most_are_settled_and_every_shape_occurs() {
        assert!((180..260).contains(&of(Shape::Settled).count()));
        for shape in [Shape::Dip, Shape::Rise, Shape::Sparse] {
            assert!((20..100).contains(&of(shape).count()), "{shape:?}");
        }
        assert!((10..40).contains(&of(Shape::Fall).count()));
    }

    #[test]
    fn who_turned_did_so_between_the_days_and_the_others_did_not() {
        for seed in 0..400 {
            let turn = turn(seed, FROM, TO);
            let settled = matches!(Shape::of(seed), Shape::Settled | Shape::Sparse);
            assert_eq!(turn.is_none(), settled, "{seed}");
            assert!(turn.is_none_or(|day| FROM < day && day < TO), "{seed}");
        }
    }

    #[test]
    fn each_shape_is_seen_in_what_was_put_down() {
        for seed in of(Shape::Settled) {
            let course = course(seed, FROM, TO);
            assert!((55..80).contains(&course.len()), "{}", course.len());
            assert!(mean(&course, 0, 100) > 3.3);
        }
        for seed in of(Shape::Rise) {
            let course = course(seed, FROM, TO);
            assert!(
                mean(&course, 85, 100) - mean(&course, 0, 30) > 0.4,
                "{seed}"
            );
        }
        for seed in of(Shape::Fall) {
            let course = course(seed, FROM, TO);
            assert!(
                mean(&course, 0, 80) - mean(&course, 95, 100) > 0.6,
                "{seed}"
            );
        }
        for seed in of(Shape::Sparse) {
            assert!((3..30).contains(&course(seed, FROM, TO).len()));
        }
        // When the dip was differs, so it is looked for in tenths.
        for seed in of(Shape::Dip) {
            let course = course(seed, FROM, TO);
            let lowest = (30..80)
                .step_by(5)
                .map(|from| mean(&course, from, from + 10));
            let lowest = lowest.fold(5.0, f64::min);
            assert!(mean(&course, 0, 30) - lowest > 0.4, "{seed}");
            assert!(mean(&course, 88, 100) > lowest + 0.2, "{seed}");
        }
    }

    proptest! {
        #[test]
        fn check_ins_are_on_school_days_one_a_week_in_order_and_of_each_domain_once(
            seed: u64, begins in 0..2000_i64, days in 0..800_i64,
        ) {
            let from = date!(2022 - 01 - 01) + Duration::days(begins);
            let to = from + Duration::days(days);
            let all = course(seed, from, to);
            prop_assert_eq!(&all, &course(seed, from, to));
            prop_assert!(all.is_sorted_by(|(one, _), (other, _)| week_of(*one) < week_of(*other)));
            for (day, seen) in all {
                prop_assert!(is_school_day(day) && (from..=to).contains(&day));
                prop_assert!(!seen.is_empty() && seen.is_sorted_by(|(one, _), (other, _)| one < other));
            }
        }
    }
}
