//! Sets a sheet: its sources and its data are all there is, without a disk, a network, a clock or a package.

use std::sync::LazyLock;

use time::OffsetDateTime;
use typst::{
    Library, LibraryExt as _, World,
    diag::{FileError, FileResult, SourceDiagnostic},
    foundations::{Bytes, Datetime, Dict, Duration, Smart},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::Error;

/// The faces of the pages, in files that were cut to the letters of Europe. See `fonts/README`.
const FACES: [&[u8]; 6] = [
    include_bytes!("../fonts/inter-regular.ttf"),
    include_bytes!("../fonts/inter-semibold.ttf"),
    include_bytes!("../fonts/quorate-serif-regular.ttf"),
    include_bytes!("../fonts/quorate-serif-semibold.ttf"),
    include_bytes!("../fonts/quorate-serif-italic.ttf"),
    include_bytes!("../fonts/jetbrains-mono-regular.ttf"),
];

static FONTS: LazyLock<Vec<Font>> = LazyLock::new(|| {
    FACES
        .into_iter()
        .flat_map(|face| Font::iter(Bytes::new(face)))
        .collect()
});
static BOOK: LazyLock<LazyHash<FontBook>> =
    LazyLock::new(|| LazyHash::new(FontBook::from_fonts(FONTS.iter())));

/// Compilations after which what typst remembers of one is forgotten: enough for the papers, which share a template.
const REMEMBERED: usize = 4;

/// A file that a sheet may read.
pub(crate) type File<'a> = (&'a str, Vec<u8>);

/// Sets the first of the files. `inputs` are its `sys.inputs`, and `made` is the only time it knows.
pub(crate) fn set(
    files: &[File<'_>],
    inputs: Dict,
    made: OffsetDateTime,
) -> Result<Vec<u8>, Error> {
    let options = PdfOptions {
        creator: Smart::Custom(Some("Quorate".to_owned())),
        timestamp: stamp(made),
        standards: standards(),
        ..PdfOptions::default()
    };
    let document = lay(files, inputs)?;
    typst_pdf::pdf(&document, &options).map_err(|problems| Error::Sheet(said(&problems)))
}

/// Its pages, before they are written as a PDF.
pub(crate) fn lay(files: &[File<'_>], inputs: Dict) -> Result<PagedDocument, Error> {
    let desk = Desk::new(files, inputs)?;
    let document = typst::compile::<PagedDocument>(&desk).output;
    typst::comemo::evict(REMEMBERED);
    document.map_err(|problems| Error::Sheet(said(&problems)))
}

/// Whether some face has the letter.
pub(crate) fn has(letter: char) -> bool {
    FONTS
        .iter()
        .any(|font| font.info().coverage.contains(u32::from(letter)))
}

/// PDF/UA-1 (ISO 14289-1). Should typst not know it any more, the pages are tagged all the same.
fn standards() -> PdfStandards {
    PdfStandards::new(&[PdfStandard::Ua_1]).unwrap_or_default()
}

fn stamp(made: OffsetDateTime) -> Option<Timestamp> {
    let minutes = i32::from(made.offset().whole_minutes());
    let made = Datetime::from_ymd_hms(
        made.year(),
        u8::from(made.month()),
        made.day(),
        made.hour(),
        made.minute(),
        made.second(),
    )?;
    Timestamp::new_local(made, minutes)
}

fn said(problems: &[SourceDiagnostic]) -> String {
    let all: Vec<&str> = problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    all.join("; ")
}

struct Desk {
    library: LazyHash<Library>,
    main: FileId,
    files: Vec<(FileId, Bytes)>,
}

impl Desk {
    fn new(files: &[File<'_>], inputs: Dict) -> Result<Self, Error> {
        let files: Vec<(FileId, Bytes)> = files
            .iter()
            .map(|(path, bytes)| Some((id(path)?, Bytes::new(bytes.clone()))))
            .collect::<Option<_>>()
            .ok_or_else(|| Error::Sheet("a path is none".to_owned()))?;
        let (main, _) = files
            .first()
            .ok_or_else(|| Error::Sheet("there is none".to_owned()))?;
        Ok(Self {
            library: LazyHash::new(Library::builder().with_inputs(inputs).build()),
            main: *main,
            files,
        })
    }
}

fn id(path: &str) -> Option<FileId> {
    let path = VirtualPath::new(path).ok()?;
    Some(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &BOOK
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let text =
            String::from_utf8(self.file(id)?.to_vec()).map_err(|_| FileError::InvalidUtf8)?;
        Ok(Source::new(id, text))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files
            .iter()
            .find(|(there, _)| *there == id)
            .map(|(_, bytes)| bytes.clone())
            .ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
