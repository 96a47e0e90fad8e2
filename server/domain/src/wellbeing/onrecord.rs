//! What parents read: words that somebody put on record for one child, once the time is over in which they could be taken back unseen.
//!
//! A parent sees those words, when it happened, and who wrote them. No record, no other child, and no sign of anything that is not there.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Domain, record::Kind};

/// Longest words on record, and longest statement of a parent, in characters.
pub const WORDS_MOST: u16 = 2000;
/// Longest account of whom parents can ask, in characters.
pub const TALK_TO_MOST: u16 = 500;
/// Longest cooling time, in minutes: seven days.
pub const COOLING_MOST: u32 = 7 * 24 * 60;

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

/// What the author sees before they put it on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Exactly what a parent will read. At first the record's own text.
    pub shown: Shown,
    /// The version it comes from.
    pub version: i32,
    /// For how many minutes it can be taken back unseen.
    pub cooling: u32,
}

/// How far an entry has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "at")]
pub enum State {
    /// Parents see it from then on, RFC 3339 in UTC.
    Cooling(String),
    /// Parents see it since then.
    Open(String),
    /// It was taken back before anybody saw it.
    TakenBack(String),
    /// Parents saw it until then.
    Off {
        /// Until when.
        at: String,
        /// Why it was taken off.
        why: String,
    },
}

/// An entry as staff see it who may see the pupil.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// Its key.
    pub id: Uuid,
    /// The record, and its version at the time.
    pub record: Uuid,
    /// See `record`.
    pub version: i32,
    /// What parents read of it.
    pub shown: Shown,
    /// Whether the caller put it there: they take it back and off, as does who sees the school.
    pub own: bool,
    /// Whether they can, still or already.
    pub state: State,
    /// What parents said to it: by whom, and their newest words.
    pub statements: Vec<(String, String)>,
}

/// A parent's trend: a week's Monday, 2026-06-15, and the median of its check-ins.
pub type Weeks = Vec<(String, f64)>;

/// What a school has said about entries for parents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// For how many minutes an entry can be taken back unseen; at most [`COOLING_MOST`].
    pub cooling: u32,
    /// Whether parents see their child's trend.
    pub trend: bool,
    /// Whom parents can ask, in the school's own words; may be empty.
    pub talk_to: String,
}

/// The trends of a child in the domains that have enough weeks for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildTrend {
    /// Of each domain with at least three weeks.
    pub domains: Vec<(Domain, Weeks)>,
}

#[cfg(feature = "db")]
pub use queries::{
    child_trend, fit, for_parent, of_pupil, preview, put_on_record, rule, set_rule, state_to,
    take_back, take_off_record, who_to_talk_to,
};

#[cfg(feature = "db")]
mod queries {
    use std::collections::HashMap;

    use sqlx::postgres::PgConnection;
    use uuid::Uuid;

    use super::{
        COOLING_MOST, ChildTrend, Entry, Preview, Put, Rule, Shown, State, TALK_TO_MOST,
        WORDS_MOST, Weeks,
    };
    use crate::{
        Refusal,
        day::{self, moment},
        db::{MailDb, Read, Write, refused, refused_quietly},
        event::Act,
        pupil::{is_for, keeps},
        text,
        wellbeing::{
            Domain, Fault, naming,
            record::{Kind, parents, reason_of},
            timeline,
        },
    };

    /// What a parent would read if the newest version of a record were put on record for a pupil as it stands.
    ///
    /// Refuses [`Refusal::NotFound`] for what the caller does not see, and for a record that was withdrawn.
    pub async fn preview(read: &mut Read, record: Uuid, pupil: Uuid) -> Result<Preview, Refusal> {
        let entry = timeline::one(read, record, pupil).await?;
        if entry.withdrawn {
            return Err(Refusal::NotFound);
        }
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let by = sqlx::query_scalar!(
            "select name from membership where tenant_id = $1 and id = $2",
            tenant,
            own
        )
        .fetch_one(read.connection())
        .await
        .map_err(refused)?;
        let cooling = rule(read).await?.cooling;
        Ok(Preview {
            shown: Shown {
                kind: entry.kind,
                happened_at: entry.happened_at,
                words: text::block(&entry.body, u16::MAX)?,
                by,
            },
            version: entry.version,
            cooling,
        })
    }

    /// Words as they would be put on record for a pupil. Refuses, as [`put_on_record`] does, what is empty or too long and what holds
    /// another pupil's name, and [`Refusal::NotFound`] for a record that the caller does not see.
    pub async fn fit(
        read: &mut Read,
        record: Uuid,
        pupil: Uuid,
        words: &str,
    ) -> Result<String, Refusal> {
        timeline::one(read, record, pupil).await?;
        let words = tidy(words)?;
        names_nobody(read.connection(), &words, pupil, record).await?;
        Ok(words)
    }

    fn tidy(words: &str) -> Result<String, Refusal> {
        let words = text::block(words, WORDS_MOST).ok();
        Ok(words
            .filter(|words| !words.is_empty())
            .ok_or(Fault::Published(WORDS_MOST))?)
    }

    async fn names_nobody(
        connection: &mut PgConnection,
        words: &str,
        pupil: Uuid,
        record: Uuid,
    ) -> Result<(), Refusal> {
        let named = sqlx::query_scalar!("select sec.other_named($1, $2, $3)", words, pupil, record)
            .fetch_one(connection)
            .await
            .map_err(refused)?;
        match named {
            Some(folded) => {
                let typed = naming::typed(words, &folded).unwrap_or(&folded);
                Err(Fault::NamesOther(typed.to_owned()).into())
            }
            None => Ok(()),
        }
    }

    /// Puts words on record for a pupil's parents, who read them when the cooling time is over.
    ///
    /// Refuses [`Fault::NamesOther`] where the words hold another pupil's name, [`Fault::NotNewest`] for an older version, and
    /// [`Fault::OnRecordAlready`] while an entry of the record stands for this pupil.
    pub async fn put_on_record(
        write: &mut Write,
        record: Uuid,
        version: i32,
        pupil: Uuid,
        words: &str,
    ) -> Result<(Uuid, Act), Refusal> {
        if !is_for(&write.standing.roles) {
            return Err(Refusal::NotAllowed);
        }
        let words = tidy(words)?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let found = sqlx::query!(
            "select r.kind, r.happened_at, r.newest, r.withdrawn_at from record r
             join record_pupil p on p.tenant_id = r.tenant_id and p.record_id = r.id and p.pupil_id = $3
             where r.tenant_id = $1 and r.id = $2",
            tenant,
            record,
            pupil
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .filter(|found| found.withdrawn_at.is_none())
        .ok_or(Refusal::NotFound)?;
        if found.newest != version {
            return Err(Fault::NotNewest.into());
        }
        names_nobody(write.connection(), &words, pupil, record).await?;
        let id = sqlx::query_scalar!(
            "insert into on_record (tenant_id, record_id, number, pupil_id, kind, happened_at, words, put_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8) returning id",
            tenant,
            record,
            version,
            pupil,
            found.kind,
            found.happened_at,
            words,
            own
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        Ok((id, Act::put_on_record(record, id, pupil)))
    }

    /// Takes an entry back while nobody has seen it. Parents never learn of it.
    ///
    /// Refuses [`Fault::Opened`] once the cooling time is over.
    pub async fn take_back(write: &mut Write, entry: Uuid) -> Result<Act, Refusal> {
        let (record, pupil) = standing(write, entry).await?;
        let tenant = write.standing.tenant;
        let done = sqlx::query!(
            "update on_record set taken_back_at = now()
             where tenant_id = $1 and id = $2 and taken_back_at is null and off_at is null",
            tenant,
            entry
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if done.rows_affected() == 0 {
            return Err(Refusal::NotAllowed);
        }
        Ok(Act::taken_back(record, entry, pupil))
    }

    /// Takes an entry off the record that parents may have read, and says why. They do not see it any more; staff see that it was.
    ///
    /// Refuses [`Fault::NotOpened`] while it can be taken back.
    pub async fn take_off_record(
        write: &mut Write,
        entry: Uuid,
        reason: &str,
    ) -> Result<Act, Refusal> {
        let reason = reason_of(reason)?;
        let (record, pupil) = standing(write, entry).await?;
        let parents = parents(write, &[pupil]).await?;
        let tenant = write.standing.tenant;
        let done = sqlx::query!(
            "update on_record set off_at = now(), off_why = $3
             where tenant_id = $1 and id = $2 and taken_back_at is null and off_at is null",
            tenant,
            entry,
            reason
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if done.rows_affected() == 0 {
            return Err(Refusal::NotAllowed);
        }
        Ok(Act::taken_off(record, entry, pupil, &parents))
    }

    /// The record and the pupil of an entry that still stands, for staff.
    async fn standing(write: &mut Write, entry: Uuid) -> Result<(Uuid, Uuid), Refusal> {
        if !is_for(&write.standing.roles) {
            return Err(Refusal::NotAllowed);
        }
        let tenant = write.standing.tenant;
        let row = sqlx::query!(
            r#"select record_id, pupil_id, taken_back_at is not null or off_at is not null as "over!" from on_record
               where tenant_id = $1 and id = $2 and sec.sees_pupil(pupil_id)"#,
            tenant,
            entry
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        if row.over {
            return Err(Refusal::Stale);
        }
        Ok((row.record_id, row.pupil_id))
    }

    /// What was ever put on record for a pupil, the newest first, with what parents said to it. For staff who see the pupil.
    pub async fn of_pupil(read: &mut Read, pupil: Uuid) -> Result<Vec<Put>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let rows = sqlx::query!(
            r#"select o.id, o.record_id, o.number, o.kind, o.happened_at, o.words, o.opens_at, o.taken_back_at, o.off_at, o.off_why,
                      o.opens_at <= now() as "open!", o.put_by = $3 as "own!", coalesce(m.name, 'Somebody who was removed') as "by!"
               from on_record o left join membership m on m.tenant_id = o.tenant_id and m.id = o.put_by
               where o.tenant_id = $1 and o.pupil_id = $2 and sec.sees_pupil($2)
               order by o.put_at desc, o.id desc"#,
            tenant,
            pupil,
            own
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut said: HashMap<Uuid, Vec<(String, String)>> = HashMap::new();
        for row in sqlx::query!(
            r#"select distinct on (s.on_record_id, s.author_id) s.on_record_id, s.words, coalesce(m.name, 'A parent') as "by!"
               from statement s left join membership m on m.tenant_id = s.tenant_id and m.id = s.author_id
               where s.tenant_id = $1 and s.pupil_id = $2 and sec.sees_pupil($2)
               order by s.on_record_id, s.author_id, s.number desc"#,
            tenant,
            pupil
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?
        {
            said.entry(row.on_record_id)
                .or_default()
                .push((row.by, row.words));
        }
        rows.into_iter()
            .map(|row| {
                let state = match (row.taken_back_at, row.off_at.zip(row.off_why), row.open) {
                    (Some(at), _, _) => State::TakenBack(moment(at)?),
                    (None, Some((at, why)), _) => State::Off {
                        at: moment(at)?,
                        why,
                    },
                    (None, None, true) => State::Open(moment(row.opens_at)?),
                    (None, None, false) => State::Cooling(moment(row.opens_at)?),
                };
                Ok(Put {
                    id: row.id,
                    record: row.record_id,
                    version: row.number,
                    shown: Shown {
                        kind: Kind::from_code(&row.kind).ok_or(Refusal::Broken)?,
                        happened_at: moment(row.happened_at)?,
                        words: row.words,
                        by: row.by,
                    },
                    own: row.own,
                    state,
                    statements: said.remove(&row.id).unwrap_or_default(),
                })
            })
            .collect()
    }

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

    /// What the school has said about entries for parents, or what holds until it does. For staff.
    pub async fn rule(read: &mut Read) -> Result<Rule, Refusal> {
        let tenant = read.standing.tenant;
        let row = sqlx::query!(
            r#"select (extract(epoch from cooling) / 60)::integer as "cooling!", trend, talk_to from record_rule where tenant_id = $1"#,
            tenant
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?;
        Ok(match row {
            Some(row) => Rule {
                cooling: u32::try_from(row.cooling).map_err(|_| Refusal::Broken)?,
                trend: row.trend,
                talk_to: row.talk_to,
            },
            None => Rule {
                cooling: 30,
                trend: false,
                talk_to: String::new(),
            },
        })
    }

    /// Says how entries are put on record for parents. Entries that cool already keep their time.
    pub async fn set_rule(write: &mut Write, rule: &Rule) -> Result<Act, Refusal> {
        if !keeps(&write.standing.roles) {
            return Err(Refusal::NotAllowed);
        }
        if rule.cooling > COOLING_MOST {
            return Err(Fault::Cooling.into());
        }
        let talk_to =
            text::block(&rule.talk_to, TALK_TO_MOST).map_err(|_| Fault::TalkTo(TALK_TO_MOST))?;
        let tenant = write.standing.tenant;
        let minutes = i32::try_from(rule.cooling).map_err(|_| Fault::Cooling)?;
        sqlx::query!(
            "insert into record_rule (tenant_id, cooling, trend, talk_to) values ($1, make_interval(mins => $2), $3, $4)
             on conflict on constraint record_rule_pkey
             do update set cooling = excluded.cooling, trend = excluded.trend, talk_to = excluded.talk_to",
            tenant,
            minutes,
            rule.trend,
            talk_to
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::record_rule_set(rule.cooling, rule.trend))
    }

    impl MailDb {
        /// Tells parents of entries whose cooling time is over: a line in the log for each parent, and the page that is open hears of it.
        /// Returns how many entries opened.
        pub async fn records_open(&self) -> Result<i32, Refusal> {
            sqlx::query_scalar!(r#"select sec.records_open() as "opened!""#)
                .fetch_one(self.pool())
                .await
                .map_err(refused_quietly)
        }
    }
}
