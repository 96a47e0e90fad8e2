//! Two days of random schools, held side by side by somebody who knows every check-in between them.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{
    Band, By, Told,
    making::{Count, Earlier, Known, Moment, ROLL, YEARS, count},
};
use crate::{
    pupil::{field::TagKind, year::YearGroup},
    suppression::{
        Cell, Dimension, Released,
        tests::{attacker::Attacker, schools::Dice},
    },
    wellbeing::{Domain, Level},
};

const DAY: Moment = 86_400_000_000;
const FIRST: Moment = 1_000 * DAY;

/// A school of two years, some of whose pupils have special needs.
fn school(dice: &mut Dice, pupils: u128) -> Known {
    let mut known = Known {
        now: FIRST,
        ..Known::default()
    };
    for pupil in (0..pupils).map(Uuid::from_u128) {
        let year = [YearGroup::Y4, YearGroup::Y5][dice.throw(2)];
        known.years.entry(FIRST).or_default().insert(pupil, year);
        known.here.entry(FIRST).or_default().insert(pupil);
        let sen = known.tags.entry(TagKind::Sen).or_default();
        let who = sen.entry(FIRST).or_default();
        if dice.throw(4) == 0 {
            who.insert(pupil);
        }
        for domain in Domain::ALL {
            if let Some(level) = Level::ALL.get(dice.throw(6)) {
                let then = known.levels.entry(FIRST).or_default();
                then.insert((pupil, domain), *level);
            }
        }
    }
    known
}

/// The same school later: all stand where they did, and where they stood is known still.
fn later(known: &Known, now: Moment) -> Known {
    let mut next = known.clone();
    next.now = now;
    let was = known.now;
    let here = known.here[&was].clone();
    next.here.insert(now, here);
    let years = known.years[&was].clone();
    next.years.insert(now, years);
    for then in next.tags.values_mut() {
        let who = then[&was].clone();
        then.insert(now, who);
    }
    let levels = known.levels[&was].clone();
    next.levels.insert(now, levels);
    next
}

/// Another level for some pupils, in one domain.
fn moves(known: &mut Known, domain: Domain, pupils: impl Iterator<Item = u128>) {
    let now = known.levels.get_mut(&known.now).unwrap();
    for pupil in pupils.map(Uuid::from_u128) {
        let band = Band::of(now.get(&(pupil, domain)).copied());
        let other = match band {
            Band::High => Level::ALL[0],
            _ => Level::ALL[4],
        };
        now.insert((pupil, domain), other);
    }
}

/// Another year group for some pupils.
fn moves_up(known: &mut Known, pupils: impl Iterator<Item = u128>) {
    let now = known.years.get_mut(&known.now).unwrap();
    for pupil in pupils.map(Uuid::from_u128) {
        let year = now.get_mut(&pupil).unwrap();
        *year = match *year {
            YearGroup::Y4 => YearGroup::Y5,
            _ => YearGroup::Y4,
        };
    }
}

fn first(known: &Known) -> Count {
    count(known, &Earlier::default()).unwrap().unwrap()
}

fn after(known: &Known, earlier: &Count) -> Count {
    let earlier = Earlier {
        counted: earlier.counted.clone(),
        tables: earlier.tables.clone(),
    };
    count(known, &earlier).unwrap().unwrap()
}

/// What an attacker has of two domains, which is as much as they can solve in a test.
fn found(tables: &[Told]) -> usize {
    let domains = [Domain::Safe, Domain::Settled];
    let released: Vec<Released> = (tables.iter())
        .filter(|told| domains.contains(&told.domain))
        .map(|told| told.released.clone())
        .collect();
    let mut contexts: Vec<Dimension> = released.iter().map(|table| table.rows.clone()).collect();
    contexts.dedup();
    let mut seen = BTreeSet::new();
    contexts.retain(|context| seen.insert(context.name.clone()));
    let bands = Band::ALL.map(Band::name);
    let measures = domains.map(|domain| Dimension::new(domain.name(), &bands));
    let attacker = Attacker::new(&contexts, &measures, &released);
    assert!(!attacker.hidden.is_empty());
    attacker.computed().len() + attacker.narrowed().len()
}

#[test]
fn a_day_on_which_fewer_than_five_moved_tells_what_the_day_before_told() {
    for seed in 0..40 {
        let mut dice = Dice::new(seed);
        let yesterday = school(&mut dice, 40);
        let told = first(&yesterday);
        let few = u128::try_from(1 + dice.throw(4)).unwrap();
        let mut today = later(&yesterday, FIRST + DAY);
        moves(&mut today, Domain::Safe, 0..few);
        let again = after(&today, &told);
        assert_eq!(again.tables, told.tables, "{few} moved");
        // They are still counted as they were, and all else is as of today.
        assert_eq!(again.counted["safe"], FIRST);
        assert_eq!(again.counted["settled"], FIRST + DAY);

        // One child more each day is not told either, until five stand elsewhere than when they were counted.
        let mut third = later(&today, FIRST + 2 * DAY);
        moves(&mut third, Domain::Safe, few..4);
        assert_eq!(after(&third, &again).tables, told.tables);
        let mut fourth = later(&third, FIRST + 3 * DAY);
        moves(&mut fourth, Domain::Safe, 4..5);
        assert_eq!(after(&fourth, &again).counted["safe"], FIRST + 3 * DAY);
    }
}

#[test]
fn without_that_rule_the_same_day_would_tell_of_one_child() {
    let mut told_of = 0;
    for seed in 0..40 {
        let yesterday = school(&mut Dice::new(seed), 40);
        let mut today = later(&yesterday, FIRST + DAY);
        moves(&mut today, Domain::Safe, 0..1);
        let carelessly = |known| first(known).tables;
        told_of += usize::from(carelessly(&yesterday) != carelessly(&today));
    }
    assert!(told_of > 20, "{told_of}");
}

#[test]
fn a_day_on_which_many_moved_tells_no_hidden_number_and_none_that_was_hidden_a_day_before() {
    let mut recounted = 0;
    for seed in 0..30 {
        let mut dice = Dice::new(100 + seed);
        let yesterday = school(&mut dice, 40);
        let told = first(&yesterday);
        let mut today = later(&yesterday, FIRST + DAY);
        let many = u128::try_from(5 + dice.throw(10)).unwrap();
        moves(&mut today, Domain::Safe, 0..many);
        let new = after(&today, &told);
        recounted += usize::from(new.tables != told.tables);
        assert_eq!(found(&told.tables), 0);
        assert_eq!(found(&new.tables), 0);
        // What nobody moved in stands to the letter.
        for told in told
            .tables
            .iter()
            .filter(|told| told.domain != Domain::Safe)
        {
            assert!(new.tables.contains(told), "{told:?}");
        }
        // A cell whose row and column hardly moved stays hidden.
        for (was, is) in (told.tables.iter())
            .filter_map(|was| Some((was, new.tables.iter().find(|is| same_table(was, is))?)))
        {
            let near = |was: Cell, is: Cell| match (was.count(), is.count()) {
                (Some(was), Some(is)) => was.abs_diff(is) < 5,
                _ => false,
            };
            for (row, cells) in was.released.cells.iter().enumerate() {
                for (column, cell) in cells.iter().enumerate() {
                    let around = near(was.released.row_totals[row], is.released.row_totals[row])
                        && near(
                            was.released.column_totals[column],
                            is.released.column_totals[column],
                        );
                    if *cell == Cell::Hidden && around {
                        assert_eq!(is.released.cells[row][column], Cell::Hidden);
                    }
                }
            }
        }
    }
    assert!(recounted > 20, "{recounted}");
}

fn same_table(one: &Told, other: &Told) -> bool {
    one.by == other.by && one.domain == other.domain
}

#[test]
fn who_comes_or_goes_alone_is_not_counted_and_what_is_six_weeks_old_is() {
    let mut dice = Dice::new(7);
    let yesterday = school(&mut dice, 40);
    let told = first(&yesterday);
    let mut today = later(&yesterday, FIRST + DAY);
    let here = today.here.get_mut(&today.now).unwrap();
    here.remove(&Uuid::from_u128(3));
    here.insert(Uuid::from_u128(900));
    let again = after(&today, &told);
    assert_eq!(again.tables, told.tables);
    assert_eq!(again.counted[ROLL], FIRST);

    let mut much_later = later(&today, FIRST + 44 * DAY);
    moves(&mut much_later, Domain::Safe, 10..11);
    let new = after(&much_later, &again);
    assert_eq!(new.counted[ROLL], FIRST + 44 * DAY);
    assert_eq!(new.counted["safe"], FIRST + 44 * DAY);
}

#[test]
fn who_alone_is_in_another_year_group_is_counted_where_they_were_until_five_have_moved() {
    for seed in 0..40 {
        let mut dice = Dice::new(200 + seed);
        let yesterday = school(&mut dice, 40);
        let told = first(&yesterday);
        let few = u128::try_from(1 + dice.throw(4)).unwrap();
        let mut today = later(&yesterday, FIRST + DAY);
        moves_up(&mut today, 0..few);
        let again = after(&today, &told);
        assert_eq!(again.tables, told.tables, "{few} moved");
        assert_eq!(again.counted[YEARS], FIRST);
        assert_eq!(again.counted["safe"], FIRST + DAY);

        // Not one a day either; nor somebody who is put back meanwhile.
        let mut third = later(&today, FIRST + 2 * DAY);
        moves_up(&mut third, few..4);
        let again = after(&third, &again);
        assert_eq!(again.tables, told.tables);
        let mut fourth = later(&third, FIRST + 3 * DAY);
        moves_up(&mut fourth, 0..4);
        let back = after(&fourth, &again);
        assert_eq!(back.tables, told.tables);
        assert_eq!(back.counted[YEARS], FIRST + 3 * DAY);
        let mut fifth = later(&third, FIRST + 3 * DAY);
        moves_up(&mut fifth, 4..5);
        let new = after(&fifth, &again);
        assert_eq!(new.counted[YEARS], FIRST + 3 * DAY);
        assert_eq!(found(&new.tables), 0);
    }
}

#[test]
fn without_a_trail_of_year_groups_the_totals_of_two_days_would_tell_of_one_child() {
    let mut told_of = 0;
    for seed in 0..40 {
        let yesterday = school(&mut Dice::new(200 + seed), 40);
        let told = first(&yesterday);
        let mut today = later(&yesterday, FIRST + DAY);
        moves_up(&mut today, 0..1);
        let totals = |count: &Count| -> Vec<Vec<Cell>> {
            let by_year = count.tables.iter().filter(|told| told.by == By::Year);
            by_year
                .map(|told| told.released.row_totals.clone())
                .collect()
        };
        assert_eq!(totals(&after(&today, &told)), totals(&told));
        // As though they had always been there.
        let years = today.years[&today.now].clone();
        today.years.insert(FIRST, years);
        told_of += usize::from(totals(&after(&today, &told)) != totals(&told));
    }
    assert!(told_of > 20, "{told_of}");
}

#[test]
fn a_movement_is_told_of_two_numbers_that_were_told_and_of_no_other() {
    let table = |cells: Vec<Vec<Cell>>, years: &[&str]| Told {
        by: By::Year,
        domain: Domain::Safe,
        released: Released {
            within: vec![],
            rows: Dimension::new("Year group", years),
            columns: Some(Dimension::new("Safe", &["Low", "High"])),
            row_totals: vec![Cell::Hidden; cells.len()],
            column_totals: vec![Cell::Hidden; 2],
            total: Cell::Hidden,
            cells,
        },
    };
    let was = table(vec![vec![Cell::Shown(9), Cell::Hidden]], &["Year 5"]);
    let is = table(
        vec![
            vec![Cell::Shown(20), Cell::Shown(20)],
            vec![Cell::Shown(12), Cell::Shown(8)],
        ],
        &["Year 4", "Year 5"],
    );
    assert_eq!(is.moved(&was, 1, 0), Some(3));
    assert_eq!(is.moved(&was, 1, 1), None);
    assert_eq!(is.moved(&was, 0, 0), None);
    let of_another = Told {
        domain: Domain::Active,
        ..was
    };
    assert_eq!(is.moved(&of_another, 1, 0), None);
}
