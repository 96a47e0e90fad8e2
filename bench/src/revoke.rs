//! G4: a person is taken out while their school is busy, and hears nothing more.

mod trial;

use std::path::{Path, PathBuf};

use tokio::{
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

use trial::{Busy, Found, Trial};

use crate::{
    crowd::Crowd,
    fault::{Result, io, said},
    live::crowd_of,
    quorate::{
        CLERK, PAGES_MOST, Quorate, SCHOOL,
        writer::{Way, Writer},
    },
    report::{Bound, Cell, Row, Section, Verdict},
    stats::{Spread, many, whole},
    workload::Bench,
};

/// Who listens while others are taken out.
const LISTENERS: usize = 50;
/// Changes a second besides the removals: five thousand deliveries.
const CHANGES: u64 = 100;
/// People who are taken out and let in again, by turns.
const VICTIMS: usize = 20;

/// Where the people are connected, when the removal is made on the first node.
#[derive(Clone, Copy)]
struct Where {
    name: &'static str,
    goal: f64,
    trials: (usize, usize),
}

const PLACES: [Where; 3] = [
    Where {
        name: "on the same node",
        goal: 50.0,
        trials: (6_000, 60),
    },
    Where {
        name: "on another node",
        goal: 100.0,
        trials: (3_000, 40),
    },
    Where {
        name: "on another node, with the bus down",
        goal: 1_500.0,
        trials: (1_000, 40),
    },
];

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    // Three nodes share the hundred connections that the database has.
    let fewer = [("QUORATE_POOL", "8".to_owned())];
    let node = Quorate::start_with(bench, "revoke", &fewer)?;
    let second = node.beside(bench, "second", None)?;
    let bus = Cut::between(bench, &node.bus_url()?)?;
    let third = node.beside(bench, "third", Some(bus.url.clone()))?;
    let school = node.school(bench, SCHOOL)?;
    let clerk = node.sign_in(bench, SCHOOL, CLERK)?;
    let mut listeners = Crowd::new()?;
    let people = node.people(bench, &school, "governor", LISTENERS / PAGES_MOST + VICTIMS)?;
    let (victims, people) = people.split_at(VICTIMS);
    crowd_of(&node, &school, people, LISTENERS, 0, &mut listeners)?;
    let deputy = node.people(bench, &school, "clerk", 1)?.remove(0);
    node.analyse(bench)?;
    let way = Way::OtherNode {
        token: deputy.token,
        batch: 1,
    };
    let writer = Writer::new(bench, &node, vec![school.clone()], way)?;
    let mut busy = Busy::new(writer, listeners);
    let trial = Trial {
        bench,
        node: &node,
        school: &school,
        clerk: &clerk,
        victims,
    };
    let mut found = Vec::new();
    for (place, at) in PLACES.iter().zip([&node, &second, &third]) {
        bench.tell(place.name);
        if place.goal > 1_000.0 {
            bus.cut();
        }
        found.push(trial.run(at, bench.either(place.trials.0, place.trials.1), &mut busy)?);
    }
    Ok(section(&found))
}
/// A bus that can be taken down: a socket of PostgreSQL's own kind in between.
struct Cut {
    url: String,
    task: JoinHandle<()>,
}

impl Cut {
    fn between(bench: &Bench, url: &str) -> Result<Self> {
        let options: sqlx::postgres::PgConnectOptions = url.parse()?;
        let port = options.get_port();
        let real = options
            .get_socket()
            .cloned()
            .or_else(|| Some(PathBuf::from(options.get_host())).filter(|path| path.is_absolute()))
            .ok_or_else(|| said("The bus is not reached over a socket of this machine."))?;
        let folder = bench.folder().join("bus");
        std::fs::create_dir_all(&folder).map_err(io("the scratch folder"))?;
        let name = format!(".s.PGSQL.{port}");
        let (from, to) = (folder.join(&name), real.join(&name));
        let _inside = bench.hands.enter();
        let listener = UnixListener::bind(&from).map_err(io("a socket"))?;
        let task = bench.hands.spawn(carry(listener, to));
        Ok(Self {
            url: led_to(url, &real, &folder)?,
            task,
        })
    }

    /// From now on nobody rings through it.
    fn cut(&self) {
        self.task.abort();
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.cut();
    }
}

/// All connections end with the task.
async fn carry(listener: UnixListener, to: PathBuf) {
    let mut carried = tokio::task::JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let to = to.clone();
        carried.spawn(async move {
            if let Ok(mut server) = UnixStream::connect(&to).await {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}

/// The same address with another folder of the socket.
fn led_to(url: &str, real: &Path, other: &Path) -> Result<String> {
    let encoded = |path: &Path| path.display().to_string().replace('/', "%2F");
    for (old, new) in [
        (encoded(real), encoded(other)),
        (encoded(real).to_lowercase(), encoded(other)),
        (real.display().to_string(), other.display().to_string()),
    ] {
        if url.contains(&old) {
            return Ok(url.replace(&old, &new));
        }
    }
    Err(said("The address of the bus does not name its folder."))
}

fn section(found: &[Found]) -> Section {
    let quantile = |times: &[f64], quantile: f64| {
        let mut sorted = times.to_vec();
        sorted.sort_by(f64::total_cmp);
        let place = usize::try_from(whole(many(sorted.len()) * quantile)).unwrap_or(0);
        sorted
            .get(place.min(sorted.len().saturating_sub(1)))
            .copied()
    };
    let cell = |value: Option<f64>| value.and_then(|value| Cell::of(&[value], 1, " ms"));
    let rows = PLACES
        .iter()
        .zip(found)
        .map(|(place, found)| Row {
            name: place.name.to_owned(),
            cells: vec![
                Cell::of(&[many(found.times.len())], 0, ""),
                cell(Spread::of(&found.times).map(|spread| spread.median)),
                cell(quantile(&found.times, 0.99)),
                cell(Spread::of(&found.times).map(|spread| spread.high)),
                Cell::of(&[many(found.late)], 0, ""),
                Cell::of(&[found.load], 0, ""),
            ],
            invalid: found.faults.clone(),
        })
        .collect();
    let mut verdicts: Vec<Verdict> = PLACES
        .iter()
        .zip(found)
        .map(|(place, found)| {
            let value = found
                .faults
                .is_empty()
                .then(|| cell(quantile(&found.times, 0.99)))
                .flatten();
            Verdict::new(
                "G4",
                format!("p99, {}", place.name),
                value,
                Bound::AtMost(place.goal),
                None,
            )
        })
        .collect();
    let trials: usize = found.iter().map(|found| found.times.len()).sum();
    let late: usize = found.iter().map(|found| found.late).sum();
    verdicts.push(Verdict::new(
        "G4",
        format!("of {trials} removed, those who heard of something later"),
        Cell::of(&[many(late)], 0, ""),
        Bound::AtMost(0.0),
        None,
    ));
    Section {
        name: "revoke",
        title: "revoke (G4): a person is taken out of a busy school".to_owned(),
        about: format!(
            "The clerk suspends a person over HTTP while {LISTENERS} sockets of the school hear of {CHANGES} changes a \
             second and of every removal; then the person is let in again, with a new session and socket. {VICTIMS} people \
             by turns."
        ),
        columns: ["removals", "p50", "p99", "longest", "heard later", "deliveries/s meanwhile"]
            .map(str::to_owned)
            .to_vec(),
        rows,
        verdicts,
        notes: vec![
            "The time counts from the stamp of the event, just before its commit, until the close frame is read.".to_owned(),
            "Three nodes over one database, all on the server's core. The bus of the third goes through a socket that is \
             taken away, so that it hears of a removal by reading the log, five times a second."
                .to_owned(),
        ],
        charts: Vec::new(),
    }
}
