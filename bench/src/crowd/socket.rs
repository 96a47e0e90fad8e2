//! One socket of the load: it connects, says what its contestant wants to hear, and from then on listens.

use std::{
    fmt,
    io::{ErrorKind, Read as _, Write as _},
};

use mio::{Interest, Registry, Token, net::TcpStream};
use serde_json::Value;

use super::{Heard, Place};
use crate::{
    clock,
    fault::{Result, io},
    frame::{self, Parsed},
};

/// The sample nonce of RFC 6455, section 1.3, and its answer: a server that does not work it out is none.
const NONCE: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ANSWER: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// What most are told of.
const PEOPLE: &str = "people";
const EVENT: &[u8] = br#"42["changed","#;
/// As many as tell the story.
const FAULTS_MOST: usize = 20;

/// What is spoken on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Nothing but changes: the bare peers.
    Plain,
    /// Engine.IO 4 with Socket.IO 5 on it.
    SocketIo,
    /// As `server/src/socket.rs` writes it down.
    Quorate,
}

impl Dialect {
    const fn path(self) -> &'static str {
        match self {
            Self::Plain => "/",
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket",
            Self::Quorate => "/live",
        }
    }
}

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

/// What all sockets of a crowd watch, and what they tell.
pub(super) struct Mouth {
    topic: String,
    /// What every contestant says of a change, up to its number.
    words: Vec<u8>,
    /// Whether some of them may be told that the topic is not for them.
    refusals: bool,
    pub socket: u32,
    pub heard: Vec<Heard>,
    pub faults: Vec<String>,
    pub resyncs: u64,
    pub gaps: u64,
}

impl Default for Mouth {
    fn default() -> Self {
        Self::of(PEOPLE, false)
    }
}

impl Mouth {
    pub fn of(topic: &str, refusals: bool) -> Self {
        Self {
            topic: topic.to_owned(),
            words: format!(r#"{{"changed":["{topic}"],"seq":"#).into_bytes(),
            refusals,
            socket: 0,
            heard: Vec::new(),
            faults: Vec::new(),
            resyncs: 0,
            gaps: 0,
        }
    }

    fn fault(&mut self, what: impl fmt::Display) {
        if self.faults.len() < FAULTS_MOST {
            self.faults.push(format!("socket {}: {what}", self.socket));
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

    fn frame(&mut self, opcode: u8, payload: &[u8], now: clock::Micros, mouth: &mut Mouth) {
        match (opcode, self.place.dialect) {
            (frame::TEXT, Dialect::Plain) => self.change(payload, now, mouth),
            (frame::TEXT, Dialect::SocketIo) => self.event(payload, now, mouth),
            (frame::TEXT, Dialect::Quorate) => match seq_of(payload, &mouth.words) {
                Some(seq) if self.stage == Stage::Live => self.tell(seq, now, mouth),
                _ => self.words(payload, now, mouth),
            },
            (frame::PING, _) => self.write(&frame::client(frame::PONG, payload)),
            (frame::PONG, _) => {}
            (frame::CLOSE, _) => {
                self.write(&frame::client(
                    frame::CLOSE,
                    payload.get(..2).unwrap_or_default(),
                ));
                self.over(frame::code(payload), None);
            }
            (other, _) => mouth.fault(format_args!("a frame of kind {other}")),
        }
    }

    /// One change, in exactly the words that were agreed.
    fn change(&mut self, payload: &[u8], now: clock::Micros, mouth: &mut Mouth) {
        match seq_of(payload, &mouth.words) {
            Some(seq) => self.tell(seq, now, mouth),
            None => mouth.fault(format_args!(
                "the words {}",
                String::from_utf8_lossy(payload)
            )),
        }
    }

    fn tell(&mut self, seq: u64, now: clock::Micros, mouth: &mut Mouth) {
        if seq <= self.last {
            mouth.fault(format_args!("{seq} after {}", self.last));
        }
        mouth.gaps += u64::from(seq > self.last + 1);
        self.last = seq;
        mouth.heard.push(Heard {
            socket: mouth.socket,
            seq,
            at: now,
        });
    }

    /// What Socket.IO says around its events.
    fn event(&mut self, payload: &[u8], now: clock::Micros, mouth: &mut Mouth) {
        if let Some(change) = payload
            .strip_prefix(EVENT)
            .and_then(|rest| rest.strip_suffix(b"]"))
        {
            return self.change(change, now, mouth);
        }
        match payload {
            [b'0', b'{', ..] => self.say("40"),
            [b'4', b'0', ..] => self.stage = Stage::Live,
            [b'2'] => self.say("3"),
            other => mouth.fault(format_args!("the words {}", String::from_utf8_lossy(other))),
        }
    }

    /// What Quorate says besides changes, and the answers to a subscription.
    fn words(&mut self, payload: &[u8], now: clock::Micros, mouth: &mut Mouth) {
        let said: Value = serde_json::from_slice(payload).unwrap_or_default();
        let seq = said["seq"].as_u64();
        if let (Some(seq), Some(epoch)) = (
            said["hello"]["seq"].as_u64(),
            said["hello"]["epoch"].as_str(),
        ) {
            self.greet(seq, epoch, mouth);
        } else if said["beat"]["seq"].is_u64() {
            // All up to there is told; the changes in between were of nothing that is watched here, which the count will show.
        } else if said["resync"] == true {
            mouth.resyncs += 1;
            self.last = seq.unwrap_or(self.last);
            self.stage = Stage::Live;
        } else if let (Some(seq), Some(_), Some(names)) =
            (seq, said["since"].as_u64(), said["changed"].as_array())
        {
            if names.iter().any(|name| *name != mouth.topic) {
                mouth.fault(format_args!("a topic that is not watched in {said}"));
            }
            // One answer for all that was missed, so no number is skipped by it.
            if !names.is_empty() && seq > self.last {
                self.last = seq - 1;
                self.tell(seq, now, mouth);
            }
            self.last = self.last.max(seq);
            self.stage = Stage::Live;
        } else if mouth.refusals && said["refused"] == serde_json::json!([mouth.topic]) {
            self.refused = true;
            self.stage = Stage::Live;
        } else {
            mouth.fault(format_args!(
                "the words {}",
                String::from_utf8_lossy(payload)
            ));
        }
    }

    /// Subscribes, from where it has heard everything: from the hello, or from before the connection was lost.
    fn greet(&mut self, seq: u64, epoch: &str, mouth: &Mouth) {
        if self.last == 0 || self.epoch.is_empty() {
            self.last = seq;
            epoch.clone_into(&mut self.epoch);
        }
        // Who may be refused the one watches their own place all the same, as every page does.
        let topics: &[&str] = if mouth.refusals {
            &["me", &mouth.topic]
        } else {
            &[&mouth.topic]
        };
        let words =
            serde_json::json!({ "subscribe": topics, "since": self.last, "epoch": self.epoch });
        self.say(&words.to_string());
    }
}

/// The number of a change, where the words are those and no others.
fn seq_of(payload: &[u8], words: &[u8]) -> Option<u64> {
    let digits = payload.strip_prefix(words)?.strip_suffix(b"}")?;
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0, |sum: u64, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + u64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(dialect: Dialect) -> Socket {
        let place = Place {
            address: ([127, 0, 0, 1], 9).into(),
            host: String::new(),
            cookie: String::new(),
            dialect,
            group: 0,
        };
        let mut socket = Socket::new(place);
        socket.stage = Stage::Live;
        socket
    }

    fn hears(socket: &mut Socket, texts: &[&str]) -> (Vec<u64>, usize) {
        let mut mouth = Mouth::default();
        for text in texts {
            socket.frame(frame::TEXT, text.as_bytes(), 1, &mut mouth);
        }
        (
            mouth.heard.iter().map(|heard| heard.seq).collect(),
            mouth.faults.len(),
        )
    }

    #[test]
    fn changes_are_heard_in_the_words_that_were_agreed_and_in_no_others() {
        let mut socket = listening(Dialect::Plain);
        assert_eq!(
            hears(
                &mut socket,
                &[
                    r#"{"changed":["people"],"seq":3}"#,
                    r#"{"changed":["people"],"seq":4}"#
                ]
            ),
            (vec![3, 4], 0)
        );
        for wrong in [
            r#"{"changed":["pupils"],"seq":5}"#,
            r#"{"changed":["people"],"seq":5"#,
            r#"{"changed":["people"],"seq":x}"#,
            r#"{"changed":["people"],"seq":}"#,
        ] {
            assert_eq!(hears(&mut socket, &[wrong]), (vec![], 1), "{wrong}");
        }
    }

    #[test]
    fn a_refusal_is_a_fault_but_where_some_are_to_be_refused() {
        let refused = br#"{"refused":["folder/1"]}"#;
        for (topic, refusals, faults) in [
            ("folder/1", true, 0),
            ("folder/1", false, 1),
            ("folder/2", true, 1),
        ] {
            let (mut socket, mut mouth) = (listening(Dialect::Quorate), Mouth::of(topic, refusals));
            socket.frame(frame::TEXT, refused, 1, &mut mouth);
            assert_eq!((socket.refused, mouth.faults.len()), (faults == 0, faults));
        }
        let (mut socket, mut mouth) = (listening(Dialect::Quorate), Mouth::of("folder/1", true));
        for text in [
            r#"{"changed":["folder/1"],"seq":3}"#,
            r#"{"changed":["people"],"seq":4}"#,
        ] {
            socket.frame(frame::TEXT, text.as_bytes(), 1, &mut mouth);
        }
        assert_eq!((mouth.heard.len(), mouth.faults.len()), (1, 1));
    }

    #[test]
    fn an_order_that_goes_back_is_a_fault() {
        let again = r#"{"changed":["people"],"seq":7}"#;
        assert_eq!(
            hears(&mut listening(Dialect::Quorate), &[again, again]),
            (vec![7, 7], 1)
        );
    }

    #[test]
    fn socket_io_wraps_each_change_in_an_event() {
        let mut socket = listening(Dialect::SocketIo);
        let event = r#"42["changed",{"changed":["people"],"seq":9}]"#;
        assert_eq!(hears(&mut socket, &[event]), (vec![9], 0));
        assert_eq!(
            hears(&mut socket, &[r#"42["other",{"seq":9}]"#]),
            (vec![], 1)
        );
    }

    #[test]
    fn an_answer_to_a_since_counts_as_heard_where_something_changed() {
        let mut socket = listening(Dialect::Quorate);
        socket.last = 5;
        assert_eq!(
            hears(&mut socket, &[r#"{"changed":[],"seq":8,"since":5}"#]),
            (vec![], 0)
        );
        assert_eq!(socket.last, 8);
        assert_eq!(
            hears(
                &mut socket,
                &[r#"{"changed":["people"],"seq":9,"since":8}"#]
            ),
            (vec![9], 0)
        );
        assert_eq!(
            hears(
                &mut socket,
                &[r#"{"changed":["pupil/1"],"seq":10,"since":9}"#]
            )
            .1,
            1
        );
    }
}
