//! The second factor: one code, one session; who must have one; and no way around it.

use crate::scene::{
    ADMIN, CHAIR, CLERK, GOVERNOR, NEW_PASSWORD, PARENT, PLACE, Scene, TEACHER, demo_factor,
};
use domain::{
    Refusal,
    db::Caller,
    demo,
    factor::{self, Secret},
    membership,
    role::Role as Held,
    session::{self, Needs, Token},
    tenancy::{self, FactorRule},
};
use futures::future::join_all;
use std::collections::BTreeSet;
use testing::{Stand, code_at, secrets};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_code_opens_one_session_however_many_send_it_at_once() {
    let mut scene = Scene::new().await;
    let thirty = async |scene: &Scene, email: &str| {
        let (code, now) = scene.next_code();
        let mut tokens = Vec::new();
        for _ in 0..5 {
            tokens.push(scene.try_password(email, demo::PASSWORD).await.unwrap().0);
        }
        let live = scene.live(tokens[0]).await.unwrap();
        let uses = (0..30).map(|n| {
            let (token, live, code, secrets) = (tokens[n % 5], &live, &code, secrets());
            async move { factor::pass(&scene.db, &secrets, token, live, code, now).await }
        });
        let answers = join_all(uses).await;
        (
            answers
                .into_iter()
                .filter_map(Result::ok)
                .collect::<Vec<_>>(),
            tokens,
        )
    };
    let (passed, tokens) = thirty(&scene, CHAIR).await;
    assert_eq!(passed.len(), 1);
    assert!(scene.is_in(passed[0]).await);
    for token in tokens {
        assert!(
            !scene.is_in(token).await,
            "the token before the factor is not the one after it"
        );
    }
    // Were steps not remembered, more would pass.
    scene
        .rewrite(
            "sec.factor_pass(bytea, bytea, bigint, boolean)",
            "and f.last_step < step",
            "",
        )
        .await;
    assert!(thirty(&scene, CLERK).await.0.len() > 1);
}

#[tokio::test]
async fn an_old_code_a_used_code_and_the_code_of_another_app_are_wrong_and_ten_tries_are_all() {
    let scene = Scene::new().await;
    let (token, _) = scene.try_password(CHAIR, demo::PASSWORD).await.unwrap();
    let live = scene.live(token).await.unwrap();
    let now = 1_800_000_300;
    let pass = |token: Token, code: String| {
        let live = live.clone();
        let db = scene.db.clone();
        async move { factor::pass(&db, &secrets(), token, &live, &code, now).await }
    };
    let code = code_at(&demo_factor(), now);
    let strange = code_at(&Secret::from_bytes(vec![7; 20]), now);
    for (what, wrong) in [
        ("old", code_at(&demo_factor(), now - 120)),
        ("another app's", strange),
        ("short", code[..5].to_owned()),
        ("none", String::new()),
    ] {
        assert_eq!(
            pass(token, wrong).await.err(),
            Some(Refusal::WrongCode),
            "{what}"
        );
    }
    let full = pass(token, code.clone()).await.unwrap();
    assert!(scene.is_in(full).await);
    let (again, _) = scene.try_password(CHAIR, demo::PASSWORD).await.unwrap();
    assert_eq!(
        pass(again, code).await.err(),
        Some(Refusal::WrongCode),
        "used"
    );
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(pass(again, "000000".to_owned()).await.err().unwrap());
    }
    assert_eq!(
        answers
            .iter()
            .filter(|answer| **answer == Refusal::WrongCode)
            .count(),
        9,
        "one was tried before: {answers:?}"
    );
    assert!(matches!(
        pass(again, code_at(&demo_factor(), now + 30)).await,
        Err(Refusal::Wait(_))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_code_works_once_for_its_owner_and_a_new_set_voids_the_old() {
    let mut scene = Scene::new().await;
    let chair = scene.sign_in(CHAIR).await;
    let codes = factor::new_codes(&scene.db, chair).await.unwrap();
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 10);
    let (others, _) = scene.try_password(CLERK, demo::PASSWORD).await.unwrap();
    assert_eq!(
        factor::recover(&scene.db, others, &codes[0]).await.err(),
        Some(Refusal::WrongRecoveryCode),
        "the chair's code, by the clerk"
    );

    let mut tokens = Vec::new();
    for _ in 0..8 {
        tokens.push(scene.try_password(CHAIR, demo::PASSWORD).await.unwrap().0);
    }
    let passed: Vec<_> = join_all(
        tokens
            .iter()
            .map(|token| factor::recover(&scene.db, *token, &codes[0])),
    )
    .await
    .into_iter()
    .filter_map(Result::ok)
    .collect();
    assert_eq!(passed.len(), 1);
    assert!(scene.is_in(passed[0]).await);

    let newer = factor::new_codes(&scene.db, passed[0]).await.unwrap();
    scene.sql("update sec.attempt set recent = '{}'").await;
    let (token, _) = scene.try_password(CHAIR, demo::PASSWORD).await.unwrap();
    assert_eq!(
        factor::recover(&scene.db, token, &codes[1]).await.err(),
        Some(Refusal::WrongRecoveryCode),
        "of the set before"
    );
    assert!(
        factor::recover(&scene.db, token, &newer[1].to_lowercase().replace(' ', ""))
            .await
            .is_ok()
            || factor::recover(&scene.db, token, &newer[2]).await.is_ok()
    );
    // New codes need a proof of the last five minutes.
    let old = scene
        .behind
        .session(Some("oakfield"), CHAIR, Stand::Full)
        .await;
    assert_eq!(
        factor::new_codes(&scene.db, old).await.err(),
        Some(Refusal::StepUpNeeded)
    );
    let half = scene
        .behind
        .session(Some("oakfield"), CHAIR, Stand::Password)
        .await;
    assert_eq!(
        factor::new_codes(&scene.db, half).await.err(),
        Some(Refusal::StepUpNeeded)
    );
}

#[tokio::test]
async fn a_password_alone_neither_reads_nor_replaces_the_second_factor() {
    let mut scene = Scene::new().await;
    let (token, needs) = scene.try_password(CHAIR, demo::PASSWORD).await.unwrap();
    assert_eq!(needs, Needs::Factor);
    assert!(!scene.is_in(token).await);
    let live = scene.live(token).await.unwrap();
    assert_eq!(
        factor::begin(&scene.db, &secrets(), token, &live, "Quorate")
            .await
            .err(),
        Some(Refusal::StepUpNeeded)
    );
    assert!(session::places(&scene.db, token).await.unwrap().is_empty());
    assert!(
        session::elsewhere(&scene.db, token)
            .await
            .unwrap()
            .is_empty()
    );
    let live = scene.live(token).await.unwrap();
    assert!(
        session::change_password(
            &scene.db,
            &scene.hasher,
            token,
            &live,
            PLACE,
            demo::PASSWORD,
            NEW_PASSWORD
        )
        .await
        .is_err()
    );
    assert!(
        session::step_up(&scene.db, &scene.hasher, token, CHAIR, demo::PASSWORD)
            .await
            .is_err()
    );
    // A ticket carries no more than there is: at Northgate too the factor is asked for.
    let (joan, _) = scene
        .try_from(
            "clerk@beacon.example",
            demo::PASSWORD,
            Some(scene.oakfield),
            false,
            None,
        )
        .await
        .unwrap();
    if let Ok(ticket) = session::ticket_issue(&scene.db, joan, scene.northgate).await {
        let (there, _) = session::ticket_use(&scene.db, &ticket, scene.northgate, "Firefox")
            .await
            .unwrap();
        assert_eq!(scene.live(there).await.unwrap().needs, Needs::Factor);
    }
    // Nor does a session that proved itself six minutes ago replace it; one that did just now may.
    let old = scene
        .behind
        .session(Some("oakfield"), CHAIR, Stand::Full)
        .await;
    assert_eq!(
        factor::begin(&scene.db, &secrets(), old, &live, "Quorate")
            .await
            .err(),
        Some(Refusal::StepUpNeeded)
    );
    let fresh = scene
        .behind
        .session(Some("oakfield"), CHAIR, Stand::SteppedUp)
        .await;
    assert!(
        factor::begin(&scene.db, &secrets(), fresh, &live, "Quorate")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn who_must_have_a_factor_enrols_first_and_the_rule_can_be_narrowed_and_widened() {
    let mut scene = Scene::new().await;
    let enrolled: &[&str] = &[CHAIR, TEACHER, GOVERNOR, PARENT, CLERK];
    for email in enrolled {
        scene.sql(&format!("delete from sec.factor where account_id = (select id from account where email = '{email}')")).await;
    }
    let needs = async |scene: &Scene, email: &str| {
        scene.try_password(email, demo::PASSWORD).await.unwrap().1
    };
    let everyone = [
        (CHAIR, Needs::Enrolment),
        (CLERK, Needs::Enrolment),
        (TEACHER, Needs::Enrolment),
        (PARENT, Needs::Nothing),
    ];
    for (email, wanted) in everyone {
        assert_eq!(
            needs(&scene, email).await,
            wanted,
            "{email} under `everyone`"
        );
    }

    let admin = scene.behind.caller("oakfield", ADMIN).await;
    let set = async |scene: &Scene, caller: &Caller, rule| -> Result<(), Refusal> {
        let mut write = scene.db.write(caller).await?;
        let act = tenancy::set_factor_rule(&mut write, rule).await?;
        write.commit(act).await.map(drop)
    };
    set(&scene, &admin, FactorRule::Officers).await.unwrap();
    let officers = [
        (CHAIR, Needs::Enrolment),
        (CLERK, Needs::Enrolment),
        // Whoever may see pupils, whatever the school has chosen.
        (TEACHER, Needs::Enrolment),
        (GOVERNOR, Needs::Nothing),
        (PARENT, Needs::Nothing),
    ];
    for (email, wanted) in officers {
        assert_eq!(
            needs(&scene, email).await,
            wanted,
            "{email} under `officers`"
        );
    }
    // Dilip is in; when the rule is widened he is asked at his very next request.
    let (dilip, _) = scene.try_password(GOVERNOR, demo::PASSWORD).await.unwrap();
    assert!(scene.is_in(dilip).await);
    set(&scene, &admin, FactorRule::Everyone).await.unwrap();
    assert!(!scene.is_in(dilip).await);
    assert_eq!(scene.live(dilip).await.unwrap().needs, Needs::Enrolment);
    // A parent who becomes a governor needs one from then on too.
    let (parent, _) = scene.try_password(PARENT, demo::PASSWORD).await.unwrap();
    assert!(scene.is_in(parent).await);
    let id = scene.behind.membership("oakfield", PARENT).await;
    let mut write = scene.db.write(&admin).await.unwrap();
    let act = membership::give_role(&mut write, id, Held::Governor)
        .await
        .unwrap();
    write.commit(act).await.unwrap();
    assert!(!scene.is_in(parent).await);

    // Only administrators, and only just proved, say who must.
    let stale = Caller {
        token: scene
            .behind
            .session(Some("oakfield"), ADMIN, Stand::Full)
            .await,
        tenant: scene.oakfield,
    };
    assert_eq!(
        set(&scene, &stale, FactorRule::Officers).await,
        Err(Refusal::StepUpNeeded)
    );
    let head = scene
        .behind
        .caller("oakfield", "head@oakfield.example")
        .await;
    assert_eq!(
        set(&scene, &head, FactorRule::Officers).await,
        Err(Refusal::NotAllowed)
    );
}

#[tokio::test]
async fn enrolling_gives_a_session_ten_codes_and_a_secret_that_the_database_cannot_read() {
    let mut scene = Scene::new().await;
    scene.sql(&format!("delete from sec.factor where account_id = (select id from account where email = '{TEACHER}')")).await;
    let (token, needs) = scene.try_password(TEACHER, demo::PASSWORD).await.unwrap();
    assert_eq!(needs, Needs::Enrolment);
    let live = scene.live(token).await.unwrap();
    let shown = factor::begin(&scene.db, &secrets(), token, &live, "Oakfield")
        .await
        .unwrap();
    let again = factor::begin(&scene.db, &secrets(), token, &live, "Oakfield")
        .await
        .unwrap();
    assert_eq!(
        shown.typed, again.typed,
        "opening the page twice shows one secret"
    );
    let key = shown.typed.replace(' ', "");
    let stored = scene
        .text("select string_agg(encode(secret, 'escape'), '') from sec.factor")
        .await;
    assert!(key.len() == 32 && !stored.contains(&key));
    let secret = Secret::from_bytes(totp_bytes(&key));
    let now = 1_800_000_000;
    assert_eq!(
        factor::confirm(&scene.db, &secrets(), token, &live, "000000", now)
            .await
            .err(),
        Some(Refusal::WrongCode)
    );
    assert!(!scene.is_in(token).await);
    let (full, codes) = factor::confirm(
        &scene.db,
        &secrets(),
        token,
        &live,
        &code_at(&secret, now),
        now,
    )
    .await
    .unwrap();
    assert!(scene.is_in(full).await && !scene.is_in(token).await);
    assert_eq!(codes.len(), 10);
}

/// Base 32 (RFC 4648 §6).
pub fn totp_bytes(key: &str) -> Vec<u8> {
    let bits: String = key
        .bytes()
        .map(|c| {
            format!(
                "{:05b}",
                if c.is_ascii_uppercase() {
                    c - b'A'
                } else {
                    c - b'2' + 26
                }
            )
        })
        .collect();
    bits.as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}
