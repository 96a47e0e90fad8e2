//! Schools, trusts and organisations: each a tenant with a host name of its own.

use serde::{Deserialize, Serialize};

use crate::{TenantId, role::TenantKind};

/// What anybody may know who asks the tenant's host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// The key of everything that belongs to it.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// School, trust or organisation.
    pub kind: TenantKind,
}

/// Who must have a second factor. Never less than [`FactorRule::Officers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorRule {
    /// Every staff and governor role.
    Everyone,
    /// Administrators, clerks, chairs, and all whose role lets them see pupils (Cyber Essentials 3.3 and the Department for
    /// Education's standards ask it of them).
    Officers,
}

impl FactorRule {
    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Officers => "officers",
        }
    }

    /// The rule of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "everyone" => Some(Self::Everyone),
            "officers" => Some(Self::Officers),
            _ => None,
        }
    }
}

/// What an administrator may set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Who must have a second factor.
    pub factor_rule: FactorRule,
}

/// One line of "what changed": who, what, about whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The name of who did it; none for the system, or for somebody the reader may not see.
    pub by: Option<String>,
    /// The act, as in the log.
    pub act: String,
    /// The name of whom it is about.
    pub about: Option<String>,
    /// RFC 3339 in UTC.
    pub at: String,
}

#[cfg(feature = "db")]
pub use queries::{by_label, changes, set_factor_rule, settings};

#[cfg(feature = "db")]
mod queries {
    use time::OffsetDateTime;

    use super::{Change, FactorRule, Settings, Tenant};
    use crate::{
        MembershipId, Refusal, day,
        db::{Db, Read, Write, refused},
        event::Act,
        role::TenantKind,
    };

    /// The nouns of the acts that are changes to people and board: not signing in, and what one does for oneself.
    const CHANGES: [&str; 11] = [
        "membership",
        "contact",
        "mail",
        "seat",
        "term",
        "committee",
        "declaration",
        "dbs_check",
        "training",
        "board",
        "tenant",
    ];

    /// The tenant of a host label.
    pub async fn by_label(db: &Db, label: &str) -> Result<Option<Tenant>, Refusal> {
        let row = sqlx::query!(
            r#"select tenant_id as "id!", name as "name!", kind as "kind!" from sec.host($1)"#,
            label
        )
        .fetch_optional(db.unsealed())
        .await
        .map_err(refused)?;
        row.map(|row| {
            Ok(Tenant {
                id: row.id,
                name: row.name,
                kind: TenantKind::from_code(&row.kind).ok_or(Refusal::Broken)?,
            })
        })
        .transpose()
    }

    /// What is set. Refuses [`Refusal::NotFound`] to everybody but administrators.
    pub async fn settings(read: &mut Read) -> Result<Settings, Refusal> {
        if !read.standing.roles.iter().any(|role| role.is_admin()) {
            return Err(Refusal::NotFound);
        }
        let tenant = read.standing.tenant;
        let rule = sqlx::query_scalar!("select factor_rule from tenant where id = $1", tenant)
            .fetch_one(read.connection())
            .await
            .map_err(refused)?;
        Ok(Settings {
            factor_rule: FactorRule::from_code(&rule).ok_or(Refusal::Broken)?,
        })
    }

    /// Says who must have a second factor. Those who have none are asked to enrol one at their next request.
    pub async fn set_factor_rule(write: &mut Write, rule: FactorRule) -> Result<Act, Refusal> {
        if !write.standing.roles.iter().any(|role| role.is_admin()) {
            return Err(Refusal::NotAllowed);
        }
        write.standing.require_step_up()?;
        let tenant = write.standing.tenant;
        let done = sqlx::query!(
            "update tenant set factor_rule = $2 where id = $1 and factor_rule <> $2",
            tenant,
            rule.code()
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if done.rows_affected() == 0 {
            return Err(Refusal::Stale);
        }
        Ok(Act::factor_rule_set(rule.code()))
    }

    /// The newest changes to people and board, or to one person, after a moment, newest first: for those who may read the log,
    /// nothing for everybody else. Without a person, those that the reader has a notice of are left out: they are told twice
    /// otherwise, and come back once they are seen.
    pub async fn changes(
        read: &mut Read,
        whom: Option<MembershipId>,
        after: Option<OffsetDateTime>,
        most: i64,
    ) -> Result<Vec<Change>, Refusal> {
        let tenant = read.standing.tenant;
        // The names of the few lines that are left, and not a join with everybody.
        let rows = sqlx::query!(
            r#"select e.act, e.at as "at: OffsetDateTime",
                      (select m.name from membership m where m.tenant_id = e.tenant_id and m.account_id = e.actor) as by,
                      (select m.name from membership m where m.tenant_id = e.tenant_id and m.id = e.about) as about
               from event e
               where e.tenant_id = $1 and ($3::uuid is null or e.about = $3) and e.at > coalesce($4::timestamptz, '-infinity')
                 and split_part(e.act, '.', 1) = any ($5)
                 and ($3::uuid is not null or not exists (
                   select from notice n where n.tenant_id = $1 and n.membership_id = $6 and n.seq = e.seq))
               order by e.seq desc limit $2"#,
            tenant,
            most,
            whom,
            after,
            &CHANGES.map(str::to_owned),
            read.standing.membership
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Change {
                    by: row.by,
                    act: row.act,
                    about: row.about,
                    at: day::moment(row.at)?,
                })
            })
            .collect()
    }
}
