//! One connection. Its protocol writes on it, and beside it the hub puts whole frames on it, without a turn of the connection's task.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Frames at most in one write; the system takes no more than 1,024.
const AT_ONCE: usize = 64;

/// What a connection's protocol reads from and writes to.
pub struct Line {
    from: OwnedReadHalf,
    to: Out,
}

/// The writing end, for whoever has whole frames to put on it.
#[derive(Clone)]
pub struct Out(Arc<Mutex<Writing>>);

struct Writing {
    to: OwnedWriteHalf,
    /// The protocol has said the beginning of something, and not its end. It always offers all that it has, so what it wrote ends
    /// where a frame ends as soon as nothing of an offer is left.
    amid: bool,
    /// The end of a frame that was put on the line in part. Nothing may come before it.
    rest: Bytes,
}

/// How much of what was put on a line it has taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// So many frames; the last of them perhaps in part, and then its end is kept.
    pub frames: usize,
    /// Nothing is kept back: whatever was taken has left.
    pub whole: bool,
}

impl Line {
    /// Of a connection that was just taken in.
    pub fn new(stream: TcpStream) -> Self {
        let (from, to) = stream.into_split();
        Self {
            from,
            to: Out(Arc::new(Mutex::new(Writing {
                to,
                amid: false,
                rest: Bytes::new(),
            }))),
        }
    }

    /// Its writing end.
    pub fn out(&self) -> Out {
        self.to.clone()
    }
}

impl Out {
    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts frames on the line as far as it takes them now, in one write where it can be. Takes none while something else is
    /// unfinished on it, or when it is broken: the protocol will meet that too.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "an iterator is handed over; a reference to one would be asked of every caller"
    )]
    pub fn put<'a>(&self, frames: impl Iterator<Item = &'a Bytes> + Clone) -> Taken {
        let mut writing = self.writing();
        let mut taken = Taken {
            frames: 0,
            whole: true,
        };
        if writing.amid || !writing.rest.is_empty() {
            return taken;
        }
        loop {
            let mut offer = frames.clone().skip(taken.frames).take(AT_ONCE);
            let written = match (offer.next(), offer.next()) {
                (None, _) => return taken,
                (Some(one), None) => writing.to.try_write(one),
                (Some(first), Some(second)) => {
                    let slices: Vec<_> = [first, second]
                        .into_iter()
                        .chain(offer)
                        .map(|frame| IoSlice::new(frame))
                        .collect();
                    writing.to.try_write_vectored(&slices)
                }
            };
            let Ok(mut written) = written else {
                return taken;
            };
            for frame in frames.clone().skip(taken.frames).take(AT_ONCE) {
                if written == 0 {
                    break;
                }
                taken.frames += 1;
                if written < frame.len() {
                    writing.rest = frame.slice(written..);
                    taken.whole = false;
                    return taken;
                }
                written -= frame.len();
            }
        }
    }
}

impl Writing {
    /// Until what was put on the line in part has left.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.to).poll_write(context, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.from).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut writing = self.to.writing();
        ready!(writing.poll_rest(context))?;
        let written = ready!(Pin::new(&mut writing.to).poll_write_vectored(context, slices))?;
        writing.amid = written < slices.iter().map(|slice| slice.len()).sum();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut writing = self.to.writing();
        ready!(writing.poll_rest(context))?;
        Pin::new(&mut writing.to).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut writing = self.to.writing();
        ready!(writing.poll_rest(context))?;
        Pin::new(&mut writing.to).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn pair() -> (Line, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (ours, theirs) = tokio::join!(
            listener.accept(),
            TcpStream::connect(listener.local_addr().unwrap())
        );
        (Line::new(ours.unwrap().0), theirs.unwrap())
    }

    /// Reads until nothing more comes, so that there is room on the line again.
    async fn make_room(client: &mut TcpStream) -> Vec<u8> {
        let (mut all, mut some) = (Vec::new(), vec![0; 1024 * 1024]);
        let quiet = std::time::Duration::from_millis(100);
        while let Ok(read) = tokio::time::timeout(quiet, client.read(&mut some)).await {
            all.extend_from_slice(&some[..read.unwrap()]);
        }
        all
    }

    #[tokio::test]
    async fn frames_that_the_client_does_not_read_are_kept_whole_and_in_order() {
        let (mut line, mut client) = pair().await;
        line.write_all(b"hello ").await.unwrap();
        let out = line.out();
        let frames: Vec<Bytes> = (0..200_u8).map(|n| vec![n; 60_000].into()).collect();
        let taken = out.put(frames.iter());
        assert!(taken.frames > 1, "{taken:?}");
        assert!(taken.frames < frames.len() && !taken.whole, "{taken:?}");
        // While the end of one waits, nothing comes between, also where there is room for it.
        let mut all = make_room(&mut client).await;
        let refused = Taken {
            frames: 0,
            whole: true,
        };
        assert_eq!(out.put(frames.iter()), refused);
        let reader = tokio::spawn(async move {
            client.read_to_end(&mut all).await.unwrap();
            all
        });
        let mut left = frames.iter().skip(taken.frames);
        line.write_all(left.next().unwrap()).await.unwrap();
        loop {
            let more = out.put(left.clone());
            if more.frames == 0 {
                // Full: the protocol's own way waits for room.
                match left.next() {
                    Some(frame) => line.write_all(frame).await.unwrap(),
                    None => break,
                }
            } else {
                left.nth(more.frames - 1);
                line.flush().await.unwrap();
            }
        }
        line.shutdown().await.unwrap();
        drop((line, out));
        let expected: Vec<u8> = b"hello "
            .iter()
            .copied()
            .chain(frames.iter().flatten().copied())
            .collect();
        assert!(
            reader.await.unwrap() == expected,
            "something was lost, doubled or moved"
        );
    }

    #[tokio::test]
    async fn nothing_comes_between_the_halves_of_what_the_protocol_says() {
        let (mut line, mut client) = pair().await;
        let out = line.out();
        let long = vec![1; 16 * 1024 * 1024];
        let written = line.write(&long).await.unwrap();
        assert!(written < long.len());
        let frame = Bytes::from_static(b"frame");
        let mut all = make_room(&mut client).await;
        assert_eq!(all.len(), written);
        assert_eq!(out.put([&frame].into_iter()).frames, 0);
        let reader = tokio::spawn(async move {
            client.read_to_end(&mut all).await.unwrap();
            all
        });
        line.write_all(&long[written..]).await.unwrap();
        let taken = Taken {
            frames: 1,
            whole: true,
        };
        while out.put([&frame].into_iter()) != taken {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        drop((line, out));
        let all = reader.await.unwrap();
        assert_eq!(all.len(), long.len() + frame.len());
        assert!(all.ends_with(b"frame"));
    }
}
