//! The log as it is checked: every line in order, as the exact texts that were hashed. Read by the auditor's login, which sees
//! all logs and nothing else, or under a caller's own seal.

pub mod shown;

use std::{borrow::Cow, ops::ControlFlow};

use futures::TryStreamExt as _;
use quorate_verify::{Bound, Hash, Id, Line, Point};
use sqlx::PgConnection;
use time::Date;

use crate::{Seq, TenantId};

/// One tenant's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Whose.
    pub tenant: TenantId,
    /// The first part of the tenant's host.
    pub label: String,
    /// The tenant's name.
    pub name: String,
    /// Where the database noted that it ends.
    pub head: Point,
}

/// A tenant as the log writes it.
pub const fn id_of(tenant: TenantId) -> Id {
    Id::from_bytes(*tenant.as_bytes())
}

/// Every tenant's log, by label. As the auditor.
pub async fn logs(connection: &mut PgConnection) -> Result<Vec<Log>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant!", label as "label!", name as "name!", seq as "seq!", hash as "hash!" from sec.logs()"#
    )
    .fetch_all(connection)
    .await?;
    let logs = rows.into_iter().map(|row| Log {
        tenant: row.tenant,
        label: row.label,
        name: row.name,
        head: point(row.seq, &row.hash),
    });
    Ok(logs.collect())
}

/// Where each tenant's log ends, in one question however many there are. As the auditor.
pub async fn heads(connection: &mut PgConnection) -> Result<Vec<(TenantId, Point)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant!", seq as "seq!", hash as "hash!" from sec.heads(null)"#
    )
    .fetch_all(connection)
    .await?;
    let heads = rows
        .into_iter()
        .map(|row| (row.tenant, point(row.seq, &row.hash)));
    Ok(heads.collect())
}

/// Tenants of which there are lines, found by leaping from one to the next. As the auditor.
pub async fn tenants(connection: &mut PgConnection) -> Result<Vec<TenantId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with recursive leap as (
             (select tenant_id from event order by tenant_id limit 1)
             union all
             select (select e.tenant_id from event e where e.tenant_id > l.tenant_id order by e.tenant_id limit 1)
             from leap l where l.tenant_id is not null
           )
           select tenant_id as "tenant!" from leap where tenant_id is not null"#
    )
    .fetch_all(connection)
    .await
}

/// The lines of a tenant after one of them, up to another where that is given, in order and one at a time; `each` may end it
/// early. As the auditor, by COPY: nothing is kept that was handed on.
pub async fn lines(
    connection: &mut PgConnection,
    tenant: TenantId,
    after: Seq,
    until: Option<Seq>,
    mut each: impl FnMut(&Line<'_>) -> ControlFlow<()>,
) -> Result<(), sqlx::Error> {
    // An id and numbers, so the text is safe by construction. A time without end has no number; the line is then not the one
    // that was hashed, which is for the reader to say.
    let until = until.unwrap_or(Seq::MAX);
    let statement = format!(
        "copy (select tenant_id, seq, case when isfinite(at) then (extract(epoch from at) * 1000000)::bigint end, act, actor, about,
           detail::text, topics::text, closes::text, prev, hash
         from event where tenant_id = '{tenant}' and seq > {after} and seq <= {until} order by seq, at) to stdout (format binary)"
    );
    let mut rows = Rows::default();
    let mut goes_on = true;
    let mut pieces = connection.copy_out_raw(&statement).await?;
    // Read to the end even when nobody wants more: a connection that is left within a copy is of no further use.
    while let Some(piece) = pieces.try_next().await? {
        if goes_on {
            rows.take(&piece, |line| {
                goes_on = each(line).is_continue();
                goes_on
            })
            .map_err(|NoRow| sqlx::Error::Protocol("what was copied is no log".to_owned()))?;
        }
    }
    Ok(())
}

/// What PostgreSQL sends of a binary copy, cut into lines.
#[derive(Default)]
struct Rows {
    begun: bool,
    /// What came of a row that is not whole yet.
    rest: Vec<u8>,
}

/// What was sent is no binary copy of the log.
#[derive(Debug, PartialEq, Eq)]
struct NoRow;

/// Begins every binary copy; flags and an extension, whose length comes last, follow.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

impl Rows {
    /// Hands on the lines that are whole by now.
    fn take(&mut self, piece: &[u8], mut each: impl FnMut(&Line<'_>) -> bool) -> Result<(), NoRow> {
        let joined;
        let mut rest = if self.rest.is_empty() {
            piece
        } else {
            self.rest.extend_from_slice(piece);
            joined = std::mem::take(&mut self.rest);
            &joined
        };
        if !self.begun {
            if rest.len() < SIGNATURE.len() + 8 {
                self.rest = rest.to_vec();
                return Ok(());
            }
            rest = rest.strip_prefix(SIGNATURE).ok_or(NoRow)?;
            rest = rest.get(4..).ok_or(NoRow)?;
            if int(&mut rest) != Some(0) {
                return Err(NoRow);
            }
            self.begun = true;
        }
        loop {
            let mut ahead = rest;
            match row(&mut ahead)? {
                Row::Line(line) => {
                    rest = ahead;
                    if !each(&line) {
                        return Ok(());
                    }
                }
                Row::Part => {
                    self.rest = rest.to_vec();
                    return Ok(());
                }
                Row::End => return Ok(()),
            }
        }
    }
}

#[allow(clippy::large_enum_variant, reason = "one at a time, and never kept")]
enum Row<'a> {
    Line(Line<'a>),
    Part,
    End,
}

const FIELDS: usize = 11;

fn row<'a>(rest: &mut &'a [u8]) -> Result<Row<'a>, NoRow> {
    let Some(count) = short(rest) else {
        return Ok(Row::Part);
    };
    if count == -1 {
        return Ok(Row::End);
    }
    if usize::try_from(count) != Ok(FIELDS) {
        return Err(NoRow);
    }
    let mut fields: [Option<&[u8]>; FIELDS] = [None; FIELDS];
    for field in &mut fields {
        let Some(length) = int(rest) else {
            return Ok(Row::Part);
        };
        let Ok(length) = usize::try_from(length) else {
            continue; // -1: null
        };
        let Some((bytes, after)) = rest.split_at_checked(length) else {
            return Ok(Row::Part);
        };
        (*field, *rest) = (Some(bytes), after);
    }
    let [
        tenant,
        seq,
        at,
        act,
        actor,
        about,
        detail,
        topics,
        closes,
        prev,
        hash,
    ] = fields;
    Ok(Row::Line(Line {
        tenant: id(tenant.ok_or(NoRow)?)?,
        seq: long(seq.ok_or(NoRow)?)?,
        at: at.map_or(Ok(i64::MAX), long)?,
        act: text(act.unwrap_or_default())?,
        actor: actor.map(id).transpose()?,
        about: about.map(id).transpose()?,
        detail: text(detail.unwrap_or_default())?,
        topics: text(topics.unwrap_or_default())?,
        closes: closes.map(text).transpose()?,
        prev: hash_of(prev.unwrap_or_default()),
        hash: hash_of(hash.unwrap_or_default()),
    }))
}

fn short(rest: &mut &[u8]) -> Option<i16> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i16::from_be_bytes(*bytes))
}

fn int(rest: &mut &[u8]) -> Option<i32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i32::from_be_bytes(*bytes))
}

fn long(bytes: &[u8]) -> Result<i64, NoRow> {
    bytes.try_into().map(i64::from_be_bytes).map_err(|_| NoRow)
}

fn id(bytes: &[u8]) -> Result<Id, NoRow> {
    bytes.try_into().map(Id::from_bytes).map_err(|_| NoRow)
}

fn text(bytes: &[u8]) -> Result<Cow<'_, str>, NoRow> {
    std::str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|_| NoRow)
}

/// Anything but 32 bytes is the hash of nothing, and the walk says so.
fn hash_of(bytes: &[u8]) -> Hash {
    bytes.try_into().map_or(Hash::ZERO, Hash::from_bytes)
}

fn point(seq: Seq, hash: &[u8]) -> Point {
    Point {
        seq,
        hash: hash_of(hash),
    }
}

/// The lines of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The line before the first; 0 for none.
    pub after: Seq,
    /// The last; where the period holds none, the same as `after`.
    pub until: Seq,
    /// The first moment that belongs to it, where it has a beginning.
    pub from: Option<Bound>,
    /// The first moment after it, where it has an end.
    pub to: Option<Bound>,
}

impl Span {
    /// How many lines it holds.
    pub const fn rows(&self) -> i64 {
        self.until - self.after
    }
}

/// From the first line of a day of the United Kingdom to the last of another. A clock that was set back may leave a line of
/// another day between them: it belongs to the chain, so it belongs to the period.
pub async fn span(
    connection: &mut PgConnection,
    tenant: TenantId,
    from: Option<Date>,
    to: Option<Date>,
) -> Result<Span, sqlx::Error> {
    let row = sqlx::query!(
        r#"select (extract(epoch from $2::date::timestamp at time zone 'Europe/London') * 1000000)::bigint as since,
                  (extract(epoch from ($3::date + 1)::timestamp at time zone 'Europe/London') * 1000000)::bigint as until,
                  (select e.seq from event e where e.tenant_id = $1
                     and ($2::date is null or e.at >= $2::date::timestamp at time zone 'Europe/London') order by e.seq limit 1) as first,
                  (select e.seq from event e where e.tenant_id = $1
                     and ($3::date is null or e.at < ($3::date + 1)::timestamp at time zone 'Europe/London') order by e.seq desc limit 1) as last,
                  (select max(e.seq) from event e where e.tenant_id = $1) as head"#,
        tenant,
        from,
        to
    )
    .fetch_one(connection)
    .await?;
    let after = row
        .first
        .map_or(row.head.unwrap_or(0), |first| first.saturating_sub(1));
    Ok(Span {
        after,
        until: row.last.unwrap_or(0).max(after),
        from: row.since.map(Bound::Moment),
        to: row.until.map(Bound::Moment),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::ConnectOptions as _;

    /// However the pieces are cut, the lines that come of them are the same.
    #[tokio::test]
    async fn a_copy_is_read_in_pieces_of_any_size() {
        let fresh = testing::Fresh::demo().await;
        let mut auditor = fresh
            .options(testing::Role::Auditor)
            .connect()
            .await
            .unwrap();
        let oakfield = logs(&mut auditor)
            .await
            .unwrap()
            .into_iter()
            .find(|log| log.label == "oakfield")
            .unwrap();
        let (tenant, last) = (oakfield.tenant, oakfield.head.seq);
        let mut wanted = Vec::new();
        lines(&mut auditor, tenant, 0, None, |line| {
            wanted.push(line.clone().text());
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
        assert_eq!(i64::try_from(wanted.len()), Ok(last));
        let mut bytes = Vec::new();
        let statement = format!(
            "copy (select tenant_id, seq, (extract(epoch from at) * 1000000)::bigint, act, actor, about, detail::text, topics::text,
               closes::text, prev, hash from event where tenant_id = '{tenant}' order by seq) to stdout (format binary)"
        );
        let mut pieces = auditor.copy_out_raw(&statement).await.unwrap();
        while let Some(piece) = pieces.try_next().await.unwrap() {
            bytes.extend_from_slice(&piece);
        }
        drop(pieces);
        for size in [1, 2, 3, 7, 64, 1_000, bytes.len()] {
            let (mut rows, mut found) = (Rows::default(), Vec::new());
            for piece in bytes.chunks(size) {
                rows.take(piece, |line| {
                    found.push(line.text());
                    true
                })
                .unwrap();
            }
            assert_eq!(found, wanted, "{size}");
        }
        for broken in [&b"PGCOPY\n\xff\r\n\x01\0\0\0\0\0\0\0\0"[..], &[0; 64]] {
            assert_eq!(Rows::default().take(broken, |_| true), Err(NoRow));
        }
        // Ended early, the connection is as good as before.
        let mut seen = 0;
        for _ in 0..2 {
            lines(&mut auditor, tenant, 5, Some(9), |line| {
                assert!((6..=9).contains(&line.seq));
                seen += 1;
                if line.seq == 7 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .await
            .unwrap();
        }
        assert_eq!(seen, 4);
    }
}
