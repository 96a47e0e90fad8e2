-- A trust sees its schools side by side, and whoever is on the bare host what waits for them at each of their places. Both look
-- over the border between tenants, so both tell numbers and days, and nobody's name, address or key.

set local role quorate_sec;

-- The figures of one tenant's board, as its own pages count them. They take a tenant, so only functions of this schema that
-- know whose it is may call them.

-- Governors' seats that nobody holds on the day.
create function sec.vacant_seats(tenant uuid, day date) returns setof uuid
language sql stable
as $$
  select s.id from public.seat s
  where s.tenant_id = vacant_seats.tenant and s.category <> 'associate'
    and s.opened_on <= day and coalesce(s.closed_on > day, true)
    and not exists (
      select from public.term t where t.tenant_id = s.tenant_id and t.seat_id = s.id and t.during @> day)
$$;

-- The terms that end within 90 days, with their last day, of seats for which nobody is found yet.
create function sec.ending_terms(tenant uuid, day date) returns table (term_id uuid, last date)
language sql stable
as $$
  select t.id, upper(t.during) - 1
  from public.term t join public.seat s on s.tenant_id = t.tenant_id and s.id = t.seat_id
  where t.tenant_id = ending_terms.tenant and t.during @> day and upper(t.during) - 1 <= day + 90
    and s.opened_on <= day and coalesce(s.closed_on > day, true)
    and not exists (
      select from public.term n where n.tenant_id = t.tenant_id and n.seat_id = t.seat_id and lower(n.during) > day)
$$;

-- Who holds a seat or sits on a committee and has to declare their interests, and since when; null where they never have.
create function sec.declarations_due(tenant uuid, day date) returns table (membership_id uuid, since date)
language sql stable
as $$
  select k.membership_id, (d.declared_on + interval '12 months')::date
  from (
    select t.membership_id from public.term t
    where t.tenant_id = declarations_due.tenant and t.during @> day
    union
    select p.membership_id from public.committee_place p
    join public.committee c on c.tenant_id = p.tenant_id and c.id = p.committee_id and c.closed_on is null
    where p.tenant_id = declarations_due.tenant and p.during @> day
  ) k
  left join lateral (
    select d.declared_on from public.declaration d
    where d.tenant_id = declarations_due.tenant and d.membership_id = k.membership_id
    order by d.declared_on desc, d.id desc limit 1
  ) d on true
  where coalesce((d.declared_on + interval '12 months')::date <= day, true)
$$;

-- The schools of the sealed trust, each in one line of numbers. It takes nothing, so there is nothing to ask it about but
-- one's own trust, and no day but today. The trust's clerk sees it too: what these numbers ask for is a clerk's work, and a
-- clerk could make anybody a trust leader in any case. `mine` says whether the caller has a place there as well.
-- Who never signed in is read from the log, which outlasts the sessions: these are swept after 90 days.
create function sec.trust_schools()
returns table (
  label text, name text, mine boolean, people integer, invited integer, never_in integer, vacant integer, ending integer,
  undeclared integer
)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if not sec.has_role('trust_admin', 'trust_lead', 'clerk') then
    return;
  end if;
  return query
    select t.label, t.name,
      exists (
        select from public.membership o
        where o.tenant_id = t.id and o.account_id = sec.person() and o.state = 'active'),
      p.people, p.invited, p.never_in,
      (select count(*)::integer from sec.vacant_seats(t.id, sec.today())),
      (select count(*)::integer from sec.ending_terms(t.id, sec.today())),
      (select count(*)::integer from sec.declarations_due(t.id, sec.today()))
    from public.tenant t
    cross join lateral (
      select count(*)::integer as people,
        (count(*) filter (where m.state = 'invited'))::integer as invited,
        (count(*) filter (where m.state = 'active' and not exists (
          select from public.event e
          where e.tenant_id = m.tenant_id and e.about = m.id and e.act = 'session.opened')))::integer as never_in
      from public.membership m where m.tenant_id = t.id and m.state <> 'ended'
    ) p
    where t.trust_id = sec.tenant();
end
$$;

-- The trust that the sealed school belongs to, so that its people can be told who sees the numbers; null where there is none.
create function sec.trust_name() returns text
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return (
    select u.name from public.tenant t join public.tenant u on u.id = t.trust_id where t.id = sec.tenant());
end
$$;

-- What waits at each of the places of whoever is on the bare host: the duties that their home there shows, in numbers, with the
-- day since which the oldest waits (null for never done) and for terms the day on which the first ends. Of a place where they
-- are suspended that and nothing else. A session of a tenant gets nothing: inside one there are no others.
create function sec.my_waiting(token bytea)
returns table (tenant_id uuid, name text, what text, many integer, since date, ends date)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  if s.id is null or s.tenant_id is not null or sec.session_needs(s) <> 'none' then
    return;
  end if;
  return query
    with place as (
      select m.tenant_id, m.id, t.name, m.state, (m.suspended_at at time zone 'Europe/London')::date as suspended_on,
        not m.roles <@ array['parent', 'member'] as sees, m.roles && (sec.admin_roles() || array['clerk']) as keeps
      from public.membership m join public.tenant t on t.id = m.tenant_id
      where m.account_id = s.account_id and m.state in ('active', 'suspended')
    ), sees as (
      select * from place p where p.state = 'active' and p.sees
    ), keeps as (
      select * from place p where p.state = 'active' and p.keeps
    )
    select p.tenant_id, p.name, 'suspended', 1, p.suspended_on, null::date from place p where p.state = 'suspended'
    union all
    select p.tenant_id, p.name, 'declare', 1, d.since, null
    from sees p cross join lateral sec.declarations_due(p.tenant_id, sec.today()) d where d.membership_id = p.id
    union all
    select p.tenant_id, p.name, 'invitations', count(*)::integer,
      min((m.invited_at at time zone 'Europe/London')::date), null
    from keeps p join public.membership m on m.tenant_id = p.tenant_id and m.state = 'invited'
    group by p.tenant_id, p.name
    union all
    select p.tenant_id, p.name, 'terms', count(*)::integer, min(e.last) - 90, min(e.last)
    from keeps p cross join lateral sec.ending_terms(p.tenant_id, sec.today()) e
    group by p.tenant_id, p.name
    union all
    select p.tenant_id, p.name, 'seats', count(*)::integer, sec.today(), null
    from keeps p cross join lateral sec.vacant_seats(p.tenant_id, sec.today()) v
    group by p.tenant_id, p.name
    union all
    select p.tenant_id, p.name, 'declarations', count(*)::integer, sec.today(), null
    from keeps p cross join lateral sec.declarations_due(p.tenant_id, sec.today()) d where d.membership_id <> p.id
    group by p.tenant_id, p.name;
end
$$;

grant execute on function sec.trust_schools(), sec.trust_name(), sec.my_waiting(bytea) to quorate_web;

set local role quorate_owner;
