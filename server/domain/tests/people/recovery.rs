//! Links that are mailed: each works once, in its time, for whom it was made; and a stolen copy of the tables has none.

use crate::scene::{CHAIR, CLERK, NEW_PASSWORD, PLACE, Scene};
use domain::{
    Refusal, TenantId, demo, factor,
    mailing::{Kind, LinkToken},
    membership, recovery,
    session::{self, Needs, Token},
};
use futures::future::join_all;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use testing::Role;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_link_works_once_for_half_an_hour_ends_all_sessions_and_leaves_the_factor_in_the_way()
 {
    let mut scene = Scene::new().await;
    let here = scene.sign_in(CHAIR).await;
    let others = scene.sign_in(CLERK).await;
    let link = scene.asks_reset(CHAIR).await.unwrap();
    let life = scene.text("select extract(epoch from expires_at - clock_timestamp())::int::text from sec.reset where token_hash is not null").await;
    assert!(
        (1770..=1800).contains(&life.parse::<i32>().unwrap()),
        "{life}"
    );
    assert_eq!(
        recovery::reset_link(&scene.db, link.bytes())
            .await
            .unwrap()
            .email,
        CHAIR
    );
    for weak in ["margaret.oyelaran.1", "oakfield.primary.2026"] {
        let answer = recovery::reset(&scene.db, &scene.hasher, link.bytes(), PLACE, weak).await;
        assert!(
            matches!(answer, Err(Refusal::Password(_))),
            "{weak}: {answer:?}"
        );
    }
    assert!(scene.is_in(here).await, "asking ends nothing");

    let uses = (0..8)
        .map(|_| recovery::reset(&scene.db, &scene.hasher, link.bytes(), PLACE, NEW_PASSWORD));
    let used = join_all(uses).await;
    assert_eq!(used.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(
        used.iter()
            .all(|answer| matches!(answer, Ok(()) | Err(Refusal::LinkGone))),
        "{used:?}"
    );
    assert_eq!(
        recovery::reset_link(&scene.db, link.bytes()).await.err(),
        Some(Refusal::LinkGone)
    );
    assert!(scene.live(here).await.is_none() && scene.is_in(others).await);
    assert_eq!(
        scene.try_password(CHAIR, demo::PASSWORD).await.err(),
        Some(Refusal::WrongCredentials)
    );
    let (token, needs) = scene.try_password(CHAIR, NEW_PASSWORD).await.unwrap();
    assert_eq!(
        needs,
        Needs::Factor,
        "a link is no way around the second factor"
    );
    assert!(!scene.is_in(token).await);

    // Too old; voided by a later change; for nobody.
    let old = scene.asks_reset(CHAIR).await.unwrap();
    scene
        .sql("update sec.reset set expires_at = now() - interval '1 second' where used_at is null")
        .await;
    assert_eq!(
        recovery::reset(&scene.db, &scene.hasher, old.bytes(), PLACE, NEW_PASSWORD)
            .await
            .err(),
        Some(Refusal::LinkGone)
    );
    let full = scene.pass(token).await.unwrap();
    let live = scene.live(full).await.unwrap();
    let before = scene.asks_reset(CHAIR).await.unwrap();
    session::change_password(
        &scene.db,
        &scene.hasher,
        full,
        &live,
        PLACE,
        NEW_PASSWORD,
        "cobalt bramble orchid tundra",
    )
    .await
    .unwrap();
    assert_eq!(
        recovery::reset_link(&scene.db, before.bytes()).await.err(),
        Some(Refusal::LinkGone),
        "asked for before the password changed"
    );
    assert!(
        scene.asks_reset(CHAIR).await.is_none(),
        "three in an hour are all"
    );
    assert!(scene.asks_reset("nobody@oakfield.example").await.is_none());
    assert!(
        scene
            .asks_reset("chair@oakfield.example,admin@oakfield.example")
            .await
            .is_none(),
        "CVE-2023-7028"
    );
    assert_eq!(
        recovery::reset_link(&scene.db, &[0; 32]).await.err(),
        Some(Refusal::LinkGone)
    );
}

#[tokio::test]
async fn a_reset_lifts_the_lock_that_an_outsider_made() {
    let scene = Scene::new().await;
    for _ in 0..11 {
        let _ = scene.try_password(CHAIR, "a guess").await;
    }
    assert!(matches!(
        scene.try_password(CHAIR, demo::PASSWORD).await,
        Err(Refusal::Wait(_))
    ));
    let link = scene.asks_reset(CHAIR).await.unwrap();
    recovery::reset(&scene.db, &scene.hasher, link.bytes(), PLACE, NEW_PASSWORD)
        .await
        .unwrap();
    assert!(scene.try_password(CHAIR, NEW_PASSWORD).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_works_once_for_seven_days_at_its_own_school() {
    let mut scene = Scene::new().await;
    let link = scene
        .invite("Amara Bello", "amara.bello@elsewhere.example")
        .await
        .unwrap();
    let life = scene.text("select (extract(epoch from expires_at - clock_timestamp()) / 3600)::numeric(9, 1)::text from sec.invitation where token_hash is not null").await;
    assert_eq!(life, "168.0");
    let accept = |tenant: TenantId, link: &LinkToken, password: Option<&'static str>| {
        let (db, hasher, link) = (scene.db.clone(), scene.hasher.clone(), *link.bytes());
        async move {
            recovery::accept(
                &db,
                &hasher,
                &link,
                tenant,
                "Oakfield Primary School",
                password,
            )
            .await
        }
    };
    assert_eq!(
        recovery::invitation(&scene.db, link.bytes(), scene.northgate)
            .await
            .err(),
        Some(Refusal::LinkGone)
    );
    assert_eq!(
        accept(scene.northgate, &link, Some(NEW_PASSWORD)).await,
        Err(Refusal::LinkGone)
    );
    assert_eq!(
        scene
            .try_password("amara.bello@elsewhere.example", NEW_PASSWORD)
            .await
            .err(),
        Some(Refusal::WrongCredentials)
    );
    assert!(matches!(
        accept(scene.oakfield, &link, None).await,
        Err(Refusal::Password(_))
    ));
    assert!(matches!(
        accept(scene.oakfield, &link, Some("Oakfield Primary 1")).await,
        Err(Refusal::Password(_))
    ));

    let used = join_all((0..8).map(|_| accept(scene.oakfield, &link, Some(NEW_PASSWORD)))).await;
    assert_eq!(
        used.iter().filter(|answer| answer.is_ok()).count(),
        1,
        "{used:?}"
    );
    assert_eq!(
        recovery::invitation(&scene.db, link.bytes(), scene.oakfield)
            .await
            .err(),
        Some(Refusal::LinkGone)
    );
    assert_eq!(
        scene
            .try_password("amara.bello@elsewhere.example", NEW_PASSWORD)
            .await
            .unwrap()
            .1,
        Needs::Enrolment
    );
}

#[tokio::test]
async fn an_invitation_that_is_old_renewed_or_taken_back_is_gone_and_a_known_person_keeps_their_password()
 {
    let mut scene = Scene::new().await;
    let old = scene
        .invite("Amara Bello", "amara.bello@elsewhere.example")
        .await
        .unwrap();
    scene
        .sql("update sec.invitation set expires_at = now() - interval '1 second'")
        .await;
    let open = |link: LinkToken| {
        let (db, oakfield) = (scene.db.clone(), scene.oakfield);
        async move { recovery::invitation(&db, link.bytes(), oakfield).await }
    };
    assert_eq!(open(old).await.err(), Some(Refusal::LinkGone));

    let clerk = scene.behind.caller("oakfield", CLERK).await;
    let amara = scene
        .behind
        .membership("oakfield", "amara.bello@elsewhere.example")
        .await;
    let mut links = Vec::new();
    for _ in 0..2 {
        let mut write = scene.db.write(&clerk).await.unwrap();
        let act = membership::invite_again(&mut write, amara).await.unwrap();
        write.commit(act).await.unwrap();
        links.push(scene.mailed(Kind::Invitation).await.unwrap());
    }
    assert_eq!(
        open(links[0]).await.err(),
        Some(Refusal::LinkGone),
        "there is a later one"
    );
    assert!(open(links[1]).await.is_ok());
    let mut write = scene.db.write(&clerk).await.unwrap();
    let (_, act) = membership::remove(&mut write, amara).await.unwrap();
    write.commit(act).await.unwrap();
    assert_eq!(
        open(links[1]).await.err(),
        Some(Refusal::LinkGone),
        "taken back"
    );

    // Northgate's chair is asked to Oakfield: whoever has the link cannot set her password by it.
    let link = scene
        .invite("Winston Clarke", "chair@northgate.example")
        .await
        .unwrap();
    assert!(
        recovery::invitation(&scene.db, link.bytes(), scene.oakfield)
            .await
            .unwrap()
            .has_password
    );
    recovery::accept(
        &scene.db,
        &scene.hasher,
        link.bytes(),
        scene.oakfield,
        "Oakfield",
        Some(NEW_PASSWORD),
    )
    .await
    .unwrap();
    assert_eq!(
        scene
            .try_password("chair@northgate.example", NEW_PASSWORD)
            .await
            .err(),
        Some(Refusal::WrongCredentials)
    );
    assert!(
        scene
            .try_password("chair@northgate.example", demo::PASSWORD)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn nothing_in_a_stolen_copy_of_the_tables_opens_anything() {
    let mut scene = Scene::new().await;
    let chair = scene.sign_in(CHAIR).await;
    let codes = factor::new_codes(&scene.db, chair).await.unwrap();
    let reset = scene.asks_reset(CHAIR).await.unwrap();
    let invitation = scene
        .invite("Amara Bello", "amara.bello@elsewhere.example")
        .await
        .unwrap();
    let joan = scene.sign_in("clerk@beacon.example").await;
    let ticket = session::ticket_issue(&scene.db, joan, scene.northgate)
        .await
        .unwrap();

    let mut loot: Vec<Vec<u8>> = Vec::new();
    for column in [
        "session.token_hash",
        "invitation.token_hash",
        "reset.token_hash",
        "ticket.token_hash",
        "recovery_code.code_hash",
        "factor.secret",
    ] {
        let (table, name) = column.split_once('.').unwrap();
        let rows = scene
            .behind
            .fetch_all(AssertSqlSafe(format!(
                "select {name} from sec.{table} where {name} is not null limit 40"
            )))
            .await
            .unwrap();
        assert!(!rows.is_empty(), "{column}");
        loot.extend(rows.iter().map(|row| row.get::<Vec<u8>, _>(0)));
    }
    // Each value as each kind of token: whole, and as the sixteen bytes a cookie carries.
    let (waiting, _) = scene.try_password(CHAIR, demo::PASSWORD).await.unwrap();
    for value in &loot {
        let cookie = Token::from_bytes(value[..16].try_into().unwrap());
        assert!(scene.live(cookie).await.is_none());
        assert_eq!(
            recovery::reset_link(&scene.db, &value[..32]).await.err(),
            Some(Refusal::LinkGone)
        );
        for tenant in [scene.oakfield, scene.northgate] {
            assert_eq!(
                recovery::invitation(&scene.db, &value[..32], tenant)
                    .await
                    .err(),
                Some(Refusal::LinkGone)
            );
            assert_eq!(
                session::ticket_use(&scene.db, &value[..32], tenant, "Firefox")
                    .await
                    .err(),
                Some(Refusal::LinkGone)
            );
        }
        let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        scene.sql("update sec.attempt set recent = '{}'").await;
        assert!(factor::recover(&scene.db, waiting, &hex).await.is_err());
        for code in ["select sec.enter($1)", "select sec.sign_out($1)::text"] {
            let mut web = sqlx::ConnectOptions::connect(&scene.fresh.options(Role::Web))
                .await
                .unwrap();
            let said: String = sqlx::query_scalar(code)
                .bind(value)
                .fetch_one(&mut web)
                .await
                .unwrap();
            assert!(matches!(said.as_str(), "none" | "false"), "{code}: {said}");
        }
    }
    // Nor is a stored hash a password.
    let phc = scene.text(&format!("select phc from sec.credential where account_id = (select id from account where email = '{CHAIR}')")).await;
    assert_eq!(
        scene.try_password(CHAIR, &phc).await.err(),
        Some(Refusal::WrongCredentials)
    );
    // The outsiders: what was handed out opens all of it.
    assert!(scene.is_in(chair).await);
    assert!(recovery::reset_link(&scene.db, reset.bytes()).await.is_ok());
    assert!(
        recovery::invitation(&scene.db, invitation.bytes(), scene.oakfield)
            .await
            .is_ok()
    );
    assert!(
        session::ticket_use(&scene.db, &ticket, scene.northgate, "Firefox")
            .await
            .is_ok()
    );
    assert!(factor::recover(&scene.db, waiting, &codes[3]).await.is_ok());
}
