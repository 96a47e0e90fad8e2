//! What a child can do that a hostile file has taken over, and what becomes of the parent.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use inspect::{Fault, Inspector, Kind, Limits, Report};
use std::{path::Path, time::Duration};

const PROBE: &str = env!("CARGO_BIN_EXE_inspect_probe");
const CHILD: &str = env!("CARGO_BIN_EXE_inspect");

async fn told_of(attempt: &str, file: &str, wall: Duration) -> Result<Report, Fault> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, file).unwrap();
    let limits = Limits {
        wall,
        ..Limits::default()
    };
    Inspector::new(Path::new(PROBE), [attempt], limits)
        .look(&path, Kind::Text)
        .await
}

async fn told(attempt: &str) -> Result<Report, Fault> {
    told_of(attempt, "x", Duration::from_secs(50)).await
}

async fn title(attempt: &str, file: &str) -> String {
    let report = told_of(attempt, file, Duration::from_secs(50)).await;
    report.unwrap().title.unwrap()
}

#[tokio::test]
async fn a_child_reaches_nothing() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port().to_string();
    // The control: the same is possible where nothing was given up.
    assert!(std::net::TcpStream::connect(("127.0.0.1", port.parse().unwrap())).is_ok());
    assert!(std::fs::read("/etc/passwd").is_ok());
    for attempt in [
        "read a file",
        "list a folder",
        "write a file",
        "call a server",
        "start a program",
        "start a thread",
    ] {
        assert_eq!(
            title(attempt, &port).await,
            "permission denied",
            "{attempt}"
        );
    }
    assert_eq!(
        title("see the environment", "x").await,
        r#"[("MIMALLOC_ARENA_EAGER_COMMIT", "0")]"#,
        "what its allocator is told, and nothing of ours"
    );
    assert!(!Path::new("/tmp/quorate-inspect_probe").exists());
}

#[tokio::test]
async fn a_child_that_takes_too_much_is_ended_and_its_file_refused() {
    assert_eq!(told("take memory").await, Err(Fault::Memory));
    let moment = Duration::from_millis(300);
    assert_eq!(
        told_of("do nothing for ever", "x", moment).await,
        Err(Fault::Slow)
    );
    assert_eq!(told("take the stack").await, Err(Fault::Damaged));
}

#[tokio::test]
async fn a_child_that_computes_without_end_is_ended_by_its_own_limit() {
    // The clock would let it go on for longer.
    let begun = std::time::Instant::now();
    let (hour, minutes) = (Duration::from_secs(3600), Duration::from_secs(300));
    assert_eq!(told_of("take time", "x", hour).await, Err(Fault::Slow));
    assert!(begun.elapsed() < minutes);
}

#[tokio::test]
async fn a_child_that_breaks_says_something_of_the_file_and_nothing_of_the_server() {
    for attempt in [
        "panic",
        "abort",
        "talk without end",
        "complain without end",
        "talk nonsense",
        "say nothing",
    ] {
        assert_eq!(told(attempt).await, Err(Fault::Damaged), "{attempt}");
    }
}

#[tokio::test]
async fn the_next_file_is_looked_at_whatever_became_of_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "Minutes\n").unwrap();
    let limits = Limits {
        wall: Duration::from_millis(300),
        at_once: 1,
    };
    let stuck = Inspector::new(Path::new(PROBE), ["do nothing for ever"], limits);
    // Two at one place: the second waits, is ended in its own turn, and none leaves its place taken.
    let (one, two) = tokio::join!(stuck.look(&path, Kind::Text), stuck.look(&path, Kind::Text));
    assert_eq!((one, two), (Err(Fault::Slow), Err(Fault::Slow)));
    let whole = Inspector::new(Path::new(CHILD), None::<&str>, Limits::default());
    let report = whole.look(&path, Kind::Text).await.unwrap();
    assert_eq!(report.text, ["Minutes"]);
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_no_child_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "x").unwrap();
    let mark = format!("talk to nobody {}", std::process::id());
    let stuck = Inspector::new(
        Path::new(PROBE),
        ["do nothing for ever", &mark],
        Limits::default(),
    );
    let looking = tokio::spawn(async move { stuck.look(&path, Kind::Text).await });
    let running = || {
        let listed = std::process::Command::new("pgrep")
            .args(["-f", &mark])
            .output();
        !listed.unwrap().stdout.is_empty()
    };
    let waited = async |wanted: bool| {
        for _ in 0..100 {
            if running() == wanted {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    };
    assert!(waited(true).await, "it never began");
    looking.abort();
    assert!(waited(false).await, "it still runs");
}

#[tokio::test]
async fn without_a_child_no_file_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "x").unwrap();
    let missing = folder.path().join("no-such-program");
    let inspector = Inspector::new(&missing, None::<&str>, Limits::default());
    assert_eq!(
        inspector.look(&path, Kind::Text).await,
        Err(Fault::Unchecked)
    );
    let whole = Inspector::new(Path::new(CHILD), None::<&str>, Limits::default());
    assert_eq!(
        whole.look(&folder.path().join("none"), Kind::Text).await,
        Err(Fault::Unchecked)
    );
}
