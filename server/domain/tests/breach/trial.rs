//! What they try: every statement that reads or writes a table, each in a transaction of its own.

use crate::attack::Web;
use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _};
use testing::Behind;
use uuid::Uuid;

pub struct Table {
    /// As in SQL.
    pub name: String,
    /// Primary key.
    keys: Vec<String>,
    pub columns: Vec<String>,
    /// Read through its parent, and perhaps still empty.
    pub partition: bool,
    /// Columns that the web may give when it inserts a row, and those it may change.
    given: Vec<String>,
    changed: Vec<String>,
    /// Columns of which a tenant's rows may not all say the same.
    single: Vec<String>,
}

impl Table {
    /// One text for a row's key.
    pub fn key(&self, of: &str) -> String {
        let parts: Vec<String> = self
            .keys
            .iter()
            .map(|key| format!("{of}{key}::text"))
            .collect();
        format!("concat_ws(E'\\t', {})", parts.join(", "))
    }

    pub async fn all(behind: &mut Behind) -> Vec<Self> {
        let rows = behind
            .fetch_all(
                "select c.oid::regclass::text as name, c.relispartition as partition,
                   array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                     order by a.attnum) as columns,
                   array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                     and has_column_privilege('quorate_web', c.oid, a.attnum, 'insert') order by a.attnum) as given,
                   array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                     and has_column_privilege('quorate_web', c.oid, a.attnum, 'update') order by a.attnum) as changed,
                   coalesce((select array_agg(a.attname::text order by k.n) from pg_index i
                     cross join lateral unnest(i.indkey::smallint[]) with ordinality as k (attnum, n)
                     join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
                     where i.indrelid = c.oid and i.indisprimary), '{}') as keys,
                   array(select distinct a.attname::text from pg_index i cross join lateral pg_get_indexdef(i.indexrelid) as d (text)
                     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and a.attname <> 'tenant_id'
                       and d.text ~ ('[(, ]' || a.attname || '[),]')
                     where i.indrelid = c.oid and i.indisunique and not i.indisprimary) as single
                 from pg_class c
                 where c.relkind in ('r', 'p') and c.relnamespace in ('public'::regnamespace, 'sec'::regnamespace)
                 order by 1",
            )
            .await
            .unwrap();
        rows.iter()
            .map(|row| Self {
                name: row.get("name"),
                keys: row.get("keys"),
                columns: row.get("columns"),
                partition: row.get("partition"),
                given: row.get("given"),
                changed: row.get("changed"),
                single: row.get("single"),
            })
            .collect()
    }
}

/// One try. `Rows` answer with keys, `Count` is told how many rows it touched, the copies speak a protocol of their own.
pub enum Try {
    Rows(String),
    Count(String),
    CopyOut(String),
    CopyIn(String),
}

/// Everything that reads or writes a table. `row` is a row of Oakfield as JSON, `new` one like it that Oakfield has not yet;
/// `grab` a tenant to move rows to.
pub fn tries(table: &Table, row: Option<(&str, &str)>, grab: Uuid) -> Vec<Try> {
    use Try::{CopyIn, CopyOut, Count, Rows};
    let (name, key, keys) = (&table.name, table.key("t."), table.keys.join(", "));
    // A table called `record` has the name of a type of the database's own, unless it is said whole.
    let whole = if name.contains('.') {
        name.clone()
    } else {
        format!("public.{name}")
    };
    let same = table
        .columns
        .iter()
        .map(|column| format!("{column} = t.{column}"));
    let mut tries = vec![
        Rows(format!("select {key} from {name} t")),
        Rows(format!(
            "select {key} from {name} t where t is not null or true for update"
        )),
        Rows(format!("select {key} from {name} t for share")),
        Rows(format!(
            "with loot as (select * from {name}) select {key} from loot t"
        )),
        Rows(format!("select t::text from {name} t")),
        Rows(format!(
            "select {key} from {name} t, lateral (select 1 where t.{} is not null) x",
            table.columns[0]
        )),
        Rows(format!("delete from {name} t returning {key}")),
        Count(format!("delete from {name}")),
        Count(format!("truncate {name}")),
        Count(format!("truncate {name} cascade")),
        CopyOut(format!("copy {name} ({keys}) to stdout")),
        CopyOut(format!("copy (select {keys} from {name}) to stdout")),
        CopyOut(format!("copy {name} to stdout")),
        Count(format!(
            "merge into {name} t using (select 1) s on true when matched then delete"
        )),
    ];
    for (column, change) in table.columns.iter().zip(same) {
        tries.push(Rows(format!(
            "update {name} t set {change} returning {key}"
        )));
        if let Some((row, _)) = row {
            let value =
                format!("(select {column} from jsonb_populate_record(null::{whole}, '{row}'))");
            // Without a condition it needs no right to read. A state has its steps and so has a line of its own, and the
            // attacker's own rows cannot all have what is one of a kind.
            if table.single.contains(column) && table.columns.iter().any(|c| c == "tenant_id") {
                tries.push(Count(format!(
                    "update {name} set {column} = {value} where tenant_id <> '{grab}'"
                )));
            } else if column != "state" {
                tries.push(Count(format!("update {name} set {column} = {value}")));
            }
        }
        if column == "tenant_id" {
            tries.push(Count(format!("update {name} t set tenant_id = '{grab}'")));
        }
        if column == "state" {
            tries.push(Count(format!(
                "update {name} t set state = 'suspended' where tenant_id <> '{grab}'"
            )));
        }
    }
    if let Some((row, new)) = row {
        for row in [row, new] {
            let source = |columns: &str| {
                format!("select {columns} from jsonb_populate_record(null::{whole}, '{row}')")
            };
            let mut parts = vec![(&table.columns, &table.columns[0])];
            // The least that is granted, which no missing grant stands in the way of.
            if let Some(last) = table.given.last() {
                let both = table.given.iter().find(|c| table.changed.contains(c));
                parts.push((&table.given, both.unwrap_or(last)));
            }
            for (columns, set) in parts {
                let columns = columns.join(", ");
                let insert = format!("insert into {name} as t ({columns}) {}", source(&columns));
                tries.push(Count(insert.clone()));
                tries.push(Rows(format!("{insert} returning {key}")));
                tries.push(Count(format!("{insert} on conflict do nothing")));
                let upsert =
                    format!("{insert} on conflict ({keys}) do update set {set} = excluded.{set}");
                tries.push(Count(upsert.clone()));
                tries.push(Rows(format!("{upsert} returning {key}")));
                tries.push(CopyIn(format!("copy {name} ({columns}) from stdin")));
            }
        }
    }
    tries
}

/// Runs one try in a transaction of its own and commits it. What was seen, how many rows were touched, or the error.
pub async fn run(
    web: &mut Web,
    begins: &[String],
    what: &Try,
) -> Result<(Vec<String>, u64), sqlx::Error> {
    let begin = format!("begin; {}", begins.join("; "));
    web.execute(sqlx::raw_sql(AssertSqlSafe(begin))).await?;
    let done = within(web, what).await;
    if let Err(sqlx::Error::Protocol(_)) = done {
        // A copy that the server waits for, half done.
        web.anew().await;
        return done;
    }
    let ended = web
        .execute(if done.is_ok() { "commit" } else { "rollback" })
        .await;
    match (done, ended) {
        // What is held back until the commit counts as an answer to the try.
        (Ok(_), Err(error)) => Err(error),
        (done, _) => done,
    }
}

async fn within(web: &mut Web, what: &Try) -> Result<(Vec<String>, u64), sqlx::Error> {
    match what {
        Try::Rows(sql) => strings(web, sql).await.map(|seen| (seen, 0)),
        Try::Count(sql) | Try::CopyIn(sql) => web
            .execute(sqlx::raw_sql(AssertSqlSafe(sql.clone())))
            .await
            .map(|done| (vec![], done.rows_affected())),
        Try::CopyOut(sql) => {
            // sqlx loses its place in the protocol when `copy_out_raw` is refused, so it is asked first whether it is.
            web.execute("savepoint copy").await?;
            match web.execute(sqlx::raw_sql(AssertSqlSafe(sql.clone()))).await {
                Err(sqlx::Error::Protocol(_)) => web.execute("rollback to savepoint copy").await?,
                other => return other.map(|done| (vec![], done.rows_affected())),
            };
            let bytes: Vec<u8> = web
                .copy_out_raw(sql)
                .await?
                .try_fold(vec![], |mut all, part| async move {
                    all.extend_from_slice(&part);
                    Ok(all)
                })
                .await?;
            let text = String::from_utf8(bytes).unwrap();
            Ok((text.lines().map(str::to_owned).collect(), 0))
        }
    }
}

/// The first column of each row.
pub async fn strings(connection: &mut PgConnection, sql: &str) -> Result<Vec<String>, sqlx::Error> {
    let rows = connection
        .fetch_all(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())))
        .await?;
    Ok(rows
        .iter()
        .map(|row| {
            row.try_get::<Option<String>, _>(0)
                .ok()
                .flatten()
                .unwrap_or_default()
        })
        .collect())
}
