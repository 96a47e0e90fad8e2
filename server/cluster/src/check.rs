//! Refuses logins that row security would not hold, and servers too old to be safe.

use crate::error::{Error, Result, While};
use crate::login::{Logins, Role};
use sqlx::{ConnectOptions as _, Connection as _};
use std::time::Duration;

/// 18.4: earlier releases have known holes in row security.
const LEAST: (i32, &str) = (180_004, "18.4");

/// Asks the database about each of these logins, and names the first that is unsafe to serve with.
pub async fn refuse_unsafe(logins: &Logins, roles: &[Role]) -> Result<()> {
    for &role in roles {
        let what = || format!("Cannot connect with {}", role.variable());
        let mut connection = logins.options(role)?.connect().await.while_(what())?;
        // Being able to become such a role is as bad as being one.
        let (version, login, superuser, bypasses): (i32, String, bool, bool) = sqlx::query_as(
            "select current_setting('server_version_num')::int, session_user::text,
                    coalesce(bool_or(rolsuper), false), coalesce(bool_or(rolbypassrls), false)
             from pg_roles where pg_has_role(session_user, oid, 'member')",
        )
        .fetch_one(&mut connection)
        .await
        .while_(what())?;
        let _ = connection.close().await;
        if version < LEAST.0 {
            return Err(Error::Refused(format!(
                "PostgreSQL {}.{} is too old: Quorate needs {} or later.",
                version / 10_000,
                version % 10_000,
                LEAST.1
            )));
        }
        if superuser {
            return Err(Error::Refused(format!(
                "{} connects as {login}, a superuser, whom row security does not hold; use the login {}.",
                role.variable(),
                role.login()
            )));
        }
        if bypasses && role != Role::Backup {
            return Err(Error::Refused(format!(
                "{} connects as {login}, who bypasses row security; use the login {}.",
                role.variable(),
                role.login()
            )));
        }
    }
    Ok(())
}

/// Whether a login's database does not answer for now: nobody is there, or nobody is let in. A wrong name or password is
/// another matter, since waiting does not mend it.
pub async fn is_away(logins: &Logins, role: Role) -> bool {
    let Ok(options) = logins.options(role) else {
        return false;
    };
    match tokio::time::timeout(Duration::from_secs(5), options.connect()).await {
        Ok(Ok(connection)) => {
            let _ = connection.close().await;
            false
        }
        Ok(Err(sqlx::Error::Io(_))) | Err(_) => true,
        // 55000: it takes no connections; 53300: too many of them; 57P03: it is starting or ending.
        Ok(Err(sqlx::Error::Database(error))) => {
            matches!(error.code().as_deref(), Some("55000" | "53300" | "57P03"))
        }
        Ok(Err(_)) => false,
    }
}
