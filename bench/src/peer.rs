//! The others: each a process of its own that broadcasts what it is told over a connection of its own.

pub mod argon2;
pub mod floor;
pub mod maud;
pub mod store;
pub mod tungstenite;

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use crate::{
    child::{Asked, Child},
    clock::Micros,
    crowd::{Crowd, Dialect, Place},
    fault::{Result, io, said},
    machine,
    window::{Contestant, Made, Publisher},
    workload::Bench,
};

/// Who can be started beside Quorate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A loop that writes to one connection after the other, and nothing else: what the machine can do at most.
    Floor,
    /// The library that Quorate's sockets stand on, in as bare a loop.
    Tungstenite,
    /// `ws` for Node.js.
    Ws,
    /// Socket.IO for Node.js.
    SocketIo,
    /// Bun's own.
    Bun,
}

impl Kind {
    /// As the table calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor: a bare send loop",
            Self::Tungstenite => "tokio-tungstenite, bare",
            Self::Ws => "ws 8.23",
            Self::SocketIo => "socket.io 4.8",
            Self::Bun => "Bun 1.4",
        }
    }

    const fn log(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Tungstenite => "tungstenite",
            Self::Ws => "ws",
            Self::SocketIo => "socketio",
            Self::Bun => "bun",
        }
    }

    const fn dialect(self) -> Dialect {
        match self {
            Self::SocketIo => Dialect::SocketIo,
            _ => Dialect::Plain,
        }
    }

    fn asked(self, bench: &Bench) -> Result<Asked> {
        let itself = std::env::current_exe().map_err(io("the harness's own path"))?;
        let script = |name: &str| bench.peers.join(name).display().to_string();
        Ok(match self {
            Self::Floor => Asked::new(&itself, &["serve", "floor"]),
            Self::Tungstenite => Asked::new(&itself, &["serve", "tungstenite"]),
            Self::Ws => Asked::new(Path::new("node"), &[&script("ws.mjs")]),
            Self::SocketIo => Asked::new(Path::new("node"), &[&script("socketio.mjs")]),
            Self::Bun => {
                let bun = bench.peers.join("node_modules/@oven/bun-linux-x64/bin/bun");
                Asked::new(&bun, &[&script("bun.mjs")])
            }
        })
    }
}

/// A peer that runs.
pub struct Peer {
    child: Child,
    /// Where its sockets are.
    pub address: SocketAddr,
    control: TcpStream,
    dialect: Dialect,
}

impl Peer {
    /// Starts it on the server's core.
    pub fn start(bench: &Bench, kind: Kind) -> Result<Self> {
        let mut child = Child::start(
            bench.folder(),
            kind.log(),
            bench.cores.server,
            &kind.asked(bench)?,
        )?;
        let ports = child.told("ready ", Duration::from_secs(20))?;
        let port = |place: usize| {
            ports
                .split_whitespace()
                .nth(place)
                .and_then(|port| port.parse::<u16>().ok())
                .ok_or_else(|| said(format!("{} did not say where it is.", kind.name())))
        };
        let control =
            TcpStream::connect(("127.0.0.1", port(1)?)).map_err(io("a peer's control"))?;
        control.set_nodelay(true).map_err(io("a peer's control"))?;
        Ok(Self {
            child,
            address: ([127, 0, 0, 1], port(0)?).into(),
            control,
            dialect: kind.dialect(),
        })
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where one socket of it goes.
    pub fn place(&self) -> Place {
        Place {
            address: self.address,
            host: self.address.to_string(),
            cookie: String::new(),
            dialect: self.dialect,
            group: 0,
        }
    }

    /// So many sockets of it, connected.
    pub fn crowd(&self, sockets: usize) -> Result<Crowd> {
        let mut crowd = Crowd::new()?;
        for _ in 0..sockets {
            crowd.add(self.place());
        }
        crowd.connect(0..sockets, 64, Duration::from_secs(30))?;
        Ok(crowd)
    }

    /// It as a contestant. It ends with its publisher.
    pub fn contend(self, kind: Kind, sockets: usize) -> Result<Contestant> {
        let (crowd, id) = (self.crowd(sockets)?, self.id());
        Ok(Contestant {
            name: kind.name(),
            crowd,
            publisher: Box::new(Told::new(self)),
            cpu: Box::new(move || machine::cpu(id)),
            apart: None,
        })
    }
}

/// Tells a peer what to broadcast.
pub struct Told {
    peer: Peer,
    seq: u64,
    made: Vec<Made>,
}

impl Told {
    /// From the first change on.
    pub fn new(peer: Peer) -> Self {
        Self {
            peer,
            seq: 0,
            made: Vec::new(),
        }
    }

    /// Tells one change and waits until it has been written to every socket. The floor alone answers.
    pub fn publish_and_wait(&mut self, at: Micros) -> Result<()> {
        self.publish(&[at])?;
        self.peer
            .control
            .write_all(b"?\n")
            .and_then(|()| self.peer.control.read_exact(&mut [0; 2]))
            .map_err(io("the floor's control"))
    }
}

impl Publisher for Told {
    fn publish(&mut self, due: &[Micros]) -> Result<()> {
        let mut lines = String::new();
        for at in due {
            self.seq += 1;
            let _ = writeln!(lines, "{}", self.seq);
            self.made.push(Made {
                group: 0,
                seq: self.seq,
                at: *at,
            });
        }
        self.peer
            .control
            .write_all(lines.as_bytes())
            .map_err(io("a peer's control"))
    }

    fn done(&mut self) -> Result<bool> {
        self.peer.child.alive().map(|()| true)
    }

    fn made(&mut self) -> Result<Vec<Made>> {
        Ok(std::mem::take(&mut self.made))
    }
}

/// The words of one change, as every contestant sends them.
fn words(seq: &str) -> String {
    format!(r#"{{"changed":["people"],"seq":{seq}}}"#)
}

/// Says where a peer of ours listens, as the others do.
fn ready(sockets: u16, control: u16) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready {sockets} {control}")
        .and_then(|()| out.flush())
        .map_err(io("the harness"))
}
