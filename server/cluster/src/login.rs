//! Who connects to which database: one login per purpose, and each may enter one database only.

use crate::error::{Result, While};
use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// One of the four databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Database {
    /// The schools.
    Application,
    /// Throttles and presence: may be lost.
    Cache,
    /// The queue.
    Jobs,
    /// The bus between nodes.
    Live,
}

impl Database {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Application, Self::Cache, Self::Jobs, Self::Live];

    /// Without the queue: people can do without it for a while.
    pub const PRESSING: [Self; 3] = [Self::Application, Self::Cache, Self::Live];

    /// Its name in PostgreSQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Application => "quorate_application",
            Self::Cache => "quorate_cache",
            Self::Jobs => "quorate_jobs",
            Self::Live => "quorate_live",
        }
    }
}

/// A login role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Pages, forms and sockets.
    Web,
    /// Mail, scans, expiry.
    Worker,
    /// The tail of events that feeds the sockets.
    Live,
    /// Reads everything of a school and writes nothing.
    Auditor,
    /// Dumps: the only one that row security does not hold.
    Backup,
    /// Changes the schema and makes the first accounts.
    Migrator,
    /// The cache database.
    Cache,
    /// The jobs database.
    Jobs,
    /// The live database.
    Bus,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Web,
        Self::Worker,
        Self::Live,
        Self::Auditor,
        Self::Backup,
        Self::Migrator,
        Self::Cache,
        Self::Jobs,
        Self::Bus,
    ];

    /// What a running server cannot do without.
    pub const SERVING: [Self; 6] = [
        Self::Web,
        Self::Worker,
        Self::Live,
        Self::Cache,
        Self::Jobs,
        Self::Bus,
    ];

    /// The short name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Worker => "worker",
            Self::Live => "live",
            Self::Auditor => "auditor",
            Self::Backup => "backup",
            Self::Migrator => "migrator",
            Self::Cache => "cache",
            Self::Jobs => "jobs",
            Self::Bus => "bus",
        }
    }

    /// The name in PostgreSQL.
    pub fn login(self) -> String {
        format!("quorate_{}", self.name())
    }

    /// The environment variable that holds its URL when PostgreSQL is somebody else's.
    pub fn variable(self) -> String {
        if self == Self::Web {
            "DATABASE_URL".to_owned()
        } else {
            format!("QUORATE_{}_URL", self.name().to_uppercase())
        }
    }

    /// The one database it may enter; the migrator may enter all and starts here.
    pub const fn database(self) -> Database {
        match self {
            Self::Web
            | Self::Worker
            | Self::Live
            | Self::Auditor
            | Self::Backup
            | Self::Migrator => Database::Application,
            Self::Cache => Database::Cache,
            Self::Jobs => Database::Jobs,
            Self::Bus => Database::Live,
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or_else(|| {
                let names: Vec<_> = Self::ALL.iter().map(|role| role.name()).collect();
                format!("one of {}", names.join(", "))
            })
    }
}

/// The URL of each login. Passwords are in there, so it never prints itself.
#[derive(Clone, Default)]
pub struct Logins(BTreeMap<Role, String>);

impl fmt::Debug for Logins {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl FromIterator<(Role, String)> for Logins {
    fn from_iter<I: IntoIterator<Item = (Role, String)>>(urls: I) -> Self {
        Self(urls.into_iter().collect())
    }
}

impl Logins {
    /// The URL of a login, for `psql` and the like.
    pub fn url(&self, role: Role) -> Option<&str> {
        self.0.get(&role).map(String::as_str)
    }

    /// How to connect as a login. Statements are never logged: tokens and names stand in them.
    pub fn options(&self, role: Role) -> Result<PgConnectOptions> {
        let url = self.url(role).ok_or_else(|| {
            crate::Error::Refused(format!(
                "{} is not set, and this needs the login {}.",
                role.variable(),
                role.login()
            ))
        })?;
        parse(url, &role.variable())
    }

    /// How to connect as the migrator to one of the four, acting as the owner of the tables.
    pub fn owner(&self, database: Database) -> Result<PgConnectOptions> {
        let options = self
            .options(Role::Migrator)?
            .options([("role", "quorate_owner")]);
        if database == Database::Application {
            Ok(options)
        } else {
            Ok(options.database(database.name()))
        }
    }

    /// Whether a login was given.
    pub fn has(&self, role: Role) -> bool {
        self.0.contains_key(&role)
    }
}

pub(crate) fn parse(url: &str, what: &str) -> Result<PgConnectOptions> {
    let options =
        PgConnectOptions::from_str(url).while_(format!("{what} is not a PostgreSQL address"))?;
    Ok(options
        .application_name("quorate")
        .disable_statement_logging())
}
