//! Questions and comments on a document, each on a sentence of it or on the whole, and the notes that somebody keeps for themselves.
//!
//! What was asked is never edited: others have read it. Who asked can take it back while nobody has replied.

pub mod asking;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    MembershipId,
    anchor::{Place, Quotation},
    board::Named,
};

/// Longest question, reply or note, in characters.
pub const TEXT_MOST: u16 = 2000;

/// Whether somebody wants to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Waits for an answer.
    Question,
    /// Waits for none.
    Comment,
}

impl Kind {
    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Comment => "comment",
        }
    }

    /// The kind of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Question, Self::Comment]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// Whether it is answered. What was taken back is not shown at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits.
    Open,
    /// By whom and when, RFC 3339 in UTC.
    Answered(Named, String),
}

/// Where something stands in the version that is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// It is about the document as a whole.
    Whole,
    /// On its sentence.
    Here(Place),
    /// Its sentence is not in this version.
    Gone,
    /// Not known: there was no time to look for it here.
    Unknown,
}

/// What was quoted, on which page of the version it was asked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// The words.
    pub quotation: Quotation,
    /// From 1.
    pub page: u32,
}

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What was said.
    pub text: String,
    /// By whom.
    pub by: Named,
    /// When, RFC 3339 in UTC.
    pub at: String,
}

/// A question or comment with all that was replied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Its key.
    pub id: Uuid,
    /// What it is.
    pub kind: Kind,
    /// Whom it was put to; none where everybody who reads the document reads it.
    pub hearers: Option<Vec<Named>>,
    /// What it is about; none where it is about the document as a whole.
    pub quoted: Option<Quoted>,
    /// Where that stands now.
    pub stands: Stands,
    /// What was asked.
    pub text: String,
    /// By whom.
    pub by: Named,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// On which version.
    pub asked_on: u32,
    /// Whether it is answered.
    pub state: State,
    /// The first one first.
    pub replies: Vec<Reply>,
    /// Whether the caller may say that it is answered, and that it is not. A comment waits for no answer.
    pub may_answer: bool,
    /// Whether the caller may take it back.
    pub may_withdraw: bool,
}

/// What somebody keeps for themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its key.
    pub id: Uuid,
    /// What it is about; none where it is about the document as a whole.
    pub quoted: Option<Quoted>,
    /// Where that stands now.
    pub stands: Stands,
    /// What it says.
    pub text: String,
    /// When it was kept, RFC 3339 in UTC.
    pub at: String,
    /// On which version.
    pub kept_on: u32,
}

/// All that the caller reads beside a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Margin {
    /// In the order of the pages they stand on, then those on the whole document and those whose sentence has gone.
    pub threads: Vec<Thread>,
    /// The caller's own, in the same order.
    pub notes: Vec<Note>,
}

/// Whom something is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody who reads the document, now and later.
    Readers,
    /// These people, as long as they read it, and who asked.
    Named(Vec<MembershipId>),
}

/// What comes first in the order of the document.
#[cfg(feature = "db")]
fn order(stands: &Stands) -> (u8, u32, usize) {
    match stands {
        Stands::Here(place) => (0, place.page, place.start),
        Stands::Whole => (1, 0, 0),
        Stands::Unknown => (2, 0, 0),
        Stands::Gone => (3, 0, 0),
    }
}

#[cfg(feature = "db")]
pub use queries::{hearers, list};

#[cfg(feature = "db")]
pub(crate) use placing::{find_questions, keep_found, pages_of, text};

#[cfg(feature = "db")]
mod placing;

#[cfg(feature = "db")]
mod queries {
    use std::collections::HashMap;

    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::{
        Kind, Margin, Note, Quoted, Reply, Stands, State, Thread, order,
        placing::{Seen, stand},
    };
    use crate::{
        Refusal,
        anchor::Quotation,
        board::Named,
        day,
        db::{Read, count, refused},
        document::{Document, Version},
    };

    /// The threads and notes beside a version of a document that the caller reads.
    pub async fn list(
        read: &mut Read,
        document: &Document,
        version: &Version,
    ) -> Result<Margin, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let rows = sqlx::query!(
            r#"select q.id, q.asked_on, q.kind, q.audience, q.body, q.exact, q.prefix, q.suffix, q.page, q.state, q.asked_by,
                      a.name as "by?", q.asked_at as "at: OffsetDateTime", q.answered_by,
                      w.name as "answerer?", q.answered_at as "answered_at: OffsetDateTime"
               from question q
               left join membership a on a.tenant_id = q.tenant_id and a.id = q.asked_by
               left join membership w on w.tenant_id = q.tenant_id and w.id = q.answered_by
               where q.tenant_id = $1 and q.document_id = $2 and q.state <> 'withdrawn'
               order by q.asked_at, q.id"#,
            tenant,
            document.id
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut replies = replies(read, &ids).await?;
        let mut hearers = named(read, &ids).await?;
        let mut threads = Vec::with_capacity(rows.len());
        for row in rows {
            let quoted = quoted(row.exact, row.prefix, row.suffix, row.page)?;
            let replies = replies.remove(&row.id).unwrap_or_default();
            let by = Named {
                id: row.asked_by,
                name: row.by,
            };
            let state = match (row.answered_by, row.answered_at) {
                (Some(id), Some(at)) => State::Answered(
                    Named {
                        id,
                        name: row.answerer,
                    },
                    day::moment(at)?,
                ),
                _ => State::Open,
            };
            let kind = Kind::from_code(&row.kind).ok_or(Refusal::Broken)?;
            threads.push(Thread {
                stands: Stands::Whole,
                id: row.id,
                kind,
                hearers: (row.audience == "named")
                    .then(|| hearers.remove(&row.id).unwrap_or_default()),
                quoted,
                text: row.body,
                at: day::moment(row.at)?,
                asked_on: count(row.asked_on)?,
                may_answer: kind == Kind::Question && (by.id == own || document.folder.files),
                may_withdraw: by.id == own && replies.is_empty() && state == State::Open,
                by,
                state,
                replies,
            });
        }
        let rows = sqlx::query!(
            r#"select id, kept_on, body, exact, prefix, suffix, page, kept_at as "at: OffsetDateTime" from note
               where tenant_id = $1 and document_id = $2 and membership_id = $3 order by kept_at, id"#,
            tenant,
            document.id,
            own
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut notes = Vec::with_capacity(rows.len());
        for row in rows {
            let quoted = quoted(row.exact, row.prefix, row.suffix, row.page)?;
            notes.push(Note {
                id: row.id,
                stands: Stands::Whole,
                quoted,
                text: row.body,
                at: day::moment(row.at)?,
                kept_on: count(row.kept_on)?,
            });
        }
        // All of it at once, since it may take a while.
        let asked = threads.iter().map(|one| (Some(one.id), one.quoted.clone()));
        let kept = notes.iter().map(|one| (None, one.quoted.clone()));
        let wanted = asked.chain(kept).collect();
        let seen = places(read, version.id).await?;
        let mut stands = stand(read, version.id, seen, wanted).await?;
        for (note, stands) in notes.iter_mut().zip(stands.split_off(threads.len())) {
            note.stands = stands;
        }
        for (thread, stands) in threads.iter_mut().zip(stands) {
            thread.stands = stands;
        }
        threads.sort_by_key(|thread| order(&thread.stands));
        notes.sort_by_key(|note| order(&note.stands));
        Ok(Margin { threads, notes })
    }

    /// Who can be asked by name: who reads the folder, and where it is open its clerks; not the caller.
    pub async fn hearers(read: &mut Read, folder: Uuid) -> Result<Vec<Named>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let rows = sqlx::query!(
            r#"select m.id, m.name from membership m
               where m.tenant_id = $1 and m.state = 'active' and m.id <> $3 and (
                 m.id in (select r.membership_id from sec.folder_readers($2) r)
                 or ('clerk' = any (m.roles) and exists (
                   select from folder f where f.tenant_id = m.tenant_id and f.id = $2 and not f.restricted)))
               order by lower(m.name), m.id"#,
            tenant,
            folder,
            own
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        Ok(rows
            .into_iter()
            .map(|row| Named {
                id: row.id,
                name: Some(row.name),
            })
            .collect())
    }

    async fn replies(
        read: &mut Read,
        questions: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<Reply>>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select r.question_id, r.body, r.by_id, m.name as "by?", r.at as "at: OffsetDateTime"
               from question_reply r left join membership m on m.tenant_id = r.tenant_id and m.id = r.by_id
               where r.tenant_id = $1 and r.question_id = any ($2) order by r.at, r.id"#,
            tenant,
            questions
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut all: HashMap<Uuid, Vec<Reply>> = HashMap::new();
        for row in rows {
            all.entry(row.question_id).or_default().push(Reply {
                text: row.body,
                by: Named {
                    id: row.by_id,
                    name: row.by,
                },
                at: day::moment(row.at)?,
            });
        }
        Ok(all)
    }

    async fn named(
        read: &mut Read,
        questions: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<Named>>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select h.question_id, h.membership_id, m.name as "name?"
               from question_hearer h left join membership m on m.tenant_id = h.tenant_id and m.id = h.membership_id
               where h.tenant_id = $1 and h.question_id = any ($2) order by lower(m.name), h.membership_id"#,
            tenant,
            questions
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut all: HashMap<Uuid, Vec<Named>> = HashMap::new();
        for row in rows {
            all.entry(row.question_id).or_default().push(Named {
                id: row.membership_id,
                name: row.name,
            });
        }
        Ok(all)
    }

    /// What was found when the version came.
    async fn places(read: &mut Read, version: Uuid) -> Result<HashMap<Uuid, Seen>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            "select question_id, page, starts, ends, exact, prefix, suffix from question_place
             where tenant_id = $1 and version_id = $2",
            tenant,
            version
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                let quoted = quoted(row.exact, row.prefix, row.suffix, row.page)?;
                let seen = Seen::of(quoted, row.starts, row.ends)?;
                Ok((row.question_id, seen))
            })
            .collect()
    }

    fn quoted(
        exact: Option<String>,
        prefix: Option<String>,
        suffix: Option<String>,
        page: Option<i32>,
    ) -> Result<Option<Quoted>, Refusal> {
        let (Some(exact), Some(page)) = (exact, page) else {
            return Ok(None);
        };
        Ok(Some(Quoted {
            quotation: Quotation {
                exact,
                prefix: prefix.unwrap_or_default(),
                suffix: suffix.unwrap_or_default(),
            },
            page: count(page)?,
        }))
    }
}

/// What it means to a person that a constraint of these tables was violated; none for those of other tables.
#[cfg(feature = "db")]
pub(crate) fn refusal_of(constraint: &str) -> Option<crate::Refusal> {
    use crate::Refusal;
    Some(match constraint {
        "question_body_shape" | "question_reply_body_shape" | "note_body_shape" => {
            Refusal::QuestionText
        }
        "question_exact_shape"
        | "question_around_shape"
        | "note_exact_shape"
        | "note_around_shape" => Refusal::Quotation,
        "question_asker" => Refusal::NotAllowed,
        "question_answerer" => Refusal::NotAnswerer,
        "question_unreplied" => Refusal::Replied,
        "question_few" => Refusal::ManyQuestions,
        "note_few" => Refusal::ManyNotes,
        // Somebody else was a moment earlier.
        "question_step"
        | "question_reply_of_asked"
        | "question_hearer_once"
        | "question_place_once" => Refusal::Stale,
        // What was pointed at is not there.
        "question_version_fkey"
        | "question_asked_by_fkey"
        | "question_answered_by_fkey"
        | "question_hearer_question_fkey"
        | "question_hearer_membership_fkey"
        | "question_reply_question_fkey"
        | "question_reply_by_fkey"
        | "question_place_question_fkey"
        | "question_place_version_fkey"
        | "note_version_fkey"
        | "note_membership_fkey" => Refusal::NotFound,
        _ => return None,
    })
}

#[cfg(all(test, feature = "db"))]
mod tests {
    use super::refusal_of;

    #[tokio::test]
    async fn every_constraint_of_a_question_has_a_sentence() {
        let fresh = testing::Fresh::empty().await;
        let mut behind = fresh.behind().await;
        let constraints: Vec<String> = sqlx::query_scalar(
            "select conname::text from pg_constraint
             where conrelid = any (array['question', 'question_hearer', 'question_reply', 'question_place', 'note']::regclass[])
               and contype not in ('n', 'p', 't')
             union all
             select m[1] from pg_proc, regexp_matches(prosrc, 'constraint = ''(\\w+)''', 'g') m
             where oid = any (array['sec.question_steps()', 'sec.question_reply_fits()', 'sec.question_few()', 'sec.note_few()']::regprocedure[])",
        )
        .fetch_all(&mut *behind)
        .await
        .unwrap();
        assert!(constraints.len() > 30, "{constraints:#?}");
        let mut mute: Vec<_> = constraints
            .iter()
            .filter(|name| refusal_of(name).is_none() && !name.ends_with("_known"))
            .map(String::as_str)
            .collect();
        mute.sort_unstable();
        // What nobody types: the server makes it, and a fault there is ours.
        let made = [
            "note_page_positive",
            "note_quotation_whole",
            "question_answer_whole",
            "question_page_positive",
            "question_place_on_page",
            "question_place_text_fits",
            "question_place_whole",
            "question_quotation_whole",
        ];
        assert_eq!(mute, made);
    }
}
