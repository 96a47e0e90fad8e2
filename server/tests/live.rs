//! Promise P12 from end to end: the real router, the real database as the login that serves, real connections. What the clerk changes is
//! on every page at once, and whoever is removed hears nothing more.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod client;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use app::door::{Origin, Services};
use axum::Router;
use client::{Client, Heard};
use domain::{
    TenantId,
    db::{Caller, Db, LiveDb, News},
    membership,
    role::Role as Of,
    session::Token,
};
use serde_json::json;
use server::{
    accept,
    bus::Bus,
    files::Files,
    hub::Hub,
    relay::Relay,
    router::{self, Site},
    socket::Sockets,
    staging::Staging,
    storage::{Storage, StorageConfig},
};
use sqlx::{PgConnection, postgres::PgConnectOptions};
use testing::{Database, Fresh, Role};
use tokio::{net::TcpListener, sync::watch, time::Instant};
use tower_sessions::session::Id;
use uuid::Uuid;

/// Sockets ask for none.
fn no_files() -> Files {
    let nowhere = StorageConfig {
        endpoint: "http://127.0.0.1:9".to_owned(),
        region: "eu-west-2".to_owned(),
        bucket: "none".to_owned(),
        access_key: "none".to_owned(),
        secret_key: "none".into(),
        kms_key: None,
        unversioned: true,
    };
    Files {
        store: Storage::connect(&nowhere),
        staging: Staging::new(tempfile::tempdir().unwrap().keep()).unwrap(),
        inspector: inspect::Inspector::new(
            std::path::Path::new("/bin/false"),
            ["inspect", "--kind"],
            inspect::Limits::default(),
        ),
        scanner: None,
    }
}

/// One node over a fresh demo: Oakfield and Northgate.
struct Node {
    /// Serves until it is dropped.
    _serving: watch::Sender<bool>,
    address: SocketAddr,
    host: String,
    db: Db,
    hub: Hub,
    relay: Relay,
}

impl Node {
    async fn over(fresh: &Fresh, bus: Bus) -> Self {
        let _ = any_spawner::Executor::init_tokio();
        let db = Db::new(fresh.options(Role::Web), 8);
        let news = db.news();
        Self::with(fresh, db, news, bus).await
    }

    /// A node that hears nothing of the commits of others but through the bus and by polling.
    async fn with(fresh: &Fresh, db: Db, news: Arc<News>, bus: Bus) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let host = format!("localhost:{}", address.port());
        let live = LiveDb::new(fresh.options(Role::Live), 2);
        let hub = Hub::default();
        let relay = Relay::start(hub.clone(), Arc::new(live.clone()), news, bus);
        let origin = Origin {
            scheme: "http",
            host: host.clone(),
        };
        let sockets = Sockets::new(
            hub.clone(),
            Arc::new(live),
            Arc::new(db.clone()),
            Arc::new(origin.clone()),
        );
        let here = hub.clone();
        let services = Services {
            db: db.clone(),
            hasher: testing::hasher(),
            secrets: testing::secrets(),
            readings: Arc::new(here.clone()),
            here: Arc::new(move |tenant| here.here(tenant)),
            copies: false,
            now: Arc::new(|| 0),
            origin,
        };
        let options = leptos::config::LeptosOptions::builder()
            .output_name("quorate")
            .site_root("no-site")
            .build();
        let service = router::app(
            Site {
                services,
                options,
                throttle: None,
                files: no_files(),
                rosters: server::roster::Rosters::default(),
            },
            sockets,
            Router::new(),
        );
        let (serving, ending) = watch::channel(false);
        tokio::spawn(accept::serve(listener, service, ending));
        Self {
            _serving: serving,
            address,
            host,
            db,
            hub,
            relay,
        }
    }

    /// From a page of the school, as a browser asks.
    async fn connect(&self, at: &SignedIn) -> Client {
        self.ask(at, &format!("http://{}.{}", at.school, self.host))
            .await
            .unwrap()
    }

    async fn ask(&self, at: &SignedIn, origin: &str) -> Result<Client, u16> {
        let host = format!("{}.{}", at.school, self.host);
        let headers = [
            ("host", host.as_str()),
            ("origin", origin),
            ("cookie", &at.cookie),
        ];
        let without = [headers[0], headers[2]];
        let sent: &[_] = if origin.is_empty() {
            &without
        } else {
            &headers
        };
        Client::connect(self.address, sent).await
    }

    async fn watching(&self, at: &SignedIn, topics: &[&str]) -> Client {
        let mut page = self.connect(at).await;
        let seq = page.greeted().await;
        page.say(json!({ "subscribe": topics, "since": seq })).await;
        assert_eq!(page.words().await["since"], seq);
        page
    }

    async fn request(
        &self,
        method: reqwest::Method,
        path: &str,
        at: &SignedIn,
    ) -> reqwest::Response {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap()
            .request(method, format!("http://{}{path}", self.address))
            .header("host", format!("{}.{}", at.school, self.host))
            .header("origin", format!("http://{}.{}", at.school, self.host))
            .header("cookie", &at.cookie)
            .send()
            .await
            .unwrap()
    }
}

/// A person with a complete session at one school.
struct SignedIn {
    school: &'static str,
    caller: Caller,
    account: Uuid,
    membership: Uuid,
    session: Uuid,
    cookie: String,
}

/// Opens a session behind the application's back: signing in is not what is tested here, and hashing would take most of the time.
async fn sign_in(fresh: &mut PgConnection, school: &'static str, email: &str) -> SignedIn {
    let token = *Uuid::new_v4().as_bytes();
    let (tenant, account, membership): (TenantId, Uuid, Uuid) = sqlx::query_as(
        "select m.tenant_id, m.account_id, m.id from membership m join tenant t on t.id = m.tenant_id
         join account a on a.id = m.account_id where t.label = $1 and a.email = $2",
    )
    .bind(school)
    .bind(email)
    .fetch_one(&mut *fresh)
    .await
    .unwrap();
    let session = sqlx::query_scalar(
        "insert into sec.session (token_hash, account_id, tenant_id, membership_id, assurance, factor_at, shared, idle)
         values (sec.token_hash($1), $2, $3, $4, 'full', now(), false, '20 min') returning id",
    )
    .bind(token)
    .bind(account)
    .bind(tenant)
    .bind(membership)
    .fetch_one(&mut *fresh)
    .await
    .unwrap();
    let cookie = format!("quorate={}", Id(i128::from_le_bytes(token)));
    SignedIn {
        school,
        caller: Caller {
            token: Token::from_bytes(token),
            tenant,
        },
        account,
        membership,
        session,
        cookie,
    }
}

async fn remove(db: &Db, clerk: &SignedIn, person: &SignedIn) -> i64 {
    let mut write = db.write(&clerk.caller).await.unwrap();
    let (_, act) = membership::remove(&mut write, person.membership)
        .await
        .unwrap();
    write.commit(act).await.unwrap()
}

async fn suspend(db: &Db, clerk: &SignedIn, person: &SignedIn) -> i64 {
    let mut write = db.write(&clerk.caller).await.unwrap();
    let (_, act) = membership::suspend(&mut write, person.membership)
        .await
        .unwrap();
    write.commit(act).await.unwrap()
}

async fn restore(db: &Db, clerk: &SignedIn, person: &SignedIn) -> i64 {
    let mut write = db.write(&clerk.caller).await.unwrap();
    let act = membership::restore(&mut write, person.membership)
        .await
        .unwrap();
    write.commit(act).await.unwrap()
}

async fn give_role(db: &Db, clerk: &SignedIn, person: &SignedIn, role: Of) -> i64 {
    let mut write = db.write(&clerk.caller).await.unwrap();
    let act = membership::give_role(&mut write, person.membership, role)
        .await
        .unwrap();
    write.commit(act).await.unwrap()
}

async fn drop_role(db: &Db, clerk: &SignedIn, person: &SignedIn, role: Of) -> i64 {
    let mut write = db.write(&clerk.caller).await.unwrap();
    let act = membership::drop_role(&mut write, person.membership, role)
        .await
        .unwrap();
    write.commit(act).await.unwrap()
}

#[tokio::test]
async fn only_a_page_of_the_same_school_connects_and_only_with_its_session() {
    let fresh = Fresh::demo().await;
    let node = Node::over(&fresh, Bus::InProcess).await;
    let mut hand = fresh.superuser(Database::Application).await;
    let dilip = sign_in(&mut hand, "oakfield", "governor1@oakfield.example").await;
    let oakfield = format!("http://oakfield.{}", node.host);
    assert!(
        node.ask(&dilip, &oakfield).await.is_ok(),
        "the page itself does connect"
    );
    for origin in [
        String::new(),
        "null".to_owned(),
        "http://evil.example".to_owned(),
        format!("http://northgate.{}", node.host),
        format!("https://oakfield.{}", node.host),
        format!("http://{}", node.host),
        format!("{oakfield}.evil.example"),
    ] {
        assert_eq!(
            node.ask(&dilip, &origin).await.err(),
            Some(403),
            "{origin:?}"
        );
    }
    // His session of Oakfield on Northgate's host, with Northgate's origin; and no session at all.
    let northgate = format!("http://northgate.{}", node.host);
    let elsewhere = SignedIn {
        school: "northgate",
        ..dilip
    };
    assert_eq!(node.ask(&elsewhere, &northgate).await.err(), Some(401));
    let stranger = SignedIn {
        school: "oakfield",
        cookie: "quorate=nothing".to_owned(),
        ..elsewhere
    };
    assert_eq!(node.ask(&stranger, &oakfield).await.err(), Some(401));
    // What is over, or not complete, or of somebody who is no member any more.
    for spoilt in [
        "update sec.session set assurance = 'password', factor_at = null where id = $1",
        "update sec.session set seen_at = seen_at - interval '2 hours' where id = $1",
        "update sec.session set ended_at = now(), ended_why = 'signed_out' where id = $1",
        "update account set closed_at = now() where id = (select account_id from sec.session where id = $1)",
    ] {
        let dilip = sign_in(&mut hand, "oakfield", "governor1@oakfield.example").await;
        assert!(
            node.ask(&dilip, &oakfield).await.is_ok(),
            "before: {spoilt}"
        );
        sqlx::query(spoilt)
            .bind(dilip.session)
            .execute(&mut hand)
            .await
            .unwrap();
        assert_eq!(
            node.ask(&dilip, &oakfield).await.err(),
            Some(401),
            "{spoilt}"
        );
    }
}

#[tokio::test]
async fn a_removed_governor_is_sent_away_at_once_and_everybody_else_sees_it() {
    let fresh = Fresh::demo().await;
    let node = Node::over(&fresh, Bus::InProcess).await;
    let mut hand = fresh.superuser(Database::Application).await;
    let clerk = sign_in(&mut hand, "oakfield", "clerk@oakfield.example").await;
    let dilip = sign_in(&mut hand, "oakfield", "governor1@oakfield.example").await;
    let sian = sign_in(&mut hand, "oakfield", "governor2@oakfield.example").await;
    let priya = sign_in(&mut hand, "northgate", "governor1@northgate.example").await;
    let (mut his, mut second) = (
        node.watching(&dilip, &["people", "me"]).await,
        node.watching(&dilip, &["people"]).await,
    );
    let (mut hers, mut outsider) = (
        node.watching(&sian, &["people"]).await,
        node.watching(&priya, &["people"]).await,
    );
    assert_eq!(
        node.request(reqwest::Method::GET, "/people", &dilip)
            .await
            .status(),
        200
    );
    assert!(node.hub.here(dilip.caller.tenant).contains(&dilip.account));

    let start = Instant::now();
    let seq = remove(&node.db, &clerk, &dilip).await;
    assert_eq!(his.end().await, (vec![], Some(4403)));
    assert_eq!(second.end().await, (vec![], Some(4403)));
    let took = start.elapsed();
    assert_eq!(
        hers.words().await,
        json!({ "changed": ["people"], "seq": seq })
    );
    assert!(took < Duration::from_secs(1), "{took:?}");
    let refused = node.request(reqwest::Method::GET, "/people", &dilip).await;
    assert_eq!(
        (
            refused.status().as_u16(),
            refused.headers()["location"].to_str().unwrap()
        ),
        (303, "/sign-in?next=/people")
    );
    assert_eq!(
        node.ask(&dilip, &format!("http://oakfield.{}", node.host))
            .await
            .err(),
        Some(401)
    );
    assert!(!node.hub.here(dilip.caller.tenant).contains(&dilip.account));
    assert!(
        outsider.hears_nothing_for(Duration::from_millis(300)).await,
        "Northgate is another school"
    );
}

#[tokio::test]
async fn who_loses_a_role_opens_the_page_again_with_what_is_left() {
    let fresh = Fresh::demo().await;
    let node = Node::over(&fresh, Bus::InProcess).await;
    let mut hand = fresh.superuser(Database::Application).await;
    let clerk = sign_in(&mut hand, "oakfield", "clerk@oakfield.example").await;
    let imran = sign_in(&mut hand, "oakfield", "teacher1@oakfield.example").await;
    let mut page = node.watching(&imran, &["people"]).await;
    // One more role takes nothing away.
    let seq = give_role(&node.db, &clerk, &imran, Of::Parent).await;
    assert_eq!(
        page.words().await,
        json!({ "changed": ["people"], "seq": seq })
    );
    drop_role(&node.db, &clerk, &imran, Of::Teacher).await;
    assert_eq!(page.end().await, (vec![], Some(4403)));
    // He is still signed in; a parent does not see who belongs to the school.
    let mut again = node.connect(&imran).await;
    again.greeted().await;
    again
        .say(json!({ "subscribe": ["people", "here", "settings"] }))
        .await;
    assert_eq!(
        again.words().await,
        json!({ "refused": ["people", "here", "settings"] })
    );
    give_role(&node.db, &clerk, &imran, Of::Teacher).await;
    assert!(
        again.hears_nothing_for(Duration::from_millis(300)).await,
        "what was refused stays refused"
    );
    again
        .say(json!({ "subscribe": ["people"], "since": 0 }))
        .await;
    assert_eq!(
        again.words().await["changed"],
        json!(["people"]),
        "until it is asked for again"
    );
}

#[tokio::test]
async fn signing_out_in_one_tab_signs_out_the_others_of_that_browser() {
    let fresh = Fresh::demo().await;
    let node = Node::over(&fresh, Bus::InProcess).await;
    let mut hand = fresh.superuser(Database::Application).await;
    let laptop = sign_in(&mut hand, "oakfield", "chair@oakfield.example").await;
    let tablet = sign_in(&mut hand, "oakfield", "chair@oakfield.example").await;
    let (mut one, mut two) = (
        node.watching(&laptop, &["people"]).await,
        node.watching(&laptop, &["me"]).await,
    );
    let mut other = node.watching(&tablet, &["people"]).await;
    let start = Instant::now();
    let answer = node
        .request(reqwest::Method::POST, "/api/session/sign-out", &laptop)
        .await;
    assert!(
        answer.status().is_redirection() || answer.status().is_success(),
        "{}",
        answer.status()
    );
    assert_eq!(one.end().await, (vec![], Some(4401)));
    assert_eq!(two.end().await, (vec![], Some(4401)));
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    assert!(
        other.hears_nothing_for(Duration::from_millis(200)).await,
        "the tablet is another session"
    );
    assert_eq!(
        node.request(reqwest::Method::GET, "/people", &tablet)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn a_session_that_runs_out_takes_its_pages_with_it() {
    let fresh = Fresh::demo().await;
    let node = Node::over(&fresh, Bus::InProcess).await;
    let mut hand = fresh.superuser(Database::Application).await;
    let chair = sign_in(&mut hand, "oakfield", "chair@oakfield.example").await;
    let (mut page, start) = (node.watching(&chair, &["people"]).await, Instant::now());
    sqlx::query("update sec.session set seen_at = now() - interval '21 min' where id = $1")
        .bind(chair.session)
        .execute(&mut hand)
        .await
        .unwrap();
    assert_eq!(page.end().await, (vec![], Some(4401)));
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

/// After a step-up the cookie carries another token; the old one is worth nothing, and the page of the same session comes back.
#[tokio::test]
async fn a_page_whose_token_was_changed_is_asked_to_come_back_and_not_signed_out() {
    let fresh = Fresh::demo().await;
    let node = Node::over(&fresh, Bus::InProcess).await;
    let mut hand = fresh.superuser(Database::Application).await;
    let chair = sign_in(&mut hand, "oakfield", "chair@oakfield.example").await;
    let mut page = node.watching(&chair, &["people"]).await;
    let change =
        sqlx::query("update sec.session set token_hash = sec.token_hash($2) where id = $1");
    change
        .bind(chair.session)
        .bind(Uuid::new_v4().as_bytes().as_slice())
        .execute(&mut hand)
        .await
        .unwrap();
    // What the roles decide is known; what is looked up is looked up by the token.
    let paper = format!("paper/{}", Uuid::new_v4());
    page.say(json!({ "subscribe": [paper] })).await;
    assert_eq!(page.end().await.1, Some(1012));
}

#[tokio::test]
async fn two_nodes_tell_of_each_others_changes_over_the_bus_and_without_it() {
    let fresh = Fresh::demo().await.with(Database::Live).await;
    let bus = || Bus::postgres(fresh.options(Role::Bus), Uuid::new_v4());
    let (one, two) = (
        Node::over(&fresh, bus()).await,
        Node::over(&fresh, bus()).await,
    );
    // Nothing listens there.
    let nowhere = PgConnectOptions::new_without_pgpass()
        .host("/nonexistent")
        .username("quorate_bus");
    let alone = Node::over(&fresh, Bus::postgres(nowhere, Uuid::new_v4())).await;
    let mut hand = fresh.superuser(Database::Application).await;
    let clerk = sign_in(&mut hand, "oakfield", "clerk@oakfield.example").await;
    let sian = sign_in(&mut hand, "oakfield", "governor2@oakfield.example").await;
    let dilip = sign_in(&mut hand, "oakfield", "governor1@oakfield.example").await;
    let (mut near, mut far) = (
        two.watching(&sian, &["people"]).await,
        alone.watching(&sian, &["people"]).await,
    );
    let (mut near_his, mut far_his) = (
        two.watching(&dilip, &["people"]).await,
        alone.watching(&dilip, &["people"]).await,
    );
    let up = Instant::now();
    while two.relay.health().bus != Some(true) || one.relay.health().bus != Some(true) {
        assert!(
            up.elapsed() < Duration::from_secs(10),
            "the bus does not come up"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(alone.relay.health().bus, Some(false));
    let mut slowest = Duration::ZERO;
    for role in [Of::Associate, Of::Senco] {
        let start = Instant::now();
        let seq = give_role(&one.db, &clerk, &dilip, role).await;
        for page in [&mut near, &mut near_his] {
            assert_eq!(page.words().await["seq"], seq);
        }
        slowest = slowest.max(start.elapsed());
        for page in [&mut far, &mut far_his] {
            assert_eq!(page.words().await["seq"], seq);
        }
        assert!(
            start.elapsed() < Duration::from_millis(1_500),
            "without a bus: {:?}",
            start.elapsed()
        );
    }
    println!("over the bus: {slowest:?}");
    let start = Instant::now();
    remove(&one.db, &clerk, &dilip).await;
    assert_eq!(near_his.end().await, (vec![], Some(4403)));
    assert_eq!(far_his.end().await, (vec![], Some(4403)));
    assert!(
        start.elapsed() < Duration::from_millis(1_500),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn connections_of_the_relay_that_are_cut_cost_nothing_but_a_moment() {
    let fresh = Fresh::demo().await;
    let node = Node::over(&fresh, Bus::InProcess).await;
    let mut hand = fresh.superuser(Database::Application).await;
    let clerk = sign_in(&mut hand, "oakfield", "clerk@oakfield.example").await;
    let dilip = sign_in(&mut hand, "oakfield", "governor1@oakfield.example").await;
    let mut page = node.watching(&clerk, &["people"]).await;
    for round in 0..6 {
        sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'quorate_live'")
            .execute(&mut hand)
            .await
            .unwrap();
        // One that is given: one that is taken would close the page.
        let role = [
            Of::Associate,
            Of::Senco,
            Of::Teacher,
            Of::Parent,
            Of::Chair,
            Of::SeniorLeader,
        ][round];
        let start = Instant::now();
        let seq = give_role(&node.db, &clerk, &dilip, role).await;
        assert_eq!(
            page.words().await,
            json!({ "changed": ["people"], "seq": seq })
        );
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
    }
}

/// A thousand times somebody is barred or let in again, at random, while the log goes on. What a barred person's page has read when it
/// ends is older than the event that ended it; and the pages of those who stay miss nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_thousand_rounds_no_barred_persons_page_reads_a_later_seq() {
    const ROUNDS: u32 = 1_000;
    let fresh = Fresh::demo().await;
    let node = Node::over(&fresh, Bus::InProcess).await;
    let mut hand = fresh.superuser(Database::Application).await;
    let clerk = sign_in(&mut hand, "oakfield", "clerk@oakfield.example").await;
    let mut witness = node.watching(&clerk, &["people"]).await;
    let emails: Vec<String> = (1..=9)
        .map(|n| format!("governor{n}@oakfield.example"))
        .collect();
    // A page is read by a task of its own, which returns all it has read.
    let read = |mut page: Client| tokio::spawn(async move { page.end().await });
    let mut present = Vec::new();
    for email in &emails {
        present.push(None);
        let person = sign_in(&mut hand, "oakfield", email).await;
        let page = node.watching(&person, &["people"]).await;
        *present.last_mut().unwrap() = Some((read(page), person));
    }
    let mut absent: Vec<Option<SignedIn>> = emails.iter().map(|_| None).collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut seqs, mut barred, mut heard) = (Vec::new(), 0, 0);
    let mut slowest = Duration::ZERO;
    for _ in 0..ROUNDS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let who = usize::try_from(random % 9).unwrap();
        if let Some((reading, person)) = present[who].take() {
            let seq = suspend(&node.db, &clerk, &person).await;
            let committed = Instant::now();
            let (frames, code) = reading.await.unwrap();
            slowest = slowest.max(committed.elapsed());
            // Whoever was not greeted yet is found without a session.
            assert!(
                code == Some(4403) || code == Some(4401) && frames.is_empty(),
                "{code:?} after {frames:?}"
            );
            let latest = frames
                .iter()
                .filter_map(|frame| frame["seq"].as_i64().or(frame["hello"]["seq"].as_i64()))
                .max();
            assert!(
                latest.is_none_or(|latest| latest < seq),
                "read {latest:?}, barred at {seq}"
            );
            seqs.push(seq);
            barred += 1;
            heard += frames.len();
            absent[who] = Some(person);
        } else if let Some(person) = absent[who].take() {
            seqs.push(restore(&node.db, &clerk, &person).await);
            let person = sign_in(&mut hand, "oakfield", &emails[who]).await;
            // Not yet watching when the next round begins: half of them are caught on the way in.
            let page = if random & 64 == 0 {
                node.connect(&person).await
            } else {
                node.watching(&person, &["people"]).await
            };
            present[who] = Some((read(page), person));
        }
    }
    println!("{barred} barred, slowest close {slowest:?}");
    assert!(
        barred > 300 && heard > 300,
        "{barred} were barred and had heard {heard}"
    );
    for seq in seqs {
        let mut heard = witness.hear().await;
        while matches!(&heard, Heard::Says(said) if said.get("beat").is_some()) {
            heard = witness.hear().await;
        }
        assert_eq!(
            heard,
            Heard::Says(json!({ "changed": ["people"], "seq": seq }))
        );
    }
}
