//! How a pupil is doing, as the adults around them see it: the scale, what a row of check-ins says and what it does not, and
//! the scores of instruments that a school uses under its own licence.
//!
//! Nothing here is a diagnosis, a ranking of children or a forecast. Where there is too little to go by, the rule says so.

pub mod effect;
pub mod instrument;
pub mod prompt;
pub mod scale;
pub mod trend;

pub use scale::{Domain, Level};
