//! The pupils of a school as those who put something down about them know them.

use std::collections::HashMap;

use sqlx::PgConnection;
use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

use super::Reach;
use crate::{
    MembershipId, Refusal, TenantId, day,
    db::refused,
    demo::pupils::{SEED, School, dice::Dice},
    pupil::year::{SchoolYear, YearGroup},
    wellbeing::naming::Bearer,
};

/// A pupil, and by whom and since when something is put down about them.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub id: Uuid,
    pub number: String,
    pub name: Bearer,
    pub born: Date,
    pub registration: String,
    /// Who teaches them; where nobody does who has an account, who sees the school.
    pub author: MembershipId,
    pub taught: bool,
    /// On its first day they were there already, or came.
    pub from: Date,
    pub seed: u64,
    /// Who is told of them, and not kept from them.
    pub parents: Vec<MembershipId>,
}

impl Child {
    pub fn dice(&self, of: u64) -> Dice {
        Dice::new(self.seed, &[of])
    }

    /// As one speaks of them in their class.
    pub fn first_name(&self) -> &str {
        self.name
            .preferred_name
            .as_deref()
            .unwrap_or(&self.name.first_name)
    }
}

/// Everybody on a school's roll, by admission number.
pub(super) struct Children {
    pub school: &'static School,
    pub tenant: TenantId,
    pub now: OffsetDateTime,
    pub today: Date,
    pub all: Vec<Child>,
    /// The school's people, by the part of their address before the `@`.
    pub people: HashMap<String, MembershipId>,
}

impl Children {
    /// For the owner of the functions that the demo calls. Nobody, where neither the SENCO nor the head is there any more.
    pub async fn of(
        connection: &mut PgConnection,
        school: &'static School,
        tenant: TenantId,
        now: OffsetDateTime,
    ) -> Result<Self, Refusal> {
        let today = day::in_england(now).date();
        let people = people(connection, school, tenant).await?;
        let mut parents = parents(connection, tenant).await?;
        let mut here = Self {
            school,
            tenant,
            now,
            today,
            all: vec![],
            people,
        };
        let leads: Vec<MembershipId> = ["senco", "head"]
            .iter()
            .filter_map(|who| here.people.get(*who).copied())
            .collect();
        if leads.is_empty() {
            return Ok(here);
        }
        let rows = sqlx::query!(
            r#"select p.id, p.first_name, p.preferred_name, p.last_name, p.admission_number as "number!", p.year_group, p.born,
                 coalesce((
                   select g.name from group_pupil x join teaching_group g on g.tenant_id = x.tenant_id and g.id = x.group_id
                   where x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.kind = 'registration' and x.during @> sec.today()
                   limit 1), '') as "registration!",
                 (select c.membership_id from group_pupil x
                   join caseload c on c.tenant_id = x.tenant_id and c.group_id = x.group_id and upper_inf(c.during)
                   join membership m on m.tenant_id = c.tenant_id and m.id = c.membership_id and m.state <> 'ended'
                   where x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.during @> sec.today()
                   order by c.given_at, c.id limit 1) as teacher
               from pupil p
               where p.tenant_id = $1 and p.left_on is null and p.admission_number is not null
               order by p.admission_number"#,
            tenant
        )
        .fetch_all(connection)
        .await
        .map_err(refused)?;
        for row in rows {
            let digits: Vec<u64> = row.number.bytes().map(u64::from).collect();
            let year = YearGroup::from_code(&row.year_group).ok_or(Refusal::Broken)?;
            // Where nobody teaches a form who has an account, the SENCO and the head share the forms.
            let form: usize = row.registration.bytes().map(usize::from).sum();
            here.all.push(Child {
                id: row.id,
                author: row.teacher.unwrap_or(leads[form % leads.len()]),
                taught: row.teacher.is_some(),
                from: here
                    .joined(year)
                    .max(Reach::of(school, &row.registration).before(today)),
                seed: Dice::new(SEED, &digits).next(),
                parents: parents.remove(&row.id).unwrap_or_default(),
                name: Bearer {
                    place: 1,
                    first_name: row.first_name,
                    preferred_name: row.preferred_name,
                    last_name: row.last_name,
                },
                born: row.born,
                registration: row.registration,
                number: row.number,
            });
        }
        Ok(here)
    }

    /// When a year group came to the school: each of those that it has, a year before the next younger one.
    fn joined(&self, year: YearGroup) -> Date {
        let before = self.school.years.iter().position(|one| *one == year);
        (0..before.unwrap_or_default())
            .fold(SchoolYear::of(self.today), |year, _| year.previous())
            .first_day()
    }

    /// The last day on which anything happened that is put down.
    pub fn yesterday(&self) -> Date {
        self.today.saturating_sub(Duration::DAY)
    }

    /// The form whose teacher is shown to somebody who looks around first.
    pub fn first_form(&self) -> Vec<&Child> {
        let of_form = self.all.iter();
        of_form
            .filter(|child| child.registration == self.school.cover)
            .collect()
    }

    pub fn person(&self, who: &str) -> Option<MembershipId> {
        self.people.get(who).copied()
    }
}

async fn people(
    connection: &mut PgConnection,
    school: &School,
    tenant: TenantId,
) -> Result<HashMap<String, MembershipId>, Refusal> {
    let rows = sqlx::query!(
        r#"select m.id, split_part(a.email, '@', 1) as "address!" from membership m
           join account a on a.id = m.account_id and a.email like '%@' || $2 || '.example'
           where m.tenant_id = $1 and m.state <> 'ended'"#,
        tenant,
        school.label
    )
    .fetch_all(connection)
    .await
    .map_err(refused)?;
    Ok(rows.into_iter().map(|row| (row.address, row.id)).collect())
}

async fn parents(
    connection: &mut PgConnection,
    tenant: TenantId,
) -> Result<HashMap<Uuid, Vec<MembershipId>>, Refusal> {
    let rows = sqlx::query!(
        "select g.pupil_id, g.membership_id from guardian_link g
         join membership m on m.tenant_id = g.tenant_id and m.id = g.membership_id and m.state = 'active'
         where g.tenant_id = $1 and g.ended_at is null and not exists (
           select from contact_restriction r
           where r.tenant_id = g.tenant_id and r.membership_id = g.membership_id and r.pupil_id = g.pupil_id and r.lifted_at is null)
         order by g.linked_at, g.id",
        tenant
    )
    .fetch_all(connection)
    .await
    .map_err(refused)?;
    let mut parents: HashMap<Uuid, Vec<MembershipId>> = HashMap::new();
    for row in rows {
        parents
            .entry(row.pupil_id)
            .or_default()
            .push(row.membership_id);
    }
    Ok(parents)
}
