//! G10: eight files of 64 MiB at once, through the application and straight into the same store.

mod clerk;
mod paper;
mod store;

use std::{path::Path, process::Command, sync::Arc, time::Instant};

use reqwest::{Response, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use clerk::Clerk;
use paper::Paper;
use store::Store;

use crate::{
    fault::{Result, said},
    machine,
    quorate::Quorate,
    report::{Bound, Cell, Row, Section, Verdict},
    stats::{Spread, abba, float, many},
    workload::Bench,
};

/// Files at once.
const FILES: usize = 8;
const MEBIBYTE: usize = 1 << 20;

/// Who is compared, in the order of the table.
const WHO: [&str; 3] = [
    "straight into the store, by presigned PUTs",
    "through Quorate, into the same store",
    "through Quorate, into the store inside of it",
];

/// A server, and who uploads to it.
struct Office {
    node: Quorate,
    /// The store, where it is a process of its own.
    store: Option<Arc<Store>>,
    clerk: Clerk,
    /// Bytes of its memory, once it had taken one file.
    before: u64,
}

/// What came of one contestant.
#[derive(Default)]
struct Tally {
    /// MiB a second.
    rate: Vec<f64>,
    /// Milliseconds of processor time for each MiB.
    cost: Vec<f64>,
    /// MiB that the server held at most, over what it held before.
    grown: Vec<f64>,
    faults: Vec<String>,
}

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    let mebibytes: usize = bench.either(64, 8);
    let client = reqwest::Client::builder().no_proxy().build()?;
    bench.tell("papers, a store and two servers");
    let papers = (0..FILES)
        .map(|_| Paper::new(mebibytes * MEBIBYTE))
        .collect::<Result<Vec<_>>>()?;
    let store = Arc::new(Store::start(bench, &client)?);
    let mut tallies: [Tally; 3] = Default::default();
    let [_, apart, inside] = &mut tallies;
    let offices = [
        Office::open(
            bench,
            "upload",
            Some(store.clone()),
            &client,
            &papers,
            apart,
        )?,
        Office::open(bench, "upload-inside", None, &client, &papers, inside)?,
    ];
    for round in 0..bench.rounds() {
        for place in abba(WHO.len(), round) {
            // What was written before is not written while somebody else is measured.
            Command::new("sync")
                .status()
                .map_err(crate::fault::io("sync"))?;
            let Some(tally) = tallies.get_mut(place) else {
                continue;
            };
            match place.checked_sub(1).and_then(|place| offices.get(place)) {
                Some(office) => office.take(bench, &papers, tally)?,
                None => directly(bench, &store, &papers, tally)?,
            }
            // What has been looked at is thrown away, else a run would fill the disk.
            store.clear();
            clear(&bench.folder().join("upload-inside/data/s3/quorate/t"));
        }
        bench.tell(&format!("round {} of {}", round + 1, bench.rounds()));
    }
    Ok(section(&tallies, mebibytes))
}

fn directly(bench: &Bench, store: &Arc<Store>, papers: &[Paper], tally: &mut Tally) -> Result<()> {
    let (cpu, start) = (machine::cpu(store.id())?, Instant::now());
    bench.hands.block_on(at_once(papers, |number, paper| {
        let store = store.clone();
        async move { store.put(number, &paper).await }
    }))?;
    let seconds = start.elapsed().as_secs_f64();
    tally.take(papers, seconds, machine::cpu(store.id())? - cpu);
    let sums = bench.hands.block_on(at_once(papers, |number, _| {
        let store = store.clone();
        async move { store.sum(number).await }
    }))?;
    tally.compare(papers, &sums);
    Ok(())
}

impl Office {
    /// Starts a server with a school, and lets its clerk upload a first file, which warms what is warmed once.
    fn open(
        bench: &Bench,
        name: &str,
        store: Option<Arc<Store>>,
        client: &reqwest::Client,
        papers: &[Paper],
        tally: &mut Tally,
    ) -> Result<Self> {
        let more = store.as_ref().map(|store| store.settings());
        let more = more.as_ref().map_or(&[][..], |more| &more[..]);
        let node = Quorate::start_with(bench, name, more)?;
        let school = node.open_schools(bench, 1)?.remove(0);
        let person = node.people(bench, &school, "clerk", 1)?.remove(0);
        let governor = node.people(bench, &school, "governor", 1)?.remove(0);
        let begun = Clerk::begin(&node, client, &school, &person);
        let clerk = bench.hands.block_on(begun)?;
        // Who reads the folder and does not file in it is refused before a byte is sent.
        let refused = clerk.instead(&governor);
        let answer = bench.hands.block_on(refused.announce(0, MEBIBYTE))?;
        if answer.status() != StatusCode::FORBIDDEN {
            tally.faults.push(format!(
                "somebody who may not file there was answered with {}",
                answer.status()
            ));
        }
        let mut office = Self {
            node,
            store,
            clerk,
            before: 0,
        };
        let first = papers.get(..1).unwrap_or_default();
        office.take(bench, first, &mut Tally::default())?;
        office.before = machine::resident(office.node.id())?;
        Ok(office)
    }

    /// Uploads all of them at once, and fetches them again.
    fn take(&self, bench: &Bench, papers: &[Paper], tally: &mut Tally) -> Result<()> {
        // Begins anew with what is held now.
        machine::peak(self.node.id())?;
        let (cpu, start) = (self.cpu()?, Instant::now());
        let documents = bench.hands.block_on(at_once(papers, |number, paper| {
            let clerk = self.clerk.clone();
            async move { clerk.file(number, &paper).await }
        }))?;
        let seconds = start.elapsed().as_secs_f64();
        tally.take(papers, seconds, self.cpu()? - cpu);
        let most = machine::peak(self.node.id())?;
        tally
            .grown
            .push(float(most.saturating_sub(self.before)) / many(MEBIBYTE));
        let documents = Arc::new(documents);
        let sums = bench.hands.block_on(at_once(papers, |number, _| {
            let (clerk, documents) = (self.clerk.clone(), documents.clone());
            async move {
                let document = documents.get(number).map_or("", String::as_str);
                clerk.sum(document).await
            }
        }))?;
        tally.compare(papers, &sums);
        Ok(())
    }

    /// Of the server, of those it starts to look into files, of its database and of the store.
    fn cpu(&self) -> Result<f64> {
        let database = match self.node.postgres() {
            // The postmaster is one of the server's children, and is counted with it.
            Some(postgres) => machine::cpu_of_family(postgres)? - machine::cpu(postgres)?,
            None => 0.0,
        };
        let store = self
            .store
            .as_ref()
            .map_or(Ok(0.0), |store| machine::cpu(store.id()))?;
        Ok(machine::cpu_of_family(self.node.id())? + database + store)
    }
}

impl Tally {
    fn take(&mut self, papers: &[Paper], seconds: f64, cpu: f64) {
        let mebibytes = many(papers.iter().map(|paper| paper.bytes.len()).sum()) / many(MEBIBYTE);
        self.rate.push(mebibytes / seconds);
        self.cost.push(cpu * 1e3 / mebibytes);
    }

    fn compare(&mut self, papers: &[Paper], sums: &[[u8; 32]]) {
        let same = papers
            .iter()
            .zip(sums)
            .filter(|(paper, sum)| paper.sum == **sum)
            .count();
        if same < papers.len() {
            self.faults.push(format!(
                "{} files came back as others than were sent",
                papers.len() - same
            ));
        }
    }
}

/// Does the same with each of them at once; what came of each, in their order.
async fn at_once<T, F>(papers: &[Paper], one: impl Fn(usize, Paper) -> F) -> Result<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let mut under_way = JoinSet::new();
    for (number, paper) in papers.iter().cloned().enumerate() {
        let task = one(number, paper);
        under_way.spawn(async move { (number, task.await) });
    }
    let mut done = under_way.join_all().await;
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, done)| done).collect()
}

/// The hash of what is handed out, which is kept nowhere.
async fn added_up(mut answer: Response) -> Result<[u8; 32]> {
    if !answer.status().is_success() {
        return Err(said(format!(
            "A file that was stored was answered with {}.",
            answer.status()
        )));
    }
    let mut sum = Sha256::new();
    while let Some(piece) = answer.chunk().await? {
        sum.update(&piece);
    }
    Ok(sum.finalize().into())
}

fn clear(folder: &Path) {
    // None there is as good.
    let _ = std::fs::remove_dir_all(folder);
}

fn section(tallies: &[Tally; 3], mebibytes: usize) -> Section {
    let [direct, apart, inside] = tallies;
    let rows = WHO
        .iter()
        .zip(tallies)
        .map(|(who, tally)| Row {
            name: (*who).to_owned(),
            cells: vec![
                Cell::of(&tally.rate, 0, ""),
                Cell::ratio(Spread::ratio(&tally.rate, &direct.rate)),
                Cell::of(&tally.cost, 1, ""),
                Cell::of(&tally.grown, 0, ""),
            ],
            invalid: tally.faults.clone(),
        })
        .collect();
    let holds = |tally: &Tally| tally.faults.is_empty();
    let rate = (holds(direct) && holds(apart)).then(|| Spread::ratio(&apart.rate, &direct.rate));
    let memory = |what: &str, tally: &Tally| {
        let grown = tally.grown.iter().copied().reduce(f64::max);
        Verdict::new(
            "G10",
            format!("memory of the server, {what}: the most in any round"),
            grown
                .filter(|_| holds(tally))
                .and_then(|grown| Cell::of(&[grown], 0, " MiB")),
            Bound::AtMost(64.0),
            None,
        )
    };
    Section {
        name: "upload",
        title: format!("upload (G10): {FILES} files of {mebibytes} MiB at once"),
        about: "The clerk uploads as the page's script does: what it is to become, its bytes in parts of 4 MiB, and that all \
                are there. The server looks up whether the clerk may file there, keeps the bytes until they are whole, looks \
                into the file in a process of its own, adds it up, puts it into the store, asks the store what it holds, \
                and files it. Beside it the same bytes in one PUT each, straight into the same store."
            .to_owned(),
        columns: [
            "MiB/s",
            "of a direct PUT",
            "CPU a MiB, ms",
            "memory grown by, MiB",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
        verdicts: vec![
            Verdict::new(
                "G10",
                "through Quorate, of a direct PUT into the same store",
                Cell::ratio(rate.flatten()),
                Bound::AtLeast(0.6),
                None,
            ),
            memory("with a store apart", apart),
            memory("with the store inside", inside),
        ],
        notes: vec![
            "The store inside of the server draws its keys anew at each start and tells them nobody, so nobody can sign an \
             address of it. The store apart is the same library, set up in the same way, in a process with keys that are \
             known; server, database and store share one core, and CPU is of all of them."
                .to_owned(),
            "Each file is fetched again, through the application or by a presigned GET, and must add up to what was sent. \
             Somebody who reads the folder and may not file there must be refused before a byte is sent. There is no quota \
             of bytes in the application: what it holds people to is the size of a file, twenty uploads under way, and the \
             room on the disk."
                .to_owned(),
            "Memory is resident memory: its highest point in a round (VmHWM, begun anew each time) over what was resident \
             once a first file had been taken. The processes that look into files are not in it."
                .to_owned(),
            "Before each turn the disk is let finish; what is written during one goes as far as the page cache, for each \
             alike."
                .to_owned(),
        ],
        charts: Vec::new(),
    }
}
