//! Looking beyond one's caseload, for a reason that is put down; and who has looked at whom, for those who go through it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Basis;

/// Why somebody opens the records of a pupil who is not on their caseload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// They stand in for a colleague.
    Covering,
    /// Something happened that they have to put down.
    Incident,
    /// The family turned to them.
    Family,
    /// The pupil comes into their class, or goes from it.
    Transition,
    /// A senior leader or the SENCO asked them to.
    Asked,
    /// Something else, which the words say.
    Other,
}

impl Reason {
    /// Every reason, in the order in which they are offered.
    pub const ALL: &[Self] = &[
        Self::Covering,
        Self::Incident,
        Self::Family,
        Self::Transition,
        Self::Asked,
        Self::Other,
    ];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Covering => "covering",
            Self::Incident => "incident",
            Self::Family => "family",
            Self::Transition => "transition",
            Self::Asked => "asked",
            Self::Other => "other",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Covering => "I am covering for a colleague",
            Self::Incident => "Something happened that I must put down",
            Self::Family => "The family has turned to me",
            Self::Transition => "The pupil is coming into my class or leaving it",
            Self::Asked => "A senior leader or the SENCO asked me to",
            Self::Other => "Something else",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.code() == code)
    }
}

/// What somebody types who looks for a pupil beyond their caseload.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sought<'a> {
    /// First or preferred name, whole.
    pub first_name: &'a str,
    /// Surname, whole.
    pub last_name: &'a str,
    /// Registration group, where the name alone is not enough; else empty.
    pub registration: &'a str,
    /// Code of a [`Reason`].
    pub reason: &'a str,
    /// The reason in words.
    pub words: &'a str,
}

/// A pupil whom the caller has open for a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Whom.
    pub pupil: Uuid,
    /// As one speaks of them.
    pub called: String,
    /// Why.
    pub reason: Reason,
    /// Until when, RFC 3339 in UTC.
    pub until: String,
}

/// Parts that are an overview of many pupils, each with little. Those of one moment are one line to whoever goes through them, and of
/// the rules for unusual looks only that for the hours is for them.
pub const OVERVIEWS: [&str; 2] = ["levels", "roster"];

/// Somebody looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// Who, by name.
    pub by: String,
    /// At whom, where the reader sees them; of an overview of several none.
    pub pupil: Option<(Uuid, String)>,
    /// At how many: one, but for an overview.
    pub many: usize,
    /// By what right.
    pub basis: Basis,
    /// The reason and its words, where it was one.
    pub reason: Option<(Reason, String)>,
    /// At which parts: "timeline", "trend".
    pub parts: Vec<String>,
    /// When, RFC 3339 in UTC. Within ten minutes it is put down once.
    pub at: String,
}

#[cfg(feature = "db")]
pub use queries::{looked_at, open, reviews, seek};

#[cfg(feature = "db")]
mod queries {
    use uuid::Uuid;

    use super::{Looked, OVERVIEWS, Open, Reason, Sought};
    use crate::{
        Refusal,
        day::moment,
        db::{Read, Write, refused},
        event::Act,
        pupil::{Basis, Fault},
        text,
    };

    /// What became of looking for a pupil.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Found {
        /// The one who bears the name: seen for an hour.
        One(Uuid),
        /// Nobody or several; what to do about it.
        Other(Fault),
    }

    /// Looks for a pupil by the name they are called, for a reason. The act is committed whatever was found: that somebody asked is in
    /// the log.
    ///
    /// Refuses, and nothing is looked for, without a reason from the list and words that say it.
    pub async fn seek(write: &mut Write, sought: Sought<'_>) -> Result<(Found, Vec<Act>), Refusal> {
        if !super::super::has_caseload(&write.standing.roles) {
            return Err(Refusal::NotAllowed);
        }
        let reason = Reason::from_code(sought.reason).ok_or(Fault::Reason)?;
        let words = text::line(sought.words, 500).map_err(|_| Fault::Words)?;
        if words.chars().count() < 10 {
            return Err(Fault::Words.into());
        }
        let row = sqlx::query!(
            r#"select many as "found!", only_one as "pupil_id?" from sec.seek_pupil($1, $2, $3, $4, $5)"#,
            sought.first_name,
            sought.last_name,
            sought.registration,
            reason.code(),
            words
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        let mut acts = vec![Act::pupil_sought(reason.code(), row.found)];
        let found = match row.pupil_id {
            Some(id) => {
                acts.push(Act::pupil_opened(id, reason.code(), write.standing.account));
                Found::One(id)
            }
            None if row.found == 0 => Found::Other(Fault::NobodyCalled),
            None => Found::Other(Fault::SeveralCalled(
                u32::try_from(row.found).unwrap_or(u32::MAX),
            )),
        };
        Ok((found, acts))
    }

    /// Whom the caller has open for a reason, the newest first.
    pub async fn open(read: &mut Read) -> Result<Vec<Open>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let rows = sqlx::query!(
            r#"select distinct on (a.pupil_id) a.pupil_id, a.reason, a.until,
                      coalesce(p.preferred_name, p.first_name) || ' ' || p.last_name as "called!"
               from pupil_access a join pupil p on p.tenant_id = a.tenant_id and p.id = a.pupil_id
               where a.tenant_id = $1 and a.membership_id = $2 and a.until > now()
               order by a.pupil_id, a.until desc"#,
            tenant,
            own
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut open: Vec<Open> = rows
            .into_iter()
            .map(|row| {
                Ok(Open {
                    pupil: row.pupil_id,
                    called: row.called,
                    reason: Reason::from_code(&row.reason).ok_or(Refusal::Broken)?,
                    until: moment(row.until)?,
                })
            })
            .collect::<Result<_, Refusal>>()?;
        open.sort_by(|one, other| other.until.cmp(&one.until));
        Ok(open)
    }

    /// Whether the caller goes through who looked at whom.
    pub async fn reviews(read: &mut Read) -> Result<bool, Refusal> {
        sqlx::query_scalar!(r#"select sec.reviews_access() as "may!""#)
            .fetch_one(read.connection())
            .await
            .map_err(refused)
    }

    /// Who looked at a pupil, or at anybody where none is named; the newest first, at most `most`. An overview is one line, however many
    /// pupils were in it.
    ///
    /// Refuses [`Refusal::NotFound`] to whoever does not go through it.
    pub async fn looked_at(
        read: &mut Read,
        pupil: Option<Uuid>,
        most: i64,
    ) -> Result<Vec<Looked>, Refusal> {
        if !reviews(read).await? {
            return Err(Refusal::NotFound);
        }
        let tenant = read.standing.tenant;
        let overviews = OVERVIEWS.map(str::to_owned).to_vec();
        let rows = sqlx::query!(
            r#"with line as (
                 -- In this order the index gives the newest, and the others are not read.
                 select r.at, r.membership_id, r.basis, r.access_id, r.parts, count(*) as many, min(r.pupil_id::text)::uuid as pupil_id
                 from pupil_read r
                 where r.tenant_id = $1 and ($2::uuid is null or r.pupil_id = $2)
                 group by r.at, r.membership_id, r.basis, r.access_id, r.parts, case when not r.parts <@ $4 then r.id end
                 order by r.at desc, r.membership_id desc, r.basis desc, r.access_id desc, r.parts desc,
                   case when not r.parts <@ $4 then r.id end desc
                 limit $3
               )
               select r.pupil_id as "pupil_id!", r.many as "many!", r.basis as "basis!", r.parts as "parts!", r.at as "at!",
                      coalesce(m.name, 'Somebody who was removed') as "by!",
                      a.reason as "reason?", a.words as "words?",
                      coalesce(p.preferred_name, p.first_name) || ' ' || p.last_name as "called?"
               from line r
               left join membership m on m.tenant_id = $1 and m.id = r.membership_id
               left join pupil_access a on a.tenant_id = $1 and a.id = r.access_id
               left join pupil p on p.tenant_id = $1 and p.id = r.pupil_id and r.many = 1
               order by r.at desc, r.membership_id desc, r.basis desc, r.access_id desc, r.parts desc, r.pupil_id"#,
            tenant,
            pupil,
            most,
            &overviews
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Looked {
                    by: row.by,
                    pupil: row.called.map(|called| (row.pupil_id, called)),
                    many: usize::try_from(row.many).unwrap_or_default(),
                    basis: Basis::from_code(&row.basis).ok_or(Refusal::Broken)?,
                    reason: row
                        .reason
                        .as_deref()
                        .and_then(Reason::from_code)
                        .zip(row.words),
                    parts: row.parts,
                    at: moment(row.at)?,
                })
            })
            .collect()
    }
}

#[cfg(feature = "db")]
pub use queries::Found;
