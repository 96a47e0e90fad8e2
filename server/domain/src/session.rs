//! Signing in: from e-mail and password to a session of one tenant, its second factor, and its end.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccountId, MembershipId, Seq, TenantId, role::Role};

/// How far a sign-in has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// Nothing: the session is complete.
    Nothing,
    /// A code of the enrolled second factor.
    Factor,
    /// A second factor has to be enrolled first.
    Enrolment,
}

/// A live session, as the pages see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Names the session; not secret.
    pub id: Uuid,
    /// Whose it is.
    pub account: AccountId,
    /// Where: none on the bare host.
    pub tenant: Option<TenantId>,
    /// Their place there.
    pub membership: Option<MembershipId>,
    /// What is still missing.
    pub needs: Needs,
    /// Signed in on a computer that others use.
    pub shared: bool,
    /// Their own address.
    pub email: String,
    /// Their name in this tenant; on the bare host their newest one.
    pub name: String,
    /// What they are there.
    pub roles: Vec<Role>,
    /// Whether a second factor is enrolled.
    pub factor_enrolled: bool,
}

/// Who holds a token, as far as a socket is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Names the session; not secret.
    pub session: Uuid,
    /// Who.
    pub account: AccountId,
    /// Where.
    pub tenant: TenantId,
    /// First part of that school's host name.
    pub label: String,
    /// What they are there.
    pub roles: Vec<Role>,
    /// Where that school's log stood then.
    pub seq: Seq,
}

/// One line of "where I am signed in".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Names the session.
    pub id: Uuid,
    /// The school, or none for the bare host.
    pub place: Option<String>,
    /// "Chrome on Windows".
    pub agent: String,
    /// RFC 3339.
    pub since: String,
    /// RFC 3339.
    pub seen: String,
    /// The session that asks.
    pub this: bool,
}

/// One line of "my schools".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The tenant.
    pub tenant: TenantId,
    /// First part of its host name.
    pub label: String,
    /// Its name.
    pub name: String,
    /// What the person is there.
    pub roles: Vec<Role>,
}

#[cfg(feature = "db")]
pub use queries::{
    SignIn, change_password, elsewhere, end, holders, live, lives, places, sign_in, sign_out,
    step_up, ticket_issue, ticket_use,
};
#[cfg(feature = "db")]
pub use token::Token;

#[cfg(feature = "db")]
mod queries {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::{Elsewhere, Holder, Live, Needs, Place, Token};
    use crate::{
        Refusal, TenantId, day,
        db::{Db, random_bytes, refused},
        password::{self, Hasher},
        role,
    };

    /// What a person gives to sign in, and where.
    pub struct SignIn<'a> {
        /// As typed.
        pub email: &'a str,
        /// As typed.
        pub password: &'a str,
        /// The tenant of the host; none on the bare host.
        pub tenant: Option<TenantId>,
        /// Others use this computer: the session ends after 10 quiet minutes.
        pub shared: bool,
        /// "Firefox on Windows".
        pub agent: &'a str,
        /// The token of an earlier session that the browser still has.
        pub known: Option<Token>,
    }

    /// Opens a session against the password. An unknown address, a wrong password and a right one without a place in this
    /// tenant are refused in the same words and after the same work.
    ///
    /// Refuses [`Refusal::WrongCredentials`], [`Refusal::Wait`], and [`Refusal::Busy`] before any hashing.
    pub async fn sign_in(
        db: &Db,
        hasher: &Hasher,
        ask: SignIn<'_>,
    ) -> Result<(Token, Needs), Refusal> {
        let challenge = sqlx::query_scalar!(
            r#"select sec.sign_in_challenge($1) as "challenge!""#,
            ask.email
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        let proof = hasher.prove(ask.password, &challenge).await?;
        // Only what is weaker than today's is hashed again; nobody unknown has such a hash, so this costs no equal time.
        let rehash = if Hasher::is_outdated(&challenge) {
            Some(hasher.hash(ask.password).await?)
        } else {
            None
        };
        let token = Token::random()?;
        let row = sqlx::query!(
            r#"select outcome as "outcome!", wait_seconds as "wait_seconds!" from sec.sign_in($1, $2, $3, $4, $5, $6, $7, $8)"#,
            ask.email,
            proof,
            token.bytes(),
            ask.tenant,
            ask.shared,
            ask.agent,
            ask.known.as_ref().map(|known| known.bytes().as_slice()),
            rehash
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        db.ring();
        match row.outcome.as_str() {
            "in" => Ok((token, Needs::Nothing)),
            "factor" => Ok((token, Needs::Factor)),
            "enrol" => Ok((token, Needs::Enrolment)),
            "locked" => Err(wait(row.wait_seconds)),
            _ => Err(Refusal::WrongCredentials),
        }
    }

    /// The live session of a token, if there is one. Counts as activity.
    pub async fn live(db: &Db, token: Token) -> Result<Option<Live>, Refusal> {
        Ok(lives(db, &[(token, true)]).await?.pop().flatten())
    }

    /// The live sessions of these tokens, in their order. One question for as many as come at once. With each is said whether it
    /// counts as activity: what a page asks by itself does not, since nobody need be sitting there.
    pub async fn lives(db: &Db, asked: &[(Token, bool)]) -> Result<Vec<Option<Live>>, Refusal> {
        let tokens: Vec<Vec<u8>> = asked
            .iter()
            .map(|(token, _)| token.bytes().to_vec())
            .collect();
        let active: Vec<bool> = asked.iter().map(|(_, active)| *active).collect();
        let rows = sqlx::query!(
            r#"select place as "place!", session_id as "id!", account_id as "account!", tenant_id, membership_id, needs as "needs!",
                      shared as "shared!", email as "email!", name, roles as "roles!", factor_enrolled as "factor_enrolled!"
               from sec.sessions($1, $2)"#,
            &tokens,
            &active
        )
        .fetch_all(db.unsealed())
        .await
        .map_err(refused)?;
        let found = rows.into_iter().map(|row| {
            let live = Live {
                id: row.id,
                account: row.account,
                tenant: row.tenant_id,
                membership: row.membership_id,
                needs: match row.needs.as_str() {
                    "none" => Needs::Nothing,
                    "factor" => Needs::Factor,
                    _ => Needs::Enrolment,
                },
                shared: row.shared,
                name: row.name.unwrap_or_else(|| row.email.clone()),
                email: row.email,
                roles: role::parse(row.roles.iter().map(String::as_str)),
                factor_enrolled: row.factor_enrolled,
            };
            (row.place, live)
        });
        Ok(in_order(asked.len(), found))
    }

    /// What was found of so many that were asked after, each in its place; the database counts them from 1.
    fn in_order<T: Clone>(many: usize, found: impl Iterator<Item = (i64, T)>) -> Vec<Option<T>> {
        let mut all = vec![None; many];
        for (place, one) in found {
            let place = usize::try_from(place).ok();
            if let Some(slot) = place
                .and_then(|place| place.checked_sub(1))
                .and_then(|place| all.get_mut(place))
            {
                *slot = Some(one);
            }
        }
        all
    }

    /// Who holds each of these tokens, in their order and as of one moment; nobody where a token opens no complete session of a
    /// school. One question for as many as come at once. Is no activity.
    pub async fn holders(db: &Db, tokens: &[Token]) -> Result<Vec<Option<Holder>>, Refusal> {
        let asked: Vec<Vec<u8>> = tokens.iter().map(|token| token.bytes().to_vec()).collect();
        let rows = sqlx::query!(
            r#"select place as "place!", session_id as "session!", account_id as "account!", tenant_id as "tenant!",
                      label as "label!", roles as "roles!", seq as "seq!" from sec.holders($1)"#,
            &asked
        )
        .fetch_all(db.unsealed())
        .await
        .map_err(refused)?;
        let found = rows.into_iter().map(|row| {
            let holder = Holder {
                session: row.session,
                account: row.account,
                tenant: row.tenant,
                label: row.label,
                roles: role::parse(row.roles.iter().map(String::as_str)),
                seq: row.seq,
            };
            (row.place, holder)
        });
        Ok(in_order(tokens.len(), found))
    }

    /// Ends the session; its sockets close, in other tabs too.
    pub async fn sign_out(db: &Db, token: Token) -> Result<(), Refusal> {
        sqlx::query!("select sec.sign_out($1) as done", token.bytes())
            .fetch_one(db.unsealed())
            .await
            .map_err(refused)?;
        db.ring();
        Ok(())
    }

    /// Where else the person is signed in, this session first.
    pub async fn elsewhere(db: &Db, token: Token) -> Result<Vec<Elsewhere>, Refusal> {
        let rows = sqlx::query!(
            r#"select id as "id!", tenant_name, agent, created_at as "created_at!: OffsetDateTime", seen_at as "seen_at!: OffsetDateTime", is_this as "is_this!"
               from sec.my_sessions($1)"#,
            token.bytes()
        )
        .fetch_all(db.unsealed())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Elsewhere {
                    id: row.id,
                    place: row.tenant_name,
                    agent: row.agent.unwrap_or_else(|| "A browser".to_owned()),
                    since: day::moment(row.created_at)?,
                    seen: day::moment(row.seen_at)?,
                    this: row.is_this,
                })
            })
            .collect()
    }

    /// Ends one of the person's own sessions. Refuses [`Refusal::Stale`] when it has ended already.
    pub async fn end(db: &Db, token: Token, session: Uuid) -> Result<(), Refusal> {
        let done = sqlx::query_scalar!(
            r#"select sec.end_session($1, $2) as "done!""#,
            token.bytes(),
            session
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        db.ring();
        if done { Ok(()) } else { Err(Refusal::Stale) }
    }

    /// Proves with the password that it is still the same person; the next five minutes allow far-reaching acts. The session
    /// goes on under the token returned.
    pub async fn step_up(
        db: &Db,
        hasher: &Hasher,
        token: Token,
        email: &str,
        password: &str,
    ) -> Result<Token, Refusal> {
        let proof = proof(db, hasher, email, password).await?;
        let new = Token::random()?;
        let row = sqlx::query!(
            r#"select outcome as "outcome!", wait_seconds as "wait_seconds!" from sec.step_up($1, $2, $3)"#,
            token.bytes(),
            new.bytes(),
            proof
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        outcome(&row.outcome, row.wait_seconds).map(|()| new)
    }

    /// Changes the person's own password and ends their other sessions.
    ///
    /// Refuses [`Refusal::Password`] for a weak one and [`Refusal::WrongCredentials`] when the old one is wrong.
    pub async fn change_password(
        db: &Db,
        hasher: &Hasher,
        token: Token,
        live: &Live,
        place: &str,
        old: &str,
        new: &str,
    ) -> Result<(), Refusal> {
        password::check(new, live.factor_enrolled, &[&live.name, &live.email, place])?;
        let proof = proof(db, hasher, &live.email, old).await?;
        let hash = hasher.hash(new).await?;
        let row = sqlx::query!(
            r#"select outcome as "outcome!", wait_seconds as "wait_seconds!" from sec.password_set($1, $2, $3)"#,
            token.bytes(),
            proof,
            hash
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        db.ring();
        outcome(&row.outcome, row.wait_seconds)
    }

    /// Every place where the person is an active member.
    pub async fn places(db: &Db, token: Token) -> Result<Vec<Place>, Refusal> {
        let rows = sqlx::query!(
            r#"select tenant_id as "tenant!", label as "label!", name as "name!", roles as "roles!" from sec.my_places($1)"#,
            token.bytes()
        )
        .fetch_all(db.unsealed())
        .await
        .map_err(refused)?;
        Ok(rows
            .into_iter()
            .map(|row| Place {
                tenant: row.tenant,
                label: row.label,
                name: row.name,
                roles: role::parse(row.roles.iter().map(String::as_str)),
            })
            .collect())
    }

    /// A ticket to another tenant's host: 256 bits, once, within 60 seconds.
    pub async fn ticket_issue(
        db: &Db,
        token: Token,
        tenant: TenantId,
    ) -> Result<[u8; 32], Refusal> {
        let ticket: [u8; 32] = random_bytes()?;
        let done = sqlx::query_scalar!(
            r#"select sec.ticket_issue($1, $2, $3) as "done!""#,
            token.bytes(),
            tenant,
            &ticket
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        if done {
            Ok(ticket)
        } else {
            Err(Refusal::NotFound)
        }
    }

    /// Spends a ticket on the host it is for; a new session stands there. Tells whether the computer is shared.
    pub async fn ticket_use(
        db: &Db,
        ticket: &[u8],
        tenant: TenantId,
        agent: &str,
    ) -> Result<(Token, bool), Refusal> {
        let token = Token::random()?;
        let outcome = sqlx::query_scalar!(
            r#"select sec.ticket_use($1, $2, $3, $4) as "outcome!""#,
            ticket,
            tenant,
            token.bytes(),
            agent
        )
        .fetch_one(db.unsealed())
        .await
        .map_err(refused)?;
        db.ring();
        if outcome == "gone" {
            return Err(Refusal::LinkGone);
        }
        let shared = live(db, token).await?.is_none_or(|live| live.shared);
        Ok((token, shared))
    }

    async fn proof(
        db: &Db,
        hasher: &Hasher,
        email: &str,
        password: &str,
    ) -> Result<String, Refusal> {
        let challenge =
            sqlx::query_scalar!(r#"select sec.sign_in_challenge($1) as "challenge!""#, email)
                .fetch_one(db.unsealed())
                .await
                .map_err(refused)?;
        hasher.prove(password, &challenge).await
    }

    fn outcome(outcome: &str, seconds: i32) -> Result<(), Refusal> {
        match outcome {
            "ok" => Ok(()),
            "locked" => Err(wait(seconds)),
            "wrong" => Err(Refusal::WrongPassword),
            _ => Err(Refusal::SignedOut),
        }
    }

    fn wait(seconds: i32) -> Refusal {
        Refusal::Wait(u32::try_from(seconds).unwrap_or(0))
    }
}

#[cfg(feature = "db")]
mod token {
    use crate::{Refusal, db::random_bytes};

    /// What the cookie carries: 128 random bits. The database keeps only their SHA-256.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct Token([u8; 16]);

    impl Token {
        /// A new one, from the operating system's generator.
        pub fn random() -> Result<Self, Refusal> {
            random_bytes().map(Self)
        }

        /// From the bytes of a cookie.
        pub const fn from_bytes(bytes: [u8; 16]) -> Self {
            Self(bytes)
        }

        /// The bytes, for the cookie and for the database's hashing function.
        pub const fn bytes(&self) -> &[u8; 16] {
            &self.0
        }
    }

    impl std::fmt::Debug for Token {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Token(…)")
        }
    }
}
