//! The embedded store in a process of its own, with keys that are known: the same library, set up as `server/src/storage.rs`
//! does it.

use std::path::Path;

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

use crate::fault::{Result, io, said};

/// Who asks. It guards nothing but noise, on loopback and for minutes.
pub const ACCESS_KEY: &str = "bench";
/// Proof of it.
pub const SECRET_KEY: &str = "quiet otter lantern harbour";
/// Where the objects lie, in the folder it was started in.
pub const FOLDER: &str = "objects";

/// Until the harness ends it.
pub fn serve() -> Result<()> {
    let folder = Path::new(FOLDER);
    std::fs::create_dir_all(folder).map_err(io("the folder of the store"))?;
    let files = FileSystem::new(folder)
        .map_err(|error| said(format!("The store cannot serve its folder: {error:?}")))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = builder.build();
    let hands = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(io("the runtime"))?;
    hands.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(io("a port"))?;
        let port = listener.local_addr().map_err(io("a port"))?.port();
        super::ready(port, port)?;
        let http = auto::Builder::new(TokioExecutor::new());
        loop {
            let (stream, _) = listener.accept().await.map_err(io("a connection"))?;
            let connection = http
                .serve_connection(TokioIo::new(stream), service.clone())
                .into_owned();
            // One that breaks is seen by who asked.
            tokio::spawn(async move { connection.await.is_ok() });
        }
    })
}
