//! G11: a change in a restricted folder, told to those of three thousand who read it, and to nobody else.

mod statements;

use std::{collections::BTreeMap, time::Duration};

use statements::{Count, Statements};

use crate::{
    crowd::Crowd,
    fault::{Result, said},
    machine,
    quorate::{
        Quorate,
        seed::{Person, School},
        writer::{Way, Writer},
    },
    report::{Bound, Cell, Row, Section, Verdict},
    stats::{Spread, float, many},
    window::{self, Contestant, Outcome, Pace},
    workload::Bench,
};

const NAME: &str = "fan-out";
/// Milliseconds within which 99 of 100 deliveries must come for a rate to count as sustained.
const P99: f64 = 50.0;
/// Shares of what it did when it was driven as hard as it goes, tried from the top.
const STEPS: &[f64] = &[1.0, 0.92, 0.84, 0.76, 0.68, 0.6, 0.5, 0.4, 0.3];
/// One in so many reads the folder.
const ONE_IN: usize = 3;
/// The groups of the crowd.
const READERS: u32 = 0;
const OTHERS: u32 = 1;

/// A school with a restricted folder.
struct Library {
    school: School,
    clerk: Person,
    /// As sockets name it.
    topic: String,
}

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    let clients: usize = bench.either(3_000, 300);
    let node = Quorate::start(bench, NAME)?;
    let (statements, node) = Statements::install(bench, node, NAME)?;
    bench.tell("people, a folder and their sockets");
    let school = node.open_schools(bench, 1)?.remove(0);
    let clerk = node.people(bench, &school, "clerk", 1)?.remove(0);
    let people = node.people(bench, &school, "governor", clients)?;
    let topic = open_folder(bench, &node, &school, &clerk, &people)?;
    node.analyse(bench)?;
    let library = Library {
        school,
        clerk,
        topic,
    };
    let mut faults = Vec::new();
    let mut who = contestant(bench, &node, &library, &people, &mut faults)?;

    // From here on what is measured is the telling.
    node.pin_database(bench.cores.load)?;
    let hard = window(bench, &mut who, Pace::Closed { depth: 4 }, &mut faults)?;
    let most = hard.rate() / many(who.crowd.live());
    let (mut outcomes, mut counts) = (Vec::new(), Vec::new());
    let (mut looked_up, mut named) = (Vec::new(), BTreeMap::new());
    for round in 0..bench.rounds() {
        for step in STEPS {
            statements.begin(bench)?;
            let pace = Pace::Open {
                rate: most * step,
                burst: 1,
            };
            let outcome = window(bench, &mut who, pace, &mut faults)?;
            let count = statements.count(bench)?;
            // Also of a window whose rate was not sustained: nobody may be looked up at any.
            looked_up.push(float(count.others.values().sum()) / float(outcome.made.max(1)));
            note(&mut named, &count);
            if outcome.holds(P99) {
                outcomes.push(outcome);
                counts.push(count);
                break;
            }
        }
        bench.tell(&format!("round {} of {}", round + 1, bench.rounds()));
    }
    Ok(section(
        &outcomes,
        &counts,
        &LookUps {
            per_event: looked_up,
            named,
        },
        &faults,
        clients,
    ))
}

/// Statements that may have looked up who may hear of an event, in all windows.
struct LookUps {
    per_event: Vec<f64>,
    named: BTreeMap<String, u64>,
}

fn note(named: &mut BTreeMap<String, u64>, count: &Count) {
    for (query, calls) in &count.others {
        *named.entry(query.clone()).or_default() += calls;
    }
}

fn window(
    bench: &Bench,
    who: &mut Contestant,
    pace: Pace,
    faults: &mut Vec<String>,
) -> Result<Outcome> {
    let outcome = window::run(who, pace, bench.window(), bench.cores.load)?;
    faults.extend(outcome.faults.iter().cloned());
    Ok(outcome)
}

fn reads(place: usize) -> bool {
    place.is_multiple_of(ONE_IN)
}

/// As the clerk does, over HTTP: one form with everybody who reads it, of whom the first files there. The topic of it.
fn open_folder(
    bench: &Bench,
    node: &Quorate,
    school: &School,
    clerk: &Person,
    people: &[Person],
) -> Result<String> {
    let readers: Vec<(String, String)> = people
        .iter()
        .enumerate()
        .filter(|(place, _)| reads(*place))
        .enumerate()
        .map(|(number, (_, person))| (format!("people[{number}]"), person.membership.to_string()))
        .collect();
    let first = readers.first().map_or("", |(_, id)| id.as_str());
    let mut form = vec![
        ("act", "library/open-folder"),
        ("name", "Exclusions"),
        ("restricted", "true"),
        ("filers[0]", first),
    ];
    form.extend(
        readers
            .iter()
            .map(|(name, id)| (name.as_str(), id.as_str())),
    );
    let asked = node.post(&school.label, "/library/add", &clerk.cookie, &form);
    let answer = bench.hands.block_on(asked)?;
    answer
        .headers()
        .get("location")
        .and_then(|to| {
            to.to_str()
                .ok()?
                .strip_prefix("/library/")?
                .split('?')
                .next()
        })
        .map(|id| format!("folder/{id}"))
        .ok_or_else(|| said(format!("No folder was opened: {}.", answer.status())))
}

/// Everybody asks for the folder, with one socket each; a third is to be let, and the others are to be refused.
fn contestant(
    bench: &Bench,
    node: &Quorate,
    library: &Library,
    people: &[Person],
    faults: &mut Vec<String>,
) -> Result<Contestant> {
    let mut crowd = Crowd::watching(&library.topic)?;
    for (place, person) in people.iter().enumerate() {
        let group = if reads(place) { READERS } else { OTHERS };
        crowd.add(node.place(&library.school.label, &person.cookie, group));
    }
    crowd.connect(0..crowd.len(), 16, Duration::from_secs(180))?;
    // A refusal comes behind the answer to what else was asked for.
    crowd.tend(Duration::from_millis(500))?;
    let wrong = (0..crowd.len())
        .filter(|socket| crowd.refused(*socket) == (crowd.group(*socket) == READERS))
        .count();
    if wrong > 0 {
        faults.push(format!(
            "{wrong} sockets were let watch what is not for them, or refused what is"
        ));
    }
    let way = Way::OtherNode {
        token: library.clerk.token,
        batch: 10,
    };
    let schools = vec![library.school.clone()];
    let id = node.id();
    Ok(Contestant {
        name: "Quorate",
        crowd,
        publisher: Box::new(Writer::about(bench, node, schools, way, &library.topic)?),
        cpu: Box::new(move || machine::cpu(id)),
        apart: None,
    })
}

fn section(
    outcomes: &[Outcome],
    counts: &[Count],
    others: &LookUps,
    faults: &[String],
    clients: usize,
) -> Section {
    let of = |value: fn(&Outcome) -> f64| -> Vec<f64> { outcomes.iter().map(value).collect() };
    let per_event = |value: fn(&Count) -> u64| -> Vec<f64> {
        outcomes
            .iter()
            .zip(counts)
            .map(|(outcome, count)| float(value(count)) / float(outcome.made.max(1)))
            .collect()
    };
    let holds = faults.is_empty();
    let mut notes = vec![
        "Whoever reads the folder is named in it by a form of the clerk's, over HTTP; everybody has one socket, and asks there \
         for their own place and for the folder. Whether it is for them is looked up when they ask (`sec.folders_read()`, by \
         which row security decides on what lies in it too), and never again: who loses it loses the socket. Two in three \
         must be refused, and stay connected."
            .to_owned(),
        "A frame on a socket that was refused is one of a change that was not made there, and makes the row invalid; so do \
         one too few, one too many and an order that goes back on the others."
            .to_owned(),
        "Changes are made as another node makes them, sealed as the clerk, with the database on the load's core; the server \
         has a core for itself, and its rate is that of one core."
            .to_owned(),
        "Statements are PostgreSQL's own count (`pg_stat_statements`) of the logins that have to do with sockets, without the \
         four by which changes are made. The hub's login reads the log, one statement for everything that is new, whoever \
         hears of it, and at least five times a second; by the clock it asks whether sessions live and whether the log is the \
         same. Nothing else may come: the goal is of statements that look up who may hear."
            .to_owned(),
    ];
    let named: Vec<String> = others
        .named
        .iter()
        .map(|(query, calls)| format!("{query} ({calls} ×)"))
        .take(10)
        .collect();
    if !named.is_empty() {
        notes.push(format!("Other statements: {}.", named.join("; ")));
    }
    if outcomes.is_empty() {
        notes.push("No rate was sustained.".to_owned());
    }
    Section {
        name: NAME,
        title: format!("fan-out (G11): {clients} clients, of whom one in {ONE_IN} may see it"),
        about: format!(
            "A restricted folder is read by a third of the {clients} people of a school, who all have a socket open. Changes \
             in it are told to that third. A rate is sustained when every frame comes, in order, to whom it is for and to \
             nobody else, and 99 of 100 within {P99:.0} ms of the change."
        ),
        columns: [
            "sustained, deliveries/s",
            "p50, ms",
            "p99, ms",
            "CPU a delivery, µs",
            "load's core busy",
            "reads of the log an event",
            "statements by the clock",
            "other statements an event",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: vec![Row {
            name: "Quorate".to_owned(),
            cells: vec![
                Cell::of(&of(Outcome::rate), 0, ""),
                Cell::of(&of(|outcome| outcome.p50), 1, ""),
                Cell::of(&of(|outcome| outcome.p99), 1, ""),
                Cell::of(&of(Outcome::cost), 2, ""),
                Cell::of(&of(|outcome| outcome.load * 100.0), 0, "%"),
                Cell::of(&per_event(|count| count.log), 2, ""),
                Cell::of(
                    &counts
                        .iter()
                        .map(|count| float(count.clock))
                        .collect::<Vec<_>>(),
                    0,
                    "",
                ),
                Cell::of(&others.per_event, 2, ""),
            ],
            invalid: faults.to_vec(),
        }],
        verdicts: vec![
            Verdict::new(
                "G11",
                "sustained, deliveries/s on one core",
                holds.then(|| Cell::of(&of(Outcome::rate), 0, "")).flatten(),
                Bound::AtLeast(150_000.0),
                None,
            ),
            Verdict::new(
                "G11",
                "statements an event at delivery, the most in any window",
                Spread::of(&others.per_event)
                    .filter(|_| holds)
                    .and_then(|spread| Cell::of(&[spread.high], 2, "")),
                Bound::AtMost(0.0),
                None,
            ),
        ],
        notes,
        charts: Vec::new(),
    }
}
