//! Papers as pages without a script show them: the register of policies, until when one held, and a question about a document that
//! has no text.

use std::fmt::Write as _;

use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Refusal, day};
use testing::Stand;

use crate::{
    CLERK, events,
    site::{Answer, Served},
};

const GOVERNOR: &str = "governor1@oakfield.example";
const TEACHER: &str = "teacher1@oakfield.example";
const EDGE: &str = "a line that no file of these has";
/// Eight by eight grey points.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAUElEQVR4nGNgYGThFJBUMWRg5+AWEFfQtmDg4xcSl1M3smcQFZOUU9WzdGOQkVVQ1TF18GVQVlHXMbZxD2HQ0tYztnL2i2YwNDK1cvQKTQIAHncKgdgQ9z0AAAAASUVORK5CYII=";

/// A folder that governors read. Its address.
async fn folder(served: &Served, clerk: &str) -> String {
    let fields = [
        ("act", "library/open-folder"),
        ("name", "Policies"),
        ("roles[0]", "governor"),
    ];
    let made = served
        .post("oakfield", "/library/add", clerk, &fields)
        .await;
    assert_eq!(made.status, 303, "{}", made.text());
    made.location().split('?').next().unwrap().to_owned()
}

/// Files a document there, with what is said of it. Its address.
async fn file(
    served: &Served,
    clerk: &str,
    folder: &str,
    said: &[(&str, &str)],
    name: &str,
    bytes: &[u8],
) -> String {
    let mut form = String::new();
    for (field, value) in said {
        write!(
            form,
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
        )
        .unwrap();
    }
    write!(
        form,
        "--{EDGE}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n"
    )
    .unwrap();
    let mut body = form.into_bytes();
    body.extend(bytes);
    body.extend(format!("\r\n--{EDGE}--\r\n").bytes());
    let filed = served
        .ask(Method::POST, "oakfield", &format!("{folder}/add"))
        .cookie(clerk)
        .header(
            "content-type",
            &format!("multipart/form-data; boundary=\"{EDGE}\""),
        )
        .body(body)
        .send()
        .await;
    assert_eq!(filed.status, 303, "{}", filed.text());
    filed.location().split('?').next().unwrap().to_owned()
}

/// What stands between two pieces of a page.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page
        .split_once(from)
        .unwrap_or_else(|| panic!("{from} is not in {page}"));
    rest.split(to).next().unwrap()
}

/// A page without the marks by which it is brought to life.
fn unmarked(page: &str) -> String {
    page.replace("<!---->", "").replace("<!>", "")
}

#[tokio::test]
async fn the_register_says_of_each_policy_how_its_review_stands_and_counts_them() {
    let mut served = Served::here().await;
    let clerk = served.cookie(Some("oakfield"), CLERK, Stand::Full).await;
    let dilip = served.cookie(Some("oakfield"), GOVERNOR, Stand::Full).await;
    let imran = served.cookie(Some("oakfield"), TEACHER, Stand::Full).await;
    let owner = served
        .behind
        .membership("oakfield", GOVERNOR)
        .await
        .to_string();
    let folder = folder(&served, &clerk).await;
    let on = |later: i64| day::field(served.day(later));
    for (title, review_by, owner) in [
        ("Lettings", on(-1), owner.as_str()),
        ("Charging", on(60), ""),
        ("Uniform", on(61), owner.as_str()),
        ("Attendance", String::new(), owner.as_str()),
    ] {
        let said = [
            ("title", title),
            ("kind", "policy"),
            ("owner", owner),
            ("review_by", review_by.as_str()),
        ];
        file(
            &served,
            &clerk,
            &folder,
            &said,
            "policy.txt",
            title.as_bytes(),
        )
        .await;
    }
    let page = served.get("oakfield", "/library/policies", &dilip).await;
    let page = unmarked(&page.text());
    let rows: Vec<&str> = page.split("<tr>").skip(1).collect();
    for (title, stands) in [
        ("Lettings", "Overdue"),
        ("Charging", "Due"),
        ("Uniform", "In date"),
        ("Attendance", "No date"),
    ] {
        let row = rows
            .iter()
            .find(|row| row.contains(&format!(">{title}</a>")))
            .unwrap_or_else(|| panic!("{title} is not in {page}"));
        assert!(row.contains(&format!(">{stands}</span>")), "{title}: {row}");
        let nobody = row.contains(">Nobody</span>");
        assert_eq!(nobody, title == "Charging", "{title}: {row}");
    }
    for fact in ["Overdue", "Due", "No date", "No owner"] {
        let count = between(&page, &format!("<dt>{fact}</dt>"), "</dd>");
        assert!(count.contains("<dd>1<"), "{fact}: {count}");
    }
    // Imran is of the same school and reads none of them: there is no policy for him, and no count of any.
    let theirs = served
        .get("oakfield", "/library/policies", &imran)
        .await
        .text();
    assert!(theirs.contains("No policies yet"), "{theirs}");
    assert!(!theirs.contains("Lettings") && !theirs.contains("Overdue"));
}

#[tokio::test]
async fn a_document_that_held_until_a_day_that_is_over_says_so_and_no_other_does() {
    let mut served = Served::here().await;
    let clerk = served.cookie(Some("oakfield"), CLERK, Stand::Full).await;
    let dilip = served.cookie(Some("oakfield"), GOVERNOR, Stand::Full).await;
    let folder = folder(&served, &clerk).await;
    let (yesterday, today) = (served.day(-1), served.day(0));
    for (title, to, over) in [("Old", yesterday, true), ("Of today", today, false)] {
        let (from, until) = (day::field(served.day(-400)), day::field(to));
        let said = [
            ("title", title),
            ("from", from.as_str()),
            ("to", until.as_str()),
        ];
        let paper = file(&served, &clerk, &folder, &said, "old.txt", title.as_bytes()).await;
        let page = unmarked(&served.get("oakfield", &paper, &dilip).await.text());
        let sentence = format!("It was in force until {}.", day::words(to));
        assert_eq!(page.contains(&sentence), over, "{title}: {page}");
        assert_eq!(page.contains("It was in force until"), over, "{title}");
    }
}

#[tokio::test]
async fn a_question_on_a_sentence_of_a_picture_is_refused_and_what_was_typed_is_kept() {
    let mut served = Served::here().await;
    let clerk = served.cookie(Some("oakfield"), CLERK, Stand::Full).await;
    let dilip = served.cookie(Some("oakfield"), GOVERNOR, Stand::Full).await;
    let folder = folder(&served, &clerk).await;
    let picture = STANDARD.decode(PICTURE).unwrap();
    let said = [("title", "Plan of the hall")];
    let paper = file(&served, &clerk, &folder, &said, "plan.png", &picture).await;
    let id = paper.rsplit('/').next().unwrap().to_owned();
    let before = events(&mut served).await;
    let ask = async |act: &str, exact: &str| -> Answer {
        let fields = [
            ("act", act),
            ("document", id.as_str()),
            ("version", "1"),
            ("words", "Where is the second door?"),
            ("kind", "comment"),
            ("exact", exact),
            ("page", "1"),
        ];
        served.post("oakfield", &paper, &dilip, &fields).await
    };
    for act in ["questions/ask", "questions/note"] {
        let refused = ask(act, "The hall has two doors.").await;
        let page = refused.text();
        assert_eq!(refused.status, 422, "{act}: {page}");
        assert!(page.contains(&Refusal::NoText.to_string()), "{act}: {page}");
        for typed in ["Where is the second door?", "The hall has two doors."] {
            assert!(page.contains(typed), "{act}: {typed} is gone: {page}");
        }
    }
    // About the picture as a whole it can be asked, with the same words.
    let asked = ask("questions/ask", "").await;
    assert_eq!(asked.status, 303, "{}", asked.text());
    let page = served.get("oakfield", &paper, &dilip).await.text();
    assert!(page.contains("Where is the second door?"), "{page}");
    let questions: i64 = sqlx::query_scalar("select count(*) from question")
        .fetch_one(&mut *served.behind)
        .await
        .unwrap();
    assert_eq!(questions, 1, "what was refused is not there");
    assert!(events(&mut served).await > before);
}
