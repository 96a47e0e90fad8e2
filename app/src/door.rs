//! From request to transaction: every server function comes in here, and only here is a status set.

use std::sync::Arc;

use axum::http::{StatusCode, request::Parts};
use domain::{
    AccountId, Refusal, TenantId,
    db::{Caller, Db, Read, Write},
    password::Hasher,
    reading::Readings,
    secret::Secrets,
    session::{Live, Needs, Token},
};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use serde::{Deserialize, Serialize};

use crate::{error::Result, ui::Around};

/// What the process lends to server functions.
#[derive(Clone)]
pub struct Services {
    /// The application database.
    pub db: Db,
    /// The password threads.
    pub hasher: Hasher,
    /// The master key.
    pub secrets: Secrets,
    /// Who has a page of a tenant open.
    pub here: Arc<dyn Fn(TenantId) -> Vec<AccountId> + Send + Sync>,
    /// Who has which paper open.
    pub readings: Arc<dyn Readings>,
    /// Whether this process makes copies for reading of office files.
    pub copies: bool,
    /// Unix seconds. The one clock, so that tests can set it.
    pub now: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Where the service is reached.
    pub origin: Origin,
}

/// `https://quorate.example`: scheme and bare host; each tenant's host is a label in front of it.
#[derive(Clone, Debug)]
pub struct Origin {
    /// `http` only on loopback.
    pub scheme: &'static str,
    /// With the port, where it is not the scheme's own.
    pub host: String,
}

impl Origin {
    /// The address of a tenant's own host, without a path.
    pub fn of_tenant(&self, label: &str) -> String {
        format!("{}://{label}.{}", self.scheme, self.host)
    }

    /// The address of the bare host.
    pub fn bare(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }
}

/// Whose host was asked: put into each request by the host layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The tenant, or none on the bare host.
    pub tenant: Option<TenantId>,
    /// The label before the bare host; empty on the bare host.
    pub label: String,
    /// The tenant's name; "Quorate" on the bare host.
    pub name: String,
    /// Whether the tenant is a trust.
    pub trust: bool,
}

/// How the browser calls itself, in words: "Firefox on Windows". Put into each request by the host layer.
#[derive(Clone, Debug)]
pub struct Agent(pub String);

/// What shall become of the cookie once the response is made.
#[derive(Clone, Copy, Debug)]
pub enum CookieChange {
    /// Carry a new token; on a shared computer only until the browser closes.
    Set {
        /// The new token.
        token: Token,
        /// Whether others use this computer.
        shared: bool,
    },
    /// Be forgotten.
    Forget,
}

/// Put into each request by the session layer, which reads it when the response is made.
#[derive(Clone, Default)]
pub struct NewToken(Arc<std::sync::Mutex<Option<CookieChange>>>);

impl NewToken {
    /// The change asked for, if any.
    pub fn take(&self) -> Option<CookieChange> {
        self.0.lock().ok()?.take()
    }

    /// Asks for a change; the last one counts.
    pub fn set(&self, change: CookieChange) {
        if let Ok(mut slot) = self.0.lock() {
            *slot = Some(change);
        }
    }
}

/// The token that the browser presented, whether or not its session is live. It opens nothing; at sign-in it shows that the
/// browser is the person's own.
#[derive(Clone, Copy)]
pub struct Known(pub Option<Token>);

/// The services of this process.
pub fn services() -> Services {
    expect_context::<Services>()
}

/// A value that a layer put into the request.
pub fn asked<T: Clone + Send + Sync + 'static>() -> Result<T> {
    use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<T>().cloned())
        .ok_or_else(|| Refusal::SignedOut.into())
}

/// The path that was asked for.
pub fn path() -> Option<String> {
    use_context::<Parts>().map(|parts| parts.uri.path().to_owned())
}

/// The complete session of the request. Refuses [`Refusal::FactorNeeded`] where the second factor is still to come.
pub fn session() -> Result<Live> {
    let live: Live = asked()?;
    if live.needs == Needs::Nothing {
        Ok(live)
    } else {
        Err(Refusal::FactorNeeded.into())
    }
}

/// The session of the request, complete or not. Refuses [`Refusal::SignedOut`] where there is none.
pub fn begun_session() -> Result<Live> {
    asked()
}

/// The cookie's token. Refuses [`Refusal::SignedOut`] where there is no live session.
pub fn token() -> Result<Token> {
    asked()
}

/// The host that was asked.
pub fn host() -> Result<Host> {
    asked()
}

/// A snapshot under the caller's seal.
pub async fn read() -> Result<Read> {
    Ok(services().db.read(&caller()?).await?)
}

/// A snapshot under the caller's seal in which it may be put down that they looked; nothing of it is shown before `Read::end`.
pub async fn look() -> Result<Read> {
    Ok(services().db.look(&caller()?).await?)
}

/// A writing transaction under the caller's seal.
pub async fn write() -> Result<Write> {
    Ok(services().db.write(&caller()?).await?)
}

/// Who asks; on the bare host there is nothing of a tenant's.
pub(crate) fn caller() -> Result<Caller> {
    session()?;
    asked().map_err(|_| Refusal::NotFound.into())
}

/// The frame of a page of this tenant, in the page's own snapshot.
pub fn around(read: &Read) -> Result<Around> {
    let live = session()?;
    let host = host()?;
    Ok(Around {
        place: host.name,
        tenant: true,
        schools: host.trust && domain::overview::is_for(&read.standing.roles),
        name: live.name,
        roles: read.standing.roles.clone(),
        seq: read.standing.seq,
    })
}

/// The frame of a page about the person, which any host has.
pub fn around_session() -> Result<Around> {
    let (live, host) = (session()?, host()?);
    Ok(Around {
        place: host.name,
        tenant: host.tenant.is_some(),
        schools: host.trust && domain::overview::is_for(&live.roles),
        name: live.name,
        roles: live.roles,
        seq: 0,
    })
}

/// The school's day.
pub fn today() -> time::Date {
    domain::day::today((services().now)())
}

/// The moment, by the one clock.
pub fn now() -> Result<time::OffsetDateTime> {
    i64::try_from((services().now)())
        .ok()
        .and_then(|seconds| time::OffsetDateTime::from_unix_timestamp(seconds).ok())
        .ok_or_else(|| Refusal::Broken.into())
}

/// Hands the browser a new session token.
pub fn hand_out(token: Token, shared: bool) {
    change_cookie(CookieChange::Set { token, shared });
}

/// Makes the browser forget its cookie.
pub fn forget() {
    change_cookie(CookieChange::Forget);
}

fn change_cookie(change: CookieChange) {
    if let Ok(slot) = asked::<NewToken>() {
        slot.set(change);
    }
}

/// Sends the browser on after a change.
pub fn send_to(path: &str) {
    leptos_axum::redirect(path);
}

/// Gives a page that could not be shown its true status.
pub fn status(refusal: &Refusal) {
    if let (Some(response), Ok(status)) = (
        use_context::<ResponseOptions>(),
        StatusCode::from_u16(refusal.status()),
    ) {
        response.set_status(status);
    }
}

/// A path of this site, or `/`: what arrives in `next` could lead anywhere.
pub fn safe_next(next: &str) -> &str {
    let bytes = next.as_bytes();
    let inside = next.starts_with('/') && !matches!(bytes.get(1), Some(b'/' | b'\\'));
    if inside && next.len() < 500 && !next.chars().any(char::is_control) {
        next
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::safe_next;

    #[test]
    fn the_way_on_stays_on_this_site() {
        assert_eq!(safe_next("/people?state=invited"), "/people?state=invited");
        for elsewhere in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "people",
            "",
            "/a\nb",
            "javascript:alert(1)",
        ] {
            assert_eq!(safe_next(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
