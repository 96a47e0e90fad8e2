//! Which column of a roster is which field, by the names that information systems and people give to columns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pupil::{
    code::key,
    field::{Field, Need},
};

/// What a column of a roster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// One field of a pupil's record.
    Field(Field),
    /// Surname and first name in one cell, as "Smith, Ann".
    FullName,
    /// Left out, because somebody said so.
    Ignore,
    /// Nobody has said yet: nothing of it is read.
    Unknown(Why),
}

/// Why a column is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It has no name.
    NoName,
    /// No field goes by its name.
    NotAField,
    /// Another column has a name for the same field.
    Twice(Field),
    /// Another column has the full name too.
    FullNameTwice,
    /// The names are in columns of their own as well.
    NamesApart,
}

impl Why {
    /// The reason in one sentence, with what to do.
    pub fn sentence(self) -> String {
        match self {
            Self::NoName => "This column has no name: say what it is, or leave it out.".to_owned(),
            Self::NotAField => {
                "No field goes by this name: say what it is, or leave it out.".to_owned()
            }
            Self::Twice(field) => format!(
                "More than one column looks like “{}”: say which of them it is, and leave the others out.",
                field.name()
            ),
            Self::FullNameTwice => {
                "More than one column looks like a full name: say which of them it is, and leave the others out.".to_owned()
            }
            Self::NamesApart => {
                "First name and surname have columns of their own: leave this one out.".to_owned()
            }
        }
    }
}

impl Column {
    /// As stored and as sent by forms; none for one that nobody has said.
    pub const fn code(self) -> Option<&'static str> {
        match self {
            Self::Field(field) => Some(field.code()),
            Self::FullName => Some("full_name"),
            Self::Ignore => Some("ignore"),
            Self::Unknown(_) => None,
        }
    }

    /// Of such a code.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "full_name" => Some(Self::FullName),
            "ignore" => Some(Self::Ignore),
            field => Field::from_code(field).map(Self::Field),
        }
    }

    /// The field it is, if it is one.
    pub const fn field(self) -> Option<Field> {
        match self {
            Self::Field(field) => Some(field),
            _ => None,
        }
    }
}

/// Under which key a choice for a column is remembered: letters and digits of its name, in lower case.
pub fn remembered_key(name: &str) -> String {
    key(name)
}

/// What the columns of a header are, one for each: what the school said of a name before ([`remembered_key`]), else what the
/// name says. A field that two columns claim is nobody's until a person has chosen: to take the first would sometimes take the
/// preferred surname for the legal one.
pub fn guess(header: &[String], remembered: &BTreeMap<String, Column>) -> Vec<Column> {
    let mut columns: Vec<Column> = header
        .iter()
        .map(|name| {
            let key = remembered_key(name);
            match remembered.get(&key) {
                // An unknown one is no choice: the rules may know it by now.
                Some(Column::Unknown(_)) | None => by_name(&key),
                Some(chosen) => *chosen,
            }
        })
        .collect();
    let first = columns.clone();
    let count = |column: Column| first.iter().filter(|other| **other == column).count();
    let apart =
        count(Column::Field(Field::FirstName)) > 0 && count(Column::Field(Field::LastName)) > 0;
    for (place, column) in columns.iter_mut().enumerate() {
        match first[place] {
            Column::Field(field) if count(Column::Field(field)) > 1 => {
                *column = Column::Unknown(Why::Twice(field));
            }
            Column::FullName if apart => *column = Column::Unknown(Why::NamesApart),
            Column::FullName if count(Column::FullName) > 1 => {
                *column = Column::Unknown(Why::FullNameTwice);
            }
            _ => {}
        }
    }
    columns
}

/// The fields without which no line can be taken and which no column is. A full name stands for both names. A UPN is not among
/// them: a pupil may be awaiting one.
pub fn missing(columns: &[Column]) -> Vec<Field> {
    absent(columns, Need::Required)
}

/// The fields that a roster has, without which its lines are taken all the same, and which no column is.
pub fn unlisted(columns: &[Column]) -> Vec<Field> {
    absent(columns, Need::Expected)
}

fn absent(columns: &[Column], need: Need) -> Vec<Field> {
    let full_name = columns.contains(&Column::FullName);
    Field::ALL
        .iter()
        .copied()
        .filter(|field| field.need() == need)
        .filter(|field| !columns.contains(&Column::Field(*field)))
        .filter(|field| !(full_name && matches!(field, Field::FirstName | Field::LastName)))
        .collect()
}

/// By its key, and failing that by what follows the word for a pupil, which some systems put before every name.
fn by_name(key: &str) -> Column {
    if key.is_empty() {
        return Column::Unknown(Why::NoName);
    }
    known(key)
        .or_else(|| {
            ["pupils", "pupil", "students", "student", "learner", "child"]
                .iter()
                .find_map(|word| key.strip_prefix(word))
                .and_then(known)
        })
        .unwrap_or(Column::Unknown(Why::NotAField))
}

/// Names of columns in SIMS, Arbor, Bromcom and other information systems, common transfer files and sheets made by hand.
///
/// Not among them on purpose: "EAL", which says that English is an additional language and not which one is the first; "SEN
/// need" and its like, which are the kind of need and not the provision; "ever in care", which is not "in care"; "ID".
fn known(key: &str) -> Option<Column> {
    Some(Column::Field(match key {
        "upn" | "uniquepupilnumber" | "upnnumber" | "upnno" | "uniquepupilnumberupn" => Field::Upn,
        "admissionnumber"
        | "admissionno"
        | "admissionnum"
        | "admno"
        | "adno"
        | "adnumber"
        | "admissionsnumber"
        | "schooladmissionnumber" => Field::AdmissionNumber,
        "firstname" | "forename" | "legalforename" | "legalfirstname" | "givenname"
        | "firstnames" | "forenames" | "christianname" => Field::FirstName,
        "surname" | "lastname" | "legalsurname" | "legallastname" | "familyname" => Field::LastName,
        "preferredname" | "preferredforename" | "preferredfirstname" | "chosenname"
        | "chosenforename" | "chosenfirstname" | "knownas" | "knownasname" | "nameknownby" => {
            Field::PreferredName
        }
        "dob" | "dateofbirth" | "birthdate" | "birthday" | "birthdateofbirth"
        | "dateofbirthdob" | "born" => Field::Born,
        "sex" | "gender" | "legalsex" | "sexgender" | "gendersex" | "genderatbirth" => Field::Sex,
        "year"
        | "yeargroup"
        | "ncyear"
        | "yr"
        | "yrgroup"
        | "yrgrp"
        | "yeargrp"
        | "curriculumyear"
        | "ncyearactual"
        | "ncyeargroup"
        | "actualncyear"
        | "nationalcurriculumyear"
        | "currentyear"
        | "yearcode"
        | "yeartaughtin"
        | "currentncyear" => Field::YearGroup,
        "reg"
        | "reggroup"
        | "registrationgroup"
        | "regform"
        | "reggrp"
        | "registration"
        | "form"
        | "formgroup"
        | "tutorgroup"
        | "tutorgrp"
        | "registrationform"
        | "currentregistrationform" => Field::RegistrationGroup,
        "class" | "classname" | "teachinggroup" | "classgroup" | "group" | "groupname" => {
            Field::ClassName
        }
        "classcode" | "groupcode" | "teachinggroupcode" | "coursecode" => Field::ClassCode,
        "teacher" | "teachername" | "classteacher" | "classteachername" | "mainteacher"
        | "subjectteacher" => Field::Teacher,
        "supervisor" | "supervisorname" | "mainsupervisor" | "classsupervisor" => Field::Supervisor,
        "ethnicity" | "ethniccode" | "ethnicitycode" | "ethnicgroup" | "ethnicorigin" => {
            Field::Ethnicity
        }
        "fsm"
        | "freeschoolmeals"
        | "freeschoolmeal"
        | "fsmeligible"
        | "fsmeligibility"
        | "eligibleforfsm"
        | "eligibleforfreeschoolmeals"
        | "freeschoolmealsfsm"
        | "currentfsm" => Field::Fsm,
        "fsm6"
        | "fsmever6"
        | "everfsm6"
        | "ever6fsm"
        | "ever6"
        | "everfsm"
        | "fsmever"
        | "fsminlast6years"
        | "fsminthelast6years"
        | "fsmeligibleinlast6years"
        | "freeschoolmealsinlast6years"
        | "freeschoolmealsinthelastsixyears" => Field::Fsm6,
        "lookedafter" | "lookedafterchild" | "incare" | "lac" | "cla" | "incarestatus"
        | "incareindicator" | "childlookedafter" | "lookedafterlac" | "incarelookedafter" => {
            Field::LookedAfter
        }
        "pupilpremium"
        | "pp"
        | "pupilpremiumindicator"
        | "pupilpremiumeligible"
        | "pupilpremiumstatus"
        | "pupilpremiumpp"
        | "ppindicator" => Field::PupilPremium,
        "sen"
        | "senstatus"
        | "senprovision"
        | "sencode"
        | "senstage"
        | "send"
        | "sendstatus"
        | "sendprovision"
        | "senprovisioncode"
        | "currentsenprovision" => Field::Sen,
        "servicechild"
        | "servicechildren"
        | "servicechildindicator"
        | "serviceschild"
        | "servicechildineducation"
        | "servicefamily"
        | "parentinarmedforces" => Field::ServiceChild,
        "traveller" | "travellerstatus" | "grt" | "traveler" | "gypsyromatraveller"
        | "travellerindicator" => Field::Traveller,
        "homelanguage"
        | "firstlanguage"
        | "languageathome"
        | "mothertongue"
        | "languagespokenathome"
        | "homefirstlanguage" => Field::HomeLanguage,
        "moreable"
        | "giftedandtalented"
        | "giftedtalented"
        | "gt"
        | "gifted"
        | "moreablepupil"
        | "mostable"
        | "moreableandtalented"
        | "moreableindicator"
        | "highattainer" => Field::MoreAble,
        "name" | "fullname" | "surnameforename" | "surnamefirstname" | "lastnamefirstname"
        | "surnameandforename" | "legalfullname" | "namesurnamefirst" => {
            return Some(Column::FullName);
        }
        _ => return None,
    }))
}

#[cfg(test)]
mod tests;
