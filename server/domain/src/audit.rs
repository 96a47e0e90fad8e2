//! The log as people read it: who did what, about whom and when, newest first, and one entry whole, as a receipt. For clerks
//! and administrators; to everybody else there is no log.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Date;

use crate::{MembershipId, Seq};

/// Entries on one page.
pub const PAGE: usize = 50;

/// What kind of thing an act is, as one looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Who belongs to the school, and as what.
    People,
    /// The board: seats, terms of office, committees, interests.
    Board,
    /// Signing in and out, passwords, second steps.
    SignIn,
    /// Letters that came back, and how somebody wants to be written to.
    Mail,
    /// Folders and documents.
    Library,
    /// Pupils, who teaches them, and whose children they are.
    Pupils,
    /// What is recorded about pupils, and what parents are shown of it.
    Records,
    /// The school's own settings.
    Settings,
    /// The log itself: who took a copy of it.
    Log,
}

/// Most nouns of one kind: the query has a place for each.
#[cfg(any(test, feature = "db"))]
const NOUNS_MOST: usize = 8;

impl Kind {
    /// Every kind, in the order in which pages list them.
    pub const ALL: &[Self] = &[
        Self::People,
        Self::Board,
        Self::SignIn,
        Self::Mail,
        Self::Library,
        Self::Pupils,
        Self::Records,
        Self::Settings,
        Self::Log,
    ];

    /// As sent in forms and addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Board => "board",
            Self::SignIn => "sign_in",
            Self::Mail => "mail",
            Self::Library => "library",
            Self::Pupils => "pupils",
            Self::Records => "records",
            Self::Settings => "settings",
            Self::Log => "log",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::People => "People",
            Self::Board => "Board",
            Self::SignIn => "Signing in",
            Self::Mail => "Mail",
            Self::Library => "Papers",
            Self::Pupils => "Pupils",
            Self::Records => "Wellbeing records",
            Self::Settings => "Settings",
            Self::Log => "The log",
        }
    }

    /// The kind of a code; none for a code that is not in the list.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }

    /// What stands before the first dot of its acts.
    const fn nouns(self) -> &'static [&'static str] {
        match self {
            Self::People => &["membership", "contact"],
            Self::Board => &[
                "seat",
                "term",
                "committee",
                "declaration",
                "dbs_check",
                "training",
                "board",
            ],
            Self::SignIn => &["session", "password", "factor", "reset", "account"],
            Self::Mail => &["mail", "notice"],
            Self::Library => &[
                "folder", "document", "approval", "reading", "question", "note",
            ],
            Self::Pupils => &[
                "pupil",
                "group",
                "caseload",
                "guardian",
                "restriction",
                "tag",
                "roster",
                "access",
            ],
            Self::Records => &["record", "statement", "picture"],
            Self::Settings => &["tenant", "field", "duty"],
            Self::Log => &["audit"],
        }
    }

    /// The kind of an act; none for an act that no kind holds.
    pub fn of(act: &str) -> Option<Self> {
        let noun = act.split('.').next().unwrap_or_default();
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.nouns().contains(&noun))
    }
}

/// Which entries are asked for; everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Done by this person.
    pub by: Option<MembershipId>,
    /// Done to this person.
    pub about: Option<MembershipId>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// On this day of the United Kingdom or later.
    pub from: Option<Date>,
    /// On this day of the United Kingdom or earlier.
    pub to: Option<Date>,
}

/// Somebody in the log, by the name they have now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Their name; "Quorate" for what nobody did by hand.
    pub name: String,
    /// Their place here.
    pub id: Option<MembershipId>,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the log.
    pub seq: Seq,
    /// RFC 3339 in UTC.
    pub at: String,
    /// The act, as in the log.
    pub act: String,
    /// Who did it.
    pub by: Who,
    /// To whom it was done; none where it was not done to a person.
    pub about: Option<Who>,
    /// Its hash, in hexadecimal: what a receipt carries and `quorate-verify --head` takes.
    pub hash: String,
}

/// A page of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// Newest first, at most [`PAGE`].
    pub entries: Vec<Entry>,
    /// Where the next older page begins (`before`); none where there is none.
    pub older: Option<Seq>,
}

/// One line of the log, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryDetail {
    /// As in the timeline.
    pub entry: Entry,
    /// The hash of the line before it, in hexadecimal.
    pub prev: String,
    /// All that was recorded: ids, codes and dates, never a name.
    pub detail: Value,
    /// What ended with it, where it was a removal or a suspension.
    pub receipt: Option<Receipt>,
}

/// What a removal or a suspension ended; `sec.revoke` counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Sessions, with their sockets.
    pub sessions: u32,
    /// Invitations not yet accepted.
    pub invitations: u32,
    /// Password links not yet used.
    pub resets: u32,
    /// Letters with one of these links that still waited to be sent.
    pub letters: u32,
    /// Ways over from another school's host, not yet taken.
    pub tickets: u32,
    /// Terms of office that were running or had not begun.
    pub terms: u32,
    /// Places on committees.
    pub committees: u32,
}

impl Receipt {
    /// Of an act and its detail; none where the act ends nothing of a person's.
    pub fn of(act: &str, detail: &Value) -> Option<Self> {
        if !matches!(act, "membership.removed" | "membership.suspended") {
            return None;
        }
        let count = |what: &str| match &detail[what] {
            Value::Array(list) => u32::try_from(list.len()).unwrap_or(u32::MAX),
            one => one
                .as_u64()
                .map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX)),
        };
        Some(Self {
            sessions: count("sessions"),
            invitations: count("invitations"),
            resets: count("resets"),
            letters: count("letters"),
            tickets: count("tickets"),
            terms: count("terms"),
            committees: count("committees"),
        })
    }
}

#[cfg(feature = "db")]
pub use queries::{entry, export, readers_only, timeline};

#[cfg(feature = "db")]
mod queries {
    use serde_json::Value;
    use time::{Date, OffsetDateTime};
    use uuid::Uuid;

    use super::{Entry, EntryDetail, Filter, NOUNS_MOST, PAGE, Receipt, Timeline, Who};
    use crate::{
        MembershipId, Refusal, Seq, day,
        db::{Read, Standing, Write, refused},
        event::Act,
        text,
        trail::{self, Span},
    };

    /// The newest entries of the caller's own school that the filter lets through, before `before` where that is given.
    ///
    /// Refuses [`Refusal::NotFound`] to everybody but clerks and administrators.
    pub async fn timeline(
        read: &mut Read,
        filter: &Filter,
        before: Option<Seq>,
    ) -> Result<Timeline, Refusal> {
        readers_only(&read.standing)?;
        let tenant = read.standing.tenant;
        let prefixes: Option<Vec<String>> = filter.kind.map(|kind| {
            let nouns = kind.nouns().iter().take(NOUNS_MOST);
            nouns.map(|noun| format!("{noun}.")).collect()
        });
        let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
        // A filter that is not set falls away only when the query is planned for its values: a plan that serves all of them
        // would use no index. A place of the list that is not filled is null, and falls away too.
        sqlx::query!("select set_config('plan_cache_mode', 'force_custom_plan', true) as mode")
            .fetch_one(read.connection())
            .await
            .map_err(refused)?;
        let rows = sqlx::query_as!(
            Row,
            r#"select e.seq, e.at as "at: OffsetDateTime", e.act, e.actor, e.about as subject, e.prev, e.hash, null::jsonb as detail,
                      actor.id as "by_id?", actor.name as "by_name?", about.name as "about_name?"
               from event e
               left join membership actor on actor.tenant_id = e.tenant_id and actor.account_id = e.actor
               left join membership about on about.tenant_id = e.tenant_id and about.id = e.about
               where e.tenant_id = $1
                 and ($2::bigint is null or e.seq < $2)
                 and ($3::uuid is null or e.actor = (select m.account_id from membership m where m.tenant_id = $1 and m.id = $3))
                 and ($4::uuid is null or e.about = $4)
                 and ($5::text[] is null
                   or e.act ^@ ($5::text[])[1] or e.act ^@ ($5::text[])[2] or e.act ^@ ($5::text[])[3] or e.act ^@ ($5::text[])[4]
                   or e.act ^@ ($5::text[])[5] or e.act ^@ ($5::text[])[6] or e.act ^@ ($5::text[])[7] or e.act ^@ ($5::text[])[8])
                 and ($6::date is null or e.at >= $6::timestamp at time zone 'Europe/London')
                 and ($7::date is null or e.at < ($7 + 1)::timestamp at time zone 'Europe/London')
               order by e.seq desc limit $8"#,
            tenant,
            before,
            filter.by,
            filter.about,
            prefixes.as_deref(),
            filter.from,
            filter.to,
            most
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let more = rows.len() > PAGE;
        let entries: Vec<Entry> = rows
            .into_iter()
            .take(PAGE)
            .map(Row::entry)
            .collect::<Result<_, _>>()?;
        let older = entries.last().filter(|_| more).map(|last| last.seq);
        Ok(Timeline { entries, older })
    }

    /// One entry with everything that was recorded of it. Refuses [`Refusal::NotFound`] as [`timeline`] does, and where the
    /// log is not that long.
    pub async fn entry(read: &mut Read, seq: Seq) -> Result<EntryDetail, Refusal> {
        readers_only(&read.standing)?;
        let tenant = read.standing.tenant;
        let row = sqlx::query_as!(
            Row,
            r#"select e.seq, e.at as "at: OffsetDateTime", e.act, e.actor, e.about as subject, e.prev, e.hash, e.detail as "detail?",
                      actor.id as "by_id?", actor.name as "by_name?", about.name as "about_name?"
               from event e
               left join membership actor on actor.tenant_id = e.tenant_id and actor.account_id = e.actor
               left join membership about on about.tenant_id = e.tenant_id and about.id = e.about
               where e.tenant_id = $1 and e.seq = $2"#,
            tenant,
            seq
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let (prev, detail) = (text::hex(&row.prev), row.detail.clone().unwrap_or_default());
        Ok(EntryDetail {
            receipt: Receipt::of(&row.act, &detail),
            entry: row.entry()?,
            prev,
            detail,
        })
    }

    /// The lines of a period, to be taken away, and the act that says so in the log itself. A day that is not given is the
    /// first or the last there is.
    ///
    /// Refuses [`Refusal::NotFound`] as [`timeline`] does, and [`Refusal::Period`] where the last day lies before the first.
    pub async fn export(
        write: &mut Write,
        from: Option<Date>,
        to: Option<Date>,
    ) -> Result<(Span, Act), Refusal> {
        readers_only(&write.standing)?;
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            return Err(Refusal::Period);
        }
        let tenant = write.standing.tenant;
        let span = trail::span(write.connection(), tenant, from, to)
            .await
            .map_err(refused)?;
        Ok((span, Act::exported(from, to, span.rows())))
    }

    /// As the row policy has it: where it would answer with nothing, nothing is there.
    pub fn readers_only(standing: &Standing) -> Result<(), Refusal> {
        if standing.roles.iter().any(|role| role.manages_people()) {
            Ok(())
        } else {
            Err(Refusal::NotFound)
        }
    }

    struct Row {
        seq: Seq,
        at: OffsetDateTime,
        act: String,
        actor: Option<Uuid>,
        subject: Option<Uuid>,
        prev: Vec<u8>,
        hash: Vec<u8>,
        detail: Option<Value>,
        by_id: Option<MembershipId>,
        by_name: Option<String>,
        about_name: Option<String>,
    }

    impl Row {
        fn entry(self) -> Result<Entry, Refusal> {
            let by = match (self.actor, self.by_name) {
                (None, _) => "Quorate".to_owned(),
                (Some(_), Some(name)) => name,
                // Nobody acts here without a place here, and a place is never deleted.
                (Some(_), None) => "Somebody unknown".to_owned(),
            };
            Ok(Entry {
                seq: self.seq,
                at: day::moment(self.at)?,
                act: self.act,
                by: Who {
                    name: by,
                    id: self.by_id,
                },
                about: self.about_name.map(|name| Who {
                    name,
                    id: self.subject,
                }),
                hash: text::hex(&self.hash),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_has_its_code_and_fits_the_query() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
            assert!(!kind.nouns().is_empty() && kind.nouns().len() <= NOUNS_MOST);
            for noun in kind.nouns() {
                assert_eq!(Kind::of(&format!("{noun}.done")), Some(*kind));
            }
        }
        assert_eq!(Kind::from_code("members"), None);
        // A noun and not the beginning of one.
        assert_eq!(Kind::of("memberships.counted"), None);
    }

    #[test]
    fn a_removal_has_a_receipt_and_an_invitation_has_none() {
        let detail = json!({"sessions": ["a", "b"], "invitations": 1, "resets": 0, "tickets": 3, "terms": 1});
        let wanted = Receipt {
            sessions: 2,
            invitations: 1,
            tickets: 3,
            terms: 1,
            ..Receipt::default()
        };
        assert_eq!(Receipt::of("membership.removed", &detail), Some(wanted));
        assert_eq!(Receipt::of("membership.suspended", &detail), Some(wanted));
        assert_eq!(Receipt::of("membership.invited", &detail), None);
        assert_eq!(
            Receipt::of("membership.removed", &json!({})),
            Some(Receipt::default())
        );
    }
}
