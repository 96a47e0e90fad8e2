//! A child that was taken over: it gives up its rights as the real one does, and then tries what it was told. It answers
//! with a report whose title says what came of it.

#![forbid(unsafe_code)]

use inspect::{Fault, Kind, Report, child};
use std::{io::Write as _, net::TcpStream, process::Command};

fn main() {
    let attempt = std::env::args().nth(1).unwrap_or_default();
    let Ok(file) = child::confined() else {
        std::process::exit(i32::from(child::UNREADY));
    };
    let came = match attempt.as_str() {
        "read a file" => said(std::fs::read("/etc/passwd")),
        "list a folder" => said(std::fs::read_dir("/")),
        "write a file" => said(std::fs::write("/tmp/quorate-inspect-probe", "x")),
        "call a server" => {
            // The file says which port listens.
            let port = String::from_utf8_lossy(&file).trim().parse().unwrap_or(0);
            said(TcpStream::connect(("127.0.0.1", port)))
        }
        "start a program" => said(Command::new("/bin/true").status()),
        "start a thread" => said(std::thread::Builder::new().spawn(|| ())),
        "see the environment" => format!("{:?}", std::env::vars_os().collect::<Vec<_>>()),
        "take time" => loop {
            std::hint::spin_loop();
        },
        "do nothing for ever" => loop {
            std::thread::park();
        },
        "take memory" => {
            let mut all: Vec<Vec<u8>> = Vec::new();
            loop {
                all.push(vec![1; 16 * 1024 * 1024]);
            }
        }
        "take the stack" => deeper(0).to_string(),
        "panic" => std::panic::panic_any("told to"),
        "abort" => std::process::abort(),
        "talk without end" => loop {
            let _ = std::io::stdout().write_all(&vec![b'x'; 65536]);
        },
        "complain without end" => loop {
            if std::io::stderr().write_all(&vec![b'x'; 65536]).is_err() {
                std::process::exit(1);
            }
        },
        "talk nonsense" => {
            println!("{{\"Ok\":");
            return;
        }
        "say nothing" => return,
        _ => "nothing was told".to_owned(),
    };
    let found: Result<Report, Fault> = Ok(Report {
        kind: Kind::Text,
        pages: None,
        text: Vec::new(),
        cut: false,
        title: Some(came),
        width: None,
        height: None,
    });
    println!("{}", serde_json::to_string(&found).unwrap_or_default());
}

fn said<T>(result: std::io::Result<T>) -> String {
    result.map_or_else(|error| error.kind().to_string(), |_| "done".to_owned())
}

fn deeper(depth: u64) -> u64 {
    let here = std::hint::black_box([depth; 512]);
    if here[0] == u64::MAX {
        return 0;
    }
    here[0] + deeper(std::hint::black_box(depth + 1)) + here[511]
}
