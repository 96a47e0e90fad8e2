//! A copy of the log to take away, which `quorate-verify` checks without us: to clerks and administrators as a download, to
//! whoever runs the installation from the command line.

use std::{
    fs::File,
    io::{self, BufReader, Take},
    iter::{Flatten, Peekable},
    option,
    time::Duration,
};

use app::door::Host;
use axum::{
    Extension, Form, Router,
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use domain::{
    Refusal, TenantId, audit, day,
    db::{Caller, Db},
    trail::{self, Span, id_of, shown::Row},
};
use futures::StreamExt as _;
use quorate_verify::{
    Break, Checkpoint, Checkpoints, FORMAT, Failure, Header, Line, Point, Record, Signer, Source,
    VERSION, Walk, Why, Withheld, Writer,
};
use serde::Deserialize;
use time::{Date, OffsetDateTime};
use tokio::sync::mpsc;

use crate::{
    checkpoint::{Folder, micros},
    clock,
    router::Site,
    session::IntoPage,
};

/// Lines read at once, each time under the caller's seal: between two reads nothing of the database is held.
const PAGE: i64 = 500;
/// Pieces that wait for a reader who is slower than we are.
const AHEAD: usize = 2;
/// Longest that a reader may take for a piece.
const PATIENCE: Duration = Duration::from_mins(1);

/// What an export is signed with, and where the checkpoints are that go into it.
#[derive(Clone, Debug)]
pub struct Notary {
    /// Signs it.
    pub signer: Signer,
    /// The checkpoints so far.
    pub folder: Folder,
    /// The wall clock.
    pub clock: fn() -> OffsetDateTime,
}

type Kept = Peekable<Flatten<option::IntoIter<Checkpoints<BufReader<Take<File>>>>>>;

/// Makes an export of the lines it is given, from the nearest checkpoint before the period on. It signs the end only when
/// every line on the way was whole and led to every checkpoint that lies there.
pub struct Export {
    header: Option<Header>,
    after: i64,
    until: i64,
    writer: Writer,
    walk: Walk,
    /// The line that was given last, whole or not.
    stored: Point,
    kept: Kept,
    broken: Option<Failure>,
    signer: Signer,
}

impl Export {
    /// Of a period of a tenant's log. The lines to give it are those after [`Export::begins_after`].
    pub fn new(notary: &Notary, tenant: TenantId, name: &str, span: &Span) -> Self {
        let mut broken = None;
        let kept = notary
            .folder
            .read(tenant, u64::MAX)
            .unwrap_or_else(|error| {
                broken = Some(error.into());
                None
            });
        let mut kept: Kept = kept.into_iter().flatten().peekable();
        let mut nearest: Option<Checkpoint> = None;
        while let Some(before) = kept.next_if(|one| matches!(one, Ok(one) if one.seq <= span.after))
        {
            nearest = before.ok();
        }
        let checked = nearest
            .as_ref()
            .map_or(Ok(()), |one| checked(one, tenant, &notary.signer));
        let anchor = match checked {
            Ok(()) => nearest.map_or(Point::START, |one| one.point()),
            Err(found) => {
                broken.get_or_insert(found.into());
                Point::START
            }
        };
        Self {
            header: Some(Header {
                format: FORMAT.to_owned(),
                version: VERSION,
                tenant: id_of(tenant),
                name: name.to_owned(),
                made: micros((notary.clock)()),
                from: span.from,
                to: span.to,
                key: notary.signer.public(),
                after: anchor,
            }),
            after: span.after,
            until: span.until,
            writer: Writer::default(),
            walk: Walk::after(id_of(tenant), anchor),
            stored: anchor,
            kept,
            broken,
            signer: notary.signer.clone(),
        }
    }

    /// The checkpoint from which the lines are walked over.
    pub const fn begins_after(&self) -> i64 {
        self.walk.here().seq
    }

    /// Takes the next line, and adds what comes of it to what was written.
    pub fn take(&mut self, line: &Line<'_>, out: &mut Vec<u8>) {
        let (seq, hash) = (line.seq, line.hash);
        let stepped = if self.broken.is_none() {
            self.walk.step(line)
        } else {
            Ok(())
        };
        self.put(
            stepped,
            Point { seq, hash },
            &Record::Event(line.clone()),
            out,
        );
    }

    /// Takes the next line, of which the caller may know only that it is there.
    pub fn pass(&mut self, line: Withheld, out: &mut Vec<u8>) {
        let (seq, hash) = (line.seq, line.hash);
        let stepped = if self.broken.is_none() {
            self.walk.pass(&line)
        } else {
            Ok(())
        };
        self.put(stepped, Point { seq, hash }, &Record::Withheld(line), out);
    }

    fn put(
        &mut self,
        stepped: Result<(), Break>,
        line: Point,
        record: &Record<'_>,
        out: &mut Vec<u8>,
    ) {
        if let Err(found) = stepped {
            self.broken = Some(found.into());
        }
        if line.seq > self.after {
            self.put_header(out);
            out.extend(self.writer.line(record));
        }
        self.stored = line;
        while let Some(checkpoint) = self
            .kept
            .next_if(|one| !matches!(one, Ok(one) if one.seq > line.seq))
        {
            match checkpoint {
                Ok(checkpoint) => {
                    self.meet(&checkpoint);
                    if line.seq > self.after {
                        out.extend(self.writer.line(&Record::Checkpoint(checkpoint)));
                    }
                }
                Err(error) => {
                    self.broken.get_or_insert(error.into());
                }
            }
        }
    }

    fn meet(&mut self, checkpoint: &Checkpoint) {
        if self.broken.is_some() {
            return;
        }
        let here = self.walk.here();
        let found = if checkpoint.point() == here {
            let tenant = TenantId::from_bytes(*checkpoint.tenant.bytes());
            checked(checkpoint, tenant, &self.signer).err()
        } else {
            Some(Break {
                seq: checkpoint.seq,
                why: Why::Otherwise(Source::Signed, 0),
            })
        };
        self.broken = found.map(Into::into);
    }

    fn put_header(&mut self, out: &mut Vec<u8>) {
        if let Some(mut header) = self.header.take() {
            header.after = self.stored;
            out.extend(self.writer.line(&Record::Header(header)));
        }
    }

    /// Writes the end, signed at this moment. Why it is not signed, where it is not.
    pub fn end(mut self, at: OffsetDateTime, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.put_header(out);
        let here = self.walk.here();
        if self.broken.is_none() && here.seq < self.until {
            let missing = Break {
                seq: here.seq + 1,
                why: Why::Missing(None),
            };
            self.broken = Some(missing.into());
        }
        match self.broken {
            None => {
                if self.until > self.after {
                    let tenant = self.walk.tenant();
                    let signed = self.signer.sign(tenant, here, micros(at));
                    out.extend(self.writer.line(&Record::Checkpoint(signed)));
                }
                out.extend(self.writer.end(Some(&self.signer)));
                Ok(())
            }
            Some(broken) => {
                out.extend(self.writer.end(None));
                Err(broken)
            }
        }
    }
}

fn checked(checkpoint: &Checkpoint, tenant: TenantId, signer: &Signer) -> Result<(), Break> {
    if checkpoint.tenant != id_of(tenant) {
        return Err(Break {
            seq: checkpoint.seq,
            why: Why::ForeignCheckpoint,
        });
    }
    checkpoint.check(&signer.public())
}

/// The route. What it gives nobody else gets: to whoever may not read the log it does not exist.
pub fn route(notary: Notary) -> Router<Site> {
    Router::new().route("/audit/export", post(download).layer(Extension(notary)))
}

#[derive(Deserialize)]
struct Period {
    from: String,
    to: String,
}

async fn download(
    State(site): State<Site>,
    Extension(host): Extension<Host>,
    Extension(notary): Extension<Notary>,
    caller: Option<Extension<Caller>>,
    period: Result<Form<Period>, axum::extract::rejection::FormRejection>,
) -> Response {
    let Some(Extension(caller)) = caller else {
        return Refusal::NotFound.into_page();
    };
    match begin(&site.services.db, &caller, &host, notary, period.ok()).await {
        Ok(response) => response,
        Err(Refusal::SignedOut | Refusal::NotFound) => Refusal::NotFound.into_page(),
        Err(refusal) => refusal.into_page(),
    }
}

/// Records that a copy is taken, and only then begins to give it out.
async fn begin(
    db: &Db,
    caller: &Caller,
    host: &Host,
    notary: Notary,
    period: Option<Form<Period>>,
) -> Result<Response, Refusal> {
    let mut write = db.write(caller).await?;
    audit::readers_only(&write.standing)?;
    let Form(Period { from, to }) = period.ok_or(Refusal::DateFormat)?;
    let (from, to) = (day_of(&from)?, day_of(&to)?);
    let (span, act) = audit::export(&mut write, from, to).await?;
    write.commit(act).await?;

    let today = || day::today(clock::unix_seconds());
    let name = format!(
        "quorate-{}-log-{}-{}.jsonl",
        host.label,
        from.map_or_else(|| "beginning".to_owned(), day::field),
        day::field(to.unwrap_or_else(today))
    );
    let (tenant, place) = (caller.tenant, host.name.clone());
    let now = notary.clock;
    let export = tokio::task::spawn_blocking(move || Export::new(&notary, tenant, &place, &span))
        .await
        .map_err(|_| Refusal::Broken)?;
    let (send, pieces) = mpsc::channel(AHEAD);
    tokio::spawn(give(db.clone(), caller.clone(), export, span, now, send));
    // What compresses it asks once more after the end.
    let body = futures::stream::unfold(pieces, |mut pieces| async move {
        pieces.recv().await.map(|piece| (piece, pieces))
    })
    .fuse();
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// A day as a form sends it; none for an empty field.
fn day_of(typed: &str) -> Result<Option<Date>, Refusal> {
    if typed.trim().is_empty() {
        Ok(None)
    } else {
        day::parse(typed).map(Some)
    }
}

/// Reads on as the reader takes it. A copy that cannot be finished is broken off, and has no closing line.
async fn give(
    db: Db,
    caller: Caller,
    mut export: Export,
    span: Span,
    now: fn() -> OffsetDateTime,
    send: mpsc::Sender<Result<Bytes, io::Error>>,
) {
    let mut cursor = export.begins_after();
    while cursor < span.until {
        let read = async {
            let mut read = db.read(&caller).await?;
            trail::shown::next(&mut read, cursor, span.until, PAGE).await
        };
        let lines = match read.await {
            Ok(lines) => lines,
            Err(refusal) => {
                let _ = send.send(Err(io::Error::other(refusal.to_string()))).await;
                return;
            }
        };
        let Some(last) = lines.last() else { break };
        cursor = last.seq();
        let mut piece = Vec::new();
        for row in lines {
            match row {
                Row::Line(line) => export.take(&line, &mut piece),
                Row::Withheld(line) => export.pass(line, &mut piece),
            }
        }
        if !piece.is_empty() && !handed(&send, piece).await {
            return;
        }
    }
    let mut piece = Vec::new();
    if let Err(broken) = export.end(now(), &mut piece) {
        tracing::error!(tenant = %caller.tenant, "a log that was exported is broken, and its copy is not signed: {broken}");
    }
    handed(&send, piece).await;
}

async fn handed(send: &mpsc::Sender<Result<Bytes, io::Error>>, piece: Vec<u8>) -> bool {
    let sent = tokio::time::timeout(PATIENCE, send.send(Ok(piece.into()))).await;
    matches!(sent, Ok(Ok(())))
}
