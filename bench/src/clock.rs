//! The one wall clock of the harness. It is the clock by which the database stamps an event, so that the age of an event can be
//! told when it arrives.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
pub type Micros = u64;

/// Now.
pub fn now() -> Micros {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| Micros::try_from(since.as_micros()).ok())
        .unwrap_or(0)
}
