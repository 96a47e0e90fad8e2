//! A suspension from the meetings of the board, by its own resolution: another thing than a sign-in that is suspended.

use time::Date;

use crate::day;

/// How long the board may suspend a governor from its meetings, in months (2013 Regulations, regulation 17).
pub const SUSPENDED_MOST: u16 = 6;

/// The last day on which a suspension may end that begins on a day: six months less a day later.
pub fn suspended_until_most(from: Date) -> Date {
    day::before(day::months_after(from, SUSPENDED_MOST))
}

#[cfg(feature = "db")]
pub use queries::{reinstate, suspend_from_meetings};

#[cfg(feature = "db")]
mod queries {
    use time::Date;
    use uuid::Uuid;

    use super::suspended_until_most;
    use crate::{
        Refusal,
        board::term::{covers, lock},
        db::{Write, refused},
        event::Act,
    };

    /// Records that the board suspended somebody from its meetings, from today to a day (2013 Regulations, regulation 17). They
    /// may sign in as before.
    ///
    /// Refuses more than six months, and somebody who is not in post.
    pub async fn suspend_from_meetings(
        write: &mut Write,
        term: Uuid,
        until: Date,
        today: Date,
    ) -> Result<Act, Refusal> {
        let held = lock(write, term).await?;
        if !covers(held.from, held.to, today) {
            return Err(Refusal::NotInPost);
        }
        if held.suspended_until.is_some_and(|day| day >= today) {
            return Err(Refusal::Stale);
        }
        if until < today || until > suspended_until_most(today) {
            return Err(Refusal::SuspensionLength);
        }
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update term set suspended_on = $3, suspended_until = $4 where tenant_id = $1 and id = $2",
            tenant,
            term,
            today,
            until
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::term_suspended(held.whom, term, today, until))
    }

    /// Ends a suspension from meetings. The log keeps that there was one.
    pub async fn reinstate(write: &mut Write, term: Uuid, today: Date) -> Result<Act, Refusal> {
        let held = lock(write, term).await?;
        if held.suspended_until.is_none_or(|day| day < today) {
            return Err(Refusal::Stale);
        }
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update term set suspended_on = null, suspended_until = null where tenant_id = $1 and id = $2",
            tenant,
            term
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::term_reinstated(held.whom, term))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn a_suspension_lasts_six_months_at_most() {
        assert_eq!(
            suspended_until_most(date!(2026 - 06 - 18)),
            date!(2026 - 12 - 17)
        );
        assert_eq!(
            suspended_until_most(date!(2026 - 08 - 31)),
            date!(2027 - 02 - 27)
        );
    }
}
