//! The bare contestants: the same lines into plain tables of the same database, without a question and without a policy.

use std::{fmt::Write as _, time::Instant};

use sqlx::{Connection as _, PgConnection, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::roster::{Fate, Line, Roster};
use crate::{
    fault::{Result, said},
    workload::Bench,
};

/// Rows of one statement.
const VALUES: usize = 1_000;
/// Bytes that are sent at once, as `psql` does or nearly.
const PIECE: usize = 64 * 1024;
const COLUMNS: &str =
    "tenant_id, upn, admission_number, first_name, last_name, born, sex, year_group";

/// How the lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// COPY into a table of the roll's columns with a primary key: what the machine can do at most.
    Copy,
    /// COPY into one that has the roll's checks and indexes too.
    Checked,
    /// INSERT of a thousand lines at a time, into the same as the first.
    Values,
}

impl How {
    /// In the order of the table.
    pub const ALL: [Self; 3] = [Self::Copy, Self::Checked, Self::Values];

    /// As the table calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copy => "COPY into a plain table",
            Self::Checked => "COPY into one with the roll's checks and indexes",
            Self::Values => "INSERT of 1,000 VALUES at a time into a plain table",
        }
    }

    /// Which lines: a table with the roll's checks takes no others than the roll does.
    pub fn lines(self, roster: &Roster) -> impl Iterator<Item = &Line> {
        let all = self != Self::Checked;
        let lines = roster.lines.iter();
        lines.filter(move |line| all || line.fate == Fate::New)
    }
}

/// A connection of the superuser, and the tables.
pub struct Tables {
    connection: PgConnection,
    school: Uuid,
    /// What COPY is sent, before the clock starts.
    ready: [Vec<u8>; 2],
}

impl Tables {
    /// Connects, and writes down what COPY is sent.
    pub fn new(bench: &Bench, database: &PgPool, school: Uuid, roster: &Roster) -> Result<Self> {
        let options = database.connect_options();
        let mut connection = bench.hands.block_on(PgConnection::connect_with(&options))?;
        bench
            .hands
            .block_on(sqlx::raw_sql("create schema bench").execute(&mut connection))?;
        let ready = [How::Copy, How::Checked].map(|how| {
            let mut text = String::new();
            for line in how.lines(roster) {
                copied(&mut text, school, line, how);
            }
            text.into_bytes()
        });
        Ok(Self {
            connection,
            school,
            ready,
        })
    }

    /// What was written before is on the disk, so that it is not written while somebody else is measured.
    pub async fn settle(&mut self) -> Result<()> {
        sqlx::raw_sql("checkpoint")
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Makes the table anew, and writes the lines into it; seconds until they are committed. Refuses where not all are there.
    pub async fn write(&mut self, roster: &Roster, how: How) -> Result<f64> {
        let table = match how {
            How::Copy | How::Values => {
                "create table bench.roll (like public.pupil including defaults, registration text, class text, \
                   primary key (tenant_id, id))"
            }
            How::Checked => "create table bench.roll (like public.pupil including all)",
        };
        sqlx::raw_sql("drop table if exists bench.roll")
            .execute(&mut self.connection)
            .await?;
        sqlx::raw_sql(table).execute(&mut self.connection).await?;
        self.settle().await?;
        let start = Instant::now();
        match how {
            How::Copy => {
                let columns = format!("{COLUMNS}, registration, class");
                self.copy(0, &columns).await?;
            }
            How::Checked => self.copy(1, COLUMNS).await?,
            How::Values => self.values(roster).await?,
        }
        let seconds = start.elapsed().as_secs_f64();
        let there: (i64, i64) = sqlx::query_as(
            "select count(*), count(distinct (upn, last_name, born)) from bench.roll",
        )
        .fetch_one(&mut self.connection)
        .await?;
        let wanted = how.lines(roster).count();
        // A pupil on two lines is there twice, and is one.
        let pupils = how
            .lines(roster)
            .filter(|line| line.fate != Fate::Again)
            .count();
        if (usize::try_from(there.0), usize::try_from(there.1)) != (Ok(wanted), Ok(pupils)) {
            return Err(said(format!(
                "{} wrote {there:?} instead of {wanted} lines of {pupils} pupils.",
                how.name()
            )));
        }
        Ok(seconds)
    }

    async fn copy(&mut self, ready: usize, columns: &str) -> Result<()> {
        let statement = format!("copy bench.roll ({columns}) from stdin");
        let text = self.ready.get(ready).map_or(&[][..], |text| &text[..]);
        let mut copy = self.connection.copy_in_raw(&statement).await?;
        for piece in text.chunks(PIECE) {
            copy.send(piece).await?;
        }
        copy.finish().await?;
        Ok(())
    }

    async fn values(&mut self, roster: &Roster) -> Result<()> {
        let mut transaction = self.connection.begin().await?;
        for part in roster.lines.chunks(VALUES) {
            let begin = format!("insert into bench.roll ({COLUMNS}, registration, class) ");
            let mut statement = QueryBuilder::<Postgres>::new(begin);
            statement.push_values(part, |mut row, line| {
                row.push_bind(self.school)
                    .push_bind(&line.upn)
                    .push_bind(&line.admission_number)
                    .push_bind(&line.first_name)
                    .push_bind(&line.last_name)
                    .push_bind(line.born)
                    .push_bind(line.sex)
                    .push_bind(line.year_group)
                    .push_bind(&line.registration)
                    .push_bind(line.class);
            });
            statement.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// One line as COPY takes it. Nothing in it has to be escaped: what the demo makes up has neither tabulators nor backslashes.
fn copied(text: &mut String, school: Uuid, line: &Line, how: How) {
    let Line {
        upn,
        admission_number,
        first_name,
        last_name,
        born,
        sex,
        year_group,
        registration,
        class,
        ..
    } = line;
    let _ = write!(
        text,
        "{school}\t{upn}\t{admission_number}\t{first_name}\t{last_name}\t{born}\t{sex}\t{year_group}"
    );
    if how == How::Copy {
        let _ = write!(text, "\t{registration}\t{class}");
    }
    text.push('\n');
}
