//! A table as it is counted, and as it may be read.

use serde::{Deserialize, Serialize};

use super::{Cell, Refused, grid::Grid};

/// What pupils are told apart by: a name and every value that a pupil can have, "not seen" and "not known" among them, in the
/// order in which they are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// As in "Year".
    pub name: String,
    /// As in "Year 7". In the field's order: an order by size would tell what is hidden.
    pub values: Vec<String>,
}

impl Dimension {
    /// A name and its values.
    pub fn new(name: &str, values: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }
}

/// Counts before anything is hidden. It can neither be serialised nor shown: only [`Released`] leaves.
#[derive(Clone, PartialEq, Eq)]
pub struct Table {
    pub(super) within: Vec<(String, String)>,
    pub(super) rows: Dimension,
    pub(super) columns: Option<Dimension>,
    pub(super) counts: Vec<Vec<u32>>,
}

impl Table {
    /// One count a row, and their total.
    pub fn one_way(rows: Dimension, counts: &[u32]) -> Self {
        Self {
            within: Vec::new(),
            rows,
            columns: None,
            counts: counts.iter().map(|count| vec![*count]).collect(),
        }
    }

    /// Counts row by row, and totals of rows, columns and all.
    pub fn two_way(rows: Dimension, columns: Dimension, counts: Vec<Vec<u32>>) -> Self {
        Self {
            within: Vec::new(),
            rows,
            columns: Some(columns),
            counts,
        }
    }

    /// Confined to the pupils with this value.
    #[must_use]
    pub fn within(mut self, dimension: &str, value: &str) -> Self {
        self.within.push((dimension.to_owned(), value.to_owned()));
        self
    }

    /// What may be read of it where no other table about these pupils is ever shown; otherwise see [`super::Ledger::admit`].
    ///
    /// Refuses [`Refused::OtherPupils`] where there are not as many counts as labels.
    pub fn release(&self) -> Result<Released, Refused> {
        let mut grid = self.grid()?;
        grid.hide_small();
        if !grid.protect() {
            return Err(Refused::Uncovers);
        }
        Ok(self.released(&grid))
    }

    /// Counts with their totals, all shown.
    pub(super) fn grid(&self) -> Result<Grid, Refused> {
        let across = self
            .columns
            .as_ref()
            .map_or(1, |columns| columns.values.len());
        let fits = self.counts.len() == self.rows.values.len()
            && self.counts.iter().all(|row| row.len() == across);
        if !fits || across == 0 || self.counts.is_empty() {
            return Err(Refused::OtherPupils);
        }
        Ok(if self.columns.is_some() {
            Grid::two_way(&self.counts)
        } else {
            Grid::one_way(&self.counts.concat())
        })
    }

    pub(super) fn released(&self, grid: &Grid) -> Released {
        let (height, width) = (self.rows.values.len(), grid.width - 1);
        let line = |row: usize| (0..width).map(|column| grid.cell(row, column)).collect();
        if self.columns.is_none() {
            return Released {
                within: self.within.clone(),
                rows: self.rows.clone(),
                columns: None,
                cells: (0..width).map(|at| vec![grid.cell(0, at)]).collect(),
                row_totals: Vec::new(),
                column_totals: Vec::new(),
                total: grid.cell(0, width),
            };
        }
        Released {
            within: self.within.clone(),
            rows: self.rows.clone(),
            columns: self.columns.clone(),
            cells: (0..height).map(line).collect(),
            row_totals: (0..height).map(|row| grid.cell(row, width)).collect(),
            column_totals: line(height),
            total: grid.cell(height, width),
        }
    }
}

/// A table as it may be read, printed, drawn and sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The groups it is confined to: dimension and value.
    pub within: Vec<(String, String)>,
    /// What the rows are.
    pub rows: Dimension,
    /// What the columns are; none where there is one count a row.
    pub columns: Option<Dimension>,
    /// Row by row.
    pub cells: Vec<Vec<Cell>>,
    /// One a row; none without columns.
    pub row_totals: Vec<Cell>,
    /// One a column; none without columns.
    pub column_totals: Vec<Cell>,
    /// All pupils of the table.
    pub total: Cell,
}

/// A part of a group in percent: never of hidden numbers, and never so near to all or none that it speaks of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// Less than a twentieth.
    Under,
    /// Whole percent, rounded half up.
    Percent(u32),
    /// More than nineteen twentieths.
    Over,
    /// One of the two numbers is hidden.
    Hidden,
}

impl Share {
    /// This part of this whole.
    pub fn of(part: Cell, whole: Cell) -> Self {
        let (Some(part), Some(whole)) = (part.count(), whole.count()) else {
            return Self::Hidden;
        };
        let (part, whole) = (u64::from(part), u64::from(whole));
        if whole == 0 {
            Self::Hidden
        } else if part * 20 < whole {
            Self::Under
        } else if part * 20 > whole * 19 {
            Self::Over
        } else {
            u32::try_from((part * 200 + whole) / (whole * 2)).map_or(Self::Hidden, Self::Percent)
        }
    }

    /// As it stands in a page, a picture or a CSV.
    pub fn text(self) -> String {
        match self {
            Self::Under => "<5 %".to_owned(),
            Self::Percent(percent) => format!("{percent} %"),
            Self::Over => ">95 %".to_owned(),
            Self::Hidden => Cell::MARKER.to_owned(),
        }
    }
}

impl Released {
    /// A cell's part of its row; hidden where there is no such cell.
    pub fn share(&self, row: usize, column: usize) -> Share {
        let whole = if self.columns.is_some() {
            self.row_totals.get(row).copied()
        } else {
            Some(self.total)
        };
        let part = self.cells.get(row).and_then(|row| row.get(column)).copied();
        Share::of(part.unwrap_or(Cell::Hidden), whole.unwrap_or(Cell::Hidden))
    }

    /// The mean of a row where each column counts so much and `None` does not count ("not seen"). None where any cell that counts
    /// is hidden: a mean of hidden numbers is one more sum about them.
    pub fn mean(&self, row: usize, worth: &[Option<u32>]) -> Option<f64> {
        let cells = self.cells.get(row)?;
        let (mut sum, mut of) = (0_u32, 0_u32);
        for (cell, worth) in cells.iter().zip(worth) {
            if let Some(worth) = worth {
                let count = cell.count()?;
                sum = sum.checked_add(count.checked_mul(*worth)?)?;
                of = of.checked_add(count)?;
            }
        }
        (of > 0).then(|| f64::from(sum) / f64::from(of))
    }

    /// Every number of the table, totals among them.
    pub fn every(&self) -> impl Iterator<Item = Cell> + '_ {
        let totals = self.row_totals.iter().chain(&self.column_totals).copied();
        self.cells
            .iter()
            .flatten()
            .copied()
            .chain(totals)
            .chain([self.total])
    }

    /// The table as lines of words with its labels and totals, for a CSV and for the table beside a picture.
    pub fn lines(&self) -> Vec<Vec<String>> {
        let total = || "Total".to_owned();
        let mut lines = Vec::with_capacity(self.cells.len() + 2);
        let mut head = vec![self.rows.name.clone()];
        if let Some(columns) = &self.columns {
            head.extend(columns.values.iter().cloned());
        }
        head.push(total());
        if self.columns.is_none() {
            head.truncate(1);
            head.push("Pupils".to_owned());
        }
        lines.push(head);
        for (at, (label, cells)) in self.rows.values.iter().zip(&self.cells).enumerate() {
            let mut line = vec![label.clone()];
            let all = cells.iter().chain(self.row_totals.get(at));
            line.extend(all.map(|cell| cell.text()));
            lines.push(line);
        }
        let mut foot = vec![total()];
        foot.extend(self.column_totals.iter().map(|cell| cell.text()));
        foot.push(self.total.text());
        lines.push(foot);
        lines
    }
}
