-- The sealed caller. A plain setting is no boundary, since whoever can run SQL can set it; so `sec.enter` writes who
-- calls together with a keyed hash of it, and only functions of this schema can make or check that hash.
-- Everything in `sec` belongs to quorate_sec, which has no login; no login has a grant on any of its tables.

set local role quorate_sec;

create schema sec;
grant usage on schema sec to quorate_owner, quorate_migrator, quorate_web, quorate_worker, quorate_live, quorate_auditor;

-- A function is for nobody until it is granted by name.
alter default privileges for role quorate_sec revoke execute on functions from public;
alter default privileges for role quorate_sec revoke usage on types from public;

-- `seal` signs callers and may be replaced at any time; `salt` makes the salts of unknown people and must stay, or
-- they would be told from known ones when theirs change.
create table sec.key (
  id text not null,
  secret bytea not null,
  made_at timestamptz not null default now(),
  constraint key_pkey primary key (id),
  constraint key_id_known check (id in ('seal', 'salt')),
  constraint key_secret_length check (octet_length(secret) = 32)
);

-- gen_random_uuid draws from the operating system's strong source, 122 bits each.
insert into sec.key (id, secret)
select id, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
from unnest(array['seal', 'salt']) as id;

-- Which history this is. A restored copy gets a new one, and open pages then know that their seq means nothing.
create table sec.epoch (
  id uuid not null default gen_random_uuid(),
  one boolean not null default true,
  constraint epoch_pkey primary key (one),
  constraint epoch_is_one check (one)
);
insert into sec.epoch default values;

create function sec.epoch() returns uuid
language sql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$ select e.id from sec.epoch e $$;

-- Bound to this backend and this transaction, so that a seal which leaks is worthless one commit later.
create function sec.mac(body text) returns text
language sql stable parallel restricted
as $$
  select encode(sha256(k.secret || sha256(
    k.secret || int4send(pg_backend_pid()) || timestamptz_send(now()) || convert_to(body, 'UTF8'))), 'hex')
  from sec.key k where k.id = 'seal'
$$;

-- tenant | account | membership | session | roles | version | mac; absent parts are empty.
create function sec.put_seal(tenant uuid, account uuid, membership uuid, session uuid, roles text[], version bigint)
returns void
language plpgsql volatile parallel unsafe
as $$
declare
  body text := concat_ws('|', coalesce(tenant::text, ''), coalesce(account::text, ''), coalesce(membership::text, ''),
    coalesce(session::text, ''), array_to_string(coalesce(roles, '{}'), ','), coalesce(version::text, ''));
begin
  perform set_config('sec.caller', body || '|' || sec.mac(body), true);
end
$$;

-- The parts of a genuine seal, null for none. After a commit the setting is '' and not null, hence nullif.
create function sec.seal() returns text[]
language plpgsql stable parallel restricted
as $$
declare
  sealed text := nullif(current_setting('sec.caller', true), '');
begin
  if sealed is null or length(sealed) < 66 or right(sealed, 64) is distinct from sec.mac(left(sealed, -65)) then
    return null;
  end if;
  return string_to_array(sealed, '|');
end
$$;

create function sec.tenant() returns uuid
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return nullif((sec.seal())[1], '')::uuid; end $$;

-- The account, not the membership: the same person everywhere.
create function sec.person() returns uuid
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return nullif((sec.seal())[2], '')::uuid; end $$;

create function sec.membership() returns uuid
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return nullif((sec.seal())[3], '')::uuid; end $$;

create function sec.session_id() returns uuid
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return nullif((sec.seal())[4], '')::uuid; end $$;

-- Any of them.
create function sec.has_role(variadic wanted text[]) returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return coalesce(string_to_array((sec.seal())[5], ',') && wanted, false); end $$;

-- A job acts for one tenant and for no person.
create function sec.enter_job(tenant uuid) returns text
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  perform set_config('sec.caller', '', true);
  if not exists (select from public.tenant t where t.id = enter_job.tenant) then
    return 'none';
  end if;
  perform sec.put_seal(enter_job.tenant, null, null, null, array['worker'], null);
  return 'ok';
end
$$;

-- The roles that run a tenant; a clerk may neither have nor hand out one of them.
create function sec.admin_roles() returns text[]
language sql immutable parallel safe
as $$ select array['school_admin', 'trust_admin', 'org_admin'] $$;

grant execute on function sec.tenant(), sec.person(), sec.membership(), sec.session_id(), sec.has_role(text[])
  to quorate_web, quorate_worker;
grant execute on function sec.enter_job(uuid) to quorate_worker;
grant execute on function sec.epoch() to quorate_web, quorate_live;

set local role quorate_owner;
alter default privileges for role quorate_owner revoke execute on functions from public;
