-- Hosts and moving between them: a session belongs to one host, so another host means another session, made from a
-- ticket that lives for 60 seconds and works once.

set local role quorate_sec;

create function sec.host(label text) returns table (tenant_id uuid, name text, kind text, accent text)
language plpgsql stable security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query select t.id, t.name, t.kind, t.accent from public.tenant t where t.label = host.label;
end
$$;

create function sec.my_places(token bytea)
returns table (tenant_id uuid, label text, name text, kind text, accent text, roles text[])
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  if s.id is null or sec.session_needs(s) <> 'none' then
    return;
  end if;
  return query
    select t.id, t.label, t.name, t.kind, t.accent, m.roles
    from public.membership m join public.tenant t on t.id = m.tenant_id
    where m.account_id = s.account_id and m.state = 'active'
    order by t.name, t.id;
end
$$;

create function sec.ticket_issue(token bytea, tenant uuid, ticket bytea) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  if s.id is null or not exists (
    select from public.membership m
    where m.tenant_id = ticket_issue.tenant and m.account_id = s.account_id and m.state = 'active') then
    return false;
  end if;
  insert into sec.ticket (token_hash, account_id, from_session, tenant_id)
  values (sec.token_hash(ticket), s.account_id, s.id, ticket_issue.tenant);
  return true;
end
$$;

-- in, factor, enrol: a session stands under the new token, with what the first one had proven and no longer than it
-- would have lasted. gone: the ticket was used, is too old, is for another host, or its session has ended.
create function sec.ticket_use(ticket bytea, tenant uuid, new_token bytea, agent text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  used sec.ticket;
  origin sec.session;
  place uuid;
  moment timestamptz := clock_timestamp();
begin
  update sec.ticket t set used_at = moment
  where t.token_hash = sec.token_hash(ticket) and t.tenant_id = ticket_use.tenant
    and t.used_at is null and t.expires_at > moment
  returning t.* into used;
  select x.* into origin
  from sec.session x join public.account a on a.id = x.account_id and a.closed_at is null
  where x.id = used.from_session and sec.is_live(x, moment)
  for share of x; -- whoever is ending it waits, and then sees the session made here
  select m.id into place from public.membership m
  where m.tenant_id = used.tenant_id and m.account_id = used.account_id and m.state = 'active';
  if origin.id is null or place is null then
    return 'gone';
  end if;
  return sec.session_outcome(sec.make_session(
    new_token, used.account_id, used.tenant_id, place, origin.shared, ticket_use.agent, origin.factor_at,
    origin.expires_at));
end
$$;

grant execute on function sec.host(text), sec.my_places(bytea), sec.ticket_issue(bytea, uuid, bytea),
  sec.ticket_use(bytea, uuid, bytea, text) to quorate_web;

set local role quorate_owner;
