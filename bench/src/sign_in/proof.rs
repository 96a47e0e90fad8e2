//! Whoever verifies passwords, and how long each takes.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use crate::{
    child::{Asked, Child},
    fault::{Result, io, said},
    machine,
    stats::{Spread, float},
    workload::Bench,
};

/// Who is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The server's own pool.
    Quorate,
    /// The reference implementation, as Python calls it.
    Reference,
}

impl Kind {
    /// As the table calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quorate => "one verification, Quorate",
            Self::Reference => "one verification, the C reference (argon2-cffi 25.1)",
        }
    }
}

/// One that runs, on the server's core.
pub struct Prover {
    // Ends with it.
    child: Child,
    answers: BufReader<TcpStream>,
}

/// What came of a turn.
pub struct Turn {
    /// Milliseconds of one verification: the middle one.
    pub median: f64,
    /// Of 99 in 100.
    pub p99: f64,
    /// Milliseconds of processor time of one.
    pub cpu: f64,
    /// What passwords are hashed with, as a PHC string says it.
    pub settings: String,
    /// Whether the right password, and no other, was taken for it.
    pub right: bool,
}

impl Prover {
    /// Starts it.
    pub fn start(bench: &Bench, kind: Kind) -> Result<Self> {
        let (name, asked) = match kind {
            Kind::Quorate => {
                let itself = std::env::current_exe().map_err(io("the harness's own path"))?;
                ("argon2", Asked::new(&itself, &["serve", "argon2"]))
            }
            Kind::Reference => {
                let script = bench.peers.join("verify.py").display().to_string();
                let mut asked = Asked::new(Path::new("python3"), &[&script]);
                let installed = bench.peers.join("python").display().to_string();
                asked.environment = vec![
                    ("PYTHONPATH".to_owned(), installed),
                    ("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()),
                ];
                ("argon2-c", asked)
            }
        };
        let mut child = Child::start(bench.folder(), name, bench.cores.server, &asked)?;
        let told = child.told("ready ", Duration::from_secs(20))?;
        let port = told
            .split_whitespace()
            .last()
            .and_then(|port| port.parse::<u16>().ok())
            .ok_or_else(|| said(format!("{} did not say where it is.", kind.name())))?;
        let control = TcpStream::connect(("127.0.0.1", port)).map_err(io("a peer's control"))?;
        let answers = BufReader::new(control);
        Ok(Self { child, answers })
    }

    /// Lets it verify the right password so often, and a wrong one once.
    pub fn turn(&mut self, many: u32) -> Result<Turn> {
        let before = machine::cpu(self.child.id())?;
        writeln!(self.answers.get_mut(), "{many}").map_err(io("a peer's control"))?;
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .map_err(io("a peer's control"))?;
        self.child.alive()?;
        let spent = machine::cpu(self.child.id())? - before;
        let mut words = line.split_whitespace();
        let right = words.next() == Some("right");
        let settings = words.next().unwrap_or_default().to_owned();
        let mut times: Vec<f64> = words
            .filter_map(|nanos| nanos.parse::<u64>().ok())
            .map(|nanos| float(nanos) / 1e6)
            .collect();
        let median = Spread::of(&times).map_or(f64::NAN, |spread| spread.median);
        Ok(Turn {
            median,
            p99: super::quantile(&mut times, 0.99).unwrap_or(f64::NAN),
            cpu: spent * 1e3 / f64::from(many + 1),
            settings,
            right: right && median.is_finite(),
        })
    }
}
