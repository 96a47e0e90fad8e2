//! What a customer does with the files they have: each way of rewriting a history is found, and nothing else is.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod hostile;
mod making;
mod program;
mod rewritten;
mod signature;
mod whole;
