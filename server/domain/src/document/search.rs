//! Finding documents by their titles, tags and text. What the caller does not read is not found, not counted and not quoted.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::State;
use crate::{approval::Last, file::Division};

/// Most documents found at once.
pub const FOUND_MOST: usize = 50;

/// One part of a quotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The words.
    pub text: String,
    /// Whether they were looked for.
    pub hit: bool,
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its key.
    pub document: Uuid,
    /// What it is called.
    pub title: String,
    /// The folder it lies in.
    pub folder: String,
    /// Whether it is in use.
    pub state: State,
    /// How it stands with its approval; none where nothing was asked.
    pub approval: Option<Last>,
    /// The page that fits best, where the words stand in its text.
    pub page: Option<u32>,
    /// What it is divided into.
    pub division: Division,
    /// A quotation from that page.
    pub snippet: Vec<Part>,
}

/// A quotation as the database marks it: U+0002 before what was looked for, U+0003 after it.
pub fn parts(snippet: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut push = |text: &str, hit| {
        let text: String = text
            .chars()
            .filter(|c| !matches!(c, '\u{2}' | '\u{3}'))
            .collect();
        if !text.is_empty() {
            parts.push(Part { text, hit });
        }
    };
    for (n, piece) in snippet.split('\u{2}').enumerate() {
        match piece.split_once('\u{3}') {
            Some((hit, rest)) if n > 0 => {
                push(hit, true);
                push(rest, false);
            }
            _ => push(piece, false),
        }
    }
    parts
}

#[cfg(feature = "db")]
pub use queries::find;

#[cfg(feature = "db")]
mod queries {
    use super::{FOUND_MOST, Found, State, parts};
    use crate::{
        Refusal,
        approval::Last,
        db::{Read, refused},
        file::Kind,
    };

    /// The documents in use, or out of use and kept, whose title, tags or text fit the words: those whose title does first.
    pub async fn find(read: &mut Read, words: &str) -> Result<Vec<Found>, Refusal> {
        let tenant = read.standing.tenant;
        let words = words.trim();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let most = i64::try_from(FOUND_MOST).unwrap_or(50);
        let rows = sqlx::query!(
            r#"with hit as materialized (select * from sec.search($2, $3)),
               titled as (
                 select d.id from document d
                 where d.tenant_id = $1 and d.state <> 'binned' and (
                   to_tsvector('english', d.title || ' ' || array_to_string(d.tags, ' ')) @@ websearch_to_tsquery('english', $2)
                   or strpos(lower(d.title), lower($2)) > 0))
               select d.id, d.title, f.name as folder, d.state, v.format, hit.page as "page?", hit.snippet as "snippet?",
                      q.state as "approval?", q.number as "asked?", q.same_bytes as "same_bytes?"
               from document d
               join folder f on f.tenant_id = d.tenant_id and f.id = d.folder_id
               join version v on v.tenant_id = d.tenant_id and v.document_id = d.id and v.number = d.newest
               left join lateral (
                 select a.state, w.number, a.sha256 = v.sha256 as same_bytes from approval a
                 join version w on w.tenant_id = a.tenant_id and w.id = a.version_id
                 where a.tenant_id = d.tenant_id and a.document_id = d.id and a.state <> 'withdrawn'
                 order by (a.sha256 = v.sha256 and a.state <> 'stale') desc, a.asked_at desc, a.id desc limit 1) q on true
               left join hit on hit.document_id = d.id
               left join titled on titled.id = d.id
               where d.tenant_id = $1 and (hit.document_id is not null or titled.id is not null)
               order by titled.id is null, hit.rank desc nulls last, lower(d.title), d.id limit $4"#,
            tenant,
            words,
            i32::try_from(FOUND_MOST).unwrap_or(50),
            most
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Found {
                    document: row.id,
                    title: row.title,
                    folder: row.folder,
                    state: State::from_code(&row.state).ok_or(Refusal::Broken)?,
                    approval: Last::of(row.approval.as_deref(), row.asked, row.same_bytes)?,
                    page: row.page.and_then(|page| u32::try_from(page).ok()),
                    division: Kind::from_code(&row.format)
                        .map(Kind::division)
                        .unwrap_or_default(),
                    snippet: parts(&row.snippet.unwrap_or_default()),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_says_which_words_were_looked_for() {
        let text = |parts: Vec<Part>| {
            parts
                .into_iter()
                .map(|part| (part.text, part.hit))
                .collect::<Vec<_>>()
        };
        let hit = |text: &str| (text.to_owned(), true);
        let rest = |text: &str| (text.to_owned(), false);
        assert_eq!(
            text(parts("a \u{2}suspension\u{3} of more")),
            [rest("a "), hit("suspension"), rest(" of more")]
        );
        assert_eq!(text(parts("\u{2}a\u{3}\u{2}b\u{3}")), [hit("a"), hit("b")]);
        // Marks that stand in a document's own text are no marks.
        assert_eq!(text(parts("a\u{3}b")), [rest("ab")]);
        assert_eq!(text(parts("")), []);
    }
}
