//! The jobs database is away: people notice nothing but that letters are late, and each letter goes once when it is back.

use std::{
    fs,
    time::{Duration, Instant},
};

use cluster::Secrets;
use sqlx::{Executor as _, PgConnection};
use tokio::task::block_in_place;

use crate::{
    crowd::{Browser, Change, Clerk, Fate},
    house::{House, as_login, words},
    letters::{health, until},
};

/// What is promised for a page or a change, on a machine that does nothing else.
const PROMISED: Duration = Duration::from_secs(1);
/// What a busy machine is held to.
const MOST: Duration = Duration::from_secs(5);

/// The one who may do anything, as no part of the server ever is.
pub async fn superuser(house: &House, database: &str) -> PgConnection {
    let secrets = Secrets::read(&house.data).unwrap();
    let password = secrets.get("superuser").unwrap();
    let web = house.url("web");
    let socket = web.split(['@', '/']).nth(3).unwrap();
    as_login(&format!(
        "postgres://postgres:{password}@{socket}/{database}"
    ))
    .await
}

async fn close(house: &House) {
    let mut superuser = superuser(house, "postgres").await;
    run(
        &mut superuser,
        "alter database quorate_jobs allow_connections false",
    )
    .await;
    run(
        &mut superuser,
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'quorate_jobs'",
    )
    .await;
}

async fn open(house: &House) {
    let mut superuser = superuser(house, "postgres").await;
    run(
        &mut superuser,
        "alter database quorate_jobs allow_connections true",
    )
    .await;
}

async fn run(connection: &mut PgConnection, statement: &'static str) {
    connection.execute(sqlx::raw_sql(statement)).await.unwrap();
}

/// Whom the letters in the folder went to; those that are being written have a dot in front.
fn letters(house: &House) -> Vec<String> {
    let entries = fs::read_dir(house.data.join("mail")).unwrap();
    let whole = entries.map(|entry| entry.unwrap().path());
    whole
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".eml") && !name.starts_with('.')
        })
        .map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let to = text.lines().find(|line| line.starts_with("To: "));
            to.unwrap().to_owned()
        })
        .collect()
}

/// Changes and pages one after another; the slowest of them.
async fn work(clerk: &mut Clerk, times: usize) -> Duration {
    let page = clerk.page();
    let mut slowest = Duration::ZERO;
    for _ in 0..times {
        let started = Instant::now();
        assert_eq!(clerk.change(clerk.journal.len()).await, Fate::Acknowledged);
        slowest = slowest.max(started.elapsed());
        let started = Instant::now();
        assert_eq!(clerk.browser.get(&page).await.unwrap().status, 200);
        slowest = slowest.max(started.elapsed());
    }
    slowest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_jobs_database_people_go_on_and_each_letter_goes_once_when_it_is_back() {
    let house = House::new();
    let server = block_in_place(|| house.serve_with(&[("QUORATE_DEMO", "1")]));
    let behind = house.url("backup");
    let mut database = as_login(&behind).await;
    let who = (
        "oakfield",
        "clerk@oakfield.example",
        "teacher3@oakfield.example",
    );
    let mut clerk = Clerk::at(&house, &mut database, 0, who).await;
    work(&mut clerk, 3).await;
    until(
        &house,
        "the first letter and the end of its job",
        async || letters(&house).len() == 1 && health(&server)["mail"]["waiting"] == 0,
    )
    .await;

    close(&house).await;
    let mut slowest = work(&mut clerk, 12).await;
    until(&house, "the telling", async || {
        let report = health(&server);
        report["databases"]["jobs"] == false && report["well"] == true
    })
    .await;
    slowest = slowest.max(work(&mut clerk, 4).await);
    let told = |words: &str| house.log().matches(words).count();
    let away = "the jobs database does not answer";
    assert_eq!((told(away), letters(&house).len()), (1, 1));

    // The server ends and starts without it.
    assert_eq!(block_in_place(|| server.stop()), Some(0));
    let server = block_in_place(|| house.serve_with(&[("QUORATE_DEMO", "1")]));
    let mut reader = Browser::at(&house, "oakfield");
    assert_eq!(reader.get("/sign-in").await.unwrap().status, 200);
    slowest = slowest.max(work(&mut clerk, 8).await);
    println!(
        "without the jobs database the slowest page or change took {slowest:.1?} of {PROMISED:?}"
    );
    assert!(slowest < MOST);
    let report = health(&server);
    assert_eq!(
        (&report["databases"]["jobs"], &report["well"]),
        (&false.into(), &true.into())
    );
    assert_eq!(letters(&house).len(), 1);

    // What every start puts right is put right later: here a login that would be refused.
    let mut superuser = superuser(&house, "postgres").await;
    run(&mut superuser, "alter role quorate_jobs superuser").await;
    open(&house).await;
    let invited = clerk.journal.iter().filter_map(|(change, _)| match change {
        Change::Invite(email) => Some(email.clone()),
        _ => None,
    });
    let invited: Vec<String> = invited.collect();
    assert!(invited.len() > 5);
    let took = until(&house, "the letters that waited", async || {
        letters(&house).len() >= invited.len()
    })
    .await;
    println!(
        "{} letters have left {took:.1?} after it was back",
        invited.len() - 1
    );
    until(&house, "that nothing waits", async || {
        let report = health(&server);
        report["databases"]["jobs"] == true && report["mail"]["waiting"] == 0
    })
    .await;
    until(&house, "the rest of the start", async || {
        sqlx::query_scalar("select not rolsuper from pg_roles where rolname = 'quorate_jobs'")
            .fetch_one(&mut superuser)
            .await
            .unwrap()
    })
    .await;
    // Whoever looks at the log again finds nothing to add.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let letters = letters(&house);
    assert_eq!(letters.len(), invited.len(), "{letters:?}");
    for email in &invited {
        let to = letters.iter().filter(|to| to.contains(email)).count();
        assert_eq!(to, 1, "{email}");
    }
    let mut database = as_login(&behind).await;
    assert_eq!(clerk.check(&mut database).await, (0, 0));
    let verified = block_in_place(|| house.run(&["audit", "verify"]));
    assert_eq!(verified.status.code(), Some(0), "{}", words(&verified));
    assert_eq!(told("the jobs database is back"), 1, "{}", house.log());
    assert_eq!(block_in_place(|| server.stop()), Some(0));
}
