//! The server that a roster is brought in to, and one import of it, step by step.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sqlx::PgPool;

use super::{
    bystander::{Bystander, Looks},
    office::{Office, form},
    profile::{self, Profile},
    roll::Roll,
    roster::{Fate, Roster},
};
use crate::{
    fault::{Result, said},
    machine,
    quorate::{Quorate, seed::School},
    stats::float,
    workload::Bench,
};

/// An answer may take longer than the database's limit for one statement, of which there are many in it.
const ANSWER_MOST: Duration = Duration::from_secs(300);
/// Lines of the roster that the server is warmed with.
const WARM: usize = 500;
const MEBIBYTE: f64 = 1_048_576.0;

/// The server, and what every turn needs of it.
pub struct Site<'a> {
    bench: &'a Bench,
    /// It.
    pub node: Quorate,
    /// As the superuser.
    pub database: PgPool,
    client: reqwest::Client,
    /// Somebody of another school.
    pub bystander: Bystander,
    /// What is brought in.
    pub roster: Roster,
    form: Bytes,
    /// Bytes of its memory, once it had taken a small roster in.
    before: u64,
}

/// What one step took.
pub struct Step {
    /// Until it was done.
    pub seconds: f64,
    /// Seconds of processor time: of the server, of the database, and of the process that reads the file.
    pub used: [f64; 3],
    /// MiB that the server held at most, over what it held before the first import.
    pub grown: f64,
    /// Of the bystander, where there was one.
    pub looks: Option<Looks>,
}

/// One import.
pub struct Import {
    /// Who did it.
    pub office: Office,
    /// The roster's key.
    pub key: String,
    /// From the file to the page that shows what it would change; from the word to the page that tells what was taken.
    pub steps: [Step; 2],
    /// What was wrong with it.
    pub faults: Vec<String>,
}

impl<'a> Site<'a> {
    /// Starts it, and brings a small roster in to one school while somebody of another looks on.
    pub fn start(bench: &'a Bench, schools: &[School; 2], node: Quorate) -> Result<Self> {
        let [quiet, warm] = schools;
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .timeout(ANSWER_MOST)
            .build()?;
        let reader = node.people(bench, quiet, "governor", 1)?.remove(0);
        let roster = Roster::new(WARM)?;
        let mut site = Self {
            database: node.superuser(bench)?,
            bystander: Bystander::new(&node, &client, quiet, reader),
            form: form(&roster.csv()),
            roster,
            node,
            client,
            bench,
            before: 0,
        };
        let first = site.import(warm.clone(), true)?;
        if let Some(fault) = first.faults.first() {
            return Err(said(format!("A small roster came to this: {fault}.")));
        }
        site.before = machine::resident(site.node.id())?;
        site.roster = Roster::new(bench.either(100_000, 5_000))?;
        site.form = form(&site.roster.csv());
        Ok(site)
    }

    /// Brings the roster in to a school that has no pupils.
    pub fn import(&self, school: School, beside: bool) -> Result<Import> {
        let id = school.id;
        let office = Office::open(self.bench, &self.node, &self.client, school)?;
        let mut import = self.read(office, beside)?;
        let roll = self.roll(id);
        let hands = &self.bench.hands;
        let compared = roll.compared(&import.key, roll.at_first());
        import.faults.extend(hands.block_on(compared)?);
        let told = self.take_in(&mut import, beside)?;
        let (new, wrong) = (self.roster.many(Fate::New), self.roster.many(Fate::Wrong));
        for part in [
            format!("{} new pupil", thousands(new)),
            "0 changed".to_owned(),
        ] {
            if !told.contains(&part) {
                import
                    .faults
                    .push(format!("the page does not tell “{part}”"));
            }
        }
        if wrong > 0 && !told.contains(&format!("{} line", thousands(wrong))) {
            import.faults.push(format!(
                "the page does not tell of {wrong} lines that were left out"
            ));
        }
        import.faults.extend(hands.block_on(roll.taken())?);
        import.faults.extend(hands.block_on(roll.logged(1))?);
        Ok(import)
    }

    /// Brings the same file in to the same school once more, which must change nothing.
    pub fn again(&self, office: Office) -> Result<Import> {
        let roll = self.roll(office.school.id);
        let hands = &self.bench.hands;
        let office = hands.block_on(office.again(&self.node))?;
        let mut import = self.read(office, false)?;
        let compared = roll.compared(&import.key, roll.at_last());
        import.faults.extend(hands.block_on(compared)?);
        let told = self.take_in(&mut import, false)?;
        if !told.contains("Nothing has changed") {
            import
                .faults
                .push("the page does not tell that nothing has changed".to_owned());
        }
        import.faults.extend(hands.block_on(roll.taken())?);
        import.faults.extend(hands.block_on(roll.logged(2))?);
        Ok(import)
    }

    /// Undoes an import; what that took, and what was wrong with it.
    pub fn undo(&self, office: Office, key: &str) -> Result<(Step, Vec<String>)> {
        let school = office.school.id;
        let office = self.bench.hands.block_on(office.again(&self.node))?;
        let ((), step) = self.step(false, office.undo(key))?;
        let faults = self.bench.hands.block_on(self.roll(school).undone())?;
        Ok((step, faults))
    }

    fn roll(&self, school: uuid::Uuid) -> Roll<'_> {
        Roll {
            database: &self.database,
            school,
            roster: &self.roster,
        }
    }

    fn read(&self, office: Office, beside: bool) -> Result<Import> {
        let ((key, page), read) = self.step(beside, office.read(&self.form))?;
        let faults = (!page.contains("What it would change"))
            .then(|| "the page does not show what it would change".to_owned());
        let nothing = Step {
            seconds: 0.0,
            used: [0.0; 3],
            grown: 0.0,
            looks: None,
        };
        Ok(Import {
            office,
            key,
            steps: [read, nothing],
            faults: faults.into_iter().collect(),
        })
    }

    fn take_in(&self, import: &mut Import, beside: bool) -> Result<String> {
        let (told, step) = self.step(beside, import.office.take_in(&import.key))?;
        let [_, taken] = &mut import.steps;
        *taken = step;
        Ok(told)
    }

    /// Does something, and measures it, with or without the bystander.
    fn step<T>(&self, beside: bool, work: impl Future<Output = Result<T>>) -> Result<(T, Step)> {
        // Begins anew with what is held now.
        machine::peak(self.node.id())?;
        let before = self.used()?;
        let timed = async {
            let start = Instant::now();
            let done = work.await;
            (done, start.elapsed().as_secs_f64())
        };
        let ((done, seconds), looks) = self.bench.hands.block_on(async {
            if beside {
                let (timed, looks) = self.bystander.beside(timed).await;
                (timed, Some(looks))
            } else {
                (timed.await, None)
            }
        });
        let most = machine::peak(self.node.id())?;
        let after = self.used()?;
        let step = Step {
            seconds,
            used: std::array::from_fn(|place| {
                let of = |used: &[f64; 3]| used.get(place).copied().unwrap_or(0.0);
                of(&after) - of(&before)
            }),
            grown: float(most.saturating_sub(self.before)) / MEBIBYTE,
            looks: looks.transpose()?,
        };
        Ok((done?, step))
    }

    fn used(&self) -> Result<[f64; 3]> {
        let server = machine::cpu(self.node.id())?;
        // The postmaster is one of the server's children, and what it waited for is its own.
        let postmaster = self.node.postgres().map_or(Ok(0.0), machine::cpu)?;
        let family = machine::cpu_of_family(self.node.id())?;
        Ok([server, self.database_cpu()?, family - server - postmaster])
    }

    /// Seconds of processor time of the database alone.
    pub fn database_cpu(&self) -> Result<f64> {
        self.node.postgres().map_or(Ok(0.0), machine::cpu_of_family)
    }

    /// One import more, with the database counting its statements, after a start for that.
    pub fn profile(self, school: School) -> Result<Profile> {
        let bench = self.bench;
        profile::install(bench, &self.database)?;
        bench.hands.block_on(self.database.close());
        let node = self.node.again(bench, super::NAME)?;
        let site = Self {
            database: node.superuser(bench)?,
            node,
            ..self
        };
        profile::begin(bench, &site.database)?;
        let import = site.import(school, false)?;
        Profile::of(bench, &site.database, &import.steps)
    }
}

impl Step {
    /// Seconds of processor time of all of them.
    pub fn cpu(&self) -> f64 {
        self.used.iter().sum()
    }
}

/// As pages write a number.
pub fn thousands(number: usize) -> String {
    if number < 1_000 {
        number.to_string()
    } else {
        format!("{},{:03}", number / 1_000, number % 1_000)
    }
}
