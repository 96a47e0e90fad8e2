//! `/live` over real connections, with a log in memory: what clients may say, what becomes of those who do not read, and that a
//! reconnect misses nothing.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod client;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::door::Origin;
use async_trait::async_trait;
use axum::{Extension, Router, routing::get};
use client::{Client, Heard};
use domain::{
    Refusal, Seq, TenantId,
    db::{Caller, News},
    live::{Event, Kick, Topic},
    role::Role,
    session::{Holder, Token},
};
use serde_json::json;
use server::{
    accept,
    bus::Bus,
    hub::Hub,
    relay::{Log, Relay},
    socket::{self, Authority, Sockets},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    time::Instant,
};
use tokio_tungstenite::tungstenite::Message;
use tower_sessions::session::Id;
use uuid::Uuid;

const OAKFIELD: Uuid = Uuid::from_u128(0x0a);
const MARGARET: u8 = 1;
const DILIP: u8 = 2;
/// A parent: may watch nothing but their own place.
const RACHEL: u8 = 7;
/// Whose token opens nothing.
const NOBODY: u8 = 9;

/// A log, the sessions and the rights, in memory; it can be out of reach.
#[derive(Default)]
struct Memory {
    events: Mutex<HashMap<TenantId, Vec<Event>>>,
    dead: Mutex<HashSet<Uuid>>,
    away: Mutex<bool>,
    /// Whose removal commits just before it is asked again which sessions are dead.
    removed: Mutex<Option<u8>>,
    questions: Mutex<usize>,
}

impl Memory {
    fn append(&self, topics: &[&str]) -> Seq {
        let mut events = self.events.lock().unwrap();
        let log = events.entry(OAKFIELD).or_default();
        let seq = i64::try_from(log.len()).unwrap() + 1;
        log.push(Event {
            seq,
            topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
            closes: None,
        });
        seq
    }

    fn asked(&self) -> Result<(), sqlx::Error> {
        *self.questions.lock().unwrap() += 1;
        if *self.away.lock().unwrap() {
            Err(sqlx::Error::PoolClosed)
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Log for Memory {
    async fn epoch(&self) -> Result<Uuid, sqlx::Error> {
        self.asked().map(|()| Uuid::from_u128(99))
    }

    async fn heads(&self, tenants: &[TenantId]) -> Result<Vec<(TenantId, Seq)>, sqlx::Error> {
        self.asked()?;
        let events = self.events.lock().unwrap();
        Ok(tenants
            .iter()
            .map(|id| {
                (
                    *id,
                    events
                        .get(id)
                        .map_or(0, |log| i64::try_from(log.len()).unwrap()),
                )
            })
            .collect())
    }

    async fn tail(
        &self,
        cursors: &[(TenantId, Seq)],
    ) -> Result<Vec<(TenantId, Event)>, sqlx::Error> {
        self.asked()?;
        let events = self.events.lock().unwrap();
        let after = |(id, seq): &(TenantId, Seq)| {
            let log = events.get(id).map_or(&[][..], Vec::as_slice);
            log.iter()
                .skip(usize::try_from(*seq).unwrap())
                .take(512)
                .map(|event| (*id, event.clone()))
                .collect::<Vec<_>>()
        };
        Ok(cursors.iter().flat_map(after).collect())
    }

    async fn dead(&self, sessions: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
        self.asked()?;
        if let Some(person) = self.removed.lock().unwrap().take() {
            self.append(&["people"]);
            let mut events = self.events.lock().unwrap();
            events
                .get_mut(&OAKFIELD)
                .unwrap()
                .last_mut()
                .unwrap()
                .closes = Some(Kick {
                accounts: vec![Uuid::from_u128(u128::from(person))],
                sessions: vec![],
                code: 4403,
            });
            self.dead.lock().unwrap().insert(Service::session(person));
        }
        let dead = self.dead.lock().unwrap();
        Ok(sessions
            .iter()
            .copied()
            .filter(|session| dead.contains(session))
            .collect())
    }
}

#[async_trait]
impl Authority for Memory {
    async fn holders(&self, tokens: &[Token]) -> Result<Vec<Option<Holder>>, Refusal> {
        self.asked().map_err(|_| Refusal::Unavailable)?;
        let events = self.events.lock().unwrap();
        let seq = events.get(&OAKFIELD).map_or(0, Vec::len);
        let holder = |token: &Token| {
            let person = token.bytes()[0];
            (person != NOBODY).then(|| Holder {
                session: Service::session(person),
                account: Uuid::from_u128(u128::from(person)),
                tenant: OAKFIELD,
                label: "oakfield".to_owned(),
                roles: vec![if person == RACHEL {
                    Role::Parent
                } else {
                    Role::Governor
                }],
                seq: i64::try_from(seq).unwrap(),
            })
        };
        Ok(tokens.iter().map(holder).collect())
    }

    async fn may_watch(&self, caller: &Caller, topics: &[Topic]) -> Result<Vec<bool>, Refusal> {
        self.asked().map_err(|_| Refusal::Unavailable)?;
        let parent = caller.token.bytes()[0] == RACHEL;
        Ok(topics
            .iter()
            .map(|topic| *topic == Topic::Me || !parent && *topic != Topic::Settings)
            .collect())
    }
}

struct Service {
    /// Serves until it is dropped.
    _serving: watch::Sender<bool>,
    address: SocketAddr,
    hub: Hub,
    memory: Arc<Memory>,
    news: Arc<News>,
    relay: Relay,
}

impl Service {
    async fn open() -> Self {
        let (memory, hub, news) = (
            Arc::new(Memory::default()),
            Hub::default(),
            Arc::new(News::default()),
        );
        let relay = Relay::start(hub.clone(), memory.clone(), news.clone(), Bus::InProcess);
        let origin = Origin {
            scheme: "http",
            host: "localhost".to_owned(),
        };
        let sockets = Sockets::new(
            hub.clone(),
            memory.clone(),
            memory.clone(),
            Arc::new(origin),
        );
        let router = Router::new().route("/live", get(socket::live).layer(Extension(sockets)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (serving, ending) = watch::channel(false);
        tokio::spawn(accept::serve(listener, router, ending));
        Self {
            _serving: serving,
            address,
            hub,
            memory,
            news,
            relay,
        }
    }

    async fn client(&self, person: u8) -> Client {
        Client::connect(
            self.address,
            &[("host", "oakfield.localhost"), ("cookie", &cookie(person))],
        )
        .await
        .unwrap()
    }

    /// Connected, greeted and watching.
    async fn watching(&self, person: u8, topics: &[&str]) -> Client {
        let mut client = self.client(person).await;
        client.greeted().await;
        // An empty answer tells that the subscription is there.
        let seq = self.hub.cursors()[0].1;
        client
            .say(json!({ "subscribe": topics, "since": seq }))
            .await;
        assert_eq!(client.words().await["since"], seq);
        client
    }

    fn append(&self, topics: &[&str]) -> Seq {
        let seq = self.memory.append(topics);
        self.news.add(Some((OAKFIELD, seq)));
        seq
    }

    fn session(person: u8) -> Uuid {
        Uuid::from_u128(0x1000 + u128::from(person))
    }
}

/// As the browser of somebody sends it.
fn cookie(person: u8) -> String {
    format!("quorate={}", Id(i128::from_le_bytes([person; 16])))
}

#[tokio::test]
async fn without_a_session_of_this_school_there_is_no_connection() {
    let service = Service::open().await;
    let (margaret, nobody) = (cookie(MARGARET), cookie(NOBODY));
    for (status, headers) in [
        (401, &[("host", "oakfield.localhost")][..]),
        (401, &[("host", "oakfield.localhost"), ("cookie", &nobody)]),
        (
            401,
            &[("host", "oakfield.localhost"), ("cookie", "quorate=x")],
        ),
        (
            401,
            &[("host", "northgate.localhost"), ("cookie", &margaret)],
        ),
        (401, &[("host", "localhost"), ("cookie", &margaret)]),
        (421, &[("host", "oakfield.example"), ("cookie", &margaret)]),
        (
            101,
            &[("host", "oakfield.localhost"), ("cookie", &margaret)],
        ),
    ] {
        let told = Client::connect(service.address, headers).await.err();
        assert_eq!(told.unwrap_or(101), status, "{headers:?}");
    }
}

#[tokio::test]
async fn a_page_is_greeted_and_told_in_order_of_what_it_may_watch() {
    let service = Service::open().await;
    service.append(&["people"]);
    let mut margaret = service.client(MARGARET).await;
    assert_eq!(
        margaret.words().await,
        json!({ "hello": { "seq": 1, "epoch": Uuid::from_u128(99) } })
    );
    margaret.say(json!({ "subscribe": ["people", "me", "settings", "me/00000000-0000-0000-0000-000000000002", "people"] })).await;
    assert_eq!(
        margaret.words().await,
        json!({ "refused": ["me/00000000-0000-0000-0000-000000000002", "settings"] })
    );
    let mine = format!("me/{}", Uuid::from_u128(u128::from(MARGARET)));
    let theirs = format!("me/{}", Uuid::from_u128(u128::from(DILIP)));
    for topics in [
        &["people"][..],
        &["settings"],
        &["people", &mine],
        &[&theirs],
    ] {
        service.append(topics);
    }
    assert_eq!(
        margaret.words().await,
        json!({ "changed": ["people"], "seq": 2 })
    );
    assert_eq!(
        margaret.words().await,
        json!({ "changed": ["people", "me"], "seq": 4 })
    );
    margaret.say(json!({ "unsubscribe": ["people"] })).await;
    margaret
        .say(json!({ "subscribe": ["me"], "since": 5 }))
        .await;
    assert_eq!(
        margaret.words().await,
        json!({ "changed": [], "seq": 5, "since": 5 }),
        "the unsubscription went before"
    );
    service.append(&["people"]);
    service.append(&[&mine]);
    assert_eq!(
        margaret.words().await,
        json!({ "changed": ["me"], "seq": 7 })
    );

    let mut rachel = service.client(RACHEL).await;
    rachel.greeted().await;
    rachel
        .say(json!({ "subscribe": ["people", "here", "me"] }))
        .await;
    assert_eq!(
        rachel.words().await,
        json!({ "refused": ["people", "here"] })
    );
}

#[tokio::test]
async fn what_no_page_says_ends_the_connection() {
    let service = Service::open().await;
    let large = json!({ "subscribe": ["x".repeat(17 * 1024)] }).to_string();
    let huge = "x".repeat(2 << 20);
    let messages = [
        ("not JSON", Message::Text("people".into())),
        (
            "not an object of lists",
            Message::Text("{\"subscribe\":\"people\"}".into()),
        ),
        ("binary", Message::Binary(vec![1, 2, 3].into())),
        ("too large", Message::Text(large.into())),
        ("much too large", Message::Text(huge.into())),
    ];
    for (what, message) in messages {
        let mut client = service.client(MARGARET).await;
        client.greeted().await;
        client.send(message).await;
        assert_eq!(client.end().await.1, Some(1008), "{what}");
    }
    let mut flood = service.client(MARGARET).await;
    flood.greeted().await;
    for _ in 0..200 {
        flood.say(json!({ "unsubscribe": ["people"] })).await;
    }
    assert_eq!(flood.end().await.1, Some(1008), "flood");
    let mut pings = service.client(MARGARET).await;
    pings.greeted().await;
    for _ in 0..200 {
        pings.send(Message::Ping(vec![].into())).await;
    }
    assert_eq!(pings.end().await.1, Some(1008), "flood of pings");

    let mut newer = service.client(MARGARET).await;
    newer.greeted().await;
    newer.say(json!({ "weather": "rain" })).await;
    newer.say(json!({ "subscribe": [], "colour": 3 })).await;
    assert!(
        newer.hears_nothing_for(Duration::from_millis(300)).await,
        "words of a newer client are no abuse"
    );
}

#[tokio::test]
async fn who_asks_for_too_many_topics_is_told_which() {
    let service = Service::open().await;
    let mut margaret = service.client(MARGARET).await;
    margaret.greeted().await;
    let names: Vec<String> = (0..400).map(|n| format!("paper/{n}")).collect();
    margaret.say(json!({ "subscribe": names })).await;
    assert_eq!(
        margaret.words().await["refused"].as_array().unwrap().len(),
        400
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_sent_away_and_keeps_nobody_waiting() {
    let service = Service::open().await;
    let mut slow = service.watching(MARGARET, &["people"]).await;
    let mut quick = service.watching(DILIP, &["people"]).await;
    let reader = tokio::spawn(async move {
        let (mut latest, mut count) = (0, 0);
        while latest < i64::MAX {
            match quick.hear().await {
                Heard::Says(frame) if frame["changed"].is_array() => {
                    let seq = frame["seq"].as_i64().unwrap();
                    assert!(seq > latest);
                    (latest, count) = (seq, count + 1);
                }
                Heard::Says(_) => {}
                Heard::Closed(code) => {
                    assert_eq!(code, Some(1012));
                    break;
                }
            }
        }
        (latest, count)
    });
    let start = Instant::now();
    let mut last = 0;
    while service.hub.here(OAKFIELD).len() == 2 && service.hub.count().sockets == 2 {
        for _ in 0..200 {
            last = service.append(&["people"]);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the slow client is still there"
        );
    }
    // What lay in the kernel's buffers is read, then the close if it got that far.
    let (frames, code) = slow.end().await;
    assert!(matches!(code, Some(1013) | None), "{code:?}");
    let seqs: Vec<_> = frames
        .iter()
        .filter_map(|frame| frame["seq"].as_i64())
        .collect();
    assert!(seqs.is_sorted() && seqs.last().is_none_or(|seq| *seq < last));
    while service.hub.cursors()[0].1 < last {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    service.hub.drain(Duration::ZERO).await;
    let (latest, count) = reader.await.unwrap();
    assert!(count > 100, "{count}");
    assert!(
        latest > last - 1_000,
        "the quick one heard {latest} of {last}"
    );
}

/// With little room on the way and pings in between, so that frames stop in the middle and answers to pings want to go out there.
#[tokio::test]
async fn a_client_that_reads_by_fits_hears_everything_whole_and_in_order() {
    let service = Service::open().await;
    let way = TcpSocket::new_v4().unwrap();
    way.set_recv_buffer_size(2_048).unwrap();
    let stream = way.connect(service.address).await.unwrap();
    let margaret = cookie(MARGARET);
    let headers = [("host", "oakfield.localhost"), ("cookie", &*margaret)];
    let mut page = Client::connect_by(stream, &headers).await.unwrap();
    page.greeted().await;
    let topics: Vec<String> = (0..30)
        .map(|n| Topic::Paper(Uuid::from_u128(n)).name())
        .collect();
    page.say(json!({ "subscribe": topics, "since": service.hub.cursors()[0].1 }))
        .await;
    page.words().await;
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    let (mut latest, mut last, mut frames) = (0, 0, 0);
    for fit in 0..30 {
        for _ in 0..20 {
            last = service.append(&topics);
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        page.send(Message::Ping(vec![7; 100].into())).await;
        // Not to the end, which the last fit alone reaches.
        while latest < last && (fit == 29 || frames % 13 != 12) {
            let words = page.words().await;
            let seq = words["seq"].as_i64().unwrap();
            assert!(seq > latest, "{seq} after {latest}");
            assert_eq!(words["changed"].as_array().map(Vec::len), Some(30));
            (latest, frames) = (seq, frames + 1);
        }
        frames += 1;
    }
    assert_eq!(latest, last);
}

/// The connection breaks again and again, anywhere. Everything that happened is either told on its own or covered by the answer to
/// a `since`.
#[tokio::test]
async fn a_page_that_reconnects_misses_nothing() {
    let service = Arc::new(Service::open().await);
    // Not who is here: that is told at the seq where the log stands, which may have been told.
    let writer = tokio::spawn({
        let service = service.clone();
        async move {
            for n in 0..1_500_u64 {
                service.append(&[if n % 3 == 0 { "library" } else { "people" }]);
                tokio::time::sleep(Duration::from_micros(n % 7 * 300)).await;
            }
        }
    });
    let (mut covered, mut heard, mut breaks) = (BTreeSet::new(), 0_i64, 0);
    while heard < 1_500 {
        let mut page = service.client(MARGARET).await;
        page.greeted().await;
        page.say(json!({ "subscribe": ["people", "library"], "since": heard, "epoch": Uuid::from_u128(99) })).await;
        for _ in 0..=(breaks * 7 % 40) {
            // Whoever has heard the last would wait for another for ever, also while its writer still takes a breath.
            if heard == 1_500 {
                break;
            }
            let frame = page.words().await;
            let seq = frame["seq"].as_i64().unwrap();
            match frame["since"].as_i64() {
                Some(since) => {
                    assert_eq!(since, heard);
                    covered.extend(since + 1..=seq);
                }
                None => assert!(covered.insert(seq), "{seq} told twice"),
            }
            heard = seq;
        }
        drop(page);
        breaks += 1;
    }
    writer.await.unwrap();
    assert!(breaks > 20, "{breaks}");
    assert_eq!(covered.len(), 1_500);
}

#[tokio::test]
async fn who_was_away_for_long_is_told_from_the_log_and_for_very_long_to_fetch_anew() {
    let service = Service::open().await;
    for n in 0..2_000 {
        service
            .memory
            .append(&[if n == 1_300 { "here" } else { "people" }]);
    }
    let mut margaret = service.client(MARGARET).await;
    assert_eq!(margaret.greeted().await, 2_000);
    margaret
        .say(json!({ "subscribe": ["here"], "since": 1_200 }))
        .await;
    assert_eq!(
        margaret.words().await,
        json!({ "changed": ["here"], "seq": 2_000, "since": 1_200 }),
        "512 after 1200 reach the ring"
    );
    margaret
        .say(json!({ "subscribe": ["here"], "since": 1_310 }))
        .await;
    assert_eq!(
        margaret.words().await,
        json!({ "changed": [], "seq": 2_000, "since": 1_310 })
    );
    margaret
        .say(json!({ "subscribe": ["here"], "since": 10 }))
        .await;
    assert_eq!(
        margaret.words().await,
        json!({ "resync": true, "seq": 2_000, "since": 10 })
    );
    margaret
        .say(json!({ "subscribe": ["here"], "since": 1_999, "epoch": Uuid::nil() }))
        .await;
    assert_eq!(margaret.words().await["resync"], true, "another history");
    service.append(&["here"]);
    assert_eq!(
        margaret.words().await,
        json!({ "changed": ["here"], "seq": 2_001 }),
        "active all the same"
    );
}

#[tokio::test]
async fn while_the_database_is_gone_pages_stay_and_afterwards_nothing_is_missing() {
    let service = Service::open().await;
    let mut margaret = service.watching(MARGARET, &["people"]).await;
    *service.memory.away.lock().unwrap() = true;
    service.append(&["people"]);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!service.relay.health().log);
    // Committed by another node meanwhile; and a page that would come, and one that subscribes meanwhile.
    service.append(&["people"]);
    let cookie = cookie(DILIP);
    let headers = [("host", "oakfield.localhost"), ("cookie", &*cookie)];
    let told = Client::connect(service.address, &headers).await.err();
    assert_eq!(told, Some(503), "nobody knows who that is");
    margaret.say(json!({ "subscribe": ["here"] })).await;
    assert!(margaret.hears_nothing_for(Duration::from_millis(700)).await);
    *service.memory.away.lock().unwrap() = false;
    let mut dilip = service.client(DILIP).await;
    // Who is here may be told in between, in a frame of its own or merged with others, since Dilip came.
    let mut heard = 0;
    while heard < 2 {
        let words = margaret.words().await;
        if words["changed"]
            .as_array()
            .unwrap()
            .contains(&json!("people"))
        {
            let seq = words["seq"].as_i64().unwrap();
            assert!(seq > heard, "{seq} after {heard}");
            heard = seq;
        }
    }
    // The hub may greet with what it had read before; what came after then follows as news.
    assert!(dilip.greeted().await <= 2);
    // And on it goes.
    service.append(&["people"]);
    loop {
        let words = margaret.words().await;
        if words["seq"] == 3
            && words["changed"]
                .as_array()
                .unwrap()
                .contains(&json!("people"))
        {
            break;
        }
    }
}

#[tokio::test]
async fn a_session_that_dies_quietly_ends_its_pages_within_seconds() {
    let service = Service::open().await;
    let (mut margaret, mut dilip) = (
        service.watching(MARGARET, &["people"]).await,
        service.watching(DILIP, &["people"]).await,
    );
    let start = Instant::now();
    service
        .memory
        .dead
        .lock()
        .unwrap()
        .insert(Service::session(MARGARET));
    assert_eq!(margaret.end().await, (vec![], Some(4401)));
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    assert!(dilip.hears_nothing_for(Duration::from_millis(100)).await);
    let mut again = service.client(MARGARET).await;
    assert_eq!(again.end().await, (vec![], Some(4401)), "not even a hello");
}

#[tokio::test]
async fn who_is_removed_just_when_sessions_are_looked_up_hears_of_the_removal() {
    let service = Service::open().await;
    let mut margaret = service.watching(MARGARET, &["people"]).await;
    *service.memory.removed.lock().unwrap() = Some(MARGARET);
    assert_eq!(margaret.end().await, (vec![], Some(4403)));
}

#[tokio::test]
async fn a_restart_tells_everybody_to_come_back_and_waits_for_them_to_go() {
    let service = Service::open().await;
    let mut pages = Vec::new();
    for person in 1..=4 {
        pages.push(service.watching(person, &["me"]).await);
    }
    let readers = pages
        .into_iter()
        .map(|mut page| tokio::spawn(async move { page.end().await.1 }))
        .collect::<Vec<_>>();
    let start = Instant::now();
    service.hub.drain(Duration::from_millis(400)).await;
    assert_eq!(service.hub.count().sockets, 0);
    assert!(
        (300..2_000).contains(&start.elapsed().as_millis()),
        "{:?}",
        start.elapsed()
    );
    for reader in readers {
        assert_eq!(reader.await.unwrap(), Some(1012));
    }
    assert_eq!(
        service.client(MARGARET).await.end().await,
        (vec![], Some(1012)),
        "nobody is let in any more"
    );
}

/// A page that comes from another node knows what this one has not read yet.
#[tokio::test]
async fn whoever_comes_is_greeted_with_all_that_was_committed_before() {
    let service = Service::open().await;
    let _open = service.watching(MARGARET, &["people"]).await;
    for _ in 0..20 {
        // Committed at another node, whose ring was lost.
        let seq = service.memory.append(&["people"]);
        let mut page = service.client(DILIP).await;
        assert!(page.greeted().await >= seq);
    }
}

#[tokio::test]
async fn a_storm_of_reconnects_asks_a_few_questions_for_all() {
    let service = Arc::new(Service::open().await);
    service.append(&["people"]);
    service.watching(MARGARET, &["people"]).await;
    let before = *service.memory.questions.lock().unwrap();
    let people = (0..200_u8).filter(|person| *person != NOBODY);
    let pages = people.map(|person| {
        let service = service.clone();
        tokio::spawn(async move {
            // Who holds the token, whether the session lives, and what it may watch.
            let mut page = service.client(person).await;
            page.greeted().await;
            page.say(json!({ "subscribe": ["me"], "since": 1 })).await;
            assert_eq!(page.words().await["since"], 1);
        })
    });
    for page in pages.collect::<Vec<_>>() {
        page.await.unwrap();
    }
    let asked = *service.memory.questions.lock().unwrap() - before;
    assert!(asked < 100, "{asked} questions for 200 pages");
}

#[tokio::test]
async fn a_page_that_is_turned_is_told_to_who_reads_the_paper_as_a_hint_and_to_nobody_else() {
    let service = Service::open().await;
    let paper = Uuid::from_u128(0x50);
    let topic = format!("readers/{paper}");
    let mut margaret = service.watching(MARGARET, &["people"]).await;
    let mut dilip = service.watching(DILIP, &["people", "library"]).await;
    let mut parent = service.watching(RACHEL, &["me"]).await;
    // Not before it is watched, and not where it may not be.
    let turned = |page: u32| json!({ "reading": { "paper": paper, "page": page } });
    margaret.say(turned(2)).await;
    parent.say(json!({ "subscribe": [topic] })).await;
    assert_eq!(parent.words().await, json!({ "refused": [topic] }));
    parent.say(turned(3)).await;
    margaret.say(json!({ "subscribe": [topic] })).await;
    let hint = json!({ "changed": [topic], "seq": 0 });
    assert_eq!(margaret.words().await, hint);
    assert_eq!(service.hub.readers(OAKFIELD, paper), []);
    // Subscribed and told in one breath.
    margaret
        .say(json!({ "subscribe": [topic], "reading": { "paper": paper, "page": 4 } }))
        .await;
    assert_eq!(margaret.words().await, hint, "no name and no page in it");
    let margaret_there = (Uuid::from_u128(u128::from(MARGARET)), 4);
    assert_eq!(service.hub.readers(OAKFIELD, paper), [margaret_there]);
    for nonsense in [0, 100_001, u32::MAX] {
        margaret.say(turned(nonsense)).await;
    }
    margaret.say(json!({ "unsubscribe": ["people"] })).await;
    assert!(dilip.hears_nothing_for(Duration::from_millis(900)).await);
    assert!(parent.hears_nothing_for(Duration::from_millis(50)).await);
    assert_eq!(service.hub.readers(OAKFIELD, paper), [margaret_there]);
    margaret.say(json!({ "reading": { "paper": paper } })).await;
    assert_eq!(margaret.words().await, hint);
    assert_eq!(service.hub.readers(OAKFIELD, paper), []);
}
