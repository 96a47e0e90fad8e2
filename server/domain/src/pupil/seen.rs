//! Pupils as the caller sees them: in lists, and one as a whole. Under the caller's own seal, so that nobody else comes or is counted.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::{
    Basis, Filter, Listed, Pupil, ROWS, Whole, Whose, code, group, upn::Upn, year::YearGroup,
};
use crate::{
    Refusal,
    db::{Read, refused},
};

/// A page of pupils by surname, `page` from 1. Under the caller's own seal, so that nobody else comes or is counted.
pub async fn list(
    read: &mut Read,
    whose: Whose,
    filter: &Filter,
    page: usize,
) -> Result<Listed, Refusal> {
    let tenant = read.standing.tenant;
    let words: Vec<String> = filter
        .words
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let skip = i64::try_from(page.saturating_sub(1).saturating_mul(ROWS)).unwrap_or(i64::MAX);
    let rows = sqlx::query!(
        r#"select p.id, p.first_name, p.last_name, p.preferred_name, p.year_group, p.left_on, r.name as "registration?",
                  count(*) over () as "matching!"
           from pupil p
           left join lateral (
             select g.name from group_pupil x join teaching_group g on g.tenant_id = x.tenant_id and g.id = x.group_id
             where x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.kind = 'registration' and x.during @> sec.today() limit 1
           ) r on true
           where p.tenant_id = $1 and (p.left_on is not null) = $5
             and (not $2 or p.id = any ((select sec.caseload())::uuid[]))
             and ($3::text is null or p.year_group = $3)
             and ($4::uuid is null or exists (
               select from group_pupil x where x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.group_id = $4
                 and x.during @> sec.today()))
             and not exists (
               select from unnest($6::text[]) as w (word)
               where strpos(lower(concat_ws(' ', p.first_name, p.preferred_name, p.last_name)), w.word) = 0)
           order by lower(p.last_name), lower(p.first_name), p.id
           limit $7 offset $8"#,
        tenant,
        whose == Whose::Mine,
        filter.year.map(YearGroup::code),
        filter.group,
        filter.left,
        &words,
        i64::try_from(ROWS).unwrap_or(i64::MAX),
        skip
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    let matching = rows.first().map_or(0, |row| row.matching);
    let rows = rows.into_iter().map(|row| {
        Ok(Pupil {
            id: row.id,
            first_name: row.first_name,
            last_name: row.last_name,
            preferred_name: row.preferred_name,
            year: YearGroup::from_code(&row.year_group).ok_or(Refusal::Broken)?,
            registration: row.registration,
            left_on: row.left_on,
        })
    });
    Ok(Listed {
        rows: rows.collect::<Result<_, Refusal>>()?,
        matching: usize::try_from(matching).unwrap_or_default(),
    })
}

/// How many pupils of each year group the caller sees, the youngest first.
pub async fn years(read: &mut Read, whose: Whose) -> Result<Vec<(YearGroup, usize)>, Refusal> {
    let tenant = read.standing.tenant;
    let rows = sqlx::query!(
        r#"select year_group, count(*) as "count!" from pupil
           where tenant_id = $1 and left_on is null and (not $2 or id = any ((select sec.caseload())::uuid[]))
           group by year_group"#,
        tenant,
        whose == Whose::Mine
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    let mut years: Vec<(YearGroup, usize)> = rows
        .into_iter()
        .filter_map(|row| {
            let year = YearGroup::from_code(&row.year_group)?;
            Some((year, usize::try_from(row.count).unwrap_or_default()))
        })
        .collect();
    years.sort_unstable();
    Ok(years)
}

/// How pupils are called, of those among these whom the caller sees.
pub async fn names(read: &mut Read, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, Refusal> {
    let tenant = read.standing.tenant;
    let rows = sqlx::query!(
        r#"select id, coalesce(preferred_name, first_name) || ' ' || last_name as "called!"
           from pupil where tenant_id = $1 and id = any ($2)"#,
        tenant,
        ids
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    Ok(rows.into_iter().map(|row| (row.id, row.called)).collect())
}

/// Looks at one pupil, in a snapshot of [`crate::db::Db::look`]: that the caller looked, by what right and at which parts, is put
/// down first.
///
/// Refuses [`Refusal::NotFound`] for whom the caller does not see, as for who never was.
pub async fn look(read: &mut Read, id: Uuid, parts: &[&str]) -> Result<(Whole, Basis), Refusal> {
    let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
    let basis = sqlx::query_scalar!("select sec.look_at($1, $2)", id, &parts)
        .fetch_one(read.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
    let basis = Basis::from_code(&basis).ok_or(Refusal::Broken)?;
    let tenant = read.standing.tenant;
    let row = sqlx::query!(
        "select id, upn, admission_number, first_name, last_name, preferred_name, born, sex, year_group, left_on
         from pupil where tenant_id = $1 and id = $2",
        tenant,
        id
    )
    .fetch_optional(read.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    let groups = group::of_pupil(read, id).await?;
    let registration = groups
        .iter()
        .find(|group| group.kind == group::Kind::Registration)
        .map(|group| group.name.clone());
    let whole = Whole {
        pupil: Pupil {
            id: row.id,
            first_name: row.first_name,
            last_name: row.last_name,
            preferred_name: row.preferred_name,
            year: YearGroup::from_code(&row.year_group).ok_or(Refusal::Broken)?,
            registration,
            left_on: row.left_on,
        },
        born: row.born,
        sex: row.sex.as_deref().and_then(code::Sex::from_code),
        upn: row.upn.as_deref().and_then(|upn| Upn::parse(upn).ok()),
        admission_number: row.admission_number,
        groups,
    };
    Ok((whole, basis))
}

/// Looks at many pupils at once, in a snapshot of [`crate::db::Db::look`]: of each that the caller looked, and by what right, is put
/// down before anything of them is shown. The part is one of [`super::access::OVERVIEWS`].
///
/// Refuses [`Refusal::NotFound`] where the caller does not see all of them.
pub async fn look_over(
    read: &mut Read,
    pupils: &BTreeSet<Uuid>,
    part: &str,
) -> Result<(), Refusal> {
    if pupils.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = pupils.iter().copied().collect();
    let seen = sqlx::query_scalar!(r#"select sec.look_over($1, $2) as "seen!""#, &ids, part)
        .fetch_one(read.connection())
        .await
        .map_err(refused)?;
    if usize::try_from(seen) == Ok(ids.len()) {
        Ok(())
    } else {
        Err(Refusal::NotFound)
    }
}
