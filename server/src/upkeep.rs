//! What has to be done now and then, whoever asks: forgetting what has no use any more, and making room for the months ahead.

use std::time::Duration;

use domain::db::MailDb;
use tokio::sync::watch;

use crate::throttle::Throttle;

/// Often enough that a server which is started anew each night does it, and seldom enough to cost nothing.
const EVERY: Duration = Duration::from_hours(6);
/// After a failure.
const AGAIN: Duration = Duration::from_mins(5);

/// Starts it; it ends with the process.
pub fn start(db: MailDb, throttle: Throttle, mut ending: watch::Receiver<bool>) {
    tokio::spawn(async move {
        loop {
            let swept = db.keep_up().await.is_ok() & throttle.sweep().await.is_ok();
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
