//! What a school keeps of its pupils beyond what it must, and what for; and who answers for safeguarding and for data protection.

use serde::{Deserialize, Serialize};

use super::field::Field;
use crate::MembershipId;

/// What somebody answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// The designated safeguarding lead (Keeping children safe in education, part two).
    Safeguarding,
    /// Whoever goes through who looked at whose records.
    DataProtection,
}

impl Duty {
    /// Both.
    pub const ALL: &[Self] = &[Self::Safeguarding, Self::DataProtection];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Safeguarding => "safeguarding",
            Self::DataProtection => "data_protection",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safeguarding => "Designated safeguarding lead",
            Self::DataProtection => "Data protection lead",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|duty| duty.code() == code)
    }
}

/// Who answers for something here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// For what.
    pub duty: Duty,
    /// Who.
    pub person: MembershipId,
    /// What they are called.
    pub name: String,
    /// How they are reached, as a person reads it: a number, a room.
    pub reached: String,
    /// What to do, in the school's own words. May be empty.
    pub process: String,
}

/// An optional field that is switched on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// Which.
    pub field: Field,
    /// What the school needs it for.
    pub purpose: String,
    /// Since when, RFC 3339 in UTC.
    pub since: String,
}

/// Longest way to reach somebody, in characters.
pub const REACHED_MOST: u16 = 200;

/// Longest description of what to do, in characters.
pub const PROCESS_MOST: u16 = 1000;

/// Longest purpose, in characters.
pub const PURPOSE_MOST: u16 = 500;

#[cfg(feature = "db")]
pub use queries::{give, holders, switch_off, switch_on, switches};

#[cfg(feature = "db")]
mod queries {
    use super::{Duty, Holder, PROCESS_MOST, PURPOSE_MOST, REACHED_MOST, Switch};
    use crate::{
        MembershipId, Refusal,
        day::moment,
        db::{Read, Write, refused},
        event::Act,
        pupil::{Fault, field::Field, keep},
        text,
    };

    /// Who answers for what. For everybody who has to do with pupils; for others none.
    pub async fn holders(read: &mut Read) -> Result<Vec<Holder>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select d.duty, d.membership_id, coalesce(m.name, '') as "name!", d.reached, d.process
               from duty_holder d left join membership m on m.tenant_id = d.tenant_id and m.id = d.membership_id
               where d.tenant_id = $1 order by d.duty desc"#,
            tenant
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Holder {
                    duty: Duty::from_code(&row.duty).ok_or(Refusal::Broken)?,
                    person: row.membership_id,
                    name: row.name,
                    reached: row.reached,
                    process: row.process,
                })
            })
            .collect()
    }

    /// Says who answers for something, and how they are reached.
    pub async fn give(
        write: &mut Write,
        duty: Duty,
        person: MembershipId,
        reached: &str,
        process: &str,
    ) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        let reached = text::line(reached, REACHED_MOST).map_err(|_| Fault::Reached)?;
        let process = text::block(process, PROCESS_MOST)?;
        let tenant = write.standing.tenant;
        let account = sqlx::query_scalar!(
            "select account_id from membership where tenant_id = $1 and id = $2 and state <> 'ended'",
            tenant,
            person
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let same = sqlx::query_scalar!(
            r#"select exists (
                 select from duty_holder where tenant_id = $1 and duty = $2 and membership_id = $3 and reached = $4 and process = $5
               ) as "same!""#,
            tenant,
            duty.code(),
            person,
            reached,
            process
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        if same {
            return Err(Refusal::Stale);
        }
        sqlx::query!(
            "delete from duty_holder where tenant_id = $1 and duty = $2",
            tenant,
            duty.code()
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "insert into duty_holder (tenant_id, duty, membership_id, reached, process) values ($1, $2, $3, $4, $5)",
            tenant,
            duty.code(),
            person,
            reached,
            process
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::duty_given(duty, person, account))
    }

    /// The optional fields that are on, by name.
    pub async fn switches(read: &mut Read) -> Result<Vec<Switch>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            "select field, purpose, on_at from field_switch where tenant_id = $1",
            tenant
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut switches: Vec<Switch> = rows
            .into_iter()
            .map(|row| {
                Ok(Switch {
                    field: Field::from_code(&row.field).ok_or(Refusal::Broken)?,
                    purpose: row.purpose,
                    since: moment(row.on_at)?,
                })
            })
            .collect::<Result<_, Refusal>>()?;
        switches.sort_by_key(|switch| switch.field.name());
        Ok(switches)
    }

    /// Switches an optional field on, for a purpose that is kept beside it.
    pub async fn switch_on(write: &mut Write, field: Field, purpose: &str) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        write.standing.require_step_up()?;
        if field.switch().is_none() {
            return Err(Refusal::Stale);
        }
        let purpose = text::line(purpose, PURPOSE_MOST).map_err(|_| Fault::Purpose)?;
        if purpose.chars().count() < 10 {
            return Err(Fault::Purpose.into());
        }
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        sqlx::query!(
            "insert into field_switch (tenant_id, field, purpose, on_by) values ($1, $2, $3, $4)",
            tenant,
            field.code(),
            purpose,
            own
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::field_switched(field, true, 0))
    }

    /// Switches an optional field off. What was kept of it is deleted with it.
    pub async fn switch_off(write: &mut Write, field: Field) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        write.standing.require_step_up()?;
        let tenant = write.standing.tenant;
        let off = sqlx::query!(
            "delete from field_switch where tenant_id = $1 and field = $2",
            tenant,
            field.code()
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if off.rows_affected() == 0 {
            return Err(Refusal::Stale);
        }
        let mut pupils = 0;
        if field == Field::PreferredName {
            pupils = sqlx::query!(
                "update pupil set preferred_name = null where tenant_id = $1 and preferred_name is not null",
                tenant
            )
            .execute(write.connection())
            .await
            .map_err(refused)?
            .rows_affected();
        }
        let pupils = usize::try_from(pupils).unwrap_or(usize::MAX);
        Ok(Act::field_switched(field, false, pupils))
    }
}
