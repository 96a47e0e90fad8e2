//! Who is here, and who reads what: seen at both processes, and gone with the one that had it.

use std::time::{Duration, Instant};

use serde_json::json;
use uuid::Uuid;

use crate::{
    house::House,
    nats::Nats,
    school::{Person, School, Watching, bus_is},
};

/// Longer than who is elsewhere is kept without being said again.
const LONG: Duration = Duration::from_secs(15);

/// A paper that governors read, filed at one process. Its id.
pub async fn paper(clerk: &Person, house: &House) -> Uuid {
    const EDGE: &str = "a line that no file of these has";
    let mut browser = clerk.at(house);
    let fields = [
        ("act", "library/open-folder"),
        ("name", "Nodes"),
        ("roles[0]", "governor"),
    ];
    let page = browser.post("/library/add", &fields).await.unwrap();
    assert_eq!(page.status, 303, "{}", page.text);
    let folder = page.location.split('?').next().unwrap().to_owned();
    let body = format!(
        "--{EDGE}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nBudget\r\n\
         --{EDGE}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"budget.txt\"\r\n\r\nFive pounds.\r\n--{EDGE}--\r\n"
    );
    let page = browser
        .send_as(
            reqwest::Method::POST,
            &format!("{folder}/add"),
            &format!("multipart/form-data; boundary=\"{EDGE}\""),
            body,
        )
        .await
        .unwrap();
    assert_eq!(page.status, 303, "{}", page.text);
    let address = page.location.split('?').next().unwrap();
    address.rsplit('/').next().unwrap().parse().unwrap()
}

/// Who else reads it, as somebody is shown at a process.
pub async fn others(who: &Person, house: &House, paper: Uuid) -> String {
    let path = format!("/api/papers/readers?paper={paper}");
    let page = who.at(house).get(&path).await.unwrap();
    assert_eq!(page.status, 200, "{}", page.text);
    page.text
}

/// Listens until the page is told to look, and what it then sees is (or is not) somebody on a page of the paper.
async fn until(
    page: &mut Watching,
    (who, house, paper): (&Person, &House, Uuid),
    seen: &str,
    there: bool,
) {
    let started = Instant::now();
    while others(who, house, paper).await.contains(seen) != there {
        assert!(started.elapsed() < LONG, "{seen}: not {there}");
        // It does not ask by itself.
        let told = tokio::time::timeout(LONG, page.words()).await;
        let words = told.unwrap_or_else(|_| panic!("is not told; {seen}: not {there}"));
        assert_eq!(words["changed"], json!([format!("readers/{paper}")]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_reads_at_one_process_is_seen_at_the_other_until_they_hide_or_it_dies() {
    let Some(mut nats) = Nats::at_rest() else {
        return;
    };
    nats.start().await;
    let mut school = School::new().await;
    let (one, two) = (House::new(), House::new());
    let (at_one, at_two) = (school.serve(&one, &nats), school.serve(&two, &nats));
    bus_is(&[&at_one, &at_two], true).await;
    let clerk = school.person("clerk@oakfield.example").await;
    let dilip = school.person("governor1@oakfield.example").await;
    let sian = school.person("governor2@oakfield.example").await;
    let imran = school.person("teacher1@oakfield.example").await;
    let paper = paper(&clerk, &one).await;
    let topic = format!("readers/{paper}");
    let mut hall = sian.watches(&two, &["here"]).await.unwrap();
    let mut page = sian.watches(&two, &[&topic]).await.unwrap();
    let hers = (&sian, &two, paper);
    assert!(!others(&sian, &two, paper).await.contains("page 4"));
    // Of her own coming she has heard.
    hall.until_quiet().await;

    // He opens it at the other process.
    let mut his = dilip.watches(&one, &[&topic]).await.unwrap();
    let reading = json!({ "reading": { "paper": paper, "page": 4 } });
    his.client.say(reading).await;
    until(&mut page, hers, "page 4", true).await;
    let words = hall.words().await;
    assert_eq!(words["changed"], json!(["here"]), "{words}");
    // Only who reads the paper is told.
    let path = format!("/api/papers/readers?paper={paper}");
    let refused = imran.at(&two).get(&path).await.unwrap();
    assert_eq!(refused.status, 404, "{}", refused.text);
    his.client
        .say(json!({ "reading": { "paper": paper, "page": 7 } }))
        .await;
    until(&mut page, hers, "page 7", true).await;

    // He does not want to be seen, and says so at the process that does not have his page.
    for (shown, there) in [("", false), ("on", true)] {
        let fields = [("act", "reading/choose"), ("shown", shown)];
        let mut browser = dilip.at(&two);
        let chosen = browser.post("/me/reading", &fields).await.unwrap();
        assert_eq!(chosen.status, 303, "{}", chosen.text);
        until(&mut page, hers, "page 7", there).await;
    }

    // His process dies, and takes him along.
    at_one.kill();
    until(&mut page, hers, "page 7", false).await;
    assert!(his.breaks().await);
}

/// The same where the page that shows somebody, and theirs, are at one process and the choice is made at the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_choice_not_to_be_seen_holds_at_the_other_process_without_the_bus() {
    let Some(nats) = Nats::at_rest() else {
        return;
    };
    let mut school = School::new().await;
    let (one, two) = (House::new(), House::new());
    let (_at_one, _at_two) = (school.serve(&one, &nats), school.serve(&two, &nats));
    let clerk = school.person("clerk@oakfield.example").await;
    let dilip = school.person("governor1@oakfield.example").await;
    let sian = school.person("governor2@oakfield.example").await;
    let paper = paper(&clerk, &one).await;
    let topic = format!("readers/{paper}");
    let mut page = sian.watches(&two, &[&topic]).await.unwrap();
    let mut his = dilip.watches(&two, &[&topic]).await.unwrap();
    let reading = json!({ "reading": { "paper": paper, "page": 4 } });
    his.client.say(reading).await;
    let hers = (&sian, &two, paper);
    until(&mut page, hers, "page 4", true).await;
    // Nothing that was told before is left over.
    page.until_quiet().await;
    let fields = [("act", "reading/choose"), ("shown", "")];
    let mut browser = dilip.at(&one);
    let chosen = browser.post("/me/reading", &fields).await.unwrap();
    assert_eq!(chosen.status, 303, "{}", chosen.text);
    let words = page.words().await;
    assert_eq!(words["changed"], json!([topic]), "{words}");
    assert!(!others(&sian, &two, paper).await.contains("page 4"));
}
