//! The demo schools, loaded as the migrator, and what a person needs to look around in them.

pub mod papers;
pub mod roster;
mod talk;

use crate::cli::say;
use crate::clock;
use crate::config::{Config, demo_master_key};
use crate::databases::Open;
use crate::hub::Hub;
use crate::router::Site;
use crate::stop::Stop;
use crate::storage::Storage;
use crate::{parts, serve};
use cluster::{Logins, Role};
use domain::{
    db::Db,
    demo::{self, pupils::records::Loaded},
    password::Hasher,
    secret::Secrets,
};
use secrecy::ExposeSecret as _;
use sqlx::{ConnectOptions as _, Connection as _};
use std::fmt::Write as _;
use std::time::Instant;

/// What else is done for a demo.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Write a roster of invented pupils with known faults, and beside it the list of these.
    Roster(roster::Asked),
}

/// `quorate demo`: loads the demo schools, and `more` for load, with the pupils of the two that have some, and files the papers of
/// the one that has some.
pub async fn load(config: &Config, more: u32) -> Result<(), Stop> {
    refuse_outside_loopback(config)?;
    let open = Open::beside(config).await?;
    let loaded = load_into(config, open.logins(), more).await;
    let (enrolled, filed) = match &loaded {
        Ok(_) => (
            enrol(config, open.logins()).await,
            file_papers(config, &open).await,
        ),
        Err(_) => (Ok(String::new()), Ok(String::new())),
    };
    open.close().await;
    // The schools are there, whatever becomes of their pupils and papers.
    say(&format!(
        "{} people added.\n{}",
        loaded?,
        accounts(config, true)
    ))?;
    let pupils = enrolled.map(|added| say(&added));
    say(&filed?)?;
    pupils?
}

/// The pupils, and then what was put down about them. What there is to say of it.
async fn enrol(config: &Config, logins: &Logins) -> Result<String, Stop> {
    let pupils = load_pupils(config, logins).await?;
    let Loaded {
        records,
        levels,
        entries,
        parents,
    } = load_records(logins.clone(), secrets(config)?).await?;
    Ok(format!(
        "{pupils} pupils added.\n{parents} parents, {records} records with {levels} levels and {entries} entries on record added.\n"
    ))
}

/// Puts the pupils of the demo schools on the roll, with their groups, caseloads and parents. Where a school has pupils, nothing.
/// Returns how many were added.
pub async fn load_pupils(config: &Config, logins: &Logins) -> Result<usize, Stop> {
    refuse_outside_loopback(config)?;
    let mut connection = logins
        .options(Role::Migrator)?
        .connect()
        .await
        .map_err(|error| Stop::failed(format!("Cannot connect as the migrator: {error}.")))?;
    let added = demo::pupils::load(&mut connection, clock::now(), None)
        .await
        .map_err(|error| Stop::failed(format!("The demo pupils were not loaded: {error}")))?;
    let _ = connection.close().await;
    Ok(added)
}

/// Puts down what is on record about the pupils of the demo schools: two years of it at Oakfield, and of one form at Northgate; of the
/// others there half a year. Where a school has records, nothing. Comes after [`load_pupils`], which refuses what is no loopback. What
/// fails is told in the log too; the schools are as usable without.
pub async fn load_records(logins: Logins, secrets: Secrets) -> Result<Loaded, Stop> {
    let begun = Instant::now();
    let loaded = put_down(&logins, &secrets).await;
    match &loaded {
        Ok(Loaded { records: 0, .. }) => {}
        Ok(loaded) => tracing::info!(
            records = loaded.records,
            seconds = begun.elapsed().as_secs(),
            "the demo schools have their records"
        ),
        Err(stop) => tracing::error!(%stop, "the demo schools have not all of their records"),
    }
    loaded
}

async fn put_down(logins: &Logins, secrets: &Secrets) -> Result<Loaded, Stop> {
    let failed =
        |error: domain::Refusal| Stop::failed(format!("The demo records were not loaded: {error}"));
    // One hash serves all.
    let hasher = Hasher::new(1).map_err(failed)?;
    let mut connection = logins
        .options(Role::Migrator)?
        .connect()
        .await
        .map_err(|error| Stop::failed(format!("Cannot connect as the migrator: {error}.")))?;
    let loaded = demo::pupils::records::load(&mut connection, &hasher, secrets, clock::now())
        .await
        .map_err(failed)?;
    let _ = connection.close().await;
    Ok(loaded)
}

/// Files the papers, unless they are not wanted or there are folders already. What there is to say of it, as a line.
async fn file_papers(config: &Config, open: &Open) -> Result<String, Stop> {
    let logins = open.logins();
    if config.demo_papers == Some(false) || has_folders(logins).await? {
        return Ok(String::new());
    }
    // Two stores over one folder would write into each other's unfinished files.
    if config.s3.is_none() && !open.is_alone() {
        return Ok("No papers were filed: where they would lie may belong to a server that is running. Start it with QUORATE_DEMO=1 and QUORATE_DEMO_PAPERS=1, and it files them.\n".to_owned());
    }
    say("Setting and filing the papers takes a minute.\n")?;
    let store = parts::storage(config).await?;
    let filed = file_into(config, logins, &store).await;
    store.stop();
    Ok(format!("{} papers filed.\n", filed?))
}

/// Through the same doors as everybody, and so with all that a server lends to a page.
async fn file_into(config: &Config, logins: &Logins, store: &Storage) -> Result<usize, Stop> {
    let not_filed = |why: String| Stop::failed(format!("The papers were not filed: {why}"));
    // It makes the bucket where there is none.
    store
        .check()
        .await
        .map_err(|error| not_filed(format!("{error}.")))?;
    let db = Db::new(logins.options(Role::Web)?, config.pool);
    let site = Site {
        services: parts::services(config, secrets(config)?, &db, &Hub::default(), false)?,
        options: serve::options(config),
        throttle: None,
        files: parts::files(config, store, &parts::staging(config)?)?,
    };
    let filed = papers::load(site).await;
    db.close().await;
    filed.map_err(|refusal| not_filed(refusal.to_string()))
}

/// Whether the school that gets papers has a folder, asked without signing in: a second run changes nothing and uses up no code.
async fn has_folders(logins: &Logins) -> Result<bool, Stop> {
    let failed = |error: sqlx::Error| Stop::failed(format!("Cannot look for papers: {error}."));
    let mut connection = logins
        .options(Role::Migrator)?
        .options([("role", "quorate_sec")])
        .connect()
        .await
        .map_err(failed)?;
    let there: bool = sqlx::query_scalar(
        "select exists (select from folder f join tenant t on t.id = f.tenant_id where t.label = $1)",
    )
    .bind(papers::SCHOOL)
    .fetch_one(&mut connection)
    .await
    .map_err(failed)?;
    let _ = connection.close().await;
    Ok(there)
}

/// Loads into databases that are open. Returns how many places of people were made.
pub async fn load_into(config: &Config, logins: &Logins, more: u32) -> Result<usize, Stop> {
    refuse_outside_loopback(config)?;
    let failed =
        |error: domain::Refusal| Stop::failed(format!("The demo schools were not loaded: {error}"));
    let secrets = secrets(config)?;
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let hasher = Hasher::new(threads).map_err(failed)?;
    let mut connection = logins
        .options(Role::Migrator)?
        .connect()
        .await
        .map_err(|error| Stop::failed(format!("Cannot connect as the migrator: {error}.")))?;
    let made = demo::load(&mut connection, &hasher, &secrets, more)
        .await
        .map_err(failed)?;
    let _ = connection.close().await;
    Ok(made)
}

/// The keys that seal what the database may not read. A demo makes its own master key and keeps it with the data.
pub fn secrets(config: &Config) -> Result<Secrets, Stop> {
    match &config.master_key {
        Some(key) => Ok(Secrets::new(key.expose_secret())),
        None if config.origin.is_loopback() => {
            Ok(Secrets::new(demo_master_key(&config.data)?.expose_secret()))
        }
        None => Err(Stop::config("QUORATE_MASTER_KEY is missing.")),
    }
}

/// Addresses and accounts, as `make run` prints them; those that go with the `pupils` only where these are there.
pub fn accounts(config: &Config, pupils: bool) -> String {
    let mut text = String::new();
    for tenant in demo::TENANTS {
        let _ = writeln!(
            text,
            "  {:<24} {}",
            tenant.name,
            config.origin.of_tenant(tenant.label)
        );
    }
    text.push_str("  Sign in as clerk@beacon.example (both schools), or in each school as admin@ head@ clerk@ chair@\n  governor1@ … governor9@ senco@ teacher1@ … teacher4@ ta1@ parent1@ parent2@, for example clerk@oakfield.example.\n");
    if pupils {
        let _ = writeln!(
            text,
            "  For a first look at pupils: teacher1@oakfield.example (a form of 26), senco@oakfield.example (the school),\n  parent1@oakfield.example (two children), parent2@oakfield.example (kept from one of two by an order),\n  parent3@oakfield.example (a child at each school); parent4@ … parent{}@oakfield.example have one each.",
            demo::pupils::records::PARENTS
        );
    }
    let _ = writeln!(
        text,
        "  Password: {}   Second factor (base 32): {}",
        demo::PASSWORD,
        demo::FACTOR_BASE32
    );
    text
}

/// Accounts whose password everybody knows, found where the world can reach them.
pub async fn refuse_demo_accounts(config: &Config, logins: &Logins) -> Result<(), Stop> {
    if config.origin.is_loopback() || !logins.has(Role::Migrator) {
        return Ok(());
    }
    let failed =
        |error: sqlx::Error| Stop::failed(format!("Cannot look for demo accounts: {error}."));
    let mut connection = logins
        .options(Role::Migrator)?
        .options([("role", "quorate_sec")])
        .connect()
        .await
        .map_err(failed)?;
    // `.example` is reserved (RFC 2606): no real person has an address there.
    let there: bool = sqlx::query_scalar("select exists (select from account where email like '%@oakfield.example' or email like '%@northgate.example' or email like '%@beacon.example')")
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    let _ = connection.close().await;
    if there {
        return Err(Stop::config(format!(
            "The database holds the demo accounts, whose password everybody knows; it is not served at {}.",
            config.origin.address()
        )));
    }
    Ok(())
}

fn refuse_outside_loopback(config: &Config) -> Result<(), Stop> {
    if config.origin.is_loopback() {
        return Ok(());
    }
    Err(Stop::config(format!(
        "The demo makes accounts whose password everybody knows; it is refused for {}.",
        config.origin.host
    )))
}
