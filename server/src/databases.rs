//! The databases of this process: those it was given, or the embedded ones, started and stopped with it.

use crate::config::{Config, Databases};
use crate::stop::Stop;
use cluster::{Database, Embedded, Error, Logins, Role};
use std::time::Duration;

/// Rest before a queue that was away at the start is looked for again.
const AGAIN: Duration = Duration::from_secs(2);

/// Databases that answer, are migrated, and whose logins are safe to serve with.
pub struct Open {
    embedded: Option<Embedded>,
    logins: Logins,
    /// The queue was away at the start: pages and changes do without it, and what was left out is done when it is back.
    lacks_jobs: bool,
}

impl Open {
    /// For `serve`: alone on its data directory, and nothing unsafe.
    pub async fn alone(config: &Config) -> Result<Self, Stop> {
        let open = match &config.databases {
            Databases::Embedded(settings) => {
                let embedded = Embedded::start(settings).await?;
                Self {
                    logins: embedded.cluster().logins().clone(),
                    lacks_jobs: embedded.lacks_jobs(),
                    embedded: Some(embedded),
                }
            }
            Databases::External(logins) => Self {
                logins: logins.clone(),
                lacks_jobs: cluster::is_away(logins, Role::Jobs).await,
                embedded: None,
            },
        };
        match open.prepare().await {
            Ok(()) => Ok(open),
            Err(stop) => {
                open.close().await;
                Err(stop)
            }
        }
    }

    /// For the other commands: beside a server that is running, or alone while none is.
    pub async fn beside(config: &Config) -> Result<Self, Stop> {
        if let Databases::Embedded(settings) = &config.databases {
            match Embedded::start(settings).await {
                Ok(embedded) => {
                    return Ok(Self {
                        logins: embedded.cluster().logins().clone(),
                        lacks_jobs: embedded.lacks_jobs(),
                        embedded: Some(embedded),
                    });
                }
                Err(Error::InUse { .. }) => {}
                Err(other) => return Err(other.into()),
            }
            let logins = cluster::running(&settings.data).await?;
            return Ok(Self {
                logins,
                lacks_jobs: false,
                embedded: None,
            });
        }
        Self::alone(config).await
    }

    async fn prepare(&self) -> Result<(), Stop> {
        let mut roles = Role::SERVING.to_vec();
        roles.extend(
            [Role::Migrator, Role::Auditor, Role::Backup]
                .into_iter()
                .filter(|role| self.logins.has(*role)),
        );
        let mut databases = &Database::ALL[..];
        if self.lacks_jobs {
            roles.retain(|role| *role != Role::Jobs);
            databases = &Database::PRESSING;
        }
        cluster::refuse_unsafe(&self.logins, &roles).await?;
        // The embedded ones were migrated when they were started.
        if self.embedded.is_none() {
            self.migrate(databases).await?;
        }
        Ok(())
    }

    /// Elsewhere the migrator's address may be kept from the server; `quorate migrate` is then a step of the deployment.
    async fn migrate(&self, databases: &[Database]) -> Result<(), Stop> {
        match &self.embedded {
            Some(embedded) => embedded.cluster().prepare(databases).await?,
            None if self.logins.has(Role::Migrator) => {
                cluster::migrate(&self.logins, databases).await?;
            }
            None => {}
        }
        Ok(())
    }

    /// Where the queue was away at the start, waits for it and does what was left out. Returns only where it is not fit to
    /// serve with, as the start would have.
    pub async fn unfit(&self) -> Stop {
        if !self.lacks_jobs {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(AGAIN).await;
            if cluster::is_away(&self.logins, Role::Jobs).await {
                continue;
            }
            match self.catch_up().await {
                Ok(()) => return std::future::pending().await,
                Err(stop) if !cluster::is_away(&self.logins, Role::Jobs).await => return stop,
                Err(_) => {}
            }
        }
    }

    async fn catch_up(&self) -> Result<(), Stop> {
        self.migrate(&[Database::Jobs]).await?;
        Ok(cluster::refuse_unsafe(&self.logins, &[Role::Jobs]).await?)
    }

    /// Whether these are the embedded ones and were started by this process, so that no server runs on its data directory.
    pub const fn is_alone(&self) -> bool {
        self.embedded.is_some()
    }

    /// The address of each login.
    pub const fn logins(&self) -> &Logins {
        &self.logins
    }

    /// Returns when the databases are gone for good; those of somebody else never are.
    pub async fn lost(&self) {
        match &self.embedded {
            Some(embedded) => embedded.lost().await,
            None => std::future::pending().await,
        }
    }

    /// Stops what was started.
    pub async fn close(self) {
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }
}
