//! What has to be done now and then, whoever asks: forgetting what has no use any more, and making room for the months ahead.

use std::time::Duration;

use domain::db::MailDb;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::{
    clock,
    staging::Staging,
    storage::{Cursor, Storage},
    throttle::Throttle,
};

/// Often enough that a server which is started anew each night does it, and seldom enough to cost nothing.
const EVERY: Duration = Duration::from_hours(6);
/// After a failure.
const AGAIN: Duration = Duration::from_mins(5);

/// An object of the store that nothing points at may belong to an upload that is being filed just now.
const ORPHANED: time::Duration = time::Duration::DAY;

/// How often it is looked whether an approval has to go on: often enough for the last minute of its last day.
const APPROVALS_EVERY: Duration = Duration::from_mins(1);

/// How often it is looked whose time with pupils is over: an open page closes within a second of it.
const RIGHTS_EVERY: Duration = Duration::from_millis(500);

/// What is kept up.
#[derive(Clone)]
pub struct Kept {
    /// The application database.
    pub db: MailDb,
    /// The cache database.
    pub throttle: Throttle,
    /// Where documents lie.
    pub store: Storage,
    /// Where files lie on their way in.
    pub staging: Staging,
}

/// Starts it; it ends with the process.
pub fn start(kept: Kept, mut ending: watch::Receiver<bool>) {
    tokio::spawn(approvals(kept.db.clone(), ending.clone()));
    tokio::spawn(rights(kept.db.clone(), ending.clone()));
    tokio::spawn(async move {
        loop {
            let swept = kept.db.keep_up().await.is_ok()
                & kept.db.tags_expire().await.is_ok()
                & kept.db.rosters_end().await.is_ok()
                & kept.db.access_weeks().await.is_ok()
                & kept.db.rollovers_end().await.is_ok()
                & kept.db.years_forgotten().await.is_ok()
                & kept.throttle.sweep().await.is_ok()
                & kept.documents(clock::now()).await.is_some();
            if !swept {
                tracing::warn!("the upkeep of the databases did not go through; it is tried again");
            }
            let rest = if swept { EVERY } else { AGAIN };
            if tokio::time::timeout(rest, ending.wait_for(|ending| *ending))
                .await
                .is_ok()
            {
                return;
            }
        }
    });
}

/// Reminds, calls stand-ins, and ends what is over.
async fn approvals(db: MailDb, mut ending: watch::Receiver<bool>) {
    let mut stuck = false;
    loop {
        match db.approvals_go_on(clock::now()).await {
            Ok(_) => stuck = false,
            Err(_) if stuck => {}
            Err(error) => {
                stuck = true;
                tracing::warn!(%error, "approvals do not go on by themselves; it is tried again");
            }
        }
        if tokio::time::timeout(APPROVALS_EVERY, ending.wait_for(|ending| *ending))
            .await
            .is_ok()
        {
            return;
        }
    }
}

/// Puts into the log which caseloads and which hours with a pupil's records are over, and which entries parents may see from now on.
async fn rights(db: MailDb, mut ending: watch::Receiver<bool>) {
    let mut stuck = false;
    loop {
        let done = match db.rights_end().await {
            Ok(_) => db.records_open().await,
            Err(error) => Err(error),
        };
        match done {
            Ok(_) => stuck = false,
            Err(_) if stuck => {}
            Err(error) => {
                stuck = true;
                tracing::warn!(%error, "what ends or begins by the clock does not reach open pages; it is tried again");
            }
        }
        if tokio::time::timeout(RIGHTS_EVERY, ending.wait_for(|ending| *ending))
            .await
            .is_ok()
        {
            return;
        }
    }
}

impl Kept {
    /// Ends documents whose time in the bin is over, and throws away what nothing points at and uploads that nobody goes on with.
    /// None where some of it did not go through.
    pub async fn documents(&self, now: OffsetDateTime) -> Option<()> {
        let resting =
            self.staging.sweep(now.into()).await.inspect_err(
                |error| tracing::warn!(%error, "old uploads could not be thrown away"),
            );
        let ended = self.end_binned().await;
        let swept = self.sweep_store(now - ORPHANED).await;
        resting.ok()?;
        ended?;
        swept
    }

    async fn end_binned(&self) -> Option<()> {
        loop {
            let gone = self.db.purge_binned().await.ok()?;
            if gone.is_empty() {
                return Some(());
            }
            // What cannot be removed now the sweep removes: nothing points at it any more.
            let keys: Vec<String> = gone.into_iter().flatten().collect();
            for key in self.db.unknown_keys(&keys).await.ok()? {
                self.remove(&key).await;
            }
        }
    }

    async fn sweep_store(&self, before: OffsetDateTime) -> Option<()> {
        let mut from = Cursor::Start;
        loop {
            let (keys, next) = self
                .store
                .lying(before, from)
                .await
                .inspect_err(|error| tracing::warn!(%error, "the store cannot be swept"))
                .ok()?;
            for key in self.db.unknown_keys(&keys).await.ok()? {
                tracing::info!(key, "an object that nothing points at is removed");
                self.remove(&key).await;
            }
            from = match next {
                Some(next) => next,
                None => return Some(()),
            };
        }
    }

    async fn remove(&self, key: &str) {
        if let Err(error) = self.store.remove(key).await {
            tracing::warn!(%error, "an object stays that nothing points at");
        }
    }
}
