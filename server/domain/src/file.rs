//! A file that people keep here: its kinds, its name, and why one is not taken. What is inside is looked at by `inspect`.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// The largest file that is taken, in bytes: a term's papers scanned in one go stay below it.
pub const MOST: u64 = 200 * 1024 * 1024;
/// The longest name that is kept, in characters and with its ending: file systems stop at 255 bytes.
pub const NAME_MOST: usize = 200;
/// The most pages of one document, and sheets or slides.
pub const PAGES_MOST: u32 = 10_000;

/// What a file is: the kinds that schools send round, and no others (OWASP ASVS 5.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// PDF (ISO 32000).
    Pdf,
    /// A document of Word (ECMA-376).
    Docx,
    /// A workbook of Excel.
    Xlsx,
    /// A presentation of PowerPoint.
    Pptx,
    /// A text of LibreOffice (OpenDocument, ISO 26300).
    Odt,
    /// A spreadsheet of LibreOffice.
    Ods,
    /// A presentation of LibreOffice.
    Odp,
    /// A picture without loss.
    Png,
    /// A photograph.
    Jpeg,
    /// Plain text.
    Text,
    /// Rows of values (RFC 4180).
    Csv,
}

impl Kind {
    /// Each of them.
    pub const ALL: [Self; 11] = [
        Self::Pdf,
        Self::Docx,
        Self::Xlsx,
        Self::Pptx,
        Self::Odt,
        Self::Ods,
        Self::Odp,
        Self::Png,
        Self::Jpeg,
        Self::Text,
        Self::Csv,
    ];

    /// As it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Pptx => "pptx",
            Self::Odt => "odt",
            Self::Ods => "ods",
            Self::Odp => "odp",
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Text => "text",
            Self::Csv => "csv",
        }
    }

    /// The kind that is stored so.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// As it reads after "This is".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pdf => "a PDF",
            Self::Docx => "a Word document",
            Self::Xlsx => "an Excel workbook",
            Self::Pptx => "a PowerPoint presentation",
            Self::Odt => "a LibreOffice text",
            Self::Ods => "a LibreOffice spreadsheet",
            Self::Odp => "a LibreOffice presentation",
            Self::Png => "a PNG picture",
            Self::Jpeg => "a JPEG picture",
            Self::Text => "a plain text",
            Self::Csv => "a CSV table",
        }
    }

    /// The endings of its names, the usual one first.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Docx => &["docx"],
            Self::Xlsx => &["xlsx"],
            Self::Pptx => &["pptx"],
            Self::Odt => &["odt"],
            Self::Ods => &["ods"],
            Self::Odp => &["odp"],
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Text => &["txt"],
            Self::Csv => &["csv"],
        }
    }

    /// The usual ending of its names.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Text => "txt",
            other => other.code(),
        }
    }

    /// As it is served (IANA media types).
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pptx => {
                "application/vnd.openxmlformats-officedocument.presentationml.presentation"
            }
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Ods => "application/vnd.oasis.opendocument.spreadsheet",
            Self::Odp => "application/vnd.oasis.opendocument.presentation",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Text => "text/plain; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// What its text is divided into. A text, and a sheet of any length, has no pages of its own: where those end is decided by
    /// whatever shows it.
    pub const fn division(self) -> Division {
        match self {
            Self::Pdf | Self::Png | Self::Jpeg => Division::Page,
            Self::Pptx | Self::Odp => Division::Slide,
            Self::Docx | Self::Xlsx | Self::Odt | Self::Ods | Self::Text | Self::Csv => {
                Division::Part
            }
        }
    }

    /// Whether it is of Microsoft Office or LibreOffice.
    pub const fn is_office(self) -> bool {
        matches!(
            self,
            Self::Docx | Self::Xlsx | Self::Pptx | Self::Odt | Self::Ods | Self::Odp
        )
    }

    /// Whether it is a picture.
    pub const fn is_image(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg)
    }

    /// The kind that a name's ending says, in whatever case.
    pub fn from_name(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        Self::ALL.into_iter().find(|kind| {
            kind.extensions()
                .iter()
                .any(|extension| ending.eq_ignore_ascii_case(extension))
        })
    }
}

/// What the text of a file is divided into, so that one can say where something stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Division {
    /// As it is printed.
    #[default]
    Page,
    /// As it is shown.
    Slide,
    /// Of ours: see [`crate::document::parts`].
    Part,
}

impl Division {
    /// As it reads in a sentence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Slide => "slide",
            Self::Part => "part",
        }
    }

    /// At the beginning of one.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Page => "Page",
            Self::Slide => "Slide",
            Self::Part => "Part",
        }
    }
}

/// Why a file is not taken: a closed list, each with one sentence that a person can act on.
///
/// It carries a number or a kind at most, never words out of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The ending of the name is none of ours.
    #[error(
        "Files of this type are not taken. Upload a PDF, a Word, Excel, PowerPoint or LibreOffice file, a PNG or JPEG picture, or a TXT or CSV file."
    )]
    UnknownType,
    /// Nothing is left of the name.
    #[error("This file has no name. Give it one on your computer, then upload it again.")]
    Name,
    /// See [`MOST`].
    #[error(
        "This file is larger than 200 MB. Save it with smaller pictures or in parts, and upload those."
    )]
    TooLarge,
    /// Not a byte.
    #[error("This file is empty. Check that it was saved, then upload it again.")]
    Empty,
    /// The content is not what the ending says, but this, where it is one of ours.
    #[error("{}", not_what_its_name_says(*.0))]
    Mismatch(Option<Kind>),
    /// A file of Word, Excel or PowerPoint as they were until 2003.
    #[error(
        "This file is of an old version of Office. Open it, save it as .docx, .xlsx or .pptx, and upload that."
    )]
    OldOffice,
    /// A program for some computer.
    #[error(
        "This file is a program, not a document. Delete it if you do not know where it came from."
    )]
    Program,
    /// It breaks off, or is not made as files of its kind are.
    #[error(
        "This file is damaged. Open it on your computer, save it again under a new name, and upload that."
    )]
    Damaged,
    /// A document without anything to read.
    #[error("This document has no pages. Save it again from where it was made, and upload that.")]
    NoPages,
    /// See [`PAGES_MOST`]; it has so many.
    #[error("This document has {0} pages, and at most 10,000 are taken. Upload it in parts.")]
    ManyPages(u32),
    /// Packed small, and more than is looked through when unpacked.
    #[error(
        "This file unpacks to more than is taken. Save it with smaller pictures or fewer sheets, and upload that."
    )]
    Unpacks,
    /// Made of very many small parts.
    #[error("This file is made of too many parts. Save it in several files, and upload those.")]
    ManyEntries,
    /// Packed as tightly as only a trap is.
    #[error(
        "This file is packed in a way that no office program packs. Open it, save it again under a new name, and upload that."
    )]
    Ratio,
    /// Office macros, of whatever language, and ActiveX.
    #[error(
        "This file has macros in it. Save a copy as .docx, .xlsx, .pptx or PDF without macros, and upload that."
    )]
    Macros,
    /// A PDF with JavaScript, or one that starts programs.
    #[error("This PDF has a program in it. Print it to a new PDF, and upload that.")]
    Script,
    /// It fetches a template, a picture or values from elsewhere when it is opened.
    #[error(
        "This file fetches something from elsewhere when it is opened. Break its links or save it as a PDF, and upload that."
    )]
    Outside,
    /// Another file is hidden in it.
    #[error(
        "This file has another file inside it. Take that out and upload it by itself, if it is needed."
    )]
    Inside,
    /// Not to be opened without a password.
    #[error("This file is locked with a password. Save a copy without one and upload that.")]
    Locked,
    /// More than 100 million pixels, or a side of more than 30,000.
    #[error("This picture has too many pixels. Make it smaller, at most 100 megapixels.")]
    Pixels,
    /// Looking at it went on and on.
    #[error(
        "This file takes too long to check. Print it to a new PDF, or save it in parts, and upload that."
    )]
    Slow,
    /// Looking at it took more memory than there is for one file.
    #[error(
        "This file needs too much memory to check. Print it to a new PDF, or save it in parts, and upload that."
    )]
    Memory,
    /// Found by the virus scanner.
    #[error(
        "A virus was found in this file. Do not open it, and tell whoever looks after your computers."
    )]
    Virus,
    /// A part that checks files is away: none is taken unchecked.
    #[error("Files cannot be checked just now, so none is taken. Try again in a few minutes.")]
    Unchecked,
}

impl Fault {
    /// Whether it is ours, and the same file may well be taken in a moment.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Unchecked)
    }
}

fn not_what_its_name_says(really: Option<Kind>) -> String {
    match really {
        Some(kind) => format!(
            "This is {}, but its name does not say so. Let its name end in .{}, and upload it again.",
            kind.words(),
            kind.extension()
        ),
        None => "This file is not what its name says. Open it, save it as the type you want, and upload that."
            .to_owned(),
    }
}

/// A file's name as it is kept, from whatever a browser sends: the last part of a path, composed (Unicode NFC), without
/// characters that do not show or turn the direction, those that Windows forbids in names replaced by a hyphen, at most
/// [`NAME_MOST`] characters, cut in the middle so that both its beginning and its ending stay.
///
/// Refuses [`Fault::Name`] where nothing is left before the ending, and [`Fault::UnknownType`].
pub fn tidy_name(sent: &str) -> Result<String, Fault> {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last
        .nfc()
        .filter(|c| !hidden(*c))
        .map(|c| if forbidden(c) { '-' } else { c })
        .collect();
    let line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    // Windows drops dots and spaces at the end of a name, and with them what the ending says.
    let name = line.trim_end_matches(['.', ' ']);
    let Some((stem, ending)) = name.rsplit_once('.') else {
        return Err(if name.is_empty() {
            Fault::Name
        } else {
            Fault::UnknownType
        });
    };
    Kind::from_name(name).ok_or(Fault::UnknownType)?;
    let stem = stem.trim_matches(['.', ' ']);
    if stem.is_empty() {
        return Err(Fault::Name);
    }
    let most = NAME_MOST - 1 - ending.chars().count();
    Ok(format!("{}.{ending}", cut(stem, most)))
}

/// The middle gives way: the beginning says what it is, the end often which version.
fn cut(stem: &str, most: usize) -> String {
    let characters: Vec<char> = stem.chars().collect();
    if characters.len() <= most {
        return stem.to_owned();
    }
    let after = (most - 1) / 3;
    let before = most - 1 - after;
    let (beginning, rest) = characters.split_at(before);
    let end = &rest[rest.len() - after..];
    beginning.iter().chain(['…'].iter()).chain(end).collect()
}

/// Without a shape of its own: two names that look alike would not be the same (UTS 39), or one reads as another.
fn hidden(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What no name on Windows may have (Microsoft, *Naming Files, Paths, and Namespaces*).
fn forbidden(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_its_path_and_what_does_not_show() {
        for (sent, kept) in [
            ("Minutes.pdf", "Minutes.pdf"),
            (r"C:\Users\joan\Minutes 18 June.PDF", "Minutes 18 June.PDF"),
            ("../../etc/passwd.txt", "passwd.txt"),
            ("/var/x/..\\y.docx", "y.docx"),
            ("  Budget \t 2026 .xlsx ", "Budget 2026.xlsx"),
            ("cafe\u{301}.odt", "caf\u{e9}.odt"),
            ("invoice\u{202e}xcod.pdf", "invoicexcod.pdf"),
            ("a\u{200b}b\u{feff}.csv", "ab.csv"),
            ("a\u{0}b\u{7}.csv", "ab.csv"),
            ("a\nb.csv", "a b.csv"),
            ("Q&A: what? *now*.txt", "Q&A- what- -now-.txt"),
            ("photo.jpeg", "photo.jpeg"),
            ("archive.tar.png", "archive.tar.png"),
            ("trailing.pdf. .", "trailing.pdf"),
            ("财务.pptx", "财务.pptx"),
        ] {
            assert_eq!(tidy_name(sent).as_deref(), Ok(kept), "{sent:?}");
        }
    }

    #[test]
    fn a_name_without_a_stem_or_a_known_ending_is_refused() {
        for sent in ["", " ", ".pdf", "..pdf", "\u{202e}.pdf", "a/", "\u{0}"] {
            assert_eq!(tidy_name(sent), Err(Fault::Name), "{sent:?}");
        }
        for sent in [
            "pdf",
            "a.exe",
            "a.pdf.exe",
            "report\u{202e}fdp.exe",
            "a.docm",
            "a.doc",
            "a.svg",
            "a.html",
            "a.pdf:evil.exe",
            "a.pd\u{433}",
        ] {
            assert_eq!(tidy_name(sent), Err(Fault::UnknownType), "{sent:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_in_its_middle() {
        let long = format!("Finance {} final v2.docx", "é".repeat(400));
        let kept = tidy_name(&long).unwrap();
        assert_eq!(kept.chars().count(), NAME_MOST);
        assert!(kept.starts_with("Finance é"), "{kept}");
        assert!(
            kept.contains('…') && kept.ends_with(" final v2.docx"),
            "{kept}"
        );
        let just = format!("{}.pdf", "x".repeat(NAME_MOST - 4));
        assert_eq!(tidy_name(&just).unwrap(), just);
        assert_eq!(tidy_name(&kept).unwrap(), kept);
    }

    #[test]
    fn each_kind_is_found_again_by_its_code_and_its_names() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(kind));
            assert_eq!(kind.extensions()[0], kind.extension());
            for extension in kind.extensions() {
                let name = format!("a.{}", extension.to_uppercase());
                assert_eq!(Kind::from_name(&name), Some(kind));
            }
            assert_eq!(
                serde_json::to_string(&kind).unwrap(),
                format!("\"{}\"", kind.code())
            );
        }
        assert_eq!(Kind::from_name("pdf"), None);
    }

    #[test]
    fn a_fault_is_a_sentence_and_survives_the_way() {
        for fault in [
            Fault::Mismatch(Some(Kind::Jpeg)),
            Fault::Mismatch(None),
            Fault::ManyPages(10_001),
            Fault::Locked,
        ] {
            let there = serde_json::to_string(&fault).unwrap();
            assert_eq!(serde_json::from_str::<Fault>(&there).unwrap(), fault);
            assert!(fault.to_string().ends_with('.'), "{fault}");
        }
        assert_eq!(
            Fault::Mismatch(Some(Kind::Jpeg)).to_string(),
            "This is a JPEG picture, but its name does not say so. Let its name end in .jpg, and upload it again."
        );
    }
}
