//! The rows as the caller takes them, one after another, from a child that waits meanwhile.

use super::{
    CELL_MOST, COLUMNS_MOST, Encoding, Format, Line, ROWS_MOST, Refused, Row, Source, TOLD,
};
use crate::{Fault, Inspector, child, parent};
use std::{path::Path, time::Duration};
use tokio::{
    fs::File,
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, ChildStderr, ChildStdout},
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

/// The most bytes of one line: as many cells as there may be, of the longest characters, and their quotation marks.
const LINE_MOST: usize = COLUMNS_MOST * (4 * CELL_MOST + 16) + 1024;

/// A table whose rows are still to come.
#[derive(Debug)]
pub struct Table {
    /// What kind of file it stands in.
    pub format: Format,
    /// How a file of text is written; none for a workbook.
    pub encoding: Option<Encoding>,
    /// What stands between the values of a CSV.
    pub delimiter: Option<char>,
    /// The names of the columns; one between others may be empty.
    pub header: Vec<String>,
    /// The school that a Common Transfer File comes from.
    pub source: Option<Source>,
    /// The rows below.
    pub rows: Rows,
}

/// The rows of a table, in the order of the file.
///
/// The child that reads them stops while nobody asks for the next one, and keeps one of the inspector's places until this is
/// dropped, which ends it. How long it may take on the clock is counted only while somebody waits for it.
#[derive(Debug)]
pub struct Rows {
    child: Child,
    lines: BufReader<ChildStdout>,
    complaint: ChildStderr,
    /// What was read of a line: asking may be broken off and begun again.
    line: Vec<u8>,
    left: Duration,
    width: usize,
    taken: u64,
    ended: Option<Result<(), Refused>>,
    _place: OwnedSemaphorePermit,
}

impl Inspector {
    /// The table in a file, as far as its header; what becomes of its rows, [`Rows::next`] tells.
    ///
    /// However the child ends, this is about the file; only where none could be started is it [`Refused::Unchecked`], with the
    /// cause in the log.
    pub async fn roster(&self, file: &Path) -> Result<Table, Refused> {
        let mut rows = self.rows(file).await.map_err(unchecked)?;
        match rows.take().await {
            Ok(Line::Table(head))
                if head.header.len() <= COLUMNS_MOST
                    && head.header.iter().all(|name| fits(name)) =>
            {
                rows.width = head.header.len();
                Ok(Table {
                    format: head.format,
                    encoding: head.encoding,
                    delimiter: head.delimiter,
                    header: head.header,
                    source: head.source,
                    rows,
                })
            }
            Ok(Line::Refused(refused)) => Err(refused),
            Ok(_) => Err(Refused::Damaged),
            Err(refused) => Err(refused),
        }
    }

    async fn rows(&self, file: &Path) -> std::io::Result<Rows> {
        let file = File::open(file).await?.into_std().await;
        let place = self.place().await?;
        let mut child = self.start(TOLD, file)?;
        let (Some(lines), Some(complaint)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(std::io::Error::other("the child has no voice"));
        };
        Ok(Rows {
            child,
            lines: BufReader::with_capacity(64 * 1024, lines),
            complaint,
            line: Vec::new(),
            left: self.wall(),
            width: 0,
            taken: 0,
            ended: None,
            _place: place,
        })
    }
}

impl Rows {
    /// The next row, or none after the last. Only then is the table whole: before that, a child that ends in whatever way is a
    /// refusal. Refused once, it stays refused.
    ///
    /// May be dropped before it answers and called again; no row is lost.
    pub async fn next(&mut self) -> Result<Option<Row>, Refused> {
        if let Some(ended) = self.ended {
            return ended.map(|()| None);
        }
        let ended = match self.take().await {
            Ok(Line::Row(row)) if self.is_next(&row) => {
                self.taken += 1;
                return Ok(Some(row));
            }
            Ok(Line::End { rows }) if rows == self.taken => Ok(()),
            Ok(Line::Refused(refused)) => Err(refused),
            Ok(_) => Err(Refused::Damaged),
            Err(refused) => Err(refused),
        };
        self.ended = Some(ended);
        // It has said all that it had to say, or more than it should.
        let _ = self.child.start_kill();
        ended.map(|()| None)
    }

    /// The number of the child's process, while it runs. For the tests that end it.
    #[doc(hidden)]
    pub fn process(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether a row is one that the child writes: one that was taken over writes what it likes.
    fn is_next(&self, row: &Row) -> bool {
        self.taken < ROWS_MOST
            && (self.width..=COLUMNS_MOST).contains(&row.cells.len())
            && row.cells.iter().all(|cell| fits(cell))
    }

    async fn take(&mut self) -> Result<Line, Refused> {
        let begun = Instant::now();
        let read = timeout(self.left, self.read()).await;
        self.left = self.left.saturating_sub(begun.elapsed());
        let Ok(read) = read else {
            let _ = self.child.start_kill();
            return Err(Refused::Slow);
        };
        if read.map_err(unchecked)? {
            let line = serde_json::from_slice(&self.line).map_err(|_| Refused::Damaged);
            self.line.clear();
            return line;
        }
        if self.line.len() > LINE_MOST {
            return Err(Refused::Damaged);
        }
        match timeout(self.left, self.end()).await {
            Ok(ended) => Err(ended.unwrap_or_else(unchecked)),
            Err(_) => Err(Refused::Slow),
        }
    }

    /// Reads on to the end of the line: false where there is none, or none that is short enough.
    async fn read(&mut self) -> std::io::Result<bool> {
        let room = (LINE_MOST + 1).saturating_sub(self.line.len());
        let mut lines = (&mut self.lines).take(room as u64);
        lines.read_until(b'\n', &mut self.line).await?;
        Ok(self.line.ends_with(b"\n"))
    }

    /// What the end of a child says that did not say so itself.
    async fn end(&mut self) -> std::io::Result<Refused> {
        let mut complaint = Vec::new();
        (&mut self.complaint)
            .take(parent::COMPLAINT_MOST)
            .read_to_end(&mut complaint)
            .await?;
        let _ = self.child.start_kill();
        let status = self.child.wait().await?;
        if status.code() == Some(i32::from(child::UNREADY)) && !parent::ran_out(&complaint) {
            return Err(std::io::Error::other("the child could not begin"));
        }
        let fault: Fault = parent::fault(status, &complaint);
        tracing::info!(%status, ?fault, rows = self.taken, "reading a roster ended early");
        Ok(fault.into())
    }
}

fn fits(cell: &str) -> bool {
    !cell.contains('\0') && (cell.len() <= CELL_MOST || cell.chars().count() <= CELL_MOST)
}

#[allow(clippy::needless_pass_by_value)]
fn unchecked(error: std::io::Error) -> Refused {
    tracing::error!(%error, "a roster could not be read");
    Refused::Unchecked
}
