//! How often one address may ask what strangers ask: to sign in, for a link, to use one, about a certificate. Hashing passwords
//! is dear, and a row is kept of each try.

use std::{net::SocketAddr, time::Duration};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, Method},
    middleware::Next,
    response::Response,
};
use domain::Refusal;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::session::IntoPage as _;

/// A whole school signs in through one address when lessons begin: two posts each, and some of them mistyped.
const MOST: i32 = 600;
/// In so much time.
const SPAN: &str = "5 minutes";
/// A count is worth waiting for only so long; without it people sign in uncounted.
const PATIENCE: Duration = Duration::from_millis(500);

/// Counts in the cache database.
#[derive(Clone)]
pub struct Throttle {
    pool: PgPool,
    header: Option<HeaderName>,
}

impl Throttle {
    /// `header` is the one in which the balancer puts the client's address; without it the peer's own address counts.
    pub fn new(options: PgConnectOptions, header: Option<HeaderName>) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options);
        Self { pool, header }
    }

    /// Forgets what nobody has tried for a day.
    pub async fn sweep(&self) -> Result<(), sqlx::Error> {
        sqlx::query("select throttle_sweep()")
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Seconds to wait; none where it may go on.
    async fn wait(&self, address: &str) -> Option<u32> {
        let taken = sqlx::query_scalar::<_, i32>("select throttle_take($1, $2, $3::interval)")
            .bind(format!("stranger {address}"))
            .bind(MOST)
            .bind(SPAN)
            .fetch_one(&self.pool);
        match tokio::time::timeout(PATIENCE, taken).await {
            Ok(Ok(seconds)) => u32::try_from(seconds).ok().filter(|seconds| *seconds > 0),
            // Told by the health watch.
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// Whose try it is. This machine itself is a balancer or a developer, and not counted.
    fn address(&self, request: &Request) -> Option<String> {
        if let Some(header) = &self.header {
            let told = request.headers().get(header)?.to_str().ok()?;
            return prefix(told.trim());
        }
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
        (!peer.0.ip().to_canonical().is_loopback())
            .then(|| prefix(&peer.0.ip().to_string()))
            .flatten()
    }
}

/// One household or school: an address of IPv4, or the network part of one of IPv6 (64 bits, RFC 4291), of which anybody has
/// more than can be counted.
fn prefix(address: &str) -> Option<String> {
    use std::net::IpAddr;
    Some(match address.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(four) => four.to_string(),
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    })
}

/// What is counted: posts by page and by server function, and the one question that is asked without a form.
fn is_counted(method: &Method, path: &str) -> bool {
    const PAGES: [&str; 2] = ["/sign-in", "/forgotten"];
    const LINKS: [&str; 2] = ["/reset/", "/invitation/"];
    const ACTS: [&str; 4] = ["sign-in", "forgotten", "reset", "accept"];
    const KNOWN: &str = "/known/";
    match *method {
        Method::GET | Method::HEAD => path.starts_with(KNOWN),
        Method::POST => {
            PAGES.contains(&path)
                || LINKS.iter().any(|link| path.starts_with(link))
                || path
                    .strip_prefix("/api/session/")
                    .is_some_and(|act| ACTS.contains(&act))
        }
        _ => false,
    }
}

/// Under which name an address is counted. What any page of the web can make a browser ask must not use up what its people need to
/// sign in.
fn asker(method: &Method, address: String) -> String {
    if *method == Method::POST {
        address
    } else {
        format!("known {address}")
    }
}

/// Refuses with 429 and Retry-After what comes too often from one address.
pub async fn guard(
    State(throttle): State<Option<Throttle>>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(throttle) = throttle
        && is_counted(request.method(), request.uri().path())
        && let Some(address) = throttle.address(&request)
        && let Some(seconds) = throttle.wait(&asker(request.method(), address)).await
    {
        return Refusal::Wait(seconds).into_page();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_one_asker() {
        assert_eq!(prefix("203.0.113.9").as_deref(), Some("203.0.113.9"));
        assert_eq!(prefix("::ffff:203.0.113.9").as_deref(), Some("203.0.113.9"));
        assert_eq!(
            prefix("2001:db8:1:2:aaaa::1").as_deref(),
            Some("2001:db8:1:2::/64")
        );
        assert_eq!(prefix("anybody"), None);
    }

    #[test]
    fn what_strangers_ask_is_counted_and_nothing_else() {
        for path in [
            "/sign-in",
            "/forgotten",
            "/reset/abc",
            "/invitation/abc",
            "/api/session/sign-in",
        ] {
            assert!(is_counted(&Method::POST, path), "{path}");
            assert!(!is_counted(&Method::GET, path), "{path}");
        }
        let certificate = "/known/01900000-0000-7000-8000-000000000001/00";
        assert!(is_counted(&Method::GET, certificate));
        assert!(is_counted(&Method::HEAD, certificate));
        assert!(!is_counted(&Method::GET, "/check"));
        let [signs, asks] =
            [Method::POST, Method::GET].map(|how| asker(&how, "203.0.113.9".to_owned()));
        assert_ne!(signs, asks, "one does not use up the other");
        for path in [
            "/",
            "/people",
            "/sign-in/factor",
            "/api/session/stay",
            "/api/people/add",
        ] {
            assert!(!is_counted(&Method::POST, path), "{path}");
            assert!(!is_counted(&Method::GET, path), "{path}");
        }
    }
}
