//! Runs a command beside a fresh, migrated PostgreSQL and removes it afterwards; `scripts/sqlx` checks the queries so,
//! before the crates that hold them compile.
//!
//! `with-database <bin folder of PostgreSQL> <empty folder> <command> [argument …]`; the command gets `DATABASE_URL`.

use cluster::{Embedded, Settings};
use std::{path::PathBuf, process::ExitCode};

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(binaries), Some(data), Some(program)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!("with-database <bin folder of PostgreSQL> <empty folder> <command> [argument …]");
        return ExitCode::from(2);
    };
    let settings = Settings {
        data: PathBuf::from(data),
        binaries: PathBuf::from(binaries),
        fast: true,
    };
    let embedded = match Embedded::start(&settings).await {
        Ok(embedded) => embedded,
        Err(error) => {
            eprintln!("with-database: {error}");
            return ExitCode::FAILURE;
        }
    };
    // The superuser: what a query means is asked of the catalogue, and every query of every login must be there.
    let url = embedded.cluster().superuser_url("quorate_application");
    let status = tokio::process::Command::new(program)
        .args(arguments)
        .env("DATABASE_URL", url)
        .status()
        .await;
    embedded.stop().await;
    match status {
        Ok(status) => ExitCode::from(
            status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .unwrap_or(1),
        ),
        Err(error) => {
            eprintln!("with-database: {error}");
            ExitCode::FAILURE
        }
    }
}
