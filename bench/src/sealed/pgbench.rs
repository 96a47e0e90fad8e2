//! pgbench, of the same PostgreSQL as the database: the thinnest client there is, so that what is measured is the database.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    fault::{Result, io, said},
    workload::Bench,
};

use super::{
    READERS,
    reader::values,
    wire::{Statement, Value},
};

/// The same transaction twice: without row security, and sealed.
pub struct Script {
    /// As the table calls it.
    pub name: &'static str,
    /// How many different statements it has.
    pub reads: usize,
    /// How often it has each.
    pub times: usize,
    /// In this order.
    pub paths: [PathBuf; 2],
    /// `name=value`, for both.
    given: Vec<String>,
}

/// What one run came to.
pub struct Ran {
    /// Transactions a second, the connecting not counted.
    pub rate: f64,
    /// How many there were.
    pub transactions: f64,
}

/// Writes both, with these beginnings.
pub fn write(
    folder: &Path,
    name: &'static str,
    begins: [&str; 2],
    reads: &[Statement],
    times: usize,
) -> Result<Script> {
    fs::create_dir_all(folder).map_err(io("the scratch folder"))?;
    let called = name.replace(|letter: char| !letter.is_alphanumeric(), "-");
    let paths = ["open", "sealed"].map(|side| folder.join(format!("{called}-{side}.sql")));
    let open: Vec<Statement> = reads.iter().map(Statement::open).collect();
    let mut given = Vec::new();
    for ((path, begin), reads) in paths.iter().zip(begins).zip([&open, reads]) {
        let (body, values) = body(reads, times)?;
        fs::write(path, format!("{begin};\n{body}rollback;\n"))
            .map_err(io("a script of pgbench"))?;
        given = values;
    }
    Ok(Script {
        name,
        reads: reads.len(),
        times,
        paths,
        given,
    })
}

/// The statements, each so often, and the values of their variables.
fn body(reads: &[Statement], times: usize) -> Result<(String, Vec<String>)> {
    let (mut body, mut given) = (String::new(), Vec::new());
    for (place, read) in reads.iter().enumerate() {
        let mut text = read.text.clone();
        // From the last, or $1 would be found in $10.
        for (number, value) in (1..)
            .zip(values(read)?)
            .collect::<Vec<(u32, _)>>()
            .into_iter()
            .rev()
        {
            let variable = format!("v{place}_{number}");
            text = text.replace(&format!("${number}"), &format!(":{variable}"));
            given.push(match value {
                Value::Uuid(id) => format!("{variable}={id}"),
                Value::Whole(whole) => format!("{variable}={whole}"),
            });
        }
        for _ in 0..times {
            let _ = writeln!(body, "{text};");
        }
    }
    Ok((body, given))
}

impl Script {
    /// Runs the one or the other for a window. The statements are prepared, as sqlx prepares them.
    pub fn run(&self, bench: &Bench, path: &Path, url: &str) -> Result<Ran> {
        let seconds = bench.window().as_secs().max(1).to_string();
        let readers = READERS.to_string();
        let mut command = Command::new(bench.postgres.join("pgbench"));
        command
            .args([
                "-n", "-M", "prepared", "-j", "1", "-c", &readers, "-T", &seconds, "-f",
            ])
            .arg(path);
        for given in &self.given {
            command.args(["-D", given]);
        }
        let told = command.arg(url).output().map_err(io("pgbench"))?;
        let (words, complaints) = (
            String::from_utf8_lossy(&told.stdout),
            String::from_utf8_lossy(&told.stderr),
        );
        let number = |before: &str| {
            words.lines().find_map(|line| {
                let rest = line.strip_prefix(before)?;
                rest.split_whitespace().next()?.parse::<f64>().ok()
            })
        };
        match (
            number("tps = "),
            number("number of transactions actually processed: "),
            number("number of failed transactions: "),
        ) {
            (Some(rate), Some(transactions), Some(0.0)) if told.status.success() => {
                Ok(Ran { rate, transactions })
            }
            _ => Err(said(format!(
                "pgbench did not do {}: {}",
                self.name,
                complaints
                    .lines()
                    .chain(words.lines())
                    .collect::<Vec<_>>()
                    .join(" / ")
            ))),
        }
    }
}
