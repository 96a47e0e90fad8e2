//! What is not there, and what is there but not for the reader.

use axum::http::Method;
use testing::Stand;

use crate::site::{Answer, Served};

#[tokio::test]
async fn what_is_not_yours_and_what_never_was_are_the_same_bytes() {
    let mut served = Served::here().await;
    let theirs = served
        .behind
        .membership("northgate", "chair@northgate.example")
        .await
        .to_string();
    let parents = served
        .behind
        .membership("oakfield", "parent2@oakfield.example")
        .await
        .to_string();
    let own = served
        .behind
        .membership("oakfield", "governor9@oakfield.example")
        .await
        .to_string();
    let never = "01900000-0000-7000-8000-00000000abcd";
    let admin = served
        .cookie(Some("oakfield"), "admin@oakfield.example", Stand::SteppedUp)
        .await;
    let teacher = served
        .cookie(
            Some("oakfield"),
            "teacher1@oakfield.example",
            Stand::SteppedUp,
        )
        .await;
    // Who, what is hidden from them, and what is not: the outsider.
    for (cookie, hidden) in [(&admin, &theirs), (&teacher, &parents), (&teacher, &theirs)] {
        for path in [
            "/people/$",
            "/people/$/roles",
            "/people/$/suspend",
            "/people/$/remove",
        ] {
            let one = served
                .get("oakfield", &path.replace('$', hidden), cookie)
                .await;
            let other = served
                .get("oakfield", &path.replace('$', never), cookie)
                .await;
            assert_eq!(
                (one.status.as_u16(), other.status.as_u16()),
                (404, 404),
                "{path}"
            );
            // The address that was asked for may come back, and nothing else may differ.
            assert_eq!(
                one.plain().replace(hidden.as_str(), "$"),
                other.plain().replace(never, "$"),
                "{path}"
            );
            let headers = |answer: &Answer| {
                let mut headers: Vec<_> = answer
                    .headers
                    .iter()
                    .map(|(name, value)| {
                        format!(
                            "{name}: {}",
                            value
                                .to_str()
                                .unwrap()
                                .replace(answer.nonce().unwrap_or("-"), "nonce")
                        )
                    })
                    .collect();
                headers.sort();
                headers
            };
            assert_eq!(headers(&one), headers(&other), "{path}");
        }
        for act in [
            "people/give-role",
            "people/drop-role",
            "people/rename",
            "people/correct-address",
            "people/suspend",
            "people/restore",
            "people/remove",
            "people/invite-again",
        ] {
            let one = served
                .act(
                    "oakfield",
                    act,
                    cookie,
                    &[
                        ("id", hidden),
                        ("role", "governor"),
                        ("name", "N"),
                        ("was", "W"),
                        ("email", "n@elsewhere.example"),
                    ],
                )
                .await;
            let other = served
                .act(
                    "oakfield",
                    act,
                    cookie,
                    &[
                        ("id", never),
                        ("role", "governor"),
                        ("name", "N"),
                        ("was", "W"),
                        ("email", "n@elsewhere.example"),
                    ],
                )
                .await;
            assert_eq!((one.status, one.body), (other.status, other.body), "{act}");
            assert_eq!(one.status.as_u16(), 404, "{act}");
        }
        let one = served
            .ask(
                Method::GET,
                "oakfield",
                &format!("/api/people/one?id={hidden}"),
            )
            .header("accept", "application/json")
            .cookie(cookie)
            .send()
            .await;
        let other = served
            .ask(
                Method::GET,
                "oakfield",
                &format!("/api/people/one?id={never}"),
            )
            .header("accept", "application/json")
            .cookie(cookie)
            .send()
            .await;
        assert_eq!(
            (one.status.as_u16(), one.body),
            (other.status.as_u16(), other.body)
        );
    }
    for cookie in [&admin, &teacher] {
        let page = served
            .get("oakfield", &format!("/people/{own}"), cookie)
            .await;
        assert_eq!(page.status.as_u16(), 200);
        assert!(page.text().contains("Zofia"));
    }
    // A host that is no tenant's, and one that is another's: a stranger learns only the name on the sign-in page.
    let none = served.get("nowhere", "/sign-in", "").await;
    assert_eq!(
        (none.status.as_u16(), none.text().as_str()),
        (404, "There is nothing here.")
    );
}
