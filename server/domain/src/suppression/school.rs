//! Other schools, as like the real one as all released tables can tell: while there is one in which a hidden number differs, no
//! arithmetic finds it out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    picture::{Group, Picture},
    simplex::Program,
};
use crate::budget::{Budget, Spent};

/// What the target is worth for each pupil: more than all that would have to be hidden for it.
const WORTH: f64 = 1e5;
/// What each pupil costs that is another: little, so that as few as can be are others.
const MOVED: f64 = 0.01;

/// Pupils of each kind, and measure by measure one or more ways in which they may have answered: kind by kind, value by value.
/// Answers to different measures are never told together, so any way of one goes with any way of another.
#[derive(Clone)]
pub(super) struct School {
    pub kinds: Vec<i64>,
    pub levels: Vec<Vec<Vec<i64>>>,
}

/// Whether a group's number is hidden, and what it is.
#[derive(Clone)]
pub(super) struct Mark {
    pub hidden: bool,
    pub count: i64,
}

/// Every group that was asked for.
pub(super) type Marks = BTreeMap<Group, Mark>;

/// A number that should differ by so many pupils.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub group: &'a Group,
    pub by: u32,
    pub up: bool,
}

/// Looks for other schools.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub picture: &'a Picture,
    pub marks: &'a Marks,
    /// Shown numbers that may still be hidden.
    pub fresh: &'a BTreeSet<Group>,
    /// Another one, another path.
    pub seed: usize,
}

/// Counts of another school, and what must be hidden for it to publish the same.
pub(super) type Found = (Vec<i64>, Vec<Group>);

impl Search<'_> {
    /// Pupils of other kinds.
    pub fn kinds(&self, target: Target, budget: &mut Budget) -> Result<Option<Found>, Spent> {
        let base = self.picture.kinds();
        self.seek(None, base, None, Some(target), budget)
    }

    /// Other answers to a measure of pupils of these kinds.
    pub fn levels(
        &self,
        measure: usize,
        kinds: &[i64],
        target: Option<Target>,
        budget: &mut Budget,
    ) -> Result<Option<Found>, Spent> {
        let base = self.picture.of_measure(measure);
        self.seek(Some(measure), base, Some(kinds), target, budget)
    }

    fn seek(
        &self,
        measure: Option<usize>,
        base: &[i64],
        kinds: Option<&[i64]>,
        target: Option<Target>,
        budget: &mut Budget,
    ) -> Result<Option<Found>, Spent> {
        let each = measure.map_or(1, |measure| self.picture.levels(measure));
        let mut program = Program::default();
        let (mut more, mut less) = (vec![None; base.len()], vec![None; base.len()]);
        for (at, count) in base.iter().enumerate() {
            let cost = MOVED * (1.0 + f64::from(scatter(at, self.seed)) / 16.0);
            if kinds.is_none_or(|kinds| kinds[at / each] > 0) {
                more[at] = Some(program.unknown(cost, f64::INFINITY));
            }
            if *count > 0 {
                less[at] = Some(program.unknown(cost, number(*count)));
            }
        }
        let moved = |places: &mut dyn Iterator<Item = usize>| {
            let mut terms = Vec::new();
            for at in places {
                terms.extend(more[at].map(|unknown| (unknown, 1.0)));
                terms.extend(less[at].map(|unknown| (unknown, -1.0)));
            }
            terms
        };
        for (kind, (now, was)) in (kinds.unwrap_or(&[]).iter())
            .zip(self.picture.kinds())
            .enumerate()
        {
            let terms = moved(&mut (kind * each..(kind + 1) * each));
            if !terms.is_empty() {
                program.row(terms, number(now - was));
            }
        }
        let told: Vec<(&Group, i64)> = (self.marks.iter())
            .filter(|(group, mark)| !mark.hidden && self.picture.measure(group) == measure)
            .map(|(group, mark)| (group, mark.count))
            .collect();
        for (group, count) in &told {
            let mut terms = moved(&mut self.picture.places(group).into_iter());
            if self.fresh.contains(*group) {
                let cost = 1.0 + number(*count);
                terms.push((program.unknown(cost, f64::INFINITY), 1.0));
                terms.push((program.unknown(cost, f64::INFINITY), -1.0));
            }
            program.row(terms, 0.0);
        }
        if let Some(target) = target {
            let mut terms = moved(&mut self.picture.places(target.group).into_iter());
            let sign = if target.up { -1.0 } else { 1.0 };
            terms.push((program.unknown(-WORTH, f64::from(target.by)), sign));
            program.row(terms, 0.0);
        }
        let Some(solution) = program.solve(budget)? else {
            return Ok(None);
        };
        let of = |unknown: Option<usize>| unknown.map_or(0, |unknown| whole(solution[unknown]));
        let counts: Vec<i64> = (base.iter().zip(more.iter().zip(&less)))
            .map(|(count, (more, less))| count + of(*more) - of(*less))
            .collect();
        Ok(self.checked(counts, each, kinds, &told))
    }

    /// Counts it: no kind below nought, as many of each kind as there should be, and every number that was told before the same.
    fn checked(
        &self,
        counts: Vec<i64>,
        each: usize,
        kinds: Option<&[i64]>,
        told: &[(&Group, i64)],
    ) -> Option<Found> {
        let of_kinds = kinds.is_none_or(|kinds| {
            (counts.chunks(each).zip(kinds))
                .all(|(levels, kind)| levels.iter().sum::<i64>() == *kind)
        });
        let differ: Vec<Group> = (told.iter())
            .filter(|(group, count)| self.picture.sum(group, &counts) != *count)
            .map(|(group, _)| (*group).clone())
            .collect();
        let whole = of_kinds
            && counts.iter().all(|count| *count >= 0)
            && differ.iter().all(|group| self.fresh.contains(group));
        whole.then_some((counts, differ))
    }
}

/// 0 to 15, without a pattern.
fn scatter(at: usize, seed: usize) -> u8 {
    let mixed = (at + 1)
        .wrapping_mul(40_503)
        .wrapping_add(seed.wrapping_mul(30_011))
        >> 4;
    u8::try_from(mixed % 16).unwrap_or(0)
}

/// No school has so many pupils that this would not be exact.
fn number(count: i64) -> f64 {
    i32::try_from(count).map_or(f64::NAN, f64::from)
}

/// The nearest whole number of what is not below nought; what is beyond a million stays there and fails where it is counted.
fn whole(number: f64) -> i64 {
    let mut whole = 0_u32;
    for bit in (0..20).rev() {
        let next = whole | 1 << bit;
        if f64::from(next) <= number + 0.5 {
            whole = next;
        }
    }
    i64::from(whole)
}
