//! Passwords as the server verifies them: its own pool, in a process of its own, as often as it is told.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    time::Instant,
};

use domain::password::Hasher;

use crate::{
    fault::{Result, io, said},
    quorate::PASSWORD,
};

/// Until the harness ends it. Answers a number with one line: whether the right password and no other was taken for it, the
/// settings, and how long each time took in nanoseconds.
pub fn serve() -> Result<()> {
    let hands = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(io("the runtime"))?;
    let hasher = Hasher::new(1).map_err(|refusal| said(refusal.to_string()))?;
    let stored = hands.block_on(hash(&hasher))?;
    let challenge = stored
        .rsplit_once('$')
        .map_or("", |(challenge, _)| challenge);
    let settings = challenge
        .rsplit_once('$')
        .map_or("", |(settings, _)| settings);
    let proves = |password: &str| {
        hands
            .block_on(hasher.prove(password, challenge))
            .map(|proof| proof == stored)
            .map_err(|refusal| said(refusal.to_string()))
    };
    let listener = TcpListener::bind("127.0.0.1:0").map_err(io("a port"))?;
    let port = listener.local_addr().map_err(io("a port"))?.port();
    super::ready(port, port)?;
    let (control, _) = listener.accept().map_err(io("the control"))?;
    let mut answers = control.try_clone().map_err(io("the control"))?;
    for line in BufReader::new(control).lines() {
        let line = line.map_err(io("the control"))?;
        let many: u32 = line
            .trim()
            .parse()
            .map_err(|_| said(format!("{line} is no number.")))?;
        let (mut right, mut times) = (true, String::new());
        for _ in 0..many {
            let start = Instant::now();
            right &= proves(PASSWORD)?;
            let _ = write!(times, " {}", start.elapsed().as_nanos());
        }
        right &= !proves("quiet otter lantern harbor")?;
        let word = if right { "right" } else { "wrong" };
        writeln!(answers, "{word} {settings}{times}").map_err(io("the control"))?;
    }
    Ok(())
}

/// What the database keeps of the password that everybody of the load has.
pub async fn hash(hasher: &Hasher) -> Result<String> {
    hasher
        .hash(PASSWORD)
        .await
        .map_err(|refusal| said(refusal.to_string()))
}
