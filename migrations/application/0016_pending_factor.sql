-- A second factor that is being set up belongs to the session that began it, for a quarter of an hour. Whoever knew only the
-- password would otherwise know the secret that its owner confirms later.

set local role quorate_sec;

alter table sec.factor add column begun_by uuid;
comment on column sec.factor.begun_by is 'the session that is setting it up; of no meaning once confirmed';

-- Puts a secret down, unconfirmed, in place of any that was begun before. False without a live session, or when a factor is
-- confirmed already and this session has not stepped up in the last 5 minutes. The confirmed one serves until the new one
-- is passed.
create or replace function sec.factor_begin(token bytea, secret bytea) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  if s.id is null or (sec.factor_enrolled(s.account_id) and not sec.stepped_up(s)) then
    return false;
  end if;
  insert into sec.factor as f (account_id, pending, secret, begun_by) values (s.account_id, true, factor_begin.secret, s.id)
  on conflict on constraint factor_pkey do update set
    secret = excluded.secret, last_step = 0, created_at = clock_timestamp(), begun_by = excluded.begun_by;
  return true;
end
$$;

create function sec.is_begun(f sec.factor, s sec.session) returns boolean
language sql stable
as $$ select f.begun_by = s.id and f.created_at > clock_timestamp() - interval '15 minutes' $$;

-- The secret to compare with: the confirmed one; the pending one of this session when there is no other or when it is asked
-- for.
create or replace function sec.factor_secret(token bytea, pending boolean default false)
returns table (secret bytea, last_step bigint, confirmed boolean)
language plpgsql stable security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
  enrolled boolean := sec.factor_enrolled(s.account_id);
begin
  return query
    select f.secret, f.last_step, not f.pending from sec.factor f
    where f.account_id = s.account_id
      and f.pending = (factor_secret.pending or not enrolled)
      and (not f.pending or (sec.is_begun(f, s) and (not enrolled or sec.stepped_up(s))));
end
$$;

-- A code of this step was right. One conditional update, so that of any number at once one passes. Confirms the pending
-- secret of this session, which then replaces the one before it; every school of the account is told.
create or replace function sec.factor_pass(token bytea, new_token bytea, step bigint, pending boolean default false)
returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
  waiting boolean;
begin
  if s.id is null then
    return false;
  end if;
  waiting := factor_pass.pending or not sec.factor_enrolled(s.account_id);
  if waiting and sec.factor_enrolled(s.account_id) and not sec.stepped_up(s) then
    return false;
  end if;
  update sec.factor f set last_step = step
  where f.account_id = s.account_id and f.pending = waiting and f.last_step < step
    and (not waiting or sec.is_begun(f, s));
  if not found or not sec.factor_passed(s, new_token) then
    return false;
  end if;
  if waiting then
    delete from sec.factor f where f.account_id = s.account_id and not f.pending;
    update sec.factor f set pending = false, confirmed_at = clock_timestamp() where f.account_id = s.account_id;
    perform sec.append_everywhere(s.account_id, s.account_id, 'factor.enrolled', '{}');
  end if;
  return true;
end
$$;

-- Replaces all recovery codes, of which only hashes are kept. Needs a factor passed or stepped up 5 minutes ago at most.
-- They work in every school of the account, so each is told.
create or replace function sec.recovery_codes_set(token bytea, hashes bytea[]) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  if s.id is null or not sec.stepped_up(s) or cardinality(hashes) not between 1 and 20 then
    return false;
  end if;
  delete from sec.recovery_code c where c.account_id = s.account_id;
  insert into sec.recovery_code (account_id, code_hash) select distinct s.account_id, h from unnest(hashes) h;
  perform sec.append_everywhere(s.account_id, s.account_id, 'factor.codes_replaced', '{}');
  return true;
end
$$;

-- Counts the try by itself. A code works once, and every school of the account is told.
create or replace function sec.recovery_pass(token bytea, new_token bytea, code_hash bytea) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  if s.id is null or sec.try(sha256(uuid_send(s.account_id)), 'factor') > 0 then
    return false;
  end if;
  update sec.recovery_code c set used_at = clock_timestamp()
  where c.account_id = s.account_id and c.code_hash = recovery_pass.code_hash and c.used_at is null;
  if not found or not sec.factor_passed(s, new_token) then
    return false;
  end if;
  perform sec.append_everywhere(s.account_id, s.account_id, 'factor.recovered', '{}');
  return true;
end
$$;

set local role quorate_owner;
