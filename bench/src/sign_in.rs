//! G9: signing in. What one password costs beside the C reference, and what a flood of people who sign in does to each of them
//! and to everybody else's pages.

mod flood;
mod proof;

use std::collections::BTreeMap;

use flood::{Answer, Doorstep, Look, Tried};
use proof::{Kind, Prover, Turn};

use crate::{
    fault::{Result, said},
    machine,
    quorate::Quorate,
    report::{Bound, Cell, Row, Section, Verdict},
    stats::{Spread, abba, many, whole},
    workload::Bench,
};

const KINDS: [Kind; 2] = [Kind::Quorate, Kind::Reference];
/// How many times more come than the pool can take.
const OVER: f64 = 3.0;
/// Looks at a page a second.
const LOOKS: f64 = 25.0;
/// As many faults as tell the story.
const FAULTS_MOST: usize = 10;

/// What came of everything in one round.
#[derive(Default)]
struct Flood {
    /// Attempts a second that were asked for.
    asked: Vec<f64>,
    /// And that were let in.
    admitted: Vec<f64>,
    admitted_p50: Vec<f64>,
    admitted_p99: Vec<f64>,
    refused: Vec<f64>,
    refused_p50: Vec<f64>,
    refused_p99: Vec<f64>,
    /// Milliseconds of processor time for each that was let in, with what the others cost.
    cost: Vec<f64>,
    faults: BTreeMap<String, usize>,
}

/// A page, with or without the flood.
#[derive(Default)]
struct Page {
    p50: Vec<f64>,
    p99: Vec<f64>,
    rate: Vec<f64>,
    faults: BTreeMap<String, usize>,
}

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    let proofs = proofs(bench)?;
    let more = [("QUORATE_CLIENT_HEADER", flood::HEADER.to_owned())];
    let node = Quorate::start_with(bench, "sign-in", &more)?;
    let schools = node.open_schools(bench, 2)?;
    let [quiet_school, busy_school] = &schools[..] else {
        return Err(said("There are not two schools."));
    };
    let reader = node.people(bench, quiet_school, "governor", 1)?.remove(0);
    bench.tell("accounts with passwords");
    let door = Doorstep::build(bench, &node, busy_school, quiet_school, reader)?;
    node.analyse(bench)?;
    // The server is on one core, and its pool is of as many threads as it has cores.
    let [ours, _] = &proofs;
    let pool = Spread::of(&of(ours, |turn| turn.median)).map_or(1.0, |spread| 1e3 / spread.median);
    let path = bench.hands.block_on(door.capacity(bench.window()))?;
    bench.tell(&format!("the pool takes {pool:.0} attempts a second"));
    let (mut flood, mut quiet, mut beside) = (Flood::default(), Page::default(), Page::default());
    for round in 0..bench.rounds() {
        for place in abba(2, round) {
            let time = bench.window() * 3;
            if place == 0 {
                let looks = bench.hands.block_on(door.looks(LOOKS, time));
                quiet.take(looks, time.as_secs_f64());
                continue;
            }
            let before = cpu(&node)?;
            let (tried, looks) = bench.hands.block_on(async {
                tokio::join!(door.flood(OVER * pool, time), door.looks(LOOKS, time))
            });
            flood.take(&tried, cpu(&node)? - before, time.as_secs_f64());
            beside.take(looks, time.as_secs_f64());
        }
        bench.tell(&format!("round {} of {}", round + 1, bench.rounds()));
    }
    Ok(section(&proofs, (pool, path), &flood, &quiet, &beside))
}

fn proofs(bench: &Bench) -> Result<[Vec<Turn>; 2]> {
    let mut provers = [
        Prover::start(bench, Kind::Quorate)?,
        Prover::start(bench, Kind::Reference)?,
    ];
    let mut turns: [Vec<Turn>; 2] = Default::default();
    let times = bench.either(150, 15);
    for prover in &mut provers {
        // The first ask the kernel for memory.
        prover.turn(3)?;
    }
    for round in 0..bench.rounds() {
        for place in abba(KINDS.len(), round) {
            if let (Some(prover), Some(turns)) = (provers.get_mut(place), turns.get_mut(place)) {
                turns.push(prover.turn(times)?);
            }
        }
    }
    let mut settings = turns.iter().flatten().map(|turn| &turn.settings);
    let first = settings.next().cloned().unwrap_or_default();
    if settings.any(|other| *other != first) {
        return Err(said(format!(
            "The reference hashes with other settings than {first}."
        )));
    }
    Ok(turns)
}

/// Of the node and its database together.
fn cpu(node: &Quorate) -> Result<f64> {
    Ok(machine::cpu(node.id())? + node.postgres().map_or(Ok(0.0), machine::cpu_of_family)?)
}

impl Flood {
    fn take(&mut self, tried: &[Tried], cpu: f64, seconds: f64) {
        let (mut admitted, mut refused) = (Vec::new(), Vec::new());
        for one in tried {
            match (one.right, &one.answer) {
                (true, Answer::Onward) | (false, Answer::Wrong) => admitted.push(one.time),
                (_, Answer::Refused) => refused.push(one.time),
                (true, Answer::Wrong) => note(
                    &mut self.faults,
                    "a right password was taken for a wrong one",
                ),
                (false, Answer::Onward) => note(&mut self.faults, "a wrong password got on"),
                (_, Answer::Other(what)) => note(&mut self.faults, what),
            }
        }
        if refused.is_empty() {
            note(&mut self.faults, "nobody was refused, so it was no flood");
        }
        self.asked.push(many(tried.len()) / seconds);
        self.admitted.push(many(admitted.len()) / seconds);
        self.refused.push(many(refused.len()) / seconds);
        self.cost.push(cpu * 1e3 / many(admitted.len()));
        for (times, p50, p99) in [
            (
                &mut admitted,
                &mut self.admitted_p50,
                &mut self.admitted_p99,
            ),
            (&mut refused, &mut self.refused_p50, &mut self.refused_p99),
        ] {
            p50.extend(quantile(times, 0.5));
            p99.extend(quantile(times, 0.99));
        }
    }
}

impl Page {
    fn take(&mut self, looks: Vec<Look>, seconds: f64) {
        let mut times = Vec::new();
        for look in looks {
            match look {
                Ok(time) => times.push(time),
                Err(what) => note(&mut self.faults, &what),
            }
        }
        self.rate.push(many(times.len()) / seconds);
        self.p50.extend(quantile(&mut times, 0.5));
        self.p99.extend(quantile(&mut times, 0.99));
    }
}

fn of(turns: &[Turn], value: fn(&Turn) -> f64) -> Vec<f64> {
    turns.iter().map(value).collect()
}

fn note(faults: &mut BTreeMap<String, usize>, what: &str) {
    *faults.entry(what.to_owned()).or_default() += 1;
}

fn told(faults: &BTreeMap<String, usize>) -> Vec<String> {
    faults
        .iter()
        .take(FAULTS_MOST)
        .map(|(what, times)| format!("{what} ({times} ×)"))
        .collect()
}

/// The time within which such a share came; none where nothing did.
fn quantile(times: &mut [f64], share: f64) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    let place = usize::try_from(whole((many(times.len()) * share).ceil())).unwrap_or(0);
    times.get(place.saturating_sub(1)).copied()
}

fn section(
    proofs: &[Vec<Turn>; 2],
    (pool, path): (f64, f64),
    flood: &Flood,
    quiet: &Page,
    beside: &Page,
) -> Section {
    let of =
        |turns: &[Turn], value: fn(&Turn) -> f64| -> Vec<f64> { turns.iter().map(value).collect() };
    let [ours, reference] = proofs;
    let against = Spread::ratio(
        &of(ours, |turn| turn.median),
        &of(reference, |turn| turn.median),
    );
    let proved = proofs.iter().flatten().all(|turn| turn.right);
    let mut rows: Vec<Row> = KINDS
        .iter()
        .zip(proofs)
        .map(|(kind, turns)| Row {
            name: kind.name().to_owned(),
            cells: vec![
                Cell::of(&of(turns, |turn| 1e3 / turn.median), 0, ""),
                Cell::of(&of(turns, |turn| turn.median), 1, ""),
                Cell::of(&of(turns, |turn| turn.p99), 1, ""),
                Cell::of(&of(turns, |turn| turn.cpu), 1, ""),
            ],
            invalid: turns
                .iter()
                .any(|turn| !turn.right)
                .then(|| "the right password was refused, or a wrong one taken".to_owned())
                .into_iter()
                .collect(),
        })
        .collect();
    let faults = told(&flood.faults);
    rows.extend([
        Row {
            name: format!("attempts at {OVER:.0} × what the pool can do: let in"),
            cells: vec![
                Cell::of(&flood.admitted, 0, ""),
                Cell::of(&flood.admitted_p50, 1, ""),
                Cell::of(&flood.admitted_p99, 1, ""),
                Cell::of(&flood.cost, 1, ""),
            ],
            invalid: faults.clone(),
        },
        Row {
            name: "the same: refused".to_owned(),
            cells: vec![
                Cell::of(&flood.refused, 0, ""),
                Cell::of(&flood.refused_p50, 1, ""),
                Cell::of(&flood.refused_p99, 1, ""),
                None,
            ],
            invalid: faults.clone(),
        },
    ]);
    for (name, page) in [
        ("a page meanwhile", beside),
        ("a page without the load", quiet),
    ] {
        rows.push(Row {
            name: name.to_owned(),
            cells: vec![
                Cell::of(&page.rate, 0, ""),
                Cell::of(&page.p50, 1, ""),
                Cell::of(&page.p99, 1, ""),
                None,
            ],
            invalid: told(&page.faults),
        });
    }
    let holds = faults.is_empty();
    let pages = holds && quiet.faults.is_empty() && beside.faults.is_empty();
    let time = |values: &[f64]| holds.then(|| Cell::of(values, 1, " ms")).flatten();
    let asked = Spread::of(&flood.asked).map_or(0.0, |spread| spread.median);
    Section {
        name: "sign-in",
        title: "sign-in (G9): passwords, and a flood of them".to_owned(),
        about: format!(
            "argon2id with 19 MiB, two passes and one lane, verified one after the other; then {asked:.0} attempts a second \
             over HTTP, where the pool takes {pool:.0} and the whole path, four attempts at once, makes {path:.0}; beside \
             {LOOKS:.0} looks a second at a page by somebody who is signed in."
        ),
        columns: ["a second", "p50, ms", "p99, ms", "CPU each, ms"].map(str::to_owned).to_vec(),
        rows,
        verdicts: vec![
            Verdict::new(
                "G9",
                "one verification, of the C reference's",
                Cell::ratio(against.filter(|_| proved)),
                Bound::AtMost(1.15),
                None,
            ),
            Verdict::new("G9", "let in, p99", time(&flood.admitted_p99), Bound::AtMost(1_000.0), None),
            Verdict::new("G9", "refused, p99", time(&flood.refused_p99), Bound::AtMost(50.0), None),
            Verdict::new(
                "G9",
                "a page meanwhile, p99, of that without",
                Cell::ratio(pages.then(|| Spread::ratio(&beside.p99, &quiet.p99)).flatten()),
                Bound::AtMost(2.0),
                None,
            ),
        ],
        notes: vec![
            "\"Quorate\" is the pool that the server itself signs people in with (`domain::password::Hasher`), alone in a \
             process; the reference is called by Python, whose own part of 20 ms is a few microseconds."
                .to_owned(),
            "Attempts are posts of the sign-in form, every second with a wrong password, each from one of two thousand \
             accounts and from an address of its own, which a header names as a balancer does: what holds one account to ten \
             wrong passwords and one address to 600 attempts in five minutes is on, counts every one, and is reached by \
             none. An attempt is let in where its password was hashed: a right one must lead to the second factor, a wrong \
             one to the form again."
                .to_owned(),
            "A refused person gets the whole form back, drawn anew, with a sentence. Times count from when an attempt was \
             due until its whole answer was read. The server and its database share one core, and so the pool is of one \
             thread; it hashes while they do everything else. CPU is of both, for each that was let in and with what the \
             refused cost."
                .to_owned(),
            "The accounts and their password's hash are written straight into the database, and so is the session of who \
             looks at the page.".to_owned(),
        ],
        charts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_nine_of_a_hundred_came_within_the_99th() {
        let mut times: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&mut times, 0.99), Some(99.0));
        assert_eq!(quantile(&mut times, 0.5), Some(50.0));
        assert_eq!(quantile(&mut [7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&mut [], 0.99), None);
    }

    #[test]
    fn a_wrong_password_that_got_on_and_a_right_one_that_did_not_are_faults() {
        let tried = |right, answer| Tried {
            right,
            answer,
            time: 1.0,
        };
        let mut flood = Flood::default();
        let fine = [
            tried(true, Answer::Onward),
            tried(false, Answer::Wrong),
            tried(true, Answer::Refused),
        ];
        flood.take(&fine, 0.1, 1.0);
        assert!(flood.faults.is_empty(), "{:?}", flood.faults);
        assert_eq!((flood.admitted[0], flood.refused[0]), (2.0, 1.0));
        for fault in [
            tried(false, Answer::Onward),
            tried(true, Answer::Wrong),
            tried(true, Answer::Other("429 ".to_owned())),
        ] {
            let mut flood = Flood::default();
            flood.take(&[fault, tried(true, Answer::Refused)], 0.1, 1.0);
            assert_eq!(flood.faults.len(), 1);
        }
        let mut flood = Flood::default();
        flood.take(&[tried(true, Answer::Onward)], 0.1, 1.0);
        assert_eq!(
            flood.faults.len(),
            1,
            "where nobody is refused there was no flood"
        );
    }
}
