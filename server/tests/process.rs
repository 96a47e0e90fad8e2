//! The real binary, started, misled and killed as it will be in the world.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests read where PostgreSQL is from the environment they were started in"
)]

use cluster::Logins;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use testing::{Database, Fresh, Role};

const KEY: &str = "q7vDkVtVhYtQyLr2oG0W6yXn2bq8mZs4f1uJ3cT9eXk=";
const PATIENCE: Duration = Duration::from_secs(60);

/// A data directory of its own, a port of its own, and nothing left running afterwards.
struct House {
    folder: TempDir,
    data: PathBuf,
    port: u16,
}

impl House {
    fn new() -> Self {
        Self::at("data")
    }

    fn at(data: &str) -> Self {
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
        Self { folder, data, port }
    }

    /// The binary with nothing of our environment but what every installation has.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("QUORATE_DATA", &self.data)
            .env("QUORATE_SITE", self.folder.path().join("site"))
            .env("QUORATE_ORIGIN", format!("http://localhost:{}", self.port))
            .env("QUORATE_TEST_FAST", "1")
            .env("QUORATE_MASTER_KEY", KEY)
            .stdin(Stdio::null());
        if let Some(binaries) = std::env::var_os("QUORATE_POSTGRES") {
            command.env("QUORATE_POSTGRES", binaries);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn serve(&self) -> Server<'_> {
        self.serve_with(&[])
    }

    fn serve_with(&self, environment: &[(&str, &str)]) -> Server<'_> {
        let log = |name: &str| {
            fs::File::options()
                .append(true)
                .create(true)
                .open(self.folder.path().join(name))
                .unwrap()
        };
        let mut command = self.command(&["serve"]);
        command
            .envs(environment.iter().copied())
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

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("err")).unwrap_or_default()
    }

    fn postgres(&self) -> Option<Pid> {
        let pid = fs::read_to_string(self.data.join("postgres/postmaster.pid")).ok()?;
        let pid = pid.lines().next()?.trim().parse().ok()?;
        Path::new(&format!("/proc/{pid}/exe"))
            .exists()
            .then(|| Pid::from_raw(pid))
    }

    fn url(&self, role: &str) -> String {
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

struct Server<'a> {
    house: &'a House,
    child: Child,
}

impl Server<'_> {
    fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal);
    }

    /// Ends it in order and returns its exit code.
    fn stop(mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.child.wait().unwrap().code()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The answer of `/health`, once there is one.
    fn health(&self) -> Option<String> {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.house.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(
            stream,
            "GET /health HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n",
            self.house.port
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

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn refused(output: &Output, code: i32, word: &str) {
    let words = words(output);
    assert_eq!(output.status.code(), Some(code), "{words}");
    assert!(words.contains(word), "{words}");
    assert!(
        words.starts_with("quorate: ")
            && words.trim_end().ends_with('.')
            && words.lines().count() == 1,
        "one sentence: {words}"
    );
}

async fn as_login(url: &str) -> PgConnection {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    options.connect().await.unwrap()
}

async fn login_of(url: &str) -> String {
    let mut connection = as_login(url).await;
    let login = sqlx::query_scalar("select current_user::text")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    login
}

#[test]
fn impossible_configuration_ends_with_one_sentence_and_code_2() {
    let house = House::new();
    let serve = |environment: &[(&str, &str)]| {
        house
            .command(&["serve"])
            .envs(environment.iter().copied())
            .output()
            .unwrap()
    };
    refused(
        &house
            .command(&["serve"])
            .env_remove("QUORATE_MASTER_KEY")
            .output()
            .unwrap(),
        2,
        "QUORATE_MASTER_KEY",
    );
    refused(&serve(&[("QUORATE_MASTER_KEY", "c2hvcnQ=")]), 2, "32 bytes");
    refused(
        &serve(&[("QUORATE_ORIGIN", "http://quorate.example.org")]),
        2,
        "plain http",
    );
    refused(&serve(&[("QUORATE_POSTGRES", "/nowhere")]), 2, "/nowhere");
    refused(&serve(&[("QUORATE_SITE", "/nowhere")]), 2, "QUORATE_SITE");
    refused(
        &serve(&[(
            "DATABASE_URL",
            "postgres://quorate_web:x@db/quorate_application",
        )]),
        2,
        "QUORATE_WORKER_URL",
    );
    refused(&serve(&[("QUORATE_LOG", "=,=")]), 2, "QUORATE_LOG");
    let public = [
        ("QUORATE_ORIGIN", "https://quorate.example.org"),
        ("QUORATE_TEST_FAST", "0"),
    ];
    refused(
        &house.command(&["demo"]).envs(public).output().unwrap(),
        2,
        "demo",
    );
    assert!(!house.data.exists(), "nothing was made");
}

#[test]
fn a_second_start_on_the_same_data_says_so_and_ends() {
    let house = House::new();
    let server = house.serve();
    refused(&house.run(&["serve"]), 1, "is using");
    assert!(
        server.health().unwrap().contains("\"well\":true"),
        "the first one is not disturbed"
    );
    assert_eq!(server.stop(), Some(0));
    assert_eq!(house.postgres(), None, "its database ended with it");
}

#[tokio::test]
async fn a_killed_server_leaves_nothing_that_the_next_start_cannot_put_right() {
    let house = House::new();
    let server = house.serve();
    let mut migrator = as_login(&house.url("migrator")).await;
    sqlx::query("select sec.make_tenant('survivor', 'Survivor School', 'school')")
        .execute(&mut migrator)
        .await
        .unwrap();
    let before = house.postgres().unwrap();
    server.kill();
    assert_eq!(
        house.postgres(),
        Some(before),
        "the database outlived the server"
    );

    let server = house.serve();
    assert_ne!(
        house.postgres().unwrap(),
        before,
        "and was stopped by the next start"
    );
    let mut web = as_login(&house.url("web")).await;
    let there: Option<String> = sqlx::query_scalar("select name from sec.host('survivor')")
        .fetch_optional(&mut web)
        .await
        .unwrap();
    assert_eq!(there.as_deref(), Some("Survivor School"));
    web.close().await.unwrap();
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn a_killed_database_is_told_of_and_started_again() {
    let house = House::new();
    let server = house.serve();
    let before = house.postgres().unwrap();
    kill(before, Signal::SIGKILL).unwrap();
    let killed = Instant::now();
    while !house.log().contains("PostgreSQL is running again") {
        assert!(killed.elapsed() < PATIENCE, "{}", house.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(house.log().contains("PostgreSQL ended unexpectedly"));
    assert_ne!(house.postgres().unwrap(), before);
    assert_eq!(login_of(&house.url("web")).await, "quorate_web");
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn a_deep_data_path_with_a_space_still_has_a_socket() {
    let house = House::at(&format!("a b/{}/data", "deep ".repeat(18).trim()));
    assert!(house.data.as_os_str().len() > 107);
    let server = house.serve();
    let url = house.url("web");
    assert!(url.contains("%2Ftmp%2Fquorate-"), "{url}");
    assert_eq!(login_of(&url).await, "quorate_web");
    assert_eq!(server.stop(), Some(0));
    let secrets = cluster::Secrets::read(&house.data).unwrap();
    fs::remove_dir_all(secrets.get("socket").unwrap()).unwrap();
    // A cleaned-out /tmp costs nothing.
    assert_eq!(house.serve().stop(), Some(0));
    let secrets = cluster::Secrets::read(&house.data).unwrap();
    fs::remove_dir_all(secrets.get("socket").unwrap()).unwrap();
}

#[tokio::test]
async fn every_login_has_an_address_and_only_while_the_database_runs() {
    let house = House::new();
    refused(&house.run(&["db-url"]), 1, "quorate serve");
    let server = house.serve();
    for role in Role::ALL {
        assert_eq!(login_of(&house.url(role.name())).await, role.login());
    }
    let secrets = fs::metadata(house.data.join("secrets.toml")).unwrap();
    assert_eq!(secrets.permissions().mode() & 0o777, 0o600);
    let environment = fs::read(format!("/proc/{}/environ", house.postgres().unwrap())).unwrap();
    assert!(
        !String::from_utf8_lossy(&environment).contains("QUORATE"),
        "the database's environment is its own"
    );
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn logins_that_row_security_does_not_hold_are_refused() {
    let fresh = Fresh::empty()
        .await
        .with(Database::Cache)
        .await
        .with(Database::Jobs)
        .await
        .with(Database::Live)
        .await;
    let house = House::new();
    let serve_as = |web: String| {
        let mut command = house.command(&["check-config"]);
        for role in Role::SERVING {
            command.env(
                role.variable(),
                if role == Role::Web {
                    web.clone()
                } else {
                    fresh.url(role)
                },
            );
        }
        command.output().unwrap()
    };
    refused(
        &serve_as(fresh.superuser_url(Database::Application)),
        2,
        "superuser",
    );
    refused(
        &serve_as(fresh.url(Role::Backup)),
        2,
        "bypasses row security",
    );
    let well = serve_as(fresh.url(Role::Web));
    assert!(well.status.success(), "{}", words(&well));
    assert!(
        !house.data.exists(),
        "with a database of somebody else's there is none of ours"
    );
}

#[test]
fn the_demo_loads_once_and_a_first_administrator_is_let_in() {
    let house = House::new();
    let server = house.serve_with(&[("QUORATE_DEMO", "1")]);
    let again = house.run(&["demo"]);
    assert!(again.status.success(), "{}", words(&again));
    let told = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(
        told.starts_with("0 people added")
            && told.contains(&format!("http://oakfield.localhost:{}", house.port)),
        "{told}"
    );

    let create = |tenant: &str, email: &str| {
        let name = ["--name", "Ama Boateng", "--role", "school_admin"];
        house.run(
            &[
                &["account", "create", "--tenant", tenant, "--email", email][..],
                &name,
            ]
            .concat(),
        )
    };
    let link = create("oakfield", "ama@boateng.org");
    assert!(link.status.success(), "{}", words(&link));
    let link = String::from_utf8(link.stdout).unwrap();
    let token = link
        .trim()
        .strip_prefix(&format!(
            "http://oakfield.localhost:{}/invitation/",
            house.port
        ))
        .unwrap();
    assert_eq!(token.len(), 43, "256 bits in base64url");
    refused(&create("nowhere", "ama@boateng.org"), 1, "no such tenant");
    refused(
        &create("oakfield", "head@oakfield.example"),
        1,
        "member of it already",
    );

    assert!(
        house
            .run(&["account", "unlock", "--email", "chair@oakfield.example"])
            .status
            .success()
    );
    refused(
        &house.run(&["account", "unlock", "--email", "nobody@oakfield.example"]),
        1,
        "no such account",
    );
    assert!(
        house
            .run(&[
                "account",
                "reset-factors",
                "--email",
                "ta1@oakfield.example"
            ])
            .status
            .success()
    );
    assert_eq!(server.stop(), Some(0));
    let log = house.log();
    assert!(
        !log.contains('@') && !log.contains("Boateng"),
        "the log names nobody: {log}"
    );
}

#[tokio::test]
async fn the_demo_accounts_are_never_served_to_the_world() {
    let fresh = Fresh::demo()
        .await
        .with(Database::Cache)
        .await
        .with(Database::Jobs)
        .await
        .with(Database::Live)
        .await;
    let house = House::new();
    let mut command = house.command(&["serve"]);
    command
        .env("QUORATE_ORIGIN", "https://quorate.example.org")
        .env("QUORATE_TEST_FAST", "0");
    for role in Role::SERVING.into_iter().chain([Role::Migrator]) {
        command.env(role.variable(), fresh.url(role));
    }
    refused(&command.output().unwrap(), 2, "demo accounts");
}

#[test]
fn what_prints_itself_names_no_password() {
    let logins: Logins = [(Role::Web, "postgres://quorate_web:hush@db/a".to_owned())]
        .into_iter()
        .collect();
    assert!(!format!("{logins:?}").contains("hush"));
}
