-- Who may connect where. Run by a superuser connected to each of the four databases, after cluster.sql and before
-- the migrations, and again after a database was copied (privileges on a database are not copied with it).
-- Safe to run at every start. The database is told by its name: quorate_application, quorate_cache, quorate_jobs,
-- quorate_live, or one of these with a suffix (quorate_application_test_1).

do $$
declare
  kind text := substring(current_database() from '^quorate_(application|cache|jobs|live)(?:_|$)');
  login text;
  logins text[];
begin
  logins := case kind
    when 'application' then array['quorate_web', 'quorate_worker', 'quorate_live', 'quorate_auditor', 'quorate_backup']
    when 'cache' then array['quorate_cache']
    when 'jobs' then array['quorate_jobs']
    when 'live' then array['quorate_bus']
  end;
  if logins is null then
    raise exception 'grants.sql does not know the database %', current_database();
  end if;

  execute format('alter database %I owner to quorate_owner', current_database());
  -- Takes away `temporary` too: a temporary table comes first on every search_path.
  execute format('revoke all on database %I from public', current_database());
  foreach login in array array[
    'quorate_web', 'quorate_worker', 'quorate_live', 'quorate_auditor', 'quorate_backup',
    'quorate_cache', 'quorate_jobs', 'quorate_bus'
  ] loop
    execute format('revoke all on database %I from %I', current_database(), login);
  end loop;
  foreach login in array logins || array['quorate_migrator'] loop
    execute format('grant connect on database %I to %I', current_database(), login);
  end loop;

  -- A large object belongs to the login that made it and knows no tenant.
  revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) from public;

  revoke all on schema public from public;
  if kind = 'application' then
    -- For the schema `sec`, and for the event table, which that role must own to add a partition each month.
    execute format('grant create on database %I to quorate_sec', current_database());
    grant usage, create on schema public to quorate_sec;
    grant usage on schema public to quorate_web, quorate_worker, quorate_auditor;
  elsif kind = 'cache' then
    grant usage on schema public to quorate_cache;
  elsif kind = 'jobs' then
    -- graphile_worker says `create schema if not exists`, which asks for this even when the schema is there.
    execute format('grant create on database %I to quorate_jobs', current_database());
  end if;
end
$$;
