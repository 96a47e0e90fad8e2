//! Staying signed in: how long, where, and how it ends.

use crate::scene::{ADMIN, CHAIR, CLERK, Scene};
use domain::{
    Refusal, TenantId, demo, membership,
    role::Role as Held,
    session::{self, Needs, Token},
};
use futures::future::join_all;
use testing::Stand;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_to_another_school_works_once_for_a_minute_there_alone() {
    let mut scene = Scene::new().await;
    let joan = scene.sign_in("clerk@beacon.example").await;
    let db = scene.db.clone();
    let go = |tenant: TenantId, ticket: [u8; 32]| {
        let db = db.clone();
        async move { session::ticket_use(&db, &ticket, tenant, "Firefox").await }
    };
    assert_eq!(
        session::ticket_issue(&scene.db, scene.sign_in(CHAIR).await, scene.northgate)
            .await
            .err(),
        Some(Refusal::NotFound),
        "the chair has no place there"
    );
    let ticket = session::ticket_issue(&scene.db, joan, scene.northgate)
        .await
        .unwrap();
    assert!(go(scene.oakfield, ticket).await.is_err());
    let used: Vec<_> = join_all((0..8).map(|_| go(scene.northgate, ticket)))
        .await
        .into_iter()
        .filter_map(Result::ok)
        .collect();
    assert_eq!(used.len(), 1);
    let there = scene.live(used[0].0).await.unwrap();
    assert_eq!(
        (there.tenant, there.needs),
        (Some(scene.northgate), Needs::Nothing)
    );
    assert!(
        !scene.is_in(used[0].0).await,
        "a session of Northgate is none at Oakfield"
    );

    let old = session::ticket_issue(&scene.db, joan, scene.northgate)
        .await
        .unwrap();
    scene
        .sql("update sec.ticket set expires_at = now() - interval '1 second'")
        .await;
    assert!(go(scene.northgate, old).await.is_err());
    let last = session::ticket_issue(&scene.db, joan, scene.northgate)
        .await
        .unwrap();
    session::sign_out(&scene.db, joan).await.unwrap();
    assert!(
        go(scene.northgate, last).await.is_err(),
        "its session has ended"
    );
}

#[tokio::test]
async fn a_session_ends_after_twenty_quiet_minutes_ten_on_a_shared_computer_and_ten_hours_in_any_case()
 {
    let mut scene = Scene::new().await;
    for (shared, quiet) in [(false, 20), (true, 10)] {
        let (token, _) = scene
            .try_from(CHAIR, demo::PASSWORD, Some(scene.oakfield), shared, None)
            .await
            .unwrap();
        let token = scene.pass(token).await.unwrap();
        let hash = scene
            .text("select encode(token_hash, 'hex') from sec.session order by id desc limit 1")
            .await;
        let whose = format!("where token_hash = '\\x{hash}'");
        let lasts = scene.text(&format!("select extract(epoch from expires_at - created_at)::int::text from sec.session {whose}")).await;
        assert_eq!(lasts, "36000");
        scene.sql(&format!("update sec.session set seen_at = now() - interval '{quiet} minutes' + interval '20 seconds' {whose}")).await;
        assert!(scene.live(token).await.is_some());
        let seen = scene
            .text(&format!(
                "select (seen_at > now() - interval '5 seconds')::text from sec.session {whose}"
            ))
            .await;
        assert_eq!(seen, "true", "looking is activity");
        scene.sql(&format!("update sec.session set seen_at = now() - interval '{quiet} minutes' - interval '5 seconds' {whose}")).await;
        assert!(
            scene.live(token).await.is_none() && !scene.is_in(token).await,
            "{quiet} minutes"
        );
        assert!(
            scene.live(token).await.is_none(),
            "and asking does not revive it"
        );

        scene.sql(&format!("update sec.session set seen_at = now(), expires_at = now() + interval '20 seconds' {whose}")).await;
        assert!(scene.is_in(token).await);
        scene
            .sql(&format!(
                "update sec.session set expires_at = now() - interval '5 seconds' {whose}"
            ))
            .await;
        assert!(
            scene.live(token).await.is_none() && !scene.is_in(token).await,
            "ten hours"
        );
    }
}

#[tokio::test]
async fn a_fresh_proof_lasts_five_minutes_and_changes_the_token() {
    let mut scene = Scene::new().await;
    let before = scene
        .behind
        .session(Some("oakfield"), ADMIN, Stand::Full)
        .await;
    let stepped = async |scene: &Scene, token| {
        scene
            .db
            .read(&scene.at_oakfield(token))
            .await
            .unwrap()
            .standing
            .stepped_up
    };
    assert!(!stepped(&scene, before).await);
    let (db, hasher) = (scene.db.clone(), scene.hasher.clone());
    let step = |token: Token, email: &'static str, password: &'static str| {
        let (db, hasher) = (db.clone(), hasher.clone());
        async move { session::step_up(&db, &hasher, token, email, password).await }
    };
    assert_eq!(
        step(before, ADMIN, "not hers").await.err(),
        Some(Refusal::WrongPassword)
    );
    let after = step(before, ADMIN, demo::PASSWORD).await.unwrap();
    assert!(stepped(&scene, after).await);
    assert!(
        scene.live(before).await.is_none(),
        "whoever learned the old token is left behind"
    );
    scene.sql("update sec.session set stepped_up_at = now() - interval '4 minutes 40 seconds' where ended_at is null").await;
    assert!(stepped(&scene, after).await);
    scene.sql("update sec.session set stepped_up_at = now() - interval '5 minutes 1 second' where ended_at is null").await;
    assert!(!stepped(&scene, after).await);
    // Ten wrong ones, and the right one has to wait.
    for _ in 0..10 {
        assert_eq!(
            step(after, ADMIN, "not hers").await.err(),
            Some(Refusal::WrongPassword)
        );
    }
    assert!(matches!(
        step(after, ADMIN, demo::PASSWORD).await,
        Err(Refusal::Wait(_))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_in_flight_survives_or_revives_a_session_that_signs_out() {
    let mut scene = Scene::new().await;
    let governor = scene
        .behind
        .membership("oakfield", "governor1@oakfield.example")
        .await;
    for round in 0..12 {
        if round == 6 {
            // The moment between looking at a session and moving it, made long enough to be met.
            scene
                .rewrite(
                    "sec.sessions(bytea[], boolean[])",
                    "skip locked)",
                    "skip locked) and pg_sleep(0.03) is not null",
                )
                .await;
        }
        let clerk = scene
            .behind
            .session(Some("oakfield"), CLERK, Stand::SteppedUp)
            .await;
        // Old enough that every look wants to move it.
        scene.sql("update sec.session set seen_at = now() - interval '1 minute' where ended_at is null").await;
        let caller = scene.at_oakfield(clerk);
        let requests = (0..24).map(|n| {
            let (db, caller) = (scene.db.clone(), caller.clone());
            tokio::spawn(async move {
                match n % 3 {
                    0 => session::live(&db, caller.token).await.map(drop),
                    1 => db.read(&caller).await.map(drop),
                    _ => {
                        let mut write = db.write(&caller).await?;
                        let plain = membership::give_role(&mut write, governor, Held::Chair).await;
                        let act = match plain {
                            Err(Refusal::Stale) => {
                                membership::drop_role(&mut write, governor, Held::Chair).await?
                            }
                            other => other?,
                        };
                        write.commit(act).await.map(drop)
                    }
                }
            })
        });
        let requests: Vec<_> = requests.collect();
        tokio::time::sleep(std::time::Duration::from_millis(8)).await;
        session::sign_out(&scene.db, clerk).await.unwrap();
        for request in requests {
            let answer = request.await.unwrap();
            assert!(
                matches!(answer, Ok(()) | Err(Refusal::SignedOut | Refusal::Stale)),
                "{answer:?}"
            );
        }
        assert!(scene.live(clerk).await.is_none() && !scene.is_in(clerk).await);
        let account = scene.behind.account(CLERK).await;
        let late = scene
            .text(&format!(
                "select count(*)::text from event e where actor = '{account}' and act like 'membership.role\\_%'
                   and seq > (select max(seq) from event where tenant_id = e.tenant_id and act = 'session.closed' and actor = '{account}')"
            ))
            .await;
        assert_eq!(late, "0", "a change after the end of its session");
    }
    assert_ne!(
        scene
            .text("select count(*)::text from event where act like 'membership.role\\_%'")
            .await,
        "0"
    );
}

#[tokio::test]
async fn one_ends_ones_own_other_sessions_and_nobody_elses() {
    let mut scene = Scene::new().await;
    let here = scene.sign_in(CHAIR).await;
    let there = scene.sign_in(CHAIR).await;
    let others = scene.sign_in(CLERK).await;
    let (there_id, others_id) = (
        scene.live(there).await.unwrap().id,
        scene.live(others).await.unwrap().id,
    );
    let list = session::elsewhere(&scene.db, here).await.unwrap();
    assert_eq!(list.len(), 2);
    assert!(list[0].this && list[1].id == there_id && list.iter().all(|one| one.id != others_id));
    assert_eq!(
        session::end(&scene.db, here, others_id).await,
        Err(Refusal::Stale)
    );
    assert!(scene.is_in(others).await);
    session::end(&scene.db, here, there_id).await.unwrap();
    assert!(!scene.is_in(there).await && scene.is_in(here).await);
    assert_eq!(
        session::end(&scene.db, here, there_id).await,
        Err(Refusal::Stale)
    );
    let _ = &mut scene;
}
