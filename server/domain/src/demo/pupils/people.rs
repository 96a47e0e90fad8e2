//! Who the pupils of a school are. Each is worked out by itself from the seed and their place on the roll, so that a hundred
//! thousand take no more room than one.

use time::{Date, Duration};

use super::{AUTHORITY, School, dice::Dice, names};
use crate::pupil::{
    code::{Ethnicity, Sen, Sex},
    field::TagKind,
    upn::{Upn, check_letter},
    year::{SchoolYear, YearGroup},
};

/// The most pupils of a registration group.
const GROUP: usize = 30;
/// Of two born on one day the second twin's name stands so much further in the list, where nobody else's of that day does.
const TWIN: usize = 61;

/// A pupil of nobody in particular.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pupil {
    /// In law.
    pub first_name: &'static str,
    /// In law.
    pub last_name: String,
    /// What they are called, where that is another name.
    pub preferred_name: Option<&'static str>,
    /// Date of birth.
    pub born: Date,
    /// As the census has it.
    pub sex: Sex,
    /// That of their age.
    pub year: YearGroup,
    /// Their number, which nobody here awaits.
    pub upn: Option<Upn>,
    /// The school's own number for them.
    pub admission_number: String,
    /// "4W".
    pub registration: String,
    /// What they are taught in, by name and code: "Year 7 Mathematics 1", "7Ma1". At a primary school the registration group.
    pub classes: Vec<(String, String)>,
    /// What a roster can say beyond that.
    pub circumstances: Circumstances,
}

/// What a school may record of a pupil's circumstances. None of it is worked out from a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// A main code.
    pub ethnicity: Ethnicity,
    /// SEN provision.
    pub sen: Sen,
    /// Which of those that are yes or no are yes.
    pub yes: Vec<TagKind>,
    /// Spoken at home, with the code that a transfer file has for it (ISO 639-2).
    pub home_language: (&'static str, &'static str),
}

const LANGUAGES: &[(&str, &str)] = &[
    ("Arabic", "ARA"),
    ("Bengali", "BEN"),
    ("French", "FRE"),
    ("Gujarati", "GUJ"),
    ("Panjabi", "PAN"),
    ("Polish", "POL"),
    ("Portuguese", "POR"),
    ("Romanian", "RUM"),
    ("Somali", "SOM"),
    ("Turkish", "TUR"),
    ("Urdu", "URD"),
    ("Welsh", "WEL"),
    ("Yoruba", "YOR"),
];

/// So many pupils of a school on a day, by year group. The first of each was born on 1 September and the second on 31 August.
pub fn people(
    school: &'static School,
    seed: u64,
    many: u32,
    today: Date,
) -> impl Iterator<Item = Pupil> {
    let roll = Roll {
        school,
        seed,
        many: usize::try_from(many).unwrap_or(usize::MAX),
        this: SchoolYear::of(today),
    };
    (0..roll.many).map(move |place| roll.pupil(place))
}

/// The name of the class teacher, as a roster has it.
pub(super) fn teacher(seed: u64, of: &str) -> String {
    let letters: Vec<u64> = of.bytes().map(u64::from).collect();
    let mut dice = Dice::new(seed, &letters);
    let title = dice.pick(&["Mr", "Mrs", "Ms", "Miss", "Dr"]);
    let initial = dice.pick(&[
        "A", "C", "D", "E", "H", "J", "K", "L", "M", "N", "P", "R", "T", "Y",
    ]);
    format!("{title} {initial} {}", dice.pick(names::SURNAMES))
}

struct Roll {
    school: &'static School,
    seed: u64,
    many: usize,
    this: SchoolYear,
}

/// Where in the school somebody is: which of its year groups, and which pupil of that.
#[derive(Clone, Copy)]
struct Seat {
    year: usize,
    nth: usize,
}

impl Roll {
    fn pupil(&self, place: usize) -> Pupil {
        let seat = self.seat(place);
        let year = self.school.years[seat.year];
        let (first_name, sex) = self.first_name(seat);
        let mut dice = self.dice(1, seat);
        let called = names::CALLED.iter().find(|(name, _)| *name == first_name);
        let preferred_name = called
            .filter(|_| dice.in_thousand(600))
            .map(|(_, called)| *called);
        let group = Self::group(year, seat.nth % self.groups(seat.year));
        Pupil {
            first_name,
            last_name: self.last_name(seat),
            preferred_name,
            born: self.born(seat),
            sex,
            year,
            upn: self.upn(seat),
            admission_number: format!("{:06}", usize_of(self.school.first_admission) + place),
            classes: self.classes(seat, &group),
            registration: group,
            circumstances: circumstances(&mut dice),
        }
    }

    fn dice(&self, of: u64, seat: Seat) -> Dice {
        Dice::new(
            self.seed,
            &[of, self.number(seat.year), number_of(seat.nth)],
        )
    }

    /// The year groups of the two schools throw apart.
    fn number(&self, year: usize) -> u64 {
        let code = self.school.years[year].code();
        code.bytes()
            .fold(0, |sum, byte| sum * 256 + u64::from(byte))
    }

    fn size(&self, year: usize) -> usize {
        let years = self.school.years.len();
        self.many / years + usize::from(year < self.many % years)
    }

    fn seat(&self, place: usize) -> Seat {
        let years = self.school.years.len();
        let (each, more) = (self.many / years, self.many % years);
        let longer = more * (each + 1);
        if place < longer {
            let (year, nth) = (place / (each + 1), place % (each + 1));
            return Seat { year, nth };
        }
        // Past the longer ones there is somebody in each.
        let (year, nth) = ((place - longer) / each, (place - longer) % each);
        Seat {
            year: more + year,
            nth,
        }
    }

    /// The older of two, where somebody is the younger of twins.
    fn twin(seat: Seat) -> Option<Seat> {
        (seat.nth % 180 == 9 && seat.year % 3 == 1).then(|| Seat {
            nth: seat.nth - 1,
            ..seat
        })
    }

    /// The household that somebody is of: a third of some years have a sister or brother two years apart, and a few have more.
    fn household(seat: Seat) -> Seat {
        let seat = Self::twin(seat).unwrap_or(seat);
        let back = if seat.nth % 24 == 5 && seat.year.is_multiple_of(2) {
            seat.year % 8
        } else if seat.nth % 3 == 2 && seat.year % 4 >= 2 {
            2
        } else {
            0
        };
        Seat {
            year: seat.year - back,
            ..seat
        }
    }

    /// Somebody who bears the name of another and is no relation, where a year group has no more pupils than days.
    fn namesake(&self, seat: Seat) -> Option<Seat> {
        let alone = seat.year == 3 && seat.nth == 12 && self.size(seat.year) <= 365;
        alone.then_some(Seat { year: 1, ..seat })
    }

    fn last_name(&self, seat: Seat) -> String {
        if let Some(other) = self.namesake(seat) {
            return self.last_name(other);
        }
        let year = self.school.years[seat.year];
        let mut children = self.school.children.iter();
        if let Some((_, name)) = children.find(|(of, _)| seat.nth == 0 && *of == year) {
            return (*name).to_owned();
        }
        let mut dice = self.dice(2, Self::household(seat));
        let name = dice.pick(names::SURNAMES);
        let other = dice.pick(names::SURNAMES);
        // One of the long ones is enough.
        let short = |name: &str| name.chars().all(char::is_alphabetic) && name.len() <= 10;
        if dice.in_thousand(90) && name != other && short(name) && short(other) {
            return format!("{name}-{other}");
        }
        name.to_owned()
    }

    /// Of those born on one day no two have the same.
    fn first_name(&self, seat: Seat) -> (&'static str, Sex) {
        if let Some(other) = self.namesake(seat) {
            return self.first_name(other);
        }
        let (own, further) = match Self::twin(seat) {
            Some(older) => (older, TWIN),
            None => (seat, 0),
        };
        let days = self.days(own.year);
        let day = self.day(own);
        let first = Dice::new(self.seed, &[3, self.number(own.year), number_of(day)]).next();
        let all = names::GIRLS.len() + names::BOYS.len();
        let first = usize::try_from(first % number_of(all)).unwrap_or_default();
        let place = (first + own.nth / days + further) % all;
        match names::GIRLS.get(place) {
            Some(name) => (name, Sex::Female),
            None => (names::BOYS[place - names::GIRLS.len()], Sex::Male),
        }
    }

    fn born(&self, seat: Seat) -> Date {
        let day = self.day(Self::twin(seat).unwrap_or(seat));
        let day = Duration::days(i64::try_from(day).unwrap_or_default());
        self.cohort(seat.year).first_day().saturating_add(day)
    }

    /// The year of birth, from September to August, of a year group.
    fn cohort(&self, year: usize) -> SchoolYear {
        let older = years_after_reception(self.school.years[year]) + 5;
        (0..older).fold(self.this, |year, _| year.previous())
    }

    fn days(&self, year: usize) -> usize {
        let cohort = self.cohort(year);
        let days = (cohort.last_day() - cohort.first_day()).whole_days() + 1;
        usize::try_from(days).unwrap_or(365)
    }

    /// The day of that year, from nought, so that as many pupils as there are days have one each.
    fn day(&self, seat: Seat) -> usize {
        // Shares no divisor with 365 and 366.
        const STRIDE: usize = 143;
        let days = self.days(seat.year);
        let nth = seat.nth % days;
        let day = nth * STRIDE % days;
        match nth {
            1 => days - 1,
            _ if day == days - 1 => STRIDE,
            _ => day,
        }
    }

    fn upn(&self, seat: Seat) -> Option<Upn> {
        let feeders = self.school.feeders;
        let (establishment, before) = feeders[seat.nth % feeders.len()];
        let nth = seat.nth / feeders.len();
        // A school that gives more than 999 in a year has got another number beside its own.
        let establishment = usize_of(establishment) + nth / 999 * 200;
        let year = self.school.years[seat.year];
        let given = self.this.begins() - years_after_reception(year) - (before - 1);
        let given = given.rem_euclid(100);
        let rest = format!(
            "{AUTHORITY}{:04}{given:02}{:03}",
            establishment % 10_000,
            nth % 999 + 1
        );
        let letter = check_letter(&format!("A{rest}")).unwrap_or('A');
        Upn::parse(&format!("{letter}{rest}")).ok()
    }

    fn groups(&self, year: usize) -> usize {
        self.size(year).div_ceil(GROUP).max(1)
    }

    /// "4W", "RW", and of more groups than letters "7W2".
    fn group(year: YearGroup, nth: usize) -> String {
        const LETTERS: &[char] = &[
            'W', 'B', 'E', 'L', 'R', 'T', 'A', 'C', 'D', 'F', 'G', 'H', 'J', 'K', 'M', 'N', 'P',
            'V', 'Y', 'Z',
        ];
        let round = nth / LETTERS.len();
        let round = if round == 0 {
            String::new()
        } else {
            (round + 1).to_string()
        };
        format!("{}{}{round}", in_group(year), LETTERS[nth % LETTERS.len()])
    }

    fn classes(&self, seat: Seat, group: &str) -> Vec<(String, String)> {
        let year = self.school.years[seat.year];
        if self.school.subjects.is_empty() {
            return vec![(format!("Class {group}"), group.to_owned())];
        }
        let groups = self.groups(seat.year);
        let sets = self.school.subjects.iter().enumerate();
        sets.map(|(nth, (subject, letters))| {
            // Each subject divides the year in its own way, and evenly: of so many pupils as there are sets, one goes into each.
            let turn = [
                4,
                number_of(nth),
                self.number(seat.year),
                number_of(seat.nth / groups),
            ];
            let set = (seat.nth + Dice::new(self.seed, &turn).below(groups)) % groups + 1;
            (
                format!("{} {subject} {set}", year.name()),
                format!("{}{letters}{set}", in_group(year)),
            )
        })
        .collect()
    }
}

/// As the name of a group begins.
fn in_group(year: YearGroup) -> &'static str {
    match year {
        YearGroup::N1 | YearGroup::N2 => "N",
        _ => year.code(),
    }
}

/// How many years after Reception they are taught in it; before it, less than none.
fn years_after_reception(year: YearGroup) -> i32 {
    let place = |of: YearGroup| YearGroup::ALL.iter().position(|year| *year == of);
    let after = |of| place(of).and_then(|place| i32::try_from(place).ok());
    after(year).unwrap_or_default() - after(YearGroup::R).unwrap_or_default()
}

fn circumstances(dice: &mut Dice) -> Circumstances {
    let ethnicity = if dice.in_thousand(600) {
        Ethnicity::Wbri
    } else {
        dice.pick(Ethnicity::ALL)
    };
    let fsm = dice.in_thousand(240);
    let fsm6 = fsm || dice.in_thousand(60);
    let looked_after = dice.in_thousand(8);
    let service_child = dice.in_thousand(20);
    let yes = [
        (TagKind::Fsm, fsm),
        (TagKind::Fsm6, fsm6),
        (TagKind::LookedAfter, looked_after),
        (TagKind::PupilPremium, fsm6 || looked_after || service_child),
        (TagKind::ServiceChild, service_child),
        (TagKind::Traveller, ethnicity.is_traveller()),
        (TagKind::MoreAble, dice.in_thousand(100)),
    ];
    let sen = match dice.below(1000) {
        0..40 => Sen::Plan,
        40..180 => Sen::Support,
        _ => Sen::None,
    };
    let yes = yes.into_iter().filter(|(_, yes)| *yes);
    Circumstances {
        ethnicity,
        sen,
        yes: yes.map(|(tag, _)| tag).collect(),
        home_language: if dice.in_thousand(780) {
            ("English", "ENG")
        } else {
            dice.pick(LANGUAGES)
        },
    }
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or_default()
}

fn number_of(place: usize) -> u64 {
    u64::try_from(place).unwrap_or_default()
}

#[cfg(test)]
mod tests;
