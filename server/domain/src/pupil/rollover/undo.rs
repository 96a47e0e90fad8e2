//! Undoing the turn of the school year: within 31 days, also after later edits. What somebody changed since stays as they left
//! it, and is shown.

mod caseload;
mod group;
mod place;
mod pupil;

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Fault, doing::hold};
use crate::{
    Refusal, TenantId,
    db::{MailDb, Read, Write, refused},
    event::Act,
    pupil::keep,
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

impl Found {
    fn holds(&mut self, change: Uuid, conflict: Conflict) {
        self.held.push(change);
        self.undoing.conflicts.push(conflict);
    }
}

/// What undoing would do now. Refuses as [`undo`] does.
pub async fn undo_preview(read: &mut Read, rollover: Uuid) -> Result<Undoing, Refusal> {
    keep(&read.standing.roles)?;
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
        (false, true) => Err(crate::pupil::Fault::Rollover(Fault::TooLate).into()),
        (false, false) => Ok(()),
    }
}

/// Puts back what was before. Refuses [`Fault::TooLate`] after 31 days, and who has not proved just now who they are.
pub async fn undo(write: &mut Write, rollover: Uuid) -> Result<(Undoing, Act), Refusal> {
    keep(&write.standing.roles)?;
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
    pupil::put_back(write, rollover, &found).await?;
    group::put_back(write, rollover, &found).await?;
    place::put_back(write, rollover, &found).await?;
    caseload::put_back(write, rollover, &found).await?;
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

impl MailDb {
    /// Forgets what could be undone and no longer can. Returns of how many turns of a school year.
    pub async fn rollovers_end(&self) -> Result<i32, Refusal> {
        sqlx::query_scalar!(r#"select sec.rollovers_end() as "ended!""#)
            .fetch_one(self.pool())
            .await
            .map_err(crate::db::refused_quietly)
    }
}
