use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    Band, By, Frozen, School, TAGS, Told, WEEKS, is_for, is_for_trust,
    making::{Count, Counted, Earlier, Known, Moment, ROLL, YEARS, count, is_old},
};
use crate::{
    Refusal,
    day::{self, moment},
    db::{Caller, Db, MailDb, Read, Write, broken, refused, refused_quietly},
    event::Act,
    pupil::{field::TagKind, tag, year::YearGroup},
    role::TenantKind,
    secret::Secrets,
    suppression::Cell,
    wellbeing::{Domain, Level},
    work,
};

/// The newest picture of the school; none where nobody has looked yet. Refuses [`Refusal::NotFound`] to all whom it is not for.
pub async fn newest(read: &mut Read) -> Result<Option<Frozen>, Refusal> {
    frozen(read, Date::MAX).await
}

/// The newest picture of this day or an earlier one, to hold a later one against. Refuses as [`newest`].
pub async fn before(read: &mut Read, last: Date) -> Result<Option<Frozen>, Refusal> {
    frozen(read, last).await
}

async fn frozen(read: &mut Read, last: Date) -> Result<Option<Frozen>, Refusal> {
    if read.standing.kind != TenantKind::School || !is_for(&read.standing.roles) {
        return Err(Refusal::NotFound);
    }
    let tenant = read.standing.tenant;
    let found = sqlx::query!(
        r#"select id, day, made_at, day = sec.today() as "today!" from picture
           where tenant_id = $1 and day <= $2 order by day desc limit 1"#,
        tenant,
        last
    )
    .fetch_optional(read.connection())
    .await
    .map_err(refused)?;
    let Some(found) = found else {
        return Ok(None);
    };
    Ok(Some(Frozen {
        day: day::field(found.day),
        today: found.today,
        made_at: moment(found.made_at)?,
        tables: told(read, found.id).await?,
    }))
}

async fn told(read: &mut Read, picture: Uuid) -> Result<Vec<Told>, Refusal> {
    let tenant = read.standing.tenant;
    let rows = sqlx::query!(
        "select by_what, domain, released from picture_table where tenant_id = $1 and picture_id = $2 order by place",
        tenant,
        picture
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    rows.into_iter()
        .map(|row| {
            Ok(Told {
                by: By::from_code(&row.by_what).ok_or(Refusal::Broken)?,
                domain: Domain::from_code(&row.domain).ok_or(Refusal::Broken)?,
                released: parsed(row.released)?,
            })
        })
        .collect()
}

/// Makes today's picture under the caller's own rights, unless there is one. Of two who do so at once one is the first, and the
/// other's is never seen. False where there was nothing to make, or nobody to make it of.
///
/// Refuses [`Refusal::NotFound`] to all whom the picture is not for, [`Refusal::Unavailable`] where the machine is busy.
pub async fn make(db: &Db, caller: &Caller, secrets: &Secrets) -> Result<bool, Refusal> {
    let mut read = db.read(caller).await?;
    let gathered = gather(&mut read, secrets).await?;
    // Nothing is held while it is counted.
    drop(read);
    let Some(Gathered {
        known,
        earlier,
        last,
    }) = gathered
    else {
        return Ok(false);
    };
    let counted = work::apart(move || count(&known, &earlier))
        .await?
        .map_err(|refused| broken("counting the picture", &refused))?;
    let Some(counted) = counted else {
        return Ok(false);
    };
    let mut write = db.write(caller).await?;
    match keep(&mut write, &counted, last).await {
        Ok(act) => write.commit(act).await.map(|_| true),
        Err(Refusal::Stale) => Ok(false),
        Err(refusal) => Err(refusal),
    }
}

/// What a picture is counted from, in one snapshot.
struct Gathered {
    known: Known,
    earlier: Earlier,
    /// The day of the picture before.
    last: Option<Date>,
}

/// None where today's is there already.
async fn gather(read: &mut Read, secrets: &Secrets) -> Result<Option<Gathered>, Refusal> {
    if read.standing.kind != TenantKind::School || !is_for(&read.standing.roles) {
        return Err(Refusal::NotFound);
    }
    let tenant = read.standing.tenant;
    let clock = sqlx::query!(
        r#"select (extract(epoch from now()) * 1000000)::bigint as "now!", sec.today() as "today!""#
    )
    .fetch_one(read.connection())
    .await
    .map_err(refused)?;
    let last = sqlx::query!(
        "select id, day, counted from picture where tenant_id = $1 order by day desc limit 1",
        tenant
    )
    .fetch_optional(read.connection())
    .await
    .map_err(refused)?;
    let mut earlier = Earlier::default();
    let mut last_day = None;
    if let Some(last) = last {
        if last.day >= clock.today {
            return Ok(None);
        }
        let counted: Counted = parsed(last.counted)?;
        earlier = Earlier {
            counted: (counted.into_iter())
                .filter(|(_, at)| !is_old(*at, clock.now))
                .collect(),
            tables: told(read, last.id).await?,
        };
        last_day = Some(last.day);
    }
    let known = known(read, secrets, clock.now, clock.today, &earlier.counted).await?;
    Ok(Some(Gathered {
        known,
        earlier,
        last: last_day,
    }))
}

/// Where everybody stands now, and stood at these moments.
async fn known(
    read: &mut Read,
    secrets: &Secrets,
    now: Moment,
    today: Date,
    counted: &Counted,
) -> Result<Known, Refusal> {
    let tenant = read.standing.tenant;
    let mut known = Known {
        now,
        ..Known::default()
    };
    let pupils = sqlx::query!(
        r#"select id, year_group, left_on, (extract(epoch from made_at) * 1000000)::bigint as "made!" from pupil
           where tenant_id = $1 and (left_on is null or left_on > $2)"#,
        tenant,
        // Longer ago than any count that is looked at.
        today - Duration::weeks(i64::from(WEEKS) + 1)
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    let year = |code: &str| YearGroup::from_code(code).ok_or(Refusal::Broken);
    let years: BTreeMap<Uuid, YearGroup> = (pupils.iter())
        .map(|row| Ok((row.id, year(&row.year_group)?)))
        .collect::<Result<_, Refusal>>()?;
    for at in moments(now, counted.get(YEARS)) {
        let mut then = years.clone();
        let since = sqlx::query!(
            "select distinct on (pupil_id) pupil_id, was from year_change
             where tenant_id = $1 and at > $2 order by pupil_id, at, id",
            tenant,
            time_of(at)?
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        for row in since {
            then.insert(row.pupil_id, year(&row.was)?);
        }
        known.years.insert(at, then);
    }
    for at in moments(now, counted.get(ROLL)) {
        let on = day::in_england(time_of(at)?).date();
        let here = (pupils.iter())
            .filter(|row| row.made <= at && row.left_on.is_none_or(|left| left > on))
            .map(|row| row.id);
        known.here.insert(at, here.collect());
    }
    let kinds: Vec<TagKind> = (tag::on(read).await?.into_iter())
        .filter(|kind| TAGS.contains(kind))
        .collect();
    let asked: BTreeSet<Moment> = (kinds.iter())
        .flat_map(|kind| moments(now, counted.get(kind.code())))
        .collect();
    for at in asked {
        let values = tag::values_at(read, secrets, &kinds, time_of(at)?).await?;
        for kind in &kinds {
            let who = (values.iter())
                .filter(|((_, of), value)| of == kind && is_so(*kind, value))
                .map(|((pupil, _), _)| *pupil);
            let then = known.tags.entry(*kind).or_default();
            then.insert(at, who.collect());
        }
    }
    let asked: BTreeSet<Moment> = (Domain::ALL.iter())
        .flat_map(|domain| moments(now, counted.get(domain.code())))
        .collect();
    for at in asked {
        let levels = levels_at(read, time_of(at)?).await?;
        known.levels.insert(at, levels);
    }
    Ok(known)
}

fn moments(now: Moment, last: Option<&Moment>) -> impl Iterator<Item = Moment> + use<> {
    [Some(now), last.copied()].into_iter().flatten()
}

/// Whether somebody is in a circumstance.
fn is_so(kind: TagKind, value: &str) -> bool {
    match kind {
        TagKind::Sen => value != "N",
        _ => value == "yes",
    }
}

/// Everybody's latest level in each domain within [`WEEKS`], in the versions that had been put down by a moment.
async fn levels_at(
    read: &mut Read,
    at: OffsetDateTime,
) -> Result<BTreeMap<(Uuid, Domain), Level>, Refusal> {
    let tenant = read.standing.tenant;
    let on = day::in_england(at).date();
    let rows = sqlx::query!(
        "select distinct on (s.pupil_id, s.domain) s.pupil_id, s.domain, s.value from score s
         join record r on r.tenant_id = s.tenant_id and r.id = s.record_id
         join record_version v on v.tenant_id = s.tenant_id and v.record_id = s.record_id and v.number = s.number
           and v.made_at <= $2 and not v.withdraws
         where s.tenant_id = $1 and s.happened_on > $3 and not exists (
           select from record_version w
           where w.tenant_id = s.tenant_id and w.record_id = s.record_id and w.number > s.number and w.made_at <= $2)
         order by s.pupil_id, s.domain, s.happened_on desc, r.happened_at desc, r.id desc",
        tenant,
        at,
        on - Duration::weeks(i64::from(WEEKS))
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    rows.into_iter()
        .map(|row| {
            let domain = Domain::from_code(&row.domain).ok_or(Refusal::Broken)?;
            let level = u8::try_from(row.value).ok().map(Level::try_from);
            let level = level.and_then(Result::ok).ok_or(Refusal::Broken)?;
            Ok(((row.pupil_id, domain), level))
        })
        .collect()
}

/// Keeps what was released as today's picture. Refuses [`Refusal::Stale`] where there is one, or one came after that of the day
/// `last`, which it was held against.
async fn keep(write: &mut Write, counted: &Count, last: Option<Date>) -> Result<Act, Refusal> {
    let (tenant, own) = (write.standing.tenant, write.standing.membership);
    let made = sqlx::query!(
        "insert into picture (tenant_id, day, made_by, counted)
         select $1, sec.today(), $2, $3
         where (select max(day) from picture where tenant_id = $1) is not distinct from $4::date
         on conflict on constraint picture_day_key do nothing returning id, day",
        tenant,
        own,
        serde_json::to_value(&counted.counted).map_err(|error| broken("a picture", &error))?,
        last
    )
    .fetch_optional(write.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::Stale)?;
    for (place, told) in (1_i32..).zip(&counted.tables) {
        let released = serde_json::to_value(&told.released);
        sqlx::query!(
            "insert into picture_table (tenant_id, picture_id, place, by_what, domain, released) values ($1, $2, $3, $4, $5, $6)",
            tenant,
            made.id,
            place,
            told.by.code(),
            told.domain.code(),
            released.map_err(|error| broken("a table of a picture", &error))?
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
    }
    Ok(Act::picture_released(made.id, made.day))
}

/// The schools of the trust with what their newest pictures tell of the whole school, by name. Refuses [`Refusal::NotFound`]
/// on every host but a trust's, and there to all whom it is not for.
pub async fn of_trust(read: &mut Read) -> Result<Vec<School>, Refusal> {
    if read.standing.kind != TenantKind::Trust || !is_for_trust(&read.standing.roles) {
        return Err(Refusal::NotFound);
    }
    let rows = sqlx::query!(
        r#"select label as "label!", name as "name!", day, domain, levels, cells, total from sec.trust_pictures()"#
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    let names = Band::ALL.map(Band::name);
    let mut schools: Vec<School> = Vec::new();
    for row in rows {
        if schools
            .last()
            .is_none_or(|school| school.label != row.label)
        {
            schools.push(School {
                label: row.label,
                name: row.name,
                day: row.day.map(day::field),
                levels: vec![],
            });
        }
        let (Some(school), Some(code)) = (schools.last_mut(), row.domain) else {
            continue;
        };
        let domain = Domain::from_code(&code).ok_or(Refusal::Broken)?;
        let levels: Vec<String> = parsed(row.levels.unwrap_or_default())?;
        let cells: Vec<Cell> = parsed(row.cells.unwrap_or_default())?;
        let total: Cell = parsed(row.total.unwrap_or_default())?;
        // A picture of other bands is none of these.
        if levels == names
            && let Ok(cells) = <[Cell; 4]>::try_from(cells)
        {
            school.levels.push((domain, cells, total));
        }
    }
    Ok(schools)
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|error| broken("reading a picture", &error))
}

fn time_of(at: Moment) -> Result<OffsetDateTime, Refusal> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000)
        .map_err(|error| broken("the moment of a count", &error))
}

impl MailDb {
    /// Forgets in which year groups pupils were before, once no picture is held against one of that time. Returns how many lines.
    pub async fn years_forgotten(&self) -> Result<i32, Refusal> {
        sqlx::query_scalar!(r#"select sec.years_forgotten() as "gone!""#)
            .fetch_one(self.pool())
            .await
            .map_err(refused_quietly)
    }
}
