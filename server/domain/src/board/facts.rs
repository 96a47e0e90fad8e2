//! What the board knows of one person: terms past, now and to come, committees, declarations, checks.

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use super::{Category, Checks, Declaration, Term, Why};

/// Everything, as far as the reader may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The newest first.
    pub terms: Vec<Post>,
    /// The newest first.
    pub committees: Vec<Sat>,
    /// The newest first; that one counts.
    pub declarations: Vec<Declaration>,
    /// None for readers to whom they are not shown, which says nothing of whether there are any.
    pub checks: Option<Checks>,
    /// None for readers to whom it is not shown, and when none is given.
    pub phone: Option<String>,
}

impl Facts {
    /// The term that the person is in on the day.
    pub fn term_on(&self, day: Date) -> Option<&Post> {
        self.terms.iter().find(|post| post.term.covers(day))
    }
}

/// A term of the person, with its seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// The seat's key.
    pub seat: Uuid,
    /// The seat's category.
    pub category: Category,
    /// The seat's number.
    pub number: u32,
    /// Who elected or appointed them.
    pub appointed_by: String,
    /// Its days.
    pub term: Term,
    /// Why it ended or is going to, if it was said.
    pub ended_why: Option<Why>,
}

impl Post {
    /// "Parent governor 2".
    pub fn title(&self) -> String {
        super::seat::title(self.category, self.number)
    }
}

/// A committee on which the person sits or sat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sat {
    /// The key of their place on it.
    pub place: Uuid,
    /// The committee's key.
    pub committee: Uuid,
    /// Its name.
    pub name: String,
    /// Whether they lead it.
    pub chairs: bool,
    /// The first day.
    pub from: Date,
    /// The last day, which still counts; none until it is said.
    pub to: Option<Date>,
}
