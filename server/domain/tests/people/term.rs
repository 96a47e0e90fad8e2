//! Terms of office: what is refused and in which words, two clerks at once, and what a policy refuses when nothing else does.

use crate::{
    change::{add, remove},
    office::{close_seat, days, drop_term, end, open_seat, reinstate, start, suspend},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, JOAN, PARENT, Scene, TEACHER},
};
use domain::{
    Refusal,
    board::{self, Category, Why},
    day,
    role::Role as Held,
};
use futures::future::join;
use sqlx::{AssertSqlSafe, Executor as _};
use std::time::Duration;
use time::macros::date;
use uuid::Uuid;

#[tokio::test]
async fn a_term_that_cannot_be_is_refused_in_a_sentence_that_says_what_to_do() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let megan = scene.place("teacher4@oakfield.example").await;
    let (vacant, taken, head_seat) = (
        scene.seat(Category::CoOpted, 7).await,
        scene.seat(Category::CoOpted, 1).await,
        scene.seat(Category::ExOfficio, 1).await,
    );
    let dilip = scene.place(GOVERNOR).await;
    let removed = scene.place("governor9@oakfield.example").await;
    remove(&scene.db, &clerk, removed).await.unwrap();
    let theirs = scene
        .behind
        .membership("northgate", "chair@northgate.example")
        .await;
    let year = today + days(365);
    for (seat, person, from, to, refusal) in [
        (
            vacant,
            megan,
            today,
            Some(today - days(1)),
            Refusal::DatesOrder,
        ),
        (
            vacant,
            megan,
            today,
            Some(today + days(1500)),
            Refusal::TermTooLong,
        ),
        (taken, megan, today, Some(year), Refusal::SeatTaken),
        (
            taken,
            megan,
            today - days(2000),
            Some(today - days(1500)),
            Refusal::SeatTaken,
        ),
        (
            head_seat,
            megan,
            today + days(5000),
            None,
            Refusal::SeatTaken,
        ),
        (vacant, dilip, today, Some(year), Refusal::PersonSeated),
        (vacant, removed, year, None, Refusal::PersonEnded),
        (
            vacant,
            megan,
            today - days(4000),
            Some(today - days(3000)),
            Refusal::SeatNotOpen,
        ),
        (Uuid::from_u128(7), megan, today, None, Refusal::NotFound),
        (vacant, Uuid::from_u128(7), today, None, Refusal::NotFound),
        (vacant, theirs, today, None, Refusal::NotFound),
    ] {
        let done = start(&scene.db, &clerk, seat, person, from, to).await;
        assert_eq!(done, Err(refusal.clone()), "{from} {to:?}");
        assert!(refusal.to_string().ends_with('.'), "{refusal}");
    }
    // The outsider: the same with nothing in the way, past and to come, one day long, and on the day after another one.
    let past = start(
        &scene.db,
        &clerk,
        vacant,
        megan,
        today - days(400),
        Some(today - days(300)),
    )
    .await;
    assert!(past.is_ok(), "{past:?}");
    let next = start(
        &scene.db,
        &clerk,
        vacant,
        megan,
        today - days(299),
        Some(today - days(299)),
    )
    .await;
    assert!(next.is_ok(), "{next:?}");
    start(&scene.db, &clerk, vacant, megan, year, None)
        .await
        .unwrap();
    // A seat that is closed from a day on is open to the day before.
    let seat = open_seat(&scene.db, &clerk, Category::Partnership, "The board", today)
        .await
        .unwrap();
    close_seat(&scene.db, &clerk, seat, year).await.unwrap();
    let kwame = scene.place("teacher3@oakfield.example").await;
    let over = start(&scene.db, &clerk, seat, kwame, today, Some(year)).await;
    assert_eq!(over, Err(Refusal::SeatNotOpen));
    start(&scene.db, &clerk, seat, kwame, today, Some(year - days(1)))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_term_without_a_last_day_is_four_years_less_a_day_and_ex_officio_has_none() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let stored = async |scene: &mut Scene, term: Uuid| {
        scene
            .text(&format!(
                "select during::text from term where id = '{term}'"
            ))
            .await
    };
    let seat = scene.seat(Category::LocalAuthority, 1).await;
    let megan = scene.place("teacher4@oakfield.example").await;
    let from = day::parse("29 February 2028").unwrap();
    let leap = start(&scene.db, &clerk, seat, megan, from, None)
        .await
        .unwrap();
    assert_eq!(stored(&mut scene, leap).await, "[2028-02-29,2032-02-29)");
    assert_eq!(day::parse("29 February 2029"), Err(Refusal::DateFormat));
    let facts = scene.facts(&clerk, megan, today).await;
    assert_eq!(
        (facts.terms[0].term.from, facts.terms[0].term.to),
        (date!(2028 - 02 - 29), Some(date!(2032 - 02 - 28))),
        "the last day is told, and not the day after"
    );
    // The vicar, with the parish.
    let seat = open_seat(&scene.db, &clerk, Category::ExOfficio, "The parish", today)
        .await
        .unwrap();
    let imran = scene.place(TEACHER).await;
    let vicar = start(&scene.db, &clerk, seat, imran, today, None)
        .await
        .unwrap();
    assert_eq!(
        stored(&mut scene, vicar).await,
        format!("[{},)", day::field(today))
    );
    // No other category, whoever asks.
    let other = scene.seat(Category::CoOpted, 7).await;
    let kwame = scene.place("teacher3@oakfield.example").await;
    let open = format!(
        "insert into term (tenant_id, seat_id, membership_id, during) values (sec.tenant(), '{other}', '{kwame}', daterange(sec.today(), null))"
    );
    assert_eq!(
        scene.raw(CLERK, &open).await,
        Err("23514 term_needs_end".to_owned())
    );
}

#[tokio::test]
async fn only_clerks_and_administrators_record_terms_also_an_administrators_and_nobody_their_own() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    let (seat, megan) = (
        scene.seat(Category::CoOpted, 7).await,
        scene.place("teacher4@oakfield.example").await,
    );
    let dilip = scene.term(GOVERNOR).await;
    for (email, refusal) in [
        ("head@oakfield.example", Refusal::NotAllowed),
        (CHAIR, Refusal::NotAllowed),
        (GOVERNOR, Refusal::NotAllowed),
        (TEACHER, Refusal::NotAllowed),
        ("teacher2@oakfield.example", Refusal::NotAllowed),
        (PARENT, Refusal::NotFound),
    ] {
        let caller = scene.caller(email).await;
        let refused = Err(refusal);
        let db = &scene.db;
        assert_eq!(
            start(db, &caller, seat, megan, today, None).await.map(drop),
            refused,
            "{email}"
        );
        assert_eq!(
            end(db, &caller, dilip, today, Why::Removed).await,
            refused,
            "{email}"
        );
        assert_eq!(
            drop_term(db, &caller, dilip, today).await,
            refused,
            "{email}"
        );
        assert_eq!(
            suspend(db, &caller, dilip, today, today).await,
            refused,
            "{email}"
        );
        assert_eq!(
            reinstate(db, &caller, dilip, today).await,
            refused,
            "{email}"
        );
    }
    // The clerk records the administrator's, who records the clerk's; nobody their own.
    let (clerk, admin) = (scene.caller(CLERK).await, scene.caller(ADMIN).await);
    let (nasreen, beatrice) = (scene.place(CLERK).await, scene.place(ADMIN).await);
    for (caller, person) in [(&clerk, nasreen), (&admin, beatrice)] {
        assert_eq!(
            start(&scene.db, caller, seat, person, today, None).await,
            Err(Refusal::OwnPlace)
        );
    }
    let office = scene.seat(Category::LocalAuthority, 1).await;
    let of_admin = start(&scene.db, &clerk, office, beatrice, today, None)
        .await
        .unwrap();
    let to_come = today + days(10);
    let of_clerk = start(&scene.db, &admin, seat, nasreen, to_come, None)
        .await
        .unwrap();
    let db = &scene.db;
    assert_eq!(
        end(db, &admin, of_admin, today, Why::Other).await,
        Err(Refusal::OwnPlace)
    );
    assert_eq!(
        suspend(db, &admin, of_admin, today, today).await,
        Err(Refusal::OwnPlace)
    );
    assert_eq!(
        drop_term(db, &clerk, of_clerk, today).await,
        Err(Refusal::OwnPlace)
    );
    end(db, &clerk, of_admin, today + days(3), Why::Other)
        .await
        .unwrap();
    drop_term(db, &admin, of_clerk, today).await.unwrap();
    // With the database alone in the way.
    let kwame = scene.place("teacher3@oakfield.example").await;
    let begin = |person: Uuid| {
        format!("insert into term (tenant_id, seat_id, membership_id, during)
                 values (sec.tenant(), '{seat}', '{person}', daterange(sec.today() + 10, sec.today() + 20))")
    };
    let of_governor = format!("update term set ended_why = 'resigned' where id = '{dilip}'");
    let of_admin = format!("update term set ended_why = 'resigned' where id = '{of_admin}'");
    for (email, sql, done) in [
        (CHAIR, begin(megan), Err("42501".to_owned())),
        (TEACHER, begin(megan), Err("42501".to_owned())),
        (PARENT, begin(megan), Err("42501".to_owned())),
        (CLERK, begin(nasreen), Err("42501".to_owned())),
        (ADMIN, begin(beatrice), Err("42501".to_owned())),
        (CHAIR, of_governor.clone(), Ok(0)),
        (GOVERNOR, of_governor.clone(), Ok(0)),
        (ADMIN, of_admin.clone(), Ok(0)),
        (
            CLERK,
            format!("update term set membership_id = '{megan}' where id = '{dilip}'"),
            Err("42501".to_owned()),
        ),
        (
            CLERK,
            format!("update term set seat_id = '{seat}' where id = '{dilip}'"),
            Err("42501".to_owned()),
        ),
        (
            CLERK,
            format!("delete from term where id = '{dilip}'"),
            Ok(0),
        ),
        (CLERK, "delete from term".to_owned(), Ok(0)),
        // The outsiders: what they may do, they can.
        (CLERK, of_governor, Ok(1)),
        (CLERK, of_admin, Ok(1)),
        (CLERK, begin(megan), Ok(1)),
        (CHAIR, "delete from term".to_owned(), Ok(0)),
        (CLERK, begin(kwame), Err("23P01 term_seat_once".to_owned())),
        (
            ADMIN,
            format!("delete from term where membership_id = '{megan}'"),
            Ok(1),
        ),
        (CLERK, begin(beatrice), Ok(1)),
        (ADMIN, "delete from term".to_owned(), Ok(0)),
        (CLERK, "delete from term".to_owned(), Ok(1)),
    ] {
        assert_eq!(scene.raw(email, &sql).await, done, "{email}: {sql}");
    }
}

#[tokio::test]
async fn a_term_is_ended_shortened_and_dropped_before_it_began_and_never_made_longer() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let (dilip, place) = (scene.term(GOVERNOR).await, scene.place(GOVERNOR).await);
    let facts = scene.facts(&clerk, place, today).await;
    let (from, to) = (facts.terms[0].term.from, facts.terms[0].term.to.unwrap());
    let db = scene.db.clone();
    let ended = async |last, why| end(&db, &clerk, dilip, last, why).await;
    assert_eq!(
        ended(from - days(1), Why::Resigned).await,
        Err(Refusal::DatesOrder)
    );
    assert_eq!(
        ended(to + days(1), Why::Other).await,
        Err(Refusal::TermLonger)
    );
    ended(today + days(7), Why::Resigned).await.unwrap();
    assert_eq!(
        ended(today + days(7), Why::Resigned).await,
        Err(Refusal::Stale)
    );
    assert_eq!(
        ended(today + days(8), Why::Resigned).await,
        Err(Refusal::TermLonger)
    );
    // A reason that was wrong, and a day that was.
    ended(today + days(7), Why::Disqualified).await.unwrap();
    ended(today - days(1), Why::Disqualified).await.unwrap();
    let facts = scene.facts(&clerk, place, today).await;
    let post = &facts.terms[0];
    assert_eq!(
        (post.term.to, post.ended_why, facts.term_on(today)),
        (Some(today - days(1)), Some(Why::Disqualified), None)
    );
    assert_eq!(post.title(), "Parent governor 1");
    let seat = scene.seat(Category::Parent, 1).await;
    let again = start(&scene.db, &clerk, seat, place, today + days(1), None)
        .await
        .unwrap();
    assert_eq!(
        drop_term(&scene.db, &clerk, dilip, today).await,
        Err(Refusal::TermBegun)
    );
    assert_eq!(
        drop_term(&scene.db, &clerk, again, today + days(1)).await,
        Err(Refusal::TermBegun),
        "on its first day it has begun"
    );
    drop_term(&scene.db, &clerk, again, today).await.unwrap();
    assert_eq!(
        drop_term(&scene.db, &clerk, again, today).await,
        Err(Refusal::NotFound)
    );
    assert_eq!(scene.facts(&clerk, place, today).await.terms.len(), 1);
    // The log alone still knows what it said, without a name.
    let line = scene.text(&format!("select detail ->> 'seat' || ' ' || (detail ->> 'from') from event where act = 'term.dropped' and about = '{place}'")).await;
    assert_eq!(line, format!("{seat} {}", day::field(today + days(1))));
    let account = scene.behind.account(GOVERNOR).await;
    let topics = scene
        .text("select array_to_string(topics, ',') from event where act = 'term.dropped'")
        .await;
    assert_eq!(topics, format!("people,me/{account}"));
}

#[tokio::test]
async fn a_suspension_from_meetings_is_of_somebody_in_post_within_six_months_and_bars_nobody_from_signing_in()
 {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let (dilip, caller) = (scene.term(GOVERNOR).await, scene.caller(GOVERNOR).await);
    let most = board::suspension::suspended_until_most(today);
    let db = scene.db.clone();
    for until in [today - days(1), day::after(most), today + days(400)] {
        assert_eq!(
            suspend(&db, &clerk, dilip, until, today).await,
            Err(Refusal::SuspensionLength),
            "{until}"
        );
    }
    assert_eq!(
        reinstate(&db, &clerk, dilip, today).await,
        Err(Refusal::Stale)
    );
    suspend(&db, &clerk, dilip, most, today).await.unwrap();
    assert_eq!(
        suspend(&db, &clerk, dilip, today, today).await,
        Err(Refusal::Stale),
        "one at a time"
    );
    assert!(
        db.read(&caller).await.is_ok(),
        "another thing than a sign-in"
    );
    assert_eq!(scene.board(&caller, today).await.suspended(), 1);
    assert_eq!(scene.board(&caller, day::after(most)).await.suspended(), 0);
    reinstate(&db, &clerk, dilip, today).await.unwrap();
    assert_eq!(scene.board(&caller, today).await.suspended(), 0);
    // Who is not in post cannot be suspended: their time is over, or it is yet to come.
    let place = scene.place("governor9@oakfield.example").await;
    let past = scene.facts(&clerk, place, today).await.terms[1].term.id;
    assert_eq!(
        suspend(&db, &clerk, past, today, today).await,
        Err(Refusal::NotInPost)
    );
    let (seat, megan) = (
        scene.seat(Category::CoOpted, 7).await,
        scene.place("teacher4@oakfield.example").await,
    );
    let to_come = start(&db, &clerk, seat, megan, today + days(1), None)
        .await
        .unwrap();
    assert_eq!(
        suspend(&db, &clerk, to_come, today, today).await,
        Err(Refusal::NotInPost)
    );
    // Nor longer with the database alone in the way.
    for (set, constraint) in [
        (
            "suspended_on = '2026-08-31', suspended_until = '2027-02-28'",
            "term_suspended_length",
        ),
        (
            "suspended_on = '2026-08-31', suspended_until = '2026-08-30'",
            "term_suspended_order",
        ),
        (
            "suspended_on = '2026-08-31', suspended_until = null",
            "term_suspended_both",
        ),
    ] {
        let sql = format!("update term set {set} where id = '{dilip}'");
        assert_eq!(
            scene.raw(CLERK, &sql).await,
            Err(format!("23514 {constraint}"))
        );
    }
    let sql = format!(
        "update term set suspended_on = '2026-08-31', suspended_until = '2027-02-27' where id = '{dilip}'"
    );
    assert_eq!(
        scene.raw(CLERK, &sql).await,
        Ok(1),
        "as long as the rule of the types says"
    );
}

#[tokio::test]
async fn of_two_clerks_on_one_seat_the_second_waits_and_is_told_that_it_is_taken() {
    let mut scene = Scene::new().await;
    let (nasreen, joan, today) = (
        scene.caller(CLERK).await,
        scene.caller(JOAN).await,
        scene.today().await,
    );
    let (megan, kwame) = (
        scene.place("teacher4@oakfield.example").await,
        scene.place("teacher3@oakfield.example").await,
    );
    let seat = scene.seat(Category::CoOpted, 7).await;
    let mut first = scene.db.write(&nasreen).await.unwrap();
    let (_, act) = board::start_term(&mut first, seat, megan, today, None)
        .await
        .unwrap();
    let (db, caller) = (scene.db.clone(), joan.clone());
    let second = tokio::spawn(async move { start(&db, &caller, seat, kwame, today, None).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!second.is_finished(), "it did not wait");
    first.commit(act).await.unwrap();
    assert_eq!(second.await.unwrap(), Err(Refusal::SeatTaken));

    // Where the first gives up, the second has it.
    let seat = scene.seat(Category::LocalAuthority, 1).await;
    let mut first = scene.db.write(&nasreen).await.unwrap();
    let imran = scene.place(TEACHER).await;
    let begun = board::start_term(&mut first, seat, imran, today, None)
        .await
        .unwrap();
    let (db, caller) = (scene.db.clone(), joan.clone());
    let second = tokio::spawn(async move { start(&db, &caller, seat, kwame, today, None).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop((begun, first));
    assert!(second.await.unwrap().is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_acts_at_once_one_wins_and_the_other_is_refused() {
    let mut scene = Scene::new().await;
    let (nasreen, joan, today) = (
        scene.caller(CLERK).await,
        scene.caller(JOAN).await,
        scene.today().await,
    );
    let db = scene.db.clone();
    for trial in 0..6 {
        let seat = open_seat(&db, &nasreen, Category::CoOpted, "The board", today)
            .await
            .unwrap();
        let other = open_seat(&db, &nasreen, Category::CoOpted, "The board", today)
            .await
            .unwrap();
        let email = format!("new{trial}@elsewhere.example");
        let person = add(&db, &nasreen, "New Person", &email, &[Held::Governor])
            .await
            .unwrap();
        let second = add(
            &db,
            &nasreen,
            "New Person",
            &format!("x{email}"),
            &[Held::Governor],
        )
        .await
        .unwrap();
        // Two people on one seat.
        let (a, b) = join(
            start(&db, &nasreen, seat, person, today, None),
            start(&db, &joan, seat, second, today, None),
        )
        .await;
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        assert_eq!(
            a.as_ref().err().or(b.as_ref().err()),
            Some(&Refusal::SeatTaken)
        );
        let (winner, loser) = if a.is_ok() {
            (person, second)
        } else {
            (second, person)
        };
        // One person on two seats.
        let third = open_seat(&db, &nasreen, Category::CoOpted, "The board", today)
            .await
            .unwrap();
        let (a, b) = join(
            start(&db, &nasreen, other, loser, today, None),
            start(&db, &joan, third, loser, today, None),
        )
        .await;
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        let lost = a.err().or(b.err()).unwrap();
        assert!(
            matches!(lost, Refusal::PersonSeated | Refusal::Stale),
            "{lost:?}"
        );
        // Closed while somebody is put on it.
        let fourth = open_seat(&db, &nasreen, Category::CoOpted, "The board", today)
            .await
            .unwrap();
        let late = add(
            &db,
            &nasreen,
            "New Person",
            &format!("y{email}"),
            &[Held::Governor],
        )
        .await
        .unwrap();
        let (a, b) = join(
            close_seat(&db, &nasreen, fourth, today),
            start(&db, &joan, fourth, late, today, None),
        )
        .await;
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        let lost = a.err().or(b.err()).unwrap();
        assert!(
            matches!(lost, Refusal::SeatHeld | Refusal::SeatNotOpen),
            "{lost:?}"
        );
        // Removed while they are put on a seat: whichever is first, nobody who was removed is in post tomorrow.
        let fifth = open_seat(&db, &nasreen, Category::CoOpted, "The board", today)
            .await
            .unwrap();
        let gone = add(
            &db,
            &nasreen,
            "New Person",
            &format!("z{email}"),
            &[Held::Governor],
        )
        .await
        .unwrap();
        let (a, b) = join(
            remove(&db, &nasreen, gone),
            start(&db, &joan, fifth, gone, today, None),
        )
        .await;
        assert!(a.is_ok(), "{a:?}");
        assert!(matches!(b, Ok(_) | Err(Refusal::PersonEnded)), "{b:?}");
        let held = scene.text(&format!("select count(*)::text from term where membership_id = '{gone}' and upper(during) > sec.today() + 1")).await;
        assert_eq!(held, "0", "{b:?}");
        remove(&db, &joan, winner).await.unwrap();
    }
}

/// With the database alone in the way: what a rule looks at stays as it is until who looks is done, and who changes it first
/// is waited for.
#[tokio::test]
async fn a_term_and_a_place_wait_for_who_is_just_closing_or_removing() {
    let mut scene = Scene::new().await;
    let (seat, pay) = (
        scene.seat(Category::CoOpted, 7).await,
        scene.committee("Pay").await,
    );
    let (megan, imran) = (
        scene.place("teacher4@oakfield.example").await,
        scene.place(TEACHER).await,
    );
    let begins = |person: Uuid| {
        format!(
            "insert into term (tenant_id, seat_id, membership_id, during)
             values (sec.tenant(), '{seat}', '{person}', daterange(sec.today(), sec.today() + 10))"
        )
    };
    let sits = |person: Uuid| {
        format!(
            "insert into committee_place (tenant_id, committee_id, membership_id, during)
             values (sec.tenant(), '{pay}', '{person}', daterange(sec.today(), null))"
        )
    };
    let removes =
        |person: Uuid| format!("update membership set state = 'ended' where id = '{person}'");
    for (changes, tries, refused) in [
        (removes(imran), begins(imran), "term_of_member"),
        (removes(megan), sits(megan), "committee_place_of_member"),
        (
            format!("update seat set closed_on = sec.today() where id = '{seat}'"),
            begins(megan),
            "term_in_seat",
        ),
        (
            format!("update committee set closed_on = sec.today() where id = '{pay}'"),
            sits(megan),
            "committee_place_of_open",
        ),
    ] {
        let mut other = scene.fresh.behind().await;
        let begin = format!("begin; {changes}");
        other
            .execute(sqlx::raw_sql(AssertSqlSafe(begin)))
            .await
            .unwrap();
        let (done, ()) = join(scene.raw(CLERK, &tries), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            other.execute("commit").await.unwrap();
        })
        .await;
        assert_eq!(done, Err(format!("23514 {refused}")), "{changes}");
        scene
            .sql(&format!(
                "set session_replication_role = replica;
                 update membership set state = 'active', ended_at = null where id in ('{imran}', '{megan}');
                 set session_replication_role = origin"
            ))
            .await;
    }
}
