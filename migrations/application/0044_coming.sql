-- Who comes with which token, in one look where it took several: for each transaction, and for thousands of pages that come back at
-- once when a node has restarted or a network was away.

set local role quorate_sec;

-- Who holds each of these tokens, by its place among them; no row for a token that opens no complete session of a school.
-- Counts as no activity: a page's socket comes back by itself.
create function sec.holders(tokens bytea[])
returns table (
  place bigint, session_id uuid, account_id uuid, tenant_id uuid, label text, roles text[], seq bigint
)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  moment timestamptz := clock_timestamp();
begin
  return query
    select t.place, s.id, s.account_id, s.tenant_id, n.label, m.roles, h.seq
    from unnest(tokens) with ordinality as t (token, place)
    join sec.session s on s.token_hash = sec.token_hash(t.token)
    join public.account a on a.id = s.account_id and a.closed_at is null
    join public.membership m on m.tenant_id = s.tenant_id and m.id = s.membership_id and m.state = 'active'
    join public.tenant n on n.id = s.tenant_id
    join sec.event_head h on h.tenant_id = s.tenant_id
    where sec.is_live(s, moment) and sec.session_needs(s) = 'none';
end
$$;

-- Seals the caller of this transaction and says who that is; nobody is sealed where there is no row. Each page and each change
-- begins with it.
create function sec.entered(token bytea)
returns table (
  tenant_id uuid, kind text, account_id uuid, membership_id uuid, roles text[], seq bigint, stepped_up boolean
)
language plpgsql volatile security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session;
  held text[];
  standing bigint;
begin
  perform set_config('sec.caller', '', true);
  s := sec.live_session(token);
  if s.id is null or sec.session_needs(s) <> 'none' then
    return;
  end if;
  select m.roles, m.version into held, standing
  from public.membership m where m.tenant_id = s.tenant_id and m.id = s.membership_id;
  perform sec.put_seal(s.tenant_id, s.account_id, s.membership_id, s.id, held, standing);
  return query
    select t.id, t.kind, s.account_id, s.membership_id, coalesce(held, '{}'), h.seq, sec.stepped_up(s)
    from public.tenant t join sec.event_head h on h.tenant_id = t.id
    where t.id = s.tenant_id;
end
$$;

drop function sec.standing();

grant execute on function sec.holders(bytea[]), sec.entered(bytea) to quorate_web;

reset role;
