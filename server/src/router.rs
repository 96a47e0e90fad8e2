//! All addresses that are not pages, with who calls them; everything else is a page of `app`.

use std::{sync::Arc, time::Duration};

use app::{
    door::{Host, Services},
    form::Echo,
};
use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{from_fn_with_state, map_response},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use domain::Refusal;
use leptos::{prelude::*, server_fn::axum::server_fn_paths};
use leptos_axum::ResponseOptions;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, CompressionLevel,
        predicate::{DefaultPredicate, NotForContentType, Predicate},
    },
    services::ServeDir,
};

use crate::{
    files::{Files, Verbatim},
    roster::{self, Rosters},
    security::{self, Hosts},
    session::{self, Store, guard, is_file, refused},
    socket::{self, Sockets},
    throttle::{self, Throttle},
    upload,
};

/// Largest form: no field of a page comes near it.
const FORM_MOST: usize = 64 * 1024;

/// Longest form that brings a list of people (see `domain::membership::many`), or a note on each of a row of pupils.
const LIST_MOST: usize = 1024 * 1024;

/// Largest answer of a server function that a page is drawn from: such a list with what becomes of each line.
const ANSWER_MOST: usize = 8 * 1024 * 1024;

fn most(path: &str) -> usize {
    match path {
        "/people/add-many" | "/api/people/check-many" | "/api/people/add-many" => LIST_MOST,
        // Every group of the school in one form.
        "/pupils/year" | "/api/pupils/year" => LIST_MOST,
        "/check-in" | "/api/pupils/check-in" => LIST_MOST,
        _ => FORM_MOST,
    }
}

/// Longest that one may take to arrive.
const FORM_WAIT: Duration = Duration::from_secs(20);

/// What the addresses need.
#[derive(Clone)]
pub struct Site {
    /// What server functions are lent.
    pub services: Services,
    /// Where the built front end lies.
    pub options: LeptosOptions,
    /// Holds strangers to a measure; none where nobody else can ask.
    pub throttle: Option<Throttle>,
    /// What is uploaded, and what is filed.
    pub files: Files,
    /// The rosters that are being read.
    pub rosters: Rosters,
}

/// The whole service as one tower service. `more` brings the routes that only some set-ups have (`/health`, `/dev/mail`).
#[allow(
    clippy::needless_pass_by_value,
    reason = "whoever builds the service has no more use for it"
)]
pub fn app(site: Site, sockets: Sockets, more: Router<Site>) -> Router {
    let origin = Arc::new(site.services.origin.clone());
    let https = origin.scheme == "https";
    let files = ServeDir::new(site.options.site_root.as_ref())
        .precompressed_br()
        .precompressed_gzip();
    let pages = Router::new()
        // A page's own requests once it is hydrated, and anybody's without JavaScript through `page`.
        .route("/api/{*act}", any(act))
        .merge(more)
        .fallback(page)
        .with_state(site.clone())
        .layer(from_fn_with_state(https, guard))
        .layer(session::layer(Store::new(site.services.db.clone()), https))
        .layer(from_fn_with_state(
            files,
            |State(files): State<ServeDir>, request: Request, next: axum::middleware::Next| async move {
                // Files need no session, so a browser's dozen of them costs the database nothing.
                if is_file(request.uri().path()) { file(files, request).await } else { next.run(request).await }
            },
        ))
        .layer(from_fn_with_state(Hosts::new(site.services.db.clone(), origin.clone()), security::host))
        .layer(from_fn_with_state(site.throttle.clone(), throttle::guard))
        .layer(compression());
    Router::new()
        // Thousands come back at once, so host and session are not looked up for each by itself as they are for pages.
        .route("/live", get(socket::live).layer(Extension(sockets)))
        .fallback_service(pages)
        .layer(from_fn_with_state(origin.clone(), security::same_origin))
        .layer(from_fn_with_state(origin, security::headers))
        .layer(CatchPanicLayer::new())
        .layer(map_response(told))
}

async fn file(files: ServeDir, request: Request) -> Response {
    use tower::ServiceExt;
    match files.oneshot(request).await {
        Ok(response) if response.status() == StatusCode::NOT_FOUND => {
            (StatusCode::NOT_FOUND, "There is nothing here.").into_response()
        }
        Ok(response) => response.into_response(),
        Err(never) => match never {},
    }
}

fn compression() -> CompressionLayer<impl Predicate> {
    // Fonts are compressed already. Fast levels: a page is made anew for each reader.
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(
            DefaultPredicate::new()
                .and(NotForContentType::const_new("font/"))
                .and(
                    |_: StatusCode,
                     _: http::Version,
                     _: &http::HeaderMap,
                     extensions: &http::Extensions| {
                        extensions.get::<Verbatim>().is_none()
                    },
                ),
        )
}

/// A server function by its own address.
async fn act(State(site): State<Site>, request: Request) -> Response {
    let named = server_fn_paths().find(|(path, _)| *path == request.uri().path());
    let Some((_, method)) = named else {
        return (StatusCode::NOT_FOUND, "There is nothing here.").into_response();
    };
    if request.method() != method {
        return not_this_way(if method == Method::GET { "GET" } else { "POST" });
    }
    let (parts, body) = request.into_parts();
    let bytes = match form(body, most(parts.uri.path())).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal,
    };
    let call = Request::from_parts(parts, Body::from(bytes));
    let answer = leptos_axum::handle_server_fns_with_context(lend(&site, Echo::default()), call)
        .await
        .into_response();
    with_its_status(answer).await
}

/// A refusal under the status that says the same, as on a page: leptos gives all of them 500.
async fn with_its_status(answer: Response) -> Response {
    if !answer.status().is_server_error() {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(body, ANSWER_MOST)
        .await
        .unwrap_or_default();
    let refusal = serde_json::from_slice::<Refusal>(&bytes);
    let mut response = Response::from_parts(parts, Body::from(bytes));
    if let Ok(refusal) = refusal {
        refused(&refusal, &mut response);
    }
    response
}

/// The bytes of a form, or the answer to one that is too long or too slow.
async fn form(body: Body, most: usize) -> Result<Bytes, Response> {
    let whole = tokio::time::timeout(FORM_WAIT, axum::body::to_bytes(body, most)).await;
    match whole {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err((
            StatusCode::PAYLOAD_TOO_LARGE,
            "This form holds more than it may. Shorten it and send it again.",
        )
            .into_response()),
        Err(_) => Err((
            StatusCode::REQUEST_TIMEOUT,
            "The form did not arrive in time. Send it again.",
        )
            .into_response()),
    }
}

fn not_this_way(allowed: &'static str) -> Response {
    (
        StatusCode::METHOD_NOT_ALLOWED,
        [(header::ALLOW, HeaderValue::from_static(allowed))],
    )
        .into_response()
}

/// A page; or, on a post, the server function that its form names, and then the way on or the page again.
async fn page(State(site): State<Site>, request: Request) -> Response {
    match *request.method() {
        Method::GET | Method::HEAD => draw(&site, request, Echo::default()).await,
        Method::POST => submit(&site, request).await,
        _ => not_this_way("GET, HEAD, POST"),
    }
}

async fn draw(site: &Site, request: Request, echo: Echo) -> Response {
    let refusal = echo.refusal.clone();
    let options = site.options.clone();
    let render = leptos_axum::render_app_async_with_context(lend(site, echo), move || {
        app::shell(options.clone())
    });
    let mut response = render(request).await.into_response();
    if let Some(refusal) = refusal
        && response.status() == StatusCode::OK
    {
        refused(&refusal, &mut response);
    }
    response
}

async fn submit(site: &Site, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let is = |kind: &[u8]| {
        parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|given| given.as_bytes().starts_with(kind))
    };
    let most = most(parts.uri.path());
    if roster::is_for(parts.uri.path()) && is(b"multipart/form-data") {
        return match roster::read(site, &parts, body).await {
            Ok(to) => see_other(to),
            Err((_, Refusal::SignedOut)) => signed_out(),
            Err((fields, refusal)) => {
                let echo = again(app::roster::READ.to_owned(), refusal, fields);
                draw(site, as_visit(parts), echo).await
            }
        };
    }
    if upload::is_for(parts.uri.path()) && is(b"multipart/form-data") {
        return match upload::filed(site, &parts, body).await {
            Ok(to) => see_other(to),
            Err((fields, refusal)) => {
                draw(
                    site,
                    as_visit(parts),
                    again(String::from("library/upload"), refusal, fields),
                )
                .await
            }
        };
    }
    // Only a page that asks for a file is sent one.
    let brings_file = most > FORM_MOST && is(b"multipart/form-data");
    if !brings_file && !is(b"application/x-www-form-urlencoded") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let mut bytes = match form(body, most).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal,
    };
    let (fields, file_refused) = if brings_file {
        let Some(read) = upload::fields(&parts, bytes).await else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        bytes = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&read.0)
            .finish()
            .into();
        read
    } else {
        (form_urlencoded::parse(&bytes).into_owned().collect(), None)
    };
    let Some(act) = fields
        .iter()
        .find(|(name, _)| name == "act")
        .map(|(_, value)| value.clone())
    else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Ok(uri) = Uri::try_from(format!("/api/{act}")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if let Some(refusal) = file_refused {
        return draw(site, as_visit(parts), again(act, refusal, fields)).await;
    }
    let mut call = Request::new(Body::from(bytes));
    *call.method_mut() = Method::POST;
    *call.uri_mut() = uri;
    *call.headers_mut() = parts.headers.clone();
    // A plain answer instead of leptos's own redirect, which would carry the error in the address.
    call.headers_mut()
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    call.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    call.headers_mut().remove(header::CONTENT_LENGTH);
    *call.extensions_mut() = parts.extensions.clone();
    let answer = leptos_axum::handle_server_fns_with_context(lend(site, Echo::default()), call)
        .await
        .into_response();

    if let Some(to) = answer.headers().get(header::LOCATION) {
        return see_other(to.clone());
    }
    let succeeded = answer.status().is_success();
    let answered = axum::body::to_bytes(answer.into_body(), ANSWER_MOST)
        .await
        .unwrap_or_default();
    if succeeded && answered.as_ref() != b"null" {
        // Something to be shown once, such as recovery codes: on this answer and nowhere else.
        let answer = String::from_utf8(answered.to_vec()).ok();
        let echo = Echo {
            act,
            refusal: None,
            fields: Vec::new(),
            answer,
        };
        return draw(site, as_visit(parts), echo).await;
    }
    if succeeded {
        let here = parts
            .uri
            .path_and_query()
            .map_or("/", |whole| whole.as_str());
        return HeaderValue::from_str(here)
            .map_or_else(|_| StatusCode::BAD_REQUEST.into_response(), see_other);
    }
    let refusal = serde_json::from_slice::<Refusal>(&answered).unwrap_or(Refusal::Stale);
    if refusal == Refusal::SignedOut {
        return signed_out();
    }
    if refusal == Refusal::FactorNeeded {
        return see_other(HeaderValue::from_static("/sign-in/factor"));
    }
    draw(site, as_visit(parts), again(act, refusal, fields)).await
}

/// A form that was refused, for the page that is drawn again.
fn again(act: String, refusal: Refusal, fields: Vec<(String, String)>) -> Echo {
    Echo {
        act,
        refusal: Some(refusal),
        fields,
        answer: None,
    }
    .without_secrets()
}

fn as_visit(parts: axum::http::request::Parts) -> Request {
    let mut visit = Request::from_parts(parts, Body::empty());
    *visit.method_mut() = Method::GET;
    visit
}

fn see_other(to: HeaderValue) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, to);
    response
}

fn signed_out() -> Response {
    see_other(HeaderValue::from_static("/sign-in?why=signed-out"))
}

/// The context of every render and server function.
fn lend(site: &Site, echo: Echo) -> impl Fn() + Clone + Send + 'static {
    let services = site.services.clone();
    let under_way = site.rosters.under_way.clone();
    let onward = services.origin.of_tenant("*");
    move || {
        provide_context(services.clone());
        provide_context(echo.clone());
        provide_context(under_way.clone());
        if let (Some(response), Some(nonce)) =
            (use_context::<ResponseOptions>(), leptos::nonce::use_nonce())
            && let Ok(policy) = HeaderValue::from_str(&security::content_policy(
                &nonce,
                app::door::session().is_ok().then_some(&*onward),
            ))
        {
            response.insert_header(HeaderName::from_static("content-security-policy"), policy);
        }
    }
}

/// One line a faulty answer: what was asked is not told, since an address can name a person.
async fn told(response: Response) -> Response {
    if response.status().is_server_error() {
        tracing::warn!(
            status = response.status().as_u16(),
            "a request ended in a fault"
        );
    }
    response
}

/// For routes that only a tenant's host has.
pub fn tenant_of(host: Option<Extension<Host>>) -> Option<domain::TenantId> {
    host.and_then(|Extension(host)| host.tenant)
}

/// `/health`: for the balancer and the operator.
pub fn health<F>(report: F) -> Router<Site>
where
    F: Fn() -> (bool, serde_json::Value) + Clone + Send + Sync + 'static,
{
    let answer = move || {
        let (well, report) = report();
        let status = if well {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        std::future::ready((status, axum::Json(report)))
    };
    Router::new().route("/health", get(answer))
}
