//! Somebody of another school who looks at a page meanwhile, at a rate of their own.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hdrhistogram::Histogram;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    fault::{Result, said},
    quorate::{
        Quorate,
        seed::{Person, School},
    },
    stats::float,
};

/// Looks a second.
pub const RATE: f64 = 25.0;

/// Who looks.
#[derive(Clone)]
pub struct Bystander {
    client: reqwest::Client,
    url: String,
    host: String,
    person: Arc<Person>,
}

/// What came of the looks.
pub struct Looks {
    /// Microseconds from when a look was due until the whole page was there.
    times: Histogram<u64>,
    /// What was wrong, and how often.
    pub faults: BTreeMap<String, usize>,
}

impl Looks {
    /// How many came to a page.
    pub fn many(&self) -> u64 {
        self.times.len()
    }

    /// Milliseconds within which such a share came; none where nothing did.
    pub fn within(&self, share: f64) -> Option<f64> {
        (!self.times.is_empty()).then(|| float(self.times.value_at_quantile(share)) / 1e3)
    }
}

impl Bystander {
    /// Somebody who is signed in to a school.
    pub fn new(node: &Quorate, client: &reqwest::Client, school: &School, person: Person) -> Self {
        Self {
            client: client.clone(),
            url: format!("http://{}/people", node.address),
            host: format!("{}.{}", school.label, node.host),
            person: Arc::new(person),
        }
    }

    async fn look(self) -> std::result::Result<(), String> {
        let asked = self
            .client
            .get(&self.url)
            .header("host", &self.host)
            .header("cookie", &self.person.cookie)
            .header("accept", "text/html");
        let answer = asked.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        if status.is_success() && text.contains(&self.person.name) {
            Ok(())
        } else {
            Err(format!(
                "a page was answered with {status} and {} bytes",
                text.len()
            ))
        }
    }

    /// Looks until it is over, whether or not the server keeps up. What is under way then is waited for.
    pub async fn looks(&self, over: &AtomicBool) -> Result<Looks> {
        let (mut due, between) = (Instant::now(), Duration::from_secs_f64(1.0 / RATE));
        let mut under_way = JoinSet::new();
        while !over.load(Ordering::Relaxed) {
            tokio::time::sleep_until(due).await;
            let (moment, look) = (due, self.clone().look());
            under_way.spawn(async move { look.await.map(|()| moment.elapsed()) });
            due += between;
        }
        let mut looks = Looks {
            times: Histogram::new_with_bounds(1, 300_000_000, 3)
                .map_err(|error| said(error.to_string()))?,
            faults: BTreeMap::new(),
        };
        for looked in under_way.join_all().await {
            match looked {
                Ok(time) => {
                    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
                    looks.times.saturating_record(micros.max(1));
                }
                Err(what) => *looks.faults.entry(what).or_default() += 1,
            }
        }
        Ok(looks)
    }

    /// Looks for so long.
    pub async fn looks_for(&self, time: Duration) -> Result<Looks> {
        let over = AtomicBool::new(false);
        let wait = async {
            tokio::time::sleep(time).await;
            over.store(true, Ordering::Relaxed);
        };
        tokio::join!(self.looks(&over), wait).0
    }

    /// Looks while something is done, and tells what came of that too.
    pub async fn beside<T>(&self, work: impl Future<Output = T>) -> (T, Result<Looks>) {
        let over = AtomicBool::new(false);
        let work = async {
            let done = work.await;
            over.store(true, Ordering::Relaxed);
            done
        };
        tokio::join!(work, self.looks(&over))
    }
}
