//! Whose children pupils are, as far as the school has asked those people in; and orders that keep somebody from a child, which take
//! away what they see at once and tell them nothing.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::MembershipId;

/// What somebody is to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Mother.
    Mother,
    /// Father.
    Father,
    /// Somebody who cares for the child, foster carers among them.
    Carer,
    /// Grandparent.
    Grandparent,
    /// Guardian in law.
    Guardian,
    /// Something else.
    Other,
}

impl Relation {
    /// Every one, in the order in which they are offered.
    pub const ALL: &[Self] = &[
        Self::Mother,
        Self::Father,
        Self::Carer,
        Self::Grandparent,
        Self::Guardian,
        Self::Other,
    ];

    /// As stored and as sent in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mother => "mother",
            Self::Father => "father",
            Self::Carer => "carer",
            Self::Grandparent => "grandparent",
            Self::Guardian => "guardian",
            Self::Other => "other",
        }
    }

    /// As people read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mother => "Mother",
            Self::Father => "Father",
            Self::Carer => "Carer",
            Self::Grandparent => "Grandparent",
            Self::Guardian => "Guardian",
            Self::Other => "Other",
        }
    }

    /// Of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|relation| relation.code() == code)
    }
}

/// Somebody whose child it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its key.
    pub id: Uuid,
    /// Who.
    pub person: MembershipId,
    /// What they are called.
    pub name: String,
    /// What they are to the child.
    pub relation: Relation,
    /// What keeps them from the child now, where something does.
    pub restricted: Option<Restriction>,
}

/// A contact restriction. Never shown to the person it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// Its key.
    pub id: Uuid,
    /// What it rests on.
    pub words: String,
    /// Its last day, 2026-06-18; none until it is lifted.
    pub until: Option<String>,
}

/// A child of the caller's, as parents are told of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// Their key.
    pub id: Uuid,
    /// As they are called.
    pub called: String,
    /// Surname.
    pub last_name: String,
}

/// What became of asking a parent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// They had no place here: a letter invites them.
    Invited,
    /// They were asked in before and have not come yet.
    Waiting,
    /// They had a place here as a parent.
    Linked,
    /// They had a place here as something else, and are a parent as well now.
    AlsoParent,
}

impl Asked {
    /// Every one.
    pub const ALL: &[Self] = &[Self::Invited, Self::Waiting, Self::Linked, Self::AlsoParent];

    /// As addresses say it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Waiting => "waiting",
            Self::Linked => "here-already",
            Self::AlsoParent => "also-parent",
        }
    }

    /// Of a code in an address.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|asked| asked.code() == code)
    }
}

/// Longest ground of a restriction, in characters.
pub const WORDS_MOST: u16 = 500;

#[cfg(feature = "db")]
pub use queries::{ask_in, children, lift, link, of_pupil, restrict, unlink};

#[cfg(feature = "db")]
mod queries {
    use time::Date;
    use uuid::Uuid;

    use super::{Asked, Child, Link, Relation, Restriction, WORDS_MOST};
    use crate::{
        AccountId, MembershipId, Refusal, day,
        db::{Read, Write, refused},
        event::Act,
        membership::{self, State, tidy_email, tidy_name},
        pupil::{Fault, keep},
        role::{self, Role},
        text,
    };

    /// Whose child a pupil is, by name. For those who see the school; for others none.
    pub async fn of_pupil(read: &mut Read, pupil: Uuid) -> Result<Vec<Link>, Refusal> {
        let tenant = read.standing.tenant;
        if !crate::pupil::sees_school(&read.standing.roles) {
            return Ok(vec![]);
        }
        let rows = sqlx::query!(
            r#"select g.id, g.membership_id, m.name as "name!", g.relation, r.id as "restriction?", r.words as "words?", r.until
               from guardian_link g
               join sec.guardians_called($2) m on m.membership_id = g.membership_id
               left join contact_restriction r on r.tenant_id = g.tenant_id and r.membership_id = g.membership_id
                 and r.pupil_id = g.pupil_id and r.lifted_at is null and coalesce(r.until >= sec.today(), true)
               where g.tenant_id = $1 and g.pupil_id = $2 and g.ended_at is null
               order by lower(m.name), g.id"#,
            tenant,
            pupil
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        rows.into_iter()
            .map(|row| {
                Ok(Link {
                    id: row.id,
                    person: row.membership_id,
                    name: row.name,
                    relation: Relation::from_code(&row.relation).ok_or(Refusal::Broken)?,
                    restricted: row
                        .restriction
                        .zip(row.words)
                        .map(|(id, words)| Restriction {
                            id,
                            words,
                            until: row.until.map(day::field),
                        }),
                })
            })
            .collect()
    }

    /// The caller's own children, the youngest first: none for who is no parent here.
    pub async fn children(read: &mut Read) -> Result<Vec<Child>, Refusal> {
        let rows = sqlx::query!(
            r#"select id as "id!", called as "called!", last_name as "last_name!" from sec.children_called()"#
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        Ok(rows
            .into_iter()
            .map(|row| Child {
                id: row.id,
                called: row.called,
                last_name: row.last_name,
            })
            .collect())
    }

    /// Links somebody who has the role of a parent here to a child.
    pub async fn link(
        write: &mut Write,
        pupil: Uuid,
        person: MembershipId,
        relation: Relation,
    ) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        let account = account(write, person).await?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        sqlx::query!(
            "insert into guardian_link (tenant_id, membership_id, pupil_id, relation, linked_by) values ($1, $2, $3, $4, $5)",
            tenant,
            person,
            pupil,
            relation.code(),
            own
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        // Whom something keeps from the child is not told of the link: they would look for what they do not see.
        let kept = sqlx::query_scalar!(
            r#"select exists (
                 select from contact_restriction r
                 where r.tenant_id = $1 and r.membership_id = $2 and r.pupil_id = $3
                   and r.lifted_at is null and coalesce(r.until >= sec.today(), true)) as "kept!""#,
            tenant,
            person,
            pupil
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        Ok(if kept {
            Act::guardian_linked_unheard(pupil, person, account, relation)
        } else {
            Act::guardian_linked(pupil, person, account, relation)
        })
    }

    /// Asks a parent in by their address, and links them to the child in the same act: whoever has no place here is invited as a
    /// parent, whoever has one as something else becomes a parent too, and whoever is one is only linked. Their name is kept where
    /// they have a place already.
    ///
    /// Refuses [`Refusal::NotFound`] for a pupil who is not there, and what [`link`] refuses.
    pub async fn ask_in(
        write: &mut Write,
        pupil: Uuid,
        name: &str,
        email: &str,
        relation: Relation,
    ) -> Result<(Asked, Vec<Act>), Refusal> {
        keep(&write.standing.roles)?;
        let (name, email) = (tidy_name(name)?, tidy_email(email)?);
        let tenant = write.standing.tenant;
        sqlx::query_scalar!(
            "select id from pupil where tenant_id = $1 and id = $2",
            tenant,
            pupil
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let place = sqlx::query!(
            "select m.id, m.roles, m.state from membership m join account a on a.id = m.account_id
             where m.tenant_id = $1 and a.email = $2 and m.state <> 'ended'",
            tenant,
            email
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?;
        let (asked, person, came) = match place {
            None => {
                let (id, act) = membership::add(write, &name, &email, &[Role::Parent]).await?;
                (Asked::Invited, id, Some(act))
            }
            Some(place) => {
                let roles = role::parse(place.roles.iter().map(String::as_str));
                if !roles.contains(&Role::Parent) {
                    let act = membership::give_role(write, place.id, Role::Parent).await?;
                    (Asked::AlsoParent, place.id, Some(act))
                } else if State::from_code(&place.state) == Some(State::Invited) {
                    (Asked::Waiting, place.id, None)
                } else {
                    (Asked::Linked, place.id, None)
                }
            }
        };
        let linked = link(write, pupil, person, relation).await?;
        Ok((asked, came.into_iter().chain([linked]).collect()))
    }

    /// Ends a link: they see nothing of the child any more, and their open pages close.
    pub async fn unlink(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        let tenant = write.standing.tenant;
        let row = sqlx::query!(
            "update guardian_link set ended_at = now() where tenant_id = $1 and id = $2 and ended_at is null
             returning membership_id, pupil_id",
            tenant,
            id
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::Stale)?;
        let account = account(write, row.membership_id).await?;
        Ok(Act::guardian_unlinked(
            row.pupil_id,
            row.membership_id,
            account,
        ))
    }

    /// Records what keeps somebody from a child, `until` its last day where it has one. What they see of the child is gone at once,
    /// and nothing tells them why.
    pub async fn restrict(
        write: &mut Write,
        pupil: Uuid,
        person: MembershipId,
        words: &str,
        until: Option<Date>,
    ) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        write.standing.require_step_up()?;
        let words = text::line(words, WORDS_MOST).map_err(|_| Fault::RestrictionWords)?;
        let account = account(write, person).await?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        sqlx::query!(
            "insert into contact_restriction (tenant_id, membership_id, pupil_id, words, made_by, until)
             values ($1, $2, $3, $4, $5, $6)",
            tenant,
            person,
            pupil,
            words,
            own,
            until
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        Ok(Act::restriction_made(pupil, person, account))
    }

    /// Lifts a restriction. Whoever is linked to the child sees again what is on record.
    pub async fn lift(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
        keep(&write.standing.roles)?;
        write.standing.require_step_up()?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let row = sqlx::query!(
            "update contact_restriction set lifted_at = now(), lifted_by = $3
             where tenant_id = $1 and id = $2 and lifted_at is null returning membership_id, pupil_id",
            tenant,
            id,
            own
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::Stale)?;
        let account = account(write, row.membership_id).await?;
        Ok(Act::restriction_lifted(
            row.pupil_id,
            row.membership_id,
            account,
        ))
    }

    async fn account(write: &mut Write, person: MembershipId) -> Result<AccountId, Refusal> {
        let tenant = write.standing.tenant;
        sqlx::query_scalar!(
            "select account_id from membership where tenant_id = $1 and id = $2",
            tenant,
            person
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)
    }
}
