-- What whoever runs the installation does from the command line, as the migrator: open a tenant, put in the first
-- people, and help somebody who is locked out. Each leaves an event; none can be called by the web server.

set local role quorate_sec;

-- Idempotent by label.
create function sec.make_tenant(
  label text, name text, kind text, phase text default null, trust uuid default null, seats integer default null,
  accent text default null
) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  made uuid;
begin
  if trust is not null and not exists (select from public.tenant t where t.id = trust and t.kind = 'trust') then
    raise exception 'a school belongs to a trust only'
      using errcode = '23514', table = 'tenant', constraint = 'tenant_trust_is_trust';
  end if;
  insert into public.tenant as t (label, name, kind, phase, trust_id, seats, accent)
  values (make_tenant.label, make_tenant.name, make_tenant.kind, make_tenant.phase, trust, make_tenant.seats,
    make_tenant.accent)
  on conflict on constraint tenant_label_key do nothing
  returning t.id into made;
  if made is null then
    select t.id into made from public.tenant t where t.label = make_tenant.label;
    return made;
  end if;
  insert into sec.event_head (tenant_id) values (made);
  perform sec.append_for(made, null, 'tenant.opened', null, jsonb_build_object('label', make_tenant.label), '{}', null);
  return made;
end
$$;

-- The account of an address, so that its second factor can be encrypted for it before make_person.
create function sec.make_account(email text) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  made uuid;
begin
  insert into public.account as a (email) values (sec.email(make_account.email))
  on conflict on constraint account_email_key do nothing returning a.id into made;
  if made is null then
    select a.id into made from public.account a where a.email = sec.email(make_account.email);
  end if;
  return made;
end
$$;

-- An active member with, if given, a password and a confirmed factor. Returns the membership. Idempotent: what the
-- person has already (membership, password, factor) is left as it is.
create function sec.make_person(
  tenant uuid, email text, name text, roles text[], phc text default null, factor_secret bytea default null
) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  person uuid := sec.make_account(make_person.email);
  made uuid;
begin
  insert into public.membership as m (tenant_id, account_id, name, roles, state, joined_at)
  values (make_person.tenant, person, make_person.name, make_person.roles, 'active', now())
  on conflict on constraint membership_account_key do nothing
  returning m.id into made;
  if phc is not null then
    insert into sec.credential (account_id, phc) values (person, make_person.phc)
    on conflict on constraint credential_pkey do nothing;
  end if;
  if make_person.factor_secret is not null then
    insert into sec.factor (account_id, pending, secret, confirmed_at) values (person, false, make_person.factor_secret, now())
    on conflict on constraint factor_pkey do nothing;
  end if;
  if made is null then
    select m.id into made from public.membership m where m.tenant_id = make_person.tenant and m.account_id = person;
    return made;
  end if;
  perform sec.append_for(make_person.tenant, null, 'membership.added', made, jsonb_build_object('roles', to_jsonb(make_person.roles)),
    array['people', 'me/' || person], null);
  return made;
end
$$;

-- Lifts every lock of the account. False when there is no such account.
create function sec.unlock(email text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  person uuid;
begin
  select a.id into person from public.account a where a.email = sec.email(unlock.email);
  if person is null then
    return false;
  end if;
  perform sec.lock_account(person);
  update sec.attempt t set recent = '{}', locked_until = null, lock_level = 0
  where t.who in (sec.email_hash(unlock.email), sha256(uuid_send(person)));
  perform sec.append_everywhere(person, null, 'account.unlocked', '{}');
  return true;
end
$$;

-- Takes away the second factor of somebody who lost it, and every session with it: they sign in with the password
-- and enrol anew. False when there is no such account.
create function sec.reset_factors(email text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  person uuid;
begin
  select a.id into person from public.account a where a.email = sec.email(reset_factors.email);
  if person is null then
    return false;
  end if;
  perform sec.lock_account(person);
  delete from sec.factor f where f.account_id = person;
  delete from sec.recovery_code c where c.account_id = person;
  perform sec.end_sessions(person, null, null, 'factor reset');
  perform sec.append_everywhere(person, null, 'factor.reset', '{}');
  return true;
end
$$;

grant execute on function
  sec.make_tenant(text, text, text, text, uuid, integer, text), sec.make_account(text),
  sec.make_person(uuid, text, text, text[], text, bytea), sec.unlock(text), sec.reset_factors(text)
  to quorate_migrator, quorate_owner;

set local role quorate_owner;
