//! One's pupils side by side: who sees whom there, who has not been seen for long, and what a row of check-ins begins with.

use crate::{
    change::change,
    pupil::{ASSISTANT, SENCO},
    record::about,
    scene::{GOVERNOR, Scene, TEACHER},
};
use domain::{
    db::Caller,
    pupil::year::YearGroup,
    wellbeing::{
        Domain, Level,
        caseload::{self, Listed, Order, Which},
        record::{self, Checked, Part},
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
        let mut read = self.db.read(caller).await.unwrap();
        caseload::latest(&mut read, which, order, 1, today)
            .await
            .unwrap()
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
