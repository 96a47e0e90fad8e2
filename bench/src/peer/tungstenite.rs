//! The library that Quorate's sockets stand on, with nothing around it: one loop that gives each socket the text and flushes
//! it.

use std::sync::{Arc, Mutex, PoisonError};

use futures::SinkExt as _;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{Message, Utf8Bytes},
};

use super::words;
use crate::fault::{Result, io, said};

type Sockets = Arc<Mutex<Vec<WebSocketStream<TcpStream>>>>;

/// Until the harness ends it.
pub fn serve() -> Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io("the runtime"))?
        .block_on(run())
}

async fn run() -> Result<()> {
    let listen = async || TcpListener::bind("127.0.0.1:0").await.map_err(io("a port"));
    let (listener, control) = (listen().await?, listen().await?);
    let port = |listener: &TcpListener| {
        listener
            .local_addr()
            .map(|address| address.port())
            .map_err(io("a port"))
    };
    super::ready(port(&listener)?, port(&control)?)?;
    let arrived = Sockets::default();
    tokio::spawn(accept(listener, arrived.clone()));
    let (mut told, _) = control.accept().await.map_err(io("the control"))?;
    let mut sockets: Vec<WebSocketStream<TcpStream>> = Vec::new();
    let (mut buffer, mut rest) = (vec![0; 16 * 1024], String::new());
    loop {
        let read = told.read(&mut buffer).await.map_err(io("the control"))?;
        if read == 0 {
            return Err(said("The harness has gone."));
        }
        rest.push_str(&String::from_utf8_lossy(
            buffer.get(..read).unwrap_or_default(),
        ));
        let Some((lines, half)) = rest.rsplit_once('\n') else {
            continue;
        };
        let texts: Vec<Utf8Bytes> = lines.lines().map(|seq| words(seq).into()).collect();
        rest = half.to_owned();
        sockets.append(&mut arrived.lock().unwrap_or_else(PoisonError::into_inner));
        for socket in &mut sockets {
            for text in &texts {
                // Whoever has gone is told nothing; the harness counts what it hears.
                let _ = socket.feed(Message::Text(text.clone())).await;
            }
            let _ = socket.flush().await;
        }
    }
}

async fn accept(listener: TcpListener, sockets: Sockets) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let sockets = sockets.clone();
        tokio::spawn(async move {
            if let Ok(socket) = accept_async(stream).await {
                sockets
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(socket);
            }
        });
    }
}
