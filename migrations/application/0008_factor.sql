-- The second factor: an authenticator's code, or a recovery code. The application encrypts the secret and compares
-- codes; here stands that every try is counted, that no code works twice, and who may change what.

set local role quorate_sec;

create function sec.stepped_up(s sec.session) returns boolean
language sql stable
as $$ select s.assurance = 'full' and coalesce(s.stepped_up_at > clock_timestamp() - interval '5 minutes', false) $$;

-- Puts a secret down, unconfirmed. False without a live session, or when a factor is confirmed already and this
-- session has not stepped up in the last 5 minutes. The confirmed one serves until the new one is passed.
create function sec.factor_begin(token bytea, secret bytea) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  if s.id is null or (sec.factor_enrolled(s.account_id) and not sec.stepped_up(s)) then
    return false;
  end if;
  insert into sec.factor as f (account_id, pending, secret) values (s.account_id, true, factor_begin.secret)
  on conflict on constraint factor_pkey do update set secret = excluded.secret, last_step = 0, created_at = now();
  return true;
end
$$;

-- The secret to compare with: the confirmed one; the pending one when there is no other or when it is asked for.
create function sec.factor_secret(token bytea, pending boolean default false)
returns table (secret bytea, last_step bigint, confirmed boolean)
language plpgsql stable security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  return query
    select f.secret, f.last_step, not f.pending from sec.factor f
    where f.account_id = s.account_id
      and f.pending = (factor_secret.pending or not sec.factor_enrolled(s.account_id));
end
$$;

-- Counts a try; call it, and commit, before the code is compared. False: do not compare, they are locked out.
create function sec.factor_try(token bytea) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  return s.id is not null and sec.try(sha256(uuid_send(s.account_id)), 'factor') = 0;
end
$$;

-- The session is full from here on, under a new token. Tells the log if it was not before.
create function sec.factor_passed(s sec.session, new_token bytea) returns boolean
language plpgsql volatile
as $$
declare
  now_full sec.session;
begin
  perform sec.try_passed(sha256(uuid_send(s.account_id)), 'factor');
  update sec.session x
  set token_hash = sec.token_hash(new_token), assurance = 'full',
    factor_at = clock_timestamp(), stepped_up_at = clock_timestamp()
  where x.id = s.id and x.token_hash = s.token_hash and x.ended_at is null
  returning x.* into now_full;
  if now_full.id is null then
    return false;
  end if;
  if s.assurance <> 'full' then
    perform sec.log_opened(now_full);
  end if;
  return true;
end
$$;

-- A code of this step was right. One conditional update, so that of any number at once one passes. Confirms a pending
-- secret, which then replaces the one before it.
create function sec.factor_pass(token bytea, new_token bytea, step bigint, pending boolean default false)
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
  where f.account_id = s.account_id and f.pending = waiting and f.last_step < step;
  if not found or not sec.factor_passed(s, new_token) then
    return false;
  end if;
  if waiting then
    delete from sec.factor f where f.account_id = s.account_id and not f.pending;
    update sec.factor f set pending = false, confirmed_at = clock_timestamp() where f.account_id = s.account_id;
    if s.tenant_id is null then
      perform sec.append_everywhere(s.account_id, s.account_id, 'factor.enrolled', '{}');
    else
      perform sec.append_for(s.tenant_id, s.account_id, 'factor.enrolled', s.membership_id, '{}', '{}', null);
    end if;
  end if;
  return true;
end
$$;

-- Steps up with the confirmed factor; factor_try first, as for factor_pass.
create function sec.step_up_factor(token bytea, new_token bytea, step bigint) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  if s.id is null or s.assurance <> 'full' then
    return false;
  end if;
  update sec.factor f set last_step = step
  where f.account_id = s.account_id and not f.pending and f.last_step < step;
  return found and sec.factor_passed(s, new_token);
end
$$;

-- Replaces all recovery codes, of which only hashes are kept. Needs a factor passed or stepped up 5 minutes ago at most.
create function sec.recovery_codes_set(token bytea, hashes bytea[]) returns boolean
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
  return true;
end
$$;

-- Counts the try by itself. A code works once.
create function sec.recovery_pass(token bytea, new_token bytea, code_hash bytea) returns boolean
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
  if s.tenant_id is null then
    perform sec.append_everywhere(s.account_id, s.account_id, 'factor.recovered', '{}');
  else
    perform sec.append_for(s.tenant_id, s.account_id, 'factor.recovered', s.membership_id, '{}', '{}', null);
  end if;
  return true;
end
$$;

grant execute on function sec.factor_begin(bytea, bytea), sec.factor_secret(bytea, boolean), sec.factor_try(bytea),
  sec.factor_pass(bytea, bytea, bigint, boolean), sec.step_up_factor(bytea, bytea, bigint),
  sec.recovery_codes_set(bytea, bytea[]), sec.recovery_pass(bytea, bytea, bytea) to quorate_web;

set local role quorate_owner;
