//! Files that are being read just now, and what became of those that were read a moment ago.
//!
//! In the memory of this process and nowhere else: what is not finished when a process ends was never there, so a page that asks for
//! one that is not here says just that.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{Refusal, TenantId};
use uuid::Uuid;

/// So many are remembered; after them the oldest is forgotten.
const MOST: usize = 1_000;

/// How far a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It waits for another school's, or its rows are being counted.
    Waits,
    /// So many rows are beside the roll, of so many.
    Reads(usize, usize),
    /// It is there: the key of the roster.
    Read(Uuid),
    /// It is not there, and nothing of it.
    Refused(Refusal),
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct UnderWay(Arc<Mutex<BTreeMap<Uuid, (TenantId, Stand)>>>);

/// One of them, for who reads it. Where it is let go before it was told to be over, the reading broke.
#[derive(Debug)]
pub struct One {
    all: UnderWay,
    /// Its key here.
    pub id: Uuid,
}

impl UnderWay {
    /// Begins one. Keys are such as sort by time.
    pub fn begin(&self, tenant: TenantId, id: Uuid) -> One {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while all.len() >= MOST {
            all.pop_first();
        }
        all.insert(id, (tenant, Stand::Waits));
        One {
            all: self.clone(),
            id,
        }
    }

    /// How far one of a school is; none where there is none, or not any more.
    pub fn of(&self, tenant: TenantId, id: Uuid) -> Option<Stand> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&id)
            .filter(|(whose, _)| *whose == tenant)
            .map(|(_, stand)| stand.clone())
    }
}

impl One {
    /// Tells how far it is.
    pub fn tell(&self, stand: Stand) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, told)) = all.get_mut(&self.id) {
            *told = stand;
        }
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, stand @ (Stand::Waits | Stand::Reads(..)))) = all.get_mut(&self.id) {
            *stand = Stand::Refused(Refusal::Broken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_that_breaks_is_told_to_its_own_school_and_to_no_other() {
        let all = UnderWay::default();
        let (here, elsewhere) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let one = all.begin(here, Uuid::from_u128(7));
        one.tell(Stand::Reads(2, 9));
        assert_eq!(all.of(here, one.id), Some(Stand::Reads(2, 9)));
        assert_eq!(all.of(elsewhere, one.id), None);
        let id = one.id;
        drop(one);
        assert_eq!(all.of(here, id), Some(Stand::Refused(Refusal::Broken)));
        let other = all.begin(here, Uuid::from_u128(8));
        other.tell(Stand::Read(Uuid::from_u128(9)));
        drop(other);
        let read = all.of(here, Uuid::from_u128(8));
        assert_eq!(read, Some(Stand::Read(Uuid::from_u128(9))));
    }

    #[test]
    fn the_oldest_is_forgotten_and_the_newest_never() {
        let all = UnderWay::default();
        let here = Uuid::from_u128(1);
        let last = u128::try_from(MOST).unwrap();
        for number in 0..=last {
            drop(all.begin(here, Uuid::from_u128(number)));
        }
        assert_eq!(all.of(here, Uuid::from_u128(0)), None);
        assert!(all.of(here, Uuid::from_u128(last)).is_some());
    }
}
