//! What a program can do that a hostile file has taken over: each try stands beside one that succeeds.

use std::{net::TcpListener, path::Path, time::Duration};

use inspect::Office;

use crate::runs;

const PATIENCE: Duration = Duration::from_secs(30);

/// The cage alone: it holds whatever is put into it.
fn cage() -> Office {
    Office::new(
        Path::new("/bin/true"),
        Path::new(env!("CARGO_BIN_EXE_quorate")),
        ["cage"],
        PATIENCE,
    )
}

/// Whether a line of the shell succeeds in the cage.
async fn succeeds(scratch: &Path, line: &str) -> bool {
    let status = cage()
        .run(scratch, Path::new("/bin/bash"), ["-c", line], PATIENCE)
        .await
        .unwrap()
        .expect("it ends");
    assert_ne!(
        status.code(),
        Some(i32::from(inspect::cage::UNREADY)),
        "this system does not hold a program to one folder"
    );
    status.success()
}

#[tokio::test]
async fn a_caged_program_uses_its_folder_and_nothing_else() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (scratch, secret) = (own.path(), other.path().join("secret"));
    std::fs::write(&secret, "the master key").unwrap();
    std::fs::write(scratch.join("paper"), "a paper").unwrap();
    assert!(cage().is_held(scratch).await);
    assert!(succeeds(scratch, "cat paper && echo more > made && rm made").await);
    assert!(succeeds(scratch, "ls /usr").await);
    for line in [
        format!("cat {}", secret.display()),
        format!("cat < {}", secret.display()),
        format!("ls {}", other.path().display()),
        format!("echo x > {}", secret.display()),
        format!("rm {}", secret.display()),
        format!("ln -s {} link && cat link", secret.display()),
        "cat /etc/passwd".to_owned(),
        "cat /proc/self/environ".to_owned(),
    ] {
        assert!(!succeeds(scratch, &line).await, "{line}");
    }
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "the master key");
}

/// What Landlock does not hold, and the calls have to: in the shell of another language, since bash makes few of them.
#[tokio::test]
async fn a_caged_program_changes_no_rights_and_ends_nobody() {
    use std::os::unix::fs::PermissionsExt as _;
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (scratch, secret) = (own.path(), other.path().join("secret"));
    std::fs::write(&secret, "the master key").unwrap();
    let rights = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(&secret, rights(0o600)).unwrap();
    let before = std::fs::metadata(&secret).unwrap();
    let mut victim = std::process::Command::new("/bin/sleep")
        .arg("300")
        .spawn()
        .unwrap();
    let socket = std::os::unix::net::UnixDatagram::bind(other.path().join("log")).unwrap();
    socket.set_nonblocking(true).unwrap();
    let (secret_name, log) = (secret.display(), other.path().join("log"));
    for line in [
        format!("os.chmod('{secret_name}', 0o666)"),
        format!("os.utime('{secret_name}', (1, 1))"),
        format!("os.truncate('{secret_name}', 0)"),
        format!("os.setxattr('{secret_name}', 'user.a', b'b')"),
        format!("os.chown('{secret_name}', 65534, 65534)"),
        format!("os.kill({}, 9)", victim.id()),
        format!(
            "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', '{}')",
            log.display()
        ),
        format!(
            "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', '{}')",
            log.display()
        ),
        "os.setsid()".to_owned(),
        "os.unshare(os.CLONE_NEWUSER) if hasattr(os, 'unshare') else os.setpgid(0, 0)".to_owned(),
    ] {
        // Each is tried, whatever it answers; what counts is what came of it.
        let code = format!("import os, socket\n{line}");
        let _ = cage()
            .run(
                scratch,
                Path::new("/usr/bin/python3"),
                ["-c", &code],
                PATIENCE,
            )
            .await
            .unwrap();
    }
    let after = std::fs::metadata(&secret).unwrap();
    assert_eq!(after.permissions(), before.permissions());
    assert_eq!(after.modified().unwrap(), before.modified().unwrap());
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "the master key");
    assert!(victim.try_wait().unwrap().is_none(), "it was ended");
    victim.kill().unwrap();
    assert!(socket.recv(&mut [0; 8]).is_err(), "a datagram came through");
    // That the language runs in there at all.
    assert!(
        succeeds(
            scratch,
            "/usr/bin/python3 -c 'import os, socket; open(\"made\", \"w\")'"
        )
        .await
    );
}

#[tokio::test]
async fn a_caged_program_that_fills_its_folder_is_ended() {
    let own = tempfile::tempdir().unwrap();
    let fill = "for n in $(seq 1 20); do yes | head -c 150M > f$n; done; sleep 60";
    let begun = std::time::Instant::now();
    let ended = cage()
        .run(
            own.path(),
            Path::new("/bin/bash"),
            ["-c", fill],
            Duration::from_secs(50),
        )
        .await;
    assert!(ended.unwrap().is_none(), "it was ended");
    assert!(begun.elapsed() < Duration::from_secs(40), "before its time");
}

#[tokio::test]
async fn a_caged_program_reaches_no_server() {
    let own = tempfile::tempdir().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let call = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
    let outside = std::process::Command::new("/bin/bash")
        .args(["-c", &call])
        .status();
    assert!(outside.unwrap().success(), "the control");
    assert!(!succeeds(own.path(), &call).await);
    let datagram = format!("exec 3<>/dev/udp/127.0.0.1/{port}");
    assert!(!succeeds(own.path(), &datagram).await);
}

#[tokio::test]
async fn what_a_caged_program_leaves_behind_is_ended_with_it() {
    let own = tempfile::tempdir().unwrap();
    let mark = format!("400{}", std::process::id());
    assert!(succeeds(own.path(), &format!("sleep {mark} & exit 0")).await);
    for _ in 0..100 {
        if !runs(&format!("sleep {mark}")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!runs(&format!("sleep {mark}")), "it still runs");
    assert!(
        !succeeds(own.path(), "setsid --wait sleep 0").await,
        "nor does it leave its group"
    );
    let ended = cage()
        .run(
            own.path(),
            Path::new("/bin/sleep"),
            ["300"],
            Duration::from_millis(300),
        )
        .await;
    assert!(ended.unwrap().is_none(), "it took too long");
}
