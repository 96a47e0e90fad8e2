//! Caseloads, as they were.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Conflict, Found, What};
use crate::{
    Refusal, TenantId,
    db::{Write, refused},
};

impl Found {
    pub(super) async fn caseloads(
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

/// Those that never began are given anew, by whoever undoes it.
pub(super) async fn put_back(
    write: &mut Write,
    rollover: Uuid,
    found: &Found,
) -> Result<(), Refusal> {
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
