//! What has been put down about a pupil, in the order in which it happened; what was known on a past day; and what is to be looked at
//! again.

#[cfg(feature = "db")]
mod levels;
#[cfg(feature = "db")]
mod reading;
mod review;

use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

use super::{
    Domain, Level,
    record::{Detail, Kind, Part},
};
use crate::MembershipId;

#[cfg(feature = "db")]
pub(super) use levels::level;
#[cfg(feature = "db")]
pub use levels::points;
pub use review::Due;
#[cfg(feature = "db")]
pub use review::reviews_due;

/// Records on one page of a timeline.
pub const PAGE: usize = 50;

/// A record as the caller may read it, about one pupil.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its key.
    pub id: Uuid,
    /// What kind it is.
    pub kind: Kind,
    /// When it happened, RFC 3339 in UTC.
    pub happened_at: String,
    /// When it was first put down.
    pub recorded_at: String,
    /// Who did, by name.
    pub author: String,
    /// Whether that is the caller.
    pub own: bool,
    /// Number of the version that is shown.
    pub version: i32,
    /// Why it was made; none of the first.
    pub reason: Option<String>,
    /// When it was made.
    pub made_at: String,
    /// Whether this version withdraws the record, as a mistake.
    pub withdrawn: bool,
    /// The shared text. Whom the caller does not see is "another pupil" in it.
    pub body: String,
    /// This pupil's part.
    pub part: Part,
    /// The words about it; may be empty.
    pub words: String,
    /// By its kind.
    pub detail: Detail,
    /// This pupil's levels, of a check-in.
    pub levels: Vec<(Domain, Level)>,
    /// The other pupils whom the caller sees, with their parts.
    pub others: Vec<(Uuid, String, Part)>,
    /// Those whom the caller does not see: how many in which part.
    pub hidden: Vec<(Part, u32)>,
}

/// What a timeline is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Of these kinds; empty for all.
    pub kinds: Vec<Kind>,
    /// First put down by this person.
    pub author: Option<MembershipId>,
    /// Happened on this day of England or later.
    pub from: Option<Date>,
    /// Happened on this day of England or earlier.
    pub to: Option<Date>,
}

#[cfg(feature = "db")]
pub use queries::{as_known_on, authors, interventions, one, timeline, versions};

#[cfg(feature = "db")]
mod queries {
    use time::{Date, OffsetDateTime};
    use uuid::Uuid;

    use super::{
        Entry, Filter, PAGE,
        reading::{Which, dress, rows},
    };
    use crate::{
        MembershipId, Refusal, day,
        db::{Read, refused},
        wellbeing::record::Kind,
    };

    /// What a pupil's records say, the newest first by when it happened; those `before` a time where one is given, at most [`PAGE`].
    ///
    /// The caller's right to the pupil is that of [`crate::pupil::look`], which goes first and puts down that they looked.
    pub async fn timeline(
        read: &mut Read,
        pupil: Uuid,
        filter: &Filter,
        before: Option<(OffsetDateTime, Uuid)>,
    ) -> Result<Vec<Entry>, Refusal> {
        entries(read, pupil, filter, before, None, Some(PAGE)).await
    }

    /// What had been put down about a pupil by the end of a day in England, in the versions of that day.
    pub async fn as_known_on(
        read: &mut Read,
        pupil: Uuid,
        day: Date,
    ) -> Result<Vec<Entry>, Refusal> {
        let whole = Filter::default();
        entries(read, pupil, &whole, None, Some(day::after(day)), None).await
    }

    /// A pupil's interventions, the newest first.
    pub async fn interventions(read: &mut Read, pupil: Uuid) -> Result<Vec<Entry>, Refusal> {
        let filter = Filter {
            kinds: vec![Kind::Intervention],
            ..Filter::default()
        };
        entries(read, pupil, &filter, None, None, None).await
    }

    async fn entries(
        read: &mut Read,
        pupil: Uuid,
        filter: &Filter,
        before: Option<(OffsetDateTime, Uuid)>,
        known: Option<Date>,
        most: Option<usize>,
    ) -> Result<Vec<Entry>, Refusal> {
        let which = Which::Pupil {
            pupil,
            before,
            known,
            most,
        };
        let rows = rows(read, which, filter).await?;
        dress(read, rows, pupil).await
    }

    /// One record, as it stands now. Refuses [`Refusal::NotFound`] for what the caller does not see or is not about the pupil.
    pub async fn one(read: &mut Read, record: Uuid, pupil: Uuid) -> Result<Entry, Refusal> {
        let rows = rows(read, Which::Record(record, pupil), &Filter::default()).await?;
        let mut entries = dress(read, rows, pupil).await?;
        entries.pop().ok_or(Refusal::NotFound)
    }

    /// Every version of a record, the newest first, as [`one`].
    pub async fn versions(
        read: &mut Read,
        record: Uuid,
        pupil: Uuid,
    ) -> Result<Vec<Entry>, Refusal> {
        let rows = rows(read, Which::Versions(record, pupil), &Filter::default()).await?;
        let entries = dress(read, rows, pupil).await?;
        if entries.is_empty() {
            return Err(Refusal::NotFound);
        }
        Ok(entries)
    }

    /// Who put down what the caller may read about a pupil, by name.
    pub async fn authors(
        read: &mut Read,
        pupil: Uuid,
    ) -> Result<Vec<(MembershipId, String)>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select r.author_id, coalesce(max(m.name), 'Somebody who was removed') as "name!"
               from record_pupil p
               join record r on r.tenant_id = p.tenant_id and r.id = p.record_id
               left join membership m on m.tenant_id = r.tenant_id and m.id = r.author_id
               where p.tenant_id = $1 and p.pupil_id = $2
               group by r.author_id order by lower(max(m.name)), r.author_id"#,
            tenant,
            pupil
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        Ok(rows
            .into_iter()
            .map(|row| (row.author_id, row.name))
            .collect())
    }
}
