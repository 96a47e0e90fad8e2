//! The characters of a file as they come out of it: in UTF-8, each line ended in one way, and counted as they are taken.

use super::Encoding;
use encoding_rs::{CoderResult, Decoder};
use std::io::{self, BufRead, Read};

/// So many bytes are read at once.
const READ: usize = 64 * 1024;

/// A file that is decoded while it is read, without its mark of the byte order. Its last line is ended, whether it was or not.
///
/// An error of [`io::ErrorKind::InvalidData`] where there is a character that the encoding has not, or a NUL.
pub struct Decoded<R> {
    file: R,
    decoder: Decoder,
    bytes: Vec<u8>,
    /// Of `bytes`, what was read and not yet decoded.
    left: std::ops::Range<usize>,
    over: bool,
    text: Vec<u8>,
    taken: usize,
    /// The last character was a carriage return, so a line feed after it ends no further line.
    returned: bool,
    /// The last character ended a line.
    ended: bool,
    line: u64,
}

impl<R: Read> Decoded<R> {
    pub fn new(file: R, encoding: Encoding) -> Self {
        Self {
            file,
            decoder: encoding.codec().new_decoder_with_bom_removal(),
            bytes: vec![0; READ],
            left: 0..0,
            over: false,
            text: Vec::with_capacity(READ),
            taken: 0,
            returned: false,
            ended: true,
            line: 1,
        }
    }

    /// The line that what is taken next stands in, counted from one.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Decodes the next piece. Afterwards there is some text, or the file is over.
    fn more(&mut self) -> io::Result<()> {
        self.text.clear();
        self.taken = 0;
        let mut room = vec![0; READ];
        while self.text.is_empty() && !self.over {
            if self.left.is_empty() {
                let read = self.file.read(&mut self.bytes)?;
                self.left = 0..read;
            }
            let last = self.left.is_empty();
            let (result, read, written, faulty) =
                self.decoder
                    .decode_to_utf8(&self.bytes[self.left.clone()], &mut room, last);
            self.left.start += read;
            if faulty {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.keep(&room[..written])?;
            if last && result == CoderResult::InputEmpty {
                self.over = true;
                if !self.ended {
                    self.text.push(b'\n');
                    self.ended = true;
                }
            }
        }
        Ok(())
    }

    /// Keeps decoded text, with line feeds for the ends of lines of Windows and of the old Macintosh.
    fn keep(&mut self, decoded: &[u8]) -> io::Result<()> {
        for &byte in decoded {
            let after_return = std::mem::replace(&mut self.returned, byte == b'\r');
            match byte {
                0 => return Err(io::ErrorKind::InvalidData.into()),
                b'\n' if after_return => continue,
                b'\r' => self.text.push(b'\n'),
                _ => self.text.push(byte),
            }
            self.ended = matches!(byte, b'\r' | b'\n');
        }
        Ok(())
    }
}

impl<R: Read> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.text.len() {
            self.more()?;
        }
        Ok(&self.text[self.taken..])
    }

    fn consume(&mut self, taken: usize) {
        let end = (self.taken + taken).min(self.text.len());
        let lines = memchr::memchr_iter(b'\n', &self.text[self.taken..end]).count();
        self.line += lines as u64;
        self.taken = end;
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let text = self.fill_buf()?;
        let read = text.len().min(to.len());
        to[..read].copy_from_slice(&text[..read]);
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time, as a slow pipe does.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let one = self.0.len().min(1);
            self.0.read(&mut to[..one])
        }
    }

    fn decoded(bytes: &[u8], encoding: Encoding) -> io::Result<String> {
        let mut text = String::new();
        Decoded::new(Slow(bytes), encoding).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn lines_end_in_one_way_however_they_ended() {
        for text in ["a\r\nb\r\n", "a\rb\r", "a\nb", "a\r\nb"] {
            assert_eq!(
                decoded(text.as_bytes(), Encoding::Utf8).unwrap(),
                "a\nb\n",
                "{text:?}"
            );
        }
        assert_eq!(
            decoded(b"a\r\r\n\nb", Encoding::Utf8).unwrap(),
            "a\n\n\nb\n"
        );
        assert_eq!(decoded(b"", Encoding::Utf8).unwrap(), "");
    }

    #[test]
    fn a_character_in_pieces_is_one() {
        let mut wide: Vec<u8> = "\u{feff}Zoë 😀"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(decoded(&wide, Encoding::Utf16Le).unwrap(), "Zoë 😀\n");
        wide.pop();
        assert!(decoded(&wide, Encoding::Utf16Le).is_err());
        assert_eq!(
            decoded("\u{feff}é".as_bytes(), Encoding::Utf8).unwrap(),
            "é\n"
        );
        assert_eq!(
            decoded(b"\x80 Zo\xeb", Encoding::Windows1252).unwrap(),
            "€ Zoë\n"
        );
        assert!(decoded(b"a\0b", Encoding::Utf8).is_err());
    }

    #[test]
    fn lines_are_counted_as_they_are_taken() {
        let mut text = Decoded::new(&b"a\r\nb\r\nc"[..], Encoding::Utf8);
        assert_eq!(text.line(), 1);
        let mut line = String::new();
        text.read_line(&mut line).unwrap();
        assert_eq!((line.as_str(), text.line()), ("a\n", 2));
        text.read_line(&mut line).unwrap();
        assert_eq!(text.line(), 3);
    }
}
