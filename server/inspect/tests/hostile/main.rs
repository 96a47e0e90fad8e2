//! Files that somebody made to do harm, or that broke, each through a real child: every one is refused for what it is, and
//! the whole ones beside them, which differ in that alone, are taken.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod make;
mod office;
mod packed;
mod pdf;
mod picture;
mod plain;

use inspect::{Fault, Inspector, Kind, Limits, Report};
use std::path::Path;

/// A name for the list, the file, what its name says that it is, and why it is refused.
type Case = (String, Vec<u8>, Kind, Fault);

fn case(name: &str, file: Vec<u8>, kind: Kind, fault: Fault) -> Case {
    (name.to_owned(), file, kind, fault)
}

async fn look(file: &[u8], kind: Kind) -> Result<Report, Fault> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, file).unwrap();
    let child = Path::new(env!("CARGO_BIN_EXE_inspect"));
    let inspector = Inspector::new(child, None::<&str>, Limits::default());
    inspector.look(&path, kind).await
}

/// Looks at each, and says of all that came out otherwise.
async fn each_is_refused(cases: Vec<Case>, least: usize) {
    assert!(cases.len() >= least, "{} files only", cases.len());
    let mut wrong = Vec::new();
    for (name, file, kind, fault) in cases {
        let found = look(&file, kind).await;
        if found.as_ref().err() != Some(&fault) {
            wrong.push(format!("{name} ({kind:?}): {found:?}, not {fault:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is left of a file that broke off, at each tenth.
fn cut(kind: Kind, file: &[u8]) -> Vec<Case> {
    (1..10)
        .map(|tenth| {
            let left = file[..file.len() * tenth / 10].to_vec();
            let name = format!("broken off at {tenth} tenths");
            (name, left, kind, Fault::Damaged)
        })
        .collect()
}

#[tokio::test]
async fn whole_files_are_taken_and_their_words_read() {
    let report = look(&make::docx(&[]), Kind::Docx).await.unwrap();
    assert_eq!(report.text, ["Budget 2026"]);
    let report = look(&make::xlsx(&[]), Kind::Xlsx).await.unwrap();
    assert_eq!(report.pages, Some(1));
    assert_eq!(report.text, ["Paper\t12.5\t\nPens & ink\t3"]);
    let slide = "<p:sld><a:p><a:r><a:t>Aims</a:t></a:r></a:p><a:p><a:r><a:t>for 2027</a:t></a:r></a:p></p:sld>";
    let report = look(&make::pptx(&[], slide), Kind::Pptx).await.unwrap();
    assert_eq!(
        (report.pages, &*report.text[0]),
        (Some(1), "Aims\nfor 2027")
    );
    let report = look(&make::odt("<text:p>Terms</text:p>", &[]), Kind::Odt).await;
    assert_eq!(report.unwrap().text, ["Terms"]);
    let title = [b"<</Title(Minutes)>>".to_vec(), make::stream("", b"BT ET")];
    let whole = make::page("", "", &title);
    let report = look(&whole, Kind::Pdf).await.unwrap();
    assert_eq!(report.pages, Some(1));
    assert_eq!(report.text, ["Minutes of the\nfull governing board"]);
    let report = look(&make::png(64, &[]), Kind::Png).await.unwrap();
    assert_eq!((report.width, report.height), (Some(64), Some(64)));
    let report = look(&make::jpeg(48), Kind::Jpeg).await.unwrap();
    assert_eq!((report.width, report.height), (Some(48), Some(48)));
    let report = look("Siân,£5\r\n".as_bytes(), Kind::Csv).await.unwrap();
    assert_eq!(report.text, ["Siân,£5"]);
}
