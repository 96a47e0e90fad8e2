//! Undoing the turn of the school year: within 31 days, also after later edits. What somebody changed since stays as they left
//! it, and is shown.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Fault,
    doing::{hold, rename},
};
use crate::{
    Refusal, TenantId, day,
    db::{Read, Write, refused},
    event::Act,
    pupil::{self, keeps, year::YearGroup},
};

/// What is not put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A pupil's year group was changed since.
    Year,
    /// A pupil who left came back, or their last day was corrected.
    Left,
    /// A group was renamed or closed since, or its old name is another group's.
    Name,
    /// A group was opened again since, or its name is another group's.
    Closed,
    /// A pupil's time in a group was changed since, or they are elsewhere now.
    Place,
    /// A caseload was changed since, or given again.
    Caseload,
}

/// Something that is not put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// What it is.
    pub what: What,
    /// "Khan, Aisha", a group, or a person.
    pub called: String,
    /// The group or the pupil that a place or a caseload is of.
    pub of: Option<String>,
    /// What it was before, as people read it.
    pub was: Option<String>,
    /// What it is now and stays, as people read it.
    pub now: Option<String>,
}

/// What undoing does, or did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoing {
    /// Pupils whose year group is as it was.
    pub years: usize,
    /// Pupils who are on the roll again.
    pub leavers: usize,
    /// Groups that have their names again or are open again.
    pub groups: usize,
    /// Times in a group that are as they were.
    pub places: usize,
    /// Caseloads that are as they were.
    pub caseloads: usize,
    /// What is left as it is.
    pub conflicts: Vec<Conflict>,
}

/// All that is found out before anything is done.
#[derive(Default)]
struct Found {
    undoing: Undoing,
    /// Changes that are not put back.
    held: Vec<Uuid>,
    /// Groups that get their names again.
    renamed: (Vec<Uuid>, Vec<String>),
    /// Groups that stay closed.
    shut: Vec<Uuid>,
    /// Pupils of whom something is put back.
    pupils: Vec<Uuid>,
}

/// What undoing would do now. Refuses as [`undo`] does.
pub async fn undo_preview(read: &mut Read, rollover: Uuid) -> Result<Undoing, Refusal> {
    if !keeps(&read.standing.roles) {
        return Err(Refusal::NotAllowed);
    }
    let tenant = read.standing.tenant;
    let row = sqlx::query!(
        r#"select undone_at is not null as "undone!", made_at <= now() - interval '31 days' as "late!"
           from rollover where tenant_id = $1 and id = $2"#,
        tenant,
        rollover
    )
    .fetch_optional(read.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    check(row.undone, row.late)?;
    Ok(find(read.connection(), tenant, rollover).await?.undoing)
}

fn check(undone: bool, late: bool) -> Result<(), Refusal> {
    match (undone, late) {
        (true, _) => Err(Refusal::Stale),
        (false, true) => Err(pupil::Fault::Rollover(Fault::TooLate).into()),
        (false, false) => Ok(()),
    }
}

/// Puts back what was before. Refuses [`Fault::TooLate`] after 31 days, and who has not proved just now who they are.
pub async fn undo(write: &mut Write, rollover: Uuid) -> Result<(Undoing, Act), Refusal> {
    if !keeps(&write.standing.roles) {
        return Err(Refusal::NotAllowed);
    }
    write.standing.require_step_up()?;
    let tenant = write.standing.tenant;
    let row = sqlx::query!(
        r#"select undone_at is not null as "undone!", made_at <= now() - interval '31 days' as "late!"
           from rollover where tenant_id = $1 and id = $2 for update"#,
        tenant,
        rollover
    )
    .fetch_optional(write.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    check(row.undone, row.late)?;
    hold(write, tenant).await?;
    let found = find(write.connection(), tenant, rollover).await?;
    pupils(write, rollover, &found).await?;
    rename(write, &found.renamed.0, &found.renamed.1).await?;
    sqlx::query!(
        "update teaching_group g set closed_on = null from rollover_change c
         where g.tenant_id = $1 and c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'closed' and c.group_id = g.id
           and c.id <> all ($3)",
        tenant,
        rollover,
        &found.held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    places(write, rollover, &found).await?;
    caseloads(write, rollover, &found).await?;
    sqlx::query!(
        "delete from rollover_change where tenant_id = $1 and rollover_id = $2",
        tenant,
        rollover
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "update rollover set undone_at = now() where tenant_id = $1 and id = $2",
        tenant,
        rollover
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    let act = Act::rolled_back(rollover, &found.pupils, found.undoing.conflicts.len());
    Ok((found.undoing, act))
}

async fn find(
    connection: &mut PgConnection,
    tenant: TenantId,
    rollover: Uuid,
) -> Result<Found, Refusal> {
    let mut found = Found::default();
    found.groups(connection, tenant, rollover).await?;
    found.people(connection, tenant, rollover).await?;
    found.places(connection, tenant, rollover).await?;
    found.caseloads(connection, tenant, rollover).await?;
    Ok(found)
}

/// A group that is to be put back.
struct Back {
    change: Uuid,
    group: Uuid,
    kind: String,
    /// What it is called now.
    name: String,
    /// What it was called, where it was renamed; else it was closed.
    was: Option<String>,
    open: bool,
    same: bool,
}

impl Back {
    fn key(&self) -> (String, String) {
        let name = self.was.as_ref().unwrap_or(&self.name);
        (self.kind.clone(), name.to_lowercase())
    }
}

impl Found {
    fn holds(&mut self, change: Uuid, conflict: Conflict) {
        self.held.push(change);
        self.undoing.conflicts.push(conflict);
    }

    /// Groups that are not as they were left, and those whose name is another group's by now, stay as they are.
    async fn groups(
        &mut self,
        connection: &mut PgConnection,
        tenant: TenantId,
        rollover: Uuid,
    ) -> Result<(), Refusal> {
        let rows = sqlx::query!(
            r#"select c.id, g.id as group_id, g.kind, g.name, c.was, g.closed_on is null as "open!",
                      case c.what when 'renamed' then g.name = c.becomes and g.closed_on is null
                                  else g.closed_on is not distinct from c.becomes::date end as "same!"
               from rollover_change c join teaching_group g on g.tenant_id = c.tenant_id and g.id = c.group_id
               where c.tenant_id = $1 and c.rollover_id = $2 and c.what in ('renamed', 'closed') order by lower(g.name), c.id"#,
            tenant,
            rollover
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(refused)?;
        let changed: Vec<Uuid> = rows.iter().map(|row| row.group_id).collect();
        let mut taken: HashSet<(String, String)> = sqlx::query!(
            r#"select kind, lower(name) as "name!" from teaching_group
               where tenant_id = $1 and closed_on is null and id <> all ($2)"#,
            tenant,
            &changed
        )
        .fetch_all(connection)
        .await
        .map_err(refused)?
        .into_iter()
        .map(|row| (row.kind, row.name))
        .collect();
        let mut backs: Vec<Back> = rows
            .into_iter()
            .map(|row| Back {
                change: row.id,
                group: row.group_id,
                kind: row.kind,
                name: row.name,
                was: row.was,
                open: row.open,
                same: row.same,
            })
            .collect();
        // One that stays as it is keeps its name, which may be what another one was called.
        loop {
            let (goes, stays): (Vec<Back>, Vec<Back>) = backs
                .into_iter()
                .partition(|back| back.same && !taken.contains(&back.key()));
            backs = goes;
            if stays.is_empty() {
                break;
            }
            for back in stays {
                if back.open {
                    taken.insert((back.kind.clone(), back.name.to_lowercase()));
                } else {
                    self.shut.push(back.group);
                }
                let what = match back.was {
                    Some(_) => What::Name,
                    None => What::Closed,
                };
                self.holds(
                    back.change,
                    Conflict {
                        what,
                        called: back.name,
                        of: None,
                        was: back.was,
                        now: None,
                    },
                );
            }
        }
        self.undoing.groups = backs.len();
        self.renamed = backs
            .into_iter()
            .filter_map(|back| Some((back.group, back.was?)))
            .unzip();
        Ok(())
    }

    async fn people(
        &mut self,
        connection: &mut PgConnection,
        tenant: TenantId,
        rollover: Uuid,
    ) -> Result<(), Refusal> {
        let rows = sqlx::query!(
            r#"select c.id, c.what = 'left' as "left!", p.id as pupil, p.last_name, p.first_name, c.was, p.year_group, p.left_on,
                      case c.what when 'left' then p.left_on is not distinct from c.becomes::date
                                  else p.year_group = c.becomes end as "same!"
               from rollover_change c join pupil p on p.tenant_id = c.tenant_id and p.id = c.pupil_id
               where c.tenant_id = $1 and c.rollover_id = $2 and c.what in ('year', 'left')
               order by lower(p.last_name), lower(p.first_name), c.id"#,
            tenant,
            rollover
        )
        .fetch_all(connection)
        .await
        .map_err(refused)?;
        let year = |code: &str| YearGroup::from_code(code).map(|year| year.name().to_owned());
        for row in rows {
            if row.same {
                self.pupils.push(row.pupil);
                let count = if row.left {
                    &mut self.undoing.leavers
                } else {
                    &mut self.undoing.years
                };
                *count += 1;
                continue;
            }
            let called = format!("{}, {}", row.last_name, row.first_name);
            let conflict = if row.left {
                Conflict {
                    what: What::Left,
                    called,
                    of: None,
                    was: None,
                    now: row.left_on.map(|first| day::words(day::before(first))),
                }
            } else {
                Conflict {
                    what: What::Year,
                    called,
                    of: None,
                    was: row.was.as_deref().and_then(year),
                    now: year(&row.year_group),
                }
            };
            self.holds(row.id, conflict);
        }
        Ok(())
    }

    async fn places(
        &mut self,
        connection: &mut PgConnection,
        tenant: TenantId,
        rollover: Uuid,
    ) -> Result<(), Refusal> {
        let rows = sqlx::query!(
            r#"select c.id, p.id as pupil, p.last_name, p.first_name, g.name as group,
                      (x.during is not distinct from c.becomes::daterange and g.id <> all ($3)
                       and (p.left_on is null or exists (
                         select from rollover_change l where l.tenant_id = $1 and l.rollover_id = $2 and l.what = 'left'
                           and l.pupil_id = p.id and l.becomes::date = p.left_on))
                       and not exists (
                         select from group_pupil o where o.tenant_id = $1 and o.pupil_id = p.id and o.id <> c.row_id
                           and (o.group_id = c.group_id or (o.kind = 'registration' and g.kind = 'registration'))
                           and o.during && c.was::daterange)) as "same!"
               from rollover_change c
               join pupil p on p.tenant_id = c.tenant_id and p.id = c.pupil_id
               join teaching_group g on g.tenant_id = c.tenant_id and g.id = c.group_id
               left join group_pupil x on x.tenant_id = c.tenant_id and x.id = c.row_id
               where c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'place'
               order by lower(p.last_name), lower(p.first_name), c.id"#,
            tenant,
            rollover,
            &self.shut
        )
        .fetch_all(connection)
        .await
        .map_err(refused)?;
        for row in rows {
            if row.same {
                self.pupils.push(row.pupil);
                self.undoing.places += 1;
                continue;
            }
            self.holds(
                row.id,
                Conflict {
                    what: What::Place,
                    called: format!("{}, {}", row.last_name, row.first_name),
                    of: Some(row.group),
                    was: None,
                    now: None,
                },
            );
        }
        self.pupils.sort_unstable();
        self.pupils.dedup();
        Ok(())
    }

    async fn caseloads(
        &mut self,
        connection: &mut PgConnection,
        tenant: TenantId,
        rollover: Uuid,
    ) -> Result<(), Refusal> {
        let rows = sqlx::query!(
            r#"select c.id, m.name, coalesce(g.name, coalesce(p.preferred_name, p.first_name) || ' ' || p.last_name) as "of!",
                      (k.during is not distinct from c.becomes::tstzrange and coalesce(g.id <> all ($3), true)
                       and m.state <> 'ended' and m.roles && array['teacher', 'teaching_assistant']
                       and (p.left_on is null or exists (
                         select from rollover_change l where l.tenant_id = $1 and l.rollover_id = $2 and l.what = 'left'
                           and l.pupil_id = p.id and l.becomes::date = p.left_on))
                       and not exists (
                         select from caseload o where o.tenant_id = $1 and o.membership_id = c.membership_id and o.id <> c.row_id
                           and (o.group_id = c.group_id or o.pupil_id = c.pupil_id) and o.during && c.was::tstzrange)) as "same!"
               from rollover_change c
               join membership m on m.tenant_id = c.tenant_id and m.id = c.membership_id
               left join teaching_group g on g.tenant_id = c.tenant_id and g.id = c.group_id
               left join pupil p on p.tenant_id = c.tenant_id and p.id = c.pupil_id
               left join caseload k on k.tenant_id = c.tenant_id and k.id = c.row_id
               where c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'caseload'
               order by lower(m.name), c.id"#,
            tenant,
            rollover,
            &self.shut
        )
        .fetch_all(connection)
        .await
        .map_err(refused)?;
        for row in rows {
            if row.same {
                self.undoing.caseloads += 1;
                continue;
            }
            self.holds(
                row.id,
                Conflict {
                    what: What::Caseload,
                    called: row.name,
                    of: Some(row.of),
                    was: None,
                    now: None,
                },
            );
        }
        Ok(())
    }
}

async fn pupils(write: &mut Write, rollover: Uuid, found: &Found) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    sqlx::query!(
        "update pupil p set year_group = c.was from rollover_change c
         where p.tenant_id = $1 and c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'year' and c.pupil_id = p.id
           and c.id <> all ($3)",
        tenant,
        rollover,
        &found.held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "update pupil p set left_on = null from rollover_change c
         where p.tenant_id = $1 and c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'left' and c.pupil_id = p.id
           and c.id <> all ($3)",
        tenant,
        rollover,
        &found.held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}

async fn places(write: &mut Write, rollover: Uuid, found: &Found) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    sqlx::query!(
        "update group_pupil x set during = c.was::daterange from rollover_change c
         where x.tenant_id = $1 and c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'place' and c.row_id = x.id
           and c.becomes is not null and c.id <> all ($3)",
        tenant,
        rollover,
        &found.held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "insert into group_pupil (tenant_id, id, group_id, kind, pupil_id, during)
         select $1, c.row_id, c.group_id, g.kind, c.pupil_id, c.was::daterange
         from rollover_change c join teaching_group g on g.tenant_id = $1 and g.id = c.group_id
         where c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'place' and c.becomes is null and c.id <> all ($3)",
        tenant,
        rollover,
        &found.held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}

/// Those that never began are given anew, by whoever undoes it.
async fn caseloads(write: &mut Write, rollover: Uuid, found: &Found) -> Result<(), Refusal> {
    let (tenant, own) = (write.standing.tenant, write.standing.membership);
    sqlx::query!(
        "update caseload k set during = c.was::tstzrange, told_at = case when upper(c.was::tstzrange) <= now() then now() end
         from rollover_change c
         where k.tenant_id = $1 and c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'caseload' and c.row_id = k.id
           and c.becomes is not null and c.id <> all ($3)",
        tenant,
        rollover,
        &found.held
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "insert into caseload (tenant_id, id, membership_id, group_id, pupil_id, cover, during, given_by)
         select $1, c.row_id, c.membership_id, c.group_id, c.pupil_id, c.cover, c.was::tstzrange, $4 from rollover_change c
         where c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'caseload' and c.becomes is null and c.id <> all ($3)",
        tenant,
        rollover,
        &found.held,
        own
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}

impl crate::db::MailDb {
    /// Forgets what could be undone and no longer can. Returns of how many turns of a school year.
    pub async fn rollovers_end(&self) -> Result<i32, Refusal> {
        sqlx::query_scalar!(r#"select sec.rollovers_end() as "ended!""#)
            .fetch_one(self.pool())
            .await
            .map_err(crate::db::refused_quietly)
    }
}
