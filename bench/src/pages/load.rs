//! The load on one page: a browser's request over connections that are kept, as quickly as the server answers or at a
//! rate of its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::{
    fault::{Result, said},
    machine::Watch,
    stats::{float, many},
    workload::Bench,
};

/// Connections at once.
pub const CONNECTIONS: usize = 12;

/// Where a page is and who asks for it.
#[derive(Clone)]
pub struct Way {
    client: reqwest::Client,
    url: String,
    host: String,
    cookie: String,
}

impl Way {
    /// A page at an address, by a host's name and with a cookie.
    pub fn new(
        address: std::net::SocketAddr,
        path: &str,
        host: &str,
        cookie: &str,
    ) -> Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(CONNECTIONS)
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self {
            client,
            url: format!("http://{address}{path}"),
            host: host.to_owned(),
            cookie: cookie.to_owned(),
        })
    }

    /// The whole page. Refuses any answer but a page.
    pub async fn fetch(&self) -> Result<Vec<u8>> {
        let asked = self
            .client
            .get(&self.url)
            .header("host", &self.host)
            .header("cookie", &self.cookie)
            .header("accept", "text/html");
        let answer = asked.send().await?;
        let status = answer.status();
        let page = answer.bytes().await?;
        if status == reqwest::StatusCode::OK {
            Ok(page.into())
        } else {
            Err(said(format!("{} was answered with {status}.", self.url)))
        }
    }
}

/// How the requests come.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// The next as soon as the one before has been answered.
    Closed,
    /// So many a second, whether or not the server keeps up; their times count from when they were due.
    Open(f64),
}

/// What came of it.
pub struct Outcome {
    /// Pages that were read whole.
    pub pages: u64,
    /// Over so long.
    pub seconds: f64,
    /// Milliseconds to the last byte: the middle one.
    pub p50: f64,
    /// And that of 99 in 100.
    pub p99: f64,
    /// Share of the time in which the load's core was not idle.
    pub load: f64,
    /// Why some are none.
    pub faults: Vec<String>,
}

impl Outcome {
    /// Pages a second.
    pub fn rate(&self) -> f64 {
        float(self.pages) / self.seconds
    }
}

/// Asks for so long. A page shorter than `least` bytes is a fault: what is measured is the whole page.
pub fn run(bench: &Bench, way: &Way, pace: Pace, time: Duration, least: usize) -> Result<Outcome> {
    let turn = Arc::new(AtomicU64::new(0));
    let watch = Watch::start(bench.cores.load)?;
    let start = Instant::now();
    let asking: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (way, turn) = (way.clone(), turn.clone());
            bench.hands.spawn(ask(way, turn, pace, start, time, least))
        })
        .collect();
    let mut times = histogram()?;
    let mut faults = Vec::new();
    for one in asking {
        let told = bench
            .hands
            .block_on(one)
            .map_err(|error| said(error.to_string()))??;
        times
            .add(&told.times)
            .map_err(|error| said(error.to_string()))?;
        faults.extend(told.fault);
    }
    let seconds = start.elapsed().as_secs_f64();
    let percentile = |share: f64| float(times.value_at_quantile(share)) / 1e3;
    Ok(Outcome {
        pages: times.len(),
        seconds,
        p50: percentile(0.5),
        p99: percentile(0.99),
        load: watch.busy()?,
        faults,
    })
}

struct Told {
    /// Microseconds.
    times: Histogram<u64>,
    fault: Option<String>,
}

fn histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, 60_000_000, 3).map_err(|error| said(error.to_string()))
}

/// One connection, until the time is up or something is wrong.
async fn ask(
    way: Way,
    turn: Arc<AtomicU64>,
    pace: Pace,
    start: Instant,
    time: Duration,
    least: usize,
) -> Result<Told> {
    let mut told = Told {
        times: histogram()?,
        fault: None,
    };
    while start.elapsed() < time {
        let due = match pace {
            Pace::Closed => Instant::now(),
            Pace::Open(rate) => {
                let turn = float(turn.fetch_add(1, Ordering::Relaxed));
                start + Duration::from_secs_f64(turn / rate)
            }
        };
        if due > start + time {
            break;
        }
        tokio::time::sleep_until(due.into()).await;
        match way.fetch().await {
            Ok(page) if page.len() < least => {
                let (is, of) = (many(page.len()), many(least));
                told.fault = Some(format!("a page of {is:.0} bytes, where it has {of:.0}"));
                break;
            }
            Ok(_) => {
                let passed = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
                told.times.saturating_record(passed.max(1));
            }
            Err(fault) => {
                told.fault = Some(fault.to_string());
                break;
            }
        }
    }
    Ok(told)
}
