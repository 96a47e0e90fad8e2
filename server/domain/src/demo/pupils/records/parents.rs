//! The parents who have an account beside those of the demo's list: at Oakfield most of those whose children are taught by somebody of
//! it, and one of them with a child at each school.

use std::collections::{HashMap, HashSet};

use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    PARENTS, as_definer,
    children::{Child, Children},
    seen,
};
use crate::{
    MembershipId, Refusal,
    db::refused,
    demo::{
        PASSWORD, add,
        pupils::{NORTHGATE, OAKFIELD, School, dice::Dice, names},
    },
    password::Hasher,
    pupil::guardian::Relation,
    role::Role,
    secret::Secrets,
};

/// Beside the two of the demo's list.
const LISTED: usize = 2;

/// Makes them, all in one transaction. Where one is there, nothing. How many were made.
pub(super) async fn load(
    connection: &mut PgConnection,
    hasher: &Hasher,
    secrets: &Secrets,
    now: OffsetDateTime,
) -> Result<usize, Refusal> {
    // All have the same published password, so one hash does for all.
    let hash = hasher.hash(PASSWORD).await?;
    let mut whole = connection.begin().await.map_err(refused)?;
    as_definer(&mut whole).await?;
    // As every writer of these tenants does; two demos at once take turns.
    sqlx::query!(
        "select h.seq from sec.event_head h join tenant t on t.id = h.tenant_id where t.label = any ($1)
         order by t.label for update of h",
        &[OAKFIELD.label.to_owned(), NORTHGATE.label.to_owned()]
    )
    .fetch_all(&mut *whole)
    .await
    .map_err(refused)?;
    let oakfield = school(&mut whole, &OAKFIELD, now).await?;
    let northgate = school(&mut whole, &NORTHGATE, now).await?;
    let Some(admin) = oakfield.person("admin") else {
        return leave(whole).await;
    };
    let numbered = |number: usize| format!("parent{number}");
    if oakfield.person(&numbered(LISTED + 1)).is_some() {
        return leave(whole).await;
    }
    let linked = linked(&mut whole).await?;
    let free = |child: &&Child| !linked.contains(&child.id);
    let taught: Vec<&Child> = oakfield.all.iter().filter(|child| child.taught).collect();
    // A name that is borne at both schools is taken for a family's.
    let both = taught.iter().copied().filter(free).find_map(|younger| {
        let mut older = northgate.all.iter().filter(free);
        let older = older.find(|older| older.name.last_name == younger.name.last_name)?;
        Some((younger, older))
    });
    let mut chosen: Vec<&Child> = both.iter().map(|(younger, _)| *younger).collect();
    let rest = taught.iter().copied().filter(free);
    let rest = rest.filter(|child| both.is_none_or(|(younger, _)| younger.id != child.id));
    // One after the other from each form.
    let mut rest: Vec<(usize, &Child)> = in_form(rest);
    rest.sort_by_key(|(nth, _)| *nth);
    chosen.extend(rest.into_iter().map(|(_, child)| child));
    chosen.truncate(PARENTS - LISTED);
    for (number, child) in (LISTED + 1..).zip(&chosen) {
        let mut dice = child.dice(40);
        let (relation, name) = who(child, &mut dice);
        let email = format!("{}@{}.example", numbered(number), OAKFIELD.label);
        let mut schools = vec![(&oakfield, *child, admin)];
        if let (Some((younger, older)), Some(admin)) = (both, northgate.person("admin"))
            && younger.id == child.id
        {
            schools.push((&northgate, older, admin));
        }
        for (school, child, admin) in schools {
            let roles = [Role::Parent];
            add(
                &mut whole,
                secrets,
                school.tenant,
                &email,
                &name,
                &roles,
                Some(&hash),
            )
            .await?;
            link(&mut whole, school, &email, child, relation, admin).await?;
        }
    }
    seen(&mut whole, oakfield.tenant).await?;
    seen(&mut whole, northgate.tenant).await?;
    whole.commit().await.map_err(refused)?;
    Ok(chosen.len())
}

async fn leave(whole: sqlx::Transaction<'_, sqlx::Postgres>) -> Result<usize, Refusal> {
    whole.rollback().await.map_err(refused)?;
    Ok(0)
}

async fn school(
    connection: &mut PgConnection,
    school: &'static School,
    now: OffsetDateTime,
) -> Result<Children, Refusal> {
    let tenant = sqlx::query_scalar!("select id from tenant where label = $1", school.label)
        .fetch_optional(&mut *connection)
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
    Children::of(connection, school, tenant, now).await
}

/// Whoever has a parent with an account, restricted or not.
async fn linked(connection: &mut PgConnection) -> Result<HashSet<Uuid>, Refusal> {
    let linked = sqlx::query_scalar!("select pupil_id from guardian_link where ended_at is null")
        .fetch_all(connection)
        .await
        .map_err(refused)?;
    Ok(linked.into_iter().collect())
}

/// Each with their place in their form.
fn in_form<'a>(children: impl Iterator<Item = &'a Child>) -> Vec<(usize, &'a Child)> {
    let mut counted: HashMap<&str, usize> = HashMap::new();
    children
        .map(|child| {
            let nth = counted.entry(child.registration.as_str()).or_default();
            *nth += 1;
            (*nth, child)
        })
        .collect()
}

/// What they are to the child, and how they are called.
fn who(child: &Child, dice: &mut Dice) -> (Relation, String) {
    let (relation, names) = match dice.below(20) {
        0..=9 => (Relation::Mother, names::GIRLS),
        10..=16 => (Relation::Father, names::BOYS),
        17 => (Relation::Grandparent, names::GIRLS),
        18 => (Relation::Carer, names::BOYS),
        _ => (Relation::Guardian, names::GIRLS),
    };
    let name = format!("{} {}", dice.pick(names), child.name.last_name);
    (relation, name)
}

async fn link(
    connection: &mut PgConnection,
    school: &Children,
    email: &str,
    child: &Child,
    relation: Relation,
    admin: MembershipId,
) -> Result<(), Refusal> {
    sqlx::query!(
        "insert into guardian_link (tenant_id, membership_id, pupil_id, relation, linked_by)
         select m.tenant_id, m.id, $3, $4, $5 from membership m join account a on a.id = m.account_id and a.email = $2
         where m.tenant_id = $1",
        school.tenant,
        email,
        child.id,
        relation.code(),
        admin
    )
    .execute(connection)
    .await
    .map_err(refused)?;
    Ok(())
}
