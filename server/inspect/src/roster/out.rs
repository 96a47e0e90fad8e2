//! The table as it is written, line after line of JSON: empty rows and columns left out, short rows filled up, limits kept.

use super::{
    CELL_MOST, COLUMNS_MOST, Head, Line, ROWS_MOST, Refused, Row, cell,
    header::{Found, Search},
};
use std::io::{BufWriter, Write};

/// A table that is being written.
pub struct Out<W: Write> {
    to: BufWriter<W>,
    search: Search,
    /// How many columns the header has, once there is one.
    width: Option<usize>,
    rows: u64,
}

impl<W: Write> Out<W> {
    pub fn new(to: W) -> Self {
        Self {
            to: BufWriter::with_capacity(64 * 1024, to),
            search: Search::default(),
            width: None,
            rows: 0,
        }
    }

    /// Takes the next line of the file with its number, as the header if it is that. `head` says what table it is.
    pub fn line(&mut self, head: &Head, line: u64, cells: &[String]) -> Result<(), Refused> {
        let mut tidied: Vec<String> = cells.iter().map(|cell| cell::tidy(cell)).collect();
        let filled = tidied.iter().rposition(|cell| !cell.is_empty());
        tidied.truncate(filled.map_or(0, |last| last + 1));
        if tidied.is_empty() {
            return Ok(());
        }
        if tidied.len() > COLUMNS_MOST {
            return Err(Refused::ManyColumns);
        }
        if tidied.iter().any(|cell| is_long(cell)) {
            return Err(Refused::LongCell(line));
        }
        if self.width.is_some() {
            return self.row(line, tidied);
        }
        match self.search.look(&tidied) {
            Found::Header => {
                let header = tidied.iter().map(|cell| cell::one_line(cell)).collect();
                self.begin(Head {
                    header,
                    ..head.clone()
                })
            }
            Found::Above => Ok(()),
            Found::None => Err(Refused::NoHeader),
        }
    }

    /// Begins a table of which the columns are known.
    pub fn begin(&mut self, head: Head) -> Result<(), Refused> {
        self.width = Some(head.header.len());
        self.write(&Line::Table(head))
    }

    /// Whether any cell had something in it.
    pub fn saw(&self) -> bool {
        self.width.is_some() || self.search.saw()
    }

    /// Ends the table, once the file has come to its end in order.
    pub fn finish(&mut self) -> Result<(), Refused> {
        match self.width {
            Some(_) => self.write(&Line::End { rows: self.rows }),
            None if self.search.saw() => Err(Refused::NoHeader),
            None => Err(Refused::Empty),
        }
    }

    /// Says why it ends early, where it does.
    pub fn close(mut self, ended: Result<(), Refused>) -> std::io::Result<()> {
        if let Err(refused) = ended {
            let line = serde_json::to_vec(&Line::Refused(refused))?;
            self.to.write_all(&line)?;
            self.to.write_all(b"\n")?;
        }
        self.to.flush()
    }

    fn row(&mut self, line: u64, mut cells: Vec<String>) -> Result<(), Refused> {
        if self.rows == ROWS_MOST {
            return Err(Refused::ManyRows);
        }
        self.rows += 1;
        let width = self.width.unwrap_or_default().max(cells.len());
        cells.resize(width, String::new());
        self.write(&Line::Row(Row { line, cells }))
    }

    /// Where the parent listens no more, nothing is left to be said to it.
    fn write(&mut self, line: &Line) -> Result<(), Refused> {
        serde_json::to_writer(&mut self.to, line).map_err(|_| Refused::Unchecked)?;
        self.to.write_all(b"\n").map_err(|_| Refused::Unchecked)
    }
}

fn is_long(cell: &str) -> bool {
    cell.len() > CELL_MOST && cell.chars().count() > CELL_MOST
}
