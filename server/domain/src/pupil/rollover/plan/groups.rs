//! What becomes of each group at the turn of the school year: as somebody says, or as its pupils and its name suggest.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::{Line, stays_behind};
use crate::pupil::{
    field::{self, Field},
    group::Kind,
    rollover::{
        Fate, Fault, GroupWish, Wish, above,
        facts::{Facts, Group},
        name,
    },
    year::YearGroup,
};

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

impl Facts {
    pub(super) fn group(
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
pub(super) fn make_way(groups: &mut [GroupLine], wish: &Wish) {
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
pub(super) fn mark(groups: &mut [GroupLine]) {
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
