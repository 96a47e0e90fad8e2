//! What every answer carries.

use std::collections::BTreeSet;

use axum::http::Method;
use testing::Stand;

use crate::{
    ADMIN, CLERK,
    site::{Answer, Served},
};

#[tokio::test]
async fn every_answer_carries_the_headers_and_a_policy_that_lets_nothing_in_from_outside() {
    for mut served in [Served::here().await, Served::https().await] {
        let admin = served
            .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
            .await;
        let half = served
            .cookie(Some("oakfield"), CLERK, Stand::Password)
            .await;
        // What was asked, whether by somebody signed in, and what came back.
        let mut answers: Vec<(String, bool, Answer)> = Vec::new();
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
            answers.push((
                path.to_owned(),
                true,
                served.get("oakfield", path, &admin).await,
            ));
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
                false,
                served.get("oakfield", path, "").await,
            ));
        }
        answers.push((
            "the second step".to_owned(),
            false,
            served.get("oakfield", "/sign-in/factor", &half).await,
        ));
        answers.push((
            "no such host".to_owned(),
            false,
            served.get("nowhere", "/", "").await,
        ));
        answers.push((
            "another host".to_owned(),
            false,
            served
                .ask(Method::GET, "", "/")
                .header("host", "evil.example")
                .send()
                .await,
        ));
        answers.push((
            "from elsewhere".to_owned(),
            false,
            served
                .ask(Method::POST, "oakfield", "/sign-in")
                .header("origin", "https://evil.example")
                .send()
                .await,
        ));
        answers.push((
            "a refused form".to_owned(),
            false,
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
            false,
            served
                .act("oakfield", "people/suspend", "", &[("id", "x")])
                .await,
        ));
        answers.push((
            "no form".to_owned(),
            false,
            served
                .ask(Method::POST, "oakfield", "/sign-in")
                .body(b"{}".to_vec())
                .send()
                .await,
        ));
        let mut statuses = BTreeSet::new();
        let mut nonces = BTreeSet::new();
        for (what, signed_in, answer) in &answers {
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
            // A signed-in person's forms may lead to another school's host, and nobody's anywhere else.
            let onward = format!("form-action 'self' {}://*.{};", served.scheme, served.host);
            let policy = answer.header("content-security-policy");
            assert_eq!(
                policy.contains(&onward),
                *signed_in && answer.nonce().is_some(),
                "{what}: {policy}"
            );
            let policy = policy.replace(&onward, "form-action 'self';");
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
            let is_page = answer.header("content-type").starts_with("text/html");
            assert_eq!(
                answer.nonce().is_some(),
                is_page && !what.starts_with("/dev/mail"),
                "{what}: a page has its nonce, and nothing else has one"
            );
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
