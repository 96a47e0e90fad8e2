//! The only way to data: a caller goes in, a sealed transaction comes out. No other file names the pool.

#![allow(
    clippy::disallowed_methods,
    reason = "the one file that takes connections and begins transactions"
)]

mod bell;

use std::{sync::Arc, time::Duration};

use sqlx::{
    Connection as _, PgPool, Postgres, Row as _, Transaction,
    postgres::{PgConnectOptions, PgConnection, PgPoolOptions},
};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    AccountId, MembershipId, Refusal, Seq, TenantId,
    event::Act,
    role::{self, Role, TenantKind},
    session::Token,
};

use bell::Bell;
pub use bell::{Latest, News};

/// The application database as the web role sees it, and the bell that is rung after each commit.
#[derive(Clone)]
pub struct Db {
    /// For sealed transactions that change something, which wait for one another and for the disk.
    pool: PgPool,
    /// For sealed transactions that only read.
    reads: PgPool,
    /// For what is asked without a seal, a statement at a time: no transaction is ever begun on these connections.
    open: PgPool,
    bell: Bell,
}

/// Who asks, and on which host: the session's token and the tenant of the address.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What the cookie carries.
    pub token: Token,
    /// The tenant whose host was asked; none on the bare host. A session of another tenant is refused.
    pub tenant: TenantId,
}

/// Who the database says the caller is, read in the same snapshot as the data that follows.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The tenant of the session.
    pub tenant: TenantId,
    /// What kind of tenant that is.
    pub kind: TenantKind,
    /// The person.
    pub account: AccountId,
    /// Their place in the tenant.
    pub membership: MembershipId,
    /// What they are there.
    pub roles: Vec<Role>,
    /// The tenant's log stood here when the snapshot was taken.
    pub seq: Seq,
    /// Whether they proved who they are in the last five minutes.
    pub stepped_up: bool,
}

impl Standing {
    /// Whether the caller has one of the roles.
    pub fn is_any(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    /// Refuses an act that far-reaching acts' five minutes do not cover.
    pub fn require_step_up(&self) -> Result<(), Refusal> {
        if self.stepped_up {
            Ok(())
        } else {
            Err(Refusal::StepUpNeeded)
        }
    }
}

/// The log as the live login sees it: which tenants have news, and which sessions are over. It reads no record.
#[derive(Clone)]
pub struct LiveDb {
    pool: PgPool,
}

impl LiveDb {
    /// Opens a pool of `size` connections. Connections are made as they are needed.
    pub fn new(options: PgConnectOptions, size: u32) -> Self {
        Self {
            pool: pool(size).connect_lazy_with(options),
        }
    }

    /// Closes every connection; statements under way end first.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }
}

/// A reading transaction: one snapshot, under the caller's seal. Dropping it ends it.
pub struct Read {
    tx: Transaction<'static, Postgres>,
    /// Who the caller is.
    pub standing: Standing,
}

/// A writing transaction under the caller's seal. Dropping it undoes it; only an [`Act`] commits it.
pub struct Write {
    tx: Transaction<'static, Postgres>,
    bell: Bell,
    /// Who the caller is.
    pub standing: Standing,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the pool: its options hold the password.
        f.write_str("Db(…)")
    }
}

impl Db {
    /// Opens pools: `size` connections for changes, at most as many for pages, and a quarter for what is asked without a seal.
    /// Connections are made as they are needed.
    pub fn new(options: PgConnectOptions, size: u32) -> Self {
        let sealed = |size: u32| {
            pool(size)
                // sqlx 0.9 can hand back a connection inside an open transaction when `begin` is cancelled. Such a
                // connection would lend one caller's seal to the next, so each one is asked before it is kept:
                // inside a transaction, now() is its start and lies before the statement.
                .after_release(|connection, _| Box::pin(is_idle(connection)))
                .connect_lazy_with(options.clone())
        };
        Self {
            pool: sealed(size),
            reads: sealed(size.min(readers())),
            open: pool(size.div_ceil(4)).connect_lazy_with(options),
            bell: Bell::default(),
        }
    }

    /// A bell of the caller's own, rung after every commit of this process. Taken once by each who waits.
    pub fn bell(&self) -> Arc<Notify> {
        self.bell.bell()
    }

    /// What this process commits, for who tells other processes. Taken once by each who does.
    pub fn news(&self) -> Arc<News> {
        self.bell.news()
    }

    /// Closes every connection; statements under way end first.
    pub async fn close(&self) {
        self.pool.close().await;
        self.reads.close().await;
        self.open.close().await;
    }

    /// A snapshot under the caller's seal.
    ///
    /// Refuses [`Refusal::SignedOut`] when the session is not live, not complete, or belongs to another host.
    pub async fn read(&self, caller: &Caller) -> Result<Read, Refusal> {
        let (tx, standing) = Self::enter(
            &self.reads,
            caller,
            "begin isolation level repeatable read read only",
        )
        .await?;
        Ok(Read { tx, standing })
    }

    /// A snapshot in which it may be put down that the caller looked: what they see is theirs only once [`Read::end`] has gone
    /// through. Refuses as [`Db::read`] does.
    pub async fn look(&self, caller: &Caller) -> Result<Read, Refusal> {
        let (tx, standing) =
            Self::enter(&self.pool, caller, "begin isolation level repeatable read").await?;
        Ok(Read { tx, standing })
    }

    /// A writing transaction under the caller's seal; refuses as [`Db::read`] does.
    pub async fn write(&self, caller: &Caller) -> Result<Write, Refusal> {
        let (tx, standing) =
            Self::enter(&self.pool, caller, "begin isolation level read committed").await?;
        Ok(Write {
            tx,
            bell: self.bell.clone(),
            standing,
        })
    }

    /// Begins, then seals and asks who that is, which is one statement: the snapshot is taken with it.
    async fn enter(
        pool: &PgPool,
        caller: &Caller,
        begin: &'static str,
    ) -> Result<(Transaction<'static, Postgres>, Standing), Refusal> {
        let pool = pool.clone();
        // In a task of its own: a request that is given up cannot leave `begin` half done.
        let mut tx = tokio::spawn(async move { pool.begin_with(begin).await })
            .await
            .map_err(|error| broken("begin", &error))?
            .map_err(refused)?;
        let row = sqlx::query!(
            r#"select tenant_id as "tenant_id!", kind as "kind!", account_id as "account_id!", membership_id as "membership_id!",
                      roles as "roles!", seq as "seq!", stepped_up as "stepped_up!" from sec.entered($1)"#,
            caller.token.bytes()
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(refused)?
        .ok_or(Refusal::SignedOut)?;
        if row.tenant_id != caller.tenant {
            return Err(Refusal::SignedOut);
        }
        let standing = Standing {
            tenant: row.tenant_id,
            kind: TenantKind::from_code(&row.kind).ok_or(Refusal::Broken)?,
            account: row.account_id,
            membership: row.membership_id,
            roles: role::parse(row.roles.iter().map(String::as_str)),
            seq: row.seq,
            stepped_up: row.stepped_up,
        };
        Ok((tx, standing))
    }

    /// For the narrow functions that are called before there is a seal. Only inside the domain.
    pub(crate) fn unsealed(&self) -> &PgPool {
        &self.open
    }

    /// Tells the relay that something was committed by a function that appends its own event.
    pub(crate) fn ring(&self) {
        self.bell.ring(None);
    }
}

impl Read {
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Ends the snapshot, and keeps what was put down in it about the looking.
    pub async fn end(self) -> Result<(), Refusal> {
        self.tx.commit().await.map_err(refused)
    }
}

impl Write {
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Records what was done, and only then makes it so. Nothing is awaited between the event and the commit.
    ///
    /// Refuses [`Refusal::SignedOut`] when the caller was removed, suspended or signed out meanwhile.
    pub async fn commit(mut self, act: Act) -> Result<Seq, Refusal> {
        let seq = self.append(act).await?;
        self.tx.commit().await.map_err(refused)?;
        self.bell.ring(Some((self.standing.tenant, seq)));
        Ok(seq)
    }

    /// The same for several acts at once, each with an event of its own: all of them, or none.
    pub async fn commit_all(mut self, acts: Vec<Act>) -> Result<(), Refusal> {
        let mut head = None;
        for act in acts {
            head = Some((self.standing.tenant, self.append(act).await?));
        }
        self.tx.commit().await.map_err(refused)?;
        self.bell.ring(head);
        Ok(())
    }

    async fn append(&mut self, act: Act) -> Result<Seq, Refusal> {
        let Act {
            name,
            about,
            detail,
            topics,
            closes,
        } = act;
        sqlx::query_scalar!(
            r#"select sec.append($1, $2, $3, $4, $5) as "seq!""#,
            name,
            about,
            detail,
            &topics,
            closes.map(|closes| closes.to_json()),
        )
        .fetch_one(&mut *self.tx)
        .await
        .map_err(refused)
    }
}

/// The application database as the mail's worker sees it: what is due, and whom it goes to. No table of its own.
#[derive(Clone)]
pub struct MailDb {
    pool: PgPool,
}

impl std::fmt::Debug for MailDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailDb").finish_non_exhaustive()
    }
}

impl MailDb {
    /// Opens a pool of `size` connections as `quorate_worker`. Connections are made as they are needed.
    pub fn new(options: PgConnectOptions, size: u32) -> Self {
        let pool = pool(size)
            .after_release(|connection, _| Box::pin(is_idle(connection)))
            .connect_lazy_with(options);
        Self { pool }
    }

    /// Closes every connection; statements under way end first.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }
}

/// A connection that was not used for so long is asked whether it still is one before it is used. One that was put back a moment ago
/// is not, which would be a round trip more for each transaction: where the database went away meanwhile, the first statement says so.
const FRESH: Duration = Duration::from_secs(1);

/// How many connections pages share. A page waits for no lock and no disk, so a few for each processor keep it busy, and more
/// only take turns in its caches: with 20 on one core the home page took 3.6 ms of the database, and with 5 it took 2.9. Nobody
/// may hold one while waiting for another, or for a client.
fn readers() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores)
        .unwrap_or(u32::MAX)
        .saturating_mul(3)
        .saturating_add(2)
}

fn pool(size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for > FRESH {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

async fn is_idle(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        return Ok(false);
    }
    // By the simple protocol: a prepared statement begins its transaction when it is bound and its statement when it is
    // executed, so the two times always differ, and every connection would be thrown away after one use.
    let row = sqlx::raw_sql("select now() = statement_timestamp()")
        .fetch_one(&mut *connection)
        .await?;
    row.try_get(0)
}

/// What a failed statement means to the caller; the cause goes to the log here, where it happened.
#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
pub(crate) fn refused(error: sqlx::Error) -> Refusal {
    match &error {
        sqlx::Error::Database(database) => {
            let rule = database.constraint();
            if let Some(refusal) = rule
                .and_then(crate::board::refusal_of)
                .or_else(|| rule.and_then(crate::folder::refusal_of))
                .or_else(|| rule.and_then(crate::approval::refusal_of))
                .or_else(|| rule.and_then(crate::question::refusal_of))
                .or_else(|| rule.and_then(crate::pupil::refusal_of))
                .or_else(|| rule.and_then(crate::wellbeing::refusal_of))
                .or_else(|| rule.and_then(crate::roster::import::refusal_of))
            {
                return refusal;
            }
            match (database.code().as_deref(), database.constraint()) {
                (Some("QR401"), _) => Refusal::SignedOut,
                (Some("QR403"), _) => Refusal::StepUpNeeded,
                (_, Some("membership_last_admin")) => Refusal::LastAdmin,
                (_, Some("membership_account_key")) => Refusal::AlreadyHere,
                (_, Some("membership_name_shape")) => Refusal::NameFormat,
                (_, Some("account_email_shape" | "account_email_lower")) => Refusal::EmailFormat,
                (_, Some("membership_step" | "invitation_of_invited"))
                | (Some("40001" | "40P01"), _) => Refusal::Stale,
                (Some("42501"), _) => Refusal::NotAllowed,
                // 53100: its disk is full.
                (Some("57P01" | "57P02" | "57P03" | "53100" | "53300"), _) => unavailable(&error),
                _ => broken("statement", &error),
            }
        }
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Tls(_) => unavailable(&error),
        _ => broken("statement", &error),
    }
}

fn unavailable(error: &sqlx::Error) -> Refusal {
    tracing::warn!(%error, "the database does not answer");
    Refusal::Unavailable
}

pub(crate) fn broken(what: &str, error: &dyn std::error::Error) -> Refusal {
    tracing::error!(%error, "{what} failed");
    Refusal::Broken
}

/// An id that sorts by time (RFC 9562, version 7) is made by the database; this one is for what it never sees.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::Broken)?;
    Ok(bytes)
}

/// A database that is away is told once by the relay, not at each look.
pub(crate) fn refused_quietly(error: sqlx::Error) -> Refusal {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Tls(_) => Refusal::Unavailable,
        sqlx::Error::Database(ref database)
            if database.code().is_some_and(|code| {
                code.starts_with("57P") || code == "53100" || code == "53300"
            }) =>
        {
            Refusal::Unavailable
        }
        other => refused(other),
    }
}

/// A number of a column that is never below nought.
pub(crate) fn count(number: i32) -> Result<u32, Refusal> {
    u32::try_from(number).map_err(|_| Refusal::Broken)
}

/// Topics of a change to the people of a tenant, seen by one of them.
pub(crate) fn people_topics(account: Uuid) -> Vec<String> {
    vec!["people".to_owned(), format!("me/{account}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_comes_back_inside_a_transaction_is_not_handed_out_again() {
        let fresh = testing::Fresh::empty().await;
        let db = Db::new(fresh.options(testing::Role::Web), 1);
        let state = "select pg_backend_pid(), now() <> statement_timestamp(), coalesce(current_setting('sec.caller', true), '')";
        let mut seen = Vec::new();
        for statement in [
            "select 1",
            "begin; select set_config('sec.caller', 'somebody', true)",
            "select 1",
        ] {
            let mut lent = db.pool.acquire().await.unwrap();
            let row = sqlx::raw_sql(state).fetch_one(&mut *lent).await.unwrap();
            seen.push(row.get::<i32, _>(0));
            assert_eq!(
                (row.get::<bool, _>(1), row.get::<String, _>(2)),
                (false, String::new()),
                "before: {statement}"
            );
            sqlx::raw_sql(statement).execute(&mut *lent).await.unwrap();
        }
        assert_eq!(seen[0], seen[1], "a clean one is lent again");
        assert_ne!(seen[1], seen[2], "a dirty one is not");
    }
}
