//! G8: the pages as the server draws them, beside what else draws pages, and as a slow telephone has them.

mod drawer;
mod lab;
mod load;
mod school;
mod text;

use crate::{
    fault::Result,
    machine,
    quorate::Quorate,
    report::{Bound, Cell, Row, Section, Verdict},
    stats::{Spread, abba, float, many, whole},
    workload::Bench,
};
use drawer::{Drawer, Kind};
use lab::Visit;
use load::{CONNECTIONS, Outcome, Pace, Way};
use school::{Drawn, PEOPLE, Page};

/// Share of what a contestant makes at most at which its times are taken.
const EASY: f64 = 0.7;
/// Of its usual length, a page that is shorter lacks something.
const LEAST: f64 = 0.98;

/// One page of one contestant over all rounds.
struct Tally {
    page: Page,
    kind: Kind,
    way: Way,
    /// Bytes of the page.
    length: usize,
    rates: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    /// Milliseconds of processor time a page, of the server and of the database.
    server: Vec<f64>,
    database: Vec<f64>,
    load: Vec<f64>,
    faults: Vec<String>,
}

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    let node = Quorate::start(bench, "pages")?;
    bench.tell("a school with a thousand people");
    let drawn = Drawn::make(bench, &node)?;
    let mut drawers = vec![Drawer::quorate(&node, &drawn)?];
    for kind in [Kind::Next, Kind::Svelte, Kind::Maud] {
        drawers.push(Drawer::start(bench, &node, &drawn, kind)?);
    }
    let mut tallies = Vec::new();
    for (place, page) in Page::ALL.into_iter().enumerate() {
        for drawer in &drawers {
            if let Some(way) = drawer.ways.get(place) {
                tallies.push(Tally::new(page, drawer.kind, way.clone()));
            }
        }
    }
    check(bench, &node, &drawn, &mut tallies)?;
    for tally in &tallies {
        load::run(bench, &tally.way, Pace::Closed, bench.window(), 0)?;
    }
    for round in 0..bench.rounds() {
        for place in abba(tallies.len(), round) {
            let drawer = tallies
                .get(place)
                .and_then(|tally| drawers.iter().find(|drawer| drawer.kind == tally.kind));
            if let (Some(drawer), Some(tally)) = (drawer, tallies.get_mut(place)) {
                measure(bench, &node, drawer, tally)?;
            }
        }
        bench.tell(&format!("round {} of {}", round + 1, bench.rounds()));
    }
    check(bench, &node, &drawn, &mut tallies)?;
    let most = drawers
        .iter()
        .find(|drawer| drawer.kind == Kind::Maud)
        .map_or_else(|| Ok(Vec::new()), |drawer| most(bench, drawer, &tallies))?;
    drop(drawers);
    bench.tell("a browser");
    let visits = lab::look(bench, &node, &drawn)?;
    Ok(section(&tallies, &most, visits))
}

impl Tally {
    fn new(page: Page, kind: Kind, way: Way) -> Self {
        Self {
            page,
            kind,
            way,
            length: 0,
            rates: Vec::new(),
            p50: Vec::new(),
            p99: Vec::new(),
            server: Vec::new(),
            database: Vec::new(),
            load: Vec::new(),
            faults: Vec::new(),
        }
    }
}

/// Reads every page of everybody: Quorate's has to tell what the database holds, and the others' have to say what Quorate's
/// says.
fn check(bench: &Bench, node: &Quorate, drawn: &Drawn, tallies: &mut [Tally]) -> Result<()> {
    let mut ours = String::new();
    for tally in tallies {
        let page = bench.hands.block_on(tally.way.fetch())?;
        tally.length = page.len();
        let told = text::visible(&String::from_utf8_lossy(&page));
        let fault = if tally.kind == Kind::Quorate {
            let facts = drawn.facts(bench, node, tally.page)?;
            let lacks = text::missing(&told, &facts)
                .map(|fact| format!("it does not tell “{fact}” in its turn"));
            ours = told;
            lacks.or_else(|| {
                facts
                    .is_empty()
                    .then(|| "there is nothing to tell".to_owned())
            })
        } else {
            text::difference(&ours, &told)
        };
        tally.faults.extend(fault);
    }
    Ok(())
}

/// One turn: as many pages as it makes, and then its times at a rate that it bears.
fn measure(bench: &Bench, node: &Quorate, drawer: &Drawer, tally: &mut Tally) -> Result<()> {
    let used = || -> Result<(f64, f64)> {
        let database = node.postgres().map_or(Ok(0.0), machine::cpu_of_family)?;
        Ok((drawer.cpu()?, database))
    };
    let least = whole(many(tally.length) * LEAST);
    let least = usize::try_from(least).unwrap_or(usize::MAX);
    let before = used()?;
    let hard = load::run(bench, &tally.way, Pace::Closed, bench.window(), least)?;
    let after = used()?;
    // Of a rate of nought nothing would ever be due.
    let easy = Pace::Open((hard.rate() * EASY).max(1.0));
    let easy = load::run(bench, &tally.way, easy, bench.window() / 2, least)?;
    let each = 1e3 / float(hard.pages.max(1));
    tally.rates.push(hard.rate());
    tally.server.push((after.0 - before.0) * each);
    tally.database.push((after.1 - before.1) * each);
    tally.load.push(hard.load * 100.0);
    tally.p50.push(easy.p50);
    tally.p99.push(easy.p99);
    for Outcome { faults, .. } in [hard, easy] {
        tally.faults.extend(faults);
    }
    Ok(())
}

/// What the load makes of pages of Quorate's lengths that were ready before they were asked for.
fn most(bench: &Bench, maud: &Drawer, tallies: &[Tally]) -> Result<Vec<(Page, Outcome)>> {
    let ours = tallies.iter().filter(|tally| tally.kind == Kind::Quorate);
    ours.map(|tally| {
        let path = format!("/still/{}", tally.length);
        let way = Way::new(maud.address, &path, &maud.address.to_string(), "")?;
        let outcome = load::run(bench, &way, Pace::Closed, bench.window(), tally.length)?;
        Ok((tally.page, outcome))
    })
    .collect()
}

fn section(
    tallies: &[Tally],
    most: &[(Page, Outcome)],
    visits: std::result::Result<Vec<Visit>, String>,
) -> Section {
    let of = |page: Page, kind: Kind| {
        tallies
            .iter()
            .find(|tally| tally.page == page && tally.kind == kind)
    };
    let beside = |page: Page, kind: Kind| -> Option<Spread> {
        let (ours, theirs) = (of(page, Kind::Quorate)?, of(page, kind)?);
        Spread::ratio(&ours.rates, &theirs.rates)
    };
    let mut rows = Vec::new();
    for page in Page::ALL {
        for kind in Kind::ALL {
            if let Some(tally) = of(page, kind) {
                let ratio = (kind != Kind::Quorate)
                    .then(|| beside(page, kind))
                    .flatten();
                rows.push(tally.row(ratio));
            }
        }
        rows.extend(
            most.iter()
                .filter(|(of, _)| *of == page)
                .map(|(_, outcome)| Row {
                    name: format!("{}: ready-made, of Quorate's length", page.name()),
                    cells: vec![
                        Cell::of(&[outcome.rate()], 0, ""),
                        None,
                        None,
                        None,
                        None,
                        None,
                        None,
                        Cell::of(&[outcome.load * 100.0], 0, "%"),
                    ],
                    invalid: outcome.faults.clone(),
                }),
        );
    }
    let mut verdicts = Vec::new();
    for (kind, must, stretch) in [
        (Kind::Next, 3.0, 6.0),
        (Kind::Svelte, 1.5, 2.5),
        (Kind::Maud, 0.4, 0.6),
    ] {
        for page in Page::ALL {
            let holds = [Kind::Quorate, kind]
                .iter()
                .all(|kind| of(page, *kind).is_some_and(|tally| tally.faults.is_empty()));
            verdicts.push(Verdict::new(
                "G8",
                format!("{}, pages/s and core beside {}", page.name(), kind.name()),
                Cell::ratio(holds.then(|| beside(page, kind)).flatten()),
                Bound::AtLeast(must),
                Some(Bound::AtLeast(stretch)),
            ));
        }
    }
    let mut notes = vec![
        format!(
            "A school of {PEOPLE} people. The list of people has 100 rows a page, and that is what is drawn, with the counts \
             of all {PEOPLE}: everybody reads 100 and lets the database count."
        ),
        "Text is compared letter by letter without white space, before the first round and after the last; scripts and \
         pictures are not text."
            .to_owned(),
        "Everybody finds the session by the hash of the cookie in the same table and reads the same tables of the same \
         database, which shares the server's core. The peers read as the owner of the functions, past the row policies, with \
         the tenant in each predicate and no transaction, in two to five prepared statements a page over eight \
         connections; they have no host look-up, content policy, log position or notices to read. That is what an author \
         would write who draws these pages and nothing else, and it is less than Quorate does."
            .to_owned(),
        "Quorate, Next.js and SvelteKit send what brings the page to life in the browser; axum + maud sends HTML alone. \
         Node.js is 26, one process each. No answer is compressed: none is asked for."
            .to_owned(),
        "Where the load's core is busy for more than 95 %, the load and not the contestant set the rate.".to_owned(),
    ];
    let seen = match visits {
        Ok(visits) => {
            notes.push(format!(
                "The browser: Chromium, {} first visits of a signed-in clerk with an empty cache, 412 × 823, slow 4G \
                 as Lighthouse sets it (562.5 ms a request, 1.44 Mbit/s), the processor slowed four times; it runs on the load's \
                 core. INP is the slowest of three letters typed into the search, a choice, and a person opened.",
                visits.len()
            ));
            visits
        }
        Err(why) => {
            notes.push(why);
            Vec::new()
        }
    };
    let lab = |what: &str, value: fn(&Visit) -> f64, unit: &'static str, bound: f64| {
        let values: Vec<f64> = seen.iter().map(value).collect();
        Verdict::new(
            "G8",
            what,
            Cell::of(&values, 0, unit),
            Bound::AtMost(bound),
            None,
        )
    };
    verdicts.push(lab("LCP of home", |visit| visit.home, " ms", 2_500.0));
    verdicts.push(lab("LCP of people", |visit| visit.people, " ms", 2_500.0));
    verdicts.push(lab("INP on people", |visit| visit.inp, " ms", 200.0));
    verdicts.push(lab(
        "script and program of a first visit",
        |visit| visit.program,
        " KB",
        300.0,
    ));
    Section {
        name: "pages",
        title: "pages (G8): three pages as the server draws them".to_owned(),
        about: format!(
            "Each contestant draws the same pages with the same text from the same database. Pages a second: {CONNECTIONS} \
             connections that are kept, each asking for the next page as soon as it has one. Times: at {:.0} % of that rate, \
             counted from when a page was due.",
            EASY * 100.0
        ),
        columns: [
            "pages/s and core",
            "Quorate beside it",
            "p50, ms",
            "p99, ms",
            "CPU a page, server, ms",
            "database, ms",
            "KB",
            "load's core busy",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
        verdicts,
        notes,
        charts: Vec::new(),
    }
}

impl Tally {
    fn row(&self, ratio: Option<Spread>) -> Row {
        Row {
            name: format!("{}: {}", self.page.name(), self.kind.name()),
            cells: vec![
                Cell::of(&self.rates, 0, ""),
                Cell::ratio(ratio),
                Cell::of(&self.p50, 1, ""),
                Cell::of(&self.p99, 1, ""),
                Cell::of(&self.server, 2, ""),
                Cell::of(&self.database, 2, ""),
                Cell::of(&[many(self.length) / 1e3], 1, ""),
                Cell::of(&self.load, 0, "%"),
            ],
            invalid: self.faults.clone(),
        }
    }
}
