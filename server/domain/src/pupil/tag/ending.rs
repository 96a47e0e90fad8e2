//! Context tags whose school year is nearly over: whose they are, and renewing those that somebody chose.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use time::{Date, Duration};
use uuid::Uuid;

use super::{
    TagKind,
    queries::{may, may_renew},
};
use crate::{
    Refusal, day,
    db::{Read, Write, refused},
    event::Act,
    pupil::{Fault, year::SchoolYear},
};

/// Days before its end from which a tag is in the list.
pub const SOON: i64 = 30;

/// A tag that ends soon. What it says is not in the list of a whole school: looking at one pupil is put down, reading such a list
/// would not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Whose.
    pub pupil: Uuid,
    /// As one speaks of them.
    pub called: String,
    /// Their registration group today.
    pub registration: Option<String>,
    /// Which circumstance.
    pub kind: TagKind,
    /// Its last day, 2027-08-31.
    pub expires_on: String,
}

/// The tags that end within [`SOON`] days, of pupils who are here, by surname. As far as the caller may read them.
pub async fn ending(read: &mut Read, today: Date) -> Result<Vec<Ending>, Refusal> {
    let tenant = read.standing.tenant;
    let rows = sqlx::query!(
        r#"select t.pupil_id, t.kind, t.expires_on, coalesce(p.preferred_name, p.first_name) || ' ' || p.last_name as "called!",
                  r.name as "registration?"
           from tag t
           join pupil p on p.tenant_id = t.tenant_id and p.id = t.pupil_id and p.left_on is null
           left join lateral (
             select g.name from group_pupil x join teaching_group g on g.tenant_id = x.tenant_id and g.id = x.group_id
             where x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.kind = 'registration' and x.during @> sec.today() limit 1
           ) r on true
           where t.tenant_id = $1 and t.expires_on <= $2
           order by lower(p.last_name), lower(p.first_name), p.id, t.kind"#,
        tenant,
        today.saturating_add(Duration::days(SOON))
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    rows.into_iter()
        .map(|row| {
            Ok(Ending {
                pupil: row.pupil_id,
                called: row.called,
                registration: row.registration,
                kind: TagKind::from_code(&row.kind).ok_or(Refusal::Broken)?,
                expires_on: day::field(row.expires_on),
            })
        })
        .collect()
}

/// Renews the tags that were chosen for the school year after this one. Those that hold for it already stay as they are.
///
/// Refuses [`Fault::NothingGiven`] where none was chosen, [`Fault::TagOff`] where one is not the caller's to set,
/// [`Fault::RenewEarly`] before June, and [`Refusal::Stale`] where nothing of it is left to renew.
pub async fn renew_these(
    write: &mut Write,
    these: &[(Uuid, TagKind)],
    today: Date,
) -> Result<Act, Refusal> {
    let kinds: BTreeSet<TagKind> = these.iter().map(|(_, kind)| *kind).collect();
    if kinds.is_empty() {
        return Err(Fault::NothingGiven.into());
    }
    for kind in &kinds {
        may(write, *kind).await?;
    }
    if !may_renew(today) {
        return Err(Fault::RenewEarly.into());
    }
    let tenant = write.standing.tenant;
    let (pupils, codes): (Vec<Uuid>, Vec<String>) = these
        .iter()
        .map(|(pupil, kind)| (*pupil, kind.code().to_owned()))
        .unzip();
    let renewed = sqlx::query!(
        "update tag t set expires_on = $4 from unnest($2::uuid[], $3::text[]) as chosen (pupil, kind)
         where t.tenant_id = $1 and t.pupil_id = chosen.pupil and t.kind = chosen.kind and t.expires_on < $4
         returning t.pupil_id, t.kind",
        tenant,
        &pupils,
        &codes,
        SchoolYear::of(today).next().last_day()
    )
    .fetch_all(write.connection())
    .await
    .map_err(refused)?;
    if renewed.is_empty() {
        return Err(Refusal::Stale);
    }
    let kinds: BTreeSet<TagKind> = renewed
        .iter()
        .filter_map(|row| TagKind::from_code(&row.kind))
        .collect();
    let pupils: BTreeSet<Uuid> = renewed.into_iter().map(|row| row.pupil_id).collect();
    let (kinds, pupils): (Vec<_>, Vec<_>) =
        (kinds.into_iter().collect(), pupils.into_iter().collect());
    Ok(Act::tag_renewed(&kinds, pupils.len(), &pupils))
}
