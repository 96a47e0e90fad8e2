//! The words of a document, workbook or presentation, in the order in which they are read.

use super::Package;
use crate::{
    report::{Report, TEXT_MOST, Words},
    xml::{self, Node},
};
use domain::file::{Fault, Kind, PAGES_MOST};

/// Reads the words of each page, sheet or slide. Refuses [`Fault::NoPages`] and [`Fault::ManyPages`].
pub fn read(package: &Package<'_>, kind: Kind) -> Result<Report, Fault> {
    let mut report = Report::new(kind);
    let main = package.main().ok_or(Fault::Damaged)?;
    match kind {
        Kind::Xlsx => workbook(package, main, &mut report)?,
        Kind::Pptx => presentation(package, main, &mut report)?,
        _ => document(package, main, &mut report)?,
    }
    if let Some(core) = package.linked("", "core-properties").next() {
        let mut title = Words::default();
        let mut inside = false;
        xml::walk(&package.content(core)?, |node| {
            match node {
                Node::Open(name, _) => inside = name == "title",
                Node::Text(text) if inside => title.push(text),
                Node::Close(_) => inside = false,
                Node::Text(_) => {}
            }
            Ok(())
        })?;
        report.entitle(&title.0);
    }
    Ok(report)
}

/// The text, then its footnotes and endnotes.
fn document(package: &Package<'_>, main: &str, report: &mut Report) -> Result<(), Fault> {
    let mut words = Words::default();
    let notes = ["footnotes", "endnotes"];
    let notes = notes.iter().flat_map(|kind| package.linked(main, kind));
    for part in [main].into_iter().chain(notes) {
        paragraphs(&package.content(part)?, &mut words)?;
    }
    report.add_parts(&words.0);
    Ok(())
}

fn presentation(package: &Package<'_>, main: &str, report: &mut Report) -> Result<(), Fault> {
    for slide in called(package, main, "sldId", report)? {
        let mut words = Words::default();
        paragraphs(&package.content(&slide)?, &mut words)?;
        report.add(&words.0);
    }
    Ok(())
}

fn workbook(package: &Package<'_>, main: &str, report: &mut Report) -> Result<(), Fault> {
    let strings = match package.linked(main, "sharedstrings").next() {
        Some(part) => shared(&package.content(part)?)?,
        None => Vec::new(),
    };
    for sheet in called(package, main, "sheet", report)? {
        let mut words = Words::default();
        cells(&package.content(&sheet)?, &strings, &mut words)?;
        report.add_parts(&words.0);
    }
    Ok(())
}

/// The slides or sheets that the main part lists, in its order.
fn called(
    package: &Package<'_>,
    main: &str,
    element: &str,
    report: &mut Report,
) -> Result<Vec<String>, Fault> {
    let mut parts = Vec::new();
    xml::walk(&package.content(main)?, |node| {
        if let Node::Open(name, attributes) = node
            && name == element
        {
            // Of two attributes called id, one has a prefix and names the relationship; a number never does.
            let part = attributes
                .iter()
                .filter(|(name, _)| *name == "id")
                .find_map(|(_, id)| package.called(main, id))
                .ok_or(Fault::Damaged)?;
            parts.push(part.to_owned());
        }
        Ok(())
    })?;
    let pages = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    if pages == 0 {
        return Err(Fault::NoPages);
    }
    if pages > PAGES_MOST {
        return Err(Fault::ManyPages(pages));
    }
    report.pages = Some(pages);
    Ok(parts)
}

/// Paragraphs of Word and of drawings; what was deleted, or is repeated for older programs, is left out.
fn paragraphs(content: &[u8], words: &mut Words) -> Result<(), Fault> {
    let (mut in_text, mut repeated) = (false, 0_usize);
    xml::walk(content, |node| {
        match node {
            Node::Open("Fallback", _) => repeated += 1,
            Node::Close("Fallback") => repeated = repeated.saturating_sub(1),
            _ if repeated > 0 => {}
            Node::Open("t", _) => in_text = true,
            // A stop in the list of stops has a place; one in the text has nothing.
            Node::Open("tab", attributes) if attributes.iter().next().is_none() => {
                words.push("\t");
            }
            Node::Open("br" | "cr", _) | Node::Close("p") => words.push("\n"),
            Node::Open("noBreakHyphen", _) => words.push("-"),
            Node::Close("tc") => words.push("\t"),
            Node::Text(text) if in_text => words.push(text),
            Node::Close("t") => in_text = false,
            _ => {}
        }
        Ok(())
    })
}

/// The texts that cells name by number; how they are spoken (Japanese) is left out.
fn shared(content: &[u8]) -> Result<Vec<String>, Fault> {
    let mut strings = Vec::new();
    let mut words = Words::default();
    let (mut in_text, mut spoken) = (false, false);
    xml::walk(content, |node| {
        match node {
            Node::Open("rPh", _) => spoken = true,
            Node::Close("rPh") => spoken = false,
            Node::Open("t", _) => in_text = true,
            Node::Close("t") => in_text = false,
            Node::Text(text) if in_text && !spoken => words.push(text),
            Node::Close("si") => strings.push(words.take()),
            _ => {}
        }
        Ok(())
    })?;
    Ok(strings)
}

/// A line for each row, values apart by tabs, dates and numbers as they are stored.
fn cells(content: &[u8], strings: &[String], words: &mut Words) -> Result<(), Fault> {
    let (mut by_number, mut in_value) = (false, false);
    let mut value = String::new();
    xml::walk(content, |node| {
        match node {
            Node::Open("c", attributes) => by_number = attributes.get("t") == Some("s"),
            Node::Open("v" | "t", _) => in_value = true,
            Node::Close("v" | "t") => in_value = false,
            Node::Text(text) if in_value && value.len() <= TEXT_MOST => value.push_str(text),
            Node::Close("c") => {
                let written = if by_number {
                    let number = value.trim().parse::<usize>().ok();
                    let text = number.and_then(|number| strings.get(number));
                    text.map_or("", String::as_str)
                } else {
                    &value
                };
                if !written.is_empty() {
                    words.push(written);
                    words.push("\t");
                }
                value.clear();
            }
            Node::Close("row") => words.push("\n"),
            _ => {}
        }
        Ok(())
    })
}
