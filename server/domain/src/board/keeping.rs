//! Who keeps the record of a board, about whom, and what the schema's refusals mean.

use crate::{
    MembershipId, Refusal,
    board::{check, committee, seat},
    db::{Read, Write, refused},
    event::Whom,
    membership::State,
};

/// Refuses everybody but clerks and administrators, before the row policies refuse them again.
pub(crate) fn keep(write: &Write) -> Result<(), Refusal> {
    if write
        .standing
        .roles
        .iter()
        .any(|role| role.manages_people())
    {
        Ok(())
    } else {
        Err(Refusal::NotAllowed)
    }
}

/// Refuses those who see nothing of the board.
pub(super) fn see(read: &Read) -> Result<(), Refusal> {
    if super::is_for(&read.standing.roles) {
        Ok(())
    } else {
        Err(Refusal::NotFound)
    }
}

/// Somebody whom a clerk or administrator records something about. Nobody records anything about themselves, and nothing is
/// recorded of somebody who was removed.
pub(super) async fn whom(write: &mut Write, id: MembershipId) -> Result<Whom, Refusal> {
    let (whom, state) = look(write, id).await?;
    keep(write)?;
    if whom.membership == write.standing.membership {
        return Err(Refusal::OwnPlace);
    }
    if state == State::Ended {
        return Err(Refusal::PersonEnded);
    }
    Ok(whom)
}

/// Somebody the caller sees, with their state.
pub(crate) async fn look(write: &mut Write, id: MembershipId) -> Result<(Whom, State), Refusal> {
    let tenant = write.standing.tenant;
    let row = sqlx::query!(
        "select account_id, state from membership where tenant_id = $1 and id = $2",
        tenant,
        id
    )
    .fetch_optional(write.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    let whom = Whom {
        membership: id,
        account: row.account_id,
    };
    Ok((whom, State::from_code(&row.state).ok_or(Refusal::Broken)?))
}

/// What it means to a person that a constraint of the board's tables was violated; none for those of other tables.
pub(crate) fn refusal_of(constraint: &str) -> Option<Refusal> {
    Some(match constraint {
        "term_seat_once" => Refusal::SeatTaken,
        "term_person_once" => Refusal::PersonSeated,
        "term_in_seat" => Refusal::SeatNotOpen,
        "term_needs_end" | "term_ended_why_has_end" => Refusal::TermNeedsEnd,
        "term_of_member" | "committee_place_of_member" => Refusal::PersonEnded,
        "term_during_some"
        | "committee_place_during_some"
        | "seat_days_order"
        | "training_days_order" => Refusal::DatesOrder,
        "term_suspended_both" | "term_suspended_order" | "term_suspended_length" => {
            Refusal::SuspensionLength
        }
        "seat_unheld" => Refusal::SeatHeld,
        "seat_appointed_by_shape" => Refusal::TextFormat(seat::APPOINTED_BY_MOST),
        "committee_name_key" => Refusal::CommitteeNameTaken,
        "committee_name_shape" => Refusal::CommitteeName,
        "committee_remit_shape" => Refusal::TextFormat(committee::REMIT_MOST),
        "committee_quorum_least" => Refusal::CommitteeQuorum,
        "committee_place_once" => Refusal::OnCommittee,
        "committee_place_of_open" => Refusal::CommitteeClosed,
        "declaration_says" => Refusal::NothingOrSome,
        "interest_who_shape" | "interest_nature_shape" => Refusal::InterestFormat,
        "training_title_shape" => Refusal::TextFormat(check::TITLE_MOST),
        "contact_phone_shape" => Refusal::PhoneFormat,
        "seat_days_finite"
        | "committee_closed_on_finite"
        | "declaration_declared_on_finite"
        | "interest_since_finite"
        | "dbs_check_checked_on_finite"
        | "training_days_finite" => Refusal::DateFormat,
        // Somebody else was a moment earlier.
        "seat_number_key" | "dbs_check_day_key" | "contact_person_key" => Refusal::Stale,
        // What was pointed at is not there.
        "term_seat_fkey"
        | "term_membership_fkey"
        | "committee_chair_fkey"
        | "committee_place_committee_fkey"
        | "committee_place_membership_fkey"
        | "declaration_membership_fkey"
        | "interest_declaration_fkey"
        | "dbs_check_membership_fkey"
        | "training_membership_fkey"
        | "contact_membership_fkey" => Refusal::NotFound,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_constraint_of_a_board_has_a_sentence() {
        let fresh = testing::Fresh::empty().await;
        let mut behind = fresh.behind().await;
        // Those with a name of their own; a primary key and a tenant that is not there are faults of ours.
        let constraints: Vec<String> = sqlx::query_scalar(
            "select conname::text from pg_constraint
             where conrelid = any (array['seat', 'term', 'committee', 'committee_place', 'declaration', 'interest', 'dbs_check',
               'training', 'contact']::regclass[])
               and contype not in ('n', 'p', 't') and conname !~ '_tenant_fkey$'
             union all
             select c.relname::text from pg_index i join pg_class c on c.oid = i.indexrelid
             where i.indrelid = 'committee'::regclass and i.indisunique and not i.indisprimary
             union all
             select m[1] from pg_proc, regexp_matches(prosrc, 'constraint = ''(\\w+)''', 'g') m
             where oid = any (array['sec.term_fits()', 'sec.seat_unheld()', 'sec.committee_place_fits()',
               'sec.declaration_says()']::regprocedure[])",
        )
        .fetch_all(&mut *behind)
        .await
        .unwrap();
        assert!(constraints.len() > 45, "{constraints:#?}");
        // A category, a kind and a reason are chosen from a list, so another one was never offered.
        let mute: Vec<_> = constraints
            .iter()
            .filter(|name| refusal_of(name).is_none() && !name.ends_with("_known"))
            .collect();
        assert_eq!(mute, ["seat_number_positive"], "nobody types a number");
    }
}
