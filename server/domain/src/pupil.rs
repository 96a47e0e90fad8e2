//! Pupils: who they are and who may see them. A teacher sees those of their caseload while it lasts, and for an hour one whom they
//! gave a reason to look up; the SENCO, senior leaders and administrators see the school. Nobody else sees any.

pub mod access;
pub mod caseload;
pub mod code;
pub mod duty;
mod fault;
pub mod field;
pub mod group;
pub mod guardian;
#[cfg(feature = "db")]
mod roll;
pub mod rollover;
#[cfg(feature = "db")]
mod seen;
#[cfg(feature = "db")]
pub(crate) mod statistics;
pub mod tag;
pub mod unusual;
pub mod upn;
pub mod year;

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use crate::role::Role;
use year::YearGroup;

pub use fault::Fault;
#[cfg(feature = "db")]
pub(crate) use fault::refusal_of;
#[cfg(feature = "db")]
pub use roll::{add, come_back, correct, leave, remove};
#[cfg(feature = "db")]
pub use seen::{list, look, look_over, names, years};

/// Rows on one page of a list of pupils.
pub const ROWS: usize = 100;

/// Whether somebody with these roles sees every pupil of the school.
pub fn sees_school(roles: &[Role]) -> bool {
    roles
        .iter()
        .any(|role| matches!(role, Role::SchoolAdmin | Role::SeniorLeader | Role::Senco))
}

/// Whether somebody with these roles has a caseload.
pub fn has_caseload(roles: &[Role]) -> bool {
    roles
        .iter()
        .any(|role| matches!(role, Role::Teacher | Role::TeachingAssistant))
}

/// Whether pupils are anything to them at all.
pub fn is_for(roles: &[Role]) -> bool {
    sees_school(roles) || has_caseload(roles)
}

/// Whether they keep the roll: add, correct, take off.
pub fn keeps(roles: &[Role]) -> bool {
    roles.contains(&Role::SchoolAdmin)
}

/// Refuses who does not keep the roll, before the row policies refuse them again.
#[cfg(feature = "db")]
pub(crate) fn keep(roles: &[Role]) -> Result<(), crate::Refusal> {
    if keeps(roles) {
        Ok(())
    } else {
        Err(crate::Refusal::NotAllowed)
    }
}

/// A pupil in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pupil {
    /// Their key here.
    pub id: Uuid,
    /// In law.
    pub first_name: String,
    /// In law.
    pub last_name: String,
    /// What they are called, where that is another name.
    pub preferred_name: Option<String>,
    /// The National Curriculum year they are taught in.
    pub year: YearGroup,
    /// Their registration group today.
    pub registration: Option<String>,
    /// The first day on which they were no pupil here any more.
    pub left_on: Option<Date>,
}

impl Pupil {
    /// As one speaks of them: "Dominika Wiśniewska".
    pub fn called(&self) -> String {
        let first = self.preferred_name.as_deref().unwrap_or(&self.first_name);
        format!("{first} {}", self.last_name)
    }

    /// First letters, for the round mark beside the name.
    pub fn initials(&self) -> String {
        crate::membership::initials(&self.called())
    }
}

/// All that the school's own sheet says of a pupil.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// As in a list.
    pub pupil: Pupil,
    /// Date of birth.
    pub born: Date,
    /// As recorded; none where it was not.
    pub sex: Option<code::Sex>,
    /// None while one is awaited.
    pub upn: Option<upn::Upn>,
    /// The school's own number for them.
    pub admission_number: Option<String>,
    /// The groups they are in today.
    pub groups: Vec<group::Named>,
}

/// What is typed of a pupil.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// In law.
    pub first_name: String,
    /// In law.
    pub last_name: String,
    /// Empty for none.
    pub preferred_name: String,
    /// A date as people type it.
    pub born: String,
    /// Empty for not recorded.
    pub sex: String,
    /// A year group as people write it.
    pub year: String,
    /// Empty while one is awaited.
    pub upn: String,
    /// Empty for none.
    pub admission_number: String,
}

/// Which pupils a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The caller's own caseload.
    Mine,
    /// All that the caller sees.
    Seen,
}

/// What a list is narrowed to; everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Parts of a name.
    pub words: String,
    /// Of this year group.
    pub year: Option<YearGroup>,
    /// In this group today.
    pub group: Option<Uuid>,
    /// Those who left, and only them.
    pub left: bool,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// By surname and first name, at most [`ROWS`].
    pub rows: Vec<Pupil>,
    /// How many match.
    pub matching: usize,
}

/// By what right somebody sees a pupil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// They teach them.
    Caseload,
    /// They see the school.
    Role,
    /// They gave a reason, less than an hour ago.
    Reason,
}

impl Basis {
    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Caseload => "caseload",
            Self::Role => "role",
            Self::Reason => "reason",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caseload => "On their caseload",
            Self::Role => "By their role",
            Self::Reason => "For a reason they gave",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Caseload, Self::Role, Self::Reason]
            .into_iter()
            .find(|basis| basis.code() == code)
    }
}
