//! The unique pupil number: what makes one valid, what its parts say, and which number was probably meant.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::Date;

mod authority;
mod meant;

pub use authority::is_known_la;
pub use meant::suggestions;

/// Letters of a number in the order of their values, 0 to 22. I, O and S are left out: they look like 1, 0 and 5.
const LETTERS: [char; 23] = [
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'T', 'U', 'V',
    'W', 'X', 'Y', 'Z',
];

const LENGTH: usize = 13;

/// The first year in which numbers were given.
const FIRST_YEAR: i32 = 1997;

/// A valid unique pupil number, in capitals and without spaces.
///
/// Check letter, three digits of the local authority, four of the establishment, two of the year of allocation, and a serial of
/// three digits, or of two digits and a letter in a temporary number (Government Data Standards Catalogue, Unique Pupil
/// Number 2.0). It is for education alone: never a name to sign in with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Upn(String);

/// Why something is no UPN, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum UpnFault {
    /// Nothing was given. Common Basic Data Set error 1500.
    #[error("There is no UPN: add it, or keep the pupil as awaiting one.")]
    Missing,
    /// Not 13 characters long.
    #[error(
        "A UPN has 13 characters and this one has {0}: copy it again from the school’s records."
    )]
    Length(usize),
    /// I, O or S, which no UPN has. The place, from 1, and the digit that it looks like.
    #[error(
        "Character {position} is “{found}”, which no UPN has: it looks like {digit}, so copy the number again."
    )]
    LooksLike {
        /// Which character, from 1.
        position: usize,
        /// I, O or S.
        found: char,
        /// 1, 0 or 5.
        digit: char,
    },
    /// The first character is not one of the 23 letters.
    #[error(
        "A UPN begins with a letter other than I, O and S, not with “{0}”: copy it again from the school’s records."
    )]
    FirstLetter(char),
    /// Not a digit where one belongs.
    #[error(
        "Character {position} is “{found}” and must be a digit: copy the number again from the school’s records."
    )]
    Digit {
        /// Which character, from 1.
        position: usize,
        /// What stands there.
        found: char,
    },
    /// Neither a digit nor one of the 23 letters at the end.
    #[error(
        "The last character is “{0}” and must be a digit, or a letter other than I, O and S if temporary: copy it again."
    )]
    LastCharacter(char),
    /// The check letter is another one. Common Basic Data Set error 1510.
    #[error(
        "The check letter is {found} where these digits need {needed}: one character is wrong, so copy the number again."
    )]
    CheckLetter {
        /// As given.
        found: char,
        /// What the other characters need.
        needed: char,
    },
}

/// What is odd about a valid UPN, in one sentence. It never stops a pupil from being entered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UpnWarning {
    /// No authority of that number is known.
    #[error(
        "No local authority with the number {0} is known: check that the UPN was copied as it is."
    )]
    UnknownAuthority(String),
    /// Said to be allocated in a year that has not begun.
    #[error(
        "The UPN says it was allocated in {0}, which has not begun: check that it was copied as it is."
    )]
    Future(i32),
}

impl Upn {
    /// Reads a number as somebody typed it: spaces and lower case are forgiven, nothing else is.
    pub fn parse(typed: &str) -> Result<Self, UpnFault> {
        let text = plain(typed);
        let found: Vec<char> = text.chars().collect();
        if found.is_empty() {
            return Err(UpnFault::Missing);
        }
        if found.len() != LENGTH {
            return Err(UpnFault::Length(found.len()));
        }
        for (place, c) in found.iter().copied().enumerate() {
            shape(place, c)?;
        }
        let needed = check_letter(&text).ok_or(UpnFault::Length(found.len()))?;
        match found.first().copied() {
            Some(first) if first != needed => Err(UpnFault::CheckLetter {
                found: first,
                needed,
            }),
            _ => Ok(Self(text)),
        }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the school gave it until the real one is known: it ends in a letter.
    pub fn is_temporary(&self) -> bool {
        self.0.ends_with(|c: char| c.is_ascii_alphabetic())
    }

    /// The number of the local authority that allocated it, three digits.
    pub fn la(&self) -> &str {
        self.0.get(1..4).unwrap_or_default()
    }

    /// The number of the establishment that allocated it, four digits.
    pub fn establishment(&self) -> &str {
        self.0.get(4..8).unwrap_or_default()
    }

    /// The year of allocation. The number has two digits of it, so it is the latest such year up to today's; where UPNs did not
    /// exist then, the next one, which is in the future.
    pub fn allocated_year(&self, today: Date) -> i32 {
        let digits: i32 = self
            .0
            .get(8..10)
            .and_then(|year| year.parse().ok())
            .unwrap_or_default();
        let past = today.year() - (today.year() - digits).rem_euclid(100);
        if past < FIRST_YEAR { past + 100 } else { past }
    }

    /// What is odd about it: an authority that the caller does not know ([`is_known_la`]), a year that has not begun.
    pub fn warnings(&self, known_la: impl Fn(&str) -> bool, today: Date) -> Vec<UpnWarning> {
        let mut warnings = Vec::new();
        if !known_la(self.la()) {
            warnings.push(UpnWarning::UnknownAuthority(self.la().to_owned()));
        }
        let year = self.allocated_year(today);
        if year > today.year() {
            warnings.push(UpnWarning::Future(year));
        }
        warnings
    }
}

impl std::fmt::Display for Upn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Upn {
    type Error = UpnFault;

    fn try_from(text: String) -> Result<Self, UpnFault> {
        Self::parse(&text)
    }
}

impl From<Upn> for String {
    fn from(upn: Upn) -> Self {
        upn.0
    }
}

/// The check letter that the second to the last character need: the sum of place times value, modulo 23, as a letter. The first
/// character is not looked at. None where the text has not the form of a UPN after it.
pub fn check_letter(upn: &str) -> Option<char> {
    let text = plain(upn);
    if text.chars().count() != LENGTH {
        return None;
    }
    let mut sum = 0;
    for (place, c) in text.chars().enumerate().skip(1) {
        shape(place, c).ok()?;
        sum += (place + 1) * value(c)?;
    }
    LETTERS.get(sum % LETTERS.len()).copied()
}

fn plain(typed: &str) -> String {
    typed
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// Whether a character may stand at a place, from 0.
fn shape(place: usize, c: char) -> Result<(), UpnFault> {
    let position = place + 1;
    let letter = LETTERS.contains(&c);
    if place == 0 {
        return if letter {
            Ok(())
        } else {
            Err(UpnFault::FirstLetter(c))
        };
    }
    if c.is_ascii_digit() || (letter && position == LENGTH) {
        return Ok(());
    }
    Err(match looks_like(c) {
        Some(digit) => UpnFault::LooksLike {
            position,
            found: c,
            digit,
        },
        None if position == LENGTH => UpnFault::LastCharacter(c),
        None => UpnFault::Digit { position, found: c },
    })
}

fn looks_like(c: char) -> Option<char> {
    match c {
        'I' => Some('1'),
        'O' => Some('0'),
        'S' => Some('5'),
        _ => None,
    }
}

fn value(c: char) -> Option<usize> {
    c.to_digit(10)
        .and_then(|digit| usize::try_from(digit).ok())
        .or_else(|| LETTERS.iter().position(|letter| *letter == c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::date;

    const TODAY: Date = date!(2026 - 11 - 22);

    fn upn(text: &str) -> Upn {
        Upn::parse(text).unwrap()
    }

    #[test]
    fn the_numbers_of_the_worked_table_have_the_letters_it_works_out() {
        for (rest, letter) in [
            ("801200005001", 'B'),
            // The page of one supplier works this out as Q, from a sum that is one too high.
            ("207000016049", 'P'),
            ("80120000500A", 'M'),
            ("80120000500Z", 'Y'),
            ("938400024001", 'N'),
            ("201300025100", 'L'),
            ("940200025001", 'G'),
        ] {
            assert_eq!(check_letter(&format!("A{rest}")), Some(letter), "{rest}");
            assert_eq!(upn(&format!("{letter}{rest}")).as_str()[1..], *rest);
        }
        assert_eq!(
            Upn::parse("A801200005001"),
            Err(UpnFault::CheckLetter {
                found: 'A',
                needed: 'B'
            })
        );
        assert!(Upn::parse("Q207000016049").is_err());
    }

    #[test]
    fn spaces_and_lower_case_are_forgiven() {
        assert_eq!(upn(" b801 2000 05001\u{a0}").as_str(), "B801200005001");
    }

    #[test]
    fn each_fault_has_its_own_sentence() {
        for (typed, fault, word) in [
            ("  ", UpnFault::Missing, "awaiting"),
            ("B80120000500", UpnFault::Length(12), "has 12"),
            ("B8012000050011", UpnFault::Length(14), "has 14"),
            (
                "B8O1200005001",
                UpnFault::LooksLike {
                    position: 3,
                    found: 'O',
                    digit: '0',
                },
                "looks like 0",
            ),
            (
                "B80120000500I",
                UpnFault::LooksLike {
                    position: 13,
                    found: 'I',
                    digit: '1',
                },
                "Character 13",
            ),
            (
                "B80120000S001",
                UpnFault::LooksLike {
                    position: 10,
                    found: 'S',
                    digit: '5',
                },
                "looks like 5",
            ),
            ("8801200005001", UpnFault::FirstLetter('8'), "begins with"),
            (
                "O801200005001",
                UpnFault::FirstLetter('O'),
                "other than I, O",
            ),
            (
                "B8X1200005001",
                UpnFault::Digit {
                    position: 3,
                    found: 'X',
                },
                "must be a digit",
            ),
            ("B80120000500%", UpnFault::LastCharacter('%'), "temporary"),
        ] {
            assert_eq!(Upn::parse(typed), Err(fault.clone()), "{typed}");
            assert!(fault.to_string().contains(word), "{fault}");
        }
        // Digits of other scripts are no digits of a UPN.
        assert!(Upn::parse("B80120000500١").is_err());
    }

    #[test]
    fn a_temporary_number_ends_in_a_letter() {
        assert!(upn("M80120000500A").is_temporary());
        assert!(!upn("B801200005001").is_temporary());
    }

    #[test]
    fn the_parts_say_who_allocated_it_and_when() {
        let north_northants = upn("G940200025001");
        assert_eq!(north_northants.la(), "940");
        assert_eq!(north_northants.establishment(), "2000");
        assert_eq!(north_northants.allocated_year(TODAY), 2025);
        assert!(north_northants.warnings(is_known_la, TODAY).is_empty());
        assert_eq!(
            north_northants.warnings(|_| false, TODAY),
            [UpnWarning::UnknownAuthority("940".to_owned())]
        );
    }

    #[test]
    fn a_year_is_the_latest_that_has_begun_and_before_1997_it_is_in_the_future() {
        for (digits, year) in [
            ("26", 2026),
            ("27", 2027),
            ("97", 1997),
            ("96", 2096),
            ("00", 2000),
        ] {
            let text = format!("A8012000{digits}001");
            let number = upn(&format!("{}{}", check_letter(&text).unwrap(), &text[1..]));
            assert_eq!(number.allocated_year(TODAY), year, "{digits}");
            assert_eq!(
                number.warnings(is_known_la, TODAY).is_empty(),
                year <= 2026,
                "{digits}"
            );
        }
    }

    #[test]
    fn a_number_is_not_read_back_where_it_is_not_valid() {
        let good: Result<Upn, _> = serde_json::from_str("\"B801200005001\"");
        assert_eq!(good.unwrap(), upn("B801200005001"));
        assert!(serde_json::from_str::<Upn>("\"A801200005001\"").is_err());
    }

    /// Any twelve characters after the letter, and the letter they need.
    fn numbers() -> impl Strategy<Value = Upn> {
        "[0-9]{11}[0-9A-HJ-NP-RT-Z]".prop_map(|rest| {
            let letter = check_letter(&format!("A{rest}")).unwrap();
            upn(&format!("{letter}{rest}"))
        })
    }

    fn is_valid(characters: &[char]) -> bool {
        Upn::parse(&characters.iter().collect::<String>()).is_ok()
    }

    proptest! {
        #[test]
        fn no_single_wrong_character_goes_unnoticed(number in numbers()) {
            let characters: Vec<char> = number.as_str().chars().collect();
            for place in 0..LENGTH {
                for c in LETTERS.into_iter().chain('0'..='9').filter(|c| *c != characters[place]) {
                    // At the end a letter and a digit may have one value; every other change is found.
                    if place + 1 == LENGTH && value(c) == value(characters[place]) {
                        continue;
                    }
                    let mut wrong = characters.clone();
                    wrong[place] = c;
                    prop_assert!(!is_valid(&wrong));
                }
            }
        }

        #[test]
        fn no_two_neighbours_changed_over_go_unnoticed(number in numbers()) {
            let characters: Vec<char> = number.as_str().chars().collect();
            for place in 1..LENGTH {
                let mut wrong = characters.clone();
                wrong.swap(place - 1, place);
                if wrong != characters {
                    // A letter and a digit of one value change over nothing but the form, which is refused by itself.
                    prop_assert!(!is_valid(&wrong));
                }
            }
        }
    }
}
