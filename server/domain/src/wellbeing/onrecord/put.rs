//! Entries as staff put them on record, take them back unseen, and take them off again.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Shown;

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

#[cfg(feature = "db")]
pub use queries::{fit, of_pupil, preview, put_on_record, take_back, take_off_record};

#[cfg(feature = "db")]
mod queries {
    use std::collections::HashMap;

    use sqlx::postgres::PgConnection;
    use uuid::Uuid;

    use super::{Preview, Put, Shown, State};
    use crate::{
        Refusal,
        day::moment,
        db::{MailDb, Read, Write, refused, refused_quietly},
        event::Act,
        pupil::is_for,
        text,
        wellbeing::{
            Fault, naming,
            onrecord::{WORDS_MOST, rule},
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
