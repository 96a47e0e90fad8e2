-- Sessions: which are live, what they may do, and how they end.

set local role quorate_sec;

create function sec.is_live(s sec.session, moment timestamptz) returns boolean
language sql stable
as $$ select s.ended_at is null and s.expires_at > moment and s.seen_at + s.idle > moment $$;

-- Whether a membership of theirs asks for a second factor: in this tenant, or (bare host) in any.
create function sec.factor_needed(account uuid, tenant uuid) returns boolean
language plpgsql stable
as $$
begin
  return exists (
    select from public.membership m join public.tenant t on t.id = m.tenant_id
    where m.account_id = factor_needed.account and m.state = 'active'
      and (factor_needed.tenant is null or m.tenant_id = factor_needed.tenant)
      and case t.factor_rule
        when 'officers' then m.roles && (sec.admin_roles() || array['clerk', 'chair'])
        else not m.roles <@ array['parent', 'member'] end);
end
$$;

create function sec.factor_enrolled(account uuid) returns boolean
language sql stable
as $$ select exists (select from sec.factor f where f.account_id = account and not f.pending) $$;

-- What still stands between this session and the pages: none, factor, enrol. Asked anew each time, because somebody
-- who becomes a governor in mid-session needs a second factor from then on.
create function sec.session_needs(s sec.session) returns text
language plpgsql stable
as $$
begin
  if s.assurance = 'full' and (s.factor_at is not null or not sec.factor_needed(s.account_id, s.tenant_id)) then
    return 'none';
  end if;
  return case when sec.factor_enrolled(s.account_id) then 'factor' else 'enrol' end;
end
$$;

-- The live session of a token, its account open and its membership active; all null when there is none.
create function sec.live_session(token bytea) returns sec.session
language plpgsql stable
as $$
declare
  s sec.session;
  hash bytea := sec.token_hash(token);
  moment timestamptz := clock_timestamp();
begin
  select x.* into s
  from sec.session x
  join public.account a on a.id = x.account_id and a.closed_at is null
  left join public.membership m on m.tenant_id = x.tenant_id and m.id = x.membership_id
  where x.token_hash = hash and sec.is_live(x, moment) and (x.tenant_id is null or m.state = 'active');
  return s;
end
$$;

-- Seals the caller of this transaction: ok, factor (nobody is sealed until it is passed or enrolled), none. Writes
-- nothing, so that it opens read-only and repeatable-read transactions too.
create function sec.enter(token bytea) returns text
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session;
  held text[];
  standing bigint;
begin
  perform set_config('sec.caller', '', true);
  s := sec.live_session(token);
  if s.id is null then
    return 'none';
  elsif sec.session_needs(s) <> 'none' then
    return 'factor';
  end if;
  select m.roles, m.version into held, standing
  from public.membership m where m.tenant_id = s.tenant_id and m.id = s.membership_id;
  perform sec.put_seal(s.tenant_id, s.account_id, s.membership_id, s.id, held, standing);
  return 'ok';
end
$$;

-- What the web server needs to know of a live session, and no row for any other. Moves seen_at, at most every 30
-- seconds; so it is a statement of its own, outside the page's transaction.
create function sec.session(token bytea)
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
  if s.seen_at < clock_timestamp() - interval '30 seconds' then
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

-- Records in the tenant's log that somebody is now fully signed in there. The bare host has no log.
create function sec.log_opened(s sec.session) returns void
language plpgsql volatile
as $$
begin
  if s.tenant_id is not null then
    perform sec.append_for(s.tenant_id, s.account_id, 'session.opened', s.membership_id,
      jsonb_build_object('session', s.id, 'shared', s.shared), '{}', null);
  end if;
end
$$;

-- What changes much of an account waits its turn here, before any other lock but that of the membership: two such
-- calls then cannot deadlock, whatever rows they go on to.
create function sec.lock_account(account uuid) returns void
language plpgsql volatile
as $$ begin perform from public.account a where a.id = lock_account.account for no key update; end $$;

-- Locks the logs of all tenants the account is or was in, in order of their id: two callers cannot deadlock. Always
-- after the rows of sessions and credentials, as in sign_out and every other write.
create function sec.lock_heads(account uuid) returns void
language plpgsql volatile
as $$
begin
  perform from sec.event_head h
  where h.tenant_id in (select m.tenant_id from public.membership m where m.account_id = lock_heads.account)
  order by h.tenant_id for update;
end
$$;

-- Ends the account's sessions (or the one named in `only_this`; never the one in `spared`) and tells the log of each
-- tenant what was open there. Returns how many were live.
create function sec.end_sessions(account uuid, spared uuid, only_this uuid, why text) returns integer
language plpgsql volatile
as $$
declare
  moment timestamptz := clock_timestamp();
  gone sec.session[];
  place record;
begin
  perform from sec.session s where s.account_id = end_sessions.account and s.ended_at is null
    and s.id is distinct from spared and (only_this is null or s.id = only_this)
  order by s.id for update;
  with ended as (
    update sec.session s set ended_at = moment, ended_why = why
    where s.account_id = end_sessions.account and s.ended_at is null
      and s.id is distinct from spared and (only_this is null or s.id = only_this)
    returning s as session, sec.is_live(old, moment) as was_live
  )
  select coalesce(array_agg(e.session) filter (where e.was_live), '{}') into gone from ended e;

  perform sec.lock_heads(end_sessions.account);
  for place in
    select g.tenant_id, g.membership_id, to_jsonb(array_agg(g.id order by g.id)) as ids
    from unnest(gone) g where g.tenant_id is not null and g.assurance = 'full'
    group by g.tenant_id, g.membership_id order by g.tenant_id
  loop
    perform sec.append_for(place.tenant_id, end_sessions.account, 'session.closed', place.membership_id,
      jsonb_build_object('why', why, 'sessions', place.ids), '{}',
      jsonb_build_object('sessions', place.ids, 'code', 4401));
  end loop;
  return cardinality(gone);
end
$$;

-- Tells every tenant where the account is an active member.
create function sec.append_everywhere(account uuid, actor uuid, act text, detail jsonb) returns void
language plpgsql volatile
as $$
declare
  place record;
begin
  perform sec.lock_heads(append_everywhere.account);
  for place in
    select m.tenant_id, m.id from public.membership m
    where m.account_id = append_everywhere.account and m.state = 'active' order by m.tenant_id
  loop
    perform sec.append_for(place.tenant_id, actor, act, place.id, detail, '{}', null);
  end loop;
end
$$;

create function sec.sign_out(token bytea) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  return s.id is not null and sec.end_sessions(s.account_id, null, s.id, 'signed out') > 0;
end
$$;

-- Ends another session of the same person, seen in the list of my_sessions.
create function sec.end_session(token bytea, session uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  return s.id is not null and end_session.session is not null and sec.session_needs(s) = 'none'
    and sec.end_sessions(s.account_id, null, end_session.session, 'ended elsewhere') > 0;
end
$$;

create function sec.my_sessions(token bytea)
returns table (id uuid, tenant_name text, agent text, created_at timestamptz, seen_at timestamptz, is_this boolean)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  if s.id is null or sec.session_needs(s) <> 'none' then
    return;
  end if;
  return query
    select x.id, t.name, x.agent, x.created_at, x.seen_at, x.id = s.id
    from sec.session x left join public.tenant t on t.id = x.tenant_id
    where x.account_id = s.account_id and sec.is_live(x, now())
    order by x.id = s.id desc, x.seen_at desc;
end
$$;

-- The same session under a new token: whoever learned the old one before the proof is not carried along.
create function sec.change_token(token bytea, new_token bytea) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  update sec.session x set token_hash = sec.token_hash(new_token)
  where x.id = s.id and x.token_hash = s.token_hash and x.ended_at is null;
  return found;
end
$$;

grant execute on function sec.enter(bytea), sec.session(bytea), sec.sign_out(bytea), sec.end_session(bytea, uuid),
  sec.my_sessions(bytea), sec.change_token(bytea, bytea) to quorate_web;

set local role quorate_owner;
