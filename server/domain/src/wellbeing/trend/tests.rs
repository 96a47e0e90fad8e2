use proptest::prelude::*;
use time::{Duration, macros::date};

use super::*;

/// Check-ins on days counted from 1 September 2025.
fn points(all: &[(i64, u8)]) -> Vec<Point> {
    all.iter()
        .map(|(day, level)| Point {
            on: date!(2025 - 09 - 01) + Duration::days(*day),
            level: Level::try_from(*level).unwrap(),
        })
        .collect()
}

fn near(one: f64, other: f64) {
    assert!((one - other).abs() < 1e-9, "{one} is not {other}");
}

#[test]
fn two_days_are_too_few_to_say_and_three_are_enough() {
    let two = trend(&points(&[(0, 2), (7, 4)]));
    assert_eq!(two.runs.len(), 1);
    assert_eq!((two.runs[0].line, two.direction), (None, Direction::TooFew));
    let three = trend(&points(&[(0, 2), (7, 3), (14, 4)]));
    assert!(three.runs[0].line.is_some());
    assert_eq!(three.direction, Direction::Up);
}

#[test]
fn ten_check_ins_on_two_days_are_two_days() {
    let busy = points(&[
        (0, 1),
        (0, 2),
        (0, 2),
        (0, 3),
        (0, 2),
        (9, 5),
        (9, 5),
        (9, 4),
        (9, 5),
        (9, 5),
    ]);
    let trend = trend(&busy);
    assert_eq!(trend.runs[0].line, None);
    assert_eq!(trend.direction, Direction::TooFew);
    let days: Vec<_> = trend.days().map(|day| (day.median, day.count)).collect();
    assert_eq!(days, [(2.0, 5), (5.0, 5)]);
}

#[test]
fn nobody_checked_in_and_there_is_nothing() {
    let none = trend(&[]);
    assert_eq!((none.runs.len(), none.direction), (0, Direction::TooFew));
    assert_eq!((none.latest(), none.gaps()), (None, vec![]));
}

#[test]
fn the_same_level_every_time_is_a_level_line_with_half_a_level_to_either_side() {
    let same = trend(&points(&[(0, 3), (3, 3), (10, 3), (30, 3)]));
    let line = same.runs[0].line.unwrap();
    near(line.change(), 0.0);
    near(line.at(date!(2025 - 09 - 20)), 3.0);
    near(line.half, 0.5);
    assert_eq!(same.direction, Direction::Steady);
}

#[test]
fn two_teachers_who_disagree_on_one_day_count_as_half_a_level() {
    let day = trend(&points(&[(4, 3), (4, 4)]));
    let latest = *day.latest().unwrap();
    near(latest.median, 3.5);
    assert_eq!(latest.words(), "between mixed and doing well");
}

#[test]
fn one_bad_day_does_not_turn_a_rise() {
    // Benedict climbs from 1 to 5; on the tenth day somebody chose 1.
    let climb = points(&[(0, 1), (5, 2), (10, 1), (15, 3), (20, 4), (25, 4), (30, 5)]);
    let trend = trend(&climb);
    let line = trend.runs[0].line.unwrap();
    // By hand: of the 21 slopes in levels a day, in order, the eleventh is 2/15.
    near(line.slope, 2.0 / 15.0);
    assert_eq!(trend.direction, Direction::Up);
}

#[test]
fn a_fall_is_told_as_a_fall() {
    let fall = trend(&points(&[(0, 5), (7, 4), (14, 4), (21, 3), (28, 2)]));
    assert_eq!(fall.direction, Direction::Down);
    assert!(fall.runs[0].line.unwrap().change() < -2.0);
}

#[test]
fn wild_swings_are_no_direction_and_their_band_is_wide() {
    let wild = trend(&points(&[
        (0, 1),
        (7, 5),
        (14, 1),
        (21, 5),
        (28, 1),
        (35, 5),
    ]));
    assert_eq!(wild.direction, Direction::Steady);
    assert!(wild.runs[0].line.unwrap().half > 1.5);
}

#[test]
fn eight_weeks_are_a_holiday_and_a_day_more_is_a_gap() {
    let summer = trend(&points(&[(0, 3), (3, 3), (59, 4)]));
    assert_eq!((summer.runs.len(), summer.gaps()), (1, vec![]));
    let away = trend(&points(&[(0, 3), (3, 3), (60, 4)]));
    assert_eq!(away.runs.len(), 2);
    assert_eq!(
        away.gaps(),
        [(date!(2025 - 09 - 04), date!(2025 - 10 - 31))]
    );
}

#[test]
fn after_a_gap_the_old_line_stays_and_says_nothing_about_now() {
    let back = trend(&points(&[(0, 1), (7, 2), (14, 3), (100, 5), (107, 5)]));
    assert!(back.runs[0].line.is_some());
    assert_eq!(
        (back.runs[1].line, back.direction),
        (None, Direction::TooFew)
    );
}

#[test]
fn a_line_never_leaves_the_scale() {
    let steep = trend(&points(&[(0, 5), (1, 5), (2, 4), (40, 1), (41, 1)]));
    let line = steep.runs[0].line.unwrap();
    for day in 0..42 {
        let on = date!(2025 - 09 - 01) + Duration::days(day);
        let (low, high) = line.band(on);
        assert!(1.0 <= low && low <= line.at(on) && line.at(on) <= high && high <= 5.0);
    }
}

proptest! {
    #[test]
    fn the_order_in_which_check_ins_came_changes_nothing(
        all in prop::collection::vec((0_i64..300, 1_u8..=5), 0..40).prop_flat_map(|all| {
            (Just(all.clone()), Just(all).prop_shuffle())
        })
    ) {
        prop_assert_eq!(trend(&points(&all.0)), trend(&points(&all.1)));
    }

    #[test]
    fn four_days_in_five_lie_in_the_band(all in prop::collection::vec((0_i64..50, 1_u8..=5), 3..40)) {
        let trend = trend(&points(&all));
        for run in &trend.runs {
            let Some(line) = run.line else { continue };
            let inside = run
                .days
                .iter()
                .filter(|day| (day.median - line.raw(day.on)).abs() <= line.half + 1e-9)
                .count();
            prop_assert!(inside * 5 >= run.days.len() * 4);
        }
    }

    #[test]
    fn turned_upside_down_a_rise_is_a_fall(all in prop::collection::vec((0_i64..50, 1_u8..=5), 0..30)) {
        let turned: Vec<_> = all.iter().map(|(day, level)| (*day, 6 - level)).collect();
        let other = match trend(&points(&all)).direction {
            Direction::Up => Direction::Down,
            Direction::Down => Direction::Up,
            same => same,
        };
        prop_assert_eq!(trend(&points(&turned)).direction, other);
    }
}
