//! A real clamd, where Debian's is installed, with signatures of our own; and one that does not behave.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use inspect::{Fault, Scanner};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UnixListener},
};

const CLAMD: &str = "/usr/sbin/clamd";
/// Found by a signature of ours; of no meaning anywhere else.
const MARK: &[u8] = b"quorate-made-up-virus-4711";

/// A clamd of our own in a folder of its own, ended with it.
struct Clamd {
    child: Child,
    folder: tempfile::TempDir,
}

impl Clamd {
    async fn start() -> Option<Self> {
        if !Path::new(CLAMD).exists() {
            eprintln!("clamd is not installed; nothing was scanned.");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        // The test file of the anti-virus makers, put together here so that no scanner finds this source.
        let eicar = [
            "X5O!P%@AP[4\\PZX54(P^)7CC)7}",
            "$EICAR-STANDARD-ANTIVIRUS-",
            "TEST-FILE!$H+H*",
        ];
        let signature = |name: &str, bytes: &[u8]| {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{name}:0:*:{hex}\n")
        };
        let signatures = signature("Quorate.Mark", MARK)
            + &signature("Quorate.Eicar", eicar.concat().as_bytes());
        std::fs::create_dir(path("signatures")).unwrap();
        std::fs::write(path("signatures/own.ndb"), signatures).unwrap();
        let settings = format!(
            "Foreground yes\nLocalSocket {}\nDatabaseDirectory {}\nStreamMaxLength 2M\nTemporaryDirectory {}\n",
            path("socket"),
            path("signatures"),
            folder.path().display()
        );
        std::fs::write(path("clamd.conf"), settings).unwrap();
        let child = Command::new(CLAMD)
            .args(["--config-file", &path("clamd.conf")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let clamd = Self { child, folder };
        for _ in 0..600 {
            if clamd.socket().exists() {
                return Some(clamd);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("clamd did not begin");
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    async fn scan(&self, file: &[u8]) -> Result<(), Fault> {
        scan(&self.socket().display().to_string(), file).await
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn scan(address: &str, file: &[u8]) -> Result<(), Fault> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, file).unwrap();
    let scanner = Scanner::new(address).patient(Duration::from_secs(20));
    scanner.scan(&path).await
}

#[tokio::test]
async fn a_virus_is_found_and_a_clean_file_is_not_one() {
    let Some(clamd) = Clamd::start().await else {
        return;
    };
    assert_eq!(
        clamd.scan(b"Minutes of the full governing board").await,
        Ok(())
    );
    assert_eq!(clamd.scan(b"").await, Ok(()));
    assert_eq!(clamd.scan(MARK).await, Err(Fault::Virus));
    // Beyond the first chunk, and across two.
    let mut late = vec![b'x'; 256 * 1024 - 5];
    late.extend(MARK);
    assert_eq!(clamd.scan(&late).await, Err(Fault::Virus));
    let eicar = [
        "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-",
        "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    ];
    assert_eq!(
        clamd.scan(eicar.concat().as_bytes()).await,
        Err(Fault::Virus)
    );
    // More than it takes, it did not look at.
    assert_eq!(
        clamd.scan(&vec![b'x'; 3 << 20]).await,
        Err(Fault::Unchecked)
    );
}

#[tokio::test]
async fn a_scanner_that_dies_says_nothing_of_any_file() {
    let Some(mut clamd) = Clamd::start().await else {
        return;
    };
    assert_eq!(clamd.scan(b"x").await, Ok(()));
    clamd.child.kill().unwrap();
    clamd.child.wait().unwrap();
    assert_eq!(clamd.scan(b"x").await, Err(Fault::Unchecked));
}

#[tokio::test]
async fn a_scanner_that_is_away_lets_nothing_through() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("socket").display().to_string();
    assert_eq!(scan(&nowhere, b"x").await, Err(Fault::Unchecked));
    assert_eq!(
        scan(&format!("unix:{nowhere}"), b"x").await,
        Err(Fault::Unchecked)
    );
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    assert_eq!(scan(&address, b"x").await, Err(Fault::Unchecked));
    assert_eq!(scan("no address", b"x").await, Err(Fault::Unchecked));
    // A clean answer to a file that is not there is none.
    let folder = tempfile::tempdir().unwrap();
    let gone = Scanner::new(&nowhere)
        .scan(&folder.path().join("gone"))
        .await;
    assert_eq!(gone, Err(Fault::Unchecked));
}

/// Something that reads what it is sent up to its end and says this.
async fn answered(answer: &'static [u8]) -> Result<(), Fault> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(&[0; 4]) {
            if client.read_buf(&mut heard).await.unwrap() == 0 {
                break;
            }
        }
        assert!(
            heard.starts_with(b"zINSTREAM\0\0\0\0\x01x\0\0\0\0"),
            "{heard:?}"
        );
        client.write_all(answer).await.unwrap();
    });
    scan(&address, b"x").await
}

#[tokio::test]
async fn what_is_not_said_as_clamd_says_it_lets_nothing_through() {
    // The control: the words themselves do.
    assert_eq!(answered(b"stream: OK\0").await, Ok(()));
    assert_eq!(
        answered(b"stream: Win.Test FOUND\0").await,
        Err(Fault::Virus)
    );
    for answer in [
        &b""[..],
        b"\0",
        b"OK\0",
        b"stream: OK",
        b"stream: OK\0 and more",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"INSTREAM size limit exceeded. ERROR\0",
        b"stream: Can't open file ERROR\0",
        &[b'x'; 10_000],
    ] {
        assert_eq!(answered(answer).await, Err(Fault::Unchecked), "{answer:?}");
    }
}

#[tokio::test]
async fn a_scanner_that_hangs_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    // It takes the connection, and nothing more.
    let _listener = UnixListener::bind(&socket).unwrap();
    let path = folder.path().join("file");
    // More than a socket holds unread.
    std::fs::write(&path, vec![b'x'; 8 << 20]).unwrap();
    let scanner = Scanner::new(&socket.display().to_string()).patient(Duration::from_millis(300));
    assert_eq!(scanner.scan(&path).await, Err(Fault::Unchecked));
}
