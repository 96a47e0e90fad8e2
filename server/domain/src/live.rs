//! What a socket may watch, and what the log tells the hub: topics, events, and whose sockets an event closes.

use serde::Deserialize;
use uuid::Uuid;

use crate::{AccountId, Seq};

/// WebSocket close code: removed, or a role was lost.
pub const CLOSE_REMOVED: u16 = 4403;
/// WebSocket close code: signed out or expired.
pub const CLOSE_SIGNED_OUT: u16 = 4401;

/// Something a page shows that can change. A frame names topics and never carries a record, so there is nothing to leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Who belongs to the tenant, and as what.
    People,
    /// The tenant's own settings.
    Settings,
    /// The person's own place, roles and sessions.
    Me,
    /// Who is here now. Not in the log: only the hub knows.
    Here,
}

/// How the log and the hub call [`Topic::Here`].
pub const HERE: &str = "here";

impl Topic {
    /// The topic of a name that a client sends; none for a name that is not in the list.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "people" => Self::People,
            "settings" => Self::Settings,
            "me" => Self::Me,
            HERE => Self::Here,
            _ => return None,
        })
    }

    /// As clients say and see it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Settings => "settings",
            Self::Me => "me",
            Self::Here => HERE,
        }
    }

    /// As the log and the hub call it: the person's own topic carries whose it is.
    pub fn key(self, account: AccountId) -> String {
        match self {
            Self::Me => format!("me/{account}"),
            other => other.name().to_owned(),
        }
    }
}

/// The name under which a client sees a key of the log.
pub fn name_of(key: &str) -> &str {
    if key.starts_with("me/") { "me" } else { key }
}

/// One event of a tenant's log, as far as sockets are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the tenant's log.
    pub seq: Seq,
    /// Keys of what changed.
    pub topics: Vec<String>,
    /// Whose sockets end with it.
    pub closes: Option<Kick>,
}

/// Whose sockets end with an event, and with which close code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Kick {
    /// Every socket of these people in the tenant.
    #[serde(default)]
    pub accounts: Vec<AccountId>,
    /// The sockets of these sessions.
    #[serde(default)]
    pub sessions: Vec<Uuid>,
    /// 4403 removed or role lost, 4401 signed out.
    pub code: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_topic() {
        for topic in [Topic::People, Topic::Settings, Topic::Me, Topic::Here] {
            assert_eq!(Topic::from_name(topic.name()), Some(topic));
            assert_eq!(name_of(&topic.key(Uuid::from_u128(7))), topic.name());
        }
    }

    #[test]
    fn nobody_names_another_persons_own_topic() {
        let margaret = Uuid::from_u128(7);
        assert_eq!(Topic::from_name(&Topic::Me.key(margaret)), None);
        assert_eq!(Topic::from_name("me/"), None);
        assert_eq!(Topic::from_name("People"), None);
    }
}
