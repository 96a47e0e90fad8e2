//! What a change costs as an installation grows: in schools, and in the length of their logs.

use std::time::{Duration, Instant};

use crate::{
    chart::{Chart, Line},
    crowd::Crowd,
    fault::{Result, said},
    live::crowd_of,
    machine,
    quorate::{
        PAGES_MOST, Quorate,
        seed::School,
        writer::{Way, Writer},
    },
    report::{Cell, Row, Section},
    stats::{Spread, float, many},
    window::{self, Contestant, Pace},
    workload::Bench,
};

/// Changes a second, however large the installation is.
const CHANGES: f64 = 200.0;
/// Sockets of each school.
const EACH: usize = 2 * PAGES_MOST;
/// A step of ten may cost so much more than the one before, and as a share of the whole, before it is called out.
const STEEPER: f64 = 1.5;
const NOTABLE: f64 = 0.2;

/// What one size came to, round by round.
struct Size {
    size: usize,
    /// Microseconds of the server for each change, with all its deliveries.
    server: Vec<f64>,
    /// Of the database.
    database: Vec<f64>,
    p99: Vec<f64>,
    /// Milliseconds a second of both while nothing changes.
    idle: f64,
    faults: Vec<String>,
}

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    let node = Quorate::start(bench, "growth")?;
    let schools = bench
        .either(&[1_usize, 10, 100, 1_000][..], &[1, 10])
        .iter()
        .map(|size| schools(bench, &node, *size))
        .collect::<Result<Vec<_>>>()?;
    let events = bench
        .either(&[10_000_usize, 100_000, 1_000_000][..], &[1_000, 10_000])
        .iter()
        .map(|size| events(bench, &node, *size))
        .collect::<Result<Vec<_>>>()?;
    Ok(section(&[
        ("schools", schools),
        ("events in the log", events),
    ]))
}

/// So many schools with ten sockets each.
fn schools(bench: &Bench, node: &Quorate, size: usize) -> Result<Size> {
    bench.tell(&format!("{size} schools"));
    let schools = node.open_schools(bench, size)?;
    node.analyse(bench)?;
    let way = Way::ManySchools {
        batch: 1,
        noisy: None,
    };
    measure(bench, node, schools, size, way)
}

/// One school with so many events in its log.
fn events(bench: &Bench, node: &Quorate, size: usize) -> Result<Size> {
    bench.tell(&format!("{size} events"));
    let school = node.open_schools(bench, 1)?.remove(0);
    let wanted = i64::try_from(size).map_err(|_| said("Too many events."))?;
    // In one statement for each ten thousand, as one transaction holds the log's head for as long as it lasts.
    bench.hands.block_on(async {
        loop {
            let added: i64 = sqlx::query_scalar(
                "select count(sec.append_for($1, null, 'membership.renamed', null, '{}', array['people'], null))
                 from generate_series(1, least(10000, $2 - (select h.seq from sec.event_head h where h.tenant_id = $1)))",
            )
            .bind(school.id)
            .bind(wanted)
            .fetch_one(&node.behind)
            .await?;
            if added == 0 {
                return Ok::<_, sqlx::Error>(());
            }
        }
    })?;
    node.analyse(bench)?;
    let way = Way::ManySchools {
        batch: 1,
        noisy: None,
    };
    measure(bench, node, vec![school], size, way)
}

fn measure(
    bench: &Bench,
    node: &Quorate,
    schools: Vec<School>,
    size: usize,
    way: Way,
) -> Result<Size> {
    let mut crowd = Crowd::new()?;
    for (group, school) in (0..).zip(&schools) {
        let people = node.people(bench, school, "governor", EACH / PAGES_MOST)?;
        crowd_of(node, school, &people, EACH, group, &mut crowd)?;
    }
    let id = node.id();
    let mut who = Contestant {
        name: "Quorate",
        crowd,
        publisher: Box::new(Writer::new(bench, node, schools, way)?),
        cpu: Box::new(move || machine::cpu(id)),
        apart: None,
    };
    let database = || node.postgres().map_or(Ok(0.0), machine::cpu_of_family);
    let mut found = Size {
        size,
        server: Vec::new(),
        database: Vec::new(),
        p99: Vec::new(),
        idle: 0.0,
        faults: Vec::new(),
    };
    let (before, start) = (machine::cpu(id)? + database()?, Instant::now());
    who.crowd
        .tend(bench.either(Duration::from_secs(5), Duration::from_secs(1)))?;
    let spent = machine::cpu(id)? + database()? - before;
    found.idle = spent * 1e3 / start.elapsed().as_secs_f64();
    for _ in 0..bench.rounds() {
        let before = database()?;
        let pace = Pace::Open {
            rate: CHANGES,
            burst: 1,
        };
        let outcome = window::run(&mut who, pace, bench.window(), bench.cores.load)?;
        let changes = float(outcome.made.max(1));
        found.server.push(outcome.cpu * 1e6 / changes);
        found.database.push((database()? - before) * 1e6 / changes);
        found.p99.push(outcome.p99);
        found.faults.extend(outcome.faults);
        if outcome.missing > 0 {
            found.faults.push(format!(
                "{} changes did not reach a socket",
                outcome.missing
            ));
        }
    }
    Ok(found)
}

fn section(series: &[(&str, Vec<Size>)]) -> Section {
    let mut rows = Vec::new();
    let mut charts = Vec::new();
    let mut notes = Vec::new();
    for (what, sizes) in series {
        rows.extend(sizes.iter().map(|size| Row {
            name: format!("{} {what}", size.size),
            cells: vec![
                Cell::of(&size.server, 0, ""),
                Cell::of(&size.database, 0, ""),
                Cell::of(&size.p99, 1, ""),
                Cell::of(&[size.idle], 1, ""),
            ],
            invalid: size.faults.clone(),
        }));
        let lines = [
            line(sizes, "server, a change", |size| median(&size.server)),
            line(sizes, "database, a change", |size| median(&size.database)),
            line(sizes, "both, idle", |size| size.idle),
        ];
        for line in &lines {
            if let Some(sentence) = steep(what, line) {
                notes.push(sentence);
            }
        }
        charts.push(Chart {
            name: format!("growth-{}", what.split(' ').next().unwrap_or_default()),
            title: format!("Cost against {what}"),
            x: (*what).to_owned(),
            y: "times that of the smallest".to_owned(),
            lines: lines.to_vec(),
        });
    }
    if notes.is_empty() {
        notes.push("No step of ten costs notably more than the step before: nothing grows faster than log n.".to_owned());
    }
    notes.push(
        "A cost that grows with log n grows by the same amount with every tenfold. The database's cost of a change has \
         that of writing it in it, and the server's that of telling ten sockets."
            .to_owned(),
    );
    Section {
        name: "growth",
        title: "growth: what a change costs as the installation grows".to_owned(),
        about: format!(
            "{CHANGES:.0} changes a second in all, {EACH} sockets in every school; the number of schools, and then the \
             length of one school's log, grows tenfold at a time."
        ),
        columns: [
            "server, µs a change",
            "database, µs a change",
            "p99, ms",
            "idle, ms of CPU a second",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
        verdicts: Vec::new(),
        notes,
        charts,
    }
}

fn median(values: &[f64]) -> f64 {
    Spread::of(values).map_or(0.0, |spread| spread.median)
}

/// As times the first, so that what is small and what is large can be seen on one chart.
fn line(sizes: &[Size], name: &'static str, value: impl Fn(&Size) -> f64) -> Line {
    let first = sizes.first().map_or(1.0, &value).max(f64::EPSILON);
    Line {
        name,
        points: sizes
            .iter()
            .map(|size| (many(size.size), value(size) / first))
            .collect(),
    }
}

/// A sentence where the last step of ten costs notably more than the one before it.
fn steep(what: &str, line: &Line) -> Option<String> {
    let [.., (_, before), (_, middle), (size, last)] = line.points[..] else {
        return None;
    };
    let (step, earlier) = (last - middle, (middle - before).max(0.0));
    (step > NOTABLE * middle && step > STEEPER * earlier).then(|| {
        format!(
            "**Grows faster than log n**: {} with {what}; up to {size:.0} the last tenfold took it from {middle:.2} to \
             {last:.2} times its first cost.",
            line.name
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(points: &[(f64, f64)]) -> Line {
        Line {
            name: "server, a change",
            points: points.to_vec(),
        }
    }

    #[test]
    fn what_grows_with_the_size_is_called_out_and_what_grows_with_its_logarithm_is_not() {
        let log = of(&[(10.0, 1.0), (100.0, 2.0), (1_000.0, 3.0)]);
        assert_eq!(steep("schools", &log), None);
        let linear = of(&[(10.0, 1.0), (100.0, 1.9), (1_000.0, 10.9)]);
        assert!(steep("schools", &linear).is_some_and(|said| said.contains("server, a change")));
        let flat = of(&[(10.0, 1.0), (100.0, 0.98), (1_000.0, 1.05)]);
        assert_eq!(steep("schools", &flat), None);
        assert_eq!(steep("schools", &of(&[(1.0, 1.0), (10.0, 9.0)])), None);
    }
}
