//! Hosts, ways on, methods and limits.

use axum::http::Method;
use domain::demo;
use testing::Stand;

use crate::{ADMIN, CLERK, events, sign_in, site::Served};

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

#[tokio::test]
async fn asking_only_for_the_head_tells_the_same_and_other_methods_are_told_which_there_are() {
    let mut served = Served::here().await;
    let admin = served
        .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
        .await;
    let half = served
        .cookie(Some("oakfield"), CLERK, Stand::Password)
        .await;
    let before = events(&mut served).await;
    for path in [
        "/",
        "/people",
        "/people/add",
        "/people/no-such-id",
        "/settings",
        "/me",
        "/sign-in",
        "/forgotten",
        "/reset/x",
        "/no-such-page",
        "/health",
        "/arrive",
        "/api/no-such",
        "/pkg/quorate.js",
        "/pkg/no-such.js",
        "/favicon.svg",
    ] {
        for cookie in ["", &half, &admin] {
            let whole = served.get("oakfield", path, cookie).await;
            let head = served
                .ask(Method::HEAD, "oakfield", path)
                .cookie(cookie)
                .send()
                .await;
            assert_eq!(
                (head.status, head.location(), head.body.len()),
                (whole.status, whole.location(), 0),
                "{path}"
            );
            for header in ["content-type", "cache-control", "allow"] {
                assert_eq!(
                    head.header(header),
                    whole.header(header),
                    "{path}: {header}"
                );
            }
        }
    }
    // From a page of the same host, so that it is the method alone that is refused.
    for (path, methods, allowed) in [
        (
            "/people",
            &["OPTIONS", "PUT", "DELETE", "PATCH"][..],
            "GET, HEAD, POST",
        ),
        (
            "/api/people/remove",
            &["GET", "HEAD", "OPTIONS", "PUT", "DELETE"],
            "POST",
        ),
        (
            "/api/people/list",
            &["POST", "HEAD", "OPTIONS", "PUT", "DELETE"],
            "GET",
        ),
        ("/health", &["POST", "OPTIONS", "PUT"], "GET,HEAD"),
        ("/arrive", &["POST", "OPTIONS"], "GET,HEAD"),
        ("/live", &["POST", "OPTIONS"], "GET,HEAD"),
        ("/favicon.svg", &["POST", "OPTIONS", "PUT"], "GET,HEAD"),
    ] {
        for method in methods {
            let answer = served
                .ask(
                    Method::from_bytes(method.as_bytes()).unwrap(),
                    "oakfield",
                    path,
                )
                .header("origin", "http://oakfield.localhost:3000")
                .cookie(&admin)
                .send()
                .await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("allow")),
                (405, allowed),
                "{method} {path}"
            );
            assert_eq!(answer.header("access-control-allow-methods"), "");
        }
    }
    assert_eq!(events(&mut served).await, before, "and nothing was done");
}
