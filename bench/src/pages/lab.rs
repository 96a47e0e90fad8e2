//! The pages in a browser, as a slow telephone has them: `bench/peers/lab.mjs` drives it, and this reads what it saw.

use std::{path::Path, time::Duration};

use serde::Deserialize;

use super::school::Drawn;
use crate::{
    child::{Asked, Child},
    fault::Result,
    quorate::Quorate,
    workload::Bench,
};

/// Where the browser is that the browser tests use (`end2end/playwright.config.ts`).
const CHROMIUM: &str = "/usr/bin/chromium";
/// Longest that all visits take.
const VISITS: Duration = Duration::from_secs(300);

/// What one visit was like.
#[derive(Deserialize)]
pub struct Visit {
    /// Milliseconds until the largest thing on home was painted.
    pub home: f64,
    /// And on the list of people.
    pub people: f64,
    /// Milliseconds of the slowest interaction (Interaction to Next Paint).
    pub inp: f64,
    /// Kilobytes of script and program of a first visit, as they come over the wire.
    pub program: f64,
}

/// What was seen, or why nothing was.
pub fn look(
    bench: &Bench,
    node: &Quorate,
    drawn: &Drawn,
) -> Result<std::result::Result<Vec<Visit>, String>> {
    let tests = bench.peers.join("../../end2end");
    if !Path::new(CHROMIUM).exists() || !tests.join("node_modules").exists() {
        return Ok(Err(format!(
            "The browser was not looked through: {CHROMIUM} or the packages of `end2end` are not installed \
             (`scripts/setup test` does that)."
        )));
    }
    let visits = bench.either(5, 1).to_string();
    let origin = format!("http://{}.{}", drawn.school.label, node.host);
    let script = bench.peers.join("lab.mjs").display().to_string();
    let tests = tests.display().to_string();
    let asked = Asked::new(
        Path::new("node"),
        &[
            &script,
            &tests,
            CHROMIUM,
            &origin,
            &drawn.clerk.cookie,
            &visits,
        ],
    );
    // On the load's core: the server has its own.
    let mut child = Child::start(bench.folder(), "lab", bench.cores.load, &asked)?;
    let seen = child.told("seen ", VISITS)?;
    Ok(Ok(serde_json::from_str(&seen)?))
}
