//! DBS checks, training and telephone numbers: who records them, and for whose eyes they are.

use crate::{
    change::remove,
    office::{days, record_dbs, set_phone, train},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER},
};
use domain::{Refusal, board};

#[tokio::test]
async fn checks_and_training_are_recorded_by_clerks_and_administrators_and_by_nobody_for_themselves()
 {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let (dilip, nasreen) = (scene.place(GOVERNOR).await, scene.place(CLERK).await);
    let db = scene.db.clone();
    for (email, refusal) in [
        ("head@oakfield.example", Refusal::NotAllowed),
        (CHAIR, Refusal::NotAllowed),
        (GOVERNOR, Refusal::NotAllowed),
        (PARENT, Refusal::NotFound),
    ] {
        let caller = scene.caller(email).await;
        let done = record_dbs(&db, &caller, dilip, today, today).await;
        assert_eq!(done, Err(refusal.clone()), "{email}");
        let done = train(&db, &caller, dilip, "Safeguarding", (today, None), today).await;
        assert_eq!(done, Err(refusal), "{email}");
    }
    let own = record_dbs(&db, &clerk, nasreen, today, today).await;
    assert_eq!(own, Err(Refusal::OwnPlace));
    let own = train(&db, &clerk, nasreen, "Clerking", (today, None), today).await;
    assert_eq!(own, Err(Refusal::OwnPlace));

    let checked = async |on| record_dbs(&db, &clerk, dilip, on, today).await;
    assert_eq!(checked(today + days(1)).await, Err(Refusal::DayAhead));
    checked(today).await.unwrap();
    assert_eq!(checked(today).await, Err(Refusal::Stale), "sent twice");
    let trained =
        async |title: &str, on, again| train(&db, &clerk, dilip, title, (on, again), today).await;
    assert_eq!(
        trained("Prevent", today + days(1), None).await,
        Err(Refusal::DayAhead)
    );
    assert_eq!(
        trained("Prevent", today, Some(today)).await,
        Err(Refusal::DatesOrder)
    );
    for bad in ["", "a\u{202e}b", &"x".repeat(201)] {
        assert_eq!(
            trained(bad, today, None).await,
            Err(Refusal::TextFormat(200))
        );
    }
    trained(" Prevent  duty ", today, Some(today + days(365)))
        .await
        .unwrap();
    let checks = scene.facts(&clerk, dilip, today).await.checks.unwrap();
    assert_eq!(checks.dbs, [today, today - days(1390)]);
    let training: Vec<_> = checks
        .training
        .iter()
        .map(|t| (t.title.as_str(), t.renew_by))
        .collect();
    assert_eq!(
        training,
        [
            ("Prevent duty", Some(today + days(365))),
            ("Safeguarding for governors", Some(today - days(135)))
        ]
    );
    let logged = scene.text("select count(*)::text from event where detail::text like '%Prevent%' or detail::text like '%Safeguarding%'").await;
    assert_eq!(logged, "0", "the log says when, and not what");
    remove(&db, &clerk, dilip).await.unwrap();
    assert_eq!(
        record_dbs(&db, &clerk, dilip, today - days(1), today).await,
        Err(Refusal::PersonEnded)
    );
}

#[tokio::test]
async fn checks_are_seen_by_clerks_administrators_and_the_person_and_numbers_by_senior_leaders_too()
{
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    let dilip = scene.place(GOVERNOR).await;
    for (email, checks, phone) in [
        (CLERK, true, true),
        (ADMIN, true, true),
        (GOVERNOR, true, true),
        ("head@oakfield.example", false, true),
        (CHAIR, false, false),
        ("governor2@oakfield.example", false, false),
        (TEACHER, false, false),
    ] {
        let caller = scene.caller(email).await;
        let facts = scene.facts(&caller, dilip, today).await;
        assert_eq!(facts.checks.is_some(), checks, "{email}");
        assert_eq!(
            facts.phone.as_deref(),
            phone.then_some("+44 7700 900123"),
            "{email}"
        );
        for (table, sees) in [
            ("dbs_check", checks),
            ("training", checks),
            ("contact", phone),
        ] {
            let sql = format!("select * from {table} where membership_id = '{dilip}'");
            let seen = scene.raw(email, &sql).await.unwrap();
            assert_eq!(seen > 0, sees, "{email} {table}");
        }
    }
    let parent = scene.caller(PARENT).await;
    let mut read = scene.db.read(&parent).await.unwrap();
    let facts = board::facts_of(&mut read, dilip, today).await;
    assert_eq!(
        facts.err(),
        Some(Refusal::NotFound),
        "a parent does not even see him"
    );
    // With the database alone in the way.
    let (chair, nasreen) = (scene.place(CHAIR).await, scene.place(CLERK).await);
    let dbs = |person| {
        format!(
            "insert into dbs_check (tenant_id, membership_id, checked_on) values (sec.tenant(), '{person}', sec.today())"
        )
    };
    let train = |person| {
        format!(
            "insert into training (tenant_id, membership_id, title, completed_on) values (sec.tenant(), '{person}', 'A', sec.today())"
        )
    };
    let no = || Err("42501".to_owned());
    for (email, sql, done) in [
        (CHAIR, dbs(dilip), no()),
        (CHAIR, dbs(chair), no()),
        (CHAIR, train(chair), no()),
        (CHAIR, train(dilip), no()),
        (CLERK, dbs(nasreen), no()),
        (CLERK, train(nasreen), no()),
        (
            ADMIN,
            "update dbs_check set checked_on = sec.today()".to_owned(),
            no(),
        ),
        (ADMIN, "delete from training".to_owned(), no()),
        (CLERK, dbs(chair), Ok(1)),
        (ADMIN, dbs(nasreen), Ok(1)),
        (CLERK, train(chair), Ok(1)),
    ] {
        assert_eq!(scene.raw(email, &sql).await, done, "{email}: {sql}");
    }
}

#[tokio::test]
async fn everybody_gives_their_own_number_and_a_clerk_anybodys() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    let (clerk, teacher, parent) = (
        scene.caller(CLERK).await,
        scene.caller(TEACHER).await,
        scene.caller(PARENT).await,
    );
    let (imran, oluwaseun, beatrice) = (
        scene.place(TEACHER).await,
        scene.place(PARENT).await,
        scene.place(ADMIN).await,
    );
    let db = scene.db.clone();
    for bad in [
        "ring me",
        "12345",
        "0114 496 0123 or 0124",
        "0114\u{202e}4960123",
    ] {
        assert_eq!(
            set_phone(&db, &teacher, imran, bad).await,
            Err(Refusal::PhoneFormat),
            "{bad}"
        );
    }
    assert_eq!(
        set_phone(&db, &teacher, beatrice, "01632 960999").await,
        Err(Refusal::NotAllowed)
    );
    assert_eq!(
        set_phone(&db, &parent, imran, "01632 960999").await,
        Err(Refusal::NotFound)
    );
    set_phone(&db, &teacher, imran, " 01632  960777 ")
        .await
        .unwrap();
    assert_eq!(
        set_phone(&db, &teacher, imran, "01632 960777").await,
        Err(Refusal::Stale)
    );
    set_phone(&db, &parent, oluwaseun, "07700 900555")
        .await
        .unwrap();
    set_phone(&db, &clerk, beatrice, "01632 960001")
        .await
        .unwrap();
    assert_eq!(
        scene
            .facts(&parent, oluwaseun, today)
            .await
            .phone
            .as_deref(),
        Some("07700 900555")
    );
    assert_eq!(
        scene.facts(&clerk, imran, today).await.phone.as_deref(),
        Some("01632 960777")
    );
    set_phone(&db, &clerk, imran, "").await.unwrap();
    assert_eq!(scene.facts(&clerk, imran, today).await.phone, None);
    assert_eq!(
        set_phone(&db, &clerk, imran, "  ").await,
        Err(Refusal::Stale)
    );
    let logged = scene.text("select count(*)::text from event where detail::text like '%960777%' or detail::text like '%900555%'").await;
    assert_eq!(logged, "0");
    // With the database alone in the way.
    let give = |person, phone: &str| {
        format!(
            "insert into contact (tenant_id, membership_id, phone) values (sec.tenant(), '{person}', '{phone}') on conflict (tenant_id, membership_id) do update set phone = excluded.phone"
        )
    };
    let no = || Err("42501".to_owned());
    // Somebody who gave none.
    let lucy = scene.place("teacher2@oakfield.example").await;
    let first = |person| {
        format!(
            "insert into contact (tenant_id, membership_id, phone) values (sec.tenant(), '{person}', '01632 960999')"
        )
    };
    for (email, sql, done) in [
        (TEACHER, give(beatrice, "01632 960999"), no()),
        (TEACHER, give(lucy, "01632 960999"), no()),
        (TEACHER, first(lucy), no()),
        ("head@oakfield.example", give(imran, "01632 960999"), no()),
        (
            TEACHER,
            format!("update contact set phone = null where membership_id = '{beatrice}'"),
            Ok(0),
        ),
        (
            "head@oakfield.example",
            format!("update contact set phone = null where membership_id = '{beatrice}'"),
            Ok(0),
        ),
        (CLERK, "delete from contact".to_owned(), no()),
        (
            CLERK,
            give(imran, "ring me now"),
            Err("23514 contact_phone_shape".to_owned()),
        ),
        (
            CLERK,
            give(imran, "( ) ( ) ( )"),
            Err("23514 contact_phone_shape".to_owned()),
        ),
        (TEACHER, give(imran, "01632 960888"), Ok(1)),
        (CLERK, first(lucy), Ok(1)),
        (CLERK, give(imran, "01632 960888 ext 4"), Ok(1)),
    ] {
        assert_eq!(scene.raw(email, &sql).await, done, "{email}: {sql}");
    }
}
