//! Who reads a folder. Of an open one a clerk or an administrator says so; of a restricted one two of its readers: one asks, and
//! another agrees.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{MembershipId, board::Named, role::Role};

/// A reader to be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody who has the role.
    Role(Role),
    /// Everybody who sits on the committee, as long as they do.
    Committee(Uuid),
    /// One person.
    Person(MembershipId),
}

/// A reader as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reader {
    /// Everybody who has the role.
    Role(Role),
    /// Everybody who sits on the committee, by its name.
    Committee(Uuid, String),
    /// One person.
    Person(Named),
}

/// One line of who reads a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its key.
    pub id: Uuid,
    /// Who.
    pub reader: Reader,
    /// Whether they also file documents there.
    pub files: bool,
}

/// What one reader of a restricted folder has asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its key.
    pub id: Uuid,
    /// Whether somebody is to be added; else they are to be taken out.
    pub adds: bool,
    /// Whom.
    pub person: Named,
    /// Whether they are to file documents there too.
    pub files: bool,
    /// Who asked.
    pub by: Named,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Whether the caller asked: somebody else must agree.
    pub own: bool,
}

#[cfg(feature = "db")]
pub(super) use queries::name_first;
#[cfg(feature = "db")]
pub use queries::{add, agree, ask, changes, drop_change, list, people, remove};

#[cfg(feature = "db")]
mod queries {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::{Change, Line, Reader, Who};
    use crate::{
        MembershipId, Refusal,
        board::{Named, keeping::keep},
        day,
        db::{Read, Write, refused},
        event::{Act, Whom},
        role::Role,
    };

    /// Who reads the folder; nobody where the caller does not. Roles first, then committees and people by name.
    pub async fn list(read: &mut Read, folder: Uuid) -> Result<Vec<Line>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select r.id, r.role, r.committee_id, c.name as "committee?", r.membership_id, m.name as "person?", r.files
               from folder_reader r
               left join committee c on c.tenant_id = r.tenant_id and c.id = r.committee_id
               left join membership m on m.tenant_id = r.tenant_id and m.id = r.membership_id
               where r.tenant_id = $1 and r.folder_id = $2
               order by r.role nulls last, lower(c.name) nulls last, lower(m.name), r.id"#,
            tenant,
            folder
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                let reader = match (row.role, row.committee_id, row.membership_id) {
                    (Some(role), ..) => {
                        Reader::Role(Role::from_code(&role).ok_or(Refusal::Broken)?)
                    }
                    (_, Some(id), _) => Reader::Committee(id, row.committee.unwrap_or_default()),
                    (_, _, Some(id)) => Reader::Person(Named {
                        id,
                        name: row.person,
                    }),
                    _ => return Err(Refusal::Broken),
                };
                Ok(Line {
                    id: row.id,
                    reader,
                    files: row.files,
                })
            })
            .collect()
    }

    /// Everybody who reads the folder today by one of its lines, by name; nobody where the caller does not read it.
    pub async fn people(read: &mut Read, folder: Uuid) -> Result<Vec<Named>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select p.membership_id as "id!", m.name as "name?" from sec.folder_readers($2) p
               left join membership m on m.tenant_id = $1 and m.id = p.membership_id
               order by lower(m.name), p.membership_id"#,
            tenant,
            folder
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        Ok(rows
            .into_iter()
            .map(|row| Named {
                id: row.id,
                name: row.name,
            })
            .collect())
    }

    /// What readers have asked for and nobody has agreed to yet, oldest first.
    pub async fn changes(read: &mut Read, folder: Uuid) -> Result<Vec<Change>, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let rows = sqlx::query!(
            r#"select c.id, c.adds, c.membership_id, m.name as "person?", c.files, c.asked_by, b.name as "by?",
                      c.asked_at as "at: OffsetDateTime"
               from folder_change c
               left join membership m on m.tenant_id = c.tenant_id and m.id = c.membership_id
               left join membership b on b.tenant_id = c.tenant_id and b.id = c.asked_by
               where c.tenant_id = $1 and c.folder_id = $2 order by c.asked_at, c.id"#,
            tenant,
            folder
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Change {
                    id: row.id,
                    adds: row.adds,
                    person: Named {
                        id: row.membership_id,
                        name: row.person,
                    },
                    files: row.files,
                    own: row.asked_by == own,
                    by: Named {
                        id: row.asked_by,
                        name: row.by,
                    },
                    at: day::moment(row.at)?,
                })
            })
            .collect()
    }

    /// Names one of the first readers of a folder that this transaction makes.
    pub(in crate::folder) async fn name_first(
        write: &mut Write,
        folder: Uuid,
        who: Who,
        files: bool,
    ) -> Result<(), Refusal> {
        let tenant = write.standing.tenant;
        let (role, committee, person) = match who {
            Who::Role(role) => (Some(role.code()), None, None),
            Who::Committee(id) => (None, Some(id), None),
            Who::Person(id) => (None, None, Some(id)),
        };
        sqlx::query!(
            "insert into folder_reader (tenant_id, folder_id, role, committee_id, membership_id, files) values ($1, $2, $3, $4, $5, $6)",
            tenant,
            folder,
            role,
            committee,
            person,
            files
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// Names another reader of an open folder. Refuses everybody but clerks and administrators, and for a restricted folder
    /// everybody.
    pub async fn add(
        write: &mut Write,
        folder: Uuid,
        who: Who,
        files: bool,
    ) -> Result<Act, Refusal> {
        keep(write)?;
        is_open(write, folder).await?;
        name_first(write, folder, who, files).await?;
        let (person, account) = match who {
            Who::Person(id) => (Some(id), account_of(write, id).await?),
            _ => (None, None),
        };
        Ok(Act::folder_reader_added(folder, person, account))
    }

    /// Takes a line of readers out of an open folder. The pages of those who read it by no other close at once.
    pub async fn remove(write: &mut Write, folder: Uuid, line: Uuid) -> Result<Act, Refusal> {
        keep(write)?;
        is_open(write, folder).await?;
        let opened = accounts_of(write, folder, line).await?;
        let tenant = write.standing.tenant;
        let gone = sqlx::query!(
            "delete from folder_reader where tenant_id = $1 and folder_id = $2 and id = $3 returning membership_id",
            tenant,
            folder,
            line
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::Stale)?;
        let accounts = shut_out(write, folder, &opened).await?;
        Ok(Act::folder_reader_removed(
            folder,
            gone.membership_id,
            accounts,
        ))
    }

    /// Asks the other readers of a restricted folder to add somebody or take somebody out.
    ///
    /// Refuses who does not read the folder, and a second wish about the same person.
    pub async fn ask(
        write: &mut Write,
        folder: Uuid,
        adds: bool,
        person: MembershipId,
        files: bool,
    ) -> Result<Act, Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let reads = sqlx::query_scalar!(
            r#"select exists (select from folder_reader r
                 where r.tenant_id = $1 and r.folder_id = $2 and r.membership_id = $3) as "reads!""#,
            tenant,
            folder,
            person
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        restricted(write, folder).await?;
        if reads == adds {
            return Err(Refusal::Stale);
        }
        account_of(write, person).await?;
        sqlx::query!(
            "insert into folder_change (tenant_id, folder_id, adds, membership_id, files, asked_by) values ($1, $2, $3, $4, $5, $6)",
            tenant,
            folder,
            adds,
            person,
            files && adds,
            own
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::folder_change_asked(folder, person, adds))
    }

    /// Agrees to what another reader has asked for, which makes it so. Every reader is told.
    ///
    /// Refuses [`Refusal::SecondReader`] to whoever asked.
    pub async fn agree(write: &mut Write, folder: Uuid, change: Uuid) -> Result<Act, Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let asked = sqlx::query!(
            "select adds, membership_id, files, asked_by from folder_change where tenant_id = $1 and folder_id = $2 and id = $3",
            tenant,
            folder,
            change
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::Stale)?;
        if asked.asked_by == own {
            return Err(Refusal::SecondReader);
        }
        let person = asked.membership_id;
        let account = account_of(write, person).await?;
        if asked.adds {
            name_first(write, folder, Who::Person(person), asked.files).await?;
        } else {
            let gone = sqlx::query!(
                "delete from folder_reader where tenant_id = $1 and folder_id = $2 and membership_id = $3",
                tenant,
                folder,
                person
            )
            .execute(write.connection())
            .await
            .map_err(refused)?;
            if gone.rows_affected() == 0 {
                return Err(Refusal::Stale);
            }
        }
        // Last: it is what allows the rest. An agreeing reader who is taken out by it could not delete it any more.
        let done = sqlx::query!(
            "delete from folder_change where tenant_id = $1 and folder_id = $2 and id = $3",
            tenant,
            folder,
            change
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if done.rows_affected() == 0 && person != own {
            return Err(Refusal::Stale);
        }
        Ok(if asked.adds {
            Act::folder_reader_added(folder, Some(person), account)
        } else {
            Act::folder_reader_removed(folder, Some(person), account.into_iter().collect())
        })
    }

    /// Takes back what was asked for, or declines it.
    pub async fn drop_change(
        write: &mut Write,
        folder: Uuid,
        change: Uuid,
    ) -> Result<Act, Refusal> {
        let tenant = write.standing.tenant;
        let gone = sqlx::query!(
            "delete from folder_change where tenant_id = $1 and folder_id = $2 and id = $3 returning membership_id, adds",
            tenant,
            folder,
            change
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::Stale)?;
        Ok(Act::folder_change_dropped(
            folder,
            gone.membership_id,
            gone.adds,
        ))
    }

    async fn is_open(write: &mut Write, folder: Uuid) -> Result<(), Refusal> {
        if is_restricted(write, folder).await? {
            Err(Refusal::FolderTwoReaders)
        } else {
            Ok(())
        }
    }

    /// That it is restricted and read by the caller.
    async fn restricted(write: &mut Write, folder: Uuid) -> Result<(), Refusal> {
        let reads = sqlx::query_scalar!(
            r#"select $1 = any (sec.folders_read()) as "reads!""#,
            folder
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        if !reads {
            return Err(Refusal::NotFound);
        }
        if !is_restricted(write, folder).await? {
            return Err(Refusal::FolderOpen);
        }
        Ok(())
    }

    async fn is_restricted(write: &mut Write, folder: Uuid) -> Result<bool, Refusal> {
        let tenant = write.standing.tenant;
        sqlx::query_scalar!(
            "select restricted from folder where tenant_id = $1 and id = $2",
            tenant,
            folder
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)
    }

    /// Whose pages a line of readers opens.
    async fn accounts_of(
        write: &mut Write,
        folder: Uuid,
        line: Uuid,
    ) -> Result<Vec<crate::AccountId>, Refusal> {
        let tenant = write.standing.tenant;
        sqlx::query_scalar!(
            r#"select m.account_id from folder_reader r
               join membership m on m.tenant_id = r.tenant_id and m.state = 'active' and (
                 m.id = r.membership_id or r.role = any (m.roles) or exists (
                   select from committee_place p where p.tenant_id = r.tenant_id and p.committee_id = r.committee_id
                     and p.membership_id = m.id and p.during @> sec.today()))
               where r.tenant_id = $1 and r.folder_id = $2 and r.id = $3"#,
            tenant,
            folder,
            line
        )
        .fetch_all(write.connection())
        .await
        .map_err(refused)
    }

    /// Which of these accounts read the folder no more, by whatever line, and do not keep it either.
    async fn shut_out(
        write: &mut Write,
        folder: Uuid,
        accounts: &[crate::AccountId],
    ) -> Result<Vec<crate::AccountId>, Refusal> {
        let tenant = write.standing.tenant;
        sqlx::query_scalar!(
            "select account_id from membership where tenant_id = $1 and account_id = any ($2)
                 and id not in (select membership_id from sec.folder_audience($3))",
            tenant,
            accounts,
            folder
        )
        .fetch_all(write.connection())
        .await
        .map_err(refused)
    }

    /// The account of somebody whom the caller sees. Refuses [`Refusal::NotFound`] otherwise.
    async fn account_of(
        write: &mut Write,
        person: MembershipId,
    ) -> Result<Option<crate::AccountId>, Refusal> {
        let (whom, _): (Whom, _) = crate::board::keeping::look(write, person).await?;
        Ok(Some(whom.account))
    }
}
