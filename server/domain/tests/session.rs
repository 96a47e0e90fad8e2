//! Signing in, staying signed in, and every way around it that somebody might try.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use domain::{
    Refusal, TenantId,
    db::{Caller, Db, MailDb},
    demo,
    factor::{self, Secret},
    mailing::{Kind, LinkToken, Wanted},
    membership,
    password::Hasher,
    recovery,
    role::Role as Held,
    session::{self, Live, Needs, SignIn, Token},
    tenancy::{self, FactorRule},
};
use futures::future::join_all;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};
use testing::{Behind, Fresh, Role, Stand, code_at, secrets};

const ADMIN: &str = "admin@oakfield.example";
const CLERK: &str = "clerk@oakfield.example";
const CHAIR: &str = "chair@oakfield.example";
const TEACHER: &str = "teacher1@oakfield.example";
const PARENT: &str = "parent1@oakfield.example";
const NEW_PASSWORD: &str = "violet granite pelican saffron";

struct Scene {
    fresh: Fresh,
    behind: Behind,
    db: Db,
    hasher: Hasher,
    oakfield: TenantId,
    northgate: TenantId,
    clock: AtomicU64,
}

impl Scene {
    async fn new() -> Self {
        let fresh = Fresh::demo().await;
        let mut behind = fresh.behind().await;
        let (oakfield, northgate) = (
            behind.tenant("oakfield").await,
            behind.tenant("northgate").await,
        );
        let db = Db::new(fresh.options(Role::Web), 8);
        // Ten threads have a queue that two hundred guesses fit into.
        Self {
            fresh,
            behind,
            db,
            hasher: Hasher::new(10).unwrap(),
            oakfield,
            northgate,
            clock: AtomicU64::new(1_800_000_000),
        }
    }

    async fn try_password(&self, email: &str, password: &str) -> Result<(Token, Needs), Refusal> {
        self.try_from(email, password, Some(self.oakfield), false, None)
            .await
    }

    async fn try_from(
        &self,
        email: &str,
        password: &str,
        tenant: Option<TenantId>,
        shared: bool,
        known: Option<Token>,
    ) -> Result<(Token, Needs), Refusal> {
        let ask = SignIn {
            email,
            password,
            tenant,
            shared,
            agent: "Firefox on Windows",
            known,
        };
        session::sign_in(&self.db, &self.hasher, ask).await
    }

    /// The next code of the demo's app: each call is a time step later.
    fn next_code(&self) -> (String, u64) {
        let now = self.clock.fetch_add(60, Ordering::Relaxed);
        (code_at(&demo_factor(), now), now)
    }

    async fn live(&self, token: Token) -> Option<Live> {
        session::live(&self.db, token).await.unwrap()
    }

    /// All the way in, by password and code.
    async fn sign_in(&self, email: &str) -> Token {
        let (token, needs) = self.try_password(email, demo::PASSWORD).await.unwrap();
        assert_eq!(needs, Needs::Factor);
        self.pass(token).await.unwrap()
    }

    async fn pass(&self, token: Token) -> Result<Token, Refusal> {
        let (code, now) = self.next_code();
        let live = self.live(token).await.unwrap();
        factor::pass(&self.db, &secrets(), token, &live, &code, now).await
    }

    fn at_oakfield(&self, token: Token) -> Caller {
        Caller {
            token,
            tenant: self.oakfield,
        }
    }

    async fn is_in(&self, token: Token) -> bool {
        self.db.read(&self.at_oakfield(token)).await.is_ok()
    }

    async fn sql(&mut self, sql: &str) -> u64 {
        self.behind
            .execute(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
            .rows_affected()
    }

    async fn text(&mut self, sql: &str) -> String {
        let row = self
            .behind
            .fetch_one(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        row.get::<Option<String>, _>(0).unwrap_or_default()
    }

    /// Rewrites a function of the database, to see that a test notices.
    async fn rewrite(&mut self, function: &str, from: &str, to: &str) {
        let text = self
            .text(&format!(
                "select pg_get_functiondef('{function}'::regprocedure)"
            ))
            .await;
        assert!(
            text.contains(from),
            "{function} does not say {from}: {text}"
        );
        self.sql(&text.replace(from, to)).await;
    }

    /// What the worker mails next, with the link's token.
    async fn mailed(&self, kind: Kind) -> Option<LinkToken> {
        let mail = MailDb::new(self.fresh.options(Role::Worker), 1);
        let wanted: Vec<Wanted> = mail.wanted().await.unwrap();
        let mut token = None;
        for one in wanted {
            mail.queued(one.tenant, one.seq).await.unwrap();
            let new = LinkToken::random().unwrap();
            if one.kind == kind && mail.issue(&one, &new).await.unwrap().is_some() {
                token = Some(new);
            }
        }
        mail.close().await;
        token
    }

    /// Invites somebody to Oakfield, as the clerk.
    async fn invite(&mut self, name: &str, email: &str) -> Option<LinkToken> {
        let clerk = self.behind.caller("oakfield", CLERK).await;
        let mut write = self.db.write(&clerk).await.unwrap();
        let (_, act) = membership::add(&mut write, name, email, &[Held::Governor])
            .await
            .unwrap();
        write.commit(act).await.unwrap();
        self.mailed(Kind::Invitation).await
    }

    async fn asks_reset(&self, email: &str) -> Option<LinkToken> {
        recovery::ask_reset(&self.db, email, Some(self.oakfield))
            .await
            .unwrap();
        self.mailed(Kind::Reset).await
    }
}

fn demo_factor() -> Secret {
    Secret::from_bytes(b"Hello!\xDE\xAD\xBE\xEF".to_vec())
}

// ── Passwords ─────────────────────────────────────────────────────────────────────────────────

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
            matches!(known(token).await, Err(Refusal::Wait(seconds)) if seconds > 200),
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
    assert!(matches!(told.pop(), Some(Refusal::Wait(seconds)) if seconds > 200));

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
        matches!(first, Some(Refusal::Wait(250..=300))),
        "never shorter than the five minutes: {first:?}"
    );
    assert!(
        matches!(
            scene.try_password(CHAIR, demo::PASSWORD).await,
            Err(Refusal::Wait(_))
        ),
        "the right password too"
    );

    // The lock is over, and ten more were wrong, almost five minutes ago.
    let again = "update sec.attempt set locked_until = now() - interval '1 second',
                 recent = array_fill(now() - interval '4 minutes 58 seconds', array[10])";
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
        session::change_password(&scene.db, &scene.hasher, here, &live, old, new)
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

// ── The second factor ─────────────────────────────────────────────────────────────────────────

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
    let enrolled: &[&str] = &[CHAIR, TEACHER, PARENT, CLERK];
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
        (TEACHER, Needs::Nothing),
        (PARENT, Needs::Nothing),
    ];
    for (email, wanted) in officers {
        assert_eq!(
            needs(&scene, email).await,
            wanted,
            "{email} under `officers`"
        );
    }
    // Imran is in; when the rule is widened he is asked at his very next request.
    let (imran, _) = scene.try_password(TEACHER, demo::PASSWORD).await.unwrap();
    assert!(scene.is_in(imran).await);
    set(&scene, &admin, FactorRule::Everyone).await.unwrap();
    assert!(!scene.is_in(imran).await);
    assert_eq!(scene.live(imran).await.unwrap().needs, Needs::Enrolment);
    // A parent who becomes a governor needs one from then on too.
    let (parent, _) = scene.try_password(PARENT, demo::PASSWORD).await.unwrap();
    assert!(scene.is_in(parent).await);
    let id = scene.behind.membership("oakfield", PARENT).await;
    let mut write = scene.db.write(&admin).await.unwrap();
    let act = membership::change_roles(&mut write, id, &[Held::Governor, Held::Parent])
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
fn totp_bytes(key: &str) -> Vec<u8> {
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

// ── Links ─────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_link_works_once_for_half_an_hour_ends_all_sessions_and_leaves_the_factor_in_the_way()
 {
    let mut scene = Scene::new().await;
    let here = scene.sign_in(CHAIR).await;
    let others = scene.sign_in(CLERK).await;
    let link = scene.asks_reset(CHAIR).await.unwrap();
    let life = scene.text("select extract(epoch from expires_at - clock_timestamp())::int::text from sec.reset where token_hash is not null").await;
    assert!(
        (1790..=1800).contains(&life.parse::<i32>().unwrap()),
        "{life}"
    );
    assert_eq!(
        recovery::reset_link(&scene.db, link.bytes())
            .await
            .unwrap()
            .email,
        CHAIR
    );
    assert!(matches!(
        recovery::reset(
            &scene.db,
            &scene.hasher,
            link.bytes(),
            "margaret.oyelaran.1"
        )
        .await,
        Err(Refusal::Password(_))
    ));
    assert!(scene.is_in(here).await, "asking ends nothing");

    let uses =
        (0..8).map(|_| recovery::reset(&scene.db, &scene.hasher, link.bytes(), NEW_PASSWORD));
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
        recovery::reset(&scene.db, &scene.hasher, old.bytes(), NEW_PASSWORD)
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
    recovery::reset(&scene.db, &scene.hasher, link.bytes(), NEW_PASSWORD)
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

// ── Staying signed in ─────────────────────────────────────────────────────────────────────────

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
        scene.sql(&format!("update sec.session set seen_at = now() - interval '{quiet} minutes' + interval '5 seconds' {whose}")).await;
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

        scene.sql(&format!("update sec.session set seen_at = now(), expires_at = now() + interval '5 seconds' {whose}")).await;
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
    scene.sql("update sec.session set stepped_up_at = now() - interval '4 minutes 55 seconds' where ended_at is null").await;
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
    for _ in 0..12 {
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
                        let plain =
                            membership::change_roles(&mut write, governor, &[Held::Governor]).await;
                        let act = match plain {
                            Err(Refusal::Stale) => {
                                membership::change_roles(
                                    &mut write,
                                    governor,
                                    &[Held::Governor, Held::Chair],
                                )
                                .await?
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
                "select count(*)::text from event e where actor = '{account}' and act = 'membership.roles_changed'
                   and seq > (select max(seq) from event where tenant_id = e.tenant_id and act = 'session.closed' and actor = '{account}')"
            ))
            .await;
        assert_eq!(late, "0", "a change after the end of its session");
    }
    assert_ne!(
        scene
            .text("select count(*)::text from event where act = 'membership.roles_changed'")
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

// ── A stolen copy of the tables ───────────────────────────────────────────────────────────────

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
