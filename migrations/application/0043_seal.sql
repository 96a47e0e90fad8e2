-- What a look at the seal costs. A statement takes one for each policy that asks who calls, up to nine of them, and a page has many
-- statements: a look took 8.6 µs and takes 5.2, of which 1.7 read the key and 1.6 hash. A function in SQL that reads a table was
-- started anew each time; and a text is counted letter by letter where bytes are not, so the mac stands first.

set local role quorate_sec;

drop function sec.mac(text);
create function sec.mac(body bytea) returns text
language plpgsql stable parallel restricted
as $$
declare
  secret bytea;
begin
  select k.secret into secret from sec.key k where k.id = 'seal';
  return encode(sha256(secret || sha256(
    secret || int4send(pg_backend_pid()) || timestamptz_send(now()) || body)), 'hex');
end
$$;

-- mac | tenant | account | membership | session | roles | version; absent parts are empty.
create or replace function sec.put_seal(tenant uuid, account uuid, membership uuid, session uuid, roles text[], version bigint)
returns void
language plpgsql volatile parallel unsafe
as $$
declare
  body text := concat_ws('|', '', coalesce(tenant::text, ''), coalesce(account::text, ''), coalesce(membership::text, ''),
    coalesce(session::text, ''), array_to_string(coalesce(roles, '{}'), ','), coalesce(version::text, ''));
begin
  perform set_config('sec.caller', sec.mac(convert_to(body, 'UTF8')) || body, true);
end
$$;

-- The seal as it was put, null where there is none or one that was made otherwise. After a commit the setting is '' and not null.
create function sec.genuine() returns text
language plpgsql stable parallel restricted
as $$
declare
  sealed constant text := current_setting('sec.caller', true);
begin
  if starts_with(sealed, sec.mac(substring(convert_to(sealed, 'UTF8') from 65))) then
    return sealed;
  end if;
  return null;
end
$$;

-- Its parts, the tenant first.
create or replace function sec.seal() returns text[]
language plpgsql stable parallel restricted
as $$ begin return (string_to_array(sec.genuine(), '|'))[2:]; end $$;

create or replace function sec.tenant() returns uuid
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return nullif(split_part(sec.genuine(), '|', 2), '')::uuid; end $$;

create or replace function sec.person() returns uuid
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return nullif(split_part(sec.genuine(), '|', 3), '')::uuid; end $$;

create or replace function sec.membership() returns uuid
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return nullif(split_part(sec.genuine(), '|', 4), '')::uuid; end $$;

create or replace function sec.session_id() returns uuid
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return nullif(split_part(sec.genuine(), '|', 5), '')::uuid; end $$;

create or replace function sec.has_role(variadic wanted text[]) returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return coalesce(string_to_array(split_part(sec.genuine(), '|', 6), ',') && wanted, false); end $$;

set local role quorate_owner;

-- The same people as before (0003), the staff asked for first: they look at most rows, and the others are then not asked for.
alter policy membership_select on membership using (
  tenant_id = (select sec.tenant()) and (
    (select sec.has_role('clerk', 'school_admin', 'senior_leader', 'trust_admin', 'trust_lead', 'org_admin'))
    or ((select sec.has_role('chair', 'governor', 'associate', 'senco', 'teacher', 'teaching_assistant', 'org_staff'))
      and not roles <@ array['parent', 'member'])
    or account_id = (select sec.person())));

-- `offset 0` keeps the planner from reading the whole school into a table in order to look up one account: in a school of 220 a
-- person by their key took 206 µs more than without row security, with all of this about 60.
alter policy account_select on account using (
  id = (select sec.person())
  or ((select sec.has_role('clerk', 'school_admin', 'senior_leader', 'trust_admin', 'org_admin'))
    and exists (select from membership m where m.tenant_id = (select sec.tenant()) and m.account_id = account.id offset 0)));

reset role;
