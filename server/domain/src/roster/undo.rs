//! Undoing what was taken from a roster: within 31 days, also after later edits. What somebody changed since stays as they left it, and
//! is shown; a pupil of whom anything was recorded since stays too.

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    circumstances,
    import::{Fault, State, keep},
};
use crate::{
    AccountId, Refusal, TenantId,
    db::{Read, Write, refused},
    event::Act,
    pupil::field::Field,
};

/// Pupils who go in one statement: with all that points at a pupil it is 80 to 110 µs each, and a statement may take 30 s.
const AT_ONCE: usize = 10_000;

/// Something that is not put back, because it is not as the roster left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Whose.
    pub pupil: Uuid,
    /// "Khan, Aisha".
    pub name: String,
    /// Which field; a group for a place in one.
    pub field: Field,
    /// What the roster made of it; none for a circumstance, which stands on the pupil's own page.
    pub set: Option<String>,
    /// What it is now, and stays; none for a place in a group and a circumstance.
    pub now: Option<String>,
}

/// A pupil whom the roster added and who stays on the roll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stays {
    /// Which.
    pub pupil: Uuid,
    /// "Khan, Aisha".
    pub name: String,
}

/// What undoing does, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoing {
    /// Pupils who are as they were before.
    pub restored: Vec<Uuid>,
    /// Pupils who are taken off the roll.
    pub removed: usize,
    /// Added pupils who stay, since their record was changed or something hangs on it.
    pub stays: Vec<Stays>,
    /// What is left as it is.
    pub conflicts: Vec<Conflict>,
}

/// All that is found out before anything is done.
struct Found {
    undoing: Undoing,
    /// Changes that are not put back.
    held: Vec<Uuid>,
    /// Pupils who go.
    going: Vec<Uuid>,
}

/// What undoing would do now. Refuses as [`undo`] does.
pub async fn undo_preview(read: &mut Read, import: Uuid) -> Result<Undoing, Refusal> {
    keep(&read.standing.roles)?;
    let tenant = read.standing.tenant;
    let row = sqlx::query!(
        r#"select state, committed_at <= now() - interval '31 days' as late from roster_import where tenant_id = $1 and id = $2"#,
        tenant,
        import
    )
    .fetch_optional(read.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    check(&row.state, row.late)?;
    Ok(find(read.connection(), tenant, import).await?.undoing)
}

fn check(state: &str, late: Option<bool>) -> Result<(), Refusal> {
    match (State::from_code(state), late) {
        (Some(State::Committed), Some(false)) => Ok(()),
        (Some(State::Committed), _) => Err(Fault::TooLate.into()),
        _ => Err(Refusal::Stale),
    }
}

/// Undoes what was taken from a roster. Refuses [`Fault::TooLate`] after 31 days, and who has not proved just now who they are.
pub async fn undo(write: &mut Write, import: Uuid) -> Result<(Undoing, Act), Refusal> {
    keep(&write.standing.roles)?;
    write.standing.require_step_up()?;
    let tenant = write.standing.tenant;
    let row = sqlx::query!(
        r#"select state, committed_at <= now() - interval '31 days' as late from roster_import
           where tenant_id = $1 and id = $2 for update"#,
        tenant,
        import
    )
    .fetch_optional(write.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    check(&row.state, row.late)?;
    sqlx::query!(
        "select count(*) from (select from pupil where tenant_id = $1 order by id for update) held",
        tenant
    )
    .fetch_one(write.connection())
    .await
    .map_err(refused)?;
    let found = find(write.connection(), tenant, import).await?;
    let accounts = accounts(write, import).await?;
    fields(write, import, &found).await?;
    circumstances::put_back(write, import, &found.held).await?;
    places(write, import, &found).await?;
    caseloads(write, import).await?;
    for going in found.going.chunks(AT_ONCE) {
        sqlx::query!(
            "delete from pupil where tenant_id = $1 and id = any ($2)",
            tenant,
            going
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
    }
    groups(write, import).await?;
    sqlx::query!(
        "delete from roster_change where tenant_id = $1 and import_id = $2",
        tenant,
        import
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "update roster_import set state = 'undone', undone_at = now() where tenant_id = $1 and id = $2",
        tenant,
        import
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    let undoing = found.undoing;
    let conflicts = undoing.conflicts.len() + undoing.stays.len();
    let act = Act::roster_undone(
        import,
        undoing.removed,
        &undoing.restored,
        conflicts,
        accounts,
    );
    Ok((undoing, act))
}

async fn find(
    connection: &mut PgConnection,
    tenant: TenantId,
    import: Uuid,
) -> Result<Found, Refusal> {
    let staying = sqlx::query!(
        r#"with added as materialized (
             select c.pupil_id, c.becomes from roster_change c where c.tenant_id = $1 and c.import_id = $2 and c.what = 'added'
           ), recorded as materialized (
             select sec.pupils_recorded(
               array(select pupil_id from added),
               array(select c.row_id from roster_change c where c.tenant_id = $1 and c.import_id = $2 and c.what = 'joined')) as id
           )
           select p.id, p.last_name, p.first_name, (p.id in (select r.id from recorded r)
               -- Whatever is said of their circumstances later leaves a line, and nothing else does.
               or exists (select from tag_change t join roster_import i on i.tenant_id = $1 and i.id = $2
                 where t.tenant_id = $1 and t.pupil_id = p.id and t.at > i.committed_at)
               or a.becomes <> md5(jsonb_build_array(p.upn, p.admission_number, p.first_name, p.last_name, p.preferred_name,
                 p.born, p.sex, p.year_group, p.left_on)::text)) as "stays!"
           from added a join pupil p on p.tenant_id = $1 and p.id = a.pupil_id
           order by lower(p.last_name), lower(p.first_name), p.id"#,
        tenant,
        import
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(refused)?;
    let going: Vec<Uuid> = staying
        .iter()
        .filter(|row| !row.stays)
        .map(|row| row.id)
        .collect();
    let stays: Vec<Stays> = staying
        .into_iter()
        .filter(|row| row.stays)
        .map(|row| Stays {
            pupil: row.id,
            name: format!("{}, {}", row.last_name, row.first_name),
        })
        .collect();
    let kept: Vec<Uuid> = stays.iter().map(|one| one.pupil).collect();
    let rows = sqlx::query!(
        r#"with change as materialized (
             select c.* from roster_change c where c.tenant_id = $1 and c.import_id = $2 and c.pupil_id is not null and c.what <> 'added'
           ), torn as materialized (
             -- Who is no longer where the roster put them is not put back where they were before it.
             select distinct c.pupil_id, g.kind from change c join teaching_group g on g.tenant_id = $1 and g.id = c.group_id
             left join group_pupil x on x.tenant_id = $1 and x.id = c.row_id
             where c.what = 'joined' and x.during::text is distinct from c.becomes
           )
           select c.id, p.id as pupil, p.last_name, p.first_name, coalesce(c.field,
               case g.kind when 'class' then 'class_name' else 'registration_group' end) as "field!",
             case when c.field is null then g.name when c.what = 'field' then c.becomes end as set,
             case c.field when 'upn' then p.upn when 'admission_number' then p.admission_number when 'first_name' then p.first_name
               when 'last_name' then p.last_name when 'preferred_name' then p.preferred_name
               when 'born' then to_char(p.born, 'YYYY-MM-DD') when 'sex' then p.sex when 'year_group' then p.year_group end as now
           from change c join pupil p on p.tenant_id = $1 and p.id = c.pupil_id
           left join teaching_group g on g.tenant_id = $1 and g.id = c.group_id
           left join group_pupil x on x.tenant_id = $1 and x.id = c.row_id
           left join tag t on t.tenant_id = $1 and c.what = 'tag' and t.pupil_id = c.pupil_id and t.kind = c.field
           where not case c.what
             when 'tag' then encode(t.sealed, 'hex') is not distinct from c.becomes and p.id <> all ($3)
             when 'field' then
               case c.field when 'upn' then p.upn when 'admission_number' then p.admission_number when 'first_name' then p.first_name
                 when 'last_name' then p.last_name when 'preferred_name' then p.preferred_name
                 when 'born' then to_char(p.born, 'YYYY-MM-DD') when 'sex' then p.sex when 'year_group' then p.year_group end
                 is not distinct from c.becomes
               and (c.field <> 'upn' or not exists (select from pupil o where o.tenant_id = $1 and o.upn = c.was and o.id <> p.id
                 and o.id <> all ($4)))
               and (c.field <> 'admission_number' or not exists (
                 select from pupil o where o.tenant_id = $1 and o.admission_number = c.was and o.id <> p.id and o.id <> all ($4)))
             when 'joined' then x.during::text is not distinct from c.becomes and p.id <> all ($3)
             else x.during::text is not distinct from c.becomes and g.closed_on is null
               and not exists (select from torn t where t.pupil_id = c.pupil_id and t.kind = 'registration') end
           order by lower(p.last_name), lower(p.first_name), c.id"#,
        tenant,
        import,
        &kept,
        &going
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(refused)?;
    let held: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let conflicts = rows
        .into_iter()
        .filter(|row| !kept.contains(&row.pupil))
        .map(|row| {
            Ok(Conflict {
                pupil: row.pupil,
                name: format!("{}, {}", row.last_name, row.first_name),
                field: Field::from_code(&row.field).ok_or(Refusal::Broken)?,
                set: row.set,
                now: row.now,
            })
        })
        .collect::<Result<_, Refusal>>()?;
    let restored = sqlx::query_scalar!(
        r#"select distinct c.pupil_id as "id!" from roster_change c
           where c.tenant_id = $1 and c.import_id = $2 and c.what in ('field', 'joined', 'left', 'tag') and c.id <> all ($3)
             and c.pupil_id not in (select a.pupil_id from roster_change a
               where a.tenant_id = $1 and a.import_id = $2 and a.what = 'added')"#,
        tenant,
        import,
        &held
    )
    .fetch_all(connection)
    .await
    .map_err(refused)?;
    Ok(Found {
        undoing: Undoing {
            restored,
            removed: going.len(),
            stays,
            conflicts,
        },
        held,
        going,
    })
}

async fn fields(write: &mut Write, import: Uuid, found: &Found) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    sqlx::query!(
        "update pupil p set
           upn = case when b.was ? 'upn' then b.was ->> 'upn' else p.upn end,
           admission_number = case when b.was ? 'admission_number' then b.was ->> 'admission_number' else p.admission_number end,
           first_name = coalesce(b.was ->> 'first_name', p.first_name),
           last_name = coalesce(b.was ->> 'last_name', p.last_name),
           preferred_name = case when b.was ? 'preferred_name' then b.was ->> 'preferred_name' else p.preferred_name end,
           born = coalesce((b.was ->> 'born')::date, p.born),
           sex = case when b.was ? 'sex' then b.was ->> 'sex' else p.sex end,
           year_group = coalesce(b.was ->> 'year_group', p.year_group)
         from (select c.pupil_id, jsonb_object_agg(c.field, c.was) as was from roster_change c
               where c.tenant_id = $1 and c.import_id = $2 and c.what = 'field' and c.id <> all ($3) group by c.pupil_id) b
         where p.tenant_id = $1 and p.id = b.pupil_id",
        tenant,
        import,
        &found.held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}

/// Takes pupils out of the groups they were put into, and puts them back where they were.
async fn places(write: &mut Write, import: Uuid, found: &Found) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    sqlx::query!(
        "delete from group_pupil x using roster_change c
         where x.tenant_id = $1 and c.tenant_id = $1 and c.import_id = $2 and c.what = 'joined' and c.row_id = x.id
           and c.id <> all ($3)",
        tenant,
        import,
        &found.held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "update group_pupil x set during = c.was::daterange from roster_change c
         where x.tenant_id = $1 and c.tenant_id = $1 and c.import_id = $2 and c.what = 'left' and c.row_id = x.id
           and c.becomes is not null and c.id <> all ($3)",
        tenant,
        import,
        &found.held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "insert into group_pupil (tenant_id, id, group_id, kind, pupil_id, during)
         select $1, c.row_id, c.group_id, 'registration', c.pupil_id, c.was::daterange from roster_change c
         where c.tenant_id = $1 and c.import_id = $2 and c.what = 'left' and c.becomes is null and c.id <> all ($3)",
        tenant,
        import,
        &found.held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}

/// Ends the caseloads that the roster gave. They were somebody's, so they stay on record.
async fn caseloads(write: &mut Write, import: Uuid) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    sqlx::query!(
        "update caseload k set during = tstzrange(lower(k.during), now()), told_at = now() from roster_change c
         where k.tenant_id = $1 and c.tenant_id = $1 and c.import_id = $2 and c.what = 'caseload' and c.row_id = k.id
           and upper_inf(k.during) and lower(k.during) < now()",
        tenant,
        import
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}

/// Deletes the groups that the roster made and that nothing refers to, and closes those in which nobody is any more.
async fn groups(write: &mut Write, import: Uuid) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    sqlx::query!(
        "update teaching_group g set closed_on = sec.today() from roster_change c
         where g.tenant_id = $1 and c.tenant_id = $1 and c.import_id = $2 and c.what = 'group' and c.group_id = g.id
           and g.closed_on is null
           and not exists (select from group_pupil x where x.tenant_id = $1 and x.group_id = g.id
             and coalesce(upper(x.during) > sec.today(), true))
           and not exists (select from caseload k where k.tenant_id = $1 and k.group_id = g.id
             and coalesce(upper(k.during) > now(), true))",
        tenant,
        import
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "delete from teaching_group g using roster_change c
         where g.tenant_id = $1 and c.tenant_id = $1 and c.import_id = $2 and c.what = 'group' and c.group_id = g.id
           and not exists (select from group_pupil x where x.tenant_id = $1 and x.group_id = g.id)
           and not exists (select from caseload k where k.tenant_id = $1 and k.group_id = g.id)",
        tenant,
        import
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}

/// Whose open pages show what is no longer theirs to see: who has a group on their caseload that somebody is taken out of.
async fn accounts(write: &mut Write, import: Uuid) -> Result<Vec<AccountId>, Refusal> {
    let tenant = write.standing.tenant;
    sqlx::query_scalar!(
        "select distinct m.account_id from roster_change c
         join caseload k on k.tenant_id = $1 and k.group_id = c.group_id and k.during @> now()
         join membership m on m.tenant_id = $1 and m.id = k.membership_id
         where c.tenant_id = $1 and c.import_id = $2 and c.what in ('joined', 'caseload')",
        tenant,
        import
    )
    .fetch_all(write.connection())
    .await
    .map_err(refused)
}
