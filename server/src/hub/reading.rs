//! Who reads which paper at this node, and on which page. It is kept for as long as the page is open, and goes into no database and
//! no log.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{AccountId, live::Topic};
use tokio::time::Instant;
use uuid::Uuid;

use super::seat::Seat;

/// How often at most it is told who reads a paper.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// The papers of one tenant that somebody has open.
#[derive(Default)]
pub(super) struct Readings(HashMap<Uuid, Paper>);

#[derive(Default)]
struct Paper {
    /// Who turned a page last is last.
    open: Vec<(Arc<Seat>, u32)>,
    changed: bool,
    told: Option<Instant>,
}

impl Readings {
    /// A page was turned to; without one somebody looks away. Whoever reads another paper with the same page of theirs has left
    /// the one before.
    pub(super) fn turn(&mut self, seat: &Arc<Seat>, paper: Uuid, page: Option<u32>) {
        self.leave_but(seat, Some(paper).filter(|_| page.is_some()));
        let Some(page) = page else { return };
        let paper = self.0.entry(paper).or_default();
        let before = paper
            .open
            .iter()
            .position(|(other, _)| Arc::ptr_eq(other, seat))
            .map(|place| paper.open.remove(place).1);
        paper.changed |= before != Some(page);
        paper.open.push((seat.clone(), page));
    }

    /// The seat reads nothing any more.
    pub(super) fn leave(&mut self, seat: &Arc<Seat>) {
        self.leave_but(seat, None);
    }

    fn leave_but(&mut self, seat: &Arc<Seat>, stays: Option<Uuid>) {
        for (id, paper) in &mut self.0 {
            let before = paper.open.len();
            if stays != Some(*id) {
                paper.open.retain(|(other, _)| !Arc::ptr_eq(other, seat));
            }
            paper.changed |= paper.open.len() < before;
        }
    }

    /// Who has the paper open, each person once, with the page they turned to last.
    pub(super) fn of(&self, paper: Uuid) -> Vec<(AccountId, u32)> {
        let open = self.0.get(&paper).map_or(&[][..], |paper| &paper.open);
        let mut last: HashMap<AccountId, u32> = HashMap::new();
        for (seat, page) in open {
            last.insert(seat.account, *page);
        }
        let mut last: Vec<_> = last.into_iter().collect();
        last.sort_unstable();
        last
    }

    /// Who reads what, each person once for each paper.
    pub(super) fn all(&self) -> impl Iterator<Item = (Uuid, AccountId, u32)> {
        self.0.keys().flat_map(|paper| {
            let readers = self.of(*paper).into_iter();
            readers.map(|(account, page)| (*paper, account, page))
        })
    }

    /// Somebody began to watch it, and may have missed a change since their page was drawn.
    pub(super) fn ask(&mut self, paper: Uuid) {
        self.0.entry(paper).or_default().changed = true;
    }

    /// Somebody is shown from now on, or not any more.
    pub(super) fn stir(&mut self, account: AccountId) {
        for paper in self.0.values_mut() {
            paper.changed |= paper.open.iter().any(|(seat, _)| seat.account == account);
        }
    }

    /// The keys of those that changed and were not told of for a while.
    pub(super) fn due(&mut self, now: Instant) -> Vec<String> {
        let mut keys = Vec::new();
        for (id, paper) in &mut self.0 {
            let rested = paper
                .told
                .is_none_or(|told| now.duration_since(told) >= TOLD_EVERY);
            if paper.changed && rested {
                (paper.changed, paper.told) = (false, Some(now));
                keys.push(Topic::Readers(*id).name());
            }
        }
        self.0
            .retain(|_, paper| paper.changed || !paper.open.is_empty());
        keys
    }
}
