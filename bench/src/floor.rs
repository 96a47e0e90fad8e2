//! What the machine can do, and what the load can: the two ends between which every figure lies.

use std::time::{Duration, Instant};

use crate::{
    clock,
    fault::Result,
    peer::{Kind, Peer, Told},
    stats::many,
    window::{self, Pace},
    workload::Bench,
};

/// Sockets of the probe.
const SOCKETS: usize = 500;

/// Deliveries a second of the bare loop, as quick as it goes.
pub fn rate(bench: &Bench) -> Result<f64> {
    let mut floor = Peer::start(bench, Kind::Floor)?.contend(Kind::Floor, SOCKETS)?;
    let outcome = window::run(
        &mut floor,
        Pace::Closed { depth: 4 },
        bench.window(),
        bench.cores.load,
    )?;
    Ok(outcome.rate())
}

/// Frames a second that the load reads when nothing keeps it waiting: each socket has one frame, the floor has written them all
/// and is silent, and only the reading is timed.
pub fn generator(bench: &Bench) -> Result<f64> {
    let peer = Peer::start(bench, Kind::Floor)?;
    let mut crowd = peer.crowd(SOCKETS)?;
    let mut told = Told::new(peer);
    let mut reading = Duration::ZERO;
    let rounds = bench.either(400, 100);
    for _ in 0..rounds {
        told.publish_and_wait(clock::now())?;
        let start = Instant::now();
        while crowd.waiting() < SOCKETS {
            crowd.poll(Duration::from_millis(100))?;
        }
        reading += start.elapsed();
        crowd.heard();
    }
    Ok(many(SOCKETS * rounds) / reading.as_secs_f64())
}
