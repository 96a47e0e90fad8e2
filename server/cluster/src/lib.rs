//! Where things are stored: the four databases, their logins, what is compiled in to migrate them, and the
//! PostgreSQL that Quorate starts by itself when it is given none.
//!
//! Knows nothing of a school and nothing of a browser, so that the test harness and the check of the queries can use
//! it before the rest compiles.

mod check;
mod embedded;
mod error;
mod home;
mod login;
mod migrate;
mod postgres;
mod secrets;

pub use check::{is_away, refuse_unsafe};
pub use embedded::{Cluster, Embedded, Settings, running};
pub use error::{Error, Result};
pub use home::{Home, has_room};
pub use login::{Database, Logins, Role};
pub use migrate::{CLUSTER_SQL, GRANTS_SQL, copy_database, fingerprint, migrate, prepare};
pub use postgres::Launch;
pub use secrets::Secrets;
