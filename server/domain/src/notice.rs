//! What a person should hear of: notices, written by the database where the log is written, and how one wants to be written to.
//!
//! Who hears of which act stands in one table, `sec.notice_rule`. Nobody hears of what they did themselves.

#[cfg(feature = "db")]
pub mod letter;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{MembershipId, Seq, board::Named};

/// Most notices that a page shows; the newest.
pub const SHOWN_MOST: usize = 10;

/// How often somebody wants letters about what is new. What waits for them is told at least weekly all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mail {
    /// A letter for each, when it happens.
    AtOnce,
    /// One letter in the morning, where there is something new.
    #[default]
    Daily,
    /// One letter on Monday morning.
    Weekly,
    /// No letters about news.
    Never,
}

impl Mail {
    /// Every choice, the most letters first.
    pub const ALL: &[Self] = &[Self::AtOnce, Self::Daily, Self::Weekly, Self::Never];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Never => "never",
        }
    }

    /// The choice of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mail| mail.code() == code)
    }
}

/// As what somebody hears of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hears {
    /// It was done to them.
    Person,
    /// They chair the committee.
    Chair,
    /// They keep people and board.
    Keeper,
    /// They sit on the board.
    Board,
    /// They read the folder.
    Reader,
    /// They own the document.
    Owner,
    /// They were asked for an approval.
    Asked,
    /// They asked for one.
    Asker,
}

impl Hears {
    /// The one of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "person" => Some(Self::Person),
            "chair" => Some(Self::Chair),
            "keeper" => Some(Self::Keeper),
            "board" => Some(Self::Board),
            "reader" => Some(Self::Reader),
            "owner" => Some(Self::Owner),
            "asked" => Some(Self::Asked),
            "asker" => Some(Self::Asker),
            _ => None,
        }
    }
}

/// One notice to the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The line of the log that it tells of.
    pub seq: Seq,
    /// When that was, RFC 3339 in UTC.
    pub at: String,
    /// The act, as in the log.
    pub act: String,
    /// As what the reader hears of it.
    pub hears: Hears,
    /// Who did it; none for Quorate itself.
    pub by: Option<Named>,
    /// The person it was done to, where it was done to one; their place may be the reader's own.
    pub about: Option<Named>,
    /// The committee it is about, by id and name.
    pub committee: Option<(Uuid, String)>,
    /// The folder it is about, by id and name.
    pub folder: Option<(Uuid, String)>,
    /// The document it is about, by id and title.
    pub document: Option<(Uuid, String)>,
}

/// The reader's notices that they have not marked as seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// The newest first, [`SHOWN_MOST`] at most.
    pub notices: Vec<Notice>,
    /// How many there are in all.
    pub total: i64,
    /// When the reader was last here before the session they are in; none for somebody who never was.
    pub last_visit: Option<time::OffsetDateTime>,
}

/// Somebody whose last letter came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounce {
    /// Who.
    pub person: MembershipId,
    /// When it came back, RFC 3339 in UTC.
    pub at: String,
    /// The other way to reach them: their telephone number, where there is one.
    pub phone: Option<String>,
}

#[cfg(feature = "db")]
pub use queries::{bounces, choose, mail, mark_seen, unseen};

#[cfg(feature = "db")]
mod queries {
    use time::OffsetDateTime;

    use super::{Bounce, Hears, Mail, Notice, SHOWN_MOST, Unseen};
    use crate::{
        Refusal, Seq,
        board::Named,
        day,
        db::{Read, Write, refused},
        event::Act,
    };

    /// The caller's notices that they have not marked as seen, and since when they are new.
    pub async fn unseen(read: &mut Read) -> Result<Unseen, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let rows = sqlx::query!(
            r#"select v.at as "last_visit: OffsetDateTime", n.seq as "seq?", n.at as "at?: OffsetDateTime", n.kind as "kind?",
                      n.hears as "hears?", n.by_id as "by_id?", doer.name as "by?", about.id as "about_id?", about.name as "about?",
                      c.id as "committee_id?", c.name as "committee?", f.id as "folder_id?", f.name as "folder?",
                      d.id as "document_id?", d.title as "document?", n.total as "total?"
               from (select sec.last_visit() as at) v
               left join lateral (
                 select n.*, count(*) over () as total from notice n
                 where n.tenant_id = $1 and n.membership_id = $2 and n.seen_at is null order by n.seq desc limit $3) n on true
               left join membership doer on doer.tenant_id = $1 and doer.id = n.by_id
               left join membership about on about.tenant_id = $1 and about.id = n.about_id
               left join committee c on c.tenant_id = $1 and c.id = n.committee_id
               left join folder f on f.tenant_id = $1 and f.id = n.folder_id
               left join document d on d.tenant_id = $1 and d.id = n.document_id
               order by n.seq desc"#,
            tenant,
            own,
            i64::try_from(SHOWN_MOST).unwrap_or(10)
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut unseen = Unseen::default();
        for row in rows {
            unseen.last_visit = row.last_visit;
            // There is one row without a notice where there is none.
            let (Some(seq), Some(at), Some(act)) = (row.seq, row.at, row.kind) else {
                continue;
            };
            unseen.total = row.total.unwrap_or_default();
            unseen.notices.push(Notice {
                seq,
                at: day::moment(at)?,
                act,
                hears: row
                    .hears
                    .as_deref()
                    .and_then(Hears::from_code)
                    .ok_or(Refusal::Broken)?,
                by: row.by_id.map(|id| Named { id, name: row.by }),
                about: row.about_id.map(|id| Named {
                    id,
                    name: row.about,
                }),
                committee: row.committee_id.zip(row.committee),
                folder: row.folder_id.zip(row.folder),
                document: row.document_id.zip(row.document),
            });
        }
        Ok(unseen)
    }

    /// Marks the caller's notices as seen, from the oldest to the newest that the page showed: what came since stays new, and so
    /// does what it had no room for.
    ///
    /// Refuses [`Refusal::Stale`] where all of them are seen already.
    pub async fn mark_seen(write: &mut Write, from: Seq, through: Seq) -> Result<Act, Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let done = sqlx::query!(
            "update notice set seen_at = now()
             where tenant_id = $1 and membership_id = $2 and seen_at is null and seq between $3 and $4",
            tenant,
            own,
            from,
            through
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if done.rows_affected() == 0 {
            return Err(Refusal::Stale);
        }
        Ok(Act::notices_seen(
            own,
            write.standing.account,
            done.rows_affected(),
        ))
    }

    /// How often the caller wants letters.
    pub async fn mail(read: &mut Read) -> Result<Mail, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let code = sqlx::query_scalar!(
            "select mail from notice_choice where tenant_id = $1 and membership_id = $2",
            tenant,
            own
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?;
        code.map_or(Ok(Mail::default()), |code| {
            Mail::from_code(&code).ok_or(Refusal::Broken)
        })
    }

    /// Says how often the caller wants letters. Refuses [`Refusal::Stale`] for what is chosen already.
    pub async fn choose(write: &mut Write, mail: Mail) -> Result<Act, Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let done = sqlx::query!(
            "insert into notice_choice as c (tenant_id, membership_id, mail) values ($1, $2, $3)
             on conflict on constraint notice_choice_person_key do update set mail = excluded.mail
             where c.mail <> excluded.mail",
            tenant,
            own,
            mail.code()
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if done.rows_affected() == 0 {
            return Err(Refusal::Stale);
        }
        Ok(Act::notice_choice_set(
            own,
            write.standing.account,
            mail.code(),
        ))
    }

    /// Whose last letter came back, for those who keep people; nobody's for everybody else.
    pub async fn bounces(read: &mut Read) -> Result<Vec<Bounce>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select b.membership_id, b.at as "at: OffsetDateTime", c.phone as "phone?" from bounce b
               left join contact c on c.tenant_id = b.tenant_id and c.membership_id = b.membership_id
               where b.tenant_id = $1"#,
            tenant
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Bounce {
                    person: row.membership_id,
                    at: day::moment(row.at)?,
                    phone: row.phone,
                })
            })
            .collect()
    }
}
