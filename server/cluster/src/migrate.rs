//! What is compiled in to make and change the databases, so that the one binary is enough.

use crate::error::{Error, Result, While};
use crate::login::{Database, Logins, Role};
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, PgConnection, migrate::Migrator,
    postgres::PgConnectOptions,
};

/// Roles and their settings; run by a superuser, safe at every start.
pub const CLUSTER_SQL: &str = include_str!("../../../migrations/cluster.sql");
/// Who may connect where; run by a superuser in each database, safe at every start.
pub const GRANTS_SQL: &str = include_str!("../../../migrations/grants.sql");

static APPLICATION: Migrator = sqlx::migrate!("../../migrations/application");
static CACHE: Migrator = sqlx::migrate!("../../migrations/cache");
static JOBS: Migrator = sqlx::migrate!("../../migrations/jobs");
static LIVE: Migrator = sqlx::migrate!("../../migrations/live");

fn migrations(database: Database) -> &'static Migrator {
    match database {
        Database::Application => &APPLICATION,
        Database::Cache => &CACHE,
        Database::Jobs => &JOBS,
        Database::Live => &LIVE,
    }
}

/// Makes roles and databases as a superuser, and says who may enter these of them. Safe at every start; `passwords` are set
/// anew each time.
pub async fn prepare(
    superuser: &PgConnectOptions,
    passwords: &[(Role, String)],
    entered: &[Database],
) -> Result<()> {
    let mut server = superuser
        .connect()
        .await
        .while_("Cannot connect to the embedded PostgreSQL")?;
    run(&mut server, CLUSTER_SQL)
        .await
        .while_("Cannot make the logins")?;
    for (role, password) in passwords {
        // Our own hex digits, so quoting is not in question.
        run(
            &mut server,
            &format!("alter role {} password '{password}'", role.login()),
        )
        .await
        .while_("Cannot set a login's password")?;
    }
    let there: Vec<String> = sqlx::query_scalar("select datname::text from pg_database")
        .fetch_all(&mut server)
        .await
        .while_("Cannot list the databases")?;
    for database in Database::ALL {
        if !there.iter().any(|name| name == database.name()) {
            run(
                &mut server,
                &format!(
                    "create database {} owner quorate_owner template template0",
                    database.name()
                ),
            )
            .await
            .while_(format!("Cannot make the database {}", database.name()))?;
        }
    }
    let _ = server.close().await;
    for database in entered {
        grant(superuser, database.name()).await?;
    }
    Ok(())
}

async fn grant(superuser: &PgConnectOptions, name: &str) -> Result<()> {
    let what = || format!("Cannot set who may enter the database {name}");
    let mut connection = superuser
        .clone()
        .database(name)
        .connect()
        .await
        .while_(what())?;
    run(&mut connection, GRANTS_SQL).await.while_(what())?;
    let _ = connection.close().await;
    Ok(())
}

/// Copies a database under a new name, with the same right of entry (which is not copied with it).
pub async fn copy_database(superuser: &PgConnectOptions, from: &str, to: &str) -> Result<()> {
    let what = || format!("Cannot copy the database {from}");
    let mut server = superuser.connect().await.while_(what())?;
    run(
        &mut server,
        &format!("create database {to} template {from}"),
    )
    .await
    .while_(what())?;
    let _ = server.close().await;
    grant(superuser, to).await
}

async fn run(connection: &mut PgConnection, sql: &str) -> std::result::Result<(), sqlx::Error> {
    connection
        .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())))
        .await
        .map(drop)
}

/// Brings databases to the state this binary was built for, as the migrator acting for the owner.
pub async fn migrate(logins: &Logins, databases: &[Database]) -> Result<()> {
    for &database in databases {
        let what = || format!("Cannot migrate the database {}", database.name());
        let mut connection = logins.owner(database)?.connect().await.while_(what())?;
        migrations(database)
            .run(&mut connection)
            .await
            .map_err(|source| Error::Migrate {
                database: database.name(),
                source: Box::new(source),
            })?;
        let _ = connection.close().await;
    }
    Ok(())
}

/// Changes whenever anything that makes the databases does: a database made from the same is the same.
pub fn fingerprint() -> String {
    let checksums = Database::ALL
        .into_iter()
        .flat_map(|database| migrations(database).iter())
        .flat_map(|migration| migration.checksum.iter());
    let hash = crate::home::fingerprint(
        CLUSTER_SQL
            .as_bytes()
            .iter()
            .chain(GRANTS_SQL.as_bytes())
            .chain(checksums),
    );
    format!("{hash:016x}")
}
