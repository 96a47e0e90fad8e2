//! Keeping new records: the shared text, whom each is about, what is said of each pupil and their levels, for any number of records at
//! once.

use serde_json::Value;
use sqlx::postgres::PgConnection;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{
    BODY_MOST, Detail, Kind, Part, Sheet,
    draft::{
        Checked, Course, Draft, Linked, New, body, check_levels, each_once, intervention, words,
    },
};
use crate::{
    Refusal, TenantId,
    day::field,
    db::{Write, refused},
    event::Act,
    text,
    wellbeing::{
        Domain, Fault, Level,
        naming::{Bearer, mask},
    },
};

/// Checks in with one pupil or a row of them: a record each, and one act for all.
///
/// Refuses a pupil twice, one without a level, and whom the caller does not see.
pub async fn check_in(
    write: &mut Write,
    row: &[Checked<'_>],
    happened_at: OffsetDateTime,
) -> Result<(Vec<Uuid>, Act), Refusal> {
    let pupils: Vec<Uuid> = row.iter().map(|one| one.pupil).collect();
    each_once(&pupils)?;
    let links: Vec<[Linked<'_>; 1]> = row
        .iter()
        .map(|one| {
            [Linked {
                pupil: one.pupil,
                part: Part::Subject,
                words: "",
            }]
        })
        .collect();
    let drafts = row.iter().zip(&links).map(|(one, linked)| {
        check_levels(Kind::CheckIn, one.levels)?;
        Ok(Draft {
            kind: Kind::CheckIn,
            happened_at,
            linked,
            body: text::block(one.note, BODY_MOST).map_err(|_| Fault::Body(BODY_MOST))?,
            detail: Detail::Plain {},
            levels: one.levels,
        })
    });
    let drafts: Vec<Draft<'_>> = drafts.collect::<Result<_, Refusal>>()?;
    let ids = keep(write, &drafts).await?;
    Ok((ids, Act::checked_in(&pupils)))
}

/// Puts down what somebody saw.
pub async fn observe(write: &mut Write, new: &New<'_>) -> Result<(Uuid, Act), Refusal> {
    keep_one(write, Kind::Observation, new, Detail::Plain {}).await
}

/// Puts down what was said, and `with` whom.
pub async fn converse(
    write: &mut Write,
    new: &New<'_>,
    with: &str,
) -> Result<(Uuid, Act), Refusal> {
    let with = super::with(with)?;
    keep_one(
        write,
        Kind::Conversation,
        new,
        Detail::Conversation { with },
    )
    .await
}

/// Puts down what is to be done, and when it is looked at again.
pub async fn plan(
    write: &mut Write,
    new: &New<'_>,
    review_on: Option<Date>,
) -> Result<(Uuid, Act), Refusal> {
    let detail = Detail::Plan {
        review_on: review_on.map(field),
    };
    keep_one(write, Kind::Plan, new, detail).await
}

/// Puts down something that is done for a while to change something.
///
/// Refuses [`Fault::By`] for somebody who is no longer there.
pub async fn intervene(
    write: &mut Write,
    new: &New<'_>,
    course: Course<'_>,
) -> Result<(Uuid, Act), Refusal> {
    let kept = intervention(course)?;
    does_it(write, kept.by).await?;
    keep_one(write, Kind::Intervention, new, Detail::Intervention(kept)).await
}

/// Enters the scores of an instrument, see [`super::sheet`].
pub async fn enter_scores(
    write: &mut Write,
    new: &New<'_>,
    sheet: Sheet,
) -> Result<(Uuid, Act), Refusal> {
    keep_one(write, Kind::Instrument, new, Detail::Instrument(sheet)).await
}

async fn keep_one(
    write: &mut Write,
    kind: Kind,
    new: &New<'_>,
    detail: Detail,
) -> Result<(Uuid, Act), Refusal> {
    let pupils: Vec<Uuid> = new.linked.iter().map(|one| one.pupil).collect();
    let draft = Draft {
        kind,
        happened_at: new.happened_at,
        linked: new.linked,
        body: body(kind, new.body)?,
        detail,
        levels: &[],
    };
    let ids = keep(write, &[draft]).await?;
    let id = ids.first().copied().ok_or(Refusal::Broken)?;
    Ok((id, Act::recorded(kind, id, &pupils)))
}

/// Refuses who does an intervention and is not of the school's staff.
pub(super) async fn does_it(write: &mut Write, by: Option<Uuid>) -> Result<(), Refusal> {
    let Some(by) = by else { return Ok(()) };
    let tenant = write.standing.tenant;
    let there = sqlx::query_scalar!(
        r#"select exists (select from membership where tenant_id = $1 and id = $2 and state in ('active', 'invited')
             and not roles <@ array['parent', 'member']) as "there!""#,
        tenant,
        by
    )
    .fetch_one(write.connection())
    .await
    .map_err(refused)?;
    if there { Ok(()) } else { Err(Fault::By.into()) }
}

/// Those of the pupils whom the caller sees, as they are named. Their places are those in which they are given.
pub(super) async fn bearers(
    connection: &mut PgConnection,
    tenant: TenantId,
    pupils: &[Uuid],
) -> Result<Vec<(Uuid, Bearer)>, Refusal> {
    let rows = sqlx::query!(
        r#"select p.id, p.first_name, p.preferred_name, p.last_name, l.place as "place!"
           from unnest($2::uuid[]) with ordinality as l (id, place)
           join pupil p on p.tenant_id = $1 and p.id = l.id
           order by l.place"#,
        tenant,
        pupils
    )
    .fetch_all(connection)
    .await
    .map_err(refused)?;
    rows.into_iter()
        .map(|row| {
            let bearer = Bearer {
                place: i32::try_from(row.place).map_err(|_| Refusal::Broken)?,
                first_name: row.first_name,
                preferred_name: row.preferred_name,
                last_name: row.last_name,
            };
            Ok((row.id, bearer))
        })
        .collect()
}

/// Rows of a table, each a column of its own.
#[derive(Default)]
struct Columns {
    kinds: Vec<String>,
    happened: Vec<OffsetDateTime>,
    bodies: Vec<String>,
    details: Vec<Value>,
    linked: (Vec<Uuid>, Vec<Uuid>, Vec<i32>, Vec<String>),
    own: Own,
}

/// What is said of each pupil of a version alone: words, where there are any, and levels.
#[derive(Default)]
pub(super) struct Own {
    words: (Vec<Uuid>, Vec<Uuid>, Vec<String>),
    scores: (Vec<Uuid>, Vec<Uuid>, Vec<String>, Vec<i16>),
}

impl Own {
    pub(super) fn words(
        &mut self,
        record: Uuid,
        pupil: Uuid,
        typed: &str,
        bearers: &[Bearer],
    ) -> Result<(), Refusal> {
        let words = words(typed)?;
        if !words.is_empty() {
            self.words.0.push(record);
            self.words.1.push(pupil);
            self.words.2.push(mask(&words, bearers));
        }
        Ok(())
    }

    pub(super) fn levels(&mut self, record: Uuid, pupil: Uuid, levels: &[(Domain, Level)]) {
        for (domain, level) in levels {
            self.scores.0.push(record);
            self.scores.1.push(pupil);
            self.scores.2.push(domain.code().to_owned());
            self.scores.3.push(i16::from(level.number()));
        }
    }

    /// Keeps it, of the version with that number.
    pub(super) async fn put(&self, write: &mut Write, number: i32) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        let (records, pupils, words) = &self.words;
        sqlx::query!(
            "insert into record_words (tenant_id, record_id, number, pupil_id, words)
             select $1, d.record_id, $2, d.pupil_id, d.words
             from unnest($3::uuid[], $4::uuid[], $5::text[]) as d (record_id, pupil_id, words)",
            tenant,
            number,
            records,
            pupils,
            words
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let (records, pupils, domains, values) = &self.scores;
        sqlx::query!(
            "insert into score (tenant_id, record_id, number, pupil_id, domain, value, happened_on)
             select $1, d.record_id, $2, d.pupil_id, d.domain, d.value, (r.happened_at at time zone 'Europe/London')::date
             from unnest($3::uuid[], $4::uuid[], $5::text[], $6::smallint[]) as d (record_id, pupil_id, domain, value)
             join record r on r.tenant_id = $1 and r.id = d.record_id",
            tenant,
            number,
            records,
            pupils,
            domains,
            values
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }
}

/// Keeps records with their pupils, first versions, words and scores, in the same few statements for any number of them. Refuses
/// [`Refusal::NotFound`] where one is about somebody whom the caller does not see.
async fn keep(write: &mut Write, drafts: &[Draft<'_>]) -> Result<Vec<Uuid>, Refusal> {
    if !crate::pupil::is_for(&write.standing.roles) {
        return Err(Refusal::NotAllowed);
    }
    let (tenant, own) = (write.standing.tenant, write.standing.membership);
    let ids: Vec<Uuid> = sqlx::query_scalar!(
        r#"select uuidv7() as "id!" from generate_series(1, $1::integer)"#,
        i32::try_from(drafts.len()).map_err(|_| Refusal::Broken)?
    )
    .fetch_all(write.connection())
    .await
    .map_err(refused)?;
    let pupils: Vec<Uuid> = drafts
        .iter()
        .flat_map(|draft| draft.linked.iter().map(|one| one.pupil))
        .collect();
    let named = bearers(write.connection(), tenant, &pupils).await?;
    let mut columns = Columns::default();
    for (draft, id) in drafts.iter().zip(&ids) {
        add(&mut columns, draft, *id, &named)?;
    }
    sqlx::query!(
        "insert into record (tenant_id, id, kind, happened_at, author_id)
         select $1, d.id, d.kind, d.happened_at, $2 from unnest($3::uuid[], $4::text[], $5::timestamptz[]) as d (id, kind, happened_at)",
        tenant,
        own,
        &ids,
        &columns.kinds,
        &columns.happened
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    let (records, pupils, places, parts) = &columns.linked;
    sqlx::query!(
        "insert into record_pupil (tenant_id, record_id, pupil_id, place, part)
         select $1, d.* from unnest($2::uuid[], $3::uuid[], $4::integer[], $5::text[]) as d",
        tenant,
        records,
        pupils,
        places,
        parts
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "insert into record_version (tenant_id, record_id, number, body, detail, review_on, made_by)
         select $1, d.id, 1, d.body, d.detail, (d.detail ->> 'review_on')::date, $2
         from unnest($3::uuid[], $4::text[], $5::jsonb[]) as d (id, body, detail)",
        tenant,
        own,
        &ids,
        &columns.bodies,
        &columns.details
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    columns.own.put(write, 1).await?;
    Ok(ids)
}

fn add(
    columns: &mut Columns,
    draft: &Draft<'_>,
    id: Uuid,
    named: &[(Uuid, Bearer)],
) -> Result<(), Refusal> {
    let pupils: Vec<Uuid> = draft.linked.iter().map(|one| one.pupil).collect();
    each_once(&pupils)?;
    let mut bearers = Vec::with_capacity(pupils.len());
    for (place, one) in (1..).zip(draft.linked) {
        let (_, bearer) = named
            .iter()
            .find(|(pupil, _)| *pupil == one.pupil)
            .ok_or(Refusal::NotFound)?;
        bearers.push(Bearer {
            place,
            ..bearer.clone()
        });
        columns.linked.0.push(id);
        columns.linked.1.push(one.pupil);
        columns.linked.2.push(place);
        columns.linked.3.push(one.part.code().to_owned());
    }
    for one in draft.linked {
        columns.own.words(id, one.pupil, one.words, &bearers)?;
        columns.own.levels(id, one.pupil, draft.levels);
    }
    columns.kinds.push(draft.kind.code().to_owned());
    columns.happened.push(draft.happened_at);
    columns.bodies.push(mask(&draft.body, &bearers));
    let detail = draft.detail.clone().map(|text| mask(text, &bearers));
    columns
        .details
        .push(serde_json::to_value(detail).map_err(|_| Refusal::Broken)?);
    Ok(())
}
