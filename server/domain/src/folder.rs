//! Folders of the library: what they are called, and who reads them.
//!
//! An open folder is read by roles, committees and people, and kept by clerks and administrators. A restricted one is read by the
//! people it names and by nobody else, administrators included; see [`readers`].

pub mod readers;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest name, in characters.
pub const NAME_MOST: u16 = 120;

/// Longest description, in characters.
pub const ABOUT_MOST: u16 = 1000;

/// A folder as the caller may know it.
#[allow(
    clippy::struct_excessive_bools,
    reason = "five facts, of which none follows from another"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Its key.
    pub id: Uuid,
    /// Its name; no two folders in use have the same.
    pub name: String,
    /// What it is for. May be empty; always empty for who does not read it.
    pub about: String,
    /// Whether only the people it names read it.
    pub restricted: bool,
    /// Whether it is out of use.
    pub archived: bool,
    /// Whether the reader prints what lies in it. Who downloads a file prints it elsewhere, whatever this says.
    pub prints: bool,
    /// Whether the caller reads it. Who keeps the library knows of folders that they do not read, and no more than that.
    pub reads: bool,
    /// Whether the caller files documents in it.
    pub files: bool,
    /// How many documents in use it holds; nought for who does not read it.
    pub documents: u32,
}

#[cfg(feature = "db")]
pub(crate) use queries::filed;
#[cfg(feature = "db")]
pub use queries::{all, archive, describe, one, open, reopen};

#[cfg(feature = "db")]
mod queries {
    use uuid::Uuid;

    use super::{
        ABOUT_MOST, Folder, NAME_MOST,
        readers::{Who, name_first},
    };
    use crate::{
        Refusal,
        board::keeping::keep,
        db::{Read, Write, refused},
        event::Act,
        text,
    };

    fn tidy_name(typed: &str) -> Result<String, Refusal> {
        text::line(typed, NAME_MOST).map_err(|_| Refusal::FolderName)
    }

    /// Every folder that the caller may know of, by name; those out of use last.
    pub async fn all(read: &mut Read) -> Result<Vec<Folder>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"with own as materialized (select sec.folders_read() as reads, sec.folders_filed() as files)
               select f.id, f.name, a.about as "about?", f.restricted, f.archived_on is not null as "archived!", f.prints,
                      f.id = any (own.reads) as "reads!", f.id = any (own.files) as "files!",
                      (select count(*) from document d
                       where d.tenant_id = f.tenant_id and d.folder_id = f.id and d.state = 'current') as "documents!"
               from folder f cross join own left join sec.folders_about() a on a.folder_id = f.id where f.tenant_id = $1
               order by f.archived_on is not null, lower(f.name), f.id"#,
            tenant
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        Ok(rows
            .into_iter()
            .map(|row| Folder {
                id: row.id,
                name: row.name,
                about: row.about.unwrap_or_default(),
                restricted: row.restricted,
                archived: row.archived,
                prints: row.prints,
                reads: row.reads,
                files: row.files,
                documents: u32::try_from(row.documents).unwrap_or(u32::MAX),
            })
            .collect())
    }

    /// One folder. Refuses [`Refusal::NotFound`] where the caller may not know of it.
    pub async fn one(read: &mut Read, id: Uuid) -> Result<Folder, Refusal> {
        all(read)
            .await?
            .into_iter()
            .find(|folder| folder.id == id)
            .ok_or(Refusal::NotFound)
    }

    /// Makes a folder with its first readers. A restricted one needs two people at least, since it takes two of them to change
    /// who reads it, and names people only: a role or a committee is resolved by whoever chooses.
    ///
    /// Refuses everybody but clerks and administrators, and a name that another folder in use has.
    pub async fn open(
        write: &mut Write,
        name: &str,
        about: &str,
        restricted: bool,
        readers: &[(Who, bool)],
    ) -> Result<(Uuid, Act), Refusal> {
        keep(write)?;
        let (name, about) = (tidy_name(name)?, text::block(about, ABOUT_MOST)?);
        let people = readers.iter().all(|(who, _)| matches!(who, Who::Person(_)));
        if restricted && !people {
            return Err(Refusal::FolderNamesPeople);
        }
        if readers.len() < if restricted { 2 } else { 1 } {
            return Err(Refusal::FolderReaders);
        }
        if restricted && !readers.iter().any(|(_, files)| *files) {
            return Err(Refusal::FolderFiler);
        }
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let id = sqlx::query_scalar!(
            "insert into folder (tenant_id, name, about, restricted, made_by) values ($1, $2, $3, $4, $5) returning id",
            tenant,
            name,
            about,
            restricted,
            own
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        for (who, files) in readers {
            name_first(write, id, *who, *files).await?;
        }
        Ok((id, Act::folder_opened(id, restricted)))
    }

    /// Gives a folder another name, says what it is for and whether the reader prints what lies in it. For who files there.
    pub async fn describe(
        write: &mut Write,
        id: Uuid,
        name: &str,
        about: &str,
        prints: bool,
    ) -> Result<Act, Refusal> {
        let (name, about) = (tidy_name(name)?, text::block(about, ABOUT_MOST)?);
        filed(write, id).await?;
        let tenant = write.standing.tenant;
        let changed = sqlx::query!(
            "update folder set name = $3, about = $4, prints = $5 where tenant_id = $1 and id = $2
               and (name <> $3 or prints <> $5 or (select a.about from sec.folders_about() a where a.folder_id = $2) <> $4)",
            tenant,
            id,
            name,
            about,
            prints
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        match changed.rows_affected() {
            0 => Err(Refusal::Stale),
            _ => Ok(Act::folder_renamed(id, prints)),
        }
    }

    /// Takes a folder out of use. Its documents stay where they are and can be read as before.
    pub async fn archive(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
        set_archived(write, id, true).await?;
        Ok(Act::folder_archived(id))
    }

    /// Takes a folder into use again.
    pub async fn reopen(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
        set_archived(write, id, false).await?;
        Ok(Act::folder_reopened(id))
    }

    async fn set_archived(write: &mut Write, id: Uuid, archived: bool) -> Result<(), Refusal> {
        filed(write, id).await?;
        let tenant = write.standing.tenant;
        let changed = sqlx::query!(
            "update folder set archived_on = case when $3 then sec.today() end
             where tenant_id = $1 and id = $2 and (archived_on is null) = $3",
            tenant,
            id,
            archived
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        match changed.rows_affected() {
            0 => Err(Refusal::Stale),
            _ => Ok(()),
        }
    }

    /// That the caller files in a folder.
    ///
    /// Refuses [`Refusal::NotFound`] where they do not read it and [`Refusal::NotAllowed`] where they only read it.
    pub(crate) async fn filed(write: &mut Write, id: Uuid) -> Result<Filed, Refusal> {
        let tenant = write.standing.tenant;
        let row = sqlx::query!(
            r#"select f.id = any (sec.folders_read()) as "reads!", f.id = any (sec.folders_filed()) as "files!",
                      f.archived_on is not null as "archived!", f.restricted
               from folder f where f.tenant_id = $1 and f.id = $2"#,
            tenant,
            id
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .filter(|row| row.reads)
        .ok_or(Refusal::NotFound)?;
        if !row.files {
            return Err(Refusal::FolderNotFiled);
        }
        Ok(Filed {
            archived: row.archived,
            restricted: row.restricted,
        })
    }

    /// A folder in which the caller files.
    pub(crate) struct Filed {
        /// Whether it is out of use.
        pub(crate) archived: bool,
        /// Whether only the people it names read it.
        pub(crate) restricted: bool,
    }
}

/// What it means to a person that a constraint of the library's tables was violated; none for those of other tables.
#[cfg(feature = "db")]
pub(crate) fn refusal_of(constraint: &str) -> Option<crate::Refusal> {
    use crate::Refusal;
    Some(match constraint {
        "folder_name_key" => Refusal::FolderNameTaken,
        "folder_name_shape" => Refusal::FolderName,
        "folder_about_shape" => Refusal::TextFormat(ABOUT_MOST),
        "folder_read_by_some" => Refusal::FolderReaders,
        "folder_reader_named" => Refusal::FolderNamesPeople,
        "folder_reader_joined" => Refusal::FolderJoined,
        "folder_reader_once" => Refusal::FolderReaderNamed,
        "folder_reader_of_member" => Refusal::PersonEnded,
        "folder_change_once" => Refusal::FolderChangeWaits,
        "document_title_shape" => Refusal::Title,
        "document_tags_few" => Refusal::Tags,
        "document_effective_some" => Refusal::DatesOrder,
        "document_review_by_finite" | "folder_archived_on_finite" => Refusal::DateFormat,
        "document_bin_reason_shape" => Refusal::BinReason,
        "document_stays" => Refusal::DocumentStays,
        "version_note_shape" => Refusal::Note,
        "version_file_name_shape" => Refusal::File(crate::file::Fault::Name),
        "version_size_fits" => Refusal::File(crate::file::Fault::TooLarge),
        // Somebody else was a moment earlier.
        "version_number_key" | "document_has_version" | "document_bin_whole" | "opening_once" => {
            Refusal::Stale
        }
        // What was pointed at is not there.
        "folder_made_by_fkey"
        | "folder_reader_folder_fkey"
        | "folder_reader_committee_fkey"
        | "folder_reader_membership_fkey"
        | "folder_change_folder_fkey"
        | "folder_change_membership_fkey"
        | "folder_change_asked_by_fkey"
        | "document_folder_fkey"
        | "document_owner_fkey"
        | "document_made_by_fkey"
        | "document_binned_by_fkey"
        | "version_document_fkey"
        | "version_made_by_fkey"
        | "page_version_fkey"
        | "opening_version_fkey"
        | "opening_membership_fkey" => Refusal::NotFound,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_constraint_of_the_library_has_a_sentence() {
        let fresh = testing::Fresh::empty().await;
        let mut behind = fresh.behind().await;
        let constraints: Vec<String> = sqlx::query_scalar(
            "select conname::text from pg_constraint
             where conrelid = any (array['folder', 'folder_reader', 'folder_change', 'document', 'version', 'page',
               'opening', 'approval', 'approval_place', 'approval_answer']::regclass[])
               and contype not in ('n', 'p', 't') and conname !~ '_tenant_fkey$'
             union all
             select unnest(array['folder_name_key', 'approval_open_key'])
             union all
             select m[1] from pg_proc, regexp_matches(prosrc, 'constraint = ''(\\w+)''', 'g') m
             where oid = any (array['sec.folder_reader_fits()', 'sec.folder_read_by_some()', 'sec.document_fits()',
               'sec.document_has_version()', 'sec.approval_fits()', 'sec.approval_place_fits()', 'sec.approval_asks_some()',
               'sec.approval_closes()', 'sec.approval_answer_settles()', 'sec.approval_answer_leaves()']::regprocedure[])",
        )
        .fetch_all(&mut *behind)
        .await
        .unwrap();
        assert!(constraints.len() > 45, "{constraints:#?}");
        let mut mute: Vec<_> = constraints
            .iter()
            .filter(|name| {
                refusal_of(name)
                    .or_else(|| crate::approval::refusal_of(name))
                    .is_none()
            })
            .filter(|name| !name.ends_with("_known"))
            .map(String::as_str)
            .collect();
        mute.sort_unstable();
        // What nobody types: the server makes it, and a fault there is ours.
        let made = [
            "approval_closed_whole",
            "approval_place_nudged_few",
            "document_newest_from_nought",
            "folder_reader_one",
            "page_body_fits",
            "page_number_key",
            "page_number_positive",
            "version_bytes_key",
            "version_key_own",
            "version_number_positive",
            "version_pages_positive",
            "version_restores_earlier",
            "version_sha256_length",
        ];
        assert_eq!(mute, made);
    }
}
