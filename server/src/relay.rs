//! From the log to the hub: waits for news, reads what is new of the tenants that have sockets here, and hands it on in order.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    Seq, TenantId,
    db::{Latest, LiveDb, News},
    live::{self, Event, TAIL_MOST},
};
use tokio::{task::JoinHandle, time::Instant};
use uuid::Uuid;

use crate::{
    bus::Bus,
    hub::{Count, Hub, Past, RING, seat::Seat},
};

/// How long a ring may be lost before the log is read anyway.
const POLL: Duration = Duration::from_millis(200);
/// How often every session behind a socket is looked up.
const SESSIONS_EVERY: Duration = Duration::from_secs(3);
/// How often the history is compared.
const EPOCH_EVERY: Duration = Duration::from_secs(15);
/// Longest that one look at the log may take.
const ROUND_MOST: Duration = Duration::from_secs(10);
/// How often the hub looks after what follows from time.
const SWEEP_EVERY: Duration = Duration::from_millis(250);
/// Longest wait between two tries while the database is gone.
const WAIT_MOST: Duration = Duration::from_secs(5);

type Answer<T> = Result<T, sqlx::Error>;

fn late() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

/// The log of events. The database, or in tests a list in memory.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// See [`live::epoch`].
    async fn epoch(&self) -> Answer<Uuid>;
    /// See [`live::heads`].
    async fn heads(&self, tenants: &[TenantId]) -> Answer<Vec<(TenantId, Seq)>>;
    /// See [`live::tail`].
    async fn tail(&self, cursors: &[(TenantId, Seq)]) -> Answer<Vec<(TenantId, Event)>>;
    /// See [`live::dead`].
    async fn dead(&self, sessions: &[Uuid]) -> Answer<Vec<Uuid>>;
}

#[async_trait]
impl Log for LiveDb {
    async fn epoch(&self) -> Answer<Uuid> {
        live::epoch(self).await
    }

    async fn heads(&self, tenants: &[TenantId]) -> Answer<Vec<(TenantId, Seq)>> {
        live::heads(self, tenants).await
    }

    async fn tail(&self, cursors: &[(TenantId, Seq)]) -> Answer<Vec<(TenantId, Event)>> {
        live::tail(self, cursors).await
    }

    async fn dead(&self, sessions: &[Uuid]) -> Answer<Vec<Uuid>> {
        live::dead(self, sessions).await
    }
}

/// The running relay. Dropping it stops it; sockets stay and hear nothing new.
pub struct Relay {
    hub: Hub,
    bus: Bus,
    reads: Arc<AtomicBool>,
    tasks: [JoinHandle<()>; 2],
}

/// For `/health`.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Health {
    /// Whether the log could be read when it was last tried.
    pub log: bool,
    /// Whether other nodes are heard; none where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bus: Option<bool>,
    /// Sockets and tenants.
    #[serde(flatten)]
    pub count: Count,
}

impl Relay {
    /// Starts. `news` are of each commit of this process.
    pub fn start(hub: Hub, log: Arc<dyn Log>, news: Arc<News>, bus: Bus) -> Self {
        let reads = Arc::new(AtomicBool::new(true));
        let follow = Follow {
            hub: hub.clone(),
            log,
            news,
            bus: bus.clone(),
            reads: reads.clone(),
            arrived: Vec::new(),
            read_at: Instant::now(),
            sessions_at: Instant::now(),
            epoch_at: None,
        };
        let tasks = [tokio::spawn(follow.run()), tokio::spawn(sweep(hub.clone()))];
        Self {
            hub,
            bus,
            reads,
            tasks,
        }
    }

    /// How it is doing.
    pub fn health(&self) -> Health {
        Health {
            log: self.reads.load(Ordering::Relaxed),
            bus: self.bus.is_up(),
            count: self.hub.count(),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn sweep(hub: Hub) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        hub.sweep(Instant::now());
    }
}

/// Whose log is to be read.
enum Due {
    All,
    Only(HashMap<TenantId, Seq>),
}

impl From<Latest> for Due {
    fn from(latest: Latest) -> Self {
        if latest.somewhere {
            Self::All
        } else {
            Self::Only(latest.heads)
        }
    }
}

struct Follow {
    hub: Hub,
    log: Arc<dyn Log>,
    news: Arc<News>,
    bus: Bus,
    reads: Arc<AtomicBool>,
    /// Seats whose session is still to be looked up, kept here while the database is gone.
    arrived: Vec<Arc<Seat>>,
    /// When the logs of all were read last.
    read_at: Instant,
    sessions_at: Instant,
    epoch_at: Option<Instant>,
}

impl Follow {
    async fn run(mut self) {
        let mut wait = POLL;
        let mut due = Due::All;
        loop {
            // A database that is gone without a word would otherwise be waited for as long as TCP does.
            let round = tokio::time::timeout(ROUND_MOST, self.round(&due))
                .await
                .unwrap_or_else(|_| Err(late()));
            match round {
                Ok(()) => {
                    wait = POLL;
                    if !self.reads.swap(true, Ordering::Relaxed) {
                        tracing::info!(
                            "the log can be read again; what happened meanwhile has been told"
                        );
                    }
                    due = tokio::select! {
                        () = self.news.wait() => {
                            // First the others, who have further to go.
                            self.bus.ring();
                            self.news.take().into()
                        }
                        () = self.bus.rung() => Due::All,
                        () = self.hub.arrived() => Due::Only(HashMap::new()),
                        () = tokio::time::sleep_until(self.read_at + POLL) => Due::All,
                    };
                }
                Err(error) => {
                    // Once: sockets stay open, and the cursors say where to go on.
                    if self.reads.swap(false, Ordering::Relaxed) {
                        tracing::error!(%error, "the log cannot be read; open pages hear nothing new until it can");
                    }
                    // What was to be read may be forgotten.
                    due = Due::All;
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(WAIT_MOST);
                }
            }
        }
    }

    /// Each question is asked for all tenants and sockets at once, so that their number costs no round trips.
    async fn round(&mut self, due: &Due) -> Answer<()> {
        if self.epoch_at.is_none_or(|at| at.elapsed() >= EPOCH_EVERY) {
            self.hub.set_epoch(self.log.epoch().await?, Instant::now());
            self.epoch_at = Some(Instant::now());
        }
        self.admit().await?;
        if self.sessions_at.elapsed() < SESSIONS_EVERY {
            return self.deliver(due).await;
        }
        let sessions = self.hub.sessions();
        let dead = if sessions.is_empty() {
            Vec::new()
        } else {
            self.log.dead(&sessions).await?
        };
        // A session that an event ended is to hear why from the event, so all that came before is told first.
        self.deliver(&Due::All).await?;
        self.hub.end_sessions(&dead.into_iter().collect());
        self.sessions_at = Instant::now();
        Ok(())
    }

    /// First where the log stands, then whether the sessions live: see [`Hub::admit`].
    async fn admit(&mut self) -> Answer<()> {
        self.arrived.extend(self.hub.arrivals());
        let unread = self.hub.unread();
        if !unread.is_empty() {
            let heads: HashMap<_, _> = self.log.heads(&unread).await?.into_iter().collect();
            let ring = i64::try_from(RING).unwrap_or(i64::MAX);
            let starts: Vec<_> = unread
                .iter()
                .map(|id| (*id, heads.get(id).map_or(0, |head| (head - ring).max(0))))
                .collect();
            let mut events = by_tenant(self.log.tail(&starts).await?);
            for (tenant, after) in starts {
                self.hub
                    .start(tenant, after, &events.remove(&tenant).unwrap_or_default());
            }
        }
        if !self.arrived.is_empty() {
            // Whoever comes from another node has heard all that it had told, and may not hear it again.
            let tenants: HashSet<_> = self.arrived.iter().map(|seat| seat.tenant).collect();
            self.deliver(&Due::Only(
                tenants
                    .into_iter()
                    .map(|tenant| (tenant, Seq::MAX))
                    .collect(),
            ))
            .await?;
            let sessions: HashSet<_> = self.arrived.iter().map(|seat| seat.session).collect();
            let dead = self
                .log
                .dead(&sessions.into_iter().collect::<Vec<_>>())
                .await?;
            self.hub.admit(
                std::mem::take(&mut self.arrived),
                &dead.into_iter().collect(),
                Instant::now(),
            );
        }
        Ok(())
    }

    /// Of those who have news, where that is known, and not of hundreds of schools at each commit of one.
    async fn deliver(&mut self, due: &Due) -> Answer<()> {
        let mut cursors = match due {
            Due::All => {
                self.read_at = Instant::now();
                self.hub.cursors()
            }
            Due::Only(heads) => heads
                .iter()
                .filter_map(|(tenant, head)| {
                    let cursor = self.hub.cursor(*tenant)?;
                    (cursor < *head).then_some((*tenant, cursor))
                })
                .collect(),
        };
        while !cursors.is_empty() {
            let news = by_tenant(self.log.tail(&cursors).await?);
            cursors.retain_mut(|(tenant, cursor)| {
                let Some(events) = news.get(tenant) else {
                    return false;
                };
                self.hub.deliver(*tenant, events, Instant::now());
                *cursor = events.last().map_or(*cursor, |event| event.seq);
                // A full answer may not be the last.
                events.len() >= TAIL_MOST
            });
        }
        Ok(())
    }
}

fn by_tenant(events: Vec<(TenantId, Event)>) -> HashMap<TenantId, Vec<Event>> {
    let mut tenants: HashMap<TenantId, Vec<Event>> = HashMap::new();
    for (tenant, event) in events {
        tenants.entry(tenant).or_default().push(event);
    }
    tenants
}

/// What changed after `after`, at least up to `until`, for a client that the ring does not reach back to.
pub async fn past(log: &dyn Log, tenant: TenantId, after: Seq, until: Seq) -> Answer<Past> {
    let events = log.tail(&[(tenant, after)]).await?;
    let Some((_, last)) = events.last() else {
        return Ok(Past::Lost);
    };
    // One answer or none: whoever missed more than this fetches everything, which is cheaper for both.
    if last.seq < until
        || events
            .first()
            .is_some_and(|(_, first)| first.seq != after + 1)
    {
        return Ok(Past::Lost);
    }
    let seq = last.seq;
    Ok(Past::Known(
        seq,
        events
            .into_iter()
            .flat_map(|(_, event)| event.topics)
            .collect(),
    ))
}
