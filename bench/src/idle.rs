//! G3: what an idle socket costs, how quickly thousands come back, and that nobody misses anything over a restart.

use std::time::{Duration, Instant};

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
/// Changes a second while nodes are restarted.
const CHANGES: u64 = 20;
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
        });
    }

    let mut statements = Vec::new();
    for round in 0..bench.rounds() {
        for place in abba(tallies.len(), round) {
            let Some(tally) = tallies.get_mut(place) else {
                continue;
            };
            let ours = place == 0;
            let seen = if ours {
                Some(transactions(bench, &node)?)
            } else {
                None
            };
            tally.come_back(storm)?;
            if let Some((before, rest)) = seen {
                let (after, _) = transactions(bench, &node)?;
                statements.push(((after - before - rest) / many(storm)).max(0.0));
            }
            for other in &mut tallies {
                other.crowd.tend(Duration::from_millis(1))?;
            }
        }
        bench.tell(&format!("storm {} of {}", round + 1, bench.rounds()));
    }
    let mut crowd = tallies.remove(0);
    let ours = (crowd.memory, crowd.back.clone(), crowd.cost.clone());
    drop(tallies.split_off(2));
    bench.tell("a restart under load");
    let restart = restart(bench, &node, &schools, &mut crowd.crowd, storm)?;
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
        self.crowd.connect(0..storm, storm, STORM)?;
        self.back.push(many(storm) / start.elapsed().as_secs_f64());
        self.cost
            .push((machine::cpu(self.id)? - cpu) * 1e6 / many(storm));
        Ok(())
    }
}

/// Transactions of the application's database so far, and how many there are in three seconds without anybody's doing. Each
/// statement of its own is one; what is asked in one transaction counts once.
fn transactions(bench: &Bench, node: &Quorate) -> Result<(f64, f64)> {
    let count = || -> Result<f64> {
        // PostgreSQL tells of a connection's transactions a second after they were made.
        std::thread::sleep(Duration::from_millis(1_500));
        Ok(bench.hands.block_on(
            sqlx::query_scalar::<_, f64>(
                "select (xact_commit + xact_rollback)::float8 from pg_stat_database where datname = current_database()",
            )
            .fetch_one(&node.behind),
        )?)
    };
    let (first, second) = (count()?, count()?);
    Ok((second, second - first))
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
    let school = schools
        .first()
        .ok_or_else(|| said("There are no schools."))?;
    let clerk = node.people(bench, school, "clerk", 1)?.remove(0);
    let way = Way::OtherNode {
        token: clerk.token,
        batch: 1,
        writers: 1,
    };
    let mut writer = Writer::new(bench, node, vec![school.clone()], way)?;
    (0..storm).for_each(|socket| {
        crowd.cut(socket);
        crowd.lead(socket, second.address);
    });
    crowd.tend(Duration::from_secs(1))?;
    crowd.connect(0..storm, 64, STORM)?;
    crowd.tend(Duration::from_millis(300))?;
    (crowd.faults(), crowd.gaps(), crowd.resyncs(), crowd.heard());
    writer.made()?;

    let mut made = 0;
    let start = Instant::now();
    let mut told = false;
    loop {
        let due = u64::try_from(start.elapsed().as_millis()).unwrap_or(0) * CHANGES / 1_000;
        while made < due {
            writer.publish(&[clock::now()])?;
            made += 1;
        }
        if !told && start.elapsed() > Duration::from_secs(1) {
            second.ask_to_end();
            told = true;
        }
        crowd.poll(Duration::from_millis(5))?;
        for socket in 0..storm {
            if let Some(end) = crowd.end(socket) {
                if end.code != Some(1012) && end.status.is_some() {
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
    let head = changes.iter().map(|made| made.seq).max().unwrap_or(0);
    let behind = (0..storm)
        .filter(|socket| crowd.group(*socket) == 0 && crowd.last(*socket) != head)
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
    ours: &(f64, Vec<f64>, Vec<f64>),
    peers: &[Tally],
    statements: &[f64],
    restart: &Restart,
    (idle, storm): (usize, usize),
) -> Section {
    let (memory, back, cost) = ours;
    let row = |name: &str, memory: f64, back: &[f64], cost: &[f64]| Row {
        name: name.to_owned(),
        cells: vec![
            Cell::of(&[memory], 1, ""),
            Cell::of(back, 0, ""),
            Cell::of(cost, 0, ""),
        ],
        invalid: vec![],
    };
    let mut rows = vec![row("Quorate", *memory, back, cost)];
    rows.extend(
        peers
            .iter()
            .map(|peer| row(peer.name, peer.memory, &peer.back, &peer.cost)),
    );
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
            "The restart: of two nodes one is told to end while its school gets {CHANGES} changes a second; its {} sockets \
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
        columns: ["memory a socket, KB", "reconnects/s", "CPU a reconnect, µs"]
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
    }
}
