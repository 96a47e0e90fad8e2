//! The same changes by the verbs of the product, each with whom the log tells of it: whose pages close, and whose ask again.

use super::{
    CHILDREN, ENTRIES, PARENTS, Stage, Wrong, child_of,
    world::{Put, World, words},
};
use crate::{change::change, record::about};
use domain::{
    Refusal,
    pupil::guardian::{self, Relation},
    role::Role as Held,
    wellbeing::{
        onrecord::{self, Rule},
        record::{self, Part},
    },
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What is done next, where it can be: a link that stands is ended, an order that stands is lifted, and so on.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Role(usize),
    Rule,
    Says(usize, usize),
    Link(usize, usize),
    Order(usize, usize),
    Entry(usize),
}

/// Whom the log tells of an act.
#[derive(Default)]
struct Told {
    /// Whose pages close.
    closes: BTreeSet<usize>,
    /// Whose open page asks again.
    asks: BTreeSet<usize>,
}

impl World {
    pub fn any_act(&mut self) -> Act {
        let (who, child) = (self.random.below(PARENTS), self.random.below(CHILDREN));
        let entry = self.random.below(ENTRIES);
        match self.random.below(16) {
            0 => Act::Role(who),
            1 => Act::Rule,
            2..=3 => Act::Says(who, entry),
            4..=6 => Act::Link(who, child),
            7..=8 => Act::Order(who, child),
            _ => Act::Entry(entry),
        }
    }

    /// Does something, and looks whom the log tells of it: nobody but whom it concerns, and everybody whom it takes something
    /// from.
    pub async fn act(&mut self, act: Act) -> Wrong {
        let mut wrong = Wrong::default();
        let before = self.model.clone();
        self.tail().await;
        let told = match act {
            Act::Role(who) => self.changes_role(who).await,
            Act::Rule => self.changes_rule().await,
            Act::Says(who, entry) => self.speaks(who, entry, &mut wrong).await,
            Act::Link(who, child) => self.links_or_unlinks(who, child).await,
            Act::Order(who, child) => self.restricts_or_lifts(who, child).await,
            Act::Entry(entry) => self.moves_on(entry).await,
        };
        let events = self.tail().await;
        let addressed: Vec<_> = events.iter().map(|event| self.addressed(event)).collect();
        let closes: BTreeSet<usize> = addressed.iter().flat_map(|(one, _)| one.clone()).collect();
        let asks: BTreeSet<usize> = addressed.iter().flat_map(|(_, one)| one.clone()).collect();
        wrong.unless_same(
            &format!("{act:?}: whose pages close"),
            &closes,
            &told.closes,
        );
        wrong.unless_same(&format!("{act:?}: who asks again"), &asks, &told.asks);
        for one in 0..PARENTS {
            let lost_child = !before.children(one).is_subset(&self.model.children(one));
            let lost_entry = !before.reads(one).is_subset(&self.model.reads(one));
            wrong.unless(!lost_child || closes.contains(&one), || {
                format!("{act:?}: parent {one} lost a child, and their pages stay")
            });
            wrong.unless(
                !lost_entry || closes.contains(&one) || asks.contains(&one),
                || {
                    format!(
                        "{act:?}: parent {one} lost an entry, and their page does not hear of it"
                    )
                },
            );
        }
        wrong
    }

    async fn changes_role(&mut self, who: usize) -> Told {
        let (place, admin) = (self.parents[who].place, &self.admin);
        let was = self.model.parent[who];
        self.model.parent[who] = !was;
        if was {
            self.model.taken(who);
            crate::change::drop_role(&self.scene.db, admin, place, Held::Parent)
                .await
                .unwrap();
            Told {
                closes: BTreeSet::from([who]),
                asks: BTreeSet::from([who]),
            }
        } else {
            crate::change::give_role(&self.scene.db, admin, place, Held::Parent)
                .await
                .unwrap();
            Told {
                asks: BTreeSet::from([who]),
                ..Told::default()
            }
        }
    }

    async fn changes_rule(&mut self) -> Told {
        self.model.trend = !self.model.trend;
        let rule = Rule {
            cooling: 30,
            trend: self.model.trend,
            talk_to: super::world::TALK_TO.to_owned(),
        };
        change(&self.scene.db, &self.admin, async |write| {
            Ok(((), onrecord::set_rule(write, &rule).await?))
        })
        .await
        .unwrap();
        Told::default()
    }

    /// A parent speaks to an entry, which is not there for them unless they read it.
    async fn speaks(&mut self, who: usize, entry: usize, wrong: &mut Wrong) -> Told {
        let reads = self.model.reads(who).contains(&entry);
        let id = self.entries[entry].id;
        let said = format!("Said {}", self.random.below(1_000_000));
        let done = change(&self.scene.db, &self.parents[who].caller, async |write| {
            Ok(((), onrecord::state_to(write, id, &said).await?))
        })
        .await;
        if !reads {
            wrong.unless_same("a word to it", &done, &Err(Refusal::NotFound));
            return Told::default();
        }
        wrong.unless_same("a word to it", &done, &Ok(()));
        self.model.said.insert((who, entry), said);
        Told {
            asks: BTreeSet::from([who]),
            ..Told::default()
        }
    }

    async fn links_or_unlinks(&mut self, who: usize, child: usize) -> Told {
        let asks = BTreeSet::from([who]);
        if self.model.linked[who][child] {
            let link = self.open_one("guardian_link", "ended_at", who, child).await;
            self.model.linked[who][child] = false;
            self.model.taken(who);
            change(&self.scene.db, &self.admin, async |write| {
                Ok(((), guardian::unlink(write, link).await?))
            })
            .await
            .unwrap();
            return Told {
                closes: asks.clone(),
                asks,
            };
        }
        let (pupil, place) = (self.children[child], self.parents[who].place);
        let done = change(&self.scene.db, &self.admin, async |write| {
            let relation = Relation::Carer;
            Ok(((), guardian::link(write, pupil, place, relation).await?))
        })
        .await;
        if !self.model.parent[who] {
            assert!(done.is_err(), "a child was linked to who is no parent");
            return Told::default();
        }
        done.unwrap();
        self.model.linked[who][child] = true;
        Told {
            asks,
            ..Told::default()
        }
    }

    async fn restricts_or_lifts(&mut self, who: usize, child: usize) -> Told {
        let asks = BTreeSet::from([who]);
        let (pupil, place) = (self.children[child], self.parents[who].place);
        if self.model.unlifted[who][child] {
            let order = self
                .open_one("contact_restriction", "lifted_at", who, child)
                .await;
            change(&self.scene.db, &self.admin, async |write| {
                Ok(((), guardian::lift(write, order).await?))
            })
            .await
            .unwrap();
            self.model.unlifted[who][child] = false;
            self.model.restricted[who][child] = false;
            return Told {
                asks,
                ..Told::default()
            };
        }
        change(&self.scene.db, &self.admin, async |write| {
            let words = "Order of the family court at Leeds, 2 March 2026";
            let act = guardian::restrict(write, pupil, place, words, None).await?;
            Ok(((), act))
        })
        .await
        .unwrap();
        self.model.unlifted[who][child] = true;
        self.model.restricted[who][child] = true;
        self.model.taken(who);
        Told {
            closes: asks.clone(),
            asks,
        }
    }

    async fn open_one(&mut self, table: &str, ends: &str, who: usize, child: usize) -> Uuid {
        let pair = self.pair(who, child);
        let sql = format!("select id::text from {table} {pair} and {ends} is null");
        self.scene.text(&sql).await.parse().unwrap()
    }

    /// An entry takes its next step: what cools is taken back, what is open is taken off or goes with its record, and what
    /// ended is put on record anew. Nobody hears of what they never read.
    async fn moves_on(&mut self, entry: usize) -> Told {
        let Put { id, record } = self.entries[entry];
        let child = child_of(entry);
        let readers = self.model.parents_of(child);
        match self.model.stage[entry] {
            Stage::Cooling => {
                change(&self.scene.db, &self.author, async |write| {
                    Ok(((), onrecord::take_back(write, id).await?))
                })
                .await
                .unwrap();
                self.model.stage[entry] = Stage::TakenBack;
                Told::default()
            }
            Stage::Open if self.random.below(4) == 0 => {
                change(&self.scene.db, &self.author, async |write| {
                    Ok(((), record::withdraw(write, record, 1, "It was Sana").await?))
                })
                .await
                .unwrap();
                self.model.stage[entry] = Stage::Off;
                let asks = readers;
                self.begins_anew(entry).await;
                Told {
                    asks,
                    ..Told::default()
                }
            }
            Stage::Open => {
                change(&self.scene.db, &self.author, async |write| {
                    let act = onrecord::take_off_record(write, id, "It was Sana").await?;
                    Ok(((), act))
                })
                .await
                .unwrap();
                self.model.stage[entry] = Stage::Off;
                Told {
                    asks: readers,
                    ..Told::default()
                }
            }
            // What opened and was taken off before the worker's turn is left to it.
            Stage::Off if !self.model.told[entry] => Told::default(),
            Stage::TakenBack | Stage::TakenBackLongAgo | Stage::Off => {
                self.puts_anew(entry, record).await;
                Told::default()
            }
        }
    }

    /// A new record of the same, since one that was withdrawn is not put on record again; the entry goes with it.
    async fn begins_anew(&mut self, entry: usize) {
        // The opening of what went with the old record is told to nobody.
        if !self.model.told[entry] {
            let id = self.entries[entry].id;
            self.run(format!(
                "update on_record set told_at = now() where id = '{id}'"
            ))
            .await;
        }
        let author = self.author.clone();
        let linked = [about(self.children[child_of(entry)], Part::Subject, "")];
        let record = self
            .scene
            .observes(&author, "Withheld", &linked)
            .await
            .unwrap();
        self.kept.insert(record);
        self.puts_anew(entry, record).await;
    }

    async fn puts_anew(&mut self, entry: usize, record: Uuid) {
        let child = self.children[child_of(entry)];
        let id = change(&self.scene.db, &self.author, async |write| {
            onrecord::put_on_record(write, record, 1, child, &words(entry)).await
        })
        .await
        .unwrap();
        self.kept.insert(id);
        self.entries[entry] = Put { id, record };
        self.model.stage[entry] = Stage::Cooling;
        self.model.told[entry] = false;
        self.model.said.retain(|(_, one), _| *one != entry);
    }
}
