//! Who is here, and who reads what, at other nodes, as these say it themselves. It decides nothing: a page shows of it what its
//! reader may see, as of what this node knows itself; and what is not said again for a while is forgotten, so that a node that died
//! leaves nobody behind.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use domain::{AccountId, TenantId};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Hub, lock};

/// How often it is said at least.
pub(super) const SAID_EVERY: Duration = Duration::from_secs(2);
/// What was not said for this long is not so any more.
const FORGOTTEN: Duration = Duration::from_secs(6);
/// Most people, and most readers, that are told of one tenant: with them a message stays below the megabyte that a bus takes. Of more
/// than these, the others are seen at their own node only.
const PEOPLE_MOST: usize = 20_000;
const READERS_MOST: usize = 2_000;

impl Hub {
    /// What other nodes are to be told: who is at this one, of each tenant where it has changed, or was not said for a while.
    pub fn to_say(&self, now: Instant) -> Vec<(TenantId, Presence)> {
        self.all()
            .into_iter()
            .filter_map(|(id, tenant)| Some((id, lock(&tenant).presence_due(now)?)))
            .collect()
    }

    /// Another node says who is there.
    pub fn hear_of(&self, tenant: TenantId, node: Uuid, presence: Presence, now: Instant) {
        let moved = lock(&self.0.elsewhere).hear(tenant, node, presence, now);
        self.tell_on(tenant, &moved, now);
    }

    /// To those whose pages show it.
    pub(super) fn tell_on(&self, tenant: TenantId, moved: &Moved, now: Instant) {
        if let Some(tenant) = self.find(tenant) {
            let mut state = lock(&tenant);
            state.stir(moved);
            state.tell_readers(now);
        }
    }
}

/// Who is at one node, of one tenant. Ids and page numbers, and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Who has a page open.
    pub here: BTreeSet<AccountId>,
    /// Who reads which paper, and the page they turned to last.
    #[serde(default)]
    pub reading: BTreeMap<Uuid, BTreeMap<AccountId, u32>>,
}

impl Presence {
    /// Of these people and readers, or of as many of them as may be told.
    pub(super) fn of(
        people: impl Iterator<Item = AccountId>,
        readers: impl Iterator<Item = (Uuid, AccountId, u32)>,
    ) -> Self {
        let mut presence = Self {
            here: people.take(PEOPLE_MOST).collect(),
            reading: BTreeMap::new(),
        };
        for (paper, account, page) in readers.take(READERS_MOST) {
            let paper = presence.reading.entry(paper).or_default();
            paper.insert(account, page);
        }
        presence
    }

    pub(super) fn is_empty(&self) -> bool {
        self.here.is_empty() && self.reading.is_empty()
    }

    /// What differs between this and another.
    fn against(&self, other: &Self) -> Moved {
        let papers: BTreeSet<&Uuid> = self.reading.keys().chain(other.reading.keys()).collect();
        Moved {
            here: self.here != other.here,
            papers: papers
                .into_iter()
                .filter(|paper| self.reading.get(paper) != other.reading.get(paper))
                .copied()
                .collect(),
        }
    }
}

/// What is to be told on to the pages of this node.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    /// Who is here.
    pub(super) here: bool,
    /// Who reads these papers.
    pub(super) papers: Vec<Uuid>,
}

/// Of each tenant, and each other node.
#[derive(Default)]
pub(super) struct Elsewhere(HashMap<TenantId, HashMap<Uuid, Said>>);

struct Said {
    presence: Presence,
    at: Instant,
}

impl Elsewhere {
    /// A node says who is there now. It takes the place of what it said before.
    pub(super) fn hear(
        &mut self,
        tenant: TenantId,
        node: Uuid,
        presence: Presence,
        now: Instant,
    ) -> Moved {
        let nodes = self.0.entry(tenant).or_default();
        let before = nodes.remove(&node).map(|said| said.presence);
        let moved = presence.against(&before.unwrap_or_default());
        if !presence.is_empty() {
            nodes.insert(node, Said { presence, at: now });
        }
        if nodes.is_empty() {
            self.0.remove(&tenant);
        }
        moved
    }

    /// Forgets what has not been said for a while.
    pub(super) fn forget(&mut self, now: Instant) -> Vec<(TenantId, Moved)> {
        let mut all = Vec::new();
        for (tenant, nodes) in &mut self.0 {
            nodes.retain(|_, said| {
                let stays = now.duration_since(said.at) < FORGOTTEN;
                if !stays {
                    all.push((*tenant, said.presence.against(&Presence::default())));
                }
                stays
            });
        }
        self.0.retain(|_, nodes| !nodes.is_empty());
        all
    }

    /// Who is there.
    pub(super) fn here(&self, tenant: TenantId) -> impl Iterator<Item = AccountId> {
        self.of(tenant)
            .flat_map(|said| said.presence.here.iter().copied())
    }

    /// Who has a paper open there. Of somebody who has it open at two nodes, the page of the one that was heard last is last.
    pub(super) fn readers(&self, tenant: TenantId, paper: Uuid) -> Vec<(AccountId, u32)> {
        let mut nodes: Vec<&Said> = self.of(tenant).collect();
        nodes.sort_by_key(|said| said.at);
        nodes
            .into_iter()
            .filter_map(|said| said.presence.reading.get(&paper))
            .flatten()
            .map(|(account, page)| (*account, *page))
            .collect()
    }

    /// The papers that somebody has open there.
    pub(super) fn papers_of(&self, tenant: TenantId, account: AccountId) -> Vec<Uuid> {
        self.of(tenant)
            .flat_map(|said| &said.presence.reading)
            .filter(|(_, readers)| readers.contains_key(&account))
            .map(|(paper, _)| *paper)
            .collect()
    }

    fn of(&self, tenant: TenantId) -> impl Iterator<Item = &Said> {
        self.0.get(&tenant).into_iter().flat_map(HashMap::values)
    }
}
