//! What a line says of a pupil's circumstances, and which of its columns contradict each other.

use super::Judging;
use crate::{
    pupil::{
        code::{Ethnicity, Sen, yes_no},
        field::{Field, TagKind},
    },
    roster::{
        column::Column,
        fault::{Code, Severity},
    },
};

impl Judging<'_> {
    pub(super) fn tags(&mut self) {
        for tag in TagKind::ALL.iter().copied() {
            let Some(cell) = self.cell(Column::Field(tag.field())) else {
                continue;
            };
            let said = match tag {
                TagKind::Ethnicity => self.ethnicity(cell),
                TagKind::Sen => self.sen(cell),
                TagKind::HomeLanguage => self.text(Field::HomeLanguage),
                TagKind::Fsm
                | TagKind::Fsm6
                | TagKind::LookedAfter
                | TagKind::PupilPremium
                | TagKind::ServiceChild
                | TagKind::Traveller
                | TagKind::MoreAble => self.yes_no(tag, cell),
            };
            if let Some(said) = said {
                self.line.tags.insert(tag, said);
            }
        }
    }

    fn ethnicity(&mut self, cell: &str) -> Option<String> {
        match Ethnicity::parse(cell, &self.against.ethnicities) {
            Ok(read) => {
                let ethnicity = self.noted(
                    Field::Ethnicity,
                    Severity::Note,
                    Code::EthnicityMapping,
                    read?,
                );
                Some(ethnicity.code().to_owned())
            }
            Err(fault) => {
                let sentence = fault.to_string();
                self.found(
                    Field::Ethnicity,
                    Severity::Error,
                    Code::EthnicityMapping,
                    sentence,
                );
                None
            }
        }
    }

    fn sen(&mut self, cell: &str) -> Option<String> {
        match Sen::parse(cell) {
            Ok(read) => {
                let sen = self.noted(Field::Sen, Severity::Note, Code::Sen, read);
                Some(sen.code().to_owned())
            }
            Err(fault) => {
                self.found(Field::Sen, Severity::Error, Code::Sen, fault.to_string());
                None
            }
        }
    }

    fn yes_no(&mut self, tag: TagKind, cell: &str) -> Option<String> {
        match yes_no(cell) {
            Ok(read) => {
                let yes = self.noted(tag.field(), Severity::Note, Code::YesNo, read?);
                Some(if yes { "Y" } else { "N" }.to_owned())
            }
            Err(fault) => {
                self.found(tag.field(), Severity::Error, Code::YesNo, fault.to_string());
                None
            }
        }
    }

    /// What two columns say that cannot both be so. A sentence names the columns and not what this child's cells say.
    pub(super) fn contradictions(&mut self) {
        let said = |tag| self.line.tags.get(&tag).map(String::as_str);
        let fsm = said(TagKind::Fsm) == Some("Y") && said(TagKind::Fsm6) == Some("N");
        let traveller = said(TagKind::Traveller).map(|said| said == "Y");
        // One who refused, or has not been asked, contradicts nothing.
        let by_ethnicity = said(TagKind::Ethnicity)
            .and_then(Ethnicity::from_code)
            .filter(|ethnicity| ethnicity.is_group())
            .map(Ethnicity::is_traveller);
        if fsm {
            let sentence = "Free school meals now are free school meals in the last six years: check both columns.";
            self.found(
                Field::Fsm6,
                Severity::Warning,
                Code::FsmContradiction,
                sentence,
            );
        }
        if let (Some(traveller), Some(by_ethnicity)) = (traveller, by_ethnicity)
            && traveller != by_ethnicity
        {
            let sentence = "The traveller column and the ethnicity code do not say the same: check both with the family.";
            let code = Code::TravellerContradiction;
            self.found(Field::Traveller, Severity::Warning, code, sentence);
        }
    }
}
