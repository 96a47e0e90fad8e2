//! One measurement: changes made at a given rate for some seconds, and what became of each of them on every socket.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::{
    clock::{self, Micros},
    crowd::{Crowd, Heard},
    fault::{Result, said},
    machine::Watch,
    stats::{float, many, whole},
};

/// A change that was made.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// Whose tenant.
    pub group: u32,
    /// Which of the tenant's.
    pub seq: u64,
    /// When it was due; for Quorate the time at which the event was stamped, just before its commit.
    pub at: Micros,
}

/// Whoever makes the changes of a contestant.
pub trait Publisher {
    /// Makes one change for each of these moments, now and without waiting for them to be made.
    fn publish(&mut self, due: &[Micros]) -> Result<()>;
    /// Whether all that were asked for are made. Refuses where one was not.
    fn done(&mut self) -> Result<bool>;
    /// What was made since the last call.
    fn made(&mut self) -> Result<Vec<Made>>;
    /// What it waits for, as far as that can be asked, for whoever waits no longer.
    fn waits_for(&mut self) -> String {
        String::new()
    }
}

/// Who is measured: a server, its sockets, and whoever makes its changes.
pub struct Contestant {
    /// As the table calls it.
    pub name: &'static str,
    /// Its sockets.
    pub crowd: Crowd,
    /// Who makes changes.
    pub publisher: Box<dyn Publisher>,
    /// Seconds of processor time that it has used so far.
    pub cpu: Box<dyn Fn() -> Result<f64>>,
    /// A group whose deliveries count, and whose times do not: the noisy school among others.
    pub apart: Option<u32>,
}

/// How the changes of a window come.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// So many a second, whether or not the server keeps up; `burst` of them at once.
    Open {
        /// Changes a second.
        rate: f64,
        /// At once.
        burst: u64,
    },
    /// As many as the server takes, with so many under way.
    Closed {
        /// Changes that not all have heard of.
        depth: u64,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Changes that were made.
    pub made: u64,
    /// Frames that were read.
    pub deliveries: u64,
    /// From the first change until the last frame.
    pub seconds: f64,
    /// Milliseconds from a change to a frame: the middle one.
    pub p50: f64,
    /// And that of 99 in 100.
    pub p99: f64,
    /// Seconds of processor time of the contestant.
    pub cpu: f64,
    /// Share of the time in which the load's core was not idle.
    pub load: f64,
    /// Whether the changes were made at the rate that was asked for.
    pub on_time: bool,
    /// Changes that a socket was told of in one frame with others, or not at all.
    pub missing: u64,
    /// What must not happen at any rate: the row is worth nothing.
    pub faults: Vec<String>,
}

impl Outcome {
    /// Deliveries a second.
    pub fn rate(&self) -> f64 {
        float(self.deliveries) / self.seconds
    }

    /// Microseconds of processor time for each delivery.
    pub fn cost(&self) -> f64 {
        self.cpu * 1e6 / float(self.deliveries)
    }

    /// Whether every change reached every socket in time.
    pub fn holds(&self, p99: f64) -> bool {
        self.on_time && self.missing == 0 && self.p99 <= p99 && self.deliveries > 0
    }
}

/// Nothing more comes after so long a silence.
const SILENCE: Duration = Duration::from_millis(300);
/// Longest wait for what is still under way at the end.
const DRAIN: Duration = Duration::from_secs(60);
/// How late the last change of a window may be made.
const LATE: Micros = 100_000;

/// Measures for so long. `core` is the load's.
pub fn run(who: &mut Contestant, pace: Pace, time: Duration, core: u32) -> Result<Outcome> {
    who.crowd.tend(Duration::from_millis(5))?;
    who.crowd.heard();
    who.publisher.made()?;
    let mut faults = who.crowd.faults();
    let (cpu, watch) = ((who.cpu)()?, Watch::start(core)?);
    let start = clock::now();
    match pace {
        Pace::Open { rate, burst } => open(who, start, rate, burst, time)?,
        Pace::Closed { depth } => closed(who, depth, time)?,
    }
    let asked_until = clock::now();
    let load = watch.busy()?;
    drain(who)?;
    let spent = (who.cpu)()? - cpu;
    let made = who.publisher.made()?;
    let heard = who.crowd.heard();
    faults.extend(who.crowd.faults());
    let judged = judge(&who.crowd, &heard, &made, who.apart)?;
    faults.extend(judged.faults);
    let end = heard.iter().map(|heard| heard.at).max().unwrap_or(start);
    let last_made = made.iter().map(|made| made.at).max().unwrap_or(start);
    let millis = |quantile| float(judged.times.value_at_quantile(quantile)) / 1000.0;
    Ok(Outcome {
        made: u64::try_from(made.len()).unwrap_or(u64::MAX),
        deliveries: u64::try_from(heard.len()).unwrap_or(u64::MAX),
        seconds: float(end.saturating_sub(start).max(1)) / 1e6,
        p50: millis(0.5),
        p99: millis(0.99),
        cpu: spent,
        load,
        on_time: last_made <= asked_until + LATE,
        missing: judged.missing,
        faults,
    })
}

/// Every change has its moment, and its time counts from there: a server that is late does not slow down who measures it.
fn open(who: &mut Contestant, start: Micros, rate: f64, burst: u64, time: Duration) -> Result<()> {
    let burst = burst.max(1);
    let between = 1e6 * float(burst) / rate;
    let bursts = whole(time.as_secs_f64() * 1e6 / between).max(1);
    let moment = |number: u64| start + whole(float(number) * between);
    let mut sent = 0;
    while sent < bursts {
        let now = clock::now();
        let mut due = Vec::new();
        while sent < bursts && moment(sent) <= now {
            due.extend((0..burst).map(|_| moment(sent)));
            sent += 1;
        }
        if !due.is_empty() {
            who.publisher.publish(&due)?;
        }
        let wait = moment(sent).saturating_sub(clock::now());
        who.crowd.poll(Duration::from_micros(wait))?;
    }
    Ok(())
}

fn closed(who: &mut Contestant, depth: u64, time: Duration) -> Result<()> {
    let sockets = many(who.crowd.live());
    let begun = Instant::now();
    let mut sent = 0;
    while begun.elapsed() < time {
        let finished = whole(many(who.crowd.waiting()) / sockets);
        while sent < finished + depth {
            who.publisher.publish(&[clock::now()])?;
            sent += 1;
        }
        who.crowd.poll(Duration::from_millis(10))?;
    }
    Ok(())
}

/// Reads on until all is made and nothing more comes.
fn drain(who: &mut Contestant) -> Result<()> {
    let begun = Instant::now();
    let (mut count, mut since) = (who.crowd.waiting(), Instant::now());
    while begun.elapsed() < DRAIN {
        who.crowd.poll(Duration::from_millis(20))?;
        if who.crowd.waiting() != count {
            (count, since) = (who.crowd.waiting(), Instant::now());
        } else if since.elapsed() >= SILENCE && who.publisher.done()? {
            return Ok(());
        }
    }
    if who.publisher.done()? {
        Ok(())
    } else {
        Err(said(format!(
            "{} had not made all changes {} seconds after they were asked for. {}",
            who.name,
            DRAIN.as_secs(),
            who.publisher.waits_for()
        )))
    }
}

struct Judged {
    times: Histogram<u64>,
    missing: u64,
    faults: Vec<String>,
}

/// Holds what was heard against what was made. Each socket must have heard exactly the changes of its own tenant. Their order
/// was checked as they came, so a frame of another tenant shows as one that was never made here, or as one that comes twice.
fn judge(crowd: &Crowd, heard: &[Heard], made: &[Made], apart: Option<u32>) -> Result<Judged> {
    let broken = |error: &dyn std::fmt::Display| said(format!("The histogram: {error}"));
    let mut times = Histogram::<u64>::new(3).map_err(|error| broken(&error))?;
    let moments: HashMap<(u32, u64), Micros> = made
        .iter()
        .map(|made| ((made.group, made.seq), made.at))
        .collect();
    let mut of_group: HashMap<u32, u64> = HashMap::new();
    for made in made {
        *of_group.entry(made.group).or_default() += 1;
    }
    let mut of_socket = vec![0_u64; crowd.len()];
    let mut foreign = 0_u64;
    for one in heard {
        let socket = usize::try_from(one.socket).unwrap_or(usize::MAX);
        if let Some(count) = of_socket.get_mut(socket) {
            *count += 1;
        }
        let group = crowd.group(socket);
        match moments.get(&(group, one.seq)) {
            Some(_) if apart == Some(group) => {}
            Some(at) => times
                .record(one.at.saturating_sub(*at).max(1))
                .map_err(|error| broken(&error))?,
            None => foreign += 1,
        }
    }
    let (mut missing, mut surplus) = (0, 0);
    for (socket, count) in of_socket.iter().enumerate() {
        let due = of_group.get(&crowd.group(socket)).copied().unwrap_or(0);
        missing += due.saturating_sub(*count);
        surplus += count.saturating_sub(due);
    }
    let mut faults = Vec::new();
    if foreign > 0 {
        faults.push(format!(
            "{foreign} frames of changes that were not made there"
        ));
    }
    if surplus > 0 {
        faults.push(format!("{surplus} frames more than changes"));
    }
    Ok(Judged {
        times,
        missing,
        faults,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::{Dialect, Place};

    fn two_schools() -> Crowd {
        let mut crowd = Crowd::new().unwrap();
        for group in [0, 1] {
            crowd.add(Place {
                address: ([127, 0, 0, 1], 9).into(),
                host: String::new(),
                cookie: String::new(),
                dialect: Dialect::Quorate,
                group,
            });
        }
        crowd
    }

    fn made(group: u32, seq: u64) -> Made {
        Made {
            group,
            seq,
            at: 1_000,
        }
    }

    fn heard(socket: u32, seq: u64, at: Micros) -> Heard {
        Heard { socket, seq, at }
    }

    #[test]
    fn a_frame_of_another_school_is_found() {
        let crowd = two_schools();
        let changes = [made(0, 5), made(1, 9)];
        let right = judge(
            &crowd,
            &[heard(0, 5, 3_000), heard(1, 9, 4_000)],
            &changes,
            None,
        )
        .unwrap();
        assert!(right.faults.is_empty() && right.missing == 0);
        assert_eq!(right.times.len(), 2);
        let foreign = judge(
            &crowd,
            &[heard(0, 5, 3_000), heard(0, 9, 3_000)],
            &changes,
            None,
        )
        .unwrap();
        assert_eq!(foreign.faults.len(), 2, "{:?}", foreign.faults);
        assert_eq!(foreign.missing, 1);
    }

    #[test]
    fn a_change_that_a_socket_never_heard_of_is_missing() {
        let judged = judge(
            &two_schools(),
            &[heard(0, 5, 2_000)],
            &[made(0, 5), made(0, 6)],
            None,
        )
        .unwrap();
        assert_eq!((judged.missing, judged.faults.len()), (1, 0));
    }

    #[test]
    fn a_window_holds_only_with_everything_there_and_in_time() {
        let outcome = Outcome {
            made: 1,
            deliveries: 10,
            seconds: 1.0,
            p50: 1.0,
            p99: 49.0,
            cpu: 0.1,
            load: 0.5,
            on_time: true,
            missing: 0,
            faults: vec![],
        };
        assert!(outcome.holds(50.0));
        assert!(
            !Outcome {
                missing: 1,
                ..outcome.clone()
            }
            .holds(50.0)
        );
        assert!(
            !Outcome {
                on_time: false,
                ..outcome.clone()
            }
            .holds(50.0)
        );
        assert!(!outcome.holds(48.0));
    }
}
