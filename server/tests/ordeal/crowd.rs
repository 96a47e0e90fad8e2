//! People who go on working while something breaks, each with a journal of what was sent and what was acknowledged.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant, SystemTime},
};

use domain::{demo, factor::Secret};
use reqwest::{Method, redirect::Policy};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::house::{House, PATIENCE};

/// What the clerk gives and takes; it decides nothing of a board.
const ROLE: &str = "parent";
/// Where nobody else has an address.
const DOMAIN: &str = "ordeal.example";

/// Splitmix64: the same seed, the same moments.
pub struct Dice(pub u64);

impl Dice {
    pub fn of_today() -> Self {
        let given = std::env::var("QUORATE_SEED").ok();
        let seed = given.map_or_else(unix_seconds, |seed| seed.parse().unwrap());
        println!("QUORATE_SEED={seed}");
        Self(seed)
    }

    pub fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

pub fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// A browser without JavaScript at one school.
#[derive(Clone)]
pub struct Browser {
    client: reqwest::Client,
    port: u16,
    host: String,
    cookie: String,
}

pub struct Page {
    pub status: u16,
    pub location: String,
    pub text: String,
}

impl Browser {
    pub fn at(house: &House, label: &str) -> Self {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self {
            client,
            port: house.port,
            host: format!("{label}.localhost:{}", house.port),
            cookie: String::new(),
        }
    }

    /// With the cookie of a session that was opened elsewhere, as whoever comes from another process has it.
    #[allow(dead_code, reason = "for the binaries that have more than one")]
    pub fn holding(mut self, cookie: &str) -> Self {
        cookie.clone_into(&mut self.cookie);
        self
    }

    /// None where the connection breaks before the whole answer is there.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Option<Page> {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.send_as(method, path, "application/x-www-form-urlencoded", body)
            .await
    }

    /// The same with a body of another kind.
    pub async fn send_as(
        &mut self,
        method: Method,
        path: &str,
        kind: &str,
        body: String,
    ) -> Option<Page> {
        let response = self
            .client
            .request(method, format!("http://127.0.0.1:{}{path}", self.port))
            .header("host", &self.host)
            .header("origin", format!("http://{}", self.host))
            .header("cookie", &self.cookie)
            .header("content-type", kind)
            .body(body)
            .send()
            .await
            .ok()?;
        let header = |name| {
            let value = response.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let (status, location) = (response.status().as_u16(), header("location"));
        if let Some(pair) = header("set-cookie").split(';').next()
            && !pair.is_empty()
        {
            pair.clone_into(&mut self.cookie);
        }
        Some(Page {
            status,
            location,
            text: response.text().await.ok()?,
        })
    }

    pub async fn get(&mut self, path: &str) -> Option<Page> {
        self.send(Method::GET, path, &[]).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Option<Page> {
        self.send(Method::POST, path, fields).await
    }

    /// What it sends with everything, for a client that is no browser.
    #[allow(dead_code, reason = "for the binaries whose clients are none")]
    pub fn headers(&self) -> [(&'static str, String); 3] {
        [
            ("host", self.host.clone()),
            ("origin", format!("http://{}", self.host)),
            ("cookie", self.cookie.clone()),
        ]
    }

    /// With password and code, as everybody does.
    pub async fn sign_in(mut self, email: &str) -> Self {
        assert!(self.enter(email, unix_seconds()).await, "{email}");
        self
    }

    /// Whether the password and the code of that moment let somebody in.
    pub async fn enter(&mut self, email: &str, moment: u64) -> bool {
        let fields = [
            ("act", "session/sign-in"),
            ("email", email),
            ("password", demo::PASSWORD),
        ];
        let page = self.post("/sign-in", &fields).await.unwrap();
        assert_eq!(page.status, 303, "{email}: {}", page.text);
        let secret = Secret::from_bytes(b"Hello!\xDE\xAD\xBE\xEF".to_vec());
        let code = testing::code_at(&secret, moment);
        let fields = [("act", "session/factor"), ("code", code.as_str())];
        let page = self.post("/sign-in/factor", &fields).await.unwrap();
        (page.status, page.location.as_str()) == (303, "/")
    }

    /// Asks until the page is there, and says when it was. A session that did not survive is a failure at once.
    pub async fn until_served(&mut self, path: &str) -> Instant {
        let started = Instant::now();
        loop {
            match self.get(path).await {
                Some(page) if page.status == 200 => return Instant::now(),
                Some(page) => assert!(
                    page.status >= 500,
                    "{path}: {} {}",
                    page.status,
                    page.location
                ),
                None => {}
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{path} is not served any more"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// One change that a clerk asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Rename(String),
    Give,
    Drop,
    Invite(String),
}

/// What the clerk knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Acknowledged,
    /// No answer, or one that says that something is broken.
    Unanswered,
    /// Unanswered, and found done or undone afterwards. It stays so.
    Done,
    Undone,
}

/// Somebody who changes things, about one person whom nobody else touches.
pub struct Clerk {
    pub browser: Browser,
    pub journal: Vec<(Change, Fate)>,
    pub slowest: Duration,
    number: usize,
    label: &'static str,
    about: Uuid,
    name: String,
    holds: bool,
    /// How often each act stood in the log before.
    before: [i64; 3],
}

impl Clerk {
    pub async fn at(
        house: &House,
        database: &mut PgConnection,
        number: usize,
        (label, clerk, about): (&'static str, &str, &str),
    ) -> Self {
        let browser = Browser::at(house, label).sign_in(clerk).await;
        let (about, name): (Uuid, String) = sqlx::query_as(
            "select m.id, m.name from membership m join tenant t on t.id = m.tenant_id join account a on a.id = m.account_id
             where t.label = $1 and a.email = $2",
        )
        .bind(label)
        .bind(about)
        .fetch_one(&mut *database)
        .await
        .unwrap();
        let before = acts(database, about).await;
        Self {
            browser,
            journal: Vec::new(),
            slowest: Duration::ZERO,
            number,
            label,
            about,
            name,
            holds: false,
            before,
        }
    }

    /// A page that only somebody who is signed in sees.
    pub fn page(&self) -> String {
        format!("/people/{}", self.about)
    }

    /// One change after another until told to stop. Where no answer comes, waits until pages are served again, and goes on
    /// no further: what became of it is for [`Clerk::check`] to find.
    pub async fn work(&mut self, stop: &AtomicBool) -> Option<Instant> {
        while !stop.load(Ordering::Relaxed) {
            if self.change(self.journal.len()).await == Fate::Unanswered {
                let page = self.page();
                return Some(self.browser.until_served(&page).await);
            }
        }
        None
    }

    /// The next change of four kinds, and what came of it.
    pub async fn change(&mut self, turn: usize) -> Fate {
        let id = self.about.to_string();
        let marker = format!("{}-{}", self.number, self.journal.len());
        let (change, path) = match turn % 4 {
            0 => (
                Change::Rename(format!("Ordeal {marker}")),
                format!("/people/{id}/rename"),
            ),
            2 => (
                Change::Invite(format!("{marker}@{DOMAIN}")),
                "/people/add".to_owned(),
            ),
            _ if self.holds => (Change::Drop, format!("/people/{id}/roles")),
            _ => (Change::Give, format!("/people/{id}/roles")),
        };
        let was = self.name.clone();
        let fields = match &change {
            Change::Rename(name) => vec![
                ("act", "people/rename"),
                ("id", id.as_str()),
                ("name", name),
                ("was", &was),
            ],
            Change::Give => vec![("act", "people/give-role"), ("id", &id), ("role", ROLE)],
            Change::Drop => vec![("act", "people/drop-role"), ("id", &id), ("role", ROLE)],
            Change::Invite(email) => vec![
                ("act", "people/add"),
                ("name", "Ordeal"),
                ("email", email),
                ("roles[0]", "governor"),
            ],
        };
        let sent = Instant::now();
        let answer = self.browser.post(&path, &fields).await;
        let fate = match answer {
            Some(page) if page.status == 303 && page.location.starts_with("/people/") => {
                self.slowest = self.slowest.max(sent.elapsed());
                Fate::Acknowledged
            }
            Some(page) if page.status < 500 => {
                panic!(
                    "{change:?}: {} {} {}",
                    page.status, page.location, page.text
                )
            }
            _ => Fate::Unanswered,
        };
        if fate == Fate::Acknowledged {
            self.believe(&change);
        }
        self.journal.push((change, fate));
        fate
    }

    fn believe(&mut self, change: &Change) {
        match change {
            Change::Rename(name) => name.clone_into(&mut self.name),
            Change::Give => self.holds = true,
            Change::Drop => self.holds = false,
            Change::Invite(_) => {}
        }
    }

    /// How many changes were answered as done.
    pub fn acknowledged(&self) -> usize {
        let fates = self.journal.iter().map(|(_, fate)| fate);
        fates.filter(|fate| **fate == Fate::Acknowledged).count()
    }

    /// Looks behind the pages: what was acknowledged is there and what was not may be, each exactly once in the log and
    /// in the tables, which agree. Returns how many that were never answered are there all the same, and how many are not.
    pub async fn check(&mut self, database: &mut PgConnection) -> (usize, usize) {
        let (name, holds): (String, bool) =
            sqlx::query_as("select name, $2 = any (roles) from membership where id = $1")
                .bind(self.about)
                .bind(ROLE)
                .fetch_one(&mut *database)
                .await
                .unwrap();
        let invited: Vec<(String, i64)> = sqlx::query_as(
            "select a.email, (select count(*) from event e where e.tenant_id = m.tenant_id and e.about = m.id and e.act = 'membership.invited')
             from account a join membership m on m.account_id = a.id where a.email like $1",
        )
        .bind(format!("{}-%@{DOMAIN}", self.number))
        .fetch_all(&mut *database)
        .await
        .unwrap();
        let there = |email: &str| invited.iter().filter(|(known, _)| known == email).count();
        let mut found = (0, 0);
        for (change, fate) in &mut self.journal {
            if *fate != Fate::Unanswered {
                continue;
            }
            let done = match change {
                Change::Rename(wanted) => *wanted == name,
                Change::Give => holds,
                Change::Drop => !holds,
                Change::Invite(email) => there(email) > 0,
            };
            *fate = if done { Fate::Done } else { Fate::Undone };
            found.0 += usize::from(done);
            found.1 += usize::from(!done);
            if done {
                match change {
                    Change::Rename(wanted) => wanted.clone_into(&mut self.name),
                    Change::Give | Change::Drop => self.holds = holds,
                    Change::Invite(_) => {}
                }
            }
        }
        let (label, number) = (self.label, self.number);
        assert_eq!((&name, holds), (&self.name, self.holds), "{label} {number}");

        let mut wanted = self.before;
        let mut invitations = 0;
        for (change, fate) in &self.journal {
            let once = i64::from(*fate != Fate::Undone);
            match change {
                Change::Rename(_) => wanted[0] += once,
                Change::Give => wanted[1] += once,
                Change::Drop => wanted[2] += once,
                Change::Invite(email) => {
                    assert_eq!(there(email), usize::from(once == 1), "{label}: {email}");
                    invitations += usize::from(once == 1);
                }
            }
        }
        let told = acts(database, self.about).await;
        assert_eq!(told, wanted, "{label} {number}: renamed, given, dropped");
        assert_eq!(invited.len(), invitations, "{label} {number}: {invited:?}");
        assert!(
            invited.iter().all(|(_, events)| *events == 1),
            "{label} {number}: {invited:?}"
        );
        found
    }
}

async fn acts(database: &mut PgConnection, about: Uuid) -> [i64; 3] {
    let mut counts = [0; 3];
    for (count, act) in counts.iter_mut().zip([
        "membership.renamed",
        "membership.role_given",
        "membership.role_dropped",
    ]) {
        *count = sqlx::query_scalar("select count(*) from event where about = $1 and act = $2")
            .bind(about)
            .bind(act)
            .fetch_one(&mut *database)
            .await
            .unwrap();
    }
    counts
}
