//! Hides groups smaller than five in tables about children, so that nobody can undo it by arithmetic: not within one table, not
//! with all tables of the day together.
//!
//! A table that stands alone is released by [`Table::release`], tables about the same pupils by one [`Ledger`] a day. What may be
//! read is a [`Released`], and everything shown of it (page, CSV, picture, label read aloud) is made from its [`Cell`]s.
//!
//! # What is promised
//! Of every hidden number, all released tables together leave open at least two values that are [`WIDTH`] apart, of which the
//! true one is one or lies between them. The ledger does not argue this, it shows it: for every hidden number it finds another
//! school, pupil by pupil, that would have published exactly the same tables, and in which that number differs. It is counted in
//! whole numbers before it is believed; where none is found, more is hidden, and where nothing more can be hidden the table is
//! refused.
//!
//! # What is small
//! A count of 0 to 4, nought included: "none of your pupils with a plan enjoys school" is a statement about each of them. So is
//! the other side of it where its group is told: 28 of 30 tells of the other two. A complement is a statement about persons when
//! both the group and what it is part of are shown: a cell of its row, a cell of its column, a row of the whole, and a part of the
//! school that a table is confined to, of the same table for the whole school.
//!
//! # What is not guarded
//! - Pictures of different days are of different pupils. Whoever compares them learns how the shown numbers moved. Freezing once
//!   a day keeps one child's check-in from being seen at the minute it is made; [`Ledger::after`] keeps a group hidden that was so
//!   in an earlier picture while the numbers around it have hardly moved. Nothing keeps a group from being told that has grown
//!   from 4 to 5 while its year grew by five others too.
//! - A reader who knows some of the pupils can subtract them. No rule about numbers helps there.
//! - What is hidden, and that a table is refused, depends on the numbers: it tells that there is a small group somewhere.
//! - Schools of a trust have a ledger each. Across them only [`Cell::sum`] may add.
//! - Groups that no table asked for are not searched for, other than complements.

mod grid;
mod ledger;
mod picture;
mod school;
mod simplex;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod trial;

pub use ledger::Ledger;
pub use picture::Picture;
pub use table::{Dimension, Released, Share, Table};

use serde::{Deserialize, Serialize};

/// A group of fewer pupils is small. Five is what schools are promised; the law names no number.
pub const SMALL: u32 = 5;

/// What a reader can find out of a hidden number leaves at least two values open that are so far apart.
pub const WIDTH: u32 = 5;

/// Hidden numbers of one line of which the total is shown come to at least this: two of them could be four each.
pub const TOGETHER: u32 = 10;

/// One number of a released table. Hidden is hidden: whether for itself or to protect another is nowhere told, nor how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<u32>", into = "Option<u32>")]
pub enum Cell {
    /// So many pupils.
    Shown(u32),
    /// Fewer than five, or hidden to protect others.
    Hidden,
}

impl Cell {
    /// What stands in place of every hidden number.
    pub const MARKER: &str = "–";

    /// As it stands in a page, a picture or a CSV.
    pub fn text(self) -> String {
        self.count()
            .map_or_else(|| Self::MARKER.to_owned(), |count| count.to_string())
    }

    /// As it is read aloud.
    pub fn spoken(self) -> String {
        self.count().map_or_else(
            || "hidden: fewer than five, or hidden to protect others".to_owned(),
            |count| count.to_string(),
        )
    }

    /// A sum of what is shown, and hidden where anything of it is: so a trust adds up its schools, and so whoever sees several
    /// tables would. A total that was counted apart would give away what one school hides.
    pub fn sum(cells: impl IntoIterator<Item = Self>) -> Self {
        (cells.into_iter())
            .try_fold(0_u32, |sum, cell| sum.checked_add(cell.count()?))
            .into()
    }

    /// The number, where it is shown.
    pub const fn count(self) -> Option<u32> {
        match self {
            Self::Shown(count) => Some(count),
            Self::Hidden => None,
        }
    }
}

impl From<Option<u32>> for Cell {
    fn from(count: Option<u32>) -> Self {
        count.map_or(Self::Hidden, Self::Shown)
    }
}

impl From<Cell> for Option<u32> {
    fn from(cell: Cell) -> Self {
        cell.count()
    }
}

/// Why a table is not released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// A number would be known that this table or an earlier one hides.
    #[error(
        "This table would let somebody work out a small group that is hidden. Ask for larger groups, or for fewer of them."
    )]
    Uncovers,
    /// Not settled within the work that one table may take: not released, for it may uncover.
    #[error("This table is too fine to be checked. Ask for larger groups, or for fewer of them.")]
    TooFine,
    /// Counts differ from those of the picture, or are not as many as the labels.
    #[error(
        "This table is not about the same pupils as the others of that day. Make it from the same picture."
    )]
    OtherPupils,
    /// A row, column or group that the picture does not have, or one thing twice.
    #[error(
        "This table asks for something that the picture of that day does not hold. Choose from what it holds."
    )]
    NotInPicture,
    /// Two measures in one table.
    #[error("A table can tell of one measure at a time. Ask for two tables.")]
    TwoMeasures,
}
