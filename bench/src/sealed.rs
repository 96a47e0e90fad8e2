//! G6: what row security costs whoever reads, beside a login that it does not hold.

mod pgbench;
mod reader;
mod table;
mod wire;

use std::{path::Path, time::Duration};

use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::{
    fault::{Result, said},
    machine::{self, Watch},
    quorate::{CLERK, Quorate, SCHOOL},
    report::Section,
    stats::abba,
    workload::Bench,
};

use pgbench::Script;
use reader::{WAYS, compare, hex, listen, page};
use table::{Measured, section};
use wire::Statement;

/// How a reading transaction begins (`server/domain/src/db.rs`).
const BEGIN: &str = "begin isolation level repeatable read read only";
/// Who read at once: enough that the database never waits for them.
const READERS: usize = 4;
/// Pages over which round trips are counted.
const COUNTED: u64 = 20;

/// What a page asks, in this order, and last a statement that is too long for one.
const READS: [&str; 6] = [
    "a person, by their key",
    "who was invited and has not come",
    "how often one wants letters",
    "whose letters came back",
    "whether others see what one reads",
    "everybody in the school",
];
/// How many of them are the page's.
const PAGE: usize = 5;

/// What is measured of one contestant, round by round.
#[derive(Default)]
struct Tally {
    /// Microseconds of the server's core for one.
    time: Vec<f64>,
    /// Microseconds of the database's processes for one.
    cpu: Vec<f64>,
    /// Microseconds that somebody alone waits for one, in the middle.
    alone: Vec<f64>,
}

/// The caller, and how each reader connects.
struct Scene {
    token: [u8; 16],
    tenant: Uuid,
    /// Whom the page shows.
    person: Uuid,
    /// Row security holds it.
    web: PgConnectOptions,
    /// And not it.
    open: PgConnectOptions,
}

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    let node = Quorate::start(bench, "sealed")?;
    let people = bench.either(1_200, 200);
    let schools = bench.either(200, 20);
    bench.tell("schools and people");
    let scene = scene(bench, &node, people, schools)?;
    let (reads, turns) = listen(bench, &scene)?;
    let differing = compare(bench, &scene, &reads)?;

    let folder = bench.folder().join("sealed");
    let urls = [node.url("backup")?, node.url("web")?];
    let scripts = scripts(bench, &reads, &scene.token, &folder)?;
    let mut told: Vec<[Tally; 2]> = scripts.iter().map(|_| Default::default()).collect();
    let mut pages: [Tally; 3] = Default::default();
    let mut limited = false;
    for round in 0..bench.rounds() {
        for place in abba(scripts.len() * 2, round) {
            let (Some(script), Some(tallies)) = (scripts.get(place / 2), told.get_mut(place / 2))
            else {
                continue;
            };
            let side = place % 2;
            let (Some(url), Some(path), Some(tally)) = (
                urls.get(side),
                script.paths.get(side),
                tallies.get_mut(side),
            ) else {
                continue;
            };
            let (cpu, watch) = (database(&node)?, Watch::start(bench.cores.server)?);
            let ran = script.run(bench, path, url)?;
            limited |= watch.busy()? < 0.9;
            // What a backend has used is its parent's when it has gone, and not at once.
            std::thread::sleep(Duration::from_millis(100));
            tally.time.push(1e6 / ran.rate);
            tally
                .cpu
                .push((database(&node)? - cpu) * 1e6 / ran.transactions);
        }
        for place in abba(WAYS.len(), round) {
            if let (Some(way), Some(tally)) = (WAYS.get(place), pages.get_mut(place)) {
                limited |= page(bench, &node, &scene, &reads, *way, tally)? < 0.9;
            }
        }
        bench.tell(&format!("round {} of {}", round + 1, bench.rounds()));
    }
    Ok(section(&Measured {
        scripts: &scripts,
        told: &told,
        pages: &pages,
        turns,
        differing: &differing,
        people,
        schools,
        limited,
    }))
}

/// A school of the demo that has grown, among many others, and its clerk.
fn scene(bench: &Bench, node: &Quorate, people: usize, schools: usize) -> Result<Scene> {
    let school = node.school(bench, SCHOOL)?;
    let everybody = node.people(bench, &school, "governor", people)?;
    for other in node.open_schools(bench, schools)? {
        node.people(bench, &other, "governor", 10)?;
    }
    node.analyse(bench)?;
    let clerk: Uuid = bench.hands.block_on(
        sqlx::query_scalar(
            "select m.id from membership m join account a on a.id = m.account_id where m.tenant_id = $1 and a.email = $2",
        )
        .bind(school.id)
        .bind(CLERK)
        .fetch_one(&node.behind),
    )?;
    let token = bench.hands.block_on(node.open_session(&school, clerk))?;
    Ok(Scene {
        token,
        tenant: school.id,
        person: everybody
            .first()
            .map(|person| person.membership)
            .ok_or_else(|| said("There is nobody in the school."))?,
        web: node.url("web")?.parse()?,
        open: node.url("backup")?.parse()?,
    })
}

/// A transaction with nothing in it, one for each statement, and the page. A quick run has the first and the last statement.
fn scripts(
    bench: &Bench,
    reads: &[Statement],
    token: &[u8; 16],
    folder: &Path,
) -> Result<Vec<Script>> {
    let seal = format!("select sec.enter('\\x{}')", hex(token));
    let write = |name: &'static str, reads: &[Statement], times: usize| {
        pgbench::write(
            folder,
            name,
            [BEGIN, &format!("{BEGIN};\n{seal}")],
            reads,
            times,
        )
    };
    let mut scripts = vec![
        write("begin, and end", &[], 0)?,
        write(
            "a page of five reads, by pgbench",
            reads.get(..PAGE).unwrap_or_default(),
            1,
        )?,
    ];
    for (place, (name, read)) in READS.into_iter().zip(reads).enumerate() {
        if !bench.quick || place % PAGE == 0 {
            // The last takes a hundred times as long as the others. pgbench prepares each repetition anew, so few are best.
            let times = if place < PAGE { 20 } else { 5 };
            scripts.push(write(name, std::slice::from_ref(read), times)?);
        }
    }
    Ok(scripts)
}

/// Seconds that the database's processes have used.
fn database(node: &Quorate) -> Result<f64> {
    node.postgres().map_or(Ok(0.0), machine::cpu_of_family)
}
