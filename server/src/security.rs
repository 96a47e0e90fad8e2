//! What every request must satisfy and every response carries: host, origin, headers, content policy.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::door::{Agent, Host, Origin};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Refusal, db::Db, role::TenantKind, tenancy};
use tokio::time::Instant;

/// How long it is known whose host is whose. Label, name and kind of a tenant are the operator's to change, by hand; so this may be
/// short, and where it matters, with hundreds of requests a second, it still saves all of them but one.
const KNOWN_FOR: Duration = Duration::from_secs(1);

/// Whose host is whose: asked of the database once in a while and not by each request.
#[derive(Clone)]
pub struct Hosts {
    db: Db,
    origin: Arc<Origin>,
    /// Only of tenants that there are, so nobody can fill it.
    known: Arc<Mutex<HashMap<String, (Host, Instant)>>>,
}

impl Hosts {
    /// Over the application database; `origin` is where the service is reached.
    pub fn new(db: Db, origin: Arc<Origin>) -> Self {
        Self {
            db,
            origin,
            known: Arc::default(),
        }
    }

    /// The host of a label; none where no tenant has it.
    async fn of(&self, label: String) -> Result<Option<Host>, Refusal> {
        if label.is_empty() {
            return Ok(Some(Host {
                tenant: None,
                label,
                name: "Quorate".to_owned(),
                trust: false,
            }));
        }
        let known = lock(&self.known).get(&label).cloned();
        if let Some((host, at)) = known
            && at.elapsed() < KNOWN_FOR
        {
            return Ok(Some(host));
        }
        let host = tenancy::by_label(&self.db, &label)
            .await?
            .map(|tenant| Host {
                tenant: Some(tenant.id),
                label: label.clone(),
                name: tenant.name,
                trust: tenant.kind == TenantKind::Trust,
            });
        let mut known = lock(&self.known);
        match &host {
            Some(host) => known.insert(label, (host.clone(), Instant::now())),
            None => known.remove(&label),
        };
        Ok(host)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which host was asked, and how the browser calls itself. A host that is no tenant's does not exist.
pub async fn host(State(hosts): State<Hosts>, mut request: Request, next: Next) -> Response {
    let Some(label) = label_of(request.headers(), &hosts.origin) else {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    };
    let host = match hosts.of(label).await {
        Ok(Some(host)) => host,
        Ok(None) => return (StatusCode::NOT_FOUND, "There is nothing here.").into_response(),
        Err(refusal) => return crate::session::IntoPage::into_page(refusal),
    };
    let agent = request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .map_or_else(String::new, describe);
    request.extensions_mut().insert(host);
    request.extensions_mut().insert(Agent(agent));
    next.run(request).await
}

/// The label before the bare host that was asked; empty for the bare host itself, none where another service was asked.
pub fn label_of(headers: &HeaderMap, origin: &Origin) -> Option<String> {
    label(&asked_host(headers)?, &origin.host)
}

fn asked_host(headers: &HeaderMap) -> Option<String> {
    headers
        .get(header::HOST)?
        .to_str()
        .ok()
        .map(str::to_ascii_lowercase)
}

/// The label before the bare host; empty for the bare host itself; none for any other host. The loopback addresses count as
/// the bare host when it is `localhost`.
fn label(asked: &str, bare: &str) -> Option<String> {
    if asked == bare {
        return Some(String::new());
    }
    if let (Some(port), true) = (
        bare.strip_prefix("localhost"),
        asked.starts_with("127.0.0.1") || asked.starts_with("[::1]"),
    ) {
        return asked.ends_with(port).then(String::new);
    }
    let label = asked.strip_suffix(bare)?.strip_suffix('.')?;
    (!label.is_empty() && !label.contains('.')).then(|| label.to_owned())
}

/// "Firefox on Windows": enough for a person to know their own browser again, and no more than that is kept.
fn describe(agent: &str) -> String {
    let pick = |table: &[(&str, &'static str)], other| {
        table
            .iter()
            .find(|(mark, _)| agent.contains(mark))
            .map_or(other, |(_, name)| *name)
    };
    // Order matters: Edge and Opera also say Chrome, Chrome also says Safari, Android also says Linux.
    let browser = pick(
        &[
            ("Edg", "Edge"),
            ("OPR/", "Opera"),
            ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"),
            ("CriOS", "Chrome"),
            ("Safari/", "Safari"),
        ],
        "A browser",
    );
    let system = pick(
        &[
            ("Windows", "Windows"),
            ("iPad", "iPad"),
            ("iPhone", "iPhone"),
            ("Android", "Android"),
            ("CrOS", "Chromebook"),
            ("Mac OS X", "Mac"),
            ("Linux", "Linux"),
        ],
        "an unknown device",
    );
    format!("{browser} on {system}")
}

/// Refuses unsafe methods and upgrades that do not come from a page of the same host. Server functions have no defence of
/// their own, and SameSite does not tell one school's host from another's.
pub async fn same_origin(
    State(origin): State<Arc<Origin>>,
    request: Request,
    next: Next,
) -> Response {
    let upgrade = request.headers().contains_key(header::UPGRADE);
    let safe = matches!(*request.method(), Method::GET | Method::HEAD) && !upgrade;
    if safe || from_same_origin(request.headers(), origin.scheme) {
        return next.run(request).await;
    }
    (
        StatusCode::FORBIDDEN,
        "This was not sent from a page of this site. Open the page again and repeat it there.",
    )
        .into_response()
}

fn from_same_origin(headers: &HeaderMap, scheme: &str) -> bool {
    let fetch_site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if fetch_site.is_some_and(|site| site != b"same-origin") {
        return false;
    }
    match (headers.get(header::ORIGIN), asked_host(headers)) {
        (Some(origin), Some(host)) => origin.as_bytes() == format!("{scheme}://{host}").as_bytes(),
        // Both absent: no browser of ours sends that.
        (None, _) => fetch_site == Some(b"same-origin"),
        (Some(_), None) => false,
    }
}

/// The headers of every response; a page adds its content policy, since that carries the page's nonce.
pub async fn headers(State(origin): State<Arc<Origin>>, request: Request, next: Next) -> Response {
    let is_file = crate::session::is_file(request.uri().path());
    let hashed = request.uri().path().starts_with("/pkg/");
    let shared = is_file && is_shared(request.uri().path());
    let framed = (request.uri().path() == FRAME)
        .then(|| asked_host(request.headers()))
        .flatten()
        .and_then(|host| frame_policy(origin.scheme, &host));
    let mut response = next.run(request).await;
    let found = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    for (name, value) in EVERYWHERE {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if shared && found {
        for (name, value) in SHARED {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
    }
    if let (Some(policy), true) = (framed, found) {
        headers.insert(
            header::X_FRAME_OPTIONS,
            HeaderValue::from_static("SAMEORIGIN"),
        );
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if origin.scheme == "https" {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    let caching = match (is_file && found, hashed) {
        (true, true) => "public, max-age=31536000, immutable",
        (true, false) => "public, max-age=3600",
        (false, _) => "no-store",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

const EVERYWHERE: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Not no-referrer: a refused form is drawn again on the page it came from.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=(), browsing-topics=()",
    ),
];

/// What papers are read in: a frame that is sandboxed, and so of an origin of its own (HTML standard, "sandboxed origin").
const FRAME: &str = "/reader/frame.html";

/// Files of ours that the frame asks for. To an origin of its own they are another's, so they say that anybody may have them;
/// anybody may, since they are the same for all.
fn is_shared(path: &str) -> bool {
    ["/reader/", "/pdfjs/", "/fonts/"]
        .iter()
        .any(|folder| path.starts_with(folder))
}

const SHARED: &[(&str, &str)] = &[
    ("access-control-allow-origin", "*"),
    ("cross-origin-resource-policy", "cross-origin"),
];

/// The content policy of the frame: it runs the reader and pdf.js, reaches nothing but their files, and stays sandboxed where it
/// is opened by itself. Modal windows are for printing; the page grants them or not. None for a host that is not written as one.
fn frame_policy(scheme: &str, host: &str) -> Option<HeaderValue> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | ':');
    if !host.chars().all(plain) {
        return None;
    }
    let here = format!("{scheme}://{host}");
    HeaderValue::from_str(&format!(
        "default-src 'none'; script-src {here}/reader/ {here}/pdfjs/ 'wasm-unsafe-eval'; worker-src blob:; style-src {here}/reader/; \
         img-src blob: data:; font-src {here}/fonts/ blob: data:; connect-src {here}/pdfjs/; form-action 'none'; base-uri 'none'; \
         frame-ancestors 'self'; sandbox allow-scripts allow-modals"
    ))
    .ok()
}

/// The content policy of a page (CSP level 3). WebAssembly needs its own word; sockets go to `'self'`. `onward` is where a form
/// may lead besides this host: the way from one school to another ends on the other's host.
pub fn content_policy(nonce: &str, onward: Option<&str>) -> String {
    let onward = onward.map(|hosts| format!(" {hosts}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; font-src 'self'; img-src 'self'; \
         connect-src 'self'; frame-src 'self'; form-action 'self'{onward}; base-uri 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_the_bare_one_or_one_label_in_front_of_it() {
        assert_eq!(
            label("oakfield.localhost:3000", "localhost:3000").as_deref(),
            Some("oakfield")
        );
        assert_eq!(
            label("localhost:3000", "localhost:3000").as_deref(),
            Some("")
        );
        assert_eq!(
            label("127.0.0.1:3000", "localhost:3000").as_deref(),
            Some("")
        );
        assert_eq!(label("127.0.0.1:4000", "localhost:3000"), None);
        assert_eq!(label("127.0.0.1", "quorate.example"), None);
        assert_eq!(label("a.b.quorate.example", "quorate.example"), None);
        assert_eq!(label("oakfieldquorate.example", "quorate.example"), None);
        assert_eq!(label(".quorate.example", "quorate.example"), None);
        assert_eq!(label("evil.example", "quorate.example"), None);
    }

    #[test]
    fn only_a_page_of_the_same_host_may_change_anything() {
        let ask = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                );
            }
            from_same_origin(&headers, "http")
        };
        let host = ("host", "oakfield.localhost:3000");
        assert!(ask(&[host, ("origin", "http://oakfield.localhost:3000")]));
        assert!(ask(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(!ask(&[host]));
        assert!(!ask(&[host, ("origin", "null")]));
        assert!(!ask(&[
            host,
            ("origin", "http://northgate.localhost:3000"),
            ("sec-fetch-site", "same-site")
        ]));
        assert!(!ask(&[
            host,
            ("origin", "http://oakfield.localhost:3000"),
            ("sec-fetch-site", "cross-site")
        ]));
        assert!(!ask(&[host, ("origin", "https://oakfield.localhost:3000")]));
        assert!(!ask(&[host, ("sec-fetch-site", "none")]));
    }

    #[tokio::test]
    async fn only_the_readers_frame_may_be_framed_and_only_its_files_are_anybodys() {
        use tower::ServiceExt;
        let origin = Arc::new(Origin {
            scheme: "http",
            host: "localhost:3000".to_owned(),
        });
        let service = axum::Router::new()
            .fallback(async |request: Request| match request.uri().path() {
                "/reader/gone.js" => StatusCode::NOT_FOUND,
                _ => StatusCode::OK,
            })
            .layer(axum::middleware::from_fn_with_state(origin, headers));
        let ask = async |path: &str, host: &str| {
            let request = Request::builder()
                .uri(path)
                .header("host", host)
                .body(axum::body::Body::empty())
                .unwrap();
            let answer = service.clone().oneshot(request).await.unwrap();
            move |name: &str| {
                answer
                    .headers()
                    .get(name)
                    .map_or("", |value| value.to_str().unwrap())
                    .to_owned()
            }
        };
        let frame = ask("/reader/frame.html", "oakfield.localhost:3000").await;
        assert_eq!(frame("x-frame-options"), "SAMEORIGIN");
        let policy = frame("content-security-policy");
        for part in [
            "default-src 'none'; script-src http://oakfield.localhost:3000/reader/ http://oakfield.localhost:3000/pdfjs/ 'wasm-unsafe-eval';",
            "connect-src http://oakfield.localhost:3000/pdfjs/;",
            "frame-ancestors 'self'; sandbox allow-scripts allow-modals",
        ] {
            assert!(policy.contains(part), "{part} in {policy}");
        }
        for hole in [
            "unsafe-inline",
            "'unsafe-eval'",
            "*",
            "allow-same-origin",
            "allow-popups",
            "allow-top",
            "allow-forms",
        ] {
            assert!(!policy.contains(hole), "{hole} in {policy}");
        }
        for file in [
            "/reader/frame.js",
            "/pdfjs/pdf.min.mjs",
            "/fonts/inter-latin.woff2",
        ] {
            let file = ask(file, "oakfield.localhost:3000").await;
            assert_eq!(file("access-control-allow-origin"), "*");
            assert_eq!(file("cross-origin-resource-policy"), "cross-origin");
            assert_eq!(file("x-frame-options"), "DENY");
        }
        for closed in [
            "/",
            "/people",
            "/pkg/quorate.js",
            "/reader/gone.js",
            "/reader",
            "/papers/reader/frame.html",
        ] {
            let answer = ask(closed, "oakfield.localhost:3000").await;
            assert_eq!(answer("access-control-allow-origin"), "", "{closed}");
            assert_eq!(
                answer("cross-origin-resource-policy"),
                "same-origin",
                "{closed}"
            );
            assert_eq!(answer("x-frame-options"), "DENY", "{closed}");
            assert_eq!(
                answer("content-security-policy"),
                "default-src 'none'; frame-ancestors 'none'",
                "{closed}"
            );
        }
        // A host that would add to the policy gets none of its own.
        let forged = ask("/reader/frame.html", "localhost:3000; script-src *").await;
        assert_eq!(forged("x-frame-options"), "DENY");
        assert_eq!(
            forged("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'"
        );
    }

    #[test]
    fn a_browser_is_described_in_words() {
        assert_eq!(
            describe(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36 Edg/156.0"
            ),
            "Edge on Windows"
        );
        assert_eq!(describe("curl/8.0"), "A browser on an unknown device");
    }
}
