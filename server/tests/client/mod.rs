//! A client of `/live` that is no browser: it can leave out what a browser always sends, and stop reading.

use std::{net::SocketAddr, time::Duration};

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

/// Longer than anything here may take; a test that waits for so long has failed.
const LONG: Duration = Duration::from_secs(20);

pub struct Client(WebSocketStream<TcpStream>);

/// What comes next.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Says(Value),
    /// The close code; none for a connection that just broke.
    Closed(Option<u16>),
}

impl Client {
    /// Connects with these headers, or says with which status it was refused.
    pub async fn connect(
        address: SocketAddr,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        Self::connect_by(TcpStream::connect(address).await.unwrap(), headers).await
    }

    /// The same over a connection of the caller's making.
    pub async fn connect_by(
        stream: TcpStream,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let address = stream.peer_addr().unwrap();
        let mut request = format!("ws://{address}/live")
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn say(&mut self, words: Value) {
        self.send(Message::Text(words.to_string().into())).await;
    }

    /// A client that was sent away cannot say anything; that is for the test to find out by listening.
    pub async fn send(&mut self, message: Message) {
        let _ = self.0.send(message).await;
    }

    pub async fn hear(&mut self) -> Heard {
        timeout(LONG, self.next()).await.expect("nothing is heard")
    }

    /// Nothing is heard for this long.
    pub async fn hears_nothing_for(&mut self, time: Duration) -> bool {
        timeout(time, self.next()).await.is_err()
    }

    async fn next(&mut self) -> Heard {
        loop {
            return match self.0.next().await {
                Some(Ok(Message::Text(text))) => Heard::Says(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    Heard::Closed(frame.map(|frame| frame.code.into()))
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Heard::Closed(None),
            };
        }
    }

    /// The words of the next frame.
    pub async fn words(&mut self) -> Value {
        match self.hear().await {
            Heard::Says(words) => words,
            Heard::Closed(code) => panic!("closed with {code:?}"),
        }
    }

    /// Frames until the end, and the close code.
    pub async fn end(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut frames = Vec::new();
        loop {
            match self.hear().await {
                Heard::Says(words) => frames.push(words),
                Heard::Closed(code) => return (frames, code),
            }
        }
    }

    /// Reads the hello; returns its seq.
    pub async fn greeted(&mut self) -> i64 {
        let hello = self.words().await;
        hello["hello"]["seq"]
            .as_i64()
            .unwrap_or_else(|| panic!("no hello: {hello}"))
    }
}
