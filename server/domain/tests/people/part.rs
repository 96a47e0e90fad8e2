//! The list of people in parts: a page at a time, and counted, it is the same list.

use crate::scene::{ADMIN, CLERK, GOVERNOR, Scene, TEACHER};
use domain::{
    MembershipId,
    db::{Caller, Read},
    membership::{
        self, Person, State,
        part::{self, Alike, Part, Sought},
    },
    role::Role,
};
use std::collections::HashSet;

const HERE: &[State] = &[State::Invited, State::Active, State::Suspended];
const BOARD: &[Role] = &[Role::Chair, Role::Governor, Role::Clerk];

/// A school with people at every state, and names of many kinds.
async fn school() -> Scene {
    let mut scene = Scene::new().await;
    scene.invite("Zoë Ó’Brien", "zoe@oakfield.example").await;
    scene.invite("ann lee", "ann.lee@oakfield.example").await;
    for (state, email) in [
        ("suspended", "parent2@oakfield.example"),
        ("ended", "parent1@oakfield.example"),
    ] {
        let place = scene.place(email).await;
        scene
            .sql(&format!(
                "update membership set state = '{state}' where id = '{place}'"
            ))
            .await;
    }
    scene
}

async fn reading(scene: &Scene, caller: &Caller) -> Read {
    scene.db.read(caller).await.unwrap()
}

/// What the whole list has of it.
fn of<'a>(all: &'a [Person], sought: &Sought, part: &Part<'_>) -> Vec<&'a Person> {
    let among = |ids: Option<&[MembershipId]>, person: &Person| {
        ids.is_none_or(|ids| ids.contains(&person.id))
    };
    all.iter()
        .filter(|person| sought.role.is_none_or(|role| person.roles.contains(&role)))
        .filter(|person| among(sought.among.as_deref(), person) && among(part.among, person))
        .filter(|person| part.states.contains(&person.state))
        .filter(|person| {
            part.roles.is_empty() || person.roles.iter().any(|role| part.roles.contains(role))
        })
        .collect()
}

#[tokio::test]
async fn its_pages_and_counts_are_those_of_the_whole_list_whoever_asks() {
    let mut scene = school().await;
    let mut seen = HashSet::new();
    for email in [ADMIN, CLERK, GOVERNOR, TEACHER] {
        let caller = scene.caller(email).await;
        let mut read = reading(&scene, &caller).await;
        let all = membership::list(&mut read).await.unwrap();
        let few: Vec<MembershipId> = all.iter().step_by(3).map(|person| person.id).collect();
        let here: Vec<_> = all.iter().step_by(2).map(|person| person.account).collect();
        let parts = [
            (HERE, &[][..], None),
            (HERE, BOARD, None),
            (HERE, &[Role::Parent][..], Some(&few[..])),
            (&[State::Invited][..], &[], None),
            (&[State::Suspended], &[], None),
            (&[State::Ended], &[], None),
            (HERE, &[], Some(&few[..2])),
            (HERE, &[], Some(&[])),
        ];
        for role in [None, Some(Role::Teacher), Some(Role::OrgStaff)] {
            for among in [None, Some(few.clone()), Some(vec![])] {
                let sought = Sought { role, among };
                let alike = part::alike(&mut read, &sought, &few, &here).await.unwrap();
                for (states, roles, among) in parts {
                    let part = Part {
                        states,
                        roles,
                        among,
                    };
                    let whole: Vec<Person> =
                        of(&all, &sought, &part).into_iter().cloned().collect();
                    seen.insert(whole.len().min(9));
                    let listed = part::people(&mut read, &sought, &part, 0, None).await;
                    assert_eq!(listed.unwrap(), whole, "{email} {sought:?} {part:?}");
                    let mut paged = Vec::new();
                    while paged.len() < whole.len() {
                        let page =
                            part::people(&mut read, &sought, &part, paged.len(), Some(4)).await;
                        let page = page.unwrap();
                        assert!(!page.is_empty() && page.len() <= 4);
                        paged.extend(page);
                    }
                    assert_eq!(paged, whole);
                    let covers = |alike: &&Alike| {
                        states.contains(&alike.state)
                            && (roles.is_empty()
                                || alike.roles.iter().any(|role| roles.contains(role)))
                            && among
                                .is_none_or(|few| alike.marked.is_some_and(|id| few.contains(&id)))
                    };
                    let counted: usize =
                        alike.iter().filter(covers).map(|alike| alike.people).sum();
                    let counted_here: usize =
                        alike.iter().filter(covers).map(|alike| alike.here).sum();
                    let are_here = whole.iter().filter(|person| here.contains(&person.account));
                    assert_eq!(
                        (counted, counted_here),
                        (whole.len(), are_here.count()),
                        "{email} {sought:?} {part:?}"
                    );
                }
            }
        }
    }
    assert!(seen.len() > 6, "lists of many lengths: {seen:?}");
}

#[tokio::test]
async fn words_are_looked_for_in_names_and_in_the_addresses_that_the_caller_sees() {
    let mut scene = school().await;
    let clerk = scene.caller(CLERK).await;
    let teacher = scene.caller(TEACHER).await;
    let found = async |scene: &Scene, caller: &Caller, words: &str| -> Vec<String> {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let mut read = reading(scene, caller).await;
        let ids = part::by_words(&mut read, &words).await.unwrap();
        let all = membership::list(&mut read).await.unwrap();
        let people = all.into_iter().filter(|person| ids.contains(&person.id));
        people.map(|person| person.name).collect()
    };
    assert_eq!(found(&scene, &clerk, "ZOË").await, ["Zoë Ó’Brien"]);
    assert_eq!(found(&scene, &clerk, "ó’brien zo").await, ["Zoë Ó’Brien"]);
    assert_eq!(
        found(&scene, &clerk, "lee ann.LEE@oakfield").await,
        ["ann lee"]
    );
    assert_eq!(found(&scene, &clerk, "zoë lee").await, [""; 0]);
    // Nothing in a word means anything but itself.
    for word in ["%", "_", "\\", "'", "zo_", ".*"] {
        assert_eq!(found(&scene, &clerk, word).await, [""; 0], "{word}");
    }
    // A teacher sees no address but their own.
    assert_eq!(found(&scene, &teacher, "ann.lee@").await, [""; 0]);
    assert_eq!(found(&scene, &teacher, "ann lee").await, ["ann lee"]);
    assert_eq!(found(&scene, &teacher, TEACHER).await.len(), 1);
    assert!(found(&scene, &clerk, "").await.len() > 5, "everybody");
}
