//! What a school has said about entries for parents.

use serde::{Deserialize, Serialize};

/// Longest account of whom parents can ask, in characters.
pub const TALK_TO_MOST: u16 = 500;
/// Longest cooling time, in minutes: seven days.
pub const COOLING_MOST: u32 = 7 * 24 * 60;

/// What a school has said about entries for parents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// For how many minutes an entry can be taken back unseen; at most [`COOLING_MOST`].
    pub cooling: u32,
    /// Whether parents see their child's trend.
    pub trend: bool,
    /// Whom parents can ask, in the school's own words; may be empty.
    pub talk_to: String,
}

#[cfg(feature = "db")]
pub use queries::{rule, set_rule};

#[cfg(feature = "db")]
mod queries {
    use super::{COOLING_MOST, Rule, TALK_TO_MOST};
    use crate::{
        Refusal,
        db::{Read, Write, refused},
        event::Act,
        pupil::keep,
        text,
        wellbeing::Fault,
    };

    /// What the school has said about entries for parents, or what holds until it does. For staff.
    pub async fn rule(read: &mut Read) -> Result<Rule, Refusal> {
        let tenant = read.standing.tenant;
        let row = sqlx::query!(
            r#"select (extract(epoch from cooling) / 60)::integer as "cooling!", trend, talk_to from record_rule where tenant_id = $1"#,
            tenant
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?;
        Ok(match row {
            Some(row) => Rule {
                cooling: u32::try_from(row.cooling).map_err(|_| Refusal::Broken)?,
                trend: row.trend,
                talk_to: row.talk_to,
            },
            None => Rule {
                cooling: 30,
                trend: false,
                talk_to: String::new(),
            },
        })
    }

    /// Says how entries are put on record for parents. Entries that cool already keep their time.
    pub async fn set_rule(write: &mut Write, rule: &Rule) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        if rule.cooling > COOLING_MOST {
            return Err(Fault::Cooling.into());
        }
        let talk_to =
            text::block(&rule.talk_to, TALK_TO_MOST).map_err(|_| Fault::TalkTo(TALK_TO_MOST))?;
        let tenant = write.standing.tenant;
        let minutes = i32::try_from(rule.cooling).map_err(|_| Fault::Cooling)?;
        sqlx::query!(
            "insert into record_rule (tenant_id, cooling, trend, talk_to) values ($1, make_interval(mins => $2), $3, $4)
             on conflict on constraint record_rule_pkey
             do update set cooling = excluded.cooling, trend = excluded.trend, talk_to = excluded.talk_to",
            tenant,
            minutes,
            rule.trend,
            talk_to
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::record_rule_set(rule.cooling, rule.trend))
    }
}
