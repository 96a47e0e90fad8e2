//! A roster beside the roll: read, then taken in or dropped, and perhaps undone. Lines wait in the database until then, for seven days
//! at most, and nobody sees them but who keeps the roll.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::pupil::field::Field;

/// Days in which what was taken in can be undone. The schema forgets how after them.
pub const UNDO_DAYS: u16 = 31;

/// Where a roster stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Compared with the roll, and nothing taken from it.
    Read,
    /// On the roll.
    Committed,
    /// Off it again.
    Undone,
    /// Nothing was taken from it, and its lines are gone.
    Dropped,
}

impl State {
    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Committed => "committed",
            Self::Undone => "undone",
            Self::Dropped => "dropped",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Read, Self::Committed, Self::Undone, Self::Dropped]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

/// What is to become of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A pupil who is not here yet is put on the roll.
    New,
    /// Something of a pupil changes.
    Changed,
    /// The roll says so already.
    Same,
    /// It may be a pupil of that name and date of birth: somebody has to say so first.
    Unsure,
    /// It cannot be taken as it is.
    Bad,
}

impl Verdict {
    /// Every verdict, in the order in which pages list them.
    pub const ALL: &[Self] = &[
        Self::Bad,
        Self::Unsure,
        Self::New,
        Self::Changed,
        Self::Same,
    ];

    /// As stored and as sent in addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Same => "same",
            Self::Unsure => "unsure",
            Self::Bad => "bad",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "New pupil",
            Self::Changed => "Changed",
            Self::Same => "No change",
            Self::Unsure => "To be confirmed",
            Self::Bad => "Cannot be taken",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|verdict| verdict.code() == code)
    }
}

/// By what a line was found to be of a pupil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchBy {
    /// The unique pupil number.
    Upn,
    /// The school's own number.
    Admission,
    /// Both names and the date of birth, which somebody confirmed or has to.
    Name,
}

impl MatchBy {
    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Upn => "upn",
            Self::Admission => "admission",
            Self::Name => "name",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upn => "UPN",
            Self::Admission => "Admission number",
            Self::Name => "Name and date of birth",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Upn, Self::Admission, Self::Name]
            .into_iter()
            .find(|by| by.code() == code)
    }
}

/// One roster in the list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Its key.
    pub id: Uuid,
    /// As it was called.
    pub file_name: String,
    /// Who read it.
    pub by: String,
    /// When, in UTC (RFC 3339).
    pub at: String,
    /// Where it stands.
    pub state: State,
    /// Pupils it put on the roll.
    pub added: u32,
    /// Pupils it changed something of.
    pub changed: u32,
    /// Lines of which nothing was taken.
    pub left_out: u32,
    /// Whether what was taken can still be undone.
    pub undoable: bool,
    /// Whether its lines carry context tags. They are sealed, and no page of the comparison shows what they say.
    pub tags: bool,
}

/// Why a roster was not read, taken in or undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "fault", content = "with")]
pub enum Fault {
    /// See [`super::column::missing`].
    #[error("No column is {}: say which column it is.", named(.0))]
    Missing(Vec<Field>),
    /// Two columns were chosen for one field.
    #[error("Two columns are “{}”: say which of them it is, and leave the other out.", .0.name())]
    Twice(Field),
    /// A line number that stands in the file twice, or none that could.
    #[error(
        "The lines of this file are not numbered one after another. Save it again and choose it once more."
    )]
    Lines,
    /// The name of a file.
    #[error("Give the file a name of at most 200 characters.")]
    FileName,
    /// What the file says of its school.
    #[error("The school’s numbers in this file are not three and four digits. Export it again.")]
    Source,
    /// See [`UNDO_DAYS`].
    #[error(
        "This was taken in more than {UNDO_DAYS} days ago, so it cannot be undone as a whole. Correct the pupils it is about."
    )]
    TooLate,
}

impl Fault {
    /// The field of a form that it is about.
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Missing(_) | Self::Twice(_) | Self::Lines | Self::FileName | Self::Source => {
                Some("file")
            }
            Self::TooLate => None,
        }
    }
}

/// "the surname and the date of birth".
fn named(fields: &[Field]) -> String {
    let names: Vec<String> = fields
        .iter()
        .map(|field| format!("the {}", field.name().to_lowercase()))
        .collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(feature = "db")]
pub use queries::{drop_it, list, one};

#[cfg(feature = "db")]
pub(super) use crate::pupil::keep;
#[cfg(feature = "db")]
pub(super) use queries::lock;

#[cfg(feature = "db")]
mod queries {
    use uuid::Uuid;

    use super::{Import, State};
    use crate::{
        Refusal,
        day::moment,
        db::{MailDb, Read, Write, count, refused, refused_quietly},
        event::Act,
        pupil::keep,
    };

    /// The rosters of the last while, newest first, at most a hundred. Refuses who does not keep the roll.
    pub async fn list(read: &mut Read) -> Result<Vec<Import>, Refusal> {
        keep(&read.standing.roles)?;
        find(read, None).await
    }

    /// One of them. Refuses [`Refusal::NotFound`] for one that is not there.
    pub async fn one(read: &mut Read, id: Uuid) -> Result<Import, Refusal> {
        keep(&read.standing.roles)?;
        find(read, Some(id)).await?.pop().ok_or(Refusal::NotFound)
    }

    async fn find(read: &mut Read, id: Option<Uuid>) -> Result<Vec<Import>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select i.id, i.file_name, m.name as by, i.made_at, i.state, i.added, i.changed, i.left_out,
                      coalesce(i.state = 'committed' and i.committed_at > now() - interval '31 days', false) as "undoable!",
                      exists (select from jsonb_array_elements(i.columns) c where (c ->> 'tag')::boolean) as "tags!"
               from roster_import i join membership m on m.tenant_id = i.tenant_id and m.id = i.made_by
               where i.tenant_id = $1 and ($2::uuid is null or i.id = $2)
               order by i.made_at desc, i.id desc limit 100"#,
            tenant,
            id
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Import {
                    id: row.id,
                    file_name: row.file_name,
                    by: row.by,
                    at: moment(row.made_at)?,
                    state: State::from_code(&row.state).ok_or(Refusal::Broken)?,
                    added: count(row.added)?,
                    changed: count(row.changed)?,
                    left_out: count(row.left_out)?,
                    undoable: row.undoable,
                    tags: row.tags,
                })
            })
            .collect()
    }

    /// Holds every roster of the school that is still to be taken in, so that no two are at once. Refuses where this one is not
    /// among them.
    pub(in crate::roster) async fn lock(write: &mut Write, id: Uuid) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        let open = sqlx::query_scalar!(
            "select id from roster_import where tenant_id = $1 and state = 'read' order by id for update",
            tenant
        )
        .fetch_all(write.connection())
        .await
        .map_err(refused)?;
        if open.contains(&id) {
            return Ok(());
        }
        let known = sqlx::query_scalar!(
            "select id from roster_import where tenant_id = $1 and id = $2",
            tenant,
            id
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?;
        Err(known.map_or(Refusal::NotFound, |_| Refusal::Stale))
    }

    /// Drops a roster, and its lines with it, of which nothing was taken.
    pub async fn drop_it(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        lock(write, id).await?;
        let tenant = write.standing.tenant;
        sqlx::query!(
            "delete from roster_row where tenant_id = $1 and import_id = $2",
            tenant,
            id
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        sqlx::query!(
            "update roster_import set state = 'dropped' where tenant_id = $1 and id = $2",
            tenant,
            id
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::roster_dropped(id))
    }

    impl MailDb {
        /// Drops rosters that waited for seven days, and forgets what can no longer be undone. Returns how many were dropped.
        pub async fn rosters_end(&self) -> Result<i32, Refusal> {
            sqlx::query_scalar!(r#"select sec.rosters_end() as "ended!""#)
                .fetch_one(self.pool())
                .await
                .map_err(refused_quietly)
        }
    }
}

/// What it means to a person that a constraint of these tables was violated; none for those of other tables.
#[cfg(feature = "db")]
pub(crate) fn refusal_of(constraint: &str) -> Option<crate::Refusal> {
    use crate::Refusal;
    Some(match constraint {
        "roster_import_file_name_shape" => Fault::FileName.into(),
        "roster_import_la_shape" | "roster_import_establishment_shape" => Fault::Source.into(),
        "roster_row_line_key" => Fault::Lines.into(),
        // Somebody else was a moment earlier.
        "roster_column_key_key" => Refusal::Stale,
        // What was pointed at is not there.
        "roster_import_made_by_fkey"
        | "roster_row_import_fkey"
        | "roster_change_import_fkey"
        | "roster_change_pupil_fkey"
        | "roster_change_group_fkey" => Refusal::NotFound,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_in_one_sentence() {
        assert_eq!(
            Fault::Missing(vec![Field::LastName, Field::Born]).to_string(),
            "No column is the surname and the date of birth: say which column it is."
        );
    }
}
