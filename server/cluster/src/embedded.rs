//! PostgreSQL for whoever was given none: made at the first start, kept running, and recovered after any kind of death.

use crate::error::{Error, Result, While};
use crate::home::{Home, make_folder, require_programs};
use crate::login::{Database, Logins, Role, parse};
use crate::postgres::{Launch, Postgres, answers};
use crate::secrets::{Secrets, password};
use crate::{has_room, is_away, migrate, prepare};
use sqlx::postgres::PgConnectOptions;
use std::{
    fs::{File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle};

/// What an embedded PostgreSQL needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data directory.
    pub data: PathBuf,
    /// The `bin` folder of PostgreSQL 18.
    pub binaries: PathBuf,
    /// For tests only: do not wait for the disk.
    pub fast: bool,
}

/// A cluster's folders, passwords and addresses, whether it is running or not. Whoever opens one sees to it that nobody
/// else does at the same time.
pub struct Cluster {
    launch: Launch,
    superuser_url: String,
    superuser: PgConnectOptions,
    passwords: Vec<(Role, String)>,
    logins: Logins,
}

impl Cluster {
    /// Finds what belongs to a data directory, and makes passwords and the cluster itself when there are none.
    pub async fn open(settings: &Settings) -> Result<Self> {
        let data = open_data(&settings.data)?;
        let mut secrets = Secrets::read(&data)?;
        let home = Home::settle(&data, &settings.binaries, &mut secrets)?;
        let superuser_password = made(&mut secrets, "superuser")?;
        let mut passwords = Vec::new();
        for role in Role::ALL {
            passwords.push((role, made(&mut secrets, role.name())?));
        }
        secrets.save()?;
        let launch = Launch {
            home,
            fast: settings.fast,
        };
        launch.make(&superuser_password).await?;
        let superuser_url = address(&launch.home.socket, "postgres", &superuser_password, "");
        let superuser = parse(&superuser_url, "The embedded PostgreSQL")?.database("postgres");
        let logins = logins(&secrets).unwrap_or_default();
        Ok(Self {
            launch,
            superuser_url,
            superuser,
            passwords,
            logins,
        })
    }

    /// How it is started.
    pub const fn launch(&self) -> &Launch {
        &self.launch
    }

    /// The superuser, for tools and tests; nothing that serves may use it.
    pub const fn superuser(&self) -> &PgConnectOptions {
        &self.superuser
    }

    /// The superuser's URL of one database.
    pub fn superuser_url(&self, database: &str) -> String {
        format!("{}{database}", self.superuser_url)
    }

    /// The URL of each login.
    pub const fn logins(&self) -> &Logins {
        &self.logins
    }

    /// Whether it is running and lets us in.
    pub async fn answers(&self) -> bool {
        answers(&self.superuser).await
    }

    /// Makes and migrates what is missing in these databases of the running cluster.
    pub async fn prepare(&self, databases: &[Database]) -> Result<()> {
        prepare(&self.superuser, &self.passwords, databases).await?;
        migrate(&self.logins, databases).await
    }
}

/// A PostgreSQL of our own, running; it is stopped with us.
pub struct Embedded {
    cluster: Arc<Cluster>,
    stop: watch::Sender<bool>,
    lost: watch::Receiver<bool>,
    lacks_jobs: bool,
    keeper: JoinHandle<()>,
    // Held as long as the cluster runs, and let go by the system however we end.
    _lock: File,
}

impl Embedded {
    /// Takes the data directory for this process alone, then starts, prepares and migrates its databases; the queue only
    /// where it can be entered.
    pub async fn start(settings: &Settings) -> Result<Self> {
        require_programs(&settings.binaries)?;
        let lock = lock(&open_data(&settings.data)?)?;
        let cluster = Arc::new(Cluster::open(settings).await?);
        let postgres = cluster.launch.start(&cluster.superuser).await?;
        let lacks_jobs = is_away(&cluster.logins, Role::Jobs).await;
        let databases = if lacks_jobs {
            &Database::PRESSING[..]
        } else {
            &Database::ALL
        };
        if let Err(error) = cluster.prepare(databases).await {
            postgres.stop().await;
            return Err(error);
        }
        let (stop, stopped) = watch::channel(false);
        let (give_up, lost) = watch::channel(false);
        let keeper = tokio::spawn(keep(Arc::clone(&cluster), postgres, stopped, give_up));
        Ok(Self {
            cluster,
            stop,
            lost,
            lacks_jobs,
            keeper,
            _lock: lock,
        })
    }

    /// Its passwords and addresses.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Whether the queue could not be entered at the start, and is still to be prepared.
    pub const fn lacks_jobs(&self) -> bool {
        self.lacks_jobs
    }

    /// Returns when PostgreSQL died and could not be started again.
    pub async fn lost(&self) {
        let mut lost = self.lost.clone();
        if lost.wait_for(|lost| *lost).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Stops PostgreSQL in good order.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.keeper.await;
    }
}

/// The logins of a cluster that another process runs on this data directory.
pub async fn running(data: &Path) -> Result<Logins> {
    let secrets = Secrets::read(data)?;
    let logins = logins(&secrets).ok_or_else(|| Error::NotRunning(data.to_owned()))?;
    if answers(&logins.options(Role::Web)?).await {
        Ok(logins)
    } else {
        Err(Error::NotRunning(data.to_owned()))
    }
}

/// Starts PostgreSQL again when it dies under us; gives up when it dies over and over, unless for want of room.
async fn keep(
    cluster: Arc<Cluster>,
    mut postgres: Postgres,
    mut stopped: watch::Receiver<bool>,
    give_up: watch::Sender<bool>,
) {
    let mut deaths: Vec<Instant> = Vec::new();
    loop {
        let how = tokio::select! {
            how = postgres.ended() => how,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        deaths.retain(|at| at.elapsed() < Duration::from_mins(1));
        deaths.push(Instant::now());
        tracing::error!(how, "PostgreSQL ended unexpectedly; starting it again");
        tokio::select! {
            waited = wait_for_room(&cluster.launch.home.cluster) => if waited { deaths.clear() },
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        if deaths.len() > 5 {
            tracing::error!("PostgreSQL keeps ending; giving up");
            give_up.send_replace(true);
            return;
        }
        // What the dead one left behind may hold on to its memory for a moment, and then the next start fails.
        while let Err(error) = again(&cluster, &mut postgres).await {
            tracing::error!("{error}");
            deaths.push(Instant::now());
            tokio::select! {
                waited = wait_for_room(&cluster.launch.home.cluster) => if waited { deaths.clear() },
                _ = stopped.wait_for(|stop| *stop) => return,
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(500)) => {}
                _ = stopped.wait_for(|stop| *stop) => return,
            }
            if deaths.len() > 5 {
                give_up.send_replace(true);
                return;
            }
        }
    }
    postgres.stop().await;
}

/// A database on a full disk dies at each start. Returns once there is room, and whether it had to wait.
async fn wait_for_room(folder: &Path) -> bool {
    if has_room(folder) {
        return false;
    }
    tracing::error!(
        "the disk of the database is full; PostgreSQL is started again once there is room"
    );
    while !has_room(folder) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    true
}

async fn again(cluster: &Cluster, postgres: &mut Postgres) -> Result<()> {
    *postgres = cluster.launch.start(&cluster.superuser).await?;
    tracing::info!("PostgreSQL is running again");
    Ok(())
}

fn open_data(data: &Path) -> Result<PathBuf> {
    // Under root the database's user must be able to pass through, though not to look around.
    let mode = if nix::unistd::Uid::effective().is_root() {
        0o711
    } else {
        0o700
    };
    make_folder(data, mode, None)?;
    data.canonicalize()
        .while_(format!("Cannot find {}", data.display()))
}

fn lock(data: &Path) -> Result<File> {
    let path = data.join("lock");
    let what = || format!("Cannot lock {}", data.display());
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .while_(what())?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = if holder.is_empty() {
                "just starting".to_owned()
            } else {
                format!("process {}", holder.trim())
            };
            return Err(Error::InUse {
                data: data.to_owned(),
                holder,
            });
        }
        Err(TryLockError::Error(error)) => return Err(error).while_(what()),
    }
    file.set_len(0).while_(what())?;
    file.rewind().while_(what())?;
    writeln!(file, "{}", std::process::id()).while_(what())?;
    Ok(file)
}

fn made(secrets: &mut Secrets, name: &str) -> Result<String> {
    if let Some(value) = secrets.get(name) {
        return Ok(value.to_owned());
    }
    let value = password()?;
    secrets.set(name, value.clone());
    Ok(value)
}

fn logins(secrets: &Secrets) -> Option<Logins> {
    let socket = PathBuf::from(secrets.get("socket")?);
    Role::ALL
        .into_iter()
        .map(|role| {
            Some((
                role,
                address(
                    &socket,
                    &role.login(),
                    secrets.get(role.name())?,
                    role.database().name(),
                ),
            ))
        })
        .collect()
}

/// A URL that sqlx and libpq read alike: the socket's folder stands where the host would.
fn address(socket: &Path, login: &str, password: &str, database: &str) -> String {
    use std::fmt::Write as _;
    let host =
        socket
            .as_os_str()
            .as_encoded_bytes()
            .iter()
            .fold(String::new(), |mut host, byte| {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
                    host.push(char::from(*byte));
                } else {
                    let _ = write!(host, "%{byte:02X}");
                }
                host
            });
    format!("postgres://{login}:{password}@{host}/{database}")
}
