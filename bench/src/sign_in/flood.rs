//! People who sign in over HTTP, more of them than the server can take, and somebody who only wants to look at a page.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{Refusal, password::Hasher};
use tokio::{task::JoinSet, time::Instant};

use crate::{
    fault::{Result, said},
    peer::argon2,
    quorate::{
        PASSWORD, Quorate,
        seed::{Person, School},
    },
    stats::many,
    workload::Bench,
};

/// Accounts whose people type the right password, and as many whose people do not. Ten wrong passwords in five minutes lock one
/// (`sec.try`), so nobody comes near it.
const ACCOUNTS: u64 = 1_000;
/// Where the balancer says whose request it is. Each comes from an address of its own as far as there are so many: the 600 in
/// five minutes of one address are counted, and not reached (`server/src/throttle.rs`).
pub const HEADER: &str = "x-real-ip";
const ADDRESSES: u64 = 60_000;

/// The way in to the school that is signed in to.
#[derive(Clone)]
pub struct Doorstep(Arc<Door>);

struct Door {
    client: reqwest::Client,
    origin: String,
    host: String,
    /// Who looks at a page, in a school of their own.
    reader: Person,
    reader_host: String,
    /// Attempts so far.
    attempts: AtomicU64,
    /// What the page of a refusal says.
    wrong: String,
    busy: String,
}

/// How an attempt was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// On to the second factor.
    Onward,
    /// The password is wrong.
    Wrong,
    /// Too many at once.
    Refused,
    /// Anything else is a fault.
    Other(String),
}

/// One attempt.
pub struct Tried {
    /// Whether the password was the right one.
    pub right: bool,
    /// What it came to.
    pub answer: Answer,
    /// Milliseconds from when it was due until the whole answer was there.
    pub time: f64,
}

/// What one look at the page took, in milliseconds, or what was wrong with it.
pub type Look = std::result::Result<f64, String>;

impl Doorstep {
    /// Makes the accounts, with a password each and a second factor that nobody gets as far as to use.
    pub fn build(
        bench: &Bench,
        node: &Quorate,
        school: &School,
        quiet: &School,
        reader: Person,
    ) -> Result<Self> {
        let hasher = Hasher::new(1).map_err(|refusal| said(refusal.to_string()))?;
        let stored = bench.hands.block_on(argon2::hash(&hasher))?;
        bench.hands.block_on(
            sqlx::query(
                "select sec.make_person($1, 'sign-in-' || n || '@bench.example', 'Visitor ' || n, array['governor'], $2, $3)
                 from generate_series(0, $4) n",
            )
            .bind(school.id)
            .bind(stored)
            .bind([0_u8; 48].as_slice())
            .bind(i64::try_from(2 * ACCOUNTS - 1).unwrap_or(0))
            .execute(&node.behind),
        )?;
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self(Arc::new(Door {
            client,
            origin: format!("http://{}", node.address),
            host: format!("{}.{}", school.label, node.host),
            reader,
            reader_host: format!("{}.{}", quiet.label, node.host),
            attempts: AtomicU64::new(0),
            wrong: Refusal::WrongCredentials.to_string(),
            busy: Refusal::Busy.to_string(),
        })))
    }

    /// The next one: every second types the right password.
    async fn knock(&self) -> (bool, Answer) {
        let door = &self.0;
        let number = door.attempts.fetch_add(1, Ordering::Relaxed);
        let right = number.is_multiple_of(2);
        // Who types the wrong one has an account of their own, too.
        let person = number / 2 % ACCOUNTS + if right { 0 } else { ACCOUNTS };
        let place = number % ADDRESSES;
        let address = format!("10.{}.{}.1", place / 250, place % 250);
        let email = format!("sign-in-{person}@bench.example");
        let password = if right {
            PASSWORD
        } else {
            "quiet otter lantern harbor"
        };
        let form = [
            ("act", "session/sign-in"),
            ("email", &email),
            ("password", password),
            ("next", ""),
        ];
        let asked = door
            .client
            .post(format!("{}/sign-in", door.origin))
            .header("host", &door.host)
            .header("origin", format!("http://{}", door.host))
            .header(HEADER, address)
            .form(&form);
        let answer = match asked.send().await {
            Ok(answer) => door.understood(answer).await,
            Err(error) => Answer::Other(error.to_string()),
        };
        (right, answer)
    }

    /// The page that somebody looks at who is signed in already.
    async fn look(&self) -> std::result::Result<(), String> {
        let door = &self.0;
        let asked = door
            .client
            .get(format!("{}/people", door.origin))
            .header("host", &door.reader_host)
            .header("cookie", &door.reader.cookie);
        let answer = asked.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        if status.is_success() && text.contains(&door.reader.name) {
            Ok(())
        } else {
            Err(format!(
                "a page was answered with {status} and {} bytes",
                text.len()
            ))
        }
    }

    /// Attempts at a fixed rate, whether or not the server keeps up.
    pub async fn flood(&self, rate: f64, time: Duration) -> Vec<Tried> {
        let each = at_rate(rate, time, || {
            let door = self.clone();
            async move { door.knock().await }
        });
        each.await
            .into_iter()
            .map(|((right, answer), time)| Tried {
                right,
                answer,
                time,
            })
            .collect()
    }

    /// Looks at a fixed rate.
    pub async fn looks(&self, rate: f64, time: Duration) -> Vec<Look> {
        let each = at_rate(rate, time, || {
            let door = self.clone();
            async move { door.look().await }
        });
        each.await
            .into_iter()
            .map(|(looked, time)| looked.map(|()| time))
            .collect()
    }

    /// Attempts a second where the next comes when one is answered, four at once. Refuses any answer but the right one.
    pub async fn capacity(&self, time: Duration) -> Result<f64> {
        let (over, start) = (Arc::new(AtomicBool::new(false)), Instant::now());
        let mut visitors = JoinSet::new();
        for _ in 0..4 {
            let (door, over) = (self.clone(), over.clone());
            visitors.spawn(async move {
                let mut taken: usize = 0;
                while !over.load(Ordering::Relaxed) {
                    match door.knock().await {
                        (true, Answer::Onward) | (false, Answer::Wrong) => taken += 1,
                        (right, other) => {
                            return Err(said(format!(
                                "Without any load a password that was {} was answered with {other:?}.",
                                if right { "right" } else { "wrong" }
                            )));
                        }
                    }
                }
                Ok(taken)
            });
        }
        tokio::time::sleep(time).await;
        over.store(true, Ordering::Relaxed);
        let mut taken = 0;
        for visitor in visitors.join_all().await {
            taken += visitor?;
        }
        Ok(many(taken) / start.elapsed().as_secs_f64())
    }
}

impl Door {
    async fn understood(&self, answer: reqwest::Response) -> Answer {
        let status = answer.status().as_u16();
        let to = answer
            .headers()
            .get("location")
            .and_then(|to| to.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let waits = answer.headers().contains_key("retry-after");
        // All of it, as a browser waits for it.
        let text = match answer.text().await {
            Ok(text) => text,
            Err(error) => return Answer::Other(error.to_string()),
        };
        match status {
            303 if to == "/sign-in/factor" => Answer::Onward,
            422 if text.contains(&self.wrong) => Answer::Wrong,
            503 if waits && text.contains(&self.busy) => Answer::Refused,
            _ => Answer::Other(format!("{status} {to}")),
        }
    }
}

/// Each has its moment, and its time counts from there. What is under way at the end is waited for.
async fn at_rate<T, F>(rate: f64, time: Duration, mut next: impl FnMut() -> F) -> Vec<(T, f64)>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (start, between) = (Instant::now(), Duration::from_secs_f64(1.0 / rate));
    let mut under_way = JoinSet::new();
    let mut due = start;
    while due < start + time {
        tokio::time::sleep_until(due).await;
        let (moment, task) = (due, next());
        under_way.spawn(async move {
            let done = task.await;
            (done, moment.elapsed().as_secs_f64() * 1e3)
        });
        due += between;
    }
    under_way.join_all().await
}
