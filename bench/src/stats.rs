//! What many measurements come to: a median with its spread, and ratios within one run.

use serde::Serialize;

/// A median with the lowest and the highest of what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; of an even number the mean of the two.
    pub median: f64,
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

impl Spread {
    /// Of at least one number that is one; none else.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let half = sorted.len() / 2;
        let upper = *sorted.get(half)?;
        let median = if sorted.len() % 2 == 1 {
            upper
        } else {
            f64::midpoint(*sorted.get(half - 1)?, upper)
        };
        Some(Self { median, low, high })
    }

    /// Round by round the one divided by the other, which is what does not depend on how quick the machine was just then.
    pub fn ratio(ours: &[f64], theirs: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> = ours
            .iter()
            .zip(theirs)
            .map(|(ours, theirs)| ours / theirs)
            .collect();
        Self::of(&ratios)
    }
}

/// The order of one round: there and back again, so that a machine that grows slower is unfair to nobody.
pub fn abba(contestants: usize, round: usize) -> Vec<usize> {
    if round.is_multiple_of(2) {
        (0..contestants).collect()
    } else {
        (0..contestants).rev().collect()
    }
}

/// A count as a number that can be divided. Exact below 2⁵³.
pub fn float(count: u64) -> f64 {
    let low = u32::try_from(count & 0xFFFF_FFFF).unwrap_or(u32::MAX);
    let high = u32::try_from(count >> 32).unwrap_or(u32::MAX);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// How many of something there are.
pub fn many(count: usize) -> f64 {
    u64::try_from(count).map_or(f64::MAX, float)
}

/// A whole number of something that was worked out; nothing below nought.
pub fn whole(value: f64) -> u64 {
    // The one conversion that the language has no checked form of.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::as_conversions,
        reason = "a float has no TryInto; `as` saturates, and a rate is far below 2⁵³"
    )]
    let whole = value.max(0.0) as u64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_four_lies_between_the_middle_two() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(
            spread,
            Spread {
                median: 2.5,
                low: 1.0,
                high: 4.0
            }
        );
        assert_eq!(Spread::of(&[f64::NAN]), None);
    }

    #[test]
    fn a_ratio_is_taken_within_each_round_and_not_of_the_medians() {
        // The machine was half as quick in the second round, for both.
        let ratio = Spread::ratio(&[80.0, 40.0], &[100.0, 50.0]).unwrap();
        assert_eq!((ratio.low, ratio.high), (0.8, 0.8));
    }

    #[test]
    fn every_second_round_goes_backwards() {
        assert_eq!(abba(3, 0), [0, 1, 2]);
        assert_eq!(abba(3, 1), [2, 1, 0]);
        assert_eq!(abba(3, 2), [0, 1, 2]);
    }

    #[test]
    fn a_large_count_keeps_its_worth() {
        assert_eq!(whole(float(5_000_000_001)), 5_000_000_001);
        assert_eq!(whole(-1.0), 0);
    }
}
