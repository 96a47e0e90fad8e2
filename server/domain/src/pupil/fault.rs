//! Why something about a pupil was not done, in one sentence each, and which constraint of the schema says so.

use serde::{Deserialize, Serialize};

#[cfg(feature = "db")]
use super::duty;
use super::{rollover, upn};

/// Why something about a pupil was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "fault", content = "with")]
pub enum Fault {
    /// What is wrong with a number, by its own rules.
    #[error("{0}")]
    Upn(#[from] upn::UpnFault),
    /// See [`upn`].
    #[error(
        "Another pupil, here now or before, has this UPN. Open their record, or check the number."
    )]
    UpnTaken,
    /// The school's own number.
    #[error("Another pupil, here now or before, has this admission number. Check it.")]
    AdmissionTaken,
    /// Too long, or with hidden characters.
    #[error("Enter an admission number of at most 20 characters.")]
    Admission,
    /// Empty, too long, or with hidden characters.
    #[error("Enter a first name of at most 120 characters.")]
    FirstName,
    /// Empty, too long, or with hidden characters.
    #[error("Enter a surname of at most 120 characters.")]
    LastName,
    /// Too long, or with hidden characters.
    #[error("Enter a preferred name of at most 120 characters, or leave it empty.")]
    PreferredName,
    /// Its switch is off.
    #[error(
        "Your school does not keep preferred names. An administrator can switch the field on, with a purpose."
    )]
    PreferredOff,
    /// No date, or one that no pupil has.
    #[error("Enter the date of birth, like 9 May 2016 or 09/05/2016.")]
    Born,
    /// No year group of England.
    #[error("Choose a year group: Nursery, Reception, Year 1 to Year 14.")]
    Year,
    /// A reason is chosen from the list.
    #[error("Choose the reason for which you open this record.")]
    Reason,
    /// And said in words.
    #[error("Say in a few words why: at least 10 characters, at most 500.")]
    Words,
    /// Nobody here bears the name.
    #[error("No pupil here is called that. Check the spelling of both names and try again.")]
    NobodyCalled,
    /// More than one does.
    #[error("{0} pupils are called that. Add the registration group, which tells them apart.")]
    SeveralCalled(u32),
    /// They are on the caseload.
    #[error("Choose a teacher or a teaching assistant: only they have a caseload.")]
    NotTeacher,
    /// Twice at once.
    #[error("They have this on their caseload in that time already. Choose other days.")]
    CaseloadTwice,
    /// Cover has an end.
    #[error("Say until when the cover lasts.")]
    CoverEnds,
    /// A caseload of nothing.
    #[error("Choose a class or a pupil.")]
    NothingGiven,
    /// An end before its beginning, or one that is over.
    #[error("The end lies before the beginning, or in the past. Correct one of the two.")]
    TimesOrder,
    /// Not a time of the day.
    #[error("Enter a time like 15:30.")]
    Time,
    /// Empty, too long, taken by another of its kind.
    #[error("Enter a name for the group, at most 40 characters.")]
    GroupName,
    /// Two groups of a kind have different names.
    #[error("There is a group of that name already. Choose another name.")]
    GroupNameTaken,
    /// In it already, or in another registration group.
    #[error("They are in that group, or in another registration group, in that time already.")]
    GroupTwice,
    /// Something hangs on them.
    #[error("There are records about this pupil, so they stay. Record that they left instead.")]
    PupilStays,
    /// Only parents have children here.
    #[error("Choose somebody with the role of a parent. Invite them first if they are not listed.")]
    NotParent,
    /// Linked already.
    #[error("They are linked to this child already.")]
    GuardianTwice,
    /// Restricted already.
    #[error("There is a contact restriction for this person and this child already.")]
    RestrictionTwice,
    /// A restriction without its ground.
    #[error("Say what the restriction rests on, like the court and the date of its order.")]
    RestrictionWords,
    /// On without a purpose.
    #[error("Say what your school needs this for: at least 10 characters, at most 500.")]
    Purpose,
    /// A kind of tag that is off, or not theirs.
    #[error(
        "Your school does not keep this, or it is not yours to set. An administrator can switch the field on, with a purpose."
    )]
    TagOff,
    /// A value that its kind does not have.
    #[error("Choose one of the values of this field; a language is written in at most 40 letters.")]
    TagValue,
    /// Before June.
    #[error("Tags are renewed for the next school year from 1 June on. They hold until 31 August.")]
    RenewEarly,
    /// A list that is signed.
    #[error("This list is signed already. What you have to say can be added to it below.")]
    ReviewTwice,
    /// A list that nobody has signed.
    #[error("This list is not signed yet. Sign it first; then something can be added.")]
    ReviewUnsigned,
    /// Signed without a word.
    #[error("Say what you looked into: of the whole list, or of each line of it.")]
    ReviewWords,
    /// To be followed up, and nobody knows how.
    #[error("Say what is to be followed up, beside each line that you marked.")]
    ReviewFollowUp,
    /// What keeps the roll from being moved up.
    #[error("{0}")]
    Rollover(#[from] rollover::Fault),
    /// How to reach somebody.
    #[error("Say how they are reached: a number, a room. At most 200 characters.")]
    Reached,
}

impl Fault {
    /// The field of the form it is about.
    pub const fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::Upn(_) | Self::UpnTaken => "upn",
            Self::Admission | Self::AdmissionTaken => "admission_number",
            Self::FirstName | Self::NobodyCalled => "first_name",
            Self::LastName => "last_name",
            Self::PreferredName | Self::PreferredOff => "preferred_name",
            Self::Born => "born",
            Self::Year => "year",
            Self::Reason => "reason",
            Self::Words | Self::RestrictionWords => "words",
            Self::SeveralCalled(_) => "registration",
            Self::NotTeacher | Self::NotParent | Self::GuardianTwice | Self::RestrictionTwice => {
                "person"
            }
            Self::NothingGiven | Self::CaseloadTwice => "of",
            Self::CoverEnds | Self::TimesOrder | Self::Time => "until",
            Self::GroupName | Self::GroupNameTaken => "name",
            Self::GroupTwice => "group",
            Self::Purpose => "purpose",
            Self::Reached => "reached",
            Self::TagOff | Self::TagValue => "value",
            Self::ReviewWords => "words",
            Self::ReviewFollowUp => "lines",
            Self::RenewEarly | Self::PupilStays | Self::ReviewTwice | Self::ReviewUnsigned => {
                return None;
            }
            Self::Rollover(fault) => return fault.field(),
        })
    }
}

/// What it means to a person that a constraint of these tables was violated; none for those of other tables.
#[cfg(feature = "db")]
pub(crate) fn refusal_of(constraint: &str) -> Option<crate::Refusal> {
    use crate::Refusal;
    Some(Refusal::Pupil(match constraint {
        "pupil_upn_key" => Fault::UpnTaken,
        // What was typed was read before, so that only other writers meet these.
        "pupil_upn_shape" | "pupil_upn_check" => Fault::Upn(upn::UpnFault::Missing),
        "pupil_admission_number_key" => Fault::AdmissionTaken,
        "pupil_admission_number_shape" => Fault::Admission,
        "pupil_first_name_shape" => Fault::FirstName,
        "pupil_last_name_shape" => Fault::LastName,
        "pupil_preferred_name_shape" => Fault::PreferredName,
        "pupil_born_finite" => Fault::Born,
        "pupil_year_group_known" => Fault::Year,
        "pupil_access_reason_known" => Fault::Reason,
        "pupil_access_words_shape" => Fault::Words,
        "caseload_of_teacher" => Fault::NotTeacher,
        "caseload_group_once" | "caseload_pupil_once" => Fault::CaseloadTwice,
        "caseload_cover_ends" => Fault::CoverEnds,
        "caseload_one" => Fault::NothingGiven,
        "caseload_during_some" => Fault::TimesOrder,
        "teaching_group_name_key" => Fault::GroupNameTaken,
        "teaching_group_name_shape" => Fault::GroupName,
        "group_pupil_once" | "group_pupil_one_registration" => Fault::GroupTwice,
        "guardian_link_of_parent" => Fault::NotParent,
        "guardian_link_open_key" => Fault::GuardianTwice,
        "contact_restriction_open_key" => Fault::RestrictionTwice,
        "contact_restriction_words_shape" => Fault::RestrictionWords,
        "field_switch_purpose_shape" => Fault::Purpose,
        "duty_holder_reached_shape" => Fault::Reached,
        "access_review_once_key" => Fault::ReviewTwice,
        "access_statement_review_fkey" => Fault::ReviewUnsigned,
        "access_statement_words_shape" => Fault::ReviewWords,
        "access_review_week_fkey"
        | "access_review_by_fkey"
        | "access_statement_finding_fkey"
        | "access_statement_by_fkey"
        | "access_finding_week_fkey"
        | "access_finding_membership_fkey"
        | "access_finding_pupil_fkey"
        | "access_finding_access_fkey" => return Some(Refusal::NotFound),
        "tag_pupil_fkey"
        | "tag_change_pupil_fkey"
        | "tag_change_by_fkey"
        | "year_change_pupil_fkey" => {
            return Some(Refusal::NotFound);
        }
        "rollover_once_key" => Fault::Rollover(rollover::Fault::Done),
        "rollover_last_day_finite" => Fault::Rollover(rollover::Fault::LastDay),
        "rollover_made_by_fkey"
        | "rollover_change_rollover_fkey"
        | "rollover_change_pupil_fkey"
        | "rollover_change_group_fkey"
        | "rollover_change_membership_fkey" => return Some(Refusal::NotFound),
        // Somebody else set it a moment earlier.
        "tag_once_key" | "tenant_key_number_key" => return Some(Refusal::Stale),
        "group_pupil_during_some" => return Some(Refusal::DatesOrder),
        "duty_holder_process_shape" => return Some(Refusal::TextFormat(duty::PROCESS_MOST)),
        "contact_restriction_until_finite"
        | "pupil_left_on_finite"
        | "teaching_group_closed_on_finite" => return Some(Refusal::DateFormat),
        // Somebody else was a moment earlier.
        "field_switch_field_key" | "duty_holder_duty_key" => return Some(Refusal::Stale),
        // What was pointed at is not there.
        "caseload_membership_fkey"
        | "caseload_group_fkey"
        | "caseload_pupil_fkey"
        | "caseload_given_by_fkey"
        | "group_pupil_group_fkey"
        | "group_pupil_pupil_fkey"
        | "pupil_access_membership_fkey"
        | "pupil_access_pupil_fkey"
        | "pupil_read_membership_fkey"
        | "pupil_read_pupil_fkey"
        | "pupil_read_access_fkey"
        | "guardian_link_membership_fkey"
        | "guardian_link_pupil_fkey"
        | "guardian_link_linked_by_fkey"
        | "contact_restriction_membership_fkey"
        | "contact_restriction_pupil_fkey"
        | "contact_restriction_made_by_fkey"
        | "contact_restriction_lifted_by_fkey"
        | "field_switch_on_by_fkey"
        | "duty_holder_membership_fkey" => {
            return Some(Refusal::NotFound);
        }
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_constraint_of_the_roll_has_a_sentence() {
        let fresh = testing::Fresh::empty().await;
        let mut behind = fresh.behind().await;
        let constraints: Vec<String> = sqlx::query_scalar(
            "select conname::text from pg_constraint
             where conrelid = any (array['pupil', 'teaching_group', 'group_pupil', 'caseload', 'pupil_access', 'pupil_read',
               'guardian_link', 'contact_restriction', 'field_switch', 'duty_holder', 'tenant_key', 'tag', 'tag_change',
               'access_week', 'access_finding', 'access_review', 'access_statement', 'rollover', 'rollover_change',
               'year_change']::regclass[])
               and contype not in ('n', 'p', 't') and conname !~ '_tenant_fkey$'
             union all
             select unnest(array['teaching_group_name_key', 'guardian_link_open_key', 'contact_restriction_open_key',
               'rollover_once_key'])
             union all
             select m[1] from pg_proc, regexp_matches(prosrc, 'constraint = ''([a-z_]+)''', 'g') m
             where oid = any (array['sec.caseload_fits()', 'sec.guardian_link_fits()']::regprocedure[])",
        )
        .fetch_all(&mut *behind)
        .await
        .unwrap();
        assert!(constraints.len() > 55, "{constraints:#?}");
        let mut mute: Vec<_> = constraints
            .iter()
            .filter(|name| refusal_of(name).is_none())
            .map(String::as_str)
            .collect();
        mute.sort_unstable();
        // What nobody types: the server makes it, and a fault there is ours.
        let made = [
            "access_finding_many_some",
            "access_finding_person_named",
            "access_finding_rule_known",
            "access_finding_week_key",
            "access_week_looks_some",
            "access_week_monday_first",
            "access_week_monday_key",
            "contact_restriction_lifted_both",
            "duty_holder_duty_known",
            "field_switch_field_known",
            "guardian_link_relation_known",
            "pupil_access_until_later",
            "pupil_read_basis_known",
            "pupil_read_parts_some",
            "pupil_read_reason_named",
            "pupil_sex_known",
            "rollover_change_what_known",
            "rollover_school_year_known",
            "tag_change_kind_known",
            "tag_change_why_known",
            "tag_expires_on_finite",
            "tag_kind_known",
            "tag_sealed_length",
            "teaching_group_kind_key",
            "teaching_group_kind_known",
            "tenant_key_number_fits",
            "tenant_key_wrapped_length",
            "year_change_was_known",
        ];
        assert_eq!(mute, made);
    }
}
