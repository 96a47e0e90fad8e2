-- What each page begins with, and the list of people.

set local role quorate_sec;

-- The live session of each of these tokens, by its place among them, and no row for any other. Pages that come at the same moment
-- are looked up as one. Where `active`, moves seen_at, at most every 30 seconds; so it is a statement of its own, outside the pages'
-- transactions. A row that somebody else holds is left alone: it is being ended, or moved already.
create function sec.sessions(tokens bytea[], active boolean[])
returns table (
  place bigint, session_id uuid, account_id uuid, tenant_id uuid, membership_id uuid, needs text, shared boolean, email text,
  name text, roles text[], factor_enrolled boolean
)
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  moment constant timestamptz := clock_timestamp();
begin
  update sec.session x set seen_at = moment
  where x.id in (
    select s.id from unnest(tokens, active) as t (token, active)
    join sec.session s on s.token_hash = sec.token_hash(t.token)
    where t.active and s.seen_at < moment - interval '30 seconds' and sec.is_live(s, moment)
    for no key update of s skip locked);
  return query
    select t.place, s.id, s.account_id, s.tenant_id, s.membership_id, sec.session_needs(s), s.shared, a.email, m.name,
      coalesce(m.roles, '{}'), sec.factor_enrolled(s.account_id)
    from unnest(tokens) with ordinality as t (token, place)
    join sec.session s on s.token_hash = sec.token_hash(t.token)
    join public.account a on a.id = s.account_id and a.closed_at is null
    left join public.membership m on m.tenant_id = s.tenant_id and m.id = s.membership_id
    where sec.is_live(s, moment) and (s.tenant_id is null or m.state = 'active');
end
$$;

drop function sec.session(bytea, boolean);

-- The one place where a caller is sealed: what their session still needs, `none` where they are, and null without a live one.
create function sec.seal_caller(token bytea, out needs text, out s sec.session, out held text[])
language plpgsql volatile
as $$
declare
  standing bigint;
begin
  perform set_config('sec.caller', '', true);
  s := sec.live_session(token);
  if s.id is null then
    return;
  end if;
  needs := sec.session_needs(s);
  if needs <> 'none' then
    return;
  end if;
  select m.roles, m.version into held, standing
  from public.membership m where m.tenant_id = s.tenant_id and m.id = s.membership_id;
  perform sec.put_seal(s.tenant_id, s.account_id, s.membership_id, s.id, held, standing);
end
$$;

create or replace function sec.enter(token bytea) returns text
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  needs constant text := (sec.seal_caller(token)).needs;
begin
  return case when needs is null then 'none' when needs = 'none' then 'ok' else 'factor' end;
end
$$;

create or replace function sec.entered(token bytea)
returns table (
  tenant_id uuid, kind text, account_id uuid, membership_id uuid, roles text[], seq bigint, stepped_up boolean
)
language plpgsql volatile security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
declare
  c record;
begin
  select x.needs, x.s, x.held into c from sec.seal_caller(token) x;
  if c.needs is distinct from 'none' then
    return;
  end if;
  return query
    select t.id, t.kind, (c.s).account_id, (c.s).membership_id, coalesce(c.held, '{}'), h.seq, sec.stepped_up(c.s)
    from public.tenant t join sec.event_head h on h.tenant_id = t.id
    where t.id = (c.s).tenant_id;
end
$$;

grant execute on function sec.sessions(bytea[], boolean[]) to quorate_web;

set local role quorate_owner;

-- A page of the list of people is read in its order.
create index membership_by_name on membership (tenant_id, lower(name), id);

reset role;
