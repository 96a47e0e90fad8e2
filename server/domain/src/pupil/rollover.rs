//! The turn of the school year: everybody goes up a year, the oldest leave, groups are carried on under new names, and
//! caseloads end. What would happen is worked out whenever somebody looks; doing it is one act, which can be undone for a
//! month.

#[cfg(feature = "db")]
pub mod doing;
#[cfg(feature = "db")]
mod facts;
#[cfg(feature = "db")]
mod name;
#[cfg(feature = "db")]
pub mod plan;
#[cfg(feature = "db")]
pub mod undo;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{Date, Month};
use uuid::Uuid;

use super::year::{SchoolYear, YearGroup};

/// Days in which it can be undone. The schema forgets how after them.
pub const UNDO_DAYS: u16 = 31;

/// Why the roll was not moved up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Somebody changed the roll, a group or a caseload meanwhile.
    #[error(
        "The roll has changed since this was worked out, so nothing was done. Here is what would happen now: look at it again."
    )]
    RollChanged,
    /// The form says something else than what was shown.
    #[error(
        "You changed something in the form since this was worked out, so nothing was done. Here is what it comes to: look at it again."
    )]
    FormChanged,
    /// Once for each school year.
    #[error("This was done for that school year already. Undo that first if it was wrong.")]
    Done,
    /// No last day that a school year has, or another year's.
    #[error(
        "Enter the last day of the school year that is over: a day from May to August that has come."
    )]
    LastDay,
    /// No year group, or one without an order.
    #[error("Choose the last year group of your school.")]
    Top,
    /// Empty, too long, or with hidden characters.
    #[error(
        "A group that is carried on needs a name of at most 40 characters. It is marked below."
    )]
    Name,
    /// Two groups of a kind have different names.
    #[error("Two groups would have the same name. They are marked below: rename or close one.")]
    NameTaken,
    /// See [`UNDO_DAYS`].
    #[error("This was done more than 31 days ago and can no longer be undone.")]
    TooLate,
}

impl Fault {
    /// The field of the form it is about.
    pub const fn field(self) -> Option<&'static str> {
        match self {
            Self::LastDay => Some("last_day"),
            Self::Top => Some("top"),
            _ => None,
        }
    }
}

/// What is to become of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It goes up with its pupils, and is called otherwise.
    Carry,
    /// It stays as it is, with those of its pupils who do.
    Keep,
    /// It ends with the school year.
    Close,
}

impl Fate {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Carry, Self::Keep, Self::Close];

    /// As forms send it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Carry => "carry",
            Self::Keep => "keep",
            Self::Close => "close",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Carry => "Goes up, with a new name",
            Self::Keep => "Stays as it is",
            Self::Close => "Is closed",
        }
    }

    /// Of what a form sent.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fate| fate.code() == code)
    }
}

/// What somebody says of one pupil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exception {
    /// Goes up like the others, though put on the roll since the last day.
    GoesUp,
    /// Stays in the same year group.
    Repeats,
    /// Goes up two.
    Skips,
    /// Leaves before the last year group.
    Leaves,
}

impl Exception {
    /// All of them.
    pub const ALL: &[Self] = &[Self::GoesUp, Self::Repeats, Self::Skips, Self::Leaves];

    /// As forms send it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::GoesUp => "up",
            Self::Repeats => "repeats",
            Self::Skips => "skips",
            Self::Leaves => "leaves",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GoesUp => "Goes up one year",
            Self::Repeats => "Stays in this year",
            Self::Skips => "Goes up two years",
            Self::Leaves => "Leaves the school",
        }
    }

    /// Of what a form sent.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.code() == code)
    }
}

/// What somebody says of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupWish {
    /// What becomes of it.
    pub fate: Fate,
    /// What it is called then, where it is carried on.
    pub name: String,
    /// Whether those who have it on their caseload keep it. Cover ends all the same.
    pub goes_on: bool,
}

/// What somebody wants; what is not said is as the roll suggests it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Of the school year that is over.
    pub last_day: Option<Date>,
    /// From which on pupils leave.
    pub top: Option<YearGroup>,
    /// By group.
    pub groups: BTreeMap<Uuid, GroupWish>,
    /// By pupil.
    pub pupils: BTreeMap<Uuid, Exception>,
}

/// The last day that is meant where nobody says one: today in the months in which school years end, else the last 31 August.
pub fn last_day_of(today: Date) -> Date {
    if ends_in(today.month()) {
        today
    } else {
        SchoolYear::of(today).previous().last_day()
    }
}

fn ends_in(month: Month) -> bool {
    matches!(
        month,
        Month::May | Month::June | Month::July | Month::August
    )
}

/// The school year that begins after a last day. Refuses a day to come, one of another time of the year, and one of a school
/// year that was over when the last one began.
pub fn year_after(last_day: Date, today: Date) -> Result<SchoolYear, Fault> {
    let (ended, now) = (SchoolYear::of(last_day), SchoolYear::of(today));
    if last_day <= today && ends_in(last_day.month()) && (ended == now || ended == now.previous()) {
        Ok(ended.next())
    } else {
        Err(Fault::LastDay)
    }
}

/// The year group above one in a school whose last is `top`; none for whom the school has no more. Who follows no years stays
/// so.
pub fn above(year: YearGroup, top: YearGroup) -> Option<YearGroup> {
    if year == YearGroup::X {
        return Some(year);
    }
    YearGroup::ALL
        .iter()
        .copied()
        .find(|next| *next > year && *next <= top && *next != YearGroup::X)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn everybody_goes_up_one_and_the_oldest_leave() {
        let up = |code: &str, top: &str| {
            let of = |code: &str| YearGroup::from_code(code).unwrap();
            above(of(code), of(top)).map(YearGroup::code)
        };
        for (year, top, next) in [
            ("E2", "6", Some("N1")),
            ("N1", "6", Some("N2")),
            ("N2", "6", Some("R")),
            ("R", "6", Some("1")),
            ("5", "6", Some("6")),
            ("6", "6", None),
            // Two years above each other, not two letters.
            ("9", "13", Some("10")),
            ("13", "14", Some("14")),
            ("14", "14", None),
            // Somebody of a year that the school does not have.
            ("8", "6", None),
            ("X", "6", Some("X")),
        ] {
            assert_eq!(up(year, top), next, "{year} of {top}");
        }
    }

    #[test]
    fn a_school_year_ends_between_may_and_august_and_has_come() {
        let year = |last, today| year_after(last, today).map(SchoolYear::label);
        let july = date!(2026 - 07 - 22);
        assert_eq!(year(july, july).unwrap(), "2026/27");
        assert_eq!(year(july, date!(2026 - 09 - 05)).unwrap(), "2026/27");
        assert_eq!(year(july, date!(2027 - 07 - 21)).unwrap(), "2026/27");
        for (last, today) in [
            (july, date!(2026 - 07 - 21)),
            (july, date!(2027 - 09 - 01)),
            (date!(2026 - 09 - 01), date!(2026 - 09 - 05)),
            (date!(2026 - 04 - 30), july),
        ] {
            assert_eq!(year(last, today), Err(Fault::LastDay), "{last} on {today}");
        }
    }

    #[test]
    fn the_last_day_that_is_suggested_is_one_that_may_be_entered() {
        for (today, suggested) in [
            (date!(2026 - 07 - 22), date!(2026 - 07 - 22)),
            (date!(2026 - 08 - 31), date!(2026 - 08 - 31)),
            (date!(2026 - 09 - 01), date!(2026 - 08 - 31)),
            (date!(2027 - 02 - 01), date!(2026 - 08 - 31)),
            (date!(2027 - 05 - 01), date!(2027 - 05 - 01)),
        ] {
            assert_eq!(last_day_of(today), suggested, "{today}");
            assert!(year_after(suggested, today).is_ok(), "{today}");
        }
    }

    #[test]
    fn what_forms_send_leads_back() {
        for fate in Fate::ALL {
            assert_eq!(Fate::from_code(fate.code()), Some(*fate));
        }
        for one in Exception::ALL {
            assert_eq!(Exception::from_code(one.code()), Some(*one));
        }
        assert_eq!(Fate::from_code(""), None);
        assert_eq!(Exception::from_code(""), None);
    }
}
