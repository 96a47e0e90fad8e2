//! The letters that tell of notices and of what waits: made by the database, one for each person and morning, or at once; put
//! into the queue by the relay; and looked up when they are sent, so that nothing of them stands in a queue.

use std::fmt;

use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Hears, Mail};
use crate::{
    Refusal, Seq, TenantId,
    db::{MailDb, refused_quietly as quietly},
};

/// Letters put into the queue at once.
const MOST: i32 = 100;

/// Which letter. It names nobody, so it may stand in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterId {
    /// Of which tenant.
    pub tenant: TenantId,
    /// The letter.
    pub id: Uuid,
}

/// So many of one act, heard of as one thing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct News {
    /// The act, as in the log.
    #[serde(rename = "kind")]
    pub act: String,
    /// As what the reader hears of it.
    pub hears: Hears,
    /// How many.
    pub count: usize,
}

/// What waits for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// To declare their interests.
    Declare,
    /// An invitation that nobody has accepted for a week.
    Invitation,
    /// A term of office that ends within 90 days, without a successor.
    Term,
    /// A seat that nobody holds.
    Vacancy,
    /// Other people's declarations that are due.
    Declarations,
    /// An approval that was asked of them, or for which they stand in.
    Approval,
    /// A document of theirs that is to be looked at again within 30 days.
    Review,
    /// A week's list of unusual looks at pupils' records that nobody has signed.
    Access,
}

/// So many of one duty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Waiting {
    /// Of which.
    pub duty: Duty,
    /// How many.
    pub count: usize,
}

/// What a letter says, and to whom; lives as long as it takes to send it.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest {
    /// The address of the account.
    pub email: String,
    /// The person, as the tenant calls them.
    pub name: String,
    /// The tenant's name.
    pub place: String,
    /// The first part of the tenant's host.
    pub label: String,
    /// How often they want letters.
    pub mail: Mail,
    /// What is new, the oldest first.
    pub news: Vec<News>,
    /// What waits for them, where the letter tells of it.
    pub duties: Vec<Waiting>,
    /// Where the tenant's log stands.
    pub seq: Seq,
    /// The hash of its last line.
    pub hash: [u8; 32],
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest")
            .field("news", &self.news)
            .field("duties", &self.duties)
            .finish_non_exhaustive()
    }
}

impl MailDb {
    /// Makes the letters of the last morning (07:00 in the United Kingdom) before the moment, unless that was done. Returns how
    /// many.
    pub async fn make_digests(&self, moment: OffsetDateTime) -> Result<i32, Refusal> {
        sqlx::query_scalar!(r#"select sec.digest($1) as "made!""#, moment)
            .fetch_one(self.pool())
            .await
            .map_err(quietly)
    }

    /// Letters that are not in the queue yet, the oldest first.
    pub async fn letters_waiting(&self) -> Result<Vec<LetterId>, Refusal> {
        sqlx::query_as!(
            LetterId,
            r#"select tenant_id as "tenant!", id as "id!" from sec.letters_waiting($1)"#,
            MOST
        )
        .fetch_all(self.pool())
        .await
        .map_err(quietly)
    }

    /// Says that the letter is in the queue.
    pub async fn letter_queued(&self, letter: LetterId) -> Result<(), Refusal> {
        sqlx::query!(
            "select sec.letter_queued($1, $2)::text as done",
            letter.tenant,
            letter.id
        )
        .fetch_one(self.pool())
        .await
        .map(drop)
        .map_err(quietly)
    }

    /// What the letter says now. None when it was sent, when the reader has seen or done all of it meanwhile, or when they are
    /// no longer here: then there is nothing to send.
    pub async fn open_letter(&self, letter: LetterId) -> Result<Option<Digest>, Refusal> {
        let row = sqlx::query!(
            r#"select email as "email!", name as "name!", tenant_name as "place!", label as "label!", mail as "mail!",
                      news as "news!: Json<Vec<News>>", duties as "duties!: Json<Vec<Waiting>>", seq as "seq!", hash as "hash!"
               from sec.letter_open($1, $2)"#,
            letter.tenant,
            letter.id
        )
        .fetch_optional(self.pool())
        .await
        .map_err(quietly)?;
        row.map(|row| {
            Ok(Digest {
                email: row.email,
                name: row.name,
                place: row.place,
                label: row.label,
                mail: Mail::from_code(&row.mail).ok_or(Refusal::Broken)?,
                news: row.news.0,
                duties: row.duties.0,
                seq: row.seq,
                hash: row.hash.try_into().map_err(|_| Refusal::Broken)?,
            })
        })
        .transpose()
    }

    /// Says that the letter has left, so that it never does again.
    pub async fn letter_sent(&self, letter: LetterId) -> Result<(), Refusal> {
        sqlx::query!(
            "select sec.letter_sent($1, $2)::text as done",
            letter.tenant,
            letter.id
        )
        .fetch_one(self.pool())
        .await
        .map(drop)
        .map_err(quietly)
    }
}
