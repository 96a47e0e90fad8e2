-- A forgotten password: asked for by anybody, mailed by the worker, used once within 30 minutes. Never a way around
-- the second factor: it makes no session.

set local role quorate_sec;

-- Does the same small write for every address, and answers nothing, so neither words nor time tell who exists. At
-- most three mails an hour. A tenant where the person is not active gives way to one where they are.
create function sec.reset_ask(email text, tenant uuid default null) returns void
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  place record;
  asked uuid;
begin
  -- Only for the write: to refuse here would let an outsider keep the owner from their link.
  perform sec.try(sec.email_hash(reset_ask.email), 'reset');
  select m.tenant_id, m.id, m.account_id into place
  from public.account a join public.membership m on m.account_id = a.id and m.state = 'active'
  where a.email = sec.email(reset_ask.email) and a.closed_at is null
  order by m.tenant_id is not distinct from reset_ask.tenant desc, m.joined_at limit 1;
  if place.id is null or (
    select count(*) from sec.reset r
    where r.account_id = place.account_id and r.created_at > now() - interval '1 hour') >= 3 then
    return;
  end if;
  insert into sec.reset as r (account_id, tenant_id) values (place.account_id, place.tenant_id)
  returning r.id into asked;
  perform sec.append_for(
    place.tenant_id, null, 'reset.asked', place.id, jsonb_build_object('reset', asked), '{}', null);
end
$$;

-- What the page of a link needs: whether it can be used, and whose it is, for the password manager and for refusing
-- a password made of their own name. One row always.
create function sec.reset_open(token bytea) returns table (usable boolean, email text, name text, challenge text)
language plpgsql stable security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    select true, a.email, m.name, sec.sign_in_challenge(a.email)
    from sec.reset r
    join public.account a on a.id = r.account_id and a.closed_at is null
    join public.membership m on m.tenant_id = r.tenant_id and m.account_id = r.account_id
    where r.token_hash = sec.token_hash(token)
      and r.used_at is null and r.voided_at is null and r.expires_at > clock_timestamp();
  if not found then
    return query select false, null::text, null::text, null::text;
  end if;
end
$$;

-- ok or gone. Sets the password, lifts the lock of a password that was guessed at, voids other links and ends every
-- session of the account.
create function sec.reset_use(token bytea, phc text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  used sec.reset;
  address text;
begin
  perform sec.lock_account((select r.account_id from sec.reset r where r.token_hash = sec.token_hash(token)));
  update sec.reset r set used_at = clock_timestamp()
  where r.token_hash = sec.token_hash(token)
    and r.used_at is null and r.voided_at is null and r.expires_at > clock_timestamp()
    and exists (select from public.account a where a.id = r.account_id and a.closed_at is null)
  returning r.* into used;
  if used.id is null then
    return 'gone';
  end if;
  update sec.reset r set voided_at = clock_timestamp()
  where r.account_id = used.account_id and r.used_at is null and r.voided_at is null;
  select a.email into address from public.account a where a.id = used.account_id;
  perform sec.try_passed(sec.email_hash(address), 'password');
  perform sec.try_passed(sec.email_hash(address), 'known');
  insert into sec.credential as c (account_id, phc) values (used.account_id, reset_use.phc)
  on conflict on constraint credential_pkey do update set phc = excluded.phc, changed_at = clock_timestamp();
  perform sec.end_sessions(used.account_id, null, null, 'password reset');
  perform sec.append_everywhere(used.account_id, used.account_id, 'password.reset', '{}');
  return 'ok';
end
$$;

-- For the mail: the token goes onto the request and lives 30 minutes from now. No row when the request is void.
create function sec.reset_issue(tenant uuid, reset uuid, token bytea)
returns table (email text, name text, tenant_name text, label text)
language plpgsql volatile security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    with issued as (
      update sec.reset r
      set token_hash = sec.token_hash(token), expires_at = clock_timestamp() + interval '30 minutes'
      where r.id = reset_issue.reset and r.tenant_id = reset_issue.tenant
        and r.used_at is null and r.voided_at is null and r.created_at > now() - interval '1 day'
      returning r.account_id, r.tenant_id
    )
    select a.email, m.name, t.name, t.label
    from issued i
    join public.account a on a.id = i.account_id and a.closed_at is null
    join public.membership m on m.tenant_id = i.tenant_id and m.account_id = i.account_id and m.state = 'active'
    join public.tenant t on t.id = i.tenant_id;
end
$$;

grant execute on function sec.reset_ask(text, uuid), sec.reset_open(bytea), sec.reset_use(bytea, text) to quorate_web;
grant execute on function sec.reset_issue(uuid, uuid, bytea) to quorate_worker;

set local role quorate_owner;
