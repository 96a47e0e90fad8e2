//! The command line: one binary for everything that is done to an installation.

use crate::config::{Config, Databases};
use crate::databases::Open;
use crate::stop::Stop;
use crate::{account, audit, demo, logging, serve};
use clap::{Parser, Subcommand};
use cluster::{Database, Error, Role};
use std::{
    ffi::OsString,
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
};

/// The live portal of a school. Configuration is environment variables; `quorate check-config` tells what is wrong.
#[derive(Parser, Debug)]
#[command(name = "quorate", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Serve until Ctrl-C or SIGTERM.
    Serve,
    /// Bring the databases to the state this binary was built for.
    Migrate {
        /// Print what a superuser runs first on a PostgreSQL of your own, and change nothing.
        #[arg(long)]
        print_cluster_sql: bool,
    },
    /// Load the demo schools with their pupils, and the papers of one of them; what is there already stays as it is.
    #[command(args_conflicts_with_subcommands = true)]
    Demo {
        /// Make this many more schools, for load.
        #[arg(long, default_value_t = 0)]
        schools: u32,
        #[command(subcommand)]
        other: Option<demo::Command>,
    },
    /// Help a person into the installation.
    #[command(subcommand)]
    Account(account::Command),
    /// Check that no log was rewritten, print the key that checkpoints are checked with, or export a log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Print the address of a database as one login sees it, for psql and backups. Its password is in it.
    DbUrl {
        /// web, worker, live, auditor, backup, migrator, cache, jobs or bus.
        #[arg(long, default_value = "web")]
        role: Role,
    },
    /// Say what is wrong with the configuration, and start nothing.
    CheckConfig,
    /// Look at the file on standard input, with no rights: what `serve` starts for each file that is uploaded.
    #[command(hide = true)]
    Inspect {
        /// pdf, docx, xlsx, pptx, odt, ods, odp, png, jpeg, text or csv.
        #[arg(long)]
        kind: String,
    },
    /// Become a program that may use one folder and nothing else: how `serve` starts LibreOffice.
    #[command(hide = true)]
    Cage {
        /// The folder.
        #[arg(long)]
        scratch: PathBuf,
        /// The program and its arguments, behind `--`.
        #[arg(last = true, required = true)]
        line: Vec<OsString>,
    },
}

impl Cli {
    /// The kind of file to look at, where that was asked: it is done before anything of the server exists.
    pub fn inspects(&self) -> Option<&str> {
        match &self.command {
            Command::Inspect { kind } => Some(kind.as_str()),
            _ => None,
        }
    }

    /// The folder and the program to become, where that was asked: the same holds for it.
    pub fn cages(&self) -> Option<(&Path, &[OsString])> {
        match &self.command {
            Command::Cage { scratch, line } => Some((scratch.as_path(), line.as_slice())),
            _ => None,
        }
    }

    /// Does what was asked.
    pub async fn run(self) -> Result<(), Stop> {
        if let Command::Migrate {
            print_cluster_sql: true,
        } = self.command
        {
            return say(&cluster_sql());
        }
        // A file that needs no installation.
        if let Command::Demo {
            other: Some(demo::Command::Roster(asked)),
            ..
        } = &self.command
        {
            return demo::roster::write(asked);
        }
        let config = Config::from_environment()?;
        logging::start(&config.log)?;
        match self.command {
            Command::Serve => serve::serve(config).await,
            Command::Migrate { .. } => migrate(&config).await,
            Command::Demo { schools, .. } => demo::load(&config, schools).await,
            Command::Account(command) => account::run(&config, command).await,
            Command::Audit(command) => audit::run(&config, command).await,
            Command::DbUrl { role } => db_url(&config, role).await,
            Command::CheckConfig => check(&config).await,
            Command::Inspect { .. } => {
                Err(Stop::failed("A file is looked at in a process of its own."))
            }
            Command::Cage { .. } => Err(Stop::failed("A program is held in a process of its own.")),
        }
    }
}

async fn migrate(config: &Config) -> Result<(), Stop> {
    let open = Open::beside(config).await?;
    let done = cluster::migrate(open.logins(), &Database::ALL).await;
    open.close().await;
    done?;
    say("The databases are up to date.\n")
}

async fn db_url(config: &Config, role: Role) -> Result<(), Stop> {
    let logins = match &config.databases {
        Databases::Embedded(settings) => match cluster::running(&settings.data).await {
            Ok(logins) => logins,
            Err(Error::NotRunning(_)) => {
                return Err(Stop::failed(format!(
                    "Nothing is running on {}: the embedded PostgreSQL runs as long as `quorate serve` does.",
                    settings.data.display()
                )));
            }
            Err(other) => return Err(other.into()),
        },
        Databases::External(logins) => logins.clone(),
    };
    let url = logins
        .url(role)
        .ok_or_else(|| Stop::config(format!("{} is not set.", role.variable())))?;
    say(&format!("{url}\n"))
}

async fn check(config: &Config) -> Result<(), Stop> {
    config.refuse_to_serve()?;
    if let Databases::External(logins) = &config.databases {
        cluster::refuse_unsafe(logins, &Role::SERVING).await?;
    }
    say("The configuration is complete.\n")
}

fn cluster_sql() -> String {
    let mut text = format!(
        "-- Run by a superuser with psql, for example: quorate migrate --print-cluster-sql | psql postgres\n{}\n",
        cluster::CLUSTER_SQL
    );
    for database in Database::ALL {
        let name = database.name();
        let _ = write!(
            text,
            "select 'create database {name} owner quorate_owner template template0' where not exists (select from pg_database where datname = '{name}')\\gexec\n\\connect {name}\n{}\n",
            cluster::GRANTS_SQL
        );
    }
    text.push_str("-- And a password for each login: alter role quorate_web password '...';\n");
    text
}

/// What was asked for, on standard output; whoever closed it early wants no more.
pub(crate) fn say(text: &str) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Stop::failed(format!("Cannot write the answer: {error}.")))
        }
        _ => Ok(()),
    }
}
