//! Packages that unpack to more than there is room for, or that two programs would read differently.

use super::{case, cut, each_is_refused, make};
use inspect::{Fault, Kind};
use make::{Part, docx, docx_parts, odt, package, stored};

fn repeated(name: &str, block: &[u8], times: usize) -> Part {
    let (packed, checksum) = make::repeated(block, times);
    Part {
        size: u32::try_from(block.len() * times).unwrap(),
        packed,
        checksum,
        method: 8,
        ..stored(name, b"")
    }
}

fn zeros(name: &str, megabytes: usize) -> Part {
    repeated(name, &vec![0; 1_000_000], megabytes)
}

fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        })
        .collect()
}

/// A part inside the bytes of another (Fifield, *A better zip bomb*, 2019).
fn overlapping() -> Vec<u8> {
    let mut parts = docx_parts();
    let whole = package(&parts);
    let list = whole.windows(4).position(|bytes| bytes == b"PK\x01\x02");
    let mut inner = stored("word/media/b.bin", b"content of a part");
    let outer = stored("word/media/a.bin", &package(std::slice::from_ref(&inner)));
    // Behind the other's header and name.
    inner.at = Some(u32::try_from(list.unwrap() + 30 + outer.name.len()).unwrap());
    parts.extend([outer, inner]);
    package(&parts)
}

#[tokio::test]
async fn a_package_that_unpacks_without_end_is_refused() {
    let zip = |inner: &[u8]| {
        package(
            &[
                &docx_parts()[..],
                &[stored("word/embeddings/a.docx", inner)],
            ]
            .concat(),
        )
    };
    let bomb = docx(&[zeros("word/media/a.bin", 1000)]);
    // Packed no tighter than honest data, and too much all the same.
    let block: Vec<u8> = noise(1_000_000).iter().map(|byte| byte & 3).collect();
    let heavy = |name| repeated(name, &block, 200);
    let mut lying = zeros("word/media/a.bin", 100);
    lying.size = 10;
    let many: Vec<Part> = (0..10_001)
        .map(|number| stored(&format!("word/media/{number}"), b""))
        .collect();
    let more: Vec<Part> = (0..65_600)
        .map(|number| stored(&format!("word/media/{number}"), b""))
        .collect();
    each_is_refused(
        vec![
            case(
                "a thousand million zeros",
                bomb.clone(),
                Kind::Docx,
                Fault::Ratio,
            ),
            case(
                "the same in a document inside",
                zip(&bomb),
                Kind::Docx,
                Fault::Ratio,
            ),
            case(
                "the same in a picture of LibreOffice",
                odt("", &[zeros("Pictures/1.png", 1000)]),
                Kind::Odt,
                Fault::Ratio,
            ),
            case(
                "300 MB in one part",
                docx(&[repeated("word/media/a.bin", &block, 300)]),
                Kind::Docx,
                Fault::Unpacks,
            ),
            case(
                "600 MB in three",
                docx(&["a", "b", "c"].map(heavy)),
                Kind::Docx,
                Fault::Unpacks,
            ),
            case(
                "a header that says ten",
                docx(&[lying]),
                Kind::Docx,
                Fault::Damaged,
            ),
            case("10,001 parts", docx(&many), Kind::Docx, Fault::ManyEntries),
            case("65,600 parts", docx(&more), Kind::Docx, Fault::ManyEntries),
            case(
                "parts over parts",
                overlapping(),
                Kind::Docx,
                Fault::Damaged,
            ),
        ],
        9,
    )
    .await;
}

#[tokio::test]
async fn a_package_that_is_not_made_as_packages_are_is_refused() {
    let with = |change: fn(&mut Part)| {
        let mut odd = stored("word/media/a.bin", b"content of a part");
        change(&mut odd);
        docx(&[odd])
    };
    let twice = [stored("word/x.bin", b"1"), stored("word/x.bin", b"2")];
    let cases_apart = [stored("word/x.bin", b"1"), stored("WORD/X.BIN", b"2")];
    let whole = docx(&[]);
    let mut beyond = whole.clone();
    let length = beyond.len();
    beyond[length - 6..length - 2].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut cases = vec![
        case(
            "out of its folder",
            with(|part| part.name = "../../etc/passwd".to_owned()),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "out of its folder, further in",
            with(|part| part.name = "word/../../x".to_owned()),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "out of its folder on Windows",
            with(|part| part.name = "..\\x.exe".to_owned()),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "from the root",
            with(|part| part.name = "/etc/passwd".to_owned()),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "on a drive",
            with(|part| part.name = "C:x".to_owned()),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "a name with a NUL",
            with(|part| part.name = "a.xml\0.exe".to_owned()),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "a link",
            with(|part| part.attributes = 0o120_777 << 16),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "a device",
            with(|part| part.attributes = 0o060_777 << 16),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "locked",
            with(|part| part.flags = 1),
            Kind::Docx,
            Fault::Locked,
        ),
        case(
            "locked strongly",
            with(|part| part.flags = 1 | 1 << 6),
            Kind::Docx,
            Fault::Locked,
        ),
        case(
            "another way of packing",
            with(|part| part.method = 12),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "a wrong checksum",
            with(|part| part.checksum ^= 1),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "a wrong size",
            with(|part| part.size += 1),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "two names for one part",
            with(|part| part.local_name = Some("word/vbaProject.b".to_owned())),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "fields that break off",
            with(|part| part.extra = vec![1, 0, 99]),
            Kind::Docx,
            Fault::Damaged,
        ),
        case("a name twice", docx(&twice), Kind::Docx, Fault::Damaged),
        case(
            "a name twice but for its case",
            docx(&cases_apart),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "something after it",
            [&whole[..], b"%PDF-1.7"].concat(),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "one package after another",
            [&whole[..], &odt("", &[])].concat(),
            Kind::Docx,
            Fault::Damaged,
        ),
        case(
            "a list that is elsewhere",
            beyond,
            Kind::Docx,
            Fault::Damaged,
        ),
        case("a PDF too", docx_with_pdf(), Kind::Docx, Fault::Damaged),
    ];
    cases.extend(cut(Kind::Docx, &whole));
    cases.extend(cut(Kind::Odt, &odt("<text:p>x</text:p>", &[])));
    each_is_refused(cases, 39).await;
}

/// Its first part is a PDF in clear: as a PDF it would open where the header may come late.
fn docx_with_pdf() -> Vec<u8> {
    let pdf = stored("a", &make::page("", "", &[]));
    package(&[&[pdf][..], &docx_parts()[..]].concat())
}
