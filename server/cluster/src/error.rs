//! Why the databases are not there: always one sentence that a person can act on.

use std::path::PathBuf;

/// What goes wrong between here and a usable database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Two servers on one folder would write over each other.
    #[error("Another Quorate ({holder}) is using {}; stop it first, or set QUORATE_DATA to another folder.", data.display())]
    InUse {
        /// The data directory.
        data: PathBuf,
        /// What is known of the other one.
        holder: String,
    },
    /// The wanted cluster exists but nobody is running it.
    #[error("Quorate is not running on {}.", .0.display())]
    NotRunning(PathBuf),
    /// Something about the set-up is refused, whatever the caller wants.
    #[error("{0}")]
    Refused(String),
    /// The machine said no.
    #[error("{what}: {source}.")]
    Machine {
        /// What was being done.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The database said no.
    #[error("{what}: {source}.")]
    Sql {
        /// What was being done.
        what: String,
        /// The database's answer.
        source: sqlx::Error,
    },
    /// A migration failed; what it had done is rolled back.
    #[error("The migrations of the {database} database failed: {source}.")]
    Migrate {
        /// Which of the four.
        database: &'static str,
        /// The migration and the database's answer.
        source: Box<sqlx::migrate::MigrateError>,
    },
}

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// Says what was being done when the machine or the database refused.
pub(crate) trait While<T> {
    fn while_(self, what: impl Into<String>) -> Result<T>;
}

impl<T> While<T> for std::result::Result<T, std::io::Error> {
    fn while_(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|source| Error::Machine {
            what: what.into(),
            source,
        })
    }
}

impl<T> While<T> for std::result::Result<T, nix::Error> {
    fn while_(self, what: impl Into<String>) -> Result<T> {
        self.map_err(std::io::Error::from).while_(what)
    }
}

impl<T> While<T> for std::result::Result<T, sqlx::Error> {
    fn while_(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|source| Error::Sql {
            what: what.into(),
            source,
        })
    }
}
