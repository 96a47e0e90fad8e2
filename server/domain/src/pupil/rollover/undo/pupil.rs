//! Pupils: they are in their old year groups, and those who left are on the roll again.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Conflict, Found, What};
use crate::{
    Refusal, TenantId, day,
    db::{Write, refused},
    pupil::year::YearGroup,
};

impl Found {
    pub(super) async fn people(
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
}

pub(super) async fn put_back(
    write: &mut Write,
    rollover: Uuid,
    found: &Found,
) -> Result<(), Refusal> {
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
