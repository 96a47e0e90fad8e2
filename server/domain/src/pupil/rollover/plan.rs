//! What would happen at the turn of the school year, worked out from the roll as it stands. Nothing of it is stored.

mod groups;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

use super::{
    Exception, Fate, Fault, GroupWish, Wish, above,
    facts::{Caseload, Facts, Pupil},
    last_day_of, year_after,
};
use crate::{
    MembershipId, Refusal, TenantId,
    db::Read,
    pupil::{
        group::Kind,
        keep,
        year::{SchoolYear, YearGroup, expected},
    },
};

pub use groups::GroupLine;
use groups::{make_way, mark};

/// One pupil on the roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub id: Uuid,
    /// "Khan, Aisha".
    pub name: String,
    /// The year group they are in.
    pub year: YearGroup,
    /// The one they would be in; none for who leaves.
    pub becomes: Option<YearGroup>,
    /// What was said of them.
    pub exception: Option<Exception>,
    /// Put on the roll since the last day, in the year group of their age: they stay in it.
    pub new: bool,
    /// The year group of their age, where it would be another one. That is lawful, and worth a look.
    pub by_age: Option<YearGroup>,
    /// Whether they are taken out of groups that go up without them.
    pub apart: bool,
}

/// A caseload that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Whose.
    pub name: String,
    /// "4W", "Dominika Wiśniewska".
    pub called: String,
    /// Whether it is cover.
    pub cover: bool,
    /// Whether it has not begun, so that it never was.
    pub to_come: bool,
}

/// How many of a year group do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Go up, one year or two.
    pub up: usize,
    /// Stay in it.
    pub stay: usize,
    /// Leave.
    pub leave: usize,
}

/// All that would happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The school year that begins.
    pub school_year: SchoolYear,
    /// Of the one before it.
    pub last_day: Date,
    /// The last year group of the school.
    pub top: YearGroup,
    /// By year group, the youngest first.
    pub counts: BTreeMap<YearGroup, Count>,
    /// By name.
    pub pupils: Vec<Line>,
    /// By kind and name.
    pub groups: Vec<GroupLine>,
    /// By person.
    pub ends: Vec<Ends>,
    /// Who has nobody on their caseload then, by name.
    pub without: Vec<String>,
    /// Pupils who stay and have no registration group then, though they had one.
    pub unregistered: usize,
    /// A digest of what it was worked out from and of what was chosen: equal where nothing of either has changed.
    pub shown: String,
    /// Caseloads that end, and those that never were.
    pub(super) ending: Vec<Uuid>,
}

impl Plan {
    /// What of it cannot be done as it is.
    pub fn fault(&self) -> Option<Fault> {
        self.groups.iter().find_map(|group| group.wrong)
    }

    /// Those who go up, stay and leave.
    pub fn total(&self) -> Count {
        self.counts
            .values()
            .fold(Count::default(), |sum, one| Count {
                up: sum.up + one.up,
                stay: sum.stay + one.stay,
                leave: sum.leave + one.leave,
            })
    }

    /// The same wish, with everything said.
    pub fn wish(&self) -> Wish {
        Wish {
            last_day: Some(self.last_day),
            top: Some(self.top),
            groups: self
                .groups
                .iter()
                .map(|group| (group.id, group.wish.clone()))
                .collect(),
            pupils: self
                .pupils
                .iter()
                .filter_map(|line| Some((line.id, line.exception?)))
                .collect(),
        }
    }

    /// What of [`Plan::shown`] is about the roll.
    pub(super) fn roll_of(shown: &str) -> &str {
        shown.split_once('.').map_or(shown, |(roll, _)| roll)
    }
}

/// What would happen at the turn of the school year. Nothing is changed. For who keeps the roll.
pub async fn dry_run(read: &mut Read, wish: &Wish, today: Date) -> Result<Plan, Refusal> {
    keep(&read.standing.roles)?;
    let tenant = read.standing.tenant;
    work_out(read.connection(), tenant, wish, today).await
}

/// The same on any connection.
pub(super) async fn work_out(
    connection: &mut PgConnection,
    tenant: TenantId,
    wish: &Wish,
    today: Date,
) -> Result<Plan, Refusal> {
    let last_day = wish.last_day.unwrap_or_else(|| last_day_of(today));
    let school_year = year_after(last_day, today).map_err(crate::pupil::Fault::Rollover)?;
    let facts = Facts::read(connection, tenant, last_day).await?;
    let oldest = facts
        .pupils
        .iter()
        .map(|pupil| pupil.year)
        .filter(|year| *year != YearGroup::X)
        .max();
    let top = wish.top.or(oldest).unwrap_or(YearGroup::Y6);
    if top == YearGroup::X {
        return Err(crate::pupil::Fault::Rollover(Fault::Top).into());
    }
    Ok(facts.plan(wish, school_year, last_day, top))
}

impl Facts {
    fn plan(self, wish: &Wish, school_year: SchoolYear, last_day: Date, top: YearGroup) -> Plan {
        let mut pupils: Vec<Line> = self
            .pupils
            .iter()
            .map(|pupil| line(pupil, wish, school_year, top))
            .collect();
        let by_id: HashMap<Uuid, &Line> = pupils.iter().map(|line| (line.id, line)).collect();
        let mut members: HashMap<Uuid, Vec<&Line>> = HashMap::new();
        for place in self.places.iter().filter(|place| place.now) {
            if let Some(line) = by_id.get(&place.pupil) {
                members.entry(place.group).or_default().push(line);
            }
        }
        let mut groups: Vec<GroupLine> = self
            .groups
            .iter()
            .map(|group| {
                let members = members.get(&group.id).map_or(&[][..], Vec::as_slice);
                let wish = wish.groups.get(&group.id).cloned();
                self.group(group, members, wish, top)
            })
            .collect();
        make_way(&mut groups, wish);
        mark(&mut groups);
        let fates: HashMap<Uuid, &GroupWish> =
            groups.iter().map(|group| (group.id, &group.wish)).collect();
        let leaving: HashSet<Uuid> = pupils
            .iter()
            .filter(|line| line.becomes.is_none())
            .map(|line| line.id)
            .collect();
        let fate = |group: &Uuid| fates.get(group).map(|wish| wish.fate);
        // Who has a registration group today, and who has one then.
        let (mut had, mut apart) = (HashSet::new(), HashSet::new());
        let registration: HashSet<Uuid> = self
            .groups
            .iter()
            .filter(|group| group.kind == Kind::Registration)
            .map(|group| group.id)
            .collect();
        let mut has = HashSet::new();
        for place in &self.places {
            let Some(line) = by_id.get(&place.pupil) else {
                continue;
            };
            let leaves_it = match fate(&place.group) {
                Some(Fate::Close) => true,
                Some(Fate::Carry) => stays_behind(line) && place.now,
                _ => false,
            };
            if registration.contains(&place.group) {
                if place.now {
                    had.insert(line.id);
                }
                if !leaves_it {
                    has.insert(line.id);
                }
            }
            if leaves_it && fate(&place.group) == Some(Fate::Carry) {
                apart.insert(line.id);
            }
        }
        let unregistered = had
            .iter()
            .filter(|id| !has.contains(*id) && !leaving.contains(*id))
            .count();
        let (ends, without, ending) = self.ends(&fates, &leaving);
        let mut counts: BTreeMap<YearGroup, Count> = BTreeMap::new();
        for line in &mut pupils {
            line.apart = apart.contains(&line.id);
            let count = counts.entry(line.year).or_default();
            match line.becomes {
                None => count.leave += 1,
                Some(year) if year == line.year => count.stay += 1,
                Some(_) => count.up += 1,
            }
        }
        let mut plan = Plan {
            school_year,
            last_day,
            top,
            counts,
            pupils,
            groups,
            ends,
            without,
            unregistered,
            shown: String::new(),
            ending,
        };
        let chosen = serde_json::to_vec(&plan.wish()).unwrap_or_default();
        let chosen: String = Sha256::digest(&chosen)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        plan.shown = format!("{}.{chosen}", self.digest);
        plan
    }

    /// The caseloads that end, who has nobody then, and the keys of those that end.
    fn ends(
        &self,
        fates: &HashMap<Uuid, &GroupWish>,
        leaving: &HashSet<Uuid>,
    ) -> (Vec<Ends>, Vec<String>, Vec<Uuid>) {
        let ends = |one: &Caseload| {
            let wish = one.group.and_then(|group| fates.get(&group));
            let gone = wish.is_some_and(|wish| wish.fate == Fate::Close)
                || one.pupil.is_some_and(|pupil| leaving.contains(&pupil));
            let over = one.cover || wish.is_some_and(|wish| !wish.goes_on);
            one.past && (gone || (one.now && over))
        };
        let ending: Vec<&Caseload> = self.caseloads.iter().filter(|one| ends(one)).collect();
        let left: HashSet<MembershipId> = self
            .caseloads
            .iter()
            .filter(|one| one.past && !ends(one))
            .map(|one| one.person)
            .collect();
        let without: BTreeSet<(String, MembershipId)> = ending
            .iter()
            .filter(|one| one.now && !left.contains(&one.person))
            .map(|one| (one.name.clone(), one.person))
            .collect();
        (
            ending
                .iter()
                .map(|one| Ends {
                    name: one.name.clone(),
                    called: one.called.clone(),
                    cover: one.cover,
                    to_come: !one.now,
                })
                .collect(),
            without.into_iter().map(|(name, _)| name).collect(),
            ending.iter().map(|one| one.id).collect(),
        )
    }
}

fn line(pupil: &Pupil, wish: &Wish, school_year: SchoolYear, top: YearGroup) -> Line {
    let age = expected(pupil.born, school_year);
    let new = pupil.since && age == Some(pupil.year);
    let exception = wish.pupils.get(&pupil.id).copied();
    let becomes = match exception {
        Some(Exception::Repeats) => Some(pupil.year),
        Some(Exception::Leaves) => None,
        Some(Exception::Skips) => above(pupil.year, top).and_then(|year| above(year, top)),
        Some(Exception::GoesUp) => above(pupil.year, top),
        None if new => Some(pupil.year),
        None => above(pupil.year, top),
    };
    let by_age = age.filter(|age| becomes.is_some_and(|year| year != YearGroup::X && year != *age));
    Line {
        id: pupil.id,
        name: pupil.name.clone(),
        year: pupil.year,
        becomes,
        exception,
        new,
        by_age,
        apart: false,
    }
}

/// Whether they remain at the school, but not one year above: a group that goes up goes without them.
fn stays_behind(line: &Line) -> bool {
    line.becomes
        .is_some_and(|year| above(line.year, YearGroup::Y14) != Some(year))
}
