-- The turn of the school year: that the roll was moved up, and how it stood before, for as long as that can be undone.
--
-- What will happen is worked out whenever somebody looks and is stored nowhere. Only who keeps the roll sees any of this.

set local role quorate_owner;

create table rollover (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  school_year integer not null,
  last_day date not null,
  made_by uuid not null,
  made_at timestamptz not null default now(),
  moved_up integer not null,
  leavers integer not null,
  undone_at timestamptz,
  constraint rollover_pkey primary key (tenant_id, id),
  constraint rollover_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint rollover_made_by_fkey foreign key (tenant_id, made_by) references membership (tenant_id, id),
  constraint rollover_school_year_known check (school_year between 2000 and 2200),
  constraint rollover_last_day_finite check (isfinite(last_day))
);
comment on column rollover.school_year is 'the year in which the school year begins that the roll was moved up for';
comment on column rollover.last_day is 'of the school year before it';
-- Moved up once for a school year, and again only when that was undone.
create unique index rollover_once_key on rollover (tenant_id, school_year) where undone_at is null;

create table rollover_change (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  rollover_id uuid not null,
  what text not null,
  pupil_id uuid,
  group_id uuid,
  membership_id uuid,
  row_id uuid,
  cover boolean,
  was text,
  becomes text,
  constraint rollover_change_pkey primary key (tenant_id, id),
  constraint rollover_change_rollover_fkey foreign key (tenant_id, rollover_id) references rollover (tenant_id, id)
    on delete cascade,
  constraint rollover_change_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete cascade,
  constraint rollover_change_group_fkey foreign key (tenant_id, group_id) references teaching_group (tenant_id, id)
    on delete cascade,
  constraint rollover_change_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint rollover_change_what_known check (what in ('year', 'left', 'renamed', 'closed', 'place', 'caseload'))
);
comment on column rollover_change.row_id is 'the place in a group or the caseload that it is about';
comment on column rollover_change.was is 'a year group, a name or a time, as it was before';
comment on column rollover_change.becomes is
  'what it was left as, by which one sees whether somebody changed it since; null where the row was taken away';
create index rollover_change_by_rollover on rollover_change (tenant_id, rollover_id);
create index rollover_change_by_pupil on rollover_change (tenant_id, pupil_id) where pupil_id is not null;
create index rollover_change_by_group on rollover_change (tenant_id, group_id) where group_id is not null;

set local role quorate_sec;

-- What could be undone is forgotten when it no longer can. Returns of how many rollovers.
create function sec.rollovers_end() returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  ended integer;
begin
  with gone as (
    delete from public.rollover_change c using public.rollover r
    where r.made_at <= now() - interval '31 days' and c.tenant_id = r.tenant_id and c.rollover_id = r.id
    returning c.tenant_id, c.rollover_id
  )
  select count(distinct (g.tenant_id, g.rollover_id)) into ended from gone g;
  return ended;
end
$$;
grant execute on function sec.rollovers_end() to quorate_worker;

set local role quorate_owner;

do $$
declare
  name text;
begin
  foreach name in array array['rollover', 'rollover_change'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy %I on %I for select to quorate_web
      using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))', name || '_select', name);
    execute format('create policy %I on %I for select to quorate_sec using (true)', name || '_sec_select', name);
    execute format('grant select on %I to quorate_sec', name);
  end loop;
end
$$;
create policy rollover_insert on rollover for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()) and made_by = (select sec.membership()));
create policy rollover_update on rollover for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
create policy rollover_change_insert on rollover_change for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
create policy rollover_change_delete on rollover_change for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
create policy rollover_change_sec_delete on rollover_change for delete to quorate_sec using (true);

grant select, insert (tenant_id, id, school_year, last_day, made_by, moved_up, leavers), update (undone_at) on rollover
  to quorate_web;
grant select, insert (tenant_id, rollover_id, what, pupil_id, group_id, membership_id, row_id, cover, was, becomes), delete
  on rollover_change to quorate_web;
grant delete on rollover_change to quorate_sec;

set local role quorate_sec;

insert into sec.notice_rule (act, hears) values ('pupil.rolled_over', 'nobody'), ('pupil.rolled_back', 'nobody');

set local role quorate_owner;
