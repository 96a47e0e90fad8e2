//! PDF (ISO 32000): opens without a password, is whole, does nothing by itself, and says something on each page.

mod words;

use crate::{
    magic::contains,
    report::{Report, TEXT_MOST},
};
use domain::file::{Fault, Kind, PAGES_MOST};
use hayro_syntax::{
    LoadPdfError, Pdf,
    object::{Array, Dict, MaybeRef, Name, Object, Stream},
};

/// The end mark stands in so many last bytes (ISO 32000-1, annex H.3, note 18); a file that broke off has none.
const TAIL: usize = 2048;
/// Arrays and dictionaries in each other; the parser follows no deeper by far.
const DEPTH_MOST: usize = 200;

/// What is in a document, and what it says.
///
/// Refuses [`Fault::Locked`], [`Fault::Damaged`], [`Fault::NoPages`], [`Fault::ManyPages`], [`Fault::Script`],
/// [`Fault::Inside`], [`Fault::Outside`]. One that opens without a password is taken, whatever it forbids its readers.
pub fn look(file: Vec<u8>) -> Result<Report, Fault> {
    // Some systems fill the last block of a file with nothing.
    let filled = file
        .iter()
        .rposition(|byte| !matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n'));
    let written = &file[..filled.map_or(0, |last| last + 1)];
    let tail = &written[written.len().saturating_sub(TAIL)..];
    if !contains(tail, b"%%EOF") {
        return Err(Fault::Damaged);
    }
    // The end of a package after the end of the document: it would open as either.
    if contains(&file[file.len().saturating_sub(64 * 1024)..], b"PK\x05\x06") {
        return Err(Fault::Mismatch(None));
    }
    let pdf = Pdf::new(file).map_err(|error| match error {
        LoadPdfError::Decryption(_) => Fault::Locked,
        LoadPdfError::Invalid => Fault::Damaged,
    })?;
    let mut report = Report::new(Kind::Pdf);
    report.pages = Some(pages(&pdf)?);
    for object in pdf.objects() {
        harmless(object)?;
    }
    words::read(&pdf, &mut report);
    if let Some(title) = &pdf.metadata().title {
        report.entitle(&string(title));
    }
    Ok(report)
}

/// How many pages there are, which must be as many as are said to be: of a file that broke off some are missing.
fn pages(pdf: &Pdf) -> Result<u32, Fault> {
    let xref = pdf.xref();
    let root = xref.get::<Dict<'_>>(xref.root_id());
    let tree = root.and_then(|root| root.get::<Dict<'_>>("Pages"));
    let said = tree.and_then(|tree| tree.get::<i32>("Count"));
    let found = u32::try_from(pdf.pages().len()).unwrap_or(u32::MAX);
    if found > PAGES_MOST {
        return Err(Fault::ManyPages(found));
    }
    match said {
        Some(said) if said > 0 && said.unsigned_abs() > found => Err(Fault::Damaged),
        _ if found == 0 => Err(Fault::NoPages),
        _ => Ok(found),
    }
}

/// Goes through an object and what stands directly in it. What it refers to is looked at in its own turn, as an object of the
/// list, so that a loop of references is no loop here.
fn harmless(object: Object<'_>) -> Result<(), Fault> {
    let mut waiting = vec![(object, 0_usize)];
    while let Some((object, depth)) = waiting.pop() {
        if depth > DEPTH_MOST {
            return Err(Fault::Damaged);
        }
        let inner: Vec<Object<'_>> = match &object {
            Object::Dict(dict) => {
                dictionary(dict)?;
                dict.entries()
                    .filter_map(|(_, value)| direct(value))
                    .collect()
            }
            Object::Stream(stream) => {
                stream_of(stream)?;
                let entries = stream.dict().entries();
                entries.filter_map(|(_, value)| direct(value)).collect()
            }
            Object::Array(array) => Array::raw_iter(array).filter_map(direct).collect(),
            _ => Vec::new(),
        };
        waiting.extend(inner.into_iter().map(|inner| (inner, depth + 1)));
    }
    Ok(())
}

fn direct(value: MaybeRef<Object<'_>>) -> Option<Object<'_>> {
    match value {
        MaybeRef::NotRef(inner @ (Object::Dict(_) | Object::Array(_))) => Some(inner),
        _ => None,
    }
}

/// JavaScript, starting a program (ISO 32000-1, 12.6.4.5, 12.6.4.16), and what runs inside the page: forms of the kind that
/// was withdrawn in PDF 2.0 (XFA) and Flash. Links stay, and so do forms that are only filled in.
fn dictionary(dict: &Dict<'_>) -> Result<(), Fault> {
    if dict.contains_key("JS") || dict.contains_key("XFA") || dict.contains_key("JavaScript") {
        return Err(Fault::Script);
    }
    match dict.get::<Name<'_>>("S").as_deref() {
        Some(b"JavaScript" | b"Launch" | b"ImportData") => return Err(Fault::Script),
        Some(b"GoToE") => return Err(Fault::Inside),
        _ => {}
    }
    if dict.get::<Name<'_>>("Subtype").as_deref() == Some(b"RichMedia") {
        return Err(Fault::Script);
    }
    // A file inside (7.11.4), in whichever way it is shown: attachment, portfolio, pin on a page.
    if dict.contains_key("EF") || dict.contains_key("EmbeddedFiles") {
        return Err(Fault::Inside);
    }
    Ok(())
}

fn stream_of(stream: &Stream<'_>) -> Result<(), Fault> {
    let dict = stream.dict();
    dictionary(dict)?;
    // What it holds is elsewhere (7.3.8.2), also as a page of another document (8.10.4).
    if dict.contains_key("F") || dict.contains_key("Ref") {
        return Err(Fault::Outside);
    }
    if dict.get::<Name<'_>>("Type").as_deref() == Some(b"EmbeddedFile") {
        return Err(Fault::Inside);
    }
    Ok(())
}

/// Text of a dictionary (7.9.2.2): marked as UTF-16 or UTF-8, else near enough to Latin-1.
fn string(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => encoding_rs::UTF_16BE.decode(rest).0.into_owned(),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(),
    }
}

/// Whether there is room for another page's words.
fn is_full(report: &Report) -> bool {
    report.text.iter().map(String::len).sum::<usize>() >= TEXT_MOST
}
