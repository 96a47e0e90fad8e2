//! The breach matrix: whoever holds the web server's own login, and any SQL they like, still reads and changes nothing of
//! another school. Tables come from the catalog, so one that is added tomorrow is in it.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, Row as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};
use testing::{Behind, Fresh, Role, Stand};
use uuid::Uuid;

const OAKFIELD_ADMIN: &str = "admin@oakfield.example";
const NORTHGATE_ADMIN: &str = "admin@northgate.example";

// ── Who attacks ───────────────────────────────────────────────────────────────────────────────

/// What an attacker has: the statements with which each transaction begins, and what may rightly be seen then.
struct Attacker {
    name: &'static str,
    begins: Vec<String>,
    home: Home,
}

/// Whose rows are no secret to the attacker.
enum Home {
    Nobody,
    /// Those of a tenant, whose administrator the attacker is.
    Tenant(Uuid),
    /// One's own account and the names of one's own tenants: the bare host.
    Person(Uuid),
}

impl Home {
    /// The keys of a table's rows that may be seen.
    async fn keys(&self, behind: &mut Behind, table: &Table) -> BTreeSet<String> {
        let of = |tenant: &str, person: &str| match self {
            Self::Nobody => "false".to_owned(),
            Self::Tenant(id) => tenant.replace("$", &format!("'{id}'")),
            Self::Person(id) => person.replace("$", &format!("'{id}'")),
        };
        let whose = match table.name.as_str() {
            "tenant" => of("t.id = $", "t.id in (select tenant_id from membership where account_id = $ and state = 'active')"),
            "account" => of("t.id in (select account_id from membership where tenant_id = $)", "t.id = $"),
            name if name.starts_with("sec.") || name.starts_with('_') => "false".to_owned(),
            _ => of("t.tenant_id = $", "false"),
        };
        let query = format!("select {} from {} t where {whose}", table.key("t."), table.name);
        strings(behind, &query).await.unwrap().into_iter().collect()
    }
}

/// Everybody of the matrix but the one with a genuine seal of Oakfield, whose rows the others are after.
async fn attackers(behind: &mut Behind, web: &mut PgConnection, other: &mut PgConnection) -> Vec<Attacker> {
    let northgate = behind.tenant("northgate").await;
    let oakfield = behind.tenant("oakfield").await;
    let mut attackers = vec![Attacker { name: "no seal", begins: vec![], home: Home::Nobody }];
    let mut add = |name, begins: &[String]| attackers.push(Attacker { name, begins: begins.to_vec(), home: Home::Nobody });

    let genuine = enter(behind, OAKFIELD_ADMIN, Stand::SteppedUp).await;
    let theirs = enter(behind, NORTHGATE_ADMIN, Stand::SteppedUp).await;

    // Forged: with no key, a made-up one, and another tenant's genuine seal with Oakfield written over its own.
    let account = behind.account(OAKFIELD_ADMIN).await;
    let body = format!("{oakfield}|{account}|||school_admin|1");
    for (name, mac) in [("a seal without a mac", String::new()), ("a seal with a made-up mac", "0f".repeat(32))] {
        add(name, &[set(&format!("{body}|{mac}"))]);
    }
    add("a seal of nothing but Oakfield", &[set(&oakfield.to_string())]);
    add("a session-wide forged seal", &[set(&format!("{body}|{}", "0f".repeat(32))).replace("true)", "false)")]);
    let rewrite = format!(
        "select set_config('sec.caller', replace(current_setting('sec.caller'), '{northgate}', '{oakfield}'), true)"
    );
    add("Northgate's own seal with Oakfield written over it", &[theirs.clone(), rewrite]);

    // Replayed: taken from an earlier transaction of this connection, and from one that is open on another.
    web.execute("begin").await.unwrap();
    let earlier = sealed(web, &genuine).await;
    web.execute("commit").await.unwrap();
    add("Oakfield's seal of an earlier transaction", &[set(&earlier)]);
    other.execute("begin").await.unwrap();
    let elsewhere = sealed(other, &genuine).await;
    add("Oakfield's seal of another connection", &[set(&elsewhere)]);

    // Sessions that were Oakfield's administrator's.
    for (name, stand) in [
        ("a session that was quiet too long", Stand::Idle),
        ("a session ten hours old", Stand::Expired),
        ("a session that was signed out", Stand::Ended),
        ("a session with a password and no factor", Stand::Password),
    ] {
        let begin = enter(behind, OAKFIELD_ADMIN, stand).await;
        add(name, &[begin]);
    }
    add("a token that never was", &["select sec.enter(decode(repeat('5a', 16), 'hex'))".to_owned()]);
    for (name, email, change) in [
        ("a suspended head", "head@oakfield.example", "update membership set state = 'suspended' where id = $1"),
        ("a removed clerk", "clerk@oakfield.example", "update membership set state = 'ended' where id = $1"),
        (
            "a senior whose account is closed",
            "senco@oakfield.example",
            "update account set closed_at = now() where id = (select account_id from membership where id = $1)",
        ),
    ] {
        let begin = enter(behind, email, Stand::SteppedUp).await;
        let membership = behind.membership("oakfield", email).await;
        sqlx::query(change).bind(membership).execute(&mut **behind).await.unwrap();
        add(name, &[begin]);
    }

    attackers.push(Attacker { name: "Northgate's administrator", begins: vec![theirs], home: Home::Tenant(northgate) });
    let joan = behind.session(None, "clerk@beacon.example", Stand::SteppedUp).await;
    let begins = vec![enter_with(joan.bytes())];
    let home = Home::Person(behind.account("clerk@beacon.example").await);
    attackers.push(Attacker { name: "Joan on the bare host", begins, home });
    attackers
}

async fn enter(behind: &mut Behind, email: &str, stand: Stand) -> String {
    let label = email.split(['@', '.']).nth(1).unwrap();
    enter_with(behind.session(Some(label), email, stand).await.bytes())
}

fn enter_with(token: &[u8]) -> String {
    let hex = token.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    format!("select sec.enter('\\x{hex}')")
}

fn set(seal: &str) -> String {
    format!("select set_config('sec.caller', '{seal}', true)")
}

async fn sealed(web: &mut PgConnection, enter: &str) -> String {
    strings(web, enter).await.unwrap();
    strings(web, "select current_setting('sec.caller')").await.unwrap().remove(0)
}

// ── What they try ─────────────────────────────────────────────────────────────────────────────

struct Table {
    /// As in SQL.
    name: String,
    /// Primary key.
    keys: Vec<String>,
    columns: Vec<String>,
}

impl Table {
    /// One text for a row's key.
    fn key(&self, of: &str) -> String {
        let parts: Vec<String> = self.keys.iter().map(|key| format!("{of}{key}::text")).collect();
        format!("concat_ws(E'\\t', {})", parts.join(", "))
    }

    async fn all(behind: &mut Behind) -> Vec<Self> {
        let rows = behind
            .fetch_all(
                "select c.oid::regclass::text as name,
                   array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                     order by a.attnum) as columns,
                   coalesce((select array_agg(a.attname::text order by k.n) from pg_index i
                     cross join lateral unnest(i.indkey::smallint[]) with ordinality as k (attnum, n)
                     join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
                     where i.indrelid = c.oid and i.indisprimary), '{}') as keys
                 from pg_class c
                 where c.relkind in ('r', 'p') and c.relnamespace in ('public'::regnamespace, 'sec'::regnamespace)
                 order by 1",
            )
            .await
            .unwrap();
        rows.iter().map(|row| Self { name: row.get("name"), keys: row.get("keys"), columns: row.get("columns") }).collect()
    }
}

/// One try. `Rows` answer with keys, `Count` is told how many rows it touched, the copies speak a protocol of their own.
enum Try {
    Rows(String),
    Count(String),
    CopyOut(String),
    CopyIn(String),
}

/// Everything that reads or writes a table. `row` is a row of Oakfield as JSON; `grab` a tenant to move rows to.
fn tries(table: &Table, row: Option<&str>, grab: Uuid) -> Vec<Try> {
    use Try::{CopyIn, CopyOut, Count, Rows};
    let (name, key, keys) = (&table.name, table.key("t."), table.keys.join(", "));
    let all = table.columns.join(", ");
    let same = table.columns.iter().map(|column| format!("{column} = t.{column}"));
    let mut tries = vec![
        Rows(format!("select {key} from {name} t")),
        Rows(format!("select {key} from {name} t where t is not null or true for update")),
        Rows(format!("select {key} from {name} t for share")),
        Rows(format!("with loot as (select * from {name}) select {key} from loot t")),
        Rows(format!("select t::text from {name} t")),
        Rows(format!("select {key} from {name} t, lateral (select 1 where t.{} is not null) x", table.columns[0])),
        Rows(format!("delete from {name} t returning {key}")),
        Count(format!("delete from {name}")),
        Count(format!("truncate {name}")),
        Count(format!("truncate {name} cascade")),
        CopyOut(format!("copy {name} ({keys}) to stdout")),
        CopyOut(format!("copy (select {keys} from {name}) to stdout")),
        CopyOut(format!("copy {name} to stdout")),
        Count(format!("merge into {name} t using (select 1) s on true when matched then delete")),
    ];
    for (column, change) in table.columns.iter().zip(same) {
        tries.push(Rows(format!("update {name} t set {change} returning {key}")));
        tries.push(Count(format!("update {name} t set {change}")));
        if column == "tenant_id" {
            tries.push(Count(format!("update {name} t set tenant_id = '{grab}'")));
        }
        if column == "state" {
            tries.push(Count(format!("update {name} t set state = 'suspended' where tenant_id <> '{grab}'")));
        }
    }
    if let Some(row) = row {
        let source = format!("select {all} from jsonb_populate_record(null::{name}, '{}')", row.replace('\'', "''"));
        let granted: Vec<&str> = ["tenant_id", "account_id", "name", "roles"].into_iter().filter(|c| table.columns.iter().any(|known| known == c)).collect();
        let few = granted.join(", ");
        let part = source.replacen(&all, &few, 1);
        tries.push(Count(format!("insert into {name} ({all}) {source}")));
        tries.push(Count(format!("insert into {name} ({all}) {source} on conflict do nothing")));
        tries.push(Count(format!("insert into {name} ({all}) {source} on conflict ({keys}) do update set {0} = excluded.{0}", table.columns[0])));
        if !granted.is_empty() {
            tries.push(Rows(format!("insert into {name} as t ({few}) {part} returning {key}")));
            tries.push(Count(format!("insert into {name} ({few}) {part} on conflict do nothing")));
            tries.push(Count(format!("insert into {name} ({few}) {part} on conflict ({keys}) do update set {0} = excluded.{0}", granted[granted.len() - 1])));
            tries.push(CopyIn(format!("copy {name} ({few}) from stdin")));
        }
    }
    tries
}

/// Runs one try in a transaction of its own and commits it. What was seen, how many rows were touched, or the error.
async fn run(web: &mut PgConnection, begins: &[String], what: &Try) -> Result<(Vec<String>, u64), sqlx::Error> {
    web.execute("begin").await?;
    let done = async {
        for begin in begins {
            strings(web, begin).await?;
        }
        match what {
            Try::Rows(sql) => strings(web, sql).await.map(|seen| (seen, 0)),
            Try::Count(sql) => web.execute(AssertSqlSafe(sql.clone())).await.map(|done| (vec![], done.rows_affected())),
            Try::CopyOut(sql) => {
                let bytes: Vec<u8> = web.copy_out_raw(sql).await?.try_fold(vec![], |mut all, part| async move {
                    all.extend_from_slice(&part);
                    Ok(all)
                }).await?;
                Ok((String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect(), 0))
            }
            Try::CopyIn(sql) => {
                let copy = web.copy_in_raw(sql).await?;
                copy.finish().await.map(|done| (vec![], done))
            }
        }
    }
    .await;
    // A commit after an error is a rollback.
    let ended = web.execute(if done.is_ok() { "commit" } else { "rollback" }).await;
    if ended.is_err() {
        web.execute("rollback").await?;
    }
    done
}

/// What the matrix found: one line for each breach.
async fn breaches(behind: &mut Behind, web: &mut PgConnection, attackers: &[Attacker], tables: &[Table]) -> Vec<String> {
    let (oakfield, northgate) = (behind.tenant("oakfield").await, behind.tenant("northgate").await);
    let mut found = Vec::new();
    for attacker in attackers {
        let before = snapshot(behind, tables, &attacker.home).await;
        for table in tables {
            let home = attacker.home.keys(behind, table).await;
            let whose = if table.columns.iter().any(|column| column == "tenant_id") { format!("where tenant_id = '{oakfield}'") } else { String::new() };
            let row = strings(behind, &format!("select to_jsonb(t)::text from {} t {whose} limit 1", table.name)).await.unwrap().pop();
            for what in tries(table, row.as_deref(), northgate) {
                let (Try::Rows(sql) | Try::Count(sql) | Try::CopyOut(sql) | Try::CopyIn(sql)) = &what;
                let told = format!("{}: {}", attacker.name, sql.chars().take(140).collect::<String>());
                match run(web, &attacker.begins, &what).await {
                    Ok((seen, touched)) => {
                        let foreign = seen.iter().filter(|row| !home.contains(*row) && !is_whole_row_of(row, &home)).count();
                        if foreign > 0 || (touched > 0 && home.is_empty()) {
                            found.push(format!("{told} → {foreign} foreign rows seen, {touched} touched"));
                        }
                    }
                    Err(error) => {
                        let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().to_string();
                        // Not allowed; or a copy into a table with row security. Any other answer says something of the rows.
                        if !matches!(code.as_str(), "42501" | "0A000") {
                            found.push(format!("{told} → {error} ({code})"));
                        }
                    }
                }
            }
        }
        let after = snapshot(behind, tables, &attacker.home).await;
        for (table, rows) in &before {
            if after[table] != *rows {
                found.push(format!("{}: rows of others changed in {table}", attacker.name));
            }
        }
    }
    found
}

/// `select t::text` and `copy t` show whole rows: those of home hold a key of home.
fn is_whole_row_of(row: &str, home: &BTreeSet<String>) -> bool {
    home.iter().any(|key| key.split('\t').all(|part| row.contains(part)))
}

/// Every row that is not the attacker's own, as text.
async fn snapshot(behind: &mut Behind, tables: &[Table], home: &Home) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for table in tables {
        let whose = match home {
            Home::Tenant(id) if table.columns.iter().any(|column| column == "tenant_id") => format!("where tenant_id is distinct from '{id}'"),
            Home::Tenant(id) if table.name == "tenant" => format!("where id <> '{id}'"),
            _ => String::new(),
        };
        let sum = format!("select count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\n' order by t::text)), '') from (select * from {} {whose}) t", table.name);
        all.insert(table.name.clone(), strings(behind, &sum).await.unwrap().remove(0));
    }
    all
}

async fn strings(connection: &mut PgConnection, sql: &str) -> Result<Vec<String>, sqlx::Error> {
    let rows = connection.fetch_all(sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false)).await?;
    Ok(rows.iter().map(|row| row.try_get::<Option<String>, _>(0).ok().flatten().unwrap_or_default()).collect())
}

// ── The tests ─────────────────────────────────────────────────────────────────────────────────

struct Scene {
    fresh: Fresh,
    behind: Behind,
    web: PgConnection,
    other: PgConnection,
}

impl Scene {
    async fn new() -> Self {
        let fresh = Fresh::demo().await;
        let mut behind = fresh.behind().await;
        // Something in every table that an attacker might want.
        behind
            .execute(
                "insert into sec.recovery_code select id, sha256('a') from account limit 3;
                 insert into sec.invitation (tenant_id, membership_id, token_hash, expires_at)
                   select tenant_id, id, sha256(id::text::bytea), now() + interval '7 days' from membership limit 3;
                 insert into sec.reset (account_id, tenant_id) select account_id, tenant_id from membership limit 3;
                 insert into sec.attempt (who, kind) values (sha256('a'), 'password');
                 insert into sec.relay_cursor select 'mail', id, 1 from tenant",
            )
            .await
            .unwrap();
        let web = fresh.options(Role::Web).connect().await.unwrap();
        let other = fresh.options(Role::Web).connect().await.unwrap();
        Self { fresh, behind, web, other }
    }
}

#[tokio::test]
async fn raw_sql_of_the_web_login_sees_and_changes_no_row_of_another_school() {
    let Scene { mut behind, mut web, mut other, .. } = Scene::new().await;
    let tables = Table::all(&mut behind).await;
    // The outsider: the same statements under Oakfield's own seal show Oakfield's rows, so there is something to see.
    let genuine = enter(&mut behind, OAKFIELD_ADMIN, Stand::SteppedUp).await;
    let oakfield = Home::Tenant(behind.tenant("oakfield").await);
    for (name, least) in [("membership", 22), ("event", 22), ("account", 22), ("tenant", 1)] {
        let table = tables.iter().find(|table| table.name == name).unwrap();
        let (seen, _) = run(&mut web, std::slice::from_ref(&genuine), &Try::Rows(format!("select {} from {name} t", table.key("t.")))).await.unwrap();
        assert!(seen.len() >= least, "{name}: {}", seen.len());
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), oakfield.keys(&mut behind, table).await, "{name}");
    }
    assert!(tables.len() > 15, "{}", tables.len());

    let attackers = attackers(&mut behind, &mut web, &mut other).await;
    let found = breaches(&mut behind, &mut web, &attackers, &tables).await;
    assert!(found.is_empty(), "{} breaches: {found:#?}", found.len());
}

/// Each guard of the database taken away, and who must then get in. `function: from → to` rewrites a function's text.
const GUARDS: &[(&str, &str)] = &[
    ("alter table membership disable row level security", "no seal"),
    ("alter policy membership_select on membership using (true)", "no seal"),
    ("alter policy account_select on account using (true)", "no seal"),
    ("alter policy event_select on event using (true)", "no seal"),
    ("alter policy tenant_select on tenant using (true)", "no seal"),
    ("alter policy event_select on event using (sec.has_role('school_admin'))", "Northgate's administrator"),
    ("alter policy membership_insert on membership with check (state = 'invited')", "Northgate's administrator"),
    ("alter policy membership_update on membership using (true)", "Northgate's administrator"),
    ("alter policy membership_update on membership using (true) with check (true)", "no seal"),
    ("grant select on sec.session to quorate_web", "no seal"),
    ("grant truncate on event to quorate_web", "no seal"),
    ("alter role quorate_web in database $db set row_security = on; grant delete on membership to quorate_web;
      create policy membership_delete on membership for delete to quorate_web using (true)", "no seal"),
    ("sec.seal(): or right(sealed, 64) is distinct from sec.mac(left(sealed, -65)) → ", "a seal with a made-up mac"),
    ("sec.seal(): or right(sealed, 64) is distinct from sec.mac(left(sealed, -65)) → ", "Northgate's own seal with Oakfield written over it"),
    ("sec.seal(): or right(sealed, 64) is distinct from sec.mac(left(sealed, -65)) → ", "a session-wide forged seal"),
    ("sec.mac(text): || timestamptz_send(now()) → ", "Oakfield's seal of an earlier transaction"),
    ("sec.mac(text): int4send(pg_backend_pid()) || timestamptz_send(now()) → ''::bytea", "Oakfield's seal of another connection"),
    ("sec.live_session(bytea): or m.state = 'active' → or m.state is not null", "a suspended head"),
    ("sec.live_session(bytea): or m.state = 'active' → or m.state is not null", "a removed clerk"),
    ("sec.live_session(bytea): and a.closed_at is null → ", "a senior whose account is closed"),
    ("sec.is_live(sec.session, timestamptz): s.seen_at + s.idle > moment → true", "a session that was quiet too long"),
    ("sec.is_live(sec.session, timestamptz): s.expires_at > moment → true", "a session ten hours old"),
    ("sec.is_live(sec.session, timestamptz): s.ended_at is null → true", "a session that was signed out"),
    ("sec.enter(bytea): sec.session_needs(s) <> 'none' → false", "a session with a password and no factor"),
    ("sec.my_tenants(): m.account_id = sec.person() and → ", "Joan on the bare host"),
];

#[tokio::test]
async fn with_any_guard_taken_away_the_matrix_finds_the_breach() {
    for (guard, who) in GUARDS {
        let Scene { fresh, mut behind, mut web, mut other } = Scene::new().await;
        take_away(&mut behind, &guard.replace("$db", fresh.name(testing::Database::Application))).await;
        let mut tables = Table::all(&mut behind).await;
        tables.retain(|table| !table.name.starts_with('_') && (!table.name.starts_with("sec.") || table.name == "sec.session"));
        let mut attackers = attackers(&mut behind, &mut web, &mut other).await;
        attackers.retain(|attacker| attacker.name == *who);
        assert_eq!(attackers.len(), 1, "{who}");
        let found = breaches(&mut behind, &mut web, &attackers, &tables).await;
        assert!(!found.is_empty(), "{who} was not noticed after: {guard}");
    }
}

async fn take_away(behind: &mut Behind, guard: &str) {
    let sql = match guard.split_once(": ").zip(guard.split_once(" → ")) {
        Some(((function, rest), _)) => {
            let (from, to) = rest.split_once(" → ").unwrap();
            let text = strings(behind, &format!("select pg_get_functiondef('{function}'::regprocedure)")).await.unwrap().remove(0);
            assert!(text.contains(from), "{function} does not say {from}: {text}");
            text.replace(from, to)
        }
        None => guard.to_owned(),
    };
    behind.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
}

#[tokio::test]
async fn a_seal_ends_with_its_transaction_and_a_plan_kept_from_one_caller_serves_the_next_alone() {
    let Scene { mut behind, mut web, .. } = Scene::new().await;
    let ours = enter(&mut behind, OAKFIELD_ADMIN, Stand::SteppedUp).await;
    let theirs = enter(&mut behind, NORTHGATE_ADMIN, Stand::SteppedUp).await;
    let northgate = behind.tenant("northgate").await;
    web.execute("prepare loot as select distinct tenant_id::text from membership").await.unwrap();
    // Six executions: from the sixth on a generic plan is used.
    for _ in 0..7 {
        web.execute("begin").await.unwrap();
        strings(&mut web, &ours).await.unwrap();
        let seen = web.fetch_all(sqlx::raw_sql("execute loot")).await.unwrap();
        assert_eq!(seen.len(), 1);
        assert_ne!(seen[0].get::<String, _>(0), northgate.to_string());
        web.execute("commit").await.unwrap();
        assert_eq!(web.fetch_all(sqlx::raw_sql("execute loot")).await.unwrap().len(), 0, "the seal outlived its transaction");
        web.execute("begin").await.unwrap();
        strings(&mut web, &theirs).await.unwrap();
        let seen = web.fetch_all(sqlx::raw_sql("execute loot")).await.unwrap();
        assert_eq!(seen.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), [northgate.to_string()]);
        // A seal that is made in a savepoint and given up leaves the one before it.
        strings(&mut web, "savepoint a").await.unwrap();
        strings(&mut web, &ours).await.unwrap();
        web.execute("rollback to savepoint a").await.unwrap();
        let seen = web.fetch_all(sqlx::raw_sql("execute loot")).await.unwrap();
        assert_eq!(seen.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), [northgate.to_string()]);
        web.execute("rollback").await.unwrap();
    }
}

#[tokio::test]
async fn an_error_in_a_condition_tells_nothing_of_hidden_rows() {
    let Scene { mut behind, mut web, .. } = Scene::new().await;
    let people: i64 = sqlx::query_scalar("select count(*) from membership where name = 'Joan Whitlock'").fetch_one(&mut *behind).await.unwrap();
    assert!(people > 0);
    for oracle in [
        "select 1 from membership where name::int = 1",
        "select 1 from membership where 1 / (case when name = 'Joan Whitlock' then 0 else 1 end) = 1",
        "select 1 from event where (detail ->> 'label')::int = 1",
        "select 1 from account where email::uuid is not null",
        "select 1 from tenant where name::date > now()",
        "select 1 from membership order by name::int",
        "select sum(name::int) from membership",
        "update membership set name = name where name::int = 1",
    ] {
        // Nobody is sealed, so every row is hidden: the condition must not even be asked about one.
        let seen = strings(&mut web, oracle).await.unwrap_or_else(|error| panic!("{oracle}: {error}"));
        assert!(seen.iter().all(String::is_empty), "{oracle}: {seen:?}");
    }
}

/// What a clerk of Oakfield learns by trying ids and addresses of another school: the same as by trying unknown ones.
#[tokio::test]
async fn existence_elsewhere_is_never_shown_by_an_answer() {
    let Scene { mut behind, mut web, .. } = Scene::new().await;
    let clerk = behind.session(Some("oakfield"), "clerk@oakfield.example", Stand::SteppedUp).await;
    let begins = [enter_with(clerk.bytes())];
    let token: String = clerk.bytes().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    let tenant = behind.tenant("oakfield").await;
    let (place, their_tenant) = (behind.membership("northgate", "chair@northgate.example").await, behind.tenant("northgate").await);
    let their_account = behind.account("chair@northgate.example").await;
    behind.session(Some("northgate"), "chair@northgate.example", Stand::SteppedUp).await;
    let their_session: Uuid = sqlx::query_scalar("select id from sec.session where account_id = $1 and ended_at is null limit 1")
        .bind(their_account)
        .fetch_one(&mut *behind)
        .await
        .unwrap();
    let never = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
    let an_account = behind.account("governor1@oakfield.example").await;

    // Each question with `$` for the id: theirs, and one that never was.
    for (question, theirs) in [
        ("select count(*)::text from membership where id = '$'", place),
        ("select count(*)::text from membership where tenant_id = '$'", their_tenant),
        ("select count(*)::text from account where id = '$'", their_account),
        ("select count(*)::text from tenant where id = '$'", their_tenant),
        ("select count(*)::text from event where tenant_id = '$'", their_tenant),
        ("update membership set name = 'x' where id = '$' returning 'changed'", place),
        ("select sec.invite('$')::text", place),
        ("select sec.revoke('$', 'x')::text", their_account),
        ("select sec.end_session('\\x%', '$')::text", their_session),
        ("select sec.ticket_issue('\\x%', '$', decode(repeat('01', 32), 'hex'))::text", their_tenant),
        ("insert into membership (tenant_id, account_id, name, roles) values ('$', '~', 'x', array['governor']) returning 'made'", their_tenant),
        ("insert into membership (tenant_id, account_id, name, roles) values ('$', '~', 'x', array['governor']) on conflict do nothing returning 'made'", their_tenant),
        ("select name from sec.invitation_open(sha256('$'), '@')", place),
        ("select sec.invitation_accept(sha256('$'), '@', 'x')", place),
    ] {
        let mut answers = Vec::new();
        for id in [theirs, never] {
            let sql = question.replace('$', &id.to_string()).replace('%', &token).replace('~', &an_account.to_string()).replace('@', &tenant.to_string());
            let answer = run(&mut web, &begins, &Try::Rows(sql)).await;
            answers.push(match answer {
                Ok((rows, _)) => rows.join(","),
                Err(error) => error.to_string().replace(&id.to_string(), "$"),
            });
        }
        assert_eq!(answers[0], answers[1], "{question}");
    }

    // By address: somebody known elsewhere, and somebody unknown. The ids say nothing of their age either.
    let mut added = Vec::new();
    for email in ["chair@northgate.example", "nobody.at.all@elsewhere.example"] {
        let (ids, _) = run(&mut web, &begins, &Try::Rows(format!("select sec.account_for('{email}')::text"))).await.unwrap();
        let insert = format!("insert into membership (tenant_id, account_id, name, roles) values ('{tenant}', '{}', 'x', array['governor']) returning 'made'", ids[0]);
        let (made, _) = run(&mut web, &begins, &Try::Rows(insert)).await.unwrap();
        let (seen, _) = run(&mut web, &begins, &Try::Rows(format!("select email || (created_at is null)::text from account where id = '{}'", ids[0]))).await.unwrap_or_default();
        let version = Uuid::parse_str(&ids[0]).unwrap().get_version_num();
        added.push((ids.len(), version, made, seen));
    }
    assert_eq!(added[0], added[1]);
    assert_eq!(added[0].1, 4, "an account's id tells no time");
    let age = run(&mut web, &begins, &Try::Rows("select created_at::text from account".to_owned())).await;
    assert!(age.is_err(), "when an account was made says whether it was known before");
}
