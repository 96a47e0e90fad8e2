//! G2: many schools at once, and one that is noisy.

use std::time::Duration;

use crate::{
    crowd::Crowd,
    fault::{Result, said},
    live::crowd_of,
    machine,
    quorate::{
        PAGES_MOST, Quorate,
        seed::School,
        writer::{Way, Writer},
    },
    report::{Bound, Cell, Row, Section, Verdict},
    stats::{Spread, abba, many},
    window::{self, Contestant, Outcome, Pace, Publisher},
    workload::Bench,
};

/// Changes a second of each school; where the database does not make so many, fewer are tried.
const RATES: &[f64] = &[20.0, 10.0, 5.0, 2.0];
/// How many times louder the noisy school is.
const LOUD: u64 = 10;
/// Schools in one commit.
const BATCH: usize = 25;

/// What is compared.
const VARIANTS: [&str; 3] = [
    "one school",
    "many schools",
    "many schools, one of them noisy",
];

struct Tally {
    outcomes: Vec<Outcome>,
    faults: Vec<String>,
}

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    let schools: usize = bench.either(500, 25);
    let each: usize = bench.either(18, 10);
    let alone: usize = bench.either(1_000, 200);
    let node = Quorate::start(bench, "tenants")?;
    node.pin_database(bench.cores.load)?;
    bench.tell("schools, people and their sockets");
    let opened = node.open_schools(bench, schools + 1)?;
    let (single, all) = opened
        .split_first()
        .ok_or_else(|| said("There are no schools."))?;
    // The many first: who is connected and not heard for a minute is taken for gone.
    let mut all_of_them = many_schools(bench, &node, all, each)?;
    let mut one = one_school(bench, &node, single, alone)?;
    node.analyse(bench)?;
    let plain = Way::ManySchools {
        batch: BATCH,
        noisy: None,
    };
    let noisy = Way::ManySchools {
        batch: BATCH,
        noisy: Some((0, LOUD)),
    };
    let plain: Box<dyn Publisher> = Box::new(Writer::new(bench, &node, all.to_vec(), plain)?);
    let mut noisy: Box<dyn Publisher> = Box::new(Writer::new(bench, &node, all.to_vec(), noisy)?);

    // The highest rate at which the database makes what is asked for: it is the hub that is measured.
    let mut rate = 0.0;
    all_of_them.publisher = plain;
    for tried in RATES {
        rate = *tried;
        if measure(bench, &mut all_of_them, rate * many(schools), true)?.on_time {
            break;
        }
    }
    let mut tallies = VARIANTS.map(|_| Tally {
        outcomes: Vec::new(),
        faults: Vec::new(),
    });
    for round in 0..bench.rounds() {
        for variant in abba(VARIANTS.len(), round) {
            let outcome = match variant {
                0 => {
                    // As many deliveries a second as the schools have together, as far as a hub can make them.
                    let changes = (rate * many(schools * each) / many(alone)).min(100.0);
                    measure(bench, &mut one, changes, false)?
                }
                1 => measure(bench, &mut all_of_them, rate * many(schools), true)?,
                _ => {
                    std::mem::swap(&mut all_of_them.publisher, &mut noisy);
                    all_of_them.apart = Some(0);
                    let outcome = measure(bench, &mut all_of_them, rate * many(schools), true)?;
                    std::mem::swap(&mut all_of_them.publisher, &mut noisy);
                    all_of_them.apart = None;
                    outcome
                }
            };
            if let Some(tally) = tallies.get_mut(variant) {
                tally.faults.extend(outcome.faults.iter().cloned());
                if outcome.missing > 0 {
                    tally.faults.push(format!(
                        "{} changes did not reach a socket",
                        outcome.missing
                    ));
                }
                tally.outcomes.push(outcome);
            }
            one.crowd.tend(Duration::from_millis(1))?;
            all_of_them.crowd.tend(Duration::from_millis(1))?;
        }
        bench.tell(&format!("round {} of {}", round + 1, bench.rounds()));
    }
    Ok(section(&tallies, schools, each, alone, rate))
}

fn measure(bench: &Bench, who: &mut Contestant, rate: f64, batched: bool) -> Result<Outcome> {
    let burst = if batched {
        u64::try_from(BATCH).unwrap_or(1)
    } else {
        1
    };
    window::run(
        who,
        Pace::Open { rate, burst },
        bench.window(),
        bench.cores.load,
    )
}

fn one_school(
    bench: &Bench,
    node: &Quorate,
    school: &School,
    sockets: usize,
) -> Result<Contestant> {
    let people = node.people(bench, school, "governor", sockets.div_ceil(PAGES_MOST))?;
    let clerk = node.people(bench, school, "clerk", 1)?.remove(0);
    let mut crowd = Crowd::new()?;
    crowd_of(node, school, &people, sockets, 0, &mut crowd)?;
    let way = Way::OtherNode {
        token: clerk.token,
        batch: 1,
    };
    contestant(bench, node, "one school", crowd, vec![school.clone()], way)
}

fn many_schools(
    bench: &Bench,
    node: &Quorate,
    schools: &[School],
    each: usize,
) -> Result<Contestant> {
    let mut crowd = Crowd::new()?;
    for (group, school) in (0..).zip(schools) {
        let people = node.people(bench, school, "governor", each.div_ceil(PAGES_MOST))?;
        crowd_of(node, school, &people, each, group, &mut crowd)?;
        if group % 50 == 0 {
            // Those who are there already are pinged meanwhile.
            crowd.tend(Duration::from_millis(1))?;
        }
    }
    let nobody = Way::ManySchools {
        batch: BATCH,
        noisy: None,
    };
    contestant(bench, node, "many schools", crowd, schools.to_vec(), nobody)
}

fn contestant(
    bench: &Bench,
    node: &Quorate,
    name: &'static str,
    crowd: Crowd,
    schools: Vec<School>,
    way: Way,
) -> Result<Contestant> {
    let id = node.id();
    Ok(Contestant {
        name,
        crowd,
        publisher: Box::new(Writer::new(bench, node, schools, way)?),
        cpu: Box::new(move || machine::cpu(id)),
        apart: None,
    })
}

fn section(tallies: &[Tally; 3], schools: usize, each: usize, alone: usize, rate: f64) -> Section {
    let of = |tally: &Tally, value: fn(&Outcome) -> f64| -> Vec<f64> {
        tally.outcomes.iter().map(value).collect()
    };
    let rows = tallies
        .iter()
        .zip(VARIANTS)
        .map(|(tally, name)| Row {
            name: name.to_owned(),
            cells: vec![
                Cell::of(&of(tally, Outcome::rate), 0, ""),
                Cell::of(&of(tally, Outcome::cost), 2, ""),
                Cell::of(&of(tally, |outcome| outcome.p50), 1, ""),
                Cell::of(&of(tally, |outcome| outcome.p99), 1, ""),
                Cell::of(&of(tally, |outcome| outcome.load * 100.0), 0, "%"),
                Cell::of(
                    &of(tally, |outcome| f64::from(u8::from(!outcome.on_time))),
                    0,
                    "",
                ),
            ],
            invalid: tally.faults.clone(),
        })
        .collect();
    let [one, all, noisy] = tallies;
    let holds = one.faults.is_empty() && all.faults.is_empty();
    let ratio = |ours: &Tally, theirs: &Tally, value: fn(&Outcome) -> f64| {
        holds
            .then(|| Spread::ratio(&of(ours, value), &of(theirs, value)))
            .flatten()
    };
    let foreign = Cell::of(
        &[many(tallies.iter().map(|tally| tally.faults.len()).sum())],
        0,
        "",
    );
    Section {
        name: "tenants",
        title: format!("tenants (G2): {schools} schools with {each} sockets each, {rate:.0} changes a second in every one"),
        about: format!(
            "The same hub with {alone} sockets of one school beside it. The noisy school has {LOUD} times the changes of \
             any other; its own deliveries are counted and their times are not."
        ),
        columns: [
            "deliveries/s",
            "CPU a delivery, µs",
            "p50, ms",
            "p99, ms",
            "load's core busy",
            "late windows",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
        verdicts: vec![
            Verdict::new(
                "G2",
                "CPU a delivery, of one school's",
                Cell::ratio(ratio(all, one, Outcome::cost)),
                Bound::AtMost(1.35),
                None,
            ),
            Verdict::new(
                "G2",
                "p99",
                holds
                    .then(|| Cell::of(&of(all, |outcome| outcome.p99), 1, " ms"))
                    .flatten(),
                Bound::AtMost(25.0),
                None,
            ),
            Verdict::new(
                "G2",
                "p99 of the others beside a noisy school, of that without",
                Cell::ratio(ratio(noisy, all, |outcome| outcome.p99)),
                Bound::AtMost(1.5),
                None,
            ),
            Verdict::new("G2", "windows with a frame of another school", foreign, Bound::AtMost(0.0), None),
        ],
        notes: vec![
            format!(
                "The events of {BATCH} schools are appended in one transaction by the log's own function, and the bus is \
                 rung: ten thousand commits a second would be a question to the database. Where it does not make {:.0} a \
                 second in every school, fewer are asked for, as the title says.",
                RATES.first().copied().unwrap_or(0.0)
            ),
            "Each socket must hear exactly the changes of its own school, in their order; a frame of another school shows \
             as a number that was never given here, or that comes twice."
                .to_owned(),
        ],
        charts: Vec::new(),
    }
}
