//! The log as clerks read it: who did what to whom, found again by person, kind and day, and whole as a receipt.

use crate::{
    change::{add, remove, restore, suspend},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, JOAN, PARENT, Scene, TEACHER, hex},
};
use domain::{
    Refusal, Seq,
    audit::{self, Entry, Filter, Kind, PAGE, Receipt},
    db::Caller,
    role::Role as Held,
    session, tenancy,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use std::{collections::BTreeSet, path::Path};
use testing::Stand;
use time::{Date, Month};
use uuid::Uuid;

type Belongs<'a> = &'a dyn Fn(&Entry) -> bool;

async fn page(scene: &Scene, caller: &Caller, filter: &Filter) -> Vec<Entry> {
    let mut read = scene.db.read(caller).await.unwrap();
    audit::timeline(&mut read, filter, None)
        .await
        .unwrap()
        .entries
}

/// Every entry that the filter lets through, page by page.
async fn all(scene: &Scene, caller: &Caller, filter: &Filter) -> Vec<Entry> {
    let (mut entries, mut before) = (Vec::new(), None);
    loop {
        let mut read = scene.db.read(caller).await.unwrap();
        let page = audit::timeline(&mut read, filter, before).await.unwrap();
        assert!(page.entries.len() <= PAGE);
        entries.extend(page.entries);
        match page.older {
            Some(seq) => {
                assert_eq!(entries.len() % PAGE, 0, "a page before the last is full");
                before = Some(seq);
            }
            None => return entries,
        }
    }
}

#[tokio::test]
async fn clerks_and_administrators_read_who_did_what_to_whom_and_nobody_else_finds_a_log() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    add(
        &scene.db,
        &clerk,
        "Amara Bello",
        "amara.bello@elsewhere.example",
        &[Held::Governor],
    )
    .await
    .unwrap();
    let (nasreen, amara) = (
        scene.place(CLERK).await,
        scene.place("amara.bello@elsewhere.example").await,
    );
    let newest = scene.text(&format!("select seq || ' ' || encode(hash, 'hex') from event where tenant_id = '{}' order by seq desc limit 1", scene.oakfield)).await;
    for (email, reads) in [
        (ADMIN, true),
        (CLERK, true),
        (JOAN, true),
        ("head@oakfield.example", false),
        (CHAIR, false),
        (TEACHER, false),
        (PARENT, false),
    ] {
        let caller = scene.caller(email).await;
        let mut read = scene.db.read(&caller).await.unwrap();
        let timeline = audit::timeline(&mut read, &Filter::default(), None).await;
        let entry = audit::entry(&mut read, 1).await;
        if !reads {
            assert_eq!(timeline.err(), Some(Refusal::NotFound), "{email}");
            assert_eq!(entry.err(), Some(Refusal::NotFound), "{email}");
            continue;
        }
        let first = &timeline.unwrap().entries[0];
        assert_eq!(
            (first.act.as_str(), first.by.name.as_str(), first.by.id),
            ("membership.invited", "Nasreen Choudhury", Some(nasreen))
        );
        let about = first.about.as_ref().unwrap();
        assert_eq!(
            (about.name.as_str(), about.id),
            ("Amara Bello", Some(amara))
        );
        assert_eq!(format!("{} {}", first.seq, first.hash), newest);
        // The first line of a school was written by nobody.
        let opened = entry.unwrap();
        assert_eq!(
            (
                opened.entry.act.as_str(),
                opened.entry.by.name.as_str(),
                opened.entry.by.id,
                opened.entry.about
            ),
            ("tenant.opened", "Quorate", None, None)
        );
        assert_eq!(opened.prev, "0".repeat(64));
    }
    // The outsider: Northgate's clerk reads Northgate's log, in which nobody was invited.
    let theirs = scene
        .behind
        .caller("northgate", "clerk@northgate.example")
        .await;
    let entries = all(&scene, &theirs, &Filter::default()).await;
    assert!(!entries.is_empty());
    assert!(
        entries
            .iter()
            .all(|entry| entry.act != "membership.invited")
    );
    // A name is the one of today, on what was done before it too.
    scene
        .sql(&format!(
            "update membership set name = 'Amara Bello-Okafor' where id = '{amara}'"
        ))
        .await;
    let entries = page(&scene, &clerk, &Filter::default()).await;
    assert_eq!(
        entries[0].about.as_ref().unwrap().name,
        "Amara Bello-Okafor"
    );
}

#[tokio::test]
async fn a_line_is_found_again_by_person_and_kind_and_pages_leave_nothing_out() {
    let mut scene = Scene::new().await;
    let (clerk, joan) = (scene.caller(CLERK).await, scene.caller(JOAN).await);
    for n in 0..60 {
        let caller = if n % 3 == 0 { &joan } else { &clerk };
        let email = format!("somebody{n}@elsewhere.example");
        add(&scene.db, caller, "Somebody", &email, &[Held::Governor])
            .await
            .unwrap();
    }
    let governor = scene.place(GOVERNOR).await;
    suspend(&scene.db, &clerk, governor).await.unwrap();
    restore(&scene.db, &clerk, governor).await.unwrap();
    let admin = scene.caller(ADMIN).await;
    let mut write = scene.db.write(&admin).await.unwrap();
    let act = tenancy::set_factor_rule(&mut write, tenancy::FactorRule::Officers)
        .await
        .unwrap();
    write.commit(act).await.unwrap();
    let leaving = scene.caller(TEACHER).await;
    session::sign_out(&scene.db, leaving.token).await.unwrap();

    let everything = all(&scene, &clerk, &Filter::default()).await;
    let seqs: Vec<Seq> = everything.iter().map(|entry| entry.seq).collect();
    let head = Seq::try_from(seqs.len()).unwrap();
    assert!(seqs.len() > 2 * PAGE || seqs.len() > 80, "{}", seqs.len());
    assert_eq!(seqs, (1..=head).rev().collect::<Vec<_>>());

    let (place, admin_place) = (scene.place(JOAN).await, scene.place(ADMIN).await);
    let is = |name: &'static str| move |who: &audit::Who| who.name == name;
    // Each filter, with what it must let through; what it must hold back is the rest, and there is some.
    let tried: [(Filter, Belongs, usize); 7] = [
        (
            Filter {
                by: Some(place),
                ..Filter::default()
            },
            &|entry| is("Joan Whitlock")(&entry.by),
            20,
        ),
        (
            Filter {
                about: Some(governor),
                ..Filter::default()
            },
            &|entry| entry.about.as_ref().is_some_and(is("Dilip Parmar")),
            3,
        ),
        (
            Filter {
                kind: Some(Kind::People),
                ..Filter::default()
            },
            &|entry| entry.act.starts_with("membership.") || entry.act.starts_with("contact."),
            80,
        ),
        (
            Filter {
                kind: Some(Kind::Settings),
                ..Filter::default()
            },
            &|entry| entry.act.starts_with("tenant."),
            2,
        ),
        (
            Filter {
                kind: Some(Kind::SignIn),
                ..Filter::default()
            },
            &|entry| entry.act == "session.closed",
            1,
        ),
        (
            Filter {
                kind: Some(Kind::Settings),
                by: Some(admin_place),
                ..Filter::default()
            },
            &|entry| entry.act == "tenant.factor_rule_set",
            1,
        ),
        (
            Filter {
                kind: Some(Kind::People),
                by: Some(place),
                about: Some(governor),
                ..Filter::default()
            },
            &|_| false,
            0,
        ),
    ];
    for (filter, belongs, least) in tried {
        let wanted: Vec<Seq> = everything
            .iter()
            .filter(|entry| belongs(entry))
            .map(|entry| entry.seq)
            .collect();
        assert!(
            wanted.len() >= least && wanted.len() < everything.len(),
            "{filter:?}: {}",
            wanted.len()
        );
        let found: Vec<Seq> = all(&scene, &clerk, &filter)
            .await
            .iter()
            .map(|entry| entry.seq)
            .collect();
        assert_eq!(found, wanted, "{filter:?}");
    }
    // Somebody of another school did nothing here, and nothing was done to them: as nobody at all.
    let theirs = scene
        .behind
        .membership("northgate", "clerk@northgate.example")
        .await;
    for id in [theirs, Uuid::nil()] {
        for filter in [
            Filter {
                by: Some(id),
                ..Filter::default()
            },
            Filter {
                about: Some(id),
                ..Filter::default()
            },
        ] {
            assert_eq!(page(&scene, &clerk, &filter).await, [], "{filter:?}");
        }
    }
}

#[tokio::test]
async fn a_day_is_one_of_the_united_kingdom() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    // In summer the day begins at 23:00 UTC, in winter at midnight.
    for (seq, at) in [
        (2, "2026-06-30T22:59:59.999999Z"),
        (3, "2026-06-30T23:00:00Z"),
        (4, "2026-07-01T22:59:59.999999Z"),
        (5, "2026-07-01T23:00:00Z"),
        (6, "2026-01-15T00:00:00Z"),
        (7, "2026-01-15T23:59:59.999999Z"),
        (8, "2026-01-16T00:00:00Z"),
    ] {
        let moved = scene
            .sql(&format!(
                "update event set at = '{at}' where tenant_id = '{}' and seq = {seq}",
                scene.oakfield
            ))
            .await;
        assert_eq!(moved, 1);
    }
    let day = |month, day| Some(Date::from_calendar_date(2026, month, day).unwrap());
    for (from, to, wanted) in [
        (day(Month::July, 1), day(Month::July, 1), &[4, 3][..]),
        (day(Month::June, 30), day(Month::July, 1), &[4, 3, 2]),
        (day(Month::January, 15), day(Month::January, 15), &[7, 6]),
        (None, day(Month::January, 15), &[7, 6]),
        (None, day(Month::January, 14), &[]),
        (day(Month::July, 2), day(Month::July, 1), &[]),
    ] {
        let filter = Filter {
            from,
            to,
            ..Filter::default()
        };
        let found: Vec<Seq> = page(&scene, &clerk, &filter)
            .await
            .iter()
            .map(|entry| entry.seq)
            .collect();
        assert_eq!(found, wanted, "{from:?} {to:?}");
    }
    let since = Filter {
        from: day(Month::July, 2),
        ..Filter::default()
    };
    let since: Vec<Seq> = all(&scene, &clerk, &since)
        .await
        .iter()
        .map(|entry| entry.seq)
        .collect();
    assert!(since.contains(&5) && since.contains(&9) && !since.contains(&4));
}

#[tokio::test]
async fn a_removal_leaves_a_receipt_of_what_ended_with_it() {
    let mut scene = Scene::new().await;
    let (clerk, governor) = (scene.caller(CLERK).await, scene.place(GOVERNOR).await);
    for _ in 0..2 {
        scene
            .behind
            .session(Some("oakfield"), GOVERNOR, Stand::Full)
            .await;
    }
    scene.asks_reset(GOVERNOR).await.unwrap();
    let ended = remove(&scene.db, &clerk, governor).await.unwrap();
    assert_eq!((ended.sessions, ended.resets), (2, 1));
    let seq = page(&scene, &clerk, &Filter::default()).await[0].seq;
    let mut read = scene.db.read(&clerk).await.unwrap();
    let removal = audit::entry(&mut read, seq).await.unwrap();
    // Dilip sits on the board for the parents, and on one committee.
    let wanted = Receipt {
        sessions: 2,
        resets: 1,
        terms: 1,
        committees: 1,
        ..Receipt::default()
    };
    assert_eq!(removal.entry.act, "membership.removed");
    assert_eq!(removal.receipt, Some(wanted));
    assert_eq!(removal.detail["sessions"].as_array().unwrap().len(), 2);
    let before = audit::entry(&mut read, seq - 1).await.unwrap();
    assert_eq!(removal.prev, before.entry.hash);
    assert_eq!(before.receipt, None);
    for unknown in [0, -1, seq + 1, Seq::MAX] {
        assert_eq!(
            audit::entry(&mut read, unknown).await.err(),
            Some(Refusal::NotFound)
        );
    }
    drop(read);
    let senco = scene.place("senco@oakfield.example").await;
    suspend(&scene.db, &clerk, senco).await.unwrap();
    let mut read = scene.db.read(&clerk).await.unwrap();
    let suspension = audit::entry(&mut read, seq + 1).await.unwrap();
    assert_eq!(suspension.receipt, Some(Receipt::default()));
}

/// An act that no kind holds would be found by no kind.
#[test]
fn every_act_that_anything_records_is_of_a_kind() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let mut acts = BTreeSet::new();
    // An act is made in event.rs; what the database does by itself it appends by name.
    acts.extend(
        read(&root.join("src/event.rs"))
            .split('"')
            .map(str::to_owned),
    );
    let mut sources = vec![read(&root.join("src/mailing.rs"))];
    for entry in std::fs::read_dir(root.join("../../migrations/application")).unwrap() {
        sources.push(read(&entry.unwrap().path()));
    }
    for source in sources {
        for call in source.split("sec.append").skip(1) {
            let call = call.split(';').next().unwrap();
            acts.extend(call.split('\'').map(str::to_owned));
        }
    }
    acts.retain(|act| {
        act.contains('.')
            && act.split('.').all(|part| {
                !part.is_empty() && part.bytes().all(|c| matches!(c, b'a'..=b'z' | b'_'))
            })
    });
    assert!(acts.len() >= 18, "{acts:#?}");
    for act in &acts {
        assert!(
            Kind::of(act).is_some(),
            "{act} is of no kind: give its noun to one in audit.rs"
        );
    }
}

/// Nine fields joined by line feeds are nine lines, whatever stands in them: see `sec.event_hash`.
#[tokio::test]
async fn no_field_of_a_line_can_look_like_two() {
    let mut scene = Scene::new().await;
    let token = hex(scene.caller(CLERK).await.token.bytes());
    let mut web = scene
        .fresh
        .options(testing::Role::Web)
        .connect()
        .await
        .unwrap();
    let mut try_to = async |act: &str, detail: &str, topics: &str| {
        web.execute(sqlx::raw_sql(AssertSqlSafe(format!(
            "begin; select sec.enter('\\x{token}')"
        ))))
        .await
        .unwrap();
        let tried = web
            .execute(AssertSqlSafe(format!(
                "select sec.append({act}, null, {detail}, {topics}, null)"
            )))
            .await;
        web.execute("rollback").await.unwrap();
        tried.err().and_then(|error| {
            let database = error.as_database_error()?;
            database.constraint().map(str::to_owned)
        })
    };
    let (act, detail, topics) = ("'a.b'", "'{}'", "'{people}'");
    assert_eq!(try_to(act, detail, topics).await, None);
    for crafted in [
        r"array[E'people\n-']",
        r"array['people', E'a\rb']",
        r"array[E'\x7f']",
        r"array[E'\u0085']",
        "array['people', null]",
        "array[['people'], ['settings']]",
        "'[0:0]={people}'::text[]",
    ] {
        assert_eq!(
            try_to(act, detail, crafted).await.as_deref(),
            Some("event_topics_plain"),
            "{crafted}"
        );
    }
    for crafted in [r"E'a.b\n-'", r"E'a.b\n'", r"E'\na.b'"] {
        assert_eq!(
            try_to(crafted, detail, topics).await.as_deref(),
            Some("event_act_shape"),
            "{crafted}"
        );
    }
    // A line feed inside a value of jsonb is written as two letters.
    let line = scene
        .text(r"select jsonb_build_object('why', E'a\nb')::text")
        .await;
    assert_eq!(line, r#"{"why": "a\nb"}"#);
    assert_eq!(
        try_to(
            act,
            r"jsonb_build_object('why', E'a\nb', E'c\nd', 1)",
            topics
        )
        .await,
        None
    );
}
