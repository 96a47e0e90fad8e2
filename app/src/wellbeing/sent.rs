//! What the forms of records send, as it was typed: the fields that several of them have.

use serde::{Deserialize, Serialize};

/// Whom a new record is about, when it happened and its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// On whose page it was written.
    pub pupil: String,
    /// The day; empty for today.
    #[serde(default)]
    pub happened_at: String,
    /// The time of the day; may be empty.
    #[serde(default)]
    pub time: String,
    /// The text that all of the pupils share.
    #[serde(default)]
    pub body: String,
    /// The part that the pupil had.
    #[serde(default)]
    pub part: String,
    /// About the pupil's own part.
    #[serde(default)]
    pub words: String,
    /// The other pupils by name; empty rows count for nothing.
    #[serde(default)]
    pub other: Vec<String>,
    /// The part of each.
    #[serde(default)]
    pub other_part: Vec<String>,
    /// About each one's own part.
    #[serde(default)]
    pub other_words: Vec<String>,
}

/// An intervention. A plan has its review and nothing else of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Course {
    /// What it is to change.
    pub aim: String,
    /// What is done.
    pub what: String,
    /// Who does it; empty for nobody of the school.
    pub by: String,
    /// How many times; may be empty.
    pub sessions: String,
    /// Its first day; empty for today.
    pub starts: String,
    /// When somebody looks at it again; may be empty.
    pub review_on: String,
    /// Its last day; may be empty.
    pub ends: String,
}
