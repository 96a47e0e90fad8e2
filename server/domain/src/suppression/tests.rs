//! What is released, put to whoever wants to find out the rest.

pub(crate) mod attacker;
mod one_day;
mod one_table;
pub(crate) mod schools;
