//! What is served: the process, its addresses, and what it starts and stops. Decides nothing about a school.

#![forbid(unsafe_code)]
#![recursion_limit = "512"]

pub mod account;
pub mod arrive;
pub mod cli;
pub mod clock;
pub mod config;
pub mod databases;
pub mod demo;
pub mod health;
pub mod logging;
pub mod devmail;
pub mod mail;
pub mod router;
pub mod security;
pub mod serve;
pub mod session;
pub mod stop;
pub mod storage;
pub mod worker;
