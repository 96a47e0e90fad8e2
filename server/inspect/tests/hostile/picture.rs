//! Pictures that are too large for whoever looks at them, or not whole.

use super::{case, cut, each_is_refused, make};
use inspect::{Fault, Kind};

fn bad_checksum() -> Vec<u8> {
    let mut file = make::png(64, &[]);
    let pixels = file.windows(4).position(|bytes| bytes == b"IDAT").unwrap();
    file[pixels + 20] ^= 0x55;
    file
}

/// A JPEG whose header gives these sides.
fn of_size(height: u16, width: u16) -> Vec<u8> {
    let mut file = make::jpeg(48);
    let frame = file
        .windows(2)
        .position(|bytes| bytes == [0xff, 0xc0])
        .unwrap();
    file[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    file
}

fn note(name: [u8; 4], before: &[u8]) -> Vec<u8> {
    let bomb = make::zlib(&vec![b'x'; 64 << 20]);
    make::png(16, &[(&name, [before, &bomb].concat())])
}

#[tokio::test]
async fn a_picture_that_is_a_trap_or_broken_is_refused() {
    let header = |width, height| {
        make::png_chunks(&[
            (b"IHDR", make::png_size(width, height)),
            (b"IDAT", make::zlib(&[0; 64])),
            (b"IEND", Vec::new()),
        ])
    };
    let mut cases = vec![
        case(
            "60,000 by 60,000",
            header(60_000, 60_000),
            Kind::Png,
            Fault::Pixels,
        ),
        case("30,001 by 1", header(30_001, 1), Kind::Png, Fault::Pixels),
        case("no height", header(10, 0), Kind::Png, Fault::Damaged),
        case(
            "fewer rows than said",
            header(100, 100),
            Kind::Png,
            Fault::Damaged,
        ),
        case(
            "a wrong checksum",
            bad_checksum(),
            Kind::Png,
            Fault::Damaged,
        ),
        case(
            "a note that unpacks",
            note(*b"zTXt", b"Comment\0\0"),
            Kind::Png,
            Fault::Unpacks,
        ),
        case(
            "a note in Unicode that unpacks",
            note(*b"iTXt", b"Comment\0\x01\0en\0\0"),
            Kind::Png,
            Fault::Unpacks,
        ),
        case(
            "colours that unpack",
            note(*b"iCCP", b"sRGB\0\0"),
            Kind::Png,
            Fault::Unpacks,
        ),
        case(
            "an SVG",
            b"<svg xmlns=\"x\" onload=\"alert(1)\"/>".to_vec(),
            Kind::Png,
            Fault::Mismatch(None),
        ),
        case(
            "a GIF",
            b"GIF89a\x01\0\x01\0".to_vec(),
            Kind::Png,
            Fault::Mismatch(None),
        ),
        case(
            "a JPEG",
            make::jpeg(8),
            Kind::Png,
            Fault::Mismatch(Some(Kind::Jpeg)),
        ),
        case(
            "65,500 by 65,500",
            of_size(65_500, 65_500),
            Kind::Jpeg,
            Fault::Pixels,
        ),
        case(
            "20,000 by 20,000",
            of_size(20_000, 20_000),
            Kind::Jpeg,
            Fault::Pixels,
        ),
        case(
            "a PNG",
            make::png(8, &[]),
            Kind::Jpeg,
            Fault::Mismatch(Some(Kind::Png)),
        ),
        case("a program", make::program(), Kind::Jpeg, Fault::Program),
    ];
    cases.extend(cut(Kind::Png, &make::png(200, &[])));
    cases.extend(cut(Kind::Jpeg, &make::jpeg(120)));
    each_is_refused(cases, 33).await;
}
