//! The process that looks at one file: it takes every right from itself first, so that whatever a file makes it do, it can do
//! nothing.

use crate::{Fault, Kind, Report, look, roster};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use std::{
    fs::File,
    io::{Read as _, Seek as _, Write as _},
    os::fd::AsFd as _,
    process::ExitCode,
};

/// Seconds of the processor's time.
pub const CPU_MOST: u64 = 20;
/// Bytes of memory of its own: the file, what one part of it unpacks to, and what is read out of it.
pub const MEMORY_MOST: u64 = 1024 * 1024 * 1024;
/// Bytes of addresses: that, and the program itself, which may be large where it was not built for release.
const ADDRESSES_MOST: u64 = 2 * MEMORY_MOST;
/// How it ends where the argument is no kind of file.
const MISUSED: u8 = 2;
/// How it ends where it could not give up its rights, or not read the file: nothing is said of the file then.
pub const UNREADY: u8 = 3;

/// Looks at the file on standard input, which is of the kind whose code is given, and writes what it found as a line of JSON;
/// or reads it as a roster, whatever it is, and writes a line for each row.
pub fn main(kind: Option<&str>) -> ExitCode {
    if kind == Some(roster::TOLD) {
        return rows();
    }
    let Some(kind) = kind.and_then(Kind::from_code) else {
        eprintln!("inspect: Say which kind of file is on standard input, such as pdf.");
        return ExitCode::from(MISUSED);
    };
    let Ok(file) = confined() else {
        return ExitCode::from(UNREADY);
    };
    // A panic ends it with 101, which the parent understands.
    let found: Result<Report, Fault> = look(file, kind);
    let Ok(mut line) = serde_json::to_vec(&found) else {
        return ExitCode::from(UNREADY);
    };
    line.push(b'\n');
    match std::io::stdout().lock().write_all(&line) {
        Ok(()) => ExitCode::SUCCESS,
        // The parent listens no more.
        Err(_) => ExitCode::FAILURE,
    }
}

/// The rows of a roster. The file is counted before the rights are given up, and read after.
fn rows() -> ExitCode {
    let Ok((survey, file)) = surveyed() else {
        return ExitCode::from(UNREADY);
    };
    match roster::read(&survey, file, std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // The parent listens no more.
        Err(_) => ExitCode::FAILURE,
    }
}

/// Gives up every right, and returns what was counted of the file on standard input, and the file from its beginning.
fn surveyed() -> std::io::Result<(roster::Survey, File)> {
    limit()?;
    let mut file = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let survey = roster::Survey::of(&file)?;
    file.rewind()?;
    seal();
    Ok((survey, file))
}

/// Gives up every right, and returns what was on standard input: the last thing that was open for reading.
pub fn confined() -> std::io::Result<Vec<u8>> {
    limit()?;
    let mut file = Vec::new();
    let most = domain::file::MOST + 1;
    let length = std::fs::metadata("/proc/self/fd/0").map_or(0, |file| file.len());
    // One byte more than the file has, so that its end is found without growing to twice its size.
    file.reserve_exact(usize::try_from(length.min(most)).unwrap_or_default() + 1);
    std::io::stdin().lock().take(most).read_to_end(&mut file)?;
    seal();
    Ok(file)
}

/// Limits that the kernel holds, of which each is needed.
fn limit() -> rustix::io::Result<()> {
    let hard = |most| Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::thread::set_no_new_privs(true)?;
    // A second between the signal that says why and the one that cannot be caught.
    let processor = Rlimit {
        current: Some(CPU_MOST),
        maximum: Some(CPU_MOST + 1),
    };
    setrlimit(Resource::Cpu, processor)?;
    setrlimit(Resource::Data, hard(MEMORY_MOST))?;
    setrlimit(Resource::As, hard(ADDRESSES_MOST))?;
    setrlimit(Resource::Fsize, hard(0))?;
    setrlimit(Resource::Core, hard(0))?;
    setrlimit(Resource::Nofile, hard(8))
}

/// No file, no network, no other process: as far as the kernel offers it, in two ways that hold by themselves. An older kernel
/// or a container may offer neither; the limits hold there too.
#[cfg(target_os = "linux")]
fn seal() {
    use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, Scope};
    // No rule follows, so all that is handled is forbidden.
    let _ = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V6))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V6)))
        .and_then(|rules| rules.scope(Scope::from_all(ABI::V6)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    let _ = filter().map(|filter| seccompiler::apply_filter(&filter));
}

#[cfg(not(target_os = "linux"))]
fn seal() {}

/// The calls that a process makes which computes, asks for memory, writes its answer, and ends. All others fail, and none
/// kills: a C library that tries a newer call first goes on with the older one.
#[cfg(target_os = "linux")]
fn filter() -> Option<seccompiler::BpfProgram> {
    use seccompiler::{SeccompAction, SeccompFilter};
    const ALLOWED: [i64; 24] = [
        libc::SYS_brk,
        libc::SYS_clock_gettime,
        libc::SYS_close,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_futex,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_madvise,
        libc::SYS_mmap,
        libc::SYS_mprotect,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_read,
        libc::SYS_restart_syscall,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_yield,
        libc::SYS_sigaltstack,
        // To itself alone: another process's number is out of reach through the scope above.
        libc::SYS_tgkill,
        libc::SYS_write,
        libc::SYS_writev,
    ];
    let rules = ALLOWED.into_iter().map(|call| (call, Vec::new())).collect();
    SeccompFilter::new(
        rules,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into().ok()?,
    )
    .ok()?
    .try_into()
    .ok()
}
