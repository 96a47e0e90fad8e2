//! A hundred thousand changes of links, of what keeps parents from children and of what is on record, against a model of what
//! each parent may have: by their pages, by search, by mail and by a socket.

mod acts;
mod change;
mod guard;
mod mail;
mod page;
mod search;
mod socket;
mod world;

use change::Stage;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};
use world::World;

const PARENTS: usize = 6;
const CHILDREN: usize = 8;
const ENTRIES: usize = 64;
const CHANGES: usize = 100_000;
const BATCH: usize = 250;
const AFTER_DIGEST: usize = 6;
/// Changes by the verbs of the product at each checkpoint: these tell somebody.
const ACTS: usize = 8;

/// What a parent may have, as far as the model knows: links, what is in their way, roles, how far each entry has come, and what
/// they were told and have not seen.
#[derive(Clone)]
struct Model {
    linked: [[bool; CHILDREN]; PARENTS],
    restricted: [[bool; CHILDREN]; PARENTS],
    /// An order stands that nobody has lifted, though its last day may be over.
    unlifted: [[bool; CHILDREN]; PARENTS],
    parent: [bool; PARENTS],
    stage: [Stage; ENTRIES],
    /// Its opening is in the log.
    told: [bool; ENTRIES],
    /// The newest words of a parent to an entry.
    said: BTreeMap<(usize, usize), String>,
    trend: bool,
    /// Notices of something on record that a parent has not seen: in no letter yet, in one that has not left, and in one that
    /// has.
    fresh: [usize; PARENTS],
    lettered: [usize; PARENTS],
    sent: [usize; PARENTS],
}

impl Model {
    fn new() -> Self {
        Self {
            linked: [[false; CHILDREN]; PARENTS],
            restricted: [[false; CHILDREN]; PARENTS],
            unlifted: [[false; CHILDREN]; PARENTS],
            parent: [true; PARENTS],
            stage: [Stage::Cooling; ENTRIES],
            told: [false; ENTRIES],
            said: BTreeMap::new(),
            trend: false,
            fresh: [0; PARENTS],
            lettered: [0; PARENTS],
            sent: [0; PARENTS],
        }
    }

    fn has(&self, parent: usize, child: usize) -> bool {
        self.parent[parent] && self.linked[parent][child] && !self.restricted[parent][child]
    }

    fn children(&self, parent: usize) -> BTreeSet<usize> {
        let has = |child: &usize| self.has(parent, *child);
        (0..CHILDREN).filter(has).collect()
    }

    fn reads(&self, parent: usize) -> BTreeSet<usize> {
        let reads =
            |entry: &usize| self.stage[*entry] == Stage::Open && self.has(parent, child_of(*entry));
        (0..ENTRIES).filter(reads).collect()
    }

    /// Whoever has a child of these.
    fn parents_of(&self, child: usize) -> BTreeSet<usize> {
        let has = |parent: &usize| self.has(*parent, child);
        (0..PARENTS).filter(has).collect()
    }

    fn unseen(&self, parent: usize) -> usize {
        self.fresh[parent] + self.lettered[parent] + self.sent[parent]
    }

    /// A child was taken from somebody, or they are no parent any more. What they were told and have not seen may have been of
    /// that one, and is gone.
    fn taken(&mut self, parent: usize) {
        self.fresh[parent] = 0;
        self.lettered[parent] = 0;
        self.sent[parent] = 0;
    }
}

/// Whom an entry is about.
const fn child_of(entry: usize) -> usize {
    entry % CHILDREN
}

/// What is not as it should be, in words; nothing where all is well.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn unless_same<T: PartialEq + Debug>(&mut self, what: &str, found: &T, expected: &T) {
        if found != expected {
            self.0
                .push(format!("{what}: {found:?} instead of {expected:?}"));
        }
    }

    fn unless(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }

    fn none(&self, at: &str) {
        assert!(self.0.is_empty(), "{at}: {:#?}", self.0);
    }

    fn some(&self, but: &str) {
        assert!(!self.0.is_empty(), "nobody noticed {but}");
    }
}

#[tokio::test]
async fn after_a_hundred_thousand_changes_no_parent_is_shown_or_told_what_is_off_record_or_not_theirs()
 {
    let mut world = World::new().await;
    let seed = world.random.0;
    eprintln!("seed {seed}");
    let (mut read, mut kept, mut swept) = (0, 0, 0);
    let (mut acts, mut letters, mut called) = (0, 0, 0);
    for batch in 0..CHANGES / BATCH {
        let who = batch % PARENTS;
        let at = format!("seed {seed}, batch {batch}, parent {who}");
        world.changes(BATCH).await;
        let expected = world.entries_of(&world.model.reads(who));
        let email = world.parents[who].email.clone();
        let seen = world.scene.sees_in(&email, "on_record", "id").await;
        assert_eq!(seen, expected, "{at}");
        read += seen.len();
        kept += ENTRIES - seen.len();
        if batch % 5 != 0 {
            continue;
        }
        for _ in 0..ACTS {
            let act = world.any_act();
            world.act(act).await.none(&at);
            acts += 1;
        }
        world.page(who).await.none(&at);
        let (found, wrong) = world.sweep(who).await;
        wrong.none(&at);
        swept += found;
        world.opens().await.none(&at);
        world.notices().await.none(&at);
        world.watches(who).await.none(&at);
        if batch % 20 == 0 {
            world.asks(who).await.none(&at);
            let (answered, wrong) = world.calls(who).await;
            wrong.none(&at);
            called = called.max(answered);
        }
        if batch % 40 == 0 {
            world.digest().await;
            // So few that some letters leave: of 250 changes one takes a child from everybody.
            world.changes(AFTER_DIGEST).await;
            let (sent, wrong) = world.letters().await;
            wrong.none(&at);
            letters += sent;
        }
    }
    // There was much to read, and much that was not to be; somebody was told and written to, and much was done.
    assert!(
        read > 500 && kept > 5_000 && swept > 200,
        "seed {seed}: {read} read, {kept} kept, {swept} swept"
    );
    assert!(
        letters > 5 && called > 20 && acts == CHANGES / BATCH / 5 * ACTS,
        "seed {seed}: {letters} letters, {acts} acts, {called} functions"
    );
}
