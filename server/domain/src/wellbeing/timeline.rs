//! What has been put down about a pupil, in the order in which it happened; what was known on a past day; and what is to be looked at
//! again.

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use super::{
    Domain, Level,
    record::{Detail, Kind, Part},
};
use crate::MembershipId;

/// Records on one page of a timeline.
pub const PAGE: usize = 50;

/// A record as the caller may read it, about one pupil.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its key.
    pub id: Uuid,
    /// What kind it is.
    pub kind: Kind,
    /// When it happened, RFC 3339 in UTC.
    pub happened_at: String,
    /// When it was first put down.
    pub recorded_at: String,
    /// Who did, by name.
    pub author: String,
    /// Whether that is the caller.
    pub own: bool,
    /// Number of the version that is shown.
    pub version: i32,
    /// Why it was made; none of the first.
    pub reason: Option<String>,
    /// When it was made.
    pub made_at: String,
    /// Whether this version withdraws the record, as a mistake.
    pub withdrawn: bool,
    /// The shared text. Whom the caller does not see is "another pupil" in it.
    pub body: String,
    /// This pupil's part.
    pub part: Part,
    /// The words about it; may be empty.
    pub words: String,
    /// By its kind.
    pub detail: Detail,
    /// This pupil's levels, of a check-in.
    pub levels: Vec<(Domain, Level)>,
    /// The other pupils whom the caller sees, with their parts.
    pub others: Vec<(Uuid, String, Part)>,
    /// Those whom the caller does not see: how many in which part.
    pub hidden: Vec<(Part, u32)>,
}

/// What a timeline is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Of these kinds; empty for all.
    pub kinds: Vec<Kind>,
    /// First put down by this person.
    pub author: Option<MembershipId>,
    /// Happened on this day of England or later.
    pub from: Option<Date>,
    /// Happened on this day of England or earlier.
    pub to: Option<Date>,
}

/// A plan or an intervention to look at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The record.
    pub record: Uuid,
    /// Plan or intervention.
    pub kind: Kind,
    /// The day, 2026-06-18.
    pub on: String,
    /// Whom it is about, of those the caller sees.
    pub pupils: Vec<(Uuid, String)>,
}

#[cfg(feature = "db")]
pub(super) use queries::level;
#[cfg(feature = "db")]
pub use queries::{
    as_known_on, authors, interventions, one, points, reviews_due, timeline, versions,
};

#[cfg(feature = "db")]
mod queries {
    use std::collections::HashMap;

    use time::{Date, OffsetDateTime};
    use uuid::Uuid;

    use super::{Due, Entry, Filter, PAGE};
    use crate::{
        MembershipId, Refusal,
        day::{self, moment},
        db::{Read, refused},
        wellbeing::{
            Domain, Level,
            naming::{Bearer, unmask},
            record::{Detail, Kind, Part},
            trend::Point,
        },
    };

    /// What a pupil's records say, the newest first by when it happened; those `before` a time where one is given, at most [`PAGE`].
    ///
    /// The caller's right to the pupil is that of [`crate::pupil::look`], which goes first and puts down that they looked.
    pub async fn timeline(
        read: &mut Read,
        pupil: Uuid,
        filter: &Filter,
        before: Option<(OffsetDateTime, Uuid)>,
    ) -> Result<Vec<Entry>, Refusal> {
        entries(read, pupil, filter, before, None, Some(PAGE)).await
    }

    /// What had been put down about a pupil by the end of a day in England, in the versions of that day.
    pub async fn as_known_on(
        read: &mut Read,
        pupil: Uuid,
        day: Date,
    ) -> Result<Vec<Entry>, Refusal> {
        let whole = Filter::default();
        entries(read, pupil, &whole, None, Some(day::after(day)), None).await
    }

    /// A pupil's interventions, the newest first.
    pub async fn interventions(read: &mut Read, pupil: Uuid) -> Result<Vec<Entry>, Refusal> {
        let filter = Filter {
            kinds: vec![Kind::Intervention],
            ..Filter::default()
        };
        entries(read, pupil, &filter, None, None, None).await
    }

    /// One record, as it stands now. Refuses [`Refusal::NotFound`] for what the caller does not see or is not about the pupil.
    pub async fn one(read: &mut Read, record: Uuid, pupil: Uuid) -> Result<Entry, Refusal> {
        let rows = rows(read, Which::Record(record, pupil), &Filter::default()).await?;
        let mut entries = dress(read, rows, pupil).await?;
        entries.pop().ok_or(Refusal::NotFound)
    }

    /// Every version of a record, the newest first, as [`one`].
    pub async fn versions(
        read: &mut Read,
        record: Uuid,
        pupil: Uuid,
    ) -> Result<Vec<Entry>, Refusal> {
        let rows = rows(read, Which::Versions(record, pupil), &Filter::default()).await?;
        let entries = dress(read, rows, pupil).await?;
        if entries.is_empty() {
            return Err(Refusal::NotFound);
        }
        Ok(entries)
    }

    /// Who put down what the caller may read about a pupil, by name.
    pub async fn authors(
        read: &mut Read,
        pupil: Uuid,
    ) -> Result<Vec<(MembershipId, String)>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select r.author_id, coalesce(max(m.name), 'Somebody who was removed') as "name!"
               from record_pupil p
               join record r on r.tenant_id = p.tenant_id and r.id = p.record_id
               left join membership m on m.tenant_id = r.tenant_id and m.id = r.author_id
               where p.tenant_id = $1 and p.pupil_id = $2
               group by r.author_id order by lower(max(m.name)), r.author_id"#,
            tenant,
            pupil
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        Ok(rows
            .into_iter()
            .map(|row| (row.author_id, row.name))
            .collect())
    }

    async fn entries(
        read: &mut Read,
        pupil: Uuid,
        filter: &Filter,
        before: Option<(OffsetDateTime, Uuid)>,
        known: Option<Date>,
        most: Option<usize>,
    ) -> Result<Vec<Entry>, Refusal> {
        let which = Which::Pupil {
            pupil,
            before,
            known,
            most,
        };
        let rows = rows(read, which, filter).await?;
        dress(read, rows, pupil).await
    }

    enum Which {
        Pupil {
            pupil: Uuid,
            before: Option<(OffsetDateTime, Uuid)>,
            known: Option<Date>,
            most: Option<usize>,
        },
        Record(Uuid, Uuid),
        Versions(Uuid, Uuid),
    }

    struct Row {
        id: Uuid,
        kind: String,
        happened_at: OffsetDateTime,
        recorded_at: OffsetDateTime,
        author: String,
        author_id: Uuid,
        number: i32,
        reason: Option<String>,
        made_at: OffsetDateTime,
        withdraws: bool,
        body: String,
        detail: serde_json::Value,
        part: String,
        words: Option<String>,
    }

    async fn rows(read: &mut Read, which: Which, filter: &Filter) -> Result<Vec<Row>, Refusal> {
        let tenant = read.standing.tenant;
        let (pupil, record, before, known, most, all) = match which {
            Which::Pupil {
                pupil,
                before,
                known,
                most,
            } => (pupil, None, before, known, most, false),
            Which::Record(record, pupil) => (pupil, Some(record), None, None, None, false),
            Which::Versions(record, pupil) => (pupil, Some(record), None, None, None, true),
        };
        let kinds: Vec<String> = filter
            .kinds
            .iter()
            .map(|kind| kind.code().to_owned())
            .collect();
        sqlx::query_as!(
            Row,
            r#"select r.id, r.kind, r.happened_at, r.recorded_at, r.author_id, coalesce(m.name, 'Somebody who was removed') as "author!",
                      v.number as "number!", v.reason, v.made_at as "made_at!", v.withdraws as "withdraws!", v.body as "body!",
                      v.detail as "detail!", p.part, w.words as "words?"
               from record_pupil p
               join record r on r.tenant_id = p.tenant_id and r.id = p.record_id
               cross join lateral (
                 select v.* from record_version v
                 where v.tenant_id = r.tenant_id and v.record_id = r.id
                   and ($7::date is null or v.made_at < $7::date::timestamp at time zone 'Europe/London')
                 order by v.number desc limit case when $9 then null else 1 end) v
               left join record_words w on w.tenant_id = v.tenant_id and w.record_id = v.record_id and w.number = v.number
                 and w.pupil_id = p.pupil_id
               left join membership m on m.tenant_id = r.tenant_id and m.id = r.author_id
               where p.tenant_id = $1 and p.pupil_id = $2 and ($10::uuid is null or p.record_id = $10)
                 and (cardinality($3::text[]) = 0 or r.kind = any ($3))
                 and ($12::uuid is null or r.author_id = $12)
                 and ($4::date is null or r.happened_at >= $4::date::timestamp at time zone 'Europe/London')
                 and ($5::date is null or r.happened_at < ($5::date + 1)::timestamp at time zone 'Europe/London')
                 and ($6::timestamptz is null or (r.happened_at, r.id) < ($6, $11::uuid))
               order by r.happened_at desc, r.id desc, v.number desc
               limit $8"#,
            tenant,
            pupil,
            &kinds,
            filter.from,
            filter.to,
            before.map(|(at, _)| at),
            known,
            most.and_then(|most| i64::try_from(most).ok()),
            all,
            record,
            before.map(|(_, id)| id),
            filter.author
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)
    }

    /// Whom each record is about, of those the caller sees: with their parts, and as they are named.
    async fn linked(
        read: &mut Read,
        records: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<(Uuid, Part, Bearer)>>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            "select l.record_id, l.pupil_id, l.place, l.part, p.first_name, p.preferred_name, p.last_name
             from record_pupil l join pupil p on p.tenant_id = l.tenant_id and p.id = l.pupil_id
             where l.tenant_id = $1 and l.record_id = any ($2) order by l.place",
            tenant,
            records
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut linked: HashMap<Uuid, Vec<(Uuid, Part, Bearer)>> = HashMap::new();
        for row in rows {
            let bearer = Bearer {
                place: row.place,
                first_name: row.first_name,
                preferred_name: row.preferred_name,
                last_name: row.last_name,
            };
            let part = Part::from_code(&row.part).ok_or(Refusal::Broken)?;
            linked
                .entry(row.record_id)
                .or_default()
                .push((row.pupil_id, part, bearer));
        }
        Ok(linked)
    }

    /// Puts names, levels and the other pupils to records: three more queries for any number of them.
    async fn dress(read: &mut Read, rows: Vec<Row>, pupil: Uuid) -> Result<Vec<Entry>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let mut records: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        records.dedup();
        let linked = linked(read, &records).await?;
        let mut hidden: HashMap<Uuid, Vec<(Part, u32)>> = HashMap::new();
        for row in sqlx::query!(
            r#"select record_id as "record_id!", part as "part!", many as "many!" from sec.other_parts($1)"#,
            &records
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?
        {
            hidden.entry(row.record_id).or_default().push((
                Part::from_code(&row.part).ok_or(Refusal::Broken)?,
                u32::try_from(row.many).unwrap_or_default(),
            ));
        }
        let mut levels: HashMap<(Uuid, i32), Vec<(Domain, Level)>> = HashMap::new();
        for row in sqlx::query!(
            "select record_id, number, domain, value from score where tenant_id = $1 and record_id = any ($2) and pupil_id = $3",
            tenant,
            &records,
            pupil
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?
        {
            levels
                .entry((row.record_id, row.number))
                .or_default()
                .push(level(&row.domain, row.value)?);
        }
        rows.into_iter()
            .map(|row| {
                let there = linked.get(&row.id).map(Vec::as_slice).unwrap_or_default();
                let seen: Vec<Bearer> = there.iter().map(|(_, _, bearer)| bearer.clone()).collect();
                let detail: Detail =
                    serde_json::from_value(row.detail).map_err(|_| Refusal::Broken)?;
                let mut hidden = hidden.get(&row.id).cloned().unwrap_or_default();
                hidden.sort_unstable_by_key(|(part, _)| part.code());
                let mut levels = levels.remove(&(row.id, row.number)).unwrap_or_default();
                levels.sort_unstable_by_key(|(domain, _)| *domain);
                Ok(Entry {
                    id: row.id,
                    kind: Kind::from_code(&row.kind).ok_or(Refusal::Broken)?,
                    happened_at: moment(row.happened_at)?,
                    recorded_at: moment(row.recorded_at)?,
                    author: row.author,
                    own: row.author_id == own,
                    version: row.number,
                    reason: row.reason,
                    made_at: moment(row.made_at)?,
                    withdrawn: row.withdraws,
                    body: unmask(&row.body, &seen),
                    part: Part::from_code(&row.part).ok_or(Refusal::Broken)?,
                    words: unmask(&row.words.unwrap_or_default(), &seen),
                    detail: detail.map(|text| unmask(text, &seen)),
                    levels,
                    others: there
                        .iter()
                        .filter(|(id, ..)| *id != pupil)
                        .map(|(id, part, bearer)| (*id, bearer.called(), *part))
                        .collect(),
                    hidden,
                })
            })
            .collect()
    }

    /// Of what is stored.
    pub(in crate::wellbeing) fn level(
        domain: &str,
        value: i16,
    ) -> Result<(Domain, Level), Refusal> {
        let domain = Domain::from_code(domain).ok_or(Refusal::Broken)?;
        let level = u8::try_from(value)
            .ok()
            .and_then(|value| Level::try_from(value).ok())
            .ok_or(Refusal::Broken)?;
        Ok((domain, level))
    }

    /// A pupil's check-ins in each domain, of the days from one to another, for [`crate::wellbeing::trend::trend`]. Domains without any
    /// are not there.
    pub async fn points(
        read: &mut Read,
        pupil: Uuid,
        from: Date,
        to: Date,
    ) -> Result<Vec<(Domain, Vec<Point>)>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            "select s.domain, s.value, s.happened_on from score s
             join record r on r.tenant_id = s.tenant_id and r.id = s.record_id and r.newest = s.number and r.withdrawn_at is null
             where s.tenant_id = $1 and s.pupil_id = $2 and s.happened_on between $3 and $4
             order by s.happened_on",
            tenant,
            pupil,
            from,
            to
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut points: HashMap<Domain, Vec<Point>> = HashMap::new();
        for row in rows {
            let (domain, level) = level(&row.domain, row.value)?;
            points.entry(domain).or_default().push(Point {
                on: row.happened_on,
                level,
            });
        }
        let mut points: Vec<_> = points.into_iter().collect();
        points.sort_unstable_by_key(|(domain, _)| *domain);
        Ok(points)
    }

    /// The caller's own plans and interventions whose review is due by a day, the oldest first.
    pub async fn reviews_due(read: &mut Read, today: Date) -> Result<Vec<Due>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let rows = sqlx::query!(
            r#"select r.id, r.kind, v.review_on as "on!" from record_version v
               join record r on r.tenant_id = v.tenant_id and r.id = v.record_id and r.newest = v.number and r.withdrawn_at is null
               where v.tenant_id = $1 and v.review_on <= $2 and r.author_id = $3
               order by v.review_on, r.id"#,
            tenant,
            today,
            own
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let records: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let linked = linked(read, &records).await?;
        rows.into_iter()
            .map(|row| {
                let there = linked.get(&row.id).map(Vec::as_slice).unwrap_or_default();
                Ok(Due {
                    record: row.id,
                    kind: Kind::from_code(&row.kind).ok_or(Refusal::Broken)?,
                    on: day::field(row.on),
                    pupils: there
                        .iter()
                        .map(|(id, _, bearer)| (*id, bearer.called()))
                        .collect(),
                })
            })
            .collect()
    }
}
