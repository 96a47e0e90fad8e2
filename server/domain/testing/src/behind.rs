//! What a test arranges and looks up behind the logins' backs: sessions of named people, and rows that no login may see.

use crate::{Database, Fresh};
use domain::{AccountId, MembershipId, TenantId, db::Caller, factor::Secret, session::Token};
use sqlx::PgConnection;
use std::ops::{Deref, DerefMut};
use totp_rs::{Algorithm, Builder};
use uuid::Uuid;

/// A superuser in the application database. Never what is tested.
pub struct Behind(PgConnection);

/// How far a session has come, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Complete, and proved again just now.
    SteppedUp,
    /// Complete, and proved six minutes ago.
    Full,
    /// A password and no more.
    Password,
    /// Quiet for too long.
    Idle,
    /// Ten hours old.
    Expired,
    /// Signed out.
    Ended,
}

impl Deref for Behind {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Behind {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

impl Fresh {
    /// A look behind what the logins see.
    pub async fn behind(&self) -> Behind {
        Behind(self.superuser(Database::Application).await)
    }
}

impl Behind {
    /// The tenant of a label.
    pub async fn tenant(&mut self, label: &str) -> TenantId {
        self.one("select id from tenant where label = $1", label)
            .await
    }

    /// The account of an address.
    pub async fn account(&mut self, email: &str) -> AccountId {
        self.one("select id from account where email = $1", email)
            .await
    }

    /// Somebody's place.
    pub async fn membership(&mut self, label: &str, email: &str) -> MembershipId {
        let found: Option<Uuid> = sqlx::query_scalar(
            "select m.id from membership m join tenant t on t.id = m.tenant_id join account a on a.id = m.account_id
             where t.label = $1 and a.email = $2",
        )
        .bind(label)
        .bind(email)
        .fetch_optional(&mut self.0)
        .await
        .expect("a membership");
        found.unwrap_or_else(|| panic!("{email} has no place at {label}"))
    }

    /// A tenant that the demo does not have.
    pub async fn open(&mut self, label: &str, name: &str, kind: &str) -> TenantId {
        sqlx::query_scalar("select sec.make_tenant($1, $2, $3)")
            .bind(label)
            .bind(name)
            .bind(kind)
            .fetch_one(&mut self.0)
            .await
            .expect("a tenant")
    }

    /// A member that the demo does not have, without password and second factor.
    pub async fn join(
        &mut self,
        label: &str,
        email: &str,
        name: &str,
        roles: &[&str],
    ) -> MembershipId {
        sqlx::query_scalar(
            "select sec.make_person((select id from tenant where label = $1), $2, $3, $4)",
        )
        .bind(label)
        .bind(email)
        .bind(name)
        .bind(roles)
        .fetch_one(&mut self.0)
        .await
        .expect("a member")
    }

    /// A session of somebody, as if they had signed in: at a tenant, or on the bare host.
    pub async fn session(&mut self, label: Option<&str>, email: &str, stand: Stand) -> Token {
        let token = Token::random().expect("random bytes");
        let made = sqlx::query(
            "insert into sec.session (token_hash, account_id, tenant_id, membership_id, assurance, factor_at, shared, agent,
               created_at, seen_at, expires_at, idle, stepped_up_at, ended_at, ended_why)
             select sha256($1), a.id, m.tenant_id, m.id, case when $4 = 'Password' then 'password' else 'full' end,
               case when $4 <> 'Password' then now() end, false, 'Firefox on Windows',
               now() - interval '1 hour', now() - case when $4 = 'Idle' then interval '21 minutes' else '0' end,
               now() + case when $4 = 'Expired' then interval '-1 second' else '9 hours' end, '20 minutes',
               now() - case when $4 = 'SteppedUp' then interval '0' else '6 minutes' end,
               case when $4 = 'Ended' then now() end, case when $4 = 'Ended' then 'signed out' end
             from account a
             left join membership m on m.account_id = a.id and m.tenant_id = (select id from tenant where label = $3)
             where a.email = $2 and (m.id is null) = ($3 is null)",
        )
        .bind(token.bytes().as_slice())
        .bind(email)
        .bind(label)
        .bind(format!("{stand:?}"))
        .execute(&mut self.0)
        .await
        .expect("a session");
        assert_eq!(made.rows_affected(), 1, "{email} has no place at {label:?}");
        token
    }

    /// Somebody who asks their tenant for something, proved just now.
    pub async fn caller(&mut self, label: &str, email: &str) -> Caller {
        let token = self.session(Some(label), email, Stand::SteppedUp).await;
        Caller {
            token,
            tenant: self.tenant(label).await,
        }
    }

    async fn one(&mut self, sql: &'static str, named: &str) -> Uuid {
        let found: Option<Uuid> = sqlx::query_scalar(sql)
            .bind(named)
            .fetch_optional(&mut self.0)
            .await
            .expect("a row");
        found.unwrap_or_else(|| panic!("there is no {named}"))
    }
}

/// What an authenticator app shows for a secret at a moment (Unix seconds).
pub fn code_at(secret: &Secret, unix_seconds: u64) -> String {
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_secret(secret.bytes().to_vec())
        .with_account_name(String::new())
        .with_issuer(None::<String>)
        .build_noncompliant();
    totp.generate(unix_seconds).to_string()
}
