//! What a browser is told and what is asked of it: origins, headers, the one cookie, hosts, limits, forms that lose nothing, and
//! text that stays text.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod site;

use std::collections::BTreeSet;

use axum::http::Method;
use domain::demo;
use site::{Answer, Served};
use testing::Stand;

const ADMIN: &str = "admin@oakfield.example";
const CLERK: &str = "clerk@oakfield.example";

// ── Where a change comes from ─────────────────────────────────────────────────────────────────

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

async fn events(served: &mut Served) -> i64 {
    sqlx::query_scalar("select sum(seq)::bigint from sec.event_head")
        .fetch_one(&mut *served.behind)
        .await
        .unwrap()
}

// ── Headers ───────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn every_answer_carries_the_headers_and_a_policy_that_lets_nothing_in_from_outside() {
    for mut served in [Served::here().await, Served::https().await] {
        let admin = served
            .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
            .await;
        let half = served
            .cookie(Some("oakfield"), CLERK, Stand::Password)
            .await;
        let mut answers: Vec<(String, Answer)> = Vec::new();
        for path in [
            "/",
            "/people",
            "/people/add",
            "/me",
            "/settings",
            "/schools",
            "/people/no-such-id",
            "/no-such-page",
            "/step-up",
        ] {
            answers.push((path.to_owned(), served.get("oakfield", path, &admin).await));
        }
        for path in [
            "/sign-in",
            "/forgotten",
            "/reset/x",
            "/invitation/x",
            "/people",
            "/health",
            "/live",
            "/arrive",
            "/dev/mail",
            "/api/echo",
            "/api/no-such",
            "/pkg/quorate.js",
            "/pkg/no-such.js",
            "/pkg/../../not-served",
            "/favicon.svg",
            "/robots.txt",
        ] {
            answers.push((
                format!("{path} of a stranger"),
                served.get("oakfield", path, "").await,
            ));
        }
        answers.push((
            "the second step".to_owned(),
            served.get("oakfield", "/sign-in/factor", &half).await,
        ));
        answers.push((
            "no such host".to_owned(),
            served.get("nowhere", "/", "").await,
        ));
        answers.push((
            "another host".to_owned(),
            served
                .ask(Method::GET, "", "/")
                .header("host", "evil.example")
                .send()
                .await,
        ));
        answers.push((
            "from elsewhere".to_owned(),
            served
                .ask(Method::POST, "oakfield", "/sign-in")
                .header("origin", "https://evil.example")
                .send()
                .await,
        ));
        answers.push((
            "a refused form".to_owned(),
            served
                .post(
                    "oakfield",
                    "/sign-in",
                    "",
                    &[
                        ("act", "session/sign-in"),
                        ("email", "a@b.example"),
                        ("password", "wrong"),
                        ("next", ""),
                    ],
                )
                .await,
        ));
        answers.push((
            "a refused act".to_owned(),
            served
                .act("oakfield", "people/suspend", "", &[("id", "x")])
                .await,
        ));
        answers.push((
            "no form".to_owned(),
            served
                .ask(Method::POST, "oakfield", "/sign-in")
                .body(b"{}".to_vec())
                .send()
                .await,
        ));
        let mut statuses = BTreeSet::new();
        let mut nonces = BTreeSet::new();
        for (what, answer) in &answers {
            statuses.insert(answer.status.as_u16());
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "same-origin"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(answer.header(name), value, "{what}: {name}");
            }
            assert!(
                answer.header("permissions-policy").contains("camera=()"),
                "{what}"
            );
            assert_eq!(
                answer
                    .header("strict-transport-security")
                    .starts_with("max-age=31536000"),
                served.scheme == "https",
                "{what}"
            );
            assert_eq!(
                answer
                    .headers
                    .get_all("content-security-policy")
                    .iter()
                    .count(),
                1,
                "{what}"
            );
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'"), "{what}: {policy}");
            assert!(
                policy.contains("frame-ancestors 'none'"),
                "{what}: {policy}"
            );
            for hole in [
                "unsafe-inline",
                "'unsafe-eval'",
                "*",
                "http:",
                "https:",
                "data:",
                "blob:",
                "strict-dynamic",
            ] {
                assert!(!policy.contains(hole), "{what}: {hole} in {policy}");
            }
            for told in [
                "server",
                "x-powered-by",
                "access-control-allow-origin",
                "access-control-allow-credentials",
            ] {
                assert!(answer.headers.get(told).is_none(), "{what} tells {told}");
            }
            if let Some(nonce) = answer.nonce() {
                assert!(
                    nonce.len() >= 22 && nonces.insert(nonce.to_owned()),
                    "{what}: a nonce of 128 bits, new each time: {nonce}"
                );
                assert!(
                    policy.contains("form-action 'self'") && policy.contains("base-uri 'none'"),
                    "{what}: {policy}"
                );
                page_keeps_its_policy(what, &answer.text(), nonce);
            }
            let cached = answer.header("cache-control");
            let wanted = match what.split(' ').next().unwrap() {
                "/pkg/quorate.js" => "public, max-age=31536000, immutable",
                "/favicon.svg" | "/robots.txt" => "public, max-age=3600",
                _ => "no-store",
            };
            assert_eq!(cached, wanted, "{what}");
            assert!(!answer.text().contains("not-served"), "{what}");
        }
        for status in [200, 303, 401, 403, 404, 415, 421, 422] {
            assert!(statuses.contains(&status), "no {status} among {statuses:?}");
        }
        assert!(nonces.len() > 10);
    }
}

/// Nothing on the page would be stopped by its own policy, or come from another host.
fn page_keeps_its_policy(what: &str, page: &str, nonce: &str) {
    for script in page.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap();
        assert!(
            tag.contains(&format!("nonce=\"{nonce}\"")) || tag.contains("src=\"/"),
            "{what}: <script{tag}>"
        );
    }
    for inline in [
        " style=\"",
        "<style",
        " onclick=",
        " onload=",
        " onerror=",
        "javascript:",
        "<base",
        "<iframe",
        "<object",
        "<embed",
    ] {
        assert!(!page.contains(inline), "{what}: {inline}");
    }
    for attribute in ["src=\"", "href=\"", "action=\""] {
        for value in page
            .split(attribute)
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
        {
            assert!(
                value.is_empty()
                    || value.starts_with('#')
                    || (value.starts_with('/') && !value.starts_with("//")),
                "{what}: {attribute}{value}"
            );
        }
    }
}

// ── The cookie ────────────────────────────────────────────────────────────────────────────────

async fn sign_in(served: &Served, email: &str, fields: &[(&str, &str)], cookie: &str) -> Answer {
    let mut all = vec![
        ("act", "session/sign-in"),
        ("email", email),
        ("password", demo::PASSWORD),
    ];
    all.extend_from_slice(fields);
    served.post("oakfield", "/sign-in", cookie, &all).await
}

#[tokio::test]
async fn there_is_one_cookie_and_it_is_as_narrow_as_it_can_be() {
    for served in [Served::here().await, Served::https().await] {
        for path in [
            "/",
            "/sign-in",
            "/people",
            "/forgotten",
            "/no-such-page",
            "/favicon.svg",
            "/health",
        ] {
            assert_eq!(
                served.get("oakfield", path, "").await.header("set-cookie"),
                "",
                "{path}: a stranger gets none"
            );
        }
        for (shared, lasts) in [(&[][..], true), (&[("shared", "true")], false)] {
            let answer = sign_in(&served, ADMIN, shared, "").await;
            assert_eq!(
                (answer.status.as_u16(), answer.location()),
                (303, "/sign-in/factor")
            );
            let cookies: Vec<_> = answer
                .headers
                .get_all("set-cookie")
                .iter()
                .map(|value| value.to_str().unwrap().to_owned())
                .collect();
            assert_eq!(cookies.len(), 1, "{cookies:?}");
            let parts: BTreeSet<String> =
                cookies[0].split("; ").skip(1).map(str::to_owned).collect();
            let name = cookies[0].split('=').next().unwrap();
            let value = cookies[0].split(['=', ';']).nth(1).unwrap();
            assert_eq!(name, served.cookie_name());
            assert!(value.len() >= 22, "128 bits: {value}");
            for wanted in ["HttpOnly", "SameSite=Lax", "Path=/"] {
                assert!(parts.contains(wanted), "{wanted} in {parts:?}");
            }
            assert_eq!(parts.contains("Secure"), served.scheme == "https");
            assert_eq!(name.starts_with("__Host-"), served.scheme == "https");
            assert!(
                parts.iter().all(|part| !part.starts_with("Domain")),
                "a domain would show it to every school"
            );
            assert_eq!(
                parts.iter().any(|part| part.starts_with("Max-Age=2592000")),
                lasts,
                "{parts:?}"
            );
            assert_eq!(
                parts.iter().any(|part| part.starts_with("Max-Age")),
                lasts,
                "on a shared computer it ends with the browser: {parts:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_token_changes_whenever_rights_grow_and_one_that_was_planted_is_never_taken_up() {
    let mut served = Served::here().await;
    let planted = served.cookie_of(domain::session::Token::from_bytes([7; 16]));
    let first = sign_in(&served, ADMIN, &[], &planted)
        .await
        .new_cookie()
        .unwrap();
    assert_ne!(first, planted);
    assert_eq!(
        served
            .get("oakfield", "/me", &planted)
            .await
            .status
            .as_u16(),
        303
    );
    assert_eq!(
        served.get("oakfield", "/me", &first).await.location(),
        "/sign-in/factor"
    );
    let code = served.next_code();
    let second = served
        .post(
            "oakfield",
            "/sign-in/factor",
            &first,
            &[("act", "session/factor"), ("code", &code)],
        )
        .await;
    assert_eq!((second.status.as_u16(), second.location()), (303, "/"));
    let second = second.new_cookie().unwrap();
    assert_ne!(first, second);
    assert_eq!(
        served.get("oakfield", "/me", &first).await.status.as_u16(),
        303
    );
    assert_eq!(
        served.get("oakfield", "/me", &second).await.status.as_u16(),
        200
    );
    let third = served
        .post(
            "oakfield",
            "/step-up",
            &second,
            &[
                ("act", "session/step-up"),
                ("old", demo::PASSWORD),
                ("next", "/settings"),
            ],
        )
        .await;
    assert_eq!(
        (third.status.as_u16(), third.location()),
        (303, "/settings")
    );
    let third = third.new_cookie().unwrap();
    assert_eq!(
        served.get("oakfield", "/me", &second).await.status.as_u16(),
        303
    );
    assert_eq!(
        served
            .get("oakfield", "/settings", &third)
            .await
            .status
            .as_u16(),
        200
    );
    // It opens Oakfield, on Oakfield's host, and nothing else.
    for (label, path) in [("northgate", "/people"), ("", "/schools"), ("beacon", "/")] {
        assert_eq!(
            served.get(label, path, &third).await.status.as_u16(),
            303,
            "{label}{path}"
        );
    }
    // A wrong password changes no cookie, and signing out ends the session on the server.
    let wrong = served
        .post(
            "oakfield",
            "/sign-in",
            "",
            &[
                ("act", "session/sign-in"),
                ("email", ADMIN),
                ("password", "wrong"),
            ],
        )
        .await;
    assert_eq!((wrong.status.as_u16(), wrong.new_cookie()), (422, None));
    let left = served
        .post(
            "oakfield",
            "/sign-in",
            &third,
            &[("act", "session/sign-out")],
        )
        .await;
    assert_eq!(
        (left.status.as_u16(), left.location()),
        (303, "/sign-in?why=left")
    );
    assert_eq!(
        served.get("oakfield", "/me", &third).await.status.as_u16(),
        303
    );
    // On a shared computer it is taken away as well.
    let shared = served
        .behind
        .session(Some("oakfield"), CLERK, Stand::SteppedUp)
        .await;
    sqlx::query("update sec.session set shared = true where ended_at is null")
        .execute(&mut *served.behind)
        .await
        .unwrap();
    let left = served
        .post(
            "oakfield",
            "/sign-in",
            &served.cookie_of(shared),
            &[("act", "session/sign-out")],
        )
        .await;
    assert!(
        left.header("set-cookie").contains("Max-Age=0"),
        "{}",
        left.header("set-cookie")
    );
    // Broken cookies are no cookies.
    for broken in [
        "quorate=",
        "quorate=x",
        "quorate=%00",
        "quorate=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "=x",
        "quorate",
    ] {
        assert_eq!(
            served.get("oakfield", "/me", broken).await.status.as_u16(),
            303,
            "{broken}"
        );
    }
}

// ── Hosts, ways on, limits ────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_host_that_is_not_ours_gets_nothing_and_no_answer_names_a_host_that_was_sent() {
    for mut served in [Served::here().await, Served::https().await] {
        let cookie = served
            .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
            .await;
        let own = format!("oakfield.{}", served.host);
        for host in [
            "evil.example",
            "",
            "oakfield.evil.example",
            &format!("{own}.evil.example"),
            &format!("evil.example/{own}"),
            &format!("a.{own}"),
            &format!("{own}@evil.example"),
            &format!("evil.example:80#{own}"),
            "10.0.0.1",
            &format!("{own}:81"),
            &format!("{own}."),
        ] {
            for path in ["/sign-in", "/people", "/health", "/api/echo"] {
                let answer = served
                    .ask(Method::GET, "oakfield", path)
                    .header("host", host)
                    .cookie(&cookie)
                    .send()
                    .await;
                assert!(
                    matches!(answer.status.as_u16(), 404 | 421),
                    "{host}{path}: {}",
                    answer.status
                );
            }
        }
        assert_eq!(
            served
                .ask(Method::GET, "oakfield", "/sign-in")
                .header("host", &own.to_uppercase())
                .send()
                .await
                .status
                .as_u16(),
            200
        );
        for name in [
            "x-forwarded-host",
            "x-host",
            "forwarded",
            "x-original-url",
            "x-rewrite-url",
            "x-forwarded-proto",
        ] {
            for path in ["/people", "/sign-in", "/me"] {
                let answer = served
                    .ask(Method::GET, "oakfield", path)
                    .header(name, "evil.example")
                    .send()
                    .await;
                assert!(
                    !answer.text().contains("evil.example")
                        && !answer.location().contains("evil.example"),
                    "{name}: {path}"
                );
            }
        }
        let way = served.get("oakfield", "/people?q=a&b=//evil", "").await;
        assert_eq!(way.location(), "/sign-in?next=/people%3Fq%3Da%26b%3D//evil");
    }
}

#[tokio::test]
async fn the_way_on_after_signing_in_stays_on_the_host() {
    let mut served = Served::here().await;
    let ways = [
        ("/people?show=board", "/people?show=board"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("https:evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("/people\r\nset-cookie: quorate=planted", "/"),
        (" //evil.example", "/"),
        ("", "/"),
    ];
    for (next, to) in ways {
        // Proved again, and in a second step that nobody needs: a parent without a factor goes straight on.
        let cookie = served.cookie(Some("oakfield"), ADMIN, Stand::Full).await;
        let step = served
            .post(
                "oakfield",
                "/step-up",
                &cookie,
                &[
                    ("act", "session/step-up"),
                    ("old", demo::PASSWORD),
                    ("next", next),
                ],
            )
            .await;
        assert_eq!(
            (step.status.as_u16(), step.location()),
            (303, to),
            "{next:?}"
        );
        assert_eq!(step.headers.get_all("set-cookie").iter().count(), 1);
    }
    sqlx::query("delete from sec.factor where account_id = (select id from account where email = 'parent1@oakfield.example')").execute(&mut *served.behind).await.unwrap();
    for (next, to) in ways {
        let answer = sign_in(&served, "parent1@oakfield.example", &[("next", next)], "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.location()),
            (303, to),
            "{next:?}"
        );
    }
    // The form that carries it says it as text, wherever it came from.
    let page = served
        .get("oakfield", "/sign-in?next=//evil.example", "")
        .await
        .text();
    assert!(!page.contains("href=\"//evil") && !page.contains("action=\"//evil"));
    // A school that one has no place at is no way either.
    let cookie = served
        .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
        .await;
    for label in [
        "northgate",
        "evil.example",
        "evil.example/",
        "nowhere",
        "",
        "northgate.localhost:3000@evil.example",
    ] {
        let answer = served
            .act("oakfield", "tenancy/go", &cookie, &[("label", label)])
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.location()),
            (404, ""),
            "{label}"
        );
    }
}

#[tokio::test]
async fn a_form_that_is_too_long_or_of_another_kind_is_refused_before_it_is_read() {
    let mut served = Served::here().await;
    let cookie = served
        .cookie(Some("oakfield"), CLERK, Stand::SteppedUp)
        .await;
    let long = "x".repeat(70 * 1024);
    for cookie in ["", &cookie] {
        let answer = served
            .post(
                "oakfield",
                "/sign-in",
                cookie,
                &[
                    ("act", "session/sign-in"),
                    ("email", &long),
                    ("password", "x"),
                ],
            )
            .await;
        assert_eq!(answer.status.as_u16(), 413);
        for act in ["session/sign-in", "session/forgotten", "people/add"] {
            let answer = served
                .act(
                    "oakfield",
                    act,
                    cookie,
                    &[("email", &long), ("password", "x"), ("name", "x")],
                )
                .await;
            assert_eq!(answer.status.as_u16(), 413, "{act}");
        }
    }
    // And just within the limit it is read.
    let answer = served
        .act(
            "oakfield",
            "session/forgotten",
            "",
            &[("email", &"x".repeat(60 * 1024))],
        )
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.refusal().as_deref()),
        (422, Some("email_format"))
    );
    for kind in [
        "",
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
    ] {
        let answer = served
            .ask(Method::POST, "oakfield", "/sign-in")
            .header("content-type", kind)
            .body(b"act=session/sign-out".to_vec())
            .send()
            .await;
        assert_eq!(answer.status.as_u16(), 415, "{kind}");
    }
    // A form may name only a server function, and only one that is meant to be posted.
    for act in [
        "",
        "../health",
        "echo/../../health",
        "no/such",
        "people/one",
        "session/enrolment",
        "people/add?x=1",
        "people/add#x",
        "\r\nx",
        "http://evil.example/",
    ] {
        let answer = served
            .post(
                "oakfield",
                "/people/add",
                &cookie,
                &[("act", act), ("id", "x")],
            )
            .await;
        assert!(
            answer.status.is_client_error(),
            "{act:?}: {}",
            answer.status
        );
    }
    let answer = served
        .post("oakfield", "/people/add", &cookie, &[("name", "x")])
        .await;
    assert_eq!(answer.status.as_u16(), 400);
}

// ── Forms ─────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_refused_form_comes_back_with_its_status_and_what_was_typed_but_never_the_secret() {
    let mut served = Served::here().await;
    let admin = served
        .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
        .await;
    let half = served
        .cookie(Some("oakfield"), CLERK, Stand::Password)
        .await;
    let person = served
        .behind
        .membership("oakfield", "governor1@oakfield.example")
        .await
        .to_string();
    let secret = "a secret that nobody has";
    type Form<'a> = (
        &'a str,
        &'a str,
        Vec<(&'a str, &'a str)>,
        u16,
        &'a str,
        &'a [&'a str],
    );
    let forms: Vec<Form> = vec![
        (
            "/sign-in?next=/people",
            "",
            vec![
                ("act", "session/sign-in"),
                ("email", "Nobody@oakfield.example"),
                ("password", secret),
                ("next", "/people"),
            ],
            422,
            "That e-mail address and password do not match.",
            &["Nobody@oakfield.example", "value=\"/people\""],
        ),
        (
            "/forgotten",
            "",
            vec![("act", "session/forgotten"), ("email", "not an address")],
            422,
            "Enter an e-mail address",
            &["not an address"],
        ),
        (
            "/sign-in/factor",
            &half,
            vec![("act", "session/factor"), ("code", "918273")],
            422,
            "That code is not right",
            &[],
        ),
        (
            "/sign-in/recovery",
            &half,
            vec![("act", "session/recovery"), ("code", "wxyz wxyz wxyz wxyz")],
            422,
            "That recovery code is not right",
            &[],
        ),
        (
            "/people/add",
            &admin,
            vec![
                ("act", "people/add"),
                ("name", "Amara Bello"),
                ("email", "no address"),
                ("roles[0]", "governor"),
                ("roles[4]", "clerk"),
            ],
            422,
            "Enter an e-mail address",
            &[
                "value=\"Amara Bello\"",
                "value=\"no address\"",
                "id=\"email-error\"",
            ],
        ),
        (
            "/people/add",
            &admin,
            vec![
                ("act", "people/add"),
                ("name", "Amara Bello"),
                ("email", "amara@elsewhere.example"),
            ],
            422,
            "Choose at least one role",
            &["Amara Bello", "amara@elsewhere.example"],
        ),
        (
            "/people/add",
            &admin,
            vec![
                ("act", "people/add"),
                ("name", "Dilip"),
                ("email", "governor1@oakfield.example"),
                ("roles[0]", "governor"),
            ],
            409,
            "already on the list",
            &["governor1@oakfield.example"],
        ),
        (
            "/step-up?next=/settings",
            &admin,
            vec![
                ("act", "session/step-up"),
                ("old", secret),
                ("next", "/settings"),
            ],
            422,
            "That is not your password",
            &["value=\"/settings\""],
        ),
        (
            "/me",
            &admin,
            vec![
                ("act", "account/change-password"),
                ("old", demo::PASSWORD),
                ("password", "short secret"),
            ],
            422,
            "easy to guess|at least",
            &[],
        ),
        (
            "/me",
            &admin,
            vec![
                ("act", "account/end-session"),
                ("session", "01900000-0000-7000-8000-000000000001"),
            ],
            409,
            "This has changed since",
            &[],
        ),
    ];
    for (path, cookie, fields, status, sentence, kept) in forms {
        let answer = served.post("oakfield", path, cookie, &fields).await;
        let page = answer.text();
        assert_eq!(answer.status.as_u16(), status, "{path}: {page}");
        assert!(
            sentence.split('|').any(|sentence| page.contains(sentence)),
            "{path}: {sentence}"
        );
        assert!(page.contains("role=\"alert\""), "{path}");
        for kept in kept {
            assert!(page.contains(kept), "{path}: {kept} is lost");
        }
        for secret in [
            secret,
            demo::PASSWORD,
            "short secret",
            "918273",
            "wxyz wxyz",
        ] {
            assert!(
                !page.contains(secret),
                "{path}: a secret is written into the page"
            );
        }
        assert!(answer.new_cookie().is_none(), "{path}");
    }
    // The ticks stay, and there are no others.
    let fields = [
        ("act", "people/add"),
        ("name", ""),
        ("email", "a@b.example"),
        ("roles[0]", "governor"),
        ("roles[1]", "associate"),
    ];
    let page = served
        .post("oakfield", "/people/add", &admin, &fields)
        .await
        .text();
    let ticked: Vec<&str> = page
        .split("<input type=\"checkbox\"")
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .filter(|tag| tag.contains(" checked"))
        .collect();
    assert_eq!(ticked.len(), 2, "{ticked:?}");
    assert!(
        ticked[0].contains("governor") && ticked[1].contains("associate"),
        "{ticked:?}"
    );
    // Of somebody's roles, what was chosen and not what stands.
    let page = served
        .post(
            "oakfield",
            &format!("/people/{person}/roles"),
            &admin,
            &[("act", "people/change-roles"), ("id", &person)],
        )
        .await;
    assert_eq!(page.status.as_u16(), 422);
    assert!(page.text().contains("Choose at least one role"));
    // When it is done there is a way on, and going there again does nothing.
    let done = served
        .post(
            "oakfield",
            "/people/add",
            &admin,
            &[
                ("act", "people/add"),
                ("name", "Amara Bello"),
                ("email", "amara@elsewhere.example"),
                ("roles[0]", "governor"),
            ],
        )
        .await;
    assert_eq!(done.status.as_u16(), 303);
    assert!(done.location().starts_with("/people/") && done.location().ends_with("?done=added"));
    let before = events(&mut served).await;
    assert!(
        served
            .get("oakfield", done.location(), &admin)
            .await
            .text()
            .contains("You added Amara Bello")
    );
    assert_eq!(events(&mut served).await, before);
    // Who is signed out meanwhile is told so, and nothing is done.
    let gone = served
        .post(
            "oakfield",
            "/people/add",
            "",
            &[
                ("act", "people/add"),
                ("name", "X"),
                ("email", "x@y.example"),
                ("roles[0]", "governor"),
            ],
        )
        .await;
    assert_eq!(
        (gone.status.as_u16(), gone.location()),
        (303, "/sign-in?why=signed-out")
    );
    assert_eq!(events(&mut served).await, before);
}

#[tokio::test]
async fn recovery_codes_are_shown_on_one_answer_and_nowhere_else() {
    let mut served = Served::here().await;
    let admin = served
        .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
        .await;
    let shown = served
        .post("oakfield", "/me", &admin, &[("act", "account/new-codes")])
        .await;
    assert_eq!(
        (shown.status.as_u16(), shown.header("cache-control")),
        (200, "no-store")
    );
    let page = shown.text();
    let codes: Vec<&str> = page
        .split("<ol class=\"codes\">")
        .nth(1)
        .unwrap()
        .split("</ol>")
        .next()
        .unwrap()
        .split("<li>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap())
        .collect();
    assert_eq!(codes.len(), 10);
    let again = served.get("oakfield", "/me", &admin).await.text();
    assert!(
        codes
            .iter()
            .all(|code| code.len() == 19 && !again.contains(code))
    );
}

// ── Text stays text ───────────────────────────────────────────────────────────────────────────

/// Each breaks out of another place: text, attributes, script, style, comment, title, address.
const BREAKOUTS: &[&str] = &[
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

/// What of a text must never stand in a page as it is: any `<` that begins one of ours, and a quote that ends an attribute.
fn breaks_out(page: &str, text: &str) -> Option<String> {
    let near = |at: usize| {
        page[at.saturating_sub(60).min(page.len())..]
            .chars()
            .take(160)
            .collect::<String>()
    };
    if text.contains('<') {
        for part in text.split('<').skip(1).filter(|part| {
            part.contains("qx")
                || part.starts_with("script")
                || part.starts_with('/')
                || part.starts_with('!')
        }) {
            // `</script>` and the like stand in every page; with what follows it is ours.
            let whole = format!(
                "<{}",
                if part.contains("qx") {
                    part.to_owned()
                } else {
                    format!("{part}<")
                }
            );
            if let Some(at) = page.find(&whole) {
                return Some(near(at));
            }
        }
    }
    // In a script a quote is escaped by a backslash; in an attribute it must be an entity.
    for quoted in ["\" autofocus onfocus=\"qx", "\"><img", "\\\\\"); qx"] {
        for (at, _) in page.match_indices(quoted) {
            if text.contains(quoted) && page.as_bytes().get(at.wrapping_sub(1)) != Some(&b'\\') {
                return Some(near(at));
            }
        }
    }
    for address in [
        "href=\"javascript:",
        "src=\"javascript:",
        "action=\"javascript:",
    ] {
        if let Some(at) = page.find(address) {
            return Some(near(at));
        }
    }
    None
}

#[tokio::test]
async fn text_that_looks_like_markup_stays_text_wherever_it_is_typed_kept_and_shown() {
    let mut served = Served::here().await;
    let admin = served
        .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
        .await;
    let mut shown = 0;
    for (n, text) in BREAKOUTS.iter().enumerate() {
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let check = |what: &str, answer: &Answer| {
            let page = answer.text();
            if let Some(near) = breaks_out(&page, text) {
                panic!("{what}: {text}\n…{near}…");
            }
            for header in answer.headers.values() {
                assert!(
                    !header.as_bytes().windows(3).any(|part| part == b"qx("),
                    "{what}: in a header"
                );
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
        for path in [
            "/",
            "/people",
            "/people?show=invited",
            &format!("/people/{id}"),
            &format!("/people/{id}?done=added"),
            &format!("/people/{id}/roles"),
            &format!("/people/{id}/remove"),
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
            .ask(Method::GET, "oakfield", &format!("/api/people/one?id={id}"))
            .header("accept", "application/json")
            .cookie(&admin)
            .send()
            .await;
        assert_eq!(json.header("content-type"), "application/json");
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

#[test]
fn the_search_for_breakouts_finds_them() {
    for text in BREAKOUTS
        .iter()
        .filter(|text| text.contains('<') && text.contains("qx"))
    {
        assert!(
            breaks_out(&format!("<p>{text}</p>"), text).is_some(),
            "{text}"
        );
    }
    let quote = "\" autofocus onfocus=\"qx(1)";
    assert!(breaks_out(&format!("<input value=\"{quote}\">"), quote).is_some());
    assert!(
        breaks_out(
            &format!("<input value=\"{}\">", quote.replace('"', "&quot;")),
            quote
        )
        .is_none()
    );
    assert!(breaks_out("<a href=\"javascript:qx(1)\">", "javascript:qx(1)").is_some());
    assert!(breaks_out("<p>&lt;script>qx(1)&lt;/script></p>", BREAKOUTS[0]).is_none());
}
