//! Tables that stand alone, and what every consistent table that would look the same can be.

use proptest::prelude::*;

use super::schools::Dice;
use crate::suppression::{Cell, Dimension, Refused, Released, Share, Table, grid::Grid};

fn named(name: &str, values: usize) -> Dimension {
    Dimension {
        name: name.to_owned(),
        values: (0..values).map(|at| format!("{name} {at}")).collect(),
    }
}

fn one_way(counts: &[u32]) -> Released {
    Table::one_way(named("SEN", counts.len()), counts)
        .release()
        .unwrap()
}

fn two_way(counts: &[&[u32]]) -> Released {
    let counts: Vec<Vec<u32>> = counts.iter().map(|row| row.to_vec()).collect();
    let (rows, columns) = (named("Year", counts.len()), named("Level", counts[0].len()));
    Table::two_way(rows, columns, counts).release().unwrap()
}

fn texts(released: &Released) -> String {
    let cells: Vec<String> = released.every().map(Cell::text).collect();
    cells.join(" ")
}

fn hidden(released: &Released) -> usize {
    released
        .every()
        .filter(|cell| *cell == Cell::Hidden)
        .count()
}

#[test]
fn the_five_worked_results_for_one_line_and_a_total() {
    for (counts, text) in [
        (&[3, 21, 156][..], "– – 156 180"),
        (&[1, 2, 4, 60, 120], "– – – – 120 187"),
        (&[4, 4, 92], "– – – 100"),
        (&[28, 2], "– – 30"),
        (&[12, 30, 8], "12 30 8 50"),
    ] {
        assert_eq!(texts(&one_way(counts)), text);
    }
}

#[test]
fn nobody_and_everybody_are_hidden_alike() {
    assert_eq!(texts(&one_way(&[30, 0, 0, 0])), "– – – – 30");
    assert_eq!(texts(&one_way(&[0, 0, 4])), "– – – –");
    assert_eq!(texts(&one_way(&[3])), "– –");
    assert_eq!(texts(&one_way(&[30])), "30 30");
}

#[test]
fn one_small_cell_takes_three_with_it_and_no_more() {
    let released = two_way(&[&[3, 20, 30], &[12, 25, 40], &[15, 50, 60]]);
    assert_eq!(
        texts(&released),
        "– – 30 – – 40 15 50 60 53 77 125 30 95 130 255"
    );
    let diagonal = two_way(&[&[3, 20, 30], &[12, 4, 40], &[15, 50, 60]]);
    assert_eq!(hidden(&diagonal), 4);
}

#[test]
fn a_table_of_large_cells_hides_nothing() {
    let rows: Vec<Vec<u32>> = (0..15).map(|row| vec![5 + row, 40, 30, 7]).collect();
    let rows: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
    assert_eq!(hidden(&two_way(&rows)), 0);
}

#[test]
fn a_school_of_seven_tells_no_more_than_that_it_has_seven() {
    let released = two_way(&[&[1, 2], &[3, 1]]);
    assert!(
        released
            .cells
            .iter()
            .flatten()
            .all(|cell| *cell == Cell::Hidden)
    );
    assert!(released.row_totals.iter().all(|cell| *cell == Cell::Hidden));
    assert_eq!(released.total, Cell::Shown(7));
}

#[test]
fn counts_that_do_not_fit_their_labels_are_refused() {
    let short = Table::two_way(
        named("Year", 2),
        named("Level", 2),
        vec![vec![9, 9], vec![9]],
    );
    assert_eq!(short.release(), Err(Refused::OtherPupils));
    assert_eq!(
        Table::one_way(named("Year", 0), &[]).release(),
        Err(Refused::OtherPupils)
    );
}

#[test]
fn what_is_hidden_is_the_same_in_every_form() {
    let two = one_way(&[3, 21, 156]);
    let other = one_way(&[4, 20, 156]);
    assert_eq!(two, other);
    let json = serde_json::to_string(&two).unwrap();
    assert!(json.contains(r#""cells":[[null],[null],[156]]"#), "{json}");
    assert_eq!(serde_json::from_str::<Released>(&json).unwrap(), two);
    assert_eq!(
        two.lines(),
        [
            ["SEN", "Pupils"],
            ["SEN 0", "–"],
            ["SEN 1", "–"],
            ["SEN 2", "156"],
            ["Total", "180"]
        ]
    );
    assert_eq!(
        Cell::Hidden.spoken(),
        "hidden: fewer than five, or hidden to protect others"
    );
    assert_eq!(two.share(0, 0), Share::Hidden);
    assert_eq!(two.share(2, 0).text(), "87 %");
    assert_eq!(two.share(3, 0), Share::Hidden);
}

#[test]
fn a_share_near_all_or_none_is_a_band_and_a_mean_of_hidden_numbers_is_none() {
    let share = |part, whole| Share::of(Cell::Shown(part), Cell::Shown(whole)).text();
    assert_eq!(
        [
            share(191, 200),
            share(190, 200),
            share(9, 200),
            share(10, 200),
            share(1, 8)
        ],
        [">95 %", "95 %", "<5 %", "5 %", "13 %"]
    );
    assert_eq!(Share::of(Cell::Shown(0), Cell::Shown(0)), Share::Hidden);
    assert_eq!(Share::of(Cell::Shown(9), Cell::Hidden).text(), "–");
    let worth = [Some(1), Some(3), Some(5), None];
    let released = two_way(&[&[3, 10, 30, 40], &[20, 20, 20, 20], &[12, 10, 30, 40]]);
    assert_eq!(released.mean(1, &worth), Some(3.0));
    assert_eq!(released.mean(0, &worth), None);
}

/// One hides whole rows and columns when one does not think.
#[test]
fn less_than_half_is_hidden_of_what_hiding_whole_lines_would_hide() {
    let mut dice = Dice::new(1);
    let (mut small, mut hidden, mut lines) = (0, 0, 0);
    for _ in 0..100 {
        let counts: Vec<Vec<u32>> = (0..7)
            .map(|_| {
                (0..4)
                    .map(|_| u32::try_from(dice.throw(60)).unwrap())
                    .collect()
            })
            .collect();
        let mut grid = Grid::two_way(&counts);
        grid.hide_small();
        let primary: Vec<usize> = (0..grid.values.len())
            .filter(|at| grid.hidden[*at])
            .collect();
        let crossed = |at: &usize| {
            (primary.iter()).any(|small| {
                small / grid.width == at / grid.width || small % grid.width == at % grid.width
            })
        };
        small += primary.len();
        lines += (0..grid.values.len()).filter(crossed).count();
        assert!(grid.protect());
        hidden += grid.hidden.iter().filter(|hidden| **hidden).count();
    }
    assert!(
        hidden > small && hidden * 2 < lines,
        "{small} {hidden} {lines}"
    );
    assert!(hidden < small * 4, "{small} {hidden} {lines}");
}

#[test]
fn a_trust_adds_up_what_its_schools_show() {
    assert_eq!(
        Cell::sum([Cell::Shown(30), Cell::Shown(7)]),
        Cell::Shown(37)
    );
    assert_eq!(
        Cell::sum([Cell::Shown(30), Cell::Hidden, Cell::Shown(7)]),
        Cell::Hidden
    );
    assert_eq!(
        Cell::sum([Cell::Shown(u32::MAX), Cell::Shown(1)]),
        Cell::Hidden
    );
}

/// Every table of numbers from nought that agrees with all that is shown; `visit` is told its grid.
fn every_consistent(grid: &Grid, visit: &mut impl FnMut(&[i64])) {
    let (height, width) = (grid.height - 1, grid.width - 1);
    let mut cells = vec![0; height * width];
    let most: i64 = grid.values[grid.values.len() - 1];
    place(grid, &mut cells, 0, most, visit);
}

fn place(grid: &Grid, cells: &mut [i64], at: usize, left: i64, visit: &mut impl FnMut(&[i64])) {
    let (height, width) = (grid.height - 1, grid.width - 1);
    if at == cells.len() {
        let mut full = vec![0; grid.values.len()];
        for row in 0..height {
            for column in 0..width {
                let count = cells[row * width + column];
                full[row * grid.width + column] += count;
                full[row * grid.width + width] += count;
                full[height * grid.width + column] += count;
                full[height * grid.width + width] += count;
            }
        }
        let same = (0..full.len()).all(|at| grid.hidden[at] || full[at] == grid.values[at]);
        if same {
            visit(&full);
        }
        return;
    }
    let (row, column) = (at / width, at % width);
    let place_of = row * grid.width + column;
    if column == 0 && row > 0 {
        let done: i64 = cells[(row - 1) * width..row * width].iter().sum();
        let total = (row - 1) * grid.width + width;
        if !grid.hidden[total] && done != grid.values[total] {
            return;
        }
    }
    let range = if grid.hidden[place_of] {
        0..=left
    } else {
        grid.values[place_of]..=grid.values[place_of]
    };
    for count in range {
        if count <= left {
            cells[at] = count;
            place(grid, cells, at + 1, left - count, visit);
        }
    }
    cells[at] = 0;
}

fn some_grid(least: u32) -> impl Strategy<Value = Grid> {
    (2_usize..4, 2_usize..4)
        .prop_flat_map(move |(height, width)| {
            let cells = height * width;
            (
                proptest::collection::vec(least..5, cells),
                proptest::collection::vec(proptest::bool::weighted(0.6), cells),
                proptest::collection::vec(proptest::bool::weighted(0.15), height + width),
                Just(width),
            )
        })
        .prop_map(|(counts, cells, margins, width)| {
            let rows: Vec<Vec<u32>> = counts.chunks(width).map(<[u32]>::to_vec).collect();
            let mut grid = Grid::two_way(&rows);
            for (row, hidden) in cells.chunks(width).enumerate() {
                for (column, hidden) in hidden.iter().enumerate() {
                    grid.hidden[row * grid.width + column] = *hidden;
                }
            }
            for (at, hidden) in margins.iter().enumerate() {
                let place = if at < rows.len() {
                    at * grid.width + width
                } else {
                    rows.len() * grid.width + at - rows.len()
                };
                grid.hidden[place] = *hidden;
            }
            grid
        })
}

fn ranges(grid: &Grid) -> Vec<(i64, i64)> {
    let mut ranges = vec![(i64::MAX, i64::MIN); grid.values.len()];
    every_consistent(grid, &mut |full| {
        for (range, value) in ranges.iter_mut().zip(full) {
            *range = (range.0.min(*value), range.1.max(*value));
        }
    });
    ranges
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_cell_can_be_computed_exactly_when_its_road_is_the_only_one(grid in some_grid(1)) {
        for (at, (least, most)) in ranges(&grid).into_iter().enumerate() {
            if grid.hidden[at] {
                prop_assert_eq!(grid.is_bridge(at), least == most, "{}", at);
            }
        }
    }

    #[test]
    fn bounds_are_those_of_every_consistent_table(grid in some_grid(0)) {
        for (at, range) in ranges(&grid).into_iter().enumerate() {
            if grid.hidden[at] {
                prop_assert_eq!(grid.bounds(at), range, "{}", at);
            }
        }
    }

    #[test]
    fn whatever_is_hidden_is_five_wide(
        counts in proptest::collection::vec(proptest::collection::vec(0_u32..60, 4), 3..8),
    ) {
        let mut grid = Grid::two_way(&counts);
        grid.hide_small();
        prop_assert!(grid.protect());
        for at in 0..grid.values.len() {
            if grid.hidden[at] {
                let (least, most) = grid.bounds(at);
                prop_assert!(most - least >= 5);
            }
        }
    }
}
