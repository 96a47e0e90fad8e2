//! The file that is brought in: pupils as a school's own system exports them, a few of them on two lines, and a few with a
//! number that cannot be.

use std::fmt::Write as _;

use domain::{
    day,
    demo::pupils::{
        School,
        roster::{Row, Wanted, rows},
    },
};
use sha2::{Digest as _, Sha256};
use time::Date;

use crate::{
    clock,
    fault::{Result, said},
};

/// Whose pupils they could be, and from which number the demo makes them up: always the same ones.
const LIKE: &str = "northgate";
const SEED: u64 = 6;
/// Of so many lines one has a wrong check letter, and one is the pupil of the line before in another class.
const EVERY: usize = 1_000;
/// What the two lines of one pupil say of the class; all others say nothing.
const CLASSES: [&str; 2] = ["Choir", "Chess"];
const HEADER: &str = "Adno,UPN,Legal Surname,Legal Forename,DOB,Sex,Year,Reg,Class\r\n";

/// What has to become of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It puts a pupil on the roll.
    New,
    /// It is of the pupil of the line before.
    Again,
    /// It is left out.
    Wrong,
}

/// One line, in the words that the roll has for it.
#[derive(Clone, Debug)]
pub struct Line {
    /// What has to become of it.
    pub fate: Fate,
    /// The unique pupil number.
    pub upn: String,
    /// The school's own number.
    pub admission_number: String,
    /// In law.
    pub last_name: String,
    /// In law.
    pub first_name: String,
    /// Date of birth.
    pub born: Date,
    /// As the census has it.
    pub sex: &'static str,
    /// "10", for which the file says "Year 10".
    pub year_group: &'static str,
    /// The registration group.
    pub registration: String,
    /// Empty for most.
    pub class: &'static str,
    year_name: &'static str,
}

/// A roster.
pub struct Roster {
    /// The lines below the header, in their order.
    pub lines: Vec<Line>,
}

impl Roster {
    /// One of so many lines.
    pub fn new(many: usize) -> Result<Self> {
        let wanted = Wanted {
            school: School::of(LIKE).ok_or_else(|| said("The demo has other schools now."))?,
            seed: SEED,
            pupils: u32::try_from(many).map_err(|_| said("Too many lines."))?,
            faults: 0,
            sensitive: false,
            today: day::today(clock::now() / 1_000_000),
        };
        let mut people = rows(wanted).map_err(|why| said(why.to_string()))?;
        let mut lines: Vec<Line> = Vec::with_capacity(many);
        while lines.len() < many {
            let again = lines.len() % EVERY == EVERY - 1;
            let line = match lines.last_mut().filter(|_| again) {
                Some(before) => {
                    [before.class, _] = CLASSES;
                    let mut line = before.clone();
                    [_, line.class] = CLASSES;
                    line.fate = Fate::Again;
                    line
                }
                None => Line::of(
                    people
                        .next()
                        .ok_or_else(|| said("Too few pupils were made up."))?,
                ),
            };
            lines.push(line);
        }
        for line in lines.iter_mut().skip(EVERY / 2).step_by(EVERY) {
            line.fate = Fate::Wrong;
            // One letter alone is right.
            let other = if line.upn.starts_with('A') { "B" } else { "A" };
            line.upn.replace_range(..1, other);
        }
        Ok(Self { lines })
    }

    /// How many lines have to come to that.
    pub fn many(&self, fate: Fate) -> usize {
        self.lines.iter().filter(|line| line.fate == fate).count()
    }

    /// The file.
    pub fn csv(&self) -> String {
        let mut file = HEADER.to_owned();
        for line in &self.lines {
            let (day, month) = (line.born.day(), u8::from(line.born.month()));
            // Of names alone it is not known that nothing in them has to be put in quotation marks.
            let _ = write!(
                file,
                "{},{},{},{},{day:02}/{month:02}/{},{},{},{},{}\r\n",
                line.admission_number,
                line.upn,
                quoted(&line.last_name),
                quoted(&line.first_name),
                line.born.year(),
                line.sex,
                line.year_name,
                line.registration,
                line.class
            );
        }
        file
    }

    /// What the roll adds up to with these pupils on it, and no others: see [`super::roll::sum`].
    pub fn sum(&self) -> [u8; 32] {
        let mut pupils: Vec<&Line> = self
            .lines
            .iter()
            .filter(|line| line.fate == Fate::New)
            .collect();
        pupils.sort_by(|one, other| one.admission_number.cmp(&other.admission_number));
        let mut sum = Sha256::new();
        for line in pupils {
            let Line {
                upn,
                admission_number,
                last_name,
                first_name,
                born,
                sex,
                year_group,
                registration,
                ..
            } = line;
            sum.update(format!(
                "{upn}|{admission_number}|{first_name}|{last_name}|{born}|{sex}|{year_group}|{registration}\n"
            ));
        }
        sum.finalize().into()
    }
}

impl Line {
    fn of(row: Row) -> Self {
        let pupil = row.pupil;
        Self {
            fate: Fate::New,
            upn: pupil
                .upn
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            admission_number: pupil.admission_number,
            last_name: pupil.last_name,
            first_name: pupil.first_name.to_owned(),
            born: pupil.born,
            sex: pupil.sex.code(),
            year_group: pupil.year.code(),
            registration: pupil.registration,
            class: "",
            year_name: pupil.year.name(),
        }
    }
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::pupil::upn::Upn;

    #[test]
    fn a_roster_has_one_wrong_line_and_one_pupil_twice_in_a_thousand() {
        let roster = Roster::new(3_000).unwrap();
        assert_eq!(roster.lines.len(), 3_000);
        assert_eq!((roster.many(Fate::Wrong), roster.many(Fate::Again)), (3, 3));
        for line in &roster.lines {
            assert_eq!(Upn::parse(&line.upn).is_err(), line.fate == Fate::Wrong);
        }
        let pair = &roster.lines[998..1_000];
        assert_eq!(pair[0].upn, pair[1].upn);
        assert_eq!((pair[0].class, pair[1].class), ("Choir", "Chess"));
        assert_eq!(roster.csv().lines().count(), 3_001);
    }

    #[test]
    fn a_roll_that_says_anything_else_adds_up_to_something_else() {
        let mut roster = Roster::new(100).unwrap();
        let sum = roster.sum();
        assert_eq!(Roster::new(100).unwrap().sum(), sum);
        roster.lines[7].registration.push('x');
        assert_ne!(roster.sum(), sum);
    }
}
