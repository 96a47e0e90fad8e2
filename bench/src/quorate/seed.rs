//! People and sessions by the thousand, straight into the database: the one step of the harness that people do not do. Hashing
//! a password takes 17 ms and a code is good once, so nine thousand sign-ins would take longer than what is measured. What is
//! written is what signing in writes: a row of `sec.session` with the hash of a token, of which the cookie carries the token.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sqlx::PgPool;
use uuid::Uuid;

use super::Quorate;
use crate::{
    fault::{Result, said},
    workload::Bench,
};

/// A school and its number in the harness.
#[derive(Clone, Debug)]
pub struct School {
    /// The first part of its host.
    pub label: String,
    /// Its key.
    pub id: Uuid,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their place in the school.
    pub membership: Uuid,
    /// Their name there.
    pub name: String,
    /// `name=value`.
    pub cookie: String,
    /// The token in the cookie.
    pub token: [u8; 16],
}

impl Quorate {
    /// A school of the demo.
    pub fn school(&self, bench: &Bench, label: &str) -> Result<School> {
        let id = bench.hands.block_on(
            sqlx::query_scalar("select id from tenant where label = $1")
                .bind(label)
                .fetch_one(&self.behind),
        )?;
        Ok(School {
            label: label.to_owned(),
            id,
        })
    }

    /// Schools that the demo does not have, without people.
    pub fn open_schools(&self, bench: &Bench, many: usize) -> Result<Vec<School>> {
        let many = i32::try_from(many).map_err(|_| said("Too many schools."))?;
        let rows: Vec<(String, Uuid)> = bench.hands.block_on(
            sqlx::query_as(
                "select 'bench-' || n, sec.make_tenant('bench-' || n, 'Bench School ' || n, 'school')
                 from generate_series(1, $1) n",
            )
            .bind(many)
            .fetch_all(&self.behind),
        )?;
        Ok(rows
            .into_iter()
            .map(|(label, id)| School { label, id })
            .collect())
    }

    /// So many people more in a school, each signed in there.
    pub fn people(
        &self,
        bench: &Bench,
        school: &School,
        role: &str,
        many: usize,
    ) -> Result<Vec<Person>> {
        let many = i32::try_from(many).map_err(|_| said("Too many people."))?;
        bench.hands.block_on(async {
            let rows: Vec<(Uuid, String)> = sqlx::query_as(
                "select sec.make_person($1, 'bench-' || $2 || n || '@' || $3 || '.example', initcap($2) || ' ' || n, array[$2]),
                   initcap($2) || ' ' || n
                 from generate_series(1, $4) n",
            )
            .bind(school.id)
            .bind(role)
            .bind(&school.label)
            .bind(many)
            .fetch_all(&self.behind)
            .await?;
            let mut people = Vec::with_capacity(rows.len());
            for (membership, name) in rows {
                let token = self.open_session(school, membership).await?;
                people.push(Person { membership, name, cookie: cookie(token), token });
            }
            Ok(people)
        })
    }

    /// A session of somebody. Its token.
    pub async fn open_session(&self, school: &School, membership: Uuid) -> Result<[u8; 16]> {
        open_session(&self.behind, school, membership).await
    }

    /// Tells the planner what has been written.
    pub fn analyse(&self, bench: &Bench) -> Result<()> {
        // As the owner of the database, who may do so with all that is in it; the pool's connections go on as who they were.
        let all = "set role quorate_owner; analyze; set role quorate_sec";
        bench
            .hands
            .block_on(sqlx::raw_sql(all).execute(&self.behind))?;
        Ok(())
    }
}

/// A session of somebody, as signing in with both factors opens it. Its token.
pub async fn open_session(behind: &PgPool, school: &School, membership: Uuid) -> Result<[u8; 16]> {
    let token = *Uuid::new_v4().as_bytes();
    let made = sqlx::query(
        "insert into sec.session (token_hash, account_id, tenant_id, membership_id, assurance, factor_at, shared, agent, \
         idle, stepped_up_at)
         select sec.token_hash($1), m.account_id, m.tenant_id, m.id, 'full', now(), false, 'A load generator', '10 hours', now()
         from membership m where m.tenant_id = $2 and m.id = $3",
    )
    .bind(token.as_slice())
    .bind(school.id)
    .bind(membership)
    .execute(behind)
    .await?;
    if made.rows_affected() == 1 {
        Ok(token)
    } else {
        Err(said("A person who was made just now is not there."))
    }
}

/// As tower-sessions writes a session's id.
pub fn cookie(token: [u8; 16]) -> String {
    format!("quorate={}", URL_SAFE_NO_PAD.encode(token))
}
