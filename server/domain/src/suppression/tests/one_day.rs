//! Tables of one day at one school, in the order in which somebody asks for them.

use crate::suppression::{Cell, Dimension, Ledger, Picture, Refused, Released, Table};

const HIDDEN: Cell = Cell::Hidden;

/// Year, special needs, belonging and how many pupils.
type Kind = (usize, usize, usize, usize);

fn years() -> Dimension {
    Dimension::new("Year", &["Year 7", "Year 8"])
}

fn sen() -> Dimension {
    Dimension::new("SEN", &["N", "K", "E"])
}

fn belonging() -> Dimension {
    Dimension::new("Belonging", &["1-3", "4-5"])
}

fn calm() -> Dimension {
    Dimension::new("Calm", &["1-3", "4-5"])
}

fn picture(kinds: &[Kind]) -> Picture {
    let pupils: Vec<Vec<usize>> = (kinds.iter())
        .flat_map(|(year, sen, level, pupils)| {
            (0..*pupils).map(move |at| vec![*year, *sen, *level, at % 2])
        })
        .collect();
    Picture::new(vec![years(), sen()], vec![belonging(), calm()], &pupils).unwrap()
}

/// In Year 7, ten without special needs and three with enjoy school.
fn school() -> Picture {
    picture(&[
        (0, 0, 0, 20),
        (0, 1, 0, 12),
        (0, 2, 0, 9),
        (0, 0, 1, 10),
        (0, 1, 1, 2),
        (0, 2, 1, 1),
        (1, 0, 0, 30),
        (1, 1, 0, 14),
        (1, 2, 0, 8),
        (1, 0, 1, 25),
        (1, 1, 1, 16),
        (1, 2, 1, 11),
    ])
}

#[test]
fn those_without_special_needs_are_not_told_when_the_rest_are_three() {
    let without = [("SEN", "N")];
    let mut ledger = Ledger::new(school());
    let all = ledger.ask("Year", Some("Belonging"), &[]).unwrap();
    assert_eq!(all.cells[0][1], Cell::Shown(13));
    let part = ledger.ask("Year", Some("Belonging"), &without).unwrap();
    assert_eq!(part.cells[0][1], HIDDEN);

    let mut ledger = Ledger::new(school());
    let part = ledger.ask("Year", Some("Belonging"), &without).unwrap();
    assert_eq!(part.cells[0][1], Cell::Shown(10));
    let all = ledger.ask("Year", Some("Belonging"), &[]).unwrap();
    assert_eq!(all.cells[0][1], HIDDEN);
}

#[test]
fn what_was_told_is_told_again_and_what_was_hidden_stays_hidden() {
    let mut ledger = Ledger::new(school());
    let within = [("Year", "Year 7")];
    let first = ledger.ask("SEN", Some("Belonging"), &within).unwrap();
    assert_eq!(first.cells[1][1], HIDDEN);
    assert_eq!(first.cells[2][1], HIDDEN);
    assert_eq!(
        ledger.ask("SEN", Some("Belonging"), &within),
        Ok(first.clone())
    );
    let turned = ledger.ask("Belonging", Some("SEN"), &within).unwrap();
    for (row, cells) in first.cells.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            assert_eq!(turned.cells[column][row], *cell);
        }
    }
}

#[test]
fn the_same_tables_in_the_same_order_are_the_same() {
    let ask = || {
        let mut ledger = Ledger::new(school());
        ["Belonging", "Calm", "SEN"].map(|columns| ledger.ask("Year", Some(columns), &[]))
    };
    assert_eq!(ask(), ask());
}

#[test]
fn a_table_of_other_pupils_is_refused_and_leaves_no_trace() {
    let mut ledger = Ledger::new(school());
    let other = Table::two_way(years(), sen(), vec![vec![30, 14, 11], vec![55, 30, 19]]);
    assert_eq!(ledger.admit(&other), Err(Refused::OtherPupils));
    let same = Table::two_way(years(), sen(), vec![vec![30, 14, 10], vec![55, 30, 19]]);
    let released = ledger.admit(&same).unwrap();
    assert!(released.every().all(|cell| cell != HIDDEN));
}

#[test]
fn what_the_picture_does_not_hold_is_refused() {
    let mut ledger = Ledger::new(school());
    for (rows, columns, within) in [
        ("Sex", None, &[][..]),
        ("Year", Some("Year"), &[]),
        ("Year", None, &[("SEN", "S")]),
        ("Year", None, &[("Year", "Year 7")]),
        ("Year", None, &[("SEN", "N"), ("SEN", "K")]),
    ] {
        assert_eq!(
            ledger.ask(rows, columns, within),
            Err(Refused::NotInPicture),
            "{rows}"
        );
    }
    assert_eq!(
        ledger.ask("Belonging", Some("Calm"), &[]),
        Err(Refused::TwoMeasures)
    );
    let within = [("Calm", "1-3")];
    assert_eq!(
        ledger.ask("Belonging", None, &within),
        Err(Refused::TwoMeasures)
    );
    let renamed = Table::one_way(Dimension::new("SEN", &["N", "E", "K"]), &[85, 44, 29]);
    assert_eq!(ledger.admit(&renamed), Err(Refused::NotInPicture));
    let twice = Picture::new(vec![years(), years()], Vec::new(), &[]);
    assert_eq!(twice.err(), Some(Refused::NotInPicture));
    let strange = Picture::new(vec![years()], Vec::new(), &[vec![2]]);
    assert_eq!(strange.err(), Some(Refused::NotInPicture));
}

#[test]
fn what_is_not_checked_in_time_is_not_released() {
    let ask = |steps| {
        let mut ledger = Ledger::new(school()).within_steps(steps);
        ledger.ask("SEN", Some("Belonging"), &[("Year", "Year 7")])
    };
    assert_eq!(ask(200), Err(Refused::TooFine));
    assert!(ask(1_000_000).is_ok());
}

#[test]
fn a_ledger_is_made_anew_from_what_was_released() {
    let mut first = Ledger::new(school());
    let part = first
        .ask("SEN", Some("Belonging"), &[("Year", "Year 7")])
        .unwrap();
    assert_eq!(part.cells[2][1], HIDDEN);
    let mut anew = Ledger::resume(school(), std::slice::from_ref(&part)).unwrap();
    assert_eq!(
        anew.ask("SEN", Some("Belonging"), &[("Year", "Year 7")]),
        Ok(part.clone())
    );
    let all = anew.ask("SEN", Some("Belonging"), &[]).unwrap();
    let rest = anew
        .ask("SEN", Some("Belonging"), &[("Year", "Year 8")])
        .unwrap();
    // Year 8 taken from both years would leave Year 7.
    assert!(all.cells[2][1] == HIDDEN || rest.cells[2][1] == HIDDEN);
    let other = picture(&[(0, 0, 0, 200), (1, 2, 1, 50)]);
    assert_eq!(
        Ledger::resume(other, &[part]).err(),
        Some(Refused::OtherPupils)
    );
}

fn by_sen(pupils: [usize; 3]) -> Picture {
    let kinds: Vec<Kind> = (pupils.iter().enumerate())
        .map(|(sen, pupils)| (0, sen, 0, *pupils))
        .collect();
    picture(&kinds)
}

#[test]
fn a_fifth_child_does_not_tell_that_there_were_four_the_day_before() {
    let today = |pupils, earlier: &[Released]| {
        let ledger = Ledger::new(by_sen(pupils)).after(earlier).unwrap();
        let mut ledger = ledger;
        ledger.ask("SEN", None, &[]).unwrap()
    };
    let monday = today([120, 21, 4], &[]);
    assert_eq!(monday.cells.concat(), [Cell::Shown(120), HIDDEN, HIDDEN]);
    let monday = [monday];
    assert_eq!(today([120, 21, 5], &[]).cells[2][0], Cell::Shown(5));
    assert_eq!(today([120, 21, 5], &monday).cells[2][0], HIDDEN);
    assert_eq!(today([124, 21, 5], &monday).cells[2][0], Cell::Shown(5));
}
