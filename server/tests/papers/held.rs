//! One request at a time is at an upload: what comes beside it is told so, and nothing of it is filed.

use std::time::Duration;

use axum::body::Bytes;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::SinkExt as _;
use reqwest::{Client, Method, RequestBuilder, Response, header::HeaderMap};
use tokio::task::block_in_place;

use crate::{crowd::Browser, folder, house::House};

const TEXT: &str = "Five days, and no more than five.";

#[derive(Clone)]
struct Sender {
    client: Client,
    origin: String,
    headers: HeaderMap,
}

impl Sender {
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.origin))
            .headers(self.headers.clone())
    }

    async fn patch(&self, place: &str, from: usize, body: impl Into<reqwest::Body>) -> Response {
        self.ask(Method::PATCH, place)
            .header("upload-offset", from.to_string())
            .header("content-type", "application/offset+octet-stream")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    async fn stands(&self, place: &str) -> usize {
        let answer = self.ask(Method::HEAD, place).send().await.unwrap();
        answer.headers()["upload-offset"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_comes_beside_another_part_is_refused_and_not_filed() {
    let house = House::new();
    let _server = block_in_place(|| house.serve_with(&[("QUORATE_DEMO", "1")]));
    let mut clerk = Browser::at(&house, "oakfield")
        .sign_in("clerk@oakfield.example")
        .await;
    let folder = folder(&mut clerk, "Held").await;
    let sender = Sender {
        client: Client::new(),
        origin: format!("http://127.0.0.1:{}", house.port),
        headers: clerk
            .headers()
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect(),
    };
    let said = [
        ("filename", "held.txt"),
        ("folder", folder.rsplit('/').next().unwrap()),
        ("title", "Held"),
    ]
    .map(|(name, value)| format!("{name} {}", STANDARD.encode(value)));
    let begun = sender
        .ask(Method::POST, "/files/uploads")
        .header("upload-length", TEXT.len().to_string())
        .header("upload-metadata", said.join(","))
        .send()
        .await
        .unwrap();
    assert_eq!(begun.status(), 201);
    let place = begun.headers()["location"].to_str().unwrap().to_owned();

    // A part that has begun and does not end.
    let (mut pieces, body) = futures::channel::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let slow = tokio::spawn({
        let (sender, place) = (sender.clone(), place.clone());
        async move {
            sender
                .patch(&place, 0, reqwest::Body::wrap_stream(body))
                .await
        }
    });
    pieces.send(Ok(Bytes::from(&TEXT[..9]))).await.unwrap();
    while sender.stands(&place).await < 9 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let busy = domain::Refusal::UploadBusy.to_string();
    let beside = sender.patch(&place, 9, &TEXT[9..]).await;
    assert_eq!(beside.status(), 409);
    assert!(beside.text().await.unwrap().contains(&busy));
    let finish = sender
        .ask(Method::POST, &format!("{place}/finish"))
        .send()
        .await
        .unwrap();
    assert_eq!(finish.status(), 409);
    assert!(finish.text().await.unwrap().contains(&busy));
    assert_eq!(sender.stands(&place).await, 9, "nothing was added");

    pieces.send(Ok(Bytes::from(&TEXT[9..]))).await.unwrap();
    drop(pieces);
    assert_eq!(slow.await.unwrap().status(), 204);
    let done = sender
        .ask(Method::POST, &format!("{place}/finish"))
        .send()
        .await
        .unwrap();
    assert_eq!(done.status(), 200);
    let done: serde_json::Value = done.json().await.unwrap();
    let file = format!(
        "/papers/{}/versions/1/file",
        done["document"].as_str().unwrap()
    );
    let filed = sender.ask(Method::GET, &file).send().await.unwrap();
    assert_eq!(filed.text().await.unwrap(), TEXT);
}
