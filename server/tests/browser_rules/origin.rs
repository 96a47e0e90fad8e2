//! Where a change comes from.

use axum::http::Method;
use testing::Stand;

use crate::{
    ADMIN, events,
    site::{self, Served},
};

/// What another site, another school's page, or no page at all would send: origin and `sec-fetch-site`.
fn foreign(served: &Served) -> Vec<(&'static str, String, &'static str)> {
    let (scheme, host) = (served.scheme, &served.host);
    let own = format!("{scheme}://oakfield.{host}");
    let other_scheme = if scheme == "http" { "https" } else { "http" };
    vec![
        ("neither", String::new(), ""),
        ("a sandboxed page", "null".to_owned(), ""),
        (
            "another site",
            "https://evil.example".to_owned(),
            "cross-site",
        ),
        (
            "another site, by an old browser",
            "https://evil.example".to_owned(),
            "",
        ),
        (
            "another school",
            format!("{scheme}://northgate.{host}"),
            "same-site",
        ),
        (
            "another school, by an old browser",
            format!("{scheme}://northgate.{host}"),
            "",
        ),
        ("the bare host", format!("{scheme}://{host}"), "same-site"),
        (
            "another scheme",
            format!("{other_scheme}://oakfield.{host}"),
            "",
        ),
        ("another port", format!("{own}1"), ""),
        ("a longer name", format!("{own}.evil.example"), ""),
        (
            "a name that ends alike",
            format!("{scheme}://evil-oakfield.{host}"),
            "",
        ),
        (
            "our origin, but the browser says otherwise",
            own.clone(),
            "cross-site",
        ),
        ("our origin, but from a sibling", own.clone(), "same-site"),
        ("typed into the address bar", String::new(), "none"),
        ("our origin with a path", format!("{own}/"), ""),
    ]
}

#[tokio::test]
async fn changes_and_upgrades_from_anywhere_but_a_page_of_the_same_host_are_refused() {
    for mut served in [Served::here().await, Served::https().await] {
        let cookie = served
            .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
            .await;
        let acts: Vec<(&str, Method)> = leptos::server_fn::axum::server_fn_paths()
            .filter(|(_, method)| *method == Method::POST)
            .collect();
        assert!(acts.len() >= 15);
        let before = events(&mut served).await;
        for (what, origin, site) in foreign(&served) {
            let from = |ask: site::Ask| {
                ask.header("origin", &origin)
                    .header("sec-fetch-site", site)
                    .cookie(&cookie)
            };
            for (path, _) in &acts {
                let answer = from(served.ask(Method::POST, "oakfield", path))
                    .form(&[("name", "X")])
                    .send()
                    .await;
                assert_eq!(answer.status.as_u16(), 403, "{what}: {path}");
            }
            for page in [
                "/sign-in",
                "/people/add",
                "/settings",
                "/no-such-page",
                "/live",
                "/pkg/quorate.js",
            ] {
                let answer = from(served.ask(Method::POST, "oakfield", page))
                    .form(&[("act", "session/sign-out")])
                    .send()
                    .await;
                assert_eq!(answer.status.as_u16(), 403, "{what}: {page}");
                assert!(answer.new_cookie().is_none());
            }
            for method in [
                Method::PUT,
                Method::DELETE,
                Method::PATCH,
                Method::OPTIONS,
                Method::TRACE,
            ] {
                assert_eq!(
                    from(served.ask(method.clone(), "oakfield", "/people"))
                        .send()
                        .await
                        .status
                        .as_u16(),
                    403,
                    "{what}: {method}"
                );
            }
            let upgrade = from(served.ask(Method::GET, "oakfield", "/live"))
                .header("upgrade", "websocket")
                .header("connection", "upgrade");
            assert_eq!(
                upgrade.send().await.status.as_u16(),
                403,
                "{what}: a socket"
            );
        }
        assert_eq!(events(&mut served).await, before, "nothing was done");
        // The outsider: from a page of Oakfield the same is not refused for where it comes from.
        for (path, _) in &acts {
            let answer = served
                .act(
                    "oakfield",
                    path.strip_prefix("/api/").unwrap(),
                    "",
                    &[
                        ("email", "nobody"),
                        ("password", "x"),
                        ("code", "1"),
                        ("link", "x"),
                    ],
                )
                .await;
            assert!(
                !answer.text().starts_with("This was not sent"),
                "{path}: {}",
                answer.text()
            );
        }
        let upgrade = served
            .ask(Method::GET, "oakfield", "/live")
            .header(
                "origin",
                &format!("{}://oakfield.{}", served.scheme, served.host),
            )
            .header("upgrade", "websocket");
        assert_eq!(
            upgrade.send().await.status.as_u16(),
            401,
            "a stranger's socket"
        );
        // Nor does a visit change anything: a function that writes does not answer to GET, however it is asked.
        for (path, _) in &acts {
            let answer = served
                .ask(
                    Method::GET,
                    "oakfield",
                    &format!("{path}?id=x&label=northgate&rule=officers&email=a@b.example"),
                )
                .cookie(&cookie)
                .send()
                .await;
            assert!(
                !answer.status.is_success() && !answer.status.is_redirection(),
                "{path}: {}",
                answer.status
            );
        }
        assert_eq!(events(&mut served).await, before);
    }
}
