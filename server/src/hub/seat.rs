//! One socket as the hub sees it: who sits there, what is still to be sent, and whether it has ended.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    task::{Context, Poll},
    time::Duration,
};

use domain::{AccountId, Seq, TenantId};
use futures::task::AtomicWaker;
use tokio::time::Instant;
use uuid::Uuid;

use super::frame::{Frame, Says, merge};
use crate::line::Out;

/// Queued bytes at which `changed` frames become one.
const MERGE_AT: usize = 64 * 1024;
/// Bytes that became due while the client read nothing.
const TOO_MUCH: usize = 256 * 1024;
/// How long one batch may take to leave.
const TOO_SLOW: Duration = Duration::from_secs(10);
/// How often a socket is pinged.
pub const BEAT: Duration = Duration::from_secs(25);
/// A client that was not heard for two pings and a bit is gone.
const SILENT: Duration = Duration::from_mins(1);

/// Why a socket ends; the words are for whoever reads the network log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// WebSocket close code (RFC 6455, section 7.4).
    pub code: u16,
    /// At most 123 bytes.
    pub why: &'static str,
}

impl End {
    /// The client does not read, or the person opened a sixth page; try again slowly.
    pub const TOO_SLOW: Self = Self {
        code: 1013,
        why: "too slow",
    };
    /// See [`super::PAGES_MOST`].
    pub const TOO_MANY: Self = Self {
        code: 1013,
        why: "another page took this place",
    };
    /// The server restarts or has lost its place; come back at once.
    pub const RESTART: Self = Self {
        code: 1012,
        why: "restart",
    };
    /// The session ended or expired.
    pub const SIGNED_OUT: Self = Self {
        code: domain::live::CLOSE_SIGNED_OUT,
        why: "signed out",
    };
    /// The client breaks the protocol.
    pub const ABUSE: Self = Self {
        code: 1008,
        why: "protocol abuse",
    };
    /// Nobody answers; nobody will read this either.
    pub const SILENT: Self = Self {
        code: 1001,
        why: "no answer",
    };

    /// What an event says about the sockets it ends.
    pub const fn kick(code: u16) -> Self {
        Self {
            code,
            why: if code == domain::live::CLOSE_SIGNED_OUT {
                "signed out"
            } else {
                "place changed"
            },
        }
    }
}

/// What a socket's task does next.
#[derive(Debug)]
pub enum Next {
    /// Send what was taken, with a ping if so.
    Send {
        /// A ping is due too.
        ping: bool,
    },
    /// Close, and say nothing more.
    End(End),
}

/// One socket. The hub writes into it, the socket's task empties it; neither waits for the other.
pub struct Seat {
    /// Whose school.
    pub tenant: TenantId,
    /// Who.
    pub account: AccountId,
    /// Through which session.
    pub session: Uuid,
    /// Where the school's log stood when they were found to be who they are.
    pub known: Seq,
    outbox: Mutex<Outbox>,
    task: AtomicWaker,
    /// Scratch for one delivery, touched only under the tenant's lock: which topics of the events this seat watches.
    pub(super) mask: AtomicU64,
}

struct Outbox {
    queue: VecDeque<Arc<Frame>>,
    bytes: usize,
    /// Where whole frames are put without the socket's task.
    line: Option<Out>,
    /// The end of one is kept there until the task has pushed it out.
    rest: bool,
    /// A batch is on its way to the client.
    busy: bool,
    /// Bytes that became due while busy.
    owed: usize,
    /// When the oldest of what has not left became due.
    due: Option<Instant>,
    ping: bool,
    end: Option<End>,
    heard: Instant,
    beat: Instant,
    hello: Option<Seq>,
    /// Keys, kept here so that leaving need not search.
    watching: Vec<String>,
}

impl Seat {
    pub(super) fn new(
        tenant: TenantId,
        account: AccountId,
        session: Uuid,
        known: Seq,
        now: Instant,
    ) -> Self {
        Self {
            tenant,
            account,
            session,
            known,
            outbox: Mutex::new(Outbox {
                queue: VecDeque::new(),
                bytes: 0,
                line: None,
                rest: false,
                busy: false,
                owed: 0,
                due: None,
                ping: false,
                end: None,
                heard: now,
                beat: now + BEAT,
                hello: None,
                watching: Vec::new(),
            }),
            task: AtomicWaker::new(),
            mask: AtomicU64::new(0),
        }
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives it the line on which frames may be put for it.
    pub fn attach(&self, line: Out) {
        self.outbox().line = Some(line);
    }

    /// Queues a frame. A socket that has ended is deaf: the check is under the same lock that ends it.
    pub(super) fn push(&self, frame: Arc<Frame>, now: Instant) {
        if self.queue(frame, now, false) {
            self.task.wake();
        }
    }

    /// Queues a beat with a ping before it.
    pub(super) fn beat(&self, frame: Arc<Frame>, now: Instant) {
        if self.queue(frame, now, true) {
            self.task.wake();
        }
    }

    /// Queues a frame that [`Self::settle`] sends with those that follow; whether it is the first of them.
    pub(super) fn put(&self, frame: Arc<Frame>, now: Instant) -> bool {
        self.queue(frame, now, false)
    }

    /// Sends what was put, all of it in one write where the line takes it, and else by the socket's task. Never waits.
    pub(super) fn settle(&self) {
        let mut outbox = self.outbox();
        let idle = !outbox.busy && !outbox.rest && !outbox.ping && outbox.end.is_none();
        if let (true, Some(line)) = (idle, outbox.line.clone()) {
            let taken = line.put(outbox.queue.iter().map(|frame| &frame.wire));
            let left: usize = outbox
                .queue
                .drain(..taken.frames)
                .map(|frame| frame.size())
                .sum();
            outbox.bytes = outbox.bytes.saturating_sub(left);
            outbox.rest = !taken.whole;
            if outbox.queue.is_empty() && taken.whole {
                outbox.due = None;
                return;
            }
        }
        drop(outbox);
        self.task.wake();
    }

    /// Whether whoever queued it has to see to it that it is sent.
    fn queue(&self, frame: Arc<Frame>, now: Instant, ping: bool) -> bool {
        let mut outbox = self.outbox();
        if outbox.end.is_some() {
            return false;
        }
        let first = outbox.queue.is_empty();
        outbox.ping |= ping;
        outbox.bytes += frame.size();
        outbox.due.get_or_insert(now);
        if outbox.busy {
            outbox.owed += frame.size();
        }
        outbox.queue.push_back(frame);
        if outbox.bytes >= MERGE_AT {
            outbox.merge();
        }
        let too_slow = outbox.owed >= TOO_MUCH || outbox.bytes >= TOO_MUCH;
        if too_slow {
            outbox.end(End::TOO_SLOW);
        }
        // Once per batch: whoever finds the queue filled was woken for it already.
        first || too_slow
    }

    /// Says hello, and remembers from where on the client has heard everything.
    pub(super) fn greet(&self, seq: Seq, epoch: Uuid, now: Instant) {
        self.outbox().hello = Some(seq);
        self.push(Arc::new(Frame::hello(seq, epoch)), now);
    }

    /// The seq of its hello.
    pub(super) fn hello(&self) -> Option<Seq> {
        self.outbox().hello
    }

    /// Ends it. The first reason counts; what was queued is forgotten and nothing is queued after.
    pub fn end(&self, end: End) {
        self.outbox().end(end);
        self.task.wake();
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.outbox().end.is_some()
    }

    pub(super) fn watching(&self) -> Vec<String> {
        self.outbox().watching.clone()
    }

    pub(super) fn set_watching(&self, keys: Vec<String>) {
        self.outbox().watching = keys;
    }

    /// The client was heard.
    pub fn heard(&self, now: Instant) {
        self.outbox().heard = now;
    }

    /// Everything taken has left for the client.
    pub fn flushed(&self, now: Instant) {
        let mut outbox = self.outbox();
        outbox.busy = false;
        outbox.owed = 0;
        outbox.due = (!outbox.queue.is_empty()).then_some(now);
    }

    /// Looks after time: whether a beat is due. Fails for a client that reads nothing or says nothing.
    pub(super) fn tick(&self, now: Instant) -> Result<bool, End> {
        let mut outbox = self.outbox();
        if outbox
            .due
            .is_some_and(|due| now.duration_since(due) >= TOO_SLOW)
        {
            return Err(End::TOO_SLOW);
        }
        if now.duration_since(outbox.heard) >= SILENT {
            return Err(End::SILENT);
        }
        if now < outbox.beat || outbox.hello.is_none() {
            return Ok(false);
        }
        outbox.beat = now + BEAT;
        Ok(true)
    }

    /// Waits until there is something to do, and puts what is to be sent into `batch`, which must be empty.
    pub fn poll_next(
        &self,
        context: &mut Context<'_>,
        batch: &mut VecDeque<Arc<Frame>>,
    ) -> Poll<Next> {
        // Before looking, so that what comes between the look and the wait wakes.
        self.task.register(context.waker());
        let mut outbox = self.outbox();
        if let Some(end) = outbox.end {
            return Poll::Ready(Next::End(end));
        }
        if outbox.queue.is_empty() && !outbox.rest {
            return Poll::Pending;
        }
        outbox.rest = false;
        std::mem::swap(&mut outbox.queue, batch);
        outbox.bytes = 0;
        outbox.busy = true;
        let ping = std::mem::take(&mut outbox.ping);
        Poll::Ready(Next::Send { ping })
    }

    /// Waits until the socket is ended by the hub.
    pub fn poll_end(&self, context: &mut Context<'_>) -> Poll<End> {
        self.task.register(context.waker());
        self.outbox().end.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Outbox {
    fn end(&mut self, end: End) {
        self.end.get_or_insert(end);
        self.queue = VecDeque::new();
        self.bytes = 0;
        self.line = None;
        self.ping = false;
    }

    fn merge(&mut self) {
        let merged = merge(self.queue.iter().map(AsRef::as_ref));
        self.queue.retain(|frame| frame.says == Says::Plain);
        self.queue.extend(merged.map(Arc::new));
        self.bytes = self.queue.iter().map(|frame| frame.size()).sum();
    }
}
