//! Papers at the real program, over real connections: what it costs, and what is left of them where nothing should be.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests read where PostgreSQL is from the environment they were started in, and codes are of the real clock"
)]

#[path = "../client/mod.rs"]
#[allow(dead_code, reason = "each test uses its own part")]
mod client;
#[path = "../ordeal/crowd.rs"]
#[allow(dead_code, reason = "each test uses its own part")]
mod crowd;
mod demo;
mod full;
mod held;
#[path = "../house/mod.rs"]
mod house;
mod many;
mod trace;

use crowd::{Browser, Page};

/// A folder that governors read. Its address.
async fn folder(clerk: &mut Browser, name: &str) -> String {
    let fields = [
        ("act", "library/open-folder"),
        ("name", name),
        ("roles[0]", "governor"),
    ];
    let page = clerk.post("/library/add", &fields).await.unwrap();
    assert_eq!(page.status, 303, "{}", page.text);
    page.location.split('?').next().unwrap().to_owned()
}

impl Browser {
    /// Adds a file to a folder as the form without a script does. The document's address.
    async fn file(&mut self, folder: &str, title: &str, name: &str, text: &str) -> String {
        let page = self.try_file(folder, title, name, text).await;
        assert_eq!(page.status, 303, "{}", page.text);
        page.location.split('?').next().unwrap().to_owned()
    }

    async fn try_file(&mut self, folder: &str, title: &str, name: &str, text: &str) -> Page {
        const EDGE: &str = "a line that no file of these has";
        let body = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n{title}\r\n\
             --{EDGE}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n{text}\r\n--{EDGE}--\r\n"
        );
        self.send_as(
            reqwest::Method::POST,
            &format!("{folder}/add"),
            &format!("multipart/form-data; boundary=\"{EDGE}\""),
            body,
        )
        .await
        .unwrap()
    }
}
