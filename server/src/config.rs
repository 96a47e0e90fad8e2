//! All configuration: environment variables, read here and nowhere else. What is missing or impossible ends the process
//! with one plain sentence before anything is opened.

use crate::{
    bus::Servers,
    mail::{SmtpConfig, Tls},
    stop::Stop,
    storage::StorageConfig,
};
use axum::http::HeaderName;
use cluster::{Logins, Role, Settings};
use secrecy::{SecretBox, SecretString};
use std::{
    ffi::OsString,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// Everything the process was told.
#[derive(Debug)]
pub struct Config {
    /// Where people reach the service: `QUORATE_ORIGIN`.
    pub origin: Origin,
    /// Where the process listens: `QUORATE_LISTEN`.
    pub listen: SocketAddr,
    /// What must outlive the process: `QUORATE_DATA`.
    pub data: PathBuf,
    /// Where checkpoints of the log are written: `QUORATE_CHECKPOINTS`. Not in the database, and best on another machine's disk.
    pub checkpoints: PathBuf,
    /// The built front end: `QUORATE_SITE` or `LEPTOS_SITE_ROOT`.
    pub site: PathBuf,
    /// The databases: `DATABASE_URL` and its siblings, or our own.
    pub databases: Databases,
    /// How processes on the same databases wake each other: `QUORATE_BUS`. None is the live database.
    pub bus: Option<Servers>,
    /// Most connections of the web login for changes: `QUORATE_POOL`.
    pub pool: u32,
    /// `QUORATE_MASTER_KEY`; may be missing in demo mode, which makes one.
    pub master_key: Option<SecretBox<[u8; 32]>>,
    /// Load the demo schools and say who may sign in: `QUORATE_DEMO`.
    pub demo: bool,
    /// And file the demo school's papers, which takes a minute: `QUORATE_DEMO_PAPERS`. Where nothing is said, `quorate demo` files
    /// them and `quorate serve` does not.
    pub demo_papers: Option<bool>,
    /// The mail server: `QUORATE_SMTP_HOST` and its siblings. None keeps letters in the data directory.
    pub smtp: Option<SmtpConfig>,
    /// The header in which the balancer says whose request it is. It must take away what a client itself put there.
    pub client_header: Option<HeaderName>,
    /// The object store: `QUORATE_S3_ENDPOINT` and its siblings. None is our own, under the data directory.
    pub s3: Option<StorageConfig>,
    /// Where files lie on their way in.
    pub uploads: PathBuf,
    /// Where clamd listens: a path, or a host and a port.
    pub clamd: Option<String>,
    /// LibreOffice, which makes copies for reading of office files: `QUORATE_SOFFICE`. None makes none.
    pub soffice: Option<PathBuf>,
    /// How the log is written: `QUORATE_LOG_FORMAT`, `QUORATE_LOG`.
    pub log: Log,
}

/// Where people reach the service. Each tenant's host is a label in front of this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The bare host, without a port.
    pub host: String,
    /// The port, where it is not the scheme's own.
    pub port: Option<u16>,
}

/// Where the databases are.
#[derive(Debug)]
pub enum Databases {
    /// Our own, under the data directory.
    Embedded(Settings),
    /// Somebody else's PostgreSQL, one login per purpose.
    External(Logins),
}

/// How the log is written.
#[derive(Debug)]
pub struct Log {
    /// One JSON object a line, for a collector; else lines for a person.
    pub json: bool,
    /// What is logged, as `tracing` filters are written: `info,server=debug`.
    pub filter: String,
}

impl Config {
    /// Reads the environment of the process.
    pub fn from_environment() -> Result<Self, Stop> {
        // The one place where the environment is read.
        #[allow(clippy::disallowed_methods)]
        let value = |name: &str| std::env::var_os(name);
        let beside = std::env::current_exe()
            .ok()
            .and_then(|path| Some(path.parent()?.to_owned()));
        Self::read(&value, beside.as_deref())
    }

    /// Reads an environment given as a function, so that tests need not touch the real one.
    pub fn read(
        environment: &dyn Fn(&str) -> Option<OsString>,
        beside: Option<&Path>,
    ) -> Result<Self, Stop> {
        let env = Environment(environment);
        let origin = Origin::parse(
            env.text("QUORATE_ORIGIN")?
                .as_deref()
                .unwrap_or("http://localhost:3000"),
        )?;
        let listen = match env.text("QUORATE_LISTEN")? {
            Some(text) => text.parse().map_err(|_| {
                impossible(
                    "QUORATE_LISTEN",
                    "an address and a port, such as 127.0.0.1:3000",
                )
            })?,
            None => SocketAddr::new(
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                origin.default_listen_port(),
            ),
        };
        let data = env
            .path("QUORATE_DATA")
            .unwrap_or_else(|| PathBuf::from("data"));
        let fast = env.flag("QUORATE_TEST_FAST")?;
        let demo = env.flag("QUORATE_DEMO")?;
        let demo_papers = env.said("QUORATE_DEMO_PAPERS")?;
        let json = match env.text("QUORATE_LOG_FORMAT")?.as_deref() {
            None => !origin.is_loopback(),
            Some("json") => true,
            Some("text") => false,
            Some(_) => return Err(impossible("QUORATE_LOG_FORMAT", "json or text")),
        };
        let config = Self {
            listen,
            checkpoints: env
                .path("QUORATE_CHECKPOINTS")
                .unwrap_or_else(|| data.join("checkpoints")),
            site: site(&env, beside),
            databases: databases(&env, &data, fast)?,
            bus: env
                .text("QUORATE_BUS")?
                .map(|text| text.parse().map_err(|()| impossible("QUORATE_BUS", "addresses of NATS such as nats://bus.example.org:4222, separated by commas")))
                .transpose()?,
            pool: env.number("QUORATE_POOL", 1..=1000)?.unwrap_or(12),
            master_key: env.text("QUORATE_MASTER_KEY")?.map(|text| master_key(&text)).transpose()?,
            demo,
            demo_papers,
            smtp: smtp(&env)?,
            client_header: env
                .text("QUORATE_CLIENT_HEADER")?
                .map(|name| name.parse().map_err(|_| impossible("QUORATE_CLIENT_HEADER", "the name of a header, such as x-real-ip")))
                .transpose()?,
            s3: s3(&env)?,
            uploads: env.path("QUORATE_UPLOADS").unwrap_or_else(|| data.join("uploads")),
            clamd: env.text("QUORATE_CLAMD")?,
            soffice: soffice(&env)?,
            data,
            log: Log { json, filter: env.text("QUORATE_LOG")?.unwrap_or_else(|| "info,sqlx=warn,s3s=off,graphile_worker=warn,graphile_worker_migrations=warn,async_nats=off".to_owned()) },
            origin,
        };
        config.refuse_unsafe(fast)?;
        Ok(config)
    }

    /// What no command may run with.
    fn refuse_unsafe(&self, fast: bool) -> Result<(), Stop> {
        if self.origin.is_loopback() {
            if self.demo && !self.listen.ip().is_loopback() {
                return Err(Stop::config(format!(
                    "QUORATE_DEMO makes accounts whose password everybody knows, so QUORATE_LISTEN must be a loopback address and not {}.",
                    self.listen
                )));
            }
            return Ok(());
        }
        let host = &self.origin.host;
        if self.origin.scheme == "http" {
            return Err(Stop::config(format!(
                "QUORATE_ORIGIN is plain http for {host}, and passwords would travel in the open; use https."
            )));
        }
        if self.demo {
            return Err(Stop::config(format!(
                "QUORATE_DEMO makes accounts whose password everybody knows; it is refused for {host}."
            )));
        }
        if fast {
            return Err(Stop::config(format!(
                "QUORATE_TEST_FAST may lose what was written; it is refused for {host}."
            )));
        }
        Ok(())
    }

    /// What `serve` needs over and above the other commands.
    pub fn refuse_to_serve(&self) -> Result<(), Stop> {
        if self.master_key.is_none() && !self.demo {
            return Err(Stop::config(
                "QUORATE_MASTER_KEY is missing; make one with `openssl rand -base64 32` and keep it apart from the backups.",
            ));
        }
        if self.smtp.is_none() && !self.origin.is_loopback() {
            return Err(Stop::config(
                "QUORATE_SMTP_HOST is missing; without a mail server nobody could be invited, or choose a new password.",
            ));
        }
        if !self.site.is_dir() {
            return Err(Stop::config(format!(
                "The built front end is not at {}; run scripts/build, or set QUORATE_SITE.",
                self.site.display()
            )));
        }
        Ok(())
    }
}

impl Origin {
    /// `https://quorate.example.org`, with a port where it is not the scheme's own; nothing after it.
    pub fn parse(text: &str) -> Result<Self, Stop> {
        let wrong = || {
            impossible(
                "QUORATE_ORIGIN",
                "an address such as https://quorate.example.org, without a path",
            )
        };
        let (scheme, rest) = text
            .trim_end_matches('/')
            .split_once("://")
            .ok_or_else(wrong)?;
        let (scheme, usual) = match scheme {
            "http" => ("http", 80),
            "https" => ("https", 443),
            _ => return Err(wrong()),
        };
        let authority: http::uri::Authority = rest.parse().map_err(|_| wrong())?;
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(wrong());
        }
        if authority.port().is_some() != (authority.as_str().len() > host.len()) {
            return Err(wrong());
        }
        let port = authority.port_u16().filter(|port| *port != usual);
        Ok(Self { scheme, host, port })
    }

    /// Host and, where there is one, port: what browsers send as `Host`.
    pub fn authority(&self) -> String {
        self.port
            .map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }

    /// The bare address.
    pub fn address(&self) -> String {
        format!("{}://{}", self.scheme, self.authority())
    }

    /// The address of a tenant.
    pub fn of_tenant(&self, label: &str) -> String {
        format!("{}://{label}.{}", self.scheme, self.authority())
    }

    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// Behind https there is a balancer before us; plain http is us.
    fn default_listen_port(&self) -> u16 {
        if self.scheme == "https" {
            3000
        } else {
            self.port.unwrap_or(80)
        }
    }
}

/// Named values, with the one sentence for each kind that is wrong.
struct Environment<'a>(&'a dyn Fn(&str) -> Option<OsString>);

impl Environment<'_> {
    /// An empty variable counts as unset: that is how shells and service files take one away.
    fn path(&self, name: &str) -> Option<PathBuf> {
        (self.0)(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }

    fn text(&self, name: &str) -> Result<Option<String>, Stop> {
        let Some(value) = (self.0)(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        value
            .into_string()
            .map(Some)
            .map_err(|_| impossible(name, "plain text"))
    }

    fn flag(&self, name: &str) -> Result<bool, Stop> {
        Ok(self.said(name)?.unwrap_or(false))
    }

    /// The same, where it makes a difference that nothing is said.
    fn said(&self, name: &str) -> Result<Option<bool>, Stop> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("0" | "false" | "no") => Ok(Some(false)),
            Some("1" | "true" | "yes") => Ok(Some(true)),
            Some(_) => Err(impossible(name, "0 or 1")),
        }
    }

    fn number(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<Option<u32>, Stop> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| {
            impossible(
                name,
                &format!("a number from {} to {}", range.start(), range.end()),
            )
        })
    }
}

fn impossible(name: &str, wanted: &str) -> Stop {
    Stop::config(format!("{name} must be {wanted}."))
}

fn site(env: &Environment<'_>, beside: Option<&Path>) -> PathBuf {
    let given = env
        .path("QUORATE_SITE")
        .or_else(|| env.path("LEPTOS_SITE_ROOT"));
    let installed = beside
        .map(|folder| folder.join("site"))
        .filter(|folder| folder.is_dir());
    // A checkout: the binary is in target/debug or target/release, the front end in target/site.
    let built = beside
        .and_then(Path::parent)
        .map(|target| target.join("site"))
        .filter(|folder| folder.is_dir());
    given
        .or(installed)
        .or(built)
        .unwrap_or_else(|| PathBuf::from("target/site"))
}

fn smtp(env: &Environment<'_>) -> Result<Option<SmtpConfig>, Stop> {
    let Some(host) = env.text("QUORATE_SMTP_HOST")? else {
        return Ok(None);
    };
    let (tls, usual) = match env.text("QUORATE_SMTP_TLS")?.as_deref() {
        None | Some("starttls") => (Tls::StartTls, 587),
        Some("implicit") => (Tls::Implicit, 465),
        Some("none") => (Tls::None, 25),
        Some(_) => return Err(impossible("QUORATE_SMTP_TLS", "starttls, implicit or none")),
    };
    let port = env
        .number("QUORATE_SMTP_PORT", 1..=65535)?
        .and_then(|port| u16::try_from(port).ok())
        .unwrap_or(usual);
    let from = env.text("QUORATE_MAIL_FROM")?.ok_or_else(|| {
        Stop::config("QUORATE_MAIL_FROM is missing; QUORATE_SMTP_HOST needs it, such as Quorate <quorate@example.org>.")
    })?;
    let user = env.text("QUORATE_SMTP_USER")?;
    let password = env.text("QUORATE_SMTP_PASSWORD")?.map(SecretString::from);
    if user.is_some() != password.is_some() {
        return Err(Stop::config(
            "QUORATE_SMTP_USER and QUORATE_SMTP_PASSWORD go together; set both, or neither.",
        ));
    }
    Ok(Some(SmtpConfig {
        host,
        port,
        tls,
        user,
        password,
        from,
        authority: None,
    }))
}

/// As Debian installs it; the second also where the first, which is a link to it, was left out.
const SOFFICE: [&str; 2] = ["/usr/bin/soffice", "/usr/lib/libreoffice/program/soffice"];

fn soffice(env: &Environment<'_>) -> Result<Option<PathBuf>, Stop> {
    match env.path("QUORATE_SOFFICE") {
        Some(off) if off.as_os_str() == "off" => Ok(None),
        Some(path) if path.is_absolute() && path.is_file() => Ok(Some(path)),
        Some(_) => Err(impossible(
            "QUORATE_SOFFICE",
            "the whole path of LibreOffice's soffice, or off",
        )),
        None => Ok(SOFFICE
            .into_iter()
            .map(PathBuf::from)
            .find(|path| path.is_file())),
    }
}

fn s3(env: &Environment<'_>) -> Result<Option<StorageConfig>, Stop> {
    let Some(endpoint) = env.text("QUORATE_S3_ENDPOINT")? else {
        return Ok(None);
    };
    let needed = |name: &str| {
        env.text(name)?.ok_or_else(|| {
            Stop::config(format!("{name} is missing; QUORATE_S3_ENDPOINT needs it."))
        })
    };
    Ok(Some(StorageConfig {
        endpoint,
        region: env
            .text("QUORATE_S3_REGION")?
            .unwrap_or_else(|| "eu-west-2".to_owned()),
        bucket: needed("QUORATE_S3_BUCKET")?,
        access_key: needed("QUORATE_S3_ACCESS_KEY")?,
        secret_key: needed("QUORATE_S3_SECRET_KEY")?.into(),
        kms_key: env.text("QUORATE_S3_KMS_KEY")?,
        unversioned: match env.text("QUORATE_S3_UNVERSIONED")?.as_deref() {
            None => false,
            Some("accept") => true,
            Some(_) => {
                return Err(impossible("QUORATE_S3_UNVERSIONED", "accept, or nothing"));
            }
        },
    }))
}

fn databases(env: &Environment<'_>, data: &Path, fast: bool) -> Result<Databases, Stop> {
    let mut logins = Vec::new();
    for role in Role::ALL {
        if let Some(url) = env.text(&role.variable())? {
            if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
                return Err(impossible(
                    &role.variable(),
                    "a PostgreSQL address such as postgres://login:password@host/database",
                ));
            }
            logins.push((role, url));
        }
    }
    if logins.is_empty() {
        let binaries = env
            .path("QUORATE_POSTGRES")
            .unwrap_or_else(|| PathBuf::from("/usr/lib/postgresql/18/bin"));
        return Ok(Databases::Embedded(Settings {
            data: data.to_owned(),
            binaries,
            fast,
        }));
    }
    let logins: Logins = logins.into_iter().collect();
    let (given, missing): (Vec<_>, Vec<_>) = Role::SERVING
        .into_iter()
        .partition(|role| logins.has(*role));
    if !missing.is_empty() {
        let missing: Vec<_> = missing.iter().map(|role| role.variable()).collect();
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let some = given.first().map_or_else(
            || "Some database addresses".to_owned(),
            |role| role.variable(),
        );
        return Err(Stop::config(format!(
            "{some} is set but {} {verb} not; set one address for each login, or none for the embedded PostgreSQL.",
            missing.join(", ")
        )));
    }
    Ok(Databases::External(logins))
}

fn master_key(text: &str) -> Result<SecretBox<[u8; 32]>, Stop> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let wrong = || {
        Stop::config(
            "QUORATE_MASTER_KEY must be 32 bytes in base64; make one with `openssl rand -base64 32`.",
        )
    };
    let bytes = STANDARD.decode(text.trim()).map_err(|_| wrong())?;
    let key: [u8; 32] = bytes.try_into().map_err(|_| wrong())?;
    if key.iter().all(|byte| *byte == key[0]) {
        return Err(wrong());
    }
    Ok(SecretBox::new(Box::new(key)))
}

/// The master key of a demo: made at its first start and kept in the data directory.
pub(crate) fn demo_master_key(data: &Path) -> Result<SecretBox<[u8; 32]>, Stop> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Stop::failed(format!("The machine gives no random numbers: {error}.")))?;
    let kept =
        cluster::Secrets::read(data)?.get_or_make("master_key", || STANDARD.encode(bytes))?;
    master_key(&kept)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const KEY: &str = "q7vDkVtVhYtQyLr2oG0W6yXn2bq8mZs4f1uJ3cT9eXk=";

    fn read(values: &[(&str, &str)]) -> Result<Config, String> {
        let values: Vec<(String, OsString)> = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.into()))
            .collect();
        Config::read(
            &|name| {
                values
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value.clone())
            },
            None,
        )
        .map_err(|stop| stop.to_string())
    }

    #[test]
    fn nothing_set_is_the_embedded_database_on_this_machine() {
        let config = read(&[]).unwrap();
        assert_eq!(config.origin.address(), "http://localhost:3000");
        assert_eq!(config.listen, "127.0.0.1:3000".parse().unwrap());
        assert!(matches!(config.databases, Databases::Embedded(_)));
        assert!(!config.demo && !config.log.json);
        assert_eq!(config.demo_papers, None);
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_only() {
        assert_eq!(
            Origin::parse("https://q.example.org:443/")
                .unwrap()
                .address(),
            "https://q.example.org"
        );
        assert_eq!(
            Origin::parse("http://localhost:4000")
                .unwrap()
                .of_tenant("oakfield"),
            "http://oakfield.localhost:4000"
        );
        assert!(Origin::parse("http://[::1]:3000").unwrap().is_loopback());
        assert!(Origin::parse("http://127.0.0.2").unwrap().is_loopback());
        assert!(
            !Origin::parse("https://localhost.example.org")
                .unwrap()
                .is_loopback()
        );
        for wrong in [
            "",
            "localhost",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://a@b",
            "https://a:99999",
            "https://a b",
        ] {
            assert!(Origin::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_would_be_unsafe_is_refused_in_one_sentence() {
        let refused = |values: &[(&str, &str)], word: &str| {
            let sentence = read(values).unwrap_err();
            assert!(sentence.contains(word), "{sentence}");
            assert!(
                sentence.ends_with('.') && !sentence.contains('\n'),
                "{sentence}"
            );
        };
        let public = ("QUORATE_ORIGIN", "https://quorate.example.org");
        refused(
            &[("QUORATE_ORIGIN", "http://quorate.example.org")],
            "plain http",
        );
        refused(&[public, ("QUORATE_DEMO", "1")], "QUORATE_DEMO");
        refused(&[public, ("QUORATE_TEST_FAST", "1")], "QUORATE_TEST_FAST");
        refused(
            &[("QUORATE_DEMO", "1"), ("QUORATE_LISTEN", "0.0.0.0:3000")],
            "loopback",
        );
        refused(&[("QUORATE_DEMO", "perhaps")], "0 or 1");
        refused(&[("QUORATE_POOL", "0")], "1 to 1000");
        refused(&[("QUORATE_LISTEN", "3000")], "QUORATE_LISTEN");
        refused(&[("QUORATE_BUS", "nats")], "nats://");
        refused(&[("QUORATE_BUS", "postgres://u:hush@db/a")], "nats://");
        refused(&[("QUORATE_LOG_FORMAT", "xml")], "json or text");
        refused(
            &[("QUORATE_SOFFICE", "/no/such/soffice")],
            "soffice, or off",
        );
        refused(&[("QUORATE_SOFFICE", "1")], "soffice, or off");
        refused(&[("QUORATE_MASTER_KEY", "c2hvcnQ=")], "32 bytes");
        refused(&[("QUORATE_MASTER_KEY", "not base64")], "32 bytes");
        refused(
            &[(
                "QUORATE_MASTER_KEY",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            )],
            "32 bytes",
        );
        refused(&[("DATABASE_URL", "mysql://a")], "DATABASE_URL");
        refused(
            &[("DATABASE_URL", "postgres://quorate_web:x@db/a")],
            "QUORATE_WORKER_URL",
        );
        refused(
            &[("QUORATE_JOBS_URL", "postgres://quorate_jobs:x@db/a")],
            "DATABASE_URL",
        );
    }

    #[test]
    fn serving_needs_a_master_key_except_for_the_demo() {
        let site = tempfile::tempdir().unwrap();
        let site = ("QUORATE_SITE", site.path().to_str().unwrap());
        assert!(
            read(&[site])
                .unwrap()
                .refuse_to_serve()
                .unwrap_err()
                .to_string()
                .contains("QUORATE_MASTER_KEY")
        );
        read(&[site, ("QUORATE_MASTER_KEY", KEY)])
            .unwrap()
            .refuse_to_serve()
            .unwrap();
        read(&[site, ("QUORATE_DEMO", "1")])
            .unwrap()
            .refuse_to_serve()
            .unwrap();
        let nowhere = read(&[("QUORATE_SITE", "/nowhere"), ("QUORATE_DEMO", "1")]).unwrap();
        assert!(
            nowhere
                .refuse_to_serve()
                .unwrap_err()
                .to_string()
                .contains("QUORATE_SITE")
        );
    }

    #[test]
    fn libreoffice_can_be_left_out_also_where_it_is_installed() {
        let config = read(&[("QUORATE_SOFFICE", "off")]).unwrap();
        assert_eq!(config.soffice, None);
        let config = read(&[("QUORATE_SOFFICE", "/bin/true")]).unwrap();
        assert_eq!(config.soffice, Some("/bin/true".into()));
    }

    #[test]
    fn secrets_do_not_print() {
        let config = read(&[
            ("QUORATE_MASTER_KEY", KEY),
            ("DATABASE_URL", "postgres://quorate_web:hush@db/a"),
        ])
        .err();
        assert!(!config.unwrap().contains("hush"));
        let all: Vec<(String, String)> = Role::ALL
            .iter()
            .map(|role| (role.variable(), "postgres://u:hush@db/a".to_owned()))
            .collect();
        let mut all: Vec<(&str, &str)> = all
            .iter()
            .map(|(name, url)| (name.as_str(), url.as_str()))
            .collect();
        all.push(("QUORATE_MASTER_KEY", KEY));
        all.push(("QUORATE_BUS", "nats://quorate:hush@bus"));
        let printed = format!("{:?}", read(&all).unwrap());
        assert!(
            !printed.contains("hush") && !printed.contains(KEY),
            "{printed}"
        );
    }
}
