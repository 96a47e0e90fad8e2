//! G7: a roster of 100,000 lines, from the file to the roll, beside what the same lines cost in the bare database; and what the
//! people of another school notice of it.

mod bystander;
mod office;
mod profile;
mod roll;
mod roster;
mod site;
mod table;
mod told;

use std::time::{Duration, Instant};

use bystander::Looks;
use site::{Import, Site, Step};
use table::{How, Tables};

use crate::{
    fault::{Result, said},
    quorate::Quorate,
    report::Section,
    stats::{abba, float, many},
    workload::Bench,
};

/// The folder of the server's data.
const NAME: &str = "import";
/// Where a round takes longer, there are fewer of them.
const ROUND_MOST: Duration = Duration::from_secs(30);
const ROUNDS_LEAST: usize = 3;

/// Who takes turns.
#[derive(Clone, Copy)]
enum Turn {
    /// An import, and nothing beside it.
    Alone,
    /// An import while somebody of another school looks at a page.
    Beside,
    /// The page without an import.
    Quiet,
    /// The same lines into a bare table.
    Bare(How),
}

const TURNS: [Turn; 6] = [
    Turn::Alone,
    Turn::Beside,
    Turn::Quiet,
    Turn::Bare(How::Copy),
    Turn::Bare(How::Checked),
    Turn::Bare(How::Values),
];

/// What was measured of a step, or of a contestant.
#[derive(Default)]
struct Tally {
    seconds: Vec<f64>,
    /// Lines a second.
    rate: Vec<f64>,
    /// Milliseconds of processor time for a thousand lines.
    cost: Vec<f64>,
    /// MiB that the server held at most, over what it held before.
    grown: Vec<f64>,
    faults: Vec<String>,
}

/// What was measured of a page of another school.
#[derive(Default)]
struct Page {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    faults: Vec<String>,
}

/// All of it.
#[derive(Default)]
struct Found {
    lines: usize,
    /// Rounds that were made, and seconds of the first of them.
    rounds: (usize, f64),
    read: Tally,
    taken: Tally,
    both: Tally,
    bare: [Tally; 3],
    /// The same file a second time, and then the first time undone.
    again: Tally,
    undone: Tally,
    quiet: Page,
    while_read: Page,
    while_taken: Page,
}

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    let node = Quorate::start(bench, NAME)?;
    // For the bystander, to warm the server, for two imports of each round, for the profile, and whose key the bare rows bear.
    let mut schools = node.open_schools(bench, 4 + 2 * bench.rounds())?;
    let mut next = || {
        schools
            .pop()
            .ok_or_else(|| said("There are too few schools."))
    };
    let (bare, first) = (next()?, [next()?, next()?]);
    bench.tell("a small roster");
    let site = Site::start(bench, &first, node)?;
    let mut tables = Tables::new(bench, &site.database, bare.id, &site.roster)?;
    let mut found = Found {
        lines: site.roster.lines.len(),
        ..Found::default()
    };
    let mut last = None;
    let mut rounds = bench.rounds();
    let mut round = 0;
    while round < rounds {
        let start = Instant::now();
        for place in abba(TURNS.len(), round) {
            let Some(turn) = TURNS.get(place) else {
                continue;
            };
            bench.hands.block_on(tables.settle())?;
            match turn {
                Turn::Alone => {
                    if let Some(import) = found.import(site.import(next()?, false)) {
                        last = Some(import);
                    }
                }
                Turn::Beside => found.beside(site.import(next()?, true)),
                Turn::Quiet => {
                    let time = bench.window() * 4;
                    let looks = bench.hands.block_on(site.bystander.looks_for(time))?;
                    found.quiet.take(&looks, time.as_secs_f64());
                }
                Turn::Bare(how) => found.bare(bench, &site, &mut tables, *how)?,
            }
        }
        let took = start.elapsed();
        if round == 0 {
            found.rounds.1 = took.as_secs_f64();
            if took > ROUND_MOST {
                rounds = rounds.min(ROUNDS_LEAST);
            }
        }
        round += 1;
        bench.tell(&format!("round {round} of {rounds}"));
    }
    found.rounds.0 = rounds;
    if let Some(import) = last {
        bench.tell("the same file again, and undone");
        found.over(&site, import);
    }
    drop(tables);
    bench.tell("where the time goes");
    let profile = site.profile(next()?);
    Ok(told::section(&found, profile))
}

impl Found {
    /// An import by itself. What it could not do is its fault, and no end of the others.
    fn import(&mut self, done: Result<Import>) -> Option<Import> {
        let import = match done {
            Ok(import) => import,
            Err(fault) => {
                self.both.faults.push(fault.to_string());
                return None;
            }
        };
        let [read, taken] = &import.steps;
        self.read.take(self.lines, read);
        self.taken.take(self.lines, taken);
        self.both.take(self.lines, &both(read, taken));
        self.both.faults.extend(import.faults.clone());
        Some(import)
    }

    fn beside(&mut self, done: Result<Import>) {
        match done {
            Ok(import) => {
                let [read, taken] = &import.steps;
                for (page, step) in [(&mut self.while_read, read), (&mut self.while_taken, taken)] {
                    if let Some(looks) = &step.looks {
                        page.take(looks, step.seconds);
                    }
                    page.faults.extend(import.faults.clone());
                }
            }
            Err(fault) => {
                for page in [&mut self.while_read, &mut self.while_taken] {
                    page.faults.push(fault.to_string());
                }
            }
        }
    }

    fn bare(&mut self, bench: &Bench, site: &Site, tables: &mut Tables, how: How) -> Result<()> {
        let cpu = site.database_cpu()?;
        let seconds = bench.hands.block_on(tables.write(&site.roster, how))?;
        let step = Step {
            seconds,
            used: [0.0, site.database_cpu()? - cpu, 0.0],
            grown: f64::NAN,
            looks: None,
        };
        let place = How::ALL.iter().position(|other| *other == how);
        if let Some(tally) = place.and_then(|place| self.bare.get_mut(place)) {
            tally.take(how.lines(&site.roster).count(), &step);
        }
        Ok(())
    }

    /// What is looked at once: that the file changes nothing a second time, and that nothing stays of it once it is undone.
    fn over(&mut self, site: &Site, import: Import) {
        match site.again(import.office.clone()) {
            Ok(again) => {
                let [read, taken] = &again.steps;
                self.again.take(self.lines, &both(read, taken));
                self.again.faults.extend(again.faults);
            }
            Err(fault) => self.again.faults.push(fault.to_string()),
        }
        match site.undo(import.office, &import.key) {
            Ok((step, faults)) => {
                self.undone.take(self.lines, &step);
                self.undone.faults.extend(faults);
            }
            Err(fault) => self.undone.faults.push(fault.to_string()),
        }
        // What came before is worth nothing where it could not be said twice or taken back.
        let faults = self.again.faults.iter().chain(&self.undone.faults);
        self.both.faults.extend(faults.cloned());
    }
}

fn both(read: &Step, taken: &Step) -> Step {
    Step {
        seconds: read.seconds + taken.seconds,
        // Who used it is told by the profile.
        used: [read.cpu(), taken.cpu(), 0.0],
        grown: read.grown.max(taken.grown),
        looks: None,
    }
}

impl Tally {
    fn take(&mut self, lines: usize, step: &Step) {
        self.seconds.push(step.seconds);
        self.rate.push(many(lines) / step.seconds);
        self.cost.push(step.cpu() * 1e6 / many(lines));
        self.grown.push(step.grown);
    }
}

impl Page {
    fn take(&mut self, looks: &Looks, seconds: f64) {
        self.rate.push(float(looks.many()) / seconds);
        self.p50.extend(looks.within(0.5));
        self.p99.extend(looks.within(0.99));
        let faults = looks.faults.iter();
        self.faults
            .extend(faults.map(|(what, times)| format!("{what} ({times} ×)")));
        if looks.many() == 0 {
            self.faults.push("nobody saw a page".to_owned());
        }
    }
}
