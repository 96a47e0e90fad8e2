//! Who reads which page is told to others who read the paper, and kept nowhere.

use std::time::Duration;

use domain::live::Topic;
use serde_json::json;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::task::block_in_place;
use uuid::Uuid;

use crate::{
    client::Client,
    crowd::Browser,
    folder,
    house::{House, as_login},
};

/// A page that nothing else here has as its number: above any port, below what a paper may have.
const PAGE: u32 = 73_421;

/// It standing by itself, for PostgreSQL. As a part of a longer number it is in a key or in a microsecond by chance, once
/// in a few runs.
fn page_alone() -> String {
    format!("(^|[^0-9a-zA-Z.]){PAGE}([^0-9a-zA-Z]|$)")
}

/// The same, in what was logged.
fn names_the_page(log: &str) -> bool {
    let page = PAGE.to_string();
    log.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.')
        .any(|word| word.trim_end_matches('.') == page)
}

/// Rows of all tables of a database in which something stands that a regular expression finds.
async fn rows_with(house: &House, database: &str, sought: &str) -> Vec<String> {
    let secrets = cluster::Secrets::read(&house.data).unwrap();
    let password = secrets.get("superuser").unwrap();
    let web = house.url("web");
    let socket = web.split(['@', '/']).nth(3).unwrap();
    let mut above = as_login(&format!(
        "postgres://postgres:{password}@{socket}/{database}"
    ))
    .await;
    let tables = sqlx::query(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&mut above)
    .await
    .unwrap();
    let mut found = Vec::new();
    for table in tables {
        let table: String = table.get(0);
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
            "select count(*) from {table} t where t::text ~ $1"
        )))
        .bind(sought)
        .fetch_one(&mut above)
        .await
        .unwrap();
        if count > 0 {
            found.push(format!("{database}: {table}"));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn which_page_somebody_reads_is_in_no_table_and_in_no_line_of_the_log() {
    let house = House::new();
    let loud = ("QUORATE_LOG", "debug,server=trace,app=trace,domain=trace");
    let server = block_in_place(|| house.serve_with(&[("QUORATE_DEMO", "1"), loud]));
    let mut clerk = Browser::at(&house, "oakfield")
        .sign_in("clerk@oakfield.example")
        .await;
    let folder = folder(&mut clerk, "Policies").await;
    let document = clerk
        .file(&folder, "Behaviour policy", "policy.txt", "Kindness first.")
        .await;
    let id = Uuid::try_parse(document.rsplit('/').next().unwrap()).unwrap();
    let mut governor = Browser::at(&house, "oakfield")
        .sign_in("governor1@oakfield.example")
        .await;

    let address = ([127, 0, 0, 1], house.port).into();
    let kept = governor.headers();
    let headers: Vec<_> = kept
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut page = Client::connect(address, &headers).await.unwrap();
    page.greeted().await;
    page.say(json!({ "subscribe": [Topic::Readers(id).name()], "reading": { "paper": id, "page": PAGE } }))
        .await;
    page.words().await;
    // The clerk sees it, so it has arrived; and the negative below could fail.
    let readers = format!("/api/papers/readers?paper={id}");
    let seen = clerk.get(&readers).await.unwrap();
    assert!(seen.text.contains(&format!("page {PAGE}")), "{}", seen.text);
    let own = governor.get(&readers).await.unwrap();
    assert!(!own.text.contains("page"), "not oneself: {}", own.text);
    assert!(
        !rows_with(&house, "quorate_application", "Kindness first[.]")
            .await
            .is_empty()
    );
    assert!(house.log().len() > 1_000, "nothing was logged at all");

    drop(page);
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(
        !clerk.get(&readers).await.unwrap().text.contains("page"),
        "gone with its connection"
    );
    for database in [
        "quorate_application",
        "quorate_cache",
        "quorate_jobs",
        "quorate_live",
    ] {
        let found = rows_with(&house, database, &page_alone()).await;
        assert_eq!(found, [] as [String; 0]);
    }
    assert_eq!(block_in_place(|| server.stop()), Some(0));
    for written in ["page=73421 ", "page: Some(73421)", r#"{"page":73421}"#] {
        assert!(names_the_page(written), "it would be found as {written}");
    }
    for name in ["err", "out"] {
        let log = std::fs::read_to_string(house.folder.path().join(name)).unwrap();
        assert!(!names_the_page(&log), "{name}");
    }
}
