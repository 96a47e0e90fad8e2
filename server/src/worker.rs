//! From the log to the letter: the relay puts each event that needs mail into the jobs database, and the worker there
//! sends it. A job names nobody and carries no token; whom it goes to is looked up when it is sent.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    Refusal,
    db::MailDb,
    mailing::{LinkToken, Wanted},
};
use graphile_worker::{
    IntoTaskHandlerResult, TaskHandler, WorkerContext, WorkerOptions, WorkerRecoveryConfig,
};
use serde::{Deserialize, Serialize};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use time::OffsetDateTime;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::mail::{MailError, Mailer};

/// Letters under way at once.
const SENDERS: usize = 4;
/// With graphile's back-off (e, e², … seconds, from the tenth 6 hours), the last try is about three days after the first.
const TRIES: i32 = 20;

/// How often things are looked at; the defaults are for real life.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The relay looks this often even when no bell rings: another process may have written.
    pub relay: Duration,
    /// Rest before a database that was away is tried again.
    pub retry: Duration,
    /// A sender that gives no sign of life for this long is taken for dead, and its letters are sent by another.
    pub dead_after: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            relay: Duration::from_secs(1),
            retry: Duration::from_secs(2),
            dead_after: Duration::from_mins(2),
        }
    }
}

/// What sending needs.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The application database, as the worker sees it.
    pub db: MailDb,
    /// The jobs database, as `quorate_jobs`.
    pub queue: Queue,
    /// Composes and sends.
    pub mailer: Arc<Mailer>,
    /// The wall clock.
    pub clock: fn() -> OffsetDateTime,
    /// How often things are looked at.
    pub pace: Pace,
}

/// The relay and the worker of this process.
#[derive(Debug)]
pub struct Worker {
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 2],
}

impl Worker {
    /// Starts both. `bell` is [`domain::db::Db::bell`].
    pub fn start(parts: Parts, bell: Arc<Notify>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let relay = tokio::spawn(relay(parts.clone(), bell, stopped.clone()));
        let send = tokio::spawn(send(parts, stopped));
        Self {
            stop,
            tasks: [relay, send],
        }
    }

    /// Lets letters under way leave, for a few seconds, and ends both.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

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
        .bind(Mail::IDENTIFIER)
        .bind(sqlx::types::Json(wanted))
        .bind(TRIES)
        .bind(format!("{}:{}", wanted.tenant, wanted.seq))
        .fetch_optional(&self.pool)
        .await?;
        Ok(added.is_some())
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
}

/// Why the relay got stuck.
#[derive(Debug, thiserror::Error)]
pub enum Stuck {
    /// The application database.
    #[error("the log cannot be read: {0}")]
    Log(#[from] Refusal),
    /// The jobs database; what it said.
    #[error("a job cannot be added: {0}")]
    Queue(#[from] sqlx::Error),
}

/// Puts into the queue what the log asks for, in order, and then says so. Whatever dies in between, the next look finds
/// the same events, and the queue knows which of them it had. Returns how many jobs were added.
pub async fn relay_once(db: &MailDb, queue: &Queue) -> Result<usize, Stuck> {
    let mut added = 0;
    loop {
        let wanted = db.wanted().await?;
        if wanted.is_empty() {
            return Ok(added);
        }
        for letter in &wanted {
            added += usize::from(queue.add(letter).await?);
            db.queued(letter.tenant, letter.seq).await?;
        }
    }
}

async fn relay(parts: Parts, bell: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
    let Parts {
        db, queue, pace, ..
    } = parts;
    let mut stuck = false;
    loop {
        let looked = relay_once(&db, &queue).await;
        match &looked {
            Ok(_) if stuck => {
                stuck = false;
                tracing::info!("the mail relay goes on");
            }
            // Told by check, once; or the worker of this process is about to make the tables.
            Err(Stuck::Queue(_)) if !queue.check().await || !queue.is_made().await => {}
            Err(error) if !stuck => {
                stuck = true;
                tracing::error!(%error, "the mail relay is stuck; mail waits");
            }
            _ => {}
        }
        let rest = if looked.is_ok() {
            pace.relay
        } else {
            pace.retry
        };
        tokio::select! {
            () = bell.notified(), if looked.is_ok() => {}
            () = tokio::time::sleep(rest) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

async fn send(parts: Parts, mut stopped: watch::Receiver<bool>) {
    loop {
        // graphile tells each of its failures; it is only let near a database that answers.
        if parts.queue.check().await {
            let ended = run(&parts, stopped.clone()).await;
            if *stopped.borrow() {
                return;
            }
            if let Err(error) = ended
                && parts.queue.check().await
            {
                tracing::error!(%error, "the worker stopped and is started again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(parts.pace.retry) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// Makes the jobs' tables when they are missing, then sends until stopped or until the database goes away.
async fn run(
    parts: &Parts,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let dead_after = parts.pace.dead_after;
    let recovery = WorkerRecoveryConfig::default()
        .heartbeat_interval(dead_after / 6)
        .sweep_interval(dead_after / 4)
        .sweep_threshold(dead_after)
        .recovery_delay(Duration::from_secs(1))
        .enabled(true);
    let worker = WorkerOptions::default()
        .pg_pool(parts.queue.pool.clone())
        .concurrency(SENDERS)
        .listen_os_shutdown_signals(false)
        .shutdown_signal(async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        })
        .shutdown_grace_period(Duration::from_secs(5))
        .shutdown_interrupted_job_retry_delay(Duration::from_secs(1))
        .worker_recovery(recovery)
        .add_extension(parts.clone())
        .define_job::<Mail>()
        .init()
        .await?;
    worker.run().await?;
    Ok(())
}

/// The one kind of job there is so far. Its payload is the event and nothing more.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Mail(Wanted);

/// Why a try failed, as it is kept beside the job: never an address, a name, or a server's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "kept by its Debug form")]
enum Failed {
    Setup,
    Database(&'static str),
    Mail(MailError),
}

impl TaskHandler for Mail {
    const IDENTIFIER: &'static str = "mail";

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        let Some(parts) = ctx.get_ext::<Parts>() else {
            return Err(Failed::Setup);
        };
        let job = *ctx.job().id();
        match deliver(parts, &self.0).await {
            Err(Failed::Mail(error @ (MailError::Refused(_) | MailError::BadAddress))) => {
                give_up(parts, &self.0, job, error)
                    .await
                    .map_err(Failed::Database)?;
                Err(Failed::Mail(error))
            }
            Err(failed) => {
                let (tenant, seq, attempt) = (self.0.tenant, self.0.seq, *ctx.job().attempts());
                tracing::warn!(%tenant, seq, attempt, ?failed, "a letter did not leave; it waits for another try");
                Err(failed)
            }
            Ok(()) => Ok(()),
        }
    }
}

/// Each try draws its own token, whose hash takes the place of the last one: a letter that was lost on the way leaves a
/// dead link, and no token is ever written down.
async fn deliver(parts: &Parts, wanted: &Wanted) -> Result<(), Failed> {
    let token = LinkToken::random().map_err(|_| Failed::Setup)?;
    let now = (parts.clock)();
    let Some(letter) = parts
        .db
        .issue(wanted, &token)
        .await
        .map_err(|_| Failed::Database("issue"))?
    else {
        tracing::debug!(tenant = %wanted.tenant, seq = wanted.seq, "withdrawn meanwhile: no letter");
        return Ok(());
    };
    let message = parts
        .mailer
        .compose(&letter, &token, now)
        .map_err(Failed::Mail)?;
    parts
        .mailer
        .send(&message, now)
        .await
        .map_err(Failed::Mail)?;
    tracing::info!(tenant = %wanted.tenant, seq = wanted.seq, kind = ?wanted.kind, "a letter has left");
    Ok(())
}

/// Marks the event in the log and the job in the queue, so that it is not tried again and somebody can see why.
async fn give_up(
    parts: &Parts,
    wanted: &Wanted,
    job: i64,
    error: MailError,
) -> Result<(), &'static str> {
    let code = if let MailError::Refused(code) = error {
        Some(code)
    } else {
        None
    };
    parts
        .db
        .undeliverable(wanted, code)
        .await
        .map_err(|_| "undeliverable")?;
    tracing::warn!(tenant = %wanted.tenant, seq = wanted.seq, %error, "a letter cannot be delivered");
    sqlx::query("update graphile_worker._private_jobs set max_attempts = attempts where id = $1")
        .bind(job)
        .execute(&parts.queue.pool)
        .await
        .map_err(|_| "give up")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_kept_beside_the_job_is_one_of_our_own_words() {
        assert_eq!(
            format!("{:?}", Failed::Mail(MailError::Refused(550))),
            "Mail(Refused(550))"
        );
        assert_eq!(
            format!("{:?}", Failed::Database("issue")),
            "Database(\"issue\")"
        );
    }
}
