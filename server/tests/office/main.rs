//! Office files are read on their page: LibreOffice itself makes a copy of them, in a cage that holds it.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests read where PostgreSQL is from the environment they were started in"
)]

mod cage;
mod copy;
#[path = "../site/mod.rs"]
mod site;
mod word;

use std::{path::Path, time::Duration};

use inspect::Office;

/// As `scripts/setup test` installs it.
const SOFFICE: &str = "/usr/lib/libreoffice/program/soffice";

/// The real one, in the real cage.
fn office(wall: Duration) -> Office {
    assert!(
        Path::new(SOFFICE).exists(),
        "LibreOffice is not installed; run scripts/setup test"
    );
    Office::new(
        Path::new(SOFFICE),
        Path::new(env!("CARGO_BIN_EXE_quorate")),
        ["cage"],
        wall,
    )
}

/// Whether a process runs in whose command line the words stand.
fn runs(words: &str) -> bool {
    let listed = std::process::Command::new("pgrep")
        .args(["-f", words])
        .output()
        .unwrap();
    !listed.stdout.is_empty()
}
