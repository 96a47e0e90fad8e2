//! The roll: putting pupils on it, correcting what it says, and who leaves and comes back.

use time::Date;
use uuid::Uuid;

use super::{
    Fault, Typed,
    caseload::{self, Of},
    code,
    field::{self, Field},
    group::{self, Times},
    keep,
    upn::Upn,
    year::YearGroup,
};
use crate::{
    Refusal, day,
    db::{Write, refused},
    event::Act,
};

/// What is typed, as it is kept.
struct Kept {
    first_name: String,
    last_name: String,
    preferred_name: Option<String>,
    born: Date,
    sex: Option<code::Sex>,
    year: YearGroup,
    upn: Option<Upn>,
    admission_number: Option<String>,
}

fn tidy(typed: &Typed, today: Date) -> Result<Kept, Refusal> {
    let some = |text: &str| !text.trim().is_empty();
    Ok(Kept {
        first_name: field::tidy(Field::FirstName, &typed.first_name)
            .map_err(|_| Fault::FirstName)?,
        last_name: field::tidy(Field::LastName, &typed.last_name).map_err(|_| Fault::LastName)?,
        preferred_name: some(&typed.preferred_name)
            .then(|| field::tidy(Field::PreferredName, &typed.preferred_name))
            .transpose()
            .map_err(|_| Fault::PreferredName)?,
        born: day::parse(&typed.born)
            .ok()
            .filter(|born| field::check_born(*born, today).is_ok())
            .ok_or(Fault::Born)?,
        sex: code::Sex::from_code(&typed.sex),
        year: YearGroup::parse(&typed.year).ok_or(Fault::Year)?,
        upn: some(&typed.upn)
            .then(|| Upn::parse(&typed.upn).map_err(Fault::from))
            .transpose()?,
        admission_number: some(&typed.admission_number)
            .then(|| field::tidy(Field::AdmissionNumber, &typed.admission_number))
            .transpose()
            .map_err(|_| Fault::Admission)?,
    })
}

/// Refuses a preferred name where the school has not switched the field on.
async fn preferred_is_on(write: &mut Write, kept: &Kept) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    if kept.preferred_name.is_none() {
        return Ok(());
    }
    let on = sqlx::query_scalar!(
        r#"select exists (select from field_switch where tenant_id = $1 and field = 'preferred_name') as "on!""#,
        tenant
    )
    .fetch_one(write.connection())
    .await
    .map_err(refused)?;
    if on {
        Ok(())
    } else {
        Err(Fault::PreferredOff.into())
    }
}

/// Puts a pupil on the roll.
pub async fn add(write: &mut Write, typed: &Typed, today: Date) -> Result<(Uuid, Act), Refusal> {
    keep(&write.standing.roles)?;
    let kept = tidy(typed, today)?;
    preferred_is_on(write, &kept).await?;
    let tenant = write.standing.tenant;
    let id = sqlx::query_scalar!(
        "insert into pupil (tenant_id, upn, admission_number, first_name, last_name, preferred_name, born, sex, year_group)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id",
        tenant,
        kept.upn.as_ref().map(Upn::as_str),
        kept.admission_number,
        kept.first_name,
        kept.last_name,
        kept.preferred_name,
        kept.born,
        kept.sex.map(code::Sex::code),
        kept.year.code()
    )
    .fetch_one(write.connection())
    .await
    .map_err(refused)?;
    Ok((id, Act::pupil_added(id)))
}

/// Corrects what the roll says of a pupil. Refuses [`Refusal::Stale`] where it says so already.
pub async fn correct(
    write: &mut Write,
    id: Uuid,
    typed: &Typed,
    today: Date,
) -> Result<Act, Refusal> {
    keep(&write.standing.roles)?;
    let kept = tidy(typed, today)?;
    preferred_is_on(write, &kept).await?;
    let tenant = write.standing.tenant;
    let was = sqlx::query!(
        "select upn, admission_number, first_name, last_name, preferred_name, born, sex, year_group
         from pupil where tenant_id = $1 and id = $2 for update",
        tenant,
        id
    )
    .fetch_optional(write.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    let upn = kept.upn.as_ref().map(Upn::as_str);
    let sex = kept.sex.map(code::Sex::code);
    let fields: Vec<Field> = [
        (Field::Upn, was.upn.as_deref() != upn),
        (
            Field::AdmissionNumber,
            was.admission_number != kept.admission_number,
        ),
        (Field::FirstName, was.first_name != kept.first_name),
        (Field::LastName, was.last_name != kept.last_name),
        (
            Field::PreferredName,
            was.preferred_name != kept.preferred_name,
        ),
        (Field::Born, was.born != kept.born),
        (Field::Sex, was.sex.as_deref() != sex),
        (Field::YearGroup, was.year_group != kept.year.code()),
    ]
    .into_iter()
    .filter_map(|(field, changed)| changed.then_some(field))
    .collect();
    if fields.is_empty() {
        return Err(Refusal::Stale);
    }
    sqlx::query!(
        "update pupil set upn = $3, admission_number = $4, first_name = $5, last_name = $6, preferred_name = $7, born = $8,
                          sex = $9, year_group = $10
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        upn,
        kept.admission_number,
        kept.first_name,
        kept.last_name,
        kept.preferred_name,
        kept.born,
        sex,
        kept.year.code()
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(Act::pupil_corrected(id, &fields))
}

/// Records that a pupil left: `last` is their last day here. They are in no group and on nobody's caseload from the day after it.
/// Refuses [`Refusal::DayAhead`] for a day that has not come.
pub async fn leave(write: &mut Write, id: Uuid, last: Date, today: Date) -> Result<Act, Refusal> {
    keep(&write.standing.roles)?;
    if last > today {
        return Err(Refusal::DayAhead);
    }
    let tenant = write.standing.tenant;
    let first_without = day::after(last);
    let left = sqlx::query_scalar!(
        "update pupil set left_on = $3 where tenant_id = $1 and id = $2 and left_on is null returning id",
        tenant,
        id,
        first_without
    )
    .fetch_optional(write.connection())
    .await
    .map_err(refused)?;
    if left.is_none() {
        return Err(gone(write, id).await);
    }
    group::end(write, Times::Pupil(id), first_without).await?;
    caseload::end_of(write, Of::Pupil(id)).await?;
    Ok(Act::pupil_left(id, &day::field(last)))
}

/// Takes a pupil who left onto the roll again. Groups and caseloads are given anew.
pub async fn come_back(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
    keep(&write.standing.roles)?;
    let tenant = write.standing.tenant;
    let back = sqlx::query_scalar!(
        "update pupil set left_on = null where tenant_id = $1 and id = $2 and left_on is not null returning id",
        tenant,
        id
    )
    .fetch_optional(write.connection())
    .await
    .map_err(refused)?;
    match back {
        Some(id) => Ok(Act::pupil_returned(id)),
        None => Err(gone(write, id).await),
    }
}

/// Takes a pupil off the roll who was put there by mistake. Refuses [`Fault::PupilStays`] where anything was recorded of them.
pub async fn remove(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
    keep(&write.standing.roles)?;
    let tenant = write.standing.tenant;
    let gone = sqlx::query_scalar!(
        "delete from pupil where tenant_id = $1 and id = $2 returning id",
        tenant,
        id
    )
    .fetch_optional(write.connection())
    .await
    .map_err(refused)?;
    gone.map(Act::pupil_removed).ok_or(Refusal::NotFound)
}

/// Nothing was changed of a pupil: they are not there, or it is so already.
async fn gone(write: &mut Write, id: Uuid) -> Refusal {
    let tenant = write.standing.tenant;
    match sqlx::query_scalar!(
        "select id from pupil where tenant_id = $1 and id = $2",
        tenant,
        id
    )
    .fetch_optional(write.connection())
    .await
    {
        Ok(Some(_)) => Refusal::Stale,
        Ok(None) => Refusal::NotFound,
        Err(error) => refused(error),
    }
}
