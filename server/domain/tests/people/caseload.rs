//! One's pupils side by side: who sees whom there, who has not been seen for long, and what a row of check-ins begins with.

use crate::{
    change::change,
    pupil::{ASSISTANT, HEAD, OTHER_TEACHER, SENCO},
    record::about,
    scene::{ADMIN, CLERK, GOVERNOR, PARENT, Scene, TEACHER},
};
use domain::{
    Refusal,
    db::Caller,
    pupil::{access, year::YearGroup},
    wellbeing::{
        Domain, Level,
        caseload::{self, Listed, Order, Which},
        record::{self, Checked, PUPILS_MOST, Part},
    },
};
use time::Duration;
use uuid::Uuid;

fn mine() -> Which {
    Which {
        mine: true,
        ..Which::default()
    }
}

fn called(listed: &Listed) -> Vec<&str> {
    listed.rows.iter().map(|one| one.called.as_str()).collect()
}

impl Scene {
    async fn side_by_side(&mut self, caller: &Caller, which: &Which, order: Order) -> Listed {
        let today = self.today().await;
        let mut read = self.db.look(caller).await.unwrap();
        let listed = caseload::latest(&mut read, which, order, 1, today)
            .await
            .unwrap();
        read.end().await.unwrap();
        listed
    }

    /// What is put down of somebody's overviews: at whom, and by what right.
    async fn overviews(&mut self, email: &str) -> String {
        let place = self.place(email).await;
        self.text(&format!(
            "select string_agg(concat_ws(' ', p.first_name, p.last_name, r.basis), ', ' order by p.last_name, p.first_name, r.basis)
             from pupil_read r join pupil p on p.tenant_id = r.tenant_id and p.id = r.pupil_id
             where r.membership_id = '{place}' and r.parts = '{{levels}}'"
        ))
        .await
    }

    /// A check-in in one domain, of now.
    async fn looks_at(&mut self, by: &Caller, pupil: Uuid, domain: Domain) {
        let happened_at = self.now().await - Duration::minutes(1);
        change(&self.db, by, async |write| {
            let levels = [(domain, Level::ALL[3])];
            let row = [Checked {
                pupil,
                levels: &levels,
                note: "",
            }];
            record::check_in(write, &row, happened_at).await
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn a_teacher_has_the_pupils_of_the_caseload_side_by_side_and_nobody_elses() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let (imran, harriet) = (scene.caller(TEACHER).await, scene.caller(SENCO).await);
    let then = scene.now().await - Duration::days(1);
    for pupil in roll.all() {
        scene.checks_in(&harriet, pupil, 2, then).await.unwrap();
    }
    let own = ["Chidi Eze", "Aisha Khan", "Benedict O’Rourke-Mensah"];
    let all = Which::default();
    for which in [mine(), all.clone()] {
        let listed = scene.side_by_side(&imran, &which, Order::Surname).await;
        assert_eq!(called(&listed), own);
        assert_eq!((listed.matching, listed.unseen), (3, 0));
        assert!(listed.rows.iter().all(|one| one.levels.len() == 2));
        assert!(listed.rows.iter().all(|one| one.year == YearGroup::Y5));
        assert_eq!(listed.rows[0].registration.as_deref(), Some("4W"));
    }
    // The outsiders are there for who sees the school, and their group is as good as none for who does not.
    let of_b = Which {
        group: Some(roll.b),
        ..Which::default()
    };
    let seen = scene.side_by_side(&harriet, &of_b, Order::Surname).await;
    assert_eq!(called(&seen), ["Aisha Khan", "Elliot Price"]);
    let named = Which {
        pupils: Some(vec![roll.elliot, roll.aisha, Uuid::from_u128(7)]),
        ..Which::default()
    };
    let seen = scene.side_by_side(&harriet, &named, Order::Surname).await;
    assert_eq!(seen.matching, 2);
    for (which, matching) in [(&of_b, 0), (&named, 1)] {
        let seen = scene.side_by_side(&imran, which, Order::Surname).await;
        assert_eq!((seen.matching, seen.rows.len()), (matching, matching));
    }
    // Who sees the school has no caseload, and nobody of the board sees anybody.
    let none = scene.side_by_side(&harriet, &mine(), Order::Surname).await;
    assert_eq!(none.matching, 0);
    let governor = scene.caller(GOVERNOR).await;
    let none = scene.side_by_side(&governor, &all, Order::Surname).await;
    assert_eq!(called(&none), [""; 0]);
}

#[tokio::test]
async fn whoever_nothing_was_put_down_about_for_two_weeks_comes_first() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let imran = scene.caller(TEACHER).await;
    let now = scene.now().await;
    let ago = |days: i64| now - Duration::days(days);
    // Of the two check-ins with Aisha the one that happened later counts, whichever was put down first.
    scene
        .checks_in(&imran, roll.aisha, 4, ago(3))
        .await
        .unwrap();
    scene
        .checks_in(&imran, roll.aisha, 1, ago(40))
        .await
        .unwrap();
    scene
        .checks_in(&imran, roll.benedict, 2, ago(14))
        .await
        .unwrap();
    let mistake = scene
        .checks_in(&imran, roll.chidi, 5, ago(1))
        .await
        .unwrap();
    change(&scene.db, &imran, async |write| {
        let act = record::withdraw(write, mistake, 1, "Somebody else").await?;
        Ok(((), act))
    })
    .await
    .unwrap();
    let listed = scene.side_by_side(&imran, &mine(), Order::Unseen).await;
    assert_eq!(
        called(&listed),
        ["Chidi Eze", "Benedict O’Rourke-Mensah", "Aisha Khan"]
    );
    assert_eq!((listed.matching, listed.unseen), (3, 2));
    let [chidi, _, aisha] = &listed.rows[..] else {
        panic!("{listed:?}");
    };
    assert_eq!((&chidi.seen_at, chidi.levels.len()), (&None, 0));
    let settled = aisha.levels.iter().find(|one| one.0 == Domain::Settled);
    assert_eq!(settled.unwrap().1.number(), 4);
    let unseen = Which {
        unseen: true,
        ..mine()
    };
    let long = scene.side_by_side(&imran, &unseen, Order::Surname).await;
    assert_eq!(called(&long), ["Chidi Eze", "Benedict O’Rourke-Mensah"]);

    // An observation is seeing somebody too, and no check-in.
    let linked = [about(roll.benedict, Part::Subject, "")];
    scene
        .observes(&imran, "Helped to lay the table", &linked)
        .await
        .unwrap();
    let long = scene.side_by_side(&imran, &unseen, Order::Surname).await;
    assert_eq!(called(&long), ["Chidi Eze"]);
    let listed = scene.side_by_side(&imran, &mine(), Order::Unseen).await;
    let benedict = &listed.rows[2];
    assert_eq!(benedict.called, "Benedict O’Rourke-Mensah");
    assert!(benedict.checked_at < benedict.seen_at);

    // Whoever left is not there any more.
    let gone = roll.chidi;
    scene
        .sql(&format!(
            "update pupil set left_on = sec.today() where id = '{gone}'"
        ))
        .await;
    let long = scene.side_by_side(&imran, &unseen, Order::Surname).await;
    assert_eq!(called(&long), [""; 0]);
}

#[tokio::test]
async fn a_row_begins_with_the_domains_that_one_did_last_or_else_somebody_else() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let (imran, harriet) = (scene.caller(TEACHER).await, scene.caller(SENCO).await);
    let jasmine = scene.caller(ASSISTANT).await;
    let before = async |scene: &Scene, caller: &Caller, pupils: &[Uuid]| {
        let mut read = scene.db.read(caller).await.unwrap();
        caseload::domains_before(&mut read, pupils).await.unwrap()
    };
    let four_w: Vec<Uuid> = roll.of_w().into_iter().collect();
    assert_eq!(before(&scene, &imran, &four_w).await, []);
    let happened_at = scene.now().await - Duration::days(2);
    scene
        .checks_in(&imran, roll.benedict, 3, happened_at)
        .await
        .unwrap();
    scene.looks_at(&harriet, roll.chidi, Domain::Hopeful).await;
    let own = [Domain::Safe, Domain::Settled];
    assert_eq!(before(&scene, &imran, &four_w).await, own);
    // Jasmine has Chidi alone, and never checked in.
    assert_eq!(before(&scene, &jasmine, &four_w).await, [Domain::Hopeful]);
    scene.looks_at(&imran, roll.aisha, Domain::Active).await;
    assert_eq!(before(&scene, &imran, &four_w).await, [Domain::Active]);
    assert_eq!(before(&scene, &imran, &[roll.farah]).await, []);
}

#[tokio::test]
async fn whoever_has_pupils_side_by_side_has_looked_at_each_of_them_and_at_nobody_else() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let (imran, harriet) = (scene.caller(TEACHER).await, scene.caller(SENCO).await);
    let all = Which::default();
    scene.side_by_side(&imran, &mine(), Order::Surname).await;
    let own = "Chidi Eze caseload, Aisha Khan caseload, Benedict O’Rourke-Mensah caseload";
    assert_eq!(scene.overviews(TEACHER).await, own);
    // Again within ten minutes, and one more for a reason, whom the caseload does not hold.
    let (tenant, place) = (scene.oakfield, scene.place(TEACHER).await);
    for (pupil, until) in [(roll.elliot, "+"), (roll.farah, "-")] {
        scene
            .sql(&format!(
                "insert into pupil_access (tenant_id, membership_id, pupil_id, reason, words, opened_at, until)
                 values ('{tenant}', '{place}', '{pupil}', 'incident', 'He fell in the yard.', now() - interval '40 minutes',
                   now() {until} interval '1 minute')"
            ))
            .await;
    }
    scene.side_by_side(&imran, &all, Order::Surname).await;
    let with = format!("{own}, Elliot Price reason");
    assert_eq!(scene.overviews(TEACHER).await, with);
    let named = "select count(*)::text from pupil_read r join pupil_access a on a.id = r.access_id and a.pupil_id = r.pupil_id
                 where r.basis = 'reason' and r.parts = '{levels}'";
    assert_eq!(scene.text(named).await, "1");
    scene
        .sql("update pupil_read set at = at - interval '11 minutes'")
        .await;
    scene.side_by_side(&imran, &mine(), Order::Surname).await;
    let of_him = format!("select count(*)::text from pupil_read where membership_id = '{place}'");
    assert_eq!(scene.text(&of_him).await, "7");

    // Who sees the school has looked at those of the page and no others; one line to whoever goes through it.
    let of_b = Which {
        group: Some(roll.b),
        ..all.clone()
    };
    scene.side_by_side(&harriet, &of_b, Order::Surname).await;
    assert_eq!(
        scene.overviews(SENCO).await,
        "Aisha Khan role, Elliot Price role"
    );
    let admin = scene.caller(ADMIN).await;
    let mut read = scene.reading(&admin).await;
    let looked = access::looked_at(&mut read, None, 10).await.unwrap();
    let told: Vec<_> = looked
        .iter()
        .map(|one| {
            let called = one.pupil.as_ref().map(|(_, called)| called.as_str());
            (one.by.as_str(), one.many, called)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("Harriet Beaumont", 2, None),
            ("Imran Siddiqui", 3, None),
            ("Imran Siddiqui", 1, Some("Elliot Price")),
            ("Imran Siddiqui", 3, None),
        ]
    );
    let looked = access::looked_at(&mut read, Some(roll.elliot), 10).await;
    let looked = looked.unwrap();
    assert!(looked.iter().all(|one| one.pupil.is_some()));
    assert_eq!(looked.len(), 2);
    drop(read);

    // Given up it shows nothing and is not put down, and in a plain snapshot there is nothing to be had.
    let today = scene.today().await;
    let mut given_up = scene.db.look(&harriet).await.unwrap();
    caseload::latest(&mut given_up, &all, Order::Surname, 1, today)
        .await
        .unwrap();
    drop(given_up);
    let mut plain = scene.reading(&harriet).await;
    let none = caseload::latest(&mut plain, &all, Order::Surname, 1, today).await;
    assert!(none.is_err());
    drop(plain);
    assert!(!scene.overviews(SENCO).await.contains("Eze"));
}

#[tokio::test]
async fn an_overview_is_put_down_of_those_and_by_the_right_that_one_look_at_a_time_would_find() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let (tenant, place) = (scene.oakfield, scene.place(OTHER_TEACHER).await);
    for (email, sql) in [
        (OTHER_TEACHER, "now() + interval '1 minute'"),
        (ASSISTANT, "now() - interval '1 minute'"),
    ] {
        let place = scene.place(email).await;
        scene
            .sql(&format!(
                "insert into pupil_access (tenant_id, membership_id, pupil_id, reason, words, opened_at, until)
                 values ('{tenant}', '{place}', '{}', 'incident', 'He fell in the yard.', now() - interval '40 minutes', {sql})",
                roll.elliot
            ))
            .await;
    }
    // The head teaches a class too, and one of another school is nobody here.
    let head = scene.place(HEAD).await;
    scene
        .sql(&format!(
            "update membership set roles = '{{senior_leader,teacher}}' where id = '{head}';
             insert into caseload (tenant_id, membership_id, pupil_id, during, given_by)
             values ('{tenant}', '{head}', '{}', tstzrange(now() - interval '1 day', null), '{place}');
             insert into pupil (tenant_id, first_name, last_name, born, year_group)
             select id, 'Iris', 'Elsewhere', '2016-05-09', '5' from tenant where label = 'northgate'",
            roll.farah
        ))
        .await;
    let everybody = scene.text("select array_agg(id)::text from pupil").await;
    let ids = everybody.trim_matches(['{', '}']).split(',');
    let mut seen = 0;
    for (email, many) in [
        (TEACHER, 3),
        (OTHER_TEACHER, 1),
        (ASSISTANT, 1),
        (SENCO, 6),
        (HEAD, 6),
        (ADMIN, 6),
        (CLERK, 0),
        (GOVERNOR, 0),
        (PARENT, 0),
    ] {
        let over = format!("select sec.look_over('{everybody}', 'levels')::text");
        assert_eq!(
            scene.raw_texts(email, &over).await,
            [many.to_string()],
            "{email}"
        );
        for id in ids.clone() {
            let one = format!("select sec.look_at('{id}', '{{details}}')");
            scene.raw(email, &one).await.unwrap();
        }
        seen += many;
        // Nor is anything else an overview.
        let other = format!("select sec.look_over('{everybody}', 'details')::text");
        assert_eq!(scene.raw_texts(email, &other).await, ["0"], "{email}");
    }
    let lines = |part: &str| {
        format!(
            "select string_agg(concat_ws(' ', membership_id, pupil_id, basis, access_id), ', ' order by membership_id, pupil_id)
             from pupil_read where parts = '{{{part}}}'"
        )
    };
    let over = scene.text(&lines("levels")).await;
    assert_eq!(over, scene.text(&lines("details")).await);
    assert_eq!(over.split(", ").count(), seen);
    for basis in ["caseload", "role", "reason"] {
        assert!(over.contains(basis), "{over}");
    }
    let parts = scene
        .text("select array_to_string(sec.overview_parts(), ' ')")
        .await;
    assert_eq!(parts, access::OVERVIEWS.join(" "));
    // Nothing is shown of many where one of them is not theirs to see.
    let imran = scene.caller(TEACHER).await;
    let mut read = scene.db.look(&imran).await.unwrap();
    let both = [roll.aisha, roll.elliot].into();
    let refused = domain::pupil::look_over(&mut read, &both, "levels").await;
    assert_eq!(refused, Err(Refusal::NotFound));
}

#[tokio::test]
async fn a_row_of_check_ins_holds_forty_and_only_those_were_looked_at() {
    let mut scene = Scene::new().await;
    let (tenant, harriet) = (scene.oakfield, scene.caller(SENCO).await);
    scene
        .sql(&format!(
            "insert into pupil (tenant_id, first_name, last_name, born, year_group)
             select '{tenant}', 'Ann', 'Zz' || lpad(n::text, 2, '0'), '2016-05-09', '6' from generate_series(1, 45) n"
        ))
        .await;
    let of_six = Which {
        year: Some(YearGroup::Y6),
        ..Which::default()
    };
    let first: Uuid = scene
        .text("select id::text from pupil where last_name = 'Zz01'")
        .await
        .parse()
        .unwrap();
    let then = scene.now().await - Duration::days(1);
    scene.checks_in(&harriet, first, 4, then).await.unwrap();
    let most = usize::from(PUPILS_MOST);
    let row = scene.side_by_side(&harriet, &of_six, Order::Row).await;
    assert_eq!((row.matching, row.rows.len()), (45, most));
    // She was seen, and the others were not.
    assert_eq!(called(&row)[0], "Ann Zz02");
    let put_down = scene.overviews(SENCO).await;
    assert_eq!(put_down.split(", ").count(), most);
    assert!(
        !put_down.contains("Zz01") && !put_down.contains("Zz45"),
        "{put_down}"
    );
    // Where all of them are in it they stand by surname.
    scene
        .sql("update pupil set left_on = sec.today() where last_name > 'Zz40'")
        .await;
    let row = scene.side_by_side(&harriet, &of_six, Order::Row).await;
    assert_eq!((row.matching, called(&row)[0]), (most, "Ann Zz01"));
}
