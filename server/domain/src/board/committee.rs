//! A committee of the board, and who sits on it.

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use super::Named;
use crate::{Refusal, text};

/// Longest name, in characters.
pub const NAME_MOST: u16 = 120;

/// Longest remit, in characters.
pub const REMIT_MOST: u16 = 4000;

/// The least quorum of a committee: three governors who are members of it (2013 Regulations, regulation 26).
pub const QUORUM_LEAST: u32 = 3;

/// More than any board has members: a larger number was mistyped.
pub const QUORUM_MOST: u32 = 100;

/// One committee, with who sits on it on the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committee {
    /// Its key.
    pub id: Uuid,
    /// Its name; no two open ones have the same.
    pub name: String,
    /// What it is for, as the board decided. May be empty.
    pub remit: String,
    /// How many governors must be present.
    pub quorum: u32,
    /// Who leads it.
    pub chair: Option<Named>,
    /// By name.
    pub members: Vec<Place>,
}

impl Committee {
    /// How many of its members are governors. Before a vote they must be the majority of those present.
    pub fn governors(&self) -> u32 {
        super::count(self.members.iter().filter(|place| place.governor))
    }
}

/// Somebody's place on a committee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its key.
    pub id: Uuid,
    /// Who sits there.
    pub person: Named,
    /// The first day.
    pub from: Date,
    /// The last day, which still counts; none until it is said.
    pub to: Option<Date>,
    /// Whether they hold a governor's seat on that day; associate members do not.
    pub governor: bool,
}

/// A committee's name as it is kept; refuses [`Refusal::CommitteeName`].
pub fn tidy_name(typed: &str) -> Result<String, Refusal> {
    text::line(typed, NAME_MOST).map_err(|_| Refusal::CommitteeName)
}

/// A committee's quorum; refuses [`Refusal::CommitteeQuorum`].
pub fn check_quorum(quorum: u32) -> Result<u32, Refusal> {
    if (QUORUM_LEAST..=QUORUM_MOST).contains(&quorum) {
        Ok(quorum)
    } else {
        Err(Refusal::CommitteeQuorum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_committees_name_is_of_one_to_a_hundred_and_twenty_letters_of_any_language() {
        for good in ["P", "Pay", "لجنة المال", "Teaching 👩‍🏫", &"x".repeat(120)] {
            assert_eq!(tidy_name(good).as_deref(), Ok(good));
        }
        for bad in ["", " ", "a\u{202e}yaP", &"x".repeat(121), &"x".repeat(200)] {
            assert_eq!(tidy_name(bad), Err(Refusal::CommitteeName), "{bad:?}");
        }
    }

    #[test]
    fn a_committees_quorum_is_never_less_than_three() {
        assert_eq!(check_quorum(3), Ok(3));
        for bad in [0, 2, 101, u32::MAX] {
            assert_eq!(check_quorum(bad), Err(Refusal::CommitteeQuorum));
        }
    }
}
