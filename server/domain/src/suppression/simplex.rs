//! Linear programs with bounded unknowns, in floating point. Nothing here is believed: what it finds is rounded to whole pupils
//! and counted before it is used.
//!
//! Own code, for the libraries that were looked at bring matrices and a clock along, cannot start from the school as it is, and
//! cannot be stopped after a number of steps that is the same everywhere.

use crate::budget::{Budget, Spent};

/// Smaller numbers are taken for nought.
const NOUGHT: f64 = 1e-7;
/// So many steps in a row without gain, and unknowns are taken in their order, which keeps from going round in circles (Bland
/// 1977). Where it does so all the same, the budget ends it.
const STALLED: usize = 40;
/// What a row that does not hold costs for each unit.
const BROKEN: f64 = 1e7;

/// An unknown from 0 to `most`.
pub(super) struct Unknown {
    pub cost: f64,
    pub most: f64,
}

/// Least cost such that every row's sum is what it must be.
#[derive(Default)]
pub(super) struct Program {
    pub unknowns: Vec<Unknown>,
    rows: Vec<(Vec<(usize, f64)>, f64)>,
}

impl Program {
    /// One more unknown.
    pub fn unknown(&mut self, cost: f64, most: f64) -> usize {
        self.unknowns.push(Unknown { cost, most });
        self.unknowns.len() - 1
    }

    /// One more row.
    pub fn row(&mut self, terms: Vec<(usize, f64)>, sum: f64) {
        self.rows.push((terms, sum));
    }

    /// The unknowns at a least cost, or none where the rows contradict each other.
    pub fn solve(&self, budget: &mut Budget) -> Result<Option<Vec<f64>>, Spent> {
        let (height, width) = (self.rows.len(), self.unknowns.len());
        budget.spend(height * width)?;
        let mut tableau = vec![0.0; height * width];
        let mut gain: Vec<f64> = self.unknowns.iter().map(|unknown| unknown.cost).collect();
        let mut basis: Vec<Option<usize>> = vec![None; height];
        let mut value: Vec<f64> = Vec::with_capacity(height);
        for ((terms, sum), line) in self.rows.iter().zip(tableau.chunks_mut(width.max(1))) {
            let sign = if *sum < 0.0 { -1.0 } else { 1.0 };
            value.push(sum * sign);
            for (at, factor) in terms {
                line[*at] += factor * sign;
                gain[*at] -= BROKEN * factor * sign;
            }
        }
        // What stands in for a row that does not hold yet, and must stay at nothing where it holds.
        let missing: Vec<f64> = (value.iter())
            .map(|missing| if *missing > 0.0 { f64::INFINITY } else { 0.0 })
            .collect();
        let most = |basis: Option<usize>, row: usize| {
            basis.map_or(missing[row], |at| self.unknowns[at].most)
        };
        let mut full = vec![false; width];
        let mut in_basis = vec![false; width];
        let mut stalled = 0;
        loop {
            let enters = |at: &usize| {
                let at = *at;
                let useful = if full[at] {
                    gain[at] > NOUGHT
                } else {
                    gain[at] < -NOUGHT
                };
                useful && !in_basis[at] && self.unknowns[at].most > 0.0
            };
            let enter = if stalled > STALLED {
                (0..width).find(enters)
            } else {
                (0..width)
                    .filter(enters)
                    .max_by(|a, b| gain[*a].abs().total_cmp(&gain[*b].abs()))
            };
            let Some(enter) = enter else {
                break;
            };
            budget.spend(height + width)?;
            let direction = if full[enter] { -1.0 } else { 1.0 };
            let mut step = self.unknowns[enter].most;
            let mut leave: Option<usize> = None;
            for row in 0..height {
                let slope = tableau[row * width + enter] * direction;
                let room = if slope > NOUGHT {
                    value[row] / slope
                } else if slope < -NOUGHT {
                    (most(basis[row], row) - value[row]) / -slope
                } else {
                    continue;
                };
                let room = room.max(0.0);
                let better = room < step - NOUGHT
                    || (room < step + NOUGHT
                        && leave.is_some_and(|other| {
                            tableau[row * width + enter].abs()
                                > tableau[other * width + enter].abs()
                        }));
                if better {
                    step = room;
                    leave = Some(row);
                }
            }
            if step.is_infinite() {
                return Ok(None);
            }
            stalled = if step > NOUGHT { 0 } else { stalled + 1 };
            for row in 0..height {
                value[row] -= tableau[row * width + enter] * direction * step;
            }
            let Some(leave) = leave else {
                full[enter] = !full[enter];
                continue;
            };
            if let Some(out) = basis[leave] {
                in_basis[out] = false;
                full[out] = tableau[leave * width + enter] * direction < 0.0;
            }
            value[leave] = if full[enter] {
                self.unknowns[enter].most - step
            } else {
                step
            };
            full[enter] = false;
            in_basis[enter] = true;
            basis[leave] = Some(enter);
            pivot(&mut tableau, &mut gain, width, leave, enter, budget)?;
        }
        let held = (0..height).all(|row| basis[row].is_some() || value[row] < 1e-4);
        let mut found: Vec<f64> = (full.iter().zip(&self.unknowns))
            .map(|(full, unknown)| if *full { unknown.most } else { 0.0 })
            .collect();
        for (at, value) in basis.iter().zip(&value) {
            if let Some(at) = at {
                found[*at] = *value;
            }
        }
        Ok(held.then_some(found))
    }
}

/// The unknown's column becomes nought everywhere but in its row.
fn pivot(
    tableau: &mut [f64],
    gain: &mut [f64],
    width: usize,
    leave: usize,
    enter: usize,
    budget: &mut Budget,
) -> Result<(), Spent> {
    let by = tableau[leave * width + enter];
    let row: Vec<(usize, f64)> = tableau[leave * width..(leave + 1) * width]
        .iter_mut()
        .enumerate()
        .filter_map(|(at, entry)| {
            *entry /= by;
            (entry.abs() > NOUGHT * NOUGHT).then_some((at, *entry))
        })
        .collect();
    for (at, line) in tableau.chunks_mut(width).enumerate() {
        let factor = line[enter];
        if at != leave && factor != 0.0 {
            budget.spend(row.len())?;
            for (column, entry) in &row {
                line[*column] -= factor * entry;
            }
            line[enter] = 0.0;
        }
    }
    let factor = gain[enter];
    for (column, entry) in &row {
        gain[*column] -= factor * entry;
    }
    gain[enter] = 0.0;
    Ok(())
}
