//! Taking a roster in: all that was shown, in one transaction, and put down so that it can be undone. What would now come out otherwise
//! than it was shown is left out and told.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    circumstances,
    import::{keep, lock},
    judging,
};
use crate::{
    AccountId, Refusal, TenantId,
    db::{Write, refused},
    event::Act,
    pupil::statistics,
    secret::Secrets,
};

/// What was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Pupils put on the roll.
    pub added: usize,
    /// Pupils of whom something changed.
    pub changed: usize,
    /// Lines that could not be taken, and those that nobody had confirmed.
    pub not_taken: usize,
    /// Lines of which something else would have become than was shown, because the roll had changed meanwhile. Reading the file again
    /// shows what would become of them now.
    pub moved: Vec<u32>,
    /// Classes and registration groups that were made.
    pub groups: usize,
    /// Classes that were put on the caseload of the teacher whom the roster names.
    pub caseloads: usize,
    /// What was set of pupils' circumstances, of the kinds that are switched on.
    pub tags: usize,
    /// Teachers whom the roster names and who are nobody here, or more than one. Their classes are given by hand.
    pub teachers_unknown: Vec<String>,
}

impl Taken {
    /// Whether the roll said all of it already.
    pub const fn is_nothing(&self) -> bool {
        self.added == 0
            && self.changed == 0
            && self.groups == 0
            && self.caseloads == 0
            && self.tags == 0
    }
}

/// Takes a roster in. Refuses one that is not waiting to be, and who has not proved just now who they are.
pub async fn take_in(
    write: &mut Write,
    secrets: &Secrets,
    import: Uuid,
) -> Result<(Taken, Act), Refusal> {
    keep(&write.standing.roles)?;
    write.standing.require_step_up()?;
    lock(write, import).await?;
    let mut taking = Taking {
        tenant: write.standing.tenant,
        import,
        write,
    };
    taking.hold().await?;
    judging::judge(taking.write, import, true).await?;
    let (moved, not_taken) = taking.left_out().await?;
    let groups = taking.groups().await?;
    let added = taking.added().await?;
    taking.fields().await?;
    taking.leave().await?;
    taking.join().await?;
    let caseloads = taking.caseloads().await?;
    let tags = circumstances::set(taking.write, secrets, import).await?;
    let teachers_unknown = taking.teachers_unknown().await?;
    let changed = taking.changed().await?;
    let accounts = taking.accounts().await?;
    let left_out = moved.len() + not_taken;
    taking.close(added, changed.len(), left_out).await?;
    statistics::renew(taking.write).await?;
    let act = Act::roster_imported(import, added, &changed, left_out, accounts);
    let taken = Taken {
        added,
        changed: changed.len(),
        not_taken,
        moved,
        groups,
        caseloads,
        tags,
        teachers_unknown,
    };
    Ok((taken, act))
}

struct Taking<'a> {
    write: &'a mut Write,
    tenant: TenantId,
    import: Uuid,
}

fn many(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

impl Taking<'_> {
    /// Holds the roll as it is: nobody corrects a pupil between the last look and the change.
    async fn hold(&mut self) -> Result<(), Refusal> {
        sqlx::query!(
            "select count(*) from (select from pupil where tenant_id = $1 order by id for update) held",
            self.tenant
        )
        .fetch_one(self.write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// The lines that moved, and how many are not taken for another reason. What belongs to a line that moved moves with it.
    async fn left_out(&mut self) -> Result<(Vec<u32>, usize), Refusal> {
        sqlx::query!(
            "update roster_row r set verdict = 'moved' from roster_row h
             where r.tenant_id = $1 and r.import_id = $2 and h.tenant_id = $1 and h.import_id = $2 and h.line = r.of_line
               and h.verdict = 'moved' and r.verdict <> 'moved'",
            self.tenant,
            self.import
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        let rows = sqlx::query!(
            "select line, verdict from roster_row
             where tenant_id = $1 and import_id = $2 and verdict in ('moved', 'bad', 'unsure') order by line",
            self.tenant,
            self.import
        )
        .fetch_all(self.write.connection())
        .await
        .map_err(refused)?;
        let moved: Vec<u32> = rows
            .iter()
            .filter(|row| row.verdict == "moved")
            .filter_map(|row| u32::try_from(row.line).ok())
            .collect();
        let others = rows.len() - moved.len();
        Ok((moved, others))
    }

    /// Makes the groups that are not there.
    async fn groups(&mut self) -> Result<usize, Refusal> {
        let made = sqlx::query!(
            "with wanted as (
               select distinct on (w.kind, lower(w.name)) w.kind, w.name
               from (select case c ->> 'field' when 'class_name' then 'class' else 'registration' end as kind,
                       c ->> 'becomes' as name, r.line
                     from roster_row r cross join jsonb_array_elements(r.changes) c
                     where r.tenant_id = $1 and r.import_id = $2 and r.verdict in ('new', 'changed')
                       and c ->> 'field' in ('class_name', 'registration_group')) w
               order by w.kind, lower(w.name), w.line
             ), made as (
               insert into teaching_group (tenant_id, kind, name)
               select $1, w.kind, w.name from wanted w
               where not exists (select from teaching_group g
                 where g.tenant_id = $1 and g.kind = w.kind and lower(g.name) = lower(w.name) and g.closed_on is null)
               returning id
             )
             insert into roster_change (tenant_id, import_id, what, group_id) select $1, $2, 'group', id from made",
            self.tenant,
            self.import
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        Ok(many(made.rows_affected()))
    }

    /// Puts new pupils on the roll.
    async fn added(&mut self) -> Result<usize, Refusal> {
        sqlx::query!(
            "insert into pupil (tenant_id, id, upn, admission_number, first_name, last_name, preferred_name, born, sex, year_group)
             select $1, r.id, r.upn, r.admission_number, r.first_name, r.last_name, r.preferred_name, r.born, r.sex, r.year_group
             from roster_row r where r.tenant_id = $1 and r.import_id = $2 and r.verdict = 'new'",
            self.tenant,
            self.import
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        let added = sqlx::query!(
            "insert into roster_change (tenant_id, import_id, what, pupil_id, becomes)
             select $1, $2, 'added', p.id, md5(jsonb_build_array(p.upn, p.admission_number, p.first_name, p.last_name,
               p.preferred_name, p.born, p.sex, p.year_group, p.left_on)::text)
             from roster_row r join pupil p on p.tenant_id = $1 and p.id = r.id
             where r.tenant_id = $1 and r.import_id = $2 and r.verdict = 'new'",
            self.tenant,
            self.import
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        Ok(many(added.rows_affected()))
    }

    /// Corrects what the roll says of pupils who are here.
    async fn fields(&mut self) -> Result<(), Refusal> {
        sqlx::query!(
            "insert into roster_change (tenant_id, import_id, what, pupil_id, field, was, becomes)
             select $1, $2, 'field', r.match_id, c ->> 'field', c ->> 'was', c ->> 'becomes'
             from roster_row r cross join jsonb_array_elements(r.changes) c
             where r.tenant_id = $1 and r.import_id = $2 and r.verdict = 'changed' and r.line = r.of_line
               and c ->> 'field' not in ('class_name', 'registration_group')",
            self.tenant,
            self.import
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "update pupil p set upn = coalesce(r.upn, p.upn), admission_number = coalesce(r.admission_number, p.admission_number),
               first_name = coalesce(r.first_name, p.first_name), last_name = coalesce(r.last_name, p.last_name),
               preferred_name = coalesce(r.preferred_name, p.preferred_name), born = coalesce(r.born, p.born),
               sex = coalesce(r.sex, p.sex), year_group = coalesce(r.year_group, p.year_group)
             from roster_row r
             where p.tenant_id = $1 and r.tenant_id = $1 and r.import_id = $2 and r.match_id = p.id and r.verdict = 'changed'
               and r.line = r.of_line and exists (select from roster_change c
                 where c.tenant_id = $1 and c.import_id = $2 and c.pupil_id = p.id and c.what = 'field')",
            self.tenant,
            self.import
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// Takes who changes their registration group out of the one they were in, today.
    async fn leave(&mut self) -> Result<(), Refusal> {
        sqlx::query!(
            "insert into roster_change (tenant_id, import_id, what, pupil_id, group_id, row_id, was, becomes)
             select $1, $2, 'left', x.pupil_id, x.group_id, x.id, x.during::text,
               case when lower(x.during) < sec.today() then daterange(lower(x.during), sec.today())::text end
             from roster_row r join group_pupil x on x.tenant_id = $1 and x.pupil_id = r.match_id and x.kind = 'registration'
               and coalesce(upper(x.during) > sec.today(), true)
             where r.tenant_id = $1 and r.import_id = $2 and r.verdict = 'changed' and r.line = r.of_line
               and r.changes @> '[{\"field\": \"registration_group\"}]'",
            self.tenant,
            self.import
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "delete from group_pupil x using roster_change c
             where x.tenant_id = $1 and c.tenant_id = $1 and c.import_id = $2 and c.what = 'left' and c.row_id = x.id
               and c.becomes is null",
            self.tenant,
            self.import
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "update group_pupil x set during = c.becomes::daterange from roster_change c
             where x.tenant_id = $1 and c.tenant_id = $1 and c.import_id = $2 and c.what = 'left' and c.row_id = x.id
               and c.becomes is not null",
            self.tenant,
            self.import
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// Puts pupils into their registration groups and classes, from today.
    async fn join(&mut self) -> Result<(), Refusal> {
        sqlx::query!(
            "with target as (
               select distinct coalesce(h.match_id, h.id) as pupil_id,
                 case c ->> 'field' when 'class_name' then 'class' else 'registration' end as kind, lower(c ->> 'becomes') as name_key
               from roster_row r
               join roster_row h on h.tenant_id = $1 and h.import_id = $2 and h.line = r.of_line
               cross join jsonb_array_elements(r.changes) c
               where r.tenant_id = $1 and r.import_id = $2 and r.verdict in ('new', 'changed')
                 and h.verdict in ('new', 'changed', 'same') and c ->> 'field' in ('class_name', 'registration_group')
             ), placed as (
               insert into group_pupil (tenant_id, group_id, kind, pupil_id, during)
               select $1, g.id, g.kind, t.pupil_id, daterange(sec.today(), null) from target t
               join teaching_group g on g.tenant_id = $1 and g.kind = t.kind and lower(g.name) = t.name_key and g.closed_on is null
               -- Whoever is to join it on a later day anyway joins it then.
               where not exists (select from group_pupil x where x.tenant_id = $1 and x.group_id = g.id and x.pupil_id = t.pupil_id
                 and x.during && daterange(sec.today(), null))
               returning id, group_id, pupil_id, during
             )
             insert into roster_change (tenant_id, import_id, what, pupil_id, group_id, row_id, becomes)
             select $1, $2, 'joined', p.pupil_id, p.group_id, p.id, p.during::text from placed p",
            self.tenant,
            self.import
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// Gives classes, and registration groups where a line has no class, to the one teacher of the name beside them.
    async fn caseloads(&mut self) -> Result<usize, Refusal> {
        let own = self.write.standing.membership;
        let given = sqlx::query!(
            "with teacher as (
               select lower(m.name) as name_key, (array_agg(m.id))[1] as id from membership m
               where m.tenant_id = $1 and m.state = 'active' and 'teacher' = any (m.roles)
               group by lower(m.name) having count(*) = 1
             ), wanted as (
               select distinct t.id as membership_id, g.id as group_id from roster_row r
               join teacher t on t.name_key = lower(r.teacher)
               join teaching_group g on g.tenant_id = $1 and g.closed_on is null
                 and g.kind = case when r.class is null then 'registration' else 'class' end
                 and lower(g.name) = lower(coalesce(r.class, r.registration))
               where r.tenant_id = $1 and r.import_id = $2 and r.verdict in ('new', 'changed', 'same')
             ), given as (
               insert into caseload (tenant_id, membership_id, group_id, cover, during, given_by)
               select $1, w.membership_id, w.group_id, false, tstzrange(now(), null), $3 from wanted w
               where not exists (select from caseload c where c.tenant_id = $1 and c.membership_id = w.membership_id
                 and c.group_id = w.group_id and c.during && tstzrange(now(), null))
               returning id, group_id
             )
             insert into roster_change (tenant_id, import_id, what, group_id, row_id) select $1, $2, 'caseload', group_id, id from given",
            self.tenant,
            self.import,
            own
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        Ok(many(given.rows_affected()))
    }

    async fn teachers_unknown(&mut self) -> Result<Vec<String>, Refusal> {
        sqlx::query_scalar!(
            r#"select min(r.teacher) as "name!" from roster_row r
               where r.tenant_id = $1 and r.import_id = $2 and r.verdict in ('new', 'changed', 'same') and r.teacher is not null
                 and lower(r.teacher) not in (
                   select lower(m.name) from membership m
                   where m.tenant_id = $1 and m.state = 'active' and 'teacher' = any (m.roles)
                   group by lower(m.name) having count(*) = 1)
               group by lower(r.teacher) order by lower(r.teacher) limit 500"#,
            self.tenant,
            self.import
        )
        .fetch_all(self.write.connection())
        .await
        .map_err(refused)
    }

    /// The pupils of whom something changed, without those who are new.
    async fn changed(&mut self) -> Result<Vec<Uuid>, Refusal> {
        sqlx::query_scalar!(
            r#"select distinct c.pupil_id as "id!" from roster_change c
               where c.tenant_id = $1 and c.import_id = $2 and c.what in ('field', 'joined', 'left', 'tag')
                 and c.pupil_id not in (select a.pupil_id from roster_change a
                   where a.tenant_id = $1 and a.import_id = $2 and a.what = 'added')"#,
            self.tenant,
            self.import
        )
        .fetch_all(self.write.connection())
        .await
        .map_err(refused)
    }

    /// Who had a group on their caseload that somebody was taken out of: what they see has shrunk.
    async fn accounts(&mut self) -> Result<Vec<AccountId>, Refusal> {
        sqlx::query_scalar!(
            "select distinct m.account_id from roster_change c
             join caseload k on k.tenant_id = $1 and k.group_id = c.group_id and k.during @> now()
             join membership m on m.tenant_id = $1 and m.id = k.membership_id
             where c.tenant_id = $1 and c.import_id = $2 and c.what = 'left'",
            self.tenant,
            self.import
        )
        .fetch_all(self.write.connection())
        .await
        .map_err(refused)
    }

    /// Deletes the lines, and says that it is done.
    async fn close(
        &mut self,
        added: usize,
        changed: usize,
        left_out: usize,
    ) -> Result<(), Refusal> {
        sqlx::query!(
            "delete from roster_row where tenant_id = $1 and import_id = $2",
            self.tenant,
            self.import
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        let number = |many: usize| i32::try_from(many).map_err(|_| Refusal::Broken);
        sqlx::query!(
            "update roster_import set state = 'committed', committed_at = now(), added = $3, changed = $4, left_out = $5
             where tenant_id = $1 and id = $2",
            self.tenant,
            self.import,
            number(added)?,
            number(changed)?,
            number(left_out)?
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }
}
