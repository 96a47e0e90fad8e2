//! One line of a roster: what it says of a pupil, and what is wrong with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::Date;

use super::{
    column::Column,
    date::{self, DateFault},
    fault::{Code, Fault, Severity},
};
use crate::pupil::{
    code::{CodeFault, Ethnicity, Read, Sex, shown},
    field::{Field, Need, TagKind, check_born, tidy},
    upn::{Upn, UpnFault, UpnWarning, is_known_la, suggestions},
    year::{SchoolYear, YearGroup, expected},
};

mod tag;

/// What a line is judged against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Against {
    /// The day in England.
    pub today: Date,
    /// The school year that the roster is for.
    pub school_year: SchoolYear,
    /// Which main code a school's own ethnicity codes belong to, by [`crate::pupil::code::mapping_key`].
    pub ethnicities: BTreeMap<String, Ethnicity>,
    /// Whether 05/09/2016 is 5 September: see [`date::day_first`].
    pub day_first: bool,
}

/// What a line says of who a pupil is and where they are taught. None for what it does not say, or not in a way that can be
/// kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fields {
    /// None also for a pupil who awaits one.
    pub upn: Option<Upn>,
    /// The school's own number, as written.
    pub admission_number: Option<String>,
    /// The legal one.
    pub first_name: Option<String>,
    /// The legal one.
    pub last_name: Option<String>,
    /// What a pupil is called.
    pub preferred_name: Option<String>,
    /// Date of birth.
    pub born: Option<Date>,
    /// As the census has it.
    pub sex: Option<Sex>,
    /// That they are taught in.
    pub year_group: Option<YearGroup>,
    /// "7B".
    pub registration_group: Option<String>,
    /// "Year 7 Mathematics".
    pub class_name: Option<String>,
    /// "7x/Ma1".
    pub class_code: Option<String>,
    /// Of the class, as the roster names them.
    pub teacher: Option<String>,
    /// Of the class, as the roster names them.
    pub supervisor: Option<String>,
}

/// One line of a roster, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which line or row of the file, as a person finds it.
    pub number: u32,
    /// Who it is of.
    pub fields: Fields,
    /// What it says of their circumstances: Y or N, a code, or a language. Nothing is kept of an empty cell.
    pub tags: BTreeMap<TagKind, String>,
    /// What is wrong, in the order of the fields.
    pub faults: Vec<Fault>,
}

impl Line {
    /// Whether it cannot be taken as it is.
    pub fn is_bad(&self) -> bool {
        self.faults
            .iter()
            .any(|fault| fault.severity == Severity::Error)
    }
}

/// Judges a line by itself; whether two lines are of one pupil is for [`super::twice`].
///
/// Columns that are left out or not known are not looked at, so what a school has not switched on is neither kept nor named
/// where the caller has set its column to [`Column::Ignore`].
pub fn judge(number: u32, cells: &[String], columns: &[Column], against: &Against) -> Line {
    let mut judging = Judging {
        cells,
        columns,
        against,
        line: Line {
            number,
            fields: Fields::default(),
            tags: BTreeMap::new(),
            faults: Vec::new(),
        },
    };
    judging.upn();
    judging.names();
    judging.line.fields.admission_number = judging.text(Field::AdmissionNumber);
    judging.born();
    judging.sex();
    judging.year_group();
    judging.line.fields.registration_group = judging.text(Field::RegistrationGroup);
    judging.classes();
    judging.line.fields.teacher = judging.text(Field::Teacher);
    judging.line.fields.supervisor = judging.text(Field::Supervisor);
    judging.tags();
    judging.contradictions();
    judging.line
}

struct Judging<'a> {
    cells: &'a [String],
    columns: &'a [Column],
    against: &'a Against,
    line: Line,
}

impl<'a> Judging<'a> {
    /// The cell of a column, empty where the line is shorter than the header. None where there is no such column.
    fn cell(&self, column: Column) -> Option<&'a str> {
        let place = self.columns.iter().position(|other| *other == column)?;
        Some(self.cells.get(place).map_or("", |cell| cell.trim()))
    }

    fn found(&mut self, field: Field, severity: Severity, code: Code, sentence: impl Into<String>) {
        self.line
            .faults
            .push(Fault::new(field, severity, code, sentence));
    }

    /// What was read, its note found.
    fn noted<T>(&mut self, field: Field, severity: Severity, code: Code, read: Read<T>) -> T {
        if let Some(note) = read.note {
            self.found(field, severity, code, note);
        }
        read.value
    }

    fn upn(&mut self) {
        let cell = self.cell(Column::Field(Field::Upn)).unwrap_or_default();
        let upn = match Upn::parse(cell) {
            Ok(upn) => upn,
            Err(UpnFault::Missing) => {
                let sentence = "There is no UPN: the pupil is kept as awaiting one, so ask their last school or allocate it.";
                return self.found(Field::Upn, Severity::Warning, Code::UpnAwaiting, sentence);
            }
            Err(fault) => {
                let code = match fault {
                    UpnFault::Missing => Code::UpnAwaiting,
                    UpnFault::Length(_) => Code::UpnLength,
                    UpnFault::CheckLetter { .. } => Code::UpnCheck,
                    UpnFault::LooksLike { .. }
                    | UpnFault::FirstLetter(_)
                    | UpnFault::Digit { .. }
                    | UpnFault::LastCharacter(_) => Code::UpnCharacter,
                };
                let meant = suggestions(cell).into_iter().next().map(String::from);
                let fault = Fault::new(Field::Upn, Severity::Error, code, fault.to_string());
                return self.line.faults.push(fault.with_repair(meant));
            }
        };
        for warning in upn.warnings(is_known_la, self.against.today) {
            let code = match warning {
                UpnWarning::UnknownAuthority(_) => Code::UpnAuthority,
                UpnWarning::Future(_) => Code::UpnYear,
            };
            self.found(Field::Upn, Severity::Warning, code, warning.to_string());
        }
        if upn.is_temporary() {
            let sentence = "This is a temporary UPN: replace it when the permanent one is known.";
            self.found(Field::Upn, Severity::Note, Code::UpnTemporary, sentence);
        }
        self.line.fields.upn = Some(upn);
    }

    fn names(&mut self) {
        let full = self.cell(Column::FullName);
        if let Some(full) = full {
            let parts = full
                .split_once(',')
                .map(|(last, first)| (last.trim(), first.trim()));
            match parts {
                Some((last, first)) if !first.contains(',') => {
                    self.line.fields.last_name = self.kept(Field::LastName, last);
                    self.line.fields.first_name = self.kept(Field::FirstName, first);
                }
                _ if full.is_empty() => {
                    self.line.fields.last_name = self.kept(Field::LastName, "");
                }
                _ => self.line.faults.push(Fault::new(
                    Field::LastName,
                    Severity::Error,
                    Code::FullName,
                    "Nothing says which part of this name is the surname: write it as “Smith, Ann” or in two columns.",
                )),
            }
        } else {
            self.line.fields.first_name = self.text(Field::FirstName);
            self.line.fields.last_name = self.text(Field::LastName);
        }
        self.line.fields.preferred_name = self.text(Field::PreferredName);
    }

    fn born(&mut self) {
        let cell = self.cell(Column::Field(Field::Born)).unwrap_or_default();
        let today = self.against.today;
        let born = match date::read(cell, today, self.against.day_first) {
            Ok(read) => self.noted(Field::Born, Severity::Note, Code::DateYear, read),
            Err(fault) => {
                let code = match fault {
                    DateFault::Missing => Code::Missing,
                    _ => Code::Date,
                };
                let repair = fault.repair();
                let fault = Fault::new(Field::Born, Severity::Error, code, fault.to_string());
                return self.line.faults.push(fault.with_repair(repair));
            }
        };
        match check_born(born, today) {
            Ok(None) => self.line.fields.born = Some(born),
            Ok(Some(odd)) => {
                self.found(Field::Born, Severity::Warning, Code::BornWhen, odd);
                self.line.fields.born = Some(born);
            }
            Err(fault) => {
                self.found(
                    Field::Born,
                    Severity::Error,
                    Code::BornWhen,
                    fault.to_string(),
                );
            }
        }
    }

    fn sex(&mut self) {
        let cell = self.cell(Column::Field(Field::Sex)).unwrap_or_default();
        match Sex::parse(cell) {
            Ok(read) => {
                let sex = self.noted(Field::Sex, Severity::Note, Code::Sex, read);
                self.line.fields.sex = Some(sex);
            }
            Err(fault) => {
                let code = match fault {
                    CodeFault::NoSex => Code::Missing,
                    _ => Code::Sex,
                };
                self.found(Field::Sex, Severity::Error, code, fault.to_string());
            }
        }
    }

    fn year_group(&mut self) {
        let cell = self
            .cell(Column::Field(Field::YearGroup))
            .unwrap_or_default();
        if cell.is_empty() {
            return self.lacking(Field::YearGroup);
        }
        let Some(year) = YearGroup::parse(cell) else {
            let sentence = format!(
                "“{}” is no year group: write N1, N2, R or a number from 1 to 14, or X for a pupil outside the years.",
                shown(cell)
            );
            return self.found(Field::YearGroup, Severity::Error, Code::YearGroup, sentence);
        };
        self.line.fields.year_group = Some(year);
        // X follows no year, and E1 and E2 have no age that is sure.
        if matches!(year, YearGroup::X | YearGroup::E1 | YearGroup::E2) {
            return;
        }
        if let Some(born) = self.line.fields.born {
            let by_age = expected(born, self.against.school_year);
            if by_age != Some(year) {
                let by_age = by_age.map_or("no year group".to_owned(), |year| year.to_string());
                let sentence = format!(
                    "By age this is {by_age} in {} and the roster says {year}: that is lawful, so check only that it is meant.",
                    self.against.school_year.label()
                );
                self.found(Field::YearGroup, Severity::Warning, Code::Cohort, sentence);
            }
        }
    }

    /// Name or code says which class it is, so that one of them is empty is no finding.
    fn classes(&mut self) {
        let cell = |field| {
            self.cell(Column::Field(field))
                .filter(|cell| !cell.is_empty())
        };
        let (name, code) = (cell(Field::ClassName), cell(Field::ClassCode));
        let lacking = name.or(code).is_none()
            && [Field::ClassName, Field::ClassCode]
                .iter()
                .any(|field| self.columns.contains(&Column::Field(*field)));
        self.line.fields.class_name = name.and_then(|name| self.kept(Field::ClassName, name));
        self.line.fields.class_code = code.and_then(|code| self.kept(Field::ClassCode, code));
        if lacking {
            self.lacking(Field::ClassName);
        }
    }

    /// The text of a field as it is kept. An empty one is found where the field must be there, or where its column is.
    fn text(&mut self, field: Field) -> Option<String> {
        let cell = self.cell(Column::Field(field));
        match (field.need(), cell) {
            (Need::Expected | Need::Optional, None) | (Need::Optional, Some("")) => None,
            (_, cell) => self.kept(field, cell.unwrap_or_default()),
        }
    }

    /// A text as it is kept, never taken for a formula.
    fn kept(&mut self, field: Field, cell: &str) -> Option<String> {
        if cell.is_empty() {
            self.lacking(field);
            return None;
        }
        match tidy(field, cell) {
            Ok(text) => {
                let of_person = matches!(
                    field,
                    Field::FirstName
                        | Field::LastName
                        | Field::PreferredName
                        | Field::Teacher
                        | Field::Supervisor
                );
                if of_person && text.starts_with(['=', '+', '-', '@']) {
                    let sentence = format!(
                        "{} begins as a formula does; it is kept as text, so check that it is a name.",
                        field.name()
                    );
                    self.found(field, Severity::Warning, Code::Formula, sentence);
                }
                Some(text)
            }
            Err(fault) => {
                self.found(field, Severity::Error, Code::Text, fault.to_string());
                None
            }
        }
    }

    fn lacking(&mut self, field: Field) {
        let name = field.name().to_lowercase();
        let (severity, sentence) = match field {
            Field::FirstName | Field::LastName => (
                Severity::Error,
                format!(
                    "There is no {name}: add it; a pupil who has one name alone has it in both columns."
                ),
            ),
            _ if field.need() == Need::Required => {
                (Severity::Error, format!("There is no {name}: add it."))
            }
            _ => (
                Severity::Warning,
                format!("There is no {name}: add it when it is known."),
            ),
        };
        self.found(field, severity, Code::Missing, sentence);
    }
}

#[cfg(test)]
mod tests;
