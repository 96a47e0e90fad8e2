//! The world around the server: a mail server, browsers, and what of theirs must not come out.

use std::{
    collections::BTreeSet,
    net::{IpAddr, TcpListener},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use mail_parser::MessageParser;
use mailin_embedded::{Handler, Response, Server, SslConfig, response};
use reqwest::{Method, header::HeaderMap, redirect::Policy};

use crate::{HOST, house::PATIENCE};

/// The mail server of the installation: takes every letter.
#[derive(Clone, Default)]
pub struct Office {
    taken: Arc<Mutex<Vec<Vec<u8>>>>,
    now: Vec<u8>,
}

impl Handler for Office {
    fn helo(&mut self, _: IpAddr, _: &str) -> Response {
        response::OK
    }

    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        self.now.clear();
        response::OK
    }

    fn rcpt(&mut self, _: &str) -> Response {
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.now.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.taken
            .lock()
            .unwrap()
            .push(std::mem::take(&mut self.now));
        response::OK
    }
}

impl Office {
    /// The thread ends with the process.
    pub fn open(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut server = Server::new(self.clone());
        server
            .with_name("mail.test")
            .with_tcp_listener(listener)
            .with_ssl(SslConfig::None)
            .unwrap();
        std::thread::spawn(move || server.serve().unwrap());
        port
    }

    /// The link of the letter of that number.
    pub async fn link(&self, number: usize) -> String {
        let started = Instant::now();
        while self.taken.lock().unwrap().len() <= number {
            assert!(started.elapsed() < PATIENCE, "no letter {number}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let letter = self.taken.lock().unwrap()[number].clone();
        let mail = MessageParser::default().parse(&letter).unwrap();
        let text = mail.body_text(0).unwrap().into_owned();
        let link = text
            .split_whitespace()
            .find(|word| word.starts_with("https://"));
        link.unwrap().rsplit('/').next().unwrap().to_owned()
    }
}

/// What must not be in the log, each with what it is.
#[derive(Clone, Default)]
pub struct Canaries(Arc<Mutex<BTreeSet<(&'static str, String)>>>);

impl Canaries {
    pub fn add(&self, what: &'static str, text: &str) {
        assert!(text.len() >= 6, "{what}: {text} could be anything");
        self.0.lock().unwrap().insert((what, text.to_owned()));
    }

    /// Those in a line: as they are, in an address, in a string of JSON, in other cases; digits only where they stand alone.
    pub fn sing(&self, line: &str) -> Vec<(&'static str, String)> {
        let line = line.to_lowercase();
        let stands_alone = |at: usize, length: usize| {
            let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
            !is_word(line.as_bytes().get(at.wrapping_sub(1)))
                && !is_word(line.as_bytes().get(at + length))
        };
        let known = self.0.lock().unwrap();
        let found = known.iter().filter(|(_, text)| {
            let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            [text.clone(), encoded.clone(), encoded.replace('+', "%20")]
                .iter()
                .map(|form| form.to_lowercase())
                .any(|form| {
                    let digits = form.bytes().all(|byte| byte.is_ascii_digit());
                    line.match_indices(&form)
                        .any(|(at, _)| !digits || stands_alone(at, form.len()))
                })
        });
        found.cloned().collect()
    }
}

/// A browser of somebody.
pub struct Browser {
    client: reqwest::Client,
    port: u16,
    pub cookie: String,
    pub canaries: Canaries,
}

pub struct Page {
    pub status: u16,
    pub location: String,
    pub text: String,
}

impl Browser {
    pub fn new(port: u16, canaries: &Canaries) -> Self {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .build()
            .unwrap();
        Self {
            client,
            port,
            cookie: String::new(),
            canaries: canaries.clone(),
        }
    }

    pub async fn send(&mut self, method: Method, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let response = self
            .client
            .request(method, format!("http://127.0.0.1:{}{path}", self.port))
            .header("host", HOST)
            .header("origin", format!("https://{HOST}"))
            .header("cookie", &self.cookie)
            .header("user-agent", "Wibbleferret/9.7 (Quokkaphone)")
            .header("referer", format!("https://{HOST}{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap();
        self.keep(response.headers());
        Page {
            status: response.status().as_u16(),
            location: response
                .headers()
                .get("location")
                .map_or("", |to| to.to_str().unwrap())
                .to_owned(),
            text: response.text().await.unwrap(),
        }
    }

    fn keep(&mut self, headers: &HeaderMap) {
        let Some(cookie) = headers.get("set-cookie") else {
            return;
        };
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        pair.clone_into(&mut self.cookie);
        // One that is taken away has no value.
        let value = pair.split_once('=').unwrap().1;
        if !value.is_empty() {
            self.canaries.add("a cookie", value);
        }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, &[]).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        for (name, value) in fields {
            let what = match *name {
                "password" | "old" => "a password",
                "email" => "an address",
                "name" => "a name",
                "code" => "a code",
                "link" => "a link",
                _ => continue,
            };
            self.canaries.add(what, value);
        }
        self.send(Method::POST, path, fields).await
    }

    pub async fn must(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        status: u16,
        to: &str,
    ) -> Page {
        let page = self.post(path, fields).await;
        assert_eq!(
            (page.status, page.location.as_str()),
            (status, to),
            "{path}: {}",
            page.text
        );
        page
    }
}

#[test]
fn what_is_looked_for_is_found() {
    let canaries = Canaries::default();
    canaries.add("a name", "Zoë Quill+Feather");
    canaries.add("a code", "170259");
    for line in [
        "{\"message\":\"Zoë Quill+Feather came\"}",
        "{\"path\":\"/people?q=Zo%C3%AB+Quill%2BFeather\"}",
        "{\"path\":\"/people?q=zo%c3%ab%20quill%2bfeather\"}",
        "{\"body\":\"code=170259&x\"}",
        "{\"code\":170259}",
    ] {
        assert_eq!(canaries.sing(line).len(), 1, "{line}");
    }
    assert_eq!(
        canaries.sing("{\"port\":1702591,\"who\":\"Zoë Quill\"}"),
        []
    );
}
