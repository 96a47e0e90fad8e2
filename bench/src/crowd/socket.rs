//! One socket of the load: it connects, asks for what its contestant has, and from then on listens.

mod talk;

use std::{
    fmt,
    io::{ErrorKind, Read as _, Write as _},
};

use mio::{Interest, Registry, Token, net::TcpStream};

use super::Place;
use crate::{
    clock,
    fault::{Result, io},
    frame::{self, Parsed},
};

pub use talk::Dialect;
pub(super) use talk::Mouth;

/// The sample nonce of RFC 6455, section 1.3, and its answer: a server that does not work it out is none.
const NONCE: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ANSWER: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// How far a socket has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not connected, or not any more.
    Away,
    /// On its way.
    Connecting,
    /// Asked to be made a socket.
    Asked,
    /// Open, and not yet subscribed.
    Open,
    /// Hears of changes.
    Live,
}

/// How a socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The close code; none where the connection just broke.
    pub code: Option<u16>,
    /// The status of the answer, where it did not come to a socket.
    pub status: Option<u16>,
    /// When.
    pub at: clock::Micros,
}

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.status) {
            (Some(code), _) => write!(out, "closed with {code}"),
            (_, Some(status)) => write!(out, "answered with {status}"),
            (None, None) => out.write_str("the connection broke"),
        }
    }
}

pub(super) struct Socket {
    pub place: Place,
    pub stage: Stage,
    /// It was told that the topic is not for it.
    pub refused: bool,
    pub last: u64,
    pub epoch: String,
    pub end: Option<End>,
    stream: Option<TcpStream>,
    /// The beginning of a frame, or of an answer, whose rest is still to come.
    rest: Vec<u8>,
}

impl Socket {
    pub fn new(place: Place) -> Self {
        Self {
            place,
            stage: Stage::Away,
            refused: false,
            last: 0,
            epoch: String::new(),
            end: None,
            stream: None,
            rest: Vec::new(),
        }
    }

    pub fn begin(&mut self, stream: TcpStream) {
        self.stream = Some(stream);
        self.stage = Stage::Connecting;
        self.refused = false;
        self.end = None;
        self.rest = Vec::new();
    }

    pub fn cut(&mut self) {
        self.stream = None;
        self.stage = Stage::Away;
    }

    fn over(&mut self, code: Option<u16>, status: Option<u16>) {
        self.cut();
        self.end.get_or_insert(End {
            code,
            status,
            at: clock::now(),
        });
    }

    /// The connection is there: asks for a socket.
    pub fn knock(&mut self, registry: &Registry, token: Token) -> Result<()> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        if !matches!(stream.take_error(), Ok(None)) || stream.peer_addr().is_err() {
            self.over(None, None);
            return Ok(());
        }
        let _ = stream.set_nodelay(true);
        // From here on it is read only; a wake-up for each byte that the other side has taken would be for nothing.
        registry
            .reregister(stream, token, Interest::READABLE)
            .map_err(io("epoll"))?;
        let Place {
            host,
            cookie,
            dialect,
            ..
        } = &self.place;
        let cookie = if cookie.is_empty() {
            String::new()
        } else {
            format!("Cookie: {cookie}\r\n")
        };
        let path = dialect.path();
        let asked = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{cookie}Connection: Upgrade\r\nUpgrade: \
             websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {NONCE}\r\n\r\n"
        );
        self.stage = Stage::Asked;
        self.write(asked.as_bytes());
        Ok(())
    }

    /// All that the load ever writes fits what the kernel holds for a socket.
    fn write(&mut self, bytes: &[u8]) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        if stream.write_all(bytes).is_err() {
            self.over(None, None);
        }
    }

    fn say(&mut self, words: &str) {
        self.write(&frame::client(frame::TEXT, words.as_bytes()));
    }

    /// Reads all there is. A read that did not fill its buffer has emptied the socket (epoll(7)), and what comes later wakes
    /// again.
    pub fn read(&mut self, scratch: &mut [u8], mouth: &mut Mouth) {
        loop {
            let Some(stream) = &mut self.stream else {
                return;
            };
            let kept = self.rest.len();
            let Some(room) = scratch.get_mut(kept..).filter(|room| !room.is_empty()) else {
                mouth.fault("a frame larger than any that was agreed");
                return self.over(None, None);
            };
            let read = match stream.read(room) {
                Ok(0) => return self.over(None, None),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return self.over(None, None),
            };
            let emptied = read < room.len();
            if let Some(front) = scratch.get_mut(..kept) {
                front.copy_from_slice(&self.rest);
            }
            let bytes = scratch.get(..kept + read).unwrap_or_default();
            let taken = self.take(bytes, mouth);
            let left = bytes.get(taken..).unwrap_or_default();
            if !left.is_empty() || kept > 0 {
                self.rest = left.to_vec();
            }
            if emptied {
                return;
            }
        }
    }

    /// Takes what is whole; how many bytes that was.
    fn take(&mut self, bytes: &[u8], mouth: &mut Mouth) -> usize {
        let mut taken = 0;
        if self.stage == Stage::Asked {
            match self.answered(bytes) {
                Some(head) => taken = head,
                None => return 0,
            }
        }
        // One look at the clock for what one read brought.
        let now = clock::now();
        while self.stream.is_some() {
            match frame::parse(bytes.get(taken..).unwrap_or_default()) {
                Parsed::Partial => break,
                Parsed::Broken(why) => {
                    mouth.fault(why);
                    self.over(None, None);
                }
                Parsed::Whole(opcode, payload, length) => {
                    taken += length;
                    self.frame(opcode, payload, now, mouth);
                }
            }
        }
        taken
    }

    /// The end of the answer to the knock, where it is there; without a socket everything ends.
    fn answered(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(bytes.get(..end)?);
        let status = head
            .split_whitespace()
            .nth(1)
            .and_then(|status| status.parse().ok());
        let worked_out = head.lines().any(|line| {
            line.split_once(':').is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ANSWER
            })
        });
        if status != Some(101) || !worked_out {
            self.over(None, status);
            return None;
        }
        self.stage = match self.place.dialect {
            Dialect::Plain => Stage::Live,
            Dialect::SocketIo | Dialect::Quorate => Stage::Open,
        };
        Some(end)
    }
}
