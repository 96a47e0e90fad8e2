//! What happens to the library. Ids, numbers and hashes: what a folder or a document is called never enters the log, so that who
//! reads the log learns nothing of a folder that they do not read.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Act, CLOSE_REMOVED, Closes};
use crate::{AccountId, MembershipId, document::filing::Stored, text};

/// On folders. `folder` stands in each, since it decides who is told.
impl Act {
    fn of_folder(name: &'static str, folder: Uuid, mut detail: Value) -> Self {
        detail["folder"] = json!(folder);
        Self {
            name,
            about: Some(folder),
            detail,
            topics: vec!["library".to_owned(), format!("folder/{folder}")],
            closes: None,
        }
    }

    pub(crate) fn folder_opened(folder: Uuid, restricted: bool) -> Self {
        Self::of_folder("folder.opened", folder, json!({ "restricted": restricted }))
    }

    /// `prints`: whether the reader prints what lies in it from now on.
    pub(crate) fn folder_renamed(folder: Uuid, prints: bool) -> Self {
        Self::of_folder("folder.renamed", folder, json!({ "prints": prints }))
    }

    pub(crate) fn folder_archived(folder: Uuid) -> Self {
        Self::of_folder("folder.archived", folder, json!({}))
    }

    pub(crate) fn folder_reopened(folder: Uuid) -> Self {
        Self::of_folder("folder.reopened", folder, json!({}))
    }

    /// The new reader's own pages hear of it too.
    pub(crate) fn folder_reader_added(
        folder: Uuid,
        person: Option<MembershipId>,
        account: Option<AccountId>,
    ) -> Self {
        let mut act = Self::of_folder("folder.reader_added", folder, json!({ "person": person }));
        act.topics
            .extend(account.map(|account| format!("me/{account}")));
        act
    }

    /// Their pages close, and open again with what they may still see.
    pub(crate) fn folder_reader_removed(
        folder: Uuid,
        person: Option<MembershipId>,
        accounts: Vec<AccountId>,
    ) -> Self {
        let act = Self::of_folder("folder.reader_removed", folder, json!({ "person": person }));
        Self {
            closes: Some(Closes {
                accounts,
                sessions: vec![],
                code: CLOSE_REMOVED,
            }),
            ..act
        }
    }

    pub(crate) fn folder_change_asked(folder: Uuid, person: MembershipId, adds: bool) -> Self {
        let detail = json!({ "person": person, "adds": adds });
        Self::of_folder("folder.change_asked", folder, detail)
    }

    pub(crate) fn folder_change_dropped(folder: Uuid, person: MembershipId, adds: bool) -> Self {
        let detail = json!({ "person": person, "adds": adds });
        Self::of_folder("folder.change_dropped", folder, detail)
    }
}

/// On documents.
impl Act {
    fn of_document(name: &'static str, document: Uuid, folder: Uuid, mut detail: Value) -> Self {
        detail["folder"] = json!(folder);
        Self {
            name,
            about: Some(document),
            detail,
            topics: vec![
                "library".to_owned(),
                format!("folder/{folder}"),
                format!("paper/{document}"),
            ],
            closes: None,
        }
    }

    fn of_version(stored: &Stored, number: u32) -> Value {
        json!({
            "version": number, "sha256": text::hex(&stored.sha256), "size": stored.size, "format": stored.format.code(),
        })
    }

    pub(crate) fn document_added(document: Uuid, folder: Uuid, stored: &Stored) -> Self {
        let detail = Self::of_version(stored, 1);
        Self::of_document("document.added", document, folder, detail)
    }

    pub(crate) fn document_version_added(
        document: Uuid,
        folder: Uuid,
        number: u32,
        stored: &Stored,
    ) -> Self {
        let detail = Self::of_version(stored, number);
        Self::of_document("document.version_added", document, folder, detail)
    }

    pub(crate) fn document_version_restored(
        document: Uuid,
        folder: Uuid,
        number: u32,
        restores: u32,
    ) -> Self {
        let detail = json!({ "version": number, "restores": restores });
        Self::of_document("document.version_restored", document, folder, detail)
    }

    pub(crate) fn document_described(document: Uuid, folder: Uuid) -> Self {
        Self::of_document("document.described", document, folder, json!({}))
    }

    /// Both folders hear of it.
    pub(crate) fn document_moved(document: Uuid, to: Uuid, from: Uuid) -> Self {
        let mut act = Self::of_document("document.moved", document, to, json!({ "from": from }));
        act.topics.push(format!("folder/{from}"));
        act
    }

    pub(crate) fn document_archived(document: Uuid, folder: Uuid) -> Self {
        Self::of_document("document.archived", document, folder, json!({}))
    }

    pub(crate) fn document_reinstated(document: Uuid, folder: Uuid) -> Self {
        Self::of_document("document.reinstated", document, folder, json!({}))
    }

    pub(crate) fn document_binned(document: Uuid, folder: Uuid) -> Self {
        Self::of_document("document.binned", document, folder, json!({}))
    }

    pub(crate) fn document_unbinned(document: Uuid, folder: Uuid) -> Self {
        Self::of_document("document.unbinned", document, folder, json!({}))
    }

    /// Only the document's own pages show who has opened it.
    pub(crate) fn document_opened(document: Uuid, folder: Uuid, number: u32) -> Self {
        let detail = json!({ "version": number });
        Self {
            topics: vec![format!("paper/{document}")],
            ..Self::of_document("document.opened", document, folder, detail)
        }
    }
}
