//! What is served: the process, its addresses, sockets, mail, storage and timers.

#![forbid(unsafe_code)]

pub mod bus;
pub mod hub;
pub mod relay;
pub mod socket;
