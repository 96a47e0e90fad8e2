//! Files made by hand, whole ones and such as no program makes.

use flate2::{
    Compress, Compression, FlushCompress,
    write::{DeflateEncoder, ZlibEncoder},
};
use std::io::Write as _;

/// Raw DEFLATE.
pub fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A block so many times, deflated, and its checksum. Each is packed as the first was, to its last bit, so that a thousand
/// million bytes take no time to make.
pub fn repeated(block: &[u8], times: usize) -> (Vec<u8>, u32) {
    let mut packing = Compress::new(Compression::new(6), false);
    let mut packed = Vec::with_capacity(block.len() + 1024);
    packing
        .compress_vec(block, &mut packed, FlushCompress::Sync)
        .unwrap();
    let mut one = crc32fast::Hasher::new();
    one.update(block);
    let mut all = crc32fast::Hasher::new();
    (0..times).for_each(|_| all.combine(&one));
    let mut file = packed.repeat(times);
    // The last block of all, with nothing in it.
    file.extend([3, 0]);
    (file, all.finalize())
}

/// As PDF and PNG pack.
pub fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// One part of a package, with whatever is untrue about it.
#[derive(Clone)]
pub struct Part {
    pub name: String,
    pub local_name: Option<String>,
    pub packed: Vec<u8>,
    pub method: u16,
    pub size: u32,
    pub checksum: u32,
    pub flags: u16,
    pub attributes: u32,
    pub extra: Vec<u8>,
    /// Where its local header is said to be, if not where it is.
    pub at: Option<u32>,
}

pub fn stored(name: &str, data: &[u8]) -> Part {
    Part {
        name: name.to_owned(),
        local_name: None,
        packed: data.to_vec(),
        method: 0,
        size: u32::try_from(data.len()).unwrap(),
        checksum: crc32fast::hash(data),
        flags: 0,
        attributes: 0,
        extra: Vec::new(),
        at: None,
    }
}

pub fn part(name: &str, data: impl AsRef<[u8]>) -> Part {
    let data = data.as_ref();
    Part {
        packed: deflated(data),
        method: 8,
        ..stored(name, data)
    }
}

pub fn package(parts: &[Part]) -> Vec<u8> {
    let (mut file, mut list) = (Vec::new(), Vec::new());
    for part in parts {
        let at = part.at.unwrap_or(u32::try_from(file.len()).unwrap());
        let packed = u32::try_from(part.packed.len()).unwrap();
        let local = part.local_name.as_deref().unwrap_or(&part.name);
        file.extend(b"PK\x03\x04");
        for short in [20, part.flags, part.method, 0, 0x5921] {
            file.extend(u16::to_le_bytes(short));
        }
        for long in [part.checksum, packed, part.size] {
            file.extend(u32::to_le_bytes(long));
        }
        file.extend(u16::try_from(local.len()).unwrap().to_le_bytes());
        file.extend(u16::try_from(part.extra.len()).unwrap().to_le_bytes());
        file.extend(local.as_bytes());
        file.extend(&part.extra);
        file.extend(&part.packed);

        list.extend(b"PK\x01\x02");
        for short in [0x0314, 20, part.flags, part.method, 0, 0x5921] {
            list.extend(u16::to_le_bytes(short));
        }
        for long in [part.checksum, packed, part.size] {
            list.extend(u32::to_le_bytes(long));
        }
        list.extend(u16::try_from(part.name.len()).unwrap().to_le_bytes());
        list.extend([0; 8]);
        list.extend(u32::to_le_bytes(part.attributes));
        list.extend(u32::to_le_bytes(at));
        list.extend(part.name.as_bytes());
    }
    let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
    let begin = u32::try_from(file.len()).unwrap();
    let size = u32::try_from(list.len()).unwrap();
    file.extend(list);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend(size.to_le_bytes());
    file.extend(begin.to_le_bytes());
    file.extend([0, 0]);
    file
}

const OFFICE: &str = "application/vnd.openxmlformats-officedocument";
pub const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn types(main: &str, content: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
         <Default Extension=\"bin\" ContentType=\"application/octet-stream\"/>\
         <Override PartName=\"/{main}\" ContentType=\"{content}\"/></Types>"
    )
}

pub fn relations(links: &[(&str, &str, &str, bool)]) -> String {
    let links: String = links
        .iter()
        .map(|(id, kind, target, outside)| {
            let mode = if *outside {
                " TargetMode=\"External\""
            } else {
                ""
            };
            format!(
                "<Relationship Id=\"{id}\" Type=\"{RELATIONS}/{kind}\" Target=\"{target}\"{mode}/>"
            )
        })
        .collect();
    format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{links}</Relationships>"
    )
}

pub fn body(inner: &str) -> String {
    format!(
        "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{inner}</w:body></w:document>"
    )
}

pub const PARAGRAPH: &str = "<w:p><w:r><w:t>Budget </w:t></w:r><w:r><w:t>2026</w:t></w:r></w:p>";

/// The parts of a document of Word, the content first that every other needs.
pub fn docx_parts() -> Vec<Part> {
    let main = format!("{OFFICE}.wordprocessingml.document.main+xml");
    vec![
        part("[Content_Types].xml", types("word/document.xml", &main)),
        part(
            "_rels/.rels",
            relations(&[("rId1", "officeDocument", "word/document.xml", false)]),
        ),
        part("word/document.xml", body(PARAGRAPH)),
    ]
}

/// One of Word with a further part or more.
pub fn docx(more: &[Part]) -> Vec<u8> {
    package(&[&docx_parts()[..], more].concat())
}

/// One of Word with other content.
pub fn docx_body(document: impl AsRef<[u8]>) -> Vec<u8> {
    let mut parts = docx_parts();
    parts[2] = part("word/document.xml", document);
    package(&parts)
}

/// One of Word whose content leads somewhere.
pub fn docx_link(kind: &str, target: &str, outside: bool) -> Vec<u8> {
    docx(&[part(
        "word/_rels/document.xml.rels",
        relations(&[("rId1", kind, target, outside)]),
    )])
}

/// One of Word by another content type.
pub fn docx_as(content: &str) -> Vec<u8> {
    let mut parts = docx_parts();
    parts[0] = part("[Content_Types].xml", types("word/document.xml", content));
    package(&parts)
}

pub fn xlsx(more: &[Part]) -> Vec<u8> {
    let main = format!("{OFFICE}.spreadsheetml.sheet.main+xml");
    let parts = [
        part("[Content_Types].xml", types("xl/workbook.xml", &main)),
        part(
            "_rels/.rels",
            relations(&[("rId1", "officeDocument", "xl/workbook.xml", false)]),
        ),
        part(
            "xl/workbook.xml",
            "<workbook><sheets><sheet name=\"Budget\" sheetId=\"1\" r:id=\"rId7\"/></sheets></workbook>",
        ),
        part(
            "xl/_rels/workbook.xml.rels",
            relations(&[
                ("rId7", "worksheet", "worksheets/sheet1.xml", false),
                ("rId8", "sharedStrings", "/xl/sharedStrings.xml", false),
            ]),
        ),
        part(
            "xl/sharedStrings.xml",
            "<sst><si><t>Paper</t></si><si><r><t>Pens &amp; </t></r><r><t>ink</t></r></si></sst>",
        ),
        part(
            "xl/worksheets/sheet1.xml",
            "<worksheet><sheetData><row><c t=\"s\"><v>0</v></c><c><v>12.5</v></c></row>\
             <row><c t=\"s\"><v>1</v></c><c><f>A1</f><v>3</v></c></row></sheetData></worksheet>",
        ),
    ];
    package(&[&parts[..], more].concat())
}

pub fn pptx(more: &[Part], slide: &str) -> Vec<u8> {
    let main = format!("{OFFICE}.presentationml.presentation.main+xml");
    let parts = [
        part("[Content_Types].xml", types("ppt/presentation.xml", &main)),
        part(
            "_rels/.rels",
            relations(&[("rId1", "officeDocument", "ppt/presentation.xml", false)]),
        ),
        part(
            "ppt/presentation.xml",
            "<p:presentation><p:sldIdLst><p:sldId id=\"256\" r:id=\"rId2\"/></p:sldIdLst></p:presentation>",
        ),
        part(
            "ppt/_rels/presentation.xml.rels",
            relations(&[("rId2", "slide", "slides/slide1.xml", false)]),
        ),
        part("ppt/slides/slide1.xml", slide),
    ];
    package(&[&parts[..], more].concat())
}

pub fn odf_parts(kind: &str, content: &str) -> Vec<Part> {
    vec![
        stored(
            "mimetype",
            format!("application/vnd.oasis.opendocument.{kind}").as_bytes(),
        ),
        part("content.xml", content),
        part(
            "META-INF/manifest.xml",
            "<manifest:manifest><manifest:file-entry manifest:full-path=\"/\"/></manifest:manifest>",
        ),
    ]
}

pub fn odt_content(inner: &str) -> String {
    format!(
        "<office:document-content><office:scripts/><office:body><office:text>{inner}</office:text></office:body></office:document-content>"
    )
}

pub fn odt(inner: &str, more: &[Part]) -> Vec<u8> {
    package(&[&odf_parts("text", &odt_content(inner))[..], more].concat())
}

/// A PDF of these objects, numbered from 1, the catalogue first.
pub fn pdf(objects: &[impl AsRef<[u8]>]) -> Vec<u8> {
    pdf_trailed(objects, "")
}

/// The same with more in its trailer.
pub fn pdf_trailed(objects: &[impl AsRef<[u8]>], trailer: &str) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n", index + 1).as_bytes());
        file.extend(object.as_ref());
        file.extend(b"\nendobj\n");
    }
    let begin = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).as_bytes());
    for place in places {
        file.extend(format!("{place:010} 00000 n \n").as_bytes());
    }
    file.extend(
        format!(
            "trailer\n<</Size {}/Root 1 0 R{trailer}>>\nstartxref\n{begin}\n%%EOF\n",
            objects.len() + 1
        )
        .as_bytes(),
    );
    file
}

/// A stream with its length.
pub fn stream(dict: &str, data: &[u8]) -> Vec<u8> {
    let mut object = format!("<<{dict}/Length {}>>stream\n", data.len()).into_bytes();
    object.extend(data);
    object.extend(b"\nendstream");
    object
}

/// One page that says something, with more in the catalogue, on the page, and after.
pub fn page(catalogue: &str, on_page: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let text = b"BT /F1 12 Tf 72 700 Td (Minutes of the) Tj 0 -14 Td (full govern-) Tj 0 -14 Td (ing board) Tj ET";
    let mut objects = vec![
        format!("<</Type/Catalog/Pages 2 0 R{catalogue}>>").into_bytes(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
        format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>{on_page}>>")
            .into_bytes(),
        stream("", text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_vec(),
    ];
    objects.extend_from_slice(more);
    pdf(&objects)
}

/// A PNG of chunks with right checksums.
pub fn png_chunks(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in chunks {
        file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        file.extend(*name);
        file.extend(data);
        file.extend(crc32fast::hash(&[&name[..], data].concat()).to_be_bytes());
    }
    file
}

/// The header of a grey picture of this size.
pub fn png_size(width: u32, height: u32) -> Vec<u8> {
    [
        &width.to_be_bytes()[..],
        &height.to_be_bytes(),
        &[8, 0, 0, 0, 0],
    ]
    .concat()
}

/// A whole grey PNG with more chunks before its pixels.
pub fn png(side: u32, more: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut rows = Vec::new();
    for row in 0..side {
        rows.push(0);
        rows.extend(
            (0..side).map(|column| u8::try_from((row * 7 + column * column) % 251).unwrap()),
        );
    }
    let begin = [(b"IHDR", png_size(side, side))];
    let end = [(b"IDAT", zlib(&rows)), (b"IEND", Vec::new())];
    png_chunks(&[&begin[..], more, &end[..]].concat())
}

/// A whole JPEG.
pub fn jpeg(side: u16) -> Vec<u8> {
    let pixels: Vec<u8> = (0..u32::from(side) * u32::from(side) * 3)
        .map(|index| u8::try_from(index * index % 251).unwrap())
        .collect();
    let mut file = Vec::new();
    jpeg_encoder::Encoder::new(&mut file, 80)
        .encode(&pixels, side, side, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    file
}

/// What Windows keeps old documents in, as far as names are looked for.
pub fn compound(names: &[&str]) -> Vec<u8> {
    let mut file = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    file.resize(512, 0);
    for name in names {
        let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entry.resize(128, 0);
        file.extend(entry);
    }
    file.resize(4096, 0);
    file
}

/// A program of Windows, as far as anybody looks.
pub fn program() -> Vec<u8> {
    let mut file = b"MZ\x90\0".to_vec();
    file.resize(0x80, 0);
    file.extend(b"PE\0\0");
    file.resize(1024, 0);
    file
}
