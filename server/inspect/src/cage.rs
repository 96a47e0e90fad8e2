//! The process that becomes a large program which reads a stranger's file, such as LibreOffice: it gives up every right but to use
//! one folder, and then becomes it. What it becomes, and whatever that starts, can never have more.
//!
//! Unlike [`crate::child`] it goes on to open files and start processes of its own, so it needs a kernel that holds it to its
//! folder: without Landlock nothing is started at all.

use std::{ffi::OsString, path::Path, process::ExitCode};

/// How it ends where it could not give up its rights, or not become the program: no office program ends so.
pub const UNREADY: u8 = 203;

/// Seconds of the processor's time, of one process of it.
pub const CPU_MOST: u64 = 240;
/// Bytes of addresses; a program of many parts takes a third of it before it has read anything.
pub const ADDRESSES_MOST: u64 = 6 * 1024 * 1024 * 1024;
/// Bytes of memory of its own.
pub const MEMORY_MOST: u64 = 2 * 1024 * 1024 * 1024;
/// Files that are open.
const FILES_MOST: u64 = 512;
/// Processes and threads of its user, among them those that are not its own.
const PROCESSES_MOST: u64 = 8192;

/// Gives up every right but to read the system's programs and to use `scratch`, and becomes the program that `line` begins with.
pub fn main(scratch: &Path, line: &[OsString]) -> ExitCode {
    let Some((program, arguments)) = line.split_first() else {
        eprintln!("cage: Say which program to become.");
        return ExitCode::from(UNREADY);
    };
    become_it(scratch, Path::new(program), arguments)
}

#[cfg(target_os = "linux")]
fn become_it(scratch: &Path, program: &Path, arguments: &[OsString]) -> ExitCode {
    use std::os::unix::process::CommandExt as _;
    if limit().is_err() || seal(scratch, program).is_none() {
        eprintln!("cage: This system does not hold a program to one folder.");
        return ExitCode::from(UNREADY);
    }
    // Comes back only where it could not.
    let error = std::process::Command::new(program).args(arguments).exec();
    eprintln!("cage: The program does not start: {}.", error.kind());
    ExitCode::from(UNREADY)
}

#[cfg(not(target_os = "linux"))]
fn become_it(_: &Path, _: &Path, _: &[OsString]) -> ExitCode {
    eprintln!("cage: This system does not hold a program to one folder.");
    ExitCode::from(UNREADY)
}

/// Limits that the kernel holds.
#[cfg(target_os = "linux")]
fn limit() -> rustix::io::Result<()> {
    use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
    // Never more than it has already.
    let hold = |resource, most: u64| {
        let most = getrlimit(resource)
            .maximum
            .map_or(most, |now| now.min(most));
        setrlimit(
            resource,
            Rlimit {
                current: Some(most),
                maximum: Some(most),
            },
        )
    };
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::thread::set_no_new_privs(true)?;
    hold(Resource::Cpu, CPU_MOST)?;
    hold(Resource::As, ADDRESSES_MOST)?;
    hold(Resource::Data, MEMORY_MOST)?;
    hold(Resource::Fsize, domain::file::MOST)?;
    hold(Resource::Core, 0)?;
    hold(Resource::Nofile, FILES_MOST)?;
    hold(Resource::Nproc, PROCESSES_MOST)
}

/// What an office program reads of the system: itself, what it is linked to, its settings and the fonts. No account, no host, no
/// device but these.
#[cfg(target_os = "linux")]
const READ: [&str; 12] = [
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/libreoffice",
    "/etc/localtime",
    "/var/cache/fontconfig",
    "/var/lib/libreoffice",
    "/dev/urandom",
];

/// No file but those, no network, no other process, as the kernel holds it in two ways. None where it does not: of the calls all
/// are needed, of Landlock what concerns files; an older one knows nothing of the network yet, which the calls forbid as well.
#[cfg(target_os = "linux")]
fn seal(scratch: &Path, program: &Path) -> Option<()> {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
        RulesetStatus, Scope, path_beneath_rules,
    };
    let abi = ABI::V6;
    // One that was installed apart from the system's own has its parts in the folder above.
    let program = program.canonicalize().ok()?;
    let folder = program.parent()?;
    let whole = match folder.file_name() {
        Some(name) if name == "program" => folder.parent()?,
        _ => &program,
    };
    let held = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))
        .ok()?
        .handle_access(AccessNet::from_all(abi))
        .ok()?
        .scope(Scope::from_all(abi))
        .ok()?
        .create()
        .ok()?
        .add_rules(path_beneath_rules(READ, AccessFs::from_read(abi)))
        .ok()?
        .add_rules(path_beneath_rules([whole], AccessFs::from_read(abi)))
        .ok()?
        .add_rules(path_beneath_rules(
            ["/dev/null"],
            AccessFs::ReadFile | AccessFs::WriteFile,
        ))
        .ok()?
        .add_rules(path_beneath_rules([scratch], AccessFs::from_all(abi)))
        .ok()?
        .restrict_self()
        .ok()?;
    if held.ruleset == RulesetStatus::NotEnforced {
        return None;
    }
    for filter in filters()? {
        seccompiler::apply_filter(&filter).ok()?;
    }
    Some(())
}

/// Calls that are refused: to reach another computer or another program's socket, to leave the group of processes that is ended as
/// a whole, to look into other processes or end them, and to change whose a file is or who may open it, which Landlock does not
/// hold. And some that are said to be done and are not: an office program insists on a socket below `/tmp` by which a second one would
/// find it, and sets the times and rights of its own files.
#[cfg(target_os = "linux")]
fn filters() -> Option<[seccompiler::BpfProgram; 2]> {
    use seccompiler::{SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};
    use std::collections::BTreeMap;
    let when = |argument, test, value: i32| {
        let value = u64::from(value.unsigned_abs());
        let condition =
            SeccompCondition::new(argument, SeccompCmpArgLen::Dword, test, value).ok()?;
        SeccompRule::new(vec![condition]).ok()
    };
    // A datagram needs no connection, so of the sockets of this machine those are left that do.
    let kind = SeccompCmpOp::MaskedEq(0xf);
    let sockets = vec![
        when(0, SeccompCmpOp::Ne, libc::AF_UNIX)?,
        when(1, kind.clone(), libc::SOCK_DGRAM)?,
        when(1, kind.clone(), libc::SOCK_RAW)?,
        when(1, kind, libc::SOCK_SEQPACKET)?,
    ];
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = [
        libc::SYS_connect,
        libc::SYS_setsid,
        libc::SYS_setpgid,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_io_uring_setup,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
        libc::SYS_bpf,
        libc::SYS_keyctl,
        libc::SYS_userfaultfd,
        libc::SYS_kill,
        libc::SYS_tkill,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
        libc::SYS_pidfd_send_signal,
        libc::SYS_pidfd_getfd,
        libc::SYS_truncate,
        libc::SYS_fchownat,
        libc::SYS_setxattr,
        libc::SYS_lsetxattr,
        libc::SYS_fsetxattr,
        libc::SYS_removexattr,
        libc::SYS_lremovexattr,
        libc::SYS_fremovexattr,
        FCHMODAT2,
        SETXATTRAT,
        REMOVEXATTRAT,
        FILE_SETATTR,
    ]
    .into_iter()
    .map(|call| (call, Vec::new()))
    .collect();
    // One of a pair sends to any other by its name, as one that was made alone does.
    refused.insert(libc::SYS_socketpair, sockets.clone());
    refused.insert(libc::SYS_socket, sockets);
    let mut pretended: BTreeMap<i64, Vec<SeccompRule>> = [
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_fchmodat,
        libc::SYS_utimensat,
    ]
    .into_iter()
    .map(|call| (call, Vec::new()))
    .collect();
    #[cfg(target_arch = "x86_64")]
    {
        for call in [libc::SYS_chown, libc::SYS_lchown] {
            refused.insert(call, Vec::new());
        }
        for call in [
            libc::SYS_chmod,
            libc::SYS_utime,
            libc::SYS_utimes,
            libc::SYS_futimesat,
        ] {
            pretended.insert(call, Vec::new());
        }
        // The same calls under the numbers of another binary interface, which some kernels answer as well.
        for calls in [&mut refused, &mut pretended] {
            let others: Vec<_> = calls
                .iter()
                .map(|(call, rules)| (call | X32, rules.clone()))
                .collect();
            calls.extend(others);
        }
    }
    Some([
        program(refused, libc::EPERM.unsigned_abs())?,
        program(pretended, 0)?,
    ])
}

/// Newer than the table of calls (Linux 6.6).
#[cfg(target_os = "linux")]
const FCHMODAT2: i64 = 452;
/// Linux 6.13.
#[cfg(target_os = "linux")]
const SETXATTRAT: i64 = 463;
#[cfg(target_os = "linux")]
const REMOVEXATTRAT: i64 = 466;
/// Linux 6.17.
#[cfg(target_os = "linux")]
const FILE_SETATTR: i64 = 469;

/// What the number of a call has in it where it is made by the x32 binary interface.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const X32: i64 = 0x4000_0000;

/// The calls answer with the error, which may be none; all others go through.
#[cfg(target_os = "linux")]
fn program(
    calls: std::collections::BTreeMap<i64, Vec<seccompiler::SeccompRule>>,
    error: u32,
) -> Option<seccompiler::BpfProgram> {
    seccompiler::SeccompFilter::new(
        calls,
        seccompiler::SeccompAction::Allow,
        seccompiler::SeccompAction::Errno(error),
        std::env::consts::ARCH.try_into().ok()?,
    )
    .ok()?
    .try_into()
    .ok()
}
