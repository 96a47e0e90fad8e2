//! What is done to documents by who files them: adding, a new version, bringing an old one back, saying what it is, moving it,
//! and taking it out of use. And that a reader has opened one.

use crate::{Refusal, file, text};

use super::{About, NOTE_MOST, TAG_MOST, TAGS_MOST, TITLE_MOST};

/// A file that has been inspected and lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The document it is for: a new one's key, or that of the one it is a version of.
    pub document: uuid::Uuid,
    /// The key of the version it becomes.
    pub version: uuid::Uuid,
    /// What it is.
    pub format: file::Kind,
    /// What it is called.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// What the bytes add up to.
    pub sha256: [u8; 32],
    /// How many pages, where it has pages.
    pub pages: Option<u32>,
    /// The text of each page or slide, or the parts of a text without pages.
    pub text: Vec<String>,
    /// Whether there was more text than that.
    pub cut: bool,
    /// The version that the store gave it, where it keeps versions.
    pub store_version: Option<String>,
}

/// Where in the store the file of a version lies.
pub fn key(tenant: crate::TenantId, document: uuid::Uuid, version: uuid::Uuid) -> String {
    format!("t/{tenant}/d/{document}/v/{version}")
}

/// What came of a file that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// The document.
    pub document: uuid::Uuid,
    /// The number its version got.
    pub number: u32,
}

/// What is said of a document as it is kept.
///
/// Refuses an empty or too long title, too many or too long tags, and a last day before the first.
pub fn tidy(about: &About) -> Result<About, Refusal> {
    if about.from.zip(about.to).is_some_and(|(from, to)| to < from) {
        return Err(Refusal::DatesOrder);
    }
    let mut tags: Vec<String> = Vec::new();
    for tag in &about.tags {
        if tag.trim().is_empty() {
            continue;
        }
        let tag = text::line(tag, TAG_MOST).map_err(|_| Refusal::Tags)?;
        if !tags.iter().any(|one| one.eq_ignore_ascii_case(&tag)) {
            tags.push(tag);
        }
    }
    if tags.len() > TAGS_MOST {
        return Err(Refusal::Tags);
    }
    Ok(About {
        title: text::line(&about.title, TITLE_MOST).map_err(|_| Refusal::Title)?,
        tags,
        ..about.clone()
    })
}

/// A note as it is kept: one line, which may be empty. Refuses [`Refusal::Note`].
pub fn tidy_note(note: &str) -> Result<String, Refusal> {
    if note.trim().is_empty() {
        return Ok(String::new());
    }
    text::line(note, NOTE_MOST).map_err(|_| Refusal::Note)
}

#[cfg(feature = "db")]
pub use queries::{
    add, add_version, archive, bin, describe, may_add, may_add_version, move_to, open, reinstate,
    restore, unbin,
};

#[cfg(feature = "db")]
mod queries {
    use sqlx::postgres::types::PgRange;
    use std::ops::Bound;
    use time::Date;
    use uuid::Uuid;

    use super::{Filed, Stored, key, tidy, tidy_note};
    use crate::{
        Refusal,
        db::{Read, Write, count, refused},
        document::{About, NOTE_MOST, State},
        event::Act,
        folder::filed,
        question::{find_questions, keep_found, pages_of},
        text,
    };

    /// Longest text of a page that is kept for search, in bytes; the rest of a longer one is not found, and the version says so.
    const BODY_MOST: usize = 400_000;

    /// Whether the caller may add a document to a folder, before anything is sent. Refuses as [`add`] does.
    pub async fn may_add(read: &mut Read, folder: Uuid) -> Result<(), Refusal> {
        let folder = crate::folder::one(read, folder).await?;
        match (folder.reads, folder.files, folder.archived) {
            (false, ..) => Err(Refusal::NotFound),
            (_, false, _) => Err(Refusal::FolderNotFiled),
            (.., true) => Err(Refusal::FolderArchived),
            _ => Ok(()),
        }
    }

    /// Whether the caller may add a version to a document, before anything is sent, and what its newest is now. Refuses as
    /// [`add_version`] does.
    pub async fn may_add_version(read: &mut Read, document: Uuid) -> Result<u32, Refusal> {
        let document = crate::document::one(read, document).await?;
        if !document.folder.files {
            return Err(Refusal::FolderNotFiled);
        }
        if document.state == State::Binned {
            return Err(Refusal::Binned);
        }
        Ok(document.versions.first().map_or(0, |newest| newest.number))
    }

    /// Files a document in a folder, with its first version.
    ///
    /// Refuses who does not file there, a folder out of use, and an owner who does not read it.
    pub async fn add(
        write: &mut Write,
        folder: Uuid,
        about: &About,
        note: &str,
        stored: &Stored,
    ) -> Result<(Filed, Act), Refusal> {
        let (about, note) = (tidy(about)?, tidy_note(note)?);
        if filed(write, folder).await?.archived {
            return Err(Refusal::FolderArchived);
        }
        reads(write, folder, about.owner).await?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        sqlx::query!(
            "insert into document (tenant_id, id, folder_id, title, kind, owner_id, review_by, effective, tags, newest, made_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)",
            tenant,
            stored.document,
            folder,
            about.title,
            about.kind.code(),
            about.owner,
            about.review_by,
            effective(about.from, about.to),
            &about.tags,
            own
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        put(write, stored, 1, &note).await?;
        let filed = Filed {
            document: stored.document,
            number: 1,
        };
        let act = Act::document_added(stored.document, folder, stored);
        Ok((filed, act))
    }

    /// Adds a version to a document. Of two people who do so at once both get one, in the order in which they came.
    ///
    /// Refuses [`Refusal::SameBytes`] where a version has these bytes already.
    pub async fn add_version(
        write: &mut Write,
        note: &str,
        stored: &Stored,
    ) -> Result<(Filed, Act), Refusal> {
        let note = tidy_note(note)?;
        files(write, stored.document).await?;
        let text = (1..).zip(stored.text.iter().map(|body| kept(body)));
        let questions = find_questions(write, stored.document, text.collect()).await?;
        let found = lock(write, stored.document).await?;
        if found.state == State::Binned {
            return Err(Refusal::Binned);
        }
        let tenant = write.standing.tenant;
        let same = sqlx::query_scalar!(
            "select number from version where tenant_id = $1 and document_id = $2 and sha256 = $3 order by number desc limit 1",
            tenant,
            stored.document,
            &stored.sha256[..]
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?;
        if let Some(number) = same {
            return Err(Refusal::SameBytes(
                u32::try_from(number).map_err(|_| Refusal::Broken)?,
            ));
        }
        let number = next(write, stored.document, found.newest).await?;
        put(write, stored, number, &note).await?;
        keep_found(write, stored.version, questions).await?;
        let act =
            Act::document_version_added(stored.document, found.folder, count(number)?, stored);
        Ok((
            Filed {
                document: stored.document,
                number: count(number)?,
            },
            act,
        ))
    }

    /// Brings an older version back, as a new one on the same bytes.
    ///
    /// Refuses [`Refusal::Stale`] where it is the newest.
    pub async fn restore(
        write: &mut Write,
        document: Uuid,
        number: u32,
    ) -> Result<(u32, Act), Refusal> {
        files(write, document).await?;
        let old = i32::try_from(number).map_err(|_| Refusal::NotFound)?;
        let tenant = write.standing.tenant;
        let brought = sqlx::query_scalar!(
            "select id from version where tenant_id = $1 and document_id = $2 and number = $3",
            tenant,
            document,
            old
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let text = pages_of(write, brought).await?;
        let questions = find_questions(write, document, text).await?;
        let found = lock(write, document).await?;
        if found.state == State::Binned {
            return Err(Refusal::Binned);
        }
        if old == found.newest {
            return Err(Refusal::Stale);
        }
        let own = write.standing.membership;
        let newest = next(write, document, found.newest).await?;
        let id = sqlx::query_scalar!(
            "insert into version (tenant_id, document_id, number, note, file_name, format, size, sha256, pages, cut, key,
               store_version, restores, made_by)
             select tenant_id, document_id, $4, '', file_name, format, size, sha256, pages, cut, key, store_version, number, $5
             from version where tenant_id = $1 and document_id = $2 and number = $3 returning id",
            tenant,
            document,
            old,
            newest,
            own
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        sqlx::query!(
            "insert into page (tenant_id, version_id, number, body)
             select p.tenant_id, $4, p.number, p.body from page p
             join version v on v.tenant_id = p.tenant_id and v.id = p.version_id
             where v.tenant_id = $1 and v.document_id = $2 and v.number = $3",
            tenant,
            document,
            old,
            id
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        keep_found(write, id, questions).await?;
        let newest = count(newest)?;
        Ok((
            newest,
            Act::document_version_restored(document, found.folder, newest, number),
        ))
    }

    /// Says what a document is: title, kind, owner, dates, tags.
    ///
    /// Refuses [`Refusal::Stale`] where nothing is new, and an owner who does not read it; who owned it before may stay.
    pub async fn describe(
        write: &mut Write,
        document: Uuid,
        about: &About,
    ) -> Result<Act, Refusal> {
        let about = tidy(about)?;
        let found = lock(write, document).await?;
        if about.owner != found.owner {
            reads(write, found.folder, about.owner).await?;
        }
        let tenant = write.standing.tenant;
        let effective = effective(about.from, about.to);
        let changed = sqlx::query!(
            "update document set title = $3, kind = $4, owner_id = $5, review_by = $6, effective = $7, tags = $8
             where tenant_id = $1 and id = $2
               and (title, kind, owner_id, review_by, effective, tags) is distinct from ($3, $4, $5, $6, $7, $8)",
            tenant,
            document,
            about.title,
            about.kind.code(),
            about.owner,
            about.review_by,
            effective,
            &about.tags
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        match changed.rows_affected() {
            0 => Err(Refusal::Stale),
            _ => Ok(Act::document_described(document, found.folder)),
        }
    }

    /// Moves a document to another folder in which the caller files. Out of a restricted one it cannot be moved.
    pub async fn move_to(write: &mut Write, document: Uuid, folder: Uuid) -> Result<Act, Refusal> {
        let found = lock(write, document).await?;
        if found.folder == folder {
            return Err(Refusal::Stale);
        }
        if filed(write, found.folder).await?.restricted {
            return Err(Refusal::DocumentStays);
        }
        if filed(write, folder).await?.archived {
            return Err(Refusal::FolderArchived);
        }
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update document set folder_id = $3 where tenant_id = $1 and id = $2",
            tenant,
            document,
            folder
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::document_moved(document, folder, found.folder))
    }

    /// Takes a document out of use. It stays readable.
    pub async fn archive(write: &mut Write, document: Uuid) -> Result<Act, Refusal> {
        let folder = step(write, document, State::Current, State::Archived, None).await?;
        Ok(Act::document_archived(document, folder))
    }

    /// Takes a document into use again.
    pub async fn reinstate(write: &mut Write, document: Uuid) -> Result<Act, Refusal> {
        let folder = step(write, document, State::Archived, State::Current, None).await?;
        Ok(Act::document_reinstated(document, folder))
    }

    /// Puts a document into the bin, where it is gone for good after 30 days, and says under which rule of the school's records
    /// schedule. Needs a fresh proof of who does it.
    pub async fn bin(write: &mut Write, document: Uuid, reason: &str) -> Result<Act, Refusal> {
        let reason = text::line(reason, NOTE_MOST).map_err(|_| Refusal::BinReason)?;
        write.standing.require_step_up()?;
        let found = lock(write, document).await?;
        let folder = step(write, document, found.state, State::Binned, Some(&reason)).await?;
        Ok(Act::document_binned(document, folder))
    }

    /// Takes a document out of the bin, into use.
    pub async fn unbin(write: &mut Write, document: Uuid) -> Result<Act, Refusal> {
        let folder = step(write, document, State::Binned, State::Current, None).await?;
        Ok(Act::document_unbinned(document, folder))
    }

    /// That the caller has opened a version for the first time. Refuses [`Refusal::Stale`] where they have before, and
    /// [`Refusal::NotFound`] where they do not read it.
    pub async fn open(write: &mut Write, document: Uuid, version: Uuid) -> Result<Act, Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let row = sqlx::query!(
            "select d.folder_id, v.number from version v join document d on d.tenant_id = v.tenant_id and d.id = v.document_id
             where v.tenant_id = $1 and v.document_id = $2 and v.id = $3",
            tenant,
            document,
            version
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let opened = sqlx::query!(
            "insert into opening (tenant_id, version_id, membership_id) values ($1, $2, $3)
             on conflict on constraint opening_once do nothing",
            tenant,
            version,
            own
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        match opened.rows_affected() {
            0 => Err(Refusal::Stale),
            _ => Ok(Act::document_opened(
                document,
                row.folder_id,
                count(row.number)?,
            )),
        }
    }

    struct Found {
        folder: Uuid,
        state: State,
        owner: Option<Uuid>,
        newest: i32,
    }

    /// That the caller files where a document lies.
    async fn files(write: &mut Write, document: Uuid) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        let folder = sqlx::query_scalar!(
            "select folder_id from document where tenant_id = $1 and id = $2",
            tenant,
            document
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        filed(write, folder).await?;
        Ok(())
    }

    /// A document that the caller files, locked: whoever else changes it waits.
    async fn lock(write: &mut Write, document: Uuid) -> Result<Found, Refusal> {
        files(write, document).await?;
        let tenant = write.standing.tenant;
        let row = sqlx::query!(
            "select folder_id, state, owner_id, newest from document where tenant_id = $1 and id = $2 for update",
            tenant,
            document
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        Ok(Found {
            folder: row.folder_id,
            state: State::from_code(&row.state).ok_or(Refusal::Broken)?,
            owner: row.owner_id,
            newest: row.newest,
        })
    }

    /// From one state to another. Refuses [`Refusal::Stale`] where it is in neither.
    async fn step(
        write: &mut Write,
        document: Uuid,
        from: State,
        to: State,
        reason: Option<&str>,
    ) -> Result<Uuid, Refusal> {
        let found = lock(write, document).await?;
        if found.state != from || from == to {
            return Err(Refusal::Stale);
        }
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        sqlx::query!(
            "update document set state = $3, bin_reason = $4, binned_by = case when $4::text is not null then $5::uuid end,
               binned_at = case when $4::text is not null then now() end
             where tenant_id = $1 and id = $2",
            tenant,
            document,
            to.code(),
            reason,
            own
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(found.folder)
    }

    async fn next(write: &mut Write, document: Uuid, newest: i32) -> Result<i32, Refusal> {
        let tenant = write.standing.tenant;
        sqlx::query!(
            "update document set newest = $3 where tenant_id = $1 and id = $2",
            tenant,
            document,
            newest + 1
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(newest + 1)
    }

    /// The row of a version, and the text of its pages.
    async fn put(
        write: &mut Write,
        stored: &Stored,
        number: i32,
        note: &str,
    ) -> Result<(), Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        sqlx::query!(
            "insert into version (tenant_id, id, document_id, number, note, file_name, format, size, sha256, pages, cut, key,
               store_version, made_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            tenant,
            stored.version,
            stored.document,
            number,
            note,
            stored.name,
            stored.format.code(),
            i64::try_from(stored.size).map_err(|_| Refusal::Broken)?,
            &stored.sha256[..],
            stored.pages.and_then(|pages| i32::try_from(pages).ok()),
            stored.cut || stored.text.iter().any(|body| body.len() > BODY_MOST),
            key(tenant, stored.document, stored.version),
            stored.store_version,
            own
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let (numbers, bodies): (Vec<i32>, Vec<String>) = stored
            .text
            .iter()
            .zip(1..)
            .map(|(body, number)| (number, kept(body)))
            .unzip();
        sqlx::query!(
            "insert into page (tenant_id, version_id, number, body)
             select $1, $2, p.number, p.body from unnest($3::int[], $4::text[]) as p (number, body)",
            tenant,
            stored.version,
            &numbers,
            &bodies
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// Text that a database takes: without nul, and no longer than it may be.
    fn kept(body: &str) -> String {
        let end = body.floor_char_boundary(BODY_MOST);
        body[..end].replace('\0', " ")
    }

    fn effective(from: Option<Date>, to: Option<Date>) -> PgRange<Date> {
        PgRange {
            start: from.map_or(Bound::Unbounded, Bound::Included),
            end: to.map_or(Bound::Unbounded, Bound::Included),
        }
    }

    /// That an owner is one of those who read the folder, or keeps it.
    async fn reads(write: &mut Write, folder: Uuid, owner: Option<Uuid>) -> Result<(), Refusal> {
        let Some(owner) = owner else {
            return Ok(());
        };
        let tenant = write.standing.tenant;
        let reads = sqlx::query_scalar!(
            r#"select exists (select from sec.folder_readers($2) r where r.membership_id = $3) or exists (
                 select from folder f join membership m on m.tenant_id = f.tenant_id and m.id = $3 and m.state = 'active'
                 where f.tenant_id = $1 and f.id = $2 and not f.restricted
                   and m.roles && array['clerk', 'school_admin', 'trust_admin', 'org_admin']) as "reads!""#,
            tenant,
            folder,
            owner
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        if reads {
            Ok(())
        } else {
            Err(Refusal::OwnerReads)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Kind;
    use time::macros::date;

    fn about() -> About {
        About {
            title: "  Behaviour   policy ".to_owned(),
            kind: Kind::Policy,
            owner: None,
            review_by: None,
            from: None,
            to: None,
            tags: vec![],
        }
    }

    #[test]
    fn what_is_said_of_a_document_is_kept_tidy() {
        let tidied = tidy(&About {
            tags: ["Pupils", " ", "pupils", "exclusion  and suspension"]
                .map(str::to_owned)
                .to_vec(),
            ..about()
        })
        .unwrap();
        assert_eq!(tidied.title, "Behaviour policy");
        assert_eq!(tidied.tags, ["Pupils", "exclusion and suspension"]);
        let many = (0..13).map(|n| format!("tag {n}")).collect();
        assert_eq!(
            tidy(&About {
                tags: many,
                ..about()
            }),
            Err(Refusal::Tags)
        );
        let backwards = About {
            from: Some(date!(2026 - 09 - 02)),
            to: Some(date!(2026 - 09 - 01)),
            ..about()
        };
        assert_eq!(tidy(&backwards), Err(Refusal::DatesOrder));
        for title in ["", " ", "a\u{202e}fdp.exe", &"x".repeat(201)] {
            let about = About {
                title: title.to_owned(),
                ..about()
            };
            assert_eq!(tidy(&about), Err(Refusal::Title), "{title:?}");
        }
    }

    #[test]
    fn a_note_may_be_empty_and_is_one_line() {
        assert_eq!(tidy_note(" \n ").unwrap(), "");
        assert_eq!(tidy_note("Page 4\ncorrected").unwrap(), "Page 4 corrected");
        assert_eq!(tidy_note(&"x".repeat(501)), Err(Refusal::Note));
    }
}
