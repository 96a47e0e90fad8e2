//! What is served: the process, its addresses, sockets, mail, storage and timers. Decides nothing about a school.

#![forbid(unsafe_code)]

pub mod account;
pub mod cli;
pub mod config;
pub mod databases;
pub mod demo;
pub mod health;
pub mod logging;
pub mod router;
pub mod security;
pub mod serve;
pub mod session;
pub mod stop;
