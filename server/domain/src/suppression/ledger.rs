//! All tables that were released about one day's pupils, so that the next one does not uncover what an earlier one hides.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Cell, Picture, Refused, Released, Table, WIDTH,
    picture::{Asked, Group},
    school::{Mark, Marks, School},
    trial::{Caution, Trial},
};
use crate::budget::{Budget, Spent};

/// Work for one table: about a second where all of it is needed.
const STEPS: u64 = 300_000_000;

/// What has been told of one picture. The same tables in the same order give the same: it can be made anew from the picture and
/// the released tables by [`Ledger::resume`].
///
/// Readers talk to each other: there is one ledger a picture, not one a reader, save where the law keeps readers apart.
#[derive(Clone)]
pub struct Ledger {
    pub(super) picture: Picture,
    pub(super) marks: Marks,
    /// The real school first, then others that would have published the same.
    pub(super) schools: Vec<School>,
    /// What an earlier picture told.
    earlier: BTreeMap<Group, Cell>,
    steps: u64,
}

impl From<Spent> for Refused {
    fn from(_: Spent) -> Self {
        Self::TooFine
    }
}

impl Ledger {
    /// Nothing told yet.
    pub fn new(picture: Picture) -> Self {
        let truth = School {
            kinds: picture.kinds().to_vec(),
            levels: Vec::new(),
        };
        Self {
            picture,
            marks: Marks::new(),
            schools: vec![truth],
            earlier: BTreeMap::new(),
            steps: STEPS,
        }
    }

    /// As it was after these tables were released.
    ///
    /// Refuses [`Refused::OtherPupils`] where one of them is not of this picture.
    pub fn resume(picture: Picture, released: &[Released]) -> Result<Self, Refused> {
        let mut ledger = Self::new(picture);
        for table in released {
            for (group, cell) in ledger.told(table)? {
                let count = ledger.picture.count(&group);
                let agrees = cell.count().is_none_or(|shown| i64::from(shown) == count);
                let hidden = cell == Cell::Hidden;
                let mark = Mark { hidden, count };
                let known = ledger.marks.insert(group, mark);
                if !agrees || known.is_some_and(|known| known.hidden != hidden) {
                    return Err(Refused::OtherPupils);
                }
            }
        }
        Ok(ledger)
    }

    /// Keeps hidden what these tables of an earlier picture hid, while every number around it that they showed has moved by less
    /// than five: otherwise the first day at 5 would tell of a 4 the day before. Compared with yesterday's, a group that grows
    /// slowly stays hidden for long; with those of the half-term's first day it is told in the next half-term at the latest.
    ///
    /// Refuses [`Refused::NotInPicture`] where they are of other dimensions than this picture.
    pub fn after(mut self, released: &[Released]) -> Result<Self, Refused> {
        for table in released {
            let told = self.told(table)?;
            self.earlier.extend(told);
        }
        Ok(self)
    }

    /// How much work a table may take, in entries of a table of numbers. For tests, and for a machine that has little time.
    #[must_use]
    pub const fn within_steps(mut self, steps: u64) -> Self {
        self.steps = steps;
        self
    }

    /// Counts a table of the picture and releases it: see [`Picture::table`] and [`Ledger::admit`].
    pub fn ask(
        &mut self,
        rows: &str,
        columns: Option<&str>,
        within: &[(&str, &str)],
    ) -> Result<Released, Refused> {
        let table = self.picture.table(rows, columns, within)?;
        self.admit(&table)
    }

    /// Releases a table: what an earlier one told it tells again, what an earlier one hides it hides, and of the rest it hides
    /// as much as keeps every hidden number of all tables [`WIDTH`] wide. Nothing is kept of a table that is refused.
    ///
    /// Refuses [`Refused::Uncovers`] where hiding does not help, [`Refused::TooFine`] where the work does not end,
    /// [`Refused::OtherPupils`], [`Refused::NotInPicture`] and [`Refused::TwoMeasures`].
    pub fn admit(&mut self, table: &Table) -> Result<Released, Refused> {
        let grid = table.grid()?;
        let columns = table.columns.as_ref();
        let asked = Asked::of(&self.picture, &table.within, &table.rows, columns)?;
        let groups = asked.groups();
        let agrees = (groups.iter().zip(&grid.values))
            .all(|(group, count)| self.picture.count(group) == *count);
        if !agrees {
            return Err(Refused::OtherPupils);
        }
        let mut budget = Budget::of(self.steps);
        let mut last = Refused::Uncovers;
        for caution in [Caution::None, Caution::Cells, Caution::All] {
            let mut trial = Trial::new(self.clone(), grid.clone(), &groups, &mut budget);
            trial.begin(caution);
            match trial.settle() {
                Ok(()) => {
                    let released = table.released(&trial.grid);
                    *self = trial.ledger;
                    self.forget();
                    return Ok(released);
                }
                Err(Refused::TooFine) => return Err(Refused::TooFine),
                Err(refused) => last = refused,
            }
        }
        Err(last)
    }

    fn told(&self, table: &Released) -> Result<Vec<(Group, Cell)>, Refused> {
        let columns = table.columns.as_ref();
        let asked = Asked::of(&self.picture, &table.within, &table.rows, columns)?;
        let groups = asked.groups();
        let mut cells = Vec::with_capacity(groups.len());
        for (at, line) in table.cells.iter().enumerate() {
            cells.extend(line);
            cells.extend(table.row_totals.get(at));
        }
        cells.extend(&table.column_totals);
        cells.push(table.total);
        if cells.len() != groups.len() {
            return Err(Refused::NotInPicture);
        }
        Ok(groups.into_iter().zip(cells).collect())
    }

    /// Whether it stays hidden because it was, see [`Ledger::after`].
    pub(super) fn lingers(&self, group: &Group) -> bool {
        if self.earlier.get(group) != Some(&Cell::Hidden) {
            return false;
        }
        let around: Vec<i64> = parents(group)
            .filter_map(|(around, _)| {
                let was = self.earlier.get(&around)?.count()?;
                Some((self.picture.count(&around) - i64::from(was)).abs())
            })
            .collect();
        !around.is_empty() && around.iter().all(|moved| *moved < i64::from(WIDTH))
    }

    pub(super) fn hidden(&self, measure: Option<usize>) -> Vec<Group> {
        (self.marks.iter())
            .filter(|(group, mark)| mark.hidden && self.picture.measure(group) == measure)
            .map(|(group, _)| group.clone())
            .collect()
    }

    pub(super) fn measures(&self) -> BTreeSet<usize> {
        (self.marks.keys())
            .filter_map(|group| self.picture.measure(group))
            .collect()
    }

    /// The least and the most that a group's number is in all schools that would have published the same.
    pub(super) fn range(&self, group: &Group) -> (i64, i64) {
        let places = self.picture.places(group);
        let sum = |counts: &Vec<i64>| places.iter().map(|at| counts[*at]).sum::<i64>();
        let truth = self.picture.count(group);
        let (mut least, mut most) = (truth, truth);
        let measure = self.picture.measure(group);
        for school in &self.schools {
            let ways = match measure {
                None => std::slice::from_ref(&school.kinds),
                Some(measure) => school.levels.get(measure).map_or(&[][..], Vec::as_slice),
            };
            for count in ways.iter().map(sum) {
                least = least.min(count);
                most = most.max(count);
            }
        }
        (least, most)
    }

    pub(super) fn is_wide(&self, group: &Group) -> bool {
        let (least, most) = self.range(group);
        most - least >= i64::from(WIDTH)
    }

    /// Forgets ways of answering that show nothing which others do not show.
    fn forget(&mut self) {
        for measure in self.measures() {
            let places: Vec<Vec<usize>> = (self.hidden(Some(measure)).iter())
                .map(|group| self.picture.places(group))
                .collect();
            let mut kept = BTreeSet::new();
            for places in &places {
                let ways = (self.schools.iter().enumerate()).flat_map(|(school, of)| {
                    let ways = of.levels.get(measure).into_iter().flatten().enumerate();
                    ways.map(move |(way, counts)| {
                        let sum = places.iter().map(|at| counts[*at]).sum::<i64>();
                        (sum, school, way)
                    })
                });
                let ways: Vec<_> = ways.collect();
                kept.extend(ways.iter().min().map(|(_, school, way)| (*school, *way)));
                let most = ways.iter().max_by_key(|(sum, ..)| *sum);
                kept.extend(most.map(|(_, school, way)| (*school, *way)));
            }
            for (school, of) in self.schools.iter_mut().enumerate() {
                if let Some(ways) = of.levels.get_mut(measure) {
                    let mut way = 0;
                    ways.retain(|_| {
                        way += 1;
                        way == 1 || kept.contains(&(school, way - 1))
                    });
                }
            }
        }
    }
}

/// The groups that a group is part of, each with the dimension by which it is told apart there.
pub(super) fn parents(group: &Group) -> impl Iterator<Item = (Group, usize)> + '_ {
    group.iter().enumerate().map(|(at, (dimension, _))| {
        let mut around = group.clone();
        around.remove(at);
        (around, *dimension)
    })
}
