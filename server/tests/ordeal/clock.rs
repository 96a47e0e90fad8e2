//! The clock of the server jumps by hours, and back, while the database's stands: sessions, tickets and the order of the log
//! follow the database, codes from a phone follow the server, and checkpoints go on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use domain::TenantId;
use quorate_verify::checkpoints_in;
use reqwest::Method;
use sqlx::PgConnection;
use tokio::task::block_in_place;

use crate::{
    crowd::{Browser, Clerk, Fate, unix_seconds},
    house::{House, as_login, words},
    jobs::superuser,
    letters::{health, until},
};

const MINUTE: u64 = 60;
const HOUR: i64 = 60 * 60;

/// Debian's libfaketime, which `make test` installs where it may.
fn faketime() -> Option<PathBuf> {
    let libraries = fs::read_dir("/usr/lib").unwrap();
    libraries
        .map(|entry| entry.unwrap().path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
}

/// Enough lines for a checkpoint, and when the last one was signed, by the server.
async fn checkpoint(
    house: &House,
    above: &mut PgConnection,
    school: TenantId,
    clerk: &mut Clerk,
) -> i64 {
    let file = house.data.join(format!("checkpoints/{school}.jsonl"));
    let before = last(&file).map_or(0, |(seq, _)| seq);
    sqlx::query(
        "select sec.append_for($1, null, 'membership.renamed', null, '{}', '{people}', null) from generate_series(1, 1000)",
    )
    .bind(school)
    .execute(above)
    .await
    .unwrap();
    assert_eq!(clerk.change(clerk.journal.len()).await, Fate::Acknowledged);
    until(house, "a checkpoint", async || {
        last(&file).is_some_and(|(seq, _)| seq >= before + 1000)
    })
    .await;
    last(&file).unwrap().1
}

fn last(file: &Path) -> Option<(i64, i64)> {
    let text = fs::read(file).ok()?;
    let lines = quorate_verify::Lines::new("checkpoints", text.as_slice());
    let last = checkpoints_in(lines).unwrap().pop()?;
    Some((last.seq, last.at))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_clock_that_jumps_by_hours_and_back_ends_no_session_and_keeps_none_alive() {
    let Some(library) = faketime() else {
        eprintln!("libfaketime is not installed: the clock is not moved");
        return;
    };
    let house = House::new();
    let offset = house.folder.path().join("offset");
    let jump = |hours: i32| {
        let next = offset.with_extension("next");
        fs::write(&next, format!("{hours:+}h\n")).unwrap();
        fs::rename(&next, &offset).unwrap();
    };
    jump(0);
    let mut command = house.command(&["serve"]);
    // The database is started without this environment, and keeps the time of the machine.
    command
        .env("QUORATE_DEMO", "1")
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", &offset)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let server = block_in_place(|| house.serve_as(command));
    let mut database = as_login(&house.url("backup")).await;
    let mut above = superuser(&house, "quorate_application").await;
    let who = (
        "oakfield",
        "clerk@beacon.example",
        "teacher3@oakfield.example",
    );
    let mut clerk = Clerk::at(&house, &mut database, 0, who).await;
    let mut head = Browser::at(&house, "oakfield")
        .sign_in("head@oakfield.example")
        .await;
    let school: TenantId = sqlx::query_scalar("select id from tenant where label = 'oakfield'")
        .fetch_one(&mut database)
        .await
        .unwrap();

    let codes = [
        (
            6,
            "governor1@oakfield.example",
            "governor2@oakfield.example",
        ),
        (
            -6,
            "governor3@oakfield.example",
            "governor4@oakfield.example",
        ),
    ];
    for (hours, by_server, by_machine) in codes {
        jump(hours);
        let away = |hours: i32| unix_seconds().saturating_add_signed(i64::from(hours) * HOUR);
        // Nobody is put out, and a change is a change.
        assert_eq!(head.get("/people").await.unwrap().status, 200, "{hours}");
        let page = clerk.page();
        assert_eq!(clerk.browser.get(&page).await.unwrap().status, 200);
        // A checkpoint says when by the clock that jumped, and is made all the same.
        let signed = checkpoint(&house, &mut above, school, &mut clerk).await;
        let signed = u64::try_from(signed / 1_000_000).unwrap();
        assert!(signed.abs_diff(away(hours)) < MINUTE, "{hours}: {signed}");
        // A phone whose clock is right for the server opens, and one that is hours off does not.
        let mut governor = Browser::at(&house, "oakfield");
        assert!(!governor.enter(by_machine, away(0)).await, "{hours}");
        let mut governor = Browser::at(&house, "oakfield");
        assert!(governor.enter(by_server, away(hours)).await, "{hours}");
        // A ticket to the other school is good for its minute, once, whatever the clock says.
        let fields = [("act", "tenancy/go"), ("label", "northgate")];
        let went = clerk.browser.post("/schools", &fields).await.unwrap();
        let (_, ticket) = went.location.split_once("/arrive?").unwrap();
        let arrive = format!("/arrive?{ticket}");
        let mut other = Browser::at(&house, "northgate");
        assert_eq!(other.get(&arrive).await.unwrap().location, "/");
        assert_eq!(other.get("/people").await.unwrap().status, 200);
        let mut thief = Browser::at(&house, "northgate");
        assert_eq!(
            thief
                .send(Method::GET, &arrive, &[])
                .await
                .unwrap()
                .location,
            "/sign-in"
        );
        // A session that has run out by the database's clock is over, also where the server's lies hours before that.
        let ended = sqlx::query(
            "update sec.session s set expires_at = now() from account a where a.id = s.account_id and a.email = $1",
        )
        .bind(by_server)
        .execute(&mut above)
        .await
        .unwrap();
        assert_eq!(ended.rows_affected(), 1);
        let page = governor.get("/people").await.unwrap();
        assert_eq!(page.status, 303, "{hours}: {}", page.location);
    }
    jump(0);
    let signed = checkpoint(&house, &mut above, school, &mut clerk).await;
    assert!(
        u64::try_from(signed / 1_000_000)
            .unwrap()
            .abs_diff(unix_seconds())
            < MINUTE
    );
    // One code is good once, also where the clock comes by it again: whoever signed in hours ahead waits, or is helped.
    let mut governor = Browser::at(&house, "oakfield");
    assert!(
        !governor
            .enter("governor1@oakfield.example", unix_seconds())
            .await
    );
    assert_eq!(health(&server)["checkpoints"]["broken"], 0);

    // The log is in the order of its numbers and of the database's time, and leads to every checkpoint.
    let backwards: i64 = sqlx::query_scalar(
        "select count(*) from (select at < lag(at) over (order by seq) as back from event where tenant_id = $1) as e where back",
    )
    .bind(school)
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert_eq!(backwards, 0);
    assert_eq!(clerk.check(&mut database).await, (0, 0));
    assert_eq!(block_in_place(|| server.stop()), Some(0));
    let verified = house.run(&["audit", "verify", "--require-checkpoints"]);
    assert_eq!(verified.status.code(), Some(0), "{}", words(&verified));
}
