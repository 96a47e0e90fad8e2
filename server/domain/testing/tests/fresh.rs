//! The harness itself: databases are fresh, apart from each other, and entered as the logins that serve.

#![allow(clippy::unwrap_used)]

use sqlx::{ConnectOptions as _, Connection as _};
use testing::{Database, Fresh, Role};

#[tokio::test]
async fn two_tests_have_two_databases_and_neither_sees_the_other() {
    let (one, other) = (Fresh::demo().await, Fresh::empty().await);
    let count = "select count(*) from membership";
    let mut here = one.superuser(Database::Application).await;
    let mut there = other.superuser(Database::Application).await;
    let people: i64 = sqlx::query_scalar(count)
        .fetch_one(&mut here)
        .await
        .unwrap();
    let nobody: i64 = sqlx::query_scalar(count)
        .fetch_one(&mut there)
        .await
        .unwrap();
    assert!(people > 40, "{people}");
    assert_eq!(nobody, 0);
}

#[tokio::test]
async fn a_login_enters_its_own_database_only() {
    let fresh = Fresh::empty()
        .await
        .with(Database::Cache)
        .await
        .with(Database::Jobs)
        .await
        .with(Database::Live)
        .await;
    for role in Role::ALL {
        for database in Database::ALL {
            let wanted = role == Role::Migrator || role.database() == database;
            let entered =
                testing::may_connect(fresh.options(role).database(fresh.name(database))).await;
            assert_eq!(entered, wanted, "{} in {}", role.name(), database.name());
        }
    }
}

#[tokio::test]
async fn the_web_login_sees_nobody_without_a_seal() {
    let fresh = Fresh::demo().await;
    let mut web = fresh.options(Role::Web).connect().await.unwrap();
    let (login, people): (String, i64) =
        sqlx::query_as("select current_user::text, count(*) from membership")
            .fetch_one(&mut web)
            .await
            .unwrap();
    assert_eq!((login.as_str(), people), ("quorate_web", 0));
    web.close().await.unwrap();
}
