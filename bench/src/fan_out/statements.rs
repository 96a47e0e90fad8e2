//! Which statements a server asks of its database meanwhile, counted by PostgreSQL itself (`pg_stat_statements`).

use std::collections::BTreeMap;

use sqlx::PgPool;

use crate::{
    fault::{Result, said},
    quorate::Quorate,
    workload::Bench,
};

/// Counts from now on.
pub struct Statements {
    superuser: PgPool,
}

/// What was counted, of the two logins that sockets have to do with: the one that reads the log for the hub, and the one that looks
/// up who may watch what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The hub read what is new in the log: one statement for all schools and all that is new.
    pub log: u64,
    /// What the hub asks by the clock, whatever happens: whether sessions are still live, and whether the log is the same.
    pub clock: u64,
    /// Anything else: whoever may hear of an event would have to be looked up by one of these.
    pub others: BTreeMap<String, u64>,
}

impl Statements {
    /// Starts the node again with what counts.
    pub fn install(bench: &Bench, node: Quorate, name: &str) -> Result<(Self, Quorate)> {
        let superuser = node.superuser(bench)?;
        for statement in [
            "alter system set shared_preload_libraries = 'pg_stat_statements'",
            "create schema bench",
            "create extension pg_stat_statements schema bench",
        ] {
            bench
                .hands
                .block_on(sqlx::raw_sql(statement).execute(&superuser))?;
        }
        bench.hands.block_on(superuser.close());
        let node = node.again(bench, name)?;
        let superuser = node.superuser(bench)?;
        Ok((Self { superuser }, node))
    }

    /// Forgets what was counted.
    pub fn begin(&self, bench: &Bench) -> Result<()> {
        let reset = "select from bench.pg_stat_statements_reset()";
        bench
            .hands
            .block_on(sqlx::raw_sql(reset).execute(&self.superuser))?;
        Ok(())
    }

    /// What was counted since.
    pub fn count(&self, bench: &Bench) -> Result<Count> {
        let rows: Vec<(String, String, i64)> = bench.hands.block_on(
            sqlx::query_as(
                "select r.rolname::text, s.query, s.calls from bench.pg_stat_statements s join pg_roles r on r.oid = s.userid
                 where r.rolname in ('quorate_live', 'quorate_web') and s.toplevel",
            )
            .fetch_all(&self.superuser),
        )?;
        let mut count = Count::default();
        for (login, query, calls) in rows {
            count.take(&login, &query, u64::try_from(calls).unwrap_or(0));
        }
        if count.log == 0 {
            return Err(said(
                "The hub was not seen to read the log, so nothing was counted.",
            ));
        }
        Ok(count)
    }
}

impl Count {
    fn take(&mut self, login: &str, query: &str, calls: u64) {
        let has = |part: &str| query.contains(part);
        match login {
            "quorate_live" if has("sec.tail(") => self.log += calls,
            "quorate_live" if has("sec.sessions_dead(") || has("sec.epoch(") => self.clock += calls,
            // Whoever makes the changes uses this login too, as another node would: these four and no others. A look-up of
            // somebody's rights begins with `sec.entered()`.
            "quorate_web"
                if has("sec.append(")
                    || has("sec.enter(")
                    || ["begin", "commit"].contains(&query.to_ascii_lowercase().as_str()) => {}
            _ => *self.others.entry(format!("{login}: {query}")).or_default() += calls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_of_rights_is_counted_and_the_writers_own_statements_are_not() {
        let mut count = Count::default();
        for query in [
            "begin",
            "COMMIT",
            "select sec.enter($1)",
            "select sec.append($1, $2, $3, array[$4], $5)",
        ] {
            count.take("quorate_web", query, 7);
        }
        count.take("quorate_live", "select tenant_id from sec.tail($1, $2)", 3);
        count.take("quorate_live", "select sec.sessions_dead($1)", 2);
        assert_eq!((count.log, count.clock, count.others.len()), (3, 2, 0));
        for query in [
            "select tenant_id from sec.entered($1)",
            "begin isolation level repeatable read read only",
        ] {
            count.take("quorate_web", query, 1);
        }
        count.take("quorate_live", "select $1 = any (sec.folders_read())", 1);
        assert_eq!(count.others.len(), 3);
    }
}
