//! A process that the harness started: on a core of its own, with its words in a file, and ended by its id alone.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::fault::{Result, io, said};

/// Longer than anything needs to end in order.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running process. Dropping it ends it.
pub struct Child {
    process: std::process::Child,
    log: PathBuf,
    name: String,
}

impl Child {
    /// Starts a program on a core. What it says goes into a file of `folder` that is called after `name`.
    pub fn start(folder: &Path, name: &str, core: u32, command: &Asked) -> Result<Self> {
        // Of this start alone: what an earlier one said must not be taken for it.
        let log = (1..=u32::MAX)
            .map(|start| folder.join(format!("{name}-{start}.log")))
            .find(|log| !log.exists())
            .unwrap_or_default();
        let file = File::create_new(&log).map_err(io("a log file"))?;
        let process = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(&command.program)
            .args(&command.arguments)
            .envs(
                command
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().map_err(io("a log file"))?)
            .stderr(file)
            .spawn()
            .map_err(io("taskset"))?;
        Ok(Self {
            process,
            log,
            name: name.to_owned(),
        })
    }

    /// Its id: taskset becomes the program that it starts.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for a line that begins with `word`, and returns the rest of it.
    pub fn told(&mut self, word: &str, most: Duration) -> Result<String> {
        let start = Instant::now();
        while start.elapsed() < most {
            let said = fs::read_to_string(&self.log).unwrap_or_default();
            // Whole lines only.
            let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
            if let Some(rest) = whole.lines().rev().find_map(|line| line.strip_prefix(word)) {
                return Ok(rest.trim().to_owned());
            }
            self.alive()?;
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(said(format!(
            "{} was not ready after {} seconds; its log is {}.",
            self.name,
            most.as_secs(),
            self.log.display()
        )))
    }

    /// Refuses where it has ended by itself, with the last it said.
    pub fn alive(&mut self) -> Result<()> {
        let Some(status) = self
            .process
            .try_wait()
            .map_err(io("waiting for a process"))?
        else {
            return Ok(());
        };
        let said_last = fs::read_to_string(&self.log).unwrap_or_default();
        let last: Vec<&str> = said_last.lines().rev().take(3).collect();
        Err(said(format!(
            "{} has ended by itself ({status}): {}",
            self.name,
            last.into_iter().rev().collect::<Vec<_>>().join(" / ")
        )))
    }

    /// Asks it to end, and does not wait.
    pub fn ask_to_end(&self) {
        if let Ok(id) = i32::try_from(self.id()) {
            // Gone already is as good.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
    }

    /// Waits until it has ended, and helps where it does not.
    pub fn end(&mut self) {
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            return;
        }
        self.ask_to_end();
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// What is to be started.
pub struct Asked {
    /// Its path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What is in its environment besides the harness's own.
    pub environment: Vec<(String, String)>,
}

impl Asked {
    /// A program with arguments.
    pub fn new(program: &Path, arguments: &[&str]) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments
                .iter()
                .map(|argument| (*argument).to_owned())
                .collect(),
            environment: Vec::new(),
        }
    }
}
