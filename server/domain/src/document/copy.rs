//! The copy for reading of an office file: a PDF that is made of it in a job, and only looked at. What is approved, searched and
//! quoted is the file itself.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

#[cfg(feature = "db")]
use crate::{
    Refusal,
    db::{MailDb, Read, refused, refused_quietly as quietly},
};
use crate::{TenantId, file};

/// How far the copy of a version has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Copied {
    /// It waits to be made, or is being made.
    Wanted,
    /// It can be read.
    Made {
        /// Bytes of the PDF.
        size: u64,
    },
    /// It was tried three times.
    Failed,
}

/// Why a try came to nothing, where that is said of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It went on and on.
    Slow,
    /// The program ended early.
    Ended,
    /// It ended in order and left no PDF.
    Nothing,
    /// The PDF is none that would be taken from anybody.
    Refused,
    /// The file in the store is not the one that was put there.
    Altered,
}

impl Why {
    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Ended => "ended",
            Self::Nothing => "nothing",
            Self::Refused => "refused",
            Self::Altered => "altered",
        }
    }
}

/// A copy that is to be made, by us alone for ten minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose school.
    pub tenant: TenantId,
    /// The version it is of.
    pub version: Uuid,
    /// The document of that.
    pub document: Uuid,
    /// Where the file lies.
    pub key: String,
    /// The store's own version of that object, where it keeps versions.
    pub store_version: Option<String>,
    /// What the file is.
    pub format: file::Kind,
    /// Its bytes.
    pub size: u64,
    /// What they add up to.
    pub sha256: [u8; 32],
    /// Names the try.
    pub at: OffsetDateTime,
}

impl Claim {
    /// Where in the store a copy may lie. The id is drawn for each try: an object is never written twice.
    pub fn key(&self, id: Uuid) -> String {
        format!("t/{}/d/{}/c/{id}", self.tenant, self.document)
    }
}

/// A copy that lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Where.
    pub key: String,
    /// The version that the store gave it, where it keeps versions.
    pub store_version: Option<String>,
    /// Bytes.
    pub size: u64,
    /// What they add up to.
    pub sha256: [u8; 32],
    /// Its pages.
    pub pages: Option<u32>,
}

/// How far the copy of a version has come; none where no copy is made of such a file, or the caller does not read it.
#[cfg(feature = "db")]
pub async fn of(read: &mut Read, version: Uuid) -> Result<Option<Copied>, Refusal> {
    let tenant = read.standing.tenant;
    let row = sqlx::query!(
        "select state, size from reading_copy where tenant_id = $1 and version_id = $2",
        tenant,
        version
    )
    .fetch_optional(read.connection())
    .await
    .map_err(refused)?;
    row.map(|row| match (row.state.as_str(), row.size) {
        ("wanted", _) => Ok(Copied::Wanted),
        ("failed", _) => Ok(Copied::Failed),
        ("made", Some(size)) => Ok(Copied::Made { size: bytes(size)? }),
        _ => Err(Refusal::Broken),
    })
    .transpose()
}

/// Where the copy of a version lies. Refuses [`Refusal::NotFound`] where there is none, or the caller does not read it.
#[cfg(feature = "db")]
pub async fn lies(read: &mut Read, document: Uuid, number: u32) -> Result<super::Lies, Refusal> {
    let (tenant, own) = (read.standing.tenant, read.standing.membership);
    let row = sqlx::query!(
        r#"select v.id, c.key as "key!", c.store_version, c.size as "size!", c.sha256 as "sha256!", v.file_name,
                  exists (select from opening o
                    where o.tenant_id = v.tenant_id and o.version_id = v.id and o.membership_id = $4) as "opened!"
           from version v join reading_copy c on c.tenant_id = v.tenant_id and c.version_id = v.id and c.state = 'made'
           where v.tenant_id = $1 and v.document_id = $2 and v.number = $3"#,
        tenant,
        document,
        i32::try_from(number).map_err(|_| Refusal::NotFound)?,
        own
    )
    .fetch_optional(read.connection())
    .await
    .map_err(refused)?
    .ok_or(Refusal::NotFound)?;
    Ok(super::Lies {
        version: row.id,
        key: row.key,
        store_version: row.store_version,
        size: bytes(row.size)?,
        sha256: row.sha256.try_into().map_err(|_| Refusal::Broken)?,
        format: file::Kind::Pdf,
        file_name: format!("{}.pdf", row.file_name),
        opened: row.opened,
    })
}

#[cfg(feature = "db")]
impl MailDb {
    /// The next copy to make; none where there is nothing to do. Refuses [`Refusal::Unavailable`] without a word in the log, since
    /// the job asks again and again.
    pub async fn claim_copy(&self) -> Result<Option<Claim>, Refusal> {
        let row = sqlx::query!(
            r#"select tenant_id as "tenant_id!", version_id as "version_id!", document_id as "document_id!", key as "key!",
                      store_version, format as "format!", size as "size!", sha256 as "sha256!",
                      claimed_at as "claimed_at!: OffsetDateTime"
               from sec.copy_claim()"#
        )
        .fetch_optional(self.pool())
        .await
        .map_err(quietly)?;
        row.map(|row| {
            Ok(Claim {
                tenant: row.tenant_id,
                version: row.version_id,
                document: row.document_id,
                key: row.key,
                store_version: row.store_version,
                format: file::Kind::from_code(&row.format).ok_or(Refusal::Broken)?,
                size: bytes(row.size)?,
                sha256: row.sha256.try_into().map_err(|_| Refusal::Broken)?,
                at: row.claimed_at,
            })
        })
        .transpose()
    }

    /// Says that a copy lies in the store. False where the version is gone, or the try was given up: then nothing points there.
    pub async fn copy_made(&self, claim: &Claim, made: &Made) -> Result<bool, Refusal> {
        sqlx::query_scalar!(
            r#"select sec.copy_made($1, $2, $3::timestamptz, $4, $5, $6, $7, $8) as "kept!""#,
            claim.tenant,
            claim.version,
            claim.at as OffsetDateTime,
            made.key,
            made.store_version.as_deref(),
            i64::try_from(made.size).map_err(|_| Refusal::Broken)?,
            &made.sha256[..],
            made.pages.and_then(|pages| i32::try_from(pages).ok())
        )
        .fetch_one(self.pool())
        .await
        .map_err(quietly)
    }

    /// Says that a try came to nothing by the file's own fault. The third was the last.
    pub async fn copy_failed(&self, claim: &Claim, why: Why) -> Result<(), Refusal> {
        sqlx::query_scalar!(
            "select sec.copy_failed($1, $2, $3::timestamptz, $4)",
            claim.tenant,
            claim.version,
            claim.at as OffsetDateTime,
            why.code()
        )
        .fetch_one(self.pool())
        .await
        .map(drop)
        .map_err(quietly)
    }

    /// Gives a claim back, as if it had not been tried: to be tried again after so many minutes.
    pub async fn copy_put_back(&self, claim: &Claim, minutes: i32) -> Result<(), Refusal> {
        sqlx::query!(
            "select sec.copy_put_back($1, $2, $3::timestamptz, $4::integer * interval '1 minute')::text as done",
            claim.tenant,
            claim.version,
            claim.at as OffsetDateTime,
            minutes
        )
        .fetch_one(self.pool())
        .await
        .map(drop)
        .map_err(quietly)
    }
}

#[cfg(feature = "db")]
fn bytes(size: i64) -> Result<u64, Refusal> {
    u64::try_from(size).map_err(|_| Refusal::Broken)
}
