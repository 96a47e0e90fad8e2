//! What Oakfield knows of its pupils' circumstances: the kinds that it has switched on, what for, and the sealed values with their
//! trail. They are those that a roster of the same pupils says. Northgate has switched on nothing.

use std::collections::HashMap;

use sqlx::PgConnection;
use time::{Duration, OffsetDateTime, macros::time};
use uuid::Uuid;

use super::children::Children;
use crate::{
    Refusal,
    db::refused,
    demo::pupils::{Circumstances, OAKFIELD, SEED, making::at, people},
    pupil::{field::TagKind, tag, year::SchoolYear},
    secret::{Secrets, TenantKey},
};

/// What is switched on, and the purpose that the school recorded.
const SWITCHES: [(TagKind, &str); 4] = [
    (
        TagKind::Fsm,
        "To see whether pupils who are entitled to free meals do as well as the others.",
    ),
    (
        TagKind::PupilPremium,
        "To account for what the pupil premium is spent on, as the grant asks of us.",
    ),
    (
        TagKind::Sen,
        "To arrange and review the support of pupils with special educational needs.",
    ),
    (
        TagKind::HomeLanguage,
        "To find an interpreter for talks with families, and to plan support with English.",
    ),
];

/// Those of a school.
pub(super) fn switches(children: &Children) -> &'static [(TagKind, &'static str)] {
    if children.school.label == OAKFIELD.label && children.person("admin").is_some() {
        &SWITCHES
    } else {
        &[]
    }
}

/// In the first week of the school year.
fn set_at(children: &Children) -> OffsetDateTime {
    let first = super::school_day(SchoolYear::of(children.today).first_day());
    at(first, time!(16:30)).min(children.now - Duration::HOUR)
}

/// Says what each is for. For the owner of the functions that the demo calls.
pub(super) async fn switch_on(
    connection: &mut PgConnection,
    children: &Children,
) -> Result<(), Refusal> {
    let Some(admin) = children.person("admin") else {
        return Ok(());
    };
    for (kind, purpose) in switches(children) {
        sqlx::query!(
            "insert into field_switch (tenant_id, field, purpose, on_by, on_at) values ($1, $2, $3, $4, $5)
             on conflict on constraint field_switch_field_key do nothing",
            children.tenant,
            kind.code(),
            purpose,
            admin,
            set_at(children) - Duration::MINUTE
        )
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
    }
    Ok(())
}

/// Seals and keeps the values, and the school's own rule about entries for parents. For the owner of the tables.
pub(super) async fn keep(
    connection: &mut PgConnection,
    secrets: &Secrets,
    children: &Children,
) -> Result<(), Refusal> {
    let (switches, admin) = (switches(children), children.person("admin"));
    let (false, Some(admin)) = (switches.is_empty(), admin) else {
        return Ok(());
    };
    sqlx::query!(
        "insert into record_rule (tenant_id, trend, talk_to) values ($1, true, $2)",
        children.tenant,
        "Ask your child’s class teacher first, at the gate or by telephone: 01632 960010. Mrs Beaumont, our SENCO, is in the office beside the library on Tuesdays and Thursdays."
    )
    .execute(&mut *connection)
    .await
    .map_err(refused)?;
    let (key, wrapped) = secrets.tenant_key(children.tenant, 1)?;
    sqlx::query!(
        "insert into tenant_key (tenant_id, number, wrapped) values ($1, 1, $2)",
        children.tenant,
        wrapped
    )
    .execute(&mut *connection)
    .await
    .map_err(refused)?;
    let rows = sealed(&key, children)?;
    sqlx::query!(
        "insert into tag (tenant_id, pupil_id, kind, sealed, expires_on)
         select $1, d.pupil, d.kind, d.sealed, $5
         from unnest($2::uuid[], $3::text[], $4::bytea[]) as d (pupil, kind, sealed)",
        children.tenant,
        &rows.pupils,
        &rows.kinds,
        &rows.values,
        SchoolYear::of(children.today).last_day()
    )
    .execute(&mut *connection)
    .await
    .map_err(refused)?;
    sqlx::query!(
        "insert into tag_change (tenant_id, pupil_id, kind, why, became, by_id, at)
         select $1, d.pupil, d.kind, 'set', d.sealed, $5, $6
         from unnest($2::uuid[], $3::text[], $4::bytea[]) as d (pupil, kind, sealed)",
        children.tenant,
        &rows.pupils,
        &rows.kinds,
        &rows.values,
        admin,
        set_at(children)
    )
    .execute(&mut *connection)
    .await
    .map_err(refused)?;
    Ok(())
}

#[derive(Default)]
struct Rows {
    pupils: Vec<Uuid>,
    kinds: Vec<String>,
    values: Vec<Vec<u8>>,
}

/// By admission number, what a roster says of those who are there.
fn sealed(key: &TenantKey, children: &Children) -> Result<Rows, Refusal> {
    let many = u32::try_from(children.all.len()).unwrap_or(u32::MAX);
    let known: HashMap<String, Circumstances> = people(children.school, SEED, many, children.today)
        .map(|pupil| (pupil.admission_number, pupil.circumstances))
        .collect();
    let mut rows = Rows::default();
    for child in &children.all {
        let Some(known) = known.get(&child.number) else {
            continue;
        };
        for (kind, _) in switches(children) {
            let value = value(known, *kind);
            rows.pupils.push(child.id);
            rows.kinds.push(kind.code().to_owned());
            rows.values.push(tag::sealed(key, child.id, *kind, value)?);
        }
    }
    Ok(rows)
}

fn value(known: &Circumstances, kind: TagKind) -> &'static str {
    match kind {
        TagKind::Sen => known.sen.code(),
        TagKind::HomeLanguage => known.home_language.0,
        TagKind::Ethnicity => known.ethnicity.code(),
        other if known.yes.contains(&other) => "yes",
        _ => "no",
    }
}
