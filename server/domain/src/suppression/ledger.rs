//! All tables that were released about one day's pupils, so that the next one does not uncover what an earlier one hides.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

use super::{
    Cell, Picture, Refused, Released, SMALL, Table, WIDTH,
    grid::Grid,
    picture::{Asked, Group},
    school::{Ground, Mark, Marks, School, Search, Target},
};
use crate::budget::{Budget, Spent};

/// Work for one table: about a second.
const STEPS: u64 = 600_000_000;
/// Paths that are tried before a number is given up.
const SEEDS: usize = 2;
/// So many of [`Trial::ground`] are kept.
const GROUNDS: usize = 12;

/// What has been told of one picture. The same tables in the same order give the same: it can be made anew from the picture and
/// the released tables by [`Ledger::resume`].
///
/// Readers talk to each other: there is one ledger a picture, not one a reader, save where the law keeps readers apart.
#[derive(Clone)]
pub struct Ledger {
    picture: Picture,
    marks: Marks,
    /// The real school first, then others that would have published the same.
    schools: Vec<School>,
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
            let mut trial = Trial {
                ledger: self.clone(),
                fresh: BTreeSet::new(),
                grid: grid.clone(),
                groups: &groups,
                budget: &mut budget,
                hides: 0,
                grounds: VecDeque::new(),
            };
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
    fn lingers(&self, group: &Group) -> bool {
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

    fn hidden(&self, measure: Option<usize>) -> Vec<Group> {
        (self.marks.iter())
            .filter(|(group, mark)| mark.hidden && self.picture.measure(group) == measure)
            .map(|(group, _)| group.clone())
            .collect()
    }

    fn measures(&self) -> BTreeSet<usize> {
        (self.marks.keys())
            .filter_map(|group| self.picture.measure(group))
            .collect()
    }

    /// The least and the most that a group's number is in all schools that would have published the same.
    fn range(&self, group: &Group) -> (i64, i64) {
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

    fn is_wide(&self, group: &Group) -> bool {
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

/// How much of a new table is hidden before anything is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caution {
    /// What is small.
    None,
    /// All but its totals.
    Cells,
    /// All that is not told already.
    All,
}

/// A new table on its way into the ledger.
struct Trial<'a> {
    ledger: Ledger,
    /// Shown by the new table and not told before.
    fresh: BTreeSet<Group>,
    grid: Grid,
    groups: &'a [Group],
    budget: &'a mut Budget,
    /// How many numbers were hidden on the way.
    hides: usize,
    /// See [`Trial::ground`]: of what, of which school, how many numbers could still be hidden then, and how many had been.
    grounds: VecDeque<(Key, Option<Rc<Ground>>)>,
}

type Key = (Option<usize>, usize, usize, usize);

impl Trial<'_> {
    /// What is known stays as it is; what is small, or was hidden before, is hidden.
    fn begin(&mut self, caution: Caution) {
        let (height, width) = (self.grid.height, self.grid.width);
        for (at, group) in self.groups.iter().enumerate() {
            match self.ledger.marks.get(group) {
                Some(mark) => {
                    self.grid.hidden[at] = mark.hidden;
                    self.grid.told[at] = !mark.hidden;
                }
                None => {
                    let total = at % width + 1 == width || (height > 1 && at / width + 1 == height);
                    self.grid.hidden[at] = self.ledger.lingers(group)
                        || caution == Caution::All
                        || (caution == Caution::Cells && !total);
                    self.fresh.insert(group.clone());
                }
            }
        }
        self.grid.hide_small();
        for (group, count) in self.groups.iter().zip(&self.grid.values) {
            let mark = Mark {
                hidden: false,
                count: *count,
            };
            self.ledger.marks.entry(group.clone()).or_insert(mark);
        }
    }

    /// Hides until every hidden number is wide. Ends, for each round but the last hides something.
    fn settle(&mut self) -> Result<(), Refused> {
        self.hide_by_table()?;
        self.drop_disproved();
        loop {
            let before = self.fresh.len();
            self.hide_by_table()?;
            self.complete()?;
            for group in self.ledger.hidden(None) {
                self.widen(&group)?;
            }
            for measure in self.ledger.measures() {
                let mut open = self.ledger.hidden(Some(measure));
                while let Some(group) = open.pop() {
                    let hidden = self.fresh.len();
                    self.widen(&group)?;
                    if self.fresh.len() < hidden {
                        open = self.ledger.hidden(Some(measure));
                    }
                }
            }
            if self.fresh.len() == before {
                return Ok(());
            }
        }
    }

    /// What the table's own sums, and the same table for more or fewer pupils, ask to be hidden.
    fn hide_by_table(&mut self) -> Result<(), Refused> {
        loop {
            for (at, group) in self.groups.iter().enumerate() {
                self.grid.hidden[at] |=
                    self.ledger.marks.get(group).is_some_and(|mark| mark.hidden);
            }
            if !self.grid.protect() {
                return Err(Refused::Uncovers);
            }
            let hidden: Vec<Group> = (self.groups.iter().zip(&self.grid.hidden))
                .filter(|(_, hidden)| **hidden)
                .map(|(group, _)| group.clone())
                .collect();
            self.hide(&hidden);
            let others: Vec<Group> = (self.fresh.iter())
                .filter(|group| self.tells_of_others(group))
                .cloned()
                .collect();
            if others.is_empty() {
                return Ok(());
            }
            self.hide(&others);
        }
    }

    /// A number that, taken from that of the larger group or with its parts taken from it, leaves 0 to 4 pupils of whom nobody
    /// asked: those without special needs, taken from all.
    fn tells_of_others(&self, group: &Group) -> bool {
        let dimensions: BTreeSet<usize> = (self.ledger.marks.keys())
            .flatten()
            .map(|(dimension, _)| *dimension)
            .collect();
        let whole = dimensions
            .into_iter()
            .filter(|dimension| group.iter().all(|(known, _)| known != dimension))
            .map(|dimension| (group.clone(), dimension));
        parents(group).chain(whole).any(|(around, dimension)| {
            let Some(around_mark) = self.ledger.marks.get(&around) else {
                return false;
            };
            let parts: Vec<&Mark> = (0..self.ledger.picture.values(dimension))
                .filter_map(|value| {
                    let mut part = around.clone();
                    part.push((dimension, value));
                    part.sort_unstable();
                    self.ledger.marks.get(&part)
                })
                .filter(|mark| !mark.hidden)
                .collect();
            let rest = around_mark.count - parts.iter().map(|mark| mark.count).sum::<i64>();
            let others = self.ledger.picture.values(dimension) - parts.len();
            !around_mark.hidden && !parts.is_empty() && others > 0 && rest < i64::from(SMALL)
        })
    }

    fn hide(&mut self, groups: &[Group]) {
        for group in groups {
            if self.fresh.remove(group)
                && let Some(mark) = self.ledger.marks.get_mut(group)
            {
                mark.hidden = true;
                self.hides += 1;
            }
        }
    }

    /// Other schools that would not have published the new table are none any more.
    fn drop_disproved(&mut self) {
        let Ledger {
            picture,
            marks,
            schools,
            ..
        } = &mut self.ledger;
        let told = |measure: Option<usize>| -> Vec<(Vec<usize>, i64)> {
            (self.fresh.iter())
                .filter(|group| picture.measure(group) == measure)
                .filter_map(|group| Some((picture.places(group), marks.get(group)?.count)))
                .collect()
        };
        let same = |told: &[(Vec<usize>, i64)], counts: &[i64]| {
            told.iter()
                .all(|(places, count)| places.iter().map(|at| counts[*at]).sum::<i64>() == *count)
        };
        let of_kinds = told(None);
        schools.retain(|school| same(&of_kinds, &school.kinds));
        for school in schools {
            for (measure, ways) in school.levels.iter_mut().enumerate() {
                let of_measure = told(Some(measure));
                ways.retain(|counts| same(&of_measure, counts));
            }
        }
    }

    /// Every school has a way of answering every measure that tables tell of; those that cannot have one are none.
    fn complete(&mut self) -> Result<(), Refused> {
        let mut at = 0;
        while at < self.ledger.schools.len() {
            match self.answers(&self.ledger.schools[at].clone(), at == 0)? {
                Some((school, hidden)) => {
                    self.ledger.schools[at] = school;
                    self.hide(&hidden);
                    at += 1;
                }
                None => {
                    self.ledger.schools.remove(at);
                    self.grounds.clear();
                }
            }
        }
        Ok(())
    }

    fn answers(
        &mut self,
        school: &School,
        real: bool,
    ) -> Result<Option<(School, Vec<Group>)>, Refused> {
        let mut school = school.clone();
        let mut hidden = Vec::new();
        for measure in self.ledger.measures() {
            if school.levels.len() <= measure {
                school.levels.resize(measure + 1, Vec::new());
            }
            if !school.levels[measure].is_empty() {
                continue;
            }
            if real {
                school.levels[measure].push(self.ledger.picture.of_measure(measure).to_vec());
                continue;
            }
            let mut found = None;
            let search = search(&self.ledger, &self.fresh);
            let ground = search.levels(measure, &school.kinds, self.budget)?;
            for seed in 0..SEEDS {
                if let (Some(ground), None) = (&ground, &found) {
                    found = ground.seek(None, seed, self.budget)?;
                }
            }
            let Some((counts, differ)) = found else {
                return Ok(None);
            };
            school.levels[measure].push(counts);
            hidden.extend(differ);
        }
        Ok(Some((school, hidden)))
    }

    /// Where to look for variants of a school. Made once for all numbers that are to differ, until more is hidden.
    fn ground(
        &mut self,
        measure: Option<usize>,
        school: usize,
    ) -> Result<Option<Rc<Ground>>, Spent> {
        let key = (measure, school, self.fresh.len(), self.hides);
        let known = self.grounds.iter().find(|(known, _)| *known == key);
        if let Some((_, ground)) = known {
            return Ok(ground.clone());
        }
        let search = search(&self.ledger, &self.fresh);
        let ground = match measure {
            None => search.kinds(self.budget)?,
            Some(measure) => {
                let kinds = &self.ledger.schools[school].kinds;
                search.levels(measure, kinds, self.budget)?
            }
        };
        if self.grounds.len() == GROUNDS {
            self.grounds.pop_front();
        }
        let ground = ground.map(Rc::new);
        self.grounds.push_back((key, ground.clone()));
        Ok(ground)
    }

    /// Finds schools in which a hidden number differs enough: first such that nothing more need be hidden, then at the price of
    /// hiding more.
    fn widen(&mut self, group: &Group) -> Result<(), Refused> {
        let dear = std::mem::take(&mut self.fresh);
        if !dear.is_empty() {
            let found = self.vary(group, 1, false);
            self.fresh = dear;
            found?;
        }
        for halfway in [false, true] {
            self.vary(group, SEEDS, halfway)?;
        }
        if self.ledger.is_wide(group) {
            Ok(())
        } else {
            Err(Refused::Uncovers)
        }
    }

    /// Adds schools in which the number is larger or smaller; those where it differs by less than is wanted only where nothing
    /// need be hidden for them, or `halfway`.
    fn vary(&mut self, group: &Group, seeds: usize, halfway: bool) -> Result<(), Refused> {
        let measure = self.ledger.picture.measure(group);
        for seed in 0..seeds {
            for up in [true, false] {
                let schools = measure.map_or(1, |_| self.ledger.schools.len());
                for at in 0..schools {
                    if self.ledger.is_wide(group) {
                        return Ok(());
                    }
                    self.vary_one(group, measure, at, up, seed, halfway)?;
                }
            }
        }
        Ok(())
    }

    fn vary_one(
        &mut self,
        group: &Group,
        measure: Option<usize>,
        at: usize,
        up: bool,
        seed: usize,
        halfway: bool,
    ) -> Result<(), Refused> {
        let (least, most) = self.ledger.range(group);
        let truth = self.ledger.picture.count(group);
        let width = i64::from(WIDTH);
        let by = if up {
            least + width - truth
        } else {
            truth - most + width
        };
        let target = Target {
            by: u32::try_from(by).unwrap_or(WIDTH),
            up,
        };
        let places = self.ledger.picture.places(group);
        let found = match self.ground(measure, at)? {
            Some(ground) => ground.seek(Some((&places, target)), seed, self.budget)?,
            None => None,
        };
        let Some((counts, mut hidden)) = found else {
            return Ok(());
        };
        let reached = (self.ledger.picture.sum(group, &counts) - truth).abs() >= by;
        if !reached && !halfway && !hidden.is_empty() {
            return Ok(());
        }
        match measure {
            Some(measure) => self.ledger.schools[at].levels[measure].push(counts),
            None => {
                let other = School {
                    kinds: counts,
                    levels: Vec::new(),
                };
                let Some((other, more)) = self.answers(&other, false)? else {
                    return Ok(());
                };
                hidden.extend(more);
                self.ledger.schools.push(other);
            }
        }
        self.hide(&hidden);
        Ok(())
    }
}

fn search<'a>(ledger: &'a Ledger, fresh: &'a BTreeSet<Group>) -> Search<'a> {
    Search {
        picture: &ledger.picture,
        marks: &ledger.marks,
        fresh,
    }
}

/// The groups that a group is part of, each with the dimension by which it is told apart there.
fn parents(group: &Group) -> impl Iterator<Item = (Group, usize)> + '_ {
    group.iter().enumerate().map(|(at, (dimension, _))| {
        let mut around = group.clone();
        around.remove(at);
        (around, *dimension)
    })
}
