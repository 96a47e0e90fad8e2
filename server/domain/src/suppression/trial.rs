//! A new table on its way into the ledger: how much of it is hidden until nothing can be found out.

use std::{
    collections::{BTreeSet, VecDeque},
    rc::Rc,
};

use super::{
    Refused, SMALL, WIDTH,
    grid::Grid,
    ledger::{Ledger, parents},
    picture::Group,
    school::{Ground, Mark, School, Search, Target},
};
use crate::budget::{Budget, Spent};

/// Paths that are tried before a number is given up.
const SEEDS: usize = 2;
/// So many of [`Trial::ground`] are kept.
const GROUNDS: usize = 12;

/// How much of a new table is hidden before anything is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caution {
    /// What is small.
    None,
    /// All but its totals.
    Cells,
    /// All that is not told already.
    All,
}

/// A new table on its way into the ledger.
pub(super) struct Trial<'a> {
    pub ledger: Ledger,
    /// Shown by the new table and not told before.
    fresh: BTreeSet<Group>,
    pub grid: Grid,
    groups: &'a [Group],
    budget: &'a mut Budget,
    /// How many numbers were hidden on the way.
    hides: usize,
    /// See [`Trial::ground`]: of what, of which school, how many numbers could still be hidden then, and how many had been.
    grounds: VecDeque<(Key, Option<Rc<Ground>>)>,
}

type Key = (Option<usize>, usize, usize, usize);

impl<'a> Trial<'a> {
    /// Of a ledger that may still be put back as it was.
    pub fn new(ledger: Ledger, grid: Grid, groups: &'a [Group], budget: &'a mut Budget) -> Self {
        Self {
            ledger,
            fresh: BTreeSet::new(),
            grid,
            groups,
            budget,
            hides: 0,
            grounds: VecDeque::new(),
        }
    }

    /// What is known stays as it is; what is small, or was hidden before, is hidden.
    pub fn begin(&mut self, caution: Caution) {
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
    pub fn settle(&mut self) -> Result<(), Refused> {
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
        let ways = |school: &School| 1 + school.levels.iter().map(Vec::len).sum::<usize>();
        let ways: usize = self.ledger.schools.iter().map(ways).sum();
        let kinds = self.ledger.picture.kinds().len();
        self.budget.spend(ways * kinds)?;
        if self.ledger.is_wide(group) {
            return Ok(());
        }
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
