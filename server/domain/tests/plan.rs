//! Every checked query keeps its index condition under row security: each is planned as the login that asks it, and again by
//! somebody whom row security does not hold. What the functions of `sec` ask by themselves is not in the list of the checked.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use serde_json::Value;
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, ValueRef as _,
    error::DatabaseError,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use testing::{Database, Fresh, Role};

/// By what else than its tenant a row may be found: keys of the whole installation, each narrower than a tenant.
const KEYS: &[(&str, &str)] = &[
    ("tenant", "id"),
    ("tenant", "label"),
    ("account", "id"),
    ("account", "email"),
    // What a constraint's trigger is told of is one approval, of whatever tenant.
    ("approval", "id"),
];

/// What is read across tenants, or whole, and may be: words of the query, the table, and why.
const WHOLE: &[(&str, &str, &str)] = &[
    (
        "select t.label, a.email from membership m",
        "account",
        "the operator's demo lists everybody who can sign in, once at its start",
    ),
    (
        "select t.label, a.email from membership m",
        "membership",
        "the same list: somebody's places are found by their account",
    ),
];

/// Conditions that an index answers without row security and not with it: the table, what is compared, and why that may be.
///
/// A range's operators may tell what they saw, in an error for one, so row security comes before them (the manual's "Row
/// Security Policies" on leakproof functions); what is left to look at is in each case a part of one tenant.
const LOST: &[(&str, &str, &str)] = &[
    (
        "group_pupil",
        "during",
        "a range; what is left are the places of one child, one group, or one school's roll",
    ),
    (
        "caseload",
        "during",
        "a range; what is left is what one person, one group or one school was given",
    ),
    (
        "committee_place",
        "during",
        "a range; what is left are the places on one board's committees",
    ),
    (
        "term",
        "during",
        "a range; what is left are the terms of one board",
    ),
    (
        "roster_change",
        "import_id",
        "nothing is lost: the same rows are found by their pupil or group instead",
    ),
    (
        "event",
        "at",
        "nothing is lost: the newest of one tenant are found by its own order instead",
    ),
];

/// Who asks the checked queries, the most frequent first: a login, and whose rights the operator's commands take.
const LOGINS: &[(Role, Option<&str>)] = &[
    (Role::Web, None),
    (Role::Worker, None),
    (Role::Live, None),
    (Role::Migrator, Some("quorate_sec")),
    (Role::Migrator, Some("quorate_owner")),
];

#[tokio::test]
async fn every_checked_query_keeps_its_index_condition_under_row_security() {
    let fresh = Fresh::demo().await;
    let checked = checked();
    let found = judge(&fresh, &checked).await;
    assert!(
        found.scans > checked.len() && checked.len() > 400,
        "{} queries read {} times: this is not the list of all",
        checked.len(),
        found.scans
    );
    assert_eq!(found.unfound, BTreeSet::new(), "found by no tenant");
    assert_eq!(found.lost, BTreeSet::new(), "lost to row security");
    // What is excused must still want an excuse.
    let keys = KEYS
        .iter()
        .map(|(table, column)| format!("{table}.{column}"));
    let whole = WHOLE
        .iter()
        .map(|(words, table, _)| format!("{table} of {words}"));
    let lost = LOST
        .iter()
        .map(|(table, column, _)| format!("{table}.{column} lost"));
    let unused: Vec<String> = keys
        .chain(whole)
        .chain(lost)
        .filter(|excuse| !found.excuses.contains(excuse))
        .collect();
    assert_eq!(unused, Vec::<String>::new(), "no longer needed");
}

#[tokio::test]
async fn a_dropped_index_and_a_condition_that_row_security_withholds_are_noticed() {
    let fresh = Fresh::demo().await;
    let mut behind = fresh.behind().await;
    let choice = "select mail from notice_choice where tenant_id = $1 and membership_id = $2";
    let named = "select id from membership where tenant_id = $1 and upper(name) = $2";
    let both = [choice.to_owned(), named.to_owned()];
    let before = judge(&fresh, &both).await;
    assert_eq!(before.unfound, BTreeSet::new());
    assert_eq!(before.lost, BTreeSet::new());

    let drop = "alter table notice_choice drop constraint notice_choice_person_key, drop constraint notice_choice_pkey cascade";
    behind.execute(drop).await.unwrap();
    // `upper` may tell what it saw; the planner has no choice but to ask it after row security.
    let create = "create index membership_by_capitals on membership (tenant_id, upper(name))";
    behind.execute(create).await.unwrap();
    let after = judge(&fresh, &both).await;
    assert_eq!(
        after.unfound,
        BTreeSet::from([format!("Seq Scan on notice_choice: {choice}")])
    );
    assert_eq!(
        after.lost,
        BTreeSet::from([format!("(upper(membership.name) = $2) in: {named}")])
    );
}

#[tokio::test]
async fn a_pupils_places_are_found_by_any_index_without_reading_those_of_the_school() {
    let fresh = Fresh::demo().await;
    let mut behind = fresh.superuser(Database::Application).await;
    let fill = "with school as (select id from tenant order by id limit 1), team as (
          insert into teaching_group (tenant_id, kind, name) select s.id, 'class', 'Set ' || n from school s, generate_series(1, 50) n
          returning tenant_id, id, kind
        ), teams as (
          select *, row_number() over () - 1 as place from team
        ), made as (
          insert into pupil (tenant_id, first_name, last_name, born, year_group)
          select s.id, 'Many', 'Places', '2015-01-01', '5' from school s, generate_series(1, 5000) n
          returning tenant_id, id
        ), pupils as (
          select *, row_number() over () as place from made
        )
        insert into group_pupil (tenant_id, group_id, kind, pupil_id, during)
        select m.tenant_id, t.id, t.kind, m.id, '[2025-09-01,)' from pupils m join teams t on t.place = m.place % 50
        returning tenant_id, pupil_id";
    let rows = behind.fetch_all(fill).await.unwrap();
    let row = &rows[rows.len() / 2];
    let (tenant, pupil): (uuid::Uuid, uuid::Uuid) = (row.get(0), row.get(1));
    // Which index the planner takes where both would do is a matter of rounding, so each must do by itself.
    for other in [
        "alter table group_pupil drop constraint group_pupil_once",
        "drop index group_pupil_by_pupil",
    ] {
        let mut alone = behind.begin().await.unwrap();
        alone.execute(other).await.unwrap();
        let query = AssertSqlSafe(format!(
            "explain (analyze, buffers, costs off, format json)
             delete from group_pupil where tenant_id = '{tenant}' and pupil_id = '{pupil}'"
        ));
        let plan: Value = alone.fetch_one(query).await.unwrap().get(0);
        let pages = &plan[0]["Plan"]["Shared Hit Blocks"];
        assert!(
            pages.as_u64().is_some_and(|pages| pages < 25),
            "{other}: {plan:#}"
        );
        alone.rollback().await.unwrap();
    }
}

/// What a look at some plans came to.
#[derive(Default)]
struct Found {
    /// How often a table that is held was read.
    scans: usize,
    unfound: BTreeSet<String>,
    lost: BTreeSet<String>,
    excuses: BTreeSet<String>,
}

async fn judge(fresh: &Fresh, queries: &[String]) -> Found {
    let mut behind = fresh.superuser(Database::Application).await;
    // The demo has three schools and knows it; where nothing is known, the planner takes a table for one of many tenants.
    let forget = "delete from pg_statistic; update pg_class set relpages = 0, reltuples = -1 where relkind in ('r', 'p')";
    behind.execute(forget).await.unwrap();
    let tables = tables(&mut behind).await;
    let caller = fresh
        .behind()
        .await
        .caller("oakfield", "clerk@oakfield.example")
        .await;
    let mut logins = Vec::new();
    for (role, rights) in LOGINS {
        let mut login = PgConnection::connect_with(&fresh.options(*role))
            .await
            .unwrap();
        begin(&mut login).await;
        if let Some(rights) = rights {
            let rights = AssertSqlSafe(format!("set local role {rights}"));
            login.execute(rights).await.unwrap();
        }
        let seal = match role {
            Role::Web => {
                sqlx::query_scalar("select sec.enter($1)").bind(caller.token.bytes().as_slice())
            }
            Role::Worker => sqlx::query_scalar("select sec.enter_job($1)").bind(caller.tenant),
            _ => sqlx::query_scalar("select 'ok'"),
        };
        let sealed: String = seal.fetch_one(&mut login).await.unwrap();
        assert_eq!(sealed, "ok", "{role:?}");
        logins.push(login);
    }
    begin(&mut behind).await;

    let mut found = Found::default();
    for query in queries {
        let mut sealed = None;
        for login in &mut logins {
            sealed = plan(login, query).await;
            if sealed.is_some() {
                break;
            }
        }
        let sealed = sealed.unwrap_or_else(|| panic!("nobody may ask {query}"));
        let open = plan(&mut behind, query).await.expect("a superuser may");
        found.judge(query, &tables, &scans(&sealed), &scans(&open));
    }
    found
}

impl Found {
    fn judge(
        &mut self,
        query: &str,
        tables: &BTreeMap<String, Table>,
        sealed: &[&Value],
        open: &[&Value],
    ) {
        for scan in sealed {
            let table = &tables[&relation(scan)];
            if !table.held {
                continue;
            }
            self.scans += 1;
            let by = |column: &str| {
                let begin = format!("({}.{column} = ", text(scan, "Alias"));
                holds(scan, &|condition| condition.starts_with(&begin))
            };
            if by("tenant_id") {
                continue;
            }
            let key = KEYS
                .iter()
                .find(|(of, column)| *of == table.name && by(column));
            let whole = WHOLE
                .iter()
                .find(|(words, of, _)| *of == table.name && query.starts_with(words));
            if let Some((table, column)) = key {
                self.excuses.insert(format!("{table}.{column}"));
            } else if let Some((words, table, _)) = whole {
                self.excuses.insert(format!("{table} of {words}"));
            } else {
                let how = text(scan, "Node Type");
                self.unfound
                    .insert(format!("{how} on {}: {query}", table.name));
            }
        }
        let kept: BTreeSet<(&str, String)> =
            sealed.iter().flat_map(|scan| conditions(scan)).collect();
        for scan in open {
            let table = &tables[&relation(scan)];
            for (alias, condition) in conditions(scan) {
                let own = format!("{alias}.");
                // What comes from another table depends on which is read first, and that may differ.
                let joined = others(&condition, &own);
                if joined
                    || condition.starts_with(&format!("({own}tenant_id = "))
                    || kept.contains(&(alias, condition.clone()))
                {
                    continue;
                }
                let excuse = LOST.iter().find(|(of, column, _)| {
                    *of == table.name && condition.starts_with(&format!("({own}{column} "))
                });
                if let Some((table, column, _)) = excuse {
                    self.excuses.insert(format!("{table}.{column} lost"));
                } else {
                    self.lost.insert(format!("{condition} in: {query}"));
                }
            }
        }
    }
}

/// The texts of `.sqlx`, with their white space single. What only sets something has no plan.
fn checked() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.sqlx");
    let mut texts: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let file = std::fs::read(file.unwrap().path()).unwrap();
            let query: Value = serde_json::from_slice(&file).unwrap();
            text(&query, "query").trim().to_owned()
        })
        .filter(|text| !text.starts_with("set "))
        .collect();
    texts.sort();
    texts
}

/// A table as the rules call it.
struct Table {
    name: String,
    /// Whether it is of a tenant, or one of the two that the platform has.
    held: bool,
}

async fn tables(behind: &mut PgConnection) -> BTreeMap<String, Table> {
    let rows: Vec<(String, String, bool)> = sqlx::query_as(
        "select n.nspname || '.' || c.relname, coalesce(p.inhparent, c.oid)::regclass::text,
           c.oid in ('tenant'::regclass, 'account'::regclass)
             or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         left join pg_inherits p on p.inhrelid = c.oid and c.relispartition
         where c.relkind in ('r', 'p')",
    )
    .fetch_all(behind)
    .await
    .unwrap();
    rows.into_iter()
        .map(|(relation, name, held)| (relation, Table { name, held }))
        .collect()
}

/// Small tables are read whole, whatever their indexes; how it is with large ones is what is asked here.
async fn begin(login: &mut PgConnection) {
    login
        .execute("begin; set local enable_seqscan = off")
        .await
        .unwrap();
}

/// The plan for any values at all; none for who may not ask.
async fn plan(login: &mut PgConnection, query: &str) -> Option<Value> {
    login.execute("savepoint before").await.unwrap();
    let explain = AssertSqlSafe(format!(
        "explain (generic_plan, verbose, costs off, format json) {query}"
    ));
    let answer = login.fetch_one(sqlx::raw_sql(explain)).await;
    login.execute("rollback to before").await.unwrap();
    match answer {
        Ok(row) => {
            let raw = row.try_get_raw(0).unwrap();
            assert!(!raw.is_null());
            let plans: Value = serde_json::from_str(raw.as_str().unwrap()).unwrap();
            Some(plans[0]["Plan"].clone())
        }
        Err(error) => {
            let code = error.as_database_error().and_then(DatabaseError::code);
            // Who may not look into a schema is told that there is no such table.
            let barred = matches!(code.as_deref(), Some("42501" | "42P01"));
            assert!(barred, "{error}: {query}");
            None
        }
    }
}

/// Where a plan reads tables, those among it that row security reads.
fn scans(plan: &Value) -> Vec<&Value> {
    let own =
        (plan.get("Relation Name").is_some() && plan["Node Type"] != "ModifyTable").then_some(plan);
    own.into_iter()
        .chain(children(plan).flat_map(scans))
        .collect()
}

fn children(plan: &Value) -> impl Iterator<Item = &Value> {
    plan["Plans"].as_array().into_iter().flatten()
}

/// What is under a scan of a bitmap and makes it, and not what a condition of it asks.
fn bitmaps(plan: &Value) -> impl Iterator<Item = &Value> {
    children(plan).filter(|child| {
        matches!(
            text(child, "Node Type"),
            "Bitmap Index Scan" | "BitmapAnd" | "BitmapOr"
        )
    })
}

/// Whether a condition of this kind narrows everything that is read.
fn holds(scan: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    match text(scan, "Node Type") {
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
            parts(scan).into_iter().any(|part| test(&part))
        }
        "Bitmap Heap Scan" | "BitmapAnd" => bitmaps(scan).any(|child| holds(child, test)),
        "BitmapOr" => bitmaps(scan).all(|child| holds(child, test)),
        _ => false,
    }
}

/// Every condition of an index, with what the table is called in the query.
fn conditions(scan: &Value) -> Vec<(&str, String)> {
    fn below(scan: &Value) -> Vec<String> {
        parts(scan)
            .into_iter()
            .chain(bitmaps(scan).flat_map(below))
            .collect()
    }
    let alias = text(scan, "Alias");
    below(scan).into_iter().map(|part| (alias, part)).collect()
}

/// `((a.x = $1) AND (a.y = $2))` as its two parts.
fn parts(scan: &Value) -> Vec<String> {
    let whole = scan["Index Cond"].as_str().unwrap_or_default();
    let inner = whole
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let Some(inner) = inner.filter(|inner| inner.starts_with('(')) else {
        return Vec::from_iter((!whole.is_empty()).then(|| whole.to_owned()));
    };
    let (mut depth, mut quoted, mut begin, mut parts) = (0, false, 0, Vec::new());
    for (place, letter) in inner.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ' ' if !quoted && depth == 0 && inner[place..].starts_with(" AND ") => {
                parts.push(inner[begin..place].to_owned());
                begin = place + " AND ".len();
            }
            _ => {}
        }
    }
    if begin == 0 {
        return vec![whole.to_owned()];
    }
    parts.push(inner[begin..].to_owned());
    parts
}

/// Whether a condition names a column of another table: `name.column`, where the name is neither the table's own nor a
/// function's schema.
fn others(condition: &str, own: &str) -> bool {
    let mut rest = condition;
    while let Some(begin) = rest.find(char::is_alphabetic) {
        let from = &rest[begin..];
        let end = from.find(|letter: char| !(letter.is_alphanumeric() || "_.".contains(letter)));
        let (word, after) = from.split_at(end.unwrap_or(from.len()));
        if word.contains('.') && !word.starts_with(own) && !after.starts_with('(') {
            return true;
        }
        rest = after;
    }
    false
}

fn relation(scan: &Value) -> String {
    format!("{}.{}", text(scan, "Schema"), text(scan, "Relation Name"))
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}
