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
