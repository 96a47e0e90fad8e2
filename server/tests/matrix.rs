//! Who may ask what: every page, every server function and every other address, asked by strangers, by another school, with a
//! password only, and in every role. What each answers stands in matrix.txt; an address without a line there fails.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod site;

use std::{collections::BTreeMap, fmt::Write as _};

use axum::http::Method;
use site::{Answer, Served};
use testing::Stand;

/// Everybody who asks: their name in matrix.txt, where they are signed in, their address, how far.
type Who = (&'static str, &'static str, &'static str, Stand);

const EVERYBODY: &[Who] = &[
    ("stranger", "", "", Stand::Ended),
    (
        "other-school",
        "northgate",
        "admin@northgate.example",
        Stand::SteppedUp,
    ),
    (
        "password-only",
        "oakfield",
        "chair@oakfield.example",
        Stand::Password,
    ),
    (
        "signed-out",
        "oakfield",
        "admin@oakfield.example",
        Stand::Ended,
    ),
    (
        "school_admin",
        "oakfield",
        "admin@oakfield.example",
        Stand::SteppedUp,
    ),
    (
        "not-proved-again",
        "oakfield",
        "admin@oakfield.example",
        Stand::Full,
    ),
    (
        "senior_leader",
        "oakfield",
        "leader@oakfield.example",
        Stand::SteppedUp,
    ),
    (
        "senco",
        "oakfield",
        "senco@oakfield.example",
        Stand::SteppedUp,
    ),
    (
        "teacher",
        "oakfield",
        "teacher1@oakfield.example",
        Stand::SteppedUp,
    ),
    (
        "teaching_assistant",
        "oakfield",
        "ta1@oakfield.example",
        Stand::SteppedUp,
    ),
    (
        "clerk",
        "oakfield",
        "clerk@oakfield.example",
        Stand::SteppedUp,
    ),
    (
        "chair",
        "oakfield",
        "presiding@oakfield.example",
        Stand::SteppedUp,
    ),
    (
        "governor",
        "oakfield",
        "governor1@oakfield.example",
        Stand::SteppedUp,
    ),
    (
        "associate",
        "oakfield",
        "associate@oakfield.example",
        Stand::SteppedUp,
    ),
    (
        "parent",
        "oakfield",
        "parent1@oakfield.example",
        Stand::SteppedUp,
    ),
    (
        "member",
        "oakfield",
        "member@oakfield.example",
        Stand::SteppedUp,
    ),
];

/// People in one role only, where the demo's have several.
async fn people(served: &mut Served) {
    for (email, name, role) in [
        (
            "leader@oakfield.example",
            "Rosalind Achterberg",
            "senior_leader",
        ),
        ("presiding@oakfield.example", "Emeka Obi", "chair"),
        ("associate@oakfield.example", "Ines Duarte", "associate"),
        ("member@oakfield.example", "Leo Okonkwo", "member"),
    ] {
        served.behind.join("oakfield", email, name, &[role]).await;
        // Enrolled, as everybody in the demo is.
        sqlx::query("insert into sec.factor (account_id, pending, secret, confirmed_at) select a.id, false, f.secret, now() from account a, sec.factor f where a.email = $1 limit 1")
            .bind(email)
            .execute(&mut *served.behind)
            .await
            .unwrap();
    }
}

/// Somebody new for every question, so that no answer depends on the one before.
async fn target(served: &mut Served) -> String {
    let email = format!("target{}@oakfield.example", uuid::Uuid::new_v4().simple());
    served
        .behind
        .join("oakfield", &email, "Tamsin Target", &["governor"])
        .await
        .to_string()
}

async fn cookie(served: &mut Served, (_, label, email, stand): &Who) -> String {
    if email.is_empty() {
        String::new()
    } else {
        served.cookie(Some(label), email, *stand).await
    }
}

/// What is asked for in the one-line answer: status, refusal, and where one is sent.
fn told(answer: &Answer) -> String {
    let mut told = answer.status.as_u16().to_string();
    if let Some(refusal) = answer.refusal() {
        write!(told, " {refusal}").unwrap();
    }
    if !answer.location().is_empty() {
        write!(told, " {}", answer.location()).unwrap();
    }
    told
}

/// One line for each address: its answers, each with all who got it.
fn line(address: &str, answers: &[(&str, String)]) -> String {
    let mut by_answer: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (who, answer) in answers {
        by_answer.entry(answer).or_default().push(who);
    }
    let mut text = format!("{address}\n");
    for (answer, who) in by_answer {
        let who = if who.len() == answers.len() {
            "everybody".to_owned()
        } else {
            who.join(" ")
        };
        writeln!(text, "    {answer}: {who}").unwrap();
    }
    text
}

/// Fields that serve every server function: each takes those it knows.
fn fields(id: &str, number: usize) -> Vec<(String, String)> {
    [
        ("id", id),
        ("name", "Amara Bello"),
        ("email", &format!("amara{number}@elsewhere.example")),
        ("roles[0]", "governor"),
        ("rule", "officers"),
        ("label", "northgate"),
        ("session", "01900000-0000-7000-8000-000000000001"),
        ("code", "000000"),
        ("password", "not the password of anybody"),
        ("old", "not the password of anybody"),
        ("link", &"A".repeat(43)),
        ("next", "/people"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

#[tokio::test]
async fn every_address_answers_everybody_as_it_is_written_down() {
    let mut served = Served::here().await;
    people(&mut served).await;
    // Before anything is rendered, and once: it makes the table of pages from the pages themselves.
    let mut pages: Vec<String> = leptos_axum::generate_route_list(app::App)
        .iter()
        .map(|route| route.path().to_owned())
        .collect();
    pages.sort();
    assert!(pages.len() >= 18, "{pages:?}");
    let mut acts: Vec<(&str, Method)> = leptos::server_fn::axum::server_fn_paths().collect();
    acts.sort_by_key(|(path, _)| *path);
    assert!(acts.len() >= 25, "{acts:?}");

    let mut found = String::new();
    let mut number = 0;
    for page in pages.iter().map(String::as_str).chain([
        "/no-such-page",
        "/people/no-id",
        "/live",
        "/health",
        "/arrive",
        "/arrive?ticket=AAAA",
        "/dev/mail",
        "/dev/mail/a.eml",
        "/api/no/such-act",
        "/pkg/quorate.js",
        "/pkg/no-such-file",
        "/favicon.svg",
        "/robots.txt",
    ]) {
        let mut answers = Vec::new();
        for who in EVERYBODY {
            let id = target(&mut served).await;
            let path = page
                .replace("{id}", &id)
                .replace(":id", &id)
                .replace("{link}", &"A".repeat(43))
                .replace(":link", &"A".repeat(43));
            let cookie = cookie(&mut served, who).await;
            let answer = served.get("oakfield", &path, &cookie).await;
            answers.push((who.0, told(&answer).replace(&id, "<id>")));
        }
        found += &line(&format!("GET {page}"), &answers);
    }
    for (path, method) in &acts {
        let mut answers = Vec::new();
        for who in EVERYBODY {
            let id = target(&mut served).await;
            number += 1;
            let fields = fields(&id, number);
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let cookie = cookie(&mut served, who).await;
            let answer = if *method == Method::GET {
                let query = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(&fields)
                    .finish();
                served
                    .ask(Method::GET, "oakfield", &format!("{path}?{query}"))
                    .header("accept", "application/json")
                    .cookie(&cookie)
                    .send()
                    .await
            } else {
                served
                    .act(
                        "oakfield",
                        path.strip_prefix("/api/").unwrap(),
                        &cookie,
                        &fields,
                    )
                    .await
            };
            let mut told = told(&answer).replace(&id, "<id>");
            if let Some((before, ticket)) = told.split_once("?ticket=") {
                assert_eq!(ticket.len(), 43);
                told = format!("{before}?ticket=…");
            }
            if told.contains("/people/") && told.contains("?done=added") {
                "302 /people/<new>?done=added".clone_into(&mut told);
            }
            answers.push((who.0, told));
        }
        found += &line(&format!("{method} {path}"), &answers);
    }

    let written = include_str!("matrix.txt");
    if found != written {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix.txt");
        std::fs::write(&path, &found).unwrap();
        let news: Vec<_> = found
            .lines()
            .filter(|line| !written.lines().any(|known| known == *line))
            .collect();
        panic!(
            "is this meant? {news:#?}\nIf so: cp {} server/tests/matrix.txt",
            path.display()
        );
    }
}

/// Every route in the server's own sources stands in the matrix: a page or a function that is added is found by itself, these are not.
#[test]
fn every_other_route_is_in_the_matrix() {
    let written = include_str!("matrix.txt");
    let mut routes = 0;
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        // A route may stand on the line after its parenthesis.
        for call in source.split(".route(").skip(1) {
            let Some(route) = call
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next())
            else {
                continue;
            };
            routes += 1;
            let known = route.split('{').next().unwrap();
            assert!(
                written.lines().any(|line| line
                    .split(' ')
                    .nth(1)
                    .is_some_and(|asked| asked.starts_with(known))),
                "{route} of {} has no line in matrix.txt",
                path.display()
            );
        }
    }
    assert!(routes >= 5, "{routes}");
}

#[tokio::test]
async fn what_is_not_yours_and_what_never_was_are_the_same_bytes() {
    let mut served = Served::here().await;
    people(&mut served).await;
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
            "people/change-roles",
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
                    &[("id", hidden), ("roles[0]", "governor")],
                )
                .await;
            let other = served
                .act(
                    "oakfield",
                    act,
                    cookie,
                    &[("id", never), ("roles[0]", "governor")],
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
