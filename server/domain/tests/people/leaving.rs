//! What somebody held on the board ends with their place in the school, and does not come back with it.

use crate::{
    change::{add, change, remove},
    office::{chair, days, start},
    scene::{ADMIN, CLERK, GOVERNOR, PLACE, Scene},
};
use domain::{
    Refusal,
    board::{Category, Why},
    mailing::Kind,
    recovery,
    role::Role as Held,
};

#[tokio::test]
async fn who_is_removed_holds_nothing_from_the_next_day_on_and_it_is_counted() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let rukhsana = "governor4@oakfield.example";
    let place = scene.place(rukhsana).await;
    // A second term is agreed, which is not to be.
    let seat = scene.seat(Category::CoOpted, 2).await;
    let last = scene.facts(&clerk, place, today).await.terms[0]
        .term
        .to
        .unwrap();
    start(&scene.db, &clerk, seat, place, last + days(1), None)
        .await
        .unwrap();
    let ended = remove(&scene.db, &clerk, place).await.unwrap();
    assert_eq!((ended.terms, ended.committees), (2, 1));
    let event = scene.text(&format!("select (detail ->> 'terms') || ' ' || (detail ->> 'committees') || ' ' || (detail ? 'sessions') from event where act = 'membership.removed' and about = '{place}'")).await;
    assert_eq!(event, "2 1 true");
    let facts = scene.facts(&clerk, place, today).await;
    assert_eq!(facts.terms.len(), 1, "the one that was to come is gone");
    assert_eq!(
        (facts.terms[0].term.to, facts.terms[0].ended_why),
        (Some(today), Some(Why::Other))
    );
    assert_eq!(facts.committees[0].to, Some(today));
    let board = scene.board(&clerk, today + days(1)).await;
    assert_eq!((board.in_post(), board.vacancies()), (10, 4));
    let finance = board
        .committees
        .iter()
        .find(|c| c.name == "Finance and Premises")
        .unwrap();
    assert!(finance.chair.is_none() && finance.members.len() == 4);
    assert_eq!(
        scene.text("select count(*)::text from committee where name = 'Finance and Premises' and chair is null").await,
        "1",
        "not even by the name alone"
    );
    // A term that had run out is left as it was, and so is everybody else's.
    let zofia = scene.place("governor9@oakfield.example").await;
    let before = scene.facts(&clerk, zofia, today).await;
    let ended = remove(&scene.db, &clerk, zofia).await.unwrap();
    assert_eq!((ended.terms, ended.committees), (1, 1));
    let after = scene.facts(&clerk, zofia, today).await;
    assert_eq!(before.terms[1], after.terms[1]);
    // Somebody who held nothing.
    let senco = scene.place("senco@oakfield.example").await;
    let ended = remove(&scene.db, &clerk, senco).await.unwrap();
    assert_eq!((ended.terms, ended.committees), (0, 0));
    assert_eq!(scene.board(&clerk, today + days(1)).await.in_post(), 9);
}

#[tokio::test]
async fn who_comes_back_is_given_nothing_of_what_they_held() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let place = scene.place(GOVERNOR).await;
    remove(&scene.db, &clerk, place).await.unwrap();
    let held = scene.facts(&clerk, place, today).await;
    let again = add(
        &scene.db,
        &clerk,
        "Dilip Parmar",
        GOVERNOR,
        &[Held::Governor],
    )
    .await
    .unwrap();
    assert_eq!(again, place, "in the old place");
    let link = scene.mailed(Kind::Invitation).await.unwrap();
    recovery::accept(
        &scene.db,
        &scene.hasher,
        link.bytes(),
        scene.oakfield,
        PLACE,
        None,
    )
    .await
    .unwrap();
    assert_eq!(scene.state(GOVERNOR).await, "active");
    let facts = scene.facts(&clerk, place, today).await;
    assert_eq!(
        (&facts.terms, &facts.committees),
        (&held.terms, &held.committees)
    );
    let board = scene.board(&clerk, today + days(1)).await;
    assert!(board.seats.iter().all(|seat| {
        seat.holder
            .as_ref()
            .is_none_or(|term| term.person.id != place)
    }));
    assert!(
        board.without_term.iter().any(|person| person.id == place),
        "and the clerk is told"
    );
    // A new term is a new decision.
    let seat = scene.seat(Category::Parent, 1).await;
    assert!(
        start(&scene.db, &clerk, seat, place, today + days(1), None)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_administrator_who_governs_is_removed_with_their_seat_and_a_clerk_may_not() {
    let mut scene = Scene::new().await;
    let (clerk, admin, today) = (
        scene.caller(CLERK).await,
        scene.caller(ADMIN).await,
        scene.today().await,
    );
    // The head is administrator too and leads a committee.
    let email = "head@oakfield.example";
    let place = scene.place(email).await;
    scene
        .sql(&format!(
            "update membership set roles = roles || array['school_admin'] where id = '{place}'"
        ))
        .await;
    let finance = scene.committee("Finance and Premises").await;
    chair(&scene.db, &clerk, finance, Some(place), today)
        .await
        .unwrap();
    assert_eq!(
        remove(&scene.db, &clerk, place).await.err(),
        Some(Refusal::AdminsOnly)
    );
    assert_eq!(
        scene.facts(&clerk, place, today).await.terms[0].term.to,
        None
    );
    let ended = remove(&scene.db, &admin, place).await.unwrap();
    assert_eq!((ended.terms, ended.committees), (1, 2));
    assert_eq!(
        scene.facts(&clerk, place, today).await.terms[0].term.to,
        Some(today)
    );
    // Half done is not done.
    let dilip = scene.place(GOVERNOR).await;
    let mut half = scene.db.write(&clerk).await.unwrap();
    let done = domain::membership::remove(&mut half, dilip).await.unwrap();
    drop((done, half));
    let facts = scene.facts(&clerk, dilip, today).await;
    assert!(facts.term_on(today + days(1)).is_some());
    let told = change(&scene.db, &clerk, async |write| {
        domain::membership::remove(write, dilip).await
    })
    .await;
    assert_eq!(told.unwrap().terms, 1);
}
