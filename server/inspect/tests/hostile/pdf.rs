//! PDFs that do something by themselves, hide something, are locked, or send their reader round in circles.

use super::{case, cut, each_is_refused, look, make};
use inspect::{Fault, Kind};
use make::{page, pdf, pdf_trailed, stream};

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// A page tree whose leaves are so many.
fn pages(count: usize) -> Vec<u8> {
    let kids: String = (3..count + 3)
        .map(|number| format!("{number} 0 R "))
        .collect();
    let mut objects = vec![
        bytes("<</Type/Catalog/Pages 2 0 R>>"),
        bytes(&format!("<</Type/Pages/Kids[{kids}]/Count {count}>>")),
    ];
    objects.extend((0..count).map(|_| bytes("<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>")));
    pdf(&objects)
}

/// So many pages, each of which says its number.
fn numbered(count: usize) -> Vec<u8> {
    let kids: String = (0..count)
        .map(|page| format!("{} 0 R ", 4 + 2 * page))
        .collect();
    let mut objects = vec![
        bytes("<</Type/Catalog/Pages 2 0 R>>"),
        bytes(&format!("<</Type/Pages/Kids[{kids}]/Count {count}>>")),
        bytes("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"),
    ];
    for page in 0..count {
        objects.push(bytes(&format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents {} 0 R/Resources<</Font<</F1 3 0 R>>>>>>",
            5 + 2 * page
        )));
        let text = format!("BT /F1 12 Tf 9 50 Td (Page {}) Tj ET", page + 1);
        objects.push(stream("", text.as_bytes()));
    }
    pdf(&objects)
}

/// Locked for users (ISO 32000-1, 7.6.3); no password is empty, as the check of it is of another.
fn locked() -> Vec<u8> {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
    ];
    let (owner, user) = ("5a".repeat(32), "a5".repeat(32));
    pdf_trailed(
        &objects,
        &format!(
            "/ID[<00><00>]/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -4/O<{owner}>/U<{user}>>>"
        ),
    )
}

/// Deflate in deflate: what comes out of the first is taken for packed by the second.
fn bomb(zeros: usize) -> Vec<u8> {
    let once = make::zlib(&vec![0; zeros]);
    let twice = make::zlib(&once);
    page(
        "",
        "",
        &[stream(
            "/Type/ObjStm/N 1/First 5/Filter[/FlateDecode/FlateDecode]",
            &twice,
        )],
    )
}

/// A content stream that unpacks to far more than there is memory.
fn content_bomb() -> Vec<u8> {
    let mut packed = vec![0x78, 0x01];
    packed.extend(make::repeated(&vec![0; 1_000_000], 3000).0);
    let objects = vec![
        bytes("<</Type/Catalog/Pages 2 0 R>>"),
        bytes("<</Type/Pages/Kids[3 0 R]/Count 1>>"),
        bytes("<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"),
        stream("/Filter/FlateDecode", &packed),
    ];
    pdf(&objects)
}

/// The same sign, drawn by forms that call each other twice, thirty deep.
fn forms_in_forms() -> Vec<u8> {
    let mut objects = vec![
        bytes("<</Type/Catalog/Pages 2 0 R>>"),
        bytes("<</Type/Pages/Kids[3 0 R]/Count 1>>"),
        bytes(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>",
        ),
        stream("", b"/X Do"),
    ];
    for number in 6..36 {
        let dict = format!(
            "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X {number} 0 R>>>>"
        );
        objects.push(stream(&dict, &b"/X Do ".repeat(8)));
    }
    objects.push(stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]", b"0 0 m"));
    pdf(&objects)
}

#[tokio::test]
async fn a_pdf_that_does_something_or_hides_something_is_refused() {
    let action = |action: &str| page(&format!("/OpenAction {action}"), "", &[]);
    let file = [
        stream("/Type/EmbeddedFile", b"MZ"),
        bytes("<</Type/Filespec/F(a.exe)/EF<</F 6 0 R>>>>"),
    ];
    let appended = [page("", "", &[]), make::docx(&[])].concat();
    let prepended = [make::docx(&[]), page("", "", &[])].concat();
    each_is_refused(
        vec![
            case(
                "JavaScript on opening",
                action("<</S/JavaScript/JS(app.alert\\(1\\))>>"),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "JavaScript by another spelling",
                action("<</S/J#61vaScript/J#53 6 0 R>>"),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "JavaScript for all pages",
                page("/Names<</JavaScript<</Names[(a) 6 0 R]>>>>", "", &[]),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "JavaScript of a page",
                page("", "/AA<</O<</S/JavaScript/JS(1)>>>>", &[]),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "JavaScript behind a reference",
                page("/OpenAction 6 0 R", "", &[bytes("<</S/JavaScript/JS(1)>>")]),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "JavaScript in an array",
                page("", "", &[bytes("[[[<</S/JavaScript/JS(1)>>]]]")]),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "JavaScript after a harmless action",
                action("<</S/URI/URI(x)/Next[<</S/JavaScript/JS(1)>>]>>"),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "starts a program",
                action("<</S/Launch/F(cmd.exe)/Win<</F(cmd.exe)>>>>"),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "a program behind a link",
                page("", "/Annots[<</Subtype/Link/A<</S/Launch/F(x)>>>>]", &[]),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "imports data",
                action("<</S/ImportData/F(x)>>"),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "a form that is a program",
                page(
                    "/AcroForm<</Fields[]/XFA 6 0 R>>",
                    "",
                    &[stream("", b"<xdp/>")],
                ),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "Flash",
                page("", "/Annots[<</Subtype/RichMedia>>]", &[]),
                Kind::Pdf,
                Fault::Script,
            ),
            case(
                "a file inside",
                page("/Names<</EmbeddedFiles<</Names[(a)7 0 R]>>>>", "", &file),
                Kind::Pdf,
                Fault::Inside,
            ),
            case(
                "a file pinned to the page",
                page("", "/Annots[<</Subtype/FileAttachment/FS 7 0 R>>]", &file),
                Kind::Pdf,
                Fault::Inside,
            ),
            case(
                "a file that nothing names",
                page("", "", &file),
                Kind::Pdf,
                Fault::Inside,
            ),
            case(
                "opens a file inside",
                action("<</S/GoToE/T<</R/C>>>>"),
                Kind::Pdf,
                Fault::Inside,
            ),
            case(
                "content that is elsewhere",
                page("", "", &[stream("/F(\\\\\\\\server\\\\x)", b"")]),
                Kind::Pdf,
                Fault::Outside,
            ),
            case(
                "a page of elsewhere",
                page(
                    "",
                    "",
                    &[stream("/Type/XObject/Subtype/Form/Ref<</F(x)>>", b"")],
                ),
                Kind::Pdf,
                Fault::Outside,
            ),
            case("a password", locked(), Kind::Pdf, Fault::Locked),
            case(
                "a package after it",
                appended,
                Kind::Pdf,
                Fault::Mismatch(None),
            ),
            case(
                "a package before it",
                prepended,
                Kind::Pdf,
                Fault::Mismatch(Some(Kind::Docx)),
            ),
            case(
                "a program by its name",
                make::program(),
                Kind::Pdf,
                Fault::Program,
            ),
            case(
                "a page of the web",
                b"<html><body>%PDF-1.7</body></html>".to_vec(),
                Kind::Pdf,
                Fault::Mismatch(None),
            ),
            case(
                "something before the header",
                [&b"GIF89a"[..], &page("", "", &[])].concat(),
                Kind::Pdf,
                Fault::Mismatch(None),
            ),
        ],
        24,
    )
    .await;
}

#[tokio::test]
async fn a_pdf_that_is_drawn_without_end_is_ended() {
    let found = look(&forms_in_forms(), Kind::Pdf).await;
    assert_eq!(found, Err(Fault::Slow));
}

#[tokio::test]
async fn a_pdf_that_leads_nowhere_is_refused() {
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let length = b"<</Length 99999999999999>>stream\nBT ET\nendstream".to_vec();
    let no_length = page("", "", &[length]);
    let end = b"/Root 1 0 R>>";
    let mut previous = page("", "", &[]);
    let at = previous
        .windows(end.len())
        .rposition(|bytes| bytes == end)
        .unwrap();
    previous.splice(at..at, *b"/Prev 9");
    let mut cases = vec![
        case("no pages", pages(0), Kind::Pdf, Fault::NoPages),
        case(
            "10,001 pages",
            pages(10_001),
            Kind::Pdf,
            Fault::ManyPages(10_001),
        ),
        case(
            "a tree that is its own child",
            pdf(&[
                "<</Type/Catalog/Pages 2 0 R>>",
                "<</Type/Pages/Kids[2 0 R]/Count 1>>",
            ]),
            Kind::Pdf,
            Fault::Damaged,
        ),
        case(
            "a page that is not there",
            pdf(&[
                "<</Type/Catalog/Pages 2 0 R>>",
                "<</Type/Pages/Kids[9 0 R]/Count 1>>",
            ]),
            Kind::Pdf,
            Fault::Damaged,
        ),
        case(
            "no tree",
            pdf(&["<</Type/Catalog>>"]),
            Kind::Pdf,
            Fault::Damaged,
        ),
        case(
            "a header and an end",
            b"%PDF-1.7\n%%EOF\n".to_vec(),
            Kind::Pdf,
            Fault::Damaged,
        ),
        case(
            "an end that refers to itself",
            b"%PDF-1.7\nxref\n0 0\ntrailer\n<</Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF\n".to_vec(),
            Kind::Pdf,
            Fault::Damaged,
        ),
        case(
            "more in memory than there is",
            content_bomb(),
            Kind::Pdf,
            Fault::Memory,
        ),
    ];
    cases.extend(cut(Kind::Pdf, &page("", "", &[])));
    each_is_refused(cases, 17).await;
    // These any reader mends or passes over; they must end, in whatever way, and not by the clock.
    for file in [
        page("", "", &[bytes(&nested)]),
        no_length,
        previous,
        bomb(1 << 24),
    ] {
        assert_ne!(look(&file, Kind::Pdf).await, Err(Fault::Unchecked));
    }
}

#[tokio::test]
async fn ten_thousand_pages_with_words_are_taken_and_one_more_is_not() {
    let most = look(&numbered(10_000), Kind::Pdf).await.unwrap();
    assert_eq!(most.pages, Some(10_000));
    assert_eq!(most.text.len(), 10_000, "each page has its place");
    assert_eq!(most.text[0], "Page 1");
    // A build that was not made for release may take longer over them than words are read for, and says so.
    assert!(
        most.cut || most.text[9_999] == "Page 10000",
        "{}",
        most.text[9_999]
    );
    let more = look(&numbered(10_001), Kind::Pdf).await;
    assert_eq!(more, Err(Fault::ManyPages(10_001)));
}
