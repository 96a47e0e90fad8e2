//! `quorate demo` at the real program: the library that a visitor finds, with what people have said and decided about its papers.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::task::block_in_place;

use crate::{
    crowd::Browser,
    house::{House, as_login, words},
};

/// How many rows there are.
async fn many(backup: &mut PgConnection, rows: &str) -> i64 {
    let sql = format!("select count(*) from {rows}");
    sqlx::query_scalar(AssertSqlSafe(sql.clone()))
        .fetch_one(backup)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn load(house: &House) -> String {
    let mut command = house.command(&["demo"]);
    let loaded = block_in_place(|| command.env("QUORATE_DEMO_PAPERS", "1").output().unwrap());
    assert!(loaded.status.success(), "{}", words(&loaded));
    String::from_utf8(loaded.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_school_has_a_library_with_questions_and_approvals_in_every_state() {
    let house = House::new();
    let said = load(&house);
    let filed = print::paper::all().len();
    assert!(filed >= 25);
    assert!(said.contains(&format!("{filed} papers filed.")), "{said}");
    // At once, when each code of these people has been used: nothing is filed twice, and nobody has to sign in to see that.
    let again = load(&house);
    assert!(again.contains("0 people added."), "{again}");
    assert!(!again.contains("papers filed"), "{again}");

    let server = block_in_place(|| house.serve());
    // It alone sees the rows of every school.
    let url = block_in_place(|| house.url("backup"));
    let mut backup = as_login(&url).await;
    let documents = many(&mut backup, "document where state = 'current'").await;
    assert_eq!(documents, i64::try_from(filed).unwrap());
    let versions: usize = print::paper::all()
        .iter()
        .map(|one| one.versions.len())
        .sum();
    assert_eq!(
        many(&mut backup, "version").await,
        i64::try_from(versions).unwrap()
    );
    let blank = "version v where not exists (select from page p where p.tenant_id = v.tenant_id and p.version_id = v.id)";
    assert_eq!(many(&mut backup, blank).await, 0, "each has been read");
    for state in [
        "open",
        "adopted",
        "rejected",
        "lapsed",
        "stale",
        "withdrawn",
    ] {
        let those = format!("approval where state = '{state}'");
        assert!(many(&mut backup, &those).await > 0, "{state}");
    }
    let outdated =
        "approval a join document d on d.tenant_id = a.tenant_id and d.id = a.document_id
        join version v on v.tenant_id = a.tenant_id and v.id = a.version_id
        where a.state = 'adopted' and v.number < d.newest";
    assert!(
        many(&mut backup, outdated).await > 0,
        "adopted, and a newer version came"
    );
    assert!(many(&mut backup, "question").await >= 8);
    let answered = "question where state = 'answered'";
    assert!(many(&mut backup, answered).await > 0);
    let gone =
        "question_place p join question q on q.tenant_id = p.tenant_id and q.id = p.question_id
        where q.exact is not null and p.page is null";
    assert!(many(&mut backup, gone).await > 0, "a sentence has gone");
    assert!(many(&mut backup, "question_reply").await > 0);
    assert!(many(&mut backup, "note").await > 0);
    let paper: String = sqlx::query_scalar(
        "select d.id::text from document d join question q on q.tenant_id = d.tenant_id and q.document_id = d.id
         join question_place p on p.tenant_id = q.tenant_id and p.question_id = q.id and p.page is null
         join version v on v.tenant_id = p.tenant_id and v.id = p.version_id and v.number = d.newest
         where q.exact is not null limit 1",
    )
    .fetch_one(&mut backup)
    .await
    .unwrap();
    backup.close().await.unwrap();

    // And a governor reads it, with what was asked.
    let mut governor = Browser::at(&house, "oakfield")
        .sign_in("governor5@oakfield.example")
        .await;
    let page = governor.get(&format!("/papers/{paper}")).await.unwrap();
    assert_eq!(page.status, 200);
    assert!(page.text.contains("The sentence has gone"), "{}", page.text);
    assert!(
        !page
            .text
            .contains("Ask at the meeting how often this happens."),
        "a note is nobody else's"
    );
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_server_that_is_its_own_store_the_demo_says_how_the_papers_come() {
    let house = House::new();
    let _server = block_in_place(|| house.serve());
    let said = load(&house);
    assert!(said.contains("No papers were filed"), "{said}");
    assert!(said.contains("QUORATE_DEMO_PAPERS=1"), "{said}");
    let url = block_in_place(|| house.url("backup"));
    let mut backup = as_login(&url).await;
    assert!(
        many(&mut backup, "tenant").await > 0,
        "the schools are there"
    );
    assert_eq!(many(&mut backup, "document").await, 0);
}
