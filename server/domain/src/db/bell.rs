//! Who is woken by the commits of this process, and what is told to those who pass it on to other processes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::{Seq, TenantId};

/// Wakes everybody who waits for commits of this process, each through a bell of their own: one `Notify` shared by two
/// waiters would wake them in turns.
#[derive(Clone, Default)]
pub(super) struct Bell(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    bells: Vec<Arc<Notify>>,
    news: Vec<Arc<News>>,
}

impl Bell {
    /// A bell of the caller's own.
    pub(super) fn bell(&self) -> Arc<Notify> {
        let bell = Arc::default();
        lock(&self.0).bells.push(Arc::clone(&bell));
        bell
    }

    /// News of the caller's own.
    pub(super) fn news(&self) -> Arc<News> {
        let news = Arc::default();
        lock(&self.0).news.push(Arc::clone(&news));
        news
    }

    /// Something was committed: where its tenant's log stands now, where that is known.
    pub(super) fn ring(&self, head: Option<(TenantId, Seq)>) {
        let waiting = lock(&self.0);
        waiting.bells.iter().for_each(|bell| bell.notify_one());
        waiting.news.iter().for_each(|news| news.add(head));
    }
}

/// What was committed by this process and not asked for yet.
#[derive(Debug, Default)]
pub struct News {
    latest: Mutex<Latest>,
    some: Notify,
}

/// See [`News::take`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latest {
    /// Where the logs of these tenants stand now, at least.
    pub heads: HashMap<TenantId, Seq>,
    /// And something was committed by a function that appends its own events and does not say where.
    pub somewhere: bool,
}

impl News {
    /// Returns once something was committed since this returned last.
    pub async fn wait(&self) {
        self.some.notified().await;
    }

    /// All that was committed since this was called last: of each tenant only the newest, however many there were.
    pub fn take(&self) -> Latest {
        std::mem::take(&mut lock(&self.latest))
    }

    /// Something was committed: where its tenant's log stands now, where that is known.
    pub fn add(&self, head: Option<(TenantId, Seq)>) {
        let mut latest = lock(&self.latest);
        match head {
            Some((tenant, seq)) => {
                let newest = latest.heads.entry(tenant).or_default();
                // Two commits of one tenant may get here in the other order.
                *newest = seq.max(*newest);
            }
            None => latest.somewhere = true,
        }
        drop(latest);
        self.some.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const OAKFIELD: TenantId = Uuid::from_u128(0x0a);
    const NORTHGATE: TenantId = Uuid::from_u128(0x0b);

    #[tokio::test]
    async fn news_are_the_newest_of_each_school_and_are_told_once() {
        let bell = Bell::default();
        let (news, others) = (bell.news(), bell.news());
        for head in [(OAKFIELD, 7), (NORTHGATE, 3), (OAKFIELD, 9), (OAKFIELD, 8)] {
            bell.ring(Some(head));
        }
        news.wait().await;
        let latest = news.take();
        assert_eq!(latest.heads, [(OAKFIELD, 9), (NORTHGATE, 3)].into());
        assert!(!latest.somewhere);
        assert_eq!(news.take(), Latest::default());
        bell.ring(None);
        assert!(news.take().somewhere);
        assert_eq!(others.take().heads.len(), 2, "each has their own");
    }
}
