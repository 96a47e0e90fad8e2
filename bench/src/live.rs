//! G1: one change, told to a thousand sockets of one school.

use std::time::Duration;

use crate::{
    crowd::Crowd,
    fault::Result,
    machine,
    peer::{Kind, Peer},
    quorate::{
        CLERK, PAGES_MOST, Quorate, SCHOOL,
        seed::{Person, School},
        writer::{Clerk, Way, Writer},
    },
    report::{Bound, Cell, Row, Section, Verdict},
    stats::{Spread, abba, float},
    window::{self, Contestant, Outcome, Pace},
    workload::Bench,
};

/// Milliseconds within which 99 of 100 deliveries must come for a rate to count as sustained.
const P99: f64 = 50.0;
/// Shares of what a contestant did when it was driven as hard as it goes, tried from the top.
const STEPS: &[f64] = &[1.0, 0.92, 0.84, 0.76, 0.68, 0.6, 0.5, 0.4];
/// The same for a run that only shows that everything works.
const QUICK_STEPS: &[f64] = &[0.9, 0.7, 0.5, 0.3];
/// People whom the clerk renames, and so writes that are under way at once.
const RENAMED: usize = 8;
/// Events of a burst.
const BURST: u64 = 10;

/// Whose the database's core is while a contestant is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Peer(Kind),
    /// The clerk's changes are made by the server that tells of them: it, its database and the hub share the core.
    Whole,
    /// Another node makes them, with the database on the load's core: what is measured is the telling.
    Hub,
}

struct Tally {
    role: Role,
    who: Contestant,
    /// Changes a second when it was driven as hard as it goes.
    most: f64,
    sustained: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    cost: Vec<f64>,
    load: Vec<f64>,
    bursts: Vec<f64>,
    faults: Vec<String>,
}

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    let sockets: usize = bench.either(1_000, 200);
    // First, since it takes longest: whoever is connected must be heard at least every twenty seconds.
    let node = Quorate::start(bench, "live")?;
    bench.tell("people and their sockets");
    let ours = [
        Tally::new(Role::Whole, whole(bench, &node, sockets)?),
        Tally::new(Role::Hub, hub(bench, &node, sockets)?),
    ];
    node.analyse(bench)?;
    let mut tallies = Vec::new();
    for kind in [
        Kind::Floor,
        Kind::Tungstenite,
        Kind::Ws,
        Kind::SocketIo,
        Kind::Bun,
    ] {
        let who = Peer::start(bench, kind)?.contend(kind, sockets)?;
        tallies.push(Tally::new(Role::Peer(kind), who));
    }
    tallies.extend(ours);

    for round in 0..bench.rounds() {
        for place in abba(tallies.len(), round) {
            match tallies.get(place).map(|tally| tally.role) {
                Some(Role::Whole) => node.pin_database(bench.cores.server)?,
                Some(Role::Hub) => node.pin_database(bench.cores.load)?,
                Some(Role::Peer(_)) | None => {}
            }
            measure(bench, &mut tallies, place)?;
        }
        bench.tell(&format!("round {} of {}", round + 1, bench.rounds()));
    }
    Ok(section(&tallies, sockets))
}

/// A thousand sockets of people of one school, five each.
pub fn crowd_of(
    node: &Quorate,
    school: &School,
    people: &[Person],
    sockets: usize,
    group: u32,
    crowd: &mut Crowd,
) -> Result<()> {
    let first = crowd.len();
    for person in people {
        for _ in 0..PAGES_MOST {
            if crowd.len() - first < sockets {
                crowd.add(node.place(&school.label, &person.cookie, group));
            }
        }
    }
    crowd.connect(first..crowd.len(), 32, Duration::from_secs(120))
}

fn whole(bench: &Bench, node: &Quorate, sockets: usize) -> Result<Contestant> {
    let school = node.school(bench, SCHOOL)?;
    let people = node.people(bench, &school, "governor", sockets.div_ceil(PAGES_MOST))?;
    let cookie = node.sign_in(bench, SCHOOL, CLERK)?;
    let mut crowd = Crowd::new()?;
    crowd_of(node, &school, &people, sockets, 0, &mut crowd)?;
    let clerks = people.into_iter().take(RENAMED).map(|person| Clerk {
        door: node.door(SCHOOL),
        cookie: cookie.clone(),
        person,
    });
    let way = Way::Clerks(clerks.collect());
    let (id, postgres) = (node.id(), node.postgres());
    Ok(Contestant {
        name: "Quorate, changes made here",
        crowd,
        publisher: Box::new(Writer::new(bench, node, vec![school], way)?),
        cpu: Box::new(move || {
            Ok(machine::cpu(id)? + postgres.map_or(Ok(0.0), machine::cpu_of_family)?)
        }),
        apart: None,
    })
}

fn hub(bench: &Bench, node: &Quorate, sockets: usize) -> Result<Contestant> {
    let school = node.open_schools(bench, 1)?.remove(0);
    let people = node.people(bench, &school, "governor", sockets.div_ceil(PAGES_MOST))?;
    let mut crowd = Crowd::new()?;
    crowd_of(node, &school, &people, sockets, 0, &mut crowd)?;
    let id = node.id();
    Ok(Contestant {
        name: "Quorate, changes made on another node",
        crowd,
        publisher: Box::new(Writer::new(bench, node, vec![school], Way::Log)?),
        cpu: Box::new(move || machine::cpu(id)),
        apart: None,
    })
}

impl Tally {
    fn new(role: Role, who: Contestant) -> Self {
        Self {
            role,
            who,
            most: 0.0,
            sustained: Vec::new(),
            p50: Vec::new(),
            p99: Vec::new(),
            cost: Vec::new(),
            load: Vec::new(),
            bursts: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Whether its row is worth anything.
    fn holds(&self) -> bool {
        self.faults.is_empty()
    }
}

/// One turn of one contestant: the highest rate that it sustains, and what bursts cost it.
fn measure(bench: &Bench, tallies: &mut [Tally], place: usize) -> Result<()> {
    let window = |tallies: &mut [Tally], pace: Pace| -> Result<Option<Outcome>> {
        let Some(tally) = tallies.get_mut(place) else {
            return Ok(None);
        };
        let outcome = window::run(&mut tally.who, pace, bench.window(), bench.cores.load)?;
        tally.faults.extend(outcome.faults.iter().cloned());
        // Answers the pings of the others, who have had to wait.
        for other in tallies.iter_mut() {
            other.who.crowd.tend(Duration::from_millis(1))?;
        }
        Ok(Some(outcome))
    };
    let Some((role, mut most)) = tallies.get(place).map(|tally| (tally.role, tally.most)) else {
        return Ok(());
    };
    if most <= 0.0 {
        let depth = match role {
            Role::Whole => 8,
            // As many as one commit may hold, or it would be the disk that is driven.
            Role::Hub => 32,
            Role::Peer(_) => 4,
        };
        if let Some(hard) = window(tallies, Pace::Closed { depth })? {
            most = float(hard.made) / hard.seconds;
        }
    }
    let mut sustained = None;
    for step in bench.either(STEPS, QUICK_STEPS) {
        let pace = Pace::Open {
            rate: most * step,
            burst: 1,
        };
        sustained = window(tallies, pace)?.filter(|outcome| outcome.holds(P99));
        if sustained.is_some() {
            break;
        }
    }
    let bursts = if role == Role::Whole {
        None
    } else {
        // What is asked is what a frame costs when ten come at once, and not how many bursts a server bears.
        let rate = most * 0.5;
        window(tallies, Pace::Open { rate, burst: BURST })?
    };
    let Some(tally) = tallies.get_mut(place) else {
        return Ok(());
    };
    tally.most = most;
    match sustained {
        None => tally.sustained.push(0.0),
        Some(outcome) => {
            tally.sustained.push(outcome.rate());
            tally.p50.push(outcome.p50);
            tally.p99.push(outcome.p99);
            tally.cost.push(outcome.cost());
            tally.load.push(outcome.load * 100.0);
        }
    }
    if let Some(outcome) = bursts.filter(|outcome| outcome.missing == 0 && outcome.cpu > 0.0) {
        tally.bursts.push(float(outcome.deliveries) / outcome.cpu);
    }
    Ok(())
}

fn section(tallies: &[Tally], sockets: usize) -> Section {
    let of = |role: Role| tallies.iter().find(|tally| tally.role == role);
    let floor = of(Role::Peer(Kind::Floor));
    let against = |ours: Role, theirs: Role| -> Option<Spread> {
        let (ours, theirs) = (of(ours)?, of(theirs)?);
        (ours.holds() && theirs.holds())
            .then(|| Spread::ratio(&ours.sustained, &theirs.sustained))
            .flatten()
    };
    let rows = tallies
        .iter()
        .map(|tally| Row {
            name: tally.who.name.to_owned(),
            cells: vec![
                Cell::of(&tally.sustained, 0, ""),
                Cell::ratio(
                    floor.and_then(|floor| Spread::ratio(&tally.sustained, &floor.sustained)),
                ),
                Cell::of(&tally.p50, 1, ""),
                Cell::of(&tally.p99, 1, ""),
                Cell::of(&tally.cost, 2, ""),
                Cell::of(&tally.load, 0, "%"),
                Cell::of(&tally.bursts, 0, ""),
            ],
            invalid: tally.faults.clone(),
        })
        .collect();
    let verdict = |what: &str, theirs: Kind, must: f64, stretch: Option<f64>| {
        Verdict::new(
            "G1",
            what,
            Cell::ratio(against(Role::Hub, Role::Peer(theirs))),
            Bound::AtLeast(must),
            stretch.map(Bound::AtLeast),
        )
    };
    let bursts = of(Role::Hub)
        .filter(|tally| tally.holds())
        .and_then(|tally| Cell::of(&tally.bursts, 0, ""));
    Section {
        name: "live",
        title: format!("live (G1): one change to {sockets} sockets of one school"),
        about: format!(
            "Each contestant sends `{{\"changed\":[\"people\"],\"seq\":n}}` to {sockets} sockets for each change. A rate \
             is sustained when every frame comes, in order, and 99 of 100 within {P99:.0} ms of the change. Bursts are \
             {BURST} changes at once, at half the rate."
        ),
        columns: [
            "sustained, deliveries/s",
            "of the floor",
            "p50, ms",
            "p99, ms",
            "CPU a delivery, µs",
            "load's core busy",
            "bursts: frames/s and core",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
        verdicts: vec![
            verdict("sustained, of the floor", Kind::Floor, 0.65, Some(0.85)),
            verdict("sustained, beside socket.io", Kind::SocketIo, 1.8, Some(2.3)),
            verdict("sustained, beside ws", Kind::Ws, 0.9, Some(1.15)),
            verdict("sustained, of tokio-tungstenite", Kind::Tungstenite, 0.85, None),
            Verdict::new("G1", "bursts, frames/s and core", bursts, Bound::AtLeast(1_500_000.0), None),
        ],
        notes: vec![
            "\"Changes made here\": the clerk signs in with password and second factor and renames people through the \
             page's own server function, and the server, its database and the hub share one core; its CPU is theirs \
             together, and the time of a delivery counts from the event's own stamp. The peers write nothing down, so what \
             it must do more than they is in this row."
                .to_owned(),
            "\"Changes made on another node\": the log's own function appends what is due, in one statement and commit, and \
             rings the bus; the database is on the load's core. What is left on the server's core is what the peers do too, \
             and the verdicts are of this row."
                .to_owned(),
            "Quorate's sockets are the real ones: cookie, upgrade, subscription, hub; five to a person, which is the \
             limit. Only the people and their sessions are written straight into the database \
             (`bench/src/quorate/seed.rs`)."
                .to_owned(),
            "Where the load's core is busy for more than 95 %, the generator and not the contestant set the rate; the CPU \
             a delivery still counts."
                .to_owned(),
        ],
        charts: Vec::new(),
    }
}
