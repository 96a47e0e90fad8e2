-- What follows from an event: pushes to sockets (quorate_live reads the tail) and mail (quorate_worker reads what is
-- due and remembers how far it got).

set local role quorate_sec;

create function sec.heads(tenants uuid[] default null) returns table (tenant_id uuid, seq bigint, hash bytea)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    select h.tenant_id, h.seq, h.hash from sec.event_head h
    where heads.tenants is null or h.tenant_id = any (heads.tenants) order by h.tenant_id;
end
$$;

-- The next events of each tenant after its own seq, 512 at most of each. A tenant without news costs one look at its head.
create function sec.tail(tenants uuid[], after bigint[])
returns table (tenant_id uuid, seq bigint, act text, topics text[], closes jsonb, about uuid)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    select e.tenant_id, e.seq, e.act, e.topics, e.closes, e.about
    from unnest(tail.tenants, tail.after) as w (tenant, seen)
    join sec.event_head h on h.tenant_id = w.tenant and h.seq > w.seen
    cross join lateral (
      select v.* from public.event v where v.tenant_id = w.tenant and v.seq > w.seen order by v.seq limit 512
    ) e
    order by e.tenant_id, e.seq;
end
$$;

-- Which of these sessions may no longer hold a socket.
create function sec.sessions_dead(ids uuid[]) returns setof uuid
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
      where x.id = i and sec.is_live(x, moment) and (x.tenant_id is null or m.state = 'active'));
end
$$;

create table sec.relay_cursor (
  name text not null,
  tenant_id uuid not null,
  seq bigint not null,
  constraint relay_cursor_pkey primary key (tenant_id, name),
  constraint relay_cursor_tenant_fkey foreign key (tenant_id) references public.tenant (id)
) with (fillfactor = 50);

-- Events that need mail, after the cursor of this name: at most `most` of each tenant, in order. Put each into the
-- jobs database under its (tenant, seq) as key, then move the cursor. Tenants with nothing due are moved on at once;
-- heads and events come from one snapshot, so nothing is skipped.
create function sec.jobs_after(name text, most integer default 100)
returns table (tenant_id uuid, seq bigint, at timestamptz, act text, actor uuid, about uuid, detail jsonb)
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    with behind as (
      select h.tenant_id as tenant, h.seq as head, coalesce(c.seq, 0) as done
      from sec.event_head h
      left join sec.relay_cursor c on c.tenant_id = h.tenant_id and c.name = jobs_after.name
      where h.seq > coalesce(c.seq, 0)
    ), due as materialized (
      select e.* from behind b cross join lateral (
        select v.tenant_id, v.seq, v.at, v.act, v.actor, v.about, v.detail from public.event v
        where v.tenant_id = b.tenant and v.seq > b.done
          and v.act in ('membership.invited', 'membership.reinvited', 'reset.asked')
        order by v.seq limit most
      ) e
    ), moved as (
      insert into sec.relay_cursor as c (name, tenant_id, seq)
      select jobs_after.name, b.tenant, b.head from behind b
      where not exists (select from due d where d.tenant_id = b.tenant)
      on conflict on constraint relay_cursor_pkey do update set seq = greatest(c.seq, excluded.seq)
    )
    select d.tenant_id, d.seq, d.at, d.act, d.actor, d.about, d.detail from due d order by d.tenant_id, d.seq;
end
$$;

-- Never backwards.
create function sec.cursor_move(name text, tenant uuid, seq bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  insert into sec.relay_cursor as c (name, tenant_id, seq)
  values (cursor_move.name, cursor_move.tenant, cursor_move.seq)
  on conflict on constraint relay_cursor_pkey do update set seq = greatest(c.seq, excluded.seq);
end
$$;

create function sec.cursors(name text) returns table (tenant_id uuid, seq bigint)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query select c.tenant_id, c.seq from sec.relay_cursor c where c.name = cursors.name order by c.tenant_id;
end
$$;

-- Forgets what has no use any more. A session is kept for 90 days, because its token is how a browser is known.
create function sec.sweep() returns void
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  delete from sec.attempt t
  where coalesce(t.locked_until, '-infinity') < now() - interval '1 day'
    and coalesce(t.recent[cardinality(t.recent)], '-infinity') < now() - interval '1 day';
  delete from sec.ticket t where t.expires_at < now() - interval '1 day';
  update sec.session s set ended_at = now(), ended_why = 'expired'
  where s.ended_at is null and not sec.is_live(s, now());
  delete from sec.session s where s.created_at < now() - interval '90 days' and s.ended_at is not null;
  delete from sec.reset r where r.created_at < now() - interval '90 days';
end
$$;

grant execute on function sec.heads(uuid[]) to quorate_live, quorate_worker, quorate_auditor;
grant execute on function sec.tail(uuid[], bigint[]), sec.sessions_dead(uuid[]) to quorate_live;
grant execute on function sec.jobs_after(text, integer), sec.cursor_move(text, uuid, bigint), sec.cursors(text),
  sec.sweep() to quorate_worker;

set local role quorate_owner;
