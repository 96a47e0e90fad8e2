use std::collections::{BTreeMap, BTreeSet};

use time::macros::date;

use super::*;
use crate::{
    demo::pupils::{NORTHGATE, OAKFIELD, SCHOOLS, SEED},
    pupil::{upn::is_known_la, year::expected},
};

const TODAY: Date = date!(2026 - 11 - 22);

fn all(school: &'static School) -> Vec<Pupil> {
    people(school, SEED, school.pupils, TODAY).collect()
}

#[test]
fn each_school_has_its_pupils_in_the_year_groups_of_their_ages() {
    for (school, many, years) in [(&OAKFIELD, 210, 8), (&NORTHGATE, 1200, 7)] {
        let pupils = all(school);
        assert_eq!(pupils.len(), many);
        let of: BTreeSet<YearGroup> = pupils.iter().map(|pupil| pupil.year).collect();
        assert_eq!(of.len(), years);
        for pupil in &pupils {
            assert_eq!(
                expected(pupil.born, SchoolYear::of(TODAY)),
                Some(pupil.year)
            );
        }
        for year in of {
            let born = |month: u8, day| {
                let mut of_year = pupils.iter().filter(|pupil| pupil.year == year);
                of_year
                    .any(|pupil| (u8::from(pupil.born.month()), pupil.born.day()) == (month, day))
            };
            assert!(born(9, 1) && born(8, 31), "{year}");
        }
    }
}

#[test]
fn every_number_is_of_the_school_that_gave_it_in_a_year_in_which_its_pupil_came() {
    let mut numbers = BTreeSet::new();
    for pupil in SCHOOLS.into_iter().flat_map(all) {
        let upn = pupil.upn.unwrap();
        assert!(upn.warnings(is_known_la, TODAY).is_empty() && !upn.is_temporary());
        assert_eq!(upn.la(), AUTHORITY);
        let age = upn.allocated_year(TODAY) - pupil.born.year();
        assert!((3..=5).contains(&age), "{age} {:?}", pupil.born);
        let own = upn.establishment() == "2107";
        assert!(own || pupil.year >= YearGroup::Y7, "{upn:?}");
        assert!(numbers.insert(upn));
    }
    assert_eq!(numbers.len(), 1410);
}

#[test]
fn there_are_twins_sisters_and_brothers_and_two_of_one_name() {
    for school in SCHOOLS {
        let pupils = all(school);
        let mut by_birth: BTreeMap<(&str, Date), BTreeSet<&str>> = BTreeMap::new();
        let mut by_name: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut by_surname: BTreeMap<&str, BTreeSet<YearGroup>> = BTreeMap::new();
        for pupil in &pupils {
            let last = pupil.last_name.as_str();
            by_birth
                .entry((last, pupil.born))
                .or_default()
                .insert(pupil.first_name);
            *by_name.entry((pupil.first_name, last)).or_default() += 1;
            by_surname.entry(last).or_default().insert(pupil.year);
        }
        assert!(by_birth.values().any(|names| names.len() == 2));
        assert!(by_name.values().any(|many| *many == 2));
        assert!(by_surname.values().any(|years| years.len() >= 3));
        // No two share a birthday, a surname and a first name.
        let births: usize = by_birth.values().map(BTreeSet::len).sum();
        assert_eq!(births, pupils.len());
    }
}

#[test]
fn oakfield_has_one_form_a_year_and_northgate_six_with_sets() {
    let groups = |school| {
        let mut groups: BTreeMap<String, usize> = BTreeMap::new();
        for pupil in all(school) {
            *groups.entry(pupil.registration).or_default() += 1;
        }
        groups
    };
    let oakfield = groups(&OAKFIELD);
    assert_eq!(
        oakfield.keys().map(String::as_str).collect::<Vec<_>>(),
        ["1W", "2W", "3W", "4W", "5W", "6W", "NW", "RW"]
    );
    let northgate = groups(&NORTHGATE);
    assert_eq!(northgate.len(), 42);
    for many in oakfield.values().chain(northgate.values()) {
        assert!((20..=30).contains(many), "{many}");
    }
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for pupil in all(&NORTHGATE) {
        assert_eq!(pupil.classes.len(), 3);
        for (_, code) in pupil.classes {
            *classes.entry(code).or_default() += 1;
        }
    }
    assert_eq!(classes.len(), 126);
    assert!(
        classes.values().all(|many| (20..=32).contains(many)),
        "{classes:?}"
    );
    // Whoever sits together in mathematics is not together in all else.
    let of = |code: &str| {
        let pupils = all(&NORTHGATE);
        let in_class = |pupil: &Pupil| pupil.classes.iter().any(|(_, other)| other == code);
        pupils
            .iter()
            .filter(|pupil| in_class(pupil))
            .map(|pupil| pupil.admission_number.clone())
            .collect::<BTreeSet<_>>()
    };
    assert_ne!(of("7Ma1"), of("7En1"));
}

#[test]
fn whom_a_demo_person_teaches_or_brought_up_is_there() {
    for school in SCHOOLS {
        let pupils = all(school);
        let groups: BTreeSet<&str> = pupils
            .iter()
            .flat_map(|pupil| {
                let classes = pupil.classes.iter().map(|(_, code)| code.as_str());
                classes.chain([pupil.registration.as_str()])
            })
            .collect();
        for (_, of) in school.caseloads {
            assert!(of.iter().all(|name| groups.contains(name)), "{of:?}");
        }
        assert!(groups.contains(school.cover) && groups.contains(school.assisted.0));
        for (year, name) in school.children {
            let first = pupils.iter().find(|pupil| pupil.year == *year).unwrap();
            assert_eq!(first.last_name, *name);
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_pupils_and_another_makes_others() {
    assert_eq!(all(&OAKFIELD), all(&OAKFIELD));
    let others: Vec<Pupil> = people(&OAKFIELD, SEED + 1, 210, TODAY).collect();
    let alike = all(&OAKFIELD);
    let alike = alike.iter().zip(&others).filter(|(one, other)| {
        (one.first_name, &one.last_name) == (other.first_name, &other.last_name)
    });
    assert!(alike.count() < 5);
}
