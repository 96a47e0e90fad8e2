//! What is released, put to whoever wants to find out the rest.

mod attacker;
mod one_day;
mod one_table;
mod schools;
