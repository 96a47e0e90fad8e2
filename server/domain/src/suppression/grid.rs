//! One table with its totals as numbers that hang together: what of it must be hidden so that its own sums give nothing away.

use std::collections::VecDeque;

use super::{Cell, SMALL, TOGETHER, WIDTH};

/// More than any school has.
const BOUNDLESS: i64 = 1 << 40;

/// Counts with their totals in the last row and the last column; a one-way table is one row that ends in its total.
#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Grid {
    pub height: usize,
    pub width: usize,
    two_way: bool,
    pub values: Vec<i64>,
    pub hidden: Vec<bool>,
    /// Told before: it cannot be hidden any more.
    pub told: Vec<bool>,
}

/// Cells that add up to another.
struct Line {
    parts: Vec<usize>,
    total: usize,
    /// The lines that cross it, where there are any.
    crossing: Option<Crossing>,
}

#[derive(Clone, Copy)]
enum Crossing {
    Row,
    Column,
}

impl Grid {
    pub fn one_way(counts: &[u32]) -> Self {
        let mut values: Vec<i64> = counts.iter().copied().map(i64::from).collect();
        values.push(values.iter().sum());
        Self::all_shown(1, values.len(), false, values)
    }

    pub fn two_way(counts: &[Vec<u32>]) -> Self {
        let width = counts.first().map_or(0, Vec::len) + 1;
        let mut values = Vec::with_capacity((counts.len() + 1) * width);
        let mut foot = vec![0; width];
        for row in counts {
            let total = row.iter().copied().map(i64::from).sum();
            let line = row.iter().copied().map(i64::from).chain([total]);
            for (count, sum) in line.zip(&mut foot) {
                values.push(count);
                *sum += count;
            }
        }
        values.extend(foot);
        Self::all_shown(counts.len() + 1, width, true, values)
    }

    fn all_shown(height: usize, width: usize, two_way: bool, values: Vec<i64>) -> Self {
        Self {
            height,
            width,
            two_way,
            hidden: vec![false; values.len()],
            told: vec![false; values.len()],
            values,
        }
    }

    pub fn cell(&self, row: usize, column: usize) -> Cell {
        let at = row * self.width + column;
        if self.hidden[at] {
            return Cell::Hidden;
        }
        u32::try_from(self.values[at]).map_or(Cell::Hidden, Cell::Shown)
    }

    /// Rule 1: counts and totals of 0 to 4. Complements follow from [`Self::protect`]: what is left of a total of which all but
    /// 0 to 4 are shown is itself made of cells of 0 to 4, which never stand alone.
    pub fn hide_small(&mut self) {
        for at in 0..self.values.len() {
            self.hidden[at] |= self.values[at] < i64::from(SMALL) && !self.told[at];
        }
    }

    /// Rules 3 and 4: hides more until no hidden number follows from the others. False where it does and there is nothing left
    /// that could be hidden. It ends, for every round hides at least one more.
    pub fn protect(&mut self) -> bool {
        loop {
            let step = match self.lone_in_line() {
                Step::Whole if self.two_way => match self.bridged() {
                    Step::Whole => self.narrow(),
                    step => step,
                },
                step => step,
            };
            match step {
                Step::Whole => return true,
                Step::Hidden => {}
                Step::Stuck => return false,
            }
        }
    }

    fn lines(&self) -> Vec<Line> {
        let at = |row: usize, column: usize| row * self.width + column;
        let (foot, end) = (self.height - 1, self.width - 1);
        let mut lines: Vec<Line> = (0..self.height)
            .map(|row| Line {
                parts: (0..end).map(|column| at(row, column)).collect(),
                total: at(row, end),
                crossing: self.two_way.then_some(Crossing::Column),
            })
            .collect();
        if self.two_way {
            lines.extend((0..self.width).map(|column| Line {
                parts: (0..foot).map(|row| at(row, column)).collect(),
                total: at(foot, column),
                crossing: Some(Crossing::Row),
            }));
        }
        lines
    }

    /// A line whose hidden cells are fewer than two, or come to less than ten while their sum can be worked out.
    fn lone_in_line(&mut self) -> Step {
        for line in self.lines() {
            let hidden: Vec<usize> = (line.parts.iter().copied())
                .filter(|at| self.hidden[*at])
                .collect();
            let total_hidden = self.hidden[line.total];
            let sum: i64 = hidden.iter().map(|at| self.values[*at]).sum();
            let whole = if total_hidden {
                !hidden.is_empty()
            } else if hidden.is_empty() {
                true
            } else if hidden.len() == line.parts.len() {
                hidden.len() > 1 && sum >= i64::from(WIDTH)
            } else {
                hidden.len() > 1 && sum >= i64::from(TOGETHER)
            };
            if whole {
                continue;
            }
            let next = self
                .cheapest(line.parts.iter().copied(), line.crossing)
                .or_else(|| (!total_hidden && !self.told[line.total]).then_some(line.total));
            let Some(next) = next else {
                // What another table told cannot be hidden any more: the sum is known, and wide enough it must be.
                if !total_hidden && hidden.len() > 1 && sum >= i64::from(WIDTH) {
                    continue;
                }
                return Step::Stuck;
            };
            self.hidden[next] = true;
            return Step::Hidden;
        }
        Step::Whole
    }

    /// What costs least to hide: its own number, and where nothing is hidden in the line that crosses there, that of the next one
    /// which would have to be hidden with it.
    fn cheapest(
        &self,
        of: impl Iterator<Item = usize>,
        crossing: Option<Crossing>,
    ) -> Option<usize> {
        of.filter(|at| self.is_open(*at))
            .min_by_key(|at| (self.values[*at] + self.companion(*at, crossing), *at))
    }

    fn is_open(&self, at: usize) -> bool {
        !self.hidden[at] && !self.told[at]
    }

    fn companion(&self, at: usize, crossing: Option<Crossing>) -> i64 {
        let (row, column) = self.ends(at);
        let line = match crossing {
            None => return 0,
            Some(Crossing::Row) => self.places(row),
            Some(Crossing::Column) => self.places(column),
        };
        if line.iter().any(|other| self.hidden[*other]) {
            return 0;
        }
        let others = line
            .into_iter()
            .filter(|other| *other != at && self.is_open(*other));
        others
            .map(|other| self.values[other])
            .min()
            .unwrap_or(BOUNDLESS)
    }

    /// Rows and columns are places, hidden cells the roads between them: a cell can be computed when its road is the only one.
    pub fn is_bridge(&self, at: usize) -> bool {
        let (row, column) = self.ends(at);
        !self.reached(row, at)[column]
    }

    fn ends(&self, at: usize) -> (usize, usize) {
        (at / self.width, self.height + at % self.width)
    }

    fn reached(&self, from: usize, without: usize) -> Vec<bool> {
        let mut reached = vec![false; self.height + self.width];
        let mut open = vec![from];
        reached[from] = true;
        while let Some(place) = open.pop() {
            for at in self.roads(place) {
                let (row, column) = self.ends(at);
                let other = if row == place { column } else { row };
                if at != without && !reached[other] {
                    reached[other] = true;
                    open.push(other);
                }
            }
        }
        reached
    }

    fn roads(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        let all = self.places(place);
        all.into_iter().filter(|at| self.hidden[*at])
    }

    /// The cells of a row or column.
    fn places(&self, place: usize) -> Vec<usize> {
        if place < self.height {
            (place * self.width..(place + 1) * self.width).collect()
        } else {
            (0..self.height)
                .map(|row| row * self.width + place - self.height)
                .collect()
        }
    }

    fn bridged(&mut self) -> Step {
        let bridge = (0..self.values.len()).find(|at| self.hidden[*at] && self.is_bridge(*at));
        let Some(bridge) = bridge else {
            return Step::Whole;
        };
        let near = self.reached(self.ends(bridge).0, bridge);
        let closing = (0..self.values.len()).filter(|at| {
            let (row, column) = self.ends(*at);
            near[row] != near[column]
        });
        let Some(next) = self.cheapest(closing, None) else {
            return Step::Stuck;
        };
        self.hidden[next] = true;
        Step::Hidden
    }

    /// A cell that nought as the least of each number pins to less than the width.
    fn narrow(&mut self) -> Step {
        let wide = |(least, most): (i64, i64)| most - least >= i64::from(WIDTH);
        let narrow = (0..self.values.len()).find(|at| self.hidden[*at] && !wide(self.bounds(*at)));
        let Some(narrow) = narrow else {
            return Step::Whole;
        };
        let mut others: Vec<usize> = (0..self.values.len())
            .filter(|at| !self.hidden[*at] && !self.told[*at])
            .collect();
        others.sort_by_key(|at| (self.values[*at], *at));
        let helps = others.iter().copied().find(|at| {
            self.hidden[*at] = true;
            let helps = wide(self.bounds(narrow));
            self.hidden[*at] = false;
            helps
        });
        let Some(next) = helps.or_else(|| others.first().copied()) else {
            return Step::Stuck;
        };
        self.hidden[next] = true;
        Step::Hidden
    }

    /// The least and the most that a hidden cell of a two-way table can be, given all that is shown: exact, for the sums of a
    /// two-way table are a network (a total is a cell that counts the other way round), and what flows in it is whole.
    pub fn bounds(&self, at: usize) -> (i64, i64) {
        let (row, column) = self.ends(at);
        let (down, up) = self.freedom(at);
        let more = self.flow(row, column, at, false).min(up);
        let less = self.flow(row, column, at, true).min(down);
        if self.is_margin(at) {
            (self.values[at] - more, self.values[at] + less)
        } else {
            (self.values[at] - less, self.values[at] + more)
        }
    }

    fn is_margin(&self, at: usize) -> bool {
        (at / self.width + 1 == self.height) != (at % self.width + 1 == self.width)
    }

    /// How far it can go down and up in its own sense, before anything else is asked.
    fn freedom(&self, at: usize) -> (i64, i64) {
        if self.is_margin(at) {
            (BOUNDLESS, self.values[at])
        } else {
            (self.values[at], BOUNDLESS)
        }
    }

    /// How much can go from a row to a column when every other hidden cell gives way: those passed from row to column grow where
    /// `growing`, and shrink otherwise.
    fn flow(&self, from: usize, to: usize, without: usize, growing: bool) -> i64 {
        let places = self.height + self.width;
        let mut room = vec![0_i64; places * places];
        for at in (0..self.values.len()).filter(|at| self.hidden[*at] && *at != without) {
            let (row, column) = self.ends(at);
            let (down, up) = self.freedom(at);
            room[row * places + column] = if growing { up } else { down };
            room[column * places + row] = if growing { down } else { up };
        }
        let mut sum = 0;
        while sum < BOUNDLESS {
            let mut before = vec![usize::MAX; places];
            before[from] = from;
            let mut open = VecDeque::from([from]);
            while let Some(place) = open.pop_front() {
                for next in 0..places {
                    if before[next] == usize::MAX && room[place * places + next] > 0 {
                        before[next] = place;
                        open.push_back(next);
                    }
                }
            }
            if before[to] == usize::MAX {
                break;
            }
            let mut least = BOUNDLESS;
            let mut place = to;
            while place != from {
                least = least.min(room[before[place] * places + place]);
                place = before[place];
            }
            place = to;
            while place != from {
                room[before[place] * places + place] -= least;
                room[place * places + before[place]] += least;
                place = before[place];
            }
            sum += least;
        }
        sum
    }
}

enum Step {
    /// Nothing to do.
    Whole,
    /// One more is hidden.
    Hidden,
    /// Something is to do, and nothing left to hide.
    Stuck,
}
