//! Files in and out: what is uploaded is looked at, put into the store and filed, in this order, so that no row ever points at
//! something that is not there; and what is filed is handed to who reads it.

use std::{collections::VecDeque, sync::Arc};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::{
    Refusal, day,
    db::Caller,
    document::{
        self, About, Kind, Lies,
        filing::{self, Filed, Stored},
    },
    file,
    session::{Live, Needs},
};
use futures::{StreamExt, stream};
use inspect::{Inspector, Scanner};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    router::Site,
    session::{IntoPage, refused},
    staging::{Came, Meant, Staging},
    storage::Storage,
};

/// Version of the protocol by which a file comes in parts (tus.io, resumable upload protocol).
const TUS: HeaderValue = HeaderValue::from_static("1.0.0");
const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
/// Longest of what is said of an upload: a title, a note and some codes.
const METADATA_MOST: usize = 16 * 1024;

/// A response that is sent as it is: compressed once already, or asked for in parts.
#[derive(Clone, Copy)]
pub struct Verbatim;

/// What files need.
#[derive(Clone)]
pub struct Files {
    /// Where they lie.
    pub store: Storage,
    /// Where they lie on their way in.
    pub staging: Staging,
    /// Looks at them.
    pub inspector: Inspector,
    /// Looks for viruses, where there is one.
    pub scanner: Option<Arc<Scanner>>,
}

/// The routes: uploads in parts, and what is filed.
pub fn route() -> Router<Site> {
    Router::new()
        // The upload page's script.
        .route("/files/uploads", post(begin))
        .route(
            "/files/uploads/{id}",
            axum::routing::patch(part).head(stands).delete(give_up),
        )
        .route("/files/uploads/{id}/finish", post(finish))
        // The reader, and anybody who downloads.
        .route("/papers/{id}/versions/{number}/file", get(download))
        .route("/papers/{id}/versions/{number}/copy", get(copy))
}

/// Who uploads. Refuses who is not signed in wholly, on this host.
fn caller(
    caller: Option<Extension<Caller>>,
    session: Option<Extension<Live>>,
) -> Result<Caller, Refusal> {
    let (Some(Extension(caller)), Some(Extension(session))) = (caller, session) else {
        return Err(Refusal::SignedOut);
    };
    if session.needs == Needs::Nothing && session.tenant == Some(caller.tenant) {
        Ok(caller)
    } else {
        Err(Refusal::FactorNeeded)
    }
}

/// `POST /files/uploads`: an upload begins. Who may not file there, and what no file may be, is refused before a byte is sent.
async fn begin(
    State(site): State<Site>,
    who: Option<Extension<Caller>>,
    session: Option<Extension<Live>>,
    headers: HeaderMap,
) -> Response {
    let begun = async {
        let caller = caller(who, session)?;
        let size = number(&headers, &UPLOAD_LENGTH).ok_or(Refusal::UploadLost)?;
        let mut fields = metadata(&headers)?;
        let name = take(&mut fields, "filename");
        let meant = Meant {
            tenant: caller.tenant,
            by: site.files.may(&site, &caller, &fields).await?,
            name,
            size,
            fields,
        };
        file::tidy_name(&meant.name)?;
        site.files.staging.begin(&meant).await
    };
    match begun.await {
        Ok(id) => (
            StatusCode::CREATED,
            [(TUS_RESUMABLE, TUS), (header::LOCATION, location(id))],
        )
            .into_response(),
        Err(refusal) => told(&refusal),
    }
}

fn location(id: Uuid) -> HeaderValue {
    HeaderValue::from_str(&format!("/files/uploads/{id}"))
        .unwrap_or_else(|_| HeaderValue::from_static("/"))
}

/// `HEAD /files/uploads/{id}`: how much of it is here.
async fn stands(
    State(site): State<Site>,
    who: Option<Extension<Caller>>,
    session: Option<Extension<Live>>,
    Path(id): Path<Uuid>,
) -> Response {
    let found = async {
        let caller = caller(who, session)?;
        let meant = site.files.own(&site, &caller, id).await?;
        let length = match site.files.staging.length(id).await {
            // Finished: all of it was here.
            Err(_) if site.files.staging.outcome(id).await.is_some() => meant.size,
            other => other?,
        };
        Ok::<_, Refusal>((meant.size, length))
    };
    match found.await {
        Ok((size, length)) => (
            [
                (TUS_RESUMABLE, TUS),
                (UPLOAD_LENGTH, HeaderValue::from(size)),
                (UPLOAD_OFFSET, HeaderValue::from(length)),
            ],
            (),
        )
            .into_response(),
        Err(refusal) => told(&refusal),
    }
}

/// `PATCH /files/uploads/{id}`: the next bytes of it. They go behind those that are here, and nowhere else.
async fn part(
    State(site): State<Site>,
    who: Option<Extension<Caller>>,
    session: Option<Extension<Live>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let came = async {
        let caller = caller(who, session)?;
        let meant = site.files.own(&site, &caller, id).await?;
        let _held = site.files.staging.hold(id)?;
        let here = site.files.staging.length(id).await?;
        if number(&headers, &UPLOAD_OFFSET) != Some(here) {
            return Ok((StatusCode::CONFLICT, here));
        }
        let came = site
            .files
            .staging
            .append(id, meant.size, body.into_data_stream())
            .await?;
        let (Came::Whole(length) | Came::BrokenOff(length)) = came;
        Ok::<_, Refusal>((StatusCode::NO_CONTENT, length))
    };
    match came.await {
        Ok((status, length)) => (
            status,
            [
                (TUS_RESUMABLE, TUS),
                (UPLOAD_OFFSET, HeaderValue::from(length)),
            ],
        )
            .into_response(),
        Err(refusal) => told(&refusal),
    }
}

/// `DELETE /files/uploads/{id}`: nobody goes on with it.
async fn give_up(
    State(site): State<Site>,
    who: Option<Extension<Caller>>,
    session: Option<Extension<Live>>,
    Path(id): Path<Uuid>,
) -> Response {
    let given_up = async {
        let caller = caller(who, session)?;
        site.files.own(&site, &caller, id).await?;
        let _held = site.files.staging.hold(id)?;
        site.files.staging.drop(id).await;
        Ok::<_, Refusal>(())
    };
    match given_up.await {
        Ok(()) => (StatusCode::NO_CONTENT, [(TUS_RESUMABLE, TUS)]).into_response(),
        Err(refusal) => told(&refusal),
    }
}

/// `POST /files/uploads/{id}/finish`: all of it is here; it is looked at, stored and filed. Asked again, because the answer was
/// lost, it answers the same.
async fn finish(
    State(site): State<Site>,
    who: Option<Extension<Caller>>,
    session: Option<Extension<Live>>,
    Path(id): Path<Uuid>,
) -> Response {
    let caller = match caller(who, session) {
        Ok(caller) => caller,
        Err(refusal) => return told(&refusal),
    };
    let meant = match site.files.own(&site, &caller, id).await {
        Ok(meant) => meant,
        Err(refusal) => return told(&refusal),
    };
    let held = match site.files.staging.hold(id) {
        Ok(held) => held,
        Err(refusal) => return told(&refusal),
    };
    if let Some(outcome) = site.files.staging.outcome(id).await {
        return ([(header::CONTENT_TYPE, "application/json")], outcome).into_response();
    }
    // In a task of its own: what was begun is ended, also when nobody waits for it any more.
    let task = tokio::spawn(async move {
        let _held = held;
        let taken = site.files.take(&site, &caller, id, &meant).await;
        if let Ok(taken) = &taken {
            let outcome = json!({ "document": taken.filed.document, "number": taken.filed.number,
                "meanwhile": taken.meanwhile });
            site.files
                .staging
                .finish(id, outcome.to_string().as_bytes())
                .await;
            return Ok(outcome);
        }
        // What passes is worth another try with the same bytes; nothing else is.
        let refusal = taken.err().unwrap_or(Refusal::Broken);
        if !refusal.passes() {
            site.files.staging.drop(id).await;
        }
        Err(refusal)
    });
    match task.await {
        Ok(Ok(outcome)) => axum::Json(outcome).into_response(),
        Ok(Err(refusal)) => told(&refusal),
        Err(error) => {
            tracing::error!(%error, "filing an upload failed");
            told(&Refusal::Broken)
        }
    }
}

/// What came of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The document, and the number its version got.
    pub filed: Filed,
    /// The versions that others added since the uploader looked.
    pub meanwhile: Vec<u32>,
}

impl Files {
    /// Whether the caller may file what the fields say; their place in the tenant.
    async fn may(
        &self,
        site: &Site,
        caller: &Caller,
        fields: &[(String, String)],
    ) -> Result<Uuid, Refusal> {
        let field = |name: &str| {
            fields
                .iter()
                .find(|(field, _)| field == name)
                .and_then(|(_, value)| Uuid::try_parse(value).ok())
        };
        let mut read = site.services.db.read(caller).await?;
        match (field("document"), field("folder")) {
            (Some(document), _) => {
                filing::may_add_version(&mut read, document).await?;
            }
            (None, Some(folder)) => filing::may_add(&mut read, folder).await?,
            (None, None) => return Err(Refusal::NotFound),
        }
        Ok(read.standing.membership)
    }

    async fn own(&self, site: &Site, caller: &Caller, id: Uuid) -> Result<Meant, Refusal> {
        let read = site.services.db.read(caller).await?;
        let by = read.standing.membership;
        drop(read);
        self.staging.meant(id, caller.tenant, by).await
    }

    /// A file of a form that comes in one piece, without a script: begins, takes all of it, and files it.
    pub async fn take_whole<E>(
        &self,
        site: &Site,
        caller: &Caller,
        name: &str,
        fields: &[(String, String)],
        stream: impl futures::Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Taken, Refusal> {
        let mut meant = Meant {
            tenant: caller.tenant,
            by: self.may(site, caller, fields).await?,
            name: name.to_owned(),
            // Its length is known when it is here.
            size: file::MOST,
            fields: fields.to_vec(),
        };
        file::tidy_name(name)?;
        let id = self.staging.begin(&meant).await?;
        let taken = async {
            match self.staging.append(id, file::MOST, stream).await? {
                Came::Whole(0) => return Err(file::Fault::Empty.into()),
                Came::Whole(size) => meant.size = size,
                Came::BrokenOff(_) => return Err(Refusal::UploadLost),
            }
            self.take(site, caller, id, &meant).await
        }
        .await;
        self.staging.drop(id).await;
        taken
    }

    /// Looks at a file that is here, stores it and files it.
    async fn take(
        &self,
        site: &Site,
        caller: &Caller,
        id: Uuid,
        meant: &Meant,
    ) -> Result<Taken, Refusal> {
        let path = self.staging.path(id);
        let name = file::tidy_name(&meant.name)?;
        let format = file::Kind::from_name(&name).ok_or(file::Fault::UnknownType)?;
        if self.staging.length(id).await? != meant.size {
            return Err(Refusal::UploadLost);
        }
        let report = self.inspector.look(&path, format).await?;
        if let Some(scanner) = &self.scanner {
            scanner.scan(&path).await?;
        }
        let (size, sha256) = self.staging.sum(id).await?;
        // What was looked at was so long.
        if size != meant.size {
            return Err(Refusal::UploadLost);
        }
        let known = Uuid::try_parse(meant.field("document")).ok();
        let stored = Stored {
            document: known.unwrap_or_else(Uuid::now_v7),
            version: Uuid::now_v7(),
            format,
            name,
            size,
            sha256,
            pages: report.pages,
            text: report.text,
            cut: report.cut,
            store_version: None,
        };
        let key = filing::key(caller.tenant, stored.document, stored.version);
        let store_version = self
            .store
            .put(&key, &path, size, &sha256)
            .await
            .map_err(|error| {
                tracing::warn!(%error, "a file could not be stored");
                Refusal::Unavailable
            })?;
        let stored = Stored {
            store_version,
            ..stored
        };
        let filed = self
            .file(site, caller, meant, known.is_some(), &stored)
            .await;
        if let Err(NotFiled::Before(_)) = &filed {
            // Nothing points there. Where it stays all the same, the sweep finds it.
            if let Err(error) = self.store.remove(&key).await {
                tracing::warn!(%error, "an object that nothing points at stays until it is swept");
            }
        }
        let filed = filed.map_err(NotFiled::refusal)?;
        let seen: Option<u32> = meant.field("after").parse().ok();
        let meanwhile = seen
            .filter(|_| known.is_some())
            .map(|seen| (seen + 1..filed.number).collect())
            .unwrap_or_default();
        Ok(Taken { filed, meanwhile })
    }

    async fn file(
        &self,
        site: &Site,
        caller: &Caller,
        meant: &Meant,
        version: bool,
        stored: &Stored,
    ) -> Result<Filed, NotFiled> {
        let mut write = site
            .services
            .db
            .write(caller)
            .await
            .map_err(NotFiled::Before)?;
        let done = if version {
            filing::add_version(&mut write, meant.field("note"), stored).await
        } else {
            let folder = Uuid::try_parse(meant.field("folder"))
                .map_err(|_| NotFiled::Before(Refusal::NotFound))?;
            let about = about(meant, stored).map_err(NotFiled::Before)?;
            filing::add(&mut write, folder, &about, meant.field("note"), stored).await
        };
        let (filed, act) = done.map_err(NotFiled::Before)?;
        write.commit(act).await.map_err(|refusal| match refusal {
            // Said by the database itself: nothing was committed. Anything else may have been, so the object stays.
            Refusal::SignedOut | Refusal::Stale | Refusal::NotAllowed => NotFiled::Before(refusal),
            other => NotFiled::Perhaps(other),
        })?;
        Ok(filed)
    }
}

/// Why a file that is stored was not filed.
enum NotFiled {
    /// No row was written.
    Before(Refusal),
    /// The answer to the commit was lost: it was written or it was not.
    Perhaps(Refusal),
}

impl NotFiled {
    fn refusal(self) -> Refusal {
        let (Self::Before(refusal) | Self::Perhaps(refusal)) = self;
        refusal
    }
}

/// What is said of a new document. Without a title it is called as its file is.
fn about(meant: &Meant, stored: &Stored) -> Result<About, Refusal> {
    let date = |name: &str| match meant.field(name).trim() {
        "" => Ok(None),
        typed => day::parse(typed).map(Some),
    };
    let title = match meant.field("title").trim() {
        "" => stored
            .name
            .rsplit_once('.')
            .map_or(stored.name.as_str(), |(stem, _)| stem),
        title => title,
    };
    Ok(About {
        title: title.to_owned(),
        kind: Kind::from_code(meant.field("kind")).unwrap_or(Kind::Other),
        owner: Uuid::try_parse(meant.field("owner")).ok(),
        review_by: date("review_by")?,
        from: date("from")?,
        to: date("to")?,
        tags: meant.field("tags").split(',').map(str::to_owned).collect(),
    })
}

/// The fields that were sent with the beginning of an upload: `name base64,name base64`.
fn metadata(headers: &HeaderMap) -> Result<Vec<(String, String)>, Refusal> {
    let said = headers
        .get(UPLOAD_METADATA)
        .and_then(|value| value.to_str().ok())
        .filter(|said| said.len() <= METADATA_MOST)
        .ok_or(Refusal::UploadLost)?;
    said.split(',')
        .map(|pair| {
            let (name, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
            let bytes = STANDARD.decode(value).map_err(|_| Refusal::UploadLost)?;
            let value = String::from_utf8(bytes).map_err(|_| Refusal::UploadLost)?;
            Ok((name.to_owned(), value))
        })
        .collect()
}

fn take(fields: &mut Vec<(String, String)>, name: &str) -> String {
    match fields.iter().position(|(field, _)| field == name) {
        Some(at) => fields.swap_remove(at).1,
        None => String::new(),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// A refusal for the upload page's script: its sentence, and the status that says the same.
fn told(refusal: &Refusal) -> Response {
    let mut response = axum::Json(json!({
        "sentence": refusal.to_string(), "passes": refusal.passes(), "step_up": *refusal == Refusal::StepUpNeeded,
    }))
    .into_response();
    refused(refusal, &mut response);
    response.headers_mut().insert(TUS_RESUMABLE, TUS);
    response
}

/// `GET /papers/{id}/versions/{number}/file`: the file as it was uploaded, whole or one range of it (RFC 9110, section 14). The
/// first time that somebody opens a version is recorded.
async fn download(
    State(site): State<Site>,
    who: Option<Extension<Caller>>,
    session: Option<Extension<Live>>,
    Path(version): Path<(Uuid, u32)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    hand_out(
        &site,
        caller(who, session),
        version,
        Form::File,
        &method,
        &headers,
    )
    .await
}

/// `GET /papers/{id}/versions/{number}/copy`: the copy for reading of an office file, in the same way. Whoever reads it has opened
/// the version.
async fn copy(
    State(site): State<Site>,
    who: Option<Extension<Caller>>,
    session: Option<Extension<Live>>,
    Path(version): Path<(Uuid, u32)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    hand_out(
        &site,
        caller(who, session),
        version,
        Form::Copy,
        &method,
        &headers,
    )
    .await
}

/// As what a version is asked for.
#[derive(Clone, Copy)]
enum Form {
    File,
    Copy,
}

async fn hand_out(
    site: &Site,
    caller: Result<Caller, Refusal>,
    (document, version): (Uuid, u32),
    form: Form,
    method: &Method,
    headers: &HeaderMap,
) -> Response {
    let found = async {
        let caller = caller?;
        let mut read = site.services.db.read(&caller).await?;
        let lies = match form {
            Form::File => document::lies(&mut read, document, version).await?,
            Form::Copy => document::copy::lies(&mut read, document, version).await?,
        };
        drop(read);
        let range = range(headers, lies.size);
        // From whichever byte on: all but the first of them is a document read all the same.
        if !lies.opened && range != Asked::Nothing && *method == Method::GET {
            let mut write = site.services.db.write(&caller).await?;
            match filing::open(&mut write, document, lies.version).await {
                Ok(act) => write.commit(act).await.map(drop)?,
                // In another window, a moment ago.
                Err(Refusal::Stale) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok((lies, range))
    };
    match found.await {
        Ok((lies, range)) => serve(&site.files.store, lies, range, method).await,
        Err(refusal) => refusal.into_page(),
    }
}

/// Which bytes were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    /// From the first to the last, both counted in.
    Part(u64, u64),
    /// Bytes that are not there.
    Nothing,
}

/// One range of bytes. Several at once, and what is no range of bytes, are answered with the whole (RFC 9110, section 14.2).
fn range(headers: &HeaderMap, size: u64) -> Asked {
    let Some(asked) = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("bytes="))
    else {
        return Asked::Whole;
    };
    let Some((from, to)) = asked.split_once('-') else {
        return Asked::Whole;
    };
    let last = size.saturating_sub(1);
    let part = match (from.trim().parse::<u64>(), to.trim().parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => (from, to.min(last)),
        (Ok(from), Err(_)) if to.trim().is_empty() => (from, last),
        (Err(_), Ok(count)) if from.trim().is_empty() => {
            if count == 0 {
                return Asked::Nothing;
            }
            (size.saturating_sub(count), last)
        }
        _ => return Asked::Whole,
    };
    if part.0 > last {
        return Asked::Nothing;
    }
    Asked::Part(part.0, part.1)
}

async fn serve(store: &Storage, lies: Lies, asked: Asked, method: &Method) -> Response {
    let (status, from, to) = match asked {
        Asked::Whole => (StatusCode::OK, 0, lies.size - 1),
        Asked::Part(from, to) => (StatusCode::PARTIAL_CONTENT, from, to),
        Asked::Nothing => {
            let whole = format!("bytes */{}", lies.size);
            return (
                StatusCode::RANGE_NOT_SATISFIABLE,
                [(header::CONTENT_RANGE, whole)],
            )
                .into_response();
        }
    };
    let body = if *method == Method::HEAD {
        Body::empty()
    } else {
        let range = (status == StatusCode::PARTIAL_CONTENT).then_some((from, to));
        let got = store
            .get(&lies.key, lies.store_version.as_deref(), range)
            .await;
        match got {
            Ok(bytes) if range.is_some() => Body::from_stream(pieces(bytes)),
            Ok(bytes) => {
                if let Some(version) = lies.store_version.clone() {
                    let (store, key) = (store.clone(), lies.key.clone());
                    tokio::spawn(async move { store.look_after(&key, &version).await });
                }
                Body::from_stream(checked(pieces(bytes), lies.sha256))
            }
            Err(error) => {
                tracing::error!(%error, "a file that is filed cannot be read");
                return Refusal::Unavailable.into_page();
            }
        }
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, lies.format.media_type());
    set(header::CONTENT_LENGTH, &(to - from + 1).to_string());
    set(header::ACCEPT_RANGES, "bytes");
    set(
        header::ETAG,
        &format!("\"{}\"", domain::text::hex(&lies.sha256)),
    );
    set(header::CONTENT_DISPOSITION, &attachment(&lies.file_name));
    // Opened by itself it can do nothing, whatever is in it.
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; sandbox; frame-ancestors 'none'",
    );
    if status == StatusCode::PARTIAL_CONTENT {
        set(
            header::CONTENT_RANGE,
            &format!("bytes {from}-{to}/{}", lies.size),
        );
    }
    response.extensions_mut().insert(Verbatim);
    response
}

type Piece = Result<Bytes, std::io::Error>;

fn pieces(
    bytes: aws_sdk_s3::primitives::ByteStream,
) -> impl futures::Stream<Item = Piece> + Send + Unpin {
    Box::pin(stream::unfold(bytes, |mut bytes| async move {
        let piece = bytes.next().await?;
        Some((piece.map_err(std::io::Error::other), bytes))
    }))
}

/// The same bytes, of which the last piece is given away only when all of them add up: a file that was changed behind our back
/// breaks off instead of being taken for the one that was approved.
fn checked(
    bytes: impl futures::Stream<Item = Piece> + Send + Unpin,
    expected: [u8; 32],
) -> impl futures::Stream<Item = Piece> + Send {
    let state = (bytes, Sha256::new(), VecDeque::<Bytes>::new(), false);
    stream::unfold(
        state,
        move |(mut bytes, mut sum, mut held, mut over)| async move {
            loop {
                if over {
                    return None;
                }
                match bytes.next().await {
                    Some(Ok(piece)) => {
                        sum.update(&piece);
                        held.push_back(piece);
                        if held.len() > 1 {
                            let piece = held.pop_front()?;
                            return Some((Ok(piece), (bytes, sum, held, over)));
                        }
                    }
                    Some(Err(error)) => {
                        over = true;
                        return Some((Err(error), (bytes, sum, held, over)));
                    }
                    None => {
                        over = true;
                        let found: [u8; 32] = sum.clone().finalize().into();
                        if found == expected {
                            let piece = held.pop_front()?;
                            return Some((Ok(piece), (bytes, sum, held, over)));
                        }
                        tracing::error!("a file in the store is not the one that was put there");
                        let error = std::io::Error::other("not the file that was put there");
                        return Some((Err(error), (bytes, sum, held, over)));
                    }
                }
            }
        },
    )
}

/// A name in whatever script (RFC 6266, RFC 8187).
fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            c if c.is_ascii() && !c.is_ascii_control() => c,
            _ => '_',
        })
        .collect();
    let coded: String = name
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_one_of_bytes_or_the_whole() {
        let asked = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_str(value).unwrap());
            range(&headers, 100)
        };
        assert_eq!(range(&HeaderMap::new(), 100), Asked::Whole);
        assert_eq!(asked("bytes=0-9"), Asked::Part(0, 9));
        assert_eq!(asked("bytes=90-"), Asked::Part(90, 99));
        assert_eq!(asked("bytes=-10"), Asked::Part(90, 99));
        assert_eq!(asked("bytes=-1000"), Asked::Part(0, 99));
        assert_eq!(asked("bytes=90-1000"), Asked::Part(90, 99));
        assert_eq!(asked("bytes=100-"), Asked::Nothing);
        assert_eq!(asked("bytes=-0"), Asked::Nothing);
        for odd in [
            "bytes=9-0",
            "bytes=0-1,4-5",
            "lines=0-1",
            "bytes=a-b",
            "bytes=-",
        ] {
            assert_eq!(asked(odd), Asked::Whole, "{odd}");
        }
    }

    #[test]
    fn a_name_is_no_header() {
        let set = attachment("Süße \"Minutes\"\r\nX: y.pdf");
        assert!(!set.contains(['\r', '\n']));
        assert!(
            set.starts_with("attachment; filename=\"S__e _Minutes___X: y.pdf\";"),
            "{set}"
        );
        assert!(set.ends_with("filename*=UTF-8''S%C3%BC%C3%9Fe%20%22Minutes%22%0D%0AX%3A%20y.pdf"));
    }

    #[tokio::test]
    async fn a_file_that_does_not_add_up_breaks_off_before_its_end() {
        let given = |pieces: &[&'static str]| {
            stream::iter(
                pieces
                    .iter()
                    .map(|piece| Piece::Ok(Bytes::from_static(piece.as_bytes())))
                    .collect::<Vec<_>>(),
            )
        };
        let sum = Sha256::digest("abcdef").into();
        let whole: Vec<_> = checked(given(&["abc", "def"]), sum).collect().await;
        assert_eq!(whole.len(), 2);
        assert!(whole.iter().all(Result::is_ok));
        let broken: Vec<_> = checked(given(&["abc", "deg"]), sum).collect().await;
        assert_eq!(broken.len(), 2);
        assert!(broken[0].is_ok() && broken[1].is_err());
        let short: Vec<_> = checked(given(&["abc"]), sum).collect().await;
        assert!(short.len() == 1 && short[0].is_err());
    }
}
