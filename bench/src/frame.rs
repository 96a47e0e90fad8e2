//! WebSocket frames (RFC 6455, section 5), as far as a load generator needs them. Written here because a library checks and
//! copies each text, and then the generator and not the server would be what is measured.

/// A text.
pub const TEXT: u8 = 1;
/// The end, with a code.
pub const CLOSE: u8 = 8;
/// "Are you there?"
pub const PING: u8 = 9;
/// "Yes."
pub const PONG: u8 = 10;

/// What the bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A whole frame: its opcode, its payload, and how many bytes it took.
    Whole(u8, &'a [u8], usize),
    /// The rest is still on its way.
    Partial,
    /// Nothing that a server may send here.
    Broken(&'static str),
}

/// The first frame of what a server sent.
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    let [first, second, rest @ ..] = bytes else {
        return Parsed::Partial;
    };
    if first & 0x80 == 0 || first & 0x70 != 0 {
        return Parsed::Broken("a fragment, or an extension that was not asked for");
    }
    if second & 0x80 != 0 {
        return Parsed::Broken("a masked frame of a server");
    }
    let (length, head): (usize, usize) = match (second & 0x7F, rest) {
        (126, [a, b, ..]) => (u16::from_be_bytes([*a, *b]).into(), 4),
        (127, [0, 0, 0, 0, a, b, c, d, ..]) => (
            usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX),
            10,
        ),
        (127, [_, _, _, _, _, _, _, _, ..]) => {
            return Parsed::Broken("a frame of more than 4 GiB");
        }
        (126 | 127, _) => return Parsed::Partial,
        (short, _) => (usize::from(short), 2),
    };
    bytes
        .get(head..head.saturating_add(length))
        .map_or(Parsed::Partial, |payload| {
            Parsed::Whole(first & 0x0F, payload, head + length)
        })
}

/// A frame of a client. The mask is nought, which leaves the payload as it is: masks are against proxies between (section
/// 10.3), and over loopback there is none.
pub fn client(opcode: u8, payload: &[u8]) -> Vec<u8> {
    build(opcode, payload, true)
}

/// A frame of a server.
pub fn server(opcode: u8, payload: &[u8]) -> Vec<u8> {
    build(opcode, payload, false)
}

fn build(opcode: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut frame = vec![0x80 | opcode];
    match (
        u8::try_from(payload.len()),
        u16::try_from(payload.len()),
        u64::try_from(payload.len()),
    ) {
        (Ok(length), ..) if length < 126 => frame.push(mask | length),
        (_, Ok(length), _) => {
            frame.push(mask | 0x7E);
            frame.extend(length.to_be_bytes());
        }
        (_, _, length) => {
            frame.push(mask | 0x7F);
            frame.extend(length.unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    if masked {
        frame.extend([0; 4]);
    }
    frame.extend(payload);
    frame
}

/// The code of a close frame.
pub fn code(payload: &[u8]) -> Option<u16> {
    let [a, b, ..] = payload else { return None };
    Some(u16::from_be_bytes([*a, *b]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_read_back_and_nothing_before_it_is_whole() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let frame = server(TEXT, &payload);
            assert_eq!(parse(&frame), Parsed::Whole(TEXT, &payload, frame.len()));
            for cut in [0, 1, 2, frame.len().saturating_sub(1)] {
                if cut < frame.len() {
                    assert_eq!(
                        parse(&frame[..cut]),
                        Parsed::Partial,
                        "{cut} of {}",
                        frame.len()
                    );
                }
            }
        }
    }

    #[test]
    fn what_no_server_may_send_is_no_frame() {
        assert!(matches!(parse(&client(TEXT, b"x")), Parsed::Broken(_)));
        assert!(matches!(parse(&[0x01, 0x01, b'x']), Parsed::Broken(_)));
        assert!(matches!(parse(&[0xC1, 0x01, b'x']), Parsed::Broken(_)));
    }

    #[test]
    fn a_close_carries_its_code() {
        let frame = server(CLOSE, &[0x11, 0x33, b'w']);
        let Parsed::Whole(CLOSE, payload, _) = parse(&frame) else {
            panic!("no close frame")
        };
        assert_eq!(code(payload), Some(4403));
        assert_eq!(code(b""), None);
    }
}
