-- Signing in and passwords. The web server computes the hash and never reads a stored one; counting, comparing and
-- locking happen here, in one statement each, and answer alike for people who exist and people who do not.

set local role quorate_sec;

-- What a password is hashed with today; also the face an unknown person shows.
create function sec.phc_settings() returns text
language sql immutable parallel safe
return '$argon2id$v=19$m=19456,t=2,p=1$';

-- A PHC string without its hash: what to hash the typed password with.
create function sec.sign_in_challenge(email text) returns text
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  stored text;
  secret bytea;
begin
  select c.phc into stored from public.account a join sec.credential c on c.account_id = a.id
  where a.email = sec.email(sign_in_challenge.email) and a.closed_at is null;
  select k.secret into secret from sec.key k where k.id = 'salt';
  return coalesce(
    substring(stored from '^(.*)\$[^$]*$'),
    sec.phc_settings() || rtrim(encode(substring(sha256(
      secret || sha256(secret || convert_to(sec.email(sign_in_challenge.email), 'UTF8'))) for 16), 'base64'), '='));
end
$$;

-- Both sides are hashed first, so that the time to compare says nothing about where they differ. The lock makes
-- a change of password wait for the session that follows, and then end it with the others.
create function sec.proves(account uuid, proof text) returns boolean
language plpgsql volatile
as $$
declare
  stored text;
begin
  select c.phc into stored from sec.credential c where c.account_id = proves.account
  for no key update;
  return coalesce(sha256(convert_to(proof, 'UTF8')) = sha256(convert_to(stored, 'UTF8')), false);
end
$$;

-- What the person sees of their browser: short and without control characters.
create function sec.agent(said text) returns text
language sql immutable parallel safe
return nullif(left(btrim(regexp_replace(said, '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]', '', 'g')), 80), '');

create function sec.make_session(
  token bytea, account uuid, tenant uuid, membership uuid, shared boolean, agent text, factor_at timestamptz,
  expires_at timestamptz
) returns sec.session
language plpgsql volatile
as $$
declare
  s sec.session;
  complete boolean := make_session.factor_at is not null
    or not (sec.factor_enrolled(make_session.account) or sec.factor_needed(make_session.account, make_session.tenant));
begin
  insert into sec.session as x (
    token_hash, account_id, tenant_id, membership_id, assurance, factor_at, shared, agent, expires_at, idle)
  values (
    sec.token_hash(token), make_session.account, make_session.tenant, make_session.membership,
    case when complete then 'full' else 'password' end, make_session.factor_at, coalesce(make_session.shared, false),
    sec.agent(make_session.agent), make_session.expires_at,
    case when make_session.shared then interval '10 minutes' else interval '20 minutes' end)
  returning x.* into s;
  if complete then
    perform sec.log_opened(s);
  end if;
  return s;
end
$$;

create function sec.session_outcome(s sec.session) returns text
language sql stable
as $$ select case sec.session_needs(s) when 'none' then 'in' else sec.session_needs(s) end $$;

-- in, factor, enrol: a session stands under the token. wrong, locked (with seconds to wait). not_here: the password
-- was right but there is no active membership; the person must read the same as for wrong. `known` is an earlier token
-- of this browser: it has a count of its own, so an outsider who guesses cannot lock the owner out.
create function sec.sign_in(
  email text, proof text, token bytea, tenant uuid default null, shared boolean default false, agent text default null,
  known bytea default null, rehash text default null
) returns table (outcome text, wait_seconds integer)
language plpgsql volatile security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
declare
  who bytea := sec.email_hash(sign_in.email);
  person uuid;
  place uuid;
  how text := 'password';
  s sec.session;
begin
  select a.id into person from public.account a where a.email = sec.email(sign_in.email) and a.closed_at is null;
  if octet_length(known) between 16 and 64 and exists (
    select from sec.session x where x.token_hash = sha256(known) and x.account_id = person
      and not x.shared and x.assurance = 'full' and x.created_at > now() - interval '90 days'
  ) then
    how := 'known';
  end if;

  wait_seconds := sec.try(who, how);
  if wait_seconds > 0 then
    outcome := 'locked';
    return next; return;
  end if;
  if not sec.proves(person, proof) then
    outcome := 'wrong';
    return next; return;
  end if;

  select m.id into place from public.membership m
  where m.tenant_id = sign_in.tenant and m.account_id = person and m.state = 'active';
  if sign_in.tenant is not null and place is null then
    -- The count stays, else the lock that never comes would tell that the password was right.
    outcome := 'not_here';
    return next; return;
  end if;

  perform sec.try_passed(who, how);
  if rehash is not null then
    update sec.credential c set phc = rehash where c.account_id = person;
  end if;
  s := sec.make_session(token, person, sign_in.tenant, place, sign_in.shared, sign_in.agent, null, now() + interval '10 hours');
  -- The password was typed just now; a second factor, where there is one, says so itself when it is passed.
  if s.assurance = 'full' then
    update sec.session x set stepped_up_at = clock_timestamp() where x.id = s.id;
  end if;
  outcome := sec.session_outcome(s);
  return next;
end
$$;

-- Proves the password again before something grave. The caller hashes with sign_in_challenge of the session's e-mail.
create function sec.step_up(token bytea, new_token bytea, proof text)
returns table (outcome text, wait_seconds integer)
language plpgsql volatile security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
  who bytea := sha256(uuid_send(s.account_id));
begin
  wait_seconds := 0;
  outcome := 'gone';
  if s.id is not null and sec.session_needs(s) = 'none' then
    wait_seconds := sec.try(who, 'step_up');
    if wait_seconds > 0 then
      outcome := 'locked';
    elsif not sec.proves(s.account_id, proof) then
      outcome := 'wrong';
    else
      perform sec.try_passed(who, 'step_up');
      update sec.session x set token_hash = sec.token_hash(new_token), stepped_up_at = clock_timestamp()
      where x.id = s.id and x.token_hash = s.token_hash and x.ended_at is null;
      outcome := case when found then 'ok' else 'gone' end;
    end if;
  end if;
  return next;
end
$$;

-- Changes one's own password and ends every other session of the account, in all tenants.
create function sec.password_set(token bytea, proof_old text, phc text)
returns table (outcome text, wait_seconds integer)
language plpgsql volatile security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
  who bytea := sha256(uuid_send(s.account_id));
begin
  wait_seconds := 0;
  outcome := 'gone';
  if s.id is not null and sec.session_needs(s) = 'none' then
    perform sec.lock_account(s.account_id);
    wait_seconds := sec.try(who, 'step_up');
    if wait_seconds > 0 then
      outcome := 'locked';
    elsif not sec.proves(s.account_id, proof_old) then
      outcome := 'wrong';
    else
      perform sec.try_passed(who, 'step_up');
      update sec.credential c set phc = password_set.phc, changed_at = clock_timestamp()
      where c.account_id = s.account_id;
      -- Links that were asked for with the old password in force are not to outlive it.
      update sec.reset r set voided_at = clock_timestamp()
      where r.account_id = s.account_id and r.used_at is null and r.voided_at is null;
      perform sec.end_sessions(s.account_id, s.id, null, 'password changed');
      perform sec.append_everywhere(s.account_id, s.account_id, 'password.changed', '{}');
      outcome := 'ok';
    end if;
  end if;
  return next;
end
$$;

grant execute on function sec.sign_in_challenge(text), sec.step_up(bytea, bytea, text),
  sec.password_set(bytea, text, text),
  sec.sign_in(text, text, bytea, uuid, boolean, text, bytea, text) to quorate_web;

set local role quorate_owner;
