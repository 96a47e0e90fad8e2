//! What breaks under the service, and what must hold when it does: nothing acknowledged is lost, and nothing is done twice.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests read where PostgreSQL is from the environment they were started in, and codes are of the real clock"
)]

mod clock;
mod crowd;
mod disk;
#[path = "../house/mod.rs"]
mod house;
mod jobs;
mod kill;
mod letters;
