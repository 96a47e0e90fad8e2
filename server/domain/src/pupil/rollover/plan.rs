//! What would happen at the turn of the school year, worked out from the roll as it stands. Nothing of it is stored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

use super::{
    Exception, Fate, Fault, GroupWish, Wish, above,
    facts::{Caseload, Facts, Group, Pupil},
    last_day_of, name, year_after,
};
use crate::{
    MembershipId, Refusal, TenantId,
    db::Read,
    pupil::{
        field::{self, Field},
        group::Kind,
        keeps,
        year::{SchoolYear, YearGroup, expected},
    },
};

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

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupLine {
    /// Which.
    pub id: Uuid,
    /// Its kind.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
    /// Pupils in it today.
    pub pupils: usize,
    /// Those of them who leave the school.
    pub leaving: usize,
    /// Those of them who are taken out of it, since it goes up without them.
    pub apart: usize,
    /// What becomes of it.
    pub wish: GroupWish,
    /// What is wrong with its name.
    pub wrong: Option<Fault>,
    /// Who has it on their caseload now.
    pub teachers: Vec<String>,
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
    if !keeps(&read.standing.roles) {
        return Err(Refusal::NotAllowed);
    }
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

    fn group(
        &self,
        group: &Group,
        members: &[&Line],
        wish: Option<GroupWish>,
        top: YearGroup,
    ) -> GroupLine {
        let leaving = members.iter().filter(|line| line.becomes.is_none()).count();
        let wish = wish.unwrap_or_else(|| suggested(group, members, leaving, top));
        let apart = match wish.fate {
            Fate::Carry => members.iter().filter(|line| stays_behind(line)).count(),
            _ => 0,
        };
        let mut teachers: Vec<String> = self
            .caseloads
            .iter()
            .filter(|caseload| caseload.group == Some(group.id) && caseload.now)
            .map(|caseload| caseload.name.clone())
            .collect();
        teachers.dedup();
        GroupLine {
            id: group.id,
            kind: group.kind,
            name: group.name.clone(),
            pupils: members.len(),
            leaving,
            apart,
            wish,
            wrong: None,
            teachers,
        }
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

/// As long as nobody says otherwise: a group whose pupils all leave ends with them, one whose name says their year goes up with
/// them, and any other stays as it is.
fn suggested(group: &Group, members: &[&Line], leaving: usize, top: YearGroup) -> GroupWish {
    let wish = |fate, name: &str| GroupWish {
        fate,
        name: name.to_owned(),
        goes_on: false,
    };
    if !members.is_empty() && leaving == members.len() {
        return wish(Fate::Close, &group.name);
    }
    let mut years: HashMap<YearGroup, usize> = HashMap::new();
    for line in members {
        *years.entry(line.year).or_default() += 1;
    }
    let most = years
        .into_iter()
        .max_by_key(|(year, count)| (*count, *year));
    // A group of several years has no next one.
    let Some((year, _)) = most.filter(|(_, count)| count * 5 >= members.len() * 4) else {
        return wish(Fate::Keep, &group.name);
    };
    match above(year, top) {
        None => wish(Fate::Close, &group.name),
        Some(to) => match name::next(&group.name, year, to).filter(|_| to != year) {
            Some(name) => wish(Fate::Carry, &name),
            None => wish(Fate::Keep, &group.name),
        },
    }
}

/// An empty group of a name that another one takes is closed, as long as nobody says otherwise.
fn make_way(groups: &mut [GroupLine], wish: &Wish) {
    let taken: BTreeSet<(Kind, String)> = groups
        .iter()
        .filter(|group| group.wish.fate == Fate::Carry)
        .map(|group| (group.kind, group.wish.name.trim().to_lowercase()))
        .collect();
    for group in groups {
        if group.pupils == 0
            && group.wish.fate == Fate::Keep
            && !wish.groups.contains_key(&group.id)
            && taken.contains(&(group.kind, group.name.to_lowercase()))
        {
            group.wish.fate = Fate::Close;
        }
    }
}

/// Says of each group that is carried on what is wrong with its name.
fn mark(groups: &mut [GroupLine]) {
    let mut names: BTreeMap<(Kind, String), usize> = BTreeMap::new();
    for group in groups.iter_mut() {
        let name = match group.wish.fate {
            Fate::Close => continue,
            Fate::Keep => group.name.clone(),
            Fate::Carry => match field::tidy(Field::ClassName, &group.wish.name) {
                Ok(name) => {
                    group.wish.name.clone_from(&name);
                    name
                }
                Err(_) => {
                    group.wrong = Some(Fault::Name);
                    continue;
                }
            },
        };
        *names.entry((group.kind, name.to_lowercase())).or_default() += 1;
    }
    for group in groups {
        let key = (group.kind, group.wish.name.to_lowercase());
        if group.wish.fate == Fate::Carry
            && group.wrong.is_none()
            && names.get(&key).is_some_and(|many| *many > 1)
        {
            group.wrong = Some(Fault::NameTaken);
        }
    }
}
