//! A school's roster as its information system gives it out: which column is what, and what is wrong with each line.

pub mod column;
pub mod date;
pub mod fault;
pub mod line;
pub mod twice;
