//! Whether the mail server takes letters. The letters themselves tell while they leave; it is asked only where they do not.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

use crate::{mail::Mailer, queue::Queue};

/// A server from which nothing was heard for this long is asked.
const SILENCE: Duration = Duration::from_mins(10);
/// How often it is looked whether to ask, and what waits is counted.
const LOOK: Duration = Duration::from_secs(2);

/// What is known of the mail server, shared by all who send.
#[derive(Clone, Debug)]
pub struct Reach {
    mailer: Arc<Mailer>,
    clock: fn() -> OffsetDateTime,
    known: Arc<watch::Sender<Known>>,
    /// Held while it is asked.
    asked: Arc<Mutex<Option<Instant>>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    /// None before the first answer.
    answers: Option<bool>,
    since: OffsetDateTime,
    /// When it was asked, or took a letter.
    last: Instant,
    waiting: Option<(i64, Option<OffsetDateTime>)>,
}

/// For `/health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Whether the server greets us and takes our password, or in the folder's case, whether there is one.
    pub answers: Option<bool>,
    /// Since when, by this process.
    pub since: String,
    /// Letters that have not left and are still tried; none while the jobs database does not answer.
    pub waiting: Option<i64>,
    /// Since when the first of them waits.
    pub oldest: Option<String>,
}

impl Reach {
    /// Nothing is known yet, and nothing leaves until it is: see [`Reach::watch`].
    pub fn new(mailer: Arc<Mailer>, clock: fn() -> OffsetDateTime) -> Self {
        let known = Known {
            answers: None,
            since: clock(),
            last: Instant::now(),
            waiting: None,
        };
        Self {
            mailer,
            clock,
            known: Arc::new(watch::Sender::new(known)),
            asked: Arc::default(),
        }
    }

    /// Asks at the start, every `pace` while the server does not answer, and after a long silence. Counts what waits.
    /// Ends with the worker.
    pub async fn watch(self, queue: Queue, pace: Duration, mut stopped: watch::Receiver<bool>) {
        loop {
            let known = *self.known.borrow();
            let rest = if known.answers == Some(true) {
                SILENCE
            } else {
                pace
            };
            if known.answers.is_none() || known.last.elapsed() >= rest {
                // A server that takes the connection and says nothing must not hold up the end of the process.
                tokio::select! {
                    _ = self.ask(Instant::now()) => {}
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                }
            }
            let waiting = queue.waiting().await;
            self.known.send_modify(|known| known.waiting = waiting);
            tokio::select! {
                () = tokio::time::sleep(LOOK.min(pace)) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    }

    /// Returns once the server is known to answer.
    pub async fn open(&self) {
        let mut known = self.known.subscribe();
        let _ = known.wait_for(|known| known.answers == Some(true)).await;
    }

    /// A letter was taken.
    pub fn took(&self) {
        self.known.send_modify(|known| known.last = Instant::now());
    }

    /// Whether the server would take a letter at all, by an answer that it gave after `since`: several who ask at once share one,
    /// and nobody gets one that is older than what they ask about.
    pub async fn ask(&self, since: Instant) -> bool {
        let mut asked = self.asked.lock().await;
        if let (Some(at), Some(answers)) = (*asked, self.known.borrow().answers)
            && at >= since
        {
            return answers;
        }
        // When it was begun: what the server says may be older than the end of its saying it.
        *asked = Some(Instant::now());
        let answer = self.mailer.check().await;
        let before = self.known.borrow().answers;
        // Told once each time it changes.
        match answer {
            Ok(()) if before == Some(false) => {
                tracing::info!("mail goes out again; letters that waited are sent now");
            }
            Err(error) if before != Some(false) => {
                tracing::error!(%error, "mail does not go out; letters wait until it does");
            }
            _ => {}
        }
        self.known.send_modify(|known| {
            known.last = Instant::now();
            if known.answers != Some(answer.is_ok()) {
                known.answers = Some(answer.is_ok());
                known.since = (self.clock)();
            }
        });
        answer.is_ok()
    }

    /// As it was when it was last looked at; costs nothing.
    pub fn health(&self) -> Health {
        let known = *self.known.borrow();
        Health {
            answers: known.answers,
            since: written(known.since),
            waiting: known.waiting.map(|(count, _)| count),
            oldest: known.waiting.and_then(|(_, oldest)| oldest).map(written),
        }
    }
}

/// RFC 3339, to the second.
fn written(at: OffsetDateTime) -> String {
    let at = at.replace_nanosecond(0).unwrap_or(at);
    at.format(&Rfc3339).unwrap_or_default()
}
