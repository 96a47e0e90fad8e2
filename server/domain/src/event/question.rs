//! What happens to questions, comments and notes. Ids and numbers: what was asked never enters the log. `only` are those who alone
//! read the line, as the row policy of the log has it.

use serde_json::json;
use uuid::Uuid;

use super::Act;
use crate::{AccountId, MembershipId};

/// A question as its acts name it.
pub(crate) struct About {
    pub(crate) question: Uuid,
    pub(crate) document: Uuid,
    pub(crate) folder: Uuid,
    /// Who asked and whom it was put to, where not everybody who reads the document may know of it.
    pub(crate) only: Option<Vec<MembershipId>>,
}

impl Act {
    fn of_question(name: &'static str, about: &About) -> Self {
        let mut detail = json!({ "question": about.question, "folder": about.folder });
        if let Some(only) = &about.only {
            detail["only"] = json!(only);
        }
        Self {
            name,
            about: Some(about.document),
            detail,
            topics: vec![
                format!("paper/{}", about.document),
                format!("folder/{}", about.folder),
                // As long as the page of a document follows the whole library.
                "library".to_owned(),
            ],
            closes: None,
        }
    }

    /// On which version; as a comment, where nothing was asked.
    pub(crate) fn question_asked(about: &About, version: u32, kind: &str) -> Self {
        let name = if about.only.is_some() {
            "question.put"
        } else {
            "question.asked"
        };
        let mut act = Self::of_question(name, about);
        act.detail["version"] = json!(version);
        act.detail["kind"] = json!(kind);
        act
    }

    pub(crate) fn question_replied(about: &About) -> Self {
        Self::of_question("question.replied", about)
    }

    pub(crate) fn question_answered(about: &About) -> Self {
        Self::of_question("question.answered", about)
    }

    pub(crate) fn question_reopened(about: &About) -> Self {
        Self::of_question("question.reopened", about)
    }

    pub(crate) fn question_withdrawn(about: &About) -> Self {
        Self::of_question("question.withdrawn", about)
    }

    /// Neither of which document nor where: that somebody keeps notes is nobody else's business. The line has to be there, since
    /// without an act nothing commits and without a line the chain says less than was done.
    fn of_note(name: &'static str, own: MembershipId, account: AccountId) -> Self {
        Self {
            name,
            about: None,
            detail: json!({ "only": [own] }),
            topics: vec![format!("me/{account}")],
            closes: None,
        }
    }

    pub(crate) fn note_kept(own: MembershipId, account: AccountId) -> Self {
        Self::of_note("note.kept", own, account)
    }

    pub(crate) fn note_dropped(own: MembershipId, account: AccountId) -> Self {
        Self::of_note("note.dropped", own, account)
    }
}
