-- What counts as activity. A page that hears of a change asks again by itself, and its socket comes back by itself; neither
-- is a sign that anybody sits there, so neither keeps a session alive.

set local role quorate_sec;

drop function sec.session(bytea);

-- What the web server needs to know of a live session, and no row for any other. Where `active`, moves seen_at, at most
-- every 30 seconds; so it is a statement of its own, outside the page's transaction.
create function sec.session(token bytea, active boolean)
returns table (
  session_id uuid, account_id uuid, tenant_id uuid, membership_id uuid, assurance text, needs text, shared boolean,
  stepped_up_at timestamptz, expires_at timestamptz, email text, name text, roles text[], factor_enrolled boolean
)
language plpgsql volatile security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  if s.id is null then
    return;
  end if;
  if active and s.seen_at < clock_timestamp() - interval '30 seconds' then
    update sec.session x set seen_at = clock_timestamp() where x.id = s.id and x.seen_at = s.seen_at;
  end if;
  return query
    select s.id, s.account_id, s.tenant_id, s.membership_id, s.assurance, sec.session_needs(s), s.shared,
      s.stepped_up_at, s.expires_at, a.email, m.name, coalesce(m.roles, '{}'), sec.factor_enrolled(s.account_id)
    from public.account a
    left join public.membership m on m.tenant_id = s.tenant_id and m.id = s.membership_id
    where a.id = s.account_id;
end
$$;

grant execute on function sec.session(bytea, boolean) to quorate_web;

-- Which of these sessions may no longer hold a socket: those that are over, and those that a new rule asks for a second
-- factor which they have not shown.
create or replace function sec.sessions_dead(ids uuid[]) returns setof uuid
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  moment timestamptz := clock_timestamp();
begin
  return query
    select i from unnest(ids) as i
    where not exists (
      select from sec.session x
      join public.account a on a.id = x.account_id and a.closed_at is null
      left join public.membership m on m.tenant_id = x.tenant_id and m.id = x.membership_id
      where x.id = i and sec.is_live(x, moment) and (x.tenant_id is null or m.state = 'active')
        and sec.session_needs(x) = 'none');
end
$$;

set local role quorate_owner;
