//! Random schools, all of whose tables are released one after the other, and an attacker who has them all.

use super::attacker::{Attacker, Group, read};
use crate::suppression::{Cell, Dimension, Ledger, Picture, Refused, Released, Table};

/// The same numbers on every machine.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1))
    }

    pub fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % u64::try_from(sides).unwrap()).unwrap()
    }

    /// A position, each with so many chances.
    fn weighted(&mut self, chances: &[usize]) -> usize {
        let mut throw = self.throw(chances.iter().sum());
        chances
            .iter()
            .position(|chance| {
                let here = throw < *chance;
                throw = throw.saturating_sub(*chance);
                here
            })
            .unwrap()
    }

    fn shuffle<T>(&mut self, these: &mut [T]) {
        for last in (1..these.len()).rev() {
            these.swap(last, self.throw(last + 1));
        }
    }
}

type Ask = (String, Option<String>, Vec<(String, String)>);

struct School {
    contexts: Vec<Dimension>,
    measures: Vec<Dimension>,
    pupils: Vec<Vec<usize>>,
    asks: Vec<Ask>,
}

const LEVELS: [&str; 4] = ["1-2", "3", "4-5", "not seen"];

impl School {
    fn random(seed: u64, years: usize, pupils: usize, measures: usize, ethnicity: bool) -> Self {
        let mut dice = Dice::new(seed);
        let years: Vec<String> = (7..7 + years).map(|year| format!("Year {year}")).collect();
        let mut contexts = vec![
            Dimension {
                name: "Year".to_owned(),
                values: years,
            },
            Dimension::new("SEN", &["N", "K", "E"]),
            Dimension::new("Pupil premium", &["no", "yes"]),
        ];
        if ethnicity {
            contexts.push(Dimension::new("Ethnicity", &["White", "Asian", "other"]));
        }
        let names = ["Belonging", "Calm", "Sleep"];
        let measures: Vec<Dimension> = (names[..measures].iter())
            .map(|name| Dimension::new(name, &LEVELS))
            .collect();
        let pupils = (0..pupils)
            .map(|_| {
                let sen = dice.weighted(&[80, 14, 6]);
                let mut pupil = vec![
                    dice.throw(contexts[0].values.len()),
                    sen,
                    dice.weighted(&[7, 3]),
                ];
                if ethnicity {
                    pupil.push(dice.weighted(&[6, 3, 1]));
                }
                for _ in &measures {
                    let low = 2 + 2 * sen;
                    pupil.push(dice.weighted(&[low, 5, 10, 2]));
                }
                pupil
            })
            .collect();
        let mut asks: Vec<Ask> = Vec::new();
        let name = |dimension: &Dimension| dimension.name.clone();
        for measure in &measures {
            for context in &contexts {
                asks.push((name(context), Some(name(measure)), Vec::new()));
            }
            let sen = ("SEN".to_owned(), "N".to_owned());
            asks.push(("Year".to_owned(), Some(name(measure)), vec![sen]));
        }
        for (at, context) in contexts.iter().enumerate() {
            for other in &contexts[at + 1..] {
                asks.push((name(context), Some(name(other)), Vec::new()));
            }
        }
        asks.push(("SEN".to_owned(), None, Vec::new()));
        dice.shuffle(&mut asks);
        Self {
            contexts,
            measures,
            pupils,
            asks,
        }
    }

    fn picture(&self) -> Picture {
        Picture::new(self.contexts.clone(), self.measures.clone(), &self.pupils).unwrap()
    }

    fn table(&self, ask: &Ask) -> Table {
        let within: Vec<(&str, &str)> = (ask.2.iter())
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        (self.picture().table(&ask.0, ask.1.as_deref(), &within)).unwrap()
    }

    /// All that the ledger lets go, and how often it refused.
    fn released(&self) -> (Vec<Released>, usize) {
        let mut ledger = Ledger::new(self.picture());
        let (mut released, mut refused) = (Vec::new(), 0);
        for ask in &self.asks {
            match ledger.admit(&self.table(ask)) {
                Ok(table) => released.push(table),
                Err(Refused::Uncovers | Refused::TooFine) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
        (released, refused)
    }

    /// Only what is small is hidden.
    fn carelessly(&self) -> Vec<Released> {
        (self.asks.iter())
            .map(|ask| {
                let table = self.table(ask);
                let mut grid = table.grid().unwrap();
                grid.hide_small();
                table.released(&grid)
            })
            .collect()
    }

    fn attacker(&self, released: &[Released]) -> Attacker {
        Attacker::new(&self.contexts, &self.measures, released)
    }

    /// Counted from the pupils, by their names.
    fn count(&self, group: &Group) -> usize {
        let dimensions: Vec<&Dimension> = self.contexts.iter().chain(&self.measures).collect();
        let within = |pupil: &&Vec<usize>| {
            group.iter().all(|(name, value)| {
                let at = dimensions.iter().position(|d| d.name == *name).unwrap();
                dimensions[at].values[pupil[at]] == *value
            })
        };
        self.pupils.iter().filter(within).count()
    }
}

#[derive(Default, Debug)]
struct Tally {
    shown: usize,
    hidden: usize,
    secondary: usize,
    refused: usize,
    tables: usize,
    blank: usize,
}

fn tally(school: &School, tally: &mut Tally) -> Vec<Released> {
    let (released, refused) = school.released();
    tally.refused += refused;
    tally.tables += school.asks.len();
    for table in &released {
        tally.blank += usize::from(table.every().all(|cell| cell == Cell::Hidden));
        for (group, cell) in read(table) {
            let truth = school.count(&group);
            match cell {
                Cell::Shown(count) => {
                    assert_eq!(usize::try_from(count).unwrap(), truth, "{group:?}");
                    assert!(count >= 5, "{group:?}");
                    tally.shown += 1;
                }
                Cell::Hidden => {
                    tally.hidden += 1;
                    tally.secondary += usize::from(truth >= 5);
                }
            }
        }
    }
    released
}

/// The schools that are tried: mostly small, where there is most to hide and least to hide it in.
fn schools() -> impl Iterator<Item = School> {
    (0..300).map(|seed| match seed % 30 {
        0 => School::random(seed, 3, 90, 2, false),
        1..6 => School::random(seed, 2, 50, 2, false),
        6..15 => School::random(seed, 3, 60, 1, false),
        _ => School::random(seed, 2, 30, 1, false),
    })
}

#[test]
fn of_three_hundred_schools_no_hidden_number_is_found_out() {
    let mut all = Tally::default();
    for school in schools() {
        let released = tally(&school, &mut all);
        let attacker = school.attacker(&released);
        assert_eq!(attacker.computed(), [], "computed");
        assert_eq!(attacker.narrowed(), [], "narrowed");
    }
    println!("{all:?}");
    assert!(
        all.shown > 3_000 && all.hidden > 3_000 && all.secondary > 1_000,
        "{all:?}"
    );
    assert!(all.refused * 20 < all.tables, "{all:?}");
    assert!(all.blank * 20 < all.tables, "{all:?}");
}

#[test]
fn with_only_the_small_hidden_the_same_attacker_finds_them_out() {
    let (mut computed, mut narrowed) = (0, 0);
    for school in schools().step_by(10) {
        let attacker = school.attacker(&school.carelessly());
        computed += attacker.computed().len();
        narrowed += attacker.narrowed().len();
    }
    assert!(
        computed > 100 && narrowed > computed,
        "{computed} {narrowed}"
    );
}

#[test]
fn tables_made_safe_one_by_one_are_found_out_together() {
    let mut found = 0;
    for school in schools().step_by(10) {
        let alone: Vec<Released> = (school.asks.iter())
            .filter_map(|ask| school.table(ask).release().ok())
            .collect();
        // What one table hides and another shows is no riddle at all.
        let shown: Vec<Group> = (alone.iter().flat_map(read))
            .filter(|(_, cell)| *cell != Cell::Hidden)
            .map(|(group, _)| group)
            .collect();
        let attacker = school.attacker(&alone);
        found += (attacker.narrowed().iter())
            .filter(|group| !shown.contains(group))
            .count();
    }
    assert!(found > 20, "{found}");
}

#[test]
fn not_even_a_list_of_every_school_that_fits_tells_more() {
    let (mut listed, mut hidden) = (0, 0);
    for seed in 0..60 {
        let mut school = School::random(1_000 + seed, 2, 24, 1, false);
        // Two years, with or without special needs, two levels: few enough to list.
        school.contexts.truncate(2);
        school.contexts[1] = Dimension::new("SEN", &["N", "K"]);
        school.measures[0] = Dimension::new("Belonging", &LEVELS[..2]);
        for pupil in &mut school.pupils {
            *pupil = vec![pupil[0], usize::from(pupil[1] > 0), pupil[3].min(1)];
        }
        school
            .asks
            .retain(|ask| ask.0 != "Pupil premium" && ask.1.as_deref() != Some("Pupil premium"));
        let (released, _) = school.released();
        let attacker = school.attacker(&released);
        if let Some(narrow) = attacker.listed(60_000) {
            assert_eq!(narrow, [], "school {seed}");
            listed += 1;
            hidden += attacker.hidden.len();
        }
    }
    assert!(listed >= 20 && hidden >= 100, "{listed} {hidden}");
}
