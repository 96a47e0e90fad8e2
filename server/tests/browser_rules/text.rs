//! Text stays text.

use std::time::Duration;

use axum::http::Method;
use testing::Stand;

use crate::{
    ADMIN, html,
    site::{Answer, Served},
};

/// Each breaks out of another place: text, attributes, script, style, comment, title, address.
pub const BREAKOUTS: &[&str] = &[
    "<script>qx(1)</script>",
    "</script><script>qx(1)</script>",
    "</title><script>qx(1)</script>",
    "</textarea><script>qx(1)</script>",
    "</style><script>qx(1)</script>",
    "--><script>qx(1)</script><!--",
    "<!--<script>qx(1)",
    "\"><img src=x onerror=qx(1)>",
    "'><img src=x onerror=qx(1)>",
    "\" autofocus onfocus=\"qx(1)",
    "' autofocus onfocus='qx(1)",
    "<svg/onload=qx(1)>",
    "<a href=javascript:qx(1)>x</a>",
    "javascript:qx(1)",
    "]]><script>qx(1)</script>",
    "\\\"); qx(1); (\"",
    "${qx(1)}{{qx(1)}}",
    "\u{2028}qx(1)//",
    "<plaintext>qx(1)",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "&lt;script&gt;qx(1)&lt;/script&gt;",
    "＜script＞qx(1)＜/script＞",
];

#[tokio::test]
async fn text_that_looks_like_markup_stays_text_wherever_it_is_typed_kept_and_shown() {
    let mut served = Served::here().await;
    let admin = served
        .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
        .await;
    let governor = served
        .behind
        .membership("oakfield", "governor1@oakfield.example")
        .await
        .to_string();
    let rename = format!("/people/{governor}/rename");
    let mut shown = 0;
    for (n, text) in BREAKOUTS.iter().enumerate() {
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let check = |what: &str, answer: &Answer| {
            let page = answer.text();
            if answer.header("content-type").starts_with("text/html") {
                if let Some(near) = html::breaks_out(&page) {
                    panic!("{what}: {text}\n{near}…");
                }
            } else {
                assert!(
                    page.is_empty() || answer.header("content-type").starts_with("text/plain"),
                    "{what}: {}",
                    answer.header("content-type")
                );
                assert_eq!(answer.header("x-content-type-options"), "nosniff");
            }
            for (name, header) in &answer.headers {
                let header = header.to_str().unwrap();
                assert!(!header.contains("qx("), "{what}: in {name}: {header}");
                assert!(!header.contains("<script"), "{what}: in {name}: {header}");
            }
            page
        };
        // Echoed: typed into a form that is refused.
        for (path, cookie, fields) in [
            (
                "/sign-in",
                "",
                vec![
                    ("act", "session/sign-in"),
                    ("email", *text),
                    ("password", "x"),
                    ("next", *text),
                    ("shared", *text),
                ],
            ),
            (
                "/forgotten",
                "",
                vec![("act", "session/forgotten"), ("email", *text)],
            ),
            (
                "/people/add",
                &admin,
                vec![
                    ("act", "people/add"),
                    ("name", *text),
                    ("email", *text),
                    ("roles[0]", *text),
                ],
            ),
            ("/people/add", &admin, vec![("act", *text), ("name", "x")]),
            (
                "/step-up",
                &admin,
                vec![("act", "session/step-up"), ("old", "x"), ("next", *text)],
            ),
            (
                &rename,
                &admin,
                vec![
                    ("act", "people/rename"),
                    ("id", &governor),
                    ("name", *text),
                    ("was", *text),
                ],
            ),
            (
                "/settings",
                &admin,
                vec![("act", "tenancy/factor-rule"), ("rule", *text)],
            ),
            (
                "/schools",
                &admin,
                vec![("act", "tenancy/go"), ("label", *text)],
            ),
        ] {
            let answer = served.post("oakfield", path, cookie, &fields).await;
            assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
            check(path, &answer);
            sqlx::query("update sec.attempt set recent = '{}', locked_until = null")
                .execute(&mut *served.behind)
                .await
                .unwrap();
        }
        // In the address.
        for path in [
            format!("/people?q={encoded}&show={encoded}&role={encoded}&page={encoded}"),
            format!("/people?{encoded}={encoded}"),
            format!("/step-up?next={encoded}"),
            format!("/me?done={encoded}"),
            format!(
                "/audit?by={encoded}&about={encoded}&kind={encoded}&from={encoded}&to={encoded}&before={encoded}"
            ),
            format!("/people/{}", encoded.replace('+', "%20")),
            format!("/{}", encoded.replace('+', "%20")),
        ] {
            check(&path, &served.get("oakfield", &path, &admin).await);
        }
        for path in [
            format!("/sign-in?why={encoded}&next={encoded}"),
            format!("/reset/{}", encoded.replace('+', "%20")),
            format!("/invitation/{}", encoded.replace('+', "%20")),
            format!("/forgotten?sent={encoded}"),
        ] {
            check(&path, &served.get("oakfield", &path, "").await);
        }
        // Kept: as the name of a person and of the school, and shown on every page that names them.
        if text.contains('\u{2028}') {
            continue;
        }
        let email = format!("breakout{n}@elsewhere.example");
        let done = served
            .post(
                "oakfield",
                "/people/add",
                &admin,
                &[
                    ("act", "people/add"),
                    ("name", text),
                    ("email", &email),
                    ("roles[0]", "governor"),
                ],
            )
            .await;
        assert_eq!(done.status.as_u16(), 303, "{text}: {}", done.text());
        let id = done
            .location()
            .strip_prefix("/people/")
            .unwrap()
            .split('?')
            .next()
            .unwrap()
            .to_owned();
        sqlx::query("update tenant set name = $1 where label = 'oakfield'")
            .bind(text)
            .execute(&mut *served.behind)
            .await
            .unwrap();
        // A school's name is known for a second before it is asked after again.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        for path in [
            "/",
            "/people",
            "/people?show=invited",
            &format!("/people/{id}"),
            &format!("/people/{id}?done=added"),
            &format!("/people/{id}/roles"),
            &format!("/people/{id}/remove"),
            &format!("/people/{id}/rename"),
            &format!("/people/{id}/address"),
            "/audit",
            "/me",
            "/schools",
            "/settings",
        ] {
            let page = check(path, &served.get("oakfield", path, &admin).await);
            shown += usize::from(page.contains("qx(1)"));
        }
        for path in ["/sign-in", "/forgotten", "/no-such-page"] {
            check(path, &served.get("oakfield", path, "").await);
        }
        // To a page's own program it goes as JSON, and as nothing that a browser would draw.
        let json = served
            .ask(
                Method::GET,
                "oakfield",
                &format!("/api/sheet?address=/people/{id}"),
            )
            .header("accept", "application/json")
            .cookie(&admin)
            .send()
            .await;
        assert_eq!(json.header("content-type"), "application/json");
        // A sheet that an open page fetches again is markup inside of it, and goes into the page as it stands.
        let mut sheet: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
        let html = sheet["body"]["html"].take();
        if let Some(near) = html::breaks_out(html.as_str().unwrap()) {
            panic!("a sheet: {text}\n{near}…");
        }
        let page = served
            .ask(Method::GET, "oakfield", "/me")
            .header("user-agent", text.split('\u{2028}').next().unwrap_or("x"))
            .cookie(&admin)
            .send()
            .await;
        check("as a browser's name", &page);
    }
    assert!(shown > 100, "the texts were shown, as text: {shown}");
}
