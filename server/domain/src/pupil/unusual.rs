//! Looks at pupils' records that are out of the ordinary, as a list for each week, Monday to Sunday in England, and what was said of it
//! by whoever goes through it. That somebody is in a list is a question to them and no verdict.

use serde::{Deserialize, Serialize};
use time::{Date, Duration, Weekday};
use uuid::Uuid;

use super::access::Reason;
use crate::day;

/// Before it, and from [`EVENING`] on, is outside of a school's day. With childcare around lessons a school is open from eight to six
/// (Department for Education, national wraparound childcare programme); an hour more at each end is somebody's ordinary work.
pub const MORNING: u8 = 7;
/// See [`MORNING`].
pub const EVENING: u8 = 19;
/// Pupils on one day below which nobody has looked at many: most of a class is an ordinary morning.
pub const MANY_LEAST: u32 = 20;
/// How many times their own usual number somebody looks at for it to be unusual. The usual is the median of the days of the eight weeks
/// before on which they looked at all, which one hard day does not move.
pub const MANY_TIMES: u32 = 3;
/// People who look at one pupil on one day: more than a teacher, an assistant, the SENCO and the office.
pub const CROWD_LEAST: u32 = 5;
/// Days after which a list that nobody has signed is brought up again, each week.
pub const WAITS_DAYS: i64 = 7;
/// Characters of what is said of a list or a line of it.
pub const WORDS_MOST: u16 = 1000;

/// Why a look is in the list. The Information Commissioner's Accountability Framework asks that what users do is logged and watched for
/// anything unusual ("Records management and security"). What is looked for is how looking without need shows itself: out of the
/// person's own circle, out of hours, in bulk, out of curiosity about one child, and within a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A pupil who is not on their caseload, for a reason they gave. Each is listed: the reason is only as good as its being read.
    Beyond,
    /// Before [`MORNING`], from [`EVENING`] on, or at a weekend; once for each person and day.
    Hours,
    /// At least [`MANY_LEAST`] pupils on a day and more than [`MANY_TIMES`] times as many as they usually look at. Of who never looked
    /// before, at least [`MANY_LEAST`].
    Many,
    /// One pupil whom [`CROWD_LEAST`] people or more looked at on a day.
    Crowd,
    /// A child of theirs, or one of their surname or a part of it, whom they do not teach. Who has one on their caseload was given them
    /// by somebody who knew both.
    Family,
}

impl Rule {
    /// Every rule, in the order in which pages list them.
    pub const ALL: &[Self] = &[
        Self::Beyond,
        Self::Hours,
        Self::Many,
        Self::Crowd,
        Self::Family,
    ];

    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Beyond => "beyond",
            Self::Hours => "hours",
            Self::Many => "many",
            Self::Crowd => "crowd",
            Self::Family => "family",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beyond => "Beyond the caseload",
            Self::Hours => "Outside school hours",
            Self::Many => "Many pupils",
            Self::Crowd => "Many people",
            Self::Family => "Perhaps family",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.code() == code)
    }
}

/// A line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its key.
    pub id: Uuid,
    /// Why it is in the list.
    pub rule: Rule,
    /// Who looked, by name; none for a [`Rule::Crowd`].
    pub by: Option<String>,
    /// Whether that is the reader.
    pub own: bool,
    /// At whom, where it is one pupil and the reader sees them.
    pub pupil: Option<(Uuid, String)>,
    /// The day in England of the first look that it is about.
    pub on: Date,
    /// When that was, RFC 3339 in UTC.
    pub at: String,
    /// Pupils, or the people of a [`Rule::Crowd`].
    pub many: u32,
    /// How many pupils they usually look at on a day; none where they never had.
    pub usual: Option<u32>,
    /// The reason they gave, and its words.
    pub reason: Option<(Reason, String)>,
}

impl Finding {
    /// All of it in one plain sentence.
    pub fn sentence(&self) -> String {
        let by = self.by.as_deref().unwrap_or("Somebody");
        let called = self
            .pupil
            .as_ref()
            .map_or("a pupil you do not see", |(_, called)| called.as_str());
        let on = format!("on {} {}", self.on.weekday(), day::words(self.on));
        match self.rule {
            Rule::Beyond => match &self.reason {
                Some((reason, _)) => format!(
                    "{by} opened the record of {called}, who was not on their caseload, {on}, for the reason “{}”.",
                    reason.name()
                ),
                None => format!(
                    "{by} opened the record of a pupil who was not on their caseload, {on}."
                ),
            },
            Rule::Hours => {
                let whom = match self.many {
                    1 => called.to_owned(),
                    many => format!("{many} pupils"),
                };
                let when = match self.on.weekday() {
                    Weekday::Saturday | Weekday::Sunday => "at the weekend".to_owned(),
                    _ => format!("before {MORNING}:00 or from {EVENING}:00 on"),
                };
                format!("{by} looked at {whom} {on}, {when}.")
            }
            Rule::Many => match self.usual {
                Some(usual) => format!(
                    "{by} looked at {} pupils {on}; on a usual day of theirs it is {usual}.",
                    self.many
                ),
                None => format!(
                    "{by} looked at {} pupils {on}, and had not looked at any in the eight weeks before.",
                    self.many
                ),
            },
            Rule::Crowd => format!("{} people looked at {called} {on}.", self.many),
            Rule::Family => format!(
                "{by} looked at {called} {on}, who is not on their caseload and may be family: it is their child here, or they share a surname."
            ),
        }
    }
}

/// Something that was said when a list was signed, or added later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Of which line; none for the whole list.
    pub finding: Option<Uuid>,
    /// Whether it is to be followed up.
    pub follow_up: bool,
    /// What was looked into, or is to be.
    pub words: String,
    /// Who said it, by name.
    pub by: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
}

/// A week of looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week {
    /// Its first day.
    pub monday: Date,
    /// Looks in it, unusual or not.
    pub looks: usize,
    /// Lines of its list.
    pub findings: usize,
    /// How many statements ask for something to be followed up.
    pub follow_ups: usize,
    /// By whom it was signed, and when, RFC 3339 in UTC.
    pub signed: Option<(String, String)>,
}

impl Week {
    /// "16 to 22 November 2026", whole where it runs from month to month.
    pub fn words(&self) -> String {
        let sunday = self.monday.saturating_add(Duration::days(6));
        if sunday.month() == self.monday.month() {
            format!("{} to {}", self.monday.day(), day::words(sunday))
        } else {
            format!("{} to {}", day::words(self.monday), day::words(sunday))
        }
    }

    /// Whether somebody has still to sign it. A list without a line asks for nothing.
    pub const fn waits(&self) -> bool {
        self.signed.is_none() && self.findings > 0
    }

    /// Whether it has waited for longer than [`WAITS_DAYS`] since its week was over.
    pub fn overdue(&self, today: Date) -> bool {
        self.waits() && self.monday.saturating_add(Duration::days(7 + WAITS_DAYS)) <= today
    }
}

/// A list, with what was said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Of which week.
    pub week: Week,
    /// Its lines, in the order of the looks.
    pub findings: Vec<Finding>,
    /// What was said, in the order in which it was.
    pub statements: Vec<Statement>,
}

/// What is typed of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Of which.
    pub finding: Uuid,
    /// Whether it is to be followed up.
    pub follow_up: bool,
    /// Empty for nothing.
    pub words: String,
}

#[cfg(feature = "db")]
mod queries;
#[cfg(feature = "db")]
pub use queries::{list, note, sign, weeks};
