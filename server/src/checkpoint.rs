//! Signs where each log stands, so that whoever rewrites one later does not arrive there: at every thousandth line after the
//! last signed one, every five minutes where there is news, and when the process ends in order.
//!
//! Before anything is signed, every line since the last checkpoint is read again and every hash reckoned again. A log that
//! does not lead on from there is told, and is not signed again before somebody has looked.

mod folder;

use std::{
    collections::{HashMap, HashSet},
    io,
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{
    TenantId,
    trail::{self, id_of},
};
use quorate_verify::{Break, Point, Signer, Source, Walk, Why};
use sqlx::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use time::OffsetDateTime;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::Instant,
};

pub use folder::Folder;

/// Longest that the lines of one checkpoint, and the end of the process, may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest that the last round may take: whoever ends the process is waiting.
const FAREWELL: Duration = Duration::from_secs(10);

/// How often things are looked at; the defaults are for real life.
#[derive(Clone, Debug)]
pub struct Pace {
    /// A checkpoint for every so many lines.
    pub rows: i64,
    /// And one this often for each tenant with news.
    pub every: Duration,
    /// After a bell, others are waited for this long.
    pub gather: Duration,
    /// Without any bell, the logs are looked at this often: another process may have written.
    pub look: Duration,
    /// Rest after something did not work.
    pub retry: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rows: 1_000,
            every: Duration::from_mins(5),
            gather: Duration::from_secs(1),
            look: Duration::from_secs(15),
            retry: Duration::from_secs(5),
        }
    }
}

/// What signing needs.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The application database, as the auditor.
    pub auditor: PgConnectOptions,
    /// Where checkpoints are written.
    pub folder: Folder,
    /// What signs them.
    pub signer: Signer,
    /// The wall clock.
    pub clock: fn() -> OffsetDateTime,
    /// How often.
    pub pace: Pace,
}

/// For `/health`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Health {
    /// Whether the logs could be read when they were last looked at.
    pub read: bool,
    /// Whether the last checkpoint could be written.
    pub written: bool,
    /// Logs that are not signed any more, because they do not lead on from their last checkpoint.
    pub broken: usize,
}

/// The running task.
pub struct Checkpointer {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    health: Arc<Mutex<Health>>,
}

impl Checkpointer {
    /// Starts it. `bell` rings after each commit of this process.
    pub fn start(parts: Parts, bell: Arc<Notify>) -> Self {
        let health = Arc::new(Mutex::new(Health {
            read: true,
            written: true,
            broken: 0,
        }));
        let (stop, stopped) = watch::channel(false);
        let rounds = Rounds {
            parts,
            connection: None,
            signed: HashMap::new(),
            broken: HashSet::new(),
            health: health.clone(),
        };
        let task = tokio::spawn(rounds.run(bell, stopped));
        Self { stop, task, health }
    }

    /// What to ask for how it is doing.
    pub fn health(&self) -> impl Fn() -> Health + Clone + Send + Sync + 'static {
        let health = self.health.clone();
        move || *health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs what is not signed yet, and ends.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

struct Rounds {
    parts: Parts,
    connection: Option<PgConnection>,
    /// Where each log was last signed. Read from the files once, and then kept.
    signed: HashMap<TenantId, Point>,
    broken: HashSet<TenantId>,
    health: Arc<Mutex<Health>>,
}

/// Why a log was not signed this time.
enum Trouble {
    /// It does not lead on, or what vouches for it does not hold.
    Broken(Break),
    /// Its checkpoint file holds something else.
    Foreign,
    /// The disk.
    Disk(io::Error),
    /// The database.
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Break> for Trouble {
    fn from(broken: Break) -> Self {
        Self::Broken(broken)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::InvalidData {
            Self::Foreign
        } else {
            Self::Disk(error)
        }
    }
}

impl Rounds {
    async fn run(mut self, bell: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
        let mut due = Instant::now();
        loop {
            let all = Instant::now() >= due;
            let done = tokio::select! {
                done = self.round(all) => done,
                _ = stopped.wait_for(|stopped| *stopped) => break,
            };
            if done && all {
                due = Instant::now() + self.parts.pace.every;
            }
            let pace = &self.parts.pace;
            let rest = if done { pace.look } else { pace.retry };
            tokio::select! {
                () = rung(&bell, pace.gather), if done => {}
                () = tokio::time::sleep_until(due), if done => {}
                () = tokio::time::sleep(rest) => {}
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
        }
        // What was under way may have been cut short.
        self.connection = None;
        if tokio::time::timeout(FAREWELL, self.round(true))
            .await
            .is_err()
        {
            tracing::warn!("the last lines of the logs are not signed; the next start signs them");
        }
    }

    /// Looks at all logs, and signs those that are due, or all with news. Whether everything could be read and written.
    async fn round(&mut self, all: bool) -> bool {
        let heads = match self.heads().await {
            Ok(heads) => heads,
            Err(error) => {
                self.away(&error);
                return false;
            }
        };
        let mut good = true;
        for (tenant, head) in heads {
            if self.broken.contains(&tenant) {
                continue;
            }
            match self.sign(tenant, head, all).await {
                Ok(()) => {}
                Err(Trouble::Broken(broken)) => {
                    tracing::error!(%tenant, seq = broken.seq, "a log was rewritten, and is not signed any more: {broken}");
                    self.give_up(tenant);
                }
                Err(Trouble::Foreign) => {
                    tracing::error!(%tenant, "the last line of a checkpoint file is no checkpoint; the log is not signed any more");
                    self.give_up(tenant);
                }
                Err(Trouble::Disk(error)) => {
                    good = false;
                    self.unwritten(&error);
                }
                Err(Trouble::Database(error)) => {
                    self.away(&error);
                    return false;
                }
            }
        }
        if good {
            self.tell(|health| health.written = true);
        }
        self.tell(|health| health.read = true);
        good
    }

    async fn heads(&mut self) -> Result<Vec<(TenantId, Point)>, sqlx::Error> {
        let asked = async {
            let connection = connected(&mut self.connection, &self.parts.auditor).await?;
            trail::heads(connection).await
        };
        within(asked).await
    }

    async fn sign(&mut self, tenant: TenantId, head: Point, all: bool) -> Result<(), Trouble> {
        let mut here = match self.signed.get(&tenant) {
            Some(point) => *point,
            None => self.last(tenant).await?,
        };
        self.signed.insert(tenant, here);
        if head.seq < here.seq {
            let why = Why::Shorter(Source::Signed, head.seq);
            return Err(Break { seq: here.seq, why }.into());
        }
        if head.seq == here.seq && head != here {
            return Err(Break {
                seq: head.seq,
                why: Why::HeadDiffers,
            }
            .into());
        }
        let rows = self.parts.pace.rows.max(1);
        let until = if all {
            head.seq
        } else {
            here.seq + (head.seq - here.seq) / rows * rows
        };
        while here.seq < until {
            // No more in one statement: whatever has become of a log's head since the oldest statement began is kept, and who
            // adds a line walks past all of it. Beside one that reads on while 20,000 are added, a line costs 500 µs more.
            let stop = until.min(here.seq + rows);
            here = self.walk(tenant, here, stop, head).await?;
            self.append(tenant, here).await?;
            self.signed.insert(tenant, here);
        }
        Ok(())
    }

    /// Where the tenant's log was last signed, by the tenant's own file.
    async fn last(&self, tenant: TenantId) -> Result<Point, Trouble> {
        let folder = self.parts.folder.clone();
        let Some(last) = blocking(move || folder.last(tenant)).await? else {
            return Ok(Point::START);
        };
        if last.tenant != id_of(tenant) {
            return Err(Break {
                seq: last.seq,
                why: Why::ForeignCheckpoint,
            }
            .into());
        }
        last.check(&self.parts.signer.public())?;
        Ok(last.point())
    }

    /// Walks from a signed point to another line, and returns that.
    async fn walk(
        &mut self,
        tenant: TenantId,
        from: Point,
        until: i64,
        head: Point,
    ) -> Result<Point, Trouble> {
        let mut walk = Walk::after(id_of(tenant), from);
        let mut broken = None;
        let read = async {
            let connection = connected(&mut self.connection, &self.parts.auditor).await?;
            trail::lines(connection, tenant, from.seq, Some(until), |line| {
                if let Err(found) = walk.step(line) {
                    broken = Some(found);
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            })
            .await
        };
        within(read).await?;
        if let Some(broken) = broken {
            return Err(broken.into());
        }
        let here = walk.here();
        if here.seq < until {
            return Err(Break {
                seq: here.seq + 1,
                why: Why::Missing(None),
            }
            .into());
        }
        if here.seq == head.seq && here != head {
            return Err(Break {
                seq: here.seq,
                why: Why::HeadDiffers,
            }
            .into());
        }
        Ok(here)
    }

    async fn append(&self, tenant: TenantId, point: Point) -> Result<(), Trouble> {
        let at = micros((self.parts.clock)());
        let signed = self.parts.signer.sign(id_of(tenant), point, at);
        let folder = self.parts.folder.clone();
        blocking(move || folder.append(tenant, &[signed])).await?;
        Ok(())
    }

    fn give_up(&mut self, tenant: TenantId) {
        self.broken.insert(tenant);
        let broken = self.broken.len();
        self.tell(|health| health.broken = broken);
    }

    fn tell(&self, change: impl FnOnce(&mut Health)) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *health;
        change(&mut health);
        if (!before.read && health.read) || (!before.written && health.written) {
            tracing::info!("checkpoints are signed again");
        }
    }

    /// Told once, and again when it has been well in between.
    fn away(&mut self, error: &sqlx::Error) {
        self.connection = None;
        if self.was(|health| std::mem::replace(&mut health.read, false)) {
            tracing::error!(%error, "the logs cannot be read; no checkpoint is signed until they can");
        }
    }

    fn unwritten(&self, error: &io::Error) {
        if self.was(|health| std::mem::replace(&mut health.written, false)) {
            tracing::error!(%error, folder = %self.parts.folder.path().display(), "checkpoints cannot be written; it is tried again");
        }
    }

    fn was(&self, change: impl FnOnce(&mut Health) -> bool) -> bool {
        change(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One event seldom comes alone.
pub(crate) async fn rung(bell: &Notify, gather: Duration) {
    bell.notified().await;
    tokio::time::sleep(gather).await;
}

async fn connected<'a>(
    kept: &'a mut Option<PgConnection>,
    options: &PgConnectOptions,
) -> Result<&'a mut PgConnection, sqlx::Error> {
    // Taken out first: what fails within leaves none behind.
    let connection = match kept.take() {
        Some(connection) => connection,
        None => options.connect().await?,
    };
    Ok(kept.insert(connection))
}

/// A database that is gone without a word would otherwise be waited for as long as TCP does.
async fn within<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(PATIENCE, asked)
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// As the log counts time.
pub fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}
