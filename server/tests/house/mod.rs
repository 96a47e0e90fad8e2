//! The real binary in a data directory of its own.

#![allow(dead_code, reason = "each test uses its own part")]

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{ConnectOptions as _, PgConnection};
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

const KEY: &str = "q7vDkVtVhYtQyLr2oG0W6yXn2bq8mZs4f1uJ3cT9eXk=";
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A data directory of its own, a port of its own, and nothing left running afterwards.
pub struct House {
    pub folder: TempDir,
    pub data: PathBuf,
    pub port: u16,
    origin: String,
}

impl House {
    pub fn new() -> Self {
        Self::at("data")
    }

    /// On a developer's machine.
    pub fn at(data: &str) -> Self {
        let mut house = Self::of(data, String::new());
        house.origin = format!("http://localhost:{}", house.port);
        house
    }

    /// In the world, behind a balancer that this is the address of.
    pub fn behind(origin: &str) -> Self {
        Self::of("data", origin.to_owned())
    }

    pub fn of(data: &str, origin: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Under root the database runs as somebody else, who must get through.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(folder.path().join("site/pkg")).unwrap();
        let data = folder.path().join(data);
        fs::create_dir_all(data.parent().unwrap()).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        Self {
            folder,
            data,
            port,
            origin,
        }
    }

    /// The binary with nothing of our environment but what every installation has.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("QUORATE_DATA", &self.data)
            .env("QUORATE_SITE", self.folder.path().join("site"))
            .env("QUORATE_ORIGIN", &self.origin)
            .env("QUORATE_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("QUORATE_MASTER_KEY", KEY)
            // It takes the processor from what is measured, and writes to the log when it is done.
            .env("QUORATE_SOFFICE", "off")
            // So does setting papers; whoever looks at those asks for them.
            .env("QUORATE_DEMO_PAPERS", "0")
            .stdin(Stdio::null());
        // What may lose what was written is refused in the world.
        if self.origin.starts_with("http://localhost") {
            command.env("QUORATE_TEST_FAST", "1");
        }
        if let Some(binaries) = std::env::var_os("QUORATE_POSTGRES") {
            command.env("QUORATE_POSTGRES", binaries);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn serve(&self) -> Server<'_> {
        self.serve_with(&[])
    }

    pub fn serve_with(&self, environment: &[(&str, &str)]) -> Server<'_> {
        let mut command = self.command(&["serve"]);
        command.envs(environment.iter().copied());
        self.serve_as(command)
    }

    pub fn serve_as(&self, mut command: Command) -> Server<'_> {
        let log = |name: &str| {
            fs::File::options()
                .append(true)
                .create(true)
                .open(self.folder.path().join(name))
                .unwrap()
        };
        command
            .stdin(Stdio::null())
            .stdout(log("out"))
            .stderr(log("err"));
        let child = command.spawn().unwrap();
        let mut server = Server { house: self, child };
        let started = Instant::now();
        while !server
            .health()
            .is_some_and(|health| health.contains("\"well\":true"))
        {
            assert!(
                started.elapsed() < PATIENCE && server.child.try_wait().unwrap().is_none(),
                "no start: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("err")).unwrap_or_default()
    }

    pub fn postgres(&self) -> Option<Pid> {
        let pid = fs::read_to_string(self.data.join("postgres/postmaster.pid")).ok()?;
        let pid = pid.lines().next()?.trim().parse().ok()?;
        Path::new(&format!("/proc/{pid}/exe"))
            .exists()
            .then(|| Pid::from_raw(pid))
    }

    pub fn url(&self, role: &str) -> String {
        let output = self.run(&["db-url", "--role", role]);
        assert!(output.status.success(), "{}", words(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // Only after a test that failed between killing and starting again.
        if let Some(pid) = self.postgres() {
            let _ = kill(pid, Signal::SIGQUIT);
        }
    }
}

pub struct Server<'a> {
    house: &'a House,
    child: Child,
}

impl Server<'_> {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal);
    }

    /// Ends it in order and returns its exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.child.wait().unwrap().code()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The answer of `/health`, once there is one.
    pub fn health(&self) -> Option<String> {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.house.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(
            stream,
            "GET /health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.house.origin.split("//").nth(1)?
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::SIGTERM);
            let _ = self.child.wait();
        }
    }
}

pub fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub async fn as_login(url: &str) -> PgConnection {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    options.connect().await.unwrap()
}
