//! The load: thousands of sockets read by one thread, and each frame checked as it comes.

mod socket;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token};

use crate::{
    clock,
    fault::{Result, io, said},
};

pub use socket::{Dialect, End, Stage};
use socket::{Mouth, Socket};

/// Where a socket goes, and as whom.
#[derive(Clone, Debug)]
pub struct Place {
    /// On loopback.
    pub address: SocketAddr,
    /// What is said as `Host`, and as origin.
    pub host: String,
    /// `name=value`.
    pub cookie: String,
    /// What it speaks once it is open.
    pub dialect: Dialect,
    /// Which tenant it belongs to; numbers of the workload's own.
    pub group: u32,
}

/// One change as one socket was told of it.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// Which socket.
    pub socket: u32,
    /// Which change of its tenant.
    pub seq: u64,
    /// When it was read.
    pub at: clock::Micros,
}

/// Sockets of one contestant.
pub struct Crowd {
    poll: Poll,
    events: Events,
    sockets: Vec<Socket>,
    scratch: Vec<u8>,
    mouth: Mouth,
}

/// Reads of one readiness; the kernel seldom holds more for one socket.
const SCRATCH: usize = 256 * 1024;

impl Crowd {
    /// Nobody yet.
    pub fn new() -> Result<Self> {
        Ok(Self {
            poll: Poll::new().map_err(io("epoll"))?,
            events: Events::with_capacity(1024),
            sockets: Vec::new(),
            scratch: vec![0; SCRATCH],
            mouth: Mouth::default(),
        })
    }

    /// Nobody yet of those who watch another topic than the people, and of whom some are to be told that it is not for them.
    pub fn watching(topic: &str) -> Result<Self> {
        Ok(Self {
            mouth: Mouth::of(topic, true),
            ..Self::new()?
        })
    }

    /// One socket more, not connected yet. Its number.
    pub fn add(&mut self, place: Place) -> usize {
        self.sockets.push(Socket::new(place));
        self.sockets.len() - 1
    }

    /// How many there are, connected or not.
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// How many are where they may hear of changes.
    pub fn live(&self) -> usize {
        self.sockets
            .iter()
            .filter(|socket| socket.stage == Stage::Live && !socket.refused)
            .count()
    }

    /// Which tenant a socket belongs to.
    pub fn group(&self, socket: usize) -> u32 {
        self.sockets
            .get(socket)
            .map_or(0, |socket| socket.place.group)
    }

    /// How far a socket has come.
    pub fn stage(&self, socket: usize) -> Stage {
        self.sockets
            .get(socket)
            .map_or(Stage::Away, |socket| socket.stage)
    }

    /// Whether a socket was told that what it wants to watch is not for it.
    pub fn refused(&self, socket: usize) -> bool {
        self.sockets
            .get(socket)
            .is_some_and(|socket| socket.refused)
    }

    /// How a socket ended, where it has.
    pub fn end(&self, socket: usize) -> Option<End> {
        self.sockets.get(socket).and_then(|socket| socket.end)
    }

    /// Up to where a socket has heard everything.
    pub fn last(&self, socket: usize) -> u64 {
        self.sockets.get(socket).map_or(0, |socket| socket.last)
    }

    /// Gives a socket another cookie, for the next time it connects; it forgets what it has heard.
    pub fn renew(&mut self, socket: usize, cookie: String) {
        if let Some(socket) = self.sockets.get_mut(socket) {
            socket.place.cookie = cookie;
            socket.last = 0;
            socket.epoch.clear();
        }
    }

    /// Sends a socket elsewhere, the next time it connects.
    pub fn lead(&mut self, socket: usize, address: SocketAddr) {
        if let Some(socket) = self.sockets.get_mut(socket) {
            socket.place.address = address;
        }
    }

    /// Begins to connect a socket, or to connect it again: then it says what it has heard.
    pub fn begin(&mut self, socket: usize) -> Result<()> {
        let Some(one) = self.sockets.get_mut(socket) else {
            return Ok(());
        };
        let mut stream = mio::net::TcpStream::connect(one.place.address).map_err(io("connect"))?;
        self.poll
            .registry()
            .register(
                &mut stream,
                Token(socket),
                Interest::READABLE | Interest::WRITABLE,
            )
            .map_err(io("epoll"))?;
        one.begin(stream);
        Ok(())
    }

    /// Drops the connection of a socket, as a network does that is gone.
    pub fn cut(&mut self, socket: usize) {
        if let Some(socket) = self.sockets.get_mut(socket) {
            socket.cut();
        }
    }

    /// Connects these, so many at once, until each may hear of changes.
    pub fn connect(
        &mut self,
        which: impl IntoIterator<Item = usize>,
        at_once: usize,
        most: Duration,
    ) -> Result<()> {
        let mut waiting = which.into_iter();
        let mut under_way: Vec<usize> = Vec::new();
        let start = Instant::now();
        loop {
            while under_way.len() < at_once {
                let Some(next) = waiting.next() else { break };
                self.begin(next)?;
                under_way.push(next);
            }
            if under_way.is_empty() {
                return Ok(());
            }
            self.poll(Duration::from_millis(100))?;
            for one in &under_way {
                if let Some(end) = self.end(*one) {
                    return Err(said(format!("A socket could not be opened: {end}.")));
                }
            }
            under_way.retain(|one| self.stage(*one) != Stage::Live);
            if start.elapsed() > most {
                return Err(said(format!(
                    "{} sockets were not open after {} seconds.",
                    under_way.len(),
                    most.as_secs()
                )));
            }
        }
    }

    /// Connects these all at once, and again whoever was turned away, until each may hear of changes. How often somebody was.
    pub fn rush(&mut self, which: std::ops::Range<usize>, most: Duration) -> Result<u64> {
        let (start, mut turned_away) = (Instant::now(), 0);
        for socket in which.clone() {
            self.begin(socket)?;
        }
        while which
            .clone()
            .any(|socket| self.stage(socket) != Stage::Live)
        {
            self.poll(Duration::from_millis(100))?;
            for socket in which.clone() {
                if self.end(socket).is_some() {
                    turned_away += 1;
                    self.begin(socket)?;
                }
            }
            if start.elapsed() > most {
                return Err(said(format!(
                    "Not all sockets were back after {} seconds.",
                    most.as_secs()
                )));
            }
        }
        Ok(turned_away)
    }

    /// Reads what has come, or waits so long for something to come.
    pub fn poll(&mut self, most: Duration) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(most)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(()),
            other => other.map_err(io("epoll"))?,
        }
        for event in &self.events {
            let Token(number) = event.token();
            let Some(socket) = self.sockets.get_mut(number) else {
                continue;
            };
            if event.is_writable() && socket.stage == Stage::Connecting {
                socket.knock(self.poll.registry(), Token(number))?;
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.mouth.socket = u32::try_from(number).unwrap_or(u32::MAX);
                socket.read(&mut self.scratch, &mut self.mouth);
            }
        }
        Ok(())
    }

    /// Reads for so long, and then until nothing is left.
    pub fn tend(&mut self, time: Duration) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < time {
            self.poll(time.saturating_sub(start.elapsed()))?;
        }
        self.poll(Duration::ZERO)
    }

    /// What was heard since the last call.
    pub fn heard(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.mouth.heard)
    }

    /// What no server may do, since the last call: other words than were agreed, an order that goes back, a frame that is none.
    pub fn faults(&mut self) -> Vec<String> {
        std::mem::take(&mut self.mouth.faults)
    }

    /// How many were told to fetch everything anew, since the last call.
    pub fn resyncs(&mut self) -> u64 {
        std::mem::take(&mut self.mouth.resyncs)
    }

    /// How often a socket was told of a change whose number does not follow the last one, since the last call. A number may be
    /// that of something that is not watched; who lets nothing else happen knows each for a gap.
    pub fn gaps(&mut self) -> u64 {
        std::mem::take(&mut self.mouth.gaps)
    }

    /// How many changes have been heard and not taken.
    pub fn waiting(&self) -> usize {
        self.mouth.heard.len()
    }
}
