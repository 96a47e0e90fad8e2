//! Rings over NATS, and who is at which node. Nothing that is heard there is believed: a ring says where a log stands, and makes this
//! node look there; whom an event closes stands in the log alone, so that nobody is closed, or stays, because of a message; and of who
//! is said to be somewhere, pages show what their reader may see.
//!
//! Each message is one line of JSON that names its node. Neither names, nor what anybody did, nor a record is in one.

use std::{
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::{Client, ConnectOptions, Event, Message, ServerAddr, rustls::crypto};
use domain::{
    Seq, TenantId,
    db::{Latest, News},
};
use futures::StreamExt;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, timeout},
};
use uuid::Uuid;

use crate::hub::{Hub, Presence};

/// Somewhere, something was committed.
const RING: &str = "quorate.ring";
/// Who is at a node, of one tenant.
const HERE: &str = "quorate.here";
/// How often it is looked whether others are to be told who is here.
const LOOK: Duration = Duration::from_millis(250);
/// A server that says nothing for two of these and a bit is gone.
const PING: Duration = Duration::from_secs(2);
/// Longest that a server may take to let us in.
const CONNECT_MOST: Duration = Duration::from_secs(2);
/// Longest rest between two tries to reach it.
const WAIT_MOST: Duration = Duration::from_secs(1);
/// Longest that a message may take to be handed over; one that takes longer is not said.
const SAY_MOST: Duration = Duration::from_millis(500);
/// Most tenants of one ring. Of more it is said that it is somewhere.
const HEADS_MOST: usize = 1_000;

/// Where NATS is: the addresses of one server or of several that are one cluster, separated by commas, with `nats://` or `tls://`. What
/// stands in front of the first one's `@` is a name and a password, or a token, and counts for all.
#[derive(Clone)]
pub struct Servers(Vec<ServerAddr>);

impl FromStr for Servers {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let one = |address: &str| {
            let address = address.trim();
            let known = address.starts_with("nats://") || address.starts_with("tls://");
            let parsed = address.parse().ok().filter(|_| known);
            parsed.filter(|address: &ServerAddr| !address.host().is_empty())
        };
        text.split(',')
            .map(one)
            .collect::<Option<_>>()
            .map(Self)
            .ok_or(())
    }
}

impl Servers {
    /// The client itself leaves what stands in front of the `@` unread.
    fn let_in(&self, options: ConnectOptions) -> ConnectOptions {
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let Some(first) = self.0.first() else {
            return options;
        };
        match (first.username(), first.password()) {
            (Some(name), Some(password)) => options.user_and_password(plain(name), plain(password)),
            (Some(token), None) => options.token(plain(token)),
            _ => options,
        }
    }
}

impl fmt::Debug for Servers {
    /// Without the password that may stand in an address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self
            .0
            .iter()
            .map(|address| format!("{}:{}", address.host(), address.port()));
        f.debug_list().entries(hosts).finish()
    }
}

/// See [`super::Bus::Nats`].
pub struct NatsBus {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    node: Uuid,
    hub: Hub,
    rung: Notify,
    /// Whether the server is reached; none before the first try has ended.
    up: Mutex<Option<bool>>,
}

#[derive(Serialize, Deserialize)]
struct Ring {
    node: Uuid,
    /// Where the logs of these tenants stand, at least. Without any it is not known whose moved.
    heads: HashMap<TenantId, Seq>,
}

#[derive(Serialize, Deserialize)]
struct Here {
    node: Uuid,
    tenant: TenantId,
    #[serde(flatten)]
    presence: Presence,
}

impl NatsBus {
    /// Connects, again and again if need be. `news` are the commits of this process, `node` tells its messages from others', and
    /// `hub` is told who is elsewhere.
    pub(super) fn start(servers: Servers, node: Uuid, news: Arc<News>, hub: Hub) -> Self {
        let shared = Arc::new(Shared {
            node,
            hub,
            rung: Notify::new(),
            up: Mutex::new(None),
        });
        let task = tokio::spawn(attend(shared.clone(), servers, news));
        Self { shared, task }
    }

    pub(super) async fn rung(&self) {
        self.shared.rung.notified().await;
    }

    pub(super) fn is_up(&self) -> bool {
        self.shared.is_up()
    }
}

impl Drop for NatsBus {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn attend(shared: Arc<Shared>, servers: Servers, news: Arc<News>) {
    // Two libraries bring one each, and asked for neither TLS would panic.
    let _ = crypto::ring::default_provider().install_default();
    let told = shared.clone();
    let options = servers
        .let_in(ConnectOptions::new())
        .name("quorate")
        .no_echo()
        .retry_on_initial_connect()
        .ping_interval(PING)
        .connection_timeout(CONNECT_MOST)
        .reconnect_delay_callback(rest)
        .event_callback(move |event| {
            told.turn(&event);
            std::future::ready(())
        });
    // Waits for no server: what is wrong with an address was found when the configuration was read.
    let client = match options.connect(servers.0).await {
        Ok(client) => client,
        Err(error) => return shared.set(false, Some(&error)),
    };
    let (Ok(mut rings), Ok(mut others)) =
        (client.subscribe(RING).await, client.subscribe(HERE).await)
    else {
        return shared.set(false, None);
    };
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = news.wait() => shared.ring(&client, news.take()).await,
            Some(message) = rings.next() => shared.hear_ring(&message),
            Some(message) = others.next() => shared.hear_here(&message),
            _ = look.tick() => shared.say_who_is_here(&client).await,
        }
    }
}

fn rest(tries: usize) -> Duration {
    let doublings = u32::try_from(tries).unwrap_or(u32::MAX).min(10);
    (Duration::from_millis(5) * 2_u32.pow(doublings)).min(WAIT_MOST)
}

impl Shared {
    fn is_up(&self) -> bool {
        *self.up.lock().unwrap_or_else(PoisonError::into_inner) == Some(true)
    }

    fn turn(&self, event: &Event) {
        match event {
            Event::Connected => {
                self.set(true, None);
                // What was rung before we listened is lost.
                self.rung.notify_one();
            }
            Event::Disconnected | Event::Closed => self.set(false, None),
            // While it is up these are faults of single messages.
            Event::ClientError(error) if !self.is_up() => self.set(false, Some(error)),
            _ => {}
        }
    }

    /// Tells the log when it has changed, and only then.
    fn set(&self, up: bool, why: Option<&dyn fmt::Display>) {
        let before = self
            .up
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(up);
        match (before, up) {
            (None | Some(false), true) => tracing::info!("the bus between nodes is up"),
            (None | Some(true), false) => {
                let why = why.map(tracing::field::display);
                tracing::warn!(
                    error = why,
                    "the bus between nodes is down; nodes poll instead"
                );
            }
            _ => {}
        }
    }

    async fn ring(&self, client: &Client, latest: Latest) {
        let Latest { heads, somewhere } = latest;
        let unnamed = somewhere || heads.len() > HEADS_MOST;
        let ring = Ring {
            node: self.node,
            heads: if unnamed { HashMap::new() } else { heads },
        };
        self.say(client, RING, &ring).await;
    }

    async fn say_who_is_here(&self, client: &Client) {
        for (tenant, presence) in self.hub.to_say(Instant::now()) {
            let here = Here {
                node: self.node,
                tenant,
                presence,
            };
            self.say(client, HERE, &here).await;
        }
    }

    /// Not said again: of rings the others poll, and who is here is said anew before long. A client that is not connected would keep
    /// it, and say it when nobody needs it any more.
    async fn say(&self, client: &Client, subject: &'static str, what: &impl Serialize) {
        if let (true, Ok(words)) = (self.is_up(), serde_json::to_vec(what)) {
            let said = timeout(SAY_MOST, client.publish(subject, words.into())).await;
            if let Ok(Err(error)) = said {
                tracing::debug!(%error, subject, "not said");
            }
        }
    }

    fn hear_ring(&self, message: &Message) {
        let Ok(ring) = serde_json::from_slice::<Ring>(&message.payload) else {
            return;
        };
        let news = ring.heads.is_empty()
            || ring
                .heads
                .iter()
                .any(|(tenant, seq)| self.hub.is_behind(*tenant, *seq));
        if ring.node != self.node && news {
            self.rung.notify_one();
        }
    }

    fn hear_here(&self, message: &Message) {
        if let Ok(here) = serde_json::from_slice::<Here>(&message.payload)
            && here.node != self.node
        {
            self.hub
                .hear_of(here.tenant, here.node, here.presence, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_say_how_they_are_spoken_to_and_print_no_password() {
        let servers: Servers = "nats://quorate:hush@one.example, tls://two.example:4333"
            .parse()
            .unwrap();
        assert_eq!(
            format!("{servers:?}"),
            r#"["one.example:4222", "two.example:4333"]"#
        );
        for wrong in [
            "",
            "one.example:4222",
            "nats://",
            "ws://one.example",
            "nats://one.example,",
        ] {
            assert!(wrong.parse::<Servers>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_server_that_is_gone_is_tried_soon_and_then_once_a_second() {
        assert!(rest(1) <= Duration::from_millis(10));
        assert_eq!(rest(9), WAIT_MOST);
        assert_eq!(rest(usize::MAX), WAIT_MOST);
    }
}
