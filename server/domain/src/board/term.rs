//! A term of office: who holds a seat, and from which day to which.

use serde::{Deserialize, Serialize};
use time::{Date, Duration};
use uuid::Uuid;

use super::{Category, Named, Rule, SOON};
use crate::{Refusal, day};

/// How long a term is unless it is said otherwise, in years (School Governance (Constitution) (England) Regulations 2012; model
/// articles of academies).
pub const YEARS: u16 = 4;

/// Why a term ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its time was over.
    TermEnded,
    /// By their own wish.
    Resigned,
    /// By those who appointed them, or the board.
    Removed,
    /// By law (2012 Regulations, on qualification and disqualification).
    Disqualified,
    /// They died in office.
    Died,
    /// Anything else, such as leaving the post that it came with.
    Other,
}

impl Why {
    /// Every reason, in the order in which pages list them.
    pub const ALL: &[Self] = &[
        Self::TermEnded,
        Self::Resigned,
        Self::Removed,
        Self::Disqualified,
        Self::Died,
        Self::Other,
    ];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TermEnded => "term ended",
            Self::Resigned => "resigned",
            Self::Removed => "removed",
            Self::Disqualified => "disqualified",
            Self::Died => "died",
            Self::Other => "other",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TermEnded => "Term ended",
            Self::Resigned => "Resigned",
            Self::Removed => "Removed from office",
            Self::Disqualified => "Disqualified",
            Self::Died => "Died in office",
            Self::Other => "Another reason",
        }
    }

    /// The reason of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|why| why.code() == code)
    }
}

/// One term of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Its key.
    pub id: Uuid,
    /// Who holds the seat.
    pub person: Named,
    /// Its first day.
    pub from: Date,
    /// Its last day, which still counts; none for an office that has no end.
    pub to: Option<Date>,
    /// First and last day of a suspension from meetings. Another thing than a sign-in that is suspended.
    pub suspended: Option<(Date, Date)>,
}

impl Term {
    /// Whether the person is in post on the day.
    pub fn covers(&self, day: Date) -> bool {
        covers(self.from, self.to, day)
    }

    /// Whether the person is suspended from meetings on the day.
    pub fn is_suspended(&self, day: Date) -> bool {
        self.suspended
            .is_some_and(|(from, to)| covers(from, Some(to), day))
    }

    /// Whether the term ends on the day or within the [`SOON`] days after it.
    pub fn ends_soon(&self, day: Date) -> bool {
        self.to.is_some_and(|to| {
            self.covers(day)
                && to
                    .checked_sub(Duration::days(SOON))
                    .is_none_or(|d| d <= day)
        })
    }
}

/// Whether a time with these first and last days holds the day. The last day counts: a term that ends at midnight of the day of
/// a meeting is still one at the meeting.
pub fn covers(from: Date, to: Option<Date>, day: Date) -> bool {
    from <= day && to.is_none_or(|to| day <= to)
}

/// The last day of a term that begins on a day, unless it is said otherwise: four years less a day; none for ex officio.
pub fn last_day(category: Category, from: Date) -> Option<Date> {
    (!category.may_be_open()).then(|| day::before(day::years_after(from, YEARS)))
}

/// The days of a term that is to be recorded. Without a last day it is [`last_day`].
///
/// Refuses a last day before the first, and in a maintained school a term of more than four years (2012 Regulations: four
/// years, or less where the instrument of government says so).
pub fn check_days(
    rule: Rule,
    category: Category,
    from: Date,
    to: Option<Date>,
) -> Result<Option<Date>, Refusal> {
    let usual = last_day(category, from);
    let Some(to) = to else { return Ok(usual) };
    if to < from {
        return Err(Refusal::DatesOrder);
    }
    match (rule, usual) {
        (Rule::Maintained, Some(most)) if to > most => Err(Refusal::TermTooLong),
        _ => Ok(Some(to)),
    }
}

#[cfg(feature = "db")]
pub(super) use queries::lock;
#[cfg(feature = "db")]
pub use queries::{drop_term, end_term, start_term};

#[cfg(feature = "db")]
mod queries {
    use time::Date;
    use uuid::Uuid;

    use super::{Why, check_days};
    use crate::{
        MembershipId, Refusal,
        board::{
            Category, Rule,
            keeping::{keep, look, whom},
        },
        db::{Write, refused},
        event::{Act, Whom},
    };

    /// Gives a seat to somebody from a day to a day, past or to come. Without a last day the term is four years, or with the
    /// office for ex officio.
    ///
    /// Refuses what [`check_days`] refuses, a seat that is taken or not open in that time, and somebody who holds a seat then or
    /// was removed.
    pub async fn start_term(
        write: &mut Write,
        seat: Uuid,
        person: MembershipId,
        from: Date,
        to: Option<Date>,
    ) -> Result<(Uuid, Act), Refusal> {
        let tenant = write.standing.tenant;
        let category = sqlx::query_scalar!(
            "select category from seat where tenant_id = $1 and id = $2",
            tenant,
            seat
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .and_then(|code| Category::from_code(&code))
        .ok_or(Refusal::NotFound)?;
        let whom = whom(write, person).await?;
        let rule = sqlx::query_scalar!("select board_rule from tenant where id = $1", tenant)
            .fetch_one(write.connection())
            .await
            .map_err(refused)?;
        let rule = Rule::from_code(&rule).ok_or(Refusal::Broken)?;
        let to = check_days(rule, category, from, to)?;
        // Two clerks on one seat take turns, and the second finds it taken.
        sqlx::query!(
            "select id from seat where tenant_id = $1 and id = $2 for update",
            tenant,
            seat
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::Stale)?;
        let term = sqlx::query_scalar!(
            "insert into term (tenant_id, seat_id, membership_id, during)
             values ($1, $2, $3, daterange($4, $5, '[]')) returning id",
            tenant,
            seat,
            person,
            from,
            to
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        Ok((term, Act::term_started(whom, term, seat, from, to)))
    }

    /// Ends a term with a last day, past or to come, and says why.
    ///
    /// Refuses a day before its first and one after its last: a term is not made longer.
    pub async fn end_term(
        write: &mut Write,
        term: Uuid,
        last: Date,
        why: Why,
    ) -> Result<Act, Refusal> {
        let held = lock(write, term).await?;
        if last < held.from {
            return Err(Refusal::DatesOrder);
        }
        if held.to.is_some_and(|to| last > to) {
            return Err(Refusal::TermLonger);
        }
        if held.to == Some(last) && held.ended_why == Some(why) {
            return Err(Refusal::Stale);
        }
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update term set during = daterange(lower(during), $3, '[]'), ended_why = $4 where tenant_id = $1 and id = $2",
            tenant,
            term,
            last,
            why.code()
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::term_ended(held.whom, term, last, why))
    }

    /// Takes a term off the record that has not begun. Refuses [`Refusal::TermBegun`] for any other.
    pub async fn drop_term(write: &mut Write, term: Uuid, today: Date) -> Result<Act, Refusal> {
        let held = lock(write, term).await?;
        if held.from <= today {
            return Err(Refusal::TermBegun);
        }
        let tenant = write.standing.tenant;
        let done = sqlx::query!(
            "delete from term where tenant_id = $1 and id = $2",
            tenant,
            term
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if done.rows_affected() == 0 {
            return Err(Refusal::TermBegun);
        }
        Ok(Act::term_dropped(
            held.whom, term, held.seat, held.from, held.to,
        ))
    }

    /// A term that is kept still.
    pub(in crate::board) struct Held {
        pub(in crate::board) whom: Whom,
        seat: Uuid,
        pub(in crate::board) from: Date,
        pub(in crate::board) to: Option<Date>,
        ended_why: Option<Why>,
        pub(in crate::board) suspended_until: Option<Date>,
    }

    /// Reads a term and keeps it still until the act is done. Everybody's own is refused here, before the row policies refuse
    /// it again.
    pub(in crate::board) async fn lock(write: &mut Write, term: Uuid) -> Result<Held, Refusal> {
        let tenant = write.standing.tenant;
        // Without `for update`: the row policies of an update would hide from a reader what they do see.
        let person = sqlx::query_scalar!(
            "select membership_id from term where tenant_id = $1 and id = $2",
            tenant,
            term
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        keep(write)?;
        if person == write.standing.membership {
            return Err(Refusal::OwnPlace);
        }
        let (whom, _) = look(write, person).await?;
        let row = sqlx::query!(
            r#"select seat_id, lower(during) as "from!", upper(during) - 1 as "to?", ended_why, suspended_until
               from term where tenant_id = $1 and id = $2 for update"#,
            tenant,
            term
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::Stale)?;
        Ok(Held {
            whom,
            seat: row.seat_id,
            from: row.from,
            to: row.to,
            ended_why: row.ended_why.as_deref().and_then(Why::from_code),
            suspended_until: row.suspended_until,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    fn term(from: Date, to: Option<Date>) -> Term {
        Term {
            id: Uuid::from_u128(1),
            person: Named {
                id: Uuid::from_u128(2),
                name: Some("Dilip Parmar".to_owned()),
            },
            from,
            to,
            suspended: None,
        }
    }

    #[test]
    fn a_term_that_ends_on_the_day_of_the_meeting_still_counts() {
        let dilip = term(date!(2022 - 06 - 19), Some(date!(2026 - 06 - 18)));
        assert!(dilip.covers(date!(2026 - 06 - 18)) && dilip.covers(date!(2022 - 06 - 19)));
        assert!(!dilip.covers(date!(2026 - 06 - 19)) && !dilip.covers(date!(2022 - 06 - 18)));
        let head = term(date!(2022 - 06 - 19), None);
        assert!(head.covers(date!(2199 - 01 - 01)) && !head.covers(date!(2022 - 06 - 18)));
    }

    #[test]
    fn a_term_ends_soon_from_ninety_days_before_its_last_day_to_that_day() {
        let dilip = term(date!(2022 - 06 - 19), Some(date!(2026 - 06 - 18)));
        assert!(!dilip.ends_soon(date!(2026 - 03 - 19)));
        assert!(dilip.ends_soon(date!(2026 - 03 - 20)));
        assert!(dilip.ends_soon(date!(2026 - 06 - 18)));
        assert!(!dilip.ends_soon(date!(2026 - 06 - 19)), "it has ended");
        assert!(!term(date!(2022 - 06 - 19), None).ends_soon(date!(2026 - 06 - 18)));
        let to_come = term(date!(2026 - 06 - 19), Some(date!(2026 - 07 - 01)));
        assert!(
            !to_come.ends_soon(date!(2026 - 06 - 18)),
            "it has not begun"
        );
    }

    #[test]
    fn a_term_is_four_years_less_a_day_unless_it_is_said_otherwise() {
        let usual = |from| last_day(Category::Parent, from);
        assert_eq!(usual(date!(2026 - 06 - 18)), Some(date!(2030 - 06 - 17)));
        assert_eq!(usual(date!(2024 - 02 - 29)), Some(date!(2028 - 02 - 28)));
        assert_eq!(usual(date!(2024 - 03 - 01)), Some(date!(2028 - 02 - 29)));
        assert_eq!(last_day(Category::ExOfficio, date!(2026 - 06 - 18)), None);
        assert_eq!(
            check_days(
                Rule::Maintained,
                Category::Staff,
                date!(2026 - 06 - 18),
                None
            ),
            Ok(Some(date!(2030 - 06 - 17)))
        );
    }

    #[test]
    fn a_term_does_not_end_before_it_starts_and_in_a_maintained_school_not_after_four_years() {
        let from = date!(2026 - 06 - 18);
        let check = |rule, category, to| check_days(rule, category, from, Some(to));
        for rule in [Rule::Maintained, Rule::Academy] {
            for category in Category::ALL {
                assert_eq!(
                    check(rule, *category, date!(2026 - 06 - 17)),
                    Err(Refusal::DatesOrder)
                );
                assert_eq!(check(rule, *category, from), Ok(Some(from)), "one day");
            }
        }
        let longer = date!(2030 - 06 - 18);
        assert_eq!(
            check(Rule::Maintained, Category::CoOpted, longer),
            Err(Refusal::TermTooLong)
        );
        assert_eq!(
            check(Rule::Maintained, Category::CoOpted, day::before(longer)),
            Ok(Some(day::before(longer)))
        );
        assert_eq!(
            check(Rule::Academy, Category::CoOpted, longer),
            Ok(Some(longer)),
            "articles may say so"
        );
        assert_eq!(
            check(Rule::Maintained, Category::ExOfficio, longer),
            Ok(Some(longer))
        );
    }

    #[test]
    fn every_code_leads_back_to_its_reason() {
        for why in Why::ALL {
            assert_eq!(Why::from_code(why.code()), Some(*why));
        }
        assert_eq!(Why::from_code("term_ended"), None);
    }
}
