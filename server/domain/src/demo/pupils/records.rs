//! What was put down about the pupils of the demo schools in two years: by whom, what of it their parents read, who looked at it, and
//! what is known of their circumstances. From one seed and day it comes out the same each time.
//!
//! Nobody can put something down as of a past day: the database itself says when. So it is kept by the owner of its tables, with a
//! right that is made for it and gone when it is done; every constraint and trigger of those tables holds as for anybody.

mod book;
mod check_ins;
mod children;
mod circle;
mod context;
mod entries;
mod parents;
mod story;
mod words;

use serde_json::json;
use sqlx::{Connection, PgConnection};
use time::{Date, Duration, OffsetDateTime};

use self::{book::Book, children::Children};
use super::{SCHOOLS, School};
use crate::{
    Refusal, TenantId, day, db::refused, password::Hasher, secret::Secrets, wellbeing::record::Kind,
};

/// Parents of Oakfield with an account, `parent1` and `parent2` among them.
pub const PARENTS: usize = 40;

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Records, each with its versions.
    pub records: usize,
    /// Levels in check-ins.
    pub levels: usize,
    /// Put on record for parents.
    pub entries: usize,
    /// Parents with an account, beside those that were there.
    pub parents: usize,
}

/// How far back somebody's records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    TwoYears,
    HalfAYear,
}

impl Reach {
    /// All of Oakfield; of Northgate, where two years of everybody would take minutes, one form.
    fn of(school: &School, registration: &str) -> Self {
        if school.subjects.is_empty() || registration == "9E" {
            Self::TwoYears
        } else {
            Self::HalfAYear
        }
    }

    fn before(self, today: Date) -> Date {
        let days = match self {
            Self::TwoYears => 730,
            Self::HalfAYear => 182,
        };
        today.saturating_sub(Duration::days(days))
    }
}

/// Puts down the records of both schools, each school in one transaction, after the parents. Needs the pupils: [`super::load`]. A school
/// that has records is left as it is, so a second run changes nothing.
pub async fn load(
    connection: &mut PgConnection,
    hasher: &Hasher,
    secrets: &Secrets,
    now: OffsetDateTime,
) -> Result<Loaded, Refusal> {
    let parents = parents::load(connection, hasher, secrets, now).await?;
    let mut loaded = Loaded {
        parents,
        ..Loaded::default()
    };
    for school in SCHOOLS {
        load_one(connection, secrets, school, now, &mut loaded).await?;
    }
    Ok(loaded)
}

async fn load_one(
    connection: &mut PgConnection,
    secrets: &Secrets,
    school: &'static School,
    now: OffsetDateTime,
    loaded: &mut Loaded,
) -> Result<(), Refusal> {
    let mut whole = connection.begin().await.map_err(refused)?;
    as_definer(&mut whole).await?;
    let tenant = sqlx::query_scalar!("select id from tenant where label = $1", school.label)
        .fetch_optional(&mut *whole)
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
    if has_records(&mut whole, tenant).await? {
        return whole.rollback().await.map_err(refused);
    }
    let children = Children::of(&mut whole, school, tenant, now).await?;
    // All of it is worked out before anything is locked.
    let mut book = Book::new(now);
    check_ins::put_down(&mut book, &children);
    story::put_down(&mut book, &children)?;
    entries::put(&mut book, &children);
    if book.is_empty() {
        return whole.rollback().await.map_err(refused);
    }
    as_owner(&mut whole).await?;
    // Another demo may have been first while this one waited for the tables.
    as_definer(&mut whole).await?;
    if has_records(&mut whole, tenant).await? {
        return whole.rollback().await.map_err(refused);
    }
    let made = keep(&mut whole, tenant, &book, secrets, &children).await?;
    whole.commit().await.map_err(refused)?;
    loaded.records += made.records;
    loaded.levels += made.levels;
    loaded.entries += made.entries;
    Ok(())
}

/// Under the rights of [`as_owner`]. The tables before the log, as every writer takes them.
async fn keep(
    connection: &mut PgConnection,
    tenant: TenantId,
    book: &Book<'_>,
    secrets: &Secrets,
    children: &Children,
) -> Result<Loaded, Refusal> {
    run(connection, "set local role quorate_owner").await?;
    let made = book.keep(connection, tenant).await?;
    context::keep(connection, secrets, children).await?;
    no_longer_owner(connection).await?;
    as_definer(connection).await?;
    context::switch_on(connection, children).await?;
    circle::load(connection, book, children).await?;
    sqlx::query!(
        "select seq from sec.event_head where tenant_id = $1 for update",
        tenant
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(refused)?;
    for kind in Kind::ALL {
        append(connection, tenant, act(*kind), book.pupils(*kind), None).await?;
    }
    append(
        connection,
        tenant,
        "record.put_on_record",
        book.pupils_on_record(),
        None,
    )
    .await?;
    for (kind, _) in context::switches(children) {
        let (act, pupils) = ("field.switched_on", children.all.len());
        append(connection, tenant, act, pupils, Some(kind.code())).await?;
    }
    seen(connection, tenant).await?;
    Ok(made)
}

const fn act(kind: Kind) -> &'static str {
    match kind {
        Kind::CheckIn => "record.checked_in",
        Kind::Observation => "record.observed",
        Kind::Intervention => "record.intervened",
        Kind::Conversation => "record.conversed",
        Kind::Plan => "record.planned",
        Kind::Instrument => "record.scored",
    }
}

/// That it was done for so many pupils, at once and by nobody.
async fn append(
    connection: &mut PgConnection,
    tenant: TenantId,
    act: &str,
    pupils: usize,
    field: Option<&str>,
) -> Result<(), Refusal> {
    if pupils == 0 {
        return Ok(());
    }
    sqlx::query!(
        "select sec.append_for($1, null, $2, null, $3, '{caseload}', null)",
        tenant,
        act,
        match field {
            Some(field) => json!({ "pupils": pupils, "field": field }),
            None => json!({ "pupils": pupils }),
        }
    )
    .fetch_one(connection)
    .await
    .map_err(refused)?;
    Ok(())
}

/// Nobody did any of it, so it is no news to anybody.
async fn seen(connection: &mut PgConnection, tenant: TenantId) -> Result<(), Refusal> {
    sqlx::query!(
        "update notice set seen_at = at where tenant_id = $1 and seen_at is null",
        tenant
    )
    .execute(connection)
    .await
    .map_err(refused)?;
    Ok(())
}

async fn has_records(connection: &mut PgConnection, tenant: TenantId) -> Result<bool, Refusal> {
    sqlx::query_scalar!(
        r#"select exists (select from record where tenant_id = $1) as "there!""#,
        tenant
    )
    .fetch_one(connection)
    .await
    .map_err(refused)
}

async fn as_definer(connection: &mut PgConnection) -> Result<(), Refusal> {
    run(connection, "set local role quorate_sec").await
}

/// Lets the owner of the tables put rows into them, until [`no_longer_owner`]: their policies bind even the owner. No other session sees
/// the right, which never outlives the transaction; it keeps them waiting for the tables as long as that takes.
async fn as_owner(connection: &mut PgConnection) -> Result<(), Refusal> {
    run(
        connection,
        "set local role quorate_owner;
         create policy demo on record for insert to quorate_owner with check (true);
         create policy demo on record_pupil for insert to quorate_owner with check (true);
         create policy demo on record_version for insert to quorate_owner with check (true);
         create policy demo on record_words for insert to quorate_owner with check (true);
         create policy demo on score for insert to quorate_owner with check (true);
         create policy demo on record_rule for insert to quorate_owner with check (true);
         create policy demo on on_record for insert to quorate_owner with check (true);
         create policy demo on statement for insert to quorate_owner with check (true);
         create policy demo on tenant_key for insert to quorate_owner with check (true);
         create policy demo on tag for insert to quorate_owner with check (true);
         create policy demo on tag_change for insert to quorate_owner with check (true)",
    )
    .await
}

async fn no_longer_owner(connection: &mut PgConnection) -> Result<(), Refusal> {
    run(
        connection,
        "drop policy demo on record;
         drop policy demo on record_pupil;
         drop policy demo on record_version;
         drop policy demo on record_words;
         drop policy demo on score;
         drop policy demo on record_rule;
         drop policy demo on on_record;
         drop policy demo on statement;
         drop policy demo on tenant_key;
         drop policy demo on tag;
         drop policy demo on tag_change",
    )
    .await
}

async fn run(connection: &mut PgConnection, sql: &'static str) -> Result<(), Refusal> {
    sqlx::raw_sql(sql)
        .execute(connection)
        .await
        .map_err(refused)?;
    Ok(())
}

/// The first day of school at a day or after it.
fn school_day(mut day: Date) -> Date {
    while !super::course::is_school_day(day) && day < Date::MAX {
        day = day::after(day);
    }
    day
}
