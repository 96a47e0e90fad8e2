-- How often something may be tried: sign-in pages by address, uploads by person. Unlogged, because a count that is
-- lost in a crash is worth less than the write it would cost.

create unlogged table throttle (
  key text not null,
  window_start timestamptz not null,
  count integer not null,
  constraint throttle_pkey primary key (key),
  constraint throttle_count_positive check (count > 0)
) with (fillfactor = 50);

create index throttle_by_age on throttle (window_start);

-- Takes one of `most` turns in each `span`. Returns 0 when taken, else the seconds to wait. One statement, so that
-- parallel callers cannot all read the same count.
create function throttle_take(key text, most integer, span interval) returns integer
language sql volatile security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  insert into public.throttle as t (key, window_start, count)
  values (throttle_take.key, clock_timestamp(), 1)
  on conflict on constraint throttle_pkey do update set
    window_start = case when t.window_start + span <= excluded.window_start then excluded.window_start else t.window_start end,
    -- Stops one past the limit, so a flood cannot overflow it.
    count = case when t.window_start + span <= excluded.window_start then 1 else least(t.count, most) + 1 end
  returning case
    when t.count <= most then 0
    else greatest(1, ceil(extract(epoch from t.window_start + span - clock_timestamp())))::integer
  end;
end;

-- Forgets what nobody has tried for a day; returns how many keys that were.
create function throttle_sweep() returns bigint
language sql volatile security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with gone as (delete from public.throttle t where t.window_start < now() - interval '1 day' returning 1)
  select count(*) from gone;
end;

revoke all on function throttle_take(text, integer, interval), throttle_sweep() from public;
grant execute on function throttle_take(text, integer, interval), throttle_sweep() to quorate_cache;
