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

#[cfg(feature = "db")]
pub use queries::facts_of;

#[cfg(feature = "db")]
mod queries {
    use time::Date;

    use super::{Facts, Post, Sat};
    use crate::{
        MembershipId, Refusal,
        board::{
            Category, Checks, Declaration, Named, Term, Training, Why, interest::of_declarations,
        },
        db::{Read, refused},
    };

    /// What the board knows of somebody, on a day. Refuses [`Refusal::NotFound`] for those the caller may not see.
    pub async fn facts_of(
        read: &mut Read,
        person: MembershipId,
        today: Date,
    ) -> Result<Facts, Refusal> {
        let tenant = read.standing.tenant;
        let name = sqlx::query_scalar!(
            "select name from membership where tenant_id = $1 and id = $2",
            tenant,
            person
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let own = person == read.standing.membership;
        let keeps = read.standing.roles.iter().any(|role| role.manages_people());
        Ok(Facts {
            terms: terms(read, person, &name).await?,
            committees: committees(read, person, today).await?,
            declarations: declarations(read, person).await?,
            checks: if own || keeps {
                Some(checks(read, person).await?)
            } else {
                None
            },
            phone: phone(read, person).await?,
        })
    }

    async fn terms(
        read: &mut Read,
        person: MembershipId,
        name: &str,
    ) -> Result<Vec<Post>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select t.id, t.seat_id, s.category, s.number, s.appointed_by, lower(t.during) as "from!",
                 upper(t.during) - 1 as "to?", t.ended_why, t.suspended_on, t.suspended_until
               from term t join seat s on s.tenant_id = t.tenant_id and s.id = t.seat_id
               where t.tenant_id = $1 and t.membership_id = $2
               order by lower(t.during) desc"#,
            tenant,
            person
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Post {
                    seat: row.seat_id,
                    category: Category::from_code(&row.category).ok_or(Refusal::Broken)?,
                    number: u32::try_from(row.number).map_err(|_| Refusal::Broken)?,
                    appointed_by: row.appointed_by,
                    term: Term {
                        id: row.id,
                        person: Named {
                            id: person,
                            name: Some(name.to_owned()),
                        },
                        from: row.from,
                        to: row.to,
                        suspended: row.suspended_on.zip(row.suspended_until),
                    },
                    ended_why: row.ended_why.as_deref().and_then(Why::from_code),
                })
            })
            .collect()
    }

    async fn committees(
        read: &mut Read,
        person: MembershipId,
        today: Date,
    ) -> Result<Vec<Sat>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select p.id, p.committee_id, c.name, lower(p.during) as "from!", upper(p.during) - 1 as "to?",
                 (c.chair = p.membership_id and c.closed_on is null and p.during @> $3::date) is true as "chairs!"
               from committee_place p join committee c on c.tenant_id = p.tenant_id and c.id = p.committee_id
               where p.tenant_id = $1 and p.membership_id = $2
               order by lower(p.during) desc, lower(c.name)"#,
            tenant,
            person,
            today
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        Ok(rows
            .into_iter()
            .map(|row| Sat {
                place: row.id,
                committee: row.committee_id,
                name: row.name,
                chairs: row.chairs,
                from: row.from,
                to: row.to,
            })
            .collect())
    }

    async fn declarations(
        read: &mut Read,
        person: MembershipId,
    ) -> Result<Vec<Declaration>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            "select id, declared_on from declaration where tenant_id = $1 and membership_id = $2
             order by declared_on desc, id desc",
            tenant,
            person
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let mut interests = of_declarations(read, &ids).await?;
        Ok(rows
            .into_iter()
            .map(|row| Declaration {
                id: row.id,
                on: row.declared_on,
                interests: interests.remove(&row.id).unwrap_or_default(),
            })
            .collect())
    }

    async fn checks(read: &mut Read, person: MembershipId) -> Result<Checks, Refusal> {
        let tenant = read.standing.tenant;
        let dbs = sqlx::query_scalar!(
            "select checked_on from dbs_check where tenant_id = $1 and membership_id = $2 order by checked_on desc",
            tenant,
            person
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let training = sqlx::query_as!(
            Training,
            "select id, title, completed_on, renew_by from training where tenant_id = $1 and membership_id = $2
             order by completed_on desc, id desc",
            tenant,
            person
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        Ok(Checks { dbs, training })
    }

    async fn phone(read: &mut Read, person: MembershipId) -> Result<Option<String>, Refusal> {
        let tenant = read.standing.tenant;
        let phone = sqlx::query_scalar!(
            "select phone from contact where tenant_id = $1 and membership_id = $2",
            tenant,
            person
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?;
        Ok(phone.flatten())
    }
}
