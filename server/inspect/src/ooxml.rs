//! Documents of Word, Excel and PowerPoint (ECMA-376): packages of markup with relationships between the parts.

mod text;

use crate::{
    budget::Budget,
    inside, magic,
    report::Report,
    xml::{self, Attributes, Node},
    zip::{self, Part},
};
use domain::file::{Fault, Kind};
use std::collections::HashMap;

/// What is in a document, and what it says.
///
/// Refuses [`Fault::Mismatch`], [`Fault::Macros`], [`Fault::Outside`], [`Fault::Inside`], and what [`zip::parts`] and
/// [`xml::walk`] refuse.
pub fn look(file: &[u8], kind: Kind) -> Result<Report, Fault> {
    let package = Package::open(file, &mut Budget::default())?;
    match package.kind() {
        Some(found) if found == kind => text::read(&package, kind),
        Some(other) => Err(Fault::Mismatch(Some(other))),
        None => Err(Fault::Mismatch(
            magic::really(file).filter(|other| *other != kind),
        )),
    }
}

/// A package inside another, such as the workbook behind a chart; what it says is not read.
pub fn embedded(file: &[u8], budget: &mut Budget) -> Result<(), Fault> {
    match Package::open(file, budget) {
        Ok(_) => Ok(()),
        Err(Fault::Mismatch(_)) => Err(Fault::Inside),
        Err(fault) => Err(fault),
    }
}

/// A package whose every part has been looked at.
pub(super) struct Package<'a> {
    parts: HashMap<String, Part<'a>>,
    links: HashMap<String, Vec<Link>>,
    types: Types,
}

/// A relationship (ECMA-376-2, 6.5).
pub(super) struct Link {
    id: String,
    /// The last step of its type, which is the same in both editions of the standard.
    pub kind: String,
    /// The name of a part, or an address outside.
    pub target: String,
    outside: bool,
}

/// Which part is what (ECMA-376-2, 6.2.3).
#[derive(Default)]
struct Types {
    of_part: HashMap<String, String>,
    of_ending: HashMap<String, String>,
}

impl<'a> Package<'a> {
    fn open(file: &'a [u8], budget: &mut Budget) -> Result<Self, Fault> {
        let parts = zip::parts(file, budget)?;
        let Some(list) = parts
            .iter()
            .find(|part| part.name.eq_ignore_ascii_case("[Content_Types].xml"))
        else {
            return Err(Fault::Mismatch(magic::really(file)));
        };
        let types = Types::read(&list.read(&mut Budget::default())?)?;
        let mut links = HashMap::new();
        for part in &parts {
            let name = part.name.to_lowercase();
            let content = part.read(budget)?;
            // Content decides where it can: the name of a part is free, and so is its ending.
            if inside::ending(&name) == "rels" {
                let (of, found) = relationships(&name, &content)?;
                links.insert(of, found);
            } else if types.is_markup(&name) {
                markup(&content)?;
            } else if inside::ending(&name) == "vml" {
                drawing(&content)?;
            } else {
                inside::look(&content, budget)?;
            }
        }
        let parts = parts
            .into_iter()
            .map(|part| (part.name.to_lowercase(), part))
            .collect();
        Ok(Self {
            parts,
            links,
            types,
        })
    }

    fn kind(&self) -> Option<Kind> {
        match self.types.of(self.main()?)? {
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml" => {
                Some(Kind::Docx)
            }
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml" => {
                Some(Kind::Xlsx)
            }
            "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml" => {
                Some(Kind::Pptx)
            }
            _ => None,
        }
    }

    /// The part that the document begins with.
    pub fn main(&self) -> Option<&str> {
        self.linked("", "officedocument").next()
    }

    /// The parts that one part leads to by relationships of a kind, in small letters as everything here.
    pub fn linked<'s>(
        &'s self,
        from: &str,
        kind: &'s str,
    ) -> impl Iterator<Item = &'s str> + use<'s, 'a> {
        let links = self.links.get(from).map_or(&[][..], Vec::as_slice);
        links
            .iter()
            .filter(move |link| link.kind == kind && !link.outside)
            .map(|link| link.target.as_str())
    }

    /// The part that one part calls by this name.
    pub fn called(&self, from: &str, id: &str) -> Option<&str> {
        let link = self.links.get(from)?.iter().find(|link| link.id == id)?;
        (!link.outside).then_some(link.target.as_str())
    }

    /// A part's content once more: it has been counted before.
    pub fn content(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let part = self.parts.get(name).ok_or(Fault::Damaged)?;
        part.read(&mut Budget::default())
    }
}

impl Types {
    fn read(list: &[u8]) -> Result<Self, Fault> {
        let mut types = Self::default();
        xml::walk(list, |node| {
            if let Node::Open(name, attributes) = node {
                let Some(content) = attributes.get("ContentType") else {
                    return Ok(());
                };
                let lower = content.to_lowercase();
                if ["macro", "vba", "activex", "attachedtoolbars"]
                    .iter()
                    .any(|program| lower.contains(program))
                {
                    return Err(Fault::Macros);
                }
                match (
                    name,
                    attributes.get("PartName"),
                    attributes.get("Extension"),
                ) {
                    ("Override", Some(part), _) => {
                        let part = part.trim_start_matches('/').to_lowercase();
                        types.of_part.insert(part, content.to_owned());
                    }
                    ("Default", _, Some(ending)) => {
                        let ending = ending.to_lowercase();
                        types.of_ending.insert(ending, content.to_owned());
                    }
                    _ => {}
                }
            }
            Ok(())
        })?;
        Ok(types)
    }

    fn of(&self, part: &str) -> Option<&str> {
        self.of_part
            .get(part)
            .or_else(|| self.of_ending.get(inside::ending(part)))
            .map(String::as_str)
    }

    /// By what it is declared as or by its name: a program may go by either.
    fn is_markup(&self, part: &str) -> bool {
        inside::ending(part) == "xml"
            || self
                .of(part)
                .is_some_and(|content| content.ends_with("+xml") || content.ends_with("/xml"))
    }
}

/// The relationships of one part, and which part's they are.
fn relationships(name: &str, content: &[u8]) -> Result<(String, Vec<Link>), Fault> {
    let (folder, file) = name
        .strip_suffix(".rels")
        .and_then(|name| name.rsplit_once("_rels/"))
        .ok_or(Fault::Damaged)?;
    let mut links = Vec::new();
    xml::walk(content, |node| {
        let Node::Open("Relationship", attributes) = node else {
            return Ok(());
        };
        let get = |name| attributes.get(name).unwrap_or_default();
        let target = get("Target");
        let kind = get("Type").rsplit('/').next().unwrap_or_default();
        let outside = get("TargetMode").eq_ignore_ascii_case("external") || target.contains("://");
        let kind = kind.to_lowercase();
        if outside {
            leads_outside(&kind, target)?;
        } else {
            brings(&kind)?;
        }
        links.push(Link {
            id: get("Id").to_owned(),
            kind,
            target: if outside {
                target.to_owned()
            } else {
                resolved(folder, target)
            },
            outside,
        });
        Ok(())
    })?;
    Ok((format!("{folder}{file}"), links))
}

/// A hyperlink is followed by whoever clicks it. All else is fetched on opening, except from the reader's own disk.
fn leads_outside(kind: &str, target: &str) -> Result<(), Fault> {
    let refused = match kind {
        "hyperlink" => false,
        // Excel asks before it follows these, and keeps the values that it had.
        "attachedtemplate" | "image" | "externallinkpath" | "xlpathmissing" => {
            !inside::is_local(target)
        }
        _ => true,
    };
    if refused { Err(Fault::Outside) } else { Ok(()) }
}

fn brings(kind: &str) -> Result<(), Fault> {
    match kind {
        "vbaproject"
        | "wordvbadata"
        | "xlmacrosheet"
        | "xlintlmacrosheet"
        | "attachedtoolbars"
        | "control"
        | "activexcontrol"
        | "activexcontrolbinary" => Err(Fault::Macros),
        // HTML, RTF or another document that Word merges in on opening, whatever it holds.
        "afchunk" => Err(Fault::Inside),
        _ => Ok(()),
    }
}

/// A target as the name of a part: from the root, or from the folder of the part that names it.
fn resolved(folder: &str, target: &str) -> String {
    let target = target.to_lowercase();
    let mut steps: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|step| !step.is_empty()).collect(),
    };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

/// Looks through the markup of one part for what is done on opening.
fn markup(content: &[u8]) -> Result<(), Fault> {
    let mut field = String::new();
    let (mut in_field, mut in_formula) = (false, false);
    xml::walk(content, |node| {
        match node {
            Node::Open(name, attributes) => {
                match name {
                    "ddeLink" | "oleLink" => return Err(Fault::Outside),
                    "fldSimple" => self::field(attributes.get("instr").unwrap_or_default())?,
                    // The words of one field come in pieces, between its beginning and whatever stands in it.
                    "fldChar" => self::field(&std::mem::take(&mut field))?,
                    "connection" if on(attributes, "refreshOnLoad") => return Err(Fault::Outside),
                    _ => {}
                }
                in_field = name == "instrText";
                in_formula = name == "f";
                acts(attributes)?;
            }
            Node::Text(text) if in_field => field.push_str(text),
            Node::Text(text) if in_formula && text.to_uppercase().contains("WEBSERVICE(") => {
                return Err(Fault::Outside);
            }
            Node::Text(_) => {}
            Node::Close(_) => (in_field, in_formula) = (false, false),
        }
        Ok(())
    })?;
    self::field(&field)
}

/// Fields of Word that fetch (ECMA-376-1, 17.16.5), and DDE, which starts programs.
fn field(words: &str) -> Result<(), Fault> {
    let words = words.trim_start().to_uppercase();
    let name = words.split_whitespace().next().unwrap_or_default();
    let fetches = match name {
        "DDE" | "DDEAUTO" | "LINK" => true,
        "INCLUDEPICTURE" | "INCLUDETEXT" | "INCLUDE" | "IMPORT" | "DATABASE" | "RD" => {
            words.contains("://") || words.contains(r"\\\\") || words.contains("\"\\\\")
        }
        _ => false,
    };
    if fetches { Err(Fault::Outside) } else { Ok(()) }
}

/// What a click in a presentation starts, and pictures of the older drawing markup.
fn acts(attributes: &Attributes<'_>) -> Result<(), Fault> {
    for (name, value) in attributes.iter() {
        match name {
            "action"
                if value.starts_with("ppaction://program")
                    || value.starts_with("ppaction://macro") =>
            {
                return Err(Fault::Macros);
            }
            "src" if !inside::is_local(value) => return Err(Fault::Outside),
            _ => {}
        }
    }
    Ok(())
}

fn on(attributes: &Attributes<'_>, name: &str) -> bool {
    matches!(attributes.get(name), Some("1" | "true" | "on"))
}

/// Older drawings are written like HTML and often not well formed, so they are searched and not parsed.
fn drawing(content: &[u8]) -> Result<(), Fault> {
    let text = String::from_utf8_lossy(content).to_lowercase();
    if content.contains(&0) || text.contains("<!doctype") || text.contains("<!entity") {
        return Err(Fault::Damaged);
    }
    let fetches = ["src=\"", "src='", "href='"].iter().any(|attribute| {
        text.match_indices(attribute).any(|(at, _)| {
            let value = &text[at + attribute.len()..];
            let value = value.split(['"', '\'']).next().unwrap_or_default();
            !inside::is_local(value)
        })
    });
    if fetches { Err(Fault::Outside) } else { Ok(()) }
}
