-- What protects pupils where many of them are shown at once, and where a right or a circumstance has ended: overviews are looks too, a
-- parent who is none here any more hears of no child, and what is over gives way to what is so now.

set local role quorate_sec;

-- Parts that are an overview of many pupils, each with little: the levels of a heat map, and what a roster would change.
create function sec.overview_parts() returns text[]
language sql immutable parallel safe
as $$ select array['levels', 'roster'] $$;

-- Puts down that the caller looks at many pupils at once, before they see anything: a line for each whom they see, with the right by
-- which they see that one, as `sec.look_at` finds it. Returns how many they see; of the others nothing is put down, nor of a part that
-- is no overview.
create function sec.look_over(pupils uuid[], part text) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  here constant uuid := sec.tenant();
  own constant uuid := sec.membership();
  school constant boolean := sec.sees_school();
  teaching constant boolean := sec.has_role('teacher', 'teaching_assistant');
  mine constant uuid[] := sec.caseload();
  many integer;
begin
  if own is null or not (school or teaching) or look_over.part <> all (sec.overview_parts()) then
    return 0;
  end if;
  with seen as materialized (
    select p.id, case when c.id is not null then 'caseload' when school then 'role' else 'reason' end as basis, a.id as access_id
    from public.pupil p
    left join (select distinct m.id from unnest(mine) as m (id)) c on c.id = p.id
    left join lateral (
      select x.id from public.pupil_access x
      where c.id is null and not school and teaching and x.tenant_id = here and x.membership_id = own and x.pupil_id = p.id
        and x.until > now()
      order by x.opened_at desc limit 1
    ) a on true
    where p.tenant_id = here and p.id = any (look_over.pupils) and (c.id is not null or school or a.id is not null)
  ), put as (
    insert into public.pupil_read (tenant_id, membership_id, pupil_id, basis, access_id, parts)
    select here, own, s.id, s.basis, s.access_id, array[look_over.part] from seen s
    where not exists (
      select from public.pupil_read r
      where r.tenant_id = here and r.membership_id = own and r.pupil_id = s.id and r.basis = s.basis
        and r.access_id is not distinct from s.access_id and r.parts @> array[look_over.part]
        and r.at > now() - interval '10 minutes')
    order by s.id
  )
  select count(*) into many from seen;
  return many;
end
$$;
grant execute on function sec.look_over(uuid[], text) to quorate_web;

-- As before; and that somebody had a pupil in an overview is nothing that was recorded of that pupil: it goes with one who was on the
-- roll by mistake.
create or replace function sec.pupils_recorded(pupils uuid[], places uuid[]) returns setof uuid
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  here constant uuid := sec.tenant();
  one record;
begin
  if here is null or not sec.keeps_pupils() then
    return;
  end if;
  for one in
    select k.conrelid, a.attname from pg_constraint k
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[2]
    where k.contype = 'f' and k.confrelid = 'public.pupil'::regclass
      and k.conrelid <> all (array['public.roster_change', 'public.tag', 'public.tag_change']::regclass[])
  loop
    return query execute format('select t.%I from %s t where t.tenant_id = $1 and t.%I = any ($2)%s', one.attname, one.conrelid::regclass,
        one.attname, case one.conrelid
          when 'public.group_pupil'::regclass then ' and t.id <> all ($3)'
          when 'public.pupil_read'::regclass then ' and not t.parts <@ sec.overview_parts()'
          else '' end)
      using here, pupils, places;
  end loop;
end
$$;

set local role quorate_owner;
