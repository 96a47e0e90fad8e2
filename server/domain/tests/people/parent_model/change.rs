//! The changes: what each does to the tables behind everybody's back, and to the model.

use super::{CHILDREN, ENTRIES, PARENTS, child_of, world::World};
use std::fmt::Write as _;

/// How far an entry has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It can be taken back unseen.
    Cooling,
    /// It was taken back, and would still be cooling.
    TakenBack,
    /// It was taken back, and would be open by now.
    TakenBackLongAgo,
    /// Parents read it.
    Open,
    /// Parents read it until it was taken off.
    Off,
}

/// An order that keeps a parent from a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It holds until it is lifted.
    Stands,
    /// Today is its last day.
    UntilToday,
    /// Its last day is over.
    Over,
    /// It was lifted.
    Lifted,
}

#[derive(Clone, Copy, Debug)]
pub enum Change {
    Role(usize, bool),
    Trend(bool),
    Says(usize, usize, usize),
    Link(usize, usize, bool),
    Order(usize, usize, Order),
    Entry(usize, Stage),
}

impl World {
    pub fn any_change(&mut self) -> Change {
        let (who, child) = (self.random.below(PARENTS), self.random.below(CHILDREN));
        let entry = self.random.below(ENTRIES);
        match self.random.below(24) {
            0 => Change::Role(who, !self.model.parent[who]),
            1 => Change::Trend(!self.model.trend),
            2 => Change::Says(who, entry, self.random.below(1_000_000)),
            3..=9 => Change::Link(who, child, self.random.below(10) < 7),
            10..=14 => {
                let order = match self.random.below(5) {
                    0 => Order::Stands,
                    1 => Order::UntilToday,
                    2 => Order::Over,
                    _ => Order::Lifted,
                };
                Change::Order(who, child, order)
            }
            _ => {
                let stage = match self.random.below(8) {
                    0 => Stage::Cooling,
                    1 => Stage::TakenBack,
                    2 => Stage::TakenBackLongAgo,
                    3 => Stage::Off,
                    _ => Stage::Open,
                };
                Change::Entry(entry, stage)
            }
        }
    }

    /// So many random changes in one transaction.
    pub async fn changes(&mut self, many: usize) {
        let mut sql = String::new();
        for _ in 0..many {
            let change = self.any_change();
            self.put_down(change, &mut sql);
        }
        self.run(sql).await;
    }

    pub async fn apply(&mut self, changes: &[Change]) {
        let mut sql = String::new();
        for change in changes {
            self.put_down(*change, &mut sql);
        }
        self.run(sql).await;
    }

    fn put_down(&mut self, change: Change, sql: &mut String) {
        let tenant = self.scene.oakfield;
        let author = self.author_place;
        match change {
            Change::Role(who, parent) => {
                self.model.parent[who] = parent;
                if !parent {
                    self.model.taken(who);
                }
                let roles = if parent { "member,parent" } else { "member" };
                let place = self.parents[who].place;
                write!(
                    sql,
                    "update membership set roles = '{{{roles}}}' where tenant_id = '{tenant}' and id = '{place}';"
                )
            }
            Change::Trend(on) => {
                self.model.trend = on;
                write!(
                    sql,
                    "update record_rule set trend = {on} where tenant_id = '{tenant}';"
                )
            }
            Change::Says(who, entry, salt) => {
                let words = format!("Statement {salt}");
                let (place, id) = (self.parents[who].place, self.entries[entry].id);
                let child = self.children[child_of(entry)];
                self.model.said.insert((who, entry), words.clone());
                write!(
                    sql,
                    "insert into statement (tenant_id, on_record_id, author_id, number, pupil_id, words)
                     select '{tenant}', '{id}', '{place}', coalesce(max(number), 0) + 1, '{child}', '{words}' from statement
                     where tenant_id = '{tenant}' and on_record_id = '{id}' and author_id = '{place}';"
                )
            }
            Change::Link(who, child, linked) => {
                let pair = self.pair(who, child);
                let was = std::mem::replace(&mut self.model.linked[who][child], linked);
                if was && !linked {
                    self.model.taken(who);
                }
                let ended = if linked { "null" } else { "now()" };
                if was == linked {
                    return;
                }
                write!(
                    sql,
                    "update guardian_link set ended_at = {ended} where tenant_id = '{tenant}' and id = (
                       select id from guardian_link {pair} order by id desc limit 1);"
                )
            }
            Change::Order(who, child, order) => {
                let pair = self.pair(who, child);
                let holds = matches!(order, Order::Stands | Order::UntilToday);
                self.model.restricted[who][child] = holds;
                self.model.unlifted[who][child] = order != Order::Lifted;
                self.model.taken(who);
                let (until, lifted, by) = match order {
                    Order::Stands => ("null", "null", "null".to_owned()),
                    Order::UntilToday => ("sec.today()", "null", "null".to_owned()),
                    Order::Over => ("sec.today() - 1", "null", "null".to_owned()),
                    Order::Lifted => ("null", "now()", format!("'{author}'")),
                };
                let (place, child) = (self.parents[who].place, self.children[child]);
                write!(
                    sql,
                    "delete from contact_restriction {pair};
                     insert into contact_restriction
                       (tenant_id, membership_id, pupil_id, words, made_by, until, lifted_at, lifted_by)
                     values ('{tenant}', '{place}', '{child}', 'Order', '{author}', {until}, {lifted}, {by});"
                )
            }
            Change::Entry(entry, stage) => {
                let id = self.entries[entry].id;
                self.model.stage[entry] = stage;
                let (opens, back, off) = match stage {
                    Stage::Cooling => ("now() + interval '1 hour'", "null", "null"),
                    Stage::TakenBack => ("now() + interval '1 hour'", "now()", "null"),
                    Stage::TakenBackLongAgo => {
                        ("now() - interval '1 hour'", "now() - interval '90 minutes'", "null")
                    }
                    Stage::Open => ("now() - interval '1 hour'", "null", "null"),
                    Stage::Off => ("now() - interval '1 hour'", "null", "now()"),
                };
                // What never opened was told to nobody.
                let told = if matches!(stage, Stage::Open | Stage::Off) {
                    "told_at"
                } else {
                    self.model.told[entry] = false;
                    "null"
                };
                let why = if off == "null" { "null" } else { "'Mistaken'" };
                write!(
                    sql,
                    "update on_record set put_at = now() - interval '2 hours', opens_at = {opens}, taken_back_at = {back},
                       off_at = {off}, off_why = {why}, told_at = {told} where tenant_id = '{tenant}' and id = '{id}';"
                )
            }
        }
        .unwrap();
    }

    /// A parent and a child, as a condition.
    pub fn pair(&self, who: usize, child: usize) -> String {
        format!(
            "where tenant_id = '{}' and membership_id = '{}' and pupil_id = '{}'",
            self.scene.oakfield, self.parents[who].place, self.children[child]
        )
    }
}
