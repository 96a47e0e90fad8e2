//! The floor: a loop that writes finished bytes to one connection after the other. No server that sends each socket a frame of
//! its own can be quicker than the kernel lets it be.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
};

use tokio_tungstenite::tungstenite;

use super::words;
use crate::{
    fault::{Result, io, said},
    frame,
};

type Streams = Arc<Mutex<Vec<TcpStream>>>;

/// Until the harness ends it.
pub fn serve() -> Result<()> {
    let listen = || TcpListener::bind("127.0.0.1:0").map_err(io("a port"));
    let (sockets, control) = (listen()?, listen()?);
    let port = |listener: &TcpListener| {
        listener
            .local_addr()
            .map(|address| address.port())
            .map_err(io("a port"))
    };
    let streams = Streams::default();
    let taken = streams.clone();
    let (socket_port, control_port) = (port(&sockets)?, port(&control)?);
    std::thread::spawn(move || accept(&sockets, &taken));
    super::ready(socket_port, control_port)?;
    let (told, _) = control.accept().map_err(io("the control"))?;
    let mut answers = told.try_clone().map_err(io("the control"))?;
    let mut told = BufReader::new(told);
    loop {
        // All lines that have come are one batch, as they are for whoever reads a log.
        let bytes = told.fill_buf().map_err(io("the control"))?;
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |place| place + 1);
        if whole == 0 {
            return Err(said("The harness has gone."));
        }
        let lines = String::from_utf8_lossy(bytes.get(..whole).unwrap_or_default()).into_owned();
        told.consume(whole);
        let (asked, changes): (Vec<&str>, Vec<&str>) = lines.lines().partition(|line| *line == "?");
        let batch: Vec<u8> = changes
            .into_iter()
            .flat_map(|seq| frame::server(frame::TEXT, words(seq).as_bytes()))
            .collect();
        streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain_mut(|stream| stream.write_all(&batch).is_ok());
        for _ in asked {
            answers.write_all(b"!\n").map_err(io("the control"))?;
        }
    }
}

fn accept(listener: &TcpListener, streams: &Streams) {
    for stream in listener.incoming().flatten() {
        let _ = stream.set_nodelay(true);
        let Ok(kept) = stream.try_clone() else {
            continue;
        };
        // Only the handshake is the library's; clients of the floor say nothing after it.
        if tungstenite::accept(stream).is_ok() {
            streams
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(kept);
        }
    }
}
