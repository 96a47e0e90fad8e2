//! What holds for every table, policy, function and login, read from the catalog of a real database: a table that is
//! added tomorrow is held to it too. There is no list of exceptions but the platform's own tables, named below.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use testing::{Database, Fresh};

/// Tables of every tenant, with the partitions of those that have some. `tenant` and `account` are the platform's, and
/// `_sqlx_migrations` is the tool's.
const TENANT_TABLES: &str = "
  tenant_table as (
    select c.oid from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'f')
      and c.relname not in ('tenant', 'account', '_sqlx_migrations')
    union
    select i.inhrelid from pg_inherits i join tenant_table t on i.inhparent = t.oid
  ), platform_table as (
    select c.oid from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname in ('tenant', 'account')
  ), held as (select oid from tenant_table union all select oid from platform_table),
  login as (select oid, rolname from pg_roles where rolname like 'quorate\\_%' and rolcanlogin)";

/// Each rule: what it says, and a query for who breaks it.
const RULES: &[(&str, &str)] = &[
    (
        "every tenant table carries tenant_id uuid not null",
        "select t.oid::regclass::text from tenant_table t where not exists (
           select from pg_attribute a where a.attrelid = t.oid and a.attname = 'tenant_id'
             and a.atttypid = 'uuid'::regtype and a.attnotnull and not a.attisdropped)",
    ),
    (
        "every tenant table has a primary key",
        "select t.oid::regclass::text from tenant_table t
         where not exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary)",
    ),
    (
        "tenant_id comes first in every primary and unique key",
        "select i.indexrelid::regclass::text from pg_index i join tenant_table t on t.oid = i.indrelid
         where i.indisunique and not exists (
           select from pg_attribute a where a.attrelid = i.indrelid and a.attnum = i.indkey[0] and a.attname = 'tenant_id')",
    ),
    (
        "a foreign key to a tenant's row carries the tenant, first and on both sides",
        "select k.conrelid::regclass || '.' || k.conname from pg_constraint k join tenant_table t on t.oid = k.confrelid
         where k.contype = 'f' and not (
           exists (select from pg_attribute a
             where a.attrelid = k.conrelid and a.attnum = k.conkey[1] and a.attname = 'tenant_id')
           and exists (select from pg_attribute a
             where a.attrelid = k.confrelid and a.attnum = k.confkey[1] and a.attname = 'tenant_id'))",
    ),
    (
        "a tenant table refers to a tenant by tenant_id only, and to no platform table but the account",
        "select k.conrelid::regclass || '.' || k.conname from pg_constraint k join tenant_table t on t.oid = k.conrelid
         where k.contype = 'f' and k.confrelid not in (select oid from tenant_table)
           and not (k.confrelid = 'public.account'::regclass)
           and not (k.confrelid = 'public.tenant'::regclass and cardinality(k.conkey) = 1 and exists (
             select from pg_attribute a
             where a.attrelid = k.conrelid and a.attnum = k.conkey[1] and a.attname = 'tenant_id'))",
    ),
    (
        "row security is on and holds the owner too",
        "select c.oid::regclass::text from held h join pg_class c on c.oid = h.oid
         where not (c.relrowsecurity and c.relforcerowsecurity)",
    ),
    (
        "a policy is for named roles and one command",
        "select p.polrelid::regclass || '.' || p.polname from pg_policy p where p.polroles = '{0}' or p.polcmd = '*'",
    ),
    (
        "the web has exactly one policy for each command that it was granted, and none for others",
        "select h.oid::regclass || ' ' || c.word || ': ' || count(p.oid)
         from held h
         cross join (values ('r'::\"char\", 'select'), ('a', 'insert'), ('w', 'update'), ('d', 'delete')) as c (cmd, word)
         left join pg_policy p on p.polrelid = h.oid and p.polcmd = c.cmd and 'quorate_web'::regrole = any (p.polroles)
         group by h.oid, c.cmd, c.word
         having count(p.oid) <> (has_table_privilege('quorate_web', h.oid, c.word)
           or (c.word <> 'delete' and has_any_column_privilege('quorate_web', h.oid, case c.word when 'delete' then 'select' else c.word end))
         )::int",
    ),
    (
        "what is read, changed and deleted is chosen by `using`, what is written is held by `with check`",
        "select p.polrelid::regclass || '.' || p.polname from pg_policy p join held h on h.oid = p.polrelid
         where (p.polcmd in ('r', 'w', 'd') and p.polqual is null) or (p.polcmd in ('a', 'w') and p.polwithcheck is null)",
    ),
    (
        "both sides of every policy of the web, the worker and the live login name the sealed tenant or person",
        "select p.polrelid::regclass || '.' || p.polname from pg_policy p join held h on h.oid = p.polrelid
         cross join lateral (values (pg_get_expr(p.polqual, p.polrelid)), (pg_get_expr(p.polwithcheck, p.polrelid))) as side (term)
         where p.polroles && array['quorate_web', 'quorate_worker', 'quorate_live']::regrole[]::oid[]
           and side.term is not null
           and case when h.oid in (select oid from tenant_table)
             then side.term !~ '^\\(+tenant_id = \\( SELECT sec\\.tenant\\(\\)'
             else side.term !~ '^\\(+id = \\( SELECT sec\\.(tenant|person)\\(\\)' end",
    ),
    (
        "a policy has no `or` outside the tenant term",
        // Alone it prints as (tenant_id = …), before others as ((tenant_id = …) AND …). With an `or` further out there would be
        // another parenthesis before it, or the `or` after it.
        "select p.polrelid::regclass || '.' || p.polname from pg_policy p join tenant_table t on t.oid = p.polrelid
         cross join lateral (values (pg_get_expr(p.polqual, p.polrelid)), (pg_get_expr(p.polwithcheck, p.polrelid))) as side (term)
         where p.polroles && array['quorate_web', 'quorate_worker', 'quorate_live']::regrole[]::oid[]
           and side.term !~ '^\\(tenant_id = \\( SELECT sec\\.tenant\\(\\) AS tenant\\)\\)$'
           and side.term !~ '^\\(\\(tenant_id = \\( SELECT sec\\.tenant\\(\\) AS tenant\\)\\) AND '",
    ),
    (
        "tables stand where these rules look for them",
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'f', 'v', 'm') and n.nspname not in ('public', 'sec', 'pg_catalog', 'information_schema', 'pg_toast')",
    ),
    (
        "the auditor and the backup only read",
        "select h.oid::regclass || ' ' || l.rolname from held h join login l on l.rolname in ('quorate_auditor', 'quorate_backup')
         where has_table_privilege(l.oid, h.oid, 'insert, update, delete, truncate, references, trigger')
            or has_any_column_privilege(l.oid, h.oid, 'insert, update')",
    ),
    (
        "no login may truncate, put triggers on or point keys at a table, or lock it out by maintaining it",
        "select c.oid::regclass || ' ' || l.rolname from pg_class c cross join login l
         where c.relkind in ('r', 'p') and c.relnamespace in ('public'::regnamespace, 'sec'::regnamespace)
           and l.rolname <> 'quorate_migrator'
           and has_table_privilege(l.oid, c.oid, 'truncate, references, trigger, maintain')",
    ),
    (
        "no login may read or write a table of sec, but the backup reads",
        "select c.oid::regclass || ' ' || l.rolname from pg_class c cross join login l
         where c.relkind in ('r', 'p', 'v', 'S') and c.relnamespace = 'sec'::regnamespace
           and (l.rolname <> 'quorate_backup' and (has_table_privilege(l.oid, c.oid, 'select')
                or (c.relkind <> 'S' and has_any_column_privilege(l.oid, c.oid, 'select, insert, update')))
             or has_table_privilege(l.oid, c.oid, 'insert, update, delete'))",
    ),
    (
        "no login writes to the log, nor any role at all changes it",
        "select r.rolname || ' ' || c.oid::regclass from pg_class c cross join pg_roles r
         where (c.oid = 'public.event'::regclass or c.oid in (select inhrelid from pg_inherits where inhparent = 'public.event'::regclass))
           and (r.rolname in (select rolname from login) and (has_table_privilege(r.oid, c.oid, 'insert, update, delete, truncate')
                or has_any_column_privilege(r.oid, c.oid, 'insert, update')))
         union all
         select p.polname::text from pg_policy p where p.polrelid = 'public.event'::regclass and p.polcmd in ('w', 'd', '*')",
    ),
    (
        "no login owns anything",
        "select l.rolname || ' owns ' || pg_describe_object(d.classid, d.objid, d.objsubid)
         from pg_shdepend d join login l on l.oid = d.refobjid
         where d.refclassid = 'pg_authid'::regclass and d.deptype = 'o'
           and d.dbid in (0, (select oid from pg_database where datname = current_database()))",
    ),
    (
        "only the backup is beyond row security, and no login is a superuser or makes roles and databases",
        "select rolname::text from pg_roles where rolname like 'quorate\\_%'
           and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls <> (rolname = 'quorate_backup'))",
    ),
    (
        "only the migrator may become an owner, by saying so, and only the backup is a member of what reads everything",
        "select m.rolname || ' in ' || g.rolname from pg_auth_members a
         join pg_roles m on m.oid = a.member join pg_roles g on g.oid = a.roleid
         where m.rolname like 'quorate\\_%' and not (
           m.rolname = 'quorate_migrator' and g.rolname in ('quorate_owner', 'quorate_sec') and not a.inherit_option and not a.admin_option
           or m.rolname = 'quorate_backup' and g.rolname = 'pg_read_all_data' and not a.set_option and not a.admin_option)",
    ),
    (
        "there are no materialised views, which know no row security, and no foreign tables",
        "select oid::regclass::text from pg_class where relkind in ('m', 'f')
           and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)",
    ),
    (
        "a view reads with the rights of who asks",
        "select oid::regclass::text from pg_class where relkind = 'v'
           and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
           and not coalesce(reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false)",
    ),
    (
        "a function that runs as its owner stands in sec, belongs to quorate_sec and finds its names in fixed schemas",
        "select p.oid::regprocedure::text from pg_proc p
         where p.prosecdef and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
           and (p.pronamespace <> 'sec'::regnamespace or p.proowner <> 'quorate_sec'::regrole
             or not coalesce('search_path=pg_catalog, sec, pg_temp' = any (p.proconfig), false))",
    ),
    (
        "no function of ours is for everybody",
        "select p.oid::regprocedure::text from pg_proc p
         where p.pronamespace in ('sec'::regnamespace, 'public'::regnamespace)
           and (p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0))",
    ),
    (
        "no login makes things: no schema, no table, no temporary table that would come first on a search path",
        "select l.rolname || ' ' || n.nspname from login l cross join pg_namespace n
         where has_schema_privilege(l.oid, n.oid, 'create') and n.nspname !~ '^pg_(toast_)?temp'
         union all
         select l.rolname || ' ' || p.word from login l
         cross join (values ('create'), ('temporary')) as p (word)
         where has_database_privilege(l.oid, current_database(), p.word)",
    ),
    (
        "everybody else is shut out of the schemas and the database",
        "select n.nspname::text from pg_namespace n, aclexplode(n.nspacl) a
         where n.nspname in ('public', 'sec') and a.grantee = 0
         union all
         select d.datname::text from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
         where d.datname = current_database() and a.grantee = 0",
    ),
    (
        "no column that row security compares is of a type whose comparison may tell what it saw",
        "select a.attrelid::regclass || '.' || a.attname from pg_attribute a join held h on h.oid = a.attrelid
         join pg_type y on y.oid = a.atttypid where a.attnum > 0 and y.typtype = 'e'",
    ),
    (
        "nothing is rewritten or triggered behind the tables' backs",
        "select r.rulename || ' on ' || r.ev_class::regclass from pg_rewrite r join held h on h.oid = r.ev_class
         union all select evtname::text from pg_event_trigger",
    ),
];

async fn broken(connection: &mut PgConnection, rule: &str) -> Vec<String> {
    let (name, query) = RULES.iter().find(|(name, _)| *name == rule).unwrap();
    sqlx::query_scalar(AssertSqlSafe(format!(
        "with recursive {TENANT_TABLES} {query}"
    )))
    .fetch_all(connection)
    .await
    .unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[tokio::test]
async fn every_table_policy_function_and_login_keeps_the_rules() {
    let fresh = Fresh::empty().await;
    let mut behind = fresh.behind().await;
    let mut found = Vec::new();
    for (rule, _) in RULES {
        for who in broken(&mut behind, rule).await {
            found.push(format!("{rule}: {who}"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    // The rules are about something.
    let tables: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
        "with recursive {TENANT_TABLES} select count(*) from held"
    )))
    .fetch_one(&mut *behind)
    .await
    .unwrap();
    assert!(
        tables >= 8,
        "tenant, account, membership, event and its partitions, but found {tables}"
    );
}

/// Each breach, and the rule that must find it.
const BREACHES: &[(&str, &str)] = &[
    ("create table paper (id uuid primary key)", "every tenant table carries tenant_id uuid not null"),
    ("create table paper (tenant_id uuid, id uuid not null unique)", "every tenant table carries tenant_id uuid not null"),
    ("create table paper (tenant_id uuid not null)", "every tenant table has a primary key"),
    ("create table paper (tenant_id uuid not null, id uuid primary key)", "tenant_id comes first in every primary and unique key"),
    ("create unique index name_key on membership (name)", "tenant_id comes first in every primary and unique key"),
    (
        "alter table membership add constraint loose unique (id);
         create table paper (tenant_id uuid not null, id uuid, by uuid references membership (id), primary key (tenant_id, id))",
        "a foreign key to a tenant's row carries the tenant, first and on both sides",
    ),
    (
        "create table paper (tenant_id uuid not null, id uuid, of uuid references tenant, primary key (tenant_id, id))",
        "a tenant table refers to a tenant by tenant_id only, and to no platform table but the account",
    ),
    ("alter table membership disable row level security", "row security is on and holds the owner too"),
    ("alter table account no force row level security", "row security is on and holds the owner too"),
    ("alter table sec.event_default disable row level security", "row security is on and holds the owner too"),
    ("create policy more on membership for select using (false)", "a policy is for named roles and one command"),
    (
        "create policy more on membership for select to quorate_web using (tenant_id = (select sec.tenant()))",
        "the web has exactly one policy for each command that it was granted, and none for others",
    ),
    ("grant delete on membership to quorate_web", "the web has exactly one policy for each command that it was granted, and none for others"),
    ("grant insert (email) on account to quorate_web", "the web has exactly one policy for each command that it was granted, and none for others"),
    ("drop policy membership_insert on membership", "the web has exactly one policy for each command that it was granted, and none for others"),
    (
        "drop policy membership_update on membership;
         create policy membership_update on membership for update to quorate_web using (tenant_id = (select sec.tenant()))",
        "what is read, changed and deleted is chosen by `using`, what is written is held by `with check`",
    ),
    (
        "alter policy membership_insert on membership with check (true)",
        "both sides of every policy of the web, the worker and the live login name the sealed tenant or person",
    ),
    (
        "alter policy account_select on account using (true)",
        "both sides of every policy of the web, the worker and the live login name the sealed tenant or person",
    ),
    (
        "alter policy event_worker_select on event using (true)",
        "both sides of every policy of the web, the worker and the live login name the sealed tenant or person",
    ),
    (
        "alter policy membership_select on membership using (tenant_id = (select sec.tenant()) or name = 'Joan Whitlock')",
        "a policy has no `or` outside the tenant term",
    ),
    (
        "alter policy membership_select on membership using (tenant_id = (select sec.tenant()) and state = 'active' or name = 'Joan Whitlock')",
        "a policy has no `or` outside the tenant term",
    ),
    (
        "create schema more; create table more.paper (id uuid primary key)",
        "tables stand where these rules look for them",
    ),
    ("grant update on event to quorate_auditor", "the auditor and the backup only read"),
    (
        "grant truncate on membership to quorate_web",
        "no login may truncate, put triggers on or point keys at a table, or lock it out by maintaining it",
    ),
    ("grant select on sec.credential to quorate_web", "no login may read or write a table of sec, but the backup reads"),
    ("grant select (id) on sec.session to quorate_live", "no login may read or write a table of sec, but the backup reads"),
    ("grant insert on event to quorate_worker", "no login writes to the log, nor any role at all changes it"),
    (
        "create policy event_sec_delete on event for delete to quorate_sec using (true)",
        "no login writes to the log, nor any role at all changes it",
    ),
    ("alter table membership owner to quorate_web", "no login owns anything"),
    (
        "alter role quorate_worker bypassrls",
        "only the backup is beyond row security, and no login is a superuser or makes roles and databases",
    ),
    (
        "grant pg_read_all_data to quorate_auditor",
        "only the migrator may become an owner, by saying so, and only the backup is a member of what reads everything",
    ),
    (
        "grant quorate_sec to quorate_migrator with inherit true",
        "only the migrator may become an owner, by saying so, and only the backup is a member of what reads everything",
    ),
    (
        "create materialized view everybody as select * from membership",
        "there are no materialised views, which know no row security, and no foreign tables",
    ),
    ("create view everybody as select * from membership", "a view reads with the rights of who asks"),
    (
        "create function sec.peek() returns bigint language sql security definer as 'select count(*) from public.membership'",
        "a function that runs as its owner stands in sec, belongs to quorate_sec and finds its names in fixed schemas",
    ),
    ("alter function sec.enter(bytea) reset search_path",
        "a function that runs as its owner stands in sec, belongs to quorate_sec and finds its names in fixed schemas"),
    ("grant execute on function sec.enter_job(uuid) to public", "no function of ours is for everybody"),
    (
        "grant create on schema public to quorate_web",
        "no login makes things: no schema, no table, no temporary table that would come first on a search path",
    ),
    ("grant usage on schema sec to public", "everybody else is shut out of the schemas and the database"),
    (
        "create type colour as enum ('red'); alter table membership add colour colour",
        "no column that row security compares is of a type whose comparison may tell what it saw",
    ),
    (
        "create rule quiet as on delete to membership do instead nothing",
        "nothing is rewritten or triggered behind the tables' backs",
    ),
];

#[tokio::test]
async fn each_rule_finds_its_breach() {
    let fresh = Fresh::empty().await;
    let mut behind = fresh.behind().await;
    for (breach, rule) in BREACHES {
        let mut trial = behind.begin().await.unwrap();
        trial
            .execute(sqlx::raw_sql(AssertSqlSafe((*breach).to_owned())))
            .await
            .unwrap_or_else(|error| panic!("{breach}: {error}"));
        let found = broken(&mut trial, rule).await;
        assert!(!found.is_empty(), "nobody noticed: {breach}");
        trial.rollback().await.unwrap();
    }
    let untried: Vec<_> = RULES
        .iter()
        .filter(|(rule, _)| !BREACHES.iter().any(|(_, tried)| tried == rule))
        .collect();
    assert!(untried.is_empty(), "never seen to fail: {untried:#?}");
}

/// Who may call what, and who was granted what on which columns: a change shows as a change of catalog.txt.
const ALLOWED: &str = "
  select format('function %s(%s)%s: %s', p.proname, pg_get_function_identity_arguments(p.oid),
      case when p.prosecdef then '' else ' as the caller' end,
      coalesce((select string_agg(a.grantee::regrole::text, ' ' order by a.grantee::regrole::text)
        from aclexplode(p.proacl) a where a.grantee <> p.proowner), 'nobody'))
  from pg_proc p where p.pronamespace in ('sec'::regnamespace, 'public'::regnamespace)
  union all
  select format('table %s: %s %s', c.oid::regclass, a.grantee::regrole, string_agg(lower(a.privilege_type), ' ' order by a.privilege_type))
  from pg_class c, aclexplode(c.relacl) a
  where c.relkind in ('r', 'p', 'v', 'S') and c.relnamespace in ('sec'::regnamespace, 'public'::regnamespace)
    and a.grantee <> c.relowner and c.relname !~ '^event_[0-9]'
  group by c.oid, a.grantee
  union all
  select format('columns of %s: %s %s (%s)', t.attrelid::regclass, a.grantee::regrole, lower(a.privilege_type),
      string_agg(t.attname, ', ' order by t.attnum))
  from pg_attribute t, aclexplode(t.attacl) a, pg_class c
  where c.oid = t.attrelid and c.relnamespace in ('sec'::regnamespace, 'public'::regnamespace) and not t.attisdropped
  group by t.attrelid, a.grantee, a.privilege_type
  order by 1";

#[tokio::test]
async fn who_may_do_what_is_written_down() {
    let fresh = Fresh::empty().await;
    let mut behind = fresh.behind().await;
    let found: Vec<String> = sqlx::query_scalar(ALLOWED)
        .fetch_all(&mut *behind)
        .await
        .unwrap();
    let found = found.join("\n") + "\n";
    let written = include_str!("catalog.txt");
    if found != written {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("catalog.txt");
        std::fs::write(&path, &found).unwrap();
        let news: Vec<_> = found
            .lines()
            .filter(|line| !written.lines().any(|known| known == *line))
            .collect();
        let gone: Vec<_> = written
            .lines()
            .filter(|line| !found.lines().any(|known| known == *line))
            .collect();
        panic!(
            "is this meant? New: {news:#?} gone: {gone:#?}\nIf so: cp {} server/domain/tests/catalog.txt",
            path.display()
        );
    }
}

#[tokio::test]
async fn no_login_owns_anything_in_the_other_databases_but_the_queue_its_own() {
    let fresh = Fresh::empty()
        .await
        .with(Database::Cache)
        .await
        .with(Database::Live)
        .await;
    for database in [Database::Cache, Database::Live] {
        let mut behind = fresh.superuser(database).await;
        let owned: Vec<String> = sqlx::query_scalar(
            "select r.rolname || ' owns ' || pg_describe_object(d.classid, d.objid, d.objsubid)
             from pg_shdepend d join pg_roles r on r.oid = d.refobjid
             where d.refclassid = 'pg_authid'::regclass and d.deptype = 'o' and r.rolcanlogin and not r.rolsuper
               and d.dbid = (select oid from pg_database where datname = current_database())",
        )
        .fetch_all(&mut behind)
        .await
        .unwrap();
        assert_eq!(owned, Vec::<String>::new(), "{}", database.name());
        let tables: Vec<String> = sqlx::query_scalar(
            "select c.relname::text from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
             and has_table_privilege($1, c.oid, 'select, insert, update, delete, truncate')",
        )
        .bind(if database == Database::Cache { "quorate_cache" } else { "quorate_bus" })
        .fetch_all(&mut behind)
        .await
        .unwrap();
        assert_eq!(
            tables,
            Vec::<String>::new(),
            "the functions are all there is in {}",
            database.name()
        );
    }
}
