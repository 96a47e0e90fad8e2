//! Groups: those that were renamed have their names again, and those that were closed are open again.

use std::collections::HashSet;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Conflict, Found, What};
use crate::{
    Refusal, TenantId,
    db::{Write, refused},
    pupil::rollover::doing::rename,
};

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
    /// Groups that are not as they were left, and those whose name is another group's by now, stay as they are.
    pub(super) async fn groups(
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
}

pub(super) async fn put_back(
    write: &mut Write,
    rollover: Uuid,
    found: &Found,
) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
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
    Ok(())
}
