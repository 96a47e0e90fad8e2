//! A connection to the store on which things go wrong, at the request that is chosen.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends before the store has heard anything.
    Cut,
    /// It ends after so many bytes of the request.
    CutAfter(usize),
    /// It ends by a reset, after so many bytes of the answer.
    ResetAfter(usize),
    /// The store does what was asked, and nobody hears of it.
    LoseReply,
    /// The store says that it is too busy.
    Busy,
    /// It takes so long.
    Slow(Duration),
    /// Nothing more comes, and the connection stays.
    Hang,
    /// A bit is another at this place of the answer's body.
    FlipAnswer(usize),
    /// A bit is another at this place of the request, counted from its end.
    FlipRequest(usize),
}

/// Which requests, and how many of them.
#[derive(Clone, Copy, Debug)]
struct Plan {
    method: &'static str,
    times: usize,
    fault: Fault,
}

#[derive(Clone)]
pub struct Proxy {
    pub address: SocketAddr,
    plan: Arc<Mutex<Option<Plan>>>,
    /// Requests that a fault has met.
    met: Arc<Mutex<usize>>,
}

impl Proxy {
    /// Before a server at this address.
    pub async fn before(store: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            plan: Arc::default(),
            met: Arc::default(),
        };
        let own = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let own = own.clone();
                tokio::spawn(async move {
                    let _ = own.carry(client, store).await;
                });
            }
        });
        proxy
    }

    /// From now on the fault meets the next so many requests of this method for a document's object.
    pub fn next(&self, method: &'static str, times: usize, fault: Fault) {
        *self.plan.lock().unwrap() = Some(Plan {
            method,
            times,
            fault,
        });
        *self.met.lock().unwrap() = 0;
    }

    /// Everything goes well again. How many requests the fault has met.
    pub fn well(&self) -> usize {
        *self.plan.lock().unwrap() = None;
        *self.met.lock().unwrap()
    }

    fn of(&self, head: &[u8]) -> Option<Fault> {
        let line = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next()?).into_owned();
        let mut words = line.split(' ');
        let (method, path) = (words.next()?, words.next()?);
        let mut plan = self.plan.lock().unwrap();
        let found = plan.as_mut().filter(|plan| {
            plan.times > 0
                && plan.method == method
                && (path.contains("/t/") || path.contains("t%2F"))
        })?;
        found.times -= 1;
        *self.met.lock().unwrap() += 1;
        Some(found.fault)
    }

    /// One connection. A request begins where the client speaks after the store has.
    async fn carry(&self, mut client: TcpStream, store: SocketAddr) -> std::io::Result<()> {
        let mut server = TcpStream::connect(store).await?;
        let (mut up, mut down) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        let (mut fault, mut sent, mut came) = (None, 0_usize, 0_usize);
        loop {
            tokio::select! {
                read = client.read(&mut up) => {
                    let length = read?;
                    if length == 0 { return Ok(()) }
                    let piece = &mut up[..length];
                    if begins(piece) {
                        (fault, sent, came) = (self.of(piece), 0, 0);
                    }
                    match fault {
                        Some(Fault::Cut) => return Ok(()),
                        Some(Fault::CutAfter(most)) if sent + length > most => return Ok(()),
                        Some(Fault::Busy) => {
                            // What was asked is read to its end first, or the answer would be lost in a reset.
                            let _ = tokio::time::timeout(Duration::from_millis(300), async {
                                while client.read(&mut up).await.is_ok_and(|length| length > 0) {}
                            }).await;
                            client.write_all(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await?;
                            return client.shutdown().await;
                        }
                        Some(Fault::Slow(time)) => { tokio::time::sleep(time).await; fault = None; }
                        Some(Fault::Hang) => { tokio::time::sleep(Duration::from_hours(1)).await; }
                        Some(Fault::FlipRequest(back)) if length > back && !begins(piece) => {
                            piece[length - 1 - back] ^= 1;
                            fault = None;
                        }
                        _ => {}
                    }
                    sent += length;
                    server.write_all(piece).await?;
                }
                read = server.read(&mut down) => {
                    let length = read?;
                    if length == 0 { return Ok(()) }
                    let piece = &mut down[..length];
                    match fault {
                        // The client is only told to go on.
                        _ if piece.starts_with(b"HTTP/1.1 100") => {}
                        Some(Fault::LoseReply) => return Ok(()),
                        Some(Fault::ResetAfter(most)) if came + length > most => {
                            client.write_all(&piece[..most.saturating_sub(came)]).await?;
                            client.set_zero_linger()?;
                            return Ok(());
                        }
                        Some(Fault::FlipAnswer(place)) => {
                            let start = if came == 0 { head(piece) } else { 0 };
                            if length > start + place {
                                piece[start + place] ^= 1;
                                fault = None;
                            }
                        }
                        _ => {}
                    }
                    came += length;
                    client.write_all(piece).await?;
                }
            }
        }
    }
}

fn begins(piece: &[u8]) -> bool {
    [&b"PUT "[..], b"GET ", b"HEAD ", b"DELETE ", b"POST "]
        .iter()
        .any(|method| piece.starts_with(method))
}

/// Where the body begins.
fn head(piece: &[u8]) -> usize {
    piece
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map_or(0, |end| end + 4)
}
