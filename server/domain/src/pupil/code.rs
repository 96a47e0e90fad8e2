//! Codes of the school census as files carry them: sex, ethnicity, special educational needs, and columns of yes and no.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::text;

/// What a cell says, and where it was read otherwise than written, a sentence that tells so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<T> {
    /// What it says.
    pub value: T,
    /// How it was read.
    pub note: Option<String>,
}

impl<T> Read<T> {
    /// As written.
    pub const fn plain(value: T) -> Self {
        Self { value, note: None }
    }

    /// Otherwise than written.
    pub fn noted(value: T, note: impl Into<String>) -> Self {
        Self {
            value,
            note: Some(note.into()),
        }
    }
}

/// Why a cell says nothing that can be kept, in one sentence.
///
/// Only a code that somebody must place is repeated: what is special-category data stays in the file that it came in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodeFault {
    /// No sex is written.
    #[error("There is no sex: add M or F as the census has it, or U where none is recorded.")]
    NoSex,
    /// Not one of the words and codes for it.
    #[error(
        "“{0}” is no code for sex: write M or F as the census has it, or U where none is recorded."
    )]
    Sex(String),
    /// A question for whoever imports: which of the main codes this one belongs to.
    #[error("“{0}” is not one of the main ethnicity codes: say once which of them it belongs to.")]
    EthnicityUnmapped(String),
    /// A code that the SEND Code of Practice of 2015 took away.
    #[error("This SEN code was retired: give the provision now, N, K or E.")]
    SenRetired,
    /// Not one of the words and codes for it.
    #[error(
        "This is no code for SEN provision: write N for none, K for SEN support or E for an EHC plan."
    )]
    Sen,
    /// Neither yes nor no.
    #[error("This says neither yes nor no: write Y or N, or leave the cell empty.")]
    YesNo,
}

/// Sex as the school census records it. Read where it is written and never worked out from anything else; what a child is
/// called and which pronouns are used are no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sex {
    /// Female.
    #[serde(rename = "F")]
    Female,
    /// Male.
    #[serde(rename = "M")]
    Male,
    /// Not recorded as either.
    #[serde(rename = "U")]
    NotRecorded,
}

impl Sex {
    /// All three.
    pub const ALL: &[Self] = &[Self::Female, Self::Male, Self::NotRecorded];

    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Female => "F",
            Self::Male => "M",
            Self::NotRecorded => "U",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Female => "Female",
            Self::Male => "Male",
            Self::NotRecorded => "Not recorded",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|sex| sex.code() == code)
    }

    /// Reads a cell: M and F, the words for them, the codes of other files with a note (ISO/IEC 5218 has 1 for male and 2 for
    /// female).
    pub fn parse(cell: &str) -> Result<Read<Self>, CodeFault> {
        const NOT_RECORDED: &str = "This is read as not recorded, and the census asks for M or F: check it with the family.";
        if cell.trim().is_empty() {
            return Err(CodeFault::NoSex);
        }
        match key(cell).as_str() {
            "f" | "female" | "girl" => Ok(Read::plain(Self::Female)),
            "m" | "male" | "boy" => Ok(Read::plain(Self::Male)),
            "1" => Ok(Read::noted(
                Self::Male,
                "1 is read as male, as ISO 5218 has it.",
            )),
            "2" => Ok(Read::noted(
                Self::Female,
                "2 is read as female, as ISO 5218 has it.",
            )),
            "0" | "9" | "u" | "n" | "x" | "o" | "other" | "unknown" | "notknown"
            | "notrecorded" | "notspecified" | "unspecified" | "nonbinary" | "prefernottosay" => {
                Ok(Read::noted(Self::NotRecorded, NOT_RECORDED))
            }
            _ => Err(CodeFault::Sex(shown(cell))),
        }
    }
}

macro_rules! ethnicities {
    ($($variant:ident $code:literal $name:literal;)*) => {
        /// A main ethnicity code of the Department for Education, as the pupil or their parents gave it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Ethnicity { $(#[doc = $name] #[serde(rename = $code)] $variant,)* }

        impl Ethnicity {
            /// Every code, in the order in which pages list them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As the census has it and as it is stored.
            pub const fn code(self) -> &'static str { match self { $(Self::$variant => $code),* } }

            /// As people read it.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),* } }

            /// Of a stored code.
            pub fn from_code(code: &str) -> Option<Self> { match code { $($code => Some(Self::$variant),)* _ => None } }
        }
    };
}

ethnicities! {
    Wbri "WBRI" "White British";
    Wiri "WIRI" "White Irish";
    Wirt "WIRT" "Traveller of Irish heritage";
    Wrom "WROM" "Gypsy/Roma";
    Woth "WOTH" "Any other White background";
    Mwbc "MWBC" "White and Black Caribbean";
    Mwba "MWBA" "White and Black African";
    Mwas "MWAS" "White and Asian";
    Moth "MOTH" "Any other Mixed background";
    Aind "AIND" "Indian";
    Apkn "APKN" "Pakistani";
    Aban "ABAN" "Bangladeshi";
    Aoth "AOTH" "Any other Asian background";
    Chne "CHNE" "Chinese";
    Bcrb "BCRB" "Black Caribbean";
    Bafr "BAFR" "Black African";
    Both "BOTH" "Any other Black background";
    Ooth "OOTH" "Any other ethnic group";
    Refu "REFU" "Refused";
    Nobt "NOBT" "Information not yet obtained";
}

impl Ethnicity {
    /// Reads a cell: a main code, its name, or what the school has placed before by [`mapping_key`]. None for an empty cell:
    /// that nothing is written is not the answer "not yet obtained".
    ///
    /// Anything else is [`CodeFault::EthnicityUnmapped`]. Authorities divide the main codes further, and only the school can
    /// say how; the child's answer is not thrown away for that.
    pub fn parse(
        cell: &str,
        mappings: &BTreeMap<String, Self>,
    ) -> Result<Option<Read<Self>>, CodeFault> {
        if cell.trim().is_empty() {
            return Ok(None);
        }
        let key = mapping_key(cell);
        if let Some(known) = Self::ALL
            .iter()
            .copied()
            .find(|known| key == known.code() || key == mapping_key(known.name()))
        {
            return Ok(Some(Read::plain(known)));
        }
        match mappings.get(&key) {
            Some(placed) => Ok(Some(Read::noted(
                *placed,
                "This is the school’s own code, read as the main code that was said for it.",
            ))),
            None => Err(CodeFault::EthnicityUnmapped(shown(cell))),
        }
    }

    /// Whether it says which group somebody belongs to. A refusal and an answer not yet obtained do not, and are different from
    /// each other; both count among all pupils.
    pub const fn is_group(self) -> bool {
        !matches!(self, Self::Refu | Self::Nobt)
    }

    /// Whether it is one of the Gypsy, Roma and Traveller codes, which a traveller column repeats.
    pub const fn is_traveller(self) -> bool {
        matches!(self, Self::Wirt | Self::Wrom)
    }
}

/// Under which key a school's own ethnicity code is remembered: letters and digits in capitals.
pub fn mapping_key(cell: &str) -> String {
    key(cell).to_uppercase()
}

/// What a school provides for special educational needs (SEND Code of Practice, 2015). The kind of need is another code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sen {
    /// None.
    #[serde(rename = "N")]
    None,
    /// SEN support.
    #[serde(rename = "K")]
    Support,
    /// An education, health and care plan.
    #[serde(rename = "E")]
    Plan,
}

impl Sen {
    /// All three: together they are the whole school.
    pub const ALL: &[Self] = &[Self::None, Self::Support, Self::Plan];

    /// As the census has it and as it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "N",
            Self::Support => "K",
            Self::Plan => "E",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "No SEN provision",
            Self::Support => "SEN support",
            Self::Plan => "EHC plan",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|sen| sen.code() == code)
    }

    /// Reads a cell. Empty and "Monitoring" are none, with a note, as the census has them; the statement and School Action,
    /// which were retired with the Code of Practice of 2015, are faults: nobody can tell what took their place for this child.
    pub fn parse(cell: &str) -> Result<Read<Self>, CodeFault> {
        const MONITORING: &str = "Monitoring is read as N: the census has no code for it.";
        if cell.trim().is_empty() {
            return Ok(Read::noted(
                Self::None,
                "An empty SEN provision is read as N, none.",
            ));
        }
        match key(cell).as_str() {
            "n"
            | "none"
            | "no"
            | "nosen"
            | "nosenprovision"
            | "nospecialeducationalneed"
            | "nospecialeducationalneeds"
            | "nnospecialeducationalneed"
            | "nnosen" => Ok(Read::plain(Self::None)),
            "monitoring" | "mmonitoring" => Ok(Read::noted(Self::None, MONITORING)),
            "k" | "support" | "sensupport" | "ksensupport" => Ok(Read::plain(Self::Support)),
            "e"
            | "ehcp"
            | "ehcplan"
            | "ehc"
            | "eehcp"
            | "eehcplan"
            | "educationhealthandcareplan"
            | "eeducationhealthandcareplan" => Ok(Read::plain(Self::Plan)),
            "s" | "a" | "p" | "statement" | "statemented" | "sstatement" | "schoolaction"
            | "schoolactionplus" | "aschoolaction" | "pschoolactionplus" => {
                Err(CodeFault::SenRetired)
            }
            _ => Err(CodeFault::Sen),
        }
    }
}

/// Reads a cell of a column of yes and no. None for an empty cell: silence is no "no", and nothing is kept of it.
pub fn yes_no(cell: &str) -> Result<Option<Read<bool>>, CodeFault> {
    if matches!(cell.trim(), "✓" | "✔") {
        return Ok(Some(Read::plain(true)));
    }
    if cell.trim().is_empty() {
        return Ok(None);
    }
    match key(cell).as_str() {
        "y" | "yes" | "t" | "true" | "1" => Ok(Some(Read::plain(true))),
        "n" | "no" | "f" | "false" | "0" => Ok(Some(Read::plain(false))),
        _ => Err(CodeFault::YesNo),
    }
}

/// As much of a cell as a sentence repeats: forty characters, and none that do not show.
pub(crate) fn shown(cell: &str) -> String {
    let cell = cell.trim();
    let begins: String = cell.chars().filter(|c| !c.is_control()).take(40).collect();
    match text::line(&begins, 40) {
        Ok(line) if cell.chars().count() <= 40 => line,
        Ok(line) => format!("{line}…"),
        Err(_) => "…".to_owned(),
    }
}

/// Letters and digits only, in lower case: how words are compared that systems write in more than one way.
pub(crate) fn key(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests;
