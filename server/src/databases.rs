//! The databases of this process: those it was given, or the embedded ones, started and stopped with it.

use crate::config::{Config, Databases};
use crate::stop::Stop;
use cluster::{Embedded, Error, Logins, Role};

/// Databases that answer, are migrated, and whose logins are safe to serve with.
pub struct Open {
    embedded: Option<Embedded>,
    logins: Logins,
}

impl Open {
    /// For `serve`: alone on its data directory, and nothing unsafe.
    pub async fn alone(config: &Config) -> Result<Self, Stop> {
        let open = match &config.databases {
            Databases::Embedded(settings) => {
                let embedded = Embedded::start(settings).await?;
                Self {
                    logins: embedded.cluster().logins().clone(),
                    embedded: Some(embedded),
                }
            }
            Databases::External(logins) => Self {
                logins: logins.clone(),
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
                        embedded: Some(embedded),
                    });
                }
                Err(Error::InUse { .. }) => {}
                Err(other) => return Err(other.into()),
            }
            let logins = cluster::running(&settings.data).await?;
            return Ok(Self {
                logins,
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
        cluster::refuse_unsafe(&self.logins, &roles).await?;
        // The embedded ones were migrated when they were started. Elsewhere the migrator's address may be kept from the
        // server; `quorate migrate` is then a step of the deployment.
        if self.embedded.is_none() && self.logins.has(Role::Migrator) {
            cluster::migrate(&self.logins).await?;
        }
        Ok(())
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
