//! Documents that others made with other programs: what is harmless is taken and read. Fetched by `scripts/setup test`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    clippy::disallowed_methods // Where the samples are is told by the environment, as in scripts/env.sh.
)]

use inspect::{Fault, Inspector, Kind, Limits, Report};
use std::path::{Path, PathBuf};

/// The folder of samples, or nothing where they were not fetched.
fn samples() -> Option<PathBuf> {
    let cache =
        std::env::var_os("QUORATE_CACHE").map_or("/var/cache/quorate".into(), PathBuf::from);
    let samples = cache.join("samples");
    if samples.join("samples.txt").exists() {
        return Some(samples);
    }
    eprintln!(
        "There are no samples in {}; none was read.",
        cache.display()
    );
    None
}

async fn look(path: &Path) -> Result<Report, Fault> {
    let kind = Kind::from_name(path.to_str().unwrap()).unwrap();
    let child = Path::new(env!("CARGO_BIN_EXE_inspect"));
    Inspector::new(child, None::<&str>, Limits::default())
        .look(path, kind)
        .await
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path
            .to_str()
            .and_then(Kind::from_name)
            .is_some_and(|kind| kind.is_office() || kind.is_image() || kind == Kind::Pdf)
        {
            found.push(path);
        }
    }
}

#[tokio::test]
async fn documents_of_other_programs_are_read() {
    let Some(samples) = samples() else { return };
    for (path, pages, words) in [
        // Word, LibreOffice, TeX, a scanner with OCR, and a browser.
        (
            "pypdf-7.1.0/resources/crazyones.pdf",
            Some(1),
            "to the crazy ones. The misfits.",
        ),
        (
            "pypdf-7.1.0/resources/pdflatex-outline.pdf",
            Some(4),
            "This text should show what a\nprinted text will look like at this place.",
        ),
        (
            "pypdf-7.1.0/resources/Seige_of_Vicksburg_Sample_OCR.pdf",
            Some(6),
            "A report creeps into camp that\nJohnston is coming",
        ),
        (
            "pypdf-7.1.0/resources/GeoBase_NHNC1_Data_Model_UML_EN.pdf",
            Some(19),
            "National Hydro Network",
        ),
        (
            "pypdf-7.1.0/resources/libreoffice-form.pdf",
            Some(1),
            "Agree to privacy policy",
        ),
        (
            "pypdf-7.1.0/resources/issue-604.pdf",
            Some(137),
            "Clinical Practice Guidelines in Oncology",
        ),
        // Locked against changes, and open to readers.
        (
            "pypdf-7.1.0/resources/encryption/r6-owner-password.pdf",
            Some(1),
            "pdf encryption test",
        ),
        (
            "pypdf-7.1.0/resources/encryption/r3-empty-password.pdf",
            Some(1),
            "pdf encryption test",
        ),
        (
            "python_docx-1.2.0/tests/test_files/test.docx",
            None,
            "python-docx was here!\npython-docx was here too!",
        ),
        (
            "python_docx-1.2.0/features/steps/test_files/par-hyperlinks.docx",
            None,
            "the first one here, the second one, and the third.",
        ),
        (
            "python_pptx-1.0.2/features/steps/test_files/shp-embedded-xlsx.xlsx",
            Some(1),
            "1\t\n2\t\n3",
        ),
        (
            "odfpy-1.4.1/tests/examples/serious_poem.odt",
            None,
            "The boy stood",
        ),
        (
            "odfpy-1.4.1/tests/examples/pythagoras.ods",
            Some(3),
            "3\t\n4\t\n5",
        ),
        ("odfpy-1.4.1/tests/examples/ol.odp", Some(1), "Eins"),
    ] {
        let report = look(&samples.join(path)).await;
        let report = report.unwrap_or_else(|fault| panic!("{path}: {fault:?}"));
        assert_eq!(report.pages, pages, "{path}");
        let text = report.text.join("\n");
        assert!(
            text.contains(words),
            "{path}: {:?}",
            &text[..text.floor_char_boundary(300)]
        );
        assert!(text.trim().len() >= 5, "{path}");
    }
}

#[tokio::test]
async fn documents_that_others_locked_or_armed_are_refused() {
    let Some(samples) = samples() else { return };
    for (path, fault) in [
        (
            "pypdf-7.1.0/resources/libreoffice-writer-password.pdf",
            Fault::Locked,
        ),
        (
            "pypdf-7.1.0/resources/encryption/r6-both-passwords.pdf",
            Fault::Locked,
        ),
        (
            "pypdf-7.1.0/resources/encryption/r2-user-password.pdf",
            Fault::Locked,
        ),
        ("pypdf-7.1.0/resources/attachment.pdf", Fault::Inside),
        ("pypdf-7.1.0/resources/SF424_page2.pdf", Fault::Script),
        ("odfpy-1.4.1/tests/examples/nasty.odt", Fault::Damaged),
        (
            "python_pptx-1.0.2/tests/test_files/no-slides.pptx",
            Fault::NoPages,
        ),
    ] {
        assert_eq!(look(&samples.join(path)).await, Err(fault), "{path}");
    }
}

#[tokio::test]
async fn nearly_all_samples_are_taken() {
    let Some(samples) = samples() else { return };
    let mut found = Vec::new();
    files(&samples, &mut found);
    let mut refused = Vec::new();
    for path in &found {
        match look(path).await {
            Ok(_) => {}
            // Said of them by their own names or by what they are: nine decks without a slide among them.
            Err(Fault::Locked | Fault::Script | Fault::Inside | Fault::NoPages) => {}
            Err(fault) => refused.push(format!("{}: {fault:?}", path.display())),
        }
    }
    assert!(found.len() > 200, "{}", found.len());
    let nasty = |name: &String| name.contains("nasty.odt");
    refused.retain(|name| !nasty(name));
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
