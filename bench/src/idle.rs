//! G3: what an idle socket costs, how quickly thousands come back, and that nobody misses anything over a restart.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::{
    clock,
    crowd::{Crowd, Stage},
    fault::{Result, said},
    live::crowd_of,
    machine,
    peer::{Kind, Peer},
    quorate::{
        PAGES_MOST, Quorate,
        seed::School,
        writer::{Way, Writer},
    },
    report::{Bound, Cell, Row, Section, Verdict},
    stats::{Spread, abba, float, many},
    window::Publisher as _,
    workload::Bench,
};

/// Sockets of one school.
const EACH: usize = 100;
/// Changes a second in every school while a node is restarted.
const CHANGES: u64 = 4;
/// Longest that a storm may take.
const STORM: Duration = Duration::from_secs(120);

struct Tally {
    name: &'static str,
    crowd: Crowd,
    id: u32,
    /// Kept so that it goes on running.
    _peer: Option<Peer>,
    memory: f64,
    back: Vec<f64>,
    cost: Vec<f64>,
    turned_away: u64,
}

/// See the module.
pub fn run(bench: &Bench) -> Result<Section> {
    let idle: usize = bench.either(9_000, 500);
    let storm: usize = bench.either(5_000, 300);
    let node = Quorate::start(bench, "idle")?;
    bench.tell("schools and their people");
    let schools = node.open_schools(bench, idle.div_ceil(EACH))?;
    let mut crowd = Crowd::new()?;
    let mut people = Vec::new();
    for school in &schools {
        people.push(node.people(bench, school, "governor", EACH / PAGES_MOST)?);
    }
    node.analyse(bench)?;
    bench.tell("their sockets");
    // The first hundred make what every process makes once.
    let mut before = 0.0;
    for (group, (school, people)) in (0..).zip(schools.iter().zip(&people)) {
        crowd_of(
            &node,
            school,
            people,
            EACH.min(idle - crowd.len()),
            group,
            &mut crowd,
        )?;
        if group == 0 {
            before = settled(&mut crowd, node.id())?;
        }
        crowd.poll(Duration::ZERO)?;
    }
    let after = settled(&mut crowd, node.id())?;
    // From here on only those of the storm: three contestants at once are more than a process may hold open.
    (storm..idle).for_each(|socket| crowd.cut(socket));
    let first = EACH.min(idle);
    let mut tallies = vec![Tally {
        name: "Quorate",
        memory: (after - before) / many(idle - first) / 1024.0,
        id: node.id(),
        crowd,
        _peer: None,
        back: Vec::new(),
        cost: Vec::new(),
        turned_away: 0,
    }];
    for kind in [Kind::SocketIo, Kind::Ws] {
        let peer = Peer::start(bench, kind)?;
        let mut crowd = peer.crowd(first)?;
        let before = settled(&mut crowd, peer.id())?;
        for _ in first..idle {
            crowd.add(peer.place());
        }
        crowd.connect(first..idle, 64, STORM)?;
        let after = settled(&mut crowd, peer.id())?;
        (storm..idle).for_each(|socket| crowd.cut(socket));
        tallies.push(Tally {
            name: kind.name(),
            memory: (after - before) / many(idle - first) / 1024.0,
            id: peer.id(),
            crowd,
            _peer: Some(peer),
            back: Vec::new(),
            cost: Vec::new(),
            turned_away: 0,
        });
    }

    let mut statements = Vec::new();
    for round in 0..bench.rounds() {
        for place in abba(tallies.len(), round) {
            let Some(tally) = tallies.get_mut(place) else {
                continue;
            };
            let ours = place == 0;
            let begun = transactions(bench, &node)?;
            let start = Instant::now();
            tally.come_back(storm)?;
            if ours {
                let by_themselves = begun.a_second * (start.elapsed() + FLUSH).as_secs_f64();
                let after = transactions(bench, &node)?;
                let asked = after.first - begun.last - by_themselves;
                statements.push((asked / many(storm)).max(0.0));
            }
            for other in &mut tallies {
                other.crowd.tend(Duration::from_millis(1))?;
            }
        }
        bench.tell(&format!("storm {} of {}", round + 1, bench.rounds()));
    }
    let mut ours = tallies.remove(0);
    bench.tell("a restart under load");
    let restart = restart(bench, &node, &schools, &mut ours.crowd, storm)?;
    Ok(section(
        &ours,
        &tallies,
        &statements,
        &restart,
        (idle, storm),
    ))
}

/// Memory once nothing moves any more.
fn settled(crowd: &mut Crowd, id: u32) -> Result<f64> {
    crowd.tend(Duration::from_secs(2))?;
    Ok(float(machine::memory(id)?))
}

impl Tally {
    /// The network is gone for a moment, and then all are there again at once.
    fn come_back(&mut self, storm: usize) -> Result<()> {
        (0..storm).for_each(|socket| self.crowd.cut(socket));
        self.crowd.tend(Duration::from_secs(1))?;
        let (cpu, start) = (machine::cpu(self.id)?, Instant::now());
        self.turned_away += self.crowd.rush(0..storm, STORM)?;
        self.back.push(many(storm) / start.elapsed().as_secs_f64());
        self.cost
            .push((machine::cpu(self.id)? - cpu) * 1e6 / many(storm));
        Ok(())
    }
}

/// PostgreSQL tells of a connection's transactions a second after they were made.
const FLUSH: Duration = Duration::from_millis(1_500);

/// Transactions of the application's database. Each statement of its own is one; what is asked in one transaction counts once.
struct Transactions {
    first: f64,
    last: f64,
    /// Without anybody's doing.
    a_second: f64,
}

fn transactions(bench: &Bench, node: &Quorate) -> Result<Transactions> {
    let count = || -> Result<f64> {
        std::thread::sleep(FLUSH);
        Ok(bench.hands.block_on(
            sqlx::query_scalar::<_, f64>(
                "select (xact_commit + xact_rollback)::float8 from pg_stat_database where datname = current_database()",
            )
            .fetch_one(&node.behind),
        )?)
    };
    let (first, last) = (count()?, count()?);
    Ok(Transactions {
        first,
        last,
        a_second: (last - first) / FLUSH.as_secs_f64(),
    })
}

struct Restart {
    sockets: usize,
    gaps: u64,
    resyncs: u64,
    behind: usize,
    faults: Vec<String>,
    seconds: f64,
    changes: u64,
}

/// A node is told to end while changes go on; its sockets go to the other one and say what they have heard.
fn restart(
    bench: &Bench,
    node: &Quorate,
    schools: &[School],
    crowd: &mut Crowd,
    storm: usize,
) -> Result<Restart> {
    let second = node.beside(bench, "second", None)?;
    let schools: Vec<School> = schools.iter().take(storm.div_ceil(EACH)).cloned().collect();
    let batch = schools.len();
    let way = Way::ManySchools { batch, noisy: None };
    let mut writer = Writer::new(bench, node, schools, way)?;
    (0..storm).for_each(|socket| {
        crowd.cut(socket);
        crowd.lead(socket, second.address);
    });
    crowd.tend(Duration::from_secs(1))?;
    crowd.connect(0..storm, 64, STORM)?;
    crowd.tend(Duration::from_millis(300))?;
    crowd.heard();
    if let Some(fault) = crowd.faults().into_iter().next() {
        return Err(said(fault));
    }
    // Of the storms before: nothing had changed then.
    crowd.gaps();
    crowd.resyncs();
    writer.made()?;

    let mut made = 0;
    let start = Instant::now();
    let mut told = false;
    loop {
        let due = u64::try_from(start.elapsed().as_millis()).unwrap_or(0) * CHANGES / 1_000;
        while made < due {
            // One commit with a change in every school.
            writer.publish(&vec![clock::now(); batch])?;
            made += 1;
        }
        if !told && start.elapsed() > Duration::from_secs(1) {
            second.ask_to_end();
            told = true;
        }
        crowd.poll(Duration::from_millis(5))?;
        for socket in 0..storm {
            if let Some(end) = crowd.end(socket) {
                // Whoever is turned away at the other node, or was on the way in when the first one ended, comes again.
                if end.status.is_none() && end.code.is_some_and(|code| code != 1012) {
                    return Err(said(format!("A socket of the node that ended: {end}.")));
                }
                crowd.lead(socket, node.address);
                crowd.begin(socket)?;
            }
        }
        let back = (0..storm).all(|socket| crowd.stage(socket) == Stage::Live);
        if told && back && start.elapsed() > Duration::from_secs(5) {
            break;
        }
        if start.elapsed() > STORM {
            return Err(said("Not all sockets came back after a restart."));
        }
    }
    let seconds = start.elapsed().as_secs_f64() - 1.0;
    while !writer.done()? {
        crowd.poll(Duration::from_millis(5))?;
    }
    crowd.tend(Duration::from_secs(1))?;
    let changes = writer.made()?;
    let mut heads: HashMap<u32, u64> = HashMap::new();
    for change in &changes {
        heads.insert(change.group, change.seq);
    }
    let behind = (0..storm)
        .filter(|socket| heads.get(&crowd.group(*socket)) != Some(&crowd.last(*socket)))
        .count();
    Ok(Restart {
        sockets: storm,
        gaps: crowd.gaps(),
        resyncs: crowd.resyncs(),
        behind,
        faults: crowd.faults(),
        seconds,
        changes: u64::try_from(changes.len()).unwrap_or(0),
    })
}

fn section(
    ours: &Tally,
    peers: &[Tally],
    statements: &[f64],
    restart: &Restart,
    (idle, storm): (usize, usize),
) -> Section {
    let Tally { memory, back, .. } = ours;
    let row = |tally: &Tally| Row {
        name: tally.name.to_owned(),
        cells: vec![
            Cell::of(&[tally.memory], 1, ""),
            Cell::of(&tally.back, 0, ""),
            Cell::of(&tally.cost, 0, ""),
            Cell::of(&[float(tally.turned_away)], 0, ""),
        ],
        invalid: vec![],
    };
    let rows = std::iter::once(ours).chain(peers).map(row).collect();
    let missed = float(restart.gaps)
        + float(restart.resyncs)
        + many(restart.behind)
        + many(restart.faults.len());
    let socket_io = peers.first();
    let mut notes = vec![
        format!(
            "Memory is what the process holds for itself (`Anonymous` of smaps_rollup) with {idle} sockets less that with \
             {EACH}, divided by the difference; measured once in a process of its own. The kernel's own, some 5 KB a \
             socket and end, is the same for all."
        ),
        format!(
            "The storm: {storm} connections are cut and all come back at once; until each has its subscription. Quorate \
             looks up host, session and rights of each, and answers what was missed; the peers look up nothing."
        ),
        format!(
            "The restart: of two nodes one is told to end while each school gets {CHANGES} changes a second; its {} sockets \
             are closed with 1012 over three seconds and go to the other node. {} changes, all back after {:.1} s: {} \
             gaps, {} told to fetch everything, {} not up to date at the end.",
            restart.sockets, restart.changes, restart.seconds, restart.gaps, restart.resyncs, restart.behind
        ),
        "\"Queries a reconnect\" counts transactions of the application's database, without those that come by \
         themselves.".to_owned(),
    ];
    notes.extend(restart.faults.iter().cloned());
    Section {
        name: "idle",
        title: format!("idle, storm, restart (G3): {idle} sockets"),
        about: "What sockets cost while nothing happens, and how they come back.".to_owned(),
        columns: [
            "memory a socket, KB",
            "reconnects/s",
            "CPU a reconnect, µs",
            "turned away in all",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
        verdicts: vec![
            Verdict::new(
                "G3",
                "memory a socket",
                Cell::of(&[*memory], 1, " KB"),
                Bound::AtMost(10.0),
                Some(Bound::AtMost(5.0)),
            ),
            Verdict::new(
                "G3",
                "memory a socket, of socket.io's",
                socket_io.and_then(|peer| Cell::of(&[memory / peer.memory], 2, "×")),
                Bound::AtMost(0.6),
                None,
            ),
            Verdict::new(
                "G3",
                "reconnects/s, beside socket.io",
                Cell::ratio(socket_io.and_then(|peer| Spread::ratio(back, &peer.back))),
                Bound::AtLeast(1.5),
                None,
            ),
            Verdict::new(
                "G3",
                "queries a reconnect",
                Cell::of(statements, 2, ""),
                Bound::AtMost(0.02),
                None,
            ),
            Verdict::new(
                "G3",
                "gaps over a restart under load",
                Cell::of(&[missed], 0, ""),
                Bound::AtMost(0.0),
                None,
            ),
        ],
        notes,
        charts: Vec::new(),
    }
}
