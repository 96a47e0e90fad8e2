//! What is served: the process, its addresses, and what it starts and stops. Decides nothing about a school.

pub mod account;
pub mod cli;
pub mod config;
pub mod databases;
pub mod demo;
pub mod health;
pub mod logging;
pub mod serve;
pub mod stop;
