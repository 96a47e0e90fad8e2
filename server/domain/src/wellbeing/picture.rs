//! The school's picture: how many pupils of each year group, and of each circumstance that the school keeps, are at which
//! level. Made once a day by the first who looks, with small groups hidden so that nobody can undo it, and never counted anew
//! for somebody.
//!
//! A picture is made from pupils' records and kept as it was released. Circumstances are opened with the tenant's key in this
//! process, counted in its memory, and written nowhere but as such a count.

use serde::{Deserialize, Serialize};

use super::{Domain, Level};
use crate::{
    pupil::field::TagKind,
    role::Role,
    suppression::{Cell, Released},
};

#[cfg(any(test, feature = "db"))]
mod making;
#[cfg(feature = "db")]
mod queries;
#[cfg(test)]
mod tests;

/// A level that is older than so many weeks is not how a pupil is: they are "not seen".
pub const WEEKS: u16 = 6;
/// A picture is held against one that is at least so many weeks older.
pub const BACK_WEEKS: u16 = 4;

/// The circumstances that are counted, where the school keeps them. Whether a child is looked after is for fewer than read
/// the picture; of the others there are too many values, or too few pupils at most schools, to show anything.
pub const TAGS: [TagKind; 4] = [
    TagKind::Sen,
    TagKind::PupilPremium,
    TagKind::Fsm,
    TagKind::ServiceChild,
];

/// What the rows of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Year groups.
    Year,
    /// Those with a circumstance, and the others.
    Tag(TagKind),
}

impl By {
    /// As stored and as sent in addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Year => "year_group",
            Self::Tag(kind) => kind.code(),
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Year => "Year group",
            Self::Tag(kind) => kind.name(),
        }
    }

    /// That of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        if code == Self::Year.code() {
            return Some(Self::Year);
        }
        let kind = TagKind::from_code(code)?;
        TAGS.contains(&kind).then_some(Self::Tag(kind))
    }
}

/// The levels of a check-in, put together so that groups are not too small to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Levels 1 and 2.
    Low,
    /// Level 3.
    Middle,
    /// Levels 4 and 5.
    High,
    /// Nobody checked in within [`WEEKS`].
    NotSeen,
}

impl Band {
    /// In the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Low, Self::Middle, Self::High, Self::NotSeen];

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "Difficulty (1 or 2)",
            Self::Middle => "Mixed (3)",
            Self::High => "Doing well (4 or 5)",
            Self::NotSeen => "Not seen",
        }
    }

    /// That of somebody's latest level.
    pub fn of(level: Option<Level>) -> Self {
        match level.map(u8::from) {
            None => Self::NotSeen,
            Some(1 | 2) => Self::Low,
            Some(3) => Self::Middle,
            Some(_) => Self::High,
        }
    }
}

/// One table, as it was released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What its rows are.
    pub by: By,
    /// What its columns, the bands, are of.
    pub domain: Domain,
    /// Rows, columns and cells.
    pub released: Released,
}

impl Told {
    /// How much a cell moved since an earlier table of the same rows and domain: a difference of two numbers that both were
    /// told, and none where either is hidden or there was no such row.
    pub fn moved(&self, earlier: &Self, row: usize, column: usize) -> Option<i64> {
        let label = self.released.rows.values.get(row)?;
        let was = (earlier.released.rows.values.iter()).position(|other| other == label)?;
        let at = |told: &Self, row: usize| -> Option<i64> {
            let cell: Cell = *told.released.cells.get(row)?.get(column)?;
            cell.count().map(i64::from)
        };
        let same = self.by == earlier.by
            && self.domain == earlier.domain
            && self.released.columns == earlier.released.columns;
        same.then(|| Some(at(self, row)? - at(earlier, was)?))
            .flatten()
    }
}

/// A day's picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// The day in England, 2026-06-18.
    pub day: String,
    /// Whether that is today.
    pub today: bool,
    /// When it was made, RFC 3339 in UTC.
    pub made_at: String,
    /// In the order in which they were released. One that would have uncovered a group is missing.
    pub tables: Vec<Told>,
}

impl Frozen {
    /// One of its tables.
    pub fn table(&self, by: By, domain: Domain) -> Option<&Told> {
        self.tables
            .iter()
            .find(|told| told.by == by && told.domain == domain)
    }

    /// What its tables have as rows.
    pub fn rows(&self) -> Vec<By> {
        let mut rows: Vec<By> = self.tables.iter().map(|told| told.by).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

/// A school of a trust, as its leaders see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct School {
    /// First part of its host name.
    pub label: String,
    /// Its name.
    pub name: String,
    /// The day of its newest picture, 2026-06-18; none where there is none.
    pub day: Option<String>,
    /// Of each domain the whole school's bands and how many pupils there are. All hidden where the school's table was not told.
    pub levels: Vec<(Domain, [Cell; 4], Cell)>,
}

/// Whether the school's picture is for somebody with these roles: who sees every pupil of the school in any case.
pub fn is_for(roles: &[Role]) -> bool {
    crate::pupil::sees_school(roles)
}

/// Whether a trust's leaders see the pictures of its schools. Its clerk does not: clerks see nothing of pupils.
pub fn is_for_trust(roles: &[Role]) -> bool {
    roles
        .iter()
        .any(|role| matches!(role, Role::TrustAdmin | Role::TrustLead))
}

#[cfg(feature = "db")]
pub use queries::{before, make, newest, of_trust};
