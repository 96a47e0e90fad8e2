//! What is wrong, odd or worth knowing in one line of a roster.

use serde::{Deserialize, Serialize};

use crate::pupil::field::Field;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something was read otherwise than written. Nothing is to be done where it was read as meant.
    Note,
    /// It can be right, and a person should look.
    Warning,
    /// The line is not taken until it is put right.
    Error,
}

macro_rules! codes {
    ($($variant:ident $code:literal $meaning:literal;)*) => {
        /// Which rule a finding is of, by which pages group and count.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code { $(#[doc = $meaning] #[serde(rename = $code)] $variant,)* }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As stored.
            pub const fn code(self) -> &'static str { match self { $(Self::$variant => $code),* } }
        }
    };
}

codes! {
    Missing "missing" "A cell that must be filled is empty.";
    Text "text" "A text is too long or has characters that do not show.";
    Formula "formula" "A name begins as a formula of a spreadsheet does.";
    FullName "full_name" "A name is in one piece, and nothing says which part of it is which.";
    UpnAwaiting "upn_awaiting" "There is no UPN yet (Common Basic Data Set error 1500).";
    UpnLength "upn_length" "A UPN has not 13 characters.";
    UpnCharacter "upn_character" "A UPN has a character that does not belong in its place.";
    UpnCheck "upn_check" "A UPN has the wrong check letter (Common Basic Data Set error 1510).";
    UpnAuthority "upn_authority" "A UPN has the number of no known local authority.";
    UpnYear "upn_year" "A UPN has a year of allocation that has not begun.";
    UpnTemporary "upn_temporary" "A UPN is a temporary one.";
    UpnTwice "upn_twice" "Two lines have one UPN (Common Basic Data Set error 1520).";
    AdmissionTwice "admission_twice" "Two lines have one admission number.";
    PupilTwice "pupil_twice" "Two lines have one name and one date of birth.";
    NumberTaken "number_taken" "A number is another pupil's here.";
    NumberChanged "number_changed" "A pupil's number here is replaced by another.";
    PupilLeft "pupil_left" "A number is that of a pupil who has left (Common Basic Data Set error 1520).";
    Date "date" "A date does not exist or is not read.";
    DateYear "date_year" "A year of two digits was read as one of four.";
    BornWhen "born_when" "A date of birth is no pupil's, or an unusual one.";
    Sex "sex" "A sex is not read, or was read otherwise than written.";
    YearGroup "year_group" "A year group is not read.";
    Cohort "cohort" "A year group is not that of the pupil's age.";
    EthnicityMapping "ethnicity_mapping" "An ethnicity code waits for being placed, or was placed.";
    Sen "sen" "SEN provision is not read, retired, or was read otherwise than written.";
    YesNo "yes_no" "A cell says neither yes nor no.";
    FsmContradiction "fsm_contradiction" "Free school meals now and not in the last six years.";
    TravellerContradiction "traveller_contradiction" "Traveller and ethnicity do not agree.";
}

/// One finding. Its sentence repeats no context tag of a pupil but an ethnicity code that waits for being placed; what it is of
/// is told by `field`, so that what is about a narrow tag can be kept from those who do not see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Of which field; none where it is of the whole line.
    pub field: Option<Field>,
    /// How much it weighs.
    pub severity: Severity,
    /// Of which rule.
    pub code: Code,
    /// What is wrong and what to do, in one sentence.
    pub sentence: String,
    /// What the cell would say if the likely slip were put right. For a person to compare, never to be taken unasked.
    pub repair: Option<String>,
}

impl Fault {
    /// One without a repair.
    pub fn new(
        field: impl Into<Option<Field>>,
        severity: Severity,
        code: Code,
        sentence: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            severity,
            code,
            sentence: sentence.into(),
            repair: None,
        }
    }

    /// With what would put it right, where that is known.
    #[must_use]
    pub fn with_repair(self, repair: Option<String>) -> Self {
        Self { repair, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_sent_as_it_is_stored_and_no_two_are_one() {
        let mut codes: Vec<&str> = Code::ALL.iter().map(|code| code.code()).collect();
        for code in Code::ALL {
            let sent = serde_json::to_string(code).unwrap();
            assert_eq!(sent, format!("\"{}\"", code.code()));
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Code::ALL.len());
    }

    #[test]
    fn an_error_weighs_most_and_a_note_least() {
        assert!(Severity::Error > Severity::Warning && Severity::Warning > Severity::Note);
    }
}
