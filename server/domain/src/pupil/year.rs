//! Year groups of the National Curriculum, school years, and which year group a date of birth leads to.

use serde::{Deserialize, Serialize};
use time::{Date, Month};

macro_rules! year_groups {
    ($($variant:ident $code:literal $name:literal;)*) => {
        /// The National Curriculum year that a pupil is taught in, in the order of age: 10 comes after 2. It is stored and sent
        /// as its code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum YearGroup { $(#[doc = $name] #[serde(rename = $code)] $variant,)* }

        impl YearGroup {
            /// Every year group, youngest first.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As the census has it and as it is stored.
            pub const fn code(self) -> &'static str { match self { $(Self::$variant => $code),* } }

            /// As people read it.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),* } }

            /// The year group of a stored code; none for a code that is not in the list.
            pub fn from_code(code: &str) -> Option<Self> { match code { $($code => Some(Self::$variant),)* _ => None } }
        }
    };
}

year_groups! {
    E1 "E1" "Early years 1";
    E2 "E2" "Early years 2";
    N1 "N1" "Nursery 1";
    N2 "N2" "Nursery 2";
    R "R" "Reception";
    Y1 "1" "Year 1";
    Y2 "2" "Year 2";
    Y3 "3" "Year 3";
    Y4 "4" "Year 4";
    Y5 "5" "Year 5";
    Y6 "6" "Year 6";
    Y7 "7" "Year 7";
    Y8 "8" "Year 8";
    Y9 "9" "Year 9";
    Y10 "10" "Year 10";
    Y11 "11" "Year 11";
    Y12 "12" "Year 12";
    Y13 "13" "Year 13";
    Y14 "14" "Year 14";
    X "X" "Not following the curriculum by years";
}

impl YearGroup {
    /// The year group that somebody wrote: "7", "07", "Year 7", "Yr 7", "Y7", "Rec", "YR", "Nursery 1", "Lower sixth".
    ///
    /// None for all else. "Nursery" and "0" are among it: both are used for more than one year, and a person must say which.
    pub fn parse(written: &str) -> Option<Self> {
        let written = written.trim();
        // A spreadsheet may make a decimal of a number.
        let written = written.strip_suffix(".0").unwrap_or(written);
        // "1/2" and "1-2" are two years and not the twelfth.
        let numbers = written
            .split(|c: char| !c.is_ascii_digit())
            .filter(|run| !run.is_empty());
        if numbers.count() > 1 || written.starts_with('-') {
            return None;
        }
        let plain: String = written
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect();
        match plain.as_str() {
            "r" | "rec" | "reception" | "yr" | "yearr" | "receptionyear" | "yearreception"
            | "ncyearr" => {
                return Some(Self::R);
            }
            "lowersixth" | "lower6" | "l6" | "lowersixthform" => return Some(Self::Y12),
            "uppersixth" | "upper6" | "u6" | "uppersixthform" => return Some(Self::Y13),
            _ => {}
        }
        let rest = [
            "curriculumyear",
            "ncyear",
            "yeargroup",
            "year",
            "yr",
            "y",
            "nc",
        ]
        .into_iter()
        .find_map(|word| plain.strip_prefix(word))
        .unwrap_or(&plain);
        let code = rest
            .strip_prefix("nursery")
            .map(|n| format!("N{n}"))
            .or_else(|| rest.strip_prefix("earlyyears").map(|n| format!("E{n}")))
            .unwrap_or_else(|| rest.trim_start_matches('0').to_uppercase());
        Self::from_code(&code)
    }

    /// That of a pupil of so many whole years on the 31 August before the school year begins.
    ///
    /// Those below two are in no year group by their age, and above 18 in none at all.
    fn of_age(age: i32) -> Option<Self> {
        let place = usize::try_from(age.checked_sub(2)?).ok()?;
        Self::ALL
            .iter()
            .copied()
            .filter(|year| *year != Self::E1 && *year != Self::E2 && *year != Self::X)
            .nth(place)
    }
}

impl std::fmt::Display for YearGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A school year in England: from 1 September to 31 August, by which ages are counted, whenever the school's own terms begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SchoolYear {
    begins: i32,
}

impl SchoolYear {
    /// The school year that a day is in.
    pub fn of(day: Date) -> Self {
        let begun = u8::from(day.month()) >= u8::from(Month::September);
        Self {
            begins: day.year() - i32::from(!begun),
        }
    }

    /// The calendar year in which it begins.
    pub const fn begins(self) -> i32 {
        self.begins
    }

    /// "2026/27".
    pub fn label(self) -> String {
        format!("{}/{:02}", self.begins, (self.begins + 1).rem_euclid(100))
    }

    /// Its 1 September.
    pub fn first_day(self) -> Date {
        Date::from_calendar_date(self.begins, Month::September, 1).unwrap_or(Date::MAX)
    }

    /// Its 31 August.
    pub fn last_day(self) -> Date {
        Date::from_calendar_date(self.begins.saturating_add(1), Month::August, 31)
            .unwrap_or(Date::MAX)
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self {
            begins: self.begins.saturating_add(1),
        }
    }

    /// The one before it.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self {
            begins: self.begins.saturating_sub(1),
        }
    }
}

/// The year group that somebody born on that day is in by age: by how old they are on the 31 August before the school year.
/// None below two and above 18. Being taught in another one is lawful, so a difference is a warning and never an error.
pub fn expected(born: Date, year: SchoolYear) -> Option<YearGroup> {
    YearGroup::of_age(age_on(born, year.previous().last_day()))
}

/// Whole years of life on a day, as birthdays count them: those of 29 February end with 28 February in a common year. Negative
/// for one who is not born.
pub fn age_on(born: Date, day: Date) -> i32 {
    let had = (u8::from(day.month()), day.day()) >= (u8::from(born.month()), born.day());
    day.year() - born.year() - i32::from(!had)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const THIS: SchoolYear = SchoolYear { begins: 2026 };

    #[test]
    fn year_groups_stand_in_the_order_of_age() {
        let mut shuffled: Vec<YearGroup> = ["X", "10", "2", "R", "N2", "E1", "14", "1", "N1", "E2"]
            .iter()
            .map(|code| YearGroup::from_code(code).unwrap())
            .collect();
        shuffled.sort_unstable();
        let codes: Vec<&str> = shuffled.iter().map(|year| year.code()).collect();
        assert_eq!(
            codes,
            ["E1", "E2", "N1", "N2", "R", "1", "2", "10", "14", "X"]
        );
        assert!(YearGroup::ALL.is_sorted());
        assert_eq!(YearGroup::ALL.len(), 20);
    }

    #[test]
    fn every_code_and_every_name_leads_back_to_its_year_group() {
        for year in YearGroup::ALL {
            assert_eq!(YearGroup::from_code(year.code()), Some(*year));
            assert_eq!(YearGroup::parse(year.code()), Some(*year));
            let sent = serde_json::to_string(year).unwrap();
            assert_eq!(sent, format!("\"{}\"", year.code()));
            assert_eq!(serde_json::from_str::<YearGroup>(&sent).unwrap(), *year);
            if *year != YearGroup::X {
                assert_eq!(
                    YearGroup::parse(year.name()),
                    Some(*year),
                    "{}",
                    year.name()
                );
            }
        }
    }

    #[test]
    fn a_year_group_is_read_as_schools_write_it() {
        for (written, code) in [
            ("7", "7"),
            (" 07 ", "7"),
            ("7.0", "7"),
            ("Year 7", "7"),
            ("YEAR  07", "7"),
            ("Yr 7", "7"),
            ("Yr. 7", "7"),
            ("Y7", "7"),
            ("NC Year 10", "10"),
            ("Curriculum Year 10", "10"),
            ("Year Group 3", "3"),
            ("r", "R"),
            ("Rec", "R"),
            ("Reception", "R"),
            ("YR", "R"),
            ("Year R", "R"),
            ("n1", "N1"),
            ("Nursery 2", "N2"),
            ("E2", "E2"),
            ("x", "X"),
            ("Lower Sixth", "12"),
            ("U6", "13"),
        ] {
            assert_eq!(
                YearGroup::parse(written).map(YearGroup::code),
                Some(code),
                "{written}"
            );
        }
        for other in [
            "",
            "0",
            "Year 0",
            "15",
            "Year",
            "Nursery",
            "N",
            "N3",
            "7A",
            "-1",
            "70",
            "Seven",
            "7.5",
            "1.2",
            "1/2",
            "Years 1-2",
            "Class 7",
        ] {
            assert_eq!(YearGroup::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_school_year_begins_on_1_september() {
        for (day, label) in [
            (date!(2026 - 08 - 31), "2025/26"),
            (date!(2026 - 09 - 01), "2026/27"),
            (date!(2027 - 01 - 01), "2026/27"),
            (date!(2028 - 02 - 29), "2027/28"),
            (date!(2099 - 12 - 31), "2099/00"),
        ] {
            assert_eq!(SchoolYear::of(day).label(), label, "{day}");
        }
        assert_eq!(THIS.first_day(), date!(2026 - 09 - 01));
        assert_eq!(THIS.last_day(), date!(2027 - 08 - 31));
        assert_eq!(THIS.next().label(), "2027/28");
        assert_eq!(THIS.previous().next(), THIS);
    }

    #[test]
    fn a_child_born_on_31_august_is_a_year_ahead_of_one_born_the_day_after() {
        // In 2026/27 Year 7 is whoever was eleven on 31 August 2026.
        for (born, code) in [
            (date!(2014 - 08 - 31), Some("8")),
            (date!(2014 - 09 - 01), Some("7")),
            (date!(2015 - 08 - 31), Some("7")),
            (date!(2015 - 09 - 01), Some("6")),
            // Two on 31 August 2026 is Nursery 1, and the day after is too young.
            (date!(2024 - 08 - 31), Some("N1")),
            (date!(2024 - 09 - 01), None),
            (date!(2023 - 08 - 31), Some("N2")),
            (date!(2022 - 08 - 31), Some("R")),
            (date!(2021 - 08 - 31), Some("1")),
            // Eighteen is Year 14, and nineteen is none.
            (date!(2007 - 09 - 01), Some("14")),
            (date!(2007 - 08 - 31), None),
            (date!(2030 - 01 - 01), None),
        ] {
            assert_eq!(expected(born, THIS).map(YearGroup::code), code, "{born}");
        }
    }

    #[test]
    fn a_leap_day_counts_as_any_other_date() {
        assert_eq!(expected(date!(2016 - 02 - 29), THIS), Some(YearGroup::Y6));
        assert_eq!(expected(date!(2016 - 02 - 28), THIS), Some(YearGroup::Y6));
        assert_eq!(expected(date!(2016 - 03 - 01), THIS), Some(YearGroup::Y6));
        assert_eq!(age_on(date!(2016 - 02 - 29), date!(2026 - 02 - 28)), 9);
        assert_eq!(age_on(date!(2016 - 02 - 29), date!(2026 - 03 - 01)), 10);
        assert_eq!(age_on(date!(2016 - 02 - 29), date!(2028 - 02 - 29)), 12);
    }
}
