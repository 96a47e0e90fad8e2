//! Links that came by mail: accepting an invitation, and choosing a new password.

use serde::{Deserialize, Serialize};

/// Whom a usable link is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addressee {
    /// Their name.
    pub name: String,
    /// Their address, for the password manager.
    pub email: String,
    /// They sign in somewhere already, and keep that password.
    pub has_password: bool,
}

#[cfg(feature = "db")]
pub use queries::{accept, ask_reset, invitation, reset, reset_link};

#[cfg(feature = "db")]
mod queries {
    use super::Addressee;
    use crate::{
        Refusal, TenantId,
        db::{Db, refused},
        password::{self, Hasher},
    };

    /// Asks for a mail with a link to choose a new password. Answers alike for every address.
    pub async fn ask_reset(db: &Db, email: &str, tenant: Option<TenantId>) -> Result<(), Refusal> {
        sqlx::query!("select sec.reset_ask($1, $2)::text as done", email, tenant)
            .fetch_one(db.unsealed())
            .await
            .map_err(refused)?;
        db.ring();
        Ok(())
    }

    /// Whom a reset link is for. Refuses [`Refusal::LinkGone`].
    pub async fn reset_link(db: &Db, token: &[u8]) -> Result<Addressee, Refusal> {
        let row = sqlx::query!(
            r#"select usable as "usable!", email, name from sec.reset_open($1)"#,
            token
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        match (row.usable, row.email, row.name) {
            (true, Some(email), Some(name)) => Ok(Addressee {
                name,
                email,
                has_password: true,
            }),
            _ => Err(Refusal::LinkGone),
        }
    }

    /// Sets the password of a reset link, ends every session of the account, and opens none: the second factor stays in the way.
    /// `place` is the name of the tenant whose host is asked.
    pub async fn reset(
        db: &Db,
        hasher: &Hasher,
        token: &[u8],
        place: &str,
        new: &str,
    ) -> Result<(), Refusal> {
        let whose = reset_link(db, token).await?;
        // Whether they have a second factor is not told to a link, so the longer rule holds.
        password::check(new, false, &[&whose.name, &whose.email, place])?;
        let hash = hasher.hash(new).await?;
        let outcome =
            sqlx::query_scalar!(r#"select sec.reset_use($1, $2) as "outcome!""#, token, hash)
                .fetch_one(db.unsealed())
                .await
                .map_err(refused)?;
        db.ring();
        if outcome == "ok" {
            Ok(())
        } else {
            Err(Refusal::LinkGone)
        }
    }

    /// Whom an invitation is for. Refuses [`Refusal::LinkGone`].
    pub async fn invitation(db: &Db, token: &[u8], tenant: TenantId) -> Result<Addressee, Refusal> {
        sqlx::query!(
            r#"select name as "name!", email as "email!", has_password as "has_password!" from sec.invitation_open($1, $2)"#,
            token,
            tenant
        )
        .fetch_optional(db.unsealed())
        .await
        .map_err(refused)?
        .map(|row| Addressee { name: row.name, email: row.email, has_password: row.has_password })
        .ok_or(Refusal::LinkGone)
    }

    /// Accepts an invitation. A password is set only for somebody who has none.
    pub async fn accept(
        db: &Db,
        hasher: &Hasher,
        token: &[u8],
        tenant: TenantId,
        place: &str,
        new: Option<&str>,
    ) -> Result<(), Refusal> {
        let whose = invitation(db, token, tenant).await?;
        let hash = match new {
            _ if whose.has_password => None,
            Some(new) => {
                password::check(new, false, &[&whose.name, &whose.email, place])?;
                Some(hasher.hash(new).await?)
            }
            None => return Err(Refusal::Password(password::Weakness::Short(15))),
        };
        let outcome = sqlx::query_scalar!(
            r#"select sec.invitation_accept($1, $2, $3) as "outcome!""#,
            token,
            tenant,
            hash
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        db.ring();
        if outcome == "gone" {
            Err(Refusal::LinkGone)
        } else {
            Ok(())
        }
    }
}
