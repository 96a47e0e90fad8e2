//! The one PostgreSQL that all tests of a checkout share.
//!
//! Every test process holds a shared lock on `users`. Beside the server runs a small shell script that tries for the
//! exclusive lock: nobody has held `users` for five seconds, so nobody is left, and it stops the server. The system lets
//! go of a lock whichever way its holder dies, so a killed run leaks nothing. Starting and stopping both need `turn`, so
//! they cannot cross.

use cluster::{Cluster, Database, Settings};
use domain::demo;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

/// The migrated template, which is the application database itself: nobody else uses it here.
pub const EMPTY: &str = "quorate_application";
/// The template with the demo schools.
pub const DEMO: &str = "quorate_application_demo";

const FOLDER: &str = "test-cluster-";

const WATCH: &str = r#"
turn=$1; users=$2; shift 2
"$@" & server=$!
quiet=0
while kill -0 $server 2>/dev/null; do
  sleep 1
  if flock --nonblock "$users" true; then quiet=$((quiet + 1)); else quiet=0; fi
  [ $quiet -ge 5 ] || continue
  exec 8>>"$turn" 9>>"$users"
  if flock --nonblock 8 && flock --nonblock 9; then
    kill -INT $server
    wait $server
    exit
  fi
  exec 8>&- 9>&-
  quiet=0
done
"#;

pub struct Shared {
    pub cluster: Cluster,
    // Held to the end of the process.
    _users: File,
}

impl Shared {
    /// The running server, started and filled by whoever comes first.
    pub async fn get() -> &'static Self {
        static SHARED: tokio::sync::OnceCell<Shared> = tokio::sync::OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    async fn start() -> Self {
        let made_from = format!("{}-{:016x}", cluster::fingerprint(), fingerprint_of_demo());
        let folder = folder(&made_from);
        std::fs::create_dir_all(&folder).expect("the folder of the test cluster");
        let users = open(&folder.join("users"));
        let turn = open(&folder.join("turn"));
        // Locks wait without a runtime: there is nothing else to do until they are ours.
        users.lock_shared().expect("the lock of the users");
        turn.lock().expect("the turn");

        let settings = Settings {
            data: folder.join("data"),
            binaries: binaries(),
            fast: true,
        };
        let cluster = Cluster::open(&settings).await.expect("the test cluster");
        if !cluster.answers().await {
            cluster
                .launch()
                .stop_predecessor()
                .await
                .expect("the end of a predecessor");
            watch(&folder, &cluster);
            let mut patience = 400;
            while !cluster.answers().await {
                patience -= 1;
                assert!(
                    patience > 0,
                    "the test cluster does not answer; see {}",
                    folder.join("log").display()
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        if !fill(&cluster, &made_from).await {
            remove_others(&folder);
        }
        drop(turn);
        Self {
            cluster,
            _users: users,
        }
    }

    pub async fn drop_database(&self, name: &str) {
        let mut superuser = self
            .cluster
            .superuser()
            .connect()
            .await
            .expect("the superuser");
        run(
            &mut superuser,
            &format!("drop database if exists {name} with (force)"),
        )
        .await;
        let _ = superuser.close().await;
    }
}

/// Makes the templates when there are none. Returns whether they were there.
async fn fill(cluster: &Cluster, made_from: &str) -> bool {
    let mut superuser = cluster.superuser().connect().await.expect("the superuser");
    let made: Option<String> = sqlx::query_scalar(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = $1",
    )
    .bind(DEMO)
    .fetch_optional(&mut superuser)
    .await
    .expect("the databases")
    .flatten();
    if made.as_deref() == Some(made_from) {
        return true;
    }
    run(
        &mut superuser,
        &format!("drop database if exists {DEMO} with (force)"),
    )
    .await;
    cluster
        .prepare(&Database::ALL)
        .await
        .expect("migrated databases");
    cluster::copy_database(cluster.superuser(), EMPTY, DEMO)
        .await
        .expect("a copy of the template");
    let migrator = cluster
        .logins()
        .options(cluster::Role::Migrator)
        .expect("the migrator")
        .database(DEMO);
    let mut migrator = migrator.connect().await.expect("the migrator");
    let hasher = domain::password::Hasher::new(2).expect("argon2 parameters");
    demo::load(&mut migrator, &hasher, &crate::secrets(), 0)
        .await
        .expect("the demo");
    migrator.close().await.expect("the end of the migrator");
    // Said last: a filling that was cut short is done again.
    run(
        &mut superuser,
        &format!("comment on database {DEMO} is '{made_from}'"),
    )
    .await;
    false
}

/// Other migrations and another demo have folders of their own, so that two branches can share a build folder. Those
/// that nobody uses are removed when a new one is made.
fn remove_others(folder: &Path) {
    let Some(target) = folder.parent() else {
        return;
    };
    for other in std::fs::read_dir(target)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
    {
        let is_one = other
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(FOLDER));
        if other == folder || !is_one {
            continue;
        }
        let (turn, users) = (open(&other.join("turn")), open(&other.join("users")));
        let data = other.join("data");
        let home = cluster::Secrets::read(&data)
            .ok()
            .and_then(|secrets| secrets.get("home").map(PathBuf::from));
        let home = home.unwrap_or(data);
        // The watcher lets go of its locks only once the server has ended.
        if turn.try_lock().is_ok()
            && users.try_lock().is_ok()
            && !home.join("postgres/postmaster.pid").exists()
        {
            let _ = std::fs::remove_dir_all(home);
            let _ = std::fs::remove_dir_all(other);
        }
    }
}

fn fingerprint_of_demo() -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    format!(
        "{:?} {} {}",
        demo::TENANTS,
        demo::PASSWORD,
        demo::FACTOR_BASE32
    )
    .hash(&mut hasher);
    crate::MASTER_KEY.hash(&mut hasher);
    hasher.finish()
}

/// Starts the server with its watcher, both apart from this process: they outlive it, and Ctrl-C does not reach them.
#[allow(
    clippy::zombie_processes,
    reason = "whoever outlives it, the system buries it"
)]
fn watch(folder: &Path, cluster: &Cluster) {
    use std::os::unix::process::CommandExt as _;
    let launch = cluster.launch();
    let log =
        || Stdio::from(File::create(folder.join("log")).expect("the log of the test cluster"));
    let mut command = Command::new("/bin/sh");
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .current_dir("/");
    command
        .args(["-c", WATCH, "watch"])
        .arg(folder.join("turn"))
        .arg(folder.join("users"));
    if let Some((user, group)) = launch.home.user {
        command.args([
            "setpriv",
            &format!("--reuid={user}"),
            &format!("--regid={group}"),
            "--clear-groups",
        ]);
    }
    command
        .arg(launch.home.binaries.join("postgres"))
        .args(launch.arguments());
    command
        .stdin(Stdio::null())
        .stdout(log())
        .stderr(log())
        .process_group(0)
        .spawn()
        .expect("the test cluster");
}

async fn run(connection: &mut PgConnection, sql: &str) {
    connection
        .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())))
        .await
        .expect(sql);
}

fn open(path: &Path) -> File {
    File::options()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .expect("a lock file")
}

/// Beside the build, so that two checkouts never meet: target/debug/deps/<test> → target/test-cluster-….
fn folder(made_from: &str) -> PathBuf {
    let program = std::env::current_exe().expect("the name of the test");
    let target = program
        .ancestors()
        .find(|folder| folder.join(".rustc_info.json").exists());
    target
        .expect("the target folder")
        .join(format!("{FOLDER}{made_from}"))
}

/// Where scripts/env.sh says that PostgreSQL is.
fn binaries() -> PathBuf {
    static BINARIES: OnceLock<PathBuf> = OnceLock::new();
    #[allow(
        clippy::disallowed_methods,
        reason = "tests have no configuration of their own"
    )]
    let find = || {
        std::env::var_os("QUORATE_POSTGRES").map_or_else(
            || PathBuf::from("/usr/lib/postgresql/18/bin"),
            PathBuf::from,
        )
    };
    BINARIES.get_or_init(find).clone()
}
