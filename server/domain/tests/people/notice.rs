//! Notices: who hears of what, and that nobody but the person concerned reads them.

use std::collections::BTreeSet;

use crate::{
    change::{add, change, drop_role, give_role, remove},
    digest::news,
    office::{chair, declare, end, join, leave, open_committee, set_phone},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, NEW_PASSWORD, PARENT, PLACE, Scene, TEACHER},
};
use domain::{
    Refusal, Seq,
    board::Why,
    notice::{self, Hears, Mail, Unseen},
    recovery,
    role::Role as Held,
};
use time::{Duration, OffsetDateTime};

impl Scene {
    /// Everything unseen so far is marked, so that a test sees what it does itself.
    pub async fn quiet(&mut self) {
        self.sql("update notice set seen_at = now()").await;
    }

    pub async fn unseen(&mut self, email: &str) -> Unseen {
        let caller = self.caller(email).await;
        let mut read = self.db.read(&caller).await.unwrap();
        notice::unseen(&mut read).await.unwrap()
    }

    /// What somebody hears of, the oldest first.
    pub async fn hears(&mut self, email: &str) -> Vec<(String, Hears)> {
        let mut notices = self.unseen(email).await.notices;
        notices.reverse();
        notices
            .into_iter()
            .map(|notice| (notice.act, notice.hears))
            .collect()
    }

    pub async fn choose(&mut self, email: &str, mail: Mail) -> Result<(), Refusal> {
        let caller = self.caller(email).await;
        change(&self.db, &caller, async |write| {
            Ok(((), notice::choose(write, mail).await?))
        })
        .await
    }

    pub async fn mark(&mut self, email: &str, through: Seq) -> Result<(), Refusal> {
        let caller = self.caller(email).await;
        change(&self.db, &caller, async |write| {
            Ok(((), notice::mark_seen(write, 1, through).await?))
        })
        .await
    }
}

#[tokio::test]
async fn the_person_hears_what_was_done_to_them_and_nobody_of_their_own_doing() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    let (nasreen, teacher) = (scene.caller(CLERK).await, scene.place(TEACHER).await);
    give_role(&scene.db, &nasreen, teacher, Held::Associate)
        .await
        .unwrap();
    drop_role(&scene.db, &nasreen, teacher, Held::Associate)
        .await
        .unwrap();
    let notices = scene.unseen(TEACHER).await.notices;
    assert_eq!(
        scene.hears(TEACHER).await,
        [
            ("membership.role_given".to_owned(), Hears::Person),
            ("membership.role_dropped".to_owned(), Hears::Person)
        ]
    );
    let by = notices[0].by.as_ref().unwrap();
    assert_eq!(by.name.as_deref(), Some("Nasreen Choudhury"));
    assert_eq!(notices[0].about.as_ref().unwrap().id, teacher);
    for email in [CLERK, ADMIN, CHAIR, PARENT] {
        assert_eq!(scene.hears(email).await, [], "{email}");
    }
    // What one does to oneself is no news.
    let own = scene.caller(TEACHER).await;
    set_phone(&scene.db, &own, teacher, "0114 496 0123")
        .await
        .unwrap();
    assert_eq!(scene.unseen(TEACHER).await.total, 2);
}

#[tokio::test]
async fn a_notice_is_read_and_marked_by_its_own_reader_and_by_no_other() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    let (nasreen, teacher) = (scene.caller(CLERK).await, scene.place(TEACHER).await);
    give_role(&scene.db, &nasreen, teacher, Held::Associate)
        .await
        .unwrap();
    let seen = "update notice set seen_at = now() where seen_at is null";
    for email in [CLERK, ADMIN, CHAIR, PARENT] {
        assert_eq!(scene.raw(email, seen).await, Ok(0), "{email}");
    }
    assert_eq!(
        scene
            .raw(TEACHER, "update notice set kind = 'x.y'")
            .await
            .unwrap_err(),
        "42501"
    );
    assert_eq!(
        scene.raw(TEACHER, "delete from notice").await.unwrap_err(),
        "42501"
    );
    assert_eq!(scene.raw(TEACHER, seen).await, Ok(1));
    // And to read, with a query that does not say whose.
    scene.choose(TEACHER, Mail::Weekly).await.unwrap();
    for table in ["notice", "notice_choice"] {
        let whose = format!("select from {table} where membership_id = '{teacher}'");
        assert!(scene.raw(TEACHER, &whose).await.unwrap() > 0, "{table}");
        for email in [CLERK, ADMIN, CHAIR, PARENT] {
            assert_eq!(scene.raw(email, &whose).await, Ok(0), "{email} in {table}");
        }
    }
}

#[tokio::test]
async fn what_somebody_heard_of_by_a_role_ends_with_it_and_whoever_comes_back_begins_anew() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    let (admin, teacher) = (scene.caller(ADMIN).await, scene.place(TEACHER).await);
    let today = scene.today().await;
    give_role(&scene.db, &admin, teacher, Held::Clerk)
        .await
        .unwrap();
    let margaret = scene.caller(CHAIR).await;
    declare(&scene.db, &margaret, &[], today).await.unwrap();
    let keeper = ("declaration.made".to_owned(), Hears::Keeper);
    assert!(scene.hears(TEACHER).await.contains(&keeper));
    scene.choose(TEACHER, Mail::AtOnce).await.unwrap();
    declare(&scene.db, &margaret, &[], today).await.unwrap();
    drop_role(&scene.db, &admin, teacher, Held::Clerk)
        .await
        .unwrap();
    assert!(!scene.hears(TEACHER).await.contains(&keeper));
    let told = scene.letters().await;
    let acts: Vec<_> = told
        .iter()
        .flat_map(|(_, letter)| news(letter))
        .map(|(act, _)| act)
        .collect();
    assert_eq!(
        acts,
        ["membership.role_dropped"],
        "nor by a letter that waited"
    );

    remove(&scene.db, &admin, teacher).await.unwrap();
    add(
        &scene.db,
        &admin,
        "Imran Siddiqui",
        TEACHER,
        &[Held::Parent],
    )
    .await
    .unwrap();
    let left = scene
        .text(&format!(
            "select count(*)::text from notice where membership_id = '{teacher}' and seen_at is null"
        ))
        .await;
    assert_eq!(left, "0");
}

#[tokio::test]
async fn what_came_after_the_page_was_drawn_stays_new() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    let (nasreen, teacher) = (scene.caller(CLERK).await, scene.place(TEACHER).await);
    give_role(&scene.db, &nasreen, teacher, Held::Associate)
        .await
        .unwrap();
    let drawn = scene.unseen(TEACHER).await.notices[0].seq;
    drop_role(&scene.db, &nasreen, teacher, Held::Associate)
        .await
        .unwrap();
    scene.mark(TEACHER, drawn).await.unwrap();
    assert_eq!(
        scene.hears(TEACHER).await,
        [("membership.role_dropped".to_owned(), Hears::Person)]
    );
    assert_eq!(scene.mark(TEACHER, drawn).await, Err(Refusal::Stale));
    // Nor is what the page had no room for marked with what it showed.
    for _ in 0..2 {
        give_role(&scene.db, &nasreen, teacher, Held::Associate)
            .await
            .unwrap();
        drop_role(&scene.db, &nasreen, teacher, Held::Associate)
            .await
            .unwrap();
    }
    let newest = scene.unseen(TEACHER).await.notices[0].seq;
    let own = scene.caller(TEACHER).await;
    change(&scene.db, &own, async |write| {
        Ok(((), notice::mark_seen(write, newest, newest).await?))
    })
    .await
    .unwrap();
    assert_eq!(scene.unseen(TEACHER).await.total, 4);
    let line = scene
        .text("select detail::text from event where act = 'notice.seen' order by seq limit 1")
        .await;
    assert_eq!(line, r#"{"count": 1}"#);
}

#[tokio::test]
async fn chairs_hear_of_their_committee_the_board_of_terms_and_keepers_of_who_joins_and_leaves() {
    let mut scene = Scene::new().await;
    let (nasreen, today) = (scene.caller(CLERK).await, scene.today().await);
    let (dilip, margaret) = (scene.place(GOVERNOR).await, scene.place(CHAIR).await);
    let premises = open_committee(&scene.db, &nasreen, "Premises", "", 3)
        .await
        .unwrap();
    join(
        &scene.db,
        &nasreen,
        premises,
        margaret,
        (today, None),
        today,
    )
    .await
    .unwrap();
    scene.quiet().await;
    chair(&scene.db, &nasreen, premises, Some(margaret), today)
        .await
        .unwrap();
    let place = join(&scene.db, &nasreen, premises, dilip, (today, None), today)
        .await
        .unwrap();
    leave(&scene.db, &nasreen, place, today, today)
        .await
        .unwrap();
    let told = |act: &str, hears| (act.to_owned(), hears);
    assert_eq!(
        scene.hears(CHAIR).await,
        [
            told("committee.chair_chosen", Hears::Person),
            told("committee.joined", Hears::Chair),
            told("committee.left", Hears::Chair)
        ]
    );
    assert_eq!(
        scene.hears(GOVERNOR).await,
        [
            told("committee.joined", Hears::Person),
            told("committee.left", Hears::Person)
        ]
    );
    let named = scene.unseen(CHAIR).await.notices.remove(1);
    assert_eq!(named.committee, Some((premises, "Premises".to_owned())));
    assert_eq!(named.about.unwrap().id, dilip);

    scene.quiet().await;
    let term = scene.term(GOVERNOR).await;
    end(&scene.db, &nasreen, term, today, Why::Resigned)
        .await
        .unwrap();
    assert_eq!(
        scene.hears(GOVERNOR).await,
        [told("term.ended", Hears::Person)]
    );
    assert_eq!(scene.hears(CHAIR).await, [told("term.ended", Hears::Board)]);
    assert_eq!(scene.hears(TEACHER).await, []);
    // The reason is for those who may see it, and in no notice.
    let columns = scene
        .text("select string_agg(n::text, ' ') from notice n where kind = 'term.ended'")
        .await;
    assert!(!columns.contains("resigned"), "{columns}");

    scene.quiet().await;
    let link = scene
        .invite("Ines Duarte", "ines@oakfield.example")
        .await
        .unwrap();
    recovery::accept(
        &scene.db,
        &scene.hasher,
        link.bytes(),
        scene.oakfield,
        PLACE,
        Some(NEW_PASSWORD),
    )
    .await
    .unwrap();
    for email in [CLERK, ADMIN] {
        assert_eq!(
            scene.hears(email).await,
            [told("membership.accepted", Hears::Keeper)],
            "{email}"
        );
    }
    assert_eq!(scene.hears("ines@oakfield.example").await, []);
    scene.quiet().await;
    let ines = scene.place("ines@oakfield.example").await;
    scene
        .sql(&format!(
            "update membership set roles = '{{clerk}}' where id = '{ines}'"
        ))
        .await;
    remove(&scene.db, &nasreen, ines).await.unwrap();
    assert_eq!(
        scene.hears(ADMIN).await,
        [told("membership.removed", Hears::Keeper)]
    );
    let margaret = scene.caller(CHAIR).await;
    declare(&scene.db, &margaret, &[], today).await.unwrap();
    let of_hers = scene
        .text(&format!(
            "select count(*)::text from notice where membership_id = '{ines}'"
        ))
        .await;
    assert_eq!(of_hers, "0", "who is removed hears nothing");
    let elsewhere = scene
        .text(&format!(
            "select count(*)::text from notice where tenant_id <> '{}' and seen_at is null",
            scene.oakfield
        ))
        .await;
    assert_eq!(elsewhere, "0", "nor does anybody of another school");
}

/// Every act that the sources write must have a line: what has none, nobody hears of, and nobody would notice.
#[tokio::test]
async fn every_act_says_who_hears_of_it() {
    let mut scene = Scene::new().await;
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut written = BTreeSet::new();
    let mut sources = vec![
        format!("{root}/server/domain/src/event.rs"),
        format!("{root}/server/domain/src/event/board.rs"),
        format!("{root}/server/domain/src/event/approval.rs"),
        format!("{root}/server/domain/src/event/library.rs"),
        format!("{root}/server/domain/src/event/question.rs"),
    ];
    for file in std::fs::read_dir(format!("{root}/migrations/application")).unwrap() {
        sources.push(file.unwrap().path().display().to_string());
    }
    for source in sources {
        let text = std::fs::read_to_string(&source).unwrap();
        let code: String = text
            .lines()
            .map(|line| line.split("--").next().unwrap_or_default())
            .collect::<Vec<_>>()
            .join(" ");
        for part in code.split(['\'', '"']) {
            let mut words = part.split('.');
            let (noun, verb, rest) = (words.next(), words.next(), words.next());
            let word = |word: &str| {
                !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            };
            if noun.is_some_and(word)
                && verb.is_some_and(word)
                && rest.is_none()
                && !matches!(noun, Some("sec" | "public"))
            {
                written.insert(part.to_owned());
            }
        }
    }
    let rules: BTreeSet<String> = scene
        .text("select string_agg(distinct act, ' ') from sec.notice_rule")
        .await
        .split(' ')
        .map(str::to_owned)
        .collect();
    assert!(written.len() > 40, "{written:?}");
    assert_eq!(written, rules);
}

#[tokio::test]
async fn the_last_visit_is_the_end_of_the_session_before_this_one() {
    let mut scene = Scene::new().await;
    let first = scene.sign_in(GOVERNOR).await;
    let visit = async |scene: &Scene, token| {
        let mut read = scene.db.read(&scene.at_oakfield(token)).await.unwrap();
        notice::unseen(&mut read).await.unwrap().last_visit
    };
    let place = scene.place(GOVERNOR).await;
    scene
        .sql(&format!("delete from sec.session where membership_id = '{place}' and id not in (select id from sec.session where membership_id = '{place}' order by created_at desc limit 1)"))
        .await;
    assert_eq!(visit(&scene, first).await, None);
    scene
        .sql(&format!("update sec.session set created_at = now() - interval '3 hours', seen_at = now() - interval '2 hours', ended_at = now() - interval '2 hours', ended_why = 'signed out' where membership_id = '{place}'"))
        .await;
    // Somebody with the password alone was not here.
    scene
        .try_password(GOVERNOR, domain::demo::PASSWORD)
        .await
        .unwrap();
    let second = scene.sign_in(GOVERNOR).await;
    let now: i64 = scene
        .text("select extract(epoch from now())::bigint::text")
        .await
        .parse()
        .unwrap();
    let now = OffsetDateTime::from_unix_timestamp(now).unwrap();
    let ago = now - visit(&scene, second).await.unwrap();
    assert!(
        (Duration::minutes(119)..Duration::minutes(121)).contains(&ago),
        "{ago}"
    );
}
