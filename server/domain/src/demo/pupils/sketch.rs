//! Of whom a demo school has two years of check-ins, by whom they were made, and how they went.

use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

use super::{SEED, course, dice::Dice};
use crate::{
    MembershipId, Refusal, TenantId,
    db::refused,
    wellbeing::{Domain, Level},
};

/// What is put down of one pupil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sketch {
    /// Of whom.
    pub pupil: Uuid,
    /// Who teaches them, and so makes the check-ins.
    pub author: MembershipId,
    /// From which the course follows.
    pub seed: u64,
}

impl Sketch {
    /// The check-ins between two days: see [`course::course`].
    pub fn course(&self, from: Date, to: Date) -> Vec<(Date, Vec<(Domain, Level)>)> {
        course::course(self.seed, from, to)
    }
}

/// Every pupil whom a teacher has on their caseload for good, by admission number; of several teachers the one who was given them
/// first, and then the first on the list. For the owner of the functions that the demo calls.
pub async fn sketches(
    connection: &mut PgConnection,
    tenant: TenantId,
) -> Result<Vec<Sketch>, Refusal> {
    let rows = sqlx::query!(
        r#"select distinct on (p.admission_number) p.id, p.admission_number as "number!", c.membership_id
           from pupil p
           join group_pupil x on x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.during @> sec.today()
           join caseload c on c.tenant_id = x.tenant_id and c.group_id = x.group_id and upper_inf(c.during)
           join membership m on m.tenant_id = c.tenant_id and m.id = c.membership_id and m.state <> 'ended'
           where p.tenant_id = $1 and p.left_on is null and p.admission_number is not null
           order by p.admission_number, c.given_at, c.id"#,
        tenant
    )
    .fetch_all(connection)
    .await
    .map_err(refused)?;
    let sketches = rows.into_iter().map(|row| {
        let number: Vec<u64> = row.number.bytes().map(u64::from).collect();
        Sketch {
            pupil: row.id,
            author: row.membership_id,
            seed: Dice::new(SEED, &number).next(),
        }
    });
    Ok(sketches.collect())
}
