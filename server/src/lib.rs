//! What is served: the process, its addresses, sockets, mail, storage and timers. Decides nothing about the school.

#![forbid(unsafe_code)]

pub mod devmail;
pub mod mail;
pub mod router;
pub mod security;
pub mod session;
pub mod storage;
pub mod worker;
