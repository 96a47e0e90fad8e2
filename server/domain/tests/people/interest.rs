//! The register of interests: everybody for themselves, never changed, and who is asked for a new one.

use crate::{
    change::change,
    office::{catering, days, declare, join, start},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER, hex},
};
use domain::{
    Refusal,
    board::{self, Category, Interest, interest::Kind},
};
use sqlx::{AssertSqlSafe, Executor as _};

#[tokio::test]
async fn a_governor_declares_what_they_have_and_the_newest_counts_and_the_earlier_ones_stay() {
    let mut scene = Scene::new().await;
    let (dilip, today) = (scene.caller(GOVERNOR).await, scene.today().await);
    let place = scene.place(GOVERNOR).await;
    let gift = Interest {
        kind: Kind::Gift,
        who: " 花店  🌸".to_owned(),
        nature: "Flowers, worth 20 pounds.\nGiven on.".to_owned(),
        since: Some(today),
    };
    declare(&scene.db, &dilip, &[catering(), gift], today)
        .await
        .unwrap();
    let newest = async |scene: &Scene| {
        let register = scene.register(&dilip, today).await;
        let entry = register
            .entries
            .into_iter()
            .find(|entry| entry.person.id == place)
            .unwrap();
        assert!(!entry.is_due(today));
        entry.declaration.unwrap()
    };
    let seen = newest(&scene).await;
    assert_eq!(seen.on, today);
    let said: Vec<_> = seen
        .interests
        .iter()
        .map(|i| (i.kind, i.who.as_str(), i.since))
        .collect();
    assert_eq!(
        said,
        [
            (Kind::Business, "Beacon Catering Ltd", None),
            (Kind::Gift, "花店 🌸", Some(today))
        ]
    );
    declare(&scene.db, &dilip, &[], today).await.unwrap();
    assert_eq!(
        newest(&scene).await.interests,
        [],
        "of one day, the later one"
    );
    let facts = scene.facts(&dilip, place, today).await;
    let history: Vec<_> = facts
        .declarations
        .iter()
        .map(|d| d.interests.len())
        .collect();
    assert_eq!(history, [0, 2, 0], "the last one is of forty days ago");
    // Ids and numbers in the log, and none of the words.
    let line = scene.text(&format!("select string_agg(act || ' ' || (detail ->> 'interests'), ', ' order by seq) from event where act = 'declaration.made' and about = '{place}'")).await;
    assert_eq!(
        line,
        "declaration.made 0, declaration.made 2, declaration.made 0"
    );
    let worded = scene.text("select count(*)::text from event where detail::text ilike '%catering%' or detail::text ilike '%flowers%' or detail::text like '%花%'").await;
    assert_eq!(worded, "0");
}

#[tokio::test]
async fn a_declaration_says_nothing_or_something_whoever_writes_it() {
    let mut scene = Scene::new().await;
    let (dilip, today) = (scene.caller(GOVERNOR).await, scene.today().await);
    for (nothing, interests) in [(true, vec![catering()]), (false, vec![])] {
        let done = change(&scene.db, &dilip, async |write| {
            board::declare_interests(write, nothing, &interests, today).await
        })
        .await;
        assert_eq!(done, Err(Refusal::NothingOrSome), "{nothing}");
    }
    for bad in [
        Interest {
            who: String::new(),
            ..catering()
        },
        Interest {
            who: "x".repeat(201),
            ..catering()
        },
        Interest {
            who: "a\u{202e}b".to_owned(),
            ..catering()
        },
        Interest {
            nature: " ".to_owned(),
            ..catering()
        },
        Interest {
            nature: "x".repeat(1001),
            ..catering()
        },
    ] {
        let done = declare(&scene.db, &dilip, &[catering(), bad], today).await;
        assert_eq!(done, Err(Refusal::InterestFormat));
    }
    let ahead = Interest {
        since: Some(today + days(1)),
        ..catering()
    };
    assert_eq!(
        declare(&scene.db, &dilip, &[ahead], today).await,
        Err(Refusal::DayAhead)
    );
    let many = vec![catering(); board::interest::INTERESTS_MOST + 1];
    assert_eq!(
        declare(&scene.db, &dilip, &many, today).await,
        Err(Refusal::InterestFormat)
    );
    let count = "select count(*)::text from declaration";
    let before = scene.text(count).await;
    // With the database alone in the way, at the commit.
    let make = |nothing: bool| {
        format!(
            "insert into declaration (tenant_id, membership_id, nothing) values (sec.tenant(), sec.membership(), {nothing})"
        )
    };
    let add = "insert into interest (tenant_id, declaration_id, kind, who, nature)
               select tenant_id, id, 'gift', 'A', 'B' from declaration where membership_id = sec.membership() and made_at = now()";
    let says = Err("23514 declaration_says".to_owned());
    assert_eq!(scene.raw(GOVERNOR, &make(false)).await, says);
    assert_eq!(
        scene.raw(GOVERNOR, &format!("{}; {add}", make(true))).await,
        says
    );
    assert_eq!(scene.text(count).await, before, "nothing came of it");
    assert!(
        scene
            .raw(GOVERNOR, &format!("{}; {add}", make(false)))
            .await
            .is_ok()
    );
    assert!(scene.raw(GOVERNOR, &make(true)).await.is_ok());
}

#[tokio::test]
async fn nobody_declares_for_somebody_else_and_nobody_changes_what_was_declared() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    let (place, chair) = (scene.place(GOVERNOR).await, scene.place(CHAIR).await);
    let dilip = scene.caller(GOVERNOR).await;
    let own = declare(&scene.db, &dilip, &[catering()], today)
        .await
        .unwrap();
    let for_dilip = format!(
        "insert into declaration (tenant_id, membership_id, nothing) values (sec.tenant(), '{place}', true)"
    );
    let more = format!(
        "insert into interest (tenant_id, declaration_id, kind, who, nature) values (sec.tenant(), '{own}', 'gift', 'A', 'B')"
    );
    let others = scene.text(&format!("select id::text from declaration where membership_id = '{chair}' order by declared_on desc limit 1")).await;
    for (email, sql) in [
        (CLERK, for_dilip.clone()),
        (ADMIN, for_dilip.clone()),
        (CHAIR, for_dilip.clone()),
        // To one that was made before, one's own and another's.
        (GOVERNOR, more.clone()),
        (CLERK, more),
        (
            GOVERNOR,
            format!(
                "insert into interest (tenant_id, declaration_id, kind, who, nature) values (sec.tenant(), '{others}', 'gift', 'A', 'B')"
            ),
        ),
        // Backdated.
        (
            GOVERNOR,
            format!(
                "insert into declaration (tenant_id, membership_id, nothing, declared_on) values (sec.tenant(), '{place}', true, '2020-01-01')"
            ),
        ),
        (
            GOVERNOR,
            format!(
                "insert into declaration (tenant_id, membership_id, nothing, made_at) values (sec.tenant(), '{place}', true, now())"
            ),
        ),
        (
            GOVERNOR,
            format!("update declaration set nothing = true where id = '{own}'"),
        ),
        (ADMIN, format!("delete from declaration where id = '{own}'")),
        (
            GOVERNOR,
            format!("update interest set who = 'Nobody' where declaration_id = '{own}'"),
        ),
        (
            ADMIN,
            format!("delete from interest where declaration_id = '{own}'"),
        ),
    ] {
        assert_eq!(
            scene.raw(email, &sql).await,
            Err("42501".to_owned()),
            "{email}: {sql}"
        );
    }
    // Nor is a declaration of nothing made one of something behind everybody's back.
    let nothing = scene
        .text("select id::text from declaration where nothing limit 1")
        .await;
    let error = scene
        .behind
        .execute(AssertSqlSafe(format!(
            "insert into interest (tenant_id, declaration_id, kind, who, nature)
             select tenant_id, id, 'gift', 'A', 'B' from declaration where id = '{nothing}'"
        )))
        .await
        .unwrap_err();
    assert_eq!(
        error
            .as_database_error()
            .and_then(|error| error.constraint()),
        Some("declaration_says")
    );
    // Nor into another's of the same moment: the chair's is made behind everybody's back, and the web login goes on as Dilip.
    let seal = hex(dilip.token.bytes());
    for (whose, refused) in [(chair, true), (place, false)] {
        let made = scene
            .behind
            .execute(sqlx::raw_sql(AssertSqlSafe(format!(
                "begin;
                 insert into declaration (tenant_id, membership_id, nothing) select tenant_id, id, false from membership where id = '{whose}';
                 set local role quorate_web; select sec.enter('\\x{seal}');
                 insert into interest (tenant_id, declaration_id, kind, who, nature)
                 select tenant_id, id, 'gift', 'A', 'B' from declaration where made_at = now()"
            ))))
            .await;
        assert_eq!(made.is_err(), refused, "{made:?}");
        scene.behind.execute("rollback").await.unwrap();
    }
    // The outsider: for himself he may.
    assert_eq!(scene.raw(GOVERNOR, &for_dilip).await, Ok(1));
}

#[tokio::test]
async fn only_who_has_to_do_with_the_board_declares_to_it() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let (vacant, pay) = (
        scene.seat(Category::CoOpted, 7).await,
        scene.committee("Pay").await,
    );
    let joins = [
        ("coming@oakfield.example", "Ines Duarte", "governor"),
        ("sits@oakfield.example", "Tom Ashby", "teacher"),
        ("left@oakfield.example", "Una Byrne", "governor"),
        ("chair2@oakfield.example", "Vera Collins", "chair"),
    ];
    for (email, name, role) in joins {
        scene.behind.join("oakfield", email, name, &[role]).await;
    }
    let coming = scene.place("coming@oakfield.example").await;
    start(&scene.db, &clerk, vacant, coming, today + days(20), None)
        .await
        .unwrap();
    let sits = scene.place("sits@oakfield.example").await;
    join(&scene.db, &clerk, pay, sits, (today, None), today)
        .await
        .unwrap();
    let left = scene.place("left@oakfield.example").await;
    let (from, to) = (today - days(400), Some(today - days(1)));
    start(&scene.db, &clerk, vacant, left, from, to)
        .await
        .unwrap();
    join(&scene.db, &clerk, pay, left, (from, to), today)
        .await
        .unwrap();
    let raw = "insert into declaration (tenant_id, membership_id, nothing) values (sec.tenant(), sec.membership(), true)";
    for (email, may) in [
        (GOVERNOR, true),
        ("head@oakfield.example", true),
        ("teacher2@oakfield.example", true),
        (CLERK, true),
        ("coming@oakfield.example", true),
        ("sits@oakfield.example", true),
        ("chair2@oakfield.example", true),
        ("left@oakfield.example", false),
        (TEACHER, false),
        (ADMIN, false),
        (PARENT, false),
    ] {
        let caller = scene.caller(email).await;
        let done = declare(&scene.db, &caller, &[], today).await;
        assert_eq!(done.err(), (!may).then_some(Refusal::NotOnBoard), "{email}");
        let done = scene.raw(email, raw).await;
        assert_eq!(
            done,
            if may { Ok(1) } else { Err("42501".to_owned()) },
            "{email}"
        );
    }
}

#[tokio::test]
async fn the_register_shows_everybody_in_post_and_of_whom_a_declaration_is_due() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let register = scene.register(&clerk, today).await;
    let names = |due: bool| {
        let entries = register
            .entries
            .iter()
            .filter(|entry| entry.is_due(today) == due);
        entries
            .map(|entry| entry.person.name.clone().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(true),
        [
            "Patrick O’Donnell",
            "Rukhsana Ahmed",
            "Thomas Brathwaite-Kowalczyk",
            "Wei Ling Tan"
        ]
    );
    assert_eq!(register.due().count(), 4);
    assert_eq!(
        names(false),
        [
            "Adaeze Nwosu",
            "Callum Fraser",
            "Dilip Parmar",
            "Eleanor Hargreaves",
            "Lucy Pemberton",
            "Margaret Oyelaran",
            "Siân Edwards",
            "Zofia Wiśniewska"
        ]
    );
    let of = |name: &str| {
        let mut entries = register.entries.iter();
        entries
            .find(|entry| entry.person.name.as_deref() == Some(name))
            .unwrap()
    };
    let margaret = of("Margaret Oyelaran");
    assert_eq!(margaret.category, Some(Category::CoOpted));
    let declared = margaret.declaration.as_ref().unwrap();
    assert_eq!(
        (declared.on, declared.interests.len()),
        (today - days(40), 2),
        "not the older one"
    );
    assert_eq!(of("Lucy Pemberton").category, Some(Category::Associate));
    assert_eq!(of("Wei Ling Tan").declaration, None);
    // Somebody who only sits on a committee is in it; the clerk declared and is not in post.
    let (megan, pay) = (
        scene.place("teacher4@oakfield.example").await,
        scene.committee("Pay").await,
    );
    join(&scene.db, &clerk, pay, megan, (today, None), today)
        .await
        .unwrap();
    let register = scene.register(&clerk, today).await;
    let entry = register
        .entries
        .iter()
        .find(|entry| entry.person.id == megan)
        .unwrap();
    assert_eq!((entry.category, entry.is_due(today)), (None, true));
    let nasreen = scene.place(CLERK).await;
    assert!(
        register
            .entries
            .iter()
            .all(|entry| entry.person.id != nasreen)
    );
    assert_eq!(
        scene.facts(&clerk, nasreen, today).await.declarations.len(),
        1
    );
    // In a year all are due, and those whose term is over then are not in it.
    let later = scene.register(&clerk, today + days(366)).await;
    assert_eq!(later.due().count(), later.entries.len());
    let dilip = scene.place(GOVERNOR).await;
    assert!(
        register
            .entries
            .iter()
            .any(|entry| entry.person.id == dilip)
    );
    assert!(
        later.entries.iter().any(|entry| entry.person.id == dilip),
        "he sits on a committee still"
    );
    // Another school's is another one.
    let there = scene
        .behind
        .caller("northgate", "clerk@northgate.example")
        .await;
    let register = scene.register(&there, today).await;
    assert_eq!(register.entries.len(), 11);
    assert!(
        register
            .entries
            .iter()
            .all(|entry| entry.person.name.as_deref() != Some("Dilip Parmar"))
    );
}
