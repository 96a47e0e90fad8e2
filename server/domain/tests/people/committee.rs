//! Committees: what they may be called, who sits on them and leads them, and how they end.

use crate::{
    change::remove,
    office::{
        chair, close_committee, days, join, leave, open_committee, rename_committee, set_remit,
    },
    scene::{ADMIN, CHAIR, CLERK, GOVERNOR, PARENT, Scene, TEACHER},
};
use domain::{Refusal, board::Committee};

async fn finance(scene: &mut Scene) -> Committee {
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let board = scene.board(&clerk, today).await;
    board
        .committees
        .into_iter()
        .find(|c| c.name == "Finance and Premises")
        .unwrap()
}

#[tokio::test]
async fn a_committee_has_a_name_of_its_own_in_any_language_and_a_quorum_of_three_or_more() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let db = scene.db.clone();
    let opened = async |name: &str, quorum| open_committee(&db, &clerk, name, "", quorum).await;
    for bad in [
        "",
        "  ",
        &"x".repeat(200),
        &"x".repeat(121),
        "Finance\u{202e}ecnaniF",
        "a\u{0}b",
    ] {
        assert_eq!(opened(bad, 3).await, Err(Refusal::CommitteeName), "{bad:?}");
    }
    for good in [
        "A",
        "لجنة المال والمباني",
        "Curriculum 👩‍🏫",
        &"y".repeat(120),
    ] {
        assert!(opened(good, 3).await.is_ok(), "{good}");
    }
    for taken in ["Pay", "pay", "  PAY ", "a"] {
        assert_eq!(
            opened(taken, 3).await,
            Err(Refusal::CommitteeNameTaken),
            "{taken}"
        );
    }
    for few in [0, 2, 101, u32::MAX] {
        assert_eq!(
            opened("Another", few).await,
            Err(Refusal::CommitteeQuorum),
            "{few}"
        );
    }
    let another = opened("Another", 4).await.unwrap();
    let long = open_committee(&db, &clerk, "Long", &"z".repeat(4001), 3).await;
    assert_eq!(long, Err(Refusal::TextFormat(4000)));
    // Names and remits can be changed, to nothing that could not be opened.
    let renamed = async |name: &str| rename_committee(&db, &clerk, another, name).await;
    assert_eq!(renamed("Another").await, Err(Refusal::Stale));
    assert_eq!(renamed("pay").await, Err(Refusal::CommitteeNameTaken));
    assert_eq!(renamed("").await, Err(Refusal::CommitteeName));
    renamed("Admissions").await.unwrap();
    let remit = async |remit: &str, quorum| set_remit(&db, &clerk, another, remit, quorum).await;
    assert_eq!(remit("", 4).await, Err(Refusal::Stale));
    assert_eq!(remit("Places", 2).await, Err(Refusal::CommitteeQuorum));
    remit(" Places \r\n and appeals. ", 5).await.unwrap();
    let board = scene.board(&clerk, today).await;
    let admissions = board.committees.iter().find(|c| c.id == another).unwrap();
    assert_eq!(
        (
            admissions.name.as_str(),
            admissions.remit.as_str(),
            admissions.quorum
        ),
        ("Admissions", "Places\n and appeals.", 5)
    );
    // A name is free again when its committee is closed.
    let pay = scene.committee("Pay").await;
    close_committee(&db, &clerk, pay, today).await.unwrap();
    assert!(opened("Pay", 3).await.is_ok());
    // The log holds no name.
    let named = scene.text("select count(*)::text from event where act like 'committee.%' and (detail::text like '%Admissions%' or detail::text like '%Places%')").await;
    assert_eq!(named, "0");
}

#[tokio::test]
async fn people_join_a_committee_once_from_today_at_the_latest_and_leave_it() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let pay = scene.committee("Pay").await;
    let (dilip, wei) = (
        scene.place(GOVERNOR).await,
        scene.place("governor7@oakfield.example").await,
    );
    let callum = scene.place("governor5@oakfield.example").await;
    let removed = scene.place("governor6@oakfield.example").await;
    remove(&scene.db, &clerk, removed).await.unwrap();
    let db = scene.db.clone();
    let joins = async |person, from, to| join(&db, &clerk, pay, person, (from, to), today).await;
    assert_eq!(
        joins(dilip, today + days(1), None).await,
        Err(Refusal::DayAhead)
    );
    assert_eq!(
        joins(dilip, today, Some(today - days(1))).await,
        Err(Refusal::DatesOrder)
    );
    assert_eq!(joins(callum, today, None).await, Err(Refusal::OnCommittee));
    assert_eq!(joins(removed, today, None).await, Err(Refusal::PersonEnded));
    let past = joins(dilip, today - days(50), Some(today - days(40)))
        .await
        .unwrap();
    let place = joins(dilip, today - days(39), None).await.unwrap();
    assert_ne!(past, place);
    let left = async |place, last| leave(&db, &clerk, place, last, today).await;
    assert_eq!(
        left(place, today - days(40)).await,
        Err(Refusal::DatesOrder)
    );
    left(place, today).await.unwrap();
    assert_eq!(left(place, today).await, Err(Refusal::Stale));
    assert_eq!(left(place, today + days(1)).await, Err(Refusal::TermLonger));
    let sits = async |scene: &Scene, on| {
        let board = scene.board(&clerk, on).await;
        let found = board.committees.iter().find(|c| c.id == pay).unwrap();
        found.members.iter().any(|place| place.person.id == dilip)
    };
    assert!(sits(&scene, today).await, "the last day counts");
    assert!(!sits(&scene, today + days(1)).await);
    let facts = scene.facts(&clerk, dilip, today).await;
    let on: Vec<_> = facts
        .committees
        .iter()
        .map(|sat| (sat.name.as_str(), sat.to))
        .collect();
    assert_eq!(
        on[..2],
        [("Pay", Some(today)), ("Pay", Some(today - days(40)))],
        "the newest first"
    );
    // Nobody sits on a committee that is not there.
    let theirs = scene.text("select c.id::text from committee c join tenant t on t.id = c.tenant_id where t.label = 'northgate'").await;
    let theirs = uuid::Uuid::parse_str(&theirs).unwrap();
    let there = join(&scene.db, &clerk, theirs, wei, (today, None), today).await;
    assert_eq!(there, Err(Refusal::NotFound));
}

#[tokio::test]
async fn only_a_member_leads_a_committee_and_only_as_long_as_they_are_one() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let committee = finance(&mut scene).await;
    let (rukhsana, dilip, wei) = (
        scene.place("governor4@oakfield.example").await,
        scene.place(GOVERNOR).await,
        scene.place("governor7@oakfield.example").await,
    );
    assert_eq!(
        committee.chair.as_ref().map(|chair| chair.id),
        Some(rukhsana)
    );
    let db = scene.db.clone();
    let leads = async |person| chair(&db, &clerk, committee.id, person, today).await;
    assert_eq!(
        leads(Some(dilip)).await,
        Err(Refusal::NotOnCommittee),
        "he left long ago"
    );
    assert_eq!(leads(Some(rukhsana)).await, Err(Refusal::Stale));
    leads(Some(wei)).await.unwrap();
    leads(None).await.unwrap();
    assert_eq!(leads(None).await, Err(Refusal::Stale));
    leads(Some(rukhsana)).await.unwrap();
    let place = committee
        .members
        .iter()
        .find(|place| place.person.id == rukhsana)
        .unwrap()
        .id;
    // Who is to leave leads it until then.
    leave(&db, &clerk, place, today + days(5), today)
        .await
        .unwrap();
    let of = async |scene: &Scene, on| {
        let board = scene.board(&clerk, on).await;
        let found = board
            .committees
            .into_iter()
            .find(|c| c.id == committee.id)
            .unwrap();
        found.chair.map(|chair| chair.id)
    };
    assert_eq!(of(&scene, today + days(5)).await, Some(rukhsana));
    assert_eq!(of(&scene, today + days(6)).await, None);
    assert!(scene.facts(&clerk, rukhsana, today).await.committees[0].chairs);
    assert!(
        !scene
            .facts(&clerk, rukhsana, today + days(6))
            .await
            .committees[0]
            .chairs
    );
    leave(&db, &clerk, place, today - days(1), today)
        .await
        .unwrap();
    assert_eq!(of(&scene, today).await, None);
    // And is not chair again for coming back.
    join(&db, &clerk, committee.id, rukhsana, (today, None), today)
        .await
        .unwrap();
    assert_eq!(of(&scene, today).await, None);
    scene
        .sql(&format!(
            "update committee set chair = '{wei}' where id = '{}'",
            committee.id
        ))
        .await;
    scene.sql(&format!("update committee_place set during = daterange(lower(during), sec.today() - 3) where committee_id = '{}' and membership_id = '{wei}'", committee.id)).await;
    join(&db, &clerk, committee.id, wei, (today, None), today)
        .await
        .unwrap();
    assert_eq!(
        of(&scene, today).await,
        None,
        "a place that ran out does not come back either"
    );
}

#[tokio::test]
async fn a_committee_that_is_closed_keeps_its_record_and_nobody_on_it() {
    let mut scene = Scene::new().await;
    let (clerk, today) = (scene.caller(CLERK).await, scene.today().await);
    let committee = finance(&mut scene).await;
    let (id, db) = (committee.id, scene.db.clone());
    close_committee(&db, &clerk, id, today).await.unwrap();
    let closed = Err(Refusal::CommitteeClosed);
    assert_eq!(close_committee(&db, &clerk, id, today).await, closed);
    assert_eq!(rename_committee(&db, &clerk, id, "Other").await, closed);
    assert_eq!(set_remit(&db, &clerk, id, "Other", 3).await, closed);
    assert_eq!(chair(&db, &clerk, id, None, today).await, closed);
    let dilip = scene.place(GOVERNOR).await;
    assert_eq!(
        join(&db, &clerk, id, dilip, (today, None), today)
            .await
            .map(drop),
        closed
    );
    assert!(
        scene
            .board(&clerk, today)
            .await
            .committees
            .iter()
            .all(|c| c.id != id)
    );
    let open = scene.text(&format!("select count(*)::text from committee_place where committee_id = '{id}' and coalesce(upper(during) > sec.today() + 1, true)")).await;
    assert_eq!(open, "0");
    let places = scene
        .text("select detail ->> 'places' from event where act = 'committee.closed'")
        .await;
    assert_eq!(places, "5", "Dilip had left before");
    let rukhsana = scene.place("governor4@oakfield.example").await;
    let sat = &scene.facts(&clerk, rukhsana, today).await.committees[0];
    assert_eq!(
        (sat.name.as_str(), sat.to, sat.chairs),
        ("Finance and Premises", Some(today), false)
    );
    // Closed by whom it may be, with the database alone in the way: their own place ends too.
    let beatrice = scene.place(ADMIN).await;
    let pay = scene.committee("Pay").await;
    join(&db, &clerk, pay, beatrice, (today - days(9), None), today)
        .await
        .unwrap();
    let raw = format!("update committee set closed_on = sec.today() where id = '{pay}'");
    assert_eq!(scene.raw(ADMIN, &raw).await, Ok(1));
    let own = &scene.facts(&clerk, beatrice, today).await.committees[0];
    assert_eq!(own.to, Some(today));
    let joins = format!(
        "insert into committee_place (tenant_id, committee_id, membership_id, during) values (sec.tenant(), '{pay}', '{dilip}', daterange(sec.today(), null))"
    );
    assert_eq!(
        scene.raw(CLERK, &joins).await,
        Err("23514 committee_place_of_open".to_owned())
    );
}

#[tokio::test]
async fn only_clerks_and_administrators_keep_committees_and_nobody_puts_themselves_on_one() {
    let mut scene = Scene::new().await;
    let today = scene.today().await;
    let committee = finance(&mut scene).await;
    let (id, place) = (committee.id, committee.members[0].id);
    let (dilip, zofia) = (
        scene.place(GOVERNOR).await,
        scene.place("governor9@oakfield.example").await,
    );
    for (email, refusal) in [
        ("head@oakfield.example", Refusal::NotAllowed),
        (CHAIR, Refusal::NotAllowed),
        (GOVERNOR, Refusal::NotAllowed),
        (TEACHER, Refusal::NotAllowed),
        (PARENT, Refusal::NotFound),
    ] {
        let (caller, db, refused) = (scene.caller(email).await, &scene.db, Err(refusal));
        assert_eq!(
            rename_committee(db, &caller, id, "Other").await,
            refused,
            "{email}"
        );
        assert_eq!(
            set_remit(db, &caller, id, "Other", 3).await,
            refused,
            "{email}"
        );
        assert_eq!(
            close_committee(db, &caller, id, today).await,
            refused,
            "{email}"
        );
        assert_eq!(
            chair(db, &caller, id, None, today).await,
            refused,
            "{email}"
        );
        let joined = join(db, &caller, id, zofia, (today, None), today).await;
        assert_eq!(joined.map(drop), refused, "{email}");
        assert_eq!(
            leave(db, &caller, place, today, today).await,
            refused,
            "{email}"
        );
        let opened = open_committee(db, &caller, "Other", "", 3).await;
        assert_eq!(opened, Err(Refusal::NotAllowed), "{email}");
    }
    let (admin, beatrice) = (scene.caller(ADMIN).await, scene.place(ADMIN).await);
    let clerk = scene.caller(CLERK).await;
    let own = join(&scene.db, &admin, id, beatrice, (today, None), today).await;
    assert_eq!(own, Err(Refusal::OwnPlace));
    let hers = join(&scene.db, &clerk, id, beatrice, (today, None), today)
        .await
        .unwrap();
    assert_eq!(
        leave(&scene.db, &admin, hers, today, today).await,
        Err(Refusal::OwnPlace)
    );
    // With the database alone in the way.
    let sit = |person, from: &str| {
        format!(
            "insert into committee_place (tenant_id, committee_id, membership_id, during)
                 values (sec.tenant(), '{id}', '{person}', daterange(sec.today() {from}, null))"
        )
    };
    let rename = format!("update committee set name = 'Other' where id = '{id}'");
    for (email, sql, done) in [
        (CHAIR, rename.clone(), Ok(0)),
        (CHAIR, sit(zofia, ""), Err("42501".to_owned())),
        (GOVERNOR, sit(dilip, ""), Err("42501".to_owned())),
        (
            CHAIR,
            "insert into committee (tenant_id, name, quorum) values (sec.tenant(), 'Other', 3)"
                .to_owned(),
            Err("42501".to_owned()),
        ),
        (ADMIN, sit(beatrice, ""), Err("42501".to_owned())),
        (
            ADMIN,
            format!(
                "update committee_place set during = daterange(lower(during), sec.today() + 1) where id = '{hers}'"
            ),
            Ok(0),
        ),
        (CLERK, sit(zofia, "+ 1"), Err("42501".to_owned())),
        (
            CHAIR,
            "update committee_place set during = daterange(lower(during), sec.today() + 1)"
                .to_owned(),
            Ok(0),
        ),
        (
            CLERK,
            format!("update committee set chair = '{zofia}' where id = '{id}'"),
            Err("42501".to_owned()),
        ),
        (
            CLERK,
            format!("delete from committee_place where id = '{place}'"),
            Err("42501".to_owned()),
        ),
        (
            CLERK,
            format!("delete from committee where id = '{id}'"),
            Err("42501".to_owned()),
        ),
        (
            CLERK,
            "insert into committee (tenant_id, name, quorum) values (sec.tenant(), 'Other', 2)"
                .to_owned(),
            Err("23514 committee_quorum_least".to_owned()),
        ),
        (
            CLERK,
            "insert into committee (tenant_id, name, quorum) values (sec.tenant(), 'PAY', 3)"
                .to_owned(),
            Err("23505 committee_name_key".to_owned()),
        ),
        // The outsiders.
        (CLERK, sit(zofia, ""), Ok(1)),
        (
            CLERK,
            sit(zofia, ""),
            Err("23P01 committee_place_once".to_owned()),
        ),
        (
            CLERK,
            format!("update committee set chair = '{zofia}' where id = '{id}'"),
            Ok(1),
        ),
        (
            CLERK,
            format!(
                "update committee_place set during = daterange(lower(during), sec.today() + 1) where id = '{hers}'"
            ),
            Ok(1),
        ),
        (CLERK, rename, Ok(1)),
    ] {
        assert_eq!(scene.raw(email, &sql).await, done, "{email}: {sql}");
    }
}
