//! The log: JSON for a collector, lines for a person. No names, addresses, tokens or statements in either: what is logged
//! is chosen at the call, and libraries that log statements are turned down here.

use crate::config::Log;
use crate::stop::Stop;
use std::io::IsTerminal as _;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::filter_fn, fmt, layer::SubscriberExt as _, registry,
    util::SubscriberInitExt as _,
};

/// Libraries that would write what travels through them: never below warnings, whatever the filter says.
const HELD: &[&str] = &[
    "sqlx",
    "hyper",
    "h2",
    "rustls",
    "tower_sessions",
    "tungstenite",
    "tokio_tungstenite",
    "s3s",
    "aws_",
];

/// Starts the log of the process, on standard error. A second call changes nothing.
pub fn start(log: &Log) -> Result<(), Stop> {
    let wrong = |_| Stop::config("QUORATE_LOG must be a filter such as info or info,server=debug.");
    let filter = EnvFilter::try_new(&log.filter).map_err(wrong)?;
    let lines = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = if log.json {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.compact().boxed()
    };
    // The only way this fails is that a log was started already, and then that one serves.
    // Both filters are of the whole log: one of a layer's own forgets lines after a question whether something would be logged.
    let _ = registry()
        .with(filter)
        .with(filter_fn(may_be_written))
        .with(lines)
        .try_init();
    Ok(())
}

fn may_be_written(what: &Metadata<'_>) -> bool {
    *what.level() <= Level::WARN || !HELD.iter().any(|held| what.target().starts_with(held))
}
