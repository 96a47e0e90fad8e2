//! Asking clamd whether a file has a virus. Where it is configured and does not say that a file is clean, the file is not.

use crate::Fault;
use std::{path::Path, time::Duration};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    time::timeout,
};

/// How much is sent at once; clamd takes any length.
const CHUNK: usize = 256 * 1024;
/// An answer is a name and a word.
const ANSWER_MOST: u64 = 4096;

/// A clamd, which must take files of [`domain::file::MOST`] (`StreamMaxLength`, `MaxFileSize` and `MaxScanSize` of its
/// configuration; what is larger than the latter two it calls clean unless `AlertExceedsMax` is set).
#[derive(Clone, Debug)]
pub struct Scanner {
    address: Address,
    patience: Duration,
}

#[derive(Clone, Debug)]
enum Address {
    Socket(std::path::PathBuf),
    Network(String),
}

impl Scanner {
    /// At a socket, such as `/run/clamav/clamd.ctl`, or at a host and port, such as `127.0.0.1:3310`.
    pub fn new(address: &str) -> Self {
        let address = match address.strip_prefix("unix:").unwrap_or(address) {
            path if path.starts_with('/') => Address::Socket(path.into()),
            _ => Address::Network(address.to_owned()),
        };
        Self {
            address,
            patience: Duration::from_secs(120),
        }
    }

    /// The same, which waits for so long.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Refuses [`Fault::Virus`] where one was found, and [`Fault::Unchecked`] whatever else it says, or when it says nothing;
    /// the cause is in the log.
    pub async fn scan(&self, file: &Path) -> Result<(), Fault> {
        let unchecked = |error: std::io::Error| {
            tracing::error!(%error, "clamd did not check a file");
            Fault::Unchecked
        };
        let answer = timeout(self.patience, self.ask(file))
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .map_err(unchecked)?;
        verdict(&answer).unwrap_or_else(|| {
            tracing::error!(
                answer = %answer.escape_ascii(),
                "clamd said what it never says"
            );
            Err(Fault::Unchecked)
        })
    }

    async fn ask(&self, file: &Path) -> std::io::Result<Vec<u8>> {
        let file = File::open(file).await?;
        match &self.address {
            Address::Socket(path) => exchange(UnixStream::connect(path).await?, file).await,
            Address::Network(address) => exchange(TcpStream::connect(address).await?, file).await,
        }
    }
}

/// The file in chunks with their length before each and an empty one at the end (clamd(8), INSTREAM).
async fn exchange(
    mut clamd: impl AsyncRead + AsyncWrite + Unpin,
    mut file: File,
) -> std::io::Result<Vec<u8>> {
    let mut chunk = vec![0; CHUNK];
    let sent = async {
        clamd.write_all(b"zINSTREAM\0").await?;
        loop {
            let length = file.read(&mut chunk).await?;
            let prefix = u32::try_from(length).map_err(std::io::Error::other)?;
            clamd.write_all(&prefix.to_be_bytes()).await?;
            if length == 0 {
                return clamd.flush().await;
            }
            clamd.write_all(&chunk[..length]).await?;
        }
    }
    .await;
    let mut answer = Vec::new();
    let heard = clamd.take(ANSWER_MOST).read_to_end(&mut answer).await;
    // Where it stopped listening, it has mostly said why.
    if answer.is_empty() {
        sent?;
        heard?;
    }
    Ok(answer)
}

/// What an answer says, if it is one. `OK` of something else than this stream says nothing.
fn verdict(answer: &[u8]) -> Option<Result<(), Fault>> {
    let answer = answer.strip_suffix(b"\0")?.strip_prefix(b"stream: ")?;
    match answer {
        b"OK" => Some(Ok(())),
        _ if answer.ends_with(b" FOUND") => Some(Err(Fault::Virus)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_clamd_says_of_a_clean_stream_is_clean() {
        assert_eq!(verdict(b"stream: OK\0"), Some(Ok(())));
        assert_eq!(
            verdict(b"stream: Eicar-Test-Signature FOUND\0"),
            Some(Err(Fault::Virus))
        );
        for other in [
            &b""[..],
            b"OK",
            b"stream: OK",
            b"stream: OK\0stream: OK\0",
            b"INSTREAM size limit exceeded. ERROR\0",
            b"stream: Can't allocate memory ERROR\0",
            b"UNKNOWN COMMAND\0",
            b"HTTP/1.1 200 OK\r\n\0",
            b"/etc/passwd: OK\0",
        ] {
            assert_eq!(verdict(other), None, "{other:?}");
        }
    }
}
