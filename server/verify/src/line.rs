//! One line of the log, as the exact texts that were hashed. This is the one definition of it outside the database;
//! `sec.event_hash` is the one inside, and a test compares the two.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, fmt, fmt::Write as _, str::FromStr};

/// An id of 128 bits, written as PostgreSQL writes a uuid and in no other way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, std::hash::Hash)]
pub struct Id([u8; 16]);

/// A SHA-256, written as 64 digits in lower case and in no other way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl Id {
    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 32];
        hex::encode_to_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        let text = std::str::from_utf8(&text).map_err(|_| fmt::Error)?;
        write!(
            f,
            "{}-{}-{}-{}-{}",
            &text[..8],
            &text[8..12],
            &text[12..16],
            &text[16..20],
            &text[20..]
        )
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "an id, such as 01900000-0000-7000-8000-000000000001";
        let bytes = text.as_bytes();
        if bytes.len() != 36 || ![8, 13, 18, 23].iter().all(|place| bytes[*place] == b'-') {
            return Err(WANTED);
        }
        let mut digits = [0; 32];
        let rest = bytes.iter().filter(|byte| **byte != b'-');
        let mut count = 0;
        for (slot, byte) in digits.iter_mut().zip(rest) {
            *slot = *byte;
            count += 1;
        }
        let mut id = [0; 16];
        if count != 32 || !is_lower(&digits) || hex::decode_to_slice(digits, &mut id).is_err() {
            return Err(WANTED);
        }
        Ok(Self(id))
    }
}

impl Hash {
    /// What stands before the first line.
    pub const ZERO: Self = Self([0; 32]);

    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight digits: enough for people to compare.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..4])
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        exact(text).map(Self)
    }
}

/// So many bytes as digits in lower case, and nothing else.
pub(crate) fn exact<const N: usize>(text: &str) -> Result<[u8; N], &'static str> {
    let mut bytes = [0; N];
    if is_lower(text.as_bytes()) && hex::decode_to_slice(text, &mut bytes).is_ok() {
        Ok(bytes)
    } else {
        Err("hexadecimal digits in lower case, as many as there must be")
    }
}

fn is_lower(digits: &[u8]) -> bool {
    digits
        .iter()
        .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}
pub(crate) use as_text;
as_text!(Id, Hash);

/// One line of the log. `detail`, `topics` and `closes` are the texts that PostgreSQL wrote when it hashed them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line<'a> {
    /// Whose log.
    pub tenant: Id,
    /// Its place in it: from 1, without gaps.
    pub seq: i64,
    /// When, in microseconds since 1970 (UTC).
    pub at: i64,
    /// What was done.
    #[serde(borrow)]
    pub act: Cow<'a, str>,
    /// The account that did it.
    pub actor: Option<Id>,
    /// The membership or other subject that it was done to.
    pub about: Option<Id>,
    /// What else was recorded, as PostgreSQL writes jsonb.
    #[serde(borrow)]
    pub detail: Cow<'a, str>,
    /// What pages were told that it changed, as PostgreSQL writes an array.
    #[serde(borrow)]
    pub topics: Cow<'a, str>,
    /// Whose connections it ended, as PostgreSQL writes jsonb.
    #[serde(borrow)]
    pub closes: Option<Cow<'a, str>>,
    /// The hash of the line before.
    pub prev: Hash,
    /// The hash of this one.
    pub hash: Hash,
}

impl Line<'_> {
    /// The nine fields, joined by line feeds.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(
            200 + self.act.len()
                + self.detail.len()
                + self.topics.len()
                + self.closes.as_ref().map_or(1, |closes| closes.len()),
        );
        let or_dash = |text: &mut String, id: Option<Id>| match id {
            Some(id) => writeln!(text, "{id}"),
            None => text.write_str("-\n"),
        };
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{}\n{}\n{}\n{}\n",
            self.tenant, self.seq, self.at, self.act
        );
        let _ = or_dash(&mut text, self.actor);
        let _ = or_dash(&mut text, self.about);
        let _ = write!(
            text,
            "{}\n{}\n{}",
            self.detail,
            self.topics,
            self.closes.as_deref().unwrap_or("-")
        );
        text
    }

    /// The hash that the line must have after a line with the hash `prev`.
    pub fn computed(&self, prev: &Hash) -> Hash {
        let hashed = Sha256::new().chain_update(prev.0).chain_update(self.text());
        Hash(hashed.finalize().into())
    }

    /// The name of a field that is not as the database would write it: one that held a line feed, or a dash for nothing, could
    /// pass for two fields or for none.
    pub fn misshapen(&self) -> Option<&'static str> {
        let is_act = self.act.split('.').count() > 1
            && self.act.split('.').all(|part| {
                part.starts_with(|first: char| first.is_ascii_lowercase())
                    && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'))
            });
        let is_between = |text: &str| {
            text.starts_with('{') && text.ends_with('}') && text.bytes().all(|byte| byte >= b' ')
        };
        [
            ("act", is_act),
            ("detail", is_between(&self.detail)),
            ("topics", is_between(&self.topics)),
            ("closes", self.closes.as_deref().is_none_or(is_between)),
        ]
        .into_iter()
        .find_map(|(name, good)| (!good).then_some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line<'static> {
        Line {
            tenant: Id::from_bytes([1; 16]),
            seq: 7,
            at: 1_781_805_600_000_001,
            act: "membership.removed".into(),
            actor: Some(Id::from_bytes([2; 16])),
            about: None,
            detail: r#"{"why": "moved away"}"#.into(),
            topics: r"{people,settings}".into(),
            closes: None,
            prev: Hash::ZERO,
            hash: Hash::ZERO,
        }
    }

    #[test]
    fn the_text_is_nine_lines() {
        assert_eq!(
            line().text(),
            "01010101-0101-0101-0101-010101010101\n7\n1781805600000001\nmembership.removed\n\
             02020202-0202-0202-0202-020202020202\n-\n{\"why\": \"moved away\"}\n{people,settings}\n-"
        );
        // Reckoned with another program: printf '<32 zero bytes><text>' | sha256sum
        assert_eq!(
            line().computed(&Hash::ZERO).to_string(),
            "cc4acad9f01f94999d0031c8c939cfec0932d4637d0682f428d71f10b115a000"
        );
        assert_ne!(
            line().computed(&Hash::from_bytes([1; 32])),
            line().computed(&Hash::ZERO)
        );
    }

    #[test]
    fn a_field_that_could_pass_for_two_or_for_none_is_named() {
        assert_eq!(line().misshapen(), None);
        for act in [
            "a", "", "a.b\n-", "a.b\n", "A.b", "a..b", "a.", ".a", "a.1", "a._b",
        ] {
            assert_eq!(
                Line {
                    act: act.into(),
                    ..line()
                }
                .misshapen(),
                Some("act"),
                "{act:?}"
            );
        }
        for text in ["", "-", "{}\n-", "{\n}", "{\t}", "[]"] {
            assert_eq!(
                Line {
                    detail: text.into(),
                    ..line()
                }
                .misshapen(),
                Some("detail"),
                "{text:?}"
            );
            assert_eq!(
                Line {
                    topics: text.into(),
                    ..line()
                }
                .misshapen(),
                Some("topics"),
                "{text:?}"
            );
            assert_eq!(
                Line {
                    closes: Some(text.into()),
                    ..line()
                }
                .misshapen(),
                Some("closes"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_id_and_a_hash_are_written_in_one_way_only() {
        let id = "01900000-0000-7000-8000-00000000000a";
        assert_eq!(id.parse::<Id>().unwrap().to_string(), id);
        for other in [
            "01900000-0000-7000-8000-00000000000A",
            "0190000000007000800000000000000a",
            "{01900000-0000-7000-8000-00000000000a}",
            "01900000-0000-7000-8000-00000000000",
            "0190000-00000-7000-8000-00000000000a",
            "01900000--000-7000-8000-00000000000a",
            "01900000-0000-7000-8000-00000000000é",
            "",
        ] {
            assert!(other.parse::<Id>().is_err(), "{other}");
        }
        let hash = "ab".repeat(32);
        assert_eq!(hash.parse::<Hash>().unwrap().to_string(), hash);
        for other in [
            "",
            "ab",
            &"AB".repeat(32),
            &"ab".repeat(33),
            &"xy".repeat(32),
            &format!(" {hash}"),
        ] {
            assert!(other.parse::<Hash>().is_err(), "{other}");
        }
    }
}
