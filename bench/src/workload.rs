//! What is measured, and what every workload is given to measure with.
//!
//! A workload is a file with one function, `run(&Bench) -> Result<Section>`, and a line in [`ALL`]. It starts who it needs
//! ([`crate::peer::Peer`], [`crate::quorate::Quorate`]), lets them take turns ([`crate::stats::abba`]), measures windows
//! ([`crate::window::run`]), and hands back a table with its verdicts ([`crate::report::Section`]). Everything it started ends
//! when it is dropped.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::runtime::Runtime;

use crate::{
    commit, fan_out, fault::Result, growth, idle, import, live, machine::Cores, pages,
    report::Section, revoke, sealed, sign_in, tenants, upload,
};

/// One line of the table of workloads.
pub struct Workload {
    /// What `ONLY=` is given.
    pub name: &'static str,
    /// Measures it.
    pub run: fn(&Bench) -> Result<Section>,
}

/// In the order in which they run.
pub const ALL: &[Workload] = &[
    Workload {
        name: "live",
        run: live::run,
    },
    Workload {
        name: "tenants",
        run: tenants::run,
    },
    Workload {
        name: "idle",
        run: idle::run,
    },
    Workload {
        name: "revoke",
        run: revoke::run,
    },
    Workload {
        name: "commit",
        run: commit::run,
    },
    Workload {
        name: "pages",
        run: pages::run,
    },
    Workload {
        name: "sign-in",
        run: sign_in::run,
    },
    Workload {
        name: "upload",
        run: upload::run,
    },
    Workload {
        name: "import",
        run: import::run,
    },
    Workload {
        name: "fan-out",
        run: fan_out::run,
    },
    Workload {
        name: "growth",
        run: growth::run,
    },
    Workload {
        name: "sealed",
        run: sealed::run,
    },
];

/// What a workload is given.
pub struct Bench {
    /// Who runs where.
    pub cores: Cores,
    /// Seconds instead of minutes, to see that everything works; the figures are worth little.
    pub quick: bool,
    /// The release build.
    pub quorate: PathBuf,
    /// Its front end.
    pub site: PathBuf,
    /// PostgreSQL's programs.
    pub postgres: PathBuf,
    /// The peers that npm installed.
    pub peers: PathBuf,
    /// Threads for whatever waits for an answer; the load itself has a thread of its own.
    pub hands: Runtime,
    /// Taken away at the end.
    pub scratch: tempfile::TempDir,
}

impl Bench {
    /// Where logs and data of this run lie.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// How often everything is repeated.
    pub const fn rounds(&self) -> usize {
        if self.quick { 2 } else { 5 }
    }

    /// How long one window is.
    pub const fn window(&self) -> Duration {
        if self.quick {
            Duration::from_millis(500)
        } else {
            Duration::from_secs(3)
        }
    }

    /// The one number in a whole run, the other in a quick one.
    pub const fn either<T: Copy>(&self, whole: T, quick: T) -> T {
        if self.quick { quick } else { whole }
    }

    /// A word to whoever waits.
    #[allow(clippy::unused_self, reason = "only who measures may speak")]
    pub fn tell(&self, what: &str) {
        eprintln!("bench: {what}");
    }
}
