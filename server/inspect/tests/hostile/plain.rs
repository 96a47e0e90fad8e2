//! Text that is none, and files that are nothing at all.

use super::{case, each_is_refused, look, make};
use inspect::{Fault, Kind};

#[tokio::test]
async fn what_is_no_text_is_refused() {
    let utf16: Vec<u8> = "Minutes"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    each_is_refused(
        vec![
            case(
                "a NUL",
                b"Minutes\0of".to_vec(),
                Kind::Text,
                Fault::Mismatch(None),
            ),
            case(
                "UTF-16 without its mark",
                utf16,
                Kind::Text,
                Fault::Mismatch(None),
            ),
            case(
                "escape",
                b"\x1b[2Jx".to_vec(),
                Kind::Text,
                Fault::Mismatch(None),
            ),
            case(
                "half of UTF-16",
                b"\xff\xfea\x00b".to_vec(),
                Kind::Csv,
                Fault::Mismatch(None),
            ),
            case(
                "a byte of no encoding",
                b"caf\x81".to_vec(),
                Kind::Csv,
                Fault::Mismatch(None),
            ),
            case(
                "a page of the web",
                b" <!DOCTYPE html><script>".to_vec(),
                Kind::Text,
                Fault::Mismatch(None),
            ),
            case(
                "RTF",
                b"{\\rtf1 x}".to_vec(),
                Kind::Text,
                Fault::Mismatch(None),
            ),
            case(
                "a PDF",
                make::page("", "", &[]),
                Kind::Csv,
                Fault::Mismatch(Some(Kind::Pdf)),
            ),
            case(
                "a workbook",
                make::xlsx(&[]),
                Kind::Csv,
                Fault::Mismatch(Some(Kind::Xlsx)),
            ),
            case(
                "a script of the shell",
                b"#!/bin/sh\nrm -r x\n".to_vec(),
                Kind::Text,
                Fault::Program,
            ),
        ],
        10,
    )
    .await;
}

#[tokio::test]
async fn a_file_of_no_byte_or_of_one_is_refused_as_any_kind() {
    let mut cases = Vec::new();
    for kind in Kind::ALL {
        cases.push(case("empty", Vec::new(), kind, Fault::Empty));
        // A letter is a text; of another kind it is the beginning at most.
        if !matches!(kind, Kind::Text | Kind::Csv) {
            cases.push(case(
                "one letter",
                b"x".to_vec(),
                kind,
                Fault::Mismatch(None),
            ));
            let first = match kind {
                Kind::Pdf => b'%',
                Kind::Png => 0x89,
                Kind::Jpeg => 0xff,
                _ => b'P',
            };
            cases.push(case("its first byte", vec![first], kind, Fault::Damaged));
        }
    }
    each_is_refused(cases, 29).await;
}

#[tokio::test]
async fn a_line_of_a_hundred_megabytes_is_only_long() {
    let mut line = vec![b'x'; 100 << 20];
    line.push(b'\n');
    let report = look(&line, Kind::Csv).await.unwrap();
    assert!(report.cut);
    let kept: usize = report.text.iter().map(String::len).sum();
    assert_eq!(kept, inspect::report::TEXT_MOST);
    line.resize(usize::try_from(domain::file::MOST).unwrap() + 1, b'x');
    assert_eq!(look(&line, Kind::Csv).await, Err(Fault::TooLarge));
}
