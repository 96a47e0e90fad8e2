//! What the lines of a roster say of pupils' circumstances, set as context tags when it is taken in: the sealed lines are opened here
//! and nowhere else on that way, and what they say goes sealed into its place.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::sealed::Sealed;
use crate::{
    Refusal,
    db::{Write, refused},
    pupil::{
        field::TagKind,
        tag::{Keeper, give_way, kept},
        year::SchoolYear,
    },
    secret::Secrets,
};

/// Lines opened at once, so that a roster of any length takes the same room.
const BATCH: i64 = 2000;

/// What a batch changes: of whom, which kind, what it was and what it becomes, sealed. Empty for what was not there.
#[derive(Default)]
struct Changes {
    pupils: Vec<Uuid>,
    kinds: Vec<String>,
    was: Vec<Vec<u8>>,
    becomes: Vec<Vec<u8>>,
}

/// Sets what the lines that are taken say, of the kinds that are switched on. What is so already stays untouched, and silence of a line
/// changes nothing. Returns how many tags it set.
pub(super) async fn set(
    write: &mut Write,
    secrets: &Secrets,
    import: Uuid,
) -> Result<usize, Refusal> {
    let on = Keeper::kinds(write).await?;
    if on.is_empty() {
        return Ok(0);
    }
    let (tenant, mut after, mut set) = (write.standing.tenant, 0, 0);
    let mut keeper: Option<Keeper> = None;
    loop {
        // The first line of a pupil speaks for all of theirs.
        let rows = sqlx::query!(
            r#"select line, sealed, coalesce(match_id, id) as "pupil!" from roster_row
               where tenant_id = $1 and import_id = $2 and line > $3 and line = of_line and verdict in ('new', 'changed', 'same')
               order by line limit $4"#,
            tenant,
            import,
            after,
            BATCH
        )
        .fetch_all(write.connection())
        .await
        .map_err(refused)?;
        let Some(last) = rows.last() else {
            return Ok(set);
        };
        after = last.line;
        let mut said: Vec<(Uuid, BTreeMap<TagKind, String>)> = Vec::with_capacity(rows.len());
        for row in rows {
            let opened = Sealed::open(&row.sealed, secrets, tenant, import, row.line)?;
            let mut tags = opened.tags;
            tags.retain(|kind, _| on.contains(kind));
            if !tags.is_empty() {
                said.push((row.pupil, tags));
            }
        }
        if said.is_empty() {
            continue;
        }
        if keeper.is_none() {
            keeper = Some(Keeper::new(write, secrets).await?);
        }
        if let Some(keeper) = &keeper {
            set += batch(write, keeper, import, said).await?;
        }
    }
}

async fn batch(
    write: &mut Write,
    keeper: &Keeper,
    import: Uuid,
    said: Vec<(Uuid, BTreeMap<TagKind, String>)>,
) -> Result<usize, Refusal> {
    let tenant = write.standing.tenant;
    let pupils: Vec<Uuid> = said.iter().map(|(pupil, _)| *pupil).collect();
    give_way(write, &pupils).await?;
    let rows = sqlx::query!(
        "select pupil_id, kind, sealed from tag where tenant_id = $1 and pupil_id = any ($2) for update",
        tenant,
        &pupils
    )
    .fetch_all(write.connection())
    .await
    .map_err(refused)?;
    let mut there: HashMap<(Uuid, TagKind), Vec<u8>> = HashMap::with_capacity(rows.len());
    for row in rows {
        let kind = TagKind::from_code(&row.kind).ok_or(Refusal::Broken)?;
        there.insert((row.pupil_id, kind), row.sealed);
    }
    let mut changes = Changes::default();
    for (pupil, tags) in said {
        for (kind, typed) in tags {
            // What cannot be kept was found with the line already.
            let Ok(value) = kept(kind, &typed) else {
                continue;
            };
            let was = there.remove(&(pupil, kind));
            if let Some(was) = &was
                && keeper.open(pupil, kind, was)? == value
            {
                continue;
            }
            changes.becomes.push(keeper.seal(pupil, kind, &value)?);
            changes.pupils.push(pupil);
            changes.kinds.push(kind.code().to_owned());
            changes.was.push(was.unwrap_or_default());
        }
    }
    if changes.pupils.is_empty() {
        return Ok(0);
    }
    sqlx::query!(
        "insert into roster_change (tenant_id, import_id, what, pupil_id, field, was, becomes)
         select $1, $2, 'tag', c.pupil, c.kind, encode(nullif(c.was, ''), 'hex'), encode(c.becomes, 'hex')
         from unnest($3::uuid[], $4::text[], $5::bytea[], $6::bytea[]) as c (pupil, kind, was, becomes)",
        tenant,
        import,
        &changes.pupils,
        &changes.kinds,
        &changes.was,
        &changes.becomes
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    let today = sqlx::query_scalar!(r#"select sec.today() as "today!""#)
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
    let set = sqlx::query!(
        "insert into tag (tenant_id, pupil_id, kind, sealed, expires_on)
         select $1, c.pupil, c.kind, c.becomes, $5 from unnest($2::uuid[], $3::text[], $4::bytea[]) as c (pupil, kind, becomes)
         on conflict on constraint tag_once_key do update set sealed = excluded.sealed, expires_on = excluded.expires_on",
        tenant,
        &changes.pupils,
        &changes.kinds,
        &changes.becomes,
        SchoolYear::of(today).last_day()
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    usize::try_from(set.rows_affected()).map_err(|_| Refusal::Broken)
}

/// Puts the tags back as they were before a roster set them, but for those that are `held`. The trail says so.
pub(super) async fn put_back(
    write: &mut Write,
    import: Uuid,
    held: &[Uuid],
) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    sqlx::query!(
        "delete from tag t using roster_change c
         where t.tenant_id = $1 and c.tenant_id = $1 and c.import_id = $2 and c.what = 'tag' and c.pupil_id = t.pupil_id
           and c.field = t.kind and c.was is null and c.id <> all ($3)",
        tenant,
        import,
        held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "update tag t set sealed = decode(c.was, 'hex') from roster_change c
         where t.tenant_id = $1 and c.tenant_id = $1 and c.import_id = $2 and c.what = 'tag' and c.pupil_id = t.pupil_id
           and c.field = t.kind and c.was is not null and c.id <> all ($3)",
        tenant,
        import,
        held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}
