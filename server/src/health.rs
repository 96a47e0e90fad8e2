//! What works and what does not, for the balancer and the operator. Asked in the background, so that `/health` costs
//! them the same however often it is called.

use cluster::{Logins, Role};
use serde_json::{Map, Value, json};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

use crate::storage::Storage;

/// Each database, through the login that serves with it.
const PARTS: [(&str, Role); 4] = [
    ("application", Role::Web),
    ("cache", Role::Cache),
    ("jobs", Role::Jobs),
    ("live", Role::Bus),
];
const STORE: &str = "storage";
const DISK: &str = "disk";
const VERSIONS: &str = "storage versions";
const EVERY: Duration = Duration::from_secs(2);
/// The store is asked by writing to it, which costs more.
const STORE_EVERY: Duration = Duration::from_secs(10);

/// The state of the parts as it was two seconds ago at most; of the store, ten.
#[derive(Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<Map<String, Value>>>,
}

impl Health {
    /// Starts to ask, and goes on until the process is told to end. `folders` are what this machine's disks hold of ours;
    /// they need not be there yet.
    pub fn watch(
        logins: &Logins,
        store: &Storage,
        folders: Vec<PathBuf>,
        ending: &watch::Receiver<bool>,
    ) -> Self {
        let health = Self::default();
        health.watch_store(store.clone(), ending.clone());
        health.watch_disk(folders, ending.clone());
        for (name, role) in PARTS {
            let (health, logins, mut ending) = (health.clone(), logins.clone(), ending.clone());
            tokio::spawn(async move {
                let mut kept = None;
                loop {
                    kept = ask(kept, &logins, role).await;
                    match health.set(name, kept.is_some()) {
                        Turn::Bad => tracing::error!(part = name, "it does not answer"),
                        Turn::Good => tracing::info!(part = name, "it answers again"),
                        Turn::None => {}
                    }
                    if tokio::time::timeout(EVERY, ending.wait_for(|ending| *ending))
                        .await
                        .is_ok()
                    {
                        return;
                    }
                }
            });
        }
        health
    }

    fn watch_store(&self, store: Storage, mut ending: watch::Receiver<bool>) {
        let health = self.clone();
        tokio::spawn(async move {
            loop {
                let asked = tokio::time::timeout(STORE_EVERY, store.check()).await;
                let turn = health.set(STORE, matches!(asked, Ok(Ok(_))));
                if let Ok(Ok(found)) = &asked {
                    health.note(VERSIONS, found.versioning);
                }
                match (turn, asked) {
                    (Turn::Bad, Ok(Err(error))) => tracing::error!(part = STORE, "{error}"),
                    (Turn::Bad, _) => tracing::error!(part = STORE, "it does not answer"),
                    (Turn::Good, _) => tracing::info!(part = STORE, "it answers again"),
                    (Turn::None, _) => {}
                }
                if tokio::time::timeout(STORE_EVERY, ending.wait_for(|ending| *ending))
                    .await
                    .is_ok()
                {
                    return;
                }
            }
        });
    }

    fn watch_disk(&self, folders: Vec<PathBuf>, mut ending: watch::Receiver<bool>) {
        let health = self.clone();
        tokio::spawn(async move {
            loop {
                let full = folders.iter().find(|folder| !cluster::has_room(folder));
                match (health.set(DISK, full.is_none()), full) {
                    (Turn::Bad, Some(folder)) => {
                        tracing::error!(folder = %folder.display(), "the disk is all but full; changes fail once it is");
                    }
                    (Turn::Good, _) => tracing::info!("the disk has room again"),
                    _ => {}
                }
                if tokio::time::timeout(EVERY, ending.wait_for(|ending| *ending))
                    .await
                    .is_ok()
                {
                    return;
                }
            }
        });
    }

    /// Whether pages can be served, and the state of each part.
    pub fn report(&self) -> (bool, Value) {
        let mut databases = self
            .parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let store = databases.remove(STORE).unwrap_or(Value::Null);
        let disk = databases.remove(DISK).unwrap_or(Value::Null);
        let versions = databases.remove(VERSIONS).unwrap_or(Value::Null);
        let well = databases.get("application") == Some(&Value::Bool(true));
        (
            well,
            json!({ "well": well, "version": env!("CARGO_PKG_VERSION"), "databases": databases, "storage": store,
                "storage_keeps_versions": versions, "disk": disk }),
        )
    }

    fn note(&self, name: &str, is: bool) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(name.to_owned(), is.into());
    }

    /// Keeps it, and says how it changed: told once each time, not every two seconds.
    fn set(&self, name: &str, works: bool) -> Turn {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let before = parts.insert(name.to_owned(), works.into());
        match (before, works) {
            (Some(Value::Bool(true)) | None, false) => Turn::Bad,
            (Some(Value::Bool(false)), true) => Turn::Good,
            _ => Turn::None,
        }
    }
}

/// How a part changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Good,
    Bad,
    None,
}

async fn ask(kept: Option<PgConnection>, logins: &Logins, role: Role) -> Option<PgConnection> {
    let asked = async {
        let mut connection = match kept {
            Some(connection) => connection,
            None => logins.options(role).ok()?.connect().await.ok()?,
        };
        connection.ping().await.ok().map(|()| connection)
    };
    tokio::time::timeout(EVERY, asked).await.ok().flatten()
}
