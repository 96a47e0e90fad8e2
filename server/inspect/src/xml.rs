//! The markup inside office documents, read by events: no entities of its own, not too deep, in Unicode.

use domain::file::Fault;
use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};
use quick_xml::{Reader, XmlVersion, events::Event};
use std::borrow::Cow;

/// Elements inside elements. Word stops at a table in a table about thirty times, each a handful deep.
const DEPTH_MOST: usize = 1000;
/// The largest tag with all its attributes, in bytes; a drawn path may be long.
const TAG_MOST: usize = 4 * 1024 * 1024;

/// What is met on the way through a document, names without their prefix: which prefix stands for what a document may
/// choose as it likes.
pub enum Node<'a> {
    /// An element begins.
    Open(&'a str, &'a Attributes<'a>),
    /// It ends.
    Close(&'a str),
    /// Characters.
    Text(&'a str),
}

/// The attributes of one element, names without prefix.
pub struct Attributes<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl Attributes<'_> {
    /// The value of the first with this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(found, _)| *found == name);
        found.map(|(_, value)| value.as_ref())
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_ref()))
    }
}

/// Goes through a document and shows each node.
///
/// Refuses [`Fault::Damaged`] what is not well formed, not in Unicode, too deep, or declares anything of its own.
pub fn walk(file: &[u8], mut see: impl FnMut(Node<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let (text, wide) = unicode(file)?;
    let mut reader = Reader::from_str(&text);
    let (mut depth, mut elements) = (0_usize, 0_usize);
    loop {
        let event = reader.read_event().map_err(|_| Fault::Damaged)?;
        match event {
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                let empty = matches!(event, Event::Empty(_));
                if tag.len() > TAG_MOST || depth >= DEPTH_MOST || (depth == 0 && elements > 0) {
                    return Err(Fault::Damaged);
                }
                elements += 1;
                let mut attributes = Vec::new();
                // Names twice are looked for at a cost that grows with the square of how many there are.
                for attribute in tag.attributes().with_checks(false) {
                    let attribute = attribute.map_err(|_| Fault::Damaged)?;
                    let value = attribute
                        .normalized_value(XmlVersion::Implicit1_0)
                        .map_err(|_| Fault::Damaged)?;
                    attributes.push((attribute.key.local_name().into_inner(), value));
                }
                let name = tag.local_name().into_inner();
                see(Node::Open(name, &Attributes(attributes)))?;
                if empty {
                    see(Node::Close(name))?;
                } else {
                    depth += 1;
                }
            }
            Event::End(ref tag) => {
                depth = depth.checked_sub(1).ok_or(Fault::Damaged)?;
                see(Node::Close(tag.local_name().into_inner()))?;
            }
            Event::Text(ref text) => see(Node::Text(text))?,
            Event::CData(ref text) => see(Node::Text(text))?,
            Event::GeneralRef(ref name) => {
                let mut buffer = [0; 4];
                see(Node::Text(reference(name, &mut buffer)?))?;
            }
            Event::Decl(ref declared) => {
                let encoding = declared
                    .encoding()
                    .transpose()
                    .map_err(|_| Fault::Damaged)?;
                let unicode = encoding.is_none_or(|name| {
                    let name = name.to_ascii_lowercase();
                    if wide {
                        name.starts_with("utf-16")
                    } else {
                        matches!(name.as_str(), "utf-8" | "us-ascii" | "ascii")
                    }
                });
                if !unicode {
                    return Err(Fault::Damaged);
                }
            }
            // Lists of OpenOffice 2 name the definition that they follow; one that brings its own can define entities.
            Event::DocType(ref definition) if plain_definition(definition) => {}
            Event::DocType(_) => return Err(Fault::Damaged),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if depth != 0 || elements == 0 {
        return Err(Fault::Damaged);
    }
    Ok(())
}

/// Its characters, and whether it is written in two bytes each.
fn unicode(file: &[u8]) -> Result<(Cow<'_, str>, bool), Fault> {
    let encoding = match file {
        [0xfe, 0xff, ..] => UTF_16BE,
        [0xff, 0xfe, ..] => UTF_16LE,
        _ => UTF_8,
    };
    let (text, faulty) = encoding.decode_with_bom_removal(file);
    if faulty || text.contains('\0') {
        return Err(Fault::Damaged);
    }
    Ok((text, encoding != UTF_8))
}

fn plain_definition(definition: &str) -> bool {
    !definition.contains(['[', '&', '%']) && !definition.contains("://")
}

/// A character given by number, or one of the five that markup takes for itself.
fn reference<'a>(
    name: &quick_xml::events::BytesRef<'_>,
    buffer: &'a mut [u8; 4],
) -> Result<&'a str, Fault> {
    let character = match name.resolve_char_ref().map_err(|_| Fault::Damaged)? {
        Some(character) => character,
        None => match &**name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            _ => return Err(Fault::Damaged),
        },
    };
    Ok(character.encode_utf8(buffer))
}
