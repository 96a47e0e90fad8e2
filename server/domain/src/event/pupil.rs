//! Acts on pupils, on who teaches them and on whose children they are. Each says how many pupils it is about, and so stands in the log
//! of those who see the school and of nobody else; names, numbers and dates of birth never enter it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Act, CLOSE_REMOVED, Closes};
use crate::{
    AccountId, MembershipId,
    pupil::{
        caseload::Of,
        duty::Duty,
        field::{Field, TagKind},
        guardian::Relation,
    },
};

/// On pupils and their groups.
impl Act {
    fn of_pupils(
        name: &'static str,
        about: Option<Uuid>,
        pupils: usize,
        mut detail: Value,
        topics: Vec<String>,
    ) -> Self {
        detail["pupils"] = json!(pupils);
        Self {
            name,
            about,
            detail,
            topics,
            closes: None,
        }
    }

    fn of_pupil(name: &'static str, pupil: Uuid, detail: Value) -> Self {
        let topics = vec!["caseload".to_owned(), format!("pupil/{pupil}")];
        Self::of_pupils(name, Some(pupil), 1, detail, topics)
    }

    pub(crate) fn pupil_added(pupil: Uuid) -> Self {
        Self::of_pupil("pupil.added", pupil, json!({}))
    }

    /// `fields`: which of them, without what they said.
    pub(crate) fn pupil_corrected(pupil: Uuid, fields: &[Field]) -> Self {
        let fields: Vec<_> = fields.iter().map(|field| field.code()).collect();
        Self::of_pupil("pupil.corrected", pupil, json!({ "fields": fields }))
    }

    pub(crate) fn pupil_left(pupil: Uuid, on: &str) -> Self {
        Self::of_pupil("pupil.left", pupil, json!({ "on": on }))
    }

    pub(crate) fn pupil_returned(pupil: Uuid) -> Self {
        Self::of_pupil("pupil.returned", pupil, json!({}))
    }

    pub(crate) fn pupil_removed(pupil: Uuid) -> Self {
        Self::of_pupil("pupil.removed", pupil, json!({}))
    }

    /// Somebody gave a reason and a name, and so many pupils bear it; which name is not said.
    pub(crate) fn pupil_sought(reason: &'static str, found: i32) -> Self {
        let detail = json!({ "reason": reason, "found": found });
        Self::of_pupils("pupil.sought", None, 0, detail, vec![])
    }

    /// Somebody gave a reason and sees a pupil for an hour. Their own pages show one more.
    pub(crate) fn pupil_opened(pupil: Uuid, reason: &'static str, account: AccountId) -> Self {
        Self {
            topics: vec![format!("me/{account}")],
            ..Self::of_pupil("pupil.opened", pupil, json!({ "reason": reason }))
        }
    }

    fn of_group(name: &'static str, group: Uuid, pupils: usize, detail: Value) -> Self {
        let topics = vec!["caseload".to_owned()];
        Self::of_pupils(name, Some(group), pupils, detail, topics)
    }

    pub(crate) fn group_opened(group: Uuid, kind: &'static str) -> Self {
        Self::of_group("group.opened", group, 0, json!({ "kind": kind }))
    }

    pub(crate) fn group_renamed(group: Uuid) -> Self {
        Self::of_group("group.renamed", group, 0, json!({}))
    }

    pub(crate) fn group_closed(group: Uuid, pupils: usize, accounts: Vec<AccountId>) -> Self {
        Self::of_group("group.closed", group, pupils, json!({})).closing_all(accounts)
    }

    pub(crate) fn group_joined(group: Uuid, pupil: Uuid) -> Self {
        let mut act = Self::of_group("group.joined", group, 1, json!({ "pupil": pupil }));
        act.topics.push(format!("pupil/{pupil}"));
        act
    }

    pub(crate) fn group_left(group: Uuid, pupil: Uuid, accounts: Vec<AccountId>) -> Self {
        let mut act = Self::of_group("group.left", group, 1, json!({ "pupil": pupil }));
        act.topics.push(format!("pupil/{pupil}"));
        act.closing_all(accounts)
    }

    /// The sockets of several people end: what they may see has shrunk.
    fn closing_all(mut self, accounts: Vec<AccountId>) -> Self {
        if !accounts.is_empty() {
            self.closes = Some(Closes {
                accounts,
                sessions: vec![],
                code: CLOSE_REMOVED,
            });
        }
        self
    }
}

/// On who teaches whom.
impl Act {
    pub(crate) fn caseload_given(
        person: MembershipId,
        account: AccountId,
        of: Of,
        pupils: usize,
        until: Option<&str>,
    ) -> Self {
        let detail = json!({ "of": of.to_json(), "until": until });
        let topics = vec!["caseload".to_owned(), format!("me/{account}")];
        Self::of_pupils("caseload.given", Some(person), pupils, detail, topics)
    }

    /// Their open pages close.
    pub(crate) fn caseload_ended(person: MembershipId, account: AccountId, of: Of) -> Self {
        let detail = json!({ "of": of.to_json() });
        let topics = vec!["caseload".to_owned(), format!("me/{account}")];
        Self::of_pupils("caseload.ended", Some(person), 1, detail, topics)
            .closing_all(vec![account])
    }
}

/// On parents.
impl Act {
    fn of_guardian(
        name: &'static str,
        pupil: Uuid,
        person: MembershipId,
        account: AccountId,
        mut detail: Value,
    ) -> Self {
        detail["person"] = json!(person);
        let mut act = Self::of_pupil(name, pupil, detail);
        act.topics.push(format!("me/{account}"));
        act
    }

    /// It is about the parent, who hears of it where they have come already.
    pub(crate) fn guardian_linked(
        pupil: Uuid,
        person: MembershipId,
        account: AccountId,
        relation: Relation,
    ) -> Self {
        let detail = json!({ "relation": relation.code(), "pupil": pupil });
        Self {
            about: Some(person),
            ..Self::of_guardian("guardian.linked", pupil, person, account, detail)
        }
    }

    /// The same where something keeps them from the child: nobody hears of what is about the child.
    pub(crate) fn guardian_linked_unheard(
        pupil: Uuid,
        person: MembershipId,
        account: AccountId,
        relation: Relation,
    ) -> Self {
        let detail = json!({ "relation": relation.code() });
        Self::of_guardian("guardian.linked", pupil, person, account, detail)
    }

    pub(crate) fn guardian_unlinked(pupil: Uuid, person: MembershipId, account: AccountId) -> Self {
        Self::of_guardian("guardian.unlinked", pupil, person, account, json!({}))
            .closing_all(vec![account])
    }

    /// The parent's own topic does not hear of it, and their pages close as they do when somebody signs out elsewhere.
    pub(crate) fn restriction_made(pupil: Uuid, person: MembershipId, account: AccountId) -> Self {
        Self::of_guardian("restriction.made", pupil, person, account, json!({}))
            .closing_all(vec![account])
    }

    pub(crate) fn restriction_lifted(
        pupil: Uuid,
        person: MembershipId,
        account: AccountId,
    ) -> Self {
        Self::of_guardian("restriction.lifted", pupil, person, account, json!({}))
    }
}

/// On context tags. Which kind is said, and never a value: those stand in the trail of the tag, sealed.
impl Act {
    pub(crate) fn tag_set(pupil: Uuid, kind: TagKind) -> Self {
        Self::of_pupil("tag.set", pupil, json!({ "kind": kind.code() }))
    }

    pub(crate) fn tag_removed(pupil: Uuid, kind: TagKind) -> Self {
        Self::of_pupil("tag.removed", pupil, json!({ "kind": kind.code() }))
    }

    /// `named`: the pupils, where they were chosen one by one.
    pub(crate) fn tag_renewed(kinds: &[TagKind], pupils: usize, named: &[Uuid]) -> Self {
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.code()).collect();
        let topics = topics_of(named);
        Self::of_pupils(
            "tag.renewed",
            None,
            pupils,
            json!({ "kinds": kinds }),
            topics,
        )
    }
}

/// On the lists of unusual looks. What was said of them is in none.
impl Act {
    /// `lines`: of the list; `follow_ups`: how many of them are to be followed up.
    pub(crate) fn access_reviewed(
        week: Uuid,
        monday: &str,
        lines: usize,
        follow_ups: usize,
    ) -> Self {
        let detail = json!({ "monday": monday, "lines": lines, "follow_ups": follow_ups });
        Self::of_pupils("access.reviewed", Some(week), 0, detail, vec![])
    }

    pub(crate) fn access_noted(week: Uuid, monday: &str, follow_up: bool) -> Self {
        let detail = json!({ "monday": monday, "follow_up": follow_up });
        Self::of_pupils("access.noted", Some(week), 0, detail, vec![])
    }
}

/// On what a school keeps of its pupils, and who answers for it.
impl Act {
    pub(crate) fn field_switched(field: Field, on: bool, pupils: usize) -> Self {
        let name = if on {
            "field.switched_on"
        } else {
            "field.switched_off"
        };
        let detail = json!({ "field": field.code() });
        let topics = vec!["settings".to_owned(), "caseload".to_owned()];
        Self::of_pupils(name, None, pupils, detail, topics)
    }

    pub(crate) fn duty_given(duty: Duty, person: MembershipId, account: AccountId) -> Self {
        Self {
            name: "duty.given",
            about: Some(person),
            detail: json!({ "duty": duty.code() }),
            topics: vec!["settings".to_owned(), format!("me/{account}")],
            closes: None,
        }
    }
}

/// On rosters. What a line says is in none of them.
impl Act {
    fn of_roster(name: &'static str, import: Uuid, pupils: usize, detail: Value) -> Self {
        Self::of_pupils(name, Some(import), pupils, detail, vec![])
    }

    /// `rows`: lines of the file, each of a pupil.
    pub(crate) fn roster_read(import: Uuid, rows: usize) -> Self {
        Self::of_roster("roster.read", import, rows, json!({}))
    }

    /// Somebody said whether a line is of the pupil of that name.
    pub(crate) fn roster_settled(import: Uuid, line: i32, same: bool) -> Self {
        let detail = json!({ "line": line, "same": same });
        Self::of_roster("roster.settled", import, 1, detail)
    }

    pub(crate) fn roster_dropped(import: Uuid) -> Self {
        Self::of_roster("roster.dropped", import, 0, json!({}))
    }

    /// `accounts`: teachers whose groups somebody was moved out of, so that what they see has shrunk.
    pub(crate) fn roster_imported(
        import: Uuid,
        added: usize,
        changed: &[Uuid],
        left_out: usize,
        accounts: Vec<AccountId>,
    ) -> Self {
        let detail = json!({ "added": added, "changed": changed.len(), "left_out": left_out });
        let pupils = added + changed.len();
        let mut act = Self::of_roster("roster.imported", import, pupils, detail);
        act.topics.extend(topics_of(changed));
        act.closing_all(accounts)
    }

    pub(crate) fn roster_undone(
        import: Uuid,
        removed: usize,
        restored: &[Uuid],
        conflicts: usize,
        accounts: Vec<AccountId>,
    ) -> Self {
        let detail =
            json!({ "removed": removed, "restored": restored.len(), "conflicts": conflicts });
        let pupils = removed + restored.len();
        let mut act = Self::of_roster("roster.undone", import, pupils, detail);
        act.topics.extend(topics_of(restored));
        act.closing_all(accounts)
    }
}

/// On the turn of the school year.
impl Act {
    /// `touched`: who is in another year group or left. `accounts`: teachers whose groups somebody was taken out of, or whose caseload
    /// ends, so that what they see has shrunk.
    pub(crate) fn rolled_over(
        rollover: Uuid,
        school_year: &str,
        touched: &[Uuid],
        leavers: usize,
        accounts: Vec<AccountId>,
    ) -> Self {
        let detail = json!({ "school_year": school_year, "leavers": leavers });
        let topics = topics_of(touched);
        Self::of_pupils(
            "pupil.rolled_over",
            Some(rollover),
            touched.len(),
            detail,
            topics,
        )
        .closing_all(accounts)
    }

    pub(crate) fn rolled_back(rollover: Uuid, restored: &[Uuid], conflicts: usize) -> Self {
        let detail = json!({ "conflicts": conflicts });
        let topics = topics_of(restored);
        Self::of_pupils(
            "pupil.rolled_back",
            Some(rollover),
            restored.len(),
            detail,
            topics,
        )
    }
}

/// Lists of pupils, and the pages of these. Of very many only the lists hear, so that one event stays small.
fn topics_of(pupils: &[Uuid]) -> Vec<String> {
    let mut topics = vec!["caseload".to_owned()];
    if pupils.len() <= 200 {
        topics.extend(pupils.iter().map(|pupil| format!("pupil/{pupil}")));
    }
    topics
}
