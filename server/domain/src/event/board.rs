//! What happens to a board. Ids, dates and codes: what somebody declared, was trained in or can be rung at never enters the log.

use serde_json::{Value, json};
use time::Date;
use uuid::Uuid;

use super::Act;
use crate::{
    AccountId, MembershipId,
    board::{Category, Rule, Why},
    day,
};

/// Whom an act is about: their place, and the account whose pages show it.
#[derive(Clone, Copy)]
pub(crate) struct Whom {
    pub(crate) membership: MembershipId,
    pub(crate) account: AccountId,
}

impl Act {
    /// About a seat, a committee, or the board as a whole. Every page that shows people shows what they hold.
    fn of_board(name: &'static str, about: Option<Uuid>, detail: Value) -> Self {
        Self {
            name,
            about,
            detail,
            topics: vec!["people".to_owned()],
            closes: None,
        }
    }

    fn about(name: &'static str, whom: Whom, detail: Value) -> Self {
        Self::of_person(name, whom.membership, whom.account, detail)
    }

    pub(crate) fn board_rule_set(rule: Rule) -> Self {
        let mut act = Self::of_board("board.rule_set", None, json!({ "rule": rule.code() }));
        act.topics.push("settings".to_owned());
        act
    }

    pub(crate) fn seat_opened(seat: Uuid, category: Category, number: i32, from: Date) -> Self {
        let detail =
            json!({ "category": category.code(), "number": number, "from": day::field(from) });
        Self::of_board("seat.opened", Some(seat), detail)
    }

    pub(crate) fn seat_closed(seat: Uuid, on: Date) -> Self {
        Self::of_board("seat.closed", Some(seat), json!({ "on": day::field(on) }))
    }

    pub(crate) fn term_started(
        whom: Whom,
        term: Uuid,
        seat: Uuid,
        from: Date,
        to: Option<Date>,
    ) -> Self {
        let detail = json!({
            "term": term, "seat": seat, "from": day::field(from), "to": to.map(day::field),
        });
        Self::about("term.started", whom, detail)
    }

    pub(crate) fn term_ended(whom: Whom, term: Uuid, last: Date, why: Why) -> Self {
        let detail = json!({ "term": term, "to": day::field(last), "why": why.code() });
        Self::about("term.ended", whom, detail)
    }

    /// The row is gone, so the log alone knows what it said.
    pub(crate) fn term_dropped(
        whom: Whom,
        term: Uuid,
        seat: Uuid,
        from: Date,
        to: Option<Date>,
    ) -> Self {
        let detail = json!({
            "term": term, "seat": seat, "from": day::field(from), "to": to.map(day::field),
        });
        Self::about("term.dropped", whom, detail)
    }

    pub(crate) fn term_suspended(whom: Whom, term: Uuid, from: Date, until: Date) -> Self {
        let detail = json!({
            "term": term, "from": day::field(from), "to": day::field(until),
        });
        Self::about("term.suspended", whom, detail)
    }

    pub(crate) fn term_reinstated(whom: Whom, term: Uuid) -> Self {
        Self::about("term.reinstated", whom, json!({ "term": term }))
    }

    pub(crate) fn committee_opened(committee: Uuid, quorum: u32) -> Self {
        let detail = json!({ "quorum": quorum });
        Self::of_board("committee.opened", Some(committee), detail)
    }

    pub(crate) fn committee_renamed(committee: Uuid) -> Self {
        Self::of_board("committee.renamed", Some(committee), json!({}))
    }

    pub(crate) fn committee_remit_set(committee: Uuid, quorum: u32) -> Self {
        let detail = json!({ "quorum": quorum });
        Self::of_board("committee.remit_set", Some(committee), detail)
    }

    pub(crate) fn committee_closed(committee: Uuid, on: Date, places: u32) -> Self {
        let detail = json!({ "on": day::field(on), "places": places });
        Self::of_board("committee.closed", Some(committee), detail)
    }

    pub(crate) fn committee_joined(
        whom: Whom,
        committee: Uuid,
        place: Uuid,
        from: Date,
        to: Option<Date>,
    ) -> Self {
        let detail = json!({
            "committee": committee, "place": place, "from": day::field(from), "to": to.map(day::field),
        });
        Self::about("committee.joined", whom, detail)
    }

    pub(crate) fn committee_left(whom: Whom, committee: Uuid, place: Uuid, last: Date) -> Self {
        let detail = json!({ "committee": committee, "place": place, "to": day::field(last) });
        // Folders are read by committees: what they may see may have shrunk.
        Self::about("committee.left", whom, detail).closing(whom.account)
    }

    pub(crate) fn committee_chair_chosen(committee: Uuid, chair: Option<MembershipId>) -> Self {
        let detail = json!({ "chair": chair });
        Self::of_board("committee.chair_chosen", Some(committee), detail)
    }

    pub(crate) fn declaration_made(whom: Whom, declaration: Uuid, interests: usize) -> Self {
        let detail = json!({ "declaration": declaration, "interests": interests });
        Self::about("declaration.made", whom, detail)
    }

    pub(crate) fn dbs_check_recorded(whom: Whom, check: Uuid, on: Date) -> Self {
        let detail = json!({ "check": check, "on": day::field(on) });
        Self::about("dbs_check.recorded", whom, detail)
    }

    pub(crate) fn training_recorded(
        whom: Whom,
        training: Uuid,
        on: Date,
        renew_by: Option<Date>,
    ) -> Self {
        let detail = json!({
            "training": training, "on": day::field(on), "renew_by": renew_by.map(day::field),
        });
        Self::about("training.recorded", whom, detail)
    }

    pub(crate) fn phone_set(whom: Whom, given: bool) -> Self {
        Self::about("contact.phone_set", whom, json!({ "given": given }))
    }
}
