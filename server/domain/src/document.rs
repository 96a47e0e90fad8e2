//! Documents of the library: what each is, its versions, and who has opened it.
//!
//! A version is a file as it was uploaded, told by its SHA-256, and never changes. What somebody agreed to is a version and not a
//! document, so that nothing can be put under an answer later.

pub mod changes;
pub mod copy;
#[cfg(feature = "db")]
mod ending;
pub mod filing;
pub mod parts;
pub mod search;

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use crate::{MembershipId, approval::Last, board::Named, file};

/// Longest title, in characters.
pub const TITLE_MOST: u16 = 200;

/// Longest note to a version, and longest reason for the bin, in characters.
pub const NOTE_MOST: u16 = 500;

/// Most tags of a document.
pub const TAGS_MOST: usize = 12;

/// Longest tag, in characters.
pub const TAG_MOST: u16 = 40;

/// How long a document lies in the bin before it is gone for good, in days.
pub const BIN_DAYS: u16 = 30;

/// What a document is to a school.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Kept, reviewed, and owned by somebody.
    Policy,
    /// Of a meeting.
    Minutes,
    /// Tells how something stands.
    Report,
    /// Anything else.
    Other,
}

impl Kind {
    /// Every kind, in the order in which pages list them.
    pub const ALL: &[Self] = &[Self::Policy, Self::Minutes, Self::Report, Self::Other];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Minutes => "minutes",
            Self::Report => "report",
            Self::Other => "other",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Policy => "Policy",
            Self::Minutes => "Minutes",
            Self::Report => "Report",
            Self::Other => "Other",
        }
    }

    /// The kind of a code; none for a code that is not in the list.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// Whether a document is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// In use.
    Current,
    /// Out of use, and kept.
    Archived,
    /// Gone for good after [`BIN_DAYS`].
    Binned,
}

impl State {
    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Archived => "archived",
            Self::Binned => "binned",
        }
    }

    /// The state of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Current, Self::Archived, Self::Binned]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

/// What is said of a document beside its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// What it is called.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// Who answers for it; one of those who read it.
    pub owner: Option<MembershipId>,
    /// When it is to be looked at again.
    pub review_by: Option<Date>,
    /// From when it holds.
    pub from: Option<Date>,
    /// The last day on which it holds.
    pub to: Option<Date>,
    /// Words to find it by.
    pub tags: Vec<String>,
}

/// One version, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its key.
    pub id: Uuid,
    /// From 1.
    pub number: u32,
    /// What is new in it; may be empty.
    pub note: String,
    /// What its file is called.
    pub file_name: String,
    /// What its file is.
    pub format: file::Kind,
    /// Bytes.
    pub size: u64,
    /// In hexadecimal.
    pub sha256: String,
    /// How many pages, where it has pages.
    pub pages: Option<u32>,
    /// Whether there is more text in its file than is kept to be searched and compared.
    pub cut: bool,
    /// The version that it brings back.
    pub restores: Option<u32>,
    /// Who added it.
    pub by: Named,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// When the caller first opened it, RFC 3339 in UTC.
    pub opened: Option<String>,
}

/// A document as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its key.
    pub id: Uuid,
    /// The folder it lies in.
    pub folder: Uuid,
    /// What it is called.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// Whether it is in use.
    pub state: State,
    /// Who answers for it.
    pub owner: Option<Named>,
    /// When it is to be looked at again.
    pub review_by: Option<Date>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The number of its newest version.
    pub newest: u32,
    /// What that version's file is.
    pub format: file::Kind,
    /// Its bytes.
    pub size: u64,
    /// Its pages, where it has pages.
    pub pages: Option<u32>,
    /// When that version was added, RFC 3339 in UTC.
    pub at: String,
    /// Whether the caller has opened that version.
    pub opened: bool,
    /// How it stands with its approval; none where nothing was asked.
    pub approval: Option<Last>,
}

/// A document, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its key.
    pub id: Uuid,
    /// What is said of it.
    pub about: About,
    /// Who answers for it, by name.
    pub owner: Option<Named>,
    /// Whether it is in use.
    pub state: State,
    /// Since when it lies in the bin (RFC 3339 in UTC), and why.
    pub binned: Option<(String, String)>,
    /// The folder it lies in.
    pub folder: crate::folder::Folder,
    /// Its versions, the newest first; there is always one.
    pub versions: Vec<Version>,
}

impl Document {
    /// The version of a number; the newest for none. None where it has no such version.
    pub fn version(&self, number: Option<u32>) -> Option<&Version> {
        match number {
            None => self.versions.first(),
            Some(number) => self
                .versions
                .iter()
                .find(|version| version.number == number),
        }
    }
}

/// Whether somebody has opened a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Who.
    pub person: Named,
    /// When first, RFC 3339 in UTC; none for who has not.
    pub at: Option<String>,
}

/// Where a version's file lies, and what must come back from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lies {
    /// The version.
    pub version: Uuid,
    /// Its object's key.
    pub key: String,
    /// The store's own version of that object, where it keeps versions.
    pub store_version: Option<String>,
    /// Bytes.
    pub size: u64,
    /// What the bytes add up to.
    pub sha256: [u8; 32],
    /// What its file is.
    pub format: file::Kind,
    /// What its file is called.
    pub file_name: String,
    /// Whether the caller has opened it before.
    pub opened: bool,
}

/// A document that its owner is to look at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Its key.
    pub id: Uuid,
    /// What it is called.
    pub title: String,
    /// By when.
    pub by: Date,
}

#[cfg(feature = "db")]
pub use queries::{lies, list, one, openings, register, to_review};

#[cfg(feature = "db")]
mod queries {
    use time::{Date, OffsetDateTime};
    use uuid::Uuid;

    use super::{About, Document, Kind, Lies, Listed, Opening, Review, State, Version};
    use crate::{
        Refusal,
        approval::Last,
        board::Named,
        day,
        db::{Read, count, refused},
        file, text,
    };

    /// The caller's own documents in use that are to be reviewed by a day, by title.
    pub async fn to_review(read: &mut Read, by: Date) -> Result<Vec<Review>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        sqlx::query_as!(
            Review,
            r#"select id, title, review_by as "by!" from document
               where tenant_id = $1 and owner_id = $2 and state = 'current' and review_by <= $3
               order by lower(title), id"#,
            tenant,
            own,
            by
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)
    }

    /// The documents of a folder, or of all folders, that the caller reads, by title. Those in the bin only where the caller files,
    /// and only when they are asked for.
    pub async fn list(
        read: &mut Read,
        folder: Option<Uuid>,
        state: State,
    ) -> Result<Vec<Listed>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let rows = sqlx::query_as!(
            Row,
            r#"select d.id, d.folder_id, d.title, d.kind, d.state, d.owner_id, m.name as "owner?", d.review_by, d.tags, v.number,
                      v.format, v.size, v.pages, v.made_at as "at: OffsetDateTime",
                      exists (select from opening o
                        where o.tenant_id = v.tenant_id and o.version_id = v.id and o.membership_id = $2) as "opened!",
                      q.state as "approval?", q.number as "asked?", q.same_bytes as "same_bytes?"
               from document d
               join version v on v.tenant_id = d.tenant_id and v.document_id = d.id and v.number = d.newest
               left join lateral (
                 select a.state, w.number, a.sha256 = v.sha256 as same_bytes from approval a
                 join version w on w.tenant_id = a.tenant_id and w.id = a.version_id
                 where a.tenant_id = d.tenant_id and a.document_id = d.id and a.state <> 'withdrawn'
                 order by (a.sha256 = v.sha256 and a.state <> 'stale') desc, a.asked_at desc, a.id desc limit 1) q on true
               left join membership m on m.tenant_id = d.tenant_id and m.id = d.owner_id
               where d.tenant_id = $1 and ($3::uuid is null or d.folder_id = $3) and d.state = $4
               order by lower(d.title), d.id"#,
            tenant,
            own,
            folder,
            state.code()
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter().map(Row::listed).collect()
    }

    /// The policies in use that the caller reads: those to be reviewed first come first, those without a date last.
    pub async fn register(read: &mut Read) -> Result<Vec<Listed>, Refusal> {
        let mut policies = list(read, None, State::Current).await?;
        policies.retain(|one| one.kind == Kind::Policy);
        policies.sort_by_key(|one| (one.review_by.is_none(), one.review_by));
        Ok(policies)
    }

    struct Row {
        id: Uuid,
        folder_id: Uuid,
        title: String,
        kind: String,
        state: String,
        owner_id: Option<Uuid>,
        owner: Option<String>,
        review_by: Option<Date>,
        tags: Vec<String>,
        number: i32,
        format: String,
        size: i64,
        pages: Option<i32>,
        at: OffsetDateTime,
        opened: bool,
        approval: Option<String>,
        asked: Option<i32>,
        same_bytes: Option<bool>,
    }

    impl Row {
        fn listed(self) -> Result<Listed, Refusal> {
            Ok(Listed {
                id: self.id,
                folder: self.folder_id,
                title: self.title,
                kind: Kind::from_code(&self.kind).ok_or(Refusal::Broken)?,
                state: State::from_code(&self.state).ok_or(Refusal::Broken)?,
                owner: self.owner_id.map(|id| Named {
                    id,
                    name: self.owner,
                }),
                review_by: self.review_by,
                tags: self.tags,
                newest: count(self.number)?,
                format: format(&self.format)?,
                size: bytes(self.size)?,
                pages: self.pages.map(count).transpose()?,
                at: day::moment(self.at)?,
                opened: self.opened,
                approval: Last::of(self.approval.as_deref(), self.asked, self.same_bytes)?,
            })
        }
    }

    /// A document with all its versions. Refuses [`Refusal::NotFound`] where the caller does not read its folder.
    pub async fn one(read: &mut Read, id: Uuid) -> Result<Document, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let row = sqlx::query!(
            r#"select d.folder_id, d.title, d.kind, d.owner_id, m.name as "owner?", d.review_by, lower(d.effective) as "from?",
                      upper(d.effective) as "until?", d.tags, d.state, d.binned_at as "binned_at: OffsetDateTime", d.bin_reason
               from document d left join membership m on m.tenant_id = d.tenant_id and m.id = d.owner_id
               where d.tenant_id = $1 and d.id = $2"#,
            tenant,
            id
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let versions = sqlx::query!(
            r#"select v.id, v.number, v.note, v.file_name, v.format, v.size, v.sha256, v.pages, v.cut, v.restores,
                      v.made_by, m.name as "by?", v.made_at as "at: OffsetDateTime", o.opened_at as "opened?: OffsetDateTime"
               from version v
               left join membership m on m.tenant_id = v.tenant_id and m.id = v.made_by
               left join opening o on o.tenant_id = v.tenant_id and o.version_id = v.id and o.membership_id = $3
               where v.tenant_id = $1 and v.document_id = $2 order by v.number desc"#,
            tenant,
            id,
            own
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let versions = versions
            .into_iter()
            .map(|row| {
                Ok(Version {
                    id: row.id,
                    number: count(row.number)?,
                    note: row.note,
                    file_name: row.file_name,
                    format: format(&row.format)?,
                    size: bytes(row.size)?,
                    sha256: text::hex(&row.sha256),
                    pages: row.pages.map(count).transpose()?,
                    cut: row.cut,
                    restores: row.restores.map(count).transpose()?,
                    by: Named {
                        id: row.made_by,
                        name: row.by,
                    },
                    at: day::moment(row.at)?,
                    opened: row.opened.map(day::moment).transpose()?,
                })
            })
            .collect::<Result<Vec<_>, Refusal>>()?;
        let binned = row
            .binned_at
            .zip(row.bin_reason)
            .map(|(at, why)| Ok::<_, Refusal>((day::moment(at)?, why)))
            .transpose()?;
        Ok(Document {
            id,
            about: About {
                title: row.title,
                kind: Kind::from_code(&row.kind).ok_or(Refusal::Broken)?,
                owner: row.owner_id,
                review_by: row.review_by,
                from: row.from,
                to: row.until.map(crate::day::before),
                tags: row.tags,
            },
            owner: row.owner_id.map(|id| Named {
                id,
                name: row.owner,
            }),
            state: State::from_code(&row.state).ok_or(Refusal::Broken)?,
            binned,
            folder: crate::folder::one(read, row.folder_id).await?,
            versions,
        })
    }

    /// Where a version's file lies. Refuses [`Refusal::NotFound`] where the caller does not read it.
    pub async fn lies(read: &mut Read, document: Uuid, number: u32) -> Result<Lies, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let row = sqlx::query!(
            r#"select v.id, v.key, v.store_version, v.size, v.sha256, v.format, v.file_name,
                      exists (select from opening o
                        where o.tenant_id = v.tenant_id and o.version_id = v.id and o.membership_id = $4) as "opened!"
               from version v where v.tenant_id = $1 and v.document_id = $2 and v.number = $3"#,
            tenant,
            document,
            i32::try_from(number).map_err(|_| Refusal::NotFound)?,
            own
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        Ok(Lies {
            version: row.id,
            key: row.key,
            store_version: row.store_version,
            size: bytes(row.size)?,
            sha256: row.sha256.try_into().map_err(|_| Refusal::Broken)?,
            format: format(&row.format)?,
            file_name: row.file_name,
            opened: row.opened,
        })
    }

    /// Who of the folder's readers has opened a version, for who files there; to everybody else only whether they have themselves.
    pub async fn openings(
        read: &mut Read,
        document: &Document,
        version: Uuid,
    ) -> Result<Vec<Opening>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select o.membership_id, o.opened_at as "at: OffsetDateTime", m.name as "name?" from opening o
               left join membership m on m.tenant_id = o.tenant_id and m.id = o.membership_id
               where o.tenant_id = $1 and o.version_id = $2 order by o.opened_at, o.id"#,
            tenant,
            version
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut openings: Vec<Opening> = rows
            .into_iter()
            .map(|row| {
                Ok(Opening {
                    person: Named {
                        id: row.membership_id,
                        name: row.name,
                    },
                    at: Some(day::moment(row.at)?),
                })
            })
            .collect::<Result<_, Refusal>>()?;
        if document.folder.files {
            let readers = crate::folder::readers::people(read, document.folder.id).await?;
            for person in readers {
                if !openings.iter().any(|one| one.person.id == person.id) {
                    openings.push(Opening { person, at: None });
                }
            }
        }
        Ok(openings)
    }

    fn bytes(size: i64) -> Result<u64, Refusal> {
        u64::try_from(size).map_err(|_| Refusal::Broken)
    }

    fn format(code: &str) -> Result<file::Kind, Refusal> {
        file::Kind::from_code(code).ok_or(Refusal::Broken)
    }
}
