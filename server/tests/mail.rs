//! From the log to the letter, with a real database, a real mail server and a process that is really killed.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs
)]

#[path = "mail/digest.rs"]
mod digest;

use std::{
    collections::BTreeSet,
    env,
    io::Write as _,
    net::{IpAddr, TcpListener},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::{
    db::MailDb,
    mailing::{Kind, Letter, LinkToken, Wanted},
};
use mail_parser::MessageParser;
use mailin_embedded::{AuthMechanism, Handler, Response, Server, SslConfig, response};
use secrecy::SecretString;
use server::{
    mail::{Links, MailError, Mailer, SmtpConfig, Tls},
    queue::Queue,
    worker::{Pace, Parts, Worker, relay_once},
};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, Row,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgSslMode},
};
use time::OffsetDateTime;
use tokio::sync::Notify;
use uuid::Uuid;

// ── A cluster of its own ──────────────────────────────────────────────────────────────────────

/// Four databases on a unix socket; gone with the test, even when the test is killed.
struct Cluster {
    folder: tempfile::TempDir,
    postgres: Child,
}

const NOBODY: u32 = 65534;

/// PostgreSQL refuses to run as root. `--pdeathsig` ends it with this thread, however that ends.
fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    command
        .args(["--pdeathsig", "QUIT"])
        .arg(program)
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

impl Cluster {
    async fn start() -> Self {
        let bin = PathBuf::from(
            env::var("QUORATE_POSTGRES").expect("QUORATE_POSTGRES: source scripts/env.sh"),
        );
        let folder = tempfile::Builder::new()
            .prefix("qm")
            .tempdir_in("/tmp")
            .unwrap();
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = folder.path().join("data");
        let made = as_nobody(&bin.join("initdb"))
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "-N",
                "-D",
            ])
            .arg(&data)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let postgres = as_nobody(&bin.join("postgres"))
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c"])
            .arg(format!(
                "unix_socket_directories={}",
                folder.path().display()
            ))
            .arg("-D")
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let cluster = Self { folder, postgres };
        cluster.migrate().await;
        cluster
    }

    async fn migrate(&self) {
        let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
        let read = |file: &str| std::fs::read_to_string(migrations.join(file)).unwrap();
        let mut admin = self.wait("postgres").await;
        run(&mut admin, read("cluster.sql")).await;
        for name in ["application", "cache", "jobs", "live"] {
            let database = format!("quorate_{name}");
            run(&mut admin, format!("create database {database}")).await;
            run(&mut self.wait(&database).await, read("grants.sql")).await;
            let options = self
                .options("quorate_migrator", &database)
                .options([("role", "quorate_owner")]);
            let mut migrator = PgConnection::connect_with(&options).await.unwrap();
            Migrator::new(migrations.join(name))
                .await
                .unwrap()
                .run(&mut migrator)
                .await
                .unwrap();
        }
    }

    fn options(&self, role: &str, database: &str) -> PgConnectOptions {
        options(self.folder.path(), role, database)
    }

    /// As superuser, as soon as the database answers.
    async fn wait(&self, database: &str) -> PgConnection {
        for _ in 0..200 {
            if let Ok(connection) =
                PgConnection::connect_with(&self.options("postgres", database)).await
            {
                return connection;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "{}",
            std::fs::read_to_string(self.folder.path().join("log")).unwrap()
        );
    }

    fn mail_db(&self) -> MailDb {
        MailDb::new(self.options("quorate_worker", "quorate_application"), 8)
    }

    fn queue(&self) -> Queue {
        Queue::new(self.options("quorate_jobs", "quorate_jobs"))
    }

    fn parts(&self, mailer: Mailer) -> Parts {
        Parts {
            db: self.mail_db(),
            queue: self.queue(),
            mailer: Arc::new(mailer),
            clock: OffsetDateTime::now_utc,
            pace: Pace {
                relay: Duration::from_millis(50),
                gather: Duration::from_millis(5),
                morning: Duration::from_mins(1),
                retry: Duration::from_millis(100),
                dead_after: Duration::from_secs(3),
                ask: Duration::from_millis(200),
            },
        }
    }

    /// The jobs' tables, which a worker's start makes.
    async fn with_tables(self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let worker = Worker::start(
            self.parts(Mailer::folder(folder.path(), links()).unwrap()),
            Arc::default(),
        );
        let mut jobs = self.wait("quorate_jobs").await;
        until("the jobs' tables", async || {
            sqlx::query_scalar("select to_regproc('graphile_worker.add_job') is not null")
                .fetch_one(&mut jobs)
                .await
                .unwrap()
        })
        .await;
        worker.stop().await;
        self
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGINT, as pg_ctl's fast shutdown; the process is ours, so it cannot be another's by now.
        let _ = Command::new("kill")
            .args(["-INT", &self.postgres.id().to_string()])
            .status();
        let _ = self.postgres.wait();
    }
}

fn options(socket: &Path, role: &str, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .username(role)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
}

async fn run(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap();
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited 30 seconds for {what}");
}

fn links() -> Links {
    Links {
        scheme: "http".into(),
        host: "localhost:3000".into(),
    }
}

// ── Named people ──────────────────────────────────────────────────────────────────────────────

/// Oakfield and what its log says.
struct School {
    admin: PgConnection,
    id: Uuid,
}

impl School {
    async fn open(cluster: &Cluster, label: &str) -> Self {
        let mut admin = cluster.wait("quorate_application").await;
        let id =
            sqlx::query_scalar("select sec.make_tenant($1, 'Oakfield Primary School', 'school')")
                .bind(label)
                .fetch_one(&mut admin)
                .await
                .unwrap();
        Self { admin, id }
    }

    /// As the clerk's act leaves it: account, membership, open invitation and event in one transaction.
    async fn invite(&mut self, email: &str, name: &str) -> Uuid {
        let mut tx = self.admin.begin().await.unwrap();
        let membership: Uuid = sqlx::query_scalar(
            "insert into membership (tenant_id, account_id, name, roles, state)
             values ($1, sec.make_account($2), $3, '{governor}', 'invited') returning id",
        )
        .bind(self.id)
        .bind(email)
        .bind(name)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        sqlx::query("insert into sec.invitation (tenant_id, membership_id) values ($1, $2)")
            .bind(self.id)
            .bind(membership)
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query(
            "select sec.append_for($1, null, 'membership.invited', $2, '{}', '{people}', null)",
        )
        .bind(self.id)
        .bind(membership)
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        membership
    }

    async fn withdraw(&mut self, membership: Uuid) {
        sqlx::query("update sec.invitation set voided_at = now() where membership_id = $1")
            .bind(membership)
            .execute(&mut self.admin)
            .await
            .unwrap();
    }

    /// Asked as the web server asks for whoever opens a link.
    async fn opens(&self, cluster: &Cluster, token: &LinkToken) -> Option<String> {
        let mut web =
            PgConnection::connect_with(&cluster.options("quorate_web", "quorate_application"))
                .await
                .unwrap();
        sqlx::query_scalar("select email from sec.invitation_open($1, $2)")
            .bind(token.bytes().as_slice())
            .bind(self.id)
            .fetch_optional(&mut web)
            .await
            .unwrap()
    }

    async fn cursor(&mut self) -> Option<i64> {
        sqlx::query_scalar(
            "select seq from sec.relay_cursor where name = 'mail' and tenant_id = $1",
        )
        .bind(self.id)
        .fetch_optional(&mut self.admin)
        .await
        .unwrap()
    }

    async fn head(&mut self) -> i64 {
        sqlx::query_scalar("select seq from sec.event_head where tenant_id = $1")
            .bind(self.id)
            .fetch_one(&mut self.admin)
            .await
            .unwrap()
    }
}

async fn keys(jobs: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar("select key from graphile_worker._private_jobs order by id")
        .fetch_all(jobs)
        .await
        .unwrap()
}

/// What a worker does to a job that is done: its row goes, and its key with it.
async fn complete_all(jobs: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar("delete from graphile_worker._private_jobs returning key")
        .fetch_all(jobs)
        .await
        .unwrap()
}

// ── A real mail server ────────────────────────────────────────────────────────────────────────

#[derive(Clone, Default)]
struct Office {
    taken: Arc<Mutex<Vec<Taken>>>,
    tries: Arc<Mutex<Vec<String>>>,
    logins: Arc<Mutex<Vec<(String, String)>>>,
    refuses: Arc<Mutex<Option<(String, u16, usize)>>>,
    now: Taken,
}

#[derive(Clone, Default)]
struct Taken {
    hello: String,
    from: String,
    to: Vec<String>,
    data: Vec<u8>,
}

impl Handler for Office {
    fn helo(&mut self, _: IpAddr, domain: &str) -> Response {
        domain.clone_into(&mut self.now.hello);
        response::OK
    }

    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> Response {
        self.now = Taken {
            hello: self.now.hello.clone(),
            from: from.to_owned(),
            ..Taken::default()
        };
        response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        self.tries.lock().unwrap().push(to.to_owned());
        if let Some((whom, code, times)) = self.refuses.lock().unwrap().as_mut()
            && to.contains(whom.as_str())
            && *times > 0
        {
            *times -= 1;
            return Response::custom(*code, format!("<{to}> is not wanted here"));
        }
        self.now.to.push(to.to_owned());
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.now.data.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.taken
            .lock()
            .unwrap()
            .push(std::mem::take(&mut self.now));
        response::OK
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        self.logins
            .lock()
            .unwrap()
            .push((user.to_owned(), password.to_owned()));
        if password == "quiet otter" {
            response::AUTH_OK
        } else {
            response::INVALID_CREDENTIALS
        }
    }
}

impl Office {
    /// Opens on a free port. The thread ends with the process.
    fn open(&self, tls: SslConfig) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut server = Server::new(self.clone());
        if !matches!(tls, SslConfig::None) {
            server.with_auth(AuthMechanism::Plain);
        }
        server
            .with_name("mail.test")
            .with_tcp_listener(listener)
            .with_ssl(tls)
            .unwrap();
        std::thread::spawn(move || server.serve().unwrap());
        port
    }

    fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    fn tries(&self) -> usize {
        self.tries.lock().unwrap().len()
    }
}

impl Taken {
    fn token(&self) -> LinkToken {
        let mail = MessageParser::default().parse(&self.data).unwrap();
        let text = mail.body_text(0).unwrap().into_owned();
        let link = text
            .split_whitespace()
            .find(|word| word.starts_with("http"))
            .unwrap();
        LinkToken::parse(link.rsplit('/').next().unwrap()).unwrap()
    }
}

fn smtp(port: u16) -> SmtpConfig {
    SmtpConfig {
        host: "127.0.0.1".into(),
        port,
        tls: Tls::None,
        user: None,
        password: None,
        from: "Quorate <quorate@quorate.example>".into(),
        authority: None,
    }
}

// ── The whole way ─────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn joan_is_invited_and_her_link_opens_and_the_queue_never_knew_her() {
    let cluster = Cluster::start().await;
    let office = Office::default();
    let mailer = Mailer::smtp(&smtp(office.open(SslConfig::None)), links()).unwrap();
    assert_eq!(mailer.check().await, Ok(()));
    let mut oakfield = School::open(&cluster, "oakfield").await;
    let bell = Arc::new(Notify::new());
    let worker = Worker::start(cluster.parts(mailer), bell.clone());
    oakfield
        .invite("joan@oakfield.example", "Joan Whitlock")
        .await;
    bell.notify_one();
    until("the letter", async || !office.taken().is_empty()).await;
    let letters = office.taken();
    assert_eq!(letters[0].from, "quorate@quorate.example");
    assert_eq!(letters[0].to, ["joan@oakfield.example"]);
    assert_eq!(letters[0].hello, "localhost");
    let token = letters[0].token();
    assert_eq!(
        oakfield.opens(&cluster, &token).await.as_deref(),
        Some("joan@oakfield.example")
    );
    assert_eq!(
        oakfield
            .opens(&cluster, &LinkToken::random().unwrap())
            .await,
        None
    );
    let mut jobs = cluster.wait("quorate_jobs").await;
    until("the end of the job", async || {
        keys(&mut jobs).await.is_empty()
    })
    .await;
    assert_eq!(oakfield.cursor().await, Some(oakfield.head().await));

    // A second person, and a password forgotten: each exactly one letter.
    oakfield
        .invite("dilip@oakfield.example", "Dilip Parmar")
        .await;
    sqlx::query("select sec.make_person($1, 'margaret@oakfield.example', 'Margaret Oyelaran', '{chair}', $2)")
        .bind(oakfield.id)
    .bind(format!("$argon2id$v=19$m=19456,t=2,p=1${}${}", "A".repeat(22), "A".repeat(43)))
        .execute(&mut oakfield.admin)
        .await
        .unwrap();
    let mut web =
        PgConnection::connect_with(&cluster.options("quorate_web", "quorate_application"))
            .await
            .unwrap();
    for email in ["margaret@oakfield.example", "nobody@oakfield.example"] {
        sqlx::query("select sec.reset_ask($1, $2)")
            .bind(email)
            .bind(oakfield.id)
            .execute(&mut web)
            .await
            .unwrap();
    }
    bell.notify_one();
    until("two more letters", async || office.taken().len() >= 3).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let letters = office.taken();
    assert_eq!(letters.len(), 3);
    let reset = letters
        .iter()
        .find(|letter| String::from_utf8_lossy(&letter.data).contains("/reset/"))
        .unwrap();
    assert_eq!(reset.to, ["margaret@oakfield.example"]);
    let usable: bool = sqlx::query_scalar("select usable from sec.reset_open($1)")
        .bind(reset.token().bytes().as_slice())
        .fetch_one(&mut web)
        .await
        .unwrap();
    assert!(usable);
    worker.stop().await;
}

#[tokio::test]
async fn what_waits_in_the_jobs_database_names_nobody_and_opens_nothing() {
    let cluster = Cluster::start().await.with_tables().await;
    let mut oakfield = School::open(&cluster, "oakfield").await;
    oakfield
        .invite("canary@oakfield.example", "Canary Whitlock")
        .await;
    assert_eq!(
        relay_once(&cluster.mail_db(), &cluster.queue())
            .await
            .unwrap(),
        1
    );
    // A letter that is refused for a while leaves its error beside the job, and the server's words name her.
    let office = Office::default();
    *office.refuses.lock().unwrap() = Some(("canary".into(), 450, 100));
    let mailer = Mailer::smtp(&smtp(office.open(SslConfig::None)), links()).unwrap();
    let worker = Worker::start(cluster.parts(mailer), Arc::default());
    let mut jobs = cluster.wait("quorate_jobs").await;
    until("a failed try", async || {
        sqlx::query_scalar(
            "select bool_or(last_error is not null) from graphile_worker._private_jobs",
        )
        .fetch_one(&mut jobs)
        .await
        .unwrap()
    })
    .await;
    worker.stop().await;
    let dump = Command::new(PathBuf::from(env::var("QUORATE_POSTGRES").unwrap()).join("pg_dump"))
        .args([
            "-h",
            cluster.folder.path().to_str().unwrap(),
            "-U",
            "postgres",
            "--data-only",
            "quorate_jobs",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(dump.stdout).unwrap();
    assert!(
        text.contains(&format!("{}:2", oakfield.id)),
        "the dump holds the job: {text}"
    );
    assert!(text.contains("Answered(450)"), "{text}");
    for secret in ["canary", "Canary", "Whitlock", "@", "invitation/"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let hash: Option<Vec<u8>> = sqlx::query_scalar("select token_hash from sec.invitation")
        .fetch_one(&mut oakfield.admin)
        .await
        .unwrap();
    assert_eq!(hash.unwrap().len(), 32);
}

#[tokio::test]
async fn an_invitation_withdrawn_meanwhile_gets_no_letter() {
    let cluster = Cluster::start().await.with_tables().await;
    let office = Office::default();
    let mut oakfield = School::open(&cluster, "oakfield").await;
    let joan = oakfield
        .invite("joan@oakfield.example", "Joan Whitlock")
        .await;
    oakfield
        .invite("dilip@oakfield.example", "Dilip Parmar")
        .await;
    assert_eq!(
        relay_once(&cluster.mail_db(), &cluster.queue())
            .await
            .unwrap(),
        2
    );
    oakfield.withdraw(joan).await;
    let mailer = Mailer::smtp(&smtp(office.open(SslConfig::None)), links()).unwrap();
    let worker = Worker::start(cluster.parts(mailer), Arc::default());
    let mut jobs = cluster.wait("quorate_jobs").await;
    until("the end of both jobs", async || {
        keys(&mut jobs).await.is_empty()
    })
    .await;
    worker.stop().await;
    let taken = office.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].to, ["dilip@oakfield.example"]);
}

// ── What a mail server may answer ─────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_refused_recipient_is_marked_and_not_tried_again() {
    let cluster = Cluster::start().await;
    let office = Office::default();
    *office.refuses.lock().unwrap() = Some(("joan".into(), 550, usize::MAX));
    let mut oakfield = School::open(&cluster, "oakfield").await;
    let joan = oakfield
        .invite("joan@oakfield.example", "Joan Whitlock")
        .await;
    let mailer = Mailer::smtp(&smtp(office.open(SslConfig::None)), links()).unwrap();
    let worker = Worker::start(cluster.parts(mailer), Arc::default());
    let mut events = cluster.wait("quorate_application").await;
    until("the mark in the log", async || {
        sqlx::query_scalar("select exists (select from event where act = 'mail.undeliverable')")
            .fetch_one(&mut events)
            .await
            .unwrap()
    })
    .await;
    // The first back-off is 2.7 seconds: a second try would fall into this.
    tokio::time::sleep(Duration::from_secs(5)).await;
    worker.stop().await;
    assert_eq!((office.tries(), office.taken().len()), (1, 0));
    let marks = sqlx::query(
        "select about, detail::text, topics from event where act = 'mail.undeliverable'",
    )
    .fetch_all(&mut events)
    .await
    .unwrap();
    assert_eq!(marks.len(), 1);
    assert_eq!(marks[0].get::<Uuid, _>(0), joan);
    assert_eq!(marks[0].get::<String, _>(1), r#"{"seq": 2, "code": 550}"#);
    assert_eq!(marks[0].get::<Vec<String>, _>(2), ["people"]);
    let mut jobs = cluster.wait("quorate_jobs").await;
    let job = sqlx::query(
        "select attempts, max_attempts, last_error, locked_by from graphile_worker._private_jobs",
    )
    .fetch_one(&mut jobs)
    .await
    .unwrap();
    assert_eq!((job.get::<i16, _>(0), job.get::<i16, _>(1)), (1, 1));
    assert!(
        job.get::<String, _>(2).contains("Refused(550)")
            && !job.get::<String, _>(2).contains("joan")
    );
    assert_eq!(job.get::<Option<String>, _>(3), None);
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_and_the_second_token_counts() {
    let cluster = Cluster::start().await;
    let office = Office::default();
    *office.refuses.lock().unwrap() = Some(("joan".into(), 450, 1));
    let mut oakfield = School::open(&cluster, "oakfield").await;
    oakfield
        .invite("joan@oakfield.example", "Joan Whitlock")
        .await;
    let mailer = Mailer::smtp(&smtp(office.open(SslConfig::None)), links()).unwrap();
    let worker = Worker::start(cluster.parts(mailer), Arc::default());
    until("the first try", async || office.tries() == 1).await;
    let first: Vec<u8> = sqlx::query_scalar("select token_hash from sec.invitation")
        .fetch_one(&mut oakfield.admin)
        .await
        .unwrap();
    until("the letter", async || office.taken().len() == 1).await;
    worker.stop().await;
    assert_eq!(office.tries(), 2);
    let second: Vec<u8> = sqlx::query_scalar("select token_hash from sec.invitation")
        .fetch_one(&mut oakfield.admin)
        .await
        .unwrap();
    assert_ne!(first, second);
    assert!(
        oakfield
            .opens(&cluster, &office.taken()[0].token())
            .await
            .is_some()
    );
}

#[tokio::test]
async fn a_password_goes_out_only_after_starttls_and_only_to_the_named_server() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tls = || SslConfig::SelfSigned {
        cert_path: path("cert.pem"),
        key_path: path("key.pem"),
    };
    let config = |host: &str, port, authority| SmtpConfig {
        host: host.into(),
        tls: Tls::StartTls,
        user: Some("quorate".into()),
        password: Some(SecretString::from("quiet otter")),
        authority,
        ..smtp(port)
    };
    let pem = Some(made.cert.pem().into_bytes());
    let try_it = async |config: &SmtpConfig| {
        let mailer = Mailer::smtp(config, links()).unwrap();
        let letter = Letter {
            kind: Kind::Invitation,
            email: "joan@oakfield.example".into(),
            name: "Joan Whitlock".into(),
            place: "Oakfield Primary School".into(),
            label: "oakfield".into(),
            as_parent: false,
        };
        let now = OffsetDateTime::now_utc();
        let message = mailer
            .compose(&letter, &LinkToken::random().unwrap(), now)
            .unwrap();
        mailer.send(&message, now).await
    };

    let honest = Office::default();
    let port = honest.open(tls());
    assert_eq!(
        try_it(&config("localhost", port, pem.clone())).await,
        Ok(())
    );
    assert_eq!(honest.taken().len(), 1);
    assert_eq!(
        *honest.logins.lock().unwrap(),
        [("quorate".to_owned(), "quiet otter".to_owned())]
    );
    let wrong = SmtpConfig {
        password: Some(SecretString::from("loud otter")),
        ..config("localhost", port, pem.clone())
    };
    assert_eq!(
        try_it(&wrong).await,
        Err(MailError::Answered(535)),
        "ours to mend: not the recipient's fault"
    );

    // Not vouched for, another's name, and no TLS on offer: nothing of ours is said to any of them.
    let logins = honest.logins.lock().unwrap().len();
    assert_eq!(
        try_it(&config("localhost", port, None)).await,
        Err(MailError::Unreachable)
    );
    assert_eq!(
        try_it(&config("127.0.0.1", port, pem.clone())).await,
        Err(MailError::Unreachable)
    );
    let plain = Office::default();
    assert_eq!(
        try_it(&config("localhost", plain.open(SslConfig::None), pem)).await,
        Err(MailError::Unreachable)
    );
    assert_eq!(honest.logins.lock().unwrap().len(), logins);
    assert_eq!(
        (
            honest.taken().len(),
            plain.tries(),
            plain.logins.lock().unwrap().len()
        ),
        (1, 0, 0)
    );
}

// ── Exactly once ──────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_relay_that_dies_between_any_two_steps_adds_each_job_once() {
    let cluster = Cluster::start().await.with_tables().await;
    let mut oakfield = School::open(&cluster, "oakfield").await;
    let mut jobs = cluster.wait("quorate_jobs").await;
    oakfield
        .invite("joan@oakfield.example", "Joan Whitlock")
        .await;
    let there = Wanted {
        seq: 2,
        ..cluster.mail_db().wanted().await.unwrap().remove(0)
    };
    let key = format!("{}:2", oakfield.id);

    // It read, and died.
    assert_eq!(
        cluster.mail_db().wanted().await.unwrap(),
        std::slice::from_ref(&there)
    );
    assert_eq!(
        cluster.mail_db().wanted().await.unwrap(),
        std::slice::from_ref(&there),
        "the next one finds it again"
    );
    assert!(keys(&mut jobs).await.is_empty());

    // It added the job, and died before the cursor moved. The job waits, is under way, or is done and gone.
    assert!(cluster.queue().add(&there).await.unwrap());
    assert_eq!(keys(&mut jobs).await, std::slice::from_ref(&key));
    assert!(!cluster.queue().add(&there).await.unwrap());
    sqlx::query(
        "update graphile_worker._private_jobs set locked_by = 'another', locked_at = now()",
    )
    .execute(&mut jobs)
    .await
    .unwrap();
    assert!(!cluster.queue().add(&there).await.unwrap());
    assert_eq!(
        keys(&mut jobs).await,
        std::slice::from_ref(&key),
        "its key is still its own"
    );
    assert_eq!(complete_all(&mut jobs).await, [key]);
    assert_eq!(
        cluster.mail_db().wanted().await.unwrap(),
        std::slice::from_ref(&there),
        "the log still asks for it"
    );
    assert_eq!(
        relay_once(&cluster.mail_db(), &cluster.queue())
            .await
            .unwrap(),
        0,
        "but it was added before"
    );
    assert!(keys(&mut jobs).await.is_empty());
    assert_eq!(oakfield.cursor().await, Some(2));

    // The cursor moved, and it died.
    assert!(cluster.mail_db().wanted().await.unwrap().is_empty());
    assert_eq!(
        relay_once(&cluster.mail_db(), &cluster.queue())
            .await
            .unwrap(),
        0
    );

    // The same look without the mark would have sent a second letter: the check can fail.
    sqlx::query("delete from relay.mark")
        .execute(&mut jobs)
        .await
        .unwrap();
    assert!(cluster.queue().add(&there).await.unwrap());

    // Two processes at once: one of them adds.
    complete_all(&mut jobs).await;
    for name in ["Dilip Parmar", "Siân Edwards", "Rukhsana Ahmed"] {
        oakfield
            .invite(&format!("{}@oakfield.example", name.len()), name)
            .await;
    }
    let (one, other) = (cluster.queue(), cluster.queue());
    let (db, other_db) = (cluster.mail_db(), cluster.mail_db());
    let (one, other) = tokio::join!(relay_once(&db, &one), relay_once(&other_db, &other));
    assert_eq!(one.unwrap() + other.unwrap(), 3);
    assert_eq!(keys(&mut jobs).await.len(), 3);
}

const CHILD: &str = "QUORATE_TEST_RELAY_SOCKET";

/// Not a test: the process that the next one kills.
#[tokio::test]
#[ignore = "started by another test, to be killed"]
async fn relay_until_killed() {
    let Ok(socket) = env::var(CHILD) else { return };
    let socket = Path::new(&socket);
    let db = MailDb::new(options(socket, "quorate_worker", "quorate_application"), 2);
    let queue = Queue::new(options(socket, "quorate_jobs", "quorate_jobs"));
    println!("relaying");
    std::io::stdout().flush().unwrap();
    loop {
        relay_once(&db, &queue).await.unwrap();
    }
}

#[tokio::test]
async fn a_relay_process_killed_again_and_again_adds_each_job_once() {
    let cluster = Cluster::start().await.with_tables().await;
    let mut schools = vec![];
    for label in ["oakfield", "northgate", "beacon"] {
        schools.push(School::open(&cluster, label).await);
    }
    let mut jobs = cluster.wait("quorate_jobs").await;
    let mut done = vec![];
    let mut wanted = BTreeSet::new();
    let mut people = 0;
    let mut mid_way = 0;
    for round in 0..30_u64 {
        for school in &mut schools {
            for _ in 0..8 {
                people += 1;
                school
                    .invite(&format!("person{people}@oakfield.example"), "Person")
                    .await;
                let seq = school.head().await;
                wanted.insert(format!("{}:{seq}", school.id));
            }
        }
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "relay_until_killed", "--ignored", "--nocapture"])
            .env(CHILD, cluster.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = [0; 256];
        let heard = std::io::Read::read(child.stdout.as_mut().unwrap(), &mut said).unwrap();
        assert!(heard > 0);
        tokio::time::sleep(Duration::from_millis(3 + round * 7 % 43)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let added = complete_all(&mut jobs).await;
        mid_way += usize::from(!added.is_empty() && done.len() + added.len() < wanted.len());
        done.extend(added);
    }
    relay_once(&cluster.mail_db(), &cluster.queue())
        .await
        .unwrap();
    done.extend(complete_all(&mut jobs).await);
    let set: BTreeSet<_> = done.iter().cloned().collect();
    assert_eq!(done.len(), set.len(), "none twice");
    assert_eq!(set, wanted, "and none forgotten");
    assert!(
        mid_way >= 3,
        "only {mid_way} kills fell into the middle of the work: the test proves too little"
    );
    println!("{} jobs, {mid_way} of 30 kills in the middle", done.len());
}

#[tokio::test]
async fn a_sender_that_is_killed_is_replaced_and_joan_still_gets_her_letter() {
    let cluster = Cluster::start().await.with_tables().await;
    let mut oakfield = School::open(&cluster, "oakfield").await;
    oakfield
        .invite("joan@oakfield.example", "Joan Whitlock")
        .await;
    assert_eq!(
        relay_once(&cluster.mail_db(), &cluster.queue())
            .await
            .unwrap(),
        1
    );
    // As a process leaves it that is killed while it waits for the mail server: locked, and no more signs of life.
    let mut jobs = cluster.wait("quorate_jobs").await;
    for sql in [
        "insert into graphile_worker._private_workers (id, last_heartbeat_at) values ('killed', now() - interval '1 minute')",
        "update graphile_worker._private_jobs set locked_by = 'killed', locked_at = now(), attempts = 1",
    ] {
        sqlx::query(sql).execute(&mut jobs).await.unwrap();
    }
    let office = Office::default();
    let mailer = Mailer::smtp(&smtp(office.open(SslConfig::None)), links()).unwrap();
    let worker = Worker::start(cluster.parts(mailer), Arc::default());
    until("the letter", async || office.taken().len() == 1).await;
    until("the end of the job", async || {
        keys(&mut jobs).await.is_empty()
    })
    .await;
    worker.stop().await;
    assert_eq!(office.taken().len(), 1);
    assert!(
        oakfield
            .opens(&cluster, &office.taken()[0].token())
            .await
            .is_some()
    );
}

// ── The jobs database is away ─────────────────────────────────────────────────────────────────

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn without_the_jobs_database_changes_go_on_and_mail_waits_and_the_log_says_so_once() {
    let log = Log::default();
    let writer = log.clone();
    let _guard = tracing::subscriber::set_default(
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish(),
    );
    let cluster = Cluster::start().await;
    let office = Office::default();
    let mut oakfield = School::open(&cluster, "oakfield").await;
    let mut admin = cluster.wait("postgres").await;
    let mailer = Mailer::smtp(&smtp(office.open(SslConfig::None)), links()).unwrap();
    let worker = Worker::start(cluster.parts(mailer), Arc::default());
    oakfield
        .invite("joan@oakfield.example", "Joan Whitlock")
        .await;
    until("the first letter", async || office.taken().len() == 1).await;

    run(
        &mut admin,
        "alter database quorate_jobs allow_connections false".into(),
    )
    .await;
    run(
        &mut admin,
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'quorate_jobs'"
            .into(),
    )
    .await;
    for name in ["Dilip Parmar", "Siân Edwards", "Rukhsana Ahmed"] {
        oakfield
            .invite(&format!("{}@oakfield.example", name.len()), name)
            .await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(office.taken().len(), 1);
    assert_eq!(oakfield.head().await, 5, "the log went on");

    run(
        &mut admin,
        "alter database quorate_jobs allow_connections true".into(),
    )
    .await;
    until("the three that waited", async || office.taken().len() == 4).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    worker.stop().await;
    let to: BTreeSet<_> = office
        .taken()
        .into_iter()
        .flat_map(|letter| letter.to)
        .collect();
    assert_eq!(
        (office.taken().len(), to.len()),
        (4, 4),
        "each exactly once"
    );

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let count = |words: &str| {
        text.lines()
            .filter(|line| line.contains("server::queue") && line.contains(words))
            .count()
    };
    assert_eq!(count("the jobs database does not answer"), 1, "{text}");
    assert_eq!(count("the jobs database is back"), 1, "{text}");
    for secret in ["joan", "Joan", "Dilip", "oakfield.example", "/invitation/"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let ours = text
        .lines()
        .filter(|line| line.contains("WARN") || line.contains("ERROR"))
        .count();
    println!("{ours} warnings and errors in all:\n{text}");
}
