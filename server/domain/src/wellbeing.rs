//! How a pupil is doing, as the adults around them see it: the scale, what a row of check-ins says and what it does not, and
//! the scores of instruments that a school uses under its own licence.
//!
//! Nothing here is a diagnosis, a ranking of children or a forecast. Where there is too little to go by, the rule says so.

pub mod caseload;
pub mod effect;
pub mod instrument;
pub mod naming;
pub mod onrecord;
pub mod picture;
pub mod record;
pub mod scale;
pub mod timeline;
pub mod trend;
#[cfg(feature = "db")]
pub mod typed;

use serde::{Deserialize, Serialize};

pub use scale::{Domain, Level};

/// Why something about a record was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "fault", content = "with")]
pub enum Fault {
    /// What is wrong with scores, by their own rules.
    #[error("{0}")]
    Scores(#[from] instrument::Fault),
    /// A record of nobody.
    #[error("Choose at least one pupil, and each of them once.")]
    NoPupil,
    /// See [`record::PUPILS_MOST`].
    #[error("One record is about at most {0} pupils. Write another one for the others.")]
    ManyPupils(u16),
    /// Nothing that was seen.
    #[error("Choose a level in at least one domain, and one in each at most, for every pupil.")]
    NoLevel,
    /// A record of what is yet to be.
    #[error("That time has not come yet. Enter when it happened.")]
    Ahead,
    /// No date.
    #[error("Enter the day like 18 June 2026 or 18/06/2026.")]
    Day,
    /// Not a time of the day.
    #[error("Enter the time like 15:30, or leave it empty.")]
    Time,
    /// Nobody whom the author sees bears the name.
    #[error(
        "No pupil whom you see is called “{0}”. Write first name and surname as in the list of pupils."
    )]
    NobodyCalled(String),
    /// More than one does.
    #[error(
        "More than one pupil is called “{0}”. Add the registration group after a comma, like “Elliot Pryce, 5B”."
    )]
    SeveralCalled(String),
    /// Empty, too long, or with hidden characters.
    #[error("Write what happened, at most {0} characters.")]
    Body(u16),
    /// A pupil's own part.
    #[error("Write at most {0} characters about each pupil’s own part.")]
    Words(u16),
    /// A conversation with nobody.
    #[error("Say with whom you spoke, at most 200 characters.")]
    With,
    /// What an intervention is for.
    #[error("Say what it is to change, at most 500 characters.")]
    Aim,
    /// What an intervention consists of.
    #[error("Say what is done, at most 500 characters.")]
    What,
    /// Who does it.
    #[error("Choose somebody of the school who does it.")]
    By,
    /// See [`record::SESSIONS_MOST`].
    #[error("Enter how many sessions, from 1 to {0}.")]
    Sessions(u16),
    /// An end or a review before the beginning.
    #[error("The review and the last day cannot lie before the first. Correct the days.")]
    Days,
    /// A new version without one.
    #[error("Say in one line why you change or withdraw it: at least 3 characters, at most 500.")]
    Reason,
    /// What is put on record is read by parents as it stands.
    #[error("Write what the parents are to read, at most {0} characters.")]
    Published(u16),
    /// Another pupil's name, as it was typed.
    #[error("“{0}” is the name of another pupil. Say “another pupil”, or leave it out.")]
    NamesOther(String),
    /// Twice for one pupil.
    #[error("This record is on record for this pupil already. Take that entry off first.")]
    OnRecordAlready,
    /// The version that was looked at is not the newest.
    #[error("There is a newer version of this record. Look at it, then put it on record.")]
    NotNewest,
    /// Parents may have read it.
    #[error("Parents can see this entry by now. Take it off the record, and say why.")]
    Opened,
    /// Nobody has read it.
    #[error("Parents cannot see this entry yet. Take it back; nobody will notice.")]
    NotOpened,
    /// What a parent says to an entry.
    #[error("Write your statement, at most {0} characters.")]
    Statement(u16),
    /// See [`onrecord::Rule`].
    #[error("Choose a cooling time from nought to seven days.")]
    Cooling,
    /// See [`onrecord::Rule`].
    #[error("Say in at most {0} characters whom parents can ask.")]
    TalkTo(u16),
}

impl Fault {
    /// The field of the form it is about.
    pub const fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::Scores(_) => "scores",
            Self::NoPupil
            | Self::ManyPupils(_)
            | Self::NobodyCalled(_)
            | Self::SeveralCalled(_) => "pupils",
            Self::NoLevel => "levels",
            Self::Ahead | Self::Day => "happened_at",
            Self::Time => "time",
            Self::Body(_) => "body",
            Self::Words(_) | Self::Published(_) | Self::NamesOther(_) | Self::Statement(_) => {
                "words"
            }
            Self::With => "with",
            Self::Aim => "aim",
            Self::What => "what",
            Self::By => "by",
            Self::Sessions(_) => "sessions",
            Self::Days => "review_on",
            Self::Reason => "reason",
            Self::Cooling => "cooling",
            Self::TalkTo(_) => "talk_to",
            Self::OnRecordAlready | Self::NotNewest | Self::Opened | Self::NotOpened => {
                return None;
            }
        })
    }
}

/// What it means to a person that a constraint of these tables was violated; none for those of other tables.
#[cfg(feature = "db")]
pub(crate) fn refusal_of(constraint: &str) -> Option<crate::Refusal> {
    use crate::Refusal;
    Some(Refusal::Wellbeing(match constraint {
        "record_happened_before" => Fault::Ahead,
        "record_version_body_shape" => Fault::Body(record::BODY_MOST),
        "record_words_shape" => Fault::Words(record::WORDS_MOST),
        "record_version_reason_given"
        | "record_version_reason_shape"
        | "on_record_off_why_given"
        | "on_record_off_why_shape" => Fault::Reason,
        "record_pupil_place_some" => Fault::ManyPupils(record::PUPILS_MOST),
        "record_pupil_pkey" => Fault::NoPupil,
        "score_pkey" | "score_value_known" | "score_domain_known" => Fault::NoLevel,
        "record_version_review_on_finite" => Fault::Days,
        "on_record_words_shape" => Fault::Published(onrecord::WORDS_MOST),
        "on_record_once_key" => Fault::OnRecordAlready,
        "on_record_newest" => Fault::NotNewest,
        "on_record_taken_back_unseen" => Fault::Opened,
        "on_record_off_seen" => Fault::NotOpened,
        "statement_words_shape" => Fault::Statement(onrecord::WORDS_MOST),
        "record_rule_cooling_bounded" => Fault::Cooling,
        "record_rule_talk_to_shape" => Fault::TalkTo(onrecord::TALK_TO_MOST),
        // Whoever is linked is seen, so only who takes a pupil off the roll meets it.
        "record_pupil_pupil_fkey" => {
            return Some(Refusal::Pupil(crate::pupil::Fault::PupilStays));
        }
        // Somebody else was a moment earlier.
        "record_version_pkey"
        | "record_version_next"
        | "on_record_ends_once"
        | "statement_pkey"
        | "statement_number_some" => return Some(Refusal::Stale),
        // What was pointed at is not there.
        "record_author_fkey"
        | "record_pupil_record_fkey"
        | "record_version_record_fkey"
        | "record_version_made_by_fkey"
        | "record_words_version_fkey"
        | "record_words_pupil_fkey"
        | "score_version_fkey"
        | "score_pupil_fkey"
        | "on_record_version_fkey"
        | "on_record_pupil_fkey"
        | "on_record_put_by_fkey"
        | "statement_entry_fkey"
        | "statement_author_fkey" => return Some(Refusal::NotFound),
        _ => return None,
    }))
}

#[cfg(all(test, feature = "db"))]
mod tests {
    use super::refusal_of;

    #[tokio::test]
    async fn every_constraint_of_the_records_has_a_sentence() {
        let fresh = testing::Fresh::empty().await;
        let mut behind = fresh.behind().await;
        let constraints: Vec<String> = sqlx::query_scalar(
            "select conname::text from pg_constraint
             where conrelid = any (array['record', 'record_pupil', 'record_version', 'record_words', 'score', 'record_rule',
               'on_record', 'statement']::regclass[])
               and contype not in ('n', 'p', 't') and conname !~ '_tenant_fkey$'
             union all select 'on_record_once_key'
             union all
             select m[1] from pg_proc, regexp_matches(prosrc, 'constraint = ''([a-z_]+)''', 'g') m
             where oid = any (array['sec.record_version_counts()', 'sec.on_record_fits()']::regprocedure[])",
        )
        .fetch_all(&mut *behind)
        .await
        .unwrap();
        assert!(constraints.len() > 40, "{constraints:#?}");
        let mut mute: Vec<_> = constraints
            .iter()
            .filter(|name| refusal_of(name).is_none())
            .map(String::as_str)
            .collect();
        mute.sort_unstable();
        // What nobody types: the server makes it, and a fault there is ours. A name in the words is told by which it is.
        let made = [
            "on_record_kind_known",
            "on_record_names_nobody",
            "on_record_opens_later",
            "on_record_pupil_key",
            "record_kind_known",
            "record_pupil_part_known",
            "record_pupil_place_key",
            "record_version_detail_object",
            "record_version_number_positive",
            "record_version_withdraws_later",
        ];
        assert_eq!(mute, made);
    }
}
