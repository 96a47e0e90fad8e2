//! `GET /live`: one page's connection. Reads what the page wants to watch, writes what the hub queued, and ends when told.
//!
//! The words are fixed, for clients of others; both sides ignore those they do not know.
//!
//! ```text
//! client  {"subscribe":["people","me"]}             told of changes after the hello
//!         {"subscribe":["people"],"since":9,"epoch":"…"}  told of changes after 9, in one answer
//!         {"unsubscribe":["people"]}
//!         {"reading":{"paper":"…","page":4}}        where `readers/…` of it is watched; without a page: looking away
//! server  {"hello":{"seq":12,"epoch":"…"}}          once, first
//!         {"changed":["people"],"seq":13}           all changes to these topics up to 13 are told
//!         {"changed":[…],"seq":13,"since":9}        the answer to a `since`, also when nothing changed
//!         {"resync":true}                           fetch everything; with seq and since where it answers one
//!         {"refused":["settings"]}                  unknown, not allowed, or more than 50
//!         {"beat":{"seq":13}}                       every 25 seconds, with a ping; everything up to 13 is told
//! close   4403 removed or role lost · 4401 signed out or expired · 1012 restart, come back · 1013 too slow or a sixth page,
//!         come back later · 1008 protocol abuse
//! ```

use std::{
    collections::VecDeque, future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Duration,
};

use app::door::Origin;
use async_trait::async_trait;
use axum::{
    Extension,
    extract::ws::{
        CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection,
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use domain::{
    Refusal, Seq,
    db::{Caller, Db},
    live::{self, Topic},
    role::Role,
    session::{self, Holder, Token},
};
use futures::SinkExt;
use serde::Deserialize;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::{
    hub::{
        Ask, Hub, Past, TOPICS_MOST, Watched,
        frame::Frame,
        seat::{End, Next, Seat},
    },
    line::Out,
    relay::{Log, past},
    security,
    session::{IntoPage, presented},
    together::Together,
};

/// Largest message of a client.
const MESSAGE_MOST: usize = 16 * 1024;
/// Allocated for every socket, and enough for what clients send; the default is 128 KiB.
const READ_BUFFER: usize = 1024;
/// Frames gathered into one write.
const WRITE_BUFFER: usize = 8 * 1024;
/// What the client does not read; the default has no limit. Above the largest single frame, a refusal of a whole message.
const WRITE_BUFFER_MOST: usize = 64 * 1024;
/// Messages at once, and then a second.
const MESSAGES_AT_ONCE: f64 = 40.0;
const MESSAGES_A_SECOND: f64 = 5.0;
/// Messages that wait while one is looked up.
const WAITING_MOST: usize = 16;
/// Highest number of a page that somebody may be on.
const PAGE_MOST: u32 = 100_000;
/// How long a client may take to answer a close.
const FAREWELL: Duration = Duration::from_secs(2);

/// Decides who comes in and who may watch what. The database, or in tests a table.
#[async_trait]
pub trait Authority: Send + Sync + 'static {
    /// See [`session::holders`].
    async fn holders(&self, tokens: &[Token]) -> Result<Vec<Option<Holder>>, Refusal>;
    /// For each topic whether the caller may watch it, all as of one snapshot.
    async fn may_watch(&self, caller: &Caller, topics: &[Topic]) -> Result<Vec<bool>, Refusal>;
}

#[async_trait]
impl Authority for Db {
    async fn holders(&self, tokens: &[Token]) -> Result<Vec<Option<Holder>>, Refusal> {
        session::holders(self, tokens).await
    }

    async fn may_watch(&self, caller: &Caller, topics: &[Topic]) -> Result<Vec<bool>, Refusal> {
        let mut read = self.read(caller).await?;
        let mut may = Vec::with_capacity(topics.len());
        for topic in topics {
            may.push(live::may_watch(&mut read, *topic).await?);
        }
        Ok(may)
    }
}

/// What a connection needs; a layer puts it into the request.
#[derive(Clone)]
pub struct Sockets {
    hub: Hub,
    log: Arc<dyn Log>,
    authority: Arc<dyn Authority>,
    /// Who holds a token: a question of each who comes, and when thousands come back at once a few for all of them.
    holder: Together<Token, Option<Holder>>,
    origin: Arc<Origin>,
}

impl Sockets {
    /// `hub` has who is connected, `log` what happened, `authority` who may watch what; `origin` is where the service is reached.
    pub fn new(
        hub: Hub,
        log: Arc<dyn Log>,
        authority: Arc<dyn Authority>,
        origin: Arc<Origin>,
    ) -> Self {
        let asked = authority.clone();
        let holder = Together::new(move |tokens: Vec<Token>| {
            let asked = asked.clone();
            async move { asked.holders(&tokens).await }
        });
        Self {
            hub,
            log,
            authority,
            holder,
            origin,
        }
    }

    /// Who asks, where the host and the cookie are those of one school; else the answer to them.
    async fn comer(&self, headers: &HeaderMap) -> Result<(Token, Holder), Response> {
        let label = security::label_of(headers, &self.origin)
            .ok_or_else(|| StatusCode::MISDIRECTED_REQUEST.into_response())?;
        let nobody = || StatusCode::UNAUTHORIZED.into_response();
        let token = presented(headers, self.origin.scheme == "https").ok_or_else(nobody)?;
        let holder = self.holder.ask(token).await.map_err(IntoPage::into_page)?;
        holder
            .filter(|holder| holder.label == label)
            .map(|holder| (token, holder))
            .ok_or_else(nobody)
    }
}

/// `GET /live`. Without a complete session of this host it answers 401; the origin has been checked by then.
pub async fn live(
    Extension(sockets): Extension<Sockets>,
    headers: HeaderMap,
    line: Option<Extension<Out>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let (token, holder) = match sockets.comer(&headers).await {
        Ok(comer) => comer,
        Err(refused) => return refused,
    };
    match upgrade {
        Err(refused) => refused.into_response(),
        Ok(upgrade) => upgrade
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(WRITE_BUFFER_MOST)
            .max_message_size(MESSAGE_MOST)
            .max_frame_size(MESSAGE_MOST)
            .on_upgrade(move |socket| {
                let line = line.map(|Extension(line)| line);
                attend(socket, line, sockets, token, holder)
            }),
    }
}

/// The socket's whole life.
async fn attend(
    mut socket: WebSocket,
    line: Option<Out>,
    sockets: Sockets,
    token: Token,
    holder: Holder,
) {
    let Holder {
        session,
        account,
        tenant,
        roles,
        seq,
        ..
    } = holder;
    let seat = match sockets
        .hub
        .join(tenant, account, session, seq, Instant::now())
    {
        Ok(seat) => seat,
        Err(end) => return farewell(&mut socket, end).await,
    };
    // From here on nothing but frames is written on it.
    if let Some(line) = line {
        seat.attach(line);
    }
    let place = Place {
        hub: sockets.hub.clone(),
        seat,
    };
    let who = Who {
        caller: Caller { token, tenant },
        roles,
    };
    if let Some(end) = converse(&mut socket, &sockets, &who, &place.seat).await {
        // Nobody waits for the farewell but the shutdown, which counts places.
        sockets.hub.end(&place.seat, end, Instant::now());
        farewell(&mut socket, end).await;
    }
}

/// Leaves when it is dropped, however the task ends.
struct Place {
    hub: Hub,
    seat: Arc<Seat>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hub.leave(&self.seat, Instant::now());
    }
}

/// Whose connection it is.
struct Who {
    caller: Caller,
    /// What they were found to be when they came.
    roles: Vec<Role>,
}

type Asking<'a> = Pin<Box<dyn Future<Output = Option<End>> + Send + 'a>>;

/// Until the client is gone (none) or is to be sent away (why).
async fn converse(
    socket: &mut WebSocket,
    sockets: &Sockets,
    who: &Who,
    seat: &Arc<Seat>,
) -> Option<End> {
    let mut batch = VecDeque::new();
    let mut allowance = Allowance::new(Instant::now());
    let mut waiting: VecDeque<Said> = VecDeque::new();
    let mut asking: Option<Asking<'_>> = None;
    // Nothing is read before the hello: what a subscription has missed is counted from there.
    let mut greeted = false;
    loop {
        if asking.is_none() {
            asking = waiting
                .pop_front()
                .map(|said| Box::pin(heed(sockets, who, seat, said)) as Asking<'_>);
        }
        tokio::select! {
            biased;
            next = poll_fn(|context| seat.poll_next(context, &mut batch)) => match next {
                Next::End(end) => return Some(end),
                Next::Send { ping } => {
                    greeted = true;
                    // An end that comes while the client reads nothing is not kept waiting, and what is left is not sent.
                    tokio::select! {
                        biased;
                        done = send(socket, &mut batch, ping) => done.ok()?,
                        end = poll_fn(|context| seat.poll_end(context)) => return Some(end),
                    }
                    seat.flushed(Instant::now());
                }
            },
            end = poll_fn(|context| asking.as_mut().map_or(Poll::Pending, |asking| asking.as_mut().poll(context))) => {
                asking = None;
                if end.is_some() {
                    return end;
                }
            }
            message = socket.recv(), if greeted => {
                let now = Instant::now();
                seat.heard(now);
                if !allowance.spend(now) {
                    return Some(End::ABUSE);
                }
                match message {
                    Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                        Ok(said) if waiting.len() < WAITING_MOST => waiting.push_back(said),
                        _ => return Some(End::ABUSE),
                    },
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    // A fault is a message too large, not UTF-8 or not masked: nothing more is read, but a close can still be said.
                    Some(Ok(Message::Binary(_)) | Err(_)) => return Some(End::ABUSE),
                    Some(Ok(Message::Close(_))) | None => return None,
                }
            }
        }
    }
}

async fn send(
    socket: &mut WebSocket,
    batch: &mut VecDeque<Arc<Frame>>,
    ping: bool,
) -> Result<(), axum::Error> {
    if ping {
        socket.feed(Message::Ping(bytes::Bytes::new())).await?;
    }
    while let Some(frame) = batch.pop_front() {
        for text in &frame.texts {
            socket.feed(Message::Text(text.clone())).await?;
        }
    }
    // A burst leaves a queue behind that thousands of quiet sockets need not keep.
    batch.shrink_to(8);
    socket.flush().await
}

/// Says why, and gives the client a moment to hear it: a connection that is dropped with something unread is reset, and a
/// reset can overtake the close frame.
async fn farewell(socket: &mut WebSocket, end: End) {
    let words = async {
        let close = CloseFrame {
            code: end.code,
            reason: end.why.into(),
        };
        socket.send(Message::Close(Some(close))).await?;
        while let Some(message) = socket.recv().await {
            message?;
        }
        if end == End::ABUSE {
            // After a fault nothing more is read from the client, so there is no answer to wait for.
            tokio::time::sleep(FAREWELL / 2).await;
        }
        Ok::<_, axum::Error>(())
    };
    // A client that has gone, or does not answer, misses nothing by it.
    let _ = timeout(FAREWELL, words).await;
}

/// What a client says. Names it does not know are no reason to hang up on it.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    subscribe: Vec<String>,
    #[serde(default)]
    unsubscribe: Vec<String>,
    since: Option<Seq>,
    epoch: Option<Uuid>,
    reading: Option<Reading>,
}

#[derive(Deserialize)]
struct Reading {
    paper: Uuid,
    #[serde(default)]
    page: Option<u32>,
}

/// Does what the client asked. None when the conversation goes on.
async fn heed(sockets: &Sockets, who: &Who, seat: &Arc<Seat>, said: Said) -> Option<End> {
    let key = |topic: Topic| topic.key(seat.account);
    let dropped: Vec<String> = said
        .unsubscribe
        .iter()
        .filter_map(|name| Topic::from_name(name))
        .map(key)
        .collect();
    if !dropped.is_empty() {
        sockets.hub.unwatch(seat, &dropped);
    }
    if said.subscribe.is_empty() {
        turn(sockets, seat, said.reading.as_ref());
        return None;
    }
    let mut refused = Vec::new();
    let mut topics: Vec<Topic> = Vec::new();
    for name in said.subscribe {
        match Topic::from_name(&name) {
            Some(topic) if topics.contains(&topic) => {}
            Some(topic) if topics.len() < TOPICS_MOST => topics.push(topic),
            _ => refused.push(name),
        }
    }
    let may = match authorise(sockets, who, seat, &topics).await {
        Ok(may) => may,
        Err(end) => return Some(end),
    };
    let (allowed, denied): (Vec<_>, Vec<_>) = topics.iter().zip(may).partition(|(_, may)| *may);
    refused.extend(denied.iter().map(|(topic, _)| topic.name()));
    let keys: Vec<String> = allowed.iter().map(|(topic, _)| key(**topic)).collect();
    if !keys.is_empty() {
        refused.extend(
            watch(
                sockets,
                seat,
                Ask {
                    keys: &keys,
                    since: said.since,
                    epoch: said.epoch,
                },
            )
            .await,
        );
    }
    if !refused.is_empty() {
        sockets.hub.refuse(seat, &refused, Instant::now());
    }
    turn(sockets, seat, said.reading.as_ref());
    None
}

/// A page that no paper has is not told on.
fn turn(sockets: &Sockets, seat: &Arc<Seat>, reading: Option<&Reading>) {
    if let Some(&Reading { paper, page }) = reading
        && page.is_none_or(|page| (1..=PAGE_MOST).contains(&page))
    {
        sockets.hub.turn(seat, paper, page, Instant::now());
    }
}

/// Asks until there is an answer: while the database is gone the subscription waits, and so does its page.
async fn authorise(
    sockets: &Sockets,
    who: &Who,
    seat: &Seat,
    topics: &[Topic],
) -> Result<Vec<bool>, End> {
    if topics.is_empty() {
        return Ok(Vec::new());
    }
    let mut wait = Duration::from_millis(250);
    loop {
        match rights(sockets, who, seat, topics).await {
            Ok(may) => return Ok(may),
            Err(Refusal::Unavailable | Refusal::Busy | Refusal::Stale | Refusal::Broken) => {}
            // The token may have been changed for a new one (after a second factor or a step-up), which this page's next
            // request carries: then the page only has to come back.
            Err(_) => match sockets.log.dead(&[seat.session]).await {
                Ok(dead) if dead.is_empty() => return Err(End::RESTART),
                Ok(_) => return Err(End::SIGNED_OUT),
                Err(_) => {}
            },
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

/// What the roles alone decide follows from what they were at the upgrade, as long as no event has taken any; else it is asked
/// after together with all who ask just now. The rest is looked up under the caller's own seal.
async fn rights(
    sockets: &Sockets,
    who: &Who,
    seat: &Seat,
    topics: &[Topic],
) -> Result<Vec<bool>, Refusal> {
    if !topics.iter().all(|topic| topic.is_by_role()) {
        return sockets.authority.may_watch(&who.caller, topics).await;
    }
    let by = |roles: &[Role]| -> Vec<bool> {
        let may = topics.iter().map(|topic| live::is_for(*topic, roles));
        may.collect()
    };
    let may = by(&who.roles);
    // A role that was given meanwhile ends nothing, so what is refused is asked after.
    if may.iter().all(|may| *may) && sockets.hub.stands(seat) {
        return Ok(may);
    }
    let holder = sockets.holder.ask(who.caller.token).await?;
    let holder = holder
        .filter(|holder| holder.session == seat.session)
        .ok_or(Refusal::SignedOut)?;
    Ok(by(&holder.roles))
}

/// Makes the subscription active with nothing missed. Returns names that were too many.
async fn watch(sockets: &Sockets, seat: &Arc<Seat>, ask: Ask<'_>) -> Vec<String> {
    let mut known = Past::Unasked;
    loop {
        match sockets.hub.watch(seat, ask, &known, Instant::now()) {
            Watched::Now(surplus) => return surplus,
            Watched::Over => return Vec::new(),
            // A second time means that the ring moved on by more than it holds; and no log is no reason to wait.
            Watched::Behind { .. } if !matches!(known, Past::Unasked) => known = Past::Lost,
            Watched::Behind { after, until } => {
                known = past(sockets.log.as_ref(), seat.tenant, after, until)
                    .await
                    .unwrap_or(Past::Lost);
            }
        }
    }
}

/// How much a client may still say (a token bucket).
struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    fn new(now: Instant) -> Self {
        Self {
            left: MESSAGES_AT_ONCE,
            at: now,
        }
    }

    fn spend(&mut self, now: Instant) -> bool {
        let earned = now.duration_since(self.at).as_secs_f64() * MESSAGES_A_SECOND;
        self.left = (self.left + earned).min(MESSAGES_AT_ONCE) - 1.0;
        self.at = now;
        self.left >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_say_a_lot_at_once_and_a_little_for_ever() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        assert!((0..40).all(|_| allowance.spend(start)));
        assert!(!allowance.spend(start));
        let mut allowance = Allowance::new(start);
        assert!((0..1_000).all(|n| allowance.spend(start + Duration::from_millis(200) * n)));
    }
}
