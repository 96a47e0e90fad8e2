//! The clerk, who uploads through the application as the page's script does: what it is to become, then its bytes in parts,
//! then that they are all there.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::{added_up, paper::Paper};
use crate::{
    fault::{Result, said},
    quorate::{
        Quorate,
        seed::{Person, School},
    },
};

/// Bytes of one part (`public/upload/upload.js`).
const PART: usize = 4 << 20;

/// Somebody of a school with a folder to file in.
#[derive(Clone)]
pub struct Clerk {
    client: reqwest::Client,
    origin: String,
    host: String,
    cookie: String,
    folder: String,
}

impl Clerk {
    /// Opens a folder that governors read and the clerk files in.
    pub async fn begin(
        node: &Quorate,
        client: &reqwest::Client,
        school: &School,
        clerk: &Person,
    ) -> Result<Self> {
        let form = [
            ("act", "library/open-folder"),
            ("name", "Plans"),
            ("roles[0]", "governor"),
        ];
        let answer = node
            .post(&school.label, "/library/add", &clerk.cookie, &form)
            .await?;
        let folder = answer
            .headers()
            .get("location")
            .and_then(|to| {
                to.to_str()
                    .ok()?
                    .strip_prefix("/library/")?
                    .split('?')
                    .next()
            })
            .ok_or_else(|| said(format!("No folder was opened: {}.", answer.status())))?
            .to_owned();
        Ok(Self {
            client: client.clone(),
            origin: format!("http://{}", node.address),
            host: format!("{}.{}", school.label, node.host),
            cookie: clerk.cookie.clone(),
            folder,
        })
    }

    /// Somebody else before the same folder.
    pub fn instead(&self, person: &Person) -> Self {
        Self {
            cookie: person.cookie.clone(),
            ..self.clone()
        }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.origin))
            .header("host", &self.host)
            .header("origin", format!("http://{}", self.host))
            .header("cookie", &self.cookie)
            .header("tus-resumable", "1.0.0")
    }

    /// Says what is to come; how that was answered.
    pub async fn announce(&self, number: usize, size: usize) -> Result<Response> {
        let field = |name: &str, value: &str| format!("{name} {}", STANDARD.encode(value));
        let said = [
            field("filename", &format!("plan-{number}.pdf")),
            field("folder", &self.folder),
            field("title", &format!("Plan {number}")),
        ];
        let asked = self
            .ask(Method::POST, "/files/uploads")
            .header("upload-length", size)
            .header("upload-metadata", said.join(","));
        Ok(asked.send().await?)
    }

    /// Uploads a paper, and returns when it is filed. The document's key.
    pub async fn file(&self, number: usize, paper: &Paper) -> Result<String> {
        let begun = self.announce(number, paper.bytes.len()).await?;
        let place = begun
            .headers()
            .get("location")
            .and_then(|place| place.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        expect(begun, StatusCode::CREATED).await?;
        let mut sent = 0;
        while sent < paper.bytes.len() {
            let part: Bytes = paper.bytes.slice(sent..paper.bytes.len().min(sent + PART));
            let length = part.len();
            let asked = self
                .ask(Method::PATCH, &place)
                .header("upload-offset", sent)
                .header("content-type", "application/offset+octet-stream")
                .body(part);
            expect(asked.send().await?, StatusCode::NO_CONTENT).await?;
            sent += length;
        }
        let done = self.ask(Method::POST, &format!("{place}/finish"));
        let done = expect(done.send().await?, StatusCode::OK).await?;
        let done: Value = serde_json::from_str(&done)?;
        done["document"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| said("An upload was finished, and no document named."))
    }

    /// What a document adds up to, as it is handed out.
    pub async fn sum(&self, document: &str) -> Result<[u8; 32]> {
        let path = format!("/papers/{document}/versions/1/file");
        added_up(self.ask(Method::GET, &path).send().await?).await
    }
}

/// The text of an answer, where it is the one that was expected.
async fn expect(answer: Response, status: StatusCode) -> Result<String> {
    let found = answer.status();
    let text = answer.text().await?;
    if found == status {
        Ok(text)
    } else {
        Err(said(format!("An upload was answered with {found}: {text}")))
    }
}
