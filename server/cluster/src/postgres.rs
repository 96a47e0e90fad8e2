//! The PostgreSQL process: made, started, watched for readiness, stopped. Never as root, never with our environment.

use crate::error::{Error, Result, While};
use crate::home::{Home, make_folder};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions};
use std::{
    collections::VecDeque,
    fs,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::sleep,
};

/// Passwords of 192 bits need no slow hash, and a test that connects six times should not wait for one.
const FEW_ITERATIONS: &str = "scram_iterations=1";

/// How a cluster is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Its folders and user.
    pub home: Home,
    /// For tests: a crash of the machine may lose everything, and nothing waits for a disk.
    pub fast: bool,
}

impl Launch {
    /// Makes the cluster when there is none. A run that was cut short leaves nothing that looks finished.
    pub async fn make(&self, password: &str) -> Result<()> {
        let cluster = &self.home.cluster;
        if cluster.join("PG_VERSION").exists() {
            return Ok(());
        }
        let next = cluster.with_extension("new");
        if next.exists() {
            fs::remove_dir_all(&next).while_(format!("Cannot remove {}", next.display()))?;
        }
        make_folder(&next, 0o700, self.home.user)?;
        let password_file = self.home.socket.join("first-password");
        fs::write(&password_file, password).while_("Cannot write the first password")?;
        self.home.own(&password_file)?;
        let mut command = self.command("initdb");
        command
            .args([
                "--username=postgres",
                "--auth-local=scram-sha-256",
                "--auth-host=reject",
                "--encoding=UTF8",
            ])
            .args([
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C.UTF-8",
                "--no-instructions",
            ])
            .arg(joined("--pwfile=", &password_file))
            .arg(joined("--pgdata=", &next))
            .args(self.fast.then_some("--no-sync"))
            .args(self.fast.then(|| format!("--set={FEW_ITERATIONS}")));
        let made = command.output().await;
        let _ = fs::remove_file(&password_file);
        let made = made.while_("Cannot run initdb")?;
        if !made.status.success() {
            let reason = String::from_utf8_lossy(&made.stderr);
            return Err(Error::Refused(format!(
                "PostgreSQL could not make a cluster in {}: {}",
                cluster.display(),
                one_line(&reason)
            )));
        }
        fs::rename(&next, cluster).while_(format!(
            "Cannot put the new cluster at {}",
            cluster.display()
        ))
    }

    /// The command line of the server, for whoever runs it.
    pub fn arguments(&self) -> Vec<String> {
        let on_off = if self.fast { "off" } else { "on" };
        let socket = self.home.socket.display().to_string().replace('"', "\"\"");
        let settings = [
            "listen_addresses=".to_owned(),
            // Quoted, because the setting is a list and a path may hold a comma.
            format!("unix_socket_directories=\"{socket}\""),
            "unix_socket_permissions=0700".to_owned(),
            "cluster_name=quorate".to_owned(),
            "shared_buffers=128MB".to_owned(),
            "max_connections=100".to_owned(),
            format!("fsync={on_off}"),
            format!("full_page_writes={on_off}"),
            format!("synchronous_commit={on_off}"),
            "jit=off".to_owned(),
            // Statements and the values in errors hold names, addresses and tokens: the log may have neither.
            "log_min_messages=log".to_owned(),
            "log_error_verbosity=terse".to_owned(),
            "log_min_error_statement=panic".to_owned(),
            "log_statement=none".to_owned(),
            "log_checkpoints=off".to_owned(),
            "log_line_prefix=".to_owned(),
            "log_timezone=UTC".to_owned(),
        ];
        let few = self.fast.then(|| FEW_ITERATIONS.to_owned());
        let mut arguments = vec!["-D".to_owned(), self.home.cluster.display().to_string()];
        for setting in settings.into_iter().chain(few) {
            arguments.extend(["-c".to_owned(), setting]);
        }
        arguments
    }

    /// A program of PostgreSQL as its user and with an environment of its own.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.home.binaries.join(program));
        command
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .env("PATH", "/usr/bin:/bin")
            .env("TZ", "UTC")
            .current_dir("/")
            .stdin(Stdio::null());
        // Ctrl-C goes to our whole process group; the database must outlive the last request.
        command.process_group(0);
        if let Some((uid, gid)) = self.home.user {
            // Going from root to a user id also drops root's supplementary groups.
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Starts the server and waits until it answers. A predecessor that still holds the cluster
    /// is stopped first.
    pub async fn start(&self, login: &PgConnectOptions) -> Result<Postgres> {
        self.stop_predecessor().await?;
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let mut child = self
                .command("postgres")
                .args(self.arguments())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .while_("Cannot run postgres")?;
            let lines = follow(&mut child);
            let started = Instant::now();
            let mut postgres = Postgres { child };
            let ended = loop {
                if answers(login).await {
                    return Ok(postgres);
                }
                if let Some(status) = postgres
                    .child
                    .try_wait()
                    .while_("Cannot ask after postgres")?
                {
                    break status;
                }
                if Instant::now() > deadline {
                    return Err(Error::Refused(
                        "PostgreSQL started but does not answer.".to_owned(),
                    ));
                }
                sleep(Duration::from_millis(30)).await;
            };
            // Children of a killed predecessor need a moment to notice and let go of its memory.
            if Instant::now() > deadline
                || started.elapsed() > Duration::from_secs(20)
                || !is_held(&lines)
            {
                return Err(Error::Refused(format!(
                    "PostgreSQL ended at its start ({ended}): {}",
                    last(&lines)
                )));
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Stops a server that somebody's killed process left on our cluster; the caller holds the data directory's lock.
    pub async fn stop_predecessor(&self) -> Result<()> {
        let pid_file = self.home.cluster.join("postmaster.pid");
        let Ok(text) = fs::read_to_string(&pid_file) else {
            return Ok(());
        };
        let Some(pid) = text
            .lines()
            .next()
            .and_then(|line| line.trim().parse::<i32>().ok())
        else {
            return Ok(());
        };
        let working = fs::read_link(format!("/proc/{pid}/cwd"));
        let Ok(working) = working else { return Ok(()) };
        if working != fs::canonicalize(&self.home.cluster).unwrap_or_default() {
            // The number went to another program since: PostgreSQL would take that for its predecessor and refuse.
            return fs::remove_file(&pid_file)
                .while_(format!("Cannot remove {}", pid_file.display()));
        }
        tracing::warn!(
            pid,
            "stopping the PostgreSQL that a killed server left behind"
        );
        for (signal, patience) in [
            (Signal::SIGINT, 15),
            (Signal::SIGQUIT, 5),
            (Signal::SIGKILL, 5),
        ] {
            let _ = kill(Pid::from_raw(pid), signal);
            let deadline = Instant::now() + Duration::from_secs(patience);
            while Instant::now() < deadline {
                if !Path::new(&format!("/proc/{pid}/cwd")).exists() || is_zombie(pid) {
                    return Ok(());
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
        Err(Error::Refused(format!(
            "A PostgreSQL (process {pid}) is running on {} and does not stop.",
            self.home.cluster.display()
        )))
    }
}

/// Whether somebody answers there and lets us in.
pub(crate) async fn answers(login: &PgConnectOptions) -> bool {
    match tokio::time::timeout(Duration::from_secs(5), login.connect()).await {
        Ok(Ok(connection)) => {
            let _ = connection.close().await;
            true
        }
        _ => false,
    }
}

/// A running server. Dropped without `stop`, it is told to end at once; the next start then recovers its log.
pub struct Postgres {
    child: Child,
}

impl Postgres {
    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Lets transactions in flight go, writes what is in memory, and ends.
    pub async fn stop(mut self) {
        for (signal, patience) in [
            (Signal::SIGINT, 20),
            (Signal::SIGQUIT, 5),
            (Signal::SIGKILL, 5),
        ] {
            self.signal(signal);
            if tokio::time::timeout(Duration::from_secs(patience), self.child.wait())
                .await
                .is_ok()
            {
                return;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.signal(Signal::SIGQUIT);
    }
}

/// The last lines it wrote, for the sentence that says why it did not start.
type Lines = Arc<Mutex<VecDeque<String>>>;

fn follow(child: &mut Child) -> Lines {
    let lines = Lines::default();
    if let Some(stderr) = child.stderr.take() {
        let lines = Arc::clone(&lines);
        tokio::spawn(async move {
            let mut reader = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = reader.next_line().await {
                if line.starts_with("FATAL") || line.starts_with("PANIC") {
                    tracing::debug!(target: "postgres", "{line}");
                } else {
                    tracing::trace!(target: "postgres", "{line}");
                }
                if let Ok(mut lines) = lines.lock() {
                    lines.push_back(line);
                    if lines.len() > 20 {
                        lines.pop_front();
                    }
                }
            }
        });
    }
    lines
}

fn is_held(lines: &Lines) -> bool {
    lines.lock().is_ok_and(|lines| {
        lines
            .iter()
            .any(|line| line.contains("shared memory block") || line.contains("lock file"))
    })
}

fn last(lines: &Lines) -> String {
    let text = lines
        .lock()
        .map(|lines| lines.iter().cloned().collect::<Vec<_>>().join("\n"))
        .unwrap_or_default();
    one_line(&text)
}

/// The line that says most: the first fatal one, else the last.
fn one_line(text: &str) -> String {
    let telling = |line: &&str| {
        ["FATAL", "PANIC", "error:", "ERROR"]
            .iter()
            .any(|word| line.contains(word))
    };
    let line = text
        .lines()
        .find(telling)
        .or_else(|| text.lines().rfind(|line| !line.trim().is_empty()));
    line.unwrap_or("it said nothing")
        .trim()
        .trim_end_matches('.')
        .to_owned()
        + "."
}

fn is_zombie(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('Z'))
    })
}

fn joined(option: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(option);
    argument.push(path);
    argument
}
