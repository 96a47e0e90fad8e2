//! Somebody who has every released table and a computer, and nothing else. Shares no code with what hides: it reads labels and
//! numbers, and knows only that pupils are whole and none is counted less than nought times.

use std::collections::BTreeMap;

use crate::suppression::{Cell, Dimension, Released};

/// A count that stands, or is hidden, in a table: values by the names of their dimensions.
pub type Group = BTreeMap<String, String>;

/// Unknown numbers of pupils: a kind's, and a kind's at each value of each measure.
pub struct Attacker {
    atoms: Vec<Group>,
    /// Sums that are known: of kinds nothing but that their answers to each measure come to the same.
    equations: Vec<(Vec<i64>, i64)>,
    /// What is hidden, and which unknowns it is the sum of.
    pub hidden: Vec<(Group, Vec<i64>)>,
}

impl Attacker {
    pub fn new(contexts: &[Dimension], measures: &[Dimension], tables: &[Released]) -> Self {
        let mut kinds = vec![Group::new()];
        for context in contexts {
            kinds = split(&kinds, context);
        }
        // An unknown for each kind and value of each measure; the first measure's stand for the kinds themselves.
        let atoms: Vec<Group> = (measures.iter())
            .flat_map(|measure| split(&kinds, measure))
            .collect();
        let mut attacker = Self {
            atoms,
            equations: Vec::new(),
            hidden: Vec::new(),
        };
        for measure in &measures[1..] {
            for kind in &kinds {
                let of = |name: &str, sign: i64| -> Vec<i64> {
                    (attacker.atoms.iter())
                        .map(|atom| {
                            let in_kind = kind.iter().all(|(d, v)| atom.get(d) == Some(v));
                            i64::from(in_kind && atom.contains_key(name)) * sign
                        })
                        .collect()
                };
                let one = of(&measures[0].name, 1);
                let other = of(&measure.name, -1);
                let sum = one.iter().zip(&other).map(|(a, b)| a + b).collect();
                attacker.equations.push((sum, 0));
            }
        }
        let mut shown: BTreeMap<Group, u32> = BTreeMap::new();
        let mut hidden: Vec<Group> = Vec::new();
        for (group, cell) in tables.iter().flat_map(read) {
            match cell {
                Cell::Shown(count) => assert_eq!(*shown.entry(group).or_insert(count), count),
                Cell::Hidden => hidden.push(group),
            }
        }
        hidden.sort();
        hidden.dedup();
        for (group, count) in shown {
            let sum = attacker.sum(&group, measures);
            attacker.equations.push((sum, i64::from(count)));
        }
        attacker.hidden = (hidden.into_iter())
            .map(|group| {
                let sum = attacker.sum(&group, measures);
                (group, sum)
            })
            .collect();
        attacker
    }

    fn sum(&self, group: &Group, measures: &[Dimension]) -> Vec<i64> {
        let measure = measures
            .iter()
            .find(|measure| group.contains_key(&measure.name));
        let name = &measure.unwrap_or(&measures[0]).name;
        (self.atoms.iter())
            .map(|atom| {
                let within = group.iter().all(|(d, v)| atom.get(d) == Some(v));
                i64::from(within && atom.contains_key(name))
            })
            .collect()
    }

    /// Hidden numbers that follow from the shown ones by adding and subtracting: those whose sum is made of known sums. Counted
    /// modulo a prime, which takes a sum for known that is not once in a billion billion times, and never the other way.
    pub fn computed(&self) -> Vec<Group> {
        let mut basis: Vec<(usize, Vec<u64>)> = Vec::new();
        for (sum, _) in &self.equations {
            let mut row: Vec<u64> = sum.iter().map(|factor| residue(*factor)).collect();
            reduce(&mut row, &basis);
            if let Some(first) = row.iter().position(|factor| *factor != 0) {
                let by = power(row[first], PRIME - 2);
                for factor in &mut row {
                    *factor = times(*factor, by);
                }
                basis.push((first, row));
            }
        }
        (self.hidden.iter())
            .filter(|(_, sum)| {
                let mut row: Vec<u64> = sum.iter().map(|factor| residue(*factor)).collect();
                reduce(&mut row, &basis);
                row.iter().all(|factor| *factor == 0)
            })
            .map(|(group, _)| group.clone())
            .collect()
    }

    /// Hidden numbers that adding, subtracting and "not less than nought" leave less than five wide.
    pub fn narrowed(&self) -> Vec<Group> {
        let Some(tableau) = Tableau::feasible(&self.equations, self.atoms.len()) else {
            panic!("no school would have published this");
        };
        (self.hidden.iter())
            .filter(|(_, sum)| {
                let most = tableau.clone().most(sum, 1.0);
                let least = -tableau.clone().most(sum, -1.0);
                most - least < 5.0 - 1e-6
            })
            .map(|(group, _)| group.clone())
            .collect()
    }

    /// Hidden numbers that are less than five wide in the list of every school that would have published the same, or where the
    /// list is longer than `most` nothing.
    pub fn listed(&self, most: usize) -> Option<Vec<Group>> {
        let mut ranges = vec![(i64::MAX, i64::MIN); self.hidden.len()];
        let mut pupils = vec![0; self.atoms.len()];
        let mut left = most;
        let known: Vec<i64> = self.equations.iter().map(|(_, sum)| *sum).collect();
        self.list(&mut pupils, 0, &known, &mut ranges, &mut left)?;
        Some(
            (self.hidden.iter().zip(&ranges))
                .filter(|(_, (least, most))| most - least < 5)
                .map(|((group, _), _)| group.clone())
                .collect(),
        )
    }

    fn list(
        &self,
        pupils: &mut Vec<i64>,
        at: usize,
        known: &[i64],
        ranges: &mut [(i64, i64)],
        left: &mut usize,
    ) -> Option<()> {
        *left = left.checked_sub(1)?;
        if at == pupils.len() {
            if known.iter().all(|sum| *sum == 0) {
                for ((_, sum), range) in self.hidden.iter().zip(ranges) {
                    let count: i64 = sum.iter().zip(&*pupils).map(|(a, b)| a * b).sum();
                    *range = (range.0.min(count), range.1.max(count));
                }
            }
            return Some(());
        }
        let open = |row: usize, from: usize| self.equations[row].0[from..].iter().any(|a| *a != 0);
        let rows: Vec<usize> = (0..known.len())
            .filter(|row| self.equations[*row].0[at] == 1)
            .collect();
        let most = rows.iter().map(|row| known[*row]).min()?;
        for count in 0..=most {
            let mut known = known.to_vec();
            for row in &rows {
                known[*row] -= count;
            }
            if rows
                .iter()
                .all(|row| known[*row] == 0 || open(*row, at + 1))
            {
                pupils[at] = count;
                self.list(pupils, at + 1, &known, ranges, left)?;
            }
        }
        pupils[at] = 0;
        Some(())
    }
}

fn split(groups: &[Group], dimension: &Dimension) -> Vec<Group> {
    (groups.iter())
        .flat_map(|group| {
            (dimension.values.iter()).map(|value| {
                let mut group = group.clone();
                group.insert(dimension.name.clone(), value.clone());
                group
            })
        })
        .collect()
}

/// Every count of a table, read from it as a person would.
pub fn read(table: &Released) -> Vec<(Group, Cell)> {
    let within: Group = table.within.iter().cloned().collect();
    let with = |row: Option<usize>, column: Option<usize>| {
        let mut group = within.clone();
        if let Some(row) = row {
            group.insert(table.rows.name.clone(), table.rows.values[row].clone());
        }
        if let (Some(column), Some(columns)) = (column, &table.columns) {
            group.insert(columns.name.clone(), columns.values[column].clone());
        }
        group
    };
    let mut all = vec![(with(None, None), table.total)];
    for (row, cells) in table.cells.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            all.push((with(Some(row), Some(column)), *cell));
        }
    }
    for (row, cell) in table.row_totals.iter().enumerate() {
        all.push((with(Some(row), None), *cell));
    }
    for (column, cell) in table.column_totals.iter().enumerate() {
        all.push((with(None, Some(column)), *cell));
    }
    all
}

const PRIME: u64 = (1 << 61) - 1;

fn residue(number: i64) -> u64 {
    u64::try_from(i128::from(number).rem_euclid(i128::from(PRIME))).unwrap()
}

fn times(a: u64, b: u64) -> u64 {
    u64::try_from(u128::from(a) * u128::from(b) % u128::from(PRIME)).unwrap()
}

fn power(base: u64, exponent: u64) -> u64 {
    (0..61).rev().fold(1, |sum, bit| {
        let square = times(sum, sum);
        if exponent >> bit & 1 == 1 {
            times(square, base)
        } else {
            square
        }
    })
}

fn reduce(row: &mut [u64], basis: &[(usize, Vec<u64>)]) {
    for (first, other) in basis {
        let factor = row[*first];
        if factor != 0 {
            for (a, b) in row.iter_mut().zip(other).filter(|(_, b)| **b != 0) {
                *a = (*a + PRIME - times(factor, *b)) % PRIME;
            }
        }
    }
}

/// The textbook's tableau: each row an equation, the last column what it comes to.
#[derive(Clone)]
struct Tableau {
    rows: Vec<Vec<f64>>,
    basis: Vec<usize>,
    unknowns: usize,
}

impl Tableau {
    fn feasible(equations: &[(Vec<i64>, i64)], unknowns: usize) -> Option<Self> {
        let all = unknowns + equations.len();
        let float = |number: i64| f64::from(i32::try_from(number).unwrap());
        let mut rows = Vec::new();
        for (at, (sum, known)) in equations.iter().enumerate() {
            let mut row = vec![0.0; all + 1];
            for (a, b) in row.iter_mut().zip(sum) {
                *a = float(*b);
            }
            row[unknowns + at] = 1.0;
            row[all] = float(*known);
            rows.push(row);
        }
        let mut tableau = Self {
            rows,
            basis: (unknowns..all).collect(),
            unknowns: all,
        };
        let slack: Vec<f64> = (0..all)
            .map(|at| if at < unknowns { 0.0 } else { -1.0 })
            .collect();
        if tableau.climb(&slack) < -1e-6 {
            return None;
        }
        for at in 0..tableau.rows.len() {
            let enter = (0..unknowns).find(|column| tableau.rows[at][*column].abs() > 1e-7);
            if tableau.basis[at] >= unknowns
                && let Some(enter) = enter
            {
                tableau.pivot(at, enter);
            }
        }
        let keep: Vec<bool> = tableau.basis.iter().map(|at| *at < unknowns).collect();
        let mut kept = keep.iter();
        tableau.rows.retain(|_| *kept.next().unwrap());
        tableau.basis.retain(|at| *at < unknowns);
        for row in &mut tableau.rows {
            let known = row[all];
            row.truncate(unknowns);
            row.push(known);
        }
        tableau.unknowns = unknowns;
        Some(tableau)
    }

    fn most(&mut self, sum: &[i64], sign: f64) -> f64 {
        let worth: Vec<f64> = (sum.iter())
            .map(|factor| sign * f64::from(i32::try_from(*factor).unwrap()))
            .collect();
        self.climb(&worth)
    }

    fn climb(&mut self, worth: &[f64]) -> f64 {
        let mut gain = worth.to_vec();
        let mut sum = 0.0;
        for (row, at) in self.rows.iter().zip(&self.basis) {
            let by = worth[*at];
            if by != 0.0 {
                for (gain, factor) in gain.iter_mut().zip(row) {
                    *gain -= by * factor;
                }
                sum += by * row[self.unknowns];
            }
        }
        loop {
            let Some(enter) = gain.iter().position(|gain| *gain > 1e-7) else {
                return sum;
            };
            let leave = (0..self.rows.len())
                .filter(|row| self.rows[*row][enter] > 1e-7)
                .min_by(|a, b| {
                    let ratio = |row: usize| self.rows[row][self.unknowns] / self.rows[row][enter];
                    (ratio(*a).total_cmp(&ratio(*b))).then(self.basis[*a].cmp(&self.basis[*b]))
                });
            let Some(leave) = leave else {
                return f64::INFINITY;
            };
            self.pivot(leave, enter);
            let by = gain[enter];
            for (gain, factor) in gain.iter_mut().zip(&self.rows[leave]) {
                *gain -= by * factor;
            }
            sum += by * self.rows[leave][self.unknowns];
        }
    }

    fn pivot(&mut self, leave: usize, enter: usize) {
        let by = self.rows[leave][enter];
        for factor in &mut self.rows[leave] {
            *factor /= by;
        }
        let row = self.rows[leave].clone();
        for (at, other) in self.rows.iter_mut().enumerate() {
            let by = other[enter];
            if at != leave && by != 0.0 {
                for (a, b) in other.iter_mut().zip(&row) {
                    *a -= by * b;
                }
            }
        }
        self.basis[leave] = enter;
    }
}
