//! Who has a paper open just now, and on which page. Kept by the process that holds their connection, and by those that it tells, for
//! as long as it lasts, and nowhere in the database or in the log; here is only who may see whom, and who does not want to be seen.

use crate::{AccountId, board::Named};

/// Somebody who has the paper open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub person: Named,
    /// The page they turned to last.
    pub page: u32,
}

/// Who reads what, as the process knows it.
pub trait Readings: Send + Sync {
    /// Who has a paper open, each person once, with the page they turned to last.
    fn of(&self, tenant: crate::TenantId, paper: uuid::Uuid) -> Vec<(AccountId, u32)>;
}

#[cfg(feature = "db")]
pub use queries::{choose, others, shown};

#[cfg(feature = "db")]
mod queries {
    use std::collections::HashMap;

    use uuid::Uuid;

    use super::Reader;
    use crate::{
        AccountId, Refusal,
        board::Named,
        db::{Read, Write, refused},
        event::Act,
    };

    /// Those of `open` whom the caller may see: others who read the paper's folder too and want to be seen, by the pages they are
    /// on. Refuses [`Refusal::NotFound`] where the caller does not read the paper.
    pub async fn others(
        read: &mut Read,
        paper: Uuid,
        open: &[(AccountId, u32)],
    ) -> Result<Vec<Reader>, Refusal> {
        let tenant = read.standing.tenant;
        let folder = sqlx::query_scalar!(
            "select folder_id from document where tenant_id = $1 and id = $2",
            tenant,
            paper
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?
        .ok_or(Refusal::NotFound)?;
        let pages: HashMap<AccountId, u32> = open.iter().copied().collect();
        let accounts: Vec<AccountId> = pages.keys().copied().collect();
        let rows = sqlx::query!(
            r#"select r.membership_id as "membership!", r.account_id as "account!", m.name as "name?"
               from sec.readers_shown($2, $3) r
               left join membership m on m.tenant_id = $1 and m.id = r.membership_id"#,
            tenant,
            folder,
            &accounts
        )
        .fetch_all(read.connection())
        .await
        .map_err(refused)?;
        let mut readers: Vec<Reader> = rows
            .into_iter()
            .filter_map(|row| {
                Some(Reader {
                    page: *pages.get(&row.account)?,
                    person: Named {
                        id: row.membership,
                        name: row.name,
                    },
                })
            })
            .collect();
        readers.sort_by(|a, b| (a.page, &a.person.name).cmp(&(b.page, &b.person.name)));
        Ok(readers)
    }

    /// Whether others see what the caller has open.
    pub async fn shown(read: &mut Read) -> Result<bool, Refusal> {
        let (tenant, own) = (read.standing.tenant, read.standing.membership);
        let shown = sqlx::query_scalar!(
            "select shown from reading_choice where tenant_id = $1 and membership_id = $2",
            tenant,
            own
        )
        .fetch_optional(read.connection())
        .await
        .map_err(refused)?;
        Ok(shown.unwrap_or(true))
    }

    /// Says whether others see what the caller has open. Refuses [`Refusal::Stale`] for what is chosen already.
    pub async fn choose(write: &mut Write, shown: bool) -> Result<Act, Refusal> {
        let (tenant, own) = (write.standing.tenant, write.standing.membership);
        let done = sqlx::query!(
            "insert into reading_choice as c (tenant_id, membership_id, shown) values ($1, $2, $3)
             on conflict on constraint reading_choice_person_key do update set shown = excluded.shown
             where c.shown <> excluded.shown",
            tenant,
            own,
            shown
        )
        .execute(write.connection())
        .await
        .map_err(refused)?;
        if done.rows_affected() == 0 {
            return Err(Refusal::Stale);
        }
        Ok(Act::reading_choice_set(own, write.standing.account, shown))
    }
}
