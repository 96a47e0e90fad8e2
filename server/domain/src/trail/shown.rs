//! The log under a caller's own seal, to be taken away: what they read, and in its place what they may only know to be there.

use std::borrow::Cow;

use quorate_verify::{Id, Line, Withheld};

use super::{hash_of, id_of};
use crate::{
    Refusal, Seq,
    db::{Read, refused},
};

/// A line of one's own log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "nearly all are the large one")]
pub enum Row {
    /// Whole.
    Line(Line<'static>),
    /// About a folder that the caller does not read.
    Withheld(Withheld),
}

impl Row {
    /// Its place.
    pub const fn seq(&self) -> Seq {
        match self {
            Self::Line(line) => line.seq,
            Self::Withheld(line) => line.seq,
        }
    }
}

/// The next lines of the caller's own log, `most` of them, under the caller's own seal.
pub async fn next(read: &mut Read, after: Seq, until: Seq, most: i64) -> Result<Vec<Row>, Refusal> {
    let tenant = read.standing.tenant;
    let until = until.min(after.saturating_add(most));
    let rows = sqlx::query!(
        r#"select e.seq, (extract(epoch from e.at) * 1000000)::bigint as "at!", e.act, e.actor, e.about, e.detail::text as "detail!",
                  e.topics::text as "topics!", e.closes::text, e.prev, e.hash
           from event e
           where e.tenant_id = $1 and e.seq > $2 and e.seq <= $3
           order by e.seq"#,
        tenant,
        after,
        until
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    let mut lines: Vec<Row> = rows
        .into_iter()
        .map(|row| {
            Row::Line(Line {
                tenant: id_of(tenant),
                seq: row.seq,
                at: row.at,
                act: row.act.into(),
                actor: row.actor.map(|id| Id::from_bytes(id.into_bytes())),
                about: row.about.map(|id| Id::from_bytes(id.into_bytes())),
                detail: row.detail.into(),
                topics: row.topics.into(),
                closes: row.closes.map(Cow::Owned),
                prev: hash_of(&row.prev),
                hash: hash_of(&row.hash),
            })
        })
        .collect();
    let withheld = sqlx::query!(
        r#"select seq as "seq!", prev as "prev!", hash as "hash!" from sec.withheld($1, $2)"#,
        after,
        until
    )
    .fetch_all(read.connection())
    .await
    .map_err(refused)?;
    lines.extend(withheld.into_iter().map(|row| {
        Row::Withheld(Withheld {
            tenant: id_of(tenant),
            seq: row.seq,
            prev: hash_of(&row.prev),
            hash: hash_of(&row.hash),
        })
    }));
    lines.sort_by_key(Row::seq);
    Ok(lines)
}
