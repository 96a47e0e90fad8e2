//! G4: a person is taken out while their school is busy, and hears nothing more.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::{
    net::{UnixListener, UnixStream},
    sync::mpsc,
    task::JoinHandle,
};
use uuid::Uuid;

use crate::{
    clock::{self, Micros},
    crowd::{Crowd, Stage},
    fault::{Result, io, said},
    live::crowd_of,
    quorate::{
        CLERK, Door, PAGES_MOST, Quorate, SCHOOL,
        seed::{Person, School, cookie},
        writer::{Way, Writer},
    },
    report::{Bound, Cell, Row, Section, Verdict},
    stats::{Spread, many, whole},
    window::Publisher as _,
    workload::Bench,
};

/// Who listens while others are taken out.
const LISTENERS: usize = 50;
/// Changes a second besides the removals: five thousand deliveries.
const CHANGES: u64 = 100;
/// People who are taken out and let in again, by turns.
const VICTIMS: usize = 20;
/// How long somebody is in before they are taken out; by turns, so that the moment is never the same.
const STAY: [u64; 5] = [20, 35, 55, 80, 110];
/// Longest that the trials of one place may take.
const MOST: Duration = Duration::from_secs(900);

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
    let node = Quorate::start(bench, "revoke")?;
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
        writers: 2,
    };
    let mut busy = Busy {
        writer: Writer::new(bench, &node, vec![school.clone()], way)?,
        crowd: listeners,
        since: Instant::now(),
        made: 0,
    };
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

/// The school's other business: changes, and those who hear of them.
struct Busy {
    writer: Writer,
    crowd: Crowd,
    since: Instant,
    made: u64,
}

impl Busy {
    fn start(&mut self) -> Result<()> {
        self.writer.made()?;
        self.crowd.heard();
        (self.since, self.made) = (Instant::now(), 0);
        Ok(())
    }

    fn go_on(&mut self) -> Result<()> {
        let due = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(0) * CHANGES / 1_000;
        while self.made < due {
            self.writer.publish(&[clock::now()])?;
            self.made += 1;
        }
        self.crowd.poll(Duration::ZERO)
    }
}

struct Trial<'a> {
    bench: &'a Bench,
    node: &'a Quorate,
    school: &'a School,
    clerk: &'a str,
    victims: &'a [Person],
}

struct Found {
    times: Vec<f64>,
    late: usize,
    load: f64,
    faults: Vec<String>,
}

/// What somebody's turn is just now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    In(Instant),
    Removed,
    Gone,
    Restored,
}

/// What a task has come to tell: whose turn it is, and the cookie of a new session where one was opened.
type News = (usize, Result<Option<String>>);

impl Trial<'_> {
    fn run(&self, at: &Quorate, trials: usize, busy: &mut Busy) -> Result<Found> {
        let mut crowd = Crowd::new()?;
        let mut sessions = Vec::new();
        for person in self.victims {
            let token = self
                .bench
                .hands
                .block_on(self.node.open_session(self.school, person.membership))?;
            sessions.push(cookie(token));
        }
        for session in &sessions {
            crowd.add(at.place(&self.school.label, session, 0));
        }
        crowd.connect(0..crowd.len(), VICTIMS, Duration::from_secs(60))?;
        let from = self.head()?;
        busy.start()?;
        let (tell, mut news) = mpsc::unbounded_channel::<News>();
        let mut turns = vec![Turn::In(Instant::now()); crowd.len()];
        // Of each person, how each of their sockets ended: when, and up to where it had heard.
        let mut ends: Vec<Vec<(Micros, u64)>> = vec![Vec::new(); crowd.len()];
        let (mut begun, mut faults) = (0, Vec::new());
        let start = Instant::now();
        while ends.iter().map(Vec::len).sum::<usize>() < trials {
            if start.elapsed() > MOST {
                return Err(said("The removals took longer than a quarter of an hour."));
            }
            busy.go_on()?;
            crowd.poll(Duration::from_millis(1))?;
            while let Ok((who, told)) = news.try_recv() {
                // None: removed, and the answer is there. Some: let in again, with a new session.
                if let (Some(session), Some(turn)) = (told?, turns.get_mut(who)) {
                    *turn = Turn::Restored;
                    crowd.renew(who, session);
                    crowd.begin(who)?;
                }
            }
            for (who, (turn, ends)) in turns.iter_mut().zip(&mut ends).enumerate() {
                let stay = Duration::from_millis(
                    STAY.get((who + ends.len()) % STAY.len())
                        .copied()
                        .unwrap_or(50),
                );
                match *turn {
                    Turn::In(since) if since.elapsed() >= stay && begun < trials => {
                        begun += 1;
                        *turn = Turn::Removed;
                        self.spawn(who, false, &tell);
                    }
                    Turn::Removed => {
                        if let Some(end) = crowd.end(who) {
                            if end.code != Some(4403) {
                                faults.push(format!("somebody who was removed: {end}"));
                            }
                            ends.push((end.at, crowd.last(who)));
                            *turn = Turn::Gone;
                            self.spawn(who, true, &tell);
                        }
                    }
                    Turn::Restored if crowd.stage(who) == Stage::Live => {
                        *turn = Turn::In(Instant::now());
                    }
                    Turn::In(_) | Turn::Restored => {
                        if let Some(end) = crowd.end(who) {
                            return Err(said(format!("Somebody who was not removed: {end}.")));
                        }
                    }
                    Turn::Gone => {}
                }
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        // Whoever was just let go is let in again before somebody else counts on it.
        while turns.iter().any(|turn| matches!(turn, Turn::Gone)) && start.elapsed() < MOST {
            busy.go_on()?;
            if let Ok((who, told)) = news.try_recv()
                && told?.is_some()
                && let Some(turn) = turns.get_mut(who)
            {
                *turn = Turn::Restored;
            }
        }
        faults.extend(crowd.faults());
        faults.extend(busy.crowd.faults());
        let load = many(busy.crowd.heard().len()) / seconds;
        self.judge(from, &ends, load, faults)
    }

    /// Takes somebody out, or lets them in again with a new session; over HTTP, as the clerk does it.
    fn spawn(&self, who: usize, restore: bool, tell: &mpsc::UnboundedSender<News>) {
        let Some(person) = self.victims.get(who) else {
            return;
        };
        let (membership, tell) = (person.membership, tell.clone());
        let (door, clerk) = (self.node.door(SCHOOL), self.clerk.to_owned());
        let (behind, school) = (self.node.behind.clone(), self.school.clone());
        self.bench.hands.spawn(async move {
            let done = if restore {
                restored(&door, &clerk, &behind, &school, membership)
                    .await
                    .map(Some)
            } else {
                act(&door, &clerk, "people/suspend", membership)
                    .await
                    .map(|()| None)
            };
            let _ = tell.send((who, done));
        });
    }

    /// Where the log stands.
    fn head(&self) -> Result<i64> {
        Ok(self.bench.hands.block_on(
            sqlx::query_scalar("select seq from sec.event_head where tenant_id = $1")
                .bind(self.school.id)
                .fetch_one(&self.node.behind),
        )?)
    }

    /// Holds each end against the removal that it followed: the first of a person's ends against the first of their removals.
    fn judge(
        &self,
        from: i64,
        ends: &[Vec<(Micros, u64)>],
        load: f64,
        mut faults: Vec<String>,
    ) -> Result<Found> {
        let rows: Vec<(Uuid, i64, f64)> = self.bench.hands.block_on(
            sqlx::query_as(
                "select about, seq, (extract(epoch from at) * 1000000)::float8 from event
                 where tenant_id = $1 and seq > $2 and act = 'membership.suspended' order by seq",
            )
            .bind(self.school.id)
            .bind(from)
            .fetch_all(&self.node.behind),
        )?;
        let mut removals: HashMap<Uuid, Vec<(u64, Micros)>> = HashMap::new();
        for (about, seq, at) in rows {
            removals
                .entry(about)
                .or_default()
                .push((u64::try_from(seq).unwrap_or(0), whole(at)));
        }
        let (mut times, mut late) = (Vec::new(), 0);
        for (person, ends) in self.victims.iter().zip(ends) {
            let of_person = removals.remove(&person.membership).unwrap_or_default();
            if of_person.len() < ends.len() {
                faults.push("a socket ended and nobody had been removed".to_owned());
            }
            for ((closed, heard), (seq, at)) in ends.iter().zip(of_person) {
                late += usize::from(*heard >= seq);
                times.push(
                    many(usize::try_from(closed.saturating_sub(at)).unwrap_or(usize::MAX))
                        / 1_000.0,
                );
            }
        }
        if late > 0 {
            faults.push(format!("{late} heard of something after their removal"));
        }
        Ok(Found {
            times,
            late,
            load,
            faults,
        })
    }
}

async fn act(door: &Door, clerk: &str, name: &str, membership: Uuid) -> Result<()> {
    door.act(name, clerk, &[("id", &membership.to_string())])
        .await
}

async fn restored(
    door: &Door,
    clerk: &str,
    behind: &sqlx::PgPool,
    school: &School,
    membership: Uuid,
) -> Result<String> {
    act(door, clerk, "people/restore", membership).await?;
    crate::quorate::seed::open_session(behind, school, membership)
        .await
        .map(cookie)
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
