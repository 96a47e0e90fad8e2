//! The hub against a log in memory: order, merging, slowness, kicks, and reconnects without a gap.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, atomic::AtomicBool},
    task::{Context, Poll},
    time::Duration,
};

use domain::{
    Seq, TenantId,
    live::{CLOSE_REMOVED, CLOSE_SIGNED_OUT, Event, Kick, reading_key},
};
use futures::task::noop_waker_ref;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    Ask, Hub, PAGES_MOST, Past, Presence, RING, TOPICS_MOST, Watched,
    frame::Frame,
    seat::{End, Next, Seat},
};

const OAKFIELD: Uuid = Uuid::from_u128(0x0a);
const NORTHGATE: Uuid = Uuid::from_u128(0x0b);
const MARGARET: Uuid = Uuid::from_u128(1);
const DILIP: Uuid = Uuid::from_u128(2);
const EPOCH: Uuid = Uuid::from_u128(99);

fn changed(seq: Seq, keys: &[&str]) -> Event {
    Event {
        seq,
        topics: keys.iter().map(|&key| key.to_owned()).collect(),
        closes: None,
    }
}

fn removes(seq: Seq, account: Uuid) -> Event {
    Event {
        closes: Some(Kick {
            accounts: vec![account],
            sessions: vec![],
            code: CLOSE_REMOVED,
        }),
        ..changed(seq, &["people", &format!("me/{account}")])
    }
}

fn keys(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|&key| key.to_owned()).collect()
}

/// A hub that follows these tenants from their beginning.
fn hub(tenants: &[TenantId]) -> Hub {
    let hub = Hub::default();
    hub.set_epoch(EPOCH, Instant::now());
    for &tenant in tenants {
        hub.with(tenant, Instant::now(), |_| {});
        hub.start(tenant, 0, &[]);
    }
    hub
}

fn arrive(hub: &Hub, tenant: TenantId, account: Uuid, session: u128) -> Arc<Seat> {
    arrive_known(hub, tenant, account, session, 0)
}

/// Somebody who was looked up when the log stood there.
fn arrive_known(
    hub: &Hub,
    tenant: TenantId,
    account: Uuid,
    session: u128,
    known: Seq,
) -> Arc<Seat> {
    let seat = hub
        .join(
            tenant,
            account,
            Uuid::from_u128(session),
            known,
            Instant::now(),
        )
        .unwrap();
    hub.admit(hub.arrivals(), &HashSet::new(), Instant::now());
    seat
}

fn watch(hub: &Hub, seat: &Arc<Seat>, names: &[&str]) {
    let ask = Ask {
        keys: &keys(names),
        since: None,
        epoch: None,
    };
    assert_eq!(
        hub.watch(seat, ask, &Past::Unasked, Instant::now()),
        Watched::Now(vec![])
    );
}

/// Takes what is queued without saying that it has left.
fn take(seat: &Seat) -> Result<Vec<String>, End> {
    let mut batch = VecDeque::new();
    match seat.poll_next(&mut Context::from_waker(noop_waker_ref()), &mut batch) {
        Poll::Pending => Ok(vec![]),
        Poll::Ready(Next::End(end)) => Err(end),
        Poll::Ready(Next::Send { .. }) => Ok(batch
            .iter()
            .flat_map(|frame| &frame.texts)
            .map(ToString::to_string)
            .collect()),
    }
}

/// What the client reads.
fn reads(seat: &Seat) -> Result<Vec<Value>, End> {
    let texts = take(seat)?;
    seat.flushed(Instant::now());
    Ok(texts
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect())
}

#[test]
fn margaret_hears_of_oakfield_in_order_and_northgate_hears_nothing() {
    let hub = hub(&[OAKFIELD, NORTHGATE]);
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    let outsider = arrive(&hub, NORTHGATE, DILIP, 2);
    watch(&hub, &margaret, &["people", &format!("me/{MARGARET}")]);
    watch(&hub, &outsider, &["people"]);
    assert_eq!(
        reads(&outsider).unwrap(),
        [json!({ "hello": { "seq": 0, "epoch": EPOCH } })]
    );
    reads(&margaret).unwrap();

    let me = format!("me/{MARGARET}");
    hub.deliver(
        OAKFIELD,
        &[
            changed(1, &["people"]),
            changed(2, &["settings"]),
            changed(3, &["people", &me]),
            changed(4, &["people", "me/other"]),
        ],
        Instant::now(),
    );
    assert_eq!(
        reads(&margaret).unwrap(),
        [
            json!({ "changed": ["people"], "seq": 1 }),
            json!({ "changed": ["people", "me"], "seq": 3 }),
            json!({ "changed": ["people"], "seq": 4 }),
        ]
    );
    assert_eq!(reads(&outsider).unwrap(), [] as [Value; 0]);
    hub.deliver(NORTHGATE, &[changed(1, &["people"])], Instant::now());
    assert_eq!(
        reads(&outsider).unwrap().len(),
        1,
        "the outsider does listen"
    );

    hub.unwatch(&margaret, &keys(&["people"]));
    hub.deliver(
        OAKFIELD,
        &[changed(5, &["people"]), changed(6, &["people", &me])],
        Instant::now(),
    );
    assert_eq!(
        reads(&margaret).unwrap(),
        [json!({ "changed": ["me"], "seq": 6 })]
    );
}

#[test]
fn an_event_told_twice_is_heard_once() {
    let hub = hub(&[OAKFIELD]);
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    watch(&hub, &margaret, &["people"]);
    reads(&margaret).unwrap();
    hub.deliver(OAKFIELD, &[changed(1, &["people"])], Instant::now());
    hub.deliver(
        OAKFIELD,
        &[changed(1, &["people"]), changed(2, &["people"])],
        Instant::now(),
    );
    assert_eq!(reads(&margaret).unwrap().len(), 2);
}

#[test]
fn a_gap_in_the_log_makes_everybody_fetch_anew() {
    let hub = hub(&[OAKFIELD]);
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    watch(&hub, &margaret, &["settings"]);
    reads(&margaret).unwrap();
    hub.deliver(OAKFIELD, &[changed(7, &["people"])], Instant::now());
    assert_eq!(reads(&margaret).unwrap(), [json!({ "resync": true })]);
    assert_eq!(hub.cursors(), [(OAKFIELD, 7)]);
}

#[test]
fn those_who_watch_the_same_share_one_frame() {
    let hub = hub(&[OAKFIELD]);
    let seats: Vec<_> = (1..=3)
        .map(|n| arrive(&hub, OAKFIELD, Uuid::from_u128(n), n))
        .collect();
    for seat in &seats {
        watch(&hub, seat, &["people"]);
        reads(seat).unwrap();
    }
    hub.deliver(OAKFIELD, &[changed(1, &["people"])], Instant::now());
    let frames: Vec<_> = seats
        .iter()
        .map(|seat| {
            let mut batch = VecDeque::new();
            assert!(
                seat.poll_next(&mut Context::from_waker(noop_waker_ref()), &mut batch)
                    .is_ready()
            );
            batch.pop_front().unwrap()
        })
        .collect();
    assert!(Arc::ptr_eq(&frames[0], &frames[1]) && Arc::ptr_eq(&frames[1], &frames[2]));
}

#[test]
fn what_waits_too_long_is_merged_by_topic_and_ends_at_the_latest_seq() {
    let hub = hub(&[OAKFIELD]);
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    watch(&hub, &margaret, &["people", "settings"]);
    let events: Vec<_> = (1..=5_000)
        .map(|seq| changed(seq, &[["people", "settings"][usize::from(seq % 2 == 0)]]))
        .collect();
    hub.deliver(OAKFIELD, &events, Instant::now());
    let frames = reads(&margaret).unwrap();
    assert!(frames[0]["hello"].is_object(), "hello is never merged away");
    assert!(frames.len() < 2_500, "{} frames", frames.len());
    assert_eq!(frames[1]["changed"], json!(["people", "settings"]));
    assert_eq!(frames.last().unwrap()["seq"], 5_000);
    let seqs: Vec<_> = frames[1..]
        .iter()
        .map(|frame| frame["seq"].as_i64().unwrap())
        .collect();
    assert!(seqs.is_sorted());
}

#[test]
fn a_client_that_reads_nothing_is_closed_after_256_kib() {
    let hub = hub(&[OAKFIELD]);
    let (slow, quick) = (
        arrive(&hub, OAKFIELD, MARGARET, 1),
        arrive(&hub, OAKFIELD, DILIP, 2),
    );
    watch(&hub, &slow, &["people"]);
    watch(&hub, &quick, &["people"]);
    take(&slow).unwrap();
    let mut seq = 0;
    while !slow.is_over() {
        seq += 1;
        hub.deliver(OAKFIELD, &[changed(seq, &["people"])], Instant::now());
        reads(&quick).unwrap();
        assert!(seq < 20_000);
    }
    assert_eq!(take(&slow), Err(End::TOO_SLOW));
    assert!(seq * 30 > 128 * 1024, "closed after {seq} frames already");
}

#[test]
fn a_client_that_reads_slowly_stays() {
    let hub = hub(&[OAKFIELD]);
    let slow = arrive(&hub, OAKFIELD, MARGARET, 1);
    watch(&hub, &slow, &["people"]);
    for round in 0..400 {
        take(&slow).unwrap();
        let events: Vec<_> = (1..=50)
            .map(|n| changed(round * 50 + n, &["people"]))
            .collect();
        hub.deliver(OAKFIELD, &events, Instant::now());
        slow.flushed(Instant::now());
    }
    assert!(!slow.is_over());
}

#[test]
fn a_socket_that_has_ended_is_deaf() {
    let hub = hub(&[OAKFIELD]);
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    margaret.end(End::TOO_SLOW);
    let frame = Arc::new(Frame::beat(1));
    margaret.push(frame.clone(), Instant::now());
    margaret.beat(frame.clone(), Instant::now());
    assert_eq!(Arc::strong_count(&frame), 1, "kept nowhere");
    margaret.end(End::RESTART);
    assert_eq!(
        take(&margaret),
        Err(End::TOO_SLOW),
        "the first reason counts"
    );
}

#[test]
fn a_client_that_reads_nothing_is_closed_after_ten_seconds_and_a_silent_one_after_a_minute() {
    let hub = hub(&[OAKFIELD]);
    let (slow, silent, alive) = (
        arrive(&hub, OAKFIELD, MARGARET, 1),
        arrive(&hub, OAKFIELD, DILIP, 2),
        arrive(&hub, OAKFIELD, DILIP, 3),
    );
    reads(&silent).unwrap();
    reads(&alive).unwrap();
    let start = Instant::now();
    hub.sweep(start + Duration::from_secs(9));
    assert!(!slow.is_over());
    hub.sweep(start + Duration::from_secs(11));
    assert_eq!(take(&slow), Err(End::TOO_SLOW));

    hub.sweep(start + Duration::from_secs(26));
    let beat = json!({ "beat": { "seq": 0 } });
    assert_eq!(reads(&silent).unwrap(), std::slice::from_ref(&beat));
    assert_eq!(reads(&alive).unwrap(), [beat]);
    alive.heard(start + Duration::from_secs(27));
    hub.sweep(start + Duration::from_secs(61));
    assert_eq!(take(&silent), Err(End::SILENT));
    assert!(!alive.is_over());
}

#[test]
fn a_removal_ends_the_removed_persons_pages_in_its_place_and_nobody_elses() {
    let hub = hub(&[OAKFIELD, NORTHGATE]);
    let pages = [
        arrive(&hub, OAKFIELD, MARGARET, 1),
        arrive(&hub, OAKFIELD, MARGARET, 2),
    ];
    let (elsewhere, dilip) = (
        arrive(&hub, NORTHGATE, MARGARET, 3),
        arrive(&hub, OAKFIELD, DILIP, 4),
    );
    for seat in pages.iter().chain([&dilip]) {
        watch(&hub, seat, &["people"]);
        reads(seat).unwrap();
    }
    hub.deliver(
        OAKFIELD,
        &[
            changed(1, &["people"]),
            removes(2, MARGARET),
            changed(3, &["people"]),
        ],
        Instant::now(),
    );
    for page in &pages {
        assert_eq!(
            take(page),
            Err(End {
                code: 4403,
                why: "place changed"
            }),
            "the queue is emptied too"
        );
    }
    assert_eq!(reads(&dilip).unwrap().len(), 3);
    assert!(!elsewhere.is_over(), "her place at Northgate is untouched");
    assert_eq!(hub.here(OAKFIELD), [DILIP]);
}

#[test]
fn signing_out_ends_the_other_pages_of_that_session_only() {
    let hub = hub(&[OAKFIELD]);
    let (laptop, second_tab, phone) = (
        arrive(&hub, OAKFIELD, MARGARET, 1),
        arrive(&hub, OAKFIELD, MARGARET, 1),
        arrive(&hub, OAKFIELD, MARGARET, 2),
    );
    let kick = Kick {
        accounts: vec![],
        sessions: vec![Uuid::from_u128(1)],
        code: CLOSE_SIGNED_OUT,
    };
    hub.deliver(
        OAKFIELD,
        &[Event {
            seq: 1,
            topics: vec![],
            closes: Some(kick),
        }],
        Instant::now(),
    );
    assert_eq!(take(&laptop), Err(End::SIGNED_OUT));
    assert_eq!(take(&second_tab), Err(End::SIGNED_OUT));
    assert!(!phone.is_over());
    assert_eq!(hub.here(OAKFIELD), [MARGARET]);

    hub.end_sessions(&HashSet::from([Uuid::from_u128(2)]));
    assert_eq!(take(&phone), Err(End::SIGNED_OUT));
}

#[test]
fn a_session_that_died_before_the_hello_hears_nothing() {
    let hub = hub(&[OAKFIELD]);
    let seat = hub
        .join(OAKFIELD, MARGARET, Uuid::from_u128(1), 0, Instant::now())
        .unwrap();
    assert_eq!(
        take(&seat),
        Ok(vec![]),
        "nothing is said before the session was looked up again"
    );
    let ask = Ask {
        keys: &keys(&["people"]),
        since: None,
        epoch: None,
    };
    assert_eq!(
        hub.watch(&seat, ask, &Past::Unasked, Instant::now()),
        Watched::Over
    );
    hub.admit(
        hub.arrivals(),
        &HashSet::from([Uuid::from_u128(1)]),
        Instant::now(),
    );
    assert_eq!(take(&seat), Err(End::SIGNED_OUT));
}

#[test]
fn what_ended_pages_before_a_tenant_was_followed_does_not_end_new_ones() {
    let hub = Hub::default();
    hub.set_epoch(EPOCH, Instant::now());
    let seat = hub
        .join(OAKFIELD, MARGARET, Uuid::from_u128(1), 0, Instant::now())
        .unwrap();
    hub.admit(hub.arrivals(), &HashSet::new(), Instant::now());
    assert_eq!(take(&seat), Ok(vec![]), "no hello before the log was read");
    assert_eq!(hub.unread(), [OAKFIELD]);
    hub.start(
        OAKFIELD,
        40,
        &[removes(41, MARGARET), changed(42, &["people"])],
    );
    hub.admit(hub.arrivals(), &HashSet::new(), Instant::now());
    assert_eq!(
        reads(&seat).unwrap(),
        [json!({ "hello": { "seq": 42, "epoch": EPOCH } })]
    );
    let ask = Ask {
        keys: &keys(&["people"]),
        since: Some(41),
        epoch: Some(EPOCH),
    };
    assert_eq!(
        hub.watch(&seat, ask, &Past::Unasked, Instant::now()),
        Watched::Now(vec![])
    );
    assert_eq!(
        reads(&seat).unwrap(),
        [json!({ "changed": ["people"], "seq": 42, "since": 41 })]
    );
}

#[test]
fn a_subscription_hears_of_everything_since_its_hello() {
    let hub = hub(&[OAKFIELD]);
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    hub.deliver(
        OAKFIELD,
        &[changed(1, &["people"]), changed(2, &["settings"])],
        Instant::now(),
    );
    watch(&hub, &margaret, &["people"]);
    assert_eq!(
        reads(&margaret).unwrap()[1..],
        [json!({ "changed": ["people"], "seq": 2 })]
    );
    watch(&hub, &margaret, &["me/x"]);
    assert_eq!(
        reads(&margaret).unwrap(),
        [] as [Value; 0],
        "nothing was missed, nothing is said"
    );
}

#[test]
fn a_reconnect_is_told_from_the_ring_else_from_the_log_else_to_fetch_anew() {
    let hub = hub(&[OAKFIELD]);
    let last = i64::try_from(RING).unwrap() + 100;
    let events: Vec<_> = (1..=last)
        .map(|seq| changed(seq, &[if seq == 50 { "settings" } else { "people" }]))
        .collect();
    hub.deliver(OAKFIELD, &events, Instant::now());
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    reads(&margaret).unwrap();
    let both = keys(&["people", "settings"]);
    let ask = |since, epoch| Ask {
        keys: &both,
        since: Some(since),
        epoch,
    };
    let now = Instant::now();

    let near = ask(last - 10, Some(EPOCH));
    assert_eq!(
        hub.watch(&margaret, near, &Past::Unasked, now),
        Watched::Now(vec![])
    );
    assert_eq!(
        reads(&margaret).unwrap(),
        [json!({ "changed": ["people"], "seq": last, "since": last - 10 })]
    );

    let far = ask(40, Some(EPOCH));
    assert_eq!(
        hub.watch(&margaret, far, &Past::Unasked, now),
        Watched::Behind {
            after: 40,
            until: 100
        }
    );
    assert_eq!(reads(&margaret).unwrap(), [] as [Value; 0], "never partial");
    assert_eq!(
        hub.watch(&margaret, ask(99, None), &Past::Unasked, now),
        Watched::Behind {
            after: 99,
            until: 100
        }
    );
    assert_eq!(
        hub.watch(&margaret, ask(100, None), &Past::Unasked, now),
        Watched::Now(vec![]),
        "the ring just reaches back"
    );
    reads(&margaret).unwrap();
    let told = Past::Known(
        120,
        HashSet::from(["settings".to_owned(), "people".to_owned()]),
    );
    assert_eq!(hub.watch(&margaret, far, &told, now), Watched::Now(vec![]));
    assert_eq!(
        reads(&margaret).unwrap(),
        [json!({ "changed": ["people", "settings"], "seq": last, "since": 40 })]
    );

    assert_eq!(
        hub.watch(&margaret, far, &Past::Lost, now),
        Watched::Now(vec![])
    );
    assert_eq!(
        reads(&margaret).unwrap(),
        [json!({ "resync": true, "seq": last, "since": 40 })]
    );

    assert_eq!(
        hub.watch(&margaret, ask(last, Some(Uuid::nil())), &Past::Unasked, now),
        Watched::Now(vec![])
    );
    assert_eq!(
        reads(&margaret).unwrap()[0]["resync"],
        true,
        "another history"
    );
}

#[test]
fn a_restored_database_sends_everybody_back_to_say_what_they_know() {
    let hub = hub(&[OAKFIELD]);
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    hub.set_epoch(EPOCH, Instant::now());
    assert!(!margaret.is_over());
    hub.set_epoch(Uuid::nil(), Instant::now());
    assert_eq!(take(&margaret), Err(End::RESTART));
    assert_eq!(hub.unread(), [OAKFIELD]);
}

#[test]
fn a_sixth_page_takes_the_place_of_the_oldest() {
    let hub = hub(&[OAKFIELD]);
    let pages: Vec<_> = (0..=PAGES_MOST)
        .map(|n| arrive(&hub, OAKFIELD, MARGARET, n as u128))
        .collect();
    assert_eq!(take(&pages[0]), Err(End::TOO_MANY));
    assert!(pages[1..].iter().all(|page| !page.is_over()));
    let other = arrive(&hub, OAKFIELD, DILIP, 9);
    assert!(!other.is_over() && !pages[1].is_over());
}

#[test]
fn a_socket_watches_fifty_topics_and_is_told_of_the_others() {
    let hub = hub(&[OAKFIELD]);
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    let many: Vec<String> = (0..TOPICS_MOST + 2)
        .map(|n| format!("paper/{n:02}"))
        .collect();
    let ask = Ask {
        keys: &many,
        since: None,
        epoch: None,
    };
    assert_eq!(
        hub.watch(&margaret, ask, &Past::Unasked, Instant::now()),
        Watched::Now(vec!["paper/50".into(), "paper/51".into()])
    );
    hub.unwatch(&margaret, &many[..1]);
    let ask = Ask {
        keys: &many[TOPICS_MOST..],
        since: None,
        epoch: None,
    };
    assert_eq!(
        hub.watch(&margaret, ask, &Past::Unasked, Instant::now()),
        Watched::Now(vec!["paper/51".into()])
    );
}

#[test]
fn who_is_here_is_told_once_a_second_and_a_reload_does_not_show() {
    let hub = hub(&[OAKFIELD]);
    let start = Instant::now();
    let at = |millis: u64| start + Duration::from_millis(millis);
    let clerk = arrive(&hub, OAKFIELD, DILIP, 9);
    watch(&hub, &clerk, &["here"]);
    hub.sweep(at(100));
    reads(&clerk).unwrap();

    let page = arrive(&hub, OAKFIELD, MARGARET, 1);
    let second = arrive(&hub, OAKFIELD, MARGARET, 1);
    assert_eq!(hub.here(OAKFIELD), [MARGARET, DILIP], "each once");
    hub.sweep(at(600));
    assert_eq!(
        reads(&clerk).unwrap(),
        [] as [Value; 0],
        "not twice within a second"
    );
    hub.sweep(at(1_200));
    assert_eq!(
        reads(&clerk).unwrap(),
        [json!({ "changed": ["here"], "seq": 0 })]
    );

    hub.leave(&page, at(2_000));
    hub.leave(&second, at(2_000));
    hub.sweep(at(3_000));
    let reloaded = hub
        .join(OAKFIELD, MARGARET, Uuid::from_u128(1), 0, at(4_000))
        .unwrap();
    hub.sweep(at(8_000));
    assert_eq!(reads(&clerk).unwrap(), [] as [Value; 0]);
    hub.leave(&reloaded, at(9_000));
    hub.sweep(at(13_500));
    assert_eq!(hub.here(OAKFIELD), [MARGARET, DILIP]);
    hub.sweep(at(14_500));
    assert_eq!(hub.here(OAKFIELD), [DILIP]);
    assert_eq!(
        reads(&clerk).unwrap(),
        [json!({ "changed": ["here"], "seq": 0 })]
    );
}

const POLICY: Uuid = Uuid::from_u128(0x50);
const BUDGET: Uuid = Uuid::from_u128(0x51);

fn hint(paper: Uuid) -> Value {
    json!({ "changed": [format!("readers/{paper}")], "seq": 0 })
}

#[test]
fn who_reads_a_paper_is_known_while_their_page_is_open_and_each_person_once() {
    let hub = hub(&[OAKFIELD]);
    let now = Instant::now();
    let (one, other) = (
        arrive(&hub, OAKFIELD, MARGARET, 1),
        arrive(&hub, OAKFIELD, MARGARET, 1),
    );
    let dilip = arrive(&hub, OAKFIELD, DILIP, 2);
    for seat in [&one, &other, &dilip] {
        watch(&hub, seat, &[&format!("readers/{POLICY}")]);
    }
    hub.turn(&one, POLICY, Some(4), now);
    hub.turn(&other, POLICY, Some(9), now);
    hub.turn(&dilip, POLICY, Some(7), now);
    assert_eq!(
        hub.readers(OAKFIELD, POLICY),
        [(MARGARET, 9), (DILIP, 7)],
        "two tabs of one person are one reader, on the page they turned to last"
    );
    assert_eq!(hub.readers(OAKFIELD, BUDGET), []);
    assert_eq!(hub.readers(NORTHGATE, POLICY), []);
    hub.turn(&one, POLICY, Some(5), now);
    assert_eq!(hub.readers(OAKFIELD, POLICY)[0], (MARGARET, 5));
    // Looking away, going to another page, and closing it.
    hub.turn(&one, POLICY, None, now);
    assert_eq!(hub.readers(OAKFIELD, POLICY)[0], (MARGARET, 9));
    hub.unwatch(&other, &keys(&[&format!("readers/{POLICY}")]));
    assert_eq!(hub.readers(OAKFIELD, POLICY), [(DILIP, 7)]);
    hub.leave(&dilip, now);
    assert_eq!(hub.readers(OAKFIELD, POLICY), []);
    // Whoever is removed is gone with the event.
    hub.turn(&one, POLICY, Some(2), now);
    assert_eq!(hub.readers(OAKFIELD, POLICY), [(MARGARET, 2)]);
    hub.deliver(OAKFIELD, &[removes(1, MARGARET)], now);
    assert_eq!(hub.readers(OAKFIELD, POLICY), []);
}

#[test]
fn a_page_counts_only_where_it_was_looked_up_that_the_paper_may_be_read() {
    let hub = hub(&[OAKFIELD]);
    let now = Instant::now();
    let (reader, outsider) = (
        arrive(&hub, OAKFIELD, MARGARET, 1),
        arrive(&hub, OAKFIELD, DILIP, 2),
    );
    watch(&hub, &reader, &[&format!("readers/{POLICY}")]);
    watch(&hub, &outsider, &[&format!("readers/{BUDGET}"), "library"]);
    hub.sweep(now + Duration::from_secs(1));
    reads(&reader).unwrap();
    reads(&outsider).unwrap();
    hub.turn(&outsider, POLICY, Some(3), now);
    assert_eq!(hub.readers(OAKFIELD, POLICY), []);
    hub.turn(&reader, POLICY, Some(3), now + Duration::from_secs(2));
    assert_eq!(reads(&reader).unwrap(), [hint(POLICY)]);
    assert_eq!(reads(&outsider).unwrap(), [] as [Value; 0]);
    // Nor does somebody who reads it hear of a page that is not turned.
    hub.turn(&reader, POLICY, Some(3), now + Duration::from_secs(4));
    assert_eq!(reads(&reader).unwrap(), [] as [Value; 0]);
}

#[test]
fn who_leafs_through_a_paper_is_told_of_twice_a_second_and_not_left_behind() {
    let hub = hub(&[OAKFIELD]);
    let start = Instant::now();
    let at = |millis: u64| start + Duration::from_millis(millis);
    let (margaret, dilip) = (
        arrive(&hub, OAKFIELD, MARGARET, 1),
        arrive(&hub, OAKFIELD, DILIP, 2),
    );
    let topic = format!("readers/{POLICY}");
    watch(&hub, &margaret, &[&topic]);
    watch(&hub, &dilip, &[&topic]);
    hub.sweep(at(1_000));
    reads(&margaret).unwrap();
    let mut told = 0;
    for page in 1..=200 {
        let now = at(2_000 + u64::from(page) * 10);
        hub.turn(&dilip, POLICY, Some(page), now);
        hub.sweep(now);
        told += reads(&margaret).unwrap().len();
    }
    assert!((4..=5).contains(&told), "{told} in two seconds");
    hub.sweep(at(5_000));
    assert_eq!(reads(&margaret).unwrap(), [hint(POLICY)]);
    assert_eq!(hub.readers(OAKFIELD, POLICY), [(DILIP, 200)]);
    hub.sweep(at(6_000));
    assert_eq!(reads(&margaret).unwrap(), [] as [Value; 0]);
    // Who comes later is told to look, since something may have changed while their page was on its way.
    let late = arrive(&hub, OAKFIELD, MARGARET, 3);
    reads(&late).unwrap();
    watch(&hub, &late, &[&topic]);
    hub.sweep(at(9_000));
    assert_eq!(reads(&late).unwrap(), [hint(POLICY)]);
    reads(&margaret).unwrap();
    // He chooses not to be seen.
    hub.deliver(OAKFIELD, &[changed(1, &[&reading_key(DILIP)])], at(10_000));
    let hint = json!({ "changed": [format!("readers/{POLICY}")], "seq": 1 });
    assert_eq!(reads(&margaret).unwrap(), [hint]);
}

const NODE: Uuid = Uuid::from_u128(0x71);
const SIAN: Uuid = Uuid::from_u128(3);

/// What a node says of these readers, who are all that is there.
fn presence(readers: &[(Uuid, Uuid, u32)]) -> Presence {
    Presence::of(
        readers.iter().map(|(_, account, _)| *account),
        readers.iter().copied(),
    )
}

#[test]
fn who_is_at_another_node_is_here_too_until_it_says_otherwise_or_falls_silent() {
    let hub = hub(&[OAKFIELD]);
    let start = Instant::now();
    let at = |millis: u64| start + Duration::from_millis(millis);
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    watch(&hub, &margaret, &["here", &format!("readers/{POLICY}")]);
    hub.turn(&margaret, POLICY, Some(2), at(0));
    hub.sweep(at(3_000));
    reads(&margaret).unwrap();

    let said = presence(&[(POLICY, DILIP, 4), (POLICY, MARGARET, 9), (BUDGET, SIAN, 1)]);
    hub.hear_of(OAKFIELD, NODE, said.clone(), at(3_100));
    assert_eq!(hub.here(OAKFIELD), [MARGARET, DILIP, SIAN]);
    assert_eq!(
        hub.readers(OAKFIELD, POLICY),
        [(MARGARET, 2), (DILIP, 4)],
        "each person once, and whoever reads it here too is on the page here"
    );
    assert_eq!(hub.readers(NORTHGATE, POLICY), []);
    hub.sweep(at(4_200));
    let told = reads(&margaret).unwrap();
    assert_eq!(
        told,
        [hint(POLICY), json!({ "changed": ["here"], "seq": 0 })]
    );
    // The same once more is no news.
    hub.hear_of(OAKFIELD, NODE, said, at(5_000));
    hub.sweep(at(6_000));
    assert_eq!(reads(&margaret).unwrap(), [] as [Value; 0]);
    // Dilip chooses not to be seen, at whichever node.
    hub.deliver(OAKFIELD, &[changed(1, &[&reading_key(DILIP)])], at(7_000));
    let told = json!({ "changed": [format!("readers/{POLICY}")], "seq": 1 });
    assert_eq!(reads(&margaret).unwrap(), std::slice::from_ref(&told));
    // Sian goes to another paper.
    hub.hear_of(OAKFIELD, NODE, presence(&[(POLICY, DILIP, 4)]), at(8_000));
    assert_eq!(hub.here(OAKFIELD), [MARGARET, DILIP]);
    assert_eq!(hub.readers(OAKFIELD, BUDGET), []);
    // And then nothing is heard any more.
    hub.sweep(at(13_900));
    reads(&margaret).unwrap();
    assert_eq!(hub.here(OAKFIELD), [MARGARET, DILIP]);
    hub.sweep(at(14_000));
    assert_eq!(hub.here(OAKFIELD), [MARGARET]);
    assert_eq!(hub.readers(OAKFIELD, POLICY), [(MARGARET, 2)]);
    hub.sweep(at(15_100));
    assert!(reads(&margaret).unwrap().contains(&told));
}

#[test]
fn other_nodes_are_told_who_is_here_when_it_changes_and_again_before_they_forget() {
    let hub = hub(&[OAKFIELD, NORTHGATE]);
    let start = Instant::now();
    let at = |millis: u64| start + Duration::from_millis(millis);
    assert_eq!(hub.to_say(at(0)), []);
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    watch(&hub, &margaret, &[&format!("readers/{POLICY}")]);
    let here = Presence::of([MARGARET].into_iter(), std::iter::empty());
    assert_eq!(hub.to_say(at(0)), [(OAKFIELD, here)]);
    assert_eq!(hub.to_say(at(1_900)), []);
    assert_eq!(hub.to_say(at(2_000)).len(), 1);
    hub.turn(&margaret, POLICY, Some(3), at(2_100));
    let reads = presence(&[(POLICY, MARGARET, 3)]);
    assert_eq!(hub.to_say(at(2_100)), [(OAKFIELD, reads)]);
    // What others say is not passed on.
    hub.hear_of(NORTHGATE, NODE, presence(&[(POLICY, DILIP, 4)]), at(2_200));
    assert_eq!(hub.to_say(at(2_200)), []);
    // Whoever is removed is gone with the event.
    hub.deliver(OAKFIELD, &[removes(1, MARGARET)], at(2_300));
    assert_eq!(hub.to_say(at(2_300)), [(OAKFIELD, Presence::default())]);
    assert_eq!(hub.to_say(at(9_000)), [], "nobody is said once");
}

#[test]
fn a_ring_is_news_only_where_the_log_was_not_read_so_far() {
    let hub = hub(&[OAKFIELD]);
    assert!(hub.is_behind(OAKFIELD, 1));
    hub.deliver(OAKFIELD, &[changed(1, &["people"])], Instant::now());
    assert!(!hub.is_behind(OAKFIELD, 1) && hub.is_behind(OAKFIELD, 2));
    assert!(!hub.is_behind(NORTHGATE, 1), "nobody listens there");
}

#[test]
fn an_empty_tenant_is_forgotten_after_a_minute_and_found_again() {
    let hub = hub(&[OAKFIELD]);
    let start = Instant::now();
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    hub.leave(&margaret, start);
    hub.sweep(start + Duration::from_secs(6));
    hub.sweep(start + Duration::from_secs(60));
    assert_eq!(hub.cursors(), [(OAKFIELD, 0)]);
    hub.sweep(start + Duration::from_secs(67));
    assert_eq!(hub.cursors(), []);
    let _again = arrive(&hub, OAKFIELD, MARGARET, 1);
    assert_eq!(hub.unread(), [OAKFIELD]);
}

#[test]
fn what_somebody_was_stands_until_an_event_ends_their_sockets_and_as_far_as_the_ring_reaches() {
    let hub = hub(&[OAKFIELD]);
    let margaret = arrive(&hub, OAKFIELD, MARGARET, 1);
    let dilip = arrive(&hub, OAKFIELD, DILIP, 2);
    let events = [changed(1, &["people"]), removes(2, MARGARET)];
    hub.deliver(OAKFIELD, &events, Instant::now());
    assert!(!hub.stands(&margaret));
    let again = arrive_known(&hub, OAKFIELD, MARGARET, 3, 2);
    assert!(hub.stands(&again), "looked up after it");
    assert!(hub.stands(&dilip));
    let more = i64::try_from(RING).unwrap();
    let events: Vec<_> = (3..=more + 3)
        .map(|seq| changed(seq, &["people"]))
        .collect();
    hub.deliver(OAKFIELD, &events, Instant::now());
    assert!(!hub.stands(&again), "further back than the ring reaches");
    let late = arrive_known(&hub, OAKFIELD, DILIP, 4, 3);
    assert!(hub.stands(&late));
    hub.set_epoch(Uuid::from_u128(5), Instant::now());
    assert!(!hub.stands(&late), "of another history");
}

#[test]
fn a_removal_ends_the_sockets_of_those_who_were_looked_up_before_it_and_of_no_others() {
    let hub = hub(&[OAKFIELD]);
    hub.deliver(OAKFIELD, &[changed(1, &["people"])], Instant::now());
    let before = arrive_known(&hub, OAKFIELD, MARGARET, 1, 1);
    // Removed, let in again and looked up, before this node has read of any of it.
    let after = hub
        .join(OAKFIELD, MARGARET, Uuid::from_u128(2), 3, Instant::now())
        .unwrap();
    let events = [removes(2, MARGARET), changed(3, &["people"])];
    hub.deliver(OAKFIELD, &events, Instant::now());
    hub.admit(hub.arrivals(), &HashSet::new(), Instant::now());
    assert_eq!(take(&before).unwrap_err().code, CLOSE_REMOVED);
    assert!(!after.is_over());
    assert_eq!(reads(&after).unwrap().len(), 1, "the hello");
    hub.deliver(OAKFIELD, &[removes(4, MARGARET)], Instant::now());
    assert_eq!(take(&after).unwrap_err().code, CLOSE_REMOVED);
}

#[test]
fn who_was_looked_up_in_another_history_comes_back() {
    let hub = hub(&[OAKFIELD]);
    let margaret = arrive_known(&hub, OAKFIELD, MARGARET, 1, 7);
    assert_eq!(take(&margaret), Err(End::RESTART));
}

#[tokio::test(start_paused = true)]
async fn a_restart_closes_everybody_over_the_window_and_lets_nobody_in() {
    let hub = hub(&[OAKFIELD]);
    let seats: Vec<_> = (1..=10)
        .map(|n| arrive(&hub, OAKFIELD, Uuid::from_u128(n), n))
        .collect();
    let draining = tokio::spawn({
        let hub = hub.clone();
        async move { hub.drain(Duration::from_secs(5)).await }
    });
    tokio::time::sleep(Duration::from_millis(2_600)).await;
    let over = seats.iter().filter(|seat| seat.is_over()).count();
    assert_eq!(over, 6);
    assert_eq!(
        hub.join(OAKFIELD, MARGARET, Uuid::nil(), 0, Instant::now())
            .err(),
        Some(End::RESTART)
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    for seat in &seats {
        assert_eq!(take(seat), Err(End::RESTART));
        hub.leave(seat, Instant::now());
    }
    draining.await.unwrap();
    assert_eq!(hub.count().sockets, 0);
}

/// Readers empty their outboxes on their own threads while people are added and removed. Each frame that a removed person
/// gets from the outbox, at whatever moment, must be older than their removal.
#[test]
fn in_a_thousand_rounds_no_removed_person_hears_a_later_seq() {
    const PEOPLE: u64 = 8;
    let hub = hub(&[OAKFIELD]);
    let done = AtomicBool::new(false);
    let removed_at: std::sync::Mutex<Vec<(Arc<Seat>, Seq)>> = std::sync::Mutex::default();
    let heard: std::sync::Mutex<HashMap<usize, Seq>> = std::sync::Mutex::default();
    let readers: std::sync::RwLock<Vec<Arc<Seat>>> = std::sync::RwLock::default();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut dice = |sides: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % sides
    };
    std::thread::scope(|scope| {
        for part in 0..2 {
            let (done, heard, readers) = (&done, &heard, &readers);
            scope.spawn(move || {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    let seats = readers.read().unwrap().clone();
                    for seat in seats.iter().skip(part).step_by(2) {
                        if let Ok(frames) = reads(seat) {
                            let latest = frames
                                .iter()
                                .filter_map(|frame| frame["seq"].as_i64())
                                .max();
                            if let Some(latest) = latest {
                                heard
                                    .lock()
                                    .unwrap()
                                    .insert(Arc::as_ptr(seat) as usize, latest);
                            }
                        }
                    }
                }
            });
        }
        let mut present: HashMap<Uuid, Arc<Seat>> = HashMap::new();
        let mut seq = 0;
        for _ in 0..1_000 {
            for _ in 0..dice(4) {
                seq += 1;
                hub.deliver(OAKFIELD, &[changed(seq, &["people"])], Instant::now());
            }
            let person = Uuid::from_u128(1 + u128::from(dice(PEOPLE)));
            if let Some(seat) = present.remove(&person) {
                // Half of them have heard everything by now, half are caught in the middle.
                if dice(2) == 0 {
                    seq += 1;
                    hub.deliver(OAKFIELD, &[changed(seq, &["people"])], Instant::now());
                    let heard_all =
                        || heard.lock().unwrap().get(&(Arc::as_ptr(&seat) as usize)) == Some(&seq);
                    while !heard_all() {
                        std::thread::yield_now();
                    }
                }
                seq += 1;
                hub.deliver(
                    OAKFIELD,
                    &[removes(seq, person), changed(seq + 1, &["people"])],
                    Instant::now(),
                );
                removed_at.lock().unwrap().push((seat, seq));
                seq += 1;
            } else {
                let seat = arrive(&hub, OAKFIELD, person, u128::from(dice(u64::MAX)));
                watch(&hub, &seat, &["people"]);
                readers.write().unwrap().push(seat.clone());
                present.insert(person, seat);
            }
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    let (removed, heard) = (
        removed_at.into_inner().unwrap(),
        heard.into_inner().unwrap(),
    );
    assert!(removed.len() > 300);
    let mut told = 0;
    for (seat, at) in &removed {
        assert_eq!(
            take(seat),
            Err(End {
                code: 4403,
                why: "place changed"
            })
        );
        if let Some(latest) = heard.get(&(Arc::as_ptr(seat) as usize)) {
            told += 1;
            assert!(latest < at, "heard {latest}, removed at {at}");
        }
    }
    assert!(told > 100, "the removed had been listening: {told}");
}

/// What can happen to one tenant and three people, in any order.
#[derive(Clone, Debug)]
enum Step {
    Change(u8),
    Remove(u8),
    Deliver,
    Connect(u8),
    Subscribe(u8, u8, bool),
    Read(u8),
    Drop(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_u8).prop_map(Step::Change),
        1 => (0..3_u8).prop_map(Step::Remove),
        4 => Just(Step::Deliver),
        3 => (0..3_u8).prop_map(Step::Connect),
        4 => (0..3_u8, 0..3_u8, any::<bool>()).prop_map(|(who, what, since)| Step::Subscribe(who, what, since)),
        4 => (0..3_u8).prop_map(Step::Read),
        1 => (0..3_u8).prop_map(Step::Drop),
    ]
}

const TOPICS: [&str; 3] = ["people", "settings", "paper/1"];

/// A page: what it shows of each topic, as the seq at which it last fetched it.
#[derive(Default)]
struct Page {
    seat: Option<Arc<Seat>>,
    watches: HashSet<usize>,
    /// Connected, and has not said yet what it watches.
    fresh: bool,
    /// Heard everything up to here, by the rules that a client follows.
    heard: Seq,
    shows: [Seq; 3],
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// At the end of any history, once everything is delivered and read, each page that is still connected shows every topic
    /// it watches as of the last change to it, although it fetched only when it was told to.
    #[test]
    fn whatever_happens_no_page_shows_something_old(steps in proptest::collection::vec(step(), 1..120)) {
        let hub = hub(&[OAKFIELD]);
        let mut log: Vec<Event> = Vec::new();
        let mut pages: [Page; 3] = Default::default();
        let person = |who: u8| Uuid::from_u128(u128::from(who) + 1);
        // Each with its seat, so that no later one gets the same address.
        let mut removed: HashMap<usize, (Arc<Seat>, Seq)> = HashMap::new();
        let read = |page: &mut Page, committed: Seq, removed: &HashMap<usize, (Arc<Seat>, Seq)>| {
            let Some(seat) = &page.seat else { return };
            let Ok(frames) = reads(seat) else { page.seat = None; return };
            for frame in frames {
                let Some(seq) = frame["seq"].as_i64() else { continue };
                if let Some((_, at)) = removed.get(&(Arc::as_ptr(seat) as usize)) {
                    assert!(seq < *at);
                }
                for (topic, name) in TOPICS.iter().enumerate() {
                    if frame["changed"].as_array().is_some_and(|names| names.contains(&json!(name))) {
                        page.shows[topic] = committed;
                    }
                }
                page.heard = page.heard.max(seq);
            }
        };
        let deliver = |log: &[Event]| {
            let cursor = usize::try_from(hub.cursors()[0].1).unwrap();
            hub.deliver(OAKFIELD, &log[cursor..], Instant::now());
        };
        let count = |log: &Vec<Event>| i64::try_from(log.len()).unwrap();
        for step in steps {
            match step {
                Step::Change(topic) => log.push(changed(count(&log) + 1, &[TOPICS[usize::from(topic)]])),
                Step::Remove(who) => {
                    let event = removes(count(&log) + 1, person(who));
                    if let Some(seat) = &pages[usize::from(who)].seat {
                        removed.entry(Arc::as_ptr(seat) as usize).or_insert((seat.clone(), event.seq));
                    }
                    log.push(event);
                }
                Step::Deliver => deliver(&log),
                Step::Connect(who) => {
                    let page = &mut pages[usize::from(who)];
                    if page.seat.is_none() {
                        page.seat = Some(arrive(&hub, OAKFIELD, person(who), u128::from(who)));
                        page.fresh = true;
                    }
                }
                Step::Subscribe(who, what, since) => {
                    let page = &mut pages[usize::from(who)];
                    let Some(seat) = &page.seat else { continue };
                    // After a reconnect a page says again all that it watches.
                    let asked: Vec<usize> =
                        if page.fresh { page.watches.iter().copied().chain([usize::from(what)]).collect() } else { vec![usize::from(what)] };
                    let Some(hello) = seat.hello() else { continue };
                    let since = since.then_some(page.heard);
                    for &topic in &asked {
                        // Without a `since` the page fetches, and sees at least what its hello says. With one it fetches only what
                        // it has never shown, and sees at least what it says it has heard.
                        match since {
                            None => page.shows[topic] = page.shows[topic].max(hello),
                            Some(heard) if !page.watches.contains(&topic) => page.shows[topic] = page.shows[topic].max(heard),
                            Some(_) => {}
                        }
                    }
                    if !seat.is_over() {
                        page.fresh = false;
                        page.watches.extend(&asked);
                    }
                    let all: Vec<String> = asked.iter().map(|topic| TOPICS[*topic].to_owned()).collect();
                    let ask = Ask { keys: &all, since, epoch: since.map(|_| EPOCH) };
                    let watched = hub.watch(seat, ask, &Past::Unasked, Instant::now());
                    assert!(matches!(watched, Watched::Now(_) | Watched::Over), "{watched:?}");
                }
                Step::Read(who) => read(&mut pages[usize::from(who)], count(&log), &removed),
                Step::Drop(who) => {
                    let page = &mut pages[usize::from(who)];
                    if let Some(seat) = page.seat.take() {
                        hub.leave(&seat, Instant::now());
                    }
                }
            }
        }
        deliver(&log);
        for page in &mut pages {
            read(page, count(&log), &removed);
            if page.seat.is_none() || page.fresh {
                continue;
            }
            for topic in &page.watches {
                let last = log.iter().rev().find(|event| event.topics.iter().any(|key| key == TOPICS[*topic]));
                let last = last.map_or(0, |event| event.seq);
                prop_assert!(page.shows[*topic] >= last, "{} shown as of {}, changed at {last}", TOPICS[*topic], page.shows[*topic]);
            }
        }
    }
}
