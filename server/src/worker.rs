//! From the log to the letter: the relay puts each event that needs mail, and each letter of notices, into the jobs database,
//! and the worker there sends it. A job names nobody and carries no token; whom it goes to is looked up when it is sent.

use std::{sync::Arc, time::Duration};

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
use time::OffsetDateTime;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::Instant,
};
use uuid::Uuid;

use crate::{
    checkpoint::rung,
    mail::{MailError, Mailer},
    queue::{MAIL, NEWS, Queue},
    reach::{self, Reach},
};

/// Letters under way at once.
pub const SENDERS: usize = 4;

/// How often things are looked at; the defaults are for real life.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The relay looks this often even when no bell rings: another process may have written.
    pub relay: Duration,
    /// After a bell, others are waited for this long: a look writes where it got to, and need not after every commit.
    pub gather: Duration,
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
            gather: Duration::from_millis(200),
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
            () = rung(&bell, pace.gather), if looked.is_ok() => {}
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
        .pg_pool(parts.queue.pool())
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
    const IDENTIFIER: &'static str = MAIL;

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        let about = About {
            tenant: self.0.tenant,
            id: self.0.about,
            seq: Some(self.0.seq),
        };
        sent(&ctx, about, async |parts| deliver(parts, &self.0).await).await
    }
}

impl TaskHandler for News {
    const IDENTIFIER: &'static str = NEWS;

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        let about = About {
            tenant: self.0.tenant,
            id: self.0.id,
            seq: None,
        };
        sent(&ctx, about, async |parts| tell(parts, self.0).await).await
    }
}

/// A job of either kind: waits for the mail server, tries, and does what follows.
async fn sent(
    ctx: &WorkerContext,
    about: About,
    try_once: impl AsyncFnOnce(&Parts) -> Result<Done, Failed>,
) -> Result<(), Failed> {
    let (Some(parts), Some(gate)) = (ctx.get_ext::<Parts>(), ctx.get_ext::<Gate>()) else {
        return Err(Failed::Setup);
    };
    if !gate.open().await {
        return give_back(parts, *ctx.job().id(), Failed::Ended).await;
    }
    let tried = try_once(parts).await;
    settle(parts, gate, ctx, about, tried).await
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
    parts.queue.give_up(job).await.map_err(|_| "give up")
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
