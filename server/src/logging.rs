//! The log: JSON for a collector, lines for a person. No names, addresses, tokens or statements in either: what is logged
//! is chosen at the call, and libraries that log statements are turned down here.

use crate::config::Log;
use crate::stop::Stop;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Libraries that would write what travels through them: never below warnings, whatever the filter says.
const HELD: &[&str] = &[
    "sqlx=warn",
    "hyper=warn",
    "h2=warn",
    "rustls=warn",
    "tower_sessions=warn",
];

/// Starts the log of the process, on standard error. A second call changes nothing.
pub fn start(log: &Log) -> Result<(), Stop> {
    let wrong = |_| Stop::config("QUORATE_LOG must be a filter such as info or info,server=debug.");
    let mut filter = EnvFilter::try_new(&log.filter).map_err(wrong)?;
    for held in HELD {
        if let Ok(directive) = held.parse() {
            filter = filter.add_directive(directive);
        }
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // The only way this fails is that a log was started already, and then that one serves.
    let _ = if log.json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.compact().try_init()
    };
    Ok(())
}
