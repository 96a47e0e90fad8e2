//! Acts on wellbeing records and on what parents read of them. Each says how many pupils it is about and of which kind the record is;
//! what stands in it never enters the log, nor whether any words of it brought up a prompt.

use serde_json::{Value, json};
use time::Date;
use uuid::Uuid;

use super::Act;
use crate::{AccountId, day, live::Topic, wellbeing::record::Kind};

impl Act {
    fn of_record(
        name: &'static str,
        record: Option<Uuid>,
        pupils: &[Uuid],
        parents: &[AccountId],
        mut detail: Value,
    ) -> Self {
        detail["pupils"] = json!(pupils.len());
        let mut topics = vec!["caseload".to_owned()];
        topics.extend(pupils.iter().map(|pupil| format!("pupil/{pupil}")));
        topics.extend(parents.iter().map(|account| format!("me/{account}")));
        Self {
            name,
            about: record,
            detail,
            topics,
            closes: None,
        }
    }

    /// A row of pupils at once is one act.
    pub(crate) fn checked_in(pupils: &[Uuid]) -> Self {
        Self::of_record("record.checked_in", None, pupils, &[], json!({}))
    }

    pub(crate) fn recorded(kind: Kind, record: Uuid, pupils: &[Uuid]) -> Self {
        let name = match kind {
            Kind::CheckIn => "record.checked_in",
            Kind::Observation => "record.observed",
            Kind::Conversation => "record.conversed",
            Kind::Plan => "record.planned",
            Kind::Intervention => "record.intervened",
            Kind::Instrument => "record.scored",
        };
        Self::of_record(name, Some(record), pupils, &[], json!({}))
    }

    pub(crate) fn revised(kind: Kind, record: Uuid, number: i32, pupils: &[Uuid]) -> Self {
        let detail = json!({ "kind": kind.code(), "version": number });
        Self::of_record("record.revised", Some(record), pupils, &[], detail)
    }

    /// Parents who read of it do not any more.
    pub(crate) fn record_withdrawn(
        kind: Kind,
        record: Uuid,
        pupils: &[Uuid],
        parents: &[AccountId],
    ) -> Self {
        let detail = json!({ "kind": kind.code() });
        Self::of_record("record.withdrawn", Some(record), pupils, parents, detail)
    }

    /// Parents hear of it when it opens.
    pub(crate) fn put_on_record(record: Uuid, entry: Uuid, pupil: Uuid) -> Self {
        let detail = json!({ "entry": entry });
        Self::of_record("record.put_on_record", Some(record), &[pupil], &[], detail)
    }

    /// Parents never hear of it.
    pub(crate) fn taken_back(record: Uuid, entry: Uuid, pupil: Uuid) -> Self {
        let detail = json!({ "entry": entry });
        Self::of_record("record.taken_back", Some(record), &[pupil], &[], detail)
    }

    pub(crate) fn taken_off(record: Uuid, entry: Uuid, pupil: Uuid, parents: &[AccountId]) -> Self {
        let detail = json!({ "entry": entry });
        Self::of_record("record.taken_off", Some(record), &[pupil], parents, detail)
    }

    /// A parent spoke to an entry; other parents of the child do not hear of it.
    pub(crate) fn statement_made(entry: Uuid, pupil: Uuid, account: AccountId) -> Self {
        Self::of_record(
            "statement.made",
            Some(entry),
            &[pupil],
            &[account],
            json!({}),
        )
    }

    pub(crate) fn record_rule_set(minutes: u32, trend: bool) -> Self {
        Self {
            name: "record.rule_set",
            about: None,
            detail: json!({ "cooling_minutes": minutes, "trend": trend }),
            topics: vec!["settings".to_owned()],
            closes: None,
        }
    }

    /// Of all pupils and of none: the number is left out, and its place keeps the line from who sees nothing of pupils.
    pub(crate) fn picture_released(picture: Uuid, on: Date) -> Self {
        Self {
            name: "picture.released",
            about: Some(picture),
            detail: json!({ "day": day::field(on), "pupils": Value::Null }),
            topics: vec![Topic::SchoolPicture.name()],
            closes: None,
        }
    }
}
