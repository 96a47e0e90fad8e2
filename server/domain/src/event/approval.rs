//! What happens to approvals. Each is about its document; the version's number and SHA-256 stand in the log, so that an answer is to
//! those bytes for ever. Reasons and interests do not: they are read where the document is.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Act;
use crate::{
    MembershipId,
    approval::{Answer, Rule, State},
    text,
};

impl Act {
    fn of_approval(
        name: &'static str,
        document: Uuid,
        folder: Uuid,
        approval: Uuid,
        mut detail: Value,
    ) -> Self {
        detail["folder"] = json!(folder);
        detail["approval"] = json!(approval);
        Self {
            name,
            about: Some(document),
            detail,
            topics: vec![
                "approvals".to_owned(),
                format!("folder/{folder}"),
                format!("paper/{document}"),
            ],
            closes: None,
        }
    }

    pub(crate) fn approval_asked(
        document: Uuid,
        folder: Uuid,
        approval: Uuid,
        version: u32,
        sha256: &[u8],
        rule: Rule,
        people: usize,
    ) -> Self {
        let mut detail = json!({
            "version": version, "sha256": text::hex(sha256), "rule": rule.code(), "people": people,
        });
        if let Rule::AtLeast(least) = rule {
            detail["least"] = json!(least);
        }
        Self::of_approval("approval.asked", document, folder, approval, detail)
    }

    /// `place` is whose, where a stand-in answers.
    pub(crate) fn approval_answered(
        document: Uuid,
        folder: Uuid,
        approval: Uuid,
        version: u32,
        sha256: &[u8],
        answer: Answer,
        place: Option<MembershipId>,
    ) -> Self {
        let name = match answer {
            Answer::Agree => "approval.agreed",
            Answer::Object => "approval.objected",
            Answer::Abstain => "approval.abstained",
        };
        let mut detail = json!({ "version": version, "sha256": text::hex(sha256) });
        if let Some(place) = place {
            detail["person"] = json!(place);
        }
        Self::of_approval(name, document, folder, approval, detail)
    }

    pub(crate) fn approval_answer_withdrawn(
        document: Uuid,
        folder: Uuid,
        approval: Uuid,
        version: u32,
    ) -> Self {
        let detail = json!({ "version": version });
        Self::of_approval(
            "approval.answer_withdrawn",
            document,
            folder,
            approval,
            detail,
        )
    }

    pub(crate) fn approval_closed(
        document: Uuid,
        folder: Uuid,
        approval: Uuid,
        outcome: State,
    ) -> Self {
        let detail = json!({ "outcome": outcome.code() });
        Self::of_approval("approval.closed", document, folder, approval, detail)
    }

    pub(crate) fn approval_withdrawn(document: Uuid, folder: Uuid, approval: Uuid) -> Self {
        Self::of_approval("approval.withdrawn", document, folder, approval, json!({}))
    }
}
