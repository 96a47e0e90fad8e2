//! What parents read: words that somebody put on record for one child, once the time is over in which they could be taken back unseen.
//!
//! A parent sees those words, when it happened, and who wrote them. No record, no other child, and no sign of anything that is not there.

mod parent;
mod put;
mod rule;

use serde::{Deserialize, Serialize};

use super::record::Kind;

pub use parent::{ChildTrend, Entry, Weeks};
#[cfg(feature = "db")]
pub use parent::{child_trend, for_parent, state_to, who_to_talk_to};
pub use put::{Preview, Put, State};
#[cfg(feature = "db")]
pub use put::{fit, of_pupil, preview, put_on_record, take_back, take_off_record};
pub use rule::{COOLING_MOST, Rule, TALK_TO_MOST};
#[cfg(feature = "db")]
pub use rule::{rule, set_rule};

/// Longest words on record, and longest statement of a parent, in characters.
pub const WORDS_MOST: u16 = 2000;

/// What a parent reads of an entry: the same in the author's preview and on the parent's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What kind of record it comes from.
    pub kind: Kind,
    /// When it happened, RFC 3339 in UTC.
    pub happened_at: String,
    /// Word for word.
    pub words: String,
    /// Who put it on record, by name.
    pub by: String,
}
