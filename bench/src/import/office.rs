//! The office, which brings a roster in as its pages do: the file, a look at what it would change, and the word that it be
//! taken in.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{RequestBuilder, Response, StatusCode, header::HeaderName};
use scraper::{Html, Selector};

use crate::{
    fault::{Result, said},
    quorate::{
        Quorate,
        seed::{Person, School, cookie},
    },
    workload::Bench,
};

/// What stands between the parts of the form.
const EDGE: &str = "a-line-that-no-roster-has";
/// The page of a reading asks again after two seconds; this asks sooner, so that less is measured that is nobody's work.
const AGAIN: Duration = Duration::from_millis(100);
/// As much of a page as tells why.
const WORDS_MOST: usize = 400;

/// Who keeps the roll of a school.
#[derive(Clone)]
pub struct Office {
    client: reqwest::Client,
    origin: String,
    host: String,
    /// Where.
    pub school: School,
    admin: Person,
}

/// The form with a roster, as a browser sends it.
pub fn form(file: &str) -> Bytes {
    format!(
        "--{EDGE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"roster.csv\"\r\nContent-Type: text/csv\r\n\r\n\
         {file}\r\n--{EDGE}--\r\n"
    )
    .into()
}

impl Office {
    /// Somebody new in a school, who has just proved who they are.
    pub fn open(
        bench: &Bench,
        node: &Quorate,
        client: &reqwest::Client,
        school: School,
    ) -> Result<Self> {
        Ok(Self {
            client: client.clone(),
            origin: format!("http://{}", node.address),
            host: format!("{}.{}", school.label, node.host),
            admin: node.people(bench, &school, "school_admin", 1)?.remove(0),
            school,
        })
    }

    /// The same person, who has proved once more who they are: that holds for five minutes.
    pub async fn again(mut self, node: &Quorate) -> Result<Self> {
        let token = node
            .open_session(&self.school, self.admin.membership)
            .await?;
        self.admin.cookie = cookie(token);
        Ok(self)
    }

    fn signed(&self, asked: RequestBuilder) -> RequestBuilder {
        asked
            .header("host", &self.host)
            .header("origin", format!("http://{}", self.host))
            .header("cookie", &self.admin.cookie)
            .header("accept", "text/html")
    }

    async fn get(&self, path: &str) -> Result<Response> {
        let asked = self.client.get(format!("{}{path}", self.origin));
        Ok(self.signed(asked).send().await?)
    }

    async fn post(&self, path: &str, act: &str, import: &str) -> Result<Response> {
        let asked = self.client.post(format!("{}{path}", self.origin));
        let form = [("act", act), ("import", import)];
        Ok(self.signed(asked).form(&form).send().await?)
    }

    /// Sends the file and waits until the page stands that shows what it would change. The roster's key, and that page.
    pub async fn read(&self, form: &Bytes) -> Result<(String, String)> {
        let asked = self
            .client
            .post(format!("{}/roster", self.origin))
            .header(
                "content-type",
                format!("multipart/form-data; boundary={EDGE}"),
            )
            .body(form.clone());
        let answer = self.signed(asked).send().await?;
        let mut to = header(&answer, "location");
        if answer.status() != StatusCode::SEE_OTHER {
            return Err(refused("The file", answer).await);
        }
        while to.starts_with("/roster/reading/") {
            let answer = self.get(&to).await?;
            let next = header(&answer, "refresh");
            if let Some((_, on)) = next.split_once("url=") {
                on.clone_into(&mut to);
                // Taken in whole, so that the connection can be used again.
                answer.bytes().await?;
            } else if next.is_empty() {
                return Err(refused("The reading", answer).await);
            } else {
                answer.bytes().await?;
                tokio::time::sleep(AGAIN).await;
            }
        }
        let import = to
            .strip_prefix("/roster/")
            .and_then(|rest| rest.split('?').next())
            .ok_or_else(|| said(format!("A roster that was read led to {to:?}.")))?
            .to_owned();
        let page = page("What a roster would change", self.get(&to).await?).await?;
        Ok((import, page))
    }

    /// Takes it in; the page that tells what was taken.
    pub async fn take_in(&self, import: &str) -> Result<String> {
        let answer = self
            .post(&format!("/roster/{import}"), "roster/take-in", import)
            .await?;
        page("Taking a roster in", answer).await
    }

    /// Undoes what was taken in.
    pub async fn undo(&self, import: &str) -> Result<()> {
        let path = format!("/roster/{import}/undo");
        let answer = self.post(&path, "roster/undo", import).await?;
        if header(&answer, "location").ends_with("?done=undone") {
            Ok(())
        } else {
            Err(refused("Undoing a roster", answer).await)
        }
    }
}

fn header(answer: &Response, name: &'static str) -> String {
    answer
        .headers()
        .get(HeaderName::from_static(name))
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

async fn page(what: &str, answer: Response) -> Result<String> {
    if answer.status() == StatusCode::OK {
        Ok(words(&answer.text().await?))
    } else {
        Err(refused(what, answer).await)
    }
}

/// Why something was not done, in the words of the page.
async fn refused(what: &str, answer: Response) -> crate::fault::Fault {
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    let short: String = words(&text).chars().take(WORDS_MOST).collect();
    said(format!("{what} was answered with {status}: {short}"))
}

/// What the main part of a page says, in one line.
fn words(page: &str) -> String {
    let document = Html::parse_document(page);
    let main = Selector::parse("main").ok();
    let main = main.as_ref().and_then(|main| document.select(main).next());
    let text: Vec<&str> = main.iter().flat_map(scraper::ElementRef::text).collect();
    let text = text.join(" ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_page_are_those_of_its_main_part() {
        let page =
            "<nav>Home</nav><main><h1>A  roster</h1><p>1 new\npupil</p></main><footer>x</footer>";
        assert_eq!(words(page), "A roster 1 new pupil");
        assert_eq!(words("no page"), "");
    }
}
