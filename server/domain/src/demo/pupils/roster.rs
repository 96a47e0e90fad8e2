//! A roster as a school's own system exports it, with known faults in known lines: for tests, and for trying the import out.

use std::iter::{Enumerate, Peekable};

use time::{Date, Duration};

use super::{
    School,
    people::{self, Pupil, people},
};
use crate::{
    pupil::{
        field::Field,
        upn::{Upn, check_letter},
    },
    roster::fault::Code,
};

/// The most pupils of one: more than an import takes, so that this too can be tried.
pub const PUPILS_MOST: u32 = 120_000;

/// What a roster is to be.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Whose.
    pub school: &'static School,
    /// From which everything follows; with [`super::SEED`] it is the roll that the demo has.
    pub seed: u64,
    /// How many.
    pub pupils: u32,
    /// How many of them have a fault: at most every second one, so that two faults never touch.
    pub faults: u32,
    /// Whether it has the optional fields too.
    pub sensitive: bool,
    /// The day of the export.
    pub today: Date,
}

/// Why there is no such roster, in one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoster {
    /// None, or more than can be told apart.
    #[error("Ask for 1 to {PUPILS_MOST} pupils.")]
    Pupils,
    /// Two faults would touch.
    #[error("Ask for at most half as many faults as pupils.")]
    Faults,
}

/// Something wrong that schools' files have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slip {
    /// Another check letter than the digits need.
    CheckLetter,
    /// The letter O for a nought.
    LetterForNought,
    /// 31 February.
    NoSuchDay,
    /// The month before the day, where the rest of the column has it behind.
    DayAndMonth,
    /// No surname.
    NoSurname,
    /// "Year 31".
    NoSuchYear,
    /// The number of the pupil on the line before. It stands on both.
    UpnTwice,
    /// A formula in place of a surname.
    Formula,
    /// A first name of 200 characters.
    LongName,
    /// A birthday to come.
    NotYetBorn,
    /// S, the statement, which was retired in 2015.
    RetiredSen,
    /// An ethnicity code that is not one of the main ones.
    OwnEthnicity,
}

impl Slip {
    /// Every one; the last two are in columns that only a sensitive roster has.
    pub const ALL: &[Self] = &[
        Self::CheckLetter,
        Self::LetterForNought,
        Self::NoSuchDay,
        Self::DayAndMonth,
        Self::NoSurname,
        Self::NoSuchYear,
        Self::UpnTwice,
        Self::Formula,
        Self::LongName,
        Self::NotYetBorn,
        Self::RetiredSen,
        Self::OwnEthnicity,
    ];

    /// As the list of faults names it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CheckLetter => "wrong_check_letter",
            Self::LetterForNought => "letter_for_nought",
            Self::NoSuchDay => "no_such_day",
            Self::DayAndMonth => "day_and_month_swapped",
            Self::NoSurname => "no_surname",
            Self::NoSuchYear => "no_such_year",
            Self::UpnTwice => "upn_twice",
            Self::Formula => "formula",
            Self::LongName => "long_name",
            Self::NotYetBorn => "not_yet_born",
            Self::RetiredSen => "retired_sen",
            Self::OwnEthnicity => "own_ethnicity",
        }
    }

    /// The field that it is in.
    pub const fn field(self) -> Field {
        match self {
            Self::CheckLetter | Self::LetterForNought | Self::UpnTwice => Field::Upn,
            Self::NoSuchDay | Self::DayAndMonth | Self::NotYetBorn => Field::Born,
            Self::NoSurname | Self::Formula => Field::LastName,
            Self::LongName => Field::FirstName,
            Self::NoSuchYear => Field::YearGroup,
            Self::RetiredSen => Field::Sen,
            Self::OwnEthnicity => Field::Ethnicity,
        }
    }

    /// The rule that finds it.
    pub const fn rule(self) -> Code {
        match self {
            Self::CheckLetter => Code::UpnCheck,
            Self::LetterForNought => Code::UpnCharacter,
            Self::NoSuchDay | Self::DayAndMonth => Code::Date,
            Self::NoSurname => Code::Missing,
            Self::NoSuchYear => Code::YearGroup,
            Self::UpnTwice => Code::UpnTwice,
            Self::Formula => Code::Formula,
            Self::LongName => Code::Text,
            Self::NotYetBorn => Code::BornWhen,
            Self::RetiredSen => Code::Sen,
            Self::OwnEthnicity => Code::EthnicityMapping,
        }
    }

    fn possible(sensitive: bool) -> &'static [Self] {
        if sensitive {
            Self::ALL
        } else {
            &Self::ALL[..Self::ALL.len() - 2]
        }
    }
}

/// What a cell is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A table that people read: 09/05/2016, "Year 4", "English".
    Table,
    /// A Common Transfer File: 2016-05-09, "4", "ENG".
    Transfer,
}

/// The columns of a table, as a school's system calls them.
pub fn columns(sensitive: bool) -> Vec<(Field, &'static str)> {
    let mut columns = vec![
        (Field::AdmissionNumber, "Adno"),
        (Field::Upn, "UPN"),
        (Field::LastName, "Legal Surname"),
        (Field::FirstName, "Legal Forename"),
        (Field::Born, "DOB"),
        (Field::Sex, "Sex"),
        (Field::YearGroup, "Year"),
        (Field::RegistrationGroup, "Reg"),
        (Field::ClassName, "Class"),
        (Field::ClassCode, "Class code"),
        (Field::Teacher, "Teacher"),
        (Field::Supervisor, "Supervisor"),
    ];
    if sensitive {
        columns.extend([
            (Field::PreferredName, "Preferred Forename"),
            (Field::Ethnicity, "Ethnicity"),
            (Field::Fsm, "FSM"),
            (Field::Fsm6, "FSM Ever 6"),
            (Field::LookedAfter, "In Care"),
            (Field::PupilPremium, "Pupil Premium"),
            (Field::Sen, "SEN Status"),
            (Field::ServiceChild, "Service child"),
            (Field::Traveller, "Traveller"),
            (Field::HomeLanguage, "Home language"),
            (Field::MoreAble, "More able"),
        ]);
    }
    columns
}

/// One pupil's line.
#[derive(Clone, Debug)]
pub struct Row {
    /// Who it is of, as it should be.
    pub pupil: Pupil,
    /// What is wrong with it.
    pub slip: Option<Slip>,
    /// The number of somebody else, where it has that.
    copied: Option<Upn>,
    seed: u64,
    today: Date,
}

/// The lines of a roster, one after another; never more than two pupils are held at once.
pub fn rows(wanted: Wanted) -> Result<impl Iterator<Item = Row>, NoRoster> {
    let Wanted {
        school,
        seed,
        pupils,
        faults,
        sensitive,
        today,
    } = wanted;
    if !(1..=PUPILS_MOST).contains(&pupils) {
        return Err(NoRoster::Pupils);
    }
    if faults > pupils / 2 {
        return Err(NoRoster::Faults);
    }
    let slips = Slips {
        pupils: u64::from(pupils),
        faults: u64::from(faults),
        next: 0,
        possible: Slip::possible(sensitive),
    };
    Ok(Rows {
        people: people(school, seed, pupils, today).enumerate(),
        slips: slips.peekable(),
        before: None,
        seed,
        today,
    })
}

struct Rows<P: Iterator<Item = Pupil>> {
    people: Enumerate<P>,
    slips: Peekable<Slips>,
    before: Option<Upn>,
    seed: u64,
    today: Date,
}

impl<P: Iterator<Item = Pupil>> Iterator for Rows<P> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let (place, pupil) = self.people.next()?;
        let before = std::mem::replace(&mut self.before, pupil.upn.clone());
        let here = self
            .slips
            .next_if(|(at, _)| *at == place)
            .map(|(_, slip)| slip);
        // Whose number is taken on the next line has the fault as well.
        let taken = self
            .slips
            .peek()
            .is_some_and(|(at, slip)| *at == place + 1 && *slip == Slip::UpnTwice);
        Some(Row {
            pupil,
            slip: here.or(taken.then_some(Slip::UpnTwice)),
            copied: before.filter(|_| here == Some(Slip::UpnTwice)),
            seed: self.seed,
            today: self.today,
        })
    }
}

/// At which lines, counted from nought, there is which fault: each in its turn, evenly over the whole.
struct Slips {
    pupils: u64,
    faults: u64,
    next: u64,
    possible: &'static [Slip],
}

impl Iterator for Slips {
    type Item = (usize, Slip);

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.faults {
            return None;
        }
        let at = (2 * self.next + 1) * self.pupils / (2 * self.faults);
        let turn = usize::try_from(self.next).ok()? % self.possible.len();
        self.next += 1;
        Some((usize::try_from(at).ok()?, self.possible[turn]))
    }
}

impl Row {
    /// What the file says in the cell of a field.
    pub fn said(&self, field: Field, way: Way) -> String {
        match self.slip {
            Some(slip) if slip.field() == field => self.wrong(slip, way),
            _ => self.right(field, way),
        }
    }

    /// Whether a cell is as it should be.
    pub fn is_right(&self, field: Field) -> bool {
        self.slip.is_none_or(|slip| slip.field() != field)
    }

    fn right(&self, field: Field, way: Way) -> String {
        let pupil = &self.pupil;
        let of = &pupil.circumstances;
        let class = pupil.classes.first();
        match field {
            Field::Upn => pupil
                .upn
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            Field::AdmissionNumber => pupil.admission_number.clone(),
            Field::FirstName => pupil.first_name.to_owned(),
            Field::LastName => pupil.last_name.clone(),
            Field::PreferredName => pupil.preferred_name.unwrap_or(pupil.first_name).to_owned(),
            Field::Born => day(pupil.born, way),
            Field::Sex => pupil.sex.code().to_owned(),
            Field::YearGroup => match way {
                Way::Table => pupil.year.name(),
                Way::Transfer => pupil.year.code(),
            }
            .to_owned(),
            Field::RegistrationGroup => pupil.registration.clone(),
            Field::ClassName => class.map(|(name, _)| name.clone()).unwrap_or_default(),
            Field::ClassCode => class.map(|(_, code)| code.clone()).unwrap_or_default(),
            Field::Teacher => people::teacher(self.seed, class.map_or("", |(_, code)| code)),
            Field::Supervisor => people::teacher(self.seed, &pupil.registration),
            Field::Ethnicity => of.ethnicity.code().to_owned(),
            Field::Fsm
            | Field::Fsm6
            | Field::LookedAfter
            | Field::PupilPremium
            | Field::ServiceChild
            | Field::Traveller
            | Field::MoreAble => {
                let yes = field.tag().is_some_and(|tag| of.yes.contains(&tag));
                if yes { "Y" } else { "N" }.to_owned()
            }
            Field::Sen => of.sen.code().to_owned(),
            Field::HomeLanguage => match way {
                Way::Table => of.home_language.0,
                Way::Transfer => of.home_language.1,
            }
            .to_owned(),
        }
    }

    fn wrong(&self, slip: Slip, way: Way) -> String {
        let born = self.pupil.born;
        match slip {
            Slip::CheckLetter => {
                let upn = self.right(Field::Upn, way);
                let other = if check_letter(&upn) == Some('A') {
                    'B'
                } else {
                    'A'
                };
                format!("{other}{}", upn.get(1..).unwrap_or_default())
            }
            // Every number has one, in that of the authority.
            Slip::LetterForNought => self.right(Field::Upn, way).replacen('0', "O", 1),
            Slip::NoSuchDay => parts(31, 2, born.year(), way),
            Slip::DayAndMonth => {
                // A day that is no month.
                let day = if born.day() > 12 {
                    born.day()
                } else {
                    born.day() + 12
                };
                parts(u8::from(born.month()), day, born.year(), way)
            }
            Slip::NoSurname => String::new(),
            Slip::NoSuchYear => match way {
                Way::Table => "Year 31",
                Way::Transfer => "31",
            }
            .to_owned(),
            Slip::UpnTwice => match &self.copied {
                Some(upn) => upn.to_string(),
                None => self.right(Field::Upn, way),
            },
            Slip::Formula => "=HYPERLINK(\"https://example.invalid/\",\"Smith\")".to_owned(),
            Slip::LongName => "Ann ".repeat(50).trim_end().to_owned() + "e",
            Slip::NotYetBorn => day(self.today.saturating_add(Duration::days(200)), way),
            Slip::RetiredSen => "S".to_owned(),
            Slip::OwnEthnicity => "WXYZ".to_owned(),
        }
    }
}

fn day(day: Date, way: Way) -> String {
    parts(day.day(), u8::from(day.month()), day.year(), way)
}

fn parts(day: u8, month: u8, year: i32, way: Way) -> String {
    match way {
        Way::Table => format!("{day:02}/{month:02}/{year:04}"),
        Way::Transfer => format!("{year:04}-{month:02}-{day:02}"),
    }
}

#[cfg(test)]
mod tests;
