//! What works and what does not, for the balancer and the operator. Asked in the background, so that `/health` costs
//! them the same however often it is called.

use cluster::{Logins, Role};
use serde_json::{Map, Value, json};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use std::{
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
const EVERY: Duration = Duration::from_secs(2);
/// The store is asked by writing to it, which costs more.
const STORE_EVERY: Duration = Duration::from_secs(10);

/// The state of the parts as it was two seconds ago at most; of the store, ten.
#[derive(Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<Map<String, Value>>>,
}

impl Health {
    /// Starts to ask, and goes on until the process is told to end.
    pub fn watch(logins: &Logins, store: &Storage, ending: &watch::Receiver<bool>) -> Self {
        let health = Self::default();
        health.watch_store(store.clone(), ending.clone());
        for (name, role) in PARTS {
            let (health, logins, mut ending) = (health.clone(), logins.clone(), ending.clone());
            tokio::spawn(async move {
                let mut kept = None;
                loop {
                    kept = ask(kept, &logins, role).await;
                    health.set(name, kept.is_some());
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
                health.set(STORE, matches!(asked, Ok(Ok(_))));
                if tokio::time::timeout(STORE_EVERY, ending.wait_for(|ending| *ending))
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
        let well = databases.get("application") == Some(&Value::Bool(true));
        (
            well,
            json!({ "well": well, "version": env!("CARGO_PKG_VERSION"), "databases": databases, "storage": store }),
        )
    }

    fn set(&self, name: &str, works: bool) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let before = parts.insert(name.to_owned(), works.into());
        // Told once each time it changes, not every two seconds.
        match (before, works) {
            (Some(Value::Bool(true)), false) => {
                tracing::error!(part = name, "it does not answer");
            }
            (Some(Value::Bool(false)), true) => {
                tracing::info!(part = name, "it answers again");
            }
            _ => {}
        }
    }
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
