//! The session layer: cookie to session to caller, and who is sent where before a page is rendered.

use std::{collections::HashMap, str::FromStr};

use app::door::{CookieChange, Host, NewToken};
use async_trait::async_trait;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    Refusal,
    db::{Caller, Db},
    session::{self, Live, Needs, Token},
};
use time::{Duration, OffsetDateTime};
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store,
};

use crate::together::Together;

/// How long a browser keeps the cookie of an ended session. It opens nothing any more; it shows at the next sign-in that
/// this browser is the person's own, so that nobody else's wrong guesses lock them out.
const REMEMBERED: Duration = Duration::days(30);
const LIVE: &str = "live";
const TOKEN: &str = "token";

/// Sessions of tower-sessions in our own tables. The database opens a session itself, against a proof of the password, so
/// creating one here only adopts the token it was opened with, and saving never writes: a session in flight at sign-out
/// cannot come back.
#[derive(Clone)]
pub struct Store {
    db: Db,
    /// Whose sessions these are, and whether it counts as activity: all requests of a moment in one question.
    lives: Together<(Token, bool), Option<Live>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(…)")
    }
}

impl Store {
    /// Over the application database.
    pub fn new(db: Db) -> Self {
        let asked = db.clone();
        let lives = Together::new(move |asked_for: Vec<(Token, bool)>| {
            let db = asked.clone();
            async move { session::lives(&db, &asked_for).await }
        });
        Self { db, lives }
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let token = record
            .data
            .remove(TOKEN)
            .and_then(|token| token.as_str().and_then(|text| Id::from_str(text).ok()));
        record.id = token.ok_or_else(|| {
            session_store::Error::Backend("a session is opened by signing in only".to_owned())
        })?;
        Ok(())
    }

    async fn save(&self, _record: &Record) -> session_store::Result<()> {
        Err(session_store::Error::Backend(
            "a session is changed by its own functions only".to_owned(),
        ))
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let token = token_of(*id);
        let active = !UNATTENDED
            .try_with(|unattended| *unattended)
            .unwrap_or(false);
        let live = self
            .lives
            .ask((token, active))
            .await
            .map_err(|refusal| session_store::Error::Backend(refusal.to_string()))?;
        // A token that opens nothing is a record with nothing in it: with none at all tower-sessions would take the cookie
        // away, and the next sign-in could not see that the browser is the person's own.
        let mut data = HashMap::new();
        if let Some(live) = live {
            let value = serde_json::to_value(live)
                .map_err(|error| session_store::Error::Encode(error.to_string()))?;
            data.insert(LIVE.to_owned(), value);
        }
        Ok(Some(Record {
            id: *id,
            data,
            // The database decides when a session ends; this only keeps tower-sessions from deciding earlier.
            #[allow(
                clippy::disallowed_methods,
                reason = "tower-sessions compares it with its own clock"
            )]
            expiry_date: OffsetDateTime::now_utc() + REMEMBERED,
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        session::sign_out(&self.db, token_of(*id))
            .await
            .map_err(|refusal| session_store::Error::Backend(refusal.to_string()))
    }
}

fn token_of(id: Id) -> Token {
    Token::from_bytes(id.0.to_le_bytes())
}

fn id_of(token: Token) -> Id {
    Id(i128::from_le_bytes(*token.bytes()))
}

/// The one cookie. `__Host-` binds it to this host and to https (RFC 6265bis §4.1.3.2), which loopback does not have.
pub fn layer(store: Store, https: bool) -> SessionManagerLayer<Store> {
    SessionManagerLayer::new(store)
        .with_name(cookie_name(https))
        .with_secure(https)
        .with_http_only(true)
        // Lax, since a link in a mail must find the reader signed in; unsafe methods are held by the same-origin layer.
        .with_same_site(SameSite::Lax)
        .with_path("/")
}

/// The cookie's name.
pub const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-quorate" } else { "quorate" }
}

/// The token that the browser presented, live or not.
pub fn presented(headers: &HeaderMap, https: bool) -> Option<Token> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == cookie_name(https))
        .and_then(|(_, value)| Id::from_str(value).ok())
        .map(token_of)
}

tokio::task_local! {
    /// Set around the look-up of a session for what a page asks by itself; the store sees no more of a request than its cookie.
    static UNATTENDED: bool;
}

/// What a page asks without anybody's doing: its data once more when it hears of a change. The page says by `session/stay` that
/// somebody is there.
fn is_unattended(request: &Request) -> bool {
    request.method() == Method::GET && request.uri().path().starts_with("/api/")
}

/// Finds the session, lets the request pass or sends it on, and changes the cookie when the answer is there.
pub async fn guard(
    State(https): State<bool>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let host = request.extensions().get::<Host>().cloned();
    let unattended = is_unattended(&request);
    let live = match UNATTENDED
        .scope(unattended, session.get::<Live>(LIVE))
        .await
    {
        Ok(live) => live.filter(|live| Some(live.tenant) == host.as_ref().map(|host| host.tenant)),
        Err(error) => {
            tracing::warn!(%error, "no session can be looked up");
            return Refusal::Unavailable.into_page();
        }
    };
    if let Some(elsewhere) = way(request.method(), request.uri(), live.as_ref()) {
        return elsewhere;
    }
    let known = presented(request.headers(), https);
    let change = NewToken::default();
    let extensions = request.extensions_mut();
    extensions.insert(change.clone());
    extensions.insert(app::door::Known(known));
    if let (Some(live), Some(id)) = (live, session.id()) {
        extensions.insert(token_of(id));
        if let (Needs::Nothing, Some(tenant)) = (live.needs, live.tenant) {
            extensions.insert(Caller {
                token: token_of(id),
                tenant,
            });
        }
        extensions.insert(live);
    }
    let response = next.run(request).await;
    let changed = match change.take() {
        None => Ok(()),
        Some(CookieChange::Forget) => session.flush().await,
        Some(CookieChange::Set { token, shared }) => adopt(&session, token, shared).await,
    };
    if let Err(error) = changed {
        tracing::error!(%error, "the cookie cannot be changed");
        return Refusal::Unavailable.into_page();
    }
    response
}

/// A new id whenever rights grow (OWASP ASVS 7.2.4): the old token is dead already, and the cookie follows.
async fn adopt(
    session: &Session,
    token: Token,
    shared: bool,
) -> Result<(), tower_sessions::session::Error> {
    session.cycle_id().await?;
    session.insert(TOKEN, id_of(token).to_string()).await?;
    session.set_expiry(Some(if shared {
        Expiry::OnSessionEnd
    } else {
        Expiry::OnInactivity(REMEMBERED)
    }));
    Ok(())
}

/// Pages that a stranger may open.
const OPEN: &[&str] = &[
    "/sign-in",
    "/forgotten",
    "/check",
    "/known/",
    "/reset/",
    "/invitation/",
    "/arrive",
    "/dev/mail/",
];

/// Where a page is not for this visitor, where to go instead. Decided before rendering, with an empty body.
fn way(method: &Method, uri: &Uri, live: Option<&Live>) -> Option<Response> {
    let path = uri.path();
    let is_page = matches!(*method, Method::GET | Method::HEAD)
        && !path.starts_with("/api/")
        && !is_file(path)
        && path != "/health";
    if !is_page {
        return None;
    }
    let open = OPEN.iter().any(|prefix| {
        path == prefix.trim_end_matches('/') || (prefix.ends_with('/') && path.starts_with(prefix))
    });
    let to = match live.map(|live| live.needs) {
        None if open => return None,
        None if path.starts_with("/sign-in/") => "/sign-in".to_owned(),
        None if path == "/" => "/sign-in".to_owned(),
        None => format!(
            "/sign-in?next={}",
            encoded(uri.path_and_query().map_or(path, |whole| whole.as_str()))
        ),
        Some(Needs::Nothing)
            if path == "/sign-in"
                || path == "/sign-in/factor"
                || path == "/sign-in/recovery"
                || path == "/sign-in/enrol" =>
        {
            "/".to_owned()
        }
        Some(Needs::Nothing) => return None,
        Some(Needs::Factor) if matches!(path, "/sign-in/factor" | "/sign-in/recovery") => {
            return None;
        }
        Some(Needs::Enrolment) if path == "/sign-in/enrol" => return None,
        Some(_)
            if path.starts_with("/invitation/")
                || path.starts_with("/reset/")
                || path.starts_with("/dev/mail") =>
        {
            return None;
        }
        Some(Needs::Factor) => "/sign-in/factor".to_owned(),
        Some(Needs::Enrolment) => "/sign-in/enrol".to_owned(),
    };
    Some(Redirect::to(&to).into_response())
}

/// Files of the site, which need no session.
pub fn is_file(path: &str) -> bool {
    path.starts_with("/pkg/")
        || path.starts_with("/fonts/")
        || path.starts_with("/redraw/")
        || path.starts_with("/upload/")
        || path.starts_with("/reader/")
        || path.starts_with("/prompt/")
        || path.starts_with("/pdfjs/")
        || path.starts_with("/check/")
        || path.starts_with("/checkin/")
        || matches!(
            path,
            "/favicon.svg" | "/favicon.ico" | "/icons.svg" | "/robots.txt"
        )
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// A refusal where there is no page to draw it in.
pub trait IntoPage {
    /// Status and one sentence.
    fn into_page(self) -> Response;
}

impl IntoPage for Refusal {
    fn into_page(self) -> Response {
        let mut response = self.to_string().into_response();
        refused(&self, &mut response);
        response
    }
}

/// Gives an answer the status of a refusal, and says when another try makes sense.
pub fn refused(refusal: &Refusal, response: &mut Response) {
    *response.status_mut() =
        StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let retry = match refusal {
        Refusal::Wait(seconds) => *seconds,
        Refusal::Busy | Refusal::Unavailable => 5,
        _ => return,
    };
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, retry.into());
}
