-- Context tags: what a school knows of a pupil's circumstances, kept so that the database cannot read it. A value is sealed by the
-- server with a key of the tenant's own, which lies here wrapped in the server's master key; to destroy that row is to make every
-- value of the tenant unreadable, in each copy and backup.

set local role quorate_owner;

create table tenant_key (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  number integer not null,
  wrapped bytea not null,
  made_at timestamptz not null default now(),
  constraint tenant_key_pkey primary key (tenant_id, id),
  constraint tenant_key_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint tenant_key_number_key unique (tenant_id, number),
  constraint tenant_key_number_fits check (number between 1 and 255),
  constraint tenant_key_wrapped_length check (octet_length(wrapped) = 61)
);

-- All sealed values are as long as each other, so that their length tells nothing.
create table tag (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  pupil_id uuid not null,
  kind text not null,
  sealed bytea not null,
  expires_on date not null,
  constraint tag_pkey primary key (tenant_id, id),
  constraint tag_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete cascade,
  constraint tag_once_key unique (tenant_id, pupil_id, kind),
  constraint tag_kind_known check (kind in ('ethnicity', 'fsm', 'fsm6', 'looked_after', 'pupil_premium', 'sen', 'service_child',
    'traveller', 'home_language', 'more_able')),
  constraint tag_sealed_length check (octet_length(sealed) = 93),
  constraint tag_expires_on_finite check (isfinite(expires_on))
);
comment on column tag.expires_on is 'its last day: the end of a school year, unless somebody renews it';
create index tag_by_end on tag (expires_on);

-- Who tagged whom, when, from what to what, sealed as the values are. A trigger writes it, so that no tag changes without its line,
-- and nobody changes one; where a school switches a kind off, the values go and the lines stay.
create table tag_change (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  pupil_id uuid not null,
  kind text not null,
  why text not null,
  was bytea,
  became bytea,
  by_id uuid,
  at timestamptz not null default now(),
  constraint tag_change_pkey primary key (tenant_id, id),
  constraint tag_change_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete cascade,
  constraint tag_change_by_fkey foreign key (tenant_id, by_id) references membership (tenant_id, id),
  constraint tag_change_kind_known check (kind in ('ethnicity', 'fsm', 'fsm6', 'looked_after', 'pupil_premium', 'sen',
    'service_child', 'traveller', 'home_language', 'more_able')),
  constraint tag_change_why_known check (why in ('set', 'removed', 'renewed', 'expired'))
);
create index tag_change_by_pupil on tag_change (tenant_id, pupil_id, at);

set local role quorate_sec;

-- Who reads and sets them. Whether a child is looked after is for fewer: administrators, and the designated safeguarding lead.
create function sec.tags_seen() returns text[]
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
declare
  broad constant text[] := array['ethnicity', 'fsm', 'fsm6', 'pupil_premium', 'sen', 'service_child', 'traveller', 'home_language',
    'more_able'];
begin
  if not sec.sees_school() then
    return '{}';
  end if;
  if sec.has_role('school_admin') or exists (
    select from public.duty_holder d
    where d.tenant_id = sec.tenant() and d.duty = 'safeguarding' and d.membership_id = sec.membership()) then
    return broad || array['looked_after'];
  end if;
  return broad;
end
$$;

-- Those of them that the school has switched on.
create function sec.tags_on() returns text[]
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return array(
    select s.field from public.field_switch s where s.tenant_id = sec.tenant() and s.field = any (sec.tags_seen()));
end
$$;

-- The line of the trail. What goes with its pupil leaves none, and what the clock ends is told where it is ended.
create function sec.tag_leaves_trail() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  own constant uuid := sec.membership();
begin
  if own is null then
    return null;
  end if;
  if tg_op = 'DELETE' then
    insert into public.tag_change (tenant_id, pupil_id, kind, why, was, by_id)
    select old.tenant_id, old.pupil_id, old.kind, 'removed', old.sealed, own
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

-- A kind that is switched off goes, values of the trail with it.
create function sec.field_switch_forgets() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  delete from public.tag t where t.tenant_id = old.tenant_id and t.kind = old.field;
  update public.tag_change c set was = null, became = null where c.tenant_id = old.tenant_id and c.kind = old.field;
  return null;
end
$$;

-- Those whose school year is over go, and the trail says so. Returns how many.
create function sec.tags_expire() returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  one record;
  gone integer := 0;
begin
  for one in
    with over as materialized (
      select t.tenant_id, t.id from public.tag t where t.expires_on < sec.today()
      order by t.tenant_id, t.id limit 5000 for update skip locked
    ), ended as (
      delete from public.tag t using over o where t.tenant_id = o.tenant_id and t.id = o.id
      returning t.tenant_id, t.pupil_id, t.kind, t.sealed
    ), told as (
      insert into public.tag_change (tenant_id, pupil_id, kind, why, was)
      select e.tenant_id, e.pupil_id, e.kind, 'expired', e.sealed from ended e
      returning tenant_id, pupil_id
    )
    select t.tenant_id, count(distinct t.pupil_id)::integer as pupils, count(*)::integer as many
    from told t group by t.tenant_id order by t.tenant_id
  loop
    perform sec.append_for(one.tenant_id, null, 'tag.expired', null,
      jsonb_build_object('pupils', one.pupils, 'tags', one.many), array['caseload'], null);
    gone := gone + one.many;
  end loop;
  return gone;
end
$$;

grant execute on function sec.tags_seen(), sec.tags_on() to quorate_web;
grant execute on function sec.tags_expire() to quorate_worker;
grant execute on function sec.field_switch_forgets(), sec.tag_leaves_trail() to quorate_owner;

set local role quorate_owner;

create trigger tag_leaves_trail after insert or update or delete on tag
  for each row execute function sec.tag_leaves_trail();
create trigger field_switch_forgets after delete on field_switch for each row execute function sec.field_switch_forgets();

do $$
declare
  name text;
begin
  foreach name in array array['tenant_key', 'tag', 'tag_change'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy %I on %I for select to quorate_sec using (true)', name || '_sec_select', name);
    execute format('grant select on %I to quorate_sec', name);
  end loop;
  create policy tag_sec_update on tag for update to quorate_sec using (true) with check (true);
  create policy tag_sec_delete on tag for delete to quorate_sec using (true);
  grant update, delete on tag to quorate_sec;
  create policy tag_change_sec_insert on tag_change for insert to quorate_sec with check (true);
  create policy tag_change_sec_update on tag_change for update to quorate_sec using (true) with check (true);
  grant insert, update on tag_change to quorate_sec;
end
$$;

create policy tenant_key_select on tenant_key for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_school()));
create policy tenant_key_insert on tenant_key for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.sees_school()));
grant select, insert (tenant_id, number, wrapped) on tenant_key to quorate_web;

create policy tag_select on tag for select to quorate_web
  using (tenant_id = (select sec.tenant()) and kind = any ((select sec.tags_on())::text[]) and expires_on >= sec.today());
create policy tag_insert on tag for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and kind = any ((select sec.tags_on())::text[]) and expires_on >= sec.today());
create policy tag_update on tag for update to quorate_web
  using (tenant_id = (select sec.tenant()) and kind = any ((select sec.tags_on())::text[]))
  with check (tenant_id = (select sec.tenant()) and kind = any ((select sec.tags_on())::text[]) and expires_on >= sec.today());
create policy tag_delete on tag for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and kind = any ((select sec.tags_on())::text[]));
grant select, insert (tenant_id, pupil_id, kind, sealed, expires_on), update (sealed, expires_on), delete on tag to quorate_web;

create policy tag_change_select on tag_change for select to quorate_web
  using (tenant_id = (select sec.tenant()) and kind = any ((select sec.tags_on())::text[]));
grant select on tag_change to quorate_web;

set local role quorate_sec;

insert into sec.notice_rule (act, hears) values
  ('tag.set', 'nobody'), ('tag.removed', 'nobody'), ('tag.renewed', 'nobody'), ('tag.expired', 'nobody');

set local role quorate_owner;
