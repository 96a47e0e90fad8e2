//! What is true of a school.
