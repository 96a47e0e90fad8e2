//! The store fails at each step, in each way: no row ever points at an object that is missing or another, what was acknowledged
//! stays, the person is told in one sentence, and it goes on by itself. With our own store, and with another that keeps versions.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests read where PostgreSQL and the other store are from the environment they were started in"
)]

mod faults;
#[path = "../house/mod.rs"]
mod house;
mod other;
mod proxy;
#[path = "../site/mod.rs"]
mod site;
mod sweep;
mod versions;
