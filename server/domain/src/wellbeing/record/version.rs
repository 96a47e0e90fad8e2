//! New versions of a record: one that changes it, and one that withdraws it. What was there stays to be read.

use serde_json::Value;
use uuid::Uuid;

use super::{
    Detail, Kind,
    draft::{Revision, body, check_levels, reason_of},
    keeping::{Own, bearers, does_it},
};
use crate::{
    AccountId, Refusal,
    db::{Write, refused},
    event::Act,
    wellbeing::naming::{Bearer, mask},
};

/// What a record is, as far as a new version needs it.
struct Standing {
    kind: Kind,
    detail: Value,
    pupils: Vec<Uuid>,
}

/// The record whose version `from` the caller may follow with another. Refuses [`Refusal::NotFound`] for what they do not see,
/// [`Refusal::Stale`] where another version came first or it is withdrawn, and [`Refusal::NotAllowed`] to who is neither its author
/// nor sees the school, or does not see every pupil of it.
async fn to_revise(write: &mut Write, record: Uuid, from: i32) -> Result<Standing, Refusal> {
    let tenant = write.standing.tenant;
    let row = sqlx::query!(
        r#"select r.kind, r.newest, r.withdrawn_at, v.detail, sec.revises(r.id, r.newest + 1) as "may!"
           from record r
           join record_version v on v.tenant_id = r.tenant_id and v.record_id = r.id and v.number = r.newest
           where r.tenant_id = $1 and r.id = $2"#,
        tenant,
        record
    )
    .fetch_optional(write.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    if row.newest != from || row.withdrawn_at.is_some() {
        return Err(Refusal::Stale);
    }
    if !row.may {
        return Err(Refusal::NotAllowed);
    }
    let pupils = sqlx::query_scalar!(
        "select pupil_id from record_pupil where tenant_id = $1 and record_id = $2 order by place",
        tenant,
        record
    )
    .fetch_all(write.connection())
    .await
    .map_err(refused)?;
    Ok(Standing {
        kind: Kind::from_code(&row.kind).ok_or(Refusal::Broken)?,
        detail: row.detail,
        pupils,
    })
}

/// Adds a version to a record, with the reason for it. What was there stays to be read. Refuses as [`to_revise`] says.
pub async fn revise(
    write: &mut Write,
    record: Uuid,
    revision: &Revision<'_>,
    reason: &str,
) -> Result<Act, Refusal> {
    let reason = reason_of(reason)?;
    let standing = to_revise(write, record, revision.from).await?;
    check_levels(standing.kind, revision.levels)?;
    let (tenant, by) = (write.standing.tenant, write.standing.membership);
    let named = bearers(write.connection(), tenant, &standing.pupils).await?;
    let of_record: Vec<Bearer> = named.iter().map(|(_, bearer)| bearer.clone()).collect();
    let detail = match &revision.detail {
        None => standing.detail,
        Some(detail) if !detail.fits(standing.kind) => return Err(Refusal::Stale),
        Some(detail) => {
            if let Detail::Intervention(one) = detail {
                does_it(write, one.by).await?;
            }
            let masked = detail.clone().map(|text| mask(text, &of_record));
            serde_json::to_value(masked).map_err(|_| Refusal::Broken)?
        }
    };
    let number = revision.from + 1;
    let body = body(standing.kind, revision.body)?;
    sqlx::query!(
        "insert into record_version (tenant_id, record_id, number, body, detail, review_on, reason, made_by)
         values ($1, $2, $3, $4, $5::jsonb, ($5::jsonb ->> 'review_on')::date, $6, $7)",
        tenant,
        record,
        number,
        mask(&body, &of_record),
        detail,
        reason,
        by
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    let mut own = Own::default();
    for (pupil, typed) in revision.words {
        if !standing.pupils.contains(pupil) {
            return Err(Refusal::NotFound);
        }
        own.words(record, *pupil, typed, &of_record)?;
    }
    for pupil in &standing.pupils {
        own.levels(record, *pupil, revision.levels);
    }
    own.put(write, number).await?;
    Ok(Act::revised(
        standing.kind,
        record,
        number,
        &standing.pupils,
    ))
}

/// Withdraws a record that was a mistake. It stays to be read, as withdrawn; it counts nowhere, and parents do not read of it any
/// more. Refuses as [`to_revise`] says.
pub async fn withdraw(
    write: &mut Write,
    record: Uuid,
    from: i32,
    reason: &str,
) -> Result<Act, Refusal> {
    let reason = reason_of(reason)?;
    let standing = to_revise(write, record, from).await?;
    let (tenant, own) = (write.standing.tenant, write.standing.membership);
    let read = sqlx::query_scalar!(
        "select distinct pupil_id from on_record
         where tenant_id = $1 and record_id = $2 and taken_back_at is null and off_at is null and opens_at <= now()",
        tenant,
        record
    )
    .fetch_all(write.connection())
    .await
    .map_err(refused)?;
    let parents = parents(write, &read).await?;
    sqlx::query!(
        "insert into record_version (tenant_id, record_id, number, body, detail, reason, withdraws, made_by)
         select v.tenant_id, v.record_id, v.number + 1, v.body, v.detail, $4, true, $5 from record_version v
         where v.tenant_id = $1 and v.record_id = $2 and v.number = $3",
        tenant,
        record,
        from,
        reason,
        own
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "insert into record_words (tenant_id, record_id, number, pupil_id, words)
         select w.tenant_id, w.record_id, w.number + 1, w.pupil_id, w.words from record_words w
         where w.tenant_id = $1 and w.record_id = $2 and w.number = $3",
        tenant,
        record,
        from
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(Act::record_withdrawn(
        standing.kind,
        record,
        &standing.pupils,
        &parents,
    ))
}

/// The accounts of those who read what is on record of these pupils, for the topics of an act.
pub(crate) async fn parents(write: &mut Write, pupils: &[Uuid]) -> Result<Vec<AccountId>, Refusal> {
    let parents = sqlx::query_scalar!("select sec.parents_of($1)", pupils)
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
    Ok(parents.unwrap_or_default())
}
