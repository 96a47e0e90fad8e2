//! What an uploaded file is, and whether it is safe to keep.
//!
//! A file of a stranger is never parsed in the process that serves: [`Inspector`] starts a child that takes every right from
//! itself ([`child`]) and looks ([`look`]). What becomes of the child, the caller gets a [`Report`] or a [`Fault`].

#![forbid(unsafe_code)]

pub mod cage;
pub mod child;
pub mod clam;
pub mod office;
pub mod parent;
pub mod report;
pub mod roster;

mod budget;
mod inside;
mod magic;
mod odf;
mod ooxml;
mod pdf;
mod picture;
mod plain;
mod xml;
mod zip;

pub use clam::Scanner;
pub use domain::file::{Fault, Kind};
pub use office::{NoPdf, Office};
pub use parent::{Inspector, Limits};
pub use report::Report;

/// What a file is, or why it is not taken. Parses what a stranger wrote: outside tests only [`child`] calls it.
pub fn look(file: Vec<u8>, kind: Kind) -> Result<Report, Fault> {
    if file.is_empty() {
        return Err(Fault::Empty);
    }
    if file.len() as u64 > domain::file::MOST {
        return Err(Fault::TooLarge);
    }
    magic::check(&file, kind)?;
    match kind {
        Kind::Pdf => pdf::look(file),
        Kind::Docx | Kind::Xlsx | Kind::Pptx => ooxml::look(&file, kind),
        Kind::Odt | Kind::Ods | Kind::Odp => odf::look(&file, kind),
        Kind::Png => picture::png(&file),
        Kind::Jpeg => picture::jpeg(&file),
        Kind::Text | Kind::Csv => plain::look(&file, kind),
    }
}
