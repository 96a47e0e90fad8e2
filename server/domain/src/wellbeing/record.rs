//! What is put down about how pupils are doing, and by whom: check-ins, observations, conversations, plans, interventions, scores.
//!
//! When something happened stands beside when it was put down, and nothing is overwritten: a change or a withdrawal is a new version
//! with its reason. A record may be about several pupils; each has a part in it, and words of their own that only those read who may
//! see that pupil.

#[cfg(feature = "db")]
mod draft;
#[cfg(feature = "db")]
mod keeping;
#[cfg(feature = "db")]
mod version;

use serde::{Deserialize, Serialize};

use super::instrument;
use crate::MembershipId;

/// Most pupils of one record, and of one row of check-ins.
pub const PUPILS_MOST: u16 = 40;
/// Longest text of a record, in characters.
pub const BODY_MOST: u16 = 4000;
/// Longest words about one pupil's own part, in characters.
pub const WORDS_MOST: u16 = 2000;
/// Longest aim, or account of what is done, in characters.
pub const LINE_MOST: u16 = 500;
/// Longest list of those one spoke with, in characters.
pub const WITH_MOST: u16 = 200;
/// Most sessions of an intervention.
pub const SESSIONS_MOST: u16 = 400;

/// What kind of record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Levels on the scale, with or without a note.
    CheckIn,
    /// What somebody saw.
    Observation,
    /// Something done for a while to change something.
    Intervention,
    /// What was said, and with whom.
    Conversation,
    /// What is to be done.
    Plan,
    /// Scores of an instrument of others.
    Instrument,
}

impl Kind {
    /// Every kind, in the order in which pages list them.
    pub const ALL: &[Self] = &[
        Self::CheckIn,
        Self::Observation,
        Self::Conversation,
        Self::Plan,
        Self::Intervention,
        Self::Instrument,
    ];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CheckIn => "check_in",
            Self::Observation => "observation",
            Self::Intervention => "intervention",
            Self::Conversation => "conversation",
            Self::Plan => "plan",
            Self::Instrument => "instrument",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CheckIn => "Check-in",
            Self::Observation => "Observation",
            Self::Intervention => "Intervention",
            Self::Conversation => "Conversation",
            Self::Plan => "Plan",
            Self::Instrument => "Scores of an instrument",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// The part somebody had in what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// It is about them.
    Subject,
    /// It was done to them.
    Harmed,
    /// They did it.
    Caused,
    /// They saw it.
    Witness,
    /// Anything else.
    Other,
}

impl Part {
    /// Every part, in the order in which they are offered.
    pub const ALL: &[Self] = &[
        Self::Subject,
        Self::Harmed,
        Self::Caused,
        Self::Witness,
        Self::Other,
    ];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Harmed => "harmed",
            Self::Caused => "caused",
            Self::Witness => "witness",
            Self::Other => "other",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subject => "It is about them",
            Self::Harmed => "Was harmed",
            Self::Caused => "Caused it",
            Self::Witness => "Saw it",
            Self::Other => "Had another part",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|part| part.code() == code)
    }
}

/// What a record says beside its text, by its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of")]
pub enum Detail {
    /// Nothing: a check-in, an observation.
    Plain {},
    /// See [`converse`].
    Conversation {
        /// Whom one spoke with.
        with: String,
    },
    /// See [`plan`].
    Plan {
        /// When somebody looks at it again, 2026-06-18.
        review_on: Option<String>,
    },
    /// See [`intervene`].
    Intervention(Intervention),
    /// See [`enter_scores`].
    Instrument(Sheet),
}

impl Detail {
    /// With every text in it passed through `change`.
    #[must_use]
    pub fn map(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Conversation { with } => Self::Conversation {
                with: change(&with),
            },
            Self::Intervention(one) => Self::Intervention(Intervention {
                aim: change(&one.aim),
                what: change(&one.what),
                ..one
            }),
            other => other,
        }
    }

    #[cfg(feature = "db")]
    const fn fits(&self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Self::Plain {}, Kind::CheckIn | Kind::Observation)
                | (Self::Conversation { .. }, Kind::Conversation)
                | (Self::Plan { .. }, Kind::Plan)
                | (Self::Intervention(_), Kind::Intervention)
                | (Self::Instrument(_), Kind::Instrument)
        )
    }
}

/// Something done for a while to change something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervention {
    /// What it is to change.
    pub aim: String,
    /// What is done.
    pub what: String,
    /// Who does it, where it is somebody of the school.
    pub by: Option<MembershipId>,
    /// How many times.
    pub sessions: Option<u16>,
    /// Its first day, 2026-06-18.
    pub starts: String,
    /// When somebody looks at it again.
    pub review_on: Option<String>,
    /// Its last day, once it is known.
    pub ends: Option<String>,
}

/// What was entered of an instrument: no item of it, only scores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Code of an instrument of the table; none for another one.
    pub code: Option<String>,
    /// The instrument.
    pub name: String,
    /// Its version and norms; scores are compared within one only.
    pub version: String,
    /// Who answered it.
    pub informant: instrument::Informant,
    /// When, 2026-06-18.
    pub on: String,
    /// Each sub-scale, and the total where it could be checked.
    pub scales: Vec<Scaled>,
}

/// One sub-scale of a [`Sheet`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scaled {
    /// Its name.
    pub name: String,
    /// In tenths of a point.
    pub points: instrument::Points,
    /// The verified band at the time; none where none is verified.
    pub band: Option<String>,
}

#[cfg(feature = "db")]
pub(crate) use draft::reason_of;
#[cfg(feature = "db")]
pub use draft::{Checked, Course, Linked, New, Of, Revision, intervention, sheet, with};
#[cfg(feature = "db")]
pub use keeping::{check_in, converse, enter_scores, intervene, observe, plan};
#[cfg(feature = "db")]
pub(crate) use version::parents;
#[cfg(feature = "db")]
pub use version::{revise, withdraw};
