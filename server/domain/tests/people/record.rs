//! Wellbeing records: who writes them, who reads which part of them, and that nothing of them is ever overwritten.

use crate::{
    change::change,
    pupil::{ASSISTANT, HEAD, OTHER_PARENT, OTHER_TEACHER, Roll, SENCO},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER},
};
use domain::{
    Refusal,
    db::Caller,
    pupil,
    wellbeing::{
        Domain, Fault, Level, instrument,
        record::{self, Checked, Course, Detail, Kind, Linked, New, Of, Part, Revision},
        timeline::{self, Entry, Filter},
        typed,
    },
};
use std::collections::BTreeSet;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Every table of the records, with a column that names pupils or records.
pub const TABLES: &[(&str, &str)] = &[
    ("record", "id"),
    ("record_pupil", "pupil_id"),
    ("record_version", "record_id"),
    ("record_words", "pupil_id"),
    ("score", "pupil_id"),
];

fn level(number: u8) -> Level {
    Level::try_from(number).unwrap()
}

pub fn about(pupil: Uuid, part: Part, words: &str) -> Linked<'_> {
    Linked { pupil, part, words }
}

impl Scene {
    /// One observation by somebody, of something an hour ago.
    pub async fn observes(
        &mut self,
        by: &Caller,
        body: &str,
        linked: &[Linked<'_>],
    ) -> Result<Uuid, Refusal> {
        let happened_at = self.now().await - Duration::hours(1);
        change(&self.db, by, async |write| {
            let new = New {
                happened_at,
                body,
                linked,
            };
            record::observe(write, &new).await
        })
        .await
    }

    pub async fn checks_in(
        &self,
        by: &Caller,
        pupil: Uuid,
        number: u8,
        happened_at: OffsetDateTime,
    ) -> Result<Uuid, Refusal> {
        change(&self.db, by, async |write| {
            let levels = [(Domain::Settled, level(number)), (Domain::Safe, level(3))];
            let row = [Checked {
                pupil,
                levels: &levels,
                note: "",
            }];
            let (ids, act) = record::check_in(write, &row, happened_at).await?;
            Ok((ids[0], act))
        })
        .await
    }

    pub async fn timeline(&self, caller: &Caller, pupil: Uuid) -> Vec<Entry> {
        let mut read = self.db.read(caller).await.unwrap();
        timeline::timeline(&mut read, pupil, &Filter::default(), None)
            .await
            .unwrap()
    }

    /// The SENCO puts down what three pupils had to do with each other: Imran sees two of them, Jasmine one.
    pub async fn quarrel(&mut self, roll: &Roll) -> Uuid {
        let harriet = self.caller(SENCO).await;
        let linked = [
            about(roll.aisha, Part::Harmed, "Aisha’s knee bled. CANARYKNEE"),
            about(
                roll.elliot,
                Part::Caused,
                "Elliot was sorry when Aisha cried. CANARYSORRY",
            ),
            about(roll.chidi, Part::Witness, ""),
        ];
        let body = "Elliot Price pushed aisha; Chidi saw Price do it. Mrs Khan was rung, and ÉLLIOT’s mother.";
        self.observes(&harriet, body, &linked).await.unwrap()
    }
}

#[tokio::test]
async fn a_row_of_six_check_ins_is_one_act_and_six_records() {
    let (mut scene, roll) = Scene::with_roll().await;
    let harriet = scene.caller(SENCO).await;
    let happened_at = scene.now().await - Duration::minutes(5);
    let before: i64 = scene
        .text("select max(seq)::text from sec.event_head h join tenant t on t.id = h.tenant_id where t.label = 'oakfield'")
        .await
        .parse()
        .unwrap();
    let levels = [(Domain::Settled, level(2)), (Domain::Hopeful, level(5))];
    let pupils: Vec<Uuid> = roll.all().into_iter().collect();
    let row: Vec<Checked<'_>> = pupils
        .iter()
        .map(|pupil| Checked {
            pupil: *pupil,
            levels: &levels,
            note: "Quiet after lunch",
        })
        .collect();
    let ids = change(&scene.db, &harriet, async |write| {
        record::check_in(write, &row, happened_at).await
    })
    .await
    .unwrap();
    assert_eq!(ids.len(), 6);
    let tenant = scene.oakfield;
    let told = scene
        .text(&format!(
            "select string_agg(act || ' ' || (detail ->> 'pupils') || ' ' || cardinality(topics), ', ') from event
             where tenant_id = '{tenant}' and seq > {before}"
        ))
        .await;
    assert_eq!(told, "record.checked_in 6 7");
    let seen = scene.timeline(&harriet, roll.farah).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].kind, Kind::CheckIn);
    assert_eq!(seen[0].levels, levels);
    assert_eq!(seen[0].body, "Quiet after lunch");
    assert!(seen[0].others.is_empty() && seen[0].hidden.is_empty());

    // One pupil twice, one without a level, one whom the caller does not see: nothing of the row is kept.
    let imran = scene.caller(TEACHER).await;
    let of = |pupils: &[Uuid], levels| -> Vec<Checked<'_>> {
        pupils
            .iter()
            .map(|pupil| Checked {
                pupil: *pupil,
                levels,
                note: "",
            })
            .collect()
    };
    for (row, refusal) in [
        (
            of(&[roll.aisha, roll.aisha], &levels[..]),
            Refusal::Wellbeing(Fault::NoPupil),
        ),
        (of(&[roll.aisha], &[]), Refusal::Wellbeing(Fault::NoLevel)),
        (
            of(&[roll.aisha, roll.elliot], &levels[..]),
            Refusal::NotFound,
        ),
        (of(&[], &levels[..]), Refusal::Wellbeing(Fault::NoPupil)),
    ] {
        let done = change(&scene.db, &imran, async |write| {
            record::check_in(write, &row, happened_at).await
        })
        .await;
        assert_eq!(done.unwrap_err(), refusal);
    }
    assert_eq!(scene.text("select count(*)::text from record").await, "6");
}

#[tokio::test]
async fn each_table_shows_a_teacher_their_own_pupils_and_nobody_else_anything() {
    let (mut scene, roll) = Scene::with_roll().await;
    let quarrel = scene.quarrel(&roll).await;
    let harriet = scene.caller(SENCO).await;
    let then = scene.now().await - Duration::days(1);
    for pupil in roll.all() {
        scene.checks_in(&harriet, pupil, 3, then).await.unwrap();
    }
    let of = |pupils: &[Uuid]| -> BTreeSet<Uuid> { pupils.iter().copied().collect() };
    for (email, linked, words, scored) in [
        (TEACHER, roll.of_w(), of(&[roll.aisha]), roll.of_w()),
        (ASSISTANT, of(&[roll.chidi]), of(&[]), of(&[roll.chidi])),
        (
            SENCO,
            roll.all(),
            of(&[roll.aisha, roll.elliot]),
            roll.all(),
        ),
        (HEAD, roll.all(), of(&[roll.aisha, roll.elliot]), roll.all()),
    ] {
        assert_eq!(
            scene.sees_in(email, "record_pupil", "pupil_id").await,
            linked,
            "{email}"
        );
        assert_eq!(
            scene.sees_in(email, "record_words", "pupil_id").await,
            words,
            "{email}"
        );
        assert_eq!(
            scene.sees_in(email, "score", "pupil_id").await,
            scored,
            "{email}"
        );
        // The check-ins of those pupils, and the quarrel.
        for (table, column) in [("record", "id"), ("record_version", "record_id")] {
            let seen = scene.sees_in(email, table, column).await;
            assert_eq!(seen.len(), linked.len() + 1, "{email} in {table}");
            assert!(seen.contains(&quarrel));
        }
    }
    let (admin, mother) = (scene.caller(ADMIN).await, scene.place(PARENT).await);
    change(&scene.db, &admin, async |write| {
        let relation = pupil::guardian::Relation::Mother;
        let act = pupil::guardian::link(write, roll.aisha, mother, relation).await?;
        Ok(((), act))
    })
    .await
    .unwrap();
    for (table, _) in TABLES {
        for email in [OTHER_TEACHER, PARENT, OTHER_PARENT, CLERK, CHAIR, GOVERNOR] {
            let sql = format!("select from {table}");
            assert_eq!(scene.raw(email, &sql).await, Ok(0), "{email} in {table}");
        }
        for email in [TEACHER, SENCO, ADMIN] {
            for sql in [
                format!("delete from {table}"),
                format!("update {table} set tenant_id = tenant_id"),
            ] {
                assert_eq!(scene.raw(email, &sql).await.unwrap_err(), "42501", "{sql}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_links_a_pupil_of_theirs_to_a_record_to_read_it_nor_writes_into_one() {
    let (mut scene, roll) = Scene::with_roll().await;
    let harriet = scene.caller(SENCO).await;
    let secret = scene
        .observes(
            &harriet,
            "Elliot was quiet.",
            &[about(roll.elliot, Part::Subject, "")],
        )
        .await
        .unwrap();
    let imran = scene.caller(TEACHER).await;
    let own = scene
        .observes(
            &imran,
            "Chidi was quiet.",
            &[about(roll.chidi, Part::Subject, "")],
        )
        .await
        .unwrap();
    let link = |record: Uuid| {
        format!(
            "insert into record_pupil (tenant_id, record_id, pupil_id, place, part)
             values (sec.tenant(), '{record}', '{}', 9, 'other')",
            roll.aisha
        )
    };
    let version = |record: Uuid, number: i32| {
        format!(
            "insert into record_version (tenant_id, record_id, number, body, detail, reason, made_by)
             values (sec.tenant(), '{record}', {number}, 'x', '{{}}', 'because', sec.membership())"
        )
    };
    let words = |record: Uuid| {
        format!(
            "insert into record_words (tenant_id, record_id, number, pupil_id, words)
             values (sec.tenant(), '{record}', 1, '{}', 'x')",
            roll.chidi
        )
    };
    for sql in [
        link(secret),
        link(own),
        version(secret, 2),
        version(own, 3),
        words(own),
        format!(
            "insert into score (tenant_id, record_id, number, pupil_id, domain, value, happened_on)
             values (sec.tenant(), '{own}', 1, '{}', 'safe', 5, current_date)",
            roll.chidi
        ),
        "insert into record (tenant_id, kind, happened_at, author_id)
         select sec.tenant(), 'plan', now(), id from membership where name = 'Harriet Beaumont'"
            .to_owned(),
    ] {
        assert_eq!(
            scene.raw(TEACHER, &sql).await.unwrap_err(),
            "42501",
            "{sql}"
        );
    }
    assert_eq!(
        scene.sees_in(TEACHER, "record", "id").await,
        BTreeSet::from([own])
    );
    // The outsider: without the rule that pupils are linked while a record is made, he reads it.
    scene
        .rewrite(
            "sec.begins_record(uuid)",
            "and r.author_id = sec.membership()\n      and r.recorded_at = now() and r.newest = 0",
            "",
        )
        .await;
    assert_eq!(scene.raw(TEACHER, &link(secret)).await, Ok(1));
    assert!(
        scene
            .sees_in(TEACHER, "record", "id")
            .await
            .contains(&secret)
    );
    // Parents, governors and clerks write nothing.
    let happened_at = scene.now().await;
    for email in [PARENT, GOVERNOR, CLERK] {
        let caller = scene.caller(email).await;
        let linked = [about(roll.aisha, Part::Subject, "")];
        let new = New {
            happened_at,
            body: "x",
            linked: &linked,
        };
        let done = change(&scene.db, &caller, async |write| {
            record::observe(write, &new).await
        })
        .await;
        assert_eq!(done.unwrap_err(), Refusal::NotAllowed, "{email}");
    }
}

#[tokio::test]
async fn of_linked_pupils_each_reader_is_told_of_those_they_see_and_the_row_names_nobody() {
    let (mut scene, roll) = Scene::with_roll().await;
    let quarrel = scene.quarrel(&roll).await;
    let rows = scene
        .text("select string_agg(v.body || v.detail::text, ' ') || (select string_agg(words, ' ') from record_words) from record_version v")
        .await;
    assert!(rows.contains("pushed") && rows.contains("CANARYSORRY"));
    for name in ["elliot", "price", "aisha", "khan", "chidi", "eze"] {
        assert!(!rows.to_lowercase().contains(name), "{name}: {rows}");
    }
    assert!(!rows.contains("LLIOT"), "{rows}");

    let harriet = scene.caller(SENCO).await;
    let whole = &scene.timeline(&harriet, roll.elliot).await[0];
    assert_eq!(
        whole.body,
        "Elliot Price pushed Aisha; Chidi saw Price do it. Mrs Khan was rung, and Elliot’s mother."
    );
    assert_eq!(
        whole.words,
        "Elliot was sorry when Aisha cried. CANARYSORRY"
    );
    assert_eq!(whole.others.len(), 2);

    let imran = scene.caller(TEACHER).await;
    let seen = &scene.timeline(&imran, roll.aisha).await[0];
    assert_eq!(seen.id, quarrel);
    assert_eq!(
        seen.body,
        "another pupil pushed Aisha; Chidi saw another pupil do it. Mrs Khan was rung, and another pupil’s mother."
    );
    assert_eq!(seen.words, "Aisha’s knee bled. CANARYKNEE");
    assert_eq!(
        seen.others,
        [(roll.chidi, "Chidi Eze".to_owned(), Part::Witness)]
    );
    assert_eq!(seen.hidden, [(Part::Caused, 1)]);
    let told = serde_json::to_string(seen).unwrap();
    for hidden in ["Elliot", "Price", "CANARYSORRY", &roll.elliot.to_string()] {
        assert!(!told.contains(hidden), "{hidden}: {told}");
    }
    // Jasmine sees Chidi alone; and who sees none of them is told of none.
    let jasmine = scene.caller(ASSISTANT).await;
    let seen = &scene.timeline(&jasmine, roll.chidi).await[0];
    assert_eq!(seen.hidden, [(Part::Caused, 1), (Part::Harmed, 1)]);
    assert!(seen.body.contains("Chidi saw another pupil do it"));
    let sql = format!("select part from sec.other_parts(array['{quarrel}'::uuid])");
    assert_eq!(
        scene.raw_texts(OTHER_TEACHER, &sql).await,
        Vec::<String>::new()
    );
    assert_eq!(scene.raw_texts(PARENT, &sql).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_new_version_keeps_the_old_one_and_a_past_day_shows_what_was_known_then() {
    let (mut scene, roll) = Scene::with_roll().await;
    let quarrel = scene.quarrel(&roll).await;
    let (harriet, imran) = (scene.caller(SENCO).await, scene.caller(TEACHER).await);
    let revision = Revision {
        from: 1,
        body: "Elliot and Aisha fell together.",
        words: &[(roll.aisha, "Aisha’s knee bled.")],
        levels: &[],
        detail: None,
    };
    let revises = async |caller: &Caller, revision: &Revision<'_>, reason: &str| {
        change(&scene.db, caller, async |write| {
            Ok(((), record::revise(write, quarrel, revision, reason).await?))
        })
        .await
    };
    // Whoever does not see every pupil of it changes nothing, its author or not.
    assert_eq!(
        revises(&imran, &revision, "I saw it otherwise").await,
        Err(Refusal::NotAllowed)
    );
    assert_eq!(
        revises(&harriet, &revision, " ").await,
        Err(Refusal::Wellbeing(Fault::Reason))
    );
    revises(&harriet, &revision, "The camera showed it")
        .await
        .unwrap();
    assert_eq!(
        revises(&harriet, &revision, "The camera showed it").await,
        Err(Refusal::Stale)
    );
    change(&scene.db, &harriet, async |write| {
        Ok((
            (),
            record::withdraw(write, quarrel, 2, "Other children").await?,
        ))
    })
    .await
    .unwrap();
    let again = Revision {
        from: 3,
        ..revision.clone()
    };
    assert_eq!(
        revises(&harriet, &again, "After all").await,
        Err(Refusal::Stale)
    );
    let versions = timeline::versions(
        &mut scene.db.read(&imran).await.unwrap(),
        quarrel,
        roll.aisha,
    )
    .await
    .unwrap();
    let told: Vec<_> = versions
        .iter()
        .map(|one| {
            (
                one.version,
                one.withdrawn,
                one.reason.as_deref(),
                one.body.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told[0],
        (
            3,
            true,
            Some("Other children"),
            "another pupil and Aisha fell together."
        )
    );
    assert_eq!(
        told[1],
        (
            2,
            false,
            Some("The camera showed it"),
            "another pupil and Aisha fell together."
        )
    );
    assert_eq!((told[2].0, told[2].2), (1, None));

    // As if it had been written four days ago, changed two days ago and withdrawn today; and put down late.
    scene
        .sql("update record set happened_at = now() - interval '9 days', recorded_at = now() - interval '4 days'")
        .await;
    scene
        .sql("update record_version set made_at = now() - interval '4 days' where number = 1")
        .await;
    scene
        .sql("update record_version set made_at = now() - interval '2 days' where number = 2")
        .await;
    let today = scene.today().await;
    let mut known = Vec::new();
    for ago in [5, 4, 2, 0] {
        let mut read = scene.db.read(&harriet).await.unwrap();
        let day = today - Duration::days(ago);
        let then = timeline::as_known_on(&mut read, roll.aisha, day)
            .await
            .unwrap();
        known.push(then.first().map(|one| (one.version, one.withdrawn)));
    }
    assert_eq!(
        known,
        [None, Some((1, false)), Some((2, false)), Some((3, true))]
    );
    // What is put down today of last week stands between what happened before and after.
    let now = scene.now().await;
    let early = scene
        .checks_in(&harriet, roll.aisha, 2, now - Duration::days(20))
        .await
        .unwrap();
    let late = scene
        .checks_in(&harriet, roll.aisha, 4, now - Duration::days(1))
        .await
        .unwrap();
    let order: Vec<Uuid> = scene
        .timeline(&harriet, roll.aisha)
        .await
        .iter()
        .map(|one| one.id)
        .collect();
    assert_eq!(order, [late, quarrel, early]);
    let points = timeline::points(
        &mut scene.db.read(&harriet).await.unwrap(),
        roll.aisha,
        today - Duration::days(30),
        today,
    )
    .await
    .unwrap();
    let settled = &points
        .iter()
        .find(|(domain, _)| *domain == Domain::Settled)
        .unwrap()
        .1;
    assert_eq!(
        settled
            .iter()
            .map(|point| point.level.number())
            .collect::<Vec<_>>(),
        [2, 4]
    );
    let ahead = scene
        .checks_in(&harriet, roll.aisha, 2, now + Duration::days(1))
        .await;
    assert_eq!(ahead, Err(Refusal::Wellbeing(Fault::Ahead)));
}

#[tokio::test]
async fn plans_interventions_and_scores_say_what_they_must_and_come_back_for_review() {
    let (mut scene, roll) = Scene::with_roll().await;
    let (imran, today) = (scene.caller(TEACHER).await, scene.today().await);
    let happened_at = scene.now().await - Duration::minutes(1);
    let linked = [about(roll.aisha, Part::Subject, "")];
    let new = New {
        happened_at,
        body: "Agreed with Aisha.",
        linked: &linked,
    };
    let by = scene.place(ASSISTANT).await;
    let course = Course {
        aim: "Aisha comes in calm",
        what: "Ten minutes with Jasmine before register",
        by: Some(by),
        sessions: Some(12),
        starts: today - Duration::days(14),
        review_on: Some(today),
        ends: None,
    };
    let intervene = async |course: Course<'_>| {
        change(&scene.db, &imran, async |write| {
            record::intervene(write, &new, course).await
        })
        .await
    };
    let before = today - Duration::days(15);
    let mother = Uuid::from_u128(7);
    for (wrong, fault) in [
        (Course { aim: " ", ..course }, Fault::Aim),
        (
            Course {
                ends: Some(before),
                ..course
            },
            Fault::Days,
        ),
        (
            Course {
                sessions: Some(0),
                ..course
            },
            Fault::Sessions(400),
        ),
        (
            Course {
                by: Some(mother),
                ..course
            },
            Fault::By,
        ),
    ] {
        assert_eq!(intervene(wrong).await, Err(Refusal::Wellbeing(fault)));
    }
    let id = intervene(course).await.unwrap();
    let planned = change(&scene.db, &imran, async |write| {
        record::plan(write, &new, Some(today + Duration::days(7))).await
    })
    .await
    .unwrap();
    let due = async |day| {
        timeline::reviews_due(&mut scene.db.read(&imran).await.unwrap(), day)
            .await
            .unwrap()
            .iter()
            .map(|one| one.record)
            .collect::<Vec<_>>()
    };
    assert_eq!(due(today).await, [id]);
    assert_eq!(due(today + Duration::days(7)).await, [id, planned]);
    assert_eq!(due(today - Duration::days(1)).await, Vec::<Uuid>::new());
    let mut read = scene.db.read(&imran).await.unwrap();
    let kept = timeline::interventions(&mut read, roll.aisha)
        .await
        .unwrap();
    assert_eq!(kept.len(), 1);
    let Detail::Intervention(one) = &kept[0].detail else {
        panic!("{:?}", kept[0].detail);
    };
    assert_eq!(
        (one.aim.as_str(), one.by),
        ("Aisha comes in calm", Some(by))
    );
    drop(read);

    // The total of an instrument is checked against its parts, and the band is that of who answered.
    let sdq = instrument::from_code("sdq").unwrap();
    let points = instrument::Points::whole;
    let parts = [
        ("emotional", points(5)),
        ("conduct", points(3)),
        ("hyperactivity", points(8)),
        ("peer", points(2)),
    ];
    let sheet = |total| {
        let of = Of::Table(sdq, Some(points(total)));
        record::sheet(of, instrument::Informant::Teacher, today, 10, &parts)
    };
    assert_eq!(
        sheet(19).unwrap_err(),
        Refusal::Wellbeing(Fault::Scores(instrument::Fault::Total {
            entered: points(19),
            sum: points(18)
        }))
    );
    let sheet = sheet(18).unwrap();
    change(&scene.db, &imran, async |write| {
        record::enter_scores(write, &new, sheet.clone()).await
    })
    .await
    .unwrap();
    let seen = scene.timeline(&imran, roll.aisha).await;
    let scored = seen
        .iter()
        .find(|one| one.kind == Kind::Instrument)
        .unwrap();
    assert_eq!(scored.detail, Detail::Instrument(sheet));
    let said = change(&scene.db, &imran, async |write| {
        record::converse(write, &new, "Her father").await
    })
    .await;
    assert!(said.is_ok());
    let filter = Filter {
        kinds: vec![Kind::Conversation],
        ..Filter::default()
    };
    let mut read = scene.db.read(&imran).await.unwrap();
    let only = timeline::timeline(&mut read, roll.aisha, &filter, None)
        .await
        .unwrap();
    assert_eq!(only.len(), 1);
    drop(read);
    // A pupil about whom there are records stays.
    let admin = scene.caller(ADMIN).await;
    let removed = change(&scene.db, &admin, async |write| {
        Ok(((), pupil::remove(write, roll.aisha).await?))
    })
    .await;
    assert_eq!(removed, Err(Refusal::Pupil(pupil::Fault::PupilStays)));
}

#[tokio::test]
async fn a_timeline_is_narrowed_to_an_author_and_names_those_who_wrote_in_it() {
    let (mut scene, roll) = Scene::with_roll().await;
    let (imran, harriet) = (scene.caller(TEACHER).await, scene.caller(SENCO).await);
    let about_aisha = [about(roll.aisha, Part::Subject, "")];
    scene
        .observes(&imran, "Read aloud.", &about_aisha)
        .await
        .unwrap();
    scene
        .observes(&harriet, "Sat by the door.", &about_aisha)
        .await
        .unwrap();
    let mut read = scene.db.read(&imran).await.unwrap();
    let authors = timeline::authors(&mut read, roll.aisha).await.unwrap();
    let names: Vec<&str> = authors.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["Harriet Beaumont", "Imran Siddiqui"]);
    for (author, name) in &authors {
        let filter = Filter {
            author: Some(*author),
            ..Filter::default()
        };
        let only = timeline::timeline(&mut read, roll.aisha, &filter, None)
            .await
            .unwrap();
        assert_eq!(only.len(), 1, "{name}");
        assert_eq!(&only[0].author, name);
    }
    drop(read);
    // Who does not see the pupil is told of no author either.
    let other = scene.caller(OTHER_TEACHER).await;
    let mut read = scene.db.read(&other).await.unwrap();
    assert_eq!(timeline::authors(&mut read, roll.aisha).await, Ok(vec![]));
}

#[tokio::test]
async fn a_pupil_is_meant_by_the_name_of_one_whom_the_author_sees() {
    let (mut scene, roll) = Scene::with_roll().await;
    let (imran, other) = (
        scene.caller(TEACHER).await,
        scene.caller(OTHER_TEACHER).await,
    );
    let mut read = scene.db.read(&imran).await.unwrap();
    let seen = pupil::list(&mut read, pupil::Whose::Seen, &pupil::Filter::default(), 1)
        .await
        .unwrap()
        .rows;
    let aisha = seen.iter().find(|one| one.id == roll.aisha).unwrap();
    let called = typed::called(aisha);
    for name in [
        called.clone(),
        aisha.called().to_uppercase(),
        format!(" {} ", aisha.called()),
    ] {
        let found = typed::pupil_called(&mut read, &name).await;
        assert_eq!(found, Ok(roll.aisha), "{name}");
    }
    for name in [aisha.first_name.clone(), format!("{}, 9Z", aisha.called())] {
        let found = typed::pupil_called(&mut read, &name).await;
        assert_eq!(found, Err(Fault::NobodyCalled(name.clone()).into()));
    }
    drop(read);
    // To who does not see her she is nobody.
    let mut read = scene.db.read(&other).await.unwrap();
    let found = typed::pupil_called(&mut read, &called).await;
    assert_eq!(found, Err(Fault::NobodyCalled(called.clone()).into()));
    drop(read);
    // A second one of that name in the school, whom Imran sees as well.
    scene
        .sql(&format!(
            "with twin as (
               insert into pupil (tenant_id, first_name, last_name, born, year_group)
               select tenant_id, first_name, last_name, born, year_group from pupil where id = '{}' returning tenant_id, id)
             insert into caseload (tenant_id, membership_id, pupil_id, during, given_by)
             select t.tenant_id, m.id, t.id, tstzrange(now() - interval '1 day', null), m.id
             from twin t join membership m on m.tenant_id = t.tenant_id and m.name = 'Imran Siddiqui'",
            roll.aisha
        ))
        .await;
    let mut read = scene.db.read(&imran).await.unwrap();
    let name = aisha.called();
    let found = typed::pupil_called(&mut read, &name).await;
    assert_eq!(found, Err(Fault::SeveralCalled(name).into()));
}
