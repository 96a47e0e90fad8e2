//! From the log to the letter: the relay puts each event that needs mail, and each letter of notices, into the jobs database,
//! and the worker there sends it. A job names nobody and carries no token; whom it goes to is looked up when it is sent.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    Refusal, Seq, TenantId,
    db::MailDb,
    mailing::{LinkToken, Wanted},
    notice::letter::LetterId,
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
    time::Instant,
};
use uuid::Uuid;

use crate::{
    mail::{MailError, Mailer},
    reach::{self, Reach},
};

/// Letters under way at once.
const SENDERS: usize = 4;
/// With graphile's back-off (e, e², … seconds, from the tenth 6 hours), the last try is about three days after the first.
const TRIES: i32 = 20;
/// A letter that met a mail server which takes none counts as tried so often at most: it is back within e² = 7 seconds, and
/// waits for the server then.
const TRIES_AWAY: i16 = 2;

/// How often things are looked at; the defaults are for real life.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The relay looks this often even when no bell rings: another process may have written.
    pub relay: Duration,
    /// Rest before a database that was away is tried again.
    pub retry: Duration,
    /// How often it is looked whether a new morning's letters are due.
    pub morning: Duration,
    /// A sender that gives no sign of life for this long is taken for dead, and its letters are sent by another.
    pub dead_after: Duration,
    /// A mail server that does not answer is asked again this often.
    pub ask: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            relay: Duration::from_secs(1),
            retry: Duration::from_secs(2),
            morning: Duration::from_mins(1),
            dead_after: Duration::from_mins(2),
            ask: Duration::from_secs(10),
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

/// The relay, the mornings and the worker of this process.
#[derive(Debug)]
pub struct Worker {
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 4],
    reach: Reach,
}

impl Worker {
    /// Starts them. `bell` is [`domain::db::Db::bell`].
    pub fn start(parts: Parts, bell: Arc<Notify>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let reach = Reach::new(parts.mailer.clone(), parts.clock);
        let (queue, pace) = (parts.queue.clone(), parts.pace.ask);
        let watch = tokio::spawn(reach.clone().watch(queue, pace, stopped.clone()));
        let relay = tokio::spawn(relay(parts.clone(), bell, stopped.clone()));
        let mornings = tokio::spawn(mornings(parts.clone(), stopped.clone()));
        let send = tokio::spawn(send(parts, reach.clone(), stopped));
        Self {
            stop,
            tasks: [watch, relay, mornings, send],
            reach,
        }
    }

    /// What to ask for how mail is doing.
    pub fn health(&self) -> impl Fn() -> reach::Health + Clone + Send + Sync + 'static {
        let reach = self.reach.clone();
        move || reach.health()
    }

    /// Lets letters under way leave, for a few seconds, and ends them.
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

    /// Adds the letter's job, unless it waits there already. One that is added again after it left finds nothing to say
    /// ([`MailDb::open_letter`]).
    pub async fn add_letter(&self, letter: LetterId) -> Result<(), sqlx::Error> {
        sqlx::query(
            "select from graphile_worker.add_job(
               identifier => $1, payload => $2::json, max_attempts => $3, job_key => $4, job_key_mode => 'unsafe_dedupe')",
        )
        .bind(News::IDENTIFIER)
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
    async fn give_back(&self, job: i64) -> Result<(), sqlx::Error> {
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
            break;
        }
        for letter in &wanted {
            added += usize::from(queue.add(letter).await?);
            db.queued(letter.tenant, letter.seq).await?;
        }
    }
    loop {
        let letters = db.letters_waiting().await?;
        if letters.is_empty() {
            return Ok(added);
        }
        for letter in letters {
            queue.add_letter(letter).await?;
            db.letter_queued(letter).await?;
            added += 1;
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

/// Has the letters of each morning made; the relay finds them. Whichever process looks first makes them.
async fn mornings(parts: Parts, mut stopped: watch::Receiver<bool>) {
    let mut stuck = false;
    loop {
        match parts.db.make_digests((parts.clock)()).await {
            Ok(0) => stuck = false,
            Ok(letters) => {
                stuck = false;
                tracing::info!(letters, "the morning's letters are made");
            }
            Err(_) if stuck => {}
            Err(error) => {
                stuck = true;
                tracing::warn!(%error, "the morning's letters cannot be made; it is tried again");
            }
        }
        if tokio::time::timeout(parts.pace.morning, stopped.wait_for(|stopped| *stopped))
            .await
            .is_ok()
        {
            return;
        }
    }
}

async fn send(parts: Parts, reach: Reach, mut stopped: watch::Receiver<bool>) {
    loop {
        // graphile tells each of its failures; it is only let near a database that answers.
        if parts.queue.check().await {
            let ended = run(&parts, &reach, stopped.clone()).await;
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
    reach: &Reach,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let dead_after = parts.pace.dead_after;
    let recovery = WorkerRecoveryConfig::default()
        .heartbeat_interval(dead_after / 6)
        .sweep_interval(dead_after / 4)
        .sweep_threshold(dead_after)
        .recovery_delay(Duration::from_secs(1))
        .enabled(true);
    let gate = Gate {
        reach: reach.clone(),
        stopped: stopped.clone(),
    };
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
        .add_extension(gate)
        .define_job::<Mail>()
        .define_job::<News>()
        .init()
        .await?;
    worker.run().await?;
    Ok(())
}

/// Where letters wait while the mail server takes none: no more of them than there are senders, the others in the queue.
#[derive(Clone, Debug)]
struct Gate {
    reach: Reach,
    stopped: watch::Receiver<bool>,
}

impl Gate {
    /// False when the worker ends first.
    async fn open(&self) -> bool {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = self.reach.open() => true,
            _ = stopped.wait_for(|stopped| *stopped) => false,
        }
    }
}

/// A letter with a link. Its payload is the event and nothing more.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Mail(Wanted);

/// A letter of notices and of what waits. Its payload says which, and nothing more.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct News(LetterId);

/// What a letter is about, for the log: never whom it goes to.
#[derive(Clone, Copy, Debug)]
struct About {
    tenant: TenantId,
    /// A membership, a request for a reset, or a letter of notices.
    id: Uuid,
    /// The line that asked for it, where one did.
    seq: Option<Seq>,
}

/// How a try that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Left,
    /// There was nothing to send any more.
    Withdrawn,
}

/// Why a try failed, as it is kept beside the job: never an address, a name, or a server's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "kept by its Debug form")]
enum Failed {
    Setup,
    Ended,
    Database(&'static str),
    Mail(MailError),
}

impl TaskHandler for Mail {
    const IDENTIFIER: &'static str = "mail";

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        let (Some(parts), Some(gate)) = (ctx.get_ext::<Parts>(), ctx.get_ext::<Gate>()) else {
            return Err(Failed::Setup);
        };
        let about = About {
            tenant: self.0.tenant,
            id: self.0.about,
            seq: Some(self.0.seq),
        };
        if !gate.open().await {
            return give_back(parts, *ctx.job().id(), Failed::Ended).await;
        }
        let tried = deliver(parts, &self.0).await;
        settle(parts, gate, &ctx, about, tried).await
    }
}

impl TaskHandler for News {
    const IDENTIFIER: &'static str = "news";

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        let (Some(parts), Some(gate)) = (ctx.get_ext::<Parts>(), ctx.get_ext::<Gate>()) else {
            return Err(Failed::Setup);
        };
        let about = About {
            tenant: self.0.tenant,
            id: self.0.id,
            seq: None,
        };
        if !gate.open().await {
            return give_back(parts, *ctx.job().id(), Failed::Ended).await;
        }
        let tried = tell(parts, self.0).await;
        settle(parts, gate, &ctx, about, tried).await
    }
}

/// The whole mail waits, which is told elsewhere; this letter as if it had not been tried.
async fn give_back(parts: &Parts, job: i64, failed: Failed) -> Result<(), Failed> {
    parts
        .queue
        .give_back(job)
        .await
        .map_err(|_| Failed::Database("give back"))?;
    Err(failed)
}

/// Each try draws its own token, whose hash takes the place of the last one: a letter that was lost on the way leaves a
/// dead link, and no token is ever written down.
async fn deliver(parts: &Parts, wanted: &Wanted) -> Result<Done, Failed> {
    let token = LinkToken::random().map_err(|_| Failed::Setup)?;
    let now = (parts.clock)();
    let Some(letter) = parts
        .db
        .issue(wanted, &token)
        .await
        .map_err(|_| Failed::Database("issue"))?
    else {
        return Ok(Done::Withdrawn);
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
    Ok(Done::Left)
}

async fn tell(parts: &Parts, letter: LetterId) -> Result<Done, Failed> {
    let now = (parts.clock)();
    let Some(digest) = parts
        .db
        .open_letter(letter)
        .await
        .map_err(|_| Failed::Database("open"))?
    else {
        return Ok(Done::Withdrawn);
    };
    let message = parts
        .mailer
        .compose_digest(&digest, now)
        .map_err(Failed::Mail)?;
    parts
        .mailer
        .send(&message, now)
        .await
        .map_err(Failed::Mail)?;
    // The letter is gone, so a failure here must not send it again; the job that is done is what keeps it from leaving twice.
    if let Err(error) = parts.db.letter_sent(letter).await {
        tracing::warn!(tenant = %letter.tenant, %error, "that a letter left could not be recorded");
    }
    Ok(Done::Left)
}

/// What follows from a try: a letter that left may end a time in which none arrived, one that the recipient's server refuses
/// is not tried again, and any other waits for its next try.
async fn settle(
    parts: &Parts,
    gate: &Gate,
    ctx: &WorkerContext,
    about: About,
    tried: Result<Done, Failed>,
) -> Result<(), Failed> {
    let About { tenant, id, seq } = about;
    match tried {
        Ok(Done::Withdrawn) => {
            tracing::debug!(%tenant, seq, "withdrawn meanwhile: no letter");
            Ok(())
        }
        Ok(Done::Left) => {
            gate.reach.took();
            tracing::info!(%tenant, seq, "a letter has left");
            // The letter is gone, so a failure here must not send it again; the next one says it too.
            if let Err(error) = parts.db.taken(tenant, id).await {
                tracing::warn!(%tenant, seq, %error, "that a letter left could not be recorded");
            }
            Ok(())
        }
        // Whose fault it is, the server says itself when it is asked without a letter. One that turns everybody away may do
        // so with a code that would condemn the letter (554 in place of a greeting: RFC 5321, 3.1).
        Err(failed @ Failed::Mail(error))
            if error != MailError::BadAddress && !gate.reach.ask(Instant::now()).await =>
        {
            give_back(parts, *ctx.job().id(), failed).await
        }
        Err(Failed::Mail(error @ (MailError::Refused(_) | MailError::BadAddress))) => {
            give_up(parts, about, *ctx.job().id(), error)
                .await
                .map_err(Failed::Database)?;
            Err(Failed::Mail(error))
        }
        Err(failed) => {
            let attempt = *ctx.job().attempts();
            tracing::warn!(%tenant, seq, attempt, ?failed, "a letter did not leave; it waits for another try");
            Err(failed)
        }
    }
}

/// Marks it in the log and in the queue, so that it is not tried again and somebody can see why.
async fn give_up(
    parts: &Parts,
    about: About,
    job: i64,
    error: MailError,
) -> Result<(), &'static str> {
    let About { tenant, id, seq } = about;
    let code = if let MailError::Refused(code) = error {
        Some(code)
    } else {
        None
    };
    parts
        .db
        .returned(tenant, id, seq, code)
        .await
        .map_err(|_| "returned")?;
    tracing::warn!(%tenant, seq, %error, "a letter cannot be delivered");
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
