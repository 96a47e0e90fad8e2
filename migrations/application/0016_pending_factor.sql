-- A second factor that is being set up beside one in use is shown to nobody who has not stepped up: whoever knew only the
-- password would know the secret that is confirmed a moment later.

set local role quorate_sec;

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
      and (not f.pending or not enrolled or sec.stepped_up(s));
end
$$;

set local role quorate_owner;
