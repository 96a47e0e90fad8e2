//! What a file is by its first bytes, whatever its name says.

use domain::file::{Fault, Kind};

/// Acrobat looks for the header of a PDF in so many first bytes, and so must whoever tells what is none.
const HEAD: usize = 1024;

/// Refuses a file that begins as something other than what its name says.
pub fn check(file: &[u8], kind: Kind) -> Result<(), Fault> {
    let head = &file[..file.len().min(HEAD)];
    if is_program(head) {
        return Err(Fault::Program);
    }
    let begins = match kind {
        Kind::Pdf => is_pdf(head),
        Kind::Png => head.starts_with(b"\x89PNG\r\n\x1a\n"),
        Kind::Jpeg => head.starts_with(b"\xff\xd8\xff"),
        // One that is a PDF too would be opened as whichever its reader likes better.
        kind if kind.is_office() => head.starts_with(b"PK\x03\x04") && !contains(head, b"%PDF-"),
        _ => !is_other_than_text(head),
    };
    if begins {
        return Ok(());
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        // Office wraps a locked document in the format that it had before (MS-OFFCRYPTO 2.3.1).
        return Err(
            if kind.is_office() && contains(file, &utf16("EncryptedPackage")) {
                Fault::Locked
            } else {
                Fault::OldOffice
            },
        );
    }
    Err(match really(file) {
        // One that both begin alike with is broken rather than misnamed.
        Some(other) if other == kind => Fault::Damaged,
        None if is_cut(head, kind) => Fault::Damaged,
        other => Fault::Mismatch(other),
    })
}

/// The kind that a file begins as, where it can be told without reading it.
pub fn really(file: &[u8]) -> Option<Kind> {
    let head = &file[..file.len().min(HEAD)];
    if is_pdf(head) {
        Some(Kind::Pdf)
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(Kind::Png)
    } else if head.starts_with(b"\xff\xd8\xff") {
        Some(Kind::Jpeg)
    } else if head.starts_with(b"PK\x03\x04") {
        package(file)
    } else {
        None
    }
}

/// Programs of Windows, Linux and macOS, and scripts that name their interpreter.
pub fn is_program(head: &[u8]) -> bool {
    let windows = head.starts_with(b"MZ")
        && (head.len() < 64 || contains(head, b"PE\0\0") || contains(head, b"DOS mode"));
    windows
        || head.starts_with(b"\x7fELF")
        || head.starts_with(b"#!/")
        || [
            [0xfe, 0xed, 0xfa, 0xce],
            [0xfe, 0xed, 0xfa, 0xcf],
            [0xcf, 0xfa, 0xed, 0xfe],
            [0xca, 0xfe, 0xba, 0xbe],
        ]
        .iter()
        .any(|magic| head.starts_with(magic))
        // A shortcut of Windows, which starts what it points at (MS-SHLLINK 2.1).
        || head.starts_with(b"L\0\0\0\x01\x14\x02\0")
}

/// Whether some bytes stand in others.
pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

/// Names inside an old Office file are written so (MS-CFB 2.6.1).
pub fn utf16(name: &str) -> Vec<u8> {
    name.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// White space and a byte order mark may stand before the header; anything more would let it be two things at once.
fn is_pdf(head: &[u8]) -> bool {
    let after = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    after.trim_ascii_start().starts_with(b"%PDF-")
}

fn is_other_than_text(head: &[u8]) -> bool {
    let after = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let begin = after.trim_ascii_start().to_ascii_lowercase();
    [
        &b"%pdf-"[..],
        b"{\\rtf",
        b"<!doctype html",
        b"<html",
        b"<script",
        b"<svg",
        b"pk\x03\x04",
        b"\x89png",
        b"\xff\xd8\xff",
        b"gif8",
        b"\xd0\xcf\x11\xe0",
    ]
    .iter()
    .any(|other| begin.starts_with(other))
}

/// Shorter than what it would have begun with, and the same so far.
fn is_cut(head: &[u8], kind: Kind) -> bool {
    let begin: &[u8] = match kind {
        Kind::Pdf => b"%PDF-",
        Kind::Png => b"\x89PNG\r\n\x1a\n",
        Kind::Jpeg => b"\xff\xd8\xff",
        _ => b"PK\x03\x04",
    };
    head.len() < begin.len() && begin.starts_with(head)
}

/// Office and LibreOffice name their folders in clear, at the latest in the list at the end.
fn package(file: &[u8]) -> Option<Kind> {
    let ends = [
        &file[..file.len().min(HEAD)],
        &file[file.len().saturating_sub(64 * HEAD)..],
    ];
    let has = |part: &[u8]| ends.iter().any(|end| contains(end, part));
    [Kind::Odt, Kind::Ods, Kind::Odp]
        .into_iter()
        .find(|kind| has(&[b"mimetype", kind.media_type().as_bytes()].concat()))
        .or_else(|| {
            [
                (&b"word/document.xml"[..], Kind::Docx),
                (b"xl/workbook.xml", Kind::Xlsx),
                (b"ppt/presentation.xml", Kind::Pptx),
            ]
            .into_iter()
            .find_map(|(part, kind)| has(part).then_some(kind))
        })
}
