//! The check-ins: every two to three weeks of term by who teaches a pupil, about once a month by the SENCO or the head where
//! nobody else does.

use time::{Date, Duration, OffsetDateTime, Time, macros::time};

use super::{
    book::{Book, One, Version},
    children::{Child, Children},
    words,
};
use crate::{
    day,
    demo::pupils::{course::course, dice::Dice, making::at},
    wellbeing::{
        Domain, Level,
        record::{Kind, Part},
    },
};

/// Of a thousand check-ins, those with a note.
const NOTED: usize = 170;
/// Of a thousand, those that are put down a day or more after they happened.
const LATE: usize = 60;

pub(super) fn put_down<'a>(book: &mut Book<'a>, children: &'a Children) {
    for child in &children.all {
        for (day, levels) in seen(child, children.yesterday()) {
            let julian = u64::try_from(day.to_julian_day()).unwrap_or_default();
            let mut dice = Dice::new(child.seed, &[20, julian]);
            let happened_at = at(day, during_school(&mut dice));
            let made_at = put_down_at(happened_at, &mut dice);
            let body = if dice.in_thousand(NOTED) {
                words::note(&levels, &mut dice).to_owned()
            } else {
                String::new()
            };
            book.add(One {
                kind: Kind::CheckIn,
                happened_at,
                author: child.author,
                linked: vec![(child, Part::Subject)],
                versions: vec![Version {
                    levels,
                    ..Version::of(body, made_at)
                }],
            });
        }
    }
}

/// Of a course those weeks in which somebody took the time.
fn seen(child: &Child, to: Date) -> Vec<(Date, Vec<(Domain, Level)>)> {
    let mut dice = child.dice(21);
    let mut next = child.from;
    let mut seen = course(child.seed, child.from, to);
    seen.retain(|(day, _)| {
        if *day < next {
            return false;
        }
        let pause = if child.taught {
            11 + dice.below(10)
        } else {
            21 + dice.below(14)
        };
        next = day.saturating_add(Duration::days(i64::try_from(pause).unwrap_or(14)));
        true
    });
    seen
}

/// Between the first bell and the last.
pub(super) fn during_school(dice: &mut Dice) -> Time {
    let (hour, minute) = (dice.below(6) + 9, dice.below(60));
    let hour = u8::try_from(hour).unwrap_or(9);
    Time::from_hms(hour, u8::try_from(minute).unwrap_or_default(), 0).unwrap_or(Time::MIDNIGHT)
}

/// Minutes later, and now and then the day after or over the weekend.
pub(super) fn put_down_at(happened_at: OffsetDateTime, dice: &mut Dice) -> OffsetDateTime {
    let minutes = i64::try_from(dice.below(45)).unwrap_or_default() + 1;
    let made_at = happened_at + Duration::minutes(minutes);
    if dice.in_thousand(LATE) {
        let day = super::school_day(day::after(day::in_england(happened_at).date()));
        return at(day, time!(16:12));
    }
    made_at
}
