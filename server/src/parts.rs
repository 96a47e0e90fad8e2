//! What runs beside the pages: the hub and its relay, the mail worker, the store. Started together, ended in order.

use std::{path::PathBuf, sync::Arc, time::Duration};

use app::door::{Origin, Services};
use axum::Router;
use cluster::{Logins, Role};
use domain::db::{Db, LiveDb, MailDb};
use domain::password::Hasher;
use domain::secret::Secrets;
use inspect::{Inspector, Limits, Office, Scanner};
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    arrive,
    bus::Bus,
    certificate,
    checkpoint::{self, Checkpointer, Folder},
    clock,
    config::Config,
    copy::{self, Copier},
    devmail::{self, DevMail},
    export::{self, Notary},
    files::{self, Files},
    health::Health,
    hub::Hub,
    known,
    mail::{Links, Mailer},
    people, picture,
    queue::Queue,
    relay::Relay,
    roster,
    router::{self, Site},
    socket::Sockets,
    staging::Staging,
    stop::Stop,
    storage::Storage,
    throttle::Throttle,
    upkeep::{self, Kept},
    worker::{Pace, Parts as Sending, Worker},
};

/// How long sockets are closed over at the end: all at once would be a storm on whoever takes over.
const DRAIN_WINDOW: Duration = Duration::from_secs(3);

/// The running parts.
pub struct Parts {
    db: Db,
    hub: Hub,
    relay: Arc<Relay>,
    worker: Worker,
    storage: Storage,
    staging: Staging,
    mail_folder: Option<PathBuf>,
    health: Health,
    throttle: Throttle,
    live: LiveDb,
    notary: Notary,
    checkpointer: Option<Checkpointer>,
    copier: Option<Copier>,
}

impl Parts {
    /// Starts everything over databases that answer.
    pub async fn start(
        config: &Config,
        logins: &Logins,
        secrets: &Secrets,
        ending: &watch::Receiver<bool>,
    ) -> Result<Self, Stop> {
        let db = Db::new(logins.options(Role::Web)?, config.pool);
        let live = LiveDb::new(logins.options(Role::Live)?, 2);
        let hub = Hub::default();
        let bus = match &config.bus {
            Some(servers) => Bus::nats(servers.clone(), Uuid::new_v4(), db.news(), hub.clone()),
            None => Bus::postgres(logins.options(Role::Bus)?, Uuid::new_v4()),
        };
        // A connection of the relay's own: pages that reconnect by the thousand must not delay a removal.
        let relay = Relay::start(
            hub.clone(),
            Arc::new(LiveDb::new(logins.options(Role::Live)?, 1)),
            db.news(),
            bus,
        );

        let links = Links {
            scheme: config.origin.scheme.to_owned(),
            host: config.origin.authority(),
        };
        let (mailer, mail_folder) = match &config.smtp {
            Some(smtp) => (Mailer::smtp(smtp, links), None),
            None => {
                let folder = config.data.join("mail");
                (Mailer::folder(&folder, links), Some(folder))
            }
        };
        let throttle = Throttle::new(logins.options(Role::Cache)?, config.client_header.clone());
        let mail = MailDb::new(logins.options(Role::Worker)?, 4);
        let upkeep_db = mail.clone();
        let sending = Sending {
            db: mail,
            queue: Queue::new(logins.options(Role::Jobs)?),
            mailer: Arc::new(mailer.map_err(|error| Stop::config(sentence(&error.to_string())))?),
            clock: clock::now,
            pace: Pace::default(),
        };
        let worker = Worker::start(sending, db.bell());

        let notary = Notary {
            signer: secrets
                .signer()
                .map_err(|refusal| Stop::failed(refusal.to_string()))?,
            folder: Folder::new(config.checkpoints.clone()),
            clock: clock::now,
        };
        let checkpointer = checkpointer(logins, &notary, &db)?;

        let folders = vec![
            config.data.clone(),
            config.data.join("postgres"),
            config.checkpoints.clone(),
        ];
        let storage = storage(config).await?;
        let staging = staging(config)?;
        let copier = copier(config, &upkeep_db, &storage, &db).await?;
        let kept = Kept {
            db: upkeep_db,
            throttle: throttle.clone(),
            store: storage.clone(),
            staging: staging.clone(),
        };
        upkeep::start(kept, ending.clone());
        Ok(Self {
            db,
            staging,
            hub,
            relay: Arc::new(relay),
            worker,
            health: Health::watch(logins, &storage, folders, ending),
            storage,
            mail_folder,
            throttle,
            live,
            notary,
            checkpointer,
            copier,
        })
    }

    /// What server functions are lent.
    pub fn services(&self, config: &Config, secrets: Secrets) -> Result<Services, Stop> {
        let copies = self.copier.is_some();
        services(config, secrets, &self.db, &self.hub, copies)
    }

    /// What is uploaded, and what is filed.
    pub fn files(&self, config: &Config) -> Result<Files, Stop> {
        files(config, &self.storage, &self.staging)
    }

    /// What holds strangers to a measure.
    pub fn throttle(&self) -> Throttle {
        self.throttle.clone()
    }

    /// What pages' connections need.
    pub fn sockets(&self, origin: Origin) -> Sockets {
        Sockets::new(
            self.hub.clone(),
            Arc::new(self.live.clone()),
            Arc::new(self.db.clone()),
            Arc::new(origin),
        )
    }

    /// The addresses that are not pages.
    pub fn routes(&self, config: &Config) -> Router<Site> {
        let (health, relay) = (self.health.clone(), self.relay.clone());
        let signing = self.checkpointer.as_ref().map(Checkpointer::health);
        let mail = self.worker.health();
        let report = move || {
            let (well, mut report) = health.report();
            report["live"] = json!(relay.health());
            report["mail"] = json!(mail());
            report["checkpoints"] = json!(signing.as_ref().map(|signing| signing()));
            (well, report)
        };
        let mut routes = Router::new()
            .merge(router::health(report))
            .merge(arrive::route())
            .merge(people::route())
            .merge(picture::route())
            .merge(files::route())
            .merge(roster::route())
            .merge(certificate::route())
            .merge(known::route())
            .merge(export::route(self.notary.clone()));
        if let (Some(folder), true) = (&self.mail_folder, config.origin.is_loopback()) {
            let state = DevMail {
                folder: folder.clone(),
                origin_host: config.origin.authority(),
                style: devmail::style(&config.site),
            };
            routes = routes.merge(devmail::routes(state));
        }
        routes
    }

    /// Closes every socket with 1012, so that their pages come back to whoever serves next.
    pub async fn drain(&self) {
        self.hub.drain(DRAIN_WINDOW).await;
    }

    /// Ends what is left, mail under way first.
    pub async fn end(self) {
        self.worker.stop().await;
        if let Some(copier) = self.copier {
            copier.stop().await;
        }
        // After everybody who may write to a log.
        if let Some(checkpointer) = self.checkpointer {
            checkpointer.stop().await;
        }
        self.storage.stop();
        let _ = tokio::time::timeout(Duration::from_secs(2), self.db.close()).await;
    }
}

/// What server functions are lent by whoever has these.
pub(crate) fn services(
    config: &Config,
    secrets: Secrets,
    db: &Db,
    hub: &Hub,
    copies: bool,
) -> Result<Services, Stop> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let seen = hub.clone();
    Ok(Services {
        db: db.clone(),
        hasher: Hasher::new(threads).map_err(|refusal| Stop::failed(refusal.to_string()))?,
        secrets,
        here: Arc::new(move |tenant| seen.here(tenant)),
        readings: Arc::new(hub.clone()),
        copies,
        now: Arc::new(clock::unix_seconds),
        origin: Origin {
            scheme: config.origin.scheme,
            host: config.origin.authority(),
        },
    })
}

/// Where documents lie: elsewhere, or in the data directory, of which only one process may be the store.
pub(crate) async fn storage(config: &Config) -> Result<Storage, Stop> {
    if let Some(s3) = &config.s3 {
        let storage = Storage::connect(s3);
        storage
            .fits()
            .await
            .map_err(|error| Stop::config(sentence(&error.to_string())))?;
        return Ok(storage);
    }
    // Drawn anew for each start: they only keep other users of this machine off the port.
    let (access, secret) = (
        Uuid::new_v4().simple().to_string(),
        SecretString::from(Uuid::new_v4().to_string()),
    );
    Storage::start_embedded(&config.data.join("s3"), &access, &secret)
        .await
        .map_err(|error| Stop::failed(sentence(&error.to_string())))
}

/// Where files lie on their way in.
pub(crate) fn staging(config: &Config) -> Result<Staging, Stop> {
    Staging::new(config.uploads.clone()).map_err(|error| {
        Stop::failed(format!(
            "Files cannot come in at {}: {error}.",
            config.uploads.display()
        ))
    })
}

/// What is uploaded, and what is filed.
pub(crate) fn files(config: &Config, store: &Storage, staging: &Staging) -> Result<Files, Stop> {
    let program = itself()?;
    Ok(Files {
        store: store.clone(),
        staging: staging.clone(),
        inspector: Inspector::new(&program, ["inspect", "--kind"], Limits::default()),
        scanner: config
            .clamd
            .as_deref()
            .map(|address| Arc::new(Scanner::new(address))),
    })
}

/// Without the auditor's login nobody could read the logs.
fn checkpointer(logins: &Logins, notary: &Notary, db: &Db) -> Result<Option<Checkpointer>, Stop> {
    if !logins.has(Role::Auditor) {
        tracing::warn!(
            "no checkpoint of the log is signed: {} is not set",
            Role::Auditor.variable()
        );
        return Ok(None);
    }
    let parts = checkpoint::Parts {
        auditor: logins.options(Role::Auditor)?,
        folder: notary.folder.clone(),
        signer: notary.signer.clone(),
        clock: notary.clock,
        pace: checkpoint::Pace::default(),
    };
    Ok(Some(Checkpointer::start(parts, db.bell())))
}

/// None where there is no LibreOffice, or nothing that holds it to its folder: it reads what strangers wrote.
async fn copier(
    config: &Config,
    worker: &MailDb,
    store: &Storage,
    db: &Db,
) -> Result<Option<Copier>, Stop> {
    let Some(soffice) = &config.soffice else {
        return Ok(None);
    };
    let program = itself()?;
    let folder = config.data.join("copies");
    copy::make_folder(&folder).map_err(|error| {
        Stop::failed(format!(
            "No copies can be made at {}: {error}.",
            folder.display()
        ))
    })?;
    let office = Office::new(soffice, &program, ["cage"], copy::WALL);
    if !office.is_held(&folder).await {
        tracing::warn!(
            "no copies for reading are made: this system does not hold LibreOffice to one folder"
        );
        return Ok(None);
    }
    let one = Limits {
        at_once: 1,
        ..Limits::default()
    };
    let parts = copy::Parts {
        db: worker.clone(),
        store: store.clone(),
        inspector: Inspector::new(&program, ["inspect", "--kind"], one),
        office,
        folder,
        pace: copy::Pace::default(),
    };
    Ok(Some(Copier::start(parts, db.bell())))
}

fn itself() -> Result<PathBuf, Stop> {
    std::env::current_exe()
        .map_err(|error| Stop::failed(format!("The program does not find itself: {error}.")))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect::<String>() + "."
    })
}
