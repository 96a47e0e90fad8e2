//! Two processes of the real binary on the same databases, with NATS between them: what is done at one is seen at the other, whoever is
//! sent away at one hears nothing more at the other, and neither the death of the bus nor that of a process costs anybody a change.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests read where PostgreSQL is from the environment they were started in"
)]

#[path = "../client/mod.rs"]
#[allow(dead_code, reason = "each test uses its own part")]
mod client;
#[path = "../ordeal/crowd.rs"]
#[allow(dead_code, reason = "each test uses its own part")]
mod crowd;
#[path = "../house/mod.rs"]
mod house;
mod nats;
mod readers;
mod rings;
mod school;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use house::House;
use nats::Nats;
use school::{School, bus_is, newest, said};
use serde_json::json;

const DOWN: &str = "the bus between nodes is down";
const UP: &str = "the bus between nodes is up";
/// What is promised of a change without the bus is 1.5 s, on a machine that does nothing else.
const WITHOUT: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_done_at_one_process_is_on_the_pages_of_the_other() {
    let Some(mut nats) = Nats::at_rest() else {
        return;
    };
    nats.start().await;
    let mut school = School::new().await;
    let (one, two) = (House::new(), House::new());
    let (at_one, at_two) = (school.serve(&one, &nats), school.serve(&two, &nats));
    bus_is(&[&at_one, &at_two], true).await;
    let clerk = school.person("clerk@oakfield.example").await;
    let sian = school.person("governor2@oakfield.example").await;
    let imran = school.person("teacher1@oakfield.example").await;
    // One cookie, two processes.
    for house in [&one, &two] {
        assert_eq!(sian.at(house).get("/people").await.unwrap().status, 200);
    }
    let mut pages = [
        sian.watches(&one, &["people"]).await.unwrap(),
        sian.watches(&two, &["people"]).await.unwrap(),
    ];
    let mut slowest = Duration::ZERO;
    for round in 0..12 {
        let at = [&one, &two][round % 2];
        let start = Instant::now();
        clerk.changes(at, &imran, round % 2 == 0).await;
        let seq = school.head().await;
        for page in &mut pages {
            assert_eq!(
                page.words().await,
                json!({ "changed": ["people"], "seq": seq })
            );
        }
        slowest = slowest.max(start.elapsed());
    }
    println!("from the click to the other process's page: {slowest:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");

    // Signing out at one ends the pages of that session at the other, and the session.
    let out = sian
        .at(&one)
        .post("/api/session/sign-out", &[])
        .await
        .unwrap();
    assert!(out.status < 400, "{}: {}", out.status, out.text);
    for mut page in pages {
        assert_eq!(page.end().await, (vec![], Some(4401)));
    }
    let refused = sian.at(&two).get("/people").await.unwrap();
    assert_eq!(
        (refused.status, refused.location.as_str()),
        (303, "/sign-in?next=/people")
    );
}

/// While others change things at both processes without a pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_is_sent_away_at_one_process_reads_nothing_later_at_the_other() {
    const ROUNDS: usize = 10;
    let Some(mut nats) = Nats::at_rest() else {
        return;
    };
    nats.start().await;
    let mut school = School::new().await;
    let (one, two) = (House::new(), House::new());
    let (at_one, at_two) = (school.serve(&one, &nats), school.serve(&two, &nats));
    bus_is(&[&at_one, &at_two], true).await;
    let clerk = school.person("clerk@oakfield.example").await;
    let dilip = school.person("governor1@oakfield.example").await;
    let mut witness = clerk.watches(&two, &["people"]).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut busy = Vec::new();
    for (house, who) in [(&one, "teacher1"), (&two, "teacher2")] {
        let browser = clerk.at(house);
        let about = school
            .behind
            .membership("oakfield", &format!("{who}@oakfield.example"))
            .await
            .to_string();
        let stop = stop.clone();
        busy.push(tokio::spawn(async move {
            let mut browser = browser;
            let mut changes = 0;
            while !stop.load(Ordering::Relaxed) {
                let act = ["people/give-role", "people/drop-role"][changes % 2];
                let fields = [("act", act), ("id", about.as_str()), ("role", "parent")];
                let path = format!("/people/{about}/roles");
                assert_eq!(browser.post(&path, &fields).await.unwrap().status, 303);
                changes += 1;
            }
            changes
        }));
    }
    let (mut slowest, mut heard) = (Duration::ZERO, 0);
    for round in 0..ROUNDS {
        let his = school.person("governor1@oakfield.example").await;
        let mut page = his.watches(&two, &["people"]).await.unwrap();
        // He hears what goes on, at different moments of it.
        heard += page.seqs(round % 3 + 1).await.len();
        let reading = tokio::spawn(async move {
            let ended = page.end().await;
            (ended, Instant::now())
        });
        let last = round + 1 == ROUNDS;
        let act = if last { "remove" } else { "suspend" };
        clerk.does(&one, &format!("people/{act}"), &dilip).await;
        let answered = Instant::now();
        let ((frames, code), ended) = reading.await.unwrap();
        slowest = slowest.max(ended.saturating_duration_since(answered));
        let told = if last {
            "membership.removed"
        } else {
            "membership.suspended"
        };
        let sent_away = school.last(told, &dilip).await;
        assert_eq!(code, Some(4403), "after {frames:?}");
        assert!(
            newest(&frames).is_none_or(|seq| seq < sent_away),
            "sent away at {sent_away}, and read {frames:?}"
        );
        let refused = his.at(&two).get("/people").await.unwrap();
        assert_eq!(refused.status, 303, "round {round}");
        assert_eq!(his.watches(&two, &["people"]).await.err(), Some(401));
        if !last {
            clerk.does(&one, "people/restore", &dilip).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for busy in busy {
        assert!(busy.await.unwrap() > ROUNDS, "there was nothing to hear");
    }
    println!("slowest close after the answer: {slowest:?}; {heard} heard before");
    assert!(slowest < WITHOUT, "{slowest:?}");
    // Those who stay miss nothing.
    let all = school.changes_since(witness.seq).await;
    assert_eq!(witness.seqs(all.len()).await, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_bus_both_go_on_and_with_it_they_go_on_as_before() {
    let Some(mut nats) = Nats::at_rest() else {
        return;
    };
    let mut school = School::new().await;
    // It is not there when they start.
    let (one, two) = (House::new(), House::new());
    let (at_one, at_two) = (school.serve(&one, &nats), school.serve(&two, &nats));
    bus_is(&[&at_one, &at_two], false).await;
    let clerk = school.person("clerk@oakfield.example").await;
    let sian = school.person("governor2@oakfield.example").await;
    let imran = school.person("teacher1@oakfield.example").await;
    let mut pages = [
        sian.watches(&one, &["people"]).await.unwrap(),
        sian.watches(&two, &["people"]).await.unwrap(),
    ];
    let since = pages[0].seq;
    assert_eq!(pages[1].seq, since);
    let mut heard = [Vec::new(), Vec::new()];
    let mut gives = true;
    for stage in ["never there", "there", "killed", "gone", "back"] {
        match stage {
            "there" | "back" => {
                nats.start().await;
                bus_is(&[&at_one, &at_two], true).await;
            }
            "killed" => nats.kill(),
            "gone" => bus_is(&[&at_one, &at_two], false).await,
            _ => {}
        }
        for _ in 0..4 {
            let start = Instant::now();
            clerk.changes(&one, &imran, gives).await;
            gives = !gives;
            for (page, heard) in pages.iter_mut().zip(&mut heard) {
                heard.extend(page.seqs(1).await);
            }
            let took = start.elapsed();
            assert!(took < WITHOUT, "{stage}: {took:?}");
        }
        println!("{stage}: done");
    }
    // Somebody is sent away while it is gone, and it is the log that says so.
    nats.kill();
    bus_is(&[&at_one, &at_two], false).await;
    let dilip = school.person("governor1@oakfield.example").await;
    let mut his = dilip.watches(&two, &["people"]).await.unwrap();
    let start = Instant::now();
    clerk.does(&one, "people/suspend", &dilip).await;
    assert_eq!(his.end().await, (vec![], Some(4403)));
    assert!(start.elapsed() < WITHOUT, "{:?}", start.elapsed());

    for (page, mut heard) in pages.iter_mut().zip(heard) {
        heard.extend(page.seqs(1).await);
        // Each once, in order, and none left out.
        assert_eq!(heard, school.changes_since(since).await);
    }
    for house in [&one, &two] {
        assert_eq!(
            (said(house, DOWN), said(house, UP)),
            (3, 2),
            "{}",
            house.log()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_pages_of_a_killed_process_come_back_to_the_other_and_miss_nothing() {
    let Some(mut nats) = Nats::at_rest() else {
        return;
    };
    nats.start().await;
    let mut school = School::new().await;
    let (one, two) = (House::new(), House::new());
    let (at_one, at_two) = (school.serve(&one, &nats), school.serve(&two, &nats));
    bus_is(&[&at_one, &at_two], true).await;
    let clerk = school.person("clerk@oakfield.example").await;
    let sian = school.person("governor2@oakfield.example").await;
    let imran = school.person("teacher1@oakfield.example").await;
    let mut page = sian.watches(&one, &["people", "library"]).await.unwrap();
    clerk.changes(&one, &imran, true).await;
    let heard = page.seqs(1).await[0];
    at_one.kill();
    assert!(page.breaks().await, "nobody says goodbye");
    for gives in [false, true, false] {
        clerk.changes(&two, &imran, gives).await;
    }
    let head = school.head().await;
    assert_eq!(school.changes_since(heard).await.len(), 3);

    // With what it heard last, as the browser's own client comes back.
    let mut again = sian.watches(&two, &["me"]).await.unwrap();
    assert_eq!(again.epoch, page.epoch, "one history");
    let said = json!({ "subscribe": ["people", "library"], "since": heard, "epoch": page.epoch });
    again.client.say(said).await;
    assert_eq!(
        again.words().await,
        json!({ "changed": ["people"], "seq": head, "since": heard }),
        "what changed meanwhile, and not what did not"
    );
    clerk.changes(&two, &imran, true).await;
    let next = again.seqs(1).await;
    assert_eq!(next, school.changes_since(head).await);
    bus_is(&[&at_two], true).await;
    // And another process takes the place of the one that died.
    let _at_one = school.serve(&one, &nats);
    let mut third = sian.watches(&one, &["people"]).await.unwrap();
    clerk.changes(&two, &imran, false).await;
    assert_eq!(third.seqs(1).await, again.seqs(1).await);
}
