-- Rosters: the file of a school's own information system, line by line beside the roll, until somebody takes it in or drops it; and
-- what was changed by taking it in, for as long as it can be undone.
--
-- Only who keeps the roll sees any of this. What a school has not switched on never comes here, and what a line says of a child's
-- circumstances comes sealed.

set local role quorate_owner;

create table roster_import (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  file_name text not null,
  sha256 bytea not null,
  columns jsonb not null,
  la text,
  establishment text,
  made_by uuid not null,
  made_at timestamptz not null default now(),
  state text not null default 'read',
  added integer not null default 0,
  changed integer not null default 0,
  left_out integer not null default 0,
  committed_at timestamptz,
  undone_at timestamptz,
  constraint roster_import_pkey primary key (tenant_id, id),
  constraint roster_import_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint roster_import_made_by_fkey foreign key (tenant_id, made_by) references membership (tenant_id, id),
  constraint roster_import_file_name_shape check (
    file_name = btrim(file_name) and char_length(file_name) between 1 and 200
    and file_name !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint roster_import_sha256_long check (octet_length(sha256) = 32),
  constraint roster_import_la_shape check (la ~ '^[0-9]{3}$'),
  constraint roster_import_establishment_shape check (establishment ~ '^[0-9]{4}$'),
  constraint roster_import_state_known check (state in ('read', 'committed', 'undone', 'dropped')),
  constraint roster_import_state_dated check (
    (committed_at is not null) = (state in ('committed', 'undone')) and (undone_at is not null) = (state = 'undone'))
);
comment on column roster_import.columns is 'the columns that are kept, in their order: what each is called and what it is';
create index roster_import_open on roster_import (tenant_id, id) where state = 'read';

-- What a school has said that a column of that name is.
create table roster_column (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  key text not null,
  means text not null,
  constraint roster_column_pkey primary key (tenant_id, id),
  constraint roster_column_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint roster_column_key_key unique (tenant_id, key),
  constraint roster_column_key_shape check (char_length(key) between 1 and 200),
  constraint roster_column_means_shape check (means ~ '^[a-z0-9_]{1,40}$')
);
comment on column roster_column.means is 'the code of a field, full_name, or ignore';

create table roster_row (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  import_id uuid not null,
  line integer not null,
  upn text,
  admission_number text,
  first_name text,
  last_name text,
  preferred_name text,
  born date,
  sex text,
  year_group text,
  registration text,
  class text,
  teacher text,
  sealed bytea not null,
  wrong boolean not null,
  faults jsonb not null,
  found jsonb not null default '[]',
  of_line integer,
  match_id uuid,
  match_by text,
  confirmed boolean,
  verdict text not null default 'unjudged',
  changes jsonb not null default '[]',
  shown text,
  constraint roster_row_pkey primary key (tenant_id, id),
  constraint roster_row_import_fkey foreign key (tenant_id, import_id) references roster_import (tenant_id, id) on delete cascade,
  constraint roster_row_line_key unique (tenant_id, import_id, line),
  constraint roster_row_match_by_known check (match_by in ('upn', 'admission', 'name')),
  constraint roster_row_verdict_known check (verdict in ('unjudged', 'new', 'same', 'changed', 'unsure', 'bad', 'moved'))
);
comment on column roster_row.id is 'and of the pupil that the line adds';
comment on column roster_row.sealed is 'the cells as they stood in the file, the context tags, and what is wrong with those';
comment on column roster_row.faults is 'what is wrong with the line by itself';
comment on column roster_row.found is 'what is wrong with it beside the other lines and the roll';
comment on column roster_row.of_line is 'the first line of the same pupil, where a roster has a line for each class';
comment on column roster_row.match_id is 'the pupil it is of, as far as comparing found one; looked up again whenever it is used';
comment on column roster_row.shown is 'a digest of what would become of the line as it was last shown';

create table roster_change (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  import_id uuid not null,
  what text not null,
  pupil_id uuid,
  group_id uuid,
  row_id uuid,
  field text,
  was text,
  becomes text,
  constraint roster_change_pkey primary key (tenant_id, id),
  constraint roster_change_import_fkey foreign key (tenant_id, import_id) references roster_import (tenant_id, id) on delete cascade,
  constraint roster_change_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete cascade,
  constraint roster_change_group_fkey foreign key (tenant_id, group_id) references teaching_group (tenant_id, id) on delete cascade,
  constraint roster_change_what_known check (what in ('added', 'field', 'joined', 'left', 'group', 'caseload')),
  constraint roster_change_field_named check ((what = 'field') = (field is not null))
);
comment on column roster_change.row_id is 'the place in a group or the caseload that it is about';
comment on column roster_change.becomes is 'a value, a time in a group, or the digest of an added pupil: by it one sees whether it is as it was left';
create index roster_change_by_import on roster_change (tenant_id, import_id);
create index roster_change_by_pupil on roster_change (tenant_id, pupil_id) where pupil_id is not null;
create index roster_change_by_group on roster_change (tenant_id, group_id) where group_id is not null;

set local role quorate_sec;

-- Of these pupils, those of whom anything else is kept than what a roster made: any table that points at a pupil, those of later
-- migrations too. Places in groups that are named are left out of account.
create function sec.pupils_recorded(pupils uuid[], places uuid[]) returns setof uuid
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
      and k.conrelid <> 'public.roster_change'::regclass
  loop
    return query execute format('select t.%I from %s t where t.tenant_id = $1 and t.%I = any ($2)%s', one.attname, one.conrelid::regclass,
        one.attname, case when one.conrelid = 'public.group_pupil'::regclass then ' and t.id <> all ($3)' else '' end)
      using here, pupils, places;
  end loop;
end
$$;

-- What was kept of a field goes when it is switched off, out of what could be undone too; and a roster that was read while it was on is
-- read again.
create function sec.field_leaves_rosters() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  delete from public.roster_change c where c.tenant_id = old.tenant_id and c.field = old.field;
  delete from public.roster_row r using public.roster_import i
  where i.tenant_id = old.tenant_id and i.state = 'read' and r.tenant_id = i.tenant_id and r.import_id = i.id;
  update public.roster_import i set state = 'dropped' where i.tenant_id = old.tenant_id and i.state = 'read';
  return null;
end
$$;

-- A roster that nobody took in is dropped after seven days, and what could be undone is forgotten when it no longer can. Returns how
-- many rosters were dropped.
create function sec.rosters_end() returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  one record;
  ended integer := 0;
begin
  for one in
    select i.tenant_id, i.id from public.roster_import i
    where i.state = 'read' and i.made_at <= now() - interval '7 days'
    order by i.tenant_id, i.id limit 50 for update skip locked
  loop
    delete from public.roster_row r where r.tenant_id = one.tenant_id and r.import_id = one.id;
    update public.roster_import i set state = 'dropped' where i.tenant_id = one.tenant_id and i.id = one.id;
    perform sec.append_for(one.tenant_id, null, 'roster.dropped', one.id, '{"pupils": 0, "by": "clock"}', '{}', null);
    ended := ended + 1;
  end loop;
  delete from public.roster_change c using public.roster_import i
  where i.state = 'committed' and i.committed_at <= now() - interval '31 days' and c.tenant_id = i.tenant_id and c.import_id = i.id;
  return ended;
end
$$;

grant execute on function sec.rosters_end() to quorate_worker;
grant execute on function sec.pupils_recorded(uuid[], uuid[]) to quorate_web;
grant execute on function sec.field_leaves_rosters() to quorate_owner;

set local role quorate_owner;

create trigger field_leaves_rosters after delete on field_switch for each row execute function sec.field_leaves_rosters();

do $$
declare
  name text;
begin
  foreach name in array array['roster_import', 'roster_column', 'roster_row', 'roster_change'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy %I on %I for select to quorate_web
      using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))', name || '_select', name);
  end loop;
  foreach name in array array['roster_column', 'roster_row', 'roster_change'] loop
    execute format('create policy %I on %I for insert to quorate_web
      with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))', name || '_insert', name);
    execute format('create policy %I on %I for delete to quorate_web
      using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))', name || '_delete', name);
  end loop;
  foreach name in array array['roster_import', 'roster_row'] loop
    execute format('create policy %I on %I for update to quorate_web
      using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))
      with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))', name || '_update', name);
  end loop;
  foreach name in array array['roster_import', 'roster_row', 'roster_change'] loop
    execute format('create policy %I on %I for select to quorate_sec using (true)', name || '_sec_select', name);
    execute format('grant select on %I to quorate_sec', name);
  end loop;
  foreach name in array array['roster_row', 'roster_change'] loop
    execute format('create policy %I on %I for delete to quorate_sec using (true)', name || '_sec_delete', name);
    execute format('grant delete on %I to quorate_sec', name);
  end loop;
end
$$;
create policy roster_import_insert on roster_import for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()) and made_by = (select sec.membership()));
create policy roster_import_sec_update on roster_import for update to quorate_sec using (true) with check (true);
grant update (state) on roster_import to quorate_sec;

grant select, insert (tenant_id, id, file_name, sha256, columns, la, establishment, made_by),
  update (state, added, changed, left_out, committed_at, undone_at) on roster_import to quorate_web;
grant select, insert (tenant_id, key, means), delete on roster_column to quorate_web;
grant select, insert (tenant_id, import_id, line, upn, admission_number, first_name, last_name, preferred_name, born, sex, year_group,
    registration, class, teacher, sealed, wrong, faults),
  update (found, of_line, match_id, match_by, confirmed, verdict, changes, shown), delete on roster_row to quorate_web;
grant select, insert (tenant_id, import_id, what, pupil_id, group_id, row_id, field, was, becomes), delete on roster_change
  to quorate_web;

set local role quorate_sec;

insert into sec.notice_rule (act, hears) values
  ('roster.read', 'nobody'), ('roster.settled', 'nobody'), ('roster.dropped', 'nobody'),
  ('roster.imported', 'nobody'), ('roster.undone', 'nobody');

set local role quorate_owner;
