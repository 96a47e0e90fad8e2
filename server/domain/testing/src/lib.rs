//! A real database of its own for each test, in milliseconds: a copy of a migrated template, in one PostgreSQL that all
//! tests of a checkout share, connected to as the login that serves.
//!
//! ```ignore
//! let school = testing::Fresh::demo().await;
//! let db = Db::new(school.options(Role::Web), 4);
//! ```
//!
//! The PostgreSQL is started by the first test that needs it and ends by itself a few seconds after the last one: see
//! [`shared`]. Nothing is left running whichever way a test or the whole run ends.

// Tests stop where they fail, and say so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

mod behind;
mod shared;

pub use behind::{Behind, Stand, code_at};
pub use cluster::{Database, Role};
use domain::{password::Hasher, secret::Secrets};
use shared::Shared;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use std::sync::atomic::{AtomicU32, Ordering};

/// The master key of every test.
pub const MASTER_KEY: [u8; 32] = *b"the master key of every test....";

/// The keys that sealed what is in the demo template.
pub fn secrets() -> Secrets {
    Secrets::new(&MASTER_KEY)
}

/// A hasher on one thread.
pub fn hasher() -> Hasher {
    Hasher::new(1).expect("argon2 parameters")
}

/// Databases of one test. They are dropped with it.
pub struct Fresh {
    shared: &'static Shared,
    names: Vec<(Database, String)>,
}

impl Fresh {
    /// The application database, migrated and with nobody in it.
    pub async fn empty() -> Self {
        let mut fresh = Self::none().await;
        fresh.copy(Database::Application, shared::EMPTY).await;
        fresh
    }

    /// The application database with the demo schools.
    pub async fn demo() -> Self {
        let mut fresh = Self::none().await;
        fresh.copy(Database::Application, shared::DEMO).await;
        fresh
    }

    async fn none() -> Self {
        Self {
            shared: Shared::get().await,
            names: Vec::new(),
        }
    }

    /// One of the other databases as well, migrated.
    #[must_use]
    pub async fn with(mut self, database: Database) -> Self {
        self.copy(database, database.name()).await;
        self
    }

    async fn copy(&mut self, database: Database, template: &str) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // The name of a test that was killed may come again with its process id.
        let name = format!("{}_of_{}_{number}", database.name(), std::process::id());
        self.shared.drop_database(&name).await;
        cluster::copy_database(self.shared.cluster.superuser(), template, &name)
            .await
            .expect("a copy of the template");
        self.names.push((database, name));
    }

    /// How a login connects to the databases of this test.
    ///
    /// # Panics
    /// When this test has no database that the login may enter.
    pub fn options(&self, role: Role) -> PgConnectOptions {
        self.shared
            .cluster
            .logins()
            .options(role)
            .expect("a login")
            .database(self.name(role.database()))
    }

    /// The address of the same, for another process.
    pub fn url(&self, role: Role) -> String {
        let url = self.shared.cluster.logins().url(role).expect("a login");
        let (server, _) = url
            .rsplit_once('/')
            .expect("an address that ends in its database");
        format!("{server}/{}", self.name(role.database()))
    }

    /// The superuser's address, for what must refuse it.
    pub fn superuser_url(&self, database: Database) -> String {
        self.shared.cluster.superuser_url(self.name(database))
    }

    /// A superuser in one of the databases, to look behind what the logins see. Never what is tested.
    pub async fn superuser(&self, database: Database) -> PgConnection {
        self.shared
            .cluster
            .superuser()
            .clone()
            .database(self.name(database))
            .connect()
            .await
            .expect("a superuser")
    }

    /// What a database of this test is called.
    pub fn name(&self, database: Database) -> &str {
        let found = self.names.iter().find(|(known, _)| *known == database);
        found
            .map(|(_, name)| name.as_str())
            .expect("Fresh::with(…) makes the other databases")
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let (shared, names) = (self.shared, std::mem::take(&mut self.names));
        // The test's own runtime may be ending, so this one brings its own.
        let dropping = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
            else {
                return;
            };
            runtime.block_on(async {
                for (_, name) in names {
                    shared.drop_database(&name).await;
                }
            });
        });
        let _ = dropping.join();
    }
}

/// Whether a connection with these options is let in.
pub async fn may_connect(options: PgConnectOptions) -> bool {
    match options.connect().await {
        Ok(connection) => {
            let _ = connection.close().await;
            true
        }
        Err(_) => false,
    }
}
