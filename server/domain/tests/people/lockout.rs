//! Passwords: what is told of a wrong one, how many are judged, and how the right one is kept.

use crate::scene::{CHAIR, CLERK, NEW_PASSWORD, PLACE, Scene};
use domain::{
    Refusal, demo,
    session::{self, Needs, Token},
};
use futures::future::join_all;
use sqlx::{Executor as _, Row as _};
use std::collections::BTreeSet;
use testing::Stand;

#[tokio::test]
async fn wrong_unknown_and_without_a_place_are_told_in_the_same_words() {
    let mut scene = Scene::new().await;
    assert_eq!(
        scene.try_password(CHAIR, demo::PASSWORD).await.unwrap().1,
        Needs::Factor,
        "Margaret gets in"
    );
    scene.sql("update membership set state = 'suspended' where account_id = (select id from account where email = 'teacher2@oakfield.example')").await;
    scene.sql("update membership set state = 'ended' where account_id = (select id from account where email = 'teacher3@oakfield.example')").await;
    scene
        .sql("update account set closed_at = now() where email = 'teacher4@oakfield.example'")
        .await;
    for (who, email, password) in [
        ("a wrong password", CHAIR, "quiet otter lantern harbor"),
        ("nobody", "nobody@oakfield.example", demo::PASSWORD),
        (
            "the chair of another school",
            "chair@northgate.example",
            demo::PASSWORD,
        ),
        (
            "a suspended teacher",
            "teacher2@oakfield.example",
            demo::PASSWORD,
        ),
        (
            "a removed teacher",
            "teacher3@oakfield.example",
            demo::PASSWORD,
        ),
        (
            "a closed account",
            "teacher4@oakfield.example",
            demo::PASSWORD,
        ),
        ("an empty address", "", demo::PASSWORD),
        ("an empty password", CHAIR, ""),
        (
            "two addresses",
            "chair@oakfield.example,admin@oakfield.example",
            demo::PASSWORD,
        ),
    ] {
        assert_eq!(
            scene.try_password(email, password).await.err(),
            Some(Refusal::WrongCredentials),
            "{who}"
        );
    }
    // What is hashed with looks alike, and does not change between two tries.
    let challenge = |email: &'static str| format!("select sec.sign_in_challenge('{email}')");
    let (known, unknown) = (
        scene.text(&challenge(CHAIR)).await,
        scene.text(&challenge("nobody@oakfield.example")).await,
    );
    assert_eq!(
        (known.len(), known.split('$').count()),
        (unknown.len(), unknown.split('$').count()),
        "{known} {unknown}"
    );
    assert_eq!(
        unknown,
        scene.text(&challenge(" Nobody@Oakfield.example")).await
    );
    assert!(unknown.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
}

#[tokio::test]
async fn an_address_is_the_same_however_it_is_written_and_a_password_however_it_is_composed() {
    let scene = Scene::new().await;
    assert!(
        scene
            .try_password(" Chair@Oakfield.EXAMPLE ", demo::PASSWORD)
            .await
            .is_ok()
    );
    assert!(
        scene
            .try_password(CHAIR, "Quiet otter lantern harbour")
            .await
            .is_err()
    );
}

async fn evaluated(scene: &Scene, guesses: usize) -> usize {
    let guess = |n: usize| async move {
        scene
            .try_password(CHAIR, &format!("guess number {n}"))
            .await
    };
    let answers = join_all((0..guesses).map(guess)).await;
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Err(Refusal::WrongCredentials | Refusal::Wait(_)))),
        "{answers:?}"
    );
    answers
        .iter()
        .filter(|answer| matches!(answer, Err(Refusal::WrongCredentials)))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_guesses_at_once_ten_are_judged_and_the_chair_gets_in_on_her_own_browser() {
    let mut scene = Scene::new().await;
    let own = scene.sign_in(CHAIR).await;
    let shared = {
        let (token, _) = scene
            .try_from(CHAIR, demo::PASSWORD, Some(scene.oakfield), true, None)
            .await
            .unwrap();
        scene.pass(token).await.unwrap()
    };
    let (half, _) = scene.try_password(CHAIR, demo::PASSWORD).await.unwrap();
    let others = scene.sign_in(CLERK).await;
    session::sign_out(&scene.db, own).await.unwrap();

    assert_eq!(evaluated(&scene, 200).await, 10);
    let known = |token: Option<Token>| {
        scene.try_from(CHAIR, demo::PASSWORD, Some(scene.oakfield), false, token)
    };
    for (whose, token) in [
        ("no browser of hers", None),
        ("a browser of the clerk's", Some(others)),
        ("a shared computer", Some(shared)),
        ("a browser that never passed the second factor", Some(half)),
    ] {
        assert!(
            matches!(known(token).await, Err(Refusal::Wait(seconds)) if seconds > 100),
            "{whose}"
        );
    }
    assert_eq!(
        known(Some(own)).await.unwrap().1,
        Needs::Factor,
        "her own browser, signed out since"
    );
    // The known browser has a count of its own, and it ends too.
    let mut judged = 0;
    for _ in 0..12 {
        judged += usize::from(
            scene
                .try_from(
                    CHAIR,
                    "another guess",
                    Some(scene.oakfield),
                    false,
                    Some(own),
                )
                .await
                .err()
                == Some(Refusal::WrongCredentials),
        );
    }
    assert_eq!(judged, 10);
    // Nobody else is kept out.
    assert!(scene.try_password(CLERK, demo::PASSWORD).await.is_ok());
    // For an address that nobody has the same is counted and said.
    let mut told = Vec::new();
    for n in 0..11 {
        told.push(
            scene
                .try_password("nobody@oakfield.example", &format!("guess {n}"))
                .await
                .err()
                .unwrap(),
        );
    }
    assert!(matches!(told.pop(), Some(Refusal::Wait(seconds)) if seconds > 100));

    // Without the count all would have been judged.
    scene
        .sql("update sec.attempt set recent = '{}', locked_until = null")
        .await;
    scene
        .rewrite(
            "sec.try(bytea, text)",
            "cardinality(a.recent) = 10",
            "false",
        )
        .await;
    assert!(evaluated(&scene, 20).await > 10);
}

#[tokio::test]
async fn the_lock_lasts_twice_as_long_each_time_and_a_quiet_day_forgives() {
    let mut scene = Scene::new().await;
    for _ in 0..10 {
        assert_eq!(
            scene.try_password(CHAIR, "a guess").await.err(),
            Some(Refusal::WrongCredentials)
        );
    }
    let first = scene.try_password(CHAIR, "a guess").await.err();
    assert!(
        matches!(first, Some(Refusal::Wait(100..=300))),
        "never shorter than the five minutes: {first:?}"
    );
    assert!(
        matches!(
            scene.try_password(CHAIR, demo::PASSWORD).await,
            Err(Refusal::Wait(_))
        ),
        "the right password too"
    );

    // The lock is over, and ten more were wrong, four minutes ago.
    let again = "update sec.attempt set locked_until = now() - interval '1 second',
                 recent = array_fill(now() - interval '4 minutes', array[10])";
    for seconds in [120, 240, 480, 960, 1920, 3600, 3600, 3600] {
        scene.sql(again).await;
        let waits = scene.try_password(CHAIR, "a guess").await.err();
        assert!(
            matches!(waits, Some(Refusal::Wait(wait)) if (seconds - 3..=seconds).contains(&wait)),
            "{waits:?} instead of {seconds}"
        );
    }
    scene.sql(again).await;
    scene
        .sql("update sec.attempt set locked_until = now() - interval '25 hours'")
        .await;
    let waits = scene.try_password(CHAIR, "a guess").await.err();
    assert!(matches!(waits, Some(Refusal::Wait(57..=60))), "{waits:?}");

    // When the time is over the owner is in, and the count begins anew.
    scene.sql("update sec.attempt set locked_until = now() - interval '1 second', recent = array_fill(now() - interval '6 minutes', array[10])").await;
    assert!(scene.try_password(CHAIR, demo::PASSWORD).await.is_ok());
    assert_eq!(scene.text("select cardinality(recent)::text || lock_level || coalesce(locked_until::text, '-') from sec.attempt where kind = 'password'").await, "00-");
}

#[tokio::test]
async fn every_stored_password_is_argon2id_with_todays_parameters_and_its_own_salt_and_an_old_one_is_renewed()
 {
    let mut scene = Scene::new().await;
    let rows = scene
        .behind
        .fetch_all("select phc from sec.credential")
        .await
        .unwrap();
    let mut salts = BTreeSet::new();
    for row in &rows {
        let phc: String = row.get(0);
        let parts: Vec<&str> = phc.split('$').collect();
        assert_eq!(
            parts[1..4],
            ["argon2id", "v=19", "m=19456,t=2,p=1"],
            "OWASP: 19 MiB, two passes, one lane"
        );
        assert_eq!(
            (parts[4].len(), parts[5].len()),
            (22, 43),
            "16 bytes of salt, 32 of hash"
        );
        salts.insert(parts[4].to_owned());
    }
    assert!(
        rows.len() > 40 && salts.len() == rows.len(),
        "{} salts for {}",
        salts.len(),
        rows.len()
    );

    let weak = {
        use argon2::password_hash::PasswordHasher as _;
        let params = argon2::Params::new(8192, 2, 1, None).unwrap();
        let argon2 =
            argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        argon2
            .hash_password_with_salt(demo::PASSWORD.as_bytes(), &[9; 16])
            .unwrap()
            .to_string()
    };
    let whose = format!("where account_id = (select id from account where email = '{CHAIR}')");
    scene
        .sql(&format!("update sec.credential set phc = '{weak}' {whose}"))
        .await;
    assert_eq!(
        scene
            .try_password(CHAIR, "a guess at a weak hash")
            .await
            .err(),
        Some(Refusal::WrongCredentials)
    );
    assert_eq!(
        scene
            .text(&format!("select phc from sec.credential {whose}"))
            .await,
        weak,
        "a guess renews nothing"
    );
    scene.try_password(CHAIR, demo::PASSWORD).await.unwrap();
    assert!(
        scene
            .text(&format!("select phc from sec.credential {whose}"))
            .await
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
    );
    assert!(scene.try_password(CHAIR, demo::PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session_and_needs_the_old_one() {
    let mut scene = Scene::new().await;
    let here = scene.sign_in(CHAIR).await;
    let elsewhere = scene
        .behind
        .session(Some("oakfield"), CHAIR, Stand::Full)
        .await;
    let others = scene
        .behind
        .session(Some("oakfield"), CLERK, Stand::Full)
        .await;
    let live = scene.live(here).await.unwrap();
    let change = |old: &'static str, new: &'static str| {
        session::change_password(&scene.db, &scene.hasher, here, &live, PLACE, old, new)
    };
    assert_eq!(
        change("not hers", NEW_PASSWORD).await,
        Err(Refusal::WrongPassword)
    );
    assert!(matches!(
        change(demo::PASSWORD, "Margaret Oyelaran 1").await,
        Err(Refusal::Password(_))
    ));
    assert!(scene.is_in(elsewhere).await);
    change(demo::PASSWORD, NEW_PASSWORD).await.unwrap();
    assert!(scene.is_in(here).await && scene.is_in(others).await && !scene.is_in(elsewhere).await);
    assert_eq!(
        scene.try_password(CHAIR, demo::PASSWORD).await.err(),
        Some(Refusal::WrongCredentials)
    );
    assert!(scene.try_password(CHAIR, NEW_PASSWORD).await.is_ok());
}
