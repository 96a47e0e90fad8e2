//! Asking for the approval of a version, and taking the question back.

use time::Date;

use super::Rule;
use crate::{MembershipId, Refusal, role::Role, text};

/// Of whom approval is asked. Roles and committees stand for the people who are in them at that moment and read the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// Of people by name.
    People(Vec<MembershipId>),
    /// Of everybody who has the role.
    Role(Role),
    /// Of everybody who sits on the committee.
    Committee(uuid::Uuid),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Of whom.
    pub of: Of,
    /// How many must agree.
    pub rule: Rule,
    /// Why; may be empty.
    pub reason: String,
    /// Whether it may be answered from the list, by those who have opened it.
    pub routine: bool,
    /// The last day on which there is time.
    pub due: Date,
    /// Who may answer in the place of somebody who has not, and from when.
    pub stand_in: Option<(MembershipId, Date)>,
}

/// A reason as it is kept. Refuses [`Refusal::TextFormat`].
pub fn tidy(reason: &str) -> Result<String, Refusal> {
    text::block(reason, super::REASON_MOST)
}

#[cfg(feature = "db")]
pub use queries::{Asked, ask, audience, withdraw};

#[cfg(feature = "db")]
mod queries {
    use uuid::Uuid;

    use super::{Of, Question, tidy};
    use crate::{
        Refusal,
        approval::Rule,
        board::Named,
        db::{Read, Write, refused},
        event::Act,
        folder::filed,
    };

    /// What became of a question.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Asked {
        /// The approval.
        pub id: Uuid,
        /// So many are asked.
        pub people: usize,
        /// So many of the role or the committee do not read the document, and are not asked.
        pub left_out: usize,
    }

    /// Everybody who reads a folder in which the caller files, by name; nobody otherwise.
    pub async fn audience(read: &mut Read, folder: Uuid) -> Result<Vec<Named>, Refusal> {
        let tenant = read.standing.tenant;
        let rows = sqlx::query!(
            r#"select a.membership_id as "id!", m.name as "name?" from sec.folder_audience($2) a
               left join membership m on m.tenant_id = $1 and m.id = a.membership_id
               order by lower(m.name), a.membership_id"#,
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

    /// Asks for the approval of the newest version of a document, which has to be `version`: what came in between was not seen by
    /// who asks.
    ///
    /// Refuses who does not file there, a version that is not the newest, a second question about the same version while the first is open,
    /// nobody to ask, more to agree than are asked, a day that is over, and a stand-in who is asked or does not read it.
    pub async fn ask(
        write: &mut Write,
        document: Uuid,
        version: u32,
        question: &Question,
    ) -> Result<(Asked, Act), Refusal> {
        let reason = tidy(&question.reason)?;
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let paper = sqlx::query!(
            "select d.folder_id, v.id, v.sha256 from document d
             join version v on v.tenant_id = d.tenant_id and v.document_id = d.id and v.number = $3
             where d.tenant_id = $1 and d.id = $2",
            tenant,
            document,
            i32::try_from(version).map_err(|_| Refusal::NotFound)?
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        filed(write, paper.folder_id).await?;
        let (role, committee) = match &question.of {
            Of::People(_) => (None, None),
            Of::Role(role) => (Some(role.code()), None),
            Of::Committee(id) => (None, Some(*id)),
        };
        let least = match question.rule {
            Rule::AtLeast(least) => Some(i32::try_from(least).map_err(|_| Refusal::ApprovalLeast)?),
            Rule::Everyone | Rule::Majority => None,
        };
        let (stand_in, stand_in_on) = question.stand_in.unzip();
        let id = sqlx::query_scalar!(
            "insert into approval (tenant_id, document_id, version_id, sha256, rule, least, reason, routine, role, committee_id,
               asked_by, due, stand_in, stand_in_on)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) returning id",
            tenant,
            document,
            paper.id,
            paper.sha256,
            question.rule.code(),
            least,
            reason,
            question.routine,
            role,
            committee,
            own,
            question.due,
            stand_in,
            stand_in_on
        )
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
        let wanted = match &question.of {
            Of::People(people) => {
                let mut people = people.clone();
                people.sort_unstable();
                people.dedup();
                people
            }
            Of::Role(role) => sqlx::query_scalar!(
                "select id from membership where tenant_id = $1 and state = 'active' and $2 = any (roles)",
                tenant,
                role.code()
            )
            .fetch_all(write.connection())
            .await
            .map_err(refused)?,
            Of::Committee(committee) => sqlx::query_scalar!(
                "select distinct p.membership_id from committee_place p
                 join membership m on m.tenant_id = p.tenant_id and m.id = p.membership_id and m.state = 'active'
                 where p.tenant_id = $1 and p.committee_id = $2 and p.during @> sec.today()",
                tenant,
                committee
            )
            .fetch_all(write.connection())
            .await
            .map_err(refused)?,
        };
        // Single people were chosen one by one: one who cannot read it is refused and not left out.
        let people = if matches!(question.of, Of::People(_)) {
            wanted.clone()
        } else {
            sqlx::query_scalar!(
                r#"select membership_id as "id!" from sec.folder_audience($1) where membership_id = any ($2)"#,
                paper.folder_id,
                &wanted
            )
            .fetch_all(write.connection())
            .await
            .map_err(refused)?
        };
        if people.is_empty() {
            return Err(Refusal::ApprovalNobody);
        }
        sqlx::query!(
            "insert into approval_place (tenant_id, approval_id, membership_id) select $1, $2, unnest($3::uuid[])",
            tenant,
            id,
            &people
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        // Now and not at the end, where it could not be told which rule it was.
        sqlx::query!("set constraints approval_asks_some immediate")
            .execute(write.connection())
            .await
            .map_err(refused)?;
        let asked = Asked {
            id,
            people: people.len(),
            left_out: wanted.len() - people.len(),
        };
        let act = Act::approval_asked(
            document,
            paper.folder_id,
            id,
            version,
            &paper.sha256,
            question.rule,
            people.len(),
        );
        Ok((asked, act))
    }

    /// Takes a question back that is open, once. What was answered stays on record with it.
    pub async fn withdraw(write: &mut Write, id: Uuid) -> Result<Act, Refusal> {
        let tenant = write.standing.tenant;
        let row = sqlx::query!(
            "select a.document_id, d.folder_id from approval a
             join document d on d.tenant_id = a.tenant_id and d.id = a.document_id
             where a.tenant_id = $1 and a.id = $2",
            tenant,
            id
        )
        .fetch_optional(write.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        filed(write, row.folder_id).await?;
        let withdrawn = sqlx::query!(
            "update approval set state = 'withdrawn' where tenant_id = $1 and id = $2 and state <> 'withdrawn'",
            tenant,
            id
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if withdrawn.rows_affected() == 0 {
            return Err(Refusal::ApprovalClosed);
        }
        Ok(Act::approval_withdrawn(row.document_id, row.folder_id, id))
    }
}
