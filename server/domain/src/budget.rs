//! How much work may be done for one thing. Counted in steps that take about as long each, and not by a clock: the answer is the
//! same on a busy machine.

/// Work that may still be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget(u64);

/// More work than there was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent;

impl Budget {
    /// So many steps.
    pub const fn of(steps: u64) -> Self {
        Self(steps)
    }

    /// Takes steps off before they are made. Where there are not so many left, nothing is taken.
    pub fn spend(&mut self, steps: usize) -> Result<(), Spent> {
        let steps = u64::try_from(steps).map_err(|_| Spent)?;
        self.0 = self.0.checked_sub(steps).ok_or(Spent)?;
        Ok(())
    }

    /// Steps that are left.
    pub const fn left(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_gone_and_nothing_goes_below_nothing() {
        let mut budget = Budget::of(10);
        assert_eq!(budget.spend(7), Ok(()));
        assert_eq!(budget.spend(4), Err(Spent));
        assert_eq!((budget.spend(3), budget.left()), (Ok(()), 0));
        assert_eq!(budget.spend(1), Err(Spent));
    }
}
