//! Where the time of an import goes: which process uses the processor, and which statements the database, counted by PostgreSQL
//! itself (`pg_stat_statements`).

use sqlx::PgPool;

use super::site::Step;
use crate::{
    fault::Result,
    stats::{float, many},
    workload::Bench,
};

/// As many statements as tell the story, and as much of each.
const MOST: usize = 10;
const WORDS_MOST: usize = 60;

/// What one import came to.
pub struct Profile {
    /// The longest first: seconds, how often, and how the statement begins.
    statements: Vec<(f64, u64, String)>,
    /// Seconds of all of them.
    all: f64,
    /// Seconds of reading and of taking in.
    steps: [f64; 2],
    /// Seconds of processor time: the server, the database, and the process that reads the file.
    used: [f64; 3],
}

/// Has the database count, from its next start on.
pub fn install(bench: &Bench, database: &PgPool) -> Result<()> {
    for statement in [
        "alter system set shared_preload_libraries = 'pg_stat_statements'",
        "create extension pg_stat_statements schema bench",
    ] {
        bench
            .hands
            .block_on(sqlx::raw_sql(statement).execute(database))?;
    }
    Ok(())
}

/// Forgets what was counted.
pub fn begin(bench: &Bench, database: &PgPool) -> Result<()> {
    let reset = "select from bench.pg_stat_statements_reset()";
    bench
        .hands
        .block_on(sqlx::raw_sql(reset).execute(database))?;
    Ok(())
}

impl Profile {
    /// Of the statements since, and of the steps that sent them.
    pub fn of(bench: &Bench, database: &PgPool, steps: &[Step; 2]) -> Result<Self> {
        let rows: Vec<(f64, i64, String)> = bench.hands.block_on(
            sqlx::query_as(
                "select s.total_exec_time / 1000, s.calls, s.query from bench.pg_stat_statements s
                 join pg_roles r on r.oid = s.userid
                 where r.rolname = 'quorate_web' and s.toplevel order by s.total_exec_time desc",
            )
            .fetch_all(database),
        )?;
        let all = rows.iter().map(|(seconds, _, _)| seconds).sum();
        let statements = rows
            .into_iter()
            .take(MOST)
            .map(|(seconds, calls, query)| {
                (
                    seconds,
                    u64::try_from(calls).unwrap_or(0),
                    beginning(&query),
                )
            })
            .collect();
        let [read, taken] = steps;
        Ok(Self {
            statements,
            all,
            steps: [read.seconds, taken.seconds],
            used: std::array::from_fn(|place| {
                let of = |step: &Step| step.used.get(place).copied().unwrap_or(0.0);
                of(read) + of(taken)
            }),
        })
    }

    /// As notes under the table.
    pub fn notes(&self) -> Vec<String> {
        let ([read, taken], [server, database, reader]) = (self.steps, self.used);
        let percent = |part: f64| 100.0 * part / (read + taken);
        let statements: Vec<String> = self
            .statements
            .iter()
            .map(|(seconds, calls, query)| {
                format!(
                    "{:.0} % `{query}` ({seconds:.2} s, {:.0} ×)",
                    percent(*seconds),
                    float(*calls)
                )
            })
            .collect();
        vec![
            format!(
                "Where the time goes, in one import more with PostgreSQL counting: {read:.2} s until it was compared and \
                 {taken:.2} s until it was taken in. Processor time: {server:.2} s of the server, {database:.2} s of the \
                 database and {reader:.2} s of the process that reads the file."
            ),
            format!(
                "Its statements took {:.2} s together. Of the {:.2} s, the {:.0} longest: {}.",
                self.all,
                read + taken,
                many(self.statements.len()),
                statements.join("; ")
            ),
        ]
    }
}

/// The first words of a statement, in one line and without what would end a quotation.
fn beginning(query: &str) -> String {
    let line = query.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('`', "'").chars().take(WORDS_MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_told_by_its_first_words() {
        let query = "insert into pupil (tenant_id,\n     id)\n select `x` from roster_row r where r.tenant_id = $1 and more";
        assert_eq!(
            beginning(query),
            "insert into pupil (tenant_id, id) select 'x' from roster_row"
        );
    }
}
