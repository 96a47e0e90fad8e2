//! What Quorate sets in type: the certificate of an approval,.
//!
//! Data in, the bytes of a PDF out: tagged as PDF/UA-1 asks, and the same bytes for the same data. Nothing is read but what
//! this crate holds, and nothing that people wrote is ever read as markup. Setting takes its time: call it where one may block.

#![forbid(unsafe_code)]

pub mod certificate;
mod mark;
pub mod paper;
mod plain;
mod sheet;

pub use certificate::{Certificate, certificate, certificate_json};

/// Why something could not be set.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nobody who was asked.
    #[error("nobody was asked")]
    Nobody,
    /// The address to check at is not one of the web.
    #[error("the address to check at is not one of the web")]
    Address,
    /// A version that the paper does not have.
    #[error("the paper has no version {0}")]
    Version(usize),
    /// The data cannot be written as JSON.
    #[error("the data cannot be written down")]
    Data(#[from] serde_json::Error),
    /// What was set carries no mark, so that nothing can be signed.
    #[error("what was set carries no mark")]
    Unmarked,
    /// A sheet of this crate is wrong.
    #[error("the sheet cannot be set: {0}")]
    Sheet(String),
}
