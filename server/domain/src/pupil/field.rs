//! The fields of a pupil's record that a roster carries: which must be there, which a school switches on, who may see them, and
//! what may be written in them.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::Date;
use unicode_normalization::UnicodeNormalization;

use super::year::age_on;
use crate::text;

/// Whether a roster must have a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it nobody can tell who is meant: a line that lacks it is not taken.
    Required,
    /// A roster has it, and a pupil may be without for a while: a line that lacks it is taken, with a warning.
    Expected,
    /// Only for enhanced reporting: off until the school switches it on and says for what (UK GDPR, article 5(1)(c)).
    Optional,
}

macro_rules! fields {
    ($($variant:ident $code:literal $name:literal $need:ident;)*) => {
        /// One field of a pupil's record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Field { $(#[doc = $name] #[serde(rename = $code)] $variant,)* }

        impl Field {
            /// Every field, in the order in which pages list them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As stored and as sent in forms.
            pub const fn code(self) -> &'static str { match self { $(Self::$variant => $code),* } }

            /// As people read it.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),* } }

            /// Whether a roster must have it.
            pub const fn need(self) -> Need { match self { $(Self::$variant => Need::$need),* } }

            /// The field of a stored code; none for a code that is not in the list.
            pub fn from_code(code: &str) -> Option<Self> { match code { $($code => Some(Self::$variant),)* _ => None } }
        }
    };
}

fields! {
    Upn "upn" "UPN" Expected;
    AdmissionNumber "admission_number" "Admission number" Required;
    FirstName "first_name" "First name" Required;
    LastName "last_name" "Surname" Required;
    PreferredName "preferred_name" "Preferred name" Optional;
    Born "born" "Date of birth" Required;
    Sex "sex" "Sex" Required;
    YearGroup "year_group" "Year group" Required;
    RegistrationGroup "registration_group" "Registration group" Expected;
    ClassName "class_name" "Class" Expected;
    ClassCode "class_code" "Class code" Expected;
    Teacher "teacher" "Teacher" Expected;
    Supervisor "supervisor" "Supervisor" Expected;
    Ethnicity "ethnicity" "Ethnicity" Optional;
    Fsm "fsm" "Free school meals" Optional;
    Fsm6 "fsm6" "Free school meals in the last six years" Optional;
    LookedAfter "looked_after" "Looked after" Optional;
    PupilPremium "pupil_premium" "Pupil premium" Optional;
    Sen "sen" "SEN provision" Optional;
    ServiceChild "service_child" "Service child" Optional;
    Traveller "traveller" "Traveller" Optional;
    HomeLanguage "home_language" "Home language" Optional;
    MoreAble "more_able" "More able" Optional;
}

impl Field {
    /// What switches it on; none for a field that is always on.
    pub fn switch(self) -> Option<Switch> {
        match self {
            Self::PreferredName => Some(Switch::PreferredName),
            _ => self.tag().map(Switch::Tag),
        }
    }

    /// The context tag that it is; none for a field that says who a pupil is and where they are taught.
    pub fn tag(self) -> Option<TagKind> {
        TagKind::ALL.iter().copied().find(|tag| tag.field() == self)
    }
}

/// What is known of a pupil's circumstances. Each is a field of its own, with a switch of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagKind {
    /// A main ethnicity code.
    Ethnicity,
    /// Entitled to free school meals.
    Fsm,
    /// Entitled to free school meals at any time in the last six years.
    Fsm6,
    /// In the care of a local authority (Children Act 1989, section 22).
    LookedAfter,
    /// Counted for the pupil premium.
    PupilPremium,
    /// SEN provision.
    Sen,
    /// A parent serves in the armed forces.
    ServiceChild,
    /// Gypsy, Roma or Traveller.
    Traveller,
    /// Spoken at home.
    HomeLanguage,
    /// More able.
    MoreAble,
}

impl TagKind {
    /// Every tag, in the order in which pages list them.
    pub const ALL: &[Self] = &[
        Self::Ethnicity,
        Self::Fsm,
        Self::Fsm6,
        Self::LookedAfter,
        Self::PupilPremium,
        Self::Sen,
        Self::ServiceChild,
        Self::Traveller,
        Self::HomeLanguage,
        Self::MoreAble,
    ];

    /// The field that carries it.
    pub const fn field(self) -> Field {
        match self {
            Self::Ethnicity => Field::Ethnicity,
            Self::Fsm => Field::Fsm,
            Self::Fsm6 => Field::Fsm6,
            Self::LookedAfter => Field::LookedAfter,
            Self::PupilPremium => Field::PupilPremium,
            Self::Sen => Field::Sen,
            Self::ServiceChild => Field::ServiceChild,
            Self::Traveller => Field::Traveller,
            Self::HomeLanguage => Field::HomeLanguage,
            Self::MoreAble => Field::MoreAble,
        }
    }

    /// As stored and as sent in forms: that of its field.
    pub const fn code(self) -> &'static str {
        self.field().code()
    }

    /// As people read it: that of its field.
    pub const fn name(self) -> &'static str {
        self.field().name()
    }

    /// The tag of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Field::from_code(code)?.tag()
    }

    /// Whether fewer people see it than see a pupil's other tags: administrators, the designated safeguarding lead and the
    /// designated teacher. That a child is looked after tells of their family what no colleague needs in order to teach them.
    pub const fn narrow(self) -> bool {
        matches!(self, Self::LookedAfter)
    }
}

/// Something that a school switches on, with a purpose, before it is stored of any pupil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// The name a pupil goes by.
    PreferredName,
    /// One of the context tags.
    Tag(TagKind),
}

impl Switch {
    /// Every switch, in the order in which pages list them.
    pub fn all() -> impl Iterator<Item = Self> {
        Field::ALL.iter().filter_map(|field| field.switch())
    }

    /// The field that it switches on.
    pub const fn field(self) -> Field {
        match self {
            Self::PreferredName => Field::PreferredName,
            Self::Tag(tag) => tag.field(),
        }
    }

    /// As stored and as sent in forms: that of its field.
    pub const fn code(self) -> &'static str {
        self.field().code()
    }

    /// As people read it: that of its field.
    pub const fn name(self) -> &'static str {
        self.field().name()
    }

    /// The switch of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Field::from_code(code)?.switch()
    }
}

/// Characters a name may have. The longest of known names has fewer.
pub const NAME_MOST: u16 = 120;
/// Characters an admission number may have.
pub const ADMISSION_NUMBER_MOST: u16 = 20;
/// Characters the name of a registration group or class may have.
pub const GROUP_MOST: u16 = 40;
/// Characters a language may have.
pub const LANGUAGE_MOST: u16 = 40;

/// Years of age at which a pupil is unusually young, below which a date of birth is asked about.
const YOUNGEST: i32 = 1;
/// Support under an education, health and care plan ends with the school year of the 25th birthday at the latest (Children and
/// Families Act 2014, section 46), so somebody older is asked about.
const OLDEST: i32 = 25;
/// From here on the date is a slip of the century, or somebody else's. An age and not a year, which would go out of date.
const TOO_OLD: i32 = 30;

/// Why a text or a date cannot be kept in a field, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FieldFault {
    /// Empty, too long, or with characters that do not show.
    #[error("{} is one line of 1 to {most} characters that all show: type it again.", field.name())]
    Text {
        /// Which field.
        field: Field,
        /// Characters it may have.
        most: u16,
    },
    /// Born after today.
    #[error("The date of birth is in the future: check the year.")]
    NotYetBorn,
    /// As old as no pupil is.
    #[error(
        "A pupil born then would be {0} now: check the century, and that it is the pupil’s own date of birth."
    )]
    TooOld(i32),
}

/// What is kept of the text of a field: composed as Unicode's NFC has it, so that an accent typed in two ways is one letter;
/// trimmed, inner white space single. Apostrophes, hyphens, accents and names of one letter are names like any other.
///
/// Refuses [`FieldFault::Text`] for an empty text, one with too many characters, and control and direction characters, which
/// could make one name look like another. A field that is no text has the limit of a name.
pub fn tidy(field: Field, typed: &str) -> Result<String, FieldFault> {
    let most = match field {
        Field::AdmissionNumber => ADMISSION_NUMBER_MOST,
        Field::RegistrationGroup | Field::ClassName | Field::ClassCode => GROUP_MOST,
        Field::HomeLanguage => LANGUAGE_MOST,
        _ => NAME_MOST,
    };
    text::line(&typed.nfc().collect::<String>(), most).map_err(|_| FieldFault::Text { field, most })
}

/// Whether a date of birth can be a pupil's. A sentence where it is unusual and can still be right: below one year of age, or
/// above 25.
///
/// Refuses [`FieldFault::NotYetBorn`], and [`FieldFault::TooOld`] from an age of 30 years.
pub fn check_born(born: Date, today: Date) -> Result<Option<String>, FieldFault> {
    if born > today {
        return Err(FieldFault::NotYetBorn);
    }
    match age_on(born, today) {
        age if age >= TOO_OLD => Err(FieldFault::TooOld(age)),
        age if age > OLDEST => Ok(Some(format!(
            "A pupil born then is {age} now: check the year of birth."
        ))),
        age if age < YOUNGEST => Ok(Some(
            "A pupil born then is not yet one year old: check the year of birth.".to_owned(),
        )),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const TODAY: Date = date!(2026 - 11 - 22);

    #[test]
    fn every_code_leads_back_to_its_field_and_is_what_is_sent() {
        for field in Field::ALL {
            assert_eq!(Field::from_code(field.code()), Some(*field));
            let sent = serde_json::to_string(field).unwrap();
            assert_eq!(sent, format!("\"{}\"", field.code()));
        }
        for tag in TagKind::ALL {
            assert_eq!(TagKind::from_code(tag.code()), Some(*tag));
            assert_eq!(tag.field().tag(), Some(*tag));
            let sent = serde_json::to_string(tag).unwrap();
            assert_eq!(sent, format!("\"{}\"", tag.code()));
        }
        assert_eq!(TagKind::from_code("first_name"), None);
        assert_eq!(Switch::from_code("upn"), None);
    }

    #[test]
    fn what_is_optional_has_a_switch_and_nothing_else_has() {
        for field in Field::ALL {
            assert_eq!(
                field.switch().is_some(),
                field.need() == Need::Optional,
                "{}",
                field.name()
            );
            assert!(field.switch().is_none_or(|switch| switch.field() == *field));
        }
        let switches: Vec<&str> = Switch::all().map(Switch::code).collect();
        assert_eq!(switches.len(), 11);
        assert_eq!(Switch::from_code("sen"), Some(Switch::Tag(TagKind::Sen)));
    }

    #[test]
    fn a_preferred_name_has_a_switch_and_is_no_tag() {
        assert_eq!(Field::PreferredName.switch(), Some(Switch::PreferredName));
        assert_eq!(Field::PreferredName.tag(), None);
        assert_eq!(Field::FirstName.switch(), None);
    }

    #[test]
    fn that_a_child_is_looked_after_is_seen_by_fewer_than_the_rest() {
        let narrow: Vec<&TagKind> = TagKind::ALL.iter().filter(|tag| tag.narrow()).collect();
        assert_eq!(narrow, [&TagKind::LookedAfter]);
    }

    #[test]
    fn names_are_kept_as_their_owners_write_them() {
        for (typed, kept) in [
            ("  Mary   Ann ", "Mary Ann"),
            ("O’Neill", "O’Neill"),
            ("D'Arcy-Smith", "D'Arcy-Smith"),
            ("Zoe\u{308}", "Zo\u{eb}"),
            ("O", "O"),
            ("Siân", "Siân"),
            ("李", "李"),
            ("محمد", "محمد"),
            (&"x".repeat(120), &"x".repeat(120)),
        ] {
            assert_eq!(tidy(Field::FirstName, typed).as_deref(), Ok(kept));
        }
        for bad in [
            "",
            "  ",
            "Ann\u{202e}nnA",
            "A\u{0}nn",
            "\u{200b}",
            &"x".repeat(121),
        ] {
            let fault = tidy(Field::LastName, bad).unwrap_err();
            assert!(
                fault
                    .to_string()
                    .starts_with("Surname is one line of 1 to 120"),
                "{fault}"
            );
        }
    }

    #[test]
    fn numbers_groups_and_languages_have_limits_of_their_own() {
        for (field, most) in [
            (Field::AdmissionNumber, 20),
            (Field::RegistrationGroup, 40),
            (Field::ClassName, 40),
            (Field::HomeLanguage, 40),
            (Field::Teacher, 120),
        ] {
            assert!(tidy(field, &"7".repeat(most)).is_ok(), "{}", field.name());
            assert!(
                tidy(field, &"7".repeat(most + 1)).is_err(),
                "{}",
                field.name()
            );
        }
        // Leading noughts are part of an admission number.
        assert_eq!(
            tidy(Field::AdmissionNumber, "001234").as_deref(),
            Ok("001234")
        );
    }

    #[test]
    fn a_date_of_birth_is_a_pupils_or_is_asked_about() {
        for (born, good, asked) in [
            (date!(2026 - 11 - 23), false, false),
            (date!(2026 - 11 - 22), true, true),
            (date!(2025 - 11 - 23), true, true),
            (date!(2025 - 11 - 22), true, false),
            (date!(2016 - 02 - 29), true, false),
            (date!(2000 - 11 - 23), true, false),
            (date!(2000 - 11 - 22), true, true),
            (date!(1996 - 11 - 23), true, true),
            (date!(1996 - 11 - 22), false, false),
            (date!(1916 - 05 - 09), false, false),
        ] {
            let found = check_born(born, TODAY);
            assert_eq!(found.is_ok(), good, "{born}");
            assert_eq!(found.is_ok_and(|asked| asked.is_some()), asked, "{born}");
        }
        assert_eq!(
            check_born(date!(1916 - 05 - 09), TODAY),
            Err(FieldFault::TooOld(110))
        );
    }
}
