//! Answering: in one's own place or as a stand-in, and taking an answer back while it is open.

use super::{Answer, REASON_MOST};
use crate::{Refusal, text};

/// A reason as it is kept: nothing beside an agreement.
///
/// Refuses an objection without its reason, and abstaining without the interest.
pub fn tidy(answer: Answer, reason: &str) -> Result<String, Refusal> {
    let reason = text::block(reason, REASON_MOST)?;
    match (answer, reason.is_empty()) {
        (Answer::Agree, _) => Ok(String::new()),
        (Answer::Object, true) => Err(Refusal::ApprovalReason),
        (Answer::Abstain, true) => Err(Refusal::ApprovalInterest),
        _ => Ok(reason),
    }
}

#[cfg(feature = "db")]
pub use queries::{agree_from_list, answer, take_back};

#[cfg(feature = "db")]
mod queries {
    use uuid::Uuid;

    use super::tidy;
    use crate::{
        MembershipId, Refusal,
        approval::{Answer, State},
        db::{Write, refused},
        event::Act,
    };

    struct Found {
        document: Uuid,
        folder: Uuid,
        version: u32,
        sha256: Vec<u8>,
        routine: bool,
        opened: bool,
    }

    /// Answers, in one's own place or, as the stand-in, in that of somebody who has not. An answer is a signature: it needs a fresh proof of
    /// who gives it. Where it is the last that was needed, what came of the approval is an act of its own.
    ///
    /// Refuses what is closed, a second answer, and an objection or an interest without words.
    pub async fn answer(
        write: &mut Write,
        id: Uuid,
        place: Option<MembershipId>,
        answer: Answer,
        reason: &str,
    ) -> Result<Vec<Act>, Refusal> {
        let reason = tidy(answer, reason)?;
        let found = find(write, id).await?;
        write.standing.require_step_up()?;
        put(write, id, &found, place, answer, &reason).await
    }

    /// Agrees from the list, without opening the page again. Refuses what is not routine, and a version that one has not opened.
    pub async fn agree_from_list(write: &mut Write, id: Uuid) -> Result<Vec<Act>, Refusal> {
        let found = find(write, id).await?;
        write.standing.require_step_up()?;
        if !found.routine {
            return Err(Refusal::ApprovalNotRoutine);
        }
        if !found.opened {
            return Err(Refusal::ApprovalUnread);
        }
        put(write, id, &found, None, Answer::Agree, "").await
    }

    /// Takes one's answer back, while it is open, or the one that a stand-in gave in one's place. As an answer, it is a signature.
    pub async fn take_back(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let found = find(write, id).await?;
        write.standing.require_step_up()?;
        let gone = sqlx::query!(
            "delete from approval_answer where tenant_id = $1 and approval_id = $2 and (by_id = $3 or membership_id = $3)",
            tenant,
            id,
            own
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if gone.rows_affected() == 0 {
            return Err(Refusal::Stale);
        }
        Ok(Act::approval_answer_withdrawn(
            found.document,
            found.folder,
            id,
            found.version,
        ))
    }

    async fn find(write: &mut Write, id: Uuid) -> Result<Found, Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let row = sqlx::query!(
            r#"select a.document_id, d.folder_id, v.number, a.sha256, a.routine,
                      exists (select from opening o
                        where o.tenant_id = a.tenant_id and o.version_id = a.version_id and o.membership_id = $3) as "opened!"
               from approval a
               join document d on d.tenant_id = a.tenant_id and d.id = a.document_id
               join version v on v.tenant_id = a.tenant_id and v.id = a.version_id
               where a.tenant_id = $1 and a.id = $2"#,
            tenant,
            id,
            own
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        Ok(Found {
            document: row.document_id,
            folder: row.folder_id,
            version: u32::try_from(row.number).map_err(|_| Refusal::Broken)?,
            sha256: row.sha256,
            routine: row.routine,
            opened: row.opened,
        })
    }

    async fn put(
        write: &mut Write,
        id: Uuid,
        found: &Found,
        place: Option<MembershipId>,
        answer: Answer,
        reason: &str,
    ) -> Result<Vec<Act>, Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let place = place.unwrap_or(own);
        sqlx::query!(
            "insert into approval_answer (tenant_id, approval_id, membership_id, by_id, answer, reason) values ($1, $2, $3, $4, $5, $6)",
            tenant,
            id,
            place,
            own,
            answer.code(),
            reason
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let mut acts = vec![Act::approval_answered(
            found.document,
            found.folder,
            id,
            found.version,
            &found.sha256,
            answer,
            (place != own).then_some(place),
        )];
        let state = sqlx::query_scalar!(
            "select state from approval where tenant_id = $1 and id = $2",
            tenant,
            id
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        match State::from_code(&state).ok_or(Refusal::Broken)? {
            State::Open => {}
            outcome => acts.push(Act::approval_closed(
                found.document,
                found.folder,
                id,
                outcome,
            )),
        }
        Ok(acts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objection_has_a_reason_and_whoever_abstains_an_interest() {
        assert_eq!(tidy(Answer::Agree, "as it is").unwrap(), "");
        assert_eq!(
            tidy(Answer::Object, " Page 4 says\nfive days. ").unwrap(),
            "Page 4 says\nfive days."
        );
        assert_eq!(tidy(Answer::Object, " \n "), Err(Refusal::ApprovalReason));
        assert_eq!(tidy(Answer::Abstain, ""), Err(Refusal::ApprovalInterest));
        assert_eq!(
            tidy(Answer::Object, &"x".repeat(1001)),
            Err(Refusal::TextFormat(REASON_MOST))
        );
    }
}
