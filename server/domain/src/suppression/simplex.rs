//! Linear programs with bounded unknowns, in floating point. Nothing here is believed: what it finds is rounded to whole pupils
//! and counted before it is used.
//!
//! Most of the work is to bring the rows into a shape from which one can set out; that is done once for all targets.
//!
//! Own code, for the libraries that were looked at bring matrices and a clock along, cannot start from the school as it is, and
//! cannot be stopped after a number of steps that is the same everywhere.

use crate::budget::{Budget, Spent};

/// Smaller numbers are taken for nought.
const NOUGHT: f64 = 1e-7;
/// So many steps in a row without gain, and unknowns are taken in their order, which keeps from going round in circles (Bland
/// 1977). Where it does so all the same, the budget ends it.
const STALLED: usize = 40;

/// Unknowns from nought up, and sums that they must have.
#[derive(Default)]
pub(super) struct Program {
    most: Vec<f64>,
    rows: Vec<(Vec<(usize, f64)>, f64)>,
}

impl Program {
    /// One more unknown, from 0 to `most`.
    pub fn unknown(&mut self, most: f64) -> usize {
        self.most.push(most);
        self.most.len() - 1
    }

    /// One more row.
    pub fn row(&mut self, terms: Vec<(usize, f64)>, sum: f64) {
        self.rows.push((terms, sum));
    }

    /// Some numbers for which every row holds, or none where there are none.
    pub fn stand(mut self, budget: &mut Budget) -> Result<Option<Standing>, Spent> {
        // The last unknown is kept for the target.
        self.most.push(0.0);
        let (height, width) = (self.rows.len(), self.most.len());
        budget.spend(height * width)?;
        let mut standing = Standing {
            tableau: vec![0.0; height * width],
            width,
            gain: vec![0.0; width],
            stands_in: Vec::with_capacity(height),
            basis: vec![None; height],
            value: Vec::with_capacity(height),
            full: vec![false; width],
            in_basis: vec![false; width],
            most: self.most,
        };
        for ((terms, sum), line) in self.rows.iter().zip(standing.tableau.chunks_mut(width)) {
            let sign = if *sum < 0.0 { -1.0 } else { 1.0 };
            standing.value.push(sum * sign);
            let holds = *sum == 0.0;
            standing
                .stands_in
                .push(if holds { 0.0 } else { f64::INFINITY });
            for (at, factor) in terms {
                line[*at] += factor * sign;
            }
        }
        standing.settle_rows(budget)?;
        if standing.basis.iter().any(Option::is_none) {
            for (row, basis) in standing.basis.iter().enumerate() {
                if basis.is_none() {
                    let line = &standing.tableau[row * width..(row + 1) * width];
                    for (gain, factor) in standing.gain.iter_mut().zip(line) {
                        *gain -= factor;
                    }
                }
            }
            standing.descend(budget)?;
            for row in 0..height {
                if standing.basis[row].is_none() {
                    if standing.value[row] > 1e-4 {
                        return Ok(None);
                    }
                    standing.value[row] = 0.0;
                }
            }
            standing.settle_rows(budget)?;
        }
        standing.drop_idle_rows();
        Ok(Some(standing))
    }
}

/// A sum that should be as large as it can be, at most `by`, and what each unit of it is worth.
pub(super) struct Goal {
    pub terms: Vec<(usize, f64)>,
    pub by: f64,
    pub worth: f64,
}

/// Numbers for which every row holds, and what each changes when another does.
#[derive(Clone)]
pub(super) struct Standing {
    tableau: Vec<f64>,
    width: usize,
    /// What one more of each costs in the end.
    gain: Vec<f64>,
    /// How much may stand in for an unknown in a row that has none.
    stands_in: Vec<f64>,
    /// The unknown that a row tells of.
    basis: Vec<Option<usize>>,
    value: Vec<f64>,
    /// Of those that no row tells of: whether they are at their most, and not at nought.
    full: Vec<bool>,
    in_basis: Vec<bool>,
    most: Vec<f64>,
}

impl Standing {
    /// The numbers at which all together costs least, what is gained by the goal taken off.
    pub fn reach(
        mut self,
        costs: &[f64],
        target: Option<&Goal>,
        budget: &mut Budget,
    ) -> Result<Vec<f64>, Spent> {
        let (height, width) = (self.basis.len(), self.width);
        budget.spend(2 * height * width)?;
        self.gain = costs.to_vec();
        self.gain.resize(width, 0.0);
        if let Some(Goal { terms, by, worth }) = target {
            let here = self.numbers();
            let moved: f64 = terms.iter().map(|(at, factor)| factor * here[*at]).sum();
            let mut line = vec![0.0; width];
            for (at, factor) in terms {
                line[*at] -= factor;
            }
            line[width - 1] = 1.0;
            for (row, basis) in self.basis.iter().enumerate() {
                let factor = basis.map_or(0.0, |basis| line[basis]);
                if factor != 0.0 {
                    let told = &self.tableau[row * width..(row + 1) * width];
                    for (entry, told) in line.iter_mut().zip(told) {
                        *entry -= factor * told;
                    }
                }
            }
            self.tableau.extend(line);
            self.basis.push(Some(width - 1));
            self.in_basis[width - 1] = true;
            self.value.push(0.0);
            self.stands_in.push(0.0);
            self.most[width - 1] = (by - moved).max(0.0);
            self.gain[width - 1] = -worth;
        }
        let costs = self.gain.clone();
        for (row, basis) in self.basis.iter().enumerate() {
            let cost = basis.map_or(0.0, |basis| costs[basis]);
            if cost != 0.0 {
                let told = &self.tableau[row * width..(row + 1) * width];
                for (gain, told) in self.gain.iter_mut().zip(told) {
                    *gain -= cost * told;
                }
            }
        }
        self.descend(budget)?;
        Ok(self.numbers())
    }

    fn numbers(&self) -> Vec<f64> {
        let mut numbers: Vec<f64> = (self.full.iter().zip(&self.most))
            .map(|(full, most)| if *full { *most } else { 0.0 })
            .collect();
        for (at, value) in self.basis.iter().zip(&self.value) {
            if let Some(at) = at {
                numbers[*at] = *value;
            }
        }
        numbers
    }

    /// Gives each row that holds an unknown to tell of, without moving.
    fn settle_rows(&mut self, budget: &mut Budget) -> Result<(), Spent> {
        for row in 0..self.basis.len() {
            if self.basis[row].is_some() || self.value[row] > 0.0 {
                continue;
            }
            let line = &self.tableau[row * self.width..(row + 1) * self.width];
            let enter = (0..self.width)
                .filter(|at| line[*at].abs() > 1e-6 && !self.in_basis[*at])
                .max_by(|a, b| line[*a].abs().total_cmp(&line[*b].abs()).then(b.cmp(a)));
            if let Some(enter) = enter {
                self.value[row] = if self.full[enter] {
                    self.most[enter]
                } else {
                    0.0
                };
                self.full[enter] = false;
                self.in_basis[enter] = true;
                self.basis[row] = Some(enter);
                self.pivot(row, enter, budget)?;
            }
        }
        Ok(())
    }

    /// Rows that follow from others tell of nothing.
    fn drop_idle_rows(&mut self) {
        let width = self.width;
        let kept: Vec<usize> = (0..self.basis.len())
            .filter(|row| self.basis[*row].is_some())
            .collect();
        self.tableau = (kept.iter())
            .flat_map(|row| self.tableau[row * width..(row + 1) * width].iter().copied())
            .collect();
        self.value = kept.iter().map(|row| self.value[*row]).collect();
        self.stands_in = kept.iter().map(|row| self.stands_in[*row]).collect();
        self.basis = kept.iter().map(|row| self.basis[*row]).collect();
    }

    /// Down to where every way costs.
    fn descend(&mut self, budget: &mut Budget) -> Result<(), Spent> {
        let mut stalled = 0;
        while let Some(enter) = self.entering(stalled > STALLED) {
            budget.spend(self.basis.len() + self.width)?;
            let direction = if self.full[enter] { -1.0 } else { 1.0 };
            let (step, leave) = self.step(enter, direction);
            if step.is_infinite() {
                // Every worth is bounded, so this is an error of rounding: what was found is counted anyway.
                return Ok(());
            }
            stalled = if step > NOUGHT { 0 } else { stalled + 1 };
            for row in 0..self.basis.len() {
                self.value[row] -= self.tableau[row * self.width + enter] * direction * step;
            }
            let Some(leave) = leave else {
                self.full[enter] = !self.full[enter];
                continue;
            };
            if let Some(out) = self.basis[leave] {
                self.in_basis[out] = false;
                self.full[out] = self.tableau[leave * self.width + enter] * direction < 0.0;
            }
            self.value[leave] = if self.full[enter] {
                self.most[enter] - step
            } else {
                step
            };
            self.full[enter] = false;
            self.in_basis[enter] = true;
            self.basis[leave] = Some(enter);
            self.pivot(leave, enter, budget)?;
        }
        Ok(())
    }

    fn entering(&self, first: bool) -> Option<usize> {
        let mut useful = (0..self.width).filter(|at| {
            let gain = self.gain[*at];
            let useful = if self.full[*at] {
                gain > NOUGHT
            } else {
                gain < -NOUGHT
            };
            useful && !self.in_basis[*at] && self.most[*at] > 0.0
        });
        if first {
            useful.next()
        } else {
            useful.max_by(|a, b| self.gain[*a].abs().total_cmp(&self.gain[*b].abs()))
        }
    }

    /// How far an unknown can go, and the row that stops it, if it is not its own bound.
    fn step(&self, enter: usize, direction: f64) -> (f64, Option<usize>) {
        let mut step = self.most[enter];
        let mut leave: Option<usize> = None;
        let entry = |row: usize| self.tableau[row * self.width + enter];
        for row in 0..self.basis.len() {
            let slope = entry(row) * direction;
            let most = self.basis[row].map_or(self.stands_in[row], |at| self.most[at]);
            let room = if slope > NOUGHT {
                self.value[row] / slope
            } else if slope < -NOUGHT {
                (most - self.value[row]) / -slope
            } else {
                continue;
            };
            let room = room.max(0.0);
            let tied = room < step + NOUGHT;
            let firmer = leave.is_some_and(|other| entry(row).abs() > entry(other).abs());
            if room < step - NOUGHT || (tied && firmer) {
                step = room;
                leave = Some(row);
            }
        }
        (step, leave)
    }

    /// The unknown's column becomes nought everywhere but in its row.
    fn pivot(&mut self, leave: usize, enter: usize, budget: &mut Budget) -> Result<(), Spent> {
        let width = self.width;
        let by = self.tableau[leave * width + enter];
        let row: Vec<(usize, f64)> = self.tableau[leave * width..(leave + 1) * width]
            .iter_mut()
            .enumerate()
            .filter_map(|(at, entry)| {
                *entry /= by;
                (entry.abs() > NOUGHT * NOUGHT).then_some((at, *entry))
            })
            .collect();
        for (at, line) in self.tableau.chunks_mut(width).enumerate() {
            let factor = line[enter];
            if at != leave && factor != 0.0 {
                budget.spend(row.len())?;
                for (column, entry) in &row {
                    line[*column] -= factor * entry;
                }
                line[enter] = 0.0;
            }
        }
        let factor = self.gain[enter];
        for (column, entry) in &row {
            self.gain[*column] -= factor * entry;
        }
        self.gain[enter] = 0.0;
        Ok(())
    }
}
