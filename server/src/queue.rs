//! The queue of letters in the jobs database. What stands in it names nobody and opens nothing.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{mailing::Wanted, notice::letter::LetterId};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use time::OffsetDateTime;

use crate::worker::SENDERS;

/// The kind of job that sends a letter with a link.
pub const MAIL: &str = "mail";
/// The kind of job that sends a letter of notices and of what waits.
pub const NEWS: &str = "news";
/// With graphile's back-off (e, e², … seconds, from the tenth 6 hours), the last try is about three days after the first.
const TRIES: i32 = 20;
/// A letter that met a mail server which takes none counts as tried so often at most: it is back within e² = 7 seconds, and
/// waits for the server then.
const TRIES_AWAY: i16 = 2;

/// The jobs database, and whether its absence has been told.
#[derive(Clone)]
pub struct Queue {
    pool: PgPool,
    away: Arc<AtomicBool>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    /// Opens a pool. Connections are made as they are needed.
    pub fn new(options: PgConnectOptions) -> Self {
        let size = u32::try_from(SENDERS).unwrap_or(4) + 4;
        let pool = PgPoolOptions::new()
            .max_connections(size)
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy_with(options);
        Self {
            pool,
            away: Arc::default(),
        }
    }

    /// Adds the event's job unless it was added before, even if that one is long done: one statement moves the tenant's
    /// mark and adds the job, so that both happen or neither. Events of a tenant come in order. False when it was there.
    ///
    /// The jobs' tables are made by the worker's first start; until then this fails, and the relay comes back
    /// ([`Queue::is_made`]).
    pub async fn add(&self, wanted: &Wanted) -> Result<bool, sqlx::Error> {
        let added = sqlx::query(
            "with fresh as (
               insert into relay.mark as m (tenant_id, seq) values ($1, $2)
               on conflict on constraint mark_pkey do update set seq = excluded.seq where m.seq < excluded.seq
               returning m.seq
             )
             select job.id from fresh cross join lateral graphile_worker.add_job(
               identifier => $3, payload => $4::json, max_attempts => $5, job_key => $6, job_key_mode => 'unsafe_dedupe') as job",
        )
        .bind(wanted.tenant)
        .bind(wanted.seq)
        .bind(MAIL)
        .bind(sqlx::types::Json(wanted))
        .bind(TRIES)
        .bind(format!("{}:{}", wanted.tenant, wanted.seq))
        .fetch_optional(&self.pool)
        .await?;
        Ok(added.is_some())
    }

    /// Adds the letter's job, unless it waits there already. One that is added again after it left finds nothing to say
    /// ([`MailDb::open_letter`]).
    pub async fn add_letter(&self, letter: LetterId) -> Result<(), sqlx::Error> {
        sqlx::query(
            "select from graphile_worker.add_job(
               identifier => $1, payload => $2::json, max_attempts => $3, job_key => $4, job_key_mode => 'unsafe_dedupe')",
        )
        .bind(NEWS)
        .bind(sqlx::types::Json(letter))
        .bind(TRIES)
        .bind(letter.id.to_string())
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Whether the database answers; tells the log when that has changed, and only then.
    pub async fn check(&self) -> bool {
        let answers = sqlx::query("select 1").execute(&self.pool).await.is_ok();
        self.tell(answers);
        answers
    }

    /// Whether the jobs' tables are there; false also when the database does not answer.
    pub async fn is_made(&self) -> bool {
        sqlx::query_scalar("select to_regproc('graphile_worker.add_job') is not null")
            .fetch_one(&self.pool)
            .await
            .unwrap_or(false)
    }

    /// How many letters have not left and are still tried, and since when the first of them waits.
    pub async fn waiting(&self) -> Option<(i64, Option<OffsetDateTime>)> {
        sqlx::query_as(
            "select count(*), min(created_at) from graphile_worker._private_jobs where attempts < max_attempts",
        )
        .fetch_one(&self.pool)
        .await
        .ok()
    }

    /// A try that was not the letter's fault does not count, and the next comes soon: graphile waits e to the power of
    /// the tries.
    pub async fn give_back(&self, job: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "update graphile_worker._private_jobs set attempts = least(attempts - 1, $2) where id = $1",
        )
        .bind(job)
        .bind(TRIES_AWAY)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    fn tell(&self, answers: bool) {
        if answers == self.away.swap(!answers, Ordering::Relaxed) {
            if answers {
                tracing::info!("the jobs database is back; mail that waited is sent now");
            } else {
                tracing::warn!("the jobs database does not answer; changes go on and mail waits");
            }
        }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The letter is not tried again; its job stays, for whoever wants to see why.
    pub async fn give_up(&self, job: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "update graphile_worker._private_jobs set max_attempts = attempts where id = $1",
        )
        .bind(job)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// For the worker, which keeps its own tables there.
    pub fn pool(&self) -> PgPool {
        self.pool.clone()
    }
}
