-- Roles of the whole cluster and their settings. Run by a superuser, connected to any database (usually
-- `postgres`), before the four databases are made. Safe to run at every start.
--
-- The caller then creates quorate_application, quorate_cache, quorate_jobs and quorate_live (create database
-- cannot run in a transaction), runs grants.sql in each as a superuser, sets the passwords
-- (`alter role … password`), and lets the migrator run the migrations.
-- The cluster is meant to be Quorate's own: the maintenance databases are closed to everybody but superusers.

do $$
declare
  role text;
begin
  -- Owners have no login: nobody who can connect owns a table, so nobody can switch row security off.
  foreach role in array array['quorate_owner', 'quorate_sec'] loop
    if not exists (select from pg_roles where rolname = role) then
      execute format('create role %I nologin', role);
    end if;
    execute format('alter role %I with nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication noinherit', role);
  end loop;

  foreach role in array array[
    'quorate_web', 'quorate_worker', 'quorate_live', 'quorate_auditor', 'quorate_backup', 'quorate_migrator',
    'quorate_cache', 'quorate_jobs', 'quorate_bus'
  ] loop
    if not exists (select from pg_roles where rolname = role) then
      execute format('create role %I login', role);
    end if;
    execute format('alter role %I with login nosuperuser nocreatedb nocreaterole noreplication', role);
    execute format('alter role %I with %s', role, case when role = 'quorate_backup' then 'bypassrls inherit' else 'nobypassrls noinherit' end);
    -- pg_catalog is searched before it without being named; naming it would make it the schema to create in.
    execute format('alter role %I set search_path = public', role);
    execute format('alter role %I set timezone = %L', role, 'UTC');
  end loop;

  foreach role in array array['postgres', 'template1'] loop
    if exists (select from pg_database where datname = role) then
      execute format('revoke all on database %I from public', role);
    end if;
  end loop;
end
$$;

-- The migrator becomes an owner by `set role`; it never acts as one by mere membership.
grant quorate_owner, quorate_sec to quorate_migrator with inherit false, set true, admin false;

-- A dump needs every row of every table, and nothing else does.
grant pg_read_all_data to quorate_backup with inherit true, set false, admin false;
alter role quorate_backup set default_transaction_read_only = on;
alter role quorate_auditor set default_transaction_read_only = on;

-- Tokens stand in statement text (`select sec.enter('\x…')`). Whoever shares the role could read the statements
-- of its other connections in pg_stat_activity, and the log would keep them: neither may ever see one.
do $$
declare
  role text;
begin
  foreach role in array array['quorate_web', 'quorate_worker', 'quorate_live', 'quorate_migrator'] loop
    execute format('alter role %I set track_activities = off', role);
    execute format('alter role %I set log_statement = none', role);
    execute format('alter role %I set log_min_duration_statement = -1', role);
    execute format('alter role %I set log_min_duration_sample = -1', role);
    execute format('alter role %I set log_min_error_statement = panic', role);
    execute format('alter role %I set log_parameter_max_length = 0', role);
    execute format('alter role %I set log_parameter_max_length_on_error = 0', role);
  end loop;

  -- A request that lost its client must not keep a tenant's event_head locked.
  foreach role in array array['quorate_web', 'quorate_worker', 'quorate_live'] loop
    execute format('alter role %I set idle_in_transaction_session_timeout = %L', role, '15s');
    execute format('alter role %I set statement_timeout = %L', role, case when role = 'quorate_worker' then '120s' else '30s' end);
    execute format('alter role %I set lock_timeout = %L', role, '10s');
  end loop;
end
$$;
