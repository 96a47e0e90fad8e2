//! What a parent reads of their own child, and says to it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Shown;
use crate::wellbeing::Domain;

/// An entry that a parent may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its key.
    pub id: Uuid,
    /// Whose child it is about.
    pub pupil: Uuid,
    /// What is read.
    pub shown: Shown,
    /// What the parent said to it, in its newest words; none where they said nothing.
    pub statement: Option<String>,
    /// When they said so, RFC 3339 in UTC.
    pub stated_at: Option<String>,
}

/// A parent's trend: a week's Monday, 2026-06-15, and the median of its check-ins.
pub type Weeks = Vec<(String, f64)>;

/// The trends of a child in the domains that have enough weeks for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildTrend {
    /// Of each domain with at least three weeks.
    pub domains: Vec<(Domain, Weeks)>,
}

#[cfg(feature = "db")]
pub use queries::{child_trend, for_parent, state_to, who_to_talk_to};

#[cfg(feature = "db")]
mod queries {
    use uuid::Uuid;

    use super::{ChildTrend, Entry, Shown, Weeks};
    use crate::{
        Refusal,
        day::{self, moment},
        db::{Read, Write, refused},
        event::Act,
        text,
        wellbeing::{Domain, Fault, onrecord::WORDS_MOST, record::Kind},
    };

    /// What is on record for the caller's own children, or for one of them, the newest first by when it happened.
    pub async fn for_parent(read: &mut Read, child: Option<Uuid>) -> Result<Vec<Entry>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        // Whoever is a parent and teaches here as well reads, as a parent, what parents read.
        let rows = sqlx::query!(
            r#"select o.id, o.pupil_id, o.kind, o.happened_at, o.words, coalesce(a.name, 'The school') as "by!",
                      s.words as "statement?", s.made_at as "stated_at?"
               from on_record o left join sec.entry_authors() a on a.id = o.id
               left join lateral (
                 select t.words, t.made_at from statement t
                 where t.tenant_id = o.tenant_id and t.on_record_id = o.id and t.author_id = $2
                 order by t.number desc limit 1) s on true
               where o.tenant_id = $1 and o.pupil_id = any ((select sec.children())::uuid[]) and o.opens_at <= now()
                 and o.taken_back_at is null and o.off_at is null and ($3::uuid is null or o.pupil_id = $3)
               order by o.happened_at desc, o.id desc"#,
            tenant,
            own,
            child
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Entry {
                    id: row.id,
                    pupil: row.pupil_id,
                    shown: Shown {
                        kind: Kind::from_code(&row.kind).ok_or(Refusal::Broken)?,
                        happened_at: moment(row.happened_at)?,
                        words: row.words,
                        by: row.by,
                    },
                    statement: row.statement,
                    stated_at: row.stated_at.map(moment).transpose()?,
                })
            })
            .collect()
    }

    /// Says something, as a parent, to an entry about one's own child. Said again, it is a new version; what was said before stays.
    ///
    /// Refuses [`Refusal::NotFound`] for an entry that the caller does not read as a parent.
    pub async fn state_to(write: &mut Write, entry: Uuid, words: &str) -> Result<Act, Refusal> {
        let words = text::block(words, WORDS_MOST)
            .ok()
            .filter(|words| !words.is_empty())
            .ok_or(Fault::Statement(WORDS_MOST))?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let pupil = sqlx::query_scalar!(
            "select pupil_id from on_record where tenant_id = $1 and id = $2 and sec.reads_entry(id, pupil_id)",
            tenant,
            entry
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        sqlx::query!(
            "insert into statement (tenant_id, on_record_id, author_id, number, pupil_id, words)
             values ($1, $2, $3, sec.statements_made($2) + 1, $4, $5)",
            tenant,
            entry,
            own,
            pupil,
            words
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let account = write.standing.account;
        Ok(Act::statement_made(entry, pupil, account))
    }

    /// A child's trend for their parent: the median of each week, in the domains that have at least three. Nothing where the school has
    /// not switched it on.
    pub async fn child_trend(read: &mut Read, child: Uuid) -> Result<ChildTrend, Refusal> {
        let rows = sqlx::query!(
            r#"select domain as "domain!", week as "week!", median as "median!" from sec.child_trend($1)"#,
            child
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut domains: Vec<(Domain, Weeks)> = Vec::new();
        for row in rows {
            let domain = Domain::from_code(&row.domain).ok_or(Refusal::Broken)?;
            let week = (day::field(row.week), row.median);
            match domains.last_mut() {
                Some((last, weeks)) if *last == domain => weeks.push(week),
                _ => domains.push((domain, vec![week])),
            }
        }
        domains.sort_by_key(|(domain, _)| *domain);
        Ok(ChildTrend { domains })
    }

    /// Whom a parent can ask, in the school's own words; empty where it has said nothing.
    pub async fn who_to_talk_to(read: &mut Read) -> Result<String, Refusal> {
        sqlx::query_scalar!(r#"select sec.talk_to() as "words!""#)
            .fetch_one(read.connection())
            .await
            .map_err(refused)
    }
}
