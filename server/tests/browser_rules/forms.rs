//! Forms that lose nothing but secrets.

use domain::demo;
use testing::Stand;

use crate::{ADMIN, CLERK, events, site::Served};

/// A page, the cookie, what is posted, the status, one of the sentences that say why, and what is kept.
type Form<'a> = (
    &'a str,
    &'a str,
    Vec<(&'a str, &'a str)>,
    u16,
    &'a str,
    &'a [&'a str],
);

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
                ("password", "short word"),
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
        for secret in [secret, demo::PASSWORD, "short word", "918273", "wxyz wxyz"] {
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
    // The only role of somebody stays.
    let page = served
        .post(
            "oakfield",
            &format!("/people/{person}/roles"),
            &admin,
            &[
                ("act", "people/drop-role"),
                ("id", &person),
                ("role", "governor"),
            ],
        )
        .await;
    assert_eq!(page.status.as_u16(), 409);
    assert!(page.text().contains("This is their only role."));
    // Of a name, what was typed and not what stands.
    let page = served
        .post(
            "oakfield",
            &format!("/people/{person}/rename"),
            &admin,
            &[
                ("act", "people/rename"),
                ("id", &person),
                ("name", "Dilip the Second"),
                ("was", "Somebody Else"),
            ],
        )
        .await;
    assert_eq!(page.status.as_u16(), 409);
    assert!(
        page.text()
            .contains("Somebody changed this while you were typing.")
    );
    assert!(page.text().contains("value=\"Dilip the Second\""));
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
