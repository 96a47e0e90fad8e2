//! All that can happen to a tenant's data, and the one row that each becomes: audit line, live push, source of mail.

mod approval;
mod board;
mod library;
mod pupil;
mod question;
mod record;

use serde::Serialize;
use serde_json::{Value, json};
use time::Date;
use uuid::Uuid;

use crate::{AccountId, MembershipId, day, db::people_topics, role::Role};

/// What was done. Made only here, and spent by [`crate::db::Write::commit`]; nothing else commits.
#[must_use = "an act that is not committed never happened"]
pub struct Act {
    pub(crate) name: &'static str,
    pub(crate) about: Option<Uuid>,
    pub(crate) detail: Value,
    pub(crate) topics: Vec<String>,
    pub(crate) closes: Option<Closes>,
}

/// Whose sockets end with the event, in the same order as every other event.
#[derive(Clone, Debug, Serialize)]
pub struct Closes {
    accounts: Vec<AccountId>,
    sessions: Vec<Uuid>,
    code: u16,
}

pub(crate) use board::Whom;
pub(crate) use question::About as AboutQuestion;

pub use crate::live::{CLOSE_REMOVED, CLOSE_SIGNED_OUT};

impl Act {
    /// What it is about: a place, a folder, a document.
    pub const fn subject(&self) -> Option<Uuid> {
        self.about
    }
}

impl Closes {
    fn account(account: AccountId) -> Self {
        Self {
            accounts: vec![account],
            sessions: vec![],
            code: CLOSE_REMOVED,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({"accounts": self.accounts, "sessions": self.sessions, "code": self.code})
    }
}

/// The acts on one person's place. `account` is theirs; names and addresses never enter the log.
impl Act {
    fn of_person(
        name: &'static str,
        membership: MembershipId,
        account: AccountId,
        detail: Value,
    ) -> Self {
        Self {
            name,
            about: Some(membership),
            detail,
            topics: people_topics(account),
            closes: None,
        }
    }

    fn closing(mut self, account: AccountId) -> Self {
        self.closes = Some(Closes::account(account));
        self
    }

    pub(crate) fn invited(membership: MembershipId, account: AccountId, roles: &[Role]) -> Self {
        Self::of_person(
            "membership.invited",
            membership,
            account,
            json!({ "roles": codes(roles) }),
        )
    }

    pub(crate) fn reinvited(membership: MembershipId, account: AccountId) -> Self {
        Self::of_person("membership.reinvited", membership, account, json!({}))
    }

    pub(crate) fn role_given(membership: MembershipId, account: AccountId, role: Role) -> Self {
        let detail = json!({ "role": role.code() });
        Self::of_person("membership.role_given", membership, account, detail)
    }

    /// Their sockets end: what they may see has shrunk.
    pub(crate) fn role_dropped(membership: MembershipId, account: AccountId, role: Role) -> Self {
        let detail = json!({ "role": role.code() });
        Self::of_person("membership.role_dropped", membership, account, detail).closing(account)
    }

    pub(crate) fn renamed(membership: MembershipId, account: AccountId) -> Self {
        Self::of_person("membership.renamed", membership, account, json!({}))
    }

    pub(crate) fn address_corrected(membership: MembershipId, account: AccountId) -> Self {
        Self::of_person(
            "membership.address_corrected",
            membership,
            account,
            json!({}),
        )
    }

    pub(crate) fn suspended(membership: MembershipId, account: AccountId, ended: Value) -> Self {
        Self::of_person("membership.suspended", membership, account, ended).closing(account)
    }

    pub(crate) fn restored(membership: MembershipId, account: AccountId) -> Self {
        Self::of_person("membership.restored", membership, account, json!({}))
    }

    pub(crate) fn removed(membership: MembershipId, account: AccountId, ended: Value) -> Self {
        Self::of_person("membership.removed", membership, account, ended).closing(account)
    }

    pub(crate) fn factor_rule_set(rule: &str) -> Self {
        Self {
            name: "tenant.factor_rule_set",
            about: None,
            detail: json!({ "rule": rule }),
            topics: vec!["settings".to_owned()],
            closes: None,
        }
    }
}

/// The acts on the log itself.
impl Act {
    pub(crate) fn exported(from: Option<Date>, to: Option<Date>, rows: i64) -> Self {
        Self {
            name: "audit.exported",
            about: None,
            detail: json!({ "from": from.map(day::field), "to": to.map(day::field), "rows": rows }),
            topics: vec![],
            closes: None,
        }
    }
}

/// The acts on one's own notices: no page of anybody else shows them.
impl Act {
    fn of_oneself(
        name: &'static str,
        own: MembershipId,
        account: AccountId,
        detail: Value,
    ) -> Self {
        Self {
            topics: vec![format!("me/{account}")],
            ..Self::of_person(name, own, account, detail)
        }
    }

    pub(crate) fn notices_seen(own: MembershipId, account: AccountId, count: u64) -> Self {
        Self::of_oneself("notice.seen", own, account, json!({ "count": count }))
    }

    pub(crate) fn notice_choice_set(own: MembershipId, account: AccountId, mail: &str) -> Self {
        Self::of_oneself("notice.choice_set", own, account, json!({ "mail": mail }))
    }

    pub(crate) fn reading_choice_set(own: MembershipId, account: AccountId, shown: bool) -> Self {
        let mut act = Self::of_oneself(
            "reading.choice_set",
            own,
            account,
            json!({ "shown": shown }),
        );
        // Whichever process has somebody's page before it on which they stand, or stood.
        act.topics.push(crate::live::reading_key(account));
        act
    }
}

fn codes(roles: &[Role]) -> Vec<&'static str> {
    roles.iter().map(|role| role.code()).collect()
}
