//! Groups in which pupils are taught: a registration group, of which each pupil has one at a time, and classes.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which kind of group it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Where the register is called; each pupil has one at a time.
    Registration,
    /// Where something is taught; a pupil has any number.
    Class,
}

impl Kind {
    /// Both.
    pub const ALL: &[Self] = &[Self::Registration, Self::Class];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Class => "class",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registration => "Registration group",
            Self::Class => "Class",
        }
    }

    /// The kind of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// A group by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its key.
    pub id: Uuid,
    /// Which kind.
    pub kind: Kind,
    /// "4W".
    pub name: String,
}

/// A group in use, in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Which.
    pub group: Named,
    /// Pupils in it today whom the caller sees.
    pub pupils: usize,
}

/// Which times in a group end.
#[cfg(feature = "db")]
#[derive(Clone, Copy)]
pub(super) enum Times {
    /// Everybody's in this group.
    Group(Uuid),
    /// A pupil's in any group.
    Pupil(Uuid),
    /// A pupil's in their registration group.
    Registration(Uuid),
    /// In this group, of this pupil.
    One(Uuid, Uuid),
}

#[cfg(feature = "db")]
pub use queries::{all, close, join, leave, open, rename};
#[cfg(feature = "db")]
pub(super) use queries::{end, of_pupil};

#[cfg(feature = "db")]
mod queries {
    use time::Date;
    use uuid::Uuid;

    use super::{Group, Kind, Named, Times};
    use crate::{
        AccountId, Refusal,
        db::{Read, Write, refused},
        event::Act,
        pupil::{
            Fault,
            caseload::{self, Of},
            field::{self, Field},
            keep,
        },
    };

    fn tidy_name(typed: &str) -> Result<String, Refusal> {
        Ok(field::tidy(Field::ClassName, typed).map_err(|_| Fault::GroupName)?)
    }

    fn kind(code: &str) -> Result<Kind, Refusal> {
        Kind::from_code(code).ok_or(Refusal::Broken)
    }

    /// Every group in use, with how many pupils of it the caller sees. By kind and name; nothing for who has nothing to do with pupils.
    pub async fn all(read: &mut Read) -> Result<Vec<Group>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select g.id, g.kind, g.name,
                      (select count(*) from group_pupil x
                       where x.tenant_id = g.tenant_id and x.group_id = g.id and x.during @> sec.today()) as "pupils!"
               from teaching_group g where g.tenant_id = $1 and g.closed_on is null
               order by g.kind desc, lower(g.name)"#,
            tenant
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Group {
                    group: Named {
                        id: row.id,
                        kind: kind(&row.kind)?,
                        name: row.name,
                    },
                    pupils: usize::try_from(row.pupils).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// The groups of a pupil today.
    pub(in crate::pupil) async fn of_pupil(
        read: &mut Read,
        pupil: Uuid,
    ) -> Result<Vec<Named>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            "select g.id, g.kind, g.name from group_pupil x
             join teaching_group g on g.tenant_id = x.tenant_id and g.id = x.group_id
             where x.tenant_id = $1 and x.pupil_id = $2 and x.during @> sec.today()
             order by g.kind desc, lower(g.name)",
            tenant,
            pupil
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Named {
                    id: row.id,
                    kind: kind(&row.kind)?,
                    name: row.name,
                })
            })
            .collect()
    }

    /// Opens a group. Refuses a name that another of its kind has.
    pub async fn open(write: &mut Write, kind: Kind, name: &str) -> Result<(Uuid, Act), Refusal> {
        keep(&write.standing.roles)?;
        let (tenant, name) = (write.standing.tenant, tidy_name(name)?);
        let id = sqlx::query_scalar!(
            "insert into teaching_group (tenant_id, kind, name) values ($1, $2, $3) returning id",
            tenant,
            kind.code(),
            name
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        Ok((id, Act::group_opened(id, kind.code())))
    }

    /// Gives a group another name.
    pub async fn rename(write: &mut Write, id: Uuid, name: &str) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        let (tenant, name) = (write.standing.tenant, tidy_name(name)?);
        let changed = sqlx::query!(
            "update teaching_group set name = $3 where tenant_id = $1 and id = $2 and closed_on is null and name <> $3",
            tenant,
            id,
            name
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        match changed.rows_affected() {
            0 => Err(Refusal::Stale),
            _ => Ok(Act::group_renamed(id)),
        }
    }

    /// Closes a group today: nobody is in it any more, and it is on nobody's caseload.
    pub async fn close(write: &mut Write, id: Uuid, today: Date) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        let tenant = write.standing.tenant;
        let closed = sqlx::query!(
            "update teaching_group set closed_on = $3 where tenant_id = $1 and id = $2 and closed_on is null",
            tenant,
            id,
            today
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if closed.rows_affected() == 0 {
            return Err(Refusal::Stale);
        }
        let (_, left) = end(write, Times::Group(id), today).await?;
        let accounts = teachers(write, id).await?;
        caseload::end_of(write, Of::Group(id)).await?;
        Ok(Act::group_closed(id, left, accounts))
    }

    /// Puts a pupil into a group from a day on. Who is in another registration group changes from it to this one.
    pub async fn join(
        write: &mut Write,
        group: Uuid,
        pupil: Uuid,
        from: Date,
    ) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        let tenant = write.standing.tenant;
        let kind = sqlx::query_scalar!(
            "select kind from teaching_group where tenant_id = $1 and id = $2 and closed_on is null",
            tenant,
            group
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        if kind == Kind::Registration.code() {
            end(write, Times::Registration(pupil), from).await?;
        }
        sqlx::query!(
            "insert into group_pupil (tenant_id, group_id, kind, pupil_id, during) values ($1, $2, $3, $4, daterange($5, null))",
            tenant,
            group,
            kind,
            pupil,
            from
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::group_joined(group, pupil))
    }

    /// Takes a pupil out of a group today. Who teaches it sees them no more, unless by something else.
    pub async fn leave(
        write: &mut Write,
        group: Uuid,
        pupil: Uuid,
        today: Date,
    ) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        if end(write, Times::One(group, pupil), today).await? == (0, 0) {
            return Err(Refusal::Stale);
        }
        let accounts = teachers(write, group).await?;
        Ok(Act::group_left(group, pupil, accounts))
    }

    /// Ends times in a group; `without` is the first day without them. Those that would not have begun never were. Returns how many never
    /// were, and how many ended.
    pub(in crate::pupil) async fn end(
        write: &mut Write,
        times: Times,
        without: Date,
    ) -> Result<(usize, usize), Refusal> {
        let tenant = write.standing.tenant;
        let (group, pupil, registration) = match times {
            Times::Group(group) => (Some(group), None, false),
            Times::Pupil(pupil) => (None, Some(pupil), false),
            Times::Registration(pupil) => (None, Some(pupil), true),
            Times::One(group, pupil) => (Some(group), Some(pupil), false),
        };
        let never = sqlx::query!(
            "delete from group_pupil
             where tenant_id = $1 and ($2::uuid is null or group_id = $2) and ($3::uuid is null or pupil_id = $3)
               and (not $4 or kind = 'registration') and lower(during) >= $5",
            tenant,
            group,
            pupil,
            registration,
            without
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let ended = sqlx::query!(
            "update group_pupil set during = daterange(lower(during), $5)
             where tenant_id = $1 and ($2::uuid is null or group_id = $2) and ($3::uuid is null or pupil_id = $3)
               and (not $4 or kind = 'registration') and coalesce(upper(during) > $5, true)",
            tenant,
            group,
            pupil,
            registration,
            without
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        let many = |rows: u64| usize::try_from(rows).unwrap_or_default();
        Ok((many(never.rows_affected()), many(ended.rows_affected())))
    }

    /// Who has a group on their caseload now.
    async fn teachers(write: &mut Write, group: Uuid) -> Result<Vec<AccountId>, Refusal> {
        let tenant = write.standing.tenant;
        sqlx::query_scalar!(
            "select distinct m.account_id from caseload c
             join membership m on m.tenant_id = c.tenant_id and m.id = c.membership_id
             where c.tenant_id = $1 and c.group_id = $2 and c.during @> now()",
            tenant,
            group
        )
        .fetch_all(write.connection())
        .await
        .map_err(refused)
    }
}
