//! Chance that falls the same way each time: splitmix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*,
//! 2014). It makes names and not secrets.

/// What follows from a seed and what is asked about.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Of a seed and of what it is thrown for, so that one pupil's throws never move another's.
    pub(super) fn new(seed: u64, of: &[u64]) -> Self {
        let state = of
            .iter()
            .fold(seed, |state, part| Self(state ^ part).next());
        Self(state)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of so many, from nought; nought of none.
    pub(super) fn below(&mut self, many: usize) -> usize {
        let many = u64::try_from(many).unwrap_or(u64::MAX);
        usize::try_from(self.next().checked_rem(many).unwrap_or_default()).unwrap_or_default()
    }

    /// Whether something comes to pass that does in so many cases of a thousand.
    pub(super) fn in_thousand(&mut self, cases: usize) -> bool {
        self.below(1000) < cases
    }

    /// One of these. The list is not empty.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_and_another_does_not() {
        let throws = |seed, of: &[u64]| {
            let mut dice = Dice::new(seed, of);
            std::array::from_fn::<u64, 8, _>(|_| dice.next())
        };
        assert_eq!(throws(1, &[2, 3]), throws(1, &[2, 3]));
        for other in [throws(2, &[2, 3]), throws(1, &[3, 2]), throws(1, &[2])] {
            assert_ne!(throws(1, &[2, 3]), other);
        }
    }

    #[test]
    fn each_side_comes_up_about_as_often() {
        let mut dice = Dice::new(7, &[]);
        let mut sides = [0_u32; 6];
        for _ in 0..6000 {
            sides[dice.below(6)] += 1;
        }
        assert!(
            sides.iter().all(|times| (880..1120).contains(times)),
            "{sides:?}"
        );
        assert_eq!(dice.below(0), 0);
    }
}
