//! What is to be kept: records with their versions and what is put on record of them, all in a few statements.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{Loaded, children::Child};
use crate::{
    MembershipId, Refusal, TenantId, day,
    db::refused,
    wellbeing::{
        Domain, Level,
        naming::{Bearer, mask},
        record::{Detail, Kind, Part},
    },
};

/// A record, with the names still in it.
pub(super) struct One<'a> {
    pub kind: Kind,
    pub happened_at: OffsetDateTime,
    pub author: MembershipId,
    pub linked: Vec<(&'a Child, Part)>,
    /// At least one. It was put down when the first was made.
    pub versions: Vec<Version>,
}

/// What a version says, when it was made and why.
#[derive(Clone)]
pub(super) struct Version {
    pub body: String,
    /// About each linked pupil's own part, in their order.
    pub words: Vec<String>,
    pub detail: Detail,
    pub levels: Vec<(Domain, Level)>,
    pub made_at: OffsetDateTime,
    pub reason: Option<&'static str>,
    pub withdraws: bool,
}

impl Version {
    /// A first one that says no more than a text.
    pub const fn of(body: String, made_at: OffsetDateTime) -> Self {
        Self {
            body,
            words: vec![],
            detail: Detail::Plain {},
            levels: vec![],
            made_at,
            reason: None,
            withdraws: false,
        }
    }
}

/// What is put on record of a record's newest version.
pub(super) struct Entry<'a> {
    /// The record's place in the book.
    pub record: usize,
    pub child: &'a Child,
    pub words: String,
    pub put_at: OffsetDateTime,
    pub opens_at: OffsetDateTime,
    pub off: Option<(OffsetDateTime, &'static str)>,
    pub said: Vec<(MembershipId, &'static str, OffsetDateTime)>,
}

/// All of one school.
pub(super) struct Book<'a> {
    pub now: OffsetDateTime,
    pub records: Vec<One<'a>>,
    pub entries: Vec<Entry<'a>>,
}

impl<'a> Book<'a> {
    pub const fn new(now: OffsetDateTime) -> Self {
        Self {
            now,
            records: vec![],
            entries: vec![],
        }
    }

    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Adds a record, of which the versions count that were made by now. Its place; none where it was not put down by now.
    pub fn add(&mut self, mut one: One<'a>) -> Option<usize> {
        one.versions.retain(|version| version.made_at < self.now);
        let first = one.versions.first()?;
        if one.happened_at > first.made_at || one.linked.is_empty() {
            return None;
        }
        self.records.push(one);
        Some(self.records.len() - 1)
    }

    /// How many pupils have something of a kind.
    pub fn pupils(&self, kind: Kind) -> usize {
        let of_kind = self.records.iter().filter(|one| one.kind == kind);
        of_kind
            .flat_map(|one| one.linked.iter().map(|(child, _)| child.id))
            .collect::<HashSet<Uuid>>()
            .len()
    }

    pub fn pupils_on_record(&self) -> usize {
        let entries = self.entries.iter().map(|entry| entry.child.id);
        entries.collect::<HashSet<Uuid>>().len()
    }

    /// Keeps it all, for the owner of the tables.
    pub async fn keep(
        &self,
        connection: &mut PgConnection,
        tenant: TenantId,
    ) -> Result<Loaded, Refusal> {
        let ids = new_ids(connection, self.records.len()).await?;
        self.keep_records(connection, tenant, &ids).await?;
        let levels = self.keep_versions(connection, tenant, &ids).await?;
        self.keep_entries(connection, tenant, &ids).await?;
        Ok(Loaded {
            records: self.records.len(),
            levels,
            entries: self.entries.len(),
            parents: 0,
        })
    }

    async fn keep_records(
        &self,
        connection: &mut PgConnection,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<(), Refusal> {
        let (mut kinds, mut happened, mut authors, mut recorded) = (vec![], vec![], vec![], vec![]);
        let (mut records, mut pupils, mut places, mut parts) = (vec![], vec![], vec![], vec![]);
        for (one, id) in self.records.iter().zip(ids) {
            kinds.push(one.kind.code().to_owned());
            happened.push(one.happened_at);
            authors.push(one.author);
            recorded.push(one.versions[0].made_at);
            for (place, (child, part)) in (1..).zip(&one.linked) {
                records.push(*id);
                pupils.push(child.id);
                places.push(place);
                parts.push(part.code().to_owned());
            }
        }
        sqlx::query!(
            "insert into record (tenant_id, id, kind, happened_at, author_id, recorded_at)
             select $1, d.* from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[], $6::timestamptz[]) as d",
            tenant,
            ids,
            &kinds,
            &happened,
            &authors,
            &recorded
        )
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
        sqlx::query!(
            "insert into record_pupil (tenant_id, record_id, pupil_id, place, part)
             select $1, d.* from unnest($2::uuid[], $3::uuid[], $4::integer[], $5::text[]) as d",
            tenant,
            &records,
            &pupils,
            &places,
            &parts
        )
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
        Ok(())
    }

    async fn keep_versions(
        &self,
        connection: &mut PgConnection,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<usize, Refusal> {
        let mut columns = Columns::default();
        for (one, id) in self.records.iter().zip(ids) {
            columns.add(one, *id)?;
        }
        let Columns {
            records,
            numbers,
            bodies,
            details,
            reasons,
            withdraws,
            made_by,
            made_at,
            words,
            scores,
        } = columns;
        sqlx::query!(
            "insert into record_version
               (tenant_id, record_id, number, body, detail, review_on, reason, withdraws, made_by, made_at)
             select $1, d.id, d.number, d.body, d.detail, (d.detail ->> 'review_on')::date, d.reason, d.withdraws, d.made_by, d.made_at
             from unnest($2::uuid[], $3::integer[], $4::text[], $5::jsonb[], $6::text[], $7::boolean[], $8::uuid[], $9::timestamptz[])
               as d (id, number, body, detail, reason, withdraws, made_by, made_at)",
            tenant,
            &records,
            &numbers,
            &bodies,
            &details,
            &reasons as &[Option<String>],
            &withdraws,
            &made_by,
            &made_at
        )
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
        sqlx::query!(
            "insert into record_words (tenant_id, record_id, number, pupil_id, words)
             select $1, d.* from unnest($2::uuid[], $3::integer[], $4::uuid[], $5::text[]) as d",
            tenant,
            &words.0,
            &words.1,
            &words.2,
            &words.3
        )
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
        sqlx::query!(
            "insert into score (tenant_id, record_id, number, pupil_id, domain, value, happened_on)
             select $1, d.* from unnest($2::uuid[], $3::integer[], $4::uuid[], $5::text[], $6::smallint[], $7::date[]) as d",
            tenant,
            &scores.records,
            &scores.numbers,
            &scores.pupils,
            &scores.domains,
            &scores.values,
            &scores.days
        )
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
        Ok(scores.records.len())
    }

    async fn keep_entries(
        &self,
        connection: &mut PgConnection,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<(), Refusal> {
        for (entry, id) in self
            .entries
            .iter()
            .zip(new_ids(connection, self.entries.len()).await?)
        {
            let record = &self.records[entry.record];
            let number = i32::try_from(record.versions.len()).map_err(|_| Refusal::Broken)?;
            // Of what has opened the parents were told then.
            let told_at = (entry.opens_at < self.now).then_some(entry.opens_at);
            sqlx::query!(
                "insert into on_record (tenant_id, id, record_id, number, pupil_id, kind, happened_at, words, put_by, put_at, opens_at,
                   off_at, off_why, told_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                tenant,
                id,
                ids[entry.record],
                number,
                entry.child.id,
                record.kind.code(),
                record.happened_at,
                entry.words,
                record.author,
                entry.put_at,
                entry.opens_at,
                entry.off.map(|(at, _)| at),
                entry.off.map(|(_, why)| why),
                told_at
            )
            .execute(&mut *connection)
            .await
            .map_err(refused)?;
            let mut spoken: HashMap<MembershipId, i32> = HashMap::new();
            for (author, words, made_at) in &entry.said {
                let number = spoken.entry(*author).or_default();
                *number += 1;
                sqlx::query!(
                    "insert into statement (tenant_id, on_record_id, author_id, number, pupil_id, words, made_at)
                     values ($1, $2, $3, $4, $5, $6, $7)",
                    tenant,
                    id,
                    author,
                    *number,
                    entry.child.id,
                    *words,
                    made_at
                )
                .execute(&mut *connection)
                .await
                .map_err(refused)?;
            }
        }
        Ok(())
    }
}

/// Rows of the tables of versions, each a column of its own.
#[derive(Default)]
struct Columns {
    records: Vec<Uuid>,
    numbers: Vec<i32>,
    bodies: Vec<String>,
    details: Vec<Value>,
    reasons: Vec<Option<String>>,
    withdraws: Vec<bool>,
    made_by: Vec<MembershipId>,
    made_at: Vec<OffsetDateTime>,
    words: (Vec<Uuid>, Vec<i32>, Vec<Uuid>, Vec<String>),
    scores: Scores,
}

#[derive(Default)]
struct Scores {
    records: Vec<Uuid>,
    numbers: Vec<i32>,
    pupils: Vec<Uuid>,
    domains: Vec<String>,
    values: Vec<i16>,
    days: Vec<Date>,
}

impl Columns {
    /// The names of linked pupils become tokens, as they do for everybody who writes.
    fn add(&mut self, one: &One<'_>, id: Uuid) -> Result<(), Refusal> {
        let bearers: Vec<Bearer> = (1..)
            .zip(&one.linked)
            .map(|(place, (child, _))| Bearer {
                place,
                ..child.name.clone()
            })
            .collect();
        let on = day::in_england(one.happened_at).date();
        for (number, version) in (1..).zip(&one.versions) {
            self.records.push(id);
            self.numbers.push(number);
            self.bodies.push(mask(&version.body, &bearers));
            let detail = version.detail.clone().map(|text| mask(text, &bearers));
            self.details
                .push(serde_json::to_value(detail).map_err(|_| Refusal::Broken)?);
            self.reasons.push(version.reason.map(str::to_owned));
            self.withdraws.push(version.withdraws);
            self.made_by.push(one.author);
            self.made_at.push(version.made_at);
            for ((child, _), words) in one.linked.iter().zip(&version.words) {
                if !words.is_empty() {
                    self.words.0.push(id);
                    self.words.1.push(number);
                    self.words.2.push(child.id);
                    self.words.3.push(mask(words, &bearers));
                }
            }
            for (child, _) in &one.linked {
                for (domain, level) in &version.levels {
                    self.scores.records.push(id);
                    self.scores.numbers.push(number);
                    self.scores.pupils.push(child.id);
                    self.scores.domains.push(domain.code().to_owned());
                    self.scores.values.push(i16::from(level.number()));
                    self.scores.days.push(on);
                }
            }
        }
        Ok(())
    }
}

async fn new_ids(connection: &mut PgConnection, many: usize) -> Result<Vec<Uuid>, Refusal> {
    sqlx::query_scalar!(
        r#"select uuidv7() as "id!" from generate_series(1, $1::integer)"#,
        i32::try_from(many).map_err(|_| Refusal::Broken)?
    )
    .fetch_all(connection)
    .await
    .map_err(refused)
}
