//! Times in a group, as they were; one that never began is there again.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Conflict, Found, What};
use crate::{
    Refusal, TenantId,
    db::{Write, refused},
};

impl Found {
    pub(super) async fn places(
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
}

pub(super) async fn put_back(
    write: &mut Write,
    rollover: Uuid,
    found: &Found,
) -> Result<(), Refusal> {
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
