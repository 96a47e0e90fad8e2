//! Oakfield, served by two processes on the same databases.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testing::{Behind, Database, Fresh, Role, Stand};
use tokio::task::block_in_place;
use tower_sessions::session::Id;
use uuid::Uuid;

use crate::{
    client::Client,
    crowd::{Browser, Page},
    house::{House, PATIENCE, Server},
    nats::Nats,
};

/// What all of its processes look at.
pub struct School {
    fresh: Fresh,
    pub behind: Behind,
}

/// Somebody with one session, which both processes are to accept.
pub struct Person {
    pub membership: Uuid,
    cookie: String,
}

impl School {
    pub async fn new() -> Self {
        let fresh = Fresh::demo()
            .await
            .with(Database::Cache)
            .await
            .with(Database::Jobs)
            .await
            .with(Database::Live)
            .await;
        Self {
            behind: fresh.behind().await,
            fresh,
        }
    }

    pub fn serve<'a>(&self, house: &'a House, nats: &Nats) -> Server<'a> {
        self.serve_as(house, nats, house.command(&["serve"]))
    }

    pub fn serve_as<'a>(&self, house: &'a House, nats: &Nats, mut command: Command) -> Server<'a> {
        command.env("QUORATE_BUS", nats.url());
        for role in Role::SERVING {
            command.env(role.variable(), self.fresh.url(role));
        }
        block_in_place(|| house.serve_as(command))
    }

    /// Signed in, and proved again just now.
    pub async fn person(&mut self, email: &str) -> Person {
        let token = self
            .behind
            .session(Some("oakfield"), email, Stand::SteppedUp)
            .await;
        Person {
            membership: self.behind.membership("oakfield", email).await,
            cookie: format!("quorate={}", Id(i128::from_le_bytes(*token.bytes()))),
        }
    }

    /// Where the log stands.
    pub async fn head(&mut self) -> i64 {
        let tenant = self.behind.tenant("oakfield").await;
        sqlx::query_scalar("select seq from sec.event_head where tenant_id = $1")
            .bind(tenant)
            .fetch_one(&mut *self.behind)
            .await
            .unwrap()
    }

    /// Every change to the people after a seq, in order.
    pub async fn changes_since(&mut self, seq: i64) -> Vec<i64> {
        let tenant = self.behind.tenant("oakfield").await;
        sqlx::query_scalar(
            "select seq from event where tenant_id = $1 and seq > $2 and 'people' = any (topics) order by seq",
        )
        .bind(tenant)
        .bind(seq)
        .fetch_all(&mut *self.behind)
        .await
        .unwrap()
    }

    /// The last act of this kind that is about somebody.
    pub async fn last(&mut self, act: &str, about: &Person) -> i64 {
        sqlx::query_scalar("select max(seq) from event where act = $1 and about = $2")
            .bind(act)
            .bind(about.membership)
            .fetch_one(&mut *self.behind)
            .await
            .unwrap()
    }
}

impl Person {
    /// Their browser at one of the processes.
    pub fn at(&self, house: &House) -> Browser {
        Browser::at(house, "oakfield").holding(&self.cookie)
    }

    /// Does something to somebody.
    pub async fn does(&self, house: &House, act: &str, to: &Person) -> Page {
        let id = to.membership.to_string();
        let step = act.rsplit('/').next().unwrap();
        let path = format!("/people/{id}/{step}");
        let done = self
            .at(house)
            .post(&path, &[("act", act), ("id", &id)])
            .await
            .unwrap();
        assert_eq!(done.status, 303, "{act}: {}", done.text);
        done
    }

    /// Gives somebody a role more, or takes it away again. It ends none of the pages of others.
    pub async fn changes(&self, house: &House, of: &Person, gives: bool) {
        let id = of.membership.to_string();
        let act = if gives {
            "people/give-role"
        } else {
            "people/drop-role"
        };
        let fields = [("act", act), ("id", id.as_str()), ("role", "parent")];
        let done = self
            .at(house)
            .post(&format!("/people/{id}/roles"), &fields)
            .await
            .unwrap();
        assert_eq!(done.status, 303, "{act}: {}", done.text);
    }

    /// A page of theirs that watches these topics. None where its session is not accepted.
    pub async fn watches(&self, house: &House, topics: &[&str]) -> Result<Watching, u16> {
        let headers = self.at(house).headers();
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut client = Client::connect(([127, 0, 0, 1], house.port).into(), &headers).await?;
        let hello = client.words().await;
        let seq = hello["hello"]["seq"].as_i64().unwrap();
        let epoch = hello["hello"]["epoch"].as_str().unwrap().to_owned();
        client
            .say(json!({ "subscribe": topics, "since": seq }))
            .await;
        let answer = client.words().await;
        assert_eq!(answer["since"], seq, "{answer}");
        Ok(Watching { client, seq, epoch })
    }
}

/// A page, and what it was told at its hello.
pub struct Watching {
    pub client: Client,
    pub seq: i64,
    pub epoch: String,
}

impl Watching {
    /// The next frame that is no beat.
    pub async fn words(&mut self) -> Value {
        loop {
            let words = self.client.words().await;
            if words.get("beat").is_none() {
                return words;
            }
        }
    }

    /// Listens until this many changes of the people were told, and says at which seqs.
    pub async fn seqs(&mut self, many: usize) -> Vec<i64> {
        let mut seqs = Vec::new();
        while seqs.len() < many {
            let words = self.words().await;
            assert_eq!(words["changed"], json!(["people"]), "{words}");
            seqs.push(words["seq"].as_i64().unwrap());
        }
        seqs
    }

    /// Everything up to the end, and the close code.
    pub async fn end(&mut self) -> (Vec<Value>, Option<u16>) {
        self.client.end().await
    }

    /// Listens until two seconds pass without a word.
    pub async fn until_quiet(&mut self) {
        while !self.client.hears_nothing_for(Duration::from_secs(2)).await {}
    }

    /// Listens until the connection is gone; whether it was without a goodbye.
    pub async fn breaks(&mut self) -> bool {
        self.client.end().await.1.is_none()
    }
}

/// What `/health` says of the bus, once it says this.
pub async fn bus_is(servers: &[&Server<'_>], up: bool) {
    let wanted = format!("\"bus\":{up}");
    let started = Instant::now();
    for server in servers {
        loop {
            let health = block_in_place(|| server.health()).unwrap_or_default();
            if health.contains(&wanted) {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "not {wanted}: {health}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// How often the log of a process says this.
pub fn said(house: &House, words: &str) -> usize {
    house.log().matches(words).count()
}

/// The newest seq among frames.
pub fn newest(frames: &[Value]) -> Option<i64> {
    let seqs = frames
        .iter()
        .filter_map(|frame| frame["seq"].as_i64().or(frame["beat"]["seq"].as_i64()));
    seqs.max()
}
