//! Records as rows, and what makes them entries of a timeline: the names, the levels and the other pupils.

use std::collections::HashMap;

use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{Entry, Filter, levels::level};
use crate::{
    Refusal,
    day::moment,
    db::{Read, refused},
    wellbeing::{
        Domain, Level,
        naming::{Bearer, unmask},
        record::{Detail, Kind, Part},
    },
};

pub(super) enum Which {
    Pupil {
        pupil: Uuid,
        before: Option<(OffsetDateTime, Uuid)>,
        known: Option<Date>,
        most: Option<usize>,
    },
    Record(Uuid, Uuid),
    Versions(Uuid, Uuid),
}

pub(super) struct Row {
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

pub(super) async fn rows(
    read: &mut Read,
    which: Which,
    filter: &Filter,
) -> Result<Vec<Row>, Refusal> {
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

/// Puts names, levels and the other pupils to records: three more queries for any number of them.
pub(super) async fn dress(
    read: &mut Read,
    rows: Vec<Row>,
    pupil: Uuid,
) -> Result<Vec<Entry>, Refusal> {
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
            let detail: Detail = serde_json::from_value(row.detail).map_err(|_| Refusal::Broken)?;
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

/// Whom each record is about, of those the caller sees: with their parts, and as they are named.
pub(super) async fn linked(
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
