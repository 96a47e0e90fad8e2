//! Other schools, as like the real one as all released tables can tell: while there is one in which a hidden number differs, no
//! arithmetic finds it out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    picture::{Group, Picture},
    simplex::{Goal, Program, Standing},
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
pub(super) struct Target {
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
}

/// Counts of another school, and what must be hidden for it to publish the same.
pub(super) type Found = (Vec<i64>, Vec<Group>);

impl Search<'_> {
    /// Where to look for pupils of other kinds.
    pub fn kinds(&self, budget: &mut Budget) -> Result<Option<Ground>, Spent> {
        self.ground(None, self.picture.kinds(), None, budget)
    }

    /// Where to look for other answers to a measure, of pupils of these kinds.
    pub fn levels(
        &self,
        measure: usize,
        kinds: &[i64],
        budget: &mut Budget,
    ) -> Result<Option<Ground>, Spent> {
        let base = self.picture.of_measure(measure);
        self.ground(Some(measure), base, Some(kinds), budget)
    }

    fn ground(
        &self,
        measure: Option<usize>,
        base: &[i64],
        kinds: Option<&[i64]>,
        budget: &mut Budget,
    ) -> Result<Option<Ground>, Spent> {
        let each = measure.map_or(1, |measure| self.picture.levels(measure));
        let mut program = Program::default();
        let (mut more, mut less) = (vec![None; base.len()], vec![None; base.len()]);
        for (at, count) in base.iter().enumerate() {
            if kinds.is_none_or(|kinds| kinds[at / each] > 0) {
                more[at] = Some(program.unknown(f64::INFINITY));
            }
            if *count > 0 {
                less[at] = Some(program.unknown(number(*count)));
            }
        }
        for (kind, (now, was)) in (kinds.unwrap_or(&[]).iter())
            .zip(self.picture.kinds())
            .enumerate()
        {
            let terms = moved(&more, &less, kind * each..(kind + 1) * each);
            if !terms.is_empty() {
                program.row(terms, number(now - was));
            }
        }
        let mut told = Vec::new();
        let mut prices = Vec::new();
        for (group, mark) in self.marks {
            if mark.hidden || self.picture.measure(group) != measure {
                continue;
            }
            let places = self.picture.places(group);
            let mut terms = moved(&more, &less, places.iter().copied());
            let fresh = self.fresh.contains(group);
            if fresh {
                let price = 1.0 + number(mark.count);
                for sign in [1.0, -1.0] {
                    let unknown = program.unknown(f64::INFINITY);
                    terms.push((unknown, sign));
                    prices.push((unknown, price));
                }
            }
            program.row(terms, 0.0);
            told.push(Told {
                group: group.clone(),
                places,
                count: mark.count,
                fresh,
            });
        }
        Ok(program.stand(budget)?.map(|standing| Ground {
            standing,
            base: base.to_vec(),
            kinds: kinds.map(<[i64]>::to_vec),
            each,
            more,
            less,
            told,
            prices,
        }))
    }
}

/// A number that the tables tell.
struct Told {
    group: Group,
    places: Vec<usize>,
    count: i64,
    /// It may still be hidden.
    fresh: bool,
}

/// Where other schools are looked for: the same for every hidden number, while nothing more is hidden.
pub(super) struct Ground {
    standing: Standing,
    base: Vec<i64>,
    kinds: Option<Vec<i64>>,
    each: usize,
    more: Vec<Option<usize>>,
    less: Vec<Option<usize>>,
    told: Vec<Told>,
    /// What it costs to hide what may be hidden, for each pupil by which it differs.
    prices: Vec<(usize, f64)>,
}

impl Ground {
    /// Another school, as near to the real one as the target lets it be. Another seed, another path.
    pub fn seek(
        &self,
        target: Option<(&[usize], Target)>,
        seed: usize,
        budget: &mut Budget,
    ) -> Result<Option<Found>, Spent> {
        let mut costs = Vec::new();
        for (at, (more, less)) in self.more.iter().zip(&self.less).enumerate() {
            let cost = MOVED * (1.0 + f64::from(scatter(at, seed)) / 16.0);
            costs.extend([more, less].into_iter().flatten().map(|_| cost));
        }
        costs.extend(self.prices.iter().map(|(_, price)| *price));
        let target = target.map(|(places, target)| {
            let sign = if target.up { 1.0 } else { -1.0 };
            let terms: Vec<(usize, f64)> = (moved(&self.more, &self.less, places.iter().copied())
                .into_iter())
            .map(|(unknown, factor)| (unknown, factor * sign))
            .collect();
            Goal {
                terms,
                by: f64::from(target.by),
                worth: WORTH,
            }
        });
        let standing = self.standing.clone();
        let numbers = standing.reach(&costs, target.as_ref(), budget)?;
        let of = |unknown: Option<usize>| unknown.map_or(0, |unknown| whole(numbers[unknown]));
        let counts: Vec<i64> = (self.base.iter().zip(self.more.iter().zip(&self.less)))
            .map(|(count, (more, less))| count + of(*more) - of(*less))
            .collect();
        Ok(self.checked(counts))
    }

    /// Counts it: no kind below nought, as many of each kind as there should be, and every number that was told before the same.
    fn checked(&self, counts: Vec<i64>) -> Option<Found> {
        let of_kinds = self.kinds.as_ref().is_none_or(|kinds| {
            (counts.chunks(self.each).zip(kinds))
                .all(|(levels, kind)| levels.iter().sum::<i64>() == *kind)
        });
        let differ: Vec<&Told> = (self.told.iter())
            .filter(|told| told.places.iter().map(|at| counts[*at]).sum::<i64>() != told.count)
            .collect();
        let agrees = of_kinds
            && counts.iter().all(|count| *count >= 0)
            && differ.iter().all(|told| told.fresh);
        agrees.then(|| {
            let differ = differ.into_iter().map(|told| told.group.clone());
            (counts, differ.collect())
        })
    }
}

/// The sum by which the pupils of these places are more than they were.
fn moved(
    more: &[Option<usize>],
    less: &[Option<usize>],
    places: impl Iterator<Item = usize>,
) -> Vec<(usize, f64)> {
    let mut terms = Vec::new();
    for at in places {
        terms.extend(more[at].map(|unknown| (unknown, 1.0)));
        terms.extend(less[at].map(|unknown| (unknown, -1.0)));
    }
    terms
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
