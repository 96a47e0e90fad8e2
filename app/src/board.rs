//! The board: what is done to seats, terms, committees and interests, and the sheets that show them.

#[cfg(feature = "ssr")]
pub(crate) mod committee;
#[cfg(feature = "ssr")]
pub(crate) mod interest;
#[cfg(feature = "ssr")]
pub(crate) mod person;
#[cfg(feature = "ssr")]
pub(crate) mod seat;
#[cfg(feature = "ssr")]
pub(crate) mod whole;

#[cfg(feature = "ssr")]
use domain::{Refusal, board, day};
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use time::Date;
#[cfg(feature = "ssr")]
use uuid::Uuid;

#[cfg(feature = "ssr")]
use crate::door;
use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::form::id_of;

/// Adds a seat to the board.
#[server(endpoint = "board/open-seat")]
pub async fn open_seat(category: String, appointed_by: String, from: String) -> Result<()> {
    let mut write = door::write().await?;
    let category = board::Category::from_code(&category).ok_or(Refusal::Stale)?;
    let (_, act) =
        board::open_seat(&mut write, category, &appointed_by, day::parse(&from)?).await?;
    write.commit(act).await?;
    door::send_to("/board?done=opened");
    Ok(())
}

/// Takes an empty seat off the board.
#[server(endpoint = "board/close-seat")]
pub async fn close_seat(seat: String, on: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = board::close_seat(&mut write, id_of(&seat)?, day::parse(&on)?).await?;
    write.commit(act).await?;
    door::send_to("/board?done=closed");
    Ok(())
}

/// Gives a seat to a person for a term of office.
#[server(endpoint = "board/start-term")]
pub async fn start_term(
    seat: String,
    person: String,
    from: String,
    #[server(default)] to: String,
) -> Result<()> {
    let mut write = door::write().await?;
    let (from, to) = (day::parse(&from)?, maybe(&to)?);
    let (_, act) = board::start_term(&mut write, id_of(&seat)?, chosen(&person)?, from, to).await?;
    write.commit(act).await?;
    door::send_to(&format!("/board/seats/{seat}?done=started"));
    Ok(())
}

/// Ends a term with a last day.
#[server(endpoint = "board/end-term")]
pub async fn end_term(seat: String, term: String, last: String, why: String) -> Result<()> {
    let mut write = door::write().await?;
    let why = board::Why::from_code(&why).ok_or(Refusal::Stale)?;
    let act = board::end_term(&mut write, id_of(&term)?, day::parse(&last)?, why).await?;
    write.commit(act).await?;
    door::send_to(&format!("/board/seats/{seat}?done=ended"));
    Ok(())
}

/// Takes a term off the record that has not begun.
#[server(endpoint = "board/drop-term")]
pub async fn drop_term(seat: String, term: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = board::drop_term(&mut write, id_of(&term)?, door::today()).await?;
    write.commit(act).await?;
    door::send_to(&format!("/board/seats/{seat}?done=dropped"));
    Ok(())
}

/// Records that the board suspended somebody from its meetings.
#[server(endpoint = "board/suspend-from-meetings")]
pub async fn suspend_from_meetings(seat: String, term: String, until: String) -> Result<()> {
    let mut write = door::write().await?;
    let (until, today) = (day::parse(&until)?, door::today());
    let act = board::suspend_from_meetings(&mut write, id_of(&term)?, until, today).await?;
    write.commit(act).await?;
    door::send_to(&format!("/board/seats/{seat}?done=suspended"));
    Ok(())
}

/// Ends a suspension from meetings.
#[server(endpoint = "board/reinstate")]
pub async fn reinstate(seat: String, term: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = board::reinstate(&mut write, id_of(&term)?, door::today()).await?;
    write.commit(act).await?;
    door::send_to(&format!("/board/seats/{seat}?done=reinstated"));
    Ok(())
}

/// Adds a committee.
#[server(endpoint = "board/open-committee")]
pub async fn open_committee(
    name: String,
    #[server(default)] remit: String,
    quorum: String,
) -> Result<()> {
    let mut write = door::write().await?;
    let quorum = number(&quorum)?;
    let (id, act) = board::open_committee(&mut write, &name, &remit, quorum).await?;
    write.commit(act).await?;
    door::send_to(&format!("/board/committees/{id}?done=opened"));
    Ok(())
}

/// Gives a committee another name.
#[server(endpoint = "board/rename-committee")]
pub async fn rename_committee(committee: String, name: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = board::rename_committee(&mut write, id_of(&committee)?, &name).await?;
    write.commit(act).await?;
    door::send_to(&format!("/board/committees/{committee}?done=renamed"));
    Ok(())
}

/// Says what a committee is for and how many make its quorum.
#[server(endpoint = "board/set-remit")]
pub async fn set_remit(
    committee: String,
    #[server(default)] remit: String,
    quorum: String,
) -> Result<()> {
    let mut write = door::write().await?;
    let quorum = number(&quorum)?;
    let act = board::set_remit(&mut write, id_of(&committee)?, &remit, quorum).await?;
    write.commit(act).await?;
    door::send_to(&format!("/board/committees/{committee}?done=saved"));
    Ok(())
}

/// Closes a committee today.
#[server(endpoint = "board/close-committee")]
pub async fn close_committee(committee: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = board::close_committee(&mut write, id_of(&committee)?, door::today()).await?;
    write.commit(act).await?;
    door::send_to("/board?done=committee-closed");
    Ok(())
}

/// Puts somebody on a committee.
#[server(endpoint = "board/join-committee")]
pub async fn join_committee(committee: String, person: String, from: String) -> Result<()> {
    let mut write = door::write().await?;
    let (from, today) = (day::parse(&from)?, door::today());
    let person = chosen(&person)?;
    let (_, act) =
        board::join_committee(&mut write, id_of(&committee)?, person, from, None, today).await?;
    write.commit(act).await?;
    door::send_to(&format!("/board/committees/{committee}?done=joined"));
    Ok(())
}

/// Ends somebody's place on a committee today.
#[server(endpoint = "board/leave-committee")]
pub async fn leave_committee(committee: String, place: String) -> Result<()> {
    let mut write = door::write().await?;
    let today = door::today();
    let act = board::leave_committee(&mut write, id_of(&place)?, today, today).await?;
    write.commit(act).await?;
    door::send_to(&format!("/board/committees/{committee}?done=left"));
    Ok(())
}

/// Says who leads a committee; nobody where none is chosen.
#[server(endpoint = "board/choose-chair")]
pub async fn choose_chair(committee: String, #[server(default)] person: String) -> Result<()> {
    let mut write = door::write().await?;
    let chair = (!person.is_empty()).then(|| id_of(&person)).transpose()?;
    let act = board::choose_chair(&mut write, id_of(&committee)?, chair, door::today()).await?;
    write.commit(act).await?;
    door::send_to(&format!("/board/committees/{committee}?done=chair"));
    Ok(())
}

/// Declares one's interests, or that one has nothing to declare. Rows left empty are no interests.
#[server(endpoint = "board/declare")]
pub async fn declare(
    what: String,
    #[server(default)] kind: Vec<String>,
    #[server(default)] who: Vec<String>,
    #[server(default)] nature: Vec<String>,
    #[server(default)] since: Vec<String>,
) -> Result<()> {
    let mut write = door::write().await?;
    let mut interests = Vec::new();
    for (n, kind) in kind.iter().enumerate() {
        let field = |all: &[String]| all.get(n).map(|text| text.trim().to_owned());
        let (who, nature) = (
            field(&who).unwrap_or_default(),
            field(&nature).unwrap_or_default(),
        );
        if who.is_empty() && nature.is_empty() {
            continue;
        }
        interests.push(board::Interest {
            kind: board::interest::Kind::from_code(kind).ok_or(Refusal::Stale)?,
            who,
            nature,
            since: maybe(&field(&since).unwrap_or_default())?,
        });
    }
    let nothing = what == "nothing";
    let (_, act) = board::declare_interests(&mut write, nothing, &interests, door::today()).await?;
    write.commit(act).await?;
    door::send_to("/board/interests?done=declared");
    Ok(())
}

/// Records that somebody's DBS certificate was seen.
#[server(endpoint = "board/record-dbs")]
pub async fn record_dbs(person: String, on: String) -> Result<()> {
    let mut write = door::write().await?;
    let (on, today) = (day::parse(&on)?, door::today());
    let (_, act) = board::record_dbs(&mut write, id_of(&person)?, on, today).await?;
    write.commit(act).await?;
    door::send_to(&format!("/people/{person}/checks?done=dbs"));
    Ok(())
}

/// Records a training that somebody completed.
#[server(endpoint = "board/record-training")]
pub async fn record_training(
    person: String,
    title: String,
    on: String,
    #[server(default)] renew: String,
) -> Result<()> {
    let mut write = door::write().await?;
    let (on, renew, today) = (day::parse(&on)?, maybe(&renew)?, door::today());
    let id = id_of(&person)?;
    let (_, act) = board::record_training(&mut write, id, &title, on, renew, today).await?;
    write.commit(act).await?;
    door::send_to(&format!("/people/{person}/checks?done=training"));
    Ok(())
}

/// Sets a telephone number, or takes it away.
#[server(endpoint = "board/set-phone")]
pub async fn set_phone(person: String, #[server(default)] phone: String) -> Result<()> {
    let mut write = door::write().await?;
    let act = board::set_phone(&mut write, id_of(&person)?, &phone).await?;
    write.commit(act).await?;
    door::send_to(&format!("/people/{person}?done=phone"));
    Ok(())
}

/// Says by which rule the quorum is counted.
#[server(endpoint = "board/set-rule")]
pub async fn set_rule(rule: String) -> Result<()> {
    let mut write = door::write().await?;
    let rule = board::Rule::from_code(&rule).ok_or(Refusal::Stale)?;
    let act = board::set_board_rule(&mut write, rule).await?;
    write.commit(act).await?;
    door::send_to("/settings?done=saved");
    Ok(())
}

/// The person chosen from a list, which begins with nobody.
#[cfg(feature = "ssr")]
fn chosen(text: &str) -> std::result::Result<Uuid, Refusal> {
    if text.is_empty() {
        return Err(Refusal::NobodyChosen);
    }
    id_of(text)
}

/// A day that may be left out.
#[cfg(feature = "ssr")]
fn maybe(typed: &str) -> std::result::Result<Option<Date>, Refusal> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    day::parse(typed).map(Some)
}

#[cfg(feature = "ssr")]
fn number(typed: &str) -> std::result::Result<u32, Refusal> {
    typed.trim().parse().map_err(|_| Refusal::CommitteeQuorum)
}
