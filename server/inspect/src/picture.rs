//! Pictures: small enough for the screens that show them, and whole.

use crate::{budget::Budget, report::Report};
use domain::file::{Fault, Kind};
use flate2::read::ZlibDecoder;
use std::io::{Cursor, Read as _};
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

/// The longest side, in pixels.
const SIDE_MOST: u32 = 30_000;
/// The most pixels: twice what a good camera takes, and 400 MB in the memory of whoever looks at it.
const PIXELS_MOST: u64 = 100_000_000;
/// The most bytes of a text or colour profile in a picture, unpacked.
const NOTE_MOST: u64 = 8 * 1024 * 1024;

/// A PNG, decoded row by row so that its size costs no memory, with every checksum checked.
///
/// Refuses [`Fault::Pixels`], [`Fault::Unpacks`] for a note in it that is a trap, [`Fault::Damaged`].
pub fn png(file: &[u8]) -> Result<Report, Fault> {
    notes(file)?;
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = reader.info().size();
    let report = sized(Kind::Png, width, height)?;
    while reader.next_row().map_err(damaged)?.is_some() {}
    reader.finish().map_err(damaged)?;
    Ok(report)
}

/// A JPEG, decoded strictly: one that breaks off would show half grey.
///
/// Refuses [`Fault::Pixels`] and [`Fault::Damaged`].
pub fn jpeg(file: &[u8]) -> Result<Report, Fault> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(damaged)?;
    let info = decoder.info().ok_or(Fault::Damaged)?;
    let report = sized(Kind::Jpeg, u32::from(info.width), u32::from(info.height))?;
    // Nobody looks at it here, so its colours need not be put together.
    if matches!(decoder.input_colorspace(), Some(ColorSpace::YCbCr)) {
        decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::Luma));
    }
    decoder.decode().map_err(damaged)?;
    Ok(report)
}

fn sized(kind: Kind, width: u32, height: u32) -> Result<Report, Fault> {
    if width == 0 || height == 0 {
        return Err(Fault::Damaged);
    }
    if width.max(height) > SIDE_MOST || u64::from(width) * u64::from(height) > PIXELS_MOST {
        return Err(Fault::Pixels);
    }
    Ok(Report {
        width: Some(width),
        height: Some(height),
        ..Report::new(kind)
    })
}

/// What is packed in a PNG beside its pixels (PNG 11.3.3): we pass over it, whoever shows the picture may not.
fn notes(file: &[u8]) -> Result<(), Fault> {
    let mut rest = file.get(8..).ok_or(Fault::Damaged)?;
    let mut budget = Budget::default();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let (name, after) = after.split_first_chunk::<4>().ok_or(Fault::Damaged)?;
        let data = after.get(..length).ok_or(Fault::Damaged)?;
        rest = after.get(length + 4..).ok_or(Fault::Damaged)?;
        budget.parts(1).or_else(|fault| match name {
            // The pixels themselves may come in any number of pieces.
            b"IDAT" => Ok(()),
            _ => Err(fault),
        })?;
        // A keyword and a NUL, in iTXt four fields more, then what is packed.
        let packed = match name {
            b"zTXt" | b"iCCP" => after_nul(data, 1).and_then(|data| data.get(1..)),
            b"iTXt" => after_nul(data, 1)
                .filter(|data| data.first() == Some(&1))
                .and_then(|data| data.get(2..))
                .and_then(|data| after_nul(data, 2)),
            b"IEND" => return Ok(()),
            _ => None,
        };
        if let Some(packed) = packed {
            let mut note = ZlibDecoder::new(packed).take(NOTE_MOST + 1);
            let unpacked = std::io::copy(&mut note, &mut std::io::sink()).unwrap_or(0);
            if unpacked > NOTE_MOST {
                return Err(Fault::Unpacks);
            }
        }
    }
    Err(Fault::Damaged)
}

fn after_nul(data: &[u8], times: usize) -> Option<&[u8]> {
    data.splitn(times + 1, |byte| *byte == 0).nth(times)
}

fn damaged<E>(_: E) -> Fault {
    Fault::Damaged
}
