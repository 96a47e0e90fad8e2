//! Breaches: whoever holds the web server's own login, and any SQL they like, gets nothing of another school.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod attack;
mod counts;
mod existence;
mod isolation;
mod reach;
mod trial;
