use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use time::macros::date;

use super::*;
use crate::{
    demo::pupils::{NORTHGATE, OAKFIELD, SEED},
    pupil::year::SchoolYear,
    roster::{
        column::{self, Column},
        date::day_first,
        fault::Severity,
        line::{Against, Line, judge},
        twice,
    },
};

const TODAY: Date = date!(2026 - 11 - 22);

fn wanted(pupils: u32, faults: u32) -> Wanted {
    Wanted {
        school: &NORTHGATE,
        seed: SEED,
        pupils,
        faults,
        sensitive: true,
        today: TODAY,
    }
}

/// As the import judges it, each line by itself and then all together, from line 2.
fn judged(wanted: Wanted) -> (Vec<Row>, Vec<Line>) {
    let columns = columns(wanted.sensitive);
    let header: Vec<String> = columns.iter().map(|(_, name)| (*name).to_owned()).collect();
    let guessed = column::guess(&header, &BTreeMap::new());
    let meant: Vec<Column> = columns
        .iter()
        .map(|(field, _)| Column::Field(*field))
        .collect();
    assert_eq!(guessed, meant);
    assert_eq!(
        (column::missing(&guessed), column::unlisted(&guessed)),
        (vec![], vec![])
    );
    let against = Against {
        today: wanted.today,
        school_year: SchoolYear::of(wanted.today),
        ethnicities: BTreeMap::new(),
        day_first: true,
    };
    let rows: Vec<Row> = rows(wanted).unwrap().collect();
    let mut lines: Vec<Line> = rows
        .iter()
        .zip(2..)
        .map(|(row, number)| {
            let cells: Vec<String> = columns
                .iter()
                .map(|(field, _)| row.said(*field, Way::Table))
                .collect();
            judge(number, &cells, &guessed, &against)
        })
        .collect();
    twice::find(&mut lines);
    (rows, lines)
}

/// By line: of what is wrong or odd the field and the rule.
fn found(lines: &[Line]) -> BTreeSet<(u32, Option<Field>, Code)> {
    lines
        .iter()
        .flat_map(|line| {
            let faults = line.faults.iter();
            let grave = faults.filter(|fault| fault.severity > Severity::Note);
            grave.map(|fault| (line.number, fault.field, fault.code))
        })
        .collect()
}

fn made(rows: &[Row]) -> BTreeSet<(u32, Option<Field>, Code)> {
    let numbered = rows.iter().zip(2..);
    numbered
        .filter_map(|(row, number)| {
            let slip = row.slip?;
            Some((number, Some(slip.field()), slip.rule()))
        })
        .collect()
}

/// Any day on which somebody might try it, leap years and both sides of the summer among them.
fn days() -> impl Strategy<Value = Date> {
    (0..3000_i64).prop_map(|days| date!(2026 - 01 - 01) + Duration::days(days))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_roster_without_faults_has_nothing_to_find(
        seed: u64, pupils in 1..3000_u32, sensitive: bool, primary: bool, today in days(),
    ) {
        let school = if primary { &OAKFIELD } else { &NORTHGATE };
        let (rows, lines) = judged(Wanted { school, seed, pupils, faults: 0, sensitive, today });
        prop_assert_eq!(lines.len(), usize::try_from(pupils).unwrap());
        // Not even a note: nothing is read otherwise than written.
        let notes: Vec<_> = lines.iter().flat_map(|line| &line.faults).collect();
        prop_assert_eq!(notes, Vec::<&crate::roster::fault::Fault>::new());
        let upns: BTreeSet<&Upn> = rows.iter().flat_map(|row| &row.pupil.upn).collect();
        prop_assert_eq!(upns.len(), rows.len());
        for (row, line) in rows.iter().zip(&lines) {
            prop_assert_eq!(line.fields.born, Some(row.pupil.born));
            prop_assert_eq!(line.fields.year_group, Some(row.pupil.year));
            prop_assert_eq!(line.tags.is_empty(), !sensitive);
        }
    }

    #[test]
    fn each_fault_is_found_on_its_line_in_its_field_and_no_other_is(
        seed: u64, pupils in 2..1500_u32, share in 1..=50_u32, sensitive: bool, today in days(),
    ) {
        let faults = (pupils * share / 100).max(1);
        let (rows, lines) = judged(Wanted { seed, pupils, faults, sensitive, today, ..wanted(0, 0) });
        let made = made(&rows);
        let twice = rows.iter().filter(|row| row.copied.is_some()).count();
        prop_assert_eq!(made.len(), usize::try_from(faults).unwrap() + twice);
        prop_assert_eq!(found(&lines), made);
    }
}

#[test]
fn twelve_faults_are_one_of_each_kind() {
    let (rows, lines) = judged(wanted(300, 12));
    let slips: BTreeSet<Slip> = rows.iter().filter_map(|row| row.slip).collect();
    assert_eq!(slips.len(), Slip::ALL.len());
    assert_eq!(found(&lines), made(&rows));
    let codes: BTreeSet<&str> = Slip::ALL.iter().map(|slip| slip.code()).collect();
    assert_eq!(codes.len(), Slip::ALL.len());
}

#[test]
fn the_column_of_dates_says_that_the_day_stands_first() {
    let rows: Vec<Row> = rows(wanted(60, 0)).unwrap().collect();
    let cells: Vec<String> = rows
        .iter()
        .map(|row| row.said(Field::Born, Way::Table))
        .collect();
    assert_eq!(day_first(cells.iter().map(String::as_str)), Some(true));
}

#[test]
fn a_transfer_file_says_the_same_in_its_own_way() {
    let rows: Vec<Row> = rows(wanted(300, 12)).unwrap().collect();
    let with = |slip: Slip| rows.iter().find(|row| row.slip == Some(slip)).unwrap();
    assert_eq!(
        with(Slip::NoSuchYear).said(Field::YearGroup, Way::Transfer),
        "31"
    );
    let february = with(Slip::NoSuchDay).said(Field::Born, Way::Transfer);
    assert!(february.ends_with("-02-31"), "{february}");
    let right = rows.iter().find(|row| row.slip.is_none()).unwrap();
    let born = right.said(Field::Born, Way::Transfer);
    assert_eq!(born, crate::day::field(right.pupil.born));
    assert_eq!(
        right.said(Field::YearGroup, Way::Transfer),
        right.pupil.year.code()
    );
}

#[test]
fn a_roster_of_nobody_or_with_faults_that_touch_is_refused() {
    assert_eq!(rows(wanted(0, 0)).err(), Some(NoRoster::Pupils));
    assert_eq!(
        rows(wanted(PUPILS_MOST + 1, 0)).err(),
        Some(NoRoster::Pupils)
    );
    assert_eq!(rows(wanted(9, 5)).err(), Some(NoRoster::Faults));
    assert_eq!(rows(wanted(9, 4)).unwrap().count(), 9);
}

#[test]
fn of_as_many_as_there_may_be_no_two_share_a_number_or_a_name_and_a_birthday() {
    let (mut numbers, mut names) = (BTreeSet::new(), BTreeSet::new());
    for row in rows(wanted(PUPILS_MOST, 0)).unwrap() {
        let pupil = row.pupil;
        assert!(
            numbers.insert(pupil.upn.unwrap()),
            "{}",
            pupil.admission_number
        );
        let name = (pupil.first_name, pupil.last_name, pupil.born);
        assert!(names.insert(name), "{}", pupil.admission_number);
    }
}
