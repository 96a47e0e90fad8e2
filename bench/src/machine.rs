//! The machine: which core is whose, what a process has used of it, and how it is called in the results.

use std::{fs, path::Path, process::Command, time::Duration};

use serde::Serialize;

use crate::{
    fault::{Result, io, said},
    stats::float,
};

/// Who runs where.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cores {
    /// Whoever is measured.
    pub server: u32,
    /// The load, and whatever is not measured.
    pub load: u32,
}

impl Cores {
    /// The first two cores that this process may use. Refuses a machine with one: load and server would take turns, and each
    /// figure would be of both.
    pub fn find() -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status").map_err(io("/proc/self/status"))?;
        let allowed = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
            .map_or_else(Vec::new, |list| cores(list.trim()));
        match allowed[..] {
            [server, load, ..] => Ok(Self { server, load }),
            _ => Err(said(
                "There is one core only; the load and what is measured need one each.",
            )),
        }
    }
}

/// `0-1,4` as the numbers it names.
fn cores(list: &str) -> Vec<u32> {
    list.split(',')
        .filter_map(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some(from.parse::<u32>().ok()?..=to.parse().ok()?)
        })
        .flatten()
        .collect()
}

/// Puts all threads of a running process on one core.
pub fn pin(pid: u32, core: u32) -> Result<()> {
    let done = Command::new("taskset")
        .args(["-a", "-c", "-p", &core.to_string(), &pid.to_string()])
        .output()
        .map_err(io("taskset"))?;
    // A process that has ended meanwhile needs no core.
    if done.status.success() || !Path::new(&format!("/proc/{pid}")).exists() {
        Ok(())
    } else {
        Err(said(format!(
            "taskset: {}",
            String::from_utf8_lossy(&done.stderr).trim()
        )))
    }
}

/// Ticks a second of the times in `/proc` (`sysconf(_SC_CLK_TCK)`): 100 on every Linux that this runs on, fixed for programs.
const TICKS: f64 = 100.0;

/// Seconds of processor time that a process has used, in itself and in the kernel.
pub fn cpu(pid: u32) -> Result<f64> {
    Ok(stat(pid)?.own)
}

/// Seconds that a process, its children and those it has outlived have used: PostgreSQL with its backends.
pub fn cpu_of_family(pid: u32) -> Result<f64> {
    let mut sum = stat(pid)?;
    let mut seconds = sum.own + sum.reaped;
    for child in children(pid) {
        // One that has ended between the list and the look is counted with its parent next time.
        if let Ok(one) = stat(child) {
            sum = one;
            seconds += sum.own;
        }
    }
    Ok(seconds)
}

struct Stat {
    parent: u32,
    own: f64,
    reaped: f64,
}

fn stat(pid: u32) -> Result<Stat> {
    let line =
        fs::read_to_string(format!("/proc/{pid}/stat")).map_err(io("the process has gone"))?;
    // The name stands in brackets and may hold anything, brackets too.
    let rest = line.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |place: usize| {
        fields
            .get(place)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    Ok(Stat {
        parent: u32::try_from(number(1)).unwrap_or(0),
        own: (float(number(11)) + float(number(12))) / TICKS,
        reaped: (float(number(13)) + float(number(14))) / TICKS,
    })
}

/// The processes whose parent this is.
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(all) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|one| stat(*one).is_ok_and(|stat| stat.parent == pid))
        .collect()
}

/// The child that runs this program.
pub fn child_called(pid: u32, name: &str) -> Option<u32> {
    children(pid).into_iter().find(|child| {
        fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|comm| comm.trim() == name)
    })
}

/// Bytes of memory that a process holds for itself: neither its program nor files, and nothing of the kernel's.
pub fn memory(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .map_err(io("/proc/…/smaps_rollup"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("Anonymous:"))
        .and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok())
        .map(|kilobytes| kilobytes * 1024)
        .ok_or_else(|| said("The kernel does not say how much memory a process holds."))
}

/// Bytes that a process has in the machine's memory now.
pub fn resident(pid: u32) -> Result<u64> {
    figure(pid, "VmRSS:")
}

/// The most of them that it had since it was last asked, which begins anew.
pub fn peak(pid: u32) -> Result<u64> {
    let most = figure(pid, "VmHWM:")?;
    // proc_pid_clear_refs(5): resets the peak to what is there now.
    fs::write(format!("/proc/{pid}/clear_refs"), "5").map_err(io("/proc/…/clear_refs"))?;
    Ok(most)
}

/// A figure of `/proc/PID/status`, in bytes.
fn figure(pid: u32, name: &str) -> Result<u64> {
    let text =
        fs::read_to_string(format!("/proc/{pid}/status")).map_err(io("the process has gone"))?;
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok())
        .map(|kilobytes| kilobytes * 1024)
        .ok_or_else(|| said("The kernel does not say how much memory a process holds."))
}

/// How long a core has been idle since the machine started, in seconds.
pub fn idle(core: u32) -> Result<f64> {
    let text = fs::read_to_string("/proc/stat").map_err(io("/proc/stat"))?;
    let name = format!("cpu{core} ");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&name))
        .unwrap_or_default();
    let field = |place: usize| {
        line.split_whitespace()
            .nth(place)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    Ok((float(field(3)) + float(field(4))) / TICKS)
}

/// What a core was doing between two looks, as a share of the time.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    core: u32,
    idle: f64,
    since: std::time::Instant,
}

impl Watch {
    /// From now on.
    pub fn start(core: u32) -> Result<Self> {
        Ok(Self {
            core,
            idle: idle(core)?,
            since: std::time::Instant::now(),
        })
    }

    /// The share of the time since the start in which it was not idle.
    pub fn busy(&self) -> Result<f64> {
        let time = self.since.elapsed().max(Duration::from_millis(1));
        Ok((1.0 - (idle(self.core)? - self.idle) / time.as_secs_f64()).clamp(0.0, 1.0))
    }
}

/// What a reader of the figures must know of where they come from.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// As the processor calls itself.
    pub processor: String,
    /// How many of them there are.
    pub cores: usize,
    /// In GiB.
    pub memory: f64,
    /// Name and release.
    pub kernel: String,
    /// What was measured; with a plus sign where files had been changed since.
    pub commit: String,
}

impl Machine {
    /// This one, with the checkout that lies in `checkout`.
    pub fn look(checkout: &Path) -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let models: Vec<&str> = processors
            .lines()
            .filter_map(|line| {
                line.strip_prefix("model name")?
                    .split_once(':')
                    .map(|(_, name)| name.trim())
            })
            .collect();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kilobytes = memory
            .lines()
            .find_map(|line| {
                line.strip_prefix("MemTotal:")?
                    .split_whitespace()
                    .next()?
                    .parse::<u64>()
                    .ok()
            })
            .unwrap_or(0);
        let dirty = !git(checkout, &["status", "--porcelain", "--untracked-files=no"]).is_empty();
        Self {
            processor: (*models.first().unwrap_or(&"unknown")).to_owned(),
            cores: models.len(),
            memory: float(kilobytes) / 1024.0 / 1024.0,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            commit: git(checkout, &["rev-parse", "--short=12", "HEAD"])
                + if dirty { "+" } else { "" },
        }
    }
}

fn git(checkout: &Path, ask: &[&str]) -> String {
    Command::new("git")
        .arg("-C")
        .arg(checkout)
        .args(ask)
        .output()
        .map(|done| String::from_utf8_lossy(&done.stdout).trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_cores_names_each() {
        assert_eq!(cores("0-2,5"), [0, 1, 2, 5]);
        assert_eq!(cores("3"), [3]);
        assert!(cores("").is_empty());
    }

    #[test]
    fn this_process_has_a_memory_and_a_time() {
        let own = std::process::id();
        assert!(memory(own).unwrap() > 100_000);
        let before = resident(own).unwrap();
        let held = std::hint::black_box(vec![1_u8; 32 << 20]);
        drop(held);
        assert!(peak(own).unwrap() >= before + (30 << 20));
        let mut work = 0_u64;
        let before = cpu(own).unwrap();
        while cpu(own).unwrap() < before + 0.02 {
            for number in 0..100_000_u64 {
                work = std::hint::black_box(work ^ number);
            }
        }
    }
}
