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

#[cfg(feature = "db")]
pub use queries::{
    choose_chair, close_committee, join_committee, leave_committee, open_committee,
    rename_committee, set_remit,
};

#[cfg(feature = "db")]
mod queries {
    use time::Date;
    use uuid::Uuid;

    use super::{REMIT_MOST, check_quorum, tidy_name};
    use crate::{
        MembershipId, Refusal,
        board::keeping::{keep, look, whom},
        db::{Write, refused},
        event::Act,
        text,
    };

    /// Adds a committee. Refuses a name that another open one has.
    pub async fn open_committee(
        write: &mut Write,
        name: &str,
        remit: &str,
        quorum: u32,
    ) -> Result<(Uuid, Act), Refusal> {
        keep(write)?;
        let (name, remit) = (tidy_name(name)?, text::block(remit, REMIT_MOST)?);
        let quorum = check_quorum(quorum)?;
        let tenant = write.standing.tenant;
        let id = sqlx::query_scalar!(
            "insert into committee (tenant_id, name, remit, quorum) values ($1, $2, $3, $4) returning id",
            tenant,
            name,
            remit,
            stored(quorum)
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        Ok((id, Act::committee_opened(id, quorum)))
    }

    /// Gives a committee another name.
    pub async fn rename_committee(
        write: &mut Write,
        committee: Uuid,
        name: &str,
    ) -> Result<Act, Refusal> {
        let name = tidy_name(name)?;
        let found = lock(write, committee).await?;
        if found.name == name {
            return Err(Refusal::Stale);
        }
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update committee set name = $3 where tenant_id = $1 and id = $2",
            tenant,
            committee,
            name
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::committee_renamed(committee))
    }

    /// Says what a committee is for and how many make its quorum.
    pub async fn set_remit(
        write: &mut Write,
        committee: Uuid,
        remit: &str,
        quorum: u32,
    ) -> Result<Act, Refusal> {
        let (remit, quorum) = (text::block(remit, REMIT_MOST)?, check_quorum(quorum)?);
        let found = lock(write, committee).await?;
        if found.remit == remit && found.quorum == stored(quorum) {
            return Err(Refusal::Stale);
        }
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update committee set remit = $3, quorum = $4 where tenant_id = $1 and id = $2",
            tenant,
            committee,
            remit,
            stored(quorum)
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::committee_remit_set(committee, quorum))
    }

    /// Closes a committee today; the places on it end with the day. What it was stays on record.
    pub async fn close_committee(
        write: &mut Write,
        committee: Uuid,
        today: Date,
    ) -> Result<Act, Refusal> {
        lock(write, committee).await?;
        let tenant = write.standing.tenant;
        let places = sqlx::query_scalar!(
            r#"select count(*) as "count!" from committee_place
               where tenant_id = $1 and committee_id = $2 and coalesce(upper(during) > $3::date + 1, true)"#,
            tenant,
            committee,
            today
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "update committee set closed_on = $3 where tenant_id = $1 and id = $2",
            tenant,
            committee,
            today
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let places = u32::try_from(places).unwrap_or(u32::MAX);
        Ok(Act::committee_closed(committee, today, places))
    }

    /// Puts somebody on a committee, from today or an earlier day. Refuses who sits on it in that time or was removed.
    pub async fn join_committee(
        write: &mut Write,
        committee: Uuid,
        person: MembershipId,
        from: Date,
        to: Option<Date>,
        today: Date,
    ) -> Result<(Uuid, Act), Refusal> {
        let found = lock(write, committee).await?;
        let whom = whom(write, person).await?;
        if from > today {
            return Err(Refusal::DayAhead);
        }
        if to.is_some_and(|to| to < from) {
            return Err(Refusal::DatesOrder);
        }
        let tenant = write.standing.tenant;
        let place = sqlx::query_scalar!(
            "insert into committee_place (tenant_id, committee_id, membership_id, during)
             values ($1, $2, $3, daterange($4, $5, '[]')) returning id",
            tenant,
            committee,
            person,
            from,
            to
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        // Who comes back is no chair for having been one.
        if found.chair == Some(person) {
            seat_chair(write, committee, None).await?;
        }
        Ok((
            place,
            Act::committee_joined(whom, committee, place, from, to),
        ))
    }

    /// Ends somebody's place on a committee with a last day. Refuses a day before its first or after its last.
    pub async fn leave_committee(
        write: &mut Write,
        place: Uuid,
        last: Date,
        today: Date,
    ) -> Result<Act, Refusal> {
        let tenant = write.standing.tenant;
        let sits = sqlx::query!(
            "select committee_id, membership_id from committee_place where tenant_id = $1 and id = $2",
            tenant,
            place
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let found = lock(write, sits.committee_id).await?;
        if sits.membership_id == write.standing.membership {
            return Err(Refusal::OwnPlace);
        }
        let (whom, _) = look(write, sits.membership_id).await?;
        let days = sqlx::query!(
            r#"select lower(during) as "from!", upper(during) - 1 as "to?" from committee_place
               where tenant_id = $1 and id = $2 for update"#,
            tenant,
            place
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::Stale)?;
        if last < days.from {
            return Err(Refusal::DatesOrder);
        }
        match days.to {
            Some(to) if last > to => return Err(Refusal::TermLonger),
            Some(to) if last == to => return Err(Refusal::Stale),
            _ => {}
        }
        sqlx::query!(
            "update committee_place set during = daterange(lower(during), $3, '[]') where tenant_id = $1 and id = $2",
            tenant,
            place,
            last
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if last <= today && found.chair == Some(sits.membership_id) {
            seat_chair(write, sits.committee_id, None).await?;
        }
        Ok(Act::committee_left(whom, sits.committee_id, place, last))
    }

    /// Says who leads a committee, or that nobody does. Refuses [`Refusal::NotOnCommittee`] for who does not sit on it today.
    pub async fn choose_chair(
        write: &mut Write,
        committee: Uuid,
        chair: Option<MembershipId>,
        today: Date,
    ) -> Result<Act, Refusal> {
        let found = lock(write, committee).await?;
        if found.chair == chair {
            return Err(Refusal::Stale);
        }
        if let Some(person) = chair {
            let tenant = write.standing.tenant;
            let sits = sqlx::query_scalar!(
                r#"select exists (select from committee_place where tenant_id = $1 and committee_id = $2 and membership_id = $3
                     and during @> $4::date) as "sits!""#,
                tenant,
                committee,
                person,
                today
            )
            .fetch_one(write.connection())
            .await
            .map_err(refused)?;
            if !sits {
                return Err(Refusal::NotOnCommittee);
            }
        }
        seat_chair(write, committee, chair).await?;
        Ok(Act::committee_chair_chosen(committee, chair))
    }

    async fn seat_chair(
        write: &mut Write,
        committee: Uuid,
        chair: Option<MembershipId>,
    ) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update committee set chair = $3 where tenant_id = $1 and id = $2",
            tenant,
            committee,
            chair
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    struct Found {
        name: String,
        remit: String,
        quorum: i32,
        chair: Option<MembershipId>,
    }

    /// Reads a committee and keeps it still until the act is done. Refuses [`Refusal::CommitteeClosed`].
    async fn lock(write: &mut Write, committee: Uuid) -> Result<Found, Refusal> {
        let tenant = write.standing.tenant;
        // Without `for update`: the row policies of an update would hide from a reader what they do see.
        sqlx::query!(
            "select id from committee where tenant_id = $1 and id = $2",
            tenant,
            committee
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        keep(write)?;
        let row = sqlx::query!(
            "select name, remit, quorum, chair, closed_on from committee where tenant_id = $1 and id = $2 for update",
            tenant,
            committee
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::Stale)?;
        if row.closed_on.is_some() {
            return Err(Refusal::CommitteeClosed);
        }
        Ok(Found {
            name: row.name,
            remit: row.remit,
            quorum: row.quorum,
            chair: row.chair,
        })
    }

    fn stored(quorum: u32) -> i32 {
        i32::try_from(quorum).unwrap_or(i32::MAX)
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
