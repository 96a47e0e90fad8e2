//! The bell between nodes. It says only that something was committed somewhere; each node then reads its own log, so a ring
//! that is lost costs the relay's polling interval and nothing else.

mod nats;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{sync::Notify, task::JoinHandle};
use uuid::Uuid;

use crate::hub::Hub;
use domain::db::News;
pub use nats::{NatsBus, Servers};

const CHANNEL: &str = "quorate";
/// Rings within this time are one: a NOTIFY takes a lock of the whole cluster.
const GATHER: Duration = Duration::from_millis(5);

/// How nodes wake each other.
#[derive(Clone)]
pub enum Bus {
    /// One node: its own bell is enough.
    InProcess,
    /// NOTIFY in a database that holds nothing else.
    Postgres(Arc<PostgresBus>),
    /// NATS. Over it nodes also tell each other who is where.
    Nats(Arc<NatsBus>),
}

/// See [`Bus::Postgres`].
pub struct PostgresBus {
    shared: Arc<Shared>,
    tasks: [JoinHandle<()>; 2],
}

struct Shared {
    pool: PgPool,
    node: Uuid,
    ring: Notify,
    rung: Notify,
    up: AtomicBool,
}

impl Bus {
    /// Connects as `quorate_bus`, again and again if need be. `node` tells this process's own rings from others'.
    pub fn postgres(options: PgConnectOptions, node: Uuid) -> Self {
        // One connection listens, the other rings.
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy_with(options);
        let shared = Arc::new(Shared {
            pool,
            node,
            ring: Notify::new(),
            rung: Notify::new(),
            up: AtomicBool::new(false),
        });
        let tasks = [
            tokio::spawn(ring(shared.clone())),
            tokio::spawn(listen(shared.clone())),
        ];
        Self::Postgres(Arc::new(PostgresBus { shared, tasks }))
    }

    /// Connects to NATS, again and again if need be. `news` are the commits of this process, `node` tells it from others, and `hub` is
    /// told who is at these.
    pub fn nats(servers: Servers, node: Uuid, news: Arc<News>, hub: Hub) -> Self {
        Self::Nats(Arc::new(NatsBus::start(servers, node, news, hub)))
    }

    /// Wakes the other nodes, soon. Over NATS that is done by the commit itself, which says where.
    pub fn ring(&self) {
        if let Self::Postgres(bus) = self {
            bus.shared.ring.notify_one();
        }
    }

    /// Returns when another node has rung, or may have while nobody listened.
    pub async fn rung(&self) {
        match self {
            Self::InProcess => std::future::pending().await,
            Self::Postgres(bus) => bus.shared.rung.notified().await,
            Self::Nats(bus) => bus.rung().await,
        }
    }

    /// Whether other nodes are heard; none where there are none.
    pub fn is_up(&self) -> Option<bool> {
        match self {
            Self::InProcess => None,
            Self::Postgres(bus) => Some(bus.shared.up.load(Ordering::Relaxed)),
            Self::Nats(bus) => Some(bus.is_up()),
        }
    }
}

impl Drop for PostgresBus {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn ring(bus: Arc<Shared>) {
    loop {
        bus.ring.notified().await;
        let said = sqlx::query("select pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(bus.node.to_string())
            .execute(&bus.pool)
            .await;
        // Not said again: the others poll. The listener tells when the bus is gone and when it is back.
        tokio::time::sleep(if said.is_ok() {
            GATHER
        } else {
            Duration::from_millis(500)
        })
        .await;
    }
}

async fn listen(bus: Arc<Shared>) {
    let mut wait = Duration::from_millis(100);
    let own = bus.node.to_string();
    loop {
        let told = match connect(&bus.pool).await {
            Ok(mut listener) => {
                wait = Duration::from_millis(100);
                if !bus.up.swap(true, Ordering::Relaxed) {
                    tracing::info!("the bus between nodes is up");
                }
                // What was rung before we listened is lost.
                bus.rung.notify_one();
                hear(&bus, &mut listener, &own).await
            }
            Err(error) => Some(error),
        };
        if bus.up.swap(false, Ordering::Relaxed) {
            tracing::warn!(
                error = told.map(tracing::field::display),
                "the bus between nodes is down; nodes poll instead"
            );
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

async fn connect(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Until the connection is lost.
async fn hear(bus: &Shared, listener: &mut PgListener, own: &str) -> Option<sqlx::Error> {
    loop {
        match listener.try_recv().await {
            Ok(Some(ring)) if ring.payload() == own => {}
            Ok(Some(_)) => bus.rung.notify_one(),
            Ok(None) => return None,
            Err(error) => return Some(error),
        }
    }
}
