//! A seat of the board: a place that somebody holds or nobody, which the instrument of government or the articles provide for.

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use super::term::Term;
use crate::{Refusal, text};

/// Longest name of an appointing body, in characters.
pub const APPOINTED_BY_MOST: u16 = 120;

/// What kind of governor sits there (School Governance (Constitution) (England) Regulations 2012, part 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Elected by parents.
    Parent,
    /// Elected by the staff.
    Staff,
    /// Nominated by the local authority.
    LocalAuthority,
    /// Appointed by the governors for their skills.
    CoOpted,
    /// Appointed by the school's foundation.
    Foundation,
    /// Appointed by the governors where there is no foundation.
    Partnership,
    /// Governor by another office: the head, or the incumbent of a parish.
    ExOfficio,
    /// Sits on committees. Not a governor, and counted in no quorum.
    Associate,
}

impl Category {
    /// Every category, in the order in which pages list them.
    pub const ALL: &[Self] = &[
        Self::Parent,
        Self::Staff,
        Self::LocalAuthority,
        Self::CoOpted,
        Self::Foundation,
        Self::Partnership,
        Self::ExOfficio,
        Self::Associate,
    ];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Staff => "staff",
            Self::LocalAuthority => "local_authority",
            Self::CoOpted => "co_opted",
            Self::Foundation => "foundation",
            Self::Partnership => "partnership",
            Self::ExOfficio => "ex_officio",
            Self::Associate => "associate",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parent => "Parent governor",
            Self::Staff => "Staff governor",
            Self::LocalAuthority => "Local authority governor",
            Self::CoOpted => "Co-opted governor",
            Self::Foundation => "Foundation governor",
            Self::Partnership => "Partnership governor",
            Self::ExOfficio => "Ex officio governor",
            Self::Associate => "Associate member",
        }
    }

    /// The category of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|category| category.code() == code)
    }

    /// Whether who sits there is a governor, and so counts.
    pub const fn is_governor(self) -> bool {
        !matches!(self, Self::Associate)
    }

    /// Whether a term may be without a last day: with the office that it comes from.
    pub const fn may_be_open(self) -> bool {
        matches!(self, Self::ExOfficio)
    }
}

/// One seat, with who holds it on the day and who comes next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Its key.
    pub id: Uuid,
    /// What kind of governor sits there.
    pub category: Category,
    /// Within its category, from 1.
    pub number: u32,
    /// Who elects or appoints: "Parents of the school".
    pub appointed_by: String,
    /// Its first day.
    pub opened_on: Date,
    /// None when it is vacant.
    pub holder: Option<Term>,
    /// The term that begins next, if one is recorded.
    pub next: Option<Term>,
}

impl Seat {
    /// "Parent governor 2".
    pub fn title(&self) -> String {
        title(self.category, self.number)
    }
}

/// "Parent governor 2".
pub fn title(category: Category, number: u32) -> String {
    format!("{} {number}", category.name())
}

/// An appointing body as it is kept; refuses [`Refusal::TextFormat`].
pub fn tidy_appointed_by(typed: &str) -> Result<String, Refusal> {
    text::line(typed, APPOINTED_BY_MOST)
}

#[cfg(feature = "db")]
pub use queries::{close_seat, open_seat};

#[cfg(feature = "db")]
mod queries {
    use time::Date;
    use uuid::Uuid;

    use super::{Category, tidy_appointed_by};
    use crate::{
        Refusal,
        board::keeping::keep,
        db::{Write, refused},
        event::Act,
    };

    /// Adds a seat from a day on, numbered after the others of its category.
    pub async fn open_seat(
        write: &mut Write,
        category: Category,
        appointed_by: &str,
        from: Date,
    ) -> Result<(Uuid, Act), Refusal> {
        keep(write)?;
        let appointed_by = tidy_appointed_by(appointed_by)?;
        let tenant = write.standing.tenant;
        let row = sqlx::query!(
            "insert into seat (tenant_id, category, number, appointed_by, opened_on)
             select $1, $2, coalesce(max(number), 0) + 1, $3, $4 from seat where tenant_id = $1 and category = $2
             returning id, number",
            tenant,
            category.code(),
            appointed_by,
            from
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        Ok((row.id, Act::seat_opened(row.id, category, row.number, from)))
    }

    /// Takes a seat away from a day on. Refuses [`Refusal::SeatHeld`] while somebody holds it on that day or later.
    pub async fn close_seat(write: &mut Write, seat: Uuid, on: Date) -> Result<Act, Refusal> {
        let tenant = write.standing.tenant;
        let row = sqlx::query!(
            "select opened_on, closed_on from seat where tenant_id = $1 and id = $2",
            tenant,
            seat
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        keep(write)?;
        if row.closed_on.is_some() {
            return Err(Refusal::Stale);
        }
        if on < row.opened_on {
            return Err(Refusal::DatesOrder);
        }
        let done = sqlx::query!(
            "update seat set closed_on = $3 where tenant_id = $1 and id = $2 and closed_on is null",
            tenant,
            seat,
            on
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if done.rows_affected() == 0 {
            return Err(Refusal::Stale);
        }
        Ok(Act::seat_closed(seat, on))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_back_to_its_category_and_only_ex_officio_has_no_end() {
        for category in Category::ALL {
            assert_eq!(Category::from_code(category.code()), Some(*category));
            assert_eq!(category.may_be_open(), *category == Category::ExOfficio);
            assert_eq!(category.is_governor(), *category != Category::Associate);
        }
        assert_eq!(Category::from_code("governor"), None);
        assert_eq!(title(Category::CoOpted, 3), "Co-opted governor 3");
    }
}
