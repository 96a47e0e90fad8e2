//! The whole service over a demo of its own, asked without a network: the real router, the real login, named people.

#![allow(dead_code, reason = "each test uses its own part")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use app::door::{Origin, Services};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header},
};
use domain::{
    db::{Db, LiveDb},
    password::Hasher,
    session::Token,
};
use server::{
    arrive,
    checkpoint::Folder,
    clock,
    devmail::{self, DevMail},
    export::{self, Notary},
    files::{self, Files},
    hub::Hub,
    known, people, picture,
    roster::{self, Rosters},
    router::{self, Site},
    socket::Sockets,
    staging::Staging,
    storage::Storage,
};
use testing::{Behind, Fresh, Role, Stand};
use tower::ServiceExt as _;
use tower_sessions::session::Id;

/// The service, and what stands behind it.
pub struct Served {
    pub fresh: Fresh,
    pub behind: Behind,
    /// Where documents lie.
    pub files: Files,
    pub router: Router,
    /// The bare host.
    pub host: String,
    pub scheme: &'static str,
    /// Where the front end's files lie.
    pub folder: tempfile::TempDir,
    /// What exports of the log are signed with.
    pub notary: Notary,
    clock: Arc<AtomicU64>,
}

/// A store, a place for uploads and the real inspection, all in the folder.
pub async fn files(folder: &std::path::Path) -> Files {
    let secret = secrecy::SecretString::from("quiet otter");
    let store = Storage::start_embedded(&folder.join("s3"), "quorate", &secret)
        .await
        .unwrap();
    store.check().await.unwrap();
    Files {
        store,
        staging: Staging::new(folder.join("uploads")).unwrap(),
        inspector: inspect::Inspector::new(
            std::path::Path::new(env!("CARGO_BIN_EXE_quorate")),
            ["inspect", "--kind"],
            inspect::Limits::default(),
        ),
        scanner: None,
    }
}

impl Served {
    /// As on a laptop.
    pub async fn here() -> Self {
        Self::at("http", "localhost:3000").await
    }

    /// As in production.
    pub async fn https() -> Self {
        Self::at("https", "quorate.example").await
    }

    async fn at(scheme: &'static str, host: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = self::files(folder.path()).await;
        Self::with(scheme, host, folder, files).await
    }

    /// As on a laptop, with another store.
    pub async fn over(store: Storage) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = self::files(folder.path()).await;
        Self::with("http", "localhost:3000", folder, Files { store, ..files }).await
    }

    async fn with(
        scheme: &'static str,
        host: &str,
        folder: tempfile::TempDir,
        files: Files,
    ) -> Self {
        let _ = any_spawner::Executor::init_tokio();
        let fresh = Fresh::demo().await;
        let mut behind = fresh.behind().await;
        let site = folder.path().join("site");
        std::fs::create_dir_all(site.join("pkg")).unwrap();
        for name in [
            "pkg/quorate.js",
            "pkg/quorate.css",
            "favicon.svg",
            "robots.txt",
            "icons.svg",
        ] {
            std::fs::write(site.join(name), "a file ".repeat(64)).unwrap();
        }
        std::fs::write(folder.path().join("not-served"), "no").unwrap();
        let db = Db::new(fresh.options(Role::Web), 6);
        let hub = Hub::default();
        let origin = Origin {
            scheme,
            host: host.to_owned(),
        };
        let sockets = Sockets::new(
            hub.clone(),
            Arc::new(LiveDb::new(fresh.options(Role::Live), 1)),
            Arc::new(db.clone()),
            Arc::new(origin.clone()),
        );
        // The database's day is the server's, as it is where both run.
        let moment: i64 = sqlx::query_scalar("select extract(epoch from now())::bigint")
            .fetch_one(&mut *behind)
            .await
            .unwrap();
        let clock = Arc::new(AtomicU64::new(moment.cast_unsigned()));
        let now = clock.clone();
        let services = Services {
            db,
            hasher: Hasher::new(2).unwrap(),
            secrets: testing::secrets(),
            readings: Arc::new(hub.clone()),
            here: Arc::new(move |tenant| hub.here(tenant)),
            copies: false,
            now: Arc::new(move || now.load(Ordering::Relaxed)),
            origin,
        };
        let options = leptos::config::LeptosOptions::builder()
            .output_name("quorate")
            .site_root(site.display().to_string())
            .site_pkg_dir("pkg")
            .build();
        let letters = DevMail {
            folder: folder.path().join("mail"),
            origin_host: host.to_owned(),
            style: None,
        };
        let notary = Notary {
            signer: testing::secrets().signer().unwrap(),
            folder: Folder::new(folder.path().join("checkpoints")),
            clock: clock::now,
        };
        let more = Router::new()
            .merge(router::health(|| {
                (true, serde_json::json!({ "well": true }))
            }))
            .merge(arrive::route())
            .merge(people::route())
            .merge(picture::route())
            .merge(files::route())
            .merge(roster::route())
            .merge(known::route())
            .merge(export::route(notary.clone()))
            .merge(devmail::routes(letters));
        let router = router::app(
            Site {
                services,
                options,
                throttle: None,
                files: files.clone(),
                rosters: Rosters::default(),
            },
            sockets,
            more,
        );
        Self {
            fresh,
            behind,
            files,
            router,
            host: host.to_owned(),
            scheme,
            folder,
            notary,
            clock,
        }
    }

    /// The school's day by the server's clock, and so many days later.
    pub fn day(&self, later: i64) -> time::Date {
        domain::day::today(self.clock.load(Ordering::Relaxed)) + time::Duration::days(later)
    }

    /// The demo's code for now; each call is a time step later.
    pub fn next_code(&self) -> String {
        let now = self.clock.fetch_add(60, Ordering::Relaxed) + 60;
        let secret = domain::factor::Secret::from_bytes(b"Hello!\xDE\xAD\xBE\xEF".to_vec());
        testing::code_at(&secret, now)
    }

    /// A cookie of somebody, signed in at a school or on the bare host.
    pub async fn cookie(&mut self, label: Option<&str>, email: &str, stand: Stand) -> String {
        let token = self.behind.session(label, email, stand).await;
        self.cookie_of(token)
    }

    pub fn cookie_of(&self, token: Token) -> String {
        format!(
            "{}={}",
            self.cookie_name(),
            Id(i128::from_le_bytes(*token.bytes()))
        )
    }

    pub fn cookie_name(&self) -> &'static str {
        if self.scheme == "https" {
            "__Host-quorate"
        } else {
            "quorate"
        }
    }

    /// A school's host, or the bare one.
    pub fn host_of(&self, label: &str) -> String {
        if label.is_empty() {
            self.host.clone()
        } else {
            format!("{label}.{}", self.host)
        }
    }

    /// What a browser sends from a page of the school.
    pub fn ask(&self, method: Method, label: &str, path: &str) -> Ask {
        let host = self.host_of(label);
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if method != Method::GET && method != Method::HEAD {
            headers.insert(
                header::ORIGIN,
                format!("{}://{host}", self.scheme).parse().unwrap(),
            );
            headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        }
        Ask {
            router: self.router.clone(),
            method,
            path: path.to_owned(),
            headers,
            body: Vec::new(),
        }
    }

    pub async fn get(&self, label: &str, path: &str, cookie: &str) -> Answer {
        self.ask(Method::GET, label, path)
            .cookie(cookie)
            .send()
            .await
    }

    /// A form of a page, as a browser without JavaScript posts it.
    pub async fn post(
        &self,
        label: &str,
        path: &str,
        cookie: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        self.ask(Method::POST, label, path)
            .cookie(cookie)
            .form(fields)
            .send()
            .await
    }

    /// A server function at its own address, as a hydrated page asks it.
    pub async fn act(
        &self,
        label: &str,
        name: &str,
        cookie: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        self.ask(Method::POST, label, &format!("/api/{name}"))
            .header("accept", "application/json")
            .cookie(cookie)
            .form(fields)
            .send()
            .await
    }
}

/// A request that is being put together.
pub struct Ask {
    router: Router,
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Ask {
    /// Sets a header; an empty value takes it out.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let name = HeaderName::from_static(name);
        if value.is_empty() {
            self.headers.remove(name);
        } else {
            self.headers
                .insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        self
    }

    pub fn cookie(self, cookie: &str) -> Self {
        self.header("cookie", cookie)
    }

    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish()
            .into_bytes();
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    pub fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// How many bytes of the answer came, or why they broke off.
    pub async fn taken(self) -> Result<usize, axum::Error> {
        let response = self.answered().await;
        Ok(to_bytes(response.into_body(), 16 << 20).await?.len())
    }

    pub async fn send(self) -> Answer {
        let response = self.answered().await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 16 << 20).await.unwrap().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    async fn answered(self) -> axum::response::Response {
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self
            .path
            .parse()
            .unwrap_or_else(|error| panic!("{}: {error}", self.path));
        *request.headers_mut() = self.headers;
        request
            .extensions_mut()
            .insert(ConnectInfo(std::net::SocketAddr::from((
                [127, 0, 0, 1],
                4711,
            ))));
        self.router.oneshot(request).await.unwrap()
    }
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// The nonce of the page's content policy.
    pub fn nonce(&self) -> Option<&str> {
        self.header("content-security-policy")
            .split("'nonce-")
            .nth(1)?
            .split('\'')
            .next()
    }

    /// The bytes of the page without what is new in every answer.
    pub fn plain(&self) -> String {
        match self.nonce() {
            Some(nonce) => self.text().replace(nonce, "nonce"),
            None => self.text(),
        }
    }

    /// The refusal of a server function, such as `not_found`.
    pub fn refusal(&self) -> Option<String> {
        let json: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        json.get("refusal")?.as_str().map(str::to_owned)
    }

    /// `name=value` of the cookie that was set, if one was.
    pub fn new_cookie(&self) -> Option<String> {
        self.header("set-cookie")
            .split(';')
            .next()
            .filter(|pair| !pair.is_empty())
            .map(str::to_owned)
    }
}
