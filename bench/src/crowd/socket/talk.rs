//! What is said on a socket: what each contestant calls a change, and that nothing else is heard.

use std::fmt;

use serde_json::Value;

use super::{Socket, Stage};
use crate::{clock, crowd::Heard, frame};

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
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Plain => "/",
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket",
            Self::Quorate => "/live",
        }
    }
}

/// What all sockets of a crowd watch, and what they tell.
pub(in crate::crowd) struct Mouth {
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

    pub(super) fn fault(&mut self, what: impl fmt::Display) {
        if self.faults.len() < FAULTS_MOST {
            self.faults.push(format!("socket {}: {what}", self.socket));
        }
    }
}

impl Socket {
    /// Takes a whole frame.
    pub(super) fn frame(
        &mut self,
        opcode: u8,
        payload: &[u8],
        now: clock::Micros,
        mouth: &mut Mouth,
    ) {
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
    use crate::crowd::Place;

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
