//! A school's roster as its information system gives it out: which column is what, what is wrong with each line, and how it is taken
//! onto the roll and, for a month, off it again.

#[cfg(feature = "db")]
mod circumstances;
pub mod column;
pub mod date;
#[cfg(feature = "db")]
pub mod difference;
pub mod fault;
pub mod import;
#[cfg(feature = "db")]
mod judging;
pub mod line;
pub mod plan;
pub mod refused;
#[cfg(feature = "db")]
pub mod repair;
#[cfg(feature = "db")]
mod sealed;
#[cfg(feature = "db")]
pub mod staging;
#[cfg(feature = "db")]
pub mod taking;
pub mod twice;
#[cfg(feature = "db")]
pub mod undo;
