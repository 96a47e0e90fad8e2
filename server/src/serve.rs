//! `quorate serve`: opens the databases, serves until it is told to end, and ends in order.

use crate::accept;
use crate::cli::say;
use crate::config::Config;
use crate::databases::Open;
use crate::demo;
use crate::parts::Parts;
use crate::roster::Rosters;
use crate::router::{self, Site};
use crate::stop::Stop;
use leptos::config::{Env, LeptosOptions};
use std::time::Duration;
use tokio::{signal::unix::SignalKind, sync::watch};

/// How long open requests may take once the process was told to end.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until Ctrl-C or SIGTERM.
pub async fn serve(config: Config) -> Result<(), Stop> {
    config.refuse_to_serve()?;
    let mut told = Told::new()?;
    // Told to end while still starting: what was started is dropped, and the next start recovers it.
    let open = tokio::select! {
        open = Open::alone(&config) => open?,
        () = told.end() => return Ok(()),
    };
    let served = serve_from(config, &open, told).await;
    open.close().await;
    served
}

async fn serve_from(config: Config, open: &Open, mut told: Told) -> Result<(), Stop> {
    demo::refuse_demo_accounts(&config, open.logins()).await?;
    let secrets = demo::secrets(&config)?;
    if config.demo {
        tokio::select! {
            made = demo::load_into(&config, open.logins(), 0) => { made?; }
            () = told.end() => return Ok(()),
        }
        if config.demo_papers == Some(true) {
            demo::load_pupils(&config, open.logins()).await?;
        }
    }
    let listener = accept::listen(config.listen).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Stop::failed(format!(
            "Another program listens on {}; stop it, or set QUORATE_LISTEN and QUORATE_ORIGIN.",
            config.listen
        )),
        _ => Stop::failed(format!("Cannot listen on {}: {error}.", config.listen)),
    })?;
    if config.demo && config.demo_papers == Some(true) {
        // While the schools are looked at already.
        tokio::spawn(demo::load_records(open.logins().clone(), secrets.clone()));
    }
    // Rendering spawns tasks; leptos otherwise learns where only when it lists routes, which we never ask it to.
    let _ = any_spawner::Executor::init_tokio();
    let (tell, ending) = watch::channel(false);
    let parts = Parts::start(&config, open.logins(), &secrets, &ending).await?;
    let site = Site {
        services: parts.services(&config, secrets)?,
        options: options(&config),
        throttle: Some(parts.throttle()),
        files: parts.files(&config)?,
        rosters: Rosters::default(),
    };
    if config.demo && config.demo_papers == Some(true) {
        // While the school is looked at already; setting sixty papers takes a minute.
        tokio::spawn(demo::papers::load(site.clone()));
    }
    let origin = site.services.origin.clone();
    let service = router::app(site, parts.sockets(origin), parts.routes(&config));
    let mut serving = tokio::spawn(accept::serve(listener, service, ending));

    announce(&config)?;
    let ended = tokio::select! {
        () = told.end() => Ok(()),
        () = open.lost() => Err(Stop::failed("PostgreSQL is gone and does not start again.")),
        unfit = open.unfit() => Err(unfit),
        ended = &mut serving => {
            let why = ended.err().map(|error| error.to_string()).unwrap_or_default();
            return Err(Stop::failed(format!("Serving ended by itself: {why}.")));
        }
    };
    tracing::info!("ending");
    tell.send_replace(true);
    // A second Ctrl-C does not wait.
    tokio::select! {
        // Sockets first: axum's graceful end does not know of them and would wait for ever.
        _ = tokio::time::timeout(DRAIN, async { parts.drain().await; serving.await }) => {}
        () = told.end() => {}
    }
    parts.end().await;
    ended
}

/// Where the built front end lies, and the names its files were given.
pub(crate) fn options(config: &Config) -> LeptosOptions {
    // An absolute path takes the place of "beside the binary", so one built site serves any binary.
    let site = config
        .site
        .canonicalize()
        .unwrap_or_else(|_| config.site.clone());
    let hashes = site.join("hash.txt");
    LeptosOptions::builder()
        .output_name("quorate")
        .site_root(site.display().to_string())
        .site_pkg_dir("pkg")
        .site_addr(config.listen)
        .env(if config.origin.is_loopback() {
            Env::DEV
        } else {
            Env::PROD
        })
        .hash_files(hashes.is_file())
        .hash_file(hashes.display().to_string().into())
        .build()
}

fn announce(config: &Config) -> Result<(), Stop> {
    tracing::info!(listen = %config.listen, "serving");
    let address = config.origin.address();
    say(&if config.demo {
        format!(
            "Quorate is at {address}\n{}",
            demo::accounts(config, config.demo_papers == Some(true))
        )
    } else {
        format!("Quorate is at {address}\n")
    })
}

/// Ctrl-C and SIGTERM.
struct Told {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Told {
    fn new() -> Result<Self, Stop> {
        let listen = |kind| {
            tokio::signal::unix::signal(kind)
                .map_err(|error| Stop::failed(format!("Cannot listen for signals: {error}.")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn end(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
