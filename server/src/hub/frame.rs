//! What is said on a socket: small JSON texts, each encoded once and shared by all sockets that get it. Several that are due at once
//! are put together once too, and then cost each socket no more than one.

use std::collections::BTreeSet;

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use domain::Seq;
use serde::Serialize;
use uuid::Uuid;

/// One text or several in their order, and as much of their meaning as merging needs.
#[derive(Debug)]
pub struct Frame {
    /// What is said.
    pub texts: Vec<Utf8Bytes>,
    /// The same as it travels, headers included: one encoding for all sockets.
    pub(super) wire: Bytes,
    pub(super) says: Says,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Names that changed, up to the seq. May be merged with others.
    Changed(Vec<String>, Seq),
    /// Still here. Worth nothing once anything else is said.
    Beat,
    /// Must arrive as it is: hello, refused, resync and the answer to a `since`.
    Plain,
}

#[derive(Serialize)]
struct News<'a> {
    changed: &'a [String],
    seq: Seq,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Seq>,
}

impl Frame {
    fn new(says: Says, words: &impl Serialize) -> Self {
        let text = text(words);
        Self {
            wire: wire(std::slice::from_ref(&text)),
            texts: vec![text],
            says,
        }
    }

    /// `{"hello":{"seq":12,"epoch":"…"}}`: once, first.
    pub fn hello(seq: Seq, epoch: Uuid) -> Self {
        Self::new(
            Says::Plain,
            &serde_json::json!({ "hello": { "seq": seq, "epoch": epoch } }),
        )
    }

    /// `{"changed":["people"],"seq":13}`: all that changed in these topics up to the seq has been said.
    pub fn changed(names: Vec<String>, seq: Seq) -> Self {
        Self::all_changed(&[(names, seq)])
    }

    /// The same of several events, a text for each, in their order. None is left out, since a client may count.
    pub fn all_changed(events: &[(Vec<String>, Seq)]) -> Self {
        let texts: Vec<_> = events
            .iter()
            .map(|(changed, seq)| {
                text(&News {
                    changed,
                    seq: *seq,
                    since: None,
                })
            })
            .collect();
        let names: BTreeSet<_> = events.iter().flat_map(|(names, _)| names).collect();
        let latest = events.last().map_or(0, |(_, seq)| *seq);
        Self {
            wire: wire(&texts),
            texts,
            says: Says::Changed(names.into_iter().cloned().collect(), latest),
        }
    }

    /// `{"changed":[…],"seq":13,"since":9}`: the one answer to a subscription that named a `since`, also when nothing changed.
    pub fn caught_up(names: &[String], seq: Seq, since: Seq) -> Self {
        Self::new(
            Says::Plain,
            &News {
                changed: names,
                seq,
                since: Some(since),
            },
        )
    }

    /// `{"refused":["…"]}`: unknown, not allowed or too many; which one is not said.
    pub fn refused(names: &[String]) -> Self {
        Self::new(Says::Plain, &serde_json::json!({ "refused": names }))
    }

    /// `{"resync":true}`: what was missed cannot be told any more, fetch everything. Answers a `since` in the same way.
    pub fn resync(answers: Option<(Seq, Seq)>) -> Self {
        Self::new(
            Says::Plain,
            &match answers {
                None => serde_json::json!({ "resync": true }),
                Some((seq, since)) => {
                    serde_json::json!({ "resync": true, "seq": seq, "since": since })
                }
            },
        )
    }

    /// `{"beat":{"seq":13}}`: nothing more was to be said up to the seq. Scripts in a browser never see a ping, so this is
    /// how a page tells a quiet connection from a dead one.
    pub fn beat(seq: Seq) -> Self {
        Self::new(Says::Beat, &serde_json::json!({ "beat": { "seq": seq } }))
    }

    /// Bytes on the wire, the frame's own header included.
    pub fn size(&self) -> usize {
        self.wire.len()
    }
}

fn text(words: &impl Serialize) -> Utf8Bytes {
    // Strings and numbers always encode; an empty object would be ignored by every client.
    let text = serde_json::to_string(words).unwrap_or_else(|_| "{}".to_owned());
    text.into()
}

/// Text messages of a server, each in one frame (RFC 6455, section 5.2): what a server says is not masked, so it is the same for all.
fn wire(texts: &[Utf8Bytes]) -> Bytes {
    const WHOLE_TEXT: u8 = 0x81;
    let mut wire = Vec::with_capacity(texts.iter().map(|text| text.len() + 10).sum());
    for text in texts {
        wire.push(WHOLE_TEXT);
        match (u8::try_from(text.len()), u16::try_from(text.len())) {
            (Ok(length @ 0..=125), _) => wire.push(length),
            (_, Ok(length)) => {
                wire.push(126);
                wire.extend(length.to_be_bytes());
            }
            _ => {
                wire.push(127);
                wire.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            }
        }
        wire.extend(text.as_bytes());
    }
    wire.into()
}

/// All `changed` frames as one, after what cannot be merged. Their order among each other carries no meaning: a page that
/// fetches anew fetches everything.
pub(super) fn merge<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> Option<Frame> {
    let mut names = BTreeSet::new();
    let mut latest = None;
    for frame in frames {
        if let Says::Changed(more, seq) = &frame.says {
            names.extend(more.iter().cloned());
            latest = latest.max(Some(*seq));
        }
    }
    latest.map(|seq| Frame::changed(names.into_iter().collect(), seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(frame: &Frame) -> &str {
        frame.texts[0].as_str()
    }

    #[test]
    fn the_words_are_those_that_clients_of_others_rely_on() {
        let epoch = Uuid::nil();
        assert_eq!(
            said(&Frame::hello(12, epoch)),
            r#"{"hello":{"epoch":"00000000-0000-0000-0000-000000000000","seq":12}}"#
        );
        assert_eq!(
            said(&Frame::changed(vec!["people".into()], 13)),
            r#"{"changed":["people"],"seq":13}"#
        );
        assert_eq!(
            said(&Frame::refused(&["x\"y".into()])),
            r#"{"refused":["x\"y"]}"#
        );
        assert_eq!(said(&Frame::resync(None)), r#"{"resync":true}"#);
        assert_eq!(
            said(&Frame::caught_up(&[], 13, 9)),
            r#"{"changed":[],"seq":13,"since":9}"#
        );
        assert_eq!(
            said(&Frame::resync(Some((13, 9)))),
            r#"{"resync":true,"seq":13,"since":9}"#
        );
        assert_eq!(said(&Frame::beat(13)), r#"{"beat":{"seq":13}}"#);
    }

    #[test]
    fn several_travel_one_behind_the_other_as_each_would_alone() {
        let events = [
            (vec!["people".to_owned()], 3),
            (vec!["me".to_owned(), "x".repeat(130)], 4),
            (vec!["people".to_owned()], 5),
        ];
        let together = Frame::all_changed(&events);
        let alone = events.map(|(names, seq)| Frame::changed(names, seq));
        let wires: Vec<u8> = alone.iter().flat_map(|frame| frame.wire.to_vec()).collect();
        assert_eq!(together.wire, wires);
        let texts: Vec<_> = alone.iter().flat_map(|frame| frame.texts.clone()).collect();
        assert_eq!(together.texts, texts);
        assert_eq!(
            together.says,
            Says::Changed(vec!["me".into(), "people".into(), "x".repeat(130)], 5)
        );
    }

    #[test]
    fn merging_keeps_every_name_once_and_the_latest_seq() {
        let frames = [
            Frame::changed(vec!["people".into()], 3),
            Frame::beat(3),
            Frame::changed(vec!["people".into(), "me".into()], 5),
        ];
        assert_eq!(
            merge(&frames).map(|frame| frame.says),
            Some(Says::Changed(vec!["me".into(), "people".into()], 5))
        );
        assert!(merge(&[Frame::beat(3)]).is_none());
    }
}
