//! The one cookie and its token.

use std::collections::BTreeSet;

use domain::demo;
use testing::Stand;

use crate::{ADMIN, CLERK, sign_in, site::Served};

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
    // The browser keeps what opens nothing any more: it shows at the next sign-in that it is the person's own.
    for path in [
        "/",
        "/me",
        "/sign-in",
        "/sign-in?why=left",
        "/no-such-page",
        "/api/echo",
    ] {
        let answer = served.get("oakfield", path, &third).await;
        assert_eq!(answer.header("set-cookie"), "", "{path}");
    }
    let again = sign_in(&served, ADMIN, &[], &third).await;
    assert_eq!(again.location(), "/sign-in/factor");
    assert_ne!(again.new_cookie().unwrap(), third);
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

/// Whoever knows only the password must not learn the secret that the person is about to confirm.
#[tokio::test]
async fn a_second_step_that_is_being_set_up_is_shown_only_to_whom_has_proved_again() {
    let mut served = Served::here().await;
    let admin = served
        .cookie(Some("oakfield"), ADMIN, Stand::SteppedUp)
        .await;
    let page = served.get("oakfield", "/me/second-step", &admin).await;
    assert_eq!(page.status.as_u16(), 200);
    let secret = shown_secret(&page.text()).unwrap();
    let again = served.get("oakfield", "/me/second-step", &admin).await;
    assert_eq!(shown_secret(&again.text()).as_ref(), Some(&secret));
    for stand in [Stand::Password, Stand::Full] {
        let other = served.cookie(Some("oakfield"), ADMIN, stand).await;
        for path in [
            "/api/session/enrolment",
            "/me/second-step",
            "/sign-in/enrol",
        ] {
            let answer = served.get("oakfield", path, &other).await;
            assert_ne!(answer.status.as_u16(), 200, "{path}: {stand:?}");
            let text = answer.text().replace([' ', '\n'], "");
            assert!(!text.contains(&secret), "{path}: {stand:?}");
            assert_eq!(shown_secret(&answer.text()), None, "{path}: {stand:?}");
        }
        let code = served.next_code();
        let answer = served
            .act("oakfield", "session/enrol", &other, &[("code", &code)])
            .await;
        assert!(answer.status.is_client_error());
        assert_eq!(answer.new_cookie(), None);
    }
}

/// The key that is shown for typing, without its groups.
fn shown_secret(page: &str) -> Option<String> {
    let shown = page
        .split("class=\"secret\">")
        .nth(1)?
        .split("</p>")
        .next()?;
    let letters = shown
        .split('<')
        .filter_map(|part| part.split('>').next_back());
    Some(
        letters
            .flat_map(str::chars)
            .filter(char::is_ascii_alphanumeric)
            .collect(),
    )
}
