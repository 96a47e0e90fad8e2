//! What a file is, told from its bytes alone: counted once from end to end before anything in it is read.

use super::{Encoding, FILE_MOST, Refused};
use crate::magic;
use domain::file::Kind;
use std::io::Read;

/// So many first bytes are kept to tell what begins there.
const HEAD: usize = 4096;
/// Control characters of text are fewer than one of so many.
const CONTROLS_LEAST: u64 = 100;

/// What was counted of a file. Nothing of it is understood, so this is done before the rights are given up: the file can then
/// be gone through a second time, and need not be held in memory.
pub struct Survey {
    /// Its bytes, or one more than are taken.
    pub(super) length: u64,
    head: Vec<u8>,
    utf8: bool,
    /// NULs at even and at odd places.
    nuls: [u64; 2],
    controls: u64,
}

/// How a file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text in lines.
    Values(Encoding),
    /// Text that begins with a tag.
    Markup(Encoding),
    /// A package, which a workbook is.
    Package,
    /// Office as it was, or as it wraps what is locked.
    OldOffice,
}

impl Survey {
    /// Counts a file.
    pub fn of(file: impl Read) -> std::io::Result<Self> {
        let mut survey = Self {
            length: 0,
            head: Vec::with_capacity(HEAD),
            utf8: true,
            nuls: [0; 2],
            controls: 0,
        };
        let mut file = file.take(FILE_MOST + 1);
        let mut bytes = vec![0; 64 * 1024];
        // A character may be cut where one reading ends.
        let mut begun = 0;
        loop {
            let read = match file.read(&mut bytes[begun..]) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if read == 0 {
                survey.utf8 &= begun == 0;
                return Ok(survey);
            }
            survey.count(&bytes[begun..begun + read]);
            let seen = begun + read;
            begun = 0;
            if let Err(error) = std::str::from_utf8(&bytes[..seen]) {
                if error.error_len().is_some() {
                    survey.utf8 = false;
                } else {
                    begun = seen - error.valid_up_to();
                    bytes.copy_within(error.valid_up_to()..seen, 0);
                }
            }
        }
    }

    fn count(&mut self, bytes: &[u8]) {
        let room = HEAD - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        for byte in bytes {
            match byte {
                0 => self.nuls[usize::from(self.length % 2 == 1)] += 1,
                // Tab, the ends of lines and pages, and the end of a file as DOS marked it.
                b'\t'..=b'\r' | 0x1a => {}
                0..0x20 | 0x7f => self.controls += 1,
                _ => {}
            }
            self.length += 1;
        }
    }

    /// How the file is to be read. Refuses what is no table.
    pub fn shape(&self) -> Result<Shape, Refused> {
        let head = &self.head[..];
        if self.length == 0 {
            return Err(Refused::Empty);
        }
        if self.length > FILE_MOST {
            return Err(Refused::TooLarge);
        }
        if head.starts_with(b"PK\x03\x04") {
            return Ok(Shape::Package);
        }
        if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
            return Ok(Shape::OldOffice);
        }
        if magic::is_program(head) {
            return Err(Refused::Program);
        }
        if magic::really(head) == Some(Kind::Pdf) {
            return Err(Refused::Pdf);
        }
        if is_picture(head) {
            return Err(Refused::Picture);
        }
        let encoding = self.encoding().ok_or(Refused::NotTable)?;
        let (begin, _) = encoding.codec().decode_with_bom_removal(head);
        let begin = begin.trim_start().to_lowercase();
        let web = [
            "<!doctype html",
            "<html",
            "<head",
            "<body",
            "<table",
            "<script",
            "<svg",
        ];
        if web.iter().any(|tag| begin.starts_with(tag)) {
            Err(Refused::WebPage)
        } else if begin.starts_with("{\\rtf") {
            Err(Refused::NotTable)
        } else if begin.starts_with('<') {
            Ok(Shape::Markup(declared(&begin, encoding)?))
        } else {
            Ok(Shape::Values(encoding))
        }
    }

    /// In the encoding that it is marked with; in UTF-16 where every second byte is mostly nothing; else in UTF-8 where all of it
    /// can be that; else as Windows writes in this country. None where it is no text.
    fn encoding(&self) -> Option<Encoding> {
        let [even, odd] = self.nuls;
        let pairs = self.length / 2;
        match self.head[..] {
            [0xff, 0xfe, ..] => return Some(Encoding::Utf16Le),
            [0xfe, 0xff, ..] => return Some(Encoding::Utf16Be),
            _ if even == 0 && odd > pairs / 2 => return Some(Encoding::Utf16Le),
            _ if odd == 0 && even > pairs / 2 => return Some(Encoding::Utf16Be),
            _ => {}
        }
        if even + odd > 0 || self.controls > self.length / CONTROLS_LEAST {
            None
        } else if self.utf8 {
            Some(Encoding::Utf8)
        } else {
            Some(Encoding::Windows1252)
        }
    }
}

impl Encoding {
    /// By which it is decoded.
    pub(super) fn codec(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Utf8 => encoding_rs::UTF_8,
            Self::Utf16Le => encoding_rs::UTF_16LE,
            Self::Utf16Be => encoding_rs::UTF_16BE,
            Self::Windows1252 => encoding_rs::WINDOWS_1252,
        }
    }
}

/// What markup declares itself to be written in, where its bytes leave that open.
fn declared(begin: &str, found: Encoding) -> Result<Encoding, Refused> {
    if matches!(found, Encoding::Utf16Le | Encoding::Utf16Be) {
        return Ok(found);
    }
    let declaration = begin
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"))
        .map_or("", |(declaration, _)| declaration);
    let label = declaration
        .split_once("encoding")
        .and_then(|(_, rest)| rest.trim_start().strip_prefix('='))
        .map(|rest| rest.trim_start().trim_start_matches(['"', '\'']))
        .and_then(|rest| rest.split(['"', '\'']).next())
        .unwrap_or("utf-8");
    match encoding_rs::Encoding::for_label(label.as_bytes()) {
        Some(codec) if codec == encoding_rs::WINDOWS_1252 && label != "us-ascii" => {
            Ok(Encoding::Windows1252)
        }
        Some(codec) if codec == encoding_rs::UTF_8 || label == "us-ascii" => {
            if found == Encoding::Utf8 {
                Ok(found)
            } else {
                Err(Refused::Damaged)
            }
        }
        _ => Err(Refused::Encoding),
    }
}

fn is_picture(head: &[u8]) -> bool {
    [&b"\x89PNG"[..], b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*"]
        .iter()
        .any(|begin| head.starts_with(begin))
        || (head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP"))
        // As telephones take them (ISO 23008-12).
        || matches!(head.get(4..12), Some(b"ftypheic" | b"ftypheix" | b"ftypmif1" | b"ftypavif"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(file: &[u8]) -> Result<Shape, Refused> {
        Survey::of(file).unwrap().shape()
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let bytes = |unit: u16| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn an_encoding_is_told_from_the_bytes() {
        use Encoding::{Utf8, Utf16Be, Utf16Le, Windows1252};
        let text = "Surname,Forename\r\nMüller,Zoë\r\n";
        for (file, encoding) in [
            (text.as_bytes().to_vec(), Utf8),
            ([b"\xef\xbb\xbf", text.as_bytes()].concat(), Utf8),
            (utf16(text, false), Utf16Le),
            (utf16(text, true), Utf16Be),
            ([b"\xff\xfe", &utf16(text, false)[..]].concat(), Utf16Le),
            ([b"\xfe\xff", &utf16(text, true)[..]].concat(), Utf16Be),
            (
                b"Surname,Forename\r\nM\xfcller,Zo\xeb\r\n".to_vec(),
                Windows1252,
            ),
        ] {
            assert_eq!(shape(&file), Ok(Shape::Values(encoding)));
        }
    }

    #[test]
    fn a_character_that_two_readings_cut_is_whole() {
        // Three bytes each, over the end of a reading at each place.
        for before in 0..3 {
            let text = format!("{}{}", "x".repeat(before), "€".repeat(100_000));
            assert_eq!(shape(text.as_bytes()), Ok(Shape::Values(Encoding::Utf8)));
            assert_eq!(
                shape(&text.as_bytes()[..text.len() - 1]),
                Ok(Shape::Values(Encoding::Windows1252))
            );
        }
    }

    #[test]
    fn a_declaration_says_how_markup_is_written() {
        use Encoding::{Utf8, Utf16Le, Windows1252};
        let plain = "<?xml version='1.0' encoding = 'ISO-8859-1'?><CTfile/>";
        assert_eq!(shape(plain.as_bytes()), Ok(Shape::Markup(Windows1252)));
        assert_eq!(shape(b"<CTfile/>"), Ok(Shape::Markup(Utf8)));
        assert_eq!(
            shape(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><CTfile>\xfc"),
            Err(Refused::Damaged)
        );
        assert_eq!(
            shape(b"<?xml version=\"1.0\" encoding=\"koi8-r\"?><CTfile/>"),
            Err(Refused::Encoding)
        );
        let wide = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><CTfile/>";
        assert_eq!(shape(&utf16(wide, false)), Ok(Shape::Markup(Utf16Le)));
    }

    #[test]
    fn what_is_no_text_is_no_table() {
        for (file, refused) in [
            (&b""[..], Refused::Empty),
            (b"%PDF-1.7\n", Refused::Pdf),
            (b"\x89PNG\r\n\x1a\n", Refused::Picture),
            (b"\0\0\0\x18ftypheic\0", Refused::Picture),
            (b"{\\rtf1 UPN,Surname}", Refused::NotTable),
            (b"<!DOCTYPE html><table><tr>", Refused::WebPage),
            (b"UPN,Surname\0,Forename", Refused::NotTable),
            (b"\x7fELF\x02\x01\x01", Refused::Program),
            (b"UPN\x01\x02\x03", Refused::NotTable),
        ] {
            assert_eq!(shape(file), Err(refused), "{file:?}");
        }
    }
}
