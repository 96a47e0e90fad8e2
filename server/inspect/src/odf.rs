//! Texts, spreadsheets and presentations of LibreOffice (OpenDocument, ISO 26300).

use crate::{
    budget::Budget,
    inside, magic,
    report::{Report, Words},
    xml::{self, Attributes, Node},
    zip::{self, Part},
};
use domain::file::{Fault, Kind, PAGES_MOST};

/// What is in a document, and what it says.
///
/// Refuses [`Fault::Mismatch`], [`Fault::Locked`], [`Fault::Macros`], [`Fault::Outside`], [`Fault::Inside`], and what
/// [`zip::parts`] and [`xml::walk`] refuse.
pub fn look(file: &[u8], kind: Kind) -> Result<Report, Fault> {
    let mut budget = Budget::default();
    let parts = zip::parts(file, &mut budget)?;
    says_what_it_is(file, &parts, kind)?;
    let part = |name: &str| parts.iter().find(|part| part.name == name);
    // The list first: it says which of the others are locked.
    let list = part("META-INF/manifest.xml").ok_or(Fault::Damaged)?;
    xml::walk(&list.read(&mut Budget::default())?, |node| match node {
        Node::Open("encryption-data", _) => Err(Fault::Locked),
        _ => Ok(()),
    })?;
    for part in &parts {
        let content = part.read(&mut budget)?;
        let name = part.name.to_lowercase();
        if is_program(&name) {
            return Err(Fault::Macros);
        }
        // LibreOffice writes an empty list of keys where there are none.
        // OpenOffice 2 drew its first page as a PDF, which nothing opens.
        if content.is_empty() || name == "thumbnails/thumbnail.pdf" {
            continue;
        }
        if matches!(inside::ending(&name), "xml" | "rdf") {
            markup(&content)?;
        } else {
            inside::look(&content, &mut budget)?;
        }
    }
    let mut report = Report::new(kind);
    let content = part("content.xml").ok_or(Fault::Damaged)?;
    text(&content.read(&mut Budget::default())?, &mut report)?;
    if let Some(meta) = part("meta.xml") {
        title(&meta.read(&mut Budget::default())?, &mut report)?;
    }
    Ok(report)
}

/// Its first part names its type, in clear (ODF 1.3, part 2, 3.3): elsewhere a program could read another.
fn says_what_it_is(file: &[u8], parts: &[Part<'_>], kind: Kind) -> Result<(), Fault> {
    let first = parts.first().ok_or(Fault::Damaged)?;
    if first.name != "mimetype" || !first.stored || first.extra {
        let other = magic::really(file).filter(|other| *other != kind);
        return Err(match other {
            Some(other) => Fault::Mismatch(Some(other)),
            None if parts.iter().any(|part| part.name == "mimetype") => Fault::Damaged,
            None => Fault::Mismatch(None),
        });
    }
    let named = first.read(&mut Budget::default())?;
    if named == kind.media_type().as_bytes() {
        return Ok(());
    }
    Err(Fault::Mismatch(
        [Kind::Odt, Kind::Ods, Kind::Odp]
            .into_iter()
            .find(|other| named == other.media_type().as_bytes()),
    ))
}

/// A module of Basic or a script of another language; empty lists of libraries are no program.
fn is_program(name: &str) -> bool {
    let listed = name.ends_with("-lc.xml") || name.ends_with("-lb.xml");
    !name.ends_with('/')
        && (name.starts_with("scripts/") || (name.starts_with("basic/") && !listed))
}

/// Looks through the markup of one part for what is done on opening.
fn markup(content: &[u8]) -> Result<(), Fault> {
    xml::walk(content, |node| {
        let Node::Open(name, attributes) = node else {
            return Ok(());
        };
        match name {
            "script" => return Err(Fault::Macros),
            "dde-source" | "dde-connection-decl" => return Err(Fault::Outside),
            "event-listener" => listener(attributes)?,
            // Followed by whoever clicks it.
            "a" => {}
            _ if attributes
                .get("href")
                .is_some_and(|href| !inside::is_local(href)) =>
            {
                return Err(Fault::Outside);
            }
            _ => {}
        }
        let formula = attributes.get("formula").map(str::to_uppercase);
        if formula.is_some_and(|text| text.contains("DDE(") || text.contains("WEBSERVICE(")) {
            return Err(Fault::Outside);
        }
        Ok(())
    })
}

/// A click may lead to a slide or a page; a macro or a program it may not start.
fn listener(attributes: &Attributes<'_>) -> Result<(), Fault> {
    let script = attributes.get("href").is_some_and(|href| {
        ["vnd.sun.star.script:", "macro:", "javascript:"]
            .iter()
            .any(|scheme| href.to_ascii_lowercase().starts_with(scheme))
    });
    let started = matches!(attributes.get("action"), Some("execute" | "macro"));
    if script || started || attributes.get("macro-name").is_some() {
        return Err(Fault::Macros);
    }
    Ok(())
}

/// The words: of a text and of each sheet in parts, of the others by slide.
fn text(content: &[u8], report: &mut Report) -> Result<(), Fault> {
    let kind = report.kind;
    let page = match kind {
        Kind::Ods => "table",
        Kind::Odp => "page",
        _ => "",
    };
    let mut words = Words::default();
    let (mut in_text, mut deleted, mut inside, mut pages) = (0_usize, 0_usize, 0_usize, 0_u32);
    xml::walk(content, |node| {
        match node {
            Node::Open(name, _) if name == page => inside += 1,
            Node::Close(name) if name == page => {
                inside = inside.saturating_sub(1);
                if inside == 0 {
                    pages = pages.saturating_add(1);
                    let page = words.take();
                    match kind {
                        _ if pages > PAGES_MOST => {}
                        Kind::Ods => report.add_parts(&page),
                        _ => report.add(&page),
                    }
                }
            }
            Node::Open("tracked-changes", _) => deleted += 1,
            Node::Close("tracked-changes") => deleted = deleted.saturating_sub(1),
            _ if deleted > 0 => {}
            Node::Open("p" | "h", _) => in_text += 1,
            Node::Close("p" | "h") => {
                in_text = in_text.saturating_sub(1);
                // The paragraphs of a cell stay on the line of its row.
                words.push(if kind == Kind::Ods { "\t" } else { "\n" });
            }
            Node::Close("table-row") => words.push("\n"),
            Node::Open("tab", _) => words.push("\t"),
            Node::Open("s", _) => words.push(" "),
            Node::Open("line-break", _) => words.push("\n"),
            Node::Text(text) if in_text > 0 => words.push(text),
            _ => {}
        }
        Ok(())
    })?;
    if kind == Kind::Odt {
        report.add_parts(&words.0);
        return Ok(());
    }
    match pages {
        0 => Err(Fault::NoPages),
        pages if pages > PAGES_MOST => Err(Fault::ManyPages(pages)),
        pages => {
            report.pages = Some(pages);
            Ok(())
        }
    }
}

fn title(meta: &[u8], report: &mut Report) -> Result<(), Fault> {
    let mut title = Words::default();
    let mut inside = false;
    xml::walk(meta, |node| {
        match node {
            Node::Open(name, _) => inside = name == "title",
            Node::Close(_) => inside = false,
            Node::Text(text) if inside => title.push(text),
            Node::Text(_) => {}
        }
        Ok(())
    })?;
    report.entitle(&title.0);
    Ok(())
}
