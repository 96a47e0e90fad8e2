//! What happens while nobody sits there: sessions run out, half-begun second factors are nobody's, a new rule ends what it
//! forbids, and the databases look after themselves.

use crate::{
    change::{add, drop_role, give_role},
    factor::totp_bytes,
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, JOAN, Scene},
};
use domain::{
    Refusal,
    db::{Caller, LiveDb, MailDb},
    demo, factor, live,
    role::Role as Held,
    session::{self, Token},
    tenancy::{self, FactorRule},
};
use testing::{Role, Stand, secrets};

#[tokio::test]
async fn what_a_page_asks_by_itself_keeps_no_session_alive() {
    let mut scene = Scene::new().await;
    let token = scene.sign_in(CHAIR).await;
    let quiet =
        "update sec.session set seen_at = now() - interval '19 minutes' where ended_at is null";
    let by_itself = async |scene: &Scene, token| {
        let lives = session::lives(&scene.db, &[(token, false)]).await;
        lives.unwrap().pop().flatten()
    };
    let seen = "select (seen_at > now() - interval '1 minute')::text from sec.session where ended_at is null";
    scene.sql(quiet).await;
    assert!(by_itself(&scene, token).await.is_some());
    assert_eq!(scene.text(seen).await, "false");
    // The outsider: somebody who opens a page.
    assert!(session::live(&scene.db, token).await.unwrap().is_some());
    assert_eq!(scene.text(seen).await, "true");
    scene.sql(quiet).await;
    scene.sql("update sec.session set seen_at = seen_at - interval '2 minutes' where ended_at is null").await;
    assert!(by_itself(&scene, token).await.is_none());
}

#[tokio::test]
async fn a_second_factor_that_somebody_else_began_is_never_shown_and_confirms_nothing() {
    let mut scene = Scene::new().await;
    scene.sql("delete from sec.factor").await;
    let begin = async |scene: &Scene, token: Token| {
        let live = scene.live(token).await.unwrap();
        factor::begin(&scene.db, &secrets(), token, &live, "Oakfield")
            .await
            .unwrap()
            .typed
    };
    let (thief, _) = scene.try_password(CHAIR, demo::PASSWORD).await.unwrap();
    let noted = begin(&scene, thief).await;
    assert_eq!(begin(&scene, thief).await, noted, "opening the page again");
    let (owner, _) = scene.try_password(CHAIR, demo::PASSWORD).await.unwrap();
    let own = begin(&scene, owner).await;
    assert_ne!(own, noted);
    // What the thief noted is of no use, neither in their own session nor in the owner's.
    let now = 1_800_000_000;
    let code = |typed: &str| {
        let secret: String = typed.split_whitespace().collect();
        testing::code_at(&factor::Secret::from_bytes(totp_bytes(&secret)), now)
    };
    for (token, typed) in [(thief, &noted), (owner, &noted), (thief, &own)] {
        let live = scene.live(token).await.unwrap();
        let confirmed =
            factor::confirm(&scene.db, &secrets(), token, &live, &code(typed), now).await;
        assert!(confirmed.is_err(), "{:?}", confirmed.map(drop));
    }
    // The outsider: the owner with their own.
    let live = scene.live(owner).await.unwrap();
    assert!(
        factor::confirm(&scene.db, &secrets(), owner, &live, &code(&own), now)
            .await
            .is_ok()
    );
    let told = "select string_agg(act, ' ' order by seq) from event where act like 'factor.%'";
    assert_eq!(
        scene.text(told).await,
        "factor.enrolled factor.codes_replaced"
    );
}

#[tokio::test]
async fn an_enrolment_left_open_is_begun_anew_after_a_quarter_of_an_hour() {
    let mut scene = Scene::new().await;
    scene.sql("delete from sec.factor").await;
    let (token, _) = scene.try_password(CHAIR, demo::PASSWORD).await.unwrap();
    let live = scene.live(token).await.unwrap();
    let mut shown = Vec::new();
    for minutes in [0, 14, 2] {
        scene
            .sql(&format!(
                "update sec.factor set created_at = created_at - interval '{minutes} minutes'"
            ))
            .await;
        shown.push(
            factor::begin(&scene.db, &secrets(), token, &live, "Oakfield")
                .await
                .unwrap()
                .typed,
        );
    }
    assert_eq!(shown[0], shown[1]);
    assert_ne!(shown[1], shown[2]);
}

#[tokio::test]
async fn new_recovery_codes_are_told_to_every_school_of_their_owner() {
    let mut scene = Scene::new().await;
    let joan = scene.sign_in(JOAN).await;
    let told = "select string_agg(t.label, ' ' order by t.label) from event e join tenant t on t.id = e.tenant_id where e.act = 'factor.codes_replaced'";
    assert_eq!(scene.text(told).await, "");
    factor::new_codes(&scene.db, joan).await.unwrap();
    assert_eq!(scene.text(told).await, "northgate oakfield");
}

#[tokio::test]
async fn an_administrator_is_made_only_by_somebody_who_proved_it_just_now() {
    let mut scene = Scene::new().await;
    let place = scene.place(GOVERNOR).await;
    let away = Caller {
        token: scene
            .behind
            .session(Some("oakfield"), ADMIN, Stand::Full)
            .await,
        tenant: scene.oakfield,
    };
    let admin = &[Held::SchoolAdmin][..];
    assert_eq!(
        add(&scene.db, &away, "Me", "me@elsewhere.example", admin)
            .await
            .err(),
        Some(Refusal::StepUpNeeded)
    );
    assert_eq!(
        give_role(&scene.db, &away, place, Held::SchoolAdmin)
            .await
            .err(),
        Some(Refusal::StepUpNeeded)
    );
    // The outsiders: lesser roles, and a fresh proof.
    add(
        &scene.db,
        &away,
        "Ines",
        "ines@elsewhere.example",
        &[Held::Governor],
    )
    .await
    .unwrap();
    let proved = scene.caller(ADMIN).await;
    give_role(&scene.db, &proved, place, Held::SchoolAdmin)
        .await
        .unwrap();
    assert_eq!(
        drop_role(&scene.db, &away, place, Held::SchoolAdmin)
            .await
            .err(),
        Some(Refusal::StepUpNeeded),
        "nor taken away"
    );
}

#[tokio::test]
async fn a_rule_that_asks_for_a_second_factor_ends_the_sockets_of_those_without() {
    let mut scene = Scene::new().await;
    let dead = async |scene: &Scene, token: Token| {
        let id = scene.live(token).await.unwrap().id;
        let live = LiveDb::new(scene.fresh.options(Role::Live), 1);
        !live::dead(&live, &[id]).await.unwrap().is_empty()
    };
    scene
        .sql("update tenant set factor_rule = 'officers'")
        .await;
    scene.sql(&format!("delete from sec.factor where account_id = (select id from account where email = '{GOVERNOR}')")).await;
    let (governor, _) = scene.try_password(GOVERNOR, demo::PASSWORD).await.unwrap();
    let clerk = scene.caller(CLERK).await.token;
    assert!(
        !dead(&scene, governor).await,
        "the outsider: they need none yet"
    );
    let admin = scene.caller(ADMIN).await;
    let mut write = scene.db.write(&admin).await.unwrap();
    let act = tenancy::set_factor_rule(&mut write, FactorRule::Everyone)
        .await
        .unwrap();
    write.commit(act).await.unwrap();
    assert!(dead(&scene, governor).await);
    assert!(!dead(&scene, clerk).await);
}

#[tokio::test]
async fn the_upkeep_forgets_old_tries_and_makes_the_months_ahead() {
    let mut scene = Scene::new().await;
    scene
        .try_password("nobody@elsewhere.example", "wrong wrong wrong wrong")
        .await
        .unwrap_err();
    scene
        .try_password("somebody@elsewhere.example", "wrong wrong wrong wrong")
        .await
        .unwrap_err();
    scene.sql("update sec.attempt set recent = array_fill(now() - interval '25 hours', array[1]) where ctid = (select min(ctid) from sec.attempt)").await;
    let months = "select count(*)::text from pg_inherits where inhparent = 'event'::regclass";
    let before = scene.text(months).await;
    let last = scene.text("select inhrelid::regclass::text from pg_inherits where inhparent = 'event'::regclass and inhrelid::regclass::text like '%event_2%' order by 1 desc limit 1").await;
    scene.sql(&format!("drop table {last}")).await;
    assert_ne!(scene.text(months).await, before);
    assert_eq!(
        scene.text("select count(*)::text from sec.attempt").await,
        "2"
    );
    let mail = MailDb::new(scene.fresh.options(Role::Worker), 1);
    mail.keep_up().await.unwrap();
    assert_eq!(scene.text(months).await, before);
    assert_eq!(
        scene.text("select count(*)::text from sec.attempt").await,
        "1",
        "the one of today stays"
    );
}
