//! G5: from the commit of a change to the screens that show it, and what the event row costs whoever writes.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use sqlx::AssertSqlSafe;

use crate::{
    crowd::Crowd,
    fault::Result,
    live::crowd_of,
    machine,
    quorate::{
        PAGES_MOST, Quorate,
        seed::{Person, School},
        writer::{Clerk, Way, Writer},
    },
    report::{Bound, Cell, Row, Section, Verdict},
    stats::{Spread, abba, float},
    window::{self, Contestant, Outcome, Pace},
    workload::Bench,
};

/// Changes a second; where the node does not make so many, fewer are tried.
const RATES: &[f64] = &[500.0, 350.0, 250.0, 150.0, 75.0];
/// Who writes at once in the comparison.
const WRITERS: usize = 24;

/// How a change is written in the comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// The row alone.
    Bare,
    /// As `domain::db::Write::commit` does it.
    Event,
    /// And what it does not: NOTIFY in the transaction.
    Notify,
}

const VARIANTS: [(Variant, &str); 3] = [
    (Variant::Bare, "the same update without an event row"),
    (Variant::Event, "with the event row, as Quorate writes"),
    (
        Variant::Notify,
        "with the event row and NOTIFY in the transaction",
    ),
];

/// A school with a clerk and somebody to be renamed.
struct Office {
    school: School,
    clerk: Person,
    /// Over HTTP, and whose pages are open.
    person: Person,
    /// In the comparison.
    other: Person,
}

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    let schools: usize = bench.either(200, 24);
    let node = Quorate::start(bench, "commit")?;
    bench.tell("schools, people and their sockets");
    let mut offices = Vec::new();
    for school in node.open_schools(bench, schools)? {
        let mut people = node.people(bench, &school, "governor", 2)?;
        let (other, person) = (people.remove(1), people.remove(0));
        let clerk = node.people(bench, &school, "clerk", 1)?.remove(0);
        offices.push(Office {
            school,
            clerk,
            person,
            other,
        });
    }
    node.analyse(bench)?;
    // Before there is any socket, so that nothing but writing goes on.
    let mut rates: [Vec<f64>; 3] = Default::default();
    for round in 0..bench.rounds() {
        for place in abba(VARIANTS.len(), round) {
            let (Some((variant, _)), Some(rates)) = (VARIANTS.get(place), rates.get_mut(place))
            else {
                continue;
            };
            rates.push(write(bench, &node, &offices, *variant)?);
        }
    }
    bench.tell("to the screens");
    let mut screens = screens(bench, &node, &offices)?;
    let mut rate = 0.0;
    for tried in RATES {
        rate = *tried;
        if measure(bench, &mut screens, rate)?.on_time {
            break;
        }
    }
    let mut outcomes = Vec::new();
    for _ in 0..bench.rounds() {
        outcomes.push(measure(bench, &mut screens, rate)?);
    }
    Ok(section(&rates, &outcomes, schools, rate))
}

fn measure(bench: &Bench, who: &mut Contestant, rate: f64) -> Result<Outcome> {
    window::run(
        who,
        Pace::Open { rate, burst: 1 },
        bench.window(),
        bench.cores.load,
    )
}

/// Everybody who looks at a school is one person with five pages; its clerk renames them over HTTP.
fn screens(bench: &Bench, node: &Quorate, offices: &[Office]) -> Result<Contestant> {
    let mut crowd = Crowd::new()?;
    let mut clerks = Vec::new();
    for (group, office) in (0..).zip(offices) {
        let person = std::slice::from_ref(&office.person);
        crowd_of(node, &office.school, person, PAGES_MOST, group, &mut crowd)?;
        clerks.push(Clerk {
            door: node.door(&office.school.label),
            cookie: office.clerk.cookie.clone(),
            person: office.person.clone(),
        });
    }
    let schools = offices.iter().map(|office| office.school.clone()).collect();
    let (id, postgres) = (node.id(), node.postgres());
    Ok(Contestant {
        name: "Quorate",
        crowd,
        publisher: Box::new(Writer::new(bench, node, schools, Way::Clerks(clerks))?),
        cpu: Box::new(move || {
            Ok(machine::cpu(id)? + postgres.map_or(Ok(0.0), machine::cpu_of_family)?)
        }),
        apart: None,
    })
}

/// Commits a second of one variant, with the statements of one change in one round trip.
fn write(bench: &Bench, node: &Quorate, offices: &[Office], variant: Variant) -> Result<f64> {
    let (ended, count) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let writers: Vec<_> = offices
        .iter()
        .take(WRITERS)
        .map(|office| {
            let (ended, count, web) = (ended.clone(), count.clone(), node.web.clone());
            let statements = ["A", "B"].map(|letter| statement(office, variant, letter));
            bench.hands.spawn(async move {
                let mut turn = 0;
                while !ended.load(Ordering::Relaxed) {
                    let statement = statements[turn % 2].clone();
                    sqlx::raw_sql(AssertSqlSafe(statement))
                        .execute(&web)
                        .await?;
                    count.fetch_add(1, Ordering::Relaxed);
                    turn += 1;
                }
                Ok::<_, sqlx::Error>(())
            })
        })
        .collect();
    // The first connections and plans are not what is measured.
    std::thread::sleep(bench.window() / 3);
    let (warm, from) = (count.load(Ordering::Relaxed), Instant::now());
    std::thread::sleep(bench.window());
    let made = count.load(Ordering::Relaxed) - warm;
    let seconds = from.elapsed().as_secs_f64();
    ended.store(true, Ordering::Relaxed);
    for writer in writers {
        bench
            .hands
            .block_on(writer)
            .map_err(|error| crate::fault::said(error.to_string()))??;
    }
    Ok(float(made) / seconds)
}

/// What `domain::membership::rename` writes. Ids and tokens are of the harness's own making, and in hexadecimal.
fn statement(office: &Office, variant: Variant, letter: &str) -> String {
    let token = office
        .clerk
        .token
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
    let (tenant, id) = (office.school.id, office.other.membership);
    let append =
        format!("select sec.append('membership.renamed', '{id}', '{{}}', array['people'], null); ");
    let more = match variant {
        Variant::Bare => String::new(),
        Variant::Event => append,
        Variant::Notify => append + "select pg_notify('changes', ''); ",
    };
    format!(
        "begin; select sec.enter('\\x{token}'); update membership set name = 'Governor {letter}' where tenant_id = \
         '{tenant}' and id = '{id}'; {more}commit"
    )
}

fn section(rates: &[Vec<f64>; 3], outcomes: &[Outcome], schools: usize, rate: f64) -> Section {
    let of = |value: fn(&Outcome) -> f64| -> Vec<f64> { outcomes.iter().map(value).collect() };
    let mut faults: Vec<String> = outcomes
        .iter()
        .flat_map(|outcome| outcome.faults.iter().cloned())
        .collect();
    let missing: u64 = outcomes.iter().map(|outcome| outcome.missing).sum();
    if missing > 0 {
        faults.push(format!("{missing} changes did not reach a socket"));
    }
    let holds = faults.is_empty();
    let [bare, event, notify] = rates;
    let mut rows: Vec<Row> = VARIANTS
        .iter()
        .zip(rates)
        .map(|((_, name), rates)| Row {
            name: (*name).to_owned(),
            cells: vec![
                Cell::of(rates, 0, ""),
                Cell::ratio(Spread::ratio(rates, bare)),
                None,
                None,
                None,
            ],
            invalid: vec![],
        })
        .collect();
    let per_change = |outcome: &Outcome| outcome.cpu * 1e3 / float(outcome.made.max(1));
    rows.push(Row {
        name: format!("over HTTP, {schools} schools, {rate:.0}/s asked for"),
        cells: vec![
            Cell::of(&of(|outcome| float(outcome.made) / outcome.seconds), 0, ""),
            None,
            Cell::of(&of(|outcome| outcome.p50), 1, ""),
            Cell::of(&of(|outcome| outcome.p99), 1, ""),
            Cell::of(&of(per_change), 2, ""),
        ],
        invalid: faults,
    });
    let age = |value: fn(&Outcome) -> f64| holds.then(|| Cell::of(&of(value), 1, " ms")).flatten();
    let what =
        |which: &str| format!("age of an event on a screen, {which}, at {rate:.0} changes/s");
    let mut notes = vec![
        format!(
            "The comparison: {WRITERS} connections, each the clerk of a school of their own, each change in one round \
             trip: begin, `sec.enter`, the update, `sec.append` where it is, commit; durable (`fsync` on)."
        ),
        "The age counts from the event's own stamp, which it gets just before its commit; the node, its database and the \
         hub share one core.".to_owned(),
    ];
    if rate < RATES.first().copied().unwrap_or(0.0) {
        notes.push(format!(
            "The goal is of {:.0} changes a second; on this core the whole path over HTTP made no more than {rate:.0}.",
            RATES.first().copied().unwrap_or(0.0)
        ));
    }
    Section {
        name: "commit",
        title: "commit to screen (G5)".to_owned(),
        about: "How long a committed change takes to the sockets of its school, and what the event row costs.".to_owned(),
        columns: ["changes/s", "of the bare update", "age p50, ms", "age p99, ms", "CPU a change, ms"]
            .map(str::to_owned)
            .to_vec(),
        rows,
        verdicts: vec![
            Verdict::new(
                "G5",
                "changes a second over HTTP",
                holds.then(|| Cell::of(&of(|outcome| float(outcome.made) / outcome.seconds), 0, "")).flatten(),
                // A window ends with the last frame, which makes it a little longer than it was planned.
                Bound::AtLeast(0.95 * 500.0),
                None,
            ),
            Verdict::new("G5", what("p50"), age(|outcome| outcome.p50), Bound::AtMost(5.0), None),
            Verdict::new("G5", what("p99"), age(|outcome| outcome.p99), Bound::AtMost(25.0), None),
            Verdict::new(
                "G5",
                "writes, of the same without the event",
                Cell::ratio(Spread::ratio(event, bare)),
                Bound::AtLeast(0.5),
                Some(Bound::AtLeast(0.65)),
            ),
            Verdict::new(
                "G5",
                "writes, beside NOTIFY in the transaction",
                Cell::ratio(Spread::ratio(event, notify)),
                Bound::AtLeast(3.0),
                None,
            ),
        ],
        notes,
        charts: Vec::new(),
    }
}
