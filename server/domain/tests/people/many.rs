//! A list of many people: every line gets what it deserves, whatever stands in the others.

use crate::scene::{ADMIN, CLERK, GOVERNOR, Scene};
use domain::{
    Refusal,
    db::Caller,
    membership::many::{self, Judged, Verdict},
    role::Role,
};

async fn judged(scene: &mut Scene, caller: &Caller, text: &str) -> Result<Vec<Judged>, Refusal> {
    let today = scene.today().await;
    let mut read = scene.db.read(caller).await?;
    many::judged(&mut read, text, today).await
}

/// As the page does it: judged anew, and then in steps.
async fn add(scene: &mut Scene, caller: &Caller, text: &str) -> Result<Vec<Judged>, Refusal> {
    let mut judged = judged(scene, caller, text).await?;
    for some in judged.chunks_mut(many::TOGETHER) {
        let mut write = scene.db.write(caller).await?;
        let acts = many::add_some(&mut write, some).await?;
        write.commit_all(acts).await?;
    }
    Ok(judged)
}

fn added(judged: &[Judged]) -> usize {
    judged
        .iter()
        .filter(|judged| matches!(judged.verdict, Verdict::Add(_)))
        .count()
}

const COUNTS: &str = "select concat_ws(' ', (select count(*) from membership), (select count(*) from event), (select count(*) from term),
    (select count(*) from sec.invitation))";

#[tokio::test]
async fn five_thousand_lines_of_which_three_hundred_are_wrong_leave_those_and_add_the_others() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let faulty = [
        "no address, Somebody, governor",
        "a@x.example, , governor",
        "b@x.example, Somebody, king of spades",
        "c@x.example, Somebody, school administrator",
        "d@x.example, \"Open, governor",
        "e@x.example, Somebody, governor, partnership",
    ];
    let text: String = (0..5_000)
        .map(|n| match n % 50 {
            7 | 23 | 41 => format!("{}\n", faulty[n / 50 % faulty.len()]),
            _ => format!("p{n}@many.example, Person {n} Ó’Brien, parent\n"),
        })
        .collect();
    let before = scene.text(COUNTS).await;
    let preview = judged(&mut scene, &clerk, &text).await.unwrap();
    assert_eq!((preview.len(), added(&preview)), (5_000, 4_700));
    assert_eq!(scene.text(COUNTS).await, before, "a look changes nothing");

    let done = add(&mut scene, &clerk, &text).await.unwrap();
    assert_eq!(added(&done), 4_700);
    assert!(
        done.iter()
            .filter(|judged| !matches!(judged.verdict, Verdict::Add(_)))
            .all(|judged| matches!(judged.verdict, Verdict::Wrong(_))
                && faulty.contains(&judged.line.text.as_str())),
        "each wrong line is given back as it was typed"
    );
    let many = scene
        .text(
            "select concat_ws(' ',
                (select count(*) from membership m join account a on a.id = m.account_id
                  where a.email like '%@many.example' and m.state = 'invited' and m.roles = '{parent}'),
                (select count(distinct e.about) from event e join membership m on m.id = e.about
                   join account a on a.id = m.account_id where a.email like '%@many.example' and e.act = 'membership.invited'),
                (select count(*) from event e join membership m on m.id = e.about
                   join account a on a.id = m.account_id where a.email like '%@many.example'))",
        )
        .await;
    assert_eq!(many, "4700 4700 4700", "each with an event of their own");
    let whole = scene.text(COUNTS).await;
    let again = add(&mut scene, &clerk, &text).await.unwrap();
    assert_eq!(added(&again), 0);
    assert_eq!(
        scene.text(COUNTS).await,
        whole,
        "the same list again changes nothing"
    );
}

#[tokio::test]
async fn a_category_gives_the_seat_with_its_own_event_and_somebody_quicker_costs_one_line_only() {
    let mut scene = Scene::new().await;
    let clerk = scene.caller(CLERK).await;
    let text = "one@x.example, One, , parent\ntwo@x.example, Two, teacher";
    let mut list = judged(&mut scene, &clerk, text).await.unwrap();
    assert_eq!(added(&list), 2, "{list:?}");
    let Verdict::Add(newcomer) = &list[0].verdict else {
        panic!()
    };
    let office = newcomer.office.clone().unwrap();
    assert_eq!(newcomer.roles, [Role::Governor]);

    // Meanwhile somebody else is given that very seat.
    let admin = scene.caller(ADMIN).await;
    let other = add(&mut scene, &admin, "quick@x.example, Quick, , parent")
        .await
        .unwrap();
    let Verdict::Add(quick) = &other[0].verdict else {
        panic!()
    };
    assert_eq!(quick.office, Some(office));
    let held = scene.text("select count(*)::text from term").await;

    let mut write = scene.db.write(&clerk).await.unwrap();
    let acts = many::add_some(&mut write, &mut list).await.unwrap();
    assert_eq!(acts.len(), 1);
    write.commit_all(acts).await.unwrap();
    assert_eq!(list[0].verdict, Verdict::Wrong(Refusal::SeatTaken.into()));
    assert!(matches!(list[1].verdict, Verdict::Add(_)));
    assert_eq!(
        scene
            .text(
                "select string_agg(a.email, ' ' order by a.email) from membership m join account a on a.id = m.account_id
                  where a.email in ('one@x.example', 'two@x.example', 'quick@x.example')"
            )
            .await,
        "quick@x.example two@x.example",
        "nothing is left of the line that came too late"
    );
    assert_eq!(scene.text("select count(*)::text from term").await, held);
    assert_eq!(
        scene
            .text("select string_agg(act, ' ' order by seq) from (select act, seq from event order by at desc limit 3) last")
            .await,
        "membership.invited term.started membership.invited"
    );
}

#[tokio::test]
async fn whoever_may_add_nobody_learns_nothing_from_a_list_either() {
    let mut scene = Scene::new().await;
    let governor = scene.caller(GOVERNOR).await;
    assert_eq!(
        judged(&mut scene, &governor, "clerk@oakfield.example, X, governor").await,
        Err(Refusal::NotAllowed)
    );
    // Not even with a verdict of somebody who may.
    let clerk = scene.caller(CLERK).await;
    let mut list = judged(&mut scene, &clerk, "one@x.example, One, teacher")
        .await
        .unwrap();
    let mut write = scene.db.write(&governor).await.unwrap();
    let acts = many::add_some(&mut write, &mut list).await.unwrap();
    assert!(acts.is_empty());
    assert_eq!(list[0].verdict, Verdict::Wrong(Refusal::NotAllowed.into()));
    // A clerk's list makes no administrator, whatever the caller is.
    let admin = scene.caller(ADMIN).await;
    let list = judged(
        &mut scene,
        &admin,
        "one@x.example, One, school administrator",
    )
    .await
    .unwrap();
    assert_eq!(list[0].verdict, Verdict::Wrong(many::Fault::Administrator));
}
