//! What is done about questions: asking, replying, saying that one is answered or is not, taking one back; and keeping a note.

use super::TEXT_MOST;
use crate::{Refusal, anchor::Quotation, text};

/// A sentence as somebody chose or typed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The words; empty for the document as a whole.
    pub quotation: Quotation,
    /// The page they stand on, where it was said.
    pub page: Option<u32>,
    /// Where on it, in letters.
    pub start: usize,
}

/// What was written as it is kept. Refuses [`Refusal::QuestionText`] where nothing was, or too much.
pub fn tidy(typed: &str) -> Result<String, Refusal> {
    match text::block(typed, TEXT_MOST) {
        Ok(text) if !text.is_empty() => Ok(text),
        _ => Err(Refusal::QuestionText),
    }
}

#[cfg(feature = "db")]
pub use queries::{answer, ask, drop_note, keep_note, reopen, reply, withdraw};

#[cfg(feature = "db")]
mod queries {
    use uuid::Uuid;

    use super::{Chosen, tidy};
    use crate::{
        MembershipId, Refusal,
        anchor::{EXACT_MOST, Hint, Place},
        db::{Write, refused},
        document::State as Standing,
        event::{AboutQuestion, Act},
        question::{Audience, Kind, pages_of, placing::keep, text},
        work,
    };

    /// Asks something about a version of a document, or says something.
    ///
    /// Refuses [`Refusal::SentenceNotFound`] where the words do not stand in that version, [`Refusal::NoText`] where it has none,
    /// [`Refusal::ManyQuestions`] to somebody who has so many open ones on it, and to name somebody who does not read the folder.
    pub async fn ask(
        write: &mut Write,
        document: Uuid,
        version: u32,
        kind: Kind,
        audience: &Audience,
        typed: &str,
        chosen: &Chosen,
    ) -> Result<(Uuid, Act), Refusal> {
        let text = tidy(typed)?;
        let on = on(write, document, version).await?;
        let place = find(write, on.version, chosen).await?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let named = match audience {
            Audience::Readers => None,
            Audience::Named(people) => Some(who_reads(write, on.folder, people).await?),
        };
        let (exact, prefix, suffix, page) = columns(place.as_ref());
        let id = sqlx::query_scalar!(
            "insert into question (tenant_id, document_id, asked_on, kind, audience, body, exact, prefix, suffix, page, asked_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning id",
            tenant,
            document,
            on.number,
            kind.code(),
            if named.is_some() { "named" } else { "readers" },
            text,
            exact,
            prefix,
            suffix,
            page,
            own
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        if let Some(named) = &named {
            sqlx::query!(
                "insert into question_hearer (tenant_id, question_id, membership_id) select $1, $2, p from unnest($3::uuid[]) p",
                tenant,
                id,
                named
            )
            .execute(write.connection())
            .await
            .map_err(refused)?;
        }
        if place.is_some() {
            keep(write, on.version, vec![(id, place)]).await?;
        }
        let about = AboutQuestion {
            question: id,
            document,
            folder: on.folder,
            only: named.map(|named| named.into_iter().chain([own]).collect()),
        };
        Ok((id, Act::question_asked(&about, version, kind.code())))
    }

    /// Replies. Whoever reads a question may.
    pub async fn reply(write: &mut Write, question: Uuid, typed: &str) -> Result<Act, Refusal> {
        let text = tidy(typed)?;
        let about = about(write, question).await?;
        say(write, question, &text).await?;
        Ok(Act::question_replied(&about))
    }

    /// Says that a question is answered, with a last word or without one. For who asked, and for who files there.
    pub async fn answer(write: &mut Write, question: Uuid, typed: &str) -> Result<Act, Refusal> {
        let about = about(write, question).await?;
        if !typed.trim().is_empty() {
            say(write, question, &tidy(typed)?).await?;
        }
        step(write, question, "open", "answered").await?;
        Ok(Act::question_answered(&about))
    }

    /// Says that a question is not answered yet. For the same people.
    pub async fn reopen(write: &mut Write, question: Uuid) -> Result<Act, Refusal> {
        let about = about(write, question).await?;
        step(write, question, "answered", "open").await?;
        Ok(Act::question_reopened(&about))
    }

    /// Takes a question back: its words are gone, and the log keeps that it was. For who asked, while nobody has replied.
    pub async fn withdraw(write: &mut Write, question: Uuid) -> Result<Act, Refusal> {
        let about = about(write, question).await?;
        step(write, question, "open", "withdrawn").await?;
        Ok(Act::question_withdrawn(&about))
    }

    /// Keeps a note that nobody else reads. Refuses as [`ask`] does, and [`Refusal::ManyNotes`].
    pub async fn keep_note(
        write: &mut Write,
        document: Uuid,
        version: u32,
        typed: &str,
        chosen: &Chosen,
    ) -> Result<(Uuid, Act), Refusal> {
        let text = tidy(typed)?;
        let on = on(write, document, version).await?;
        let place = find(write, on.version, chosen).await?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let (exact, prefix, suffix, page) = columns(place.as_ref());
        let id = sqlx::query_scalar!(
            "insert into note (tenant_id, document_id, kept_on, membership_id, body, exact, prefix, suffix, page)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id",
            tenant,
            document,
            on.number,
            own,
            text,
            exact,
            prefix,
            suffix,
            page
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        Ok((id, Act::note_kept(own, write.standing.account)))
    }

    /// Throws a note away. Returns the document that it was on.
    pub async fn drop_note(write: &mut Write, note: Uuid) -> Result<(Uuid, Act), Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let document = sqlx::query_scalar!(
            "delete from note where tenant_id = $1 and id = $2 and membership_id = $3 returning document_id",
            tenant,
            note,
            own
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        Ok((document, Act::note_dropped(own, write.standing.account)))
    }

    struct On {
        version: Uuid,
        number: i32,
        folder: Uuid,
    }

    /// The version that something is said about.
    async fn on(write: &mut Write, document: Uuid, version: u32) -> Result<On, Refusal> {
        let tenant = write.standing.tenant;
        let row = sqlx::query!(
            "select v.id, v.number, d.folder_id, d.state from document d
             join version v on v.tenant_id = d.tenant_id and v.document_id = d.id
             where d.tenant_id = $1 and d.id = $2 and v.number = $3",
            tenant,
            document,
            i32::try_from(version).map_err(|_| Refusal::NotFound)?
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        if row.state == Standing::Binned.code() {
            return Err(Refusal::Binned);
        }
        Ok(On {
            version: row.id,
            number: row.number,
            folder: row.folder_id,
        })
    }

    /// Where the chosen sentence stands; none for the document as a whole.
    async fn find(
        write: &mut Write,
        version: Uuid,
        chosen: &Chosen,
    ) -> Result<Option<Place>, Refusal> {
        let exact = chosen.quotation.exact.trim();
        if exact.is_empty() {
            return Ok(None);
        }
        if exact.chars().count() > usize::from(EXACT_MOST) {
            return Err(Refusal::Quotation);
        }
        let pages = pages_of(write, version).await?;
        let (quotation, hint) = (
            chosen.quotation.clone(),
            Hint {
                page: chosen.page,
                start: chosen.start,
            },
        );
        let place = work::apart(move || {
            let text = text(&pages);
            if text.is_empty() {
                return Err(Refusal::NoText);
            }
            text.attach(&quotation, hint)
                .ok_or(Refusal::SentenceNotFound)
        })
        .await??;
        if place.quotation.exact.chars().count() > usize::from(EXACT_MOST) {
            return Err(Refusal::Quotation);
        }
        Ok(Some(place))
    }

    type Columns<'a> = (
        Option<&'a str>,
        Option<&'a str>,
        Option<&'a str>,
        Option<i32>,
    );

    fn columns(place: Option<&Place>) -> Columns<'_> {
        let said = place.map(|place| &place.quotation);
        (
            said.map(|said| said.exact.as_str()),
            said.map(|said| said.prefix.as_str()),
            said.map(|said| said.suffix.as_str()),
            place.and_then(|place| i32::try_from(place.page).ok()),
        )
    }

    /// Those it is put to, each once, if each of them reads the folder.
    async fn who_reads(
        write: &mut Write,
        folder: Uuid,
        people: &[MembershipId],
    ) -> Result<Vec<MembershipId>, Refusal> {
        let own = write.standing.membership;
        let mut named: Vec<MembershipId> =
            people.iter().copied().filter(|one| *one != own).collect();
        named.sort_unstable();
        named.dedup();
        if named.is_empty() {
            return Err(Refusal::NobodyNamed);
        }
        let tenant = write.standing.tenant;
        let reading = sqlx::query_scalar!(
            r#"select count(*) as "count!" from membership m
               where m.tenant_id = $1 and m.id = any ($3) and m.state = 'active' and (
                 m.id in (select r.membership_id from sec.folder_readers($2) r)
                 or ('clerk' = any (m.roles) and exists (
                   select from folder f where f.tenant_id = m.tenant_id and f.id = $2 and not f.restricted)))"#,
            tenant,
            folder,
            &named
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        if usize::try_from(reading) == Ok(named.len()) {
            Ok(named)
        } else {
            Err(Refusal::HearerReads)
        }
    }

    /// A question that the caller reads, of a document that is not in the bin.
    async fn about(write: &mut Write, question: Uuid) -> Result<AboutQuestion, Refusal> {
        let tenant = write.standing.tenant;
        let row = sqlx::query!(
            "select q.document_id, d.folder_id, d.state, q.audience, q.asked_by from question q
             join document d on d.tenant_id = q.tenant_id and d.id = q.document_id
             where q.tenant_id = $1 and q.id = $2 and q.state <> 'withdrawn'",
            tenant,
            question
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        if row.state == Standing::Binned.code() {
            return Err(Refusal::Binned);
        }
        let only = if row.audience == "named" {
            let named = sqlx::query_scalar!(
                "select membership_id from question_hearer where tenant_id = $1 and question_id = $2 order by membership_id",
                tenant,
                question
            )
            .fetch_all(write.connection())
            .await
            .map_err(refused)?;
            Some(named.into_iter().chain([row.asked_by]).collect())
        } else {
            None
        };
        Ok(AboutQuestion {
            question,
            document: row.document_id,
            folder: row.folder_id,
            only,
        })
    }

    async fn say(write: &mut Write, question: Uuid, text: &str) -> Result<(), Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        sqlx::query!(
            "insert into question_reply (tenant_id, question_id, body, by_id) values ($1, $2, $3, $4)",
            tenant,
            question,
            text,
            own
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// From one state to another; who may is held by the row. Refuses [`Refusal::Stale`] where it is in another one.
    async fn step(write: &mut Write, question: Uuid, from: &str, to: &str) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        let changed = sqlx::query!(
            "update question set state = $4 where tenant_id = $1 and id = $2 and state = $3 and kind = 'question'",
            tenant,
            question,
            from,
            to
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        match changed.rows_affected() {
            0 => Err(Refusal::Stale),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_kept_with_its_lines_and_not_without_words() {
        assert_eq!(
            tidy(" Why?\r\n\r\nIt says so. ").unwrap(),
            "Why?\n\nIt says so."
        );
        for wrong in ["", " \n ", "a\u{202e}b", &"x".repeat(2001)] {
            assert_eq!(tidy(wrong), Err(Refusal::QuestionText), "{wrong:?}");
        }
        assert!(tidy(&"ü".repeat(2000)).is_ok());
    }
}
