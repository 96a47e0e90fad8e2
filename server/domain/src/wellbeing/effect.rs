//! What changed while an intervention ran, and how sure one can be: the check-ins of the eight weeks before it against those
//! since.
//!
//! It compares, and never proves: the same child grows older, terms differ, and help is given when things are worst, after
//! which they often get better by themselves (regression to the mean). The sentences say as much.

use serde::{Deserialize, Serialize};
use time::{Date, Duration};

use super::{
    Domain,
    trend::{self, Point, days},
};

/// How far back "before" reaches, and how far beyond the end "after" does: eight weeks.
pub const WEEKS_DAYS: i64 = 56;
/// No comparison with fewer days on either side.
pub const LEAST_DAYS: usize = 3;
/// Up to so many days on each side the distribution is counted out; beyond, its normal limit is used.
const EXACT_MOST: usize = 30;
/// Of all ways in which chance could have dealt the days out, the share that the interval leaves out on each side.
const TAIL: f64 = 0.025;
/// The normal distribution leaves [`TAIL`] beyond it.
const TAIL_Z: f64 = 1.959_964;

/// Which days are compared with those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stretch {
    /// From its first day to its last.
    While,
    /// The eight weeks after its last day.
    After,
}

/// What a comparison allows one to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Even days that all lay apart could have fallen so by chance more than once in twenty times.
    TooFew,
    /// The interval holds no change at all.
    MaybeChance,
    /// It does not.
    MoreThanChance,
}

/// Before and since, in one domain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Days with a check-in before.
    pub days_before: usize,
    /// Days with a check-in since.
    pub days_since: usize,
    /// Median level before; none without days.
    pub before: Option<f64>,
    /// Median level since.
    pub since: Option<f64>,
    /// By how many levels the days since lie higher, between these two, at 95 %; none where there are too few.
    pub interval: Option<(f64, f64)>,
    /// What may be said.
    pub verdict: Verdict,
}

/// Compares the check-ins of one pupil in one domain: those of the eight weeks before `start` with those since. `end` is the
/// last day on which the intervention ran, none while it runs.
pub fn effect(points: &[Point], start: Date, end: Option<Date>, stretch: Stretch) -> Change {
    let weeks = Duration::days(WEEKS_DAYS);
    let last = end.unwrap_or(Date::MAX);
    let since = match stretch {
        Stretch::While => (start, last),
        Stretch::After => (
            last.next_day().unwrap_or(Date::MAX),
            last.saturating_add(weeks),
        ),
    };
    let within = |from: Date, to: Date| -> Vec<f64> {
        let some: Vec<Point> = points
            .iter()
            .copied()
            .filter(|point| (from..=to).contains(&point.on))
            .collect();
        days(&some).iter().map(|day| day.median).collect()
    };
    let before = start
        .previous_day()
        .map_or_else(Vec::new, |eve| within(start.saturating_sub(weeks), eve));
    // An intervention that still runs has no days after it.
    let since = match (stretch, end) {
        (Stretch::After, None) => Vec::new(),
        _ => within(since.0, since.1),
    };
    compare(before, since)
}

/// Two groups of days.
///
/// The interval is that of Hodges and Lehmann (Annals of Mathematical Statistics 34, 1963) with the limits of Moses: the sorted
/// differences between each day since and each day before, cut where the permutation distribution of Mann and Whitney (1947)
/// leaves a fortieth on either side. Levels tie often, which makes the closed interval wider than it need be, not narrower.
/// Check-ins of one child are not independent of each other, so even this says too much rather than too little.
pub fn compare(before: Vec<f64>, since: Vec<f64>) -> Change {
    let (n, m) = (before.len(), since.len());
    let mut differences: Vec<f64> = since
        .iter()
        .flat_map(|late| before.iter().map(move |early| late - early))
        .collect();
    differences.sort_unstable_by(f64::total_cmp);
    let interval = cut(n, m).and_then(|cut| {
        let high = differences.len().checked_sub(cut + 1)?;
        Some((*differences.get(cut)?, *differences.get(high)?))
    });
    let (before, since) = (trend::median(before), trend::median(since));
    let moved = before
        .zip(since)
        .map(|(from, to)| nearest(to) - nearest(from));
    let verdict = match (interval, moved) {
        (Some((low, _)), Some(moved)) if low > 0.0 && moved > 0.0 => Verdict::MoreThanChance,
        (Some((_, high)), Some(moved)) if high < 0.0 && moved < 0.0 => Verdict::MoreThanChance,
        (Some(_), _) => Verdict::MaybeChance,
        (None, _) => Verdict::TooFew,
    };
    Change {
        days_before: n,
        days_since: m,
        before,
        since,
        interval,
        verdict,
    }
}

impl Change {
    /// One sentence that a parent could be shown.
    pub fn sentence(&self, domain: Domain, stretch: Stretch) -> String {
        let name = domain.name();
        let (when, then) = match stretch {
            Stretch::While => ("while this ran", "while it ran"),
            Stretch::After => ("in the weeks after this", "after it"),
        };
        let counted = format!(
            "check-ins on {} before and {} {then}",
            in_days(self.days_before),
            in_days(self.days_since)
        );
        let (Some(from), Some(to), false) =
            (self.before, self.since, self.verdict == Verdict::TooFew)
        else {
            return format!("{name}: {counted} are too few to say.");
        };
        let (from, to) = (nearest(from), nearest(to));
        let went = if from.total_cmp(&to).is_eq() {
            format!("{name} stayed at about {to} {when}")
        } else {
            format!("{name} went from about {from} to about {to} {when}")
        };
        match self.verdict {
            Verdict::MoreThanChance => format!(
                "{went}, with {counted}. Chance alone would seldom do this; other things may have changed as well."
            ),
            _ if from.total_cmp(&to).is_eq() => format!("{went}, with {counted}."),
            _ => format!("{went}; with {counted}, it could also be chance."),
        }
    }
}

/// How many of the sorted differences to leave out at each end; none where even one is too many, and with fewer than
/// [`LEAST_DAYS`] on a side.
fn cut(n: usize, m: usize) -> Option<usize> {
    if n.min(m) < LEAST_DAYS {
        return None;
    }
    if n.max(m) > EXACT_MOST {
        let all = n.saturating_mul(m);
        let (n, m) = (whole(n), whole(m));
        let spread = (n * m * (n + m + 1.0) / 12.0).sqrt();
        let least = TAIL_Z.mul_add(-spread, n * m / 2.0).floor().max(0.0);
        // Counted up rather than cast down.
        return (0..all).take_while(|k| whole(*k) < least).last();
    }
    let mut share = 0.0;
    chances(n, m)
        .into_iter()
        .take_while(|chance| {
            share += chance;
            share <= TAIL
        })
        .enumerate()
        .last()
        .map(|(k, _)| k)
}

/// The chance of each value of Mann and Whitney's count when `n` and `m` days are dealt out at random: with the last day in the
/// first group, it is above all `m` others, and otherwise above none.
fn chances(n: usize, m: usize) -> Vec<f64> {
    // Of the groups so far, row by row: none in the first leaves one way.
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; m + 1];
    for first in 1..=n {
        let mut next: Vec<Vec<f64>> = vec![vec![1.0]];
        for second in 1..=m {
            let (a, b) = (whole(first), whole(second));
            let mut chance = vec![0.0; first * second + 1];
            for (k, with) in row[second].iter().enumerate() {
                chance[k + second] += with * a / (a + b);
            }
            for (k, without) in next[second - 1].iter().enumerate() {
                chance[k] += without * b / (a + b);
            }
            next.push(chance);
        }
        row = next;
    }
    row.pop().unwrap_or_default()
}

/// Levels are whole, so a median is told to the half.
fn nearest(value: f64) -> f64 {
    (value * 2.0).round() / 2.0
}

fn whole(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::MAX, f64::from)
}

fn in_days(n: usize) -> String {
    match n {
        0 => "no day".to_owned(),
        1 => "1 day".to_owned(),
        n => format!("{n} days"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;
    use crate::wellbeing::Level;

    fn on(day: Date, level: u8) -> Point {
        Point {
            on: day,
            level: Level::try_from(level).unwrap(),
        }
    }

    fn times(levels: &[(f64, usize)]) -> Vec<f64> {
        levels
            .iter()
            .flat_map(|(level, n)| std::iter::repeat_n(*level, *n))
            .collect()
    }

    #[test]
    fn the_counts_of_mann_and_whitney_are_those_of_dealing_out_every_hand() {
        for (n, m) in [(1, 1), (2, 3), (3, 3), (4, 5), (6, 4)] {
            let mut ways = vec![0_u32; n * m + 1];
            let mut hands = 0_u32;
            for hand in 0_u32..1 << (n + m) {
                if hand.count_ones() == u32::try_from(n).unwrap() {
                    let mine = |k: usize| hand >> k & 1 == 1;
                    let above = (0..n + m)
                        .filter(|k| mine(*k))
                        .map(|k| (0..k).filter(|other| !mine(*other)).count())
                        .sum::<usize>();
                    ways[above] += 1;
                    hands += 1;
                }
            }
            for (chance, ways) in chances(n, m).iter().zip(&ways) {
                let counted = f64::from(*ways) / f64::from(hands);
                assert!((chance - counted).abs() < 1e-12, "{n} and {m}");
            }
        }
    }

    #[test]
    fn the_limits_are_those_of_the_printed_tables() {
        // Two-sided 5 % critical values of U; the count left out is one less than the rank of the limit.
        for (n, m, critical) in [
            (3, 3, None),
            (3, 4, None),
            (3, 5, Some(0)),
            (4, 4, Some(0)),
            (4, 5, Some(1)),
            (5, 5, Some(2)),
            (8, 8, Some(13)),
            (10, 10, Some(23)),
            (20, 20, Some(127)),
        ] {
            assert_eq!(cut(n, m), critical, "{n} and {m}");
            assert_eq!(cut(m, n), critical, "{m} and {n}");
        }
        assert_eq!(cut(2, 50), None, "two days are two days");
    }

    #[test]
    fn beyond_thirty_days_the_normal_limit_takes_over_within_a_hair() {
        let mut share = 0.0;
        let exact = chances(31, 31).into_iter().take_while(|chance| {
            share += chance;
            share <= TAIL
        });
        let exact = exact.count() - 1;
        let normal = cut(31, 31).unwrap();
        assert!(exact.abs_diff(normal) <= 2, "{exact} and {normal}");
    }

    #[test]
    fn three_days_before_and_four_since_are_too_few_whatever_they_were() {
        let change = compare(times(&[(1.0, 3)]), times(&[(5.0, 4)]));
        assert_eq!((change.verdict, change.interval), (Verdict::TooFew, None));
        assert_eq!(
            change.sentence(Domain::Settled, Stretch::While),
            "Settled: check-ins on 3 days before and 4 days while it ran are too few to say."
        );
    }

    #[test]
    fn a_rise_with_few_days_could_also_be_chance() {
        let change = compare(
            times(&[(1.0, 1), (2.0, 2), (4.0, 1)]),
            times(&[(2.0, 2), (3.0, 2), (4.0, 1)]),
        );
        assert_eq!(change.verdict, Verdict::MaybeChance);
        assert_eq!(
            change.sentence(Domain::Settled, Stretch::While),
            "Settled went from about 2 to about 3 while this ran; with check-ins on 4 days before and 5 days while it ran, \
             it could also be chance."
        );
    }

    #[test]
    fn a_clear_rise_is_told_with_its_reserve_and_never_as_proof() {
        let change = compare(times(&[(1.0, 2), (2.0, 6)]), times(&[(3.0, 5), (4.0, 5)]));
        assert_eq!(change.verdict, Verdict::MoreThanChance);
        assert_eq!(change.interval, Some((1.0, 2.0)));
        let sentence = change.sentence(Domain::Connected, Stretch::After);
        assert_eq!(
            sentence,
            "Connected went from about 2 to about 3.5 in the weeks after this, with check-ins on 8 days before and 10 days \
             after it. Chance alone would seldom do this; other things may have changed as well."
        );
        let fall = compare(times(&[(4.0, 8)]), times(&[(2.0, 8)]));
        assert_eq!(fall.verdict, Verdict::MoreThanChance);
        assert_eq!(fall.interval, Some((-2.0, -2.0)));
    }

    #[test]
    fn what_stayed_is_said_to_have_stayed() {
        let change = compare(times(&[(3.0, 6)]), times(&[(3.0, 6)]));
        assert_eq!(
            change.sentence(Domain::Hopeful, Stretch::While),
            "Hopeful stayed at about 3 while this ran, with check-ins on 6 days before and 6 days while it ran."
        );
    }

    #[test]
    fn before_is_the_last_eight_weeks_and_after_the_next_eight() {
        let (start, end) = (date!(2026 - 03 - 02), date!(2026 - 04 - 24));
        let points = [
            on(date!(2026 - 01 - 04), 5), // a day more than eight weeks before
            on(date!(2026 - 01 - 05), 1),
            on(date!(2026 - 03 - 01), 1),
            on(start, 3),
            on(end, 3),
            on(date!(2026 - 04 - 25), 4),
            on(date!(2026 - 06 - 19), 4),
            on(date!(2026 - 06 - 20), 2), // a day more than eight weeks after
        ];
        let while_ran = effect(&points, start, Some(end), Stretch::While);
        assert_eq!((while_ran.days_before, while_ran.days_since), (2, 2));
        assert_eq!((while_ran.before, while_ran.since), (Some(1.0), Some(3.0)));
        let after = effect(&points, start, Some(end), Stretch::After);
        assert_eq!((after.days_since, after.since), (2, Some(4.0)));
        let running = effect(&points, start, None, Stretch::While);
        assert_eq!(running.days_since, 5);
        assert_eq!(effect(&points, start, None, Stretch::After).days_since, 0);
    }

    #[test]
    fn many_check_ins_of_one_day_are_one_day() {
        let start = date!(2026 - 03 - 02);
        let mut points = vec![on(date!(2026 - 03 - 01), 2); 40];
        points.extend(vec![on(start, 5); 40]);
        let change = effect(&points, start, None, Stretch::While);
        assert_eq!((change.days_before, change.days_since), (1, 1));
        assert_eq!(change.verdict, Verdict::TooFew);
    }

    proptest! {
        #[test]
        fn swapped_groups_mirror_the_interval(
            before in prop::collection::vec(1_u8..=5, 0..12),
            since in prop::collection::vec(1_u8..=5, 0..12),
        ) {
            let wide = |levels: &[u8]| levels.iter().map(|level| f64::from(*level)).collect::<Vec<_>>();
            let there = compare(wide(&before), wide(&since));
            let back = compare(wide(&since), wide(&before));
            prop_assert_eq!(there.interval.map(|(low, high)| (0.0 - high, 0.0 - low)), back.interval);
            if let Some((low, high)) = there.interval {
                prop_assert!(low <= high);
            }
        }

        #[test]
        fn groups_that_could_be_one_are_seldom_told_apart(order in Just((0..12_u8).collect::<Vec<_>>()).prop_shuffle()) {
            // Twelve different days dealt into six and six: told apart exactly where the count lies in the outer twentieth.
            let all: Vec<f64> = order.iter().map(|rank| f64::from(*rank)).collect();
            let (before, since) = all.split_at(6);
            let above = since.iter().map(|late| before.iter().filter(|early| *early < late).count()).sum::<usize>();
            let outer = above.min(36 - above) <= 5;
            let (low, high) = compare(before.to_vec(), since.to_vec()).interval.unwrap();
            prop_assert_eq!(outer, low > 0.0 || high < 0.0);
        }
    }
}
