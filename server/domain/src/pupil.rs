//! A pupil as the school's own records describe one: numbers, names, year groups, and the codes of the census.

pub mod code;
pub mod field;
pub mod upn;
pub mod year;
