//! What is said over the bus, and what comes of it when somebody else says it.

use std::{sync::Arc, time::Duration};

use domain::{
    db::{Caller, Db, News},
    membership,
    role::Role as Of,
};
use serde_json::{Value, json};
use server::{bus::Bus, hub::Hub};
use testing::{Behind, Fresh, Role};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::{
    DOWN,
    house::{House, PATIENCE},
    nats::Nats,
    readers::{others, paper},
    school::{School, bus_is, said},
};

/// Long enough for a message, and for none.
const SOON: Duration = Duration::from_secs(2);
const QUIET: Duration = Duration::from_millis(700);

async fn gives_a_role(db: &Db, clerk: &Caller, to: Uuid) -> i64 {
    let mut write = db.write(clerk).await.unwrap();
    let act = membership::give_role(&mut write, to, Of::Parent)
        .await
        .unwrap();
    write.commit(act).await.unwrap()
}

/// A bus whose hub follows this school from here on.
async fn following(nats: &Nats, behind: &mut Behind, label: &str, seq: i64) -> Bus {
    let hub = Hub::default();
    let tenant = behind.tenant(label).await;
    hub.join(tenant, Uuid::new_v4(), Uuid::new_v4(), 0, Instant::now())
        .unwrap();
    hub.start(tenant, seq, &[]);
    let servers = nats.url().parse().unwrap();
    let bus = Bus::nats(servers, Uuid::new_v4(), Arc::new(News::default()), hub);
    // It looks once when it hears the bus for the first time.
    timeout(SOON, bus.rung()).await.unwrap();
    // And is subscribed a moment after.
    tokio::time::sleep(QUIET).await;
    bus
}

/// Without the log's poll, which would find it a little later.
#[tokio::test]
async fn a_commit_rings_where_its_school_has_pages_and_nowhere_else() {
    let Some(mut nats) = Nats::at_rest() else {
        return;
    };
    nats.start().await;
    let fresh = Fresh::demo().await;
    let mut behind = fresh.behind().await;
    let db = Db::new(fresh.options(Role::Web), 2);
    let servers = nats.url().parse().unwrap();
    let own = Bus::nats(servers, Uuid::new_v4(), db.news(), Hub::default());
    timeout(SOON, own.rung()).await.unwrap();

    let clerk = behind.caller("oakfield", "clerk@oakfield.example").await;
    let imran = behind
        .membership("oakfield", "teacher1@oakfield.example")
        .await;
    let seq: i64 = sqlx::query_scalar("select seq from sec.event_head where tenant_id = $1")
        .bind(clerk.tenant)
        .fetch_one(&mut *behind)
        .await
        .unwrap();
    let oakfield = following(&nats, &mut behind, "oakfield", seq).await;
    // Who does not know the password hears nothing, and says that it does not.
    let hub = Hub::default();
    let out = Bus::nats(
        nats.bare_url().parse().unwrap(),
        Uuid::new_v4(),
        Arc::default(),
        hub,
    );
    let northgate = following(&nats, &mut behind, "northgate", 0).await;
    let ahead = following(&nats, &mut behind, "oakfield", seq + 1).await;
    assert_eq!(gives_a_role(&db, &clerk, imran).await, seq + 1);
    timeout(SOON, oakfield.rung()).await.unwrap();
    assert!(timeout(QUIET, northgate.rung()).await.is_err());
    assert!(timeout(QUIET, ahead.rung()).await.is_err(), "read already");
    assert!(timeout(QUIET, own.rung()).await.is_err(), "its own bell");
    assert!(timeout(QUIET, out.rung()).await.is_err());
    assert_eq!((own.is_up(), out.is_up()), (Some(true), Some(false)));

    // What a function commits that appends its own events: somewhere.
    domain::session::sign_out(&db, clerk.token).await.unwrap();
    for bus in [&oakfield, &northgate, &ahead] {
        timeout(SOON, bus.rung()).await.unwrap();
    }
}

/// Somebody who may write to the bus, and is no process of ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_a_stranger_says_over_the_bus_opens_or_closes_or_breaks_anything() {
    let Some(mut nats) = Nats::at_rest() else {
        return;
    };
    nats.start().await;
    let mut school = School::new().await;
    let house = House::new();
    let server = school.serve(&house, &nats);
    bus_is(&[&server], true).await;
    let clerk = school.person("clerk@oakfield.example").await;
    let dilip = school.person("governor1@oakfield.example").await;
    let sian = school.person("governor2@oakfield.example").await;
    let imran = school.person("teacher1@oakfield.example").await;
    let paper = paper(&clerk, &house).await;
    let topic = format!("readers/{paper}");
    let mut hers = sian.watches(&house, &["people"]).await.unwrap();
    let mut reading = sian.watches(&house, &[&topic]).await.unwrap();
    reading.until_quiet().await;

    let tenant = school.behind.tenant("oakfield").await;
    let account = school.behind.account("governor2@oakfield.example").await;
    let teacher = school.behind.account("teacher1@oakfield.example").await;
    let governor = school.behind.account("governor1@oakfield.example").await;
    let node = Uuid::new_v4();
    let stranger = nats.stranger().await;
    let say = async |subject: &'static str, words: Value| {
        stranger
            .publish(subject, words.to_string().into())
            .await
            .unwrap();
    };
    for subject in ["quorate.ring", "quorate.here"] {
        for words in [
            json!(null),
            json!("ring"),
            json!({ "node": node }),
            json!({ "node": node, "heads": { "oakfield": 1 } }),
            json!({ "node": node, "tenant": tenant, "here": "everybody" }),
        ] {
            say(subject, words).await;
        }
        stranger
            .publish(subject, vec![0xff; 4096].into())
            .await
            .unwrap();
    }
    // A seq that was never given, and a kick.
    let closes = json!({ "accounts": [account], "code": 4403 });
    let ring = json!({ "node": node, "heads": { tenant.to_string(): i64::MAX }, "closes": closes });
    say("quorate.ring", ring.clone()).await;
    say("quorate.kick", closes).await;
    // Two who are not there, one of whom does not read the paper.
    let here = json!({
        "node": node, "tenant": tenant, "here": [teacher, governor],
        "reading": { paper.to_string(): { teacher.to_string(): 5, governor.to_string(): 6 } },
    });
    say("quorate.here", here).await;
    stranger.flush().await.unwrap();
    let told = reading.words().await;
    assert_eq!(told["changed"], json!([topic]), "all was heard: {told}");
    let seen = others(&sian, &house, paper).await;
    assert!(
        seen.contains("page 6") && !seen.contains("page 5"),
        "of who is said to read it, those may be seen who could: {seen}"
    );
    assert!(hers.client.hears_nothing_for(QUIET).await);

    clerk.changes(&house, &imran, true).await;
    say("quorate.ring", ring).await;
    let seq = school.head().await;
    assert_eq!(
        hers.words().await,
        json!({ "changed": ["people"], "seq": seq })
    );
    clerk.does(&house, "people/suspend", &dilip).await;
    assert_eq!(hers.seqs(1).await, school.changes_since(seq).await);
    bus_is(&[&server], true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_tls_a_process_believes_the_certificates_that_its_machine_believes() {
    let Some(mut nats) = Nats::with_tls() else {
        return;
    };
    nats.start().await;
    let school = School::new().await;
    let (knows, does_not) = (House::new(), House::new());
    let mut command = knows.command(&["serve"]);
    command.env("SSL_CERT_FILE", nats.certificate());
    let (first, second) = (
        school.serve_as(&knows, &nats, command),
        school.serve(&does_not, &nats),
    );
    bus_is(&[&first], true).await;
    bus_is(&[&second], false).await;
    let started = Instant::now();
    while said(&does_not, DOWN) == 0 {
        assert!(started.elapsed() < PATIENCE, "{}", does_not.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((said(&knows, DOWN), said(&does_not, DOWN)), (0, 1));
}
