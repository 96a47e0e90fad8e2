//! What is served: the process, its addresses, sockets, mail, storage and timers. Decides nothing about a school.

#![forbid(unsafe_code)]
#![recursion_limit = "512"]

pub mod accept;
pub mod account;
pub mod arrive;
pub mod audit;
pub mod bus;
pub mod certificate;
pub mod checkpoint;
pub mod cli;
pub mod clock;
pub mod config;
pub mod copy;
pub mod databases;
pub mod demo;
pub mod devmail;
pub mod export;
pub mod files;
pub mod health;
pub mod hub;
pub mod known;
pub mod line;
pub mod logging;
pub mod mail;
pub mod parts;
pub mod people;
pub mod picture;
pub mod queue;
pub mod reach;
pub mod relay;
pub mod roster;
pub mod router;
pub mod security;
pub mod serve;
pub mod session;
pub mod socket;
pub mod staging;
pub mod stop;
pub mod storage;
mod table;
pub mod throttle;
mod together;
pub mod upkeep;
pub mod upload;
pub mod worker;
