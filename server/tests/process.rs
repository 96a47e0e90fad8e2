//! The real binary, started, misled and killed as it will be in the world.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests read where PostgreSQL is from the environment they were started in"
)]

mod house;

use cluster::Logins;
use house::{House, PATIENCE, as_login, words};
use nix::sys::signal::{Signal, kill};
use sqlx::Connection as _;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::Output,
    time::{Duration, Instant},
};
use testing::{Database, Fresh, Role};

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
    refused(&serve(&public), 2, "QUORATE_SMTP_HOST");
    refused(
        &serve(&[("QUORATE_CLIENT_HEADER", "x real ip")]),
        2,
        "QUORATE_CLIENT_HEADER",
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
    let log = house.log();
    assert!(log.contains("PostgreSQL ended unexpectedly"), "{log}");
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
        .env("QUORATE_TEST_FAST", "0")
        .env("QUORATE_SMTP_HOST", "mail.example.org")
        .env("QUORATE_MAIL_FROM", "quorate@example.org");
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
