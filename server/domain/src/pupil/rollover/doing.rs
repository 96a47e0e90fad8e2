//! Moving the roll up: exactly what was shown, in one transaction and for all pupils at once, with how it was before put down
//! so that it can be undone.

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use super::{
    Fate, Fault, Wish,
    plan::{Plan, work_out},
};
use crate::{
    AccountId, Refusal, TenantId, day,
    db::{Read, Write, refused},
    event::Act,
    pupil::{self, keep, statistics},
};

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Its key.
    pub id: Uuid,
    /// Pupils in another year group.
    pub moved_up: usize,
    /// Pupils who left.
    pub leavers: usize,
}

/// A turn of the school year that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rolled {
    /// Its key.
    pub id: Uuid,
    /// The school year that began, by its first calendar year.
    pub begins: i32,
    /// Of the school year before it.
    pub last_day: Date,
    /// Who did it.
    pub by: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Pupils in another year group.
    pub moved_up: usize,
    /// Pupils who left.
    pub leavers: usize,
    /// Whether it can be undone.
    pub undoable: bool,
}

/// The newest that stands, if there is any.
pub async fn newest(read: &mut Read) -> Result<Option<Rolled>, Refusal> {
    let tenant = read.standing.tenant;
    let row = sqlx::query!(
        r#"select r.id, r.school_year, r.last_day, m.name, r.made_at, r.moved_up, r.leavers,
                  r.made_at > now() - interval '31 days' as "undoable!"
           from rollover r join membership m on m.tenant_id = r.tenant_id and m.id = r.made_by
           where r.tenant_id = $1 and r.undone_at is null order by r.school_year desc limit 1"#,
        tenant
    )
    .fetch_optional(read.connection())
    .await
    .map_err(refused)?;
    row.map(|row| {
        Ok(Rolled {
            id: row.id,
            begins: row.school_year,
            last_day: row.last_day,
            by: row.name,
            at: day::moment(row.made_at)?,
            moved_up: usize::try_from(row.moved_up).unwrap_or_default(),
            leavers: usize::try_from(row.leavers).unwrap_or_default(),
            undoable: row.undoable,
        })
    })
    .transpose()
}

/// Does what was shown: `shown` is [`Plan::shown`] of it. Refuses where the roll or the wish has changed since, where it was
/// done for that school year, and who has not proved just now who they are.
pub async fn roll_over(
    write: &mut Write,
    wish: &Wish,
    shown: &str,
    today: Date,
) -> Result<(Done, Act), Refusal> {
    keep(&write.standing.roles)?;
    write.standing.require_step_up()?;
    let tenant = write.standing.tenant;
    hold(write, tenant).await?;
    let plan = work_out(write.connection(), tenant, wish, today).await?;
    // First, since after it nothing is as it was shown.
    let done = sqlx::query_scalar!(
        r#"select exists (select from rollover where tenant_id = $1 and school_year = $2 and undone_at is null) as "done!""#,
        tenant,
        plan.school_year.begins()
    )
    .fetch_one(write.connection())
    .await
    .map_err(refused)?;
    if done {
        return Err(fault(Fault::Done));
    }
    if plan.shown != shown {
        let roll = Plan::roll_of(&plan.shown) == Plan::roll_of(shown);
        return Err(fault(if roll {
            Fault::FormChanged
        } else {
            Fault::RollChanged
        }));
    }
    if let Some(wrong) = plan.fault() {
        return Err(fault(wrong));
    }
    let mut doing = Doing::begin(write, &plan).await?;
    doing.places().await?;
    doing.caseloads().await?;
    doing.years().await?;
    doing.groups().await?;
    let (id, accounts) = (doing.id, doing.accounts().await?);
    statistics::renew(doing.write).await?;
    let total = plan.total();
    let done = Done {
        id,
        moved_up: doing.moved.len(),
        leavers: total.leave,
    };
    let touched: Vec<Uuid> = [doing.moved, doing.leaving].concat();
    let label = plan.school_year.label();
    let act = Act::rolled_over(id, &label, &touched, total.leave, accounts);
    Ok((done, act))
}

fn fault(fault: Fault) -> Refusal {
    pupil::Fault::Rollover(fault).into()
}

/// Holds the roll, the groups and the caseloads as they are: nobody changes one between the last look and the change.
pub(super) async fn hold(write: &mut Write, tenant: TenantId) -> Result<(), Refusal> {
    sqlx::query!(
        "select count(*) from (select from pupil where tenant_id = $1 order by id for update) held",
        tenant
    )
    .fetch_one(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "select count(*) from (select from teaching_group where tenant_id = $1 order by id for update) held",
        tenant
    )
    .fetch_one(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "select count(*) from (
           select from caseload where tenant_id = $1 and coalesce(upper(during) > now(), true) order by id for update
         ) held",
        tenant
    )
    .fetch_one(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}

struct Doing<'a> {
    write: &'a mut Write,
    plan: &'a Plan,
    tenant: TenantId,
    id: Uuid,
    /// The first day without those who leave.
    first_without: Date,
    moved: Vec<Uuid>,
    leaving: Vec<Uuid>,
}

impl<'a> Doing<'a> {
    async fn begin(write: &'a mut Write, plan: &'a Plan) -> Result<Self, Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let of = |wanted: fn(&super::plan::Line) -> bool| -> Vec<Uuid> {
            let lines = plan.pupils.iter().filter(|line| wanted(line));
            lines.map(|line| line.id).collect()
        };
        let moved = of(|line| line.becomes.is_some_and(|year| year != line.year));
        let leaving = of(|line| line.becomes.is_none());
        let number = |many: usize| i32::try_from(many).map_err(|_| Refusal::Broken);
        let id = sqlx::query_scalar!(
            "insert into rollover (tenant_id, school_year, last_day, made_by, moved_up, leavers)
             values ($1, $2, $3, $4, $5, $6) returning id",
            tenant,
            plan.school_year.begins(),
            plan.last_day,
            own,
            number(moved.len())?,
            number(leaving.len())?
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        Ok(Self {
            write,
            plan,
            tenant,
            id,
            first_without: day::after(plan.last_day),
            moved,
            leaving,
        })
    }

    fn of_fate(&self, fate: Fate) -> Vec<Uuid> {
        let groups = self.plan.groups.iter();
        groups
            .filter(|group| group.wish.fate == fate)
            .map(|group| group.id)
            .collect()
    }

    /// Who leaves is in no group from the day after the last one, nobody is in a group that is closed, and who does not go up
    /// with a group is taken out of it.
    async fn places(&mut self) -> Result<(), Refusal> {
        let (closed, carried) = (self.of_fate(Fate::Close), self.of_fate(Fate::Carry));
        let lines = self.plan.pupils.iter();
        let apart: Vec<Uuid> = lines
            .filter(|line| line.apart)
            .map(|line| line.id)
            .collect();
        sqlx::query!(
            "insert into rollover_change (tenant_id, rollover_id, what, pupil_id, group_id, row_id, was, becomes)
             select $1, $2, 'place', x.pupil_id, x.group_id, x.id, x.during::text,
               case when lower(x.during) < $3 then daterange(lower(x.during), $3)::text end
             from group_pupil x
             where x.tenant_id = $1 and coalesce(upper(x.during) > $3, true)
               and (x.pupil_id = any ($4) or x.group_id = any ($5)
                 or (x.pupil_id = any ($6) and x.group_id = any ($7) and x.during @> sec.today()))",
            self.tenant,
            self.id,
            self.first_without,
            &self.leaving,
            &closed,
            &apart,
            &carried
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "delete from group_pupil x using rollover_change c
             where x.tenant_id = $1 and c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'place' and c.row_id = x.id
               and c.becomes is null",
            self.tenant,
            self.id
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "update group_pupil x set during = c.becomes::daterange from rollover_change c
             where x.tenant_id = $1 and c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'place' and c.row_id = x.id
               and c.becomes is not null",
            self.tenant,
            self.id
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// Caseloads end with the last day, or now where that is over; those that have not begun never were. The clock's own look
    /// tells each person when theirs is over, as with any that ends.
    async fn caseloads(&mut self) -> Result<(), Refusal> {
        sqlx::query!(
            "insert into rollover_change (tenant_id, rollover_id, what, pupil_id, group_id, row_id, membership_id, cover, was, becomes)
             select $1, $2, 'caseload', c.pupil_id, c.group_id, c.id, c.membership_id, c.cover, c.during::text,
               case when lower(c.during) <= now() then tstzrange(lower(c.during), greatest(now(),
                 $3::date::timestamp at time zone 'Europe/London', lower(c.during) + interval '1 microsecond'))::text end
             from caseload c where c.tenant_id = $1 and c.id = any ($4)",
            self.tenant,
            self.id,
            self.first_without,
            &self.plan.ending
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "delete from caseload k using rollover_change c
             where k.tenant_id = $1 and c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'caseload' and c.row_id = k.id
               and c.becomes is null",
            self.tenant,
            self.id
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "update caseload k set during = c.becomes::tstzrange from rollover_change c
             where k.tenant_id = $1 and c.tenant_id = $1 and c.rollover_id = $2 and c.what = 'caseload' and c.row_id = k.id
               and c.becomes is not null",
            self.tenant,
            self.id
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    async fn years(&mut self) -> Result<(), Refusal> {
        let (ids, years): (Vec<Uuid>, Vec<String>) = self
            .plan
            .pupils
            .iter()
            .filter_map(|line| Some((line, line.becomes?)))
            .filter(|(line, year)| *year != line.year)
            .map(|(line, year)| (line.id, year.code().to_owned()))
            .unzip();
        sqlx::query!(
            "with goes as (select * from unnest($3::uuid[], $4::text[]) as g (id, year)), put as (
               insert into rollover_change (tenant_id, rollover_id, what, pupil_id, was, becomes)
               select $1, $2, 'year', p.id, p.year_group, g.year from pupil p join goes g on g.id = p.id where p.tenant_id = $1
             )
             update pupil p set year_group = g.year from goes g where p.tenant_id = $1 and p.id = g.id",
            self.tenant,
            self.id,
            &ids,
            &years
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "with put as (
               insert into rollover_change (tenant_id, rollover_id, what, pupil_id, becomes)
               select $1, $2, 'left', id, $4::date::text from unnest($3::uuid[]) as l (id)
             )
             update pupil set left_on = $4 where tenant_id = $1 and id = any ($3)",
            self.tenant,
            self.id,
            &self.leaving,
            self.first_without
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// Closes groups, and gives those that go up their names.
    async fn groups(&mut self) -> Result<(), Refusal> {
        let closed = self.of_fate(Fate::Close);
        sqlx::query!(
            "with put as (
               insert into rollover_change (tenant_id, rollover_id, what, group_id, becomes)
               select $1, $2, 'closed', id, $4::date::text from unnest($3::uuid[]) as l (id)
             )
             update teaching_group set closed_on = $4 where tenant_id = $1 and id = any ($3)",
            self.tenant,
            self.id,
            &closed,
            self.first_without
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        let (ids, names): (Vec<Uuid>, Vec<String>) = self
            .plan
            .groups
            .iter()
            .filter(|group| group.wish.fate == Fate::Carry && group.wish.name != group.name)
            .map(|group| (group.id, group.wish.name.clone()))
            .unzip();
        sqlx::query!(
            "insert into rollover_change (tenant_id, rollover_id, what, group_id, was, becomes)
             select $1, $2, 'renamed', t.id, t.name, g.name
             from unnest($3::uuid[], $4::text[]) as g (id, name) join teaching_group t on t.tenant_id = $1 and t.id = g.id",
            self.tenant,
            self.id,
            &ids,
            &names
        )
        .execute(self.write.connection())
        .await
        .map_err(refused)?;
        rename(self.write, &ids, &names).await
    }

    /// Whose open pages show what is no longer theirs to see.
    async fn accounts(&mut self) -> Result<Vec<AccountId>, Refusal> {
        sqlx::query_scalar!(
            "select distinct m.account_id from rollover_change c
             join caseload k on k.tenant_id = $1 and (k.id = c.row_id or (c.what = 'place' and k.group_id = c.group_id and k.during @> now()))
             join membership m on m.tenant_id = $1 and m.id = k.membership_id
             where c.tenant_id = $1 and c.rollover_id = $2 and c.what in ('place', 'caseload')",
            self.tenant,
            self.id
        )
        .fetch_all(self.write.connection())
        .await
        .map_err(refused)
    }
}

/// Gives groups other names, also where one takes the name that another one gives up.
pub(super) async fn rename(
    write: &mut Write,
    ids: &[Uuid],
    names: &[String],
) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    // Names that nobody types, since the index looks at each row as it changes.
    sqlx::query!(
        "update teaching_group set name = '~' || id where tenant_id = $1 and id = any ($2)",
        tenant,
        ids
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    sqlx::query!(
        "update teaching_group t set name = g.name from unnest($2::uuid[], $3::text[]) as g (id, name)
         where t.tenant_id = $1 and t.id = g.id",
        tenant,
        ids,
        names
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}
