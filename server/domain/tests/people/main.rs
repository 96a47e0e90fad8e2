//! People of a school: how they come in, stay, change each other and leave, and every way around it that somebody might
//! try.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod audit;
mod change;
mod factor;
mod lockout;
mod log;
mod membership;
mod recovery;
mod removal;
mod scene;
mod session;
mod trail;
mod unattended;
