//! Connections: taken in, held to a time, and let end in order. In place of axum's own loop, which waits for ever for a client
//! that sends a byte a minute.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::watch};
use tower::ServiceExt as _;

use crate::line::Line;

/// How long a client may take over the head of a request; also the longest that a connection may lie idle between two.
const HEAD_MOST: Duration = Duration::from_secs(30);
/// Rest when the process has no more file descriptors.
const FULL: Duration = Duration::from_millis(200);

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
