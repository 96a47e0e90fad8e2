//! The connection of the page in this browser tab. There is one, whatever is shown, so it lives beside the reactive graph.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::Duration,
};

use domain::{Seq, membership::State as Standing};
use futures::{
    SinkExt, StreamExt,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
    future::{Either, select},
};
use gloo_net::websocket::{self, Message, WebSocketError, futures::WebSocket};
use gloo_timers::future::sleep;
use js_sys::{Date, Function, Math};
use leptos::prelude::*;
use uuid::Uuid;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{RequestInit, RequestRedirect, Response, ResponseType, VisibilityState};

use super::{State, follow::Follow, news};

/// The server says something every 25 seconds. A page that hears nothing for longer has lost the connection without being told.
const SILENT: Duration = Duration::from_secs(60);
/// A page that comes back into view and has missed a beat does not wait for the end of that minute. Milliseconds.
const QUIET: f64 = 28_000.0;
/// How long a connection may take to say hello.
const HELLO: Duration = Duration::from_secs(15);
/// A break shorter than this is not worth a word, least of all one that is read out.
const UNTOLD: Duration = Duration::from_millis(600);
/// A break longer than this means that what is shown may be old.
const BROKEN: Duration = Duration::from_secs(10);
/// How long news stay.
const NEWS: Duration = Duration::from_secs(10);
/// How often the server is told that somebody is there. Milliseconds.
const STAY_EVERY: f64 = 60_000.0;
/// Topics of one page and the next are asked for together.
const GATHER: Duration = Duration::from_millis(30);
/// Whoever signs out here is on the way to another page already; that page shall win.
const BEFORE_LEAVING: Duration = Duration::from_millis(400);

/// Where somebody is told that what they had open is not theirs to read any more: of papers and of pupils.
const CLOSED: [(&[&str], &str); 3] = [
    (&["/papers/", "/library/"], "/library?why=closed"),
    (&["/pupils/"], "/pupils?why=closed"),
    // Without a word: a parent is not told that a child is kept from them.
    (&["/children/"], "/children"),
];

/// Close codes of the server.
mod code {
    pub const ABUSE: u16 = 1008;
    pub const RESTART: u16 = 1012;
    pub const LATER: u16 = 1013;
    pub use domain::live::{CLOSE_REMOVED, CLOSE_SIGNED_OUT};
}

struct Page {
    follow: RefCell<Follow>,
    versions: RefCell<HashMap<String, ArcRwSignal<u64>>>,
    state: ArcRwSignal<State>,
    news: ArcRwSignal<Option<String>>,
    /// What the list of people showed last, and under which filter.
    people: RefCell<Option<(String, news::People)>>,
    /// When the server was last told that somebody is there. The page itself was one such time.
    stayed: Cell<f64>,
    /// Counts connections and losses, so that what was planned for an earlier one is dropped.
    turn: Cell<u64>,
    poke: UnboundedSender<Poke>,
    pokes: RefCell<Option<UnboundedReceiver<Poke>>>,
}

/// Why the connection's task wakes other than by a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Poke {
    /// Topics were shown or hidden.
    Topics,
    /// The browser is online again, or somebody looks at the page again.
    Hurry,
    /// The browser is offline.
    Offline,
    /// A page of a paper was turned, or nobody looks at it any more.
    Reading,
}

thread_local! {
    static PAGE: Page = {
        let (poke, pokes) = unbounded();
        Page {
            follow: RefCell::default(),
            versions: RefCell::default(),
            state: ArcRwSignal::new(State::Connecting),
            news: ArcRwSignal::new(None),
            people: RefCell::new(None),
            stayed: Cell::new(Date::now()),
            turn: Cell::new(0),
            poke,
            pokes: RefCell::new(Some(pokes)),
        }
    };
}

impl Page {
    fn poke(&self, poke: Poke) {
        let _ = self.poke.unbounded_send(poke);
    }

    fn changed(&self, topics: &[String]) {
        if let Some(hear) = script("hear") {
            let _ = hear.call1(&JsValue::NULL, &topics.join(" ").into());
        }
        for topic in topics {
            let version = self.versions.borrow().get(topic.as_str()).cloned();
            if let Some(version) = version {
                version.update(|count| *count += 1);
            }
        }
    }

    fn set(&self, state: State) {
        if self.state.get_untracked() != state && self.state.get_untracked() != State::Ended {
            self.state.set(state);
        }
    }

    /// Tells the server, at most once a minute. A form that takes long to fill in is not lost to a session that ran out meanwhile.
    fn somebody_is_here(&self) {
        let now = Date::now();
        if now - self.stayed.get() < STAY_EVERY {
            return;
        }
        self.stayed.set(now);
        spawn_local(async {
            // Where the session is over already the connection says so.
            let _ = crate::session::stay().await;
        });
    }

    fn next_turn(&self) -> u64 {
        self.turn.set(self.turn.get() + 1);
        self.turn.get()
    }
}

/// A function that the scripts of the page lay out for it.
pub fn script(name: &str) -> Option<Function> {
    js_sys::Reflect::get(&window(), &name.into())
        .ok()?
        .dyn_into()
        .ok()
}

pub fn version(topic: String) -> ArcSignal<u64> {
    PAGE.with(|page| {
        page.follow.borrow_mut().show(&topic);
        page.poke(Poke::Topics);
        let hidden = topic.clone();
        on_cleanup(move || {
            PAGE.with(|page| {
                page.follow.borrow_mut().hide(&hidden);
                page.poke(Poke::Topics);
            });
        });
        page.versions
            .borrow_mut()
            .entry(topic)
            .or_insert_with(|| ArcRwSignal::new(0))
            .clone()
            .into()
    })
}

pub fn state() -> ArcSignal<State> {
    PAGE.with(|page| page.state.clone().into())
}

pub fn news() -> ArcSignal<Option<String>> {
    PAGE.with(|page| page.news.clone().into())
}

pub fn rendered_at(seq: Seq) {
    PAGE.with(|page| page.follow.borrow_mut().rendered_at(seq));
}

pub fn announce_people(people: Vec<(Uuid, String, Standing)>, filter: String) {
    let after: news::People = people
        .into_iter()
        .map(|(id, name, state)| (id, (name, state)))
        .collect();
    PAGE.with(|page| {
        let before = page.people.replace(Some((filter.clone(), after.clone())));
        let line = before
            .filter(|(same, _)| *same == filter)
            .and_then(|(_, before)| news::of_people(&before, &after));
        if let Some(line) = line {
            page.news.set(Some(line.clone()));
            spawn_local(async move {
                sleep(NEWS).await;
                PAGE.with(|page| {
                    if page.news.get_untracked().as_ref() == Some(&line) {
                        page.news.set(None);
                    }
                });
            });
        }
    });
}

/// Opens the connection, once.
pub fn connect() {
    let Some(pokes) = PAGE.with(|page| page.pokes.take()) else {
        return;
    };
    // They last as long as the document does, so their handles are let go.
    for event in ["online", "pageshow", "visibilitychange"] {
        let _ = window_event_listener_untyped(event, |_| {
            if is_seen() {
                PAGE.with(|page| page.poke(Poke::Hurry));
            }
        });
    }
    for event in ["pointerdown", "keydown"] {
        let _ = window_event_listener_untyped(event, |_| PAGE.with(Page::somebody_is_here));
    }
    let _ = window_event_listener_untyped("live:reading", |_| {
        PAGE.with(|page| page.poke(Poke::Reading));
    });
    let _ =
        window_event_listener_untyped("offline", |_| PAGE.with(|page| page.poke(Poke::Offline)));
    spawn_local(stay_connected(pokes));
}

/// How a connection ended.
struct Lost {
    /// The close code, if there was one.
    code: Option<u16>,
    /// The server had said hello.
    greeted: bool,
}

async fn stay_connected(mut pokes: UnboundedReceiver<Poke>) {
    let (mut tries, mut told) = (0, false);
    loop {
        let lost = if is_online() {
            converse(&mut pokes).await
        } else {
            Lost {
                code: None,
                greeted: false,
            }
        };
        PAGE.with(|page| page.follow.borrow_mut().lost());
        if lost.greeted {
            tries = 0;
        }
        match lost.code {
            Some(code::CLOSE_SIGNED_OUT) => return leave("/sign-in?why=signed-out").await,
            Some(code::CLOSE_REMOVED) => return open_again().await,
            _ => {}
        }
        if lost.greeted || !told {
            told = true;
            spawn_local(tell_of_loss());
        }
        match lost.code {
            Some(code::RESTART) => rest(&mut pokes, jitter(Duration::from_millis(700))).await,
            // Told to come back later. A page that nobody looks at leaves its place to one that somebody does.
            Some(code::ABUSE | code::LATER) => {
                rest(
                    &mut pokes,
                    jitter(if is_seen() {
                        Duration::from_secs(20)
                    } else {
                        Duration::from_mins(5)
                    }),
                )
                .await;
            }
            _ => {
                rest(
                    &mut pokes,
                    jitter(Duration::from_millis(200 << tries.min(6)).min(Duration::from_secs(10))),
                )
                .await;
                tries += 1;
            }
        }
    }
}

/// From opening to the end of one connection.
async fn converse(pokes: &mut UnboundedReceiver<Poke>) -> Lost {
    let mut greeted = false;
    let Some(mut socket) = address().and_then(|address| WebSocket::open(&address).ok()) else {
        return Lost {
            code: None,
            greeted,
        };
    };
    let (mut limit, mut heard) = (sleep(HELLO), Date::now());
    loop {
        match select(socket.next(), select(pokes.next(), &mut limit)).await {
            Either::Left((Some(Ok(Message::Text(text))), _)) => {
                (limit, heard) = (sleep(SILENT), Date::now());
                let told = PAGE.with(|page| page.follow.borrow_mut().hear(&text));
                PAGE.with(|page| page.changed(&told.changed));
                if told.hello {
                    greeted = true;
                    PAGE.with(|page| {
                        page.next_turn();
                        page.set(State::Live);
                    });
                }
                if let Some(words) = told.say {
                    say(&mut socket, words).await;
                    tell_reading(&mut socket).await;
                }
            }
            Either::Left((Some(Err(WebSocketError::ConnectionClose(close))), _)) => {
                return Lost {
                    code: Some(close.code),
                    greeted,
                };
            }
            // The close follows.
            Either::Left((Some(_), _)) => {}
            Either::Left((None, _))
            | Either::Right((Either::Right(_) | Either::Left((None, _)), _)) => {
                return Lost {
                    code: None,
                    greeted,
                };
            }
            Either::Right((Either::Left((Some(Poke::Topics), _)), _)) => {
                sleep(GATHER).await;
                let due = PAGE.with(|page| page.follow.borrow_mut().due());
                if let Some(words) = due {
                    say(&mut socket, words).await;
                    tell_reading(&mut socket).await;
                }
            }
            Either::Right((Either::Left((Some(Poke::Reading), _)), _)) => {
                if greeted {
                    tell_reading(&mut socket).await;
                }
            }
            // After a sleep the connection may be gone without anybody knowing; a beat that was missed says so.
            Either::Right((Either::Left((Some(Poke::Hurry), _)), _)) => {
                if Date::now() - heard > QUIET {
                    return Lost {
                        code: None,
                        greeted,
                    };
                }
            }
            Either::Right((Either::Left((Some(Poke::Offline), _)), _)) => {
                PAGE.with(|page| page.set(State::Offline));
                return Lost {
                    code: None,
                    greeted,
                };
            }
        }
    }
}

/// Says which page of which paper is open, as the reader's script has written it down. The server listens only after it has said
/// that the paper's readers may be watched, so it is said again after every subscription.
async fn tell_reading(socket: &mut WebSocket) {
    let reading = js_sys::Reflect::get(&window(), &"reading".into()).ok();
    if let Some(words) = reading.and_then(|reading| reading.as_string()) {
        say(socket, words).await;
    }
}

/// Says something, unless the connection is on its way out: the browser would put down an error for it, and its close follows.
async fn say(socket: &mut WebSocket, words: String) {
    if !matches!(
        socket.state(),
        websocket::State::Closing | websocket::State::Closed
    ) {
        let _ = socket.send(Message::Text(words)).await;
    }
}

/// Says what has become of the connection, as time goes by without it.
async fn tell_of_loss() {
    let turn = PAGE.with(Page::next_turn);
    let say = |state| {
        PAGE.with(|page| {
            if page.turn.get() == turn {
                page.set(if is_online() { state } else { State::Offline });
            }
        });
    };
    sleep(UNTOLD).await;
    say(State::Reconnecting);
    sleep(BROKEN).await;
    say(State::Offline);
}

/// Waits, but no longer than until it is worth trying again.
async fn rest(pokes: &mut UnboundedReceiver<Poke>, time: Duration) {
    let mut timer = sleep(time);
    loop {
        match select(&mut timer, pokes.next()).await {
            Either::Left(_) | Either::Right((None | Some(Poke::Hurry), _)) => return,
            Either::Right((Some(Poke::Offline), _)) => PAGE.with(|page| page.set(State::Offline)),
            // The next hello says them all.
            Either::Right((Some(Poke::Topics | Poke::Reading), _)) => {}
        }
    }
}

/// The session has ended.
async fn leave(to: &str) {
    PAGE.with(|page| page.set(State::Ended));
    sleep(BEFORE_LEAVING).await;
    let _ = window().location().set_href(to);
}

/// The place here has changed. If the session is gone too, the server sends this page's address elsewhere, and then the
/// person is told why; else the page is opened again with what they may see now. A paper, a folder or a pupil that is not
/// theirs to see any more is taken from the screen at once, by whatever script shows it, and the list of them says what has become of
/// it.
async fn open_again() {
    PAGE.with(|page| page.set(State::Ended));
    if let Some(shut) = script("shut") {
        let _ = shut.call0(&JsValue::NULL);
    }
    let location = window().location();
    // Without a fragment, which would only scroll.
    let here = location.pathname().unwrap_or_else(|_| "/".to_owned())
        + &location.search().unwrap_or_default();
    let init = RequestInit::new();
    init.set_redirect(RequestRedirect::Manual);
    let answer = JsFuture::from(window().fetch_with_str_and_init(&here, &init)).await;
    let answer = answer.map(JsCast::unchecked_into::<Response>);
    depart(match answer {
        Ok(answer) if answer.type_() == ResponseType::Opaqueredirect => "/sign-in?why=removed",
        Ok(answer) if answer.status() == 404 => closed_at(&here).unwrap_or(&here),
        _ => &here,
    });
}

/// Leaves the page for another, once `public/redraw` has offered the person what they had typed on it.
fn depart(to: &str) {
    let _ = match script("depart") {
        Some(depart) => depart.call1(&JsValue::NULL, &to.into()).map(drop),
        None => window().location().replace(to),
    };
}

/// What was shown a moment ago is not there any more, or not theirs: the list that it was in says so.
pub fn leave_closed(address: &str) {
    let gone = address.split('?').next().unwrap_or(address);
    let location = window().location();
    // They may have gone on to another page meanwhile.
    if location.pathname().is_ok_and(|path| path == gone)
        && let Some(told) = closed_at(gone)
    {
        depart(told);
    }
}

/// The list that says what has become of a page that is closed to its reader.
fn closed_at(path: &str) -> Option<&'static str> {
    CLOSED
        .iter()
        .find(|(begins, _)| begins.iter().any(|begin| path.starts_with(begin)))
        .map(|(_, told)| *told)
}

/// `wss://oakfield.example/live`
fn address() -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" {
        "wss"
    } else {
        "ws"
    };
    Some(format!("{scheme}://{}/live", location.host().ok()?))
}

/// Between half and the whole, so that pages that were cut off together do not come back together.
fn jitter(time: Duration) -> Duration {
    time.mul_f64(0.5 + Math::random() / 2.0)
}

fn is_online() -> bool {
    window().navigator().on_line()
}

fn is_seen() -> bool {
    document().visibility_state() == VisibilityState::Visible
}
