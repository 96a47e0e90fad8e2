//! That no history is rewritten without somebody seeing it: what is signed, what is checked, and what is taken away.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "a test reads where PostgreSQL is from the environment it was started in, and waits by the real clock"
)]

#[path = "../house/mod.rs"]
mod house;
mod program;
mod scene;
mod signing;
#[path = "../site/mod.rs"]
mod site;
mod taking;
mod tampering;
