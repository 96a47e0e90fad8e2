//! Approvals: asking for one, answering, and the pages where that is done. All of them are sheets.

#![allow(
    clippy::too_many_arguments,
    reason = "a server function has an argument for each field of its form"
)]

#[cfg(feature = "ssr")]
pub(crate) mod ask;
#[cfg(feature = "ssr")]
pub(crate) mod beside;
#[cfg(feature = "ssr")]
pub(crate) mod check;
#[cfg(feature = "ssr")]
pub(crate) mod queue;
#[cfg(feature = "ssr")]
pub mod whole;

use leptos::prelude::*;

use crate::error::Result;
#[cfg(feature = "ssr")]
use crate::form::id_of;

/// Asks for the approval of a version. `whom` is `role:…`, `committee:…` or `people`, and then `people` holds them.
#[server(endpoint = "approvals/ask")]
pub async fn ask(
    document: String,
    version: u32,
    #[server(default)] whom: String,
    #[server(default)] people: Vec<String>,
    rule: String,
    #[server(default)] least: String,
    due: String,
    #[server(default)] reason: String,
    #[server(default)] routine: String,
    #[server(default)] stand_in: String,
    #[server(default)] stand_in_on: String,
) -> Result<()> {
    use domain::{
        Refusal,
        approval::{
            Rule,
            asking::{self, Of, Question},
        },
    };
    let of = match whom.split_once(':') {
        Some(("role", code)) => {
            Of::Role(domain::role::Role::from_code(code).ok_or(Refusal::ApprovalNobody)?)
        }
        Some(("committee", id)) => Of::Committee(id_of(id)?),
        _ => Of::People(
            people
                .iter()
                .map(|id| id_of(id))
                .collect::<std::result::Result<_, _>>()?,
        ),
    };
    let least = least.trim().parse().ok();
    let rule = Rule::from_code(&rule, least).ok_or(Refusal::ApprovalLeast)?;
    let due = domain::day::parse(&due).map_err(|_| Refusal::ApprovalDue)?;
    let stand_in = match (stand_in.trim(), stand_in_on.trim()) {
        ("", "") => None,
        ("", _) | (_, "") => return Err(Refusal::StandInDay.into()),
        (who, day) => Some((
            id_of(who)?,
            domain::day::parse(day).map_err(|_| Refusal::StandInDay)?,
        )),
    };
    let question = Question {
        of,
        rule,
        reason,
        routine: !routine.is_empty(),
        due,
        stand_in,
    };
    let mut write = crate::door::write().await?;
    let (asked, act) = asking::ask(&mut write, id_of(&document)?, version, &question).await?;
    write.commit(act).await?;
    crate::door::send_to(&format!(
        "/papers/{document}?done=put&people={}&left={}",
        asked.people, asked.left_out
    ));
    Ok(())
}

/// Answers: `agree`, `object` with a reason, or `abstain` with the interest. `place` is whose, where a stand-in answers.
#[server(endpoint = "approvals/answer")]
pub async fn answer(
    approval: String,
    answer: String,
    #[server(default)] reason: String,
    #[server(default)] place: String,
) -> Result<()> {
    use domain::approval::{Answer, answering};
    let id = id_of(&approval)?;
    let answer = Answer::from_code(&answer).ok_or(domain::Refusal::Stale)?;
    let place = match place.as_str() {
        "" => None,
        place => Some(id_of(place)?),
    };
    let mut write = crate::door::write().await?;
    let acts = answering::answer(&mut write, id, place, answer, &reason).await?;
    let to = back(&acts);
    write.commit_all(acts).await?;
    crate::door::send_to(&format!("{to}?done=given"));
    Ok(())
}

/// Takes one's answer back.
#[server(endpoint = "approvals/take-back")]
pub async fn take_back(approval: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::approval::answering::take_back(&mut write, id_of(&approval)?).await?;
    let to = back(std::slice::from_ref(&act));
    write.commit(act).await?;
    crate::door::send_to(&format!("{to}?done=taken-back"));
    Ok(())
}

/// Withdraws the request.
#[server(endpoint = "approvals/withdraw")]
pub async fn withdraw(approval: String) -> Result<()> {
    let mut write = crate::door::write().await?;
    let act = domain::approval::asking::withdraw(&mut write, id_of(&approval)?).await?;
    let to = back(std::slice::from_ref(&act));
    write.commit(act).await?;
    crate::door::send_to(&format!("{to}?done=question-withdrawn"));
    Ok(())
}

/// Agrees to several that are routine and opened. Each stands for itself: one that was closed meanwhile stops none of the others.
#[server(endpoint = "approvals/agree-to-several")]
pub async fn agree_to_several(#[server(default)] approvals: Vec<String>) -> Result<()> {
    use domain::{Refusal, approval::answering};
    if approvals.is_empty() {
        return Err(Refusal::NoneTicked.into());
    }
    let (mut done, mut left) = (0, 0);
    for id in &approvals {
        let id = id_of(id)?;
        let mut write = crate::door::write().await?;
        match answering::agree_from_list(&mut write, id).await {
            Ok(acts) => {
                write.commit_all(acts).await?;
                done += 1;
            }
            // What has become of one since the list was drawn is no reason to leave the others.
            Err(
                Refusal::ApprovalClosed
                | Refusal::ApprovalAnswered
                | Refusal::ApprovalNotRoutine
                | Refusal::ApprovalUnread
                | Refusal::NotFound
                | Refusal::Stale,
            ) => left += 1,
            Err(refusal) => return Err(refusal.into()),
        }
    }
    crate::door::send_to(&format!("/approvals?done=agreed&many={done}&left={left}"));
    Ok(())
}

/// The page of the document that an act was about.
#[cfg(feature = "ssr")]
fn back(acts: &[domain::event::Act]) -> String {
    acts.first()
        .and_then(domain::event::Act::subject)
        .map_or_else(|| "/approvals".to_owned(), |id| format!("/papers/{id}"))
}
