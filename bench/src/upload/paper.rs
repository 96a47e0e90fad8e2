//! What is uploaded: a PDF with one page and eight pictures of noise on it, which nobody can pack and nobody has seen before.

use std::{fmt::Write as _, io::Write as _};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::fault::{Result, io, said};

/// Pictures of a paper.
const PICTURES: usize = 8;
/// Grey points of a line of a picture.
const WIDTH: usize = 4096;
/// What the frame around the pictures may take.
const FRAME: usize = 16 * 1024;

/// A paper and what it adds up to.
#[derive(Clone)]
pub struct Paper {
    /// All of it.
    pub bytes: Bytes,
    /// SHA-256 of it.
    pub sum: [u8; 32],
}

impl Paper {
    /// One of exactly so many bytes.
    pub fn new(size: usize) -> Result<Self> {
        let height = (size - FRAME) / PICTURES / WIDTH;
        let mut bytes = Vec::with_capacity(size);
        let mut offsets = Vec::new();
        let (mut names, mut drawn) = (String::new(), String::new());
        for picture in 0..PICTURES {
            let _ = write!(names, "/P{picture} {} 0 R ", picture + 5);
            let _ = write!(drawn, "/P{picture} Do ");
        }
        let head = [
            "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
            "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
            format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<<{names}>>>>>>"
            ),
            format!("<</Length {}>>\nstream\n{drawn}\nendstream", drawn.len()),
        ];
        bytes.extend(b"%PDF-1.7\n");
        for (number, object) in (1..).zip(&head) {
            offsets.push(bytes.len());
            put(&mut bytes, &format!("{number} 0 obj\n{object}\nendobj\n"))?;
        }
        let mut noise = vec![0; WIDTH * height];
        for picture in 0..PICTURES {
            offsets.push(bytes.len());
            let head = format!(
                "{} 0 obj\n<</Type/XObject/Subtype/Image/Width {WIDTH}/Height {height}/ColorSpace/DeviceGray\
                 /BitsPerComponent 8/Length {}>>\nstream\n",
                picture + 5,
                noise.len()
            );
            put(&mut bytes, &head)?;
            getrandom::fill(&mut noise).map_err(|error| said(error.to_string()))?;
            bytes.extend(&noise);
            put(&mut bytes, "\nendstream\nendobj\n")?;
        }
        let tail = |start: usize| {
            let mut tail = format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1);
            for offset in &offsets {
                let _ = writeln!(tail, "{offset:010} 00000 n ");
            }
            let _ = write!(
                tail,
                "trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{start:010}\n%%EOF\n",
                offsets.len() + 1
            );
            tail
        };
        // A comment fills it up to the size that was asked for.
        let room = (size - bytes.len())
            .checked_sub(tail(0).len() + 2)
            .ok_or_else(|| said("The frame of a paper is larger than was thought."))?;
        put(&mut bytes, &format!("%{}\n", " ".repeat(room)))?;
        let tail = tail(bytes.len());
        put(&mut bytes, &tail)?;
        let sum = Sha256::digest(&bytes).into();
        Ok(Self {
            bytes: bytes.into(),
            sum,
        })
    }
}

fn put(bytes: &mut Vec<u8>, text: &str) -> Result<()> {
    bytes.write_all(text.as_bytes()).map_err(io("a paper"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paper_is_as_long_as_was_asked_for_and_says_where_everything_is() {
        let paper = Paper::new(2 << 20).unwrap();
        assert_eq!(paper.bytes.len(), 2 << 20);
        let end = String::from_utf8_lossy(&paper.bytes[paper.bytes.len() - 1024..]).into_owned();
        let start: usize = end
            .split_once("startxref\n")
            .and_then(|(_, rest)| rest.lines().next()?.parse().ok())
            .unwrap();
        assert!(paper.bytes[start..].starts_with(b"xref\n0 13\n"));
        let first: usize = std::str::from_utf8(&paper.bytes[start + 30..start + 40])
            .unwrap()
            .parse()
            .unwrap();
        assert!(paper.bytes[first..].starts_with(b"1 0 obj"));
        assert_ne!(paper.sum, Paper::new(2 << 20).unwrap().sum);
    }
}
