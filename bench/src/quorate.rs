//! Quorate itself: the release build with a database of its own on scratch data, its people, and their sessions.

pub mod seed;
pub mod writer;

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    str::FromStr as _,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use totp_rs::{Algorithm, Builder};

use crate::{
    child::{Asked, Child},
    clock,
    crowd::{Dialect, Place},
    fault::{Result, io, said},
    machine,
    workload::Bench,
};

/// What every account of the demo signs in with (`server/domain/src/demo.rs`).
pub const PASSWORD: &str = "quiet otter lantern harbour";
/// And the second factor of each, in bytes.
const FACTOR: &[u8] = b"Hello!\xDE\xAD\xBE\xEF";
/// The demo's own school, whose clerk signs in as people do.
pub const SCHOOL: &str = "oakfield";
/// And who that is.
pub const CLERK: &str = "clerk@oakfield.example";
/// Sockets of one person in one school; the sixth takes the place of the first (`server/src/hub.rs`).
pub const PAGES_MOST: usize = 5;
/// A first start makes a cluster and every table.
const START: Duration = Duration::from_secs(180);

/// A node that runs.
pub struct Quorate {
    child: Child,
    asked: Asked,
    /// Where it listens.
    pub address: SocketAddr,
    /// The bare host, as people reach it: the first node's, whichever node this is.
    pub host: String,
    /// Behind the application's back, as who owns the functions: for seeds, and to read what the log says.
    pub behind: PgPool,
    /// As the application itself connects.
    pub web: PgPool,
    /// The bus, as another node rings it.
    pub bus: PgPool,
    client: reqwest::Client,
    /// The database's process, where it is this node's own.
    postgres: Option<u32>,
}

impl Quorate {
    /// Starts a node with a database of its own, both on the server's core, and waits until it is well.
    pub fn start(bench: &Bench, name: &str) -> Result<Self> {
        Self::start_with(bench, name, &[])
    }

    /// The same, told more than the others are.
    pub fn start_with(bench: &Bench, name: &str, more: &[(&str, String)]) -> Result<Self> {
        let address = free()?;
        let folder = bench.folder().join(name);
        std::fs::create_dir_all(&folder).map_err(io("the scratch folder"))?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| said(error.to_string()))?;
        let mut asked = Asked::new(&bench.quorate, &["serve"]);
        let host = format!("localhost:{}", address.port());
        asked.environment = [
            ("QUORATE_ORIGIN", format!("http://{host}")),
            ("QUORATE_LISTEN", address.to_string()),
            ("QUORATE_DATA", folder.join("data").display().to_string()),
            ("QUORATE_SITE", bench.site.display().to_string()),
            ("QUORATE_POSTGRES", bench.postgres.display().to_string()),
            ("QUORATE_MASTER_KEY", STANDARD.encode(key)),
            ("QUORATE_DEMO", "1".to_owned()),
            ("QUORATE_DEMO_PAPERS", "0".to_owned()),
            ("QUORATE_SOFFICE", "off".to_owned()),
            ("QUORATE_LOG", "warn".to_owned()),
        ]
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
        let mut child = Child::start(&folder, "serve", bench.cores.server, &asked)?;
        let client = client()?;
        well(bench, &client, &mut child, address, &host)?;
        let url = |role: &str| url(&asked, role);
        let _inside = bench.hands.enter();
        let behind = PgPoolOptions::new()
            .max_connections(4)
            .connect_lazy_with(options(&url("migrator")?)?.options([("role", "quorate_sec")]));
        let web = PgPoolOptions::new()
            .max_connections(24)
            .connect_lazy_with(options(&url("web")?)?);
        let bus = PgPoolOptions::new()
            .max_connections(2)
            .connect_lazy_with(options(&url("bus")?)?);
        let postgres = machine::child_called(child.id(), "postgres");
        Ok(Self {
            child,
            asked,
            address,
            host,
            behind,
            web,
            bus,
            client,
            postgres,
        })
    }

    /// Starts a second node over the first one's database, reached as the same host. `bus` takes the place of the bus's
    /// address.
    pub fn beside(&self, bench: &Bench, name: &str, bus: Option<String>) -> Result<Self> {
        let address = free()?;
        let folder = bench.folder().join(name);
        std::fs::create_dir_all(&folder).map_err(io("the scratch folder"))?;
        let mut asked = Asked::new(&bench.quorate, &["serve"]);
        asked.environment = self
            .asked
            .environment
            .iter()
            .filter(|(name, _)| !name.starts_with("QUORATE_DEMO"))
            .map(|(name, value)| match name.as_str() {
                "QUORATE_LISTEN" => (name.clone(), address.to_string()),
                "QUORATE_DATA" => (name.clone(), folder.join("data").display().to_string()),
                _ => (name.clone(), value.clone()),
            })
            .collect();
        let mut keep = |name: &str, value: String| asked.environment.push((name.to_owned(), value));
        keep("DATABASE_URL", url(&self.asked, "web")?);
        for role in ["worker", "live", "cache", "jobs"] {
            keep(
                &format!("QUORATE_{}_URL", role.to_uppercase()),
                url(&self.asked, role)?,
            );
        }
        keep(
            "QUORATE_BUS_URL",
            bus.map_or_else(|| url(&self.asked, "bus"), Ok)?,
        );
        let mut child = Child::start(&folder, "serve", bench.cores.server, &asked)?;
        well(bench, &self.client, &mut child, address, &self.host)?;
        Ok(Self {
            child,
            asked,
            address,
            host: self.host.clone(),
            behind: self.behind.clone(),
            web: self.web.clone(),
            bus: self.bus.clone(),
            client: self.client.clone(),
            postgres: None,
        })
    }

    /// Ends it with its database, and starts both again on the same data.
    pub fn again(mut self, bench: &Bench, name: &str) -> Result<Self> {
        self.child.end();
        let folder = bench.folder().join(name);
        self.child = Child::start(&folder, "serve", bench.cores.server, &self.asked)?;
        well(
            bench,
            &self.client,
            &mut self.child,
            self.address,
            &self.host,
        )?;
        self.postgres = machine::child_called(self.child.id(), "postgres");
        Ok(self)
    }

    /// The superuser of its own database, who alone may count statements: with the password that the node keeps beside its data.
    pub fn superuser(&self, bench: &Bench) -> Result<PgPool> {
        let data = self.asked.environment.iter();
        let data = data
            .filter(|(name, _)| name == "QUORATE_DATA")
            .map(|(_, data)| Path::new(data))
            .next_back()
            .ok_or_else(|| said("A node has no data of its own."))?;
        let secrets = std::fs::read_to_string(data.join("secrets.toml"))
            .map_err(io("the secrets of a node"))?;
        let password = secrets
            .lines()
            .find_map(|line| line.strip_prefix("superuser = \"")?.strip_suffix('"'))
            .ok_or_else(|| said("A node keeps no superuser's password."))?;
        let options = options(&url(&self.asked, "web")?)?
            .username("postgres")
            .password(password);
        let _inside = bench.hands.enter();
        Ok(PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options))
    }

    /// Asks it to end, and does not wait.
    pub fn ask_to_end(&self) {
        self.child.ask_to_end();
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address of the bus, for whoever stands in between.
    pub fn bus_url(&self) -> Result<String> {
        self.url("bus")
    }

    /// The address of the database for one of the logins.
    pub fn url(&self, role: &str) -> Result<String> {
        url(&self.asked, role)
    }

    /// The address of its database for a peer that reads the plain tables, as [`Self::behind`] does.
    pub fn tables_url(&self) -> Result<String> {
        url(&self.asked, "migrator")
    }

    /// Puts its database on a core.
    pub fn pin_database(&self, core: u32) -> Result<()> {
        let Some(postgres) = self.postgres else {
            return Ok(());
        };
        machine::pin(postgres, core)?;
        for backend in machine::children(postgres) {
            machine::pin(backend, core)?;
        }
        Ok(())
    }

    /// The database's process, where it is this node's own.
    pub fn postgres(&self) -> Option<u32> {
        self.postgres
    }

    /// Where a school's sockets go.
    pub fn place(&self, label: &str, cookie: &str, group: u32) -> Place {
        Place {
            address: self.address,
            host: format!("{label}.{}", self.host),
            cookie: cookie.to_owned(),
            dialect: Dialect::Quorate,
            group,
        }
    }

    /// Sends a form as a browser does from a page of the school.
    pub async fn post(
        &self,
        label: &str,
        path: &str,
        cookie: &str,
        form: &[(&str, &str)],
    ) -> Result<reqwest::Response> {
        self.door(label).post(path, cookie, form).await
    }

    /// The way in for whoever posts on their own.
    pub fn door(&self, label: &str) -> Door {
        Door {
            client: self.client.clone(),
            address: self.address,
            host: format!("{label}.{}", self.host),
        }
    }

    /// Signs in over HTTP, with password and second factor, as a person does. Once for each person and half a minute: a code is
    /// good once. Returns the cookie.
    pub fn sign_in(&self, bench: &Bench, label: &str, email: &str) -> Result<String> {
        let code = code(clock::now() / 1_000_000);
        bench.hands.block_on(async {
            let password = [
                ("act", "session/sign-in"),
                ("email", email),
                ("password", PASSWORD),
                ("next", ""),
            ];
            let begun = self.post(label, "/sign-in", "", &password).await?;
            let cookie = cookie_of(&begun, "/sign-in/factor")?;
            let factor = [("act", "session/factor"), ("code", &code)];
            let done = self
                .post(label, "/sign-in/factor", &cookie, &factor)
                .await?;
            cookie_of(&done, "/")
        })
    }
}

/// One school's host of one node, to be posted to from anywhere.
#[derive(Clone)]
pub struct Door {
    client: reqwest::Client,
    address: SocketAddr,
    host: String,
}

impl Door {
    /// See [`Quorate::post`].
    pub async fn post(
        &self,
        path: &str,
        cookie: &str,
        form: &[(&str, &str)],
    ) -> Result<reqwest::Response> {
        let asked = self
            .client
            .post(format!("http://{}{path}", self.address))
            .header("host", &self.host)
            .header("origin", format!("http://{}", self.host))
            .header("cookie", cookie)
            .form(form);
        Ok(asked.send().await?)
    }

    /// Asks a server function to do something; refuses where it did not.
    pub async fn act(&self, name: &str, cookie: &str, form: &[(&str, &str)]) -> Result<()> {
        let answer = self.post(&format!("/api/{name}"), cookie, form).await?;
        let (status, onward) = (answer.status(), onward(&answer).contains("done="));
        // Taken in whole, so that the connection can be used again.
        let text = answer.text().await?;
        if onward {
            return Ok(());
        }
        let short: String = text.chars().take(200).collect();
        Err(said(format!("{name} was answered with {status}: {short}")))
    }
}

fn onward(answer: &reqwest::Response) -> &str {
    answer
        .headers()
        .get("location")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn cookie_of(answer: &reqwest::Response, to: &str) -> Result<String> {
    if onward(answer) != to {
        return Err(said(format!(
            "Signing in was answered with {} and led to {:?} instead of {to}.",
            answer.status(),
            onward(answer)
        )));
    }
    answer
        .headers()
        .get("set-cookie")
        .and_then(|value| value.to_str().ok()?.split(';').next())
        .map(str::to_owned)
        .ok_or_else(|| said("Signing in set no cookie."))
}

fn code(unix_seconds: u64) -> String {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_secret(FACTOR.to_vec())
        .with_account_name(String::new())
        .with_issuer(None::<String>)
        .build_noncompliant()
        .generate(unix_seconds)
        .to_string()
}

/// No proxy, no redirects followed; connections are kept.
fn client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build()?)
}

/// A port that was free just now.
pub fn free() -> Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(io("a free port"))
}

/// What `quorate db-url` says of one login.
fn url(asked: &Asked, role: &str) -> Result<String> {
    let told = std::process::Command::new(&asked.program)
        .args(["db-url", "--role", role])
        .envs(asked.environment.iter().map(|(name, value)| (name, value)))
        .output()
        .map_err(io("quorate db-url"))?;
    let url = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    if told.status.success() {
        Ok(url)
    } else {
        Err(said(format!(
            "quorate db-url: {}",
            String::from_utf8_lossy(&told.stderr).trim()
        )))
    }
}

/// Options for a pool.
fn options(url: &str) -> Result<PgConnectOptions> {
    Ok(PgConnectOptions::from_str(url)?)
}

/// Waits until `/health` says that all is well.
fn well(
    bench: &Bench,
    client: &reqwest::Client,
    child: &mut Child,
    address: SocketAddr,
    host: &str,
) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < START {
        child.alive()?;
        let asked = client
            .get(format!("http://{address}/health"))
            .header("host", host);
        if let Ok(answer) = bench.hands.block_on(async { asked.send().await })
            && answer.status().is_success()
        {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(said(format!(
        "Quorate was not well {} seconds after its start.",
        START.as_secs()
    )))
}
