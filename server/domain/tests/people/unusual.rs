//! Unusual looks at pupils' records: what the weekly list holds and what it does not, who reads it, and that it stands once it is signed.

use crate::{
    change::change,
    digest::of,
    pupil::{ASSISTANT, COVER, HEAD, OTHER_TEACHER, Roll, SENCO},
    scene::{ADMIN, CHAIR, CLERK, PARENT, Scene, TEACHER},
};
use domain::{
    Refusal,
    db::Caller,
    notice::letter::Duty as Waits,
    pupil::{
        Fault,
        duty::{self, Duty},
        unusual::{self, Finding, List, Rule, Said},
    },
};
use time::{Date, Duration};
use uuid::Uuid;

const TABLES: [&str; 4] = [
    "access_week",
    "access_finding",
    "access_review",
    "access_statement",
];

/// A look: who, at whom, by what right, how many days after the Monday and at what time in England.
type Look<'a> = (&'a str, Uuid, &'a str, i64, &'a str);

impl Scene {
    /// The first day of the week so many before this one.
    async fn monday_before(&mut self, weeks: i64) -> Date {
        let today = self.today().await;
        let since = i64::from(today.weekday().number_days_from_monday());
        today - Duration::days(since + 7 * weeks)
    }

    async fn looked(&mut self, monday: Date, looks: &[Look<'_>]) {
        for (email, pupil, basis, days, time) in looks {
            let place = self.place(email).await;
            let day = monday + Duration::days(*days);
            let tenant = self.oakfield;
            self.sql(&format!(
                "insert into pupil_read (tenant_id, membership_id, pupil_id, basis, parts, at)
                 values ('{tenant}', '{place}', '{pupil}', '{basis}', '{{details}}', timestamp '{day} {time}' at time zone 'Europe/London')"
            ))
            .await;
        }
    }

    /// Looks at so many of the pupils of invented names, at noon.
    async fn looked_at_many(&mut self, email: &str, day: Date, many: u32) {
        let (tenant, place) = (self.oakfield, self.place(email).await);
        let rows = self
            .sql(&format!(
                "insert into pupil_read (tenant_id, membership_id, pupil_id, basis, parts, at)
                 select tenant_id, '{place}', id, 'role', '{{details}}', timestamp '{day} 12:00' at time zone 'Europe/London'
                 from pupil where tenant_id = '{tenant}' and last_name like 'Zz%' order by last_name limit {many}"
            ))
            .await;
        assert_eq!(rows, u64::from(many));
    }

    async fn invented(&mut self, many: u32) {
        let tenant = self.oakfield;
        self.sql(&format!(
            "insert into pupil (tenant_id, first_name, last_name, born, year_group)
             select '{tenant}', 'Ann', 'Zz' || n, '2016-05-09', '5' from generate_series(1, {many}) n"
        ))
        .await;
    }

    /// Changes a name behind everybody's back.
    async fn is_called(&mut self, email: &str, name: &str) {
        let place = self.place(email).await;
        self.sql(&format!(
            "set session_replication_role = replica;
             update membership set name = '{name}', version = version + 1 where id = '{place}';
             set session_replication_role = origin"
        ))
        .await;
    }

    async fn makes_lists(&self) -> i32 {
        let worker = self.worker();
        let made = worker.access_weeks().await.unwrap();
        worker.close().await;
        made
    }

    async fn list_of(&self, by: &Caller, monday: Date) -> Result<List, Refusal> {
        unusual::list(&mut self.reading(by).await, monday).await
    }

    async fn signs(
        &self,
        by: &Caller,
        monday: Date,
        words: &str,
        said: &[Said],
    ) -> Result<(), Refusal> {
        change(&self.db, by, async |write| {
            Ok(((), unusual::sign(write, monday, words, said).await?))
        })
        .await
    }

    async fn adds(
        &self,
        by: &Caller,
        monday: Date,
        finding: Option<Uuid>,
        words: &str,
    ) -> Result<(), Refusal> {
        change(&self.db, by, async |write| {
            let act = unusual::note(write, monday, finding, true, words).await?;
            Ok(((), act))
        })
        .await
    }

    /// A week in which the head looked at a pupil on a Saturday and the SENCO at another late on a Tuesday.
    async fn busy_week(&mut self, roll: &Roll, weeks: i64) -> Date {
        let monday = self.monday_before(weeks).await;
        self.looked(
            monday,
            &[
                (HEAD, roll.aisha, "role", 5, "12:00"),
                (SENCO, roll.elliot, "role", 1, "21:30"),
                (TEACHER, roll.aisha, "caseload", 1, "09:00"),
            ],
        )
        .await;
        monday
    }
}

/// Who is in the list for a rule, by day of the week.
fn told(list: &List, rule: Rule) -> Vec<(Option<&str>, Option<&str>, u8, u32)> {
    list.findings
        .iter()
        .filter(|one| one.rule == rule)
        .map(|one| {
            (
                one.by.as_deref(),
                one.pupil.as_ref().map(|(_, called)| called.as_str()),
                one.on.weekday().number_days_from_monday(),
                one.many,
            )
        })
        .collect()
}

#[tokio::test]
async fn looks_outside_the_hours_of_a_school_are_in_the_list_and_those_within_are_not() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let admin = scene.caller(ADMIN).await;
    let monday = scene.monday_before(1).await;
    let (imran, head) = (scene.name_of(TEACHER).await, scene.name_of(HEAD).await);
    scene
        .looked(
            monday,
            &[
                (TEACHER, roll.aisha, "caseload", 0, "06:59:59"),
                (TEACHER, roll.aisha, "caseload", 1, "07:00"),
                (HEAD, roll.elliot, "role", 2, "18:59:59"),
                (HEAD, roll.elliot, "role", 3, "19:00"),
                (HEAD, roll.farah, "role", 3, "23:59"),
                (TEACHER, roll.chidi, "caseload", 4, "12:00"),
                (TEACHER, roll.chidi, "caseload", 5, "12:00"),
                (HEAD, roll.farah, "role", 6, "12:00"),
            ],
        )
        .await;
    assert_eq!(scene.makes_lists().await, 1);
    let list = scene.list_of(&admin, monday).await.unwrap();
    let (imran, head) = (Some(imran.as_str()), Some(head.as_str()));
    assert_eq!(
        told(&list, Rule::Hours),
        [
            (imran, Some("Aisha Khan"), 0, 1),
            // Two pupils on one evening are one line.
            (head, None, 3, 2),
            (imran, Some("Chidi Eze"), 5, 1),
            (head, Some("Farah Nazari"), 6, 1),
        ]
    );
    assert_eq!(list.findings.len(), 4, "{list:#?}");
    assert_eq!(list.week.looks, 8);
    let early = list.findings[0].sentence();
    let day = domain::day::words(monday);
    assert_eq!(
        early,
        format!(
            "{} looked at Aisha Khan on Monday {day}, before 7:00 or from 19:00 on.",
            imran.unwrap()
        )
    );
}

#[tokio::test]
async fn a_crowd_around_a_pupil_is_five_people_on_a_day_and_not_four() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let admin = scene.caller(ADMIN).await;
    let monday = scene.monday_before(1).await;
    let five = [TEACHER, ASSISTANT, SENCO, HEAD, ADMIN];
    for (n, email) in (0..).zip(five) {
        let looks = [
            (email, roll.chidi, "role", 1, "10:00"),
            // Five people within the week, but not within a day.
            (email, roll.elliot, "role", n, "11:00"),
        ];
        scene.looked(monday, &looks).await;
    }
    for email in &five[..4] {
        // One of them twice.
        let look = (*email, roll.farah, "role", 2, "10:00");
        scene.looked(monday, &[look, look]).await;
    }
    scene.makes_lists().await;
    let list = scene.list_of(&admin, monday).await.unwrap();
    assert_eq!(told(&list, Rule::Crowd), [(None, Some("Chidi Eze"), 1, 5)]);
}

#[tokio::test]
async fn many_pupils_are_more_than_three_times_the_usual_and_twenty_at_least() {
    let mut scene = Scene::new().await;
    let admin = scene.caller(ADMIN).await;
    scene.invented(40).await;
    let monday = scene.monday_before(1).await;
    // The head usually looks at seven; one hard day does not move that. The SENCO at five.
    for (weeks, many) in [(1, 7), (2, 7), (3, 40)] {
        let day = monday - Duration::days(7 * weeks);
        scene.looked_at_many(HEAD, day, many).await;
        scene.looked_at_many(SENCO, day, 5).await;
    }
    let day = |days: i64| monday + Duration::days(days);
    scene.looked_at_many(HEAD, day(0), 21).await;
    scene.looked_at_many(HEAD, day(1), 22).await;
    scene.looked_at_many(SENCO, day(0), 19).await;
    scene.looked_at_many(SENCO, day(1), 20).await;
    // Nine weeks ago is too long ago to be somebody's usual.
    scene
        .looked_at_many(ADMIN, monday - Duration::days(63), 30)
        .await;
    scene.looked_at_many(ADMIN, day(0), 19).await;
    scene.looked_at_many(ADMIN, day(1), 20).await;
    scene.makes_lists().await;
    let list = scene.list_of(&admin, monday).await.unwrap();
    let usual: Vec<_> = list
        .findings
        .iter()
        .filter(|one| one.rule == Rule::Many)
        .map(|one| (one.many, one.usual))
        .collect();
    assert_eq!(usual.len(), 3, "{list:#?}");
    for one in [(22, Some(7)), (20, Some(5)), (20, None)] {
        assert!(usual.contains(&one), "{one:?} in {usual:?}");
    }
}

#[tokio::test]
async fn perhaps_family_is_a_surname_or_a_child_of_theirs_whom_they_do_not_teach() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let admin = scene.caller(ADMIN).await;
    let monday = scene.monday_before(1).await;
    for (email, name) in [
        (TEACHER, "Imran Khan"),
        (COVER, "Lucy Khanna"),
        (SENCO, "Harriet O''Rourke"),
        (OTHER_TEACHER, "Elliot Nowak"),
        (HEAD, "Ann de Vries"),
    ] {
        scene.is_called(email, name).await;
    }
    let (tenant, head) = (scene.oakfield, scene.place(HEAD).await);
    scene
        .sql(&format!(
            "set session_replication_role = replica;
             insert into guardian_link (tenant_id, membership_id, pupil_id, relation, linked_by)
             values ('{tenant}', '{head}', '{}', 'mother', '{head}');
             set session_replication_role = origin",
            roll.farah
        ))
        .await;
    scene
        .looked(
            monday,
            &[
                // On his caseload: whoever put her there knew both.
                (TEACHER, roll.aisha, "caseload", 0, "10:00"),
                (TEACHER, roll.other_aisha, "role", 0, "10:00"),
                (COVER, roll.aisha, "role", 0, "10:00"),
                // One part of a double-barrelled name, with another apostrophe.
                (SENCO, roll.benedict, "role", 1, "10:00"),
                // The first name is no family.
                (OTHER_TEACHER, roll.elliot, "role", 1, "10:00"),
                (HEAD, roll.farah, "role", 2, "10:00"),
                (HEAD, roll.chidi, "role", 2, "10:00"),
            ],
        )
        .await;
    scene.makes_lists().await;
    let list = scene.list_of(&admin, monday).await.unwrap();
    assert_eq!(
        told(&list, Rule::Family),
        [
            (Some("Imran Khan"), Some("Aisha Khan"), 0, 1),
            (
                Some("Harriet O'Rourke"),
                Some("Benedict O’Rourke-Mensah"),
                1,
                1
            ),
            (Some("Ann de Vries"), Some("Farah Nazari"), 2, 1),
        ]
    );
    assert_eq!(list.findings.len(), 3);
}

#[tokio::test]
async fn an_overview_is_in_the_list_for_its_hour_and_for_nothing_else() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let admin = scene.caller(ADMIN).await;
    scene.invented(40).await;
    scene.is_called(HEAD, "Ann Eze").await;
    let mut lists = Vec::new();
    for weeks in [1, 2] {
        let monday = scene.monday_before(weeks).await;
        // The SENCO pages through the school, five people have one pupil in their list, and one of them bears that name.
        scene.looked_at_many(SENCO, monday, 40).await;
        for email in [TEACHER, ASSISTANT, SENCO, HEAD, ADMIN] {
            scene
                .looked(monday, &[(email, roll.chidi, "role", 1, "10:00")])
                .await;
        }
        scene
            .looked(
                monday,
                &[
                    (ADMIN, roll.aisha, "role", 2, "21:00"),
                    (ADMIN, roll.elliot, "role", 2, "21:00"),
                ],
            )
            .await;
        scene
            .sql("update pupil_read set parts = case when pupil_id::text < '8' then '{levels}' else '{roster}' end::text[]")
            .await;
        // The outsider: the same looks, where no part is an overview.
        if weeks == 2 {
            scene
                .rewrite(
                    "sec.overview_parts()",
                    "array['levels', 'roster']",
                    "array['none']",
                )
                .await;
        }
        scene.makes_lists().await;
        lists.push(scene.list_of(&admin, monday).await.unwrap());
    }
    let rules = |list: &List| {
        let mut rules: Vec<_> = list.findings.iter().map(|one| one.rule.code()).collect();
        rules.sort_unstable();
        rules
    };
    let by = scene.name_of(ADMIN).await;
    assert_eq!(
        told(&lists[0], Rule::Hours),
        [(Some(by.as_str()), None, 2, 2)]
    );
    assert_eq!(rules(&lists[0]), ["hours"]);
    assert_eq!(rules(&lists[1]), ["crowd", "family", "hours", "many"]);
}

#[tokio::test]
async fn each_look_beyond_the_caseload_is_in_the_list_of_its_week_with_its_reason() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let admin = scene.caller(ADMIN).await;
    let monday = scene.monday_before(1).await;
    let (tenant, imran) = (scene.oakfield, scene.place(TEACHER).await);
    for (day, words) in [
        (monday - Duration::DAY, "The Sunday before the week."),
        (monday, "He fell in the yard on my duty."),
        (monday + Duration::days(7), "The Monday after the week."),
    ] {
        scene
            .sql(&format!(
                "insert into pupil_access (tenant_id, membership_id, pupil_id, reason, words, opened_at, until)
                 select '{tenant}', '{imran}', '{}', 'incident', '{words}', x, x + interval '1 hour'
                 from (select timestamp '{day} 10:00' at time zone 'Europe/London') as y (x)",
                roll.elliot
            ))
            .await;
    }
    assert_eq!(scene.makes_lists().await, 2);
    let list = scene.list_of(&admin, monday).await.unwrap();
    let [one]: &[Finding] = &list.findings else {
        panic!("{list:#?}");
    };
    assert_eq!(one.rule, Rule::Beyond);
    let (_, words) = one.reason.as_ref().unwrap();
    assert_eq!(words, "He fell in the yard on my duty.");
    let sentence = one.sentence();
    assert!(
        sentence.contains("Elliot Price, who was not on their caseload")
            && sentence.contains("“Something happened that I must put down”"),
        "{sentence}"
    );
    // A pupil who was on the roll by mistake goes, and the line stays.
    scene
        .sql(&format!(
            "delete from caseload where pupil_id = '{0}'; delete from pupil where id = '{0}'",
            roll.elliot
        ))
        .await;
    let list = scene.list_of(&admin, monday).await.unwrap();
    assert_eq!(list.findings.len(), 1);
    assert_eq!(list.findings[0].pupil, None);
}

#[tokio::test]
async fn a_list_is_made_once_when_its_week_is_over_and_then_stands() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let admin = scene.caller(ADMIN).await;
    let this = scene.monday_before(0).await;
    scene
        .looked(this, &[(HEAD, roll.aisha, "role", 0, "03:00")])
        .await;
    assert_eq!(scene.makes_lists().await, 0, "the week is not over");
    let last = scene.busy_week(&roll, 1).await;
    let long_ago = scene.busy_week(&roll, 9).await;
    assert_eq!(scene.makes_lists().await, 1);
    assert_eq!(scene.makes_lists().await, 0);
    let list = scene.list_of(&admin, last).await.unwrap();
    assert_eq!(list.findings.len(), 2);
    scene
        .looked(last, &[(HEAD, roll.farah, "role", 6, "03:00")])
        .await;
    assert_eq!(scene.makes_lists().await, 0);
    assert_eq!(scene.list_of(&admin, last).await.unwrap(), list);
    for none in [this, long_ago] {
        assert_eq!(scene.list_of(&admin, none).await, Err(Refusal::NotFound));
    }
}

#[tokio::test]
async fn only_who_goes_through_who_looked_reads_a_list_with_any_sql_and_nobody_changes_one() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let monday = scene.busy_week(&roll, 1).await;
    scene.makes_lists().await;
    let admin = scene.caller(ADMIN).await;
    scene
        .signs(&admin, monday, "Both were on call.", &[])
        .await
        .unwrap();
    for (email, sees) in [
        (ADMIN, true),
        (HEAD, false),
        (SENCO, false),
        (TEACHER, false),
        (CLERK, false),
        (CHAIR, false),
        (PARENT, false),
    ] {
        for table in TABLES {
            let rows = scene
                .raw(email, &format!("select from {table}"))
                .await
                .unwrap();
            assert_eq!(rows > 0, sees, "{email} in {table}");
        }
        let caller = scene.caller(email).await;
        let list = scene.list_of(&caller, monday).await;
        assert_eq!(list.is_ok(), sees, "{email}");
    }
    // The head answers for data protection from now on.
    let head = scene.place(HEAD).await;
    change(&scene.db, &admin, async |write| {
        let act = duty::give(write, Duty::DataProtection, head, "Room 2", "").await?;
        Ok(((), act))
    })
    .await
    .unwrap();
    assert_eq!(scene.raw(HEAD, "select from access_finding").await, Ok(2));
    for table in TABLES {
        for sql in [
            format!("delete from {table}"),
            format!("update {table} set id = id"),
        ] {
            let refused = scene.raw(ADMIN, &sql).await.unwrap_err();
            assert_eq!(refused, "42501", "{sql}");
        }
    }
    for (email, sql) in [
        (ADMIN, "insert into access_finding (tenant_id, week_id, rule, at, many) select tenant_id, id, 'crowd', now(), 5 from access_week"),
        (ADMIN, "insert into access_week (tenant_id, monday, looks) select tenant_id, monday - 7, 1 from access_week"),
        // In another's name.
        (ADMIN, "insert into access_statement (tenant_id, week_id, follow_up, words, by_id)
                 select w.tenant_id, w.id, false, 'Fine', m.id from access_week w
                 join membership m on m.tenant_id = w.tenant_id and m.name = (select min(name) from membership)"),
    ] {
        assert_eq!(scene.raw(email, sql).await.unwrap_err(), "42501", "{sql}");
    }
    // It is this function alone that keeps the others out.
    scene
        .rewrite(
            "sec.reviews_access()",
            "sec.has_role('school_admin')",
            "sec.sees_school()",
        )
        .await;
    assert_eq!(scene.raw(SENCO, "select from access_finding").await, Ok(2));
    assert_eq!(
        scene.raw(TEACHER, "select from access_finding").await,
        Ok(0)
    );
}

#[tokio::test]
async fn a_list_is_signed_once_with_words_and_something_can_be_added() {
    let mut scene = Scene::new().await;
    let roll = scene.roll().await;
    let monday = scene.busy_week(&roll, 1).await;
    scene.makes_lists().await;
    let admin = scene.caller(ADMIN).await;
    let list = scene.list_of(&admin, monday).await.unwrap();
    let ids: Vec<Uuid> = list.findings.iter().map(|one| one.id).collect();
    let said = |n: usize, follow_up, words: &str| Said {
        finding: ids[n],
        follow_up,
        words: words.to_owned(),
    };
    let refused = |fault| Err(Refusal::Pupil(fault));
    for (words, lines, fault) in [
        ("", vec![], Fault::ReviewWords),
        (" \n ", vec![], Fault::ReviewWords),
        // One line of two.
        ("", vec![said(0, false, "On call.")], Fault::ReviewWords),
        (
            "Looked into.",
            vec![said(0, true, " ")],
            Fault::ReviewFollowUp,
        ),
    ] {
        let signed = scene.signs(&admin, monday, words, &lines).await;
        assert_eq!(signed, refused(fault), "{words:?} {lines:?}");
    }
    let early = scene.adds(&admin, monday, None, "Too early.").await;
    assert_eq!(early, refused(Fault::ReviewUnsigned));
    let elsewhere = Said {
        finding: Uuid::from_u128(7),
        follow_up: false,
        words: "Looked into.".to_owned(),
    };
    let signed = scene.signs(&admin, monday, "Fine.", &[elsewhere]).await;
    assert_eq!(signed, Err(Refusal::NotFound));
    assert!(scene.list_of(&admin, monday).await.unwrap().week.waits());

    let lines = [
        said(0, false, "A parents’ evening."),
        said(1, true, "Asked the head why, see Thursday."),
    ];
    scene.signs(&admin, monday, "", &lines).await.unwrap();
    let again = scene.signs(&admin, monday, "Once more.", &[]).await;
    assert_eq!(again, refused(Fault::ReviewTwice));
    assert_eq!(
        Fault::ReviewTwice.to_string(),
        "This list is signed already. What you have to say can be added to it below."
    );
    scene
        .adds(&admin, monday, Some(ids[1]), "The head was on call.")
        .await
        .unwrap();
    let without = scene.adds(&admin, monday, None, " ").await;
    assert_eq!(without, refused(Fault::ReviewWords));
    let list = scene.list_of(&admin, monday).await.unwrap();
    let by = scene.name_of(ADMIN).await;
    assert_eq!(list.week.signed.as_ref().unwrap().0, by);
    assert_eq!(list.week.follow_ups, 2);
    let words: Vec<_> = list
        .statements
        .iter()
        .map(|one| (one.finding, one.follow_up, one.words.as_str()))
        .collect();
    assert_eq!(
        words,
        [
            (Some(ids[0]), false, "A parents’ evening."),
            (Some(ids[1]), true, "Asked the head why, see Thursday."),
            (Some(ids[1]), true, "The head was on call."),
        ]
    );
    // In the log stand numbers and no words; to the clerk not even those.
    let log = scene
        .text("select string_agg(act || ' ' || detail, ', ' order by seq) from event where act like 'access.%'")
        .await;
    assert!(
        log.contains("access.reviewed") && log.contains("\"follow_ups\": 1"),
        "{log}"
    );
    assert!(
        log.contains("\"pupils\": 0") && !log.contains("head"),
        "{log}"
    );
    let clerk = scene
        .raw(CLERK, "select from event where act like 'access.%'")
        .await;
    assert_eq!(clerk, Ok(0));
    let office = scene
        .raw(ADMIN, "select from event where act like 'access.%'")
        .await;
    assert_eq!(office, Ok(2));
}

#[tokio::test]
async fn a_list_that_waits_for_more_than_a_week_is_told_by_letter_until_it_is_signed() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    let roll = scene.roll().await;
    scene.quiet().await;
    scene.no_board().await;
    let (admin, ahead) = (scene.caller(ADMIN).await, scene.monday().await);
    scene.no_board().await;
    let old = scene.busy_week(&roll, 2).await;
    scene.busy_week(&roll, 1).await;
    assert_eq!(scene.makes_lists().await, 2);
    let waits = |letters: &[(String, domain::notice::letter::Digest)], email| {
        of(letters, email).map_or(0, |letter| {
            letter
                .duties
                .iter()
                .filter(|one| one.duty == Waits::Access)
                .map(|one| one.count)
                .sum::<usize>()
        })
    };
    let sent = scene.morning(ahead).await;
    // That of last week has not waited for long enough as of today.
    assert_eq!(waits(&sent, ADMIN), 1);
    for email in [HEAD, SENCO, TEACHER, CLERK, CHAIR] {
        assert_eq!(waits(&sent, email), 0, "{email}");
    }
    let next = scene.morning(ahead + Duration::days(1)).await;
    assert_eq!(waits(&next, ADMIN), 0, "once a week");
    scene.signs(&admin, old, "Looked into.", &[]).await.unwrap();
    let later = scene.morning(ahead + Duration::days(7)).await;
    assert_eq!(waits(&later, ADMIN), 0);
}
