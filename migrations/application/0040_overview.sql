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
-- roll by mistake. So does the year group that they were in before.
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
      and k.conrelid <> all (array['public.roster_change', 'public.tag', 'public.tag_change', 'public.year_change']::regclass[])
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

-- What is out of the ordinary in a week, put down, as before. Going through the school page by page is the work of who leads it: of an
-- overview counts only that it was outside the hours.
create or replace function sec.access_findings(tenant uuid, week uuid, monday date) returns void
language sql volatile
as $$
  with looks as materialized (
    select r.membership_id, r.pupil_id, r.basis, r.at, (r.at at time zone 'Europe/London') as here,
      r.parts <@ sec.overview_parts() as overview
    from public.pupil_read r
    where r.tenant_id = access_findings.tenant and r.at >= sec.midnight(monday - 56) and r.at < sec.midnight(monday + 7)
  ), week as materialized (
    select * from looks l where l.at >= sec.midnight(monday)
  ), daily as (
    select l.membership_id, l.here::date as day, count(distinct l.pupil_id)::integer as many, min(l.at) as at
    from looks l where not l.overview group by l.membership_id, l.here::date
  ), usual as (
    select d.membership_id, percentile_disc(0.5) within group (order by d.many) as many
    from daily d where d.day < monday group by d.membership_id
  ), found as (
    select 'beyond' as rule, a.membership_id, a.pupil_id, a.id as access_id, a.opened_at as at, 1 as many, null::integer as usual
    from public.pupil_access a
    where a.tenant_id = access_findings.tenant and a.opened_at >= sec.midnight(monday) and a.opened_at < sec.midnight(monday + 7)
    union all
    select 'hours', w.membership_id,
      case when count(distinct w.pupil_id) = 1 then (array_agg(w.pupil_id))[1] end, null, min(w.at),
      count(distinct w.pupil_id)::integer, null
    from week w
    where extract(isodow from w.here) > 5 or w.here::time < '07:00' or w.here::time >= '19:00'
    group by w.membership_id, w.here::date
    union all
    select 'many', d.membership_id, null, null, d.at, d.many, u.many
    from daily d left join usual u on u.membership_id = d.membership_id
    where d.day >= monday and d.many >= 20 and d.many > 3 * coalesce(u.many, 0)
    union all
    select 'crowd', null, w.pupil_id, null, min(w.at), count(distinct w.membership_id)::integer, null
    from week w where not w.overview group by w.pupil_id, w.here::date having count(distinct w.membership_id) >= 5
    union all
    select 'family', w.membership_id, w.pupil_id, null, min(w.at), 1, null
    from week w
    join public.membership m on m.tenant_id = access_findings.tenant and m.id = w.membership_id
    join public.pupil p on p.tenant_id = access_findings.tenant and p.id = w.pupil_id
    where w.basis <> 'caseload' and not w.overview
      and (sec.surnames(p.last_name) && sec.surnames(regexp_replace(btrim(m.name), '^\S+\s+', ''))
        or exists (select from public.guardian_link g
          where g.tenant_id = m.tenant_id and g.membership_id = m.id and g.pupil_id = p.id))
    group by w.membership_id, w.pupil_id
  )
  insert into public.access_finding (tenant_id, week_id, rule, membership_id, pupil_id, access_id, at, many, usual)
  select access_findings.tenant, access_findings.week, f.rule, f.membership_id, f.pupil_id, f.access_id, f.at, f.many, f.usual
  from found f order by f.at, f.rule
$$;

-- As before; and what was to be told of entries goes with any child that is taken: it may have been of that one, and a letter about
-- something that is not on their page would say that something is kept from them. Of other children they read on their page.
create or replace function sec.child_taken() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  others constant boolean := exists (
    select from public.guardian_link g
    where g.tenant_id = new.tenant_id and g.membership_id = new.membership_id and g.ended_at is null
      and not exists (
        select from public.contact_restriction r
        where r.tenant_id = g.tenant_id and r.membership_id = g.membership_id and r.pupil_id = g.pupil_id
          and r.lifted_at is null and coalesce(r.until >= sec.today(), true)));
begin
  update public.notice n set seen_at = now() where (n.tenant_id, n.id) in (
    select o.tenant_id, o.id from public.notice o
    where o.tenant_id = new.tenant_id and o.membership_id = new.membership_id and o.seen_at is null
      and (o.kind = 'record.opened' or o.kind = 'guardian.linked' and not others)
    for update skip locked);
  return null;
end
$$;

-- Who is no parent here any more is told nothing that was to be told to them as one, though their links stay as they are. Whose place
-- ends is told nothing at all any more: the log's own trigger sees to that. Rows that the person is marking just now are left to them.
create function sec.parent_no_more() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  update public.notice n set seen_at = now() where (n.tenant_id, n.id) in (
    select o.tenant_id, o.id from public.notice o
    where o.tenant_id = new.tenant_id and o.membership_id = new.id and o.seen_at is null
      and o.kind in ('record.opened', 'guardian.linked')
    for update skip locked);
  return null;
end
$$;
grant execute on function sec.parent_no_more() to quorate_owner;

-- The line of the trail, as before; and where what is deleted was over already, it is the clock that ended it, whoever deletes it.
create or replace function sec.tag_leaves_trail() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  own constant uuid := sec.membership();
  ended boolean;
begin
  if own is null then
    return null;
  end if;
  if tg_op = 'DELETE' then
    ended := old.expires_on < sec.today();
    insert into public.tag_change (tenant_id, pupil_id, kind, why, was, by_id)
    select old.tenant_id, old.pupil_id, old.kind, case when ended then 'expired' else 'removed' end, old.sealed,
      case when not ended then own end
    where exists (select from public.pupil p where p.tenant_id = old.tenant_id and p.id = old.pupil_id)
      and exists (select from public.field_switch s where s.tenant_id = old.tenant_id and s.field = old.kind);
  elsif tg_op = 'INSERT' then
    insert into public.tag_change (tenant_id, pupil_id, kind, why, became, by_id)
    values (new.tenant_id, new.pupil_id, new.kind, 'set', new.sealed, own);
  else
    insert into public.tag_change (tenant_id, pupil_id, kind, why, was, became, by_id)
    values (new.tenant_id, new.pupil_id, new.kind, case when new.sealed = old.sealed then 'renewed' else 'set' end,
      old.sealed, new.sealed, own);
  end if;
  return null;
end
$$;

-- What is over of these pupils goes, of the kinds that are the caller's to set, so that nothing that nobody sees any more is in the way
-- of what is so now. Returns how many went.
create function sec.tags_give_way(pupils uuid[]) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  gone integer;
begin
  delete from public.tag t
  where t.tenant_id = sec.tenant() and t.pupil_id = any (tags_give_way.pupils) and t.kind = any (sec.tags_on())
    and t.expires_on < sec.today();
  get diagnostics gone = row_count;
  return gone;
end
$$;
grant execute on function sec.tags_give_way(uuid[]) to quorate_web;

set local role quorate_owner;

create trigger parent_no_more after update of roles on membership
  for each row when ('parent' = any (old.roles) and not 'parent' = any (new.roles)) execute function sec.parent_no_more();

-- In which year group pupils were before, for as long as a picture of the school may still be held against one in which they were: who
-- alone is moved to another would otherwise be told from the totals of two days. A trigger writes it, and nobody changes it.
create table year_change (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  pupil_id uuid not null,
  was text not null,
  at timestamptz not null default now(),
  constraint year_change_pkey primary key (tenant_id, id),
  constraint year_change_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete cascade,
  constraint year_change_was_known check (was in (
    'E1', 'E2', 'N1', 'N2', 'R', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', 'X'))
);
create index year_change_by_pupil on year_change (tenant_id, pupil_id, at);
create index year_change_by_time on year_change (at);

set local role quorate_sec;

create function sec.year_leaves_trail() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  insert into public.year_change (tenant_id, pupil_id, was) values (new.tenant_id, new.id, old.year_group);
  return null;
end
$$;
grant execute on function sec.year_leaves_trail() to quorate_owner;

-- What no picture is held against any more is forgotten. Returns how many lines.
create function sec.years_forgotten() returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  gone integer;
begin
  delete from public.year_change c where c.at < now() - interval '7 weeks';
  get diagnostics gone = row_count;
  return gone;
end
$$;
grant execute on function sec.years_forgotten() to quorate_worker;

set local role quorate_owner;

create trigger year_leaves_trail after update on pupil
  for each row when (new.year_group <> old.year_group) execute function sec.year_leaves_trail();

alter table year_change enable row level security;
alter table year_change force row level security;
create policy year_change_sec_select on year_change for select to quorate_sec using (true);
create policy year_change_sec_insert on year_change for insert to quorate_sec with check (true);
create policy year_change_sec_delete on year_change for delete to quorate_sec using (true);
grant select, insert, delete on year_change to quorate_sec;
create policy year_change_select on year_change for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_school()));
grant select on year_change to quorate_web;
