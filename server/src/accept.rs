//! Connections: taken in, held to a time, and let end in order. In place of axum's own loop, which waits for ever for a client
//! that sends a byte a minute.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
};
use tower::ServiceExt as _;

use crate::line::Line;

/// How long a client may take over the head of a request; also the longest that a connection may lie idle between two.
const HEAD_MOST: Duration = Duration::from_secs(30);
/// How many connections may wait to be taken in; the kernel's own limit (`net.core.somaxconn`) is as high. Thousands come back at
/// once after a restart, and one that finds no room asks again after a whole second.
const WAITING_MOST: u32 = 4_096;
/// Rest when the process has no more file descriptors.
const FULL: Duration = Duration::from_millis(200);

/// Listens; an address that was left a moment ago may be taken again.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MOST)
}

/// Serves until told to end, and then until the last request has its answer. Sockets are drained by whoever holds them.
pub async fn serve(listener: TcpListener, app: Router, mut ending: watch::Receiver<bool>) {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MOST);
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = ending.wait_for(|ending| *ending) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Of one client that left at once, or of a process that is full: either way the next may come in.
                tracing::warn!(%error, "a connection could not be taken in");
                tokio::time::sleep(FULL).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let line = Line::new(stream);
        let out = line.out();
        let app = app
            .clone()
            .map_request(move |mut request: Request<hyper::body::Incoming>| {
                request
                    .extensions_mut()
                    .insert(ConnectInfo::<SocketAddr>(peer));
                request.extensions_mut().insert(out.clone());
                request.map(Body::new)
            });
        let connection = http
            .serve_connection_with_upgrades(TokioIo::new(line), TowerToHyperService::new(app))
            .into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // What goes wrong with one connection is its client's doing, or is told by the layers within.
            let _ = connection.await;
        });
    }
    drop(listener);
    connections.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    #[tokio::test]
    async fn more_than_a_thousand_wait_to_be_taken_in() {
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let waiting: Vec<_> = (0..2_000)
            .map(|_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(900)))
            .collect();
        // Nobody is let in: who finds no room is told nothing, and asks again after a second.
        assert!(waiting.iter().all(Result::is_ok));
    }
}
