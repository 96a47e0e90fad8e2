//! Letters of notices and of what waits: which leave on which morning, to whom, and what they say.

use crate::{
    change::{add, correct_address, drop_role, give_role, remove, suspend},
    office::{days, declare, set_phone, start},
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER},
};
use domain::{
    MembershipId, Refusal,
    board::Category,
    db::MailDb,
    notice::{
        self, Hears, Mail,
        letter::{Digest, Duty, LetterId},
    },
    role::Role as Held,
};
use testing::Role;
use time::{Duration, OffsetDateTime, macros::datetime};

impl Scene {
    /// Nobody has anything to do, so that all letters are of news.
    pub async fn no_board(&mut self) {
        self.sql("delete from interest; delete from declaration; delete from committee_place; delete from term; delete from seat")
            .await;
    }

    pub fn worker(&self) -> MailDb {
        MailDb::new(self.fresh.options(Role::Worker), 1)
    }

    /// The letters of a morning: what each person's says. As the worker does, each is sent.
    pub async fn morning(&mut self, moment: OffsetDateTime) -> Vec<(String, Digest)> {
        self.worker().make_digests(moment).await.unwrap();
        self.letters().await
    }

    /// The letters that wait to be queued, sent.
    pub async fn letters(&mut self) -> Vec<(String, Digest)> {
        let worker = self.worker();
        let mut sent = Vec::new();
        for letter in worker.letters_waiting().await.unwrap() {
            worker.letter_queued(letter).await.unwrap();
            if let Some(digest) = worker.open_letter(letter).await.unwrap() {
                worker.letter_sent(letter).await.unwrap();
                sent.push((digest.email.clone(), digest));
            }
        }
        sent.sort_by(|a, b| a.0.cmp(&b.0));
        worker.close().await;
        sent
    }

    /// Some Monday ahead, 08:00 in England; with the morning before it on record, so that letters begin.
    pub async fn monday(&mut self) -> OffsetDateTime {
        let mut day = self.today().await + days(8);
        while day.weekday() != time::Weekday::Monday {
            day += Duration::DAY;
        }
        let monday = day.with_hms(8, 0, 0).unwrap().assume_utc();
        assert!(self.morning(monday - Duration::DAY).await.is_empty());
        monday
    }
}

pub fn of<'a>(letters: &'a [(String, Digest)], email: &str) -> Option<&'a Digest> {
    letters
        .iter()
        .find(|(to, _)| to == email)
        .map(|(_, digest)| digest)
}

/// What is new in it: act and how many.
pub fn news(digest: &Digest) -> Vec<(&str, usize)> {
    digest
        .news
        .iter()
        .map(|news| (news.act.as_str(), news.count))
        .collect()
}

#[tokio::test]
async fn a_clock_that_was_years_ahead_silences_no_morning_after_it_is_right_again() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    let monday = scene.monday().await;
    scene.morning(monday + days(3650)).await;
    let nasreen = scene.caller(CLERK).await;
    let governor = scene.place(GOVERNOR).await;
    scene
        .sql("delete from interest; delete from declaration")
        .await;
    give_role(&scene.db, &nasreen, governor, Held::Associate)
        .await
        .unwrap();
    let sent = scene.morning(monday).await;
    let letter = of(&sent, GOVERNOR).unwrap();
    assert_eq!(news(letter), [("membership.role_given", 1)]);
    assert_eq!(letter.duties.len(), 1);
}

#[tokio::test]
async fn what_a_letter_would_have_told_that_never_left_is_told_by_a_later_one() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    let monday = scene.monday().await;
    scene.no_board().await;
    let (nasreen, worker) = (scene.caller(CLERK).await, scene.worker());
    let governor = scene.place(GOVERNOR).await;
    give_role(&scene.db, &nasreen, governor, Held::Associate)
        .await
        .unwrap();
    worker.make_digests(monday).await.unwrap();
    let lost = worker.letters_waiting().await.unwrap();
    assert_eq!(lost.len(), 1);
    worker.letter_queued(lost[0]).await.unwrap();
    scene
        .sql(&format!("update sec.letter set created_at = '{monday}'"))
        .await;
    assert_eq!(scene.morning(monday + days(3)).await, []);
    let again = scene.morning(monday + days(5)).await;
    assert_eq!(
        news(of(&again, GOVERNOR).unwrap()),
        [("membership.role_given", 1)]
    );
    assert_eq!(
        worker.open_letter(lost[0]).await.unwrap(),
        None,
        "the first has nothing to say any more"
    );
    worker.close().await;
}

#[tokio::test]
async fn letters_come_at_once_each_morning_on_mondays_or_never_as_one_chose() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    let monday = scene.monday().await;
    scene.no_board().await;
    let nasreen = scene.caller(CLERK).await;
    let people = [
        (TEACHER, Mail::AtOnce),
        (GOVERNOR, Mail::Daily),
        (CHAIR, Mail::Weekly),
        (PARENT, Mail::Never),
    ];
    for (email, mail) in people {
        let set = scene.choose(email, mail).await;
        assert!(set.is_ok() || mail == Mail::Daily, "{email}: {set:?}");
    }
    assert_eq!(
        scene.choose(TEACHER, Mail::AtOnce).await,
        Err(Refusal::Stale)
    );
    let tell_all = async |scene: &mut Scene| {
        for (email, _) in people {
            let place = scene.place(email).await;
            give_role(&scene.db, &nasreen, place, Held::Associate)
                .await
                .unwrap();
        }
    };
    tell_all(&mut scene).await;
    // 1. At once, to the one who wants it.
    let sent = scene.letters().await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    let letter = of(&sent, TEACHER).unwrap();
    assert_eq!(news(letter), [("membership.role_given", 1)]);
    assert_eq!((letter.mail, letter.duties.len()), (Mail::AtOnce, 0));
    let head = scene
        .text(&format!(
            "select seq || ' ' || encode(hash, 'hex') from sec.event_head where tenant_id = '{}'",
            scene.oakfield
        ))
        .await;
    assert_eq!(
        head,
        format!("{} {}", letter.seq, crate::scene::hex(&letter.hash))
    );
    // 2. On Monday, to those who want it daily or weekly; once, however often it is asked for.
    let sent = scene.morning(monday).await;
    let to: Vec<&str> = sent.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(to, [CHAIR, GOVERNOR]);
    assert_eq!(scene.morning(monday).await, []);
    assert_eq!(scene.morning(monday + Duration::HOUR).await, []);
    assert_eq!(
        scene.morning(monday - days(3)).await,
        [],
        "a clock that was set back"
    );
    // 3. News that came meanwhile: on Tuesday for the one, in a week for the other, two of them in one letter.
    for email in [GOVERNOR, CHAIR] {
        let place = scene.place(email).await;
        drop_role(&scene.db, &nasreen, place, Held::Associate)
            .await
            .unwrap();
        give_role(&scene.db, &nasreen, place, Held::Associate)
            .await
            .unwrap();
    }
    // They are of today by the clock, and Monday lies ahead: for the one who waits for Monday they must be later than it.
    scene
        .sql(&format!(
            "update notice set at = '{}' where letter_id is null and seen_at is null",
            monday + Duration::HOUR
        ))
        .await;
    let sent = scene.morning(monday + Duration::DAY).await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(
        news(of(&sent, GOVERNOR).unwrap()),
        [("membership.role_dropped", 1), ("membership.role_given", 1)]
    );
    // The server was away until Thursday of the week after: one letter, of what was missed.
    let sent = scene.morning(monday + days(10)).await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(news(of(&sent, CHAIR).unwrap()).len(), 2);
    assert_eq!(
        scene.unseen(PARENT).await.total,
        1,
        "in the page all the same"
    );
}

#[tokio::test]
async fn a_letter_does_not_tell_what_was_seen_meanwhile_nor_write_to_who_is_gone() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    scene.no_board().await;
    let nasreen = scene.caller(CLERK).await;
    for email in [TEACHER, GOVERNOR, PARENT] {
        scene.choose(email, Mail::AtOnce).await.unwrap();
        let place = scene.place(email).await;
        give_role(&scene.db, &nasreen, place, Held::Associate)
            .await
            .unwrap();
    }
    let through = scene.unseen(TEACHER).await.notices[0].seq;
    scene.mark(TEACHER, through).await.unwrap();
    let parent = scene.place(PARENT).await;
    remove(&scene.db, &nasreen, parent).await.unwrap();
    let sent = scene.letters().await;
    let to: Vec<&str> = sent.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(to, [GOVERNOR]);
    // Suspended: it waits in the page, and no letter goes.
    let governor = scene.place(GOVERNOR).await;
    suspend(&scene.db, &nasreen, governor).await.unwrap();
    assert_eq!(scene.letters().await, []);
}

#[tokio::test]
async fn what_waits_is_told_when_it_comes_to_wait_and_weekly_then_even_to_who_wants_no_letters() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    let monday = scene.monday().await;
    let (dilip, today) = (scene.caller(GOVERNOR).await, scene.today().await);
    scene.sql("delete from interest; delete from declaration; delete from seat where not exists (select from term t where t.seat_id = seat.id)")
        .await;
    scene.choose(GOVERNOR, Mail::Never).await.unwrap();
    let first = scene.morning(monday).await;
    let letter = of(&first, GOVERNOR).unwrap();
    let waits = |letter: &Digest| -> Vec<(Duty, usize)> {
        letter
            .duties
            .iter()
            .map(|waiting| (waiting.duty, waiting.count))
            .collect()
    };
    assert_eq!(waits(letter), [(Duty::Declare, 1)]);
    assert_eq!(news(letter), []);
    assert!(
        waits(of(&first, CLERK).unwrap())
            .iter()
            .any(|(duty, count)| *duty == Duty::Declarations && *count > 1)
    );
    // What comes to wait after the morning's letters were made is for the next morning.
    let nasreen = scene.caller(CLERK).await;
    let seat = crate::office::open_seat(&scene.db, &nasreen, Category::CoOpted, "The board", today)
        .await
        .unwrap();
    let teacher = scene.place(TEACHER).await;
    start(
        &scene.db,
        &nasreen,
        seat,
        teacher,
        today,
        Some(today + days(300)),
    )
    .await
    .unwrap();
    assert_eq!(scene.morning(monday + Duration::HOUR).await, []);
    for day in 1..7 {
        let sent = scene.morning(monday + days(day)).await;
        assert!(of(&sent, GOVERNOR).is_none(), "day {day}");
        assert_eq!(of(&sent, TEACHER).is_some(), day == 1, "day {day}");
    }
    let again = scene.morning(monday + days(7)).await;
    assert_eq!(waits(of(&again, GOVERNOR).unwrap()), [(Duty::Declare, 1)]);
    // Done: no more of it.
    declare(&scene.db, &dilip, &[], today).await.unwrap();
    let done = scene.morning(monday + days(14)).await;
    assert!(of(&done, GOVERNOR).is_none());
    // Parents and the governors' school next door have nothing to do with it.
    assert!(of(&first, PARENT).is_none() && of(&again, PARENT).is_none());
}

#[tokio::test]
async fn duties_by_mail_are_those_of_the_home_page() {
    let mut scene = Scene::new().await;
    let (nasreen, today) = (scene.caller(CLERK).await, scene.today().await);
    // A term that ends in exactly ninety days, one that ends in ninety-one, an old invitation and a new one.
    scene
        .sql(&format!(
            "delete from interest; delete from declaration; delete from committee_place;
             delete from term where tenant_id = '{0}'; delete from seat where tenant_id = '{0}'",
            scene.oakfield
        ))
        .await;
    let mut seats = Vec::new();
    for _ in 0..4 {
        let seat = crate::office::open_seat(
            &scene.db,
            &nasreen,
            Category::CoOpted,
            "The board",
            today - days(400),
        )
        .await
        .unwrap();
        seats.push(seat);
    }
    let holders = [GOVERNOR, CHAIR, "governor2@oakfield.example"];
    for (seat, (email, left)) in seats.iter().zip(holders.into_iter().zip([90, 91, 0])) {
        let place = scene.place(email).await;
        start(
            &scene.db,
            &nasreen,
            *seat,
            place,
            today - days(300),
            Some(today + days(left)),
        )
        .await
        .unwrap();
    }
    scene
        .sql(&format!(
            "update membership set invited_at = now() where tenant_id = '{}' and state = 'invited'",
            scene.oakfield
        ))
        .await;
    for (name, email) in [("Old One", "old@x.example"), ("New One", "new@x.example")] {
        add(&scene.db, &nasreen, name, email, &[Held::Governor])
            .await
            .unwrap();
    }
    scene.sql("update membership set invited_at = now() - interval '7 days' where name = 'Old One'; update membership set invited_at = now() - interval '6 days' where name = 'New One'").await;
    let keeper = scene.place(CLERK).await;
    let duties = async |scene: &mut Scene, whom: MembershipId| {
        let oakfield = scene.oakfield;
        scene
            .text(&format!(
                "select string_agg(duty || ' ' || n, ', ' order by duty) from (
                   select duty, count(*) as n from sec.duties('{oakfield}', sec.today()) where membership_id = '{whom}' group by duty) d"
            ))
            .await
    };
    let board = scene.board(&nasreen, today).await;
    let due = scene.register(&nasreen, today).await.due().count();
    assert_eq!(board.ending().len(), 2);
    assert_eq!(board.vacancies(), 1);
    assert_eq!(
        duties(&mut scene, keeper).await,
        format!("declarations {due}, invitation 1, term 2, vacancy 1")
    );
    assert_eq!(due, 3);
    let governor = scene.place("governor2@oakfield.example").await;
    assert_eq!(duties(&mut scene, governor).await, "declare 1");
}

#[tokio::test]
async fn seven_in_the_morning_is_that_of_england_on_both_sides_of_summer() {
    let mut scene = Scene::new().await;
    for (day, moment) in [
        ("2026-03-28", "2026-03-28 07:00:00+00"),
        ("2026-03-29", "2026-03-29 06:00:00+00"),
        ("2026-10-24", "2026-10-24 06:00:00+00"),
        ("2026-10-25", "2026-10-25 07:00:00+00"),
    ] {
        let said = scene
            .text(&format!("select sec.morning_of('{day}')::text"))
            .await;
        assert_eq!(said, moment);
    }
    // Just before and at seven of a summer's day, by UTC.
    let worker = scene.worker();
    for (moment, mornings) in [
        (datetime!(2036-06-02 05:59:59 UTC), "2036-06-01 06:00:00+00"),
        (datetime!(2036-06-02 06:00 UTC), "2036-06-02 06:00:00+00"),
    ] {
        worker.make_digests(moment).await.unwrap();
        let last = scene.text("select max(at)::text from sec.morning").await;
        assert_eq!(last, mornings);
    }
    worker.close().await;
}

#[tokio::test]
async fn a_letter_that_came_back_is_told_to_keepers_with_the_number_and_holds_back_the_next_ones() {
    let mut scene = Scene::new().await;
    scene.quiet().await;
    scene.no_board().await;
    let nasreen = scene.caller(CLERK).await;
    let (teacher, worker) = (scene.place(TEACHER).await, scene.worker());
    let today = scene.today().await;
    set_phone(&scene.db, &nasreen, teacher, "0114 496 0123")
        .await
        .unwrap();
    scene.quiet().await;
    scene.choose(TEACHER, Mail::AtOnce).await.unwrap();
    give_role(&scene.db, &nasreen, teacher, Held::Associate)
        .await
        .unwrap();
    let letter: LetterId = worker.letters_waiting().await.unwrap()[0];
    worker.letter_queued(letter).await.unwrap();
    worker
        .returned(letter.tenant, letter.id, None, Some(550))
        .await
        .unwrap();
    let bounces = async |scene: &mut Scene, email: &str| {
        let caller = scene.caller(email).await;
        let mut read = scene.db.read(&caller).await.unwrap();
        notice::bounces(&mut read).await.unwrap()
    };
    let told = bounces(&mut scene, CLERK).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].person, told[0].phone.as_deref()),
        (teacher, Some("0114 496 0123"))
    );
    for email in [TEACHER, CHAIR, PARENT] {
        assert_eq!(bounces(&mut scene, email).await, [], "{email}");
    }
    for email in [CLERK, ADMIN] {
        assert_eq!(
            scene.hears(email).await,
            [("mail.undeliverable".to_owned(), Hears::Keeper)]
        );
    }
    // Held back for a week, and kept in the page.
    drop_role(&scene.db, &nasreen, teacher, Held::Associate)
        .await
        .unwrap();
    assert_eq!(scene.letters().await, []);
    assert_eq!(scene.unseen(TEACHER).await.total, 2);
    let seven = |later: i64| {
        (today + days(later))
            .with_hms(8, 0, 0)
            .unwrap()
            .assume_utc()
    };
    scene.morning(seven(0)).await;
    assert!(of(&scene.morning(seven(1)).await, TEACHER).is_none());
    let letters = scene
        .text(&format!(
            "select count(*)::text from sec.letter where membership_id = '{teacher}'"
        ))
        .await;
    assert_eq!(letters, "1", "none is made that would not leave");
    // A letter that was made before the first came back does not follow it.
    assert_eq!(worker.open_letter(letter).await.unwrap(), None);
    scene
        .sql("update bounce set at = at - interval '8 days'")
        .await;
    let later = scene.morning(seven(9)).await;
    assert_eq!(
        news(of(&later, TEACHER).unwrap()),
        [("membership.role_given", 1), ("membership.role_dropped", 1)],
        "also what the letter would have told that came back"
    );
    // A letter that is taken ends it, with a line in the log; another one is no news.
    for _ in 0..2 {
        worker.taken(letter.tenant, letter.id).await.unwrap();
    }
    assert_eq!(bounces(&mut scene, CLERK).await, []);
    let lines = scene
        .text("select count(*)::text from event where act = 'mail.delivered'")
        .await;
    assert_eq!(lines, "1");
    // So does another address.
    let id = add(
        &scene.db,
        &nasreen,
        "Ines Duarte",
        "ines@wrong.example",
        &[Held::Governor],
    )
    .await
    .unwrap();
    worker
        .returned(scene.oakfield, id, Some(1), None)
        .await
        .unwrap();
    assert_eq!(bounces(&mut scene, CLERK).await[0].person, id);
    correct_address(&scene.db, &nasreen, id, "ines@right.example")
        .await
        .unwrap();
    assert_eq!(bounces(&mut scene, CLERK).await, []);
    worker.close().await;
}
