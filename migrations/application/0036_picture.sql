-- The school's picture: how many pupils of each year group and each circumstance are at which level, once a day, with small
-- groups hidden. What is kept is what was released and nothing else: the numbers behind a hidden cell are in no table, and
-- what pupils were counted by is read from their records again, as known at the moments that `counted` names.

set local role quorate_owner;

create table picture (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  day date not null,
  made_at timestamptz not null default now(),
  made_by uuid not null,
  counted jsonb not null,
  constraint picture_pkey primary key (tenant_id, id),
  constraint picture_made_by_fkey foreign key (tenant_id, made_by) references membership (tenant_id, id),
  -- Two who make it at once make one.
  constraint picture_day_key unique (tenant_id, day),
  constraint picture_day_finite check (isfinite(day)),
  constraint picture_counted_object check (jsonb_typeof(counted) = 'object')
);
comment on column picture.counted is
  'as of when each thing that pupils are told apart by was counted, in microseconds since 1970';

create table picture_table (
  tenant_id uuid not null,
  picture_id uuid not null,
  place integer not null,
  by_what text not null,
  domain text not null,
  released jsonb not null,
  constraint picture_table_pkey primary key (tenant_id, picture_id, place),
  constraint picture_table_picture_fkey foreign key (tenant_id, picture_id) references picture (tenant_id, id),
  constraint picture_table_once_key unique (tenant_id, picture_id, by_what, domain),
  constraint picture_table_place_some check (place between 1 and 100),
  -- Looked after is not among them: that is for fewer than read this.
  constraint picture_table_by_what_known check (by_what in ('year_group', 'sen', 'pupil_premium', 'fsm', 'service_child')),
  constraint picture_table_domain_known check (domain in (
    'safe', 'healthy', 'settled', 'connected', 'listened_to', 'learning', 'active', 'hopeful')),
  constraint picture_table_released_object check (jsonb_typeof(released) = 'object'),
  -- Whatever a program may get wrong: no number from nought to four is ever stored. A hidden one is null.
  constraint picture_table_small_hidden check (not jsonb_path_exists(released, '$.** ? (@.type() == "number") ? (@ < 5)'))
);

set local role quorate_sec;

-- Whether the caller is making that picture: in this transaction, and nobody adds to one afterwards.
create function sec.makes_picture(picture uuid) returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return sec.sees_school() and exists (
    select from public.picture p
    where p.tenant_id = sec.tenant() and p.id = makes_picture.picture and p.made_by = sec.membership() and p.made_at = now());
end
$$;

-- The newest picture of each school of the sealed trust: of every domain the whole school's numbers as they were released,
-- not those of its years, nor of any circumstance. It takes nothing, so there is nothing to ask it about but one's own trust.
-- A clerk sees nothing of pupils, there as anywhere.
create function sec.trust_pictures()
returns table (label text, name text, day date, domain text, levels jsonb, cells jsonb, total jsonb)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if not sec.has_role('trust_admin', 'trust_lead') then
    return;
  end if;
  return query
    select t.label, t.name, p.day, x.domain, x.released #> '{columns,values}', x.released -> 'column_totals',
      x.released -> 'total'
    from public.tenant t
    left join lateral (
      select q.id, q.day from public.picture q where q.tenant_id = t.id order by q.day desc limit 1) p on true
    left join public.picture_table x on x.tenant_id = t.id and x.picture_id = p.id and x.by_what = 'year_group'
    where t.trust_id = sec.tenant()
    order by lower(t.name), t.label, x.place;
end
$$;

grant execute on function sec.makes_picture(uuid), sec.trust_pictures() to quorate_web;

insert into sec.notice_rule (act, hears) values ('picture.released', 'nobody');

set local role quorate_owner;

do $$
declare
  name text;
begin
  foreach name in array array['picture', 'picture_table'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy %I on %I for select to quorate_sec using (true)', name || '_sec_select', name);
    execute format('grant select on %I to quorate_sec', name);
  end loop;
end
$$;

-- Nobody changes or deletes one: a later picture is held against what the earlier ones told.
create policy picture_select on picture for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_school()));
create policy picture_insert on picture for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.sees_school()) and made_by = (select sec.membership())
    and day = sec.today());
grant select, insert (tenant_id, day, made_by, counted) on picture to quorate_web;

create policy picture_table_select on picture_table for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_school()));
create policy picture_table_insert on picture_table for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and sec.makes_picture(picture_id));
grant select, insert on picture_table to quorate_web;
