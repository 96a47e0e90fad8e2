//! `/dev/mail`: what would have been sent, on a developer's own machine and nowhere else.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use axum::{
    Extension, Router,
    extract::{ConnectInfo, Path, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use mail_parser::MessageParser;

use html_escape::encode_quoted_attribute as escape;

/// Letters shown in the list.
const MOST: usize = 200;

/// What the pages need to know.
#[derive(Clone, Debug)]
pub struct DevMail {
    /// Where the letters are.
    pub folder: PathBuf,
    /// The host of the configured origin, with or without a port. The pages are there only when it is this machine.
    pub origin_host: String,
    /// Address of the style sheet, if there is one.
    pub style: Option<String>,
}

/// `GET /dev/mail` and `GET /dev/mail/{file}`. Needs [`ConnectInfo`]; without it, as for any other machine, 404.
pub fn routes<S: Clone + Send + Sync + 'static>(state: DevMail) -> Router<S> {
    Router::new()
        .route("/dev/mail", get(list))
        .route("/dev/mail/{file}", get(one))
        .layer(middleware::from_fn(only_here))
        .layer(Extension(Arc::new(state)))
}

/// Three looks, since each alone can be led astray: the peer (by a proxy on this machine), our own address (by a
/// forgotten setting), and the name asked for (by a foreign name that resolves to this machine).
async fn only_here(
    Extension(state): Extension<Arc<DevMail>>,
    request: Request,
    next: Next,
) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .is_some_and(|peer| peer.0.ip().to_canonical().is_loopback());
    let asked = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or(request.uri().host());
    if !(peer && is_here(&state.origin_host) && asked.is_some_and(is_here)) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut response = next.run(request).await;
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// `localhost`, a name under it, or a loopback address.
fn is_here(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if host.matches(':').count() > 1 => host,
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name.ends_with(".localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

async fn list(Extension(state): Extension<Arc<DevMail>>) -> Response {
    let mut names = vec![];
    if let Ok(mut entries) = tokio::fs::read_dir(&state.folder).await {
        while let Ok(Some(entry)) = entries.next_entry().await {
            if let Ok(name) = entry.file_name().into_string()
                && is_letter(&name)
            {
                names.push(name);
            }
        }
    }
    names.sort_unstable_by(|one, other| other.cmp(one));
    let mut lines = String::new();
    for name in names.iter().take(MOST) {
        if let Some(letter) = read(&state, name).await {
            lines.push_str(&format_line(name, &letter));
        }
    }
    let body = if lines.is_empty() {
        "<section class=\"card\"><div class=\"body\"><div class=\"empty\"><h2>No mail yet</h2>\
         <p>What Quorate would send appears here.</p></div></div></section>"
            .to_owned()
    } else {
        format!(
            "<section class=\"card\"><table class=\"table\"><caption>Newest first.</caption>\
             <thead><tr><th scope=\"col\">Subject</th><th scope=\"col\">To</th><th scope=\"col\">Sent</th></tr></thead>\
             <tbody>{lines}</tbody></table></section>"
        )
    };
    let head = "<div class=\"head\"><div><h1>Mail on this machine</h1><p>What would have been sent. Only this machine sees the page.</p></div></div>";
    page(&state, "Mail on this machine", &format!("{head}\n{body}"))
}

fn format_line(name: &str, letter: &Read) -> String {
    format!(
        "<tr><th scope=\"row\"><a class=\"open\" href=\"/dev/mail/{name}\">{}</a></th>\
         <td data-label=\"To\">{}</td><td data-label=\"Sent\"><time datetime=\"{date}\">{}</time></td></tr>\n",
        escape(&letter.subject),
        address(&letter.to),
        app::ui::in_words(&letter.date),
        date = escape(&letter.date),
    )
}

/// Escaped, and free to go on in the next line after its `@`.
fn address(to: &str) -> String {
    escape(to).replace('@', "@<wbr>")
}

async fn one(Extension(state): Extension<Arc<DevMail>>, Path(file): Path<String>) -> Response {
    if !is_letter(&file) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Some(letter) = read(&state, &file).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let body = format!(
        "<nav class=\"crumbs\" aria-label=\"Where you are\"><ol role=\"list\"><li><a href=\"/dev/mail\">Mail on this machine</a></li></ol></nav>\n\
         <div class=\"head\"><div><h1>{}</h1></div></div>\n\
         <section class=\"card\"><div class=\"body\"><dl class=\"details\"><div><dt>To</dt><dd>{}</dd></div>\
         <div><dt>Sent</dt><dd><time datetime=\"{date}\">{}</time></dd></div></dl><hr>\n\
         <div class=\"letter\">{}</div></div></section>",
        escape(&letter.subject),
        address(&letter.to),
        app::ui::in_words(&letter.date),
        with_links(&letter.text),
        date = escape(&letter.date),
    );
    page(&state, &letter.subject, &body)
}

/// Thirteen digits, a hyphen, thirty-two of hexadecimal, `.eml`: no other name is ever opened.
fn is_letter(name: &str) -> bool {
    let Some((millis, rest)) = name.split_once('-') else {
        return false;
    };
    let Some(random) = rest.strip_suffix(".eml") else {
        return false;
    };
    millis.len() == 13
        && millis.bytes().all(|byte| byte.is_ascii_digit())
        && random.len() == 32
        && random
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

struct Read {
    subject: String,
    to: String,
    date: String,
    text: String,
}

async fn read(state: &DevMail, name: &str) -> Option<Read> {
    let bytes = tokio::fs::read(state.folder.join(name)).await.ok()?;
    let mail = MessageParser::default().parse(&bytes)?;
    let to = mail
        .to()
        .and_then(|to| to.first())
        .and_then(|to| to.address())
        .unwrap_or_default();
    Some(Read {
        subject: mail.subject().unwrap_or_default().to_owned(),
        to: to.to_owned(),
        date: mail
            .date()
            .map(mail_parser::DateTime::to_rfc3339)
            .unwrap_or_default(),
        text: mail.body_text(0).unwrap_or_default().into_owned(),
    })
}

/// Escaped, with each http(s) address made a link.
fn with_links(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let address = word.trim_end();
            let space = &word[address.len()..];
            let safe = escape(address);
            if address.starts_with("http://") || address.starts_with("https://") {
                format!("<a href=\"{safe}\">{safe}</a>{space}")
            } else {
                format!("{safe}{space}")
            }
        })
        .collect()
}

/// Address of the built style sheet, whose name holds its hash.
pub fn style(site: &std::path::Path) -> Option<String> {
    std::fs::read_dir(site.join("pkg"))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|file| file.extension().is_some_and(|kind| kind == "css"))
        .and_then(|file| Some(format!("/pkg/{}", file.file_name()?.to_str()?)))
}

fn page(state: &DevMail, title: &str, body: &str) -> Response {
    let style = state
        .style
        .as_deref()
        .map(|style| format!("<link rel=\"stylesheet\" href=\"{}\">", escape(style)))
        .unwrap_or_default();
    let title = escape(title);
    Html(format!(
        "<!doctype html>\n<html lang=\"en-GB\" data-accent=\"green\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\"><title>{title}</title>{style}</head>\n\
         <body><a class=\"skip\" href=\"#main\">Skip to the page</a>\n<div class=\"frame bare\"><header class=\"bar\">\
         <a class=\"school\" href=\"/\"><span class=\"crest\" aria-hidden=\"true\">Q</span><span>Quorate</span></a></header>\n\
         <main class=\"page\" id=\"main\" tabindex=\"-1\">\n{body}\n</main></div></body></html>\n"
    ))
    .into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use tower::ServiceExt;

    use super::*;

    const NAME: &str = "1795275730000-0123456789abcdef0123456789abcdef.eml";
    const MAIL: &str = "From: Quorate <quorate@localhost>\r\nTo: Joan <joan@oakfield.example>\r\nSubject: Come & see\r\n\
        Date: Sat, 21 Nov 2026 15:42:10 +0000\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        Hello <b>Si=C3=A2n</b>,\r\n\r\nhttp://oakfield.localhost:3000/invitation/abc=\r\ndef\r\n\r\njavascript:alert(1)\r\n";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), MAIL).unwrap();
        std::fs::write(folder.path().join("secrets.toml"), "secret").unwrap();
        folder
    }

    async fn get(
        folder: &tempfile::TempDir,
        origin: &str,
        peer: Option<&str>,
        host: &str,
        path: &str,
    ) -> (StatusCode, HeaderMap, String) {
        let state = DevMail {
            folder: folder.path().to_owned(),
            origin_host: origin.into(),
            style: Some("/pkg/quorate.css".into()),
        };
        let mut request = Request::builder()
            .uri(path)
            .header("host", host)
            .body(Body::empty())
            .unwrap();
        if let Some(peer) = peer {
            request
                .extensions_mut()
                .insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
        }
        let response = routes::<()>(state).oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_developer_reads_the_list_and_follows_the_link_of_a_letter() {
        let folder = folder();
        let (status, headers, list) = get(
            &folder,
            "localhost:3000",
            Some("127.0.0.1:5"),
            "localhost:3000",
            "/dev/mail",
        )
        .await;
        assert_eq!(status, 200);
        assert!(
            list.contains(&format!(
                "<a class=\"open\" href=\"/dev/mail/{NAME}\">Come &amp; see</a></th><td data-label=\"To\">joan@<wbr>oakfield.example</td>"
            )),
            "{list}"
        );
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'")
        );
        assert_eq!(headers["cache-control"], "no-store");
        let (status, _, letter) = get(
            &folder,
            "localhost",
            Some("[::1]:5"),
            "oakfield.localhost:3000",
            &format!("/dev/mail/{NAME}"),
        )
        .await;
        assert_eq!(status, 200);
        let link = "http://oakfield.localhost:3000/invitation/abcdef";
        assert!(
            letter.contains(&format!("<a href=\"{link}\">{link}</a>")),
            "{letter}"
        );
        assert!(
            letter.contains("Hello &lt;b&gt;Siân&lt;/b&gt;,")
                && !letter.contains("href=\"javascript"),
            "{letter}"
        );
    }

    #[tokio::test]
    async fn nobody_else_finds_anything_there() {
        let folder = folder();
        let there = format!("/dev/mail/{NAME}");
        for (origin, peer, host) in [
            ("localhost", Some("10.0.0.7:5"), "localhost"),
            ("localhost", Some("[::ffff:10.0.0.7]:5"), "localhost"),
            ("localhost", None, "localhost"),
            ("example.org", Some("127.0.0.1:5"), "localhost"),
            ("localhost.example.org", Some("127.0.0.1:5"), "localhost"),
            ("localhost", Some("127.0.0.1:5"), "evil.example"),
            ("localhost", Some("127.0.0.1:5"), "127.0.0.1.evil.example"),
            ("localhost", Some("127.0.0.1:5"), "notlocalhost"),
        ] {
            for path in ["/dev/mail", &there] {
                let (status, _, body) = get(&folder, origin, peer, host, path).await;
                assert_eq!(
                    (status, body.as_str()),
                    (StatusCode::NOT_FOUND, ""),
                    "{origin} {peer:?} {host} {path}"
                );
            }
        }
    }

    #[tokio::test]
    async fn only_a_letter_is_ever_opened() {
        let folder = folder();
        std::fs::write(folder.path().join(format!(".{NAME}")), MAIL).unwrap();
        for file in [
            "secrets.toml",
            "..%2fsecrets.toml",
            "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
            &format!(".{NAME}"),
            &format!("..%2f{NAME}"),
            &format!("{NAME}%00"),
            &NAME.to_uppercase(),
            "1795275730000-0123456789abcdef0123456789abcdee.eml",
        ] {
            let (status, ..) = get(
                &folder,
                "localhost",
                Some("127.0.0.1:5"),
                "localhost",
                &format!("/dev/mail/{file}"),
            )
            .await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{file}");
        }
        let (_, _, list) = get(
            &folder,
            "localhost",
            Some("127.0.0.1:5"),
            "localhost",
            "/dev/mail",
        )
        .await;
        assert_eq!(list.matches("<td data-label=\"To\">").count(), 1, "{list}");
    }
}
