//! From the upload to the page on which it is read.

use std::time::Duration;

use axum::http::Method;
use domain::{db::MailDb, file::Kind};
use inspect::NoPdf;
use server::copy::{Looked, Pace, Parts};
use testing::{Role, Stand};
use tokio::sync::watch;

use crate::{office, runs, site::Served, word};

const CLERK: &str = "clerk@oakfield.example";
const GOVERNOR: &str = "governor1@oakfield.example";
const TEACHER: &str = "teacher1@oakfield.example";
const EDGE: &str = "a line that no file of these has";
const SENTENCE: &str = "The hall is let on Thursdays from six.";

fn job(served: &Served, wall: Duration) -> Parts {
    let folder = served.folder.path().join("copies");
    server::copy::make_folder(&folder).unwrap();
    Parts {
        db: MailDb::new(served.fresh.options(Role::Worker), 2),
        store: served.files.store.clone(),
        inspector: served.files.inspector.clone(),
        office: office(wall),
        folder,
        pace: Pace::default(),
    }
}

/// Nasreen files a document of Word in a folder that governors read. Its address.
async fn file(served: &Served, clerk: &str, document: &[u8]) -> String {
    let fields = [
        ("act", "library/open-folder"),
        ("name", "Lettings"),
        ("roles[0]", "governor"),
    ];
    let made = served
        .post("oakfield", "/library/add", clerk, &fields)
        .await;
    assert_eq!(made.status, 303, "{}", made.text());
    let folder = made.location().split('?').next().unwrap().to_owned();
    let mut body = format!(
        "--{EDGE}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nLettings\r\n\
         --{EDGE}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"lettings.docx\"\r\n\r\n"
    )
    .into_bytes();
    body.extend(document);
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

#[tokio::test]
async fn a_word_document_is_read_on_its_page_by_who_reads_its_folder() {
    let mut served = Served::here().await;
    let clerk = served.cookie(Some("oakfield"), CLERK, Stand::Full).await;
    let dilip = served.cookie(Some("oakfield"), GOVERNOR, Stand::Full).await;
    let imran = served.cookie(Some("oakfield"), TEACHER, Stand::Full).await;
    let paper = file(
        &served,
        &clerk,
        &word::document(&[SENTENCE, "And a second page."]),
    )
    .await;
    let copy = format!("{paper}/versions/1/copy");
    let before = served.get("oakfield", &paper, &dilip).await.text();
    assert!(
        before.contains("This kind of file is not shown here."),
        "{before}"
    );
    assert_eq!(served.get("oakfield", &copy, &dilip).await.status, 404);

    let (_stop, mut stopped) = watch::channel(false);
    let job = job(&served, Duration::from_secs(100));
    assert_eq!(job.look(&mut stopped).await, Looked::One);
    assert_eq!(job.look(&mut stopped).await, Looked::Nothing);
    assert_eq!(std::fs::read_dir(&job.folder).unwrap().count(), 0);

    let page = served.get("oakfield", &paper, &dilip).await.text();
    assert!(
        page.contains("This is a copy for reading, made from the Word document."),
        "{page}"
    );
    assert!(page.contains(&format!("data-src=\"{copy}\"")), "{page}");
    let pdf = served.get("oakfield", &copy, &dilip).await;
    assert_eq!(pdf.status, 200);
    assert_eq!(pdf.header("content-type"), "application/pdf");
    assert!(pdf.header("content-disposition").starts_with("attachment"));
    let lies = served.folder.path().join("copy.pdf");
    std::fs::write(&lies, &pdf.body).unwrap();
    let report = job.inspector.look(&lies, Kind::Pdf).await.unwrap();
    assert_eq!(report.pages, Some(2));
    assert!(report.text[0].contains(SENTENCE), "{:?}", report.text);
    let part = served
        .ask(Method::GET, "oakfield", &copy)
        .cookie(&dilip)
        .header("range", "bytes=0-4")
        .send()
        .await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &b"%PDF-"[..]));
    let opened: i64 = sqlx::query_scalar(
        "select count(*) from opening o join membership m on m.id = o.membership_id
         join account a on a.id = m.account_id where a.email = $1",
    )
    .bind(GOVERNOR)
    .fetch_one(&mut *served.behind)
    .await
    .unwrap();
    assert_eq!(opened, 1, "whoever reads the copy has opened the version");

    let fields = [
        ("act", "questions/ask"),
        ("document", paper.rsplit('/').next().unwrap()),
        ("version", "1"),
        ("words", "Until when?"),
        ("exact", SENTENCE),
        ("page", "7"),
        ("position", "900-940"),
    ];
    let asked = served.post("oakfield", &paper, &dilip, &fields).await;
    assert_eq!(asked.status, 303, "{}", asked.text());
    let page = served.get("oakfield", &paper, &dilip).await.text();
    assert!(page.contains("about a sentence"), "{page}");

    let nowhere = format!("/papers/{}/versions/1/copy", uuid::Uuid::new_v4());
    let theirs = served.get("oakfield", &copy, &imran).await;
    let none = served.get("oakfield", &nowhere, &imran).await;
    assert_eq!((theirs.status.as_u16(), none.status.as_u16()), (404, 404));
    assert_eq!(theirs.plain(), none.plain());
}

#[tokio::test]
async fn a_file_that_takes_too_long_is_ended_and_leaves_nothing() {
    let mut served = Served::here().await;
    let clerk = served.cookie(Some("oakfield"), CLERK, Stand::Full).await;
    let lines = vec![SENTENCE; 2_000];
    let paper = file(&served, &clerk, &word::document(&lines)).await;
    let (_stop, mut stopped) = watch::channel(false);
    let job = job(&served, Duration::from_secs(1));
    for _ in 0..3 {
        assert_eq!(job.look(&mut stopped).await, Looked::One);
        assert_eq!(std::fs::read_dir(&job.folder).unwrap().count(), 0);
        sqlx::query("update reading_copy set next_at = now()")
            .execute(&mut *served.behind)
            .await
            .unwrap();
    }
    let mark = job.folder.canonicalize().unwrap();
    for _ in 0..100 {
        if !runs(mark.to_str().unwrap()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!runs(mark.to_str().unwrap()), "it still runs");
    assert_eq!(job.look(&mut stopped).await, Looked::Nothing);
    let page = served.get("oakfield", &paper, &clerk).await.text();
    assert!(
        page.contains("of which a copy for reading could not be made"),
        "{page}"
    );
}

#[tokio::test]
async fn a_job_that_ends_gives_back_what_it_was_making() {
    let mut served = Served::here().await;
    let clerk = served.cookie(Some("oakfield"), CLERK, Stand::Full).await;
    file(&served, &clerk, &word::document(&[SENTENCE])).await;
    let (_stop, mut stopped) = watch::channel(true);
    let job = job(&served, Duration::from_secs(100));
    // The end may come when all is done already, but is looked at first or in the middle.
    let _ = job.look(&mut stopped).await;
    assert_eq!(std::fs::read_dir(&job.folder).unwrap().count(), 0);
    let (_stop, mut stopped) = watch::channel(false);
    let _ = job.look(&mut stopped).await;
    let made: i64 =
        sqlx::query_scalar("select count(*) from reading_copy where state = 'made' and tries = 1")
            .fetch_one(&mut *served.behind)
            .await
            .unwrap();
    assert_eq!(made, 1, "and it was not counted as a try");
}

#[tokio::test]
async fn a_file_that_libreoffice_cannot_read_comes_to_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paper.docx");
    std::fs::write(&file, b"PK\x03\x04 and then nothing").unwrap();
    let none = office(Duration::from_secs(100))
        .to_pdf(folder.path(), &file, Kind::Docx)
        .await;
    assert!(
        matches!(none, Err(NoPdf::Nothing | NoPdf::Ended)),
        "{none:?}"
    );
}
