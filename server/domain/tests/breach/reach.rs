//! What the web server's login reaches for beyond rows: definitions, roles, files and functions that are not its own.

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use testing::{Fresh, Role};

/// What a leaked password of the web login would be used for first.
const REACHES: &[&str] = &[
    "create table loot (id int)",
    "create table public.loot (id int)",
    "create temporary table loot (id int)",
    "create schema loot",
    "create function loot() returns int language sql as 'select 1'",
    "create view loot as select 1",
    "create extension dblink",
    "create role loot",
    "truncate membership",
    "truncate event",
    "alter table membership disable row level security",
    "alter policy membership_select on membership using (true)",
    "drop policy membership_select on membership",
    "create policy loot on membership using (true)",
    "alter role quorate_web bypassrls",
    "alter role quorate_web superuser",
    "set role quorate_sec",
    "set role quorate_owner",
    "set role postgres",
    "set role quorate_backup",
    "set session authorization quorate_backup",
    "set session_replication_role = replica",
    "set log_statement = 'all'",
    "set row_security = off; select count(*) from membership",
    "select sec.mac('x')",
    "select sec.genuine()",
    "select sec.seal()",
    "select sec.put_seal(null, null, null, null, array['school_admin'], 1)",
    "select sec.enter_job((select tenant_id from sec.host('oakfield')))",
    "select sec.append_for((select tenant_id from sec.host('oakfield')), null, 'a.b', null, '{}', '{}', null)",
    "select sec.make_person((select tenant_id from sec.host('oakfield')), 'a@b.example', 'A', array['school_admin'])",
    "select sec.tail(array[(select tenant_id from sec.host('oakfield'))], array[0::bigint])",
    "select sec.unlock('admin@oakfield.example')",
    "select sec.proves(null, 'x')",
    "select sec.vacant_seats((select tenant_id from sec.host('oakfield')), '2026-06-18')",
    "select * from sec.ending_terms((select tenant_id from sec.host('oakfield')), '2026-06-18')",
    "select * from sec.copy_claim()",
    "select * from sec.declarations_due((select tenant_id from sec.host('oakfield')), '2026-06-18')",
    "select pg_read_file('/etc/passwd')",
    "select pg_ls_dir('.')",
    "select lo_import('/etc/passwd')",
    "select lo_create(0)",
    "copy membership to '/tmp/loot'",
    "copy membership to program 'cat'",
    "select * from pg_authid",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename <> 'quorate_web'",
    "do $$ begin execute 'create table loot (id int)'; end $$",
];

#[tokio::test]
async fn the_web_login_reaches_for_more_and_gets_nothing() {
    let fresh = Fresh::demo().await;
    let mut web = fresh.options(Role::Web).connect().await.unwrap();
    for reach in REACHES {
        let mut trial = web.begin().await.unwrap();
        let error = trial
            .execute(sqlx::raw_sql(AssertSqlSafe((*reach).to_owned())))
            .await
            .err();
        let code = error
            .as_ref()
            .and_then(|error| error.as_database_error())
            .and_then(|error| error.code().map(|code| code.to_string()));
        assert_eq!(code.as_deref(), Some("42501"), "{reach}: {error:?}");
        trial.rollback().await.unwrap();
    }
    let error = web
        .execute("alter system set log_statement = 'all'")
        .await
        .unwrap_err();
    assert_eq!(
        error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .as_deref(),
        Some("42501")
    );
    // Who has no grant option is only warned, as the standard has it: nothing is granted.
    let acl = "select array_agg(relname || coalesce(relacl::text, '-') order by oid)::text from pg_class where relkind in ('r', 'p')";
    let before: String = sqlx::query_scalar(acl).fetch_one(&mut web).await.unwrap();
    web.execute("grant all on membership, tenant to public")
        .await
        .unwrap();
    let after: String = sqlx::query_scalar(acl).fetch_one(&mut web).await.unwrap();
    assert_eq!(before, after);
    // What planners and others' statements would tell.
    for look in [
        "select count(*) from pg_stats where schemaname in ('public', 'sec') and tablename <> '_sqlx_migrations'",
        "select count(*) from pg_stat_activity where query not in ('', '<insufficient privilege>')",
        "select count(*) from pg_largeobject_metadata",
    ] {
        let seen: i64 = sqlx::query_scalar(AssertSqlSafe(look.to_owned()))
            .fetch_one(&mut web)
            .await
            .unwrap();
        assert_eq!(seen, 0, "{look}");
    }
    web.close().await.unwrap();
}
