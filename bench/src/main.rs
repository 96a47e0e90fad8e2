//! How fast Quorate is, beside its peers, on this machine: the method and the goals are those of the performance design.
//! `bench/run` brings what this program needs and starts it; `make bench ONLY=live QUICK=1` is one workload in under a minute.

#![forbid(unsafe_code)]

mod chart;
mod child;
mod clock;
mod commit;
mod crowd;
mod fan_out;
mod fault;
mod floor;
mod frame;
mod growth;
mod idle;
mod import;
mod live;
mod machine;
mod pages;
mod peer;
mod quorate;
mod report;
mod revoke;
mod sealed;
mod sign_in;
mod stats;
mod tenants;
mod upload;
mod window;
mod workload;

use std::{os::unix::fs::PermissionsExt as _, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use fault::{Result, io, said};
use machine::{Cores, Machine};
use report::{Report, Section};
use workload::{ALL, Bench, Workload};

#[derive(Parser)]
#[command(name = "bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, and write the results.
    Run(Asked),
    /// Be a peer: what the harness starts.
    #[command(hide = true)]
    Serve {
        /// argon2, floor, maud, store or tungstenite.
        peer: String,
        /// The database of the one that reads one.
        #[arg(long, default_value = "")]
        database: String,
    },
    /// Say which workloads there are.
    List,
}

#[derive(clap::Args)]
struct Asked {
    /// One workload and no other; else all.
    #[arg(long)]
    only: Option<String>,
    /// Seconds instead of minutes.
    #[arg(long)]
    quick: bool,
    /// The release build of Quorate.
    #[arg(long)]
    quorate: PathBuf,
    /// The built front end.
    #[arg(long)]
    site: PathBuf,
    /// PostgreSQL's programs.
    #[arg(long)]
    postgres: PathBuf,
    /// Where the peers were installed.
    #[arg(long)]
    peers: PathBuf,
    /// Where the results go.
    #[arg(long)]
    out: PathBuf,
    /// Keep logs and data, and say where they are.
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(asked) => run(asked),
        Command::Serve { peer, database } => match peer.as_str() {
            "argon2" => peer::argon2::serve(),
            "floor" => peer::floor::serve(),
            "store" => peer::store::serve(),
            "tungstenite" => peer::tungstenite::serve(),
            "maud" => peer::maud::serve(&database),
            other => Err(said(format!("{other} is no peer of ours."))),
        },
        Command::List => {
            for workload in ALL {
                println!("{}", workload.name);
            }
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("bench: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(asked: Asked) -> Result<()> {
    let chosen: Vec<_> = ALL
        .iter()
        .filter(|workload| {
            asked
                .only
                .as_deref()
                .is_none_or(|only| only == workload.name)
        })
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = ALL.iter().map(|workload| workload.name).collect();
        return Err(said(format!(
            "There is no such workload; there are {}.",
            names.join(", ")
        )));
    }
    let cores = Cores::find()?;
    // Before there is any other thread: what starts later starts where this one is.
    machine::pin(std::process::id(), cores.load)?;
    let mut scratch = tempfile::Builder::new()
        .prefix("quorate-bench-")
        .tempdir()
        .map_err(io("the scratch folder"))?;
    // PostgreSQL may run as another user, who has to get through.
    std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o755))
        .map_err(io("the scratch folder"))?;
    scratch.disable_cleanup(asked.keep);
    let hands = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(io("the runtime"))?;
    let bench = Bench {
        cores,
        quick: asked.quick,
        quorate: asked.quorate,
        site: asked.site,
        postgres: asked.postgres,
        peers: asked.peers,
        hands,
        scratch,
    };
    let machine = Machine::look(&asked.out);
    bench.tell("the floor, and the generator alone");
    let (start, generator) = (floor::rate(&bench)?, floor::generator(&bench)?);
    let mut failed = Vec::new();
    let mut report = Report {
        machine,
        cores,
        quick: bench.quick,
        floor: (start, start),
        generator,
        sections: Vec::new(),
    };
    for workload in chosen {
        bench.tell(workload.name);
        // One that fails takes nothing away from the others, which take half an hour.
        report
            .sections
            .push(measured(&bench, workload).unwrap_or_else(|fault| {
                failed.push(workload.name);
                Section::failed(workload.name, &fault)
            }));
        report.floor.1 = floor::rate(&bench)?;
        // Nor does what comes after it, if it is ended.
        report.write(&asked.out)?;
    }
    print!("{}", report.markdown());
    if asked.keep {
        bench.tell(&format!("kept {}", bench.folder().display()));
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(said(format!(
            "It could not be measured: {}.",
            failed.join(", ")
        )))
    }
}

/// Measures once, and once more where that comes to no end; the section then says of the first try.
fn measured(bench: &Bench, workload: &Workload) -> Result<Section> {
    let first = match (workload.run)(bench) {
        Ok(section) => return Ok(section),
        Err(fault) => fault,
    };
    bench.tell(&format!(
        "{} failed, and is tried again: {first}",
        workload.name
    ));
    set_aside(bench, workload.name)?;
    let mut section = (workload.run)(bench).inspect_err(|fault| {
        bench.tell(&format!("{} failed: {fault}", workload.name));
    })?;
    section.notes.push(format!(
        "This is the second try; the first came to no end: {first}"
    ));
    Ok(section)
}

/// Makes room for the data of a second try, and keeps those of the first as long as the others.
fn set_aside(bench: &Bench, name: &str) -> Result<()> {
    let scratch = || io("the scratch folder");
    let aside = bench.folder().join(format!("{name}-first"));
    let entries: Vec<_> = std::fs::read_dir(bench.folder())
        .and_then(Iterator::collect)
        .map_err(scratch())?;
    std::fs::create_dir(&aside).map_err(scratch())?;
    for entry in entries {
        std::fs::rename(entry.path(), aside.join(entry.file_name())).map_err(scratch())?;
    }
    Ok(())
}
