//! The one wall clock. Everything that depends on the time is given it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 (UTC), by this machine's clock.
pub fn unix_seconds() -> u64 {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Now, in UTC.
pub fn now() -> time::OffsetDateTime {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    time::OffsetDateTime::now_utc()
}
