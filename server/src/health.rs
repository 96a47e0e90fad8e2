//! What works and what does not, for the balancer and the operator. Asked in the background, so that `/health` costs the
//! databases the same however often it is called.

use cluster::{Logins, Role};
use serde_json::{Map, Value, json};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// Each database, through the login that serves with it.
const PARTS: [(&str, Role); 4] = [
    ("application", Role::Web),
    ("cache", Role::Cache),
    ("jobs", Role::Jobs),
    ("live", Role::Bus),
];
const EVERY: Duration = Duration::from_secs(2);

/// The state of the databases as it was two seconds ago at most.
#[derive(Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<Map<String, Value>>>,
}

impl Health {
    /// Starts to ask, and goes on until the process is told to end.
    pub fn watch(logins: &Logins, ending: &watch::Receiver<bool>) -> Self {
        let health = Self::default();
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

    /// Whether pages can be served, and the state of each part.
    pub fn report(&self) -> (bool, Value) {
        let parts = self
            .parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let well = parts.get("application") == Some(&Value::Bool(true));
        (
            well,
            json!({ "well": well, "version": env!("CARGO_PKG_VERSION"), "databases": parts }),
        )
    }

    fn set(&self, name: &str, works: bool) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let before = parts.insert(name.to_owned(), works.into());
        // Told once each time it changes, not every two seconds.
        match (before, works) {
            (Some(Value::Bool(true)), false) => {
                tracing::error!(database = name, "the database does not answer");
            }
            (Some(Value::Bool(false)), true) => {
                tracing::info!(database = name, "the database answers again");
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
