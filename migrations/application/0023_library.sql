-- The library: folders and who reads them, documents and their versions, the text of their pages, and who has opened what.
--
-- A restricted folder is read by named people and by nobody else, whatever roles there are: who hands out roles could otherwise
-- hand out the folder. Its readers change when two of them want it.

set local role quorate_owner;

create table folder (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  name text not null,
  about text not null default '',
  restricted boolean not null,
  made_by uuid not null,
  made_at timestamptz not null default now(),
  archived_on date,
  constraint folder_pkey primary key (tenant_id, id),
  constraint folder_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint folder_made_by_fkey foreign key (tenant_id, made_by) references membership (tenant_id, id),
  constraint folder_name_shape check (
    name = btrim(name) and char_length(name) between 1 and 120
    and name !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint folder_about_shape check (
    char_length(about) <= 1000
    and about !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint folder_archived_on_finite check (isfinite(archived_on))
);
comment on column folder.made_at is 'start of the transaction that made it, the only one that may name its first readers';
create unique index folder_name_key on folder (tenant_id, lower(name)) where archived_on is null;

-- Who reads a folder: everybody of a role, everybody on a committee, or one person.
create table folder_reader (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  folder_id uuid not null,
  role text,
  committee_id uuid,
  membership_id uuid,
  files boolean not null default false,
  constraint folder_reader_pkey primary key (tenant_id, id),
  constraint folder_reader_folder_fkey foreign key (tenant_id, folder_id) references folder (tenant_id, id),
  constraint folder_reader_committee_fkey foreign key (tenant_id, committee_id) references committee (tenant_id, id),
  constraint folder_reader_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint folder_reader_one check (num_nonnulls(role, committee_id, membership_id) = 1),
  constraint folder_reader_role_known check (role in (
    'school_admin', 'senior_leader', 'senco', 'teacher', 'teaching_assistant', 'clerk', 'chair', 'governor',
    'associate', 'parent', 'member', 'trust_admin', 'trust_lead', 'org_admin', 'org_staff')),
  constraint folder_reader_once unique nulls not distinct (tenant_id, folder_id, role, committee_id, membership_id)
);
comment on column folder_reader.files is 'whether they also file documents there';
create index folder_reader_by_person on folder_reader (tenant_id, membership_id) where membership_id is not null;
create index folder_reader_by_committee on folder_reader (tenant_id, committee_id) where committee_id is not null;

-- What one reader of a restricted folder wants changed, until a second one agrees or somebody takes it back.
create table folder_change (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  folder_id uuid not null,
  adds boolean not null,
  membership_id uuid not null,
  files boolean not null default false,
  asked_by uuid not null,
  asked_at timestamptz not null default now(),
  constraint folder_change_pkey primary key (tenant_id, id),
  constraint folder_change_folder_fkey foreign key (tenant_id, folder_id) references folder (tenant_id, id),
  constraint folder_change_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint folder_change_asked_by_fkey foreign key (tenant_id, asked_by) references membership (tenant_id, id),
  constraint folder_change_once unique (tenant_id, folder_id, membership_id)
);

create table document (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  folder_id uuid not null,
  title text not null,
  kind text not null,
  owner_id uuid,
  review_by date,
  effective daterange not null default '(,)',
  tags text[] not null default '{}',
  state text not null default 'current',
  newest integer not null default 0,
  made_by uuid not null,
  made_at timestamptz not null default now(),
  binned_at timestamptz,
  binned_by uuid,
  bin_reason text,
  constraint document_pkey primary key (tenant_id, id),
  constraint document_folder_fkey foreign key (tenant_id, folder_id) references folder (tenant_id, id),
  constraint document_owner_fkey foreign key (tenant_id, owner_id) references membership (tenant_id, id),
  constraint document_made_by_fkey foreign key (tenant_id, made_by) references membership (tenant_id, id),
  constraint document_binned_by_fkey foreign key (tenant_id, binned_by) references membership (tenant_id, id),
  constraint document_title_shape check (
    title = btrim(title) and char_length(title) between 1 and 200
    and title !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint document_kind_known check (kind in ('policy', 'minutes', 'report', 'other')),
  constraint document_review_by_finite check (isfinite(review_by)),
  constraint document_effective_some check (
    not isempty(effective) and coalesce(isfinite(lower(effective)), true) and coalesce(isfinite(upper(effective)), true)),
  constraint document_tags_few check (cardinality(tags) <= 12 and array_position(tags, null) is null),
  constraint document_state_known check (state in ('current', 'archived', 'binned')),
  constraint document_newest_from_nought check (newest >= 0),
  constraint document_bin_whole check (
    case state when 'binned' then num_nulls(binned_at, binned_by, bin_reason) = 0
      else num_nonnulls(binned_at, binned_by, bin_reason) = 0 end),
  constraint document_bin_reason_shape check (
    bin_reason = btrim(bin_reason) and char_length(bin_reason) between 1 and 500
    and bin_reason !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
);
comment on column document.newest is 'the number of its newest version; nought only inside the transaction that makes it';
comment on column document.effective is 'from when to when it holds; half-open';
create index document_by_folder on document (tenant_id, folder_id);
create index document_by_owner on document (tenant_id, owner_id) where owner_id is not null;
create index document_binned on document (binned_at) where state = 'binned';

-- What a document was at one time. Nobody may change one: an object lies in the store under its key, and is what its hash says.
create table version (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  document_id uuid not null,
  number integer not null,
  note text not null default '',
  file_name text not null,
  format text not null,
  size bigint not null,
  sha256 bytea not null,
  pages integer,
  key text not null,
  store_version text,
  restores integer,
  made_by uuid not null,
  made_at timestamptz not null default now(),
  constraint version_pkey primary key (tenant_id, id),
  constraint version_document_fkey foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade,
  constraint version_made_by_fkey foreign key (tenant_id, made_by) references membership (tenant_id, id),
  constraint version_number_key unique (tenant_id, document_id, number),
  constraint version_number_positive check (number > 0),
  constraint version_restores_earlier check (restores < number and restores > 0),
  constraint version_note_shape check (
    char_length(note) <= 500
    and note !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint version_file_name_shape check (
    file_name = btrim(file_name) and char_length(file_name) between 1 and 200
    and file_name !~ '[/\\\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint version_format_known check (format in (
    'pdf', 'docx', 'xlsx', 'pptx', 'odt', 'ods', 'odp', 'png', 'jpeg', 'text', 'csv')),
  constraint version_size_fits check (size between 1 and 209715200),
  constraint version_sha256_length check (octet_length(sha256) = 32),
  constraint version_pages_positive check (pages > 0),
  -- Inside the tenant's own part of the store, whatever the application writes.
  constraint version_key_own check (key ~ ('^t/' || tenant_id::text || '/d/[0-9a-f-]{36}/v/[0-9a-f-]{36}$'))
);
comment on column version.key is 'where the object lies; a restored version lies where the one does that it restores';
comment on column version.store_version is 'the version that the store gave the object, where its bucket keeps versions';
create index version_by_key on version (key);

-- The text of a page, as the inspection read it: for search, for what changed, and for where a question stands.
create table page (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  version_id uuid not null,
  number integer not null,
  body text not null,
  words tsvector not null,
  constraint page_pkey primary key (tenant_id, id),
  constraint page_version_fkey foreign key (tenant_id, version_id) references version (tenant_id, id) on delete cascade,
  constraint page_number_key unique (tenant_id, version_id, number),
  constraint page_number_positive check (number > 0),
  constraint page_body_fits check (octet_length(body) <= 500000)
);
create index page_by_words on page using gin (words);

-- Not a generated column, which raw SQL cannot even try to write.
create function page_words() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  new.words := to_tsvector('english', new.body);
  return new;
end
$$;
create trigger page_words before insert on page for each row execute function page_words();

-- That somebody has opened a version, and when first. Not how long they looked.
create table opening (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  version_id uuid not null,
  membership_id uuid not null,
  opened_at timestamptz not null default now(),
  constraint opening_pkey primary key (tenant_id, id),
  constraint opening_version_fkey foreign key (tenant_id, version_id) references version (tenant_id, id) on delete cascade,
  constraint opening_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint opening_once unique (tenant_id, version_id, membership_id)
);
create index opening_by_person on opening (tenant_id, membership_id);

set local role quorate_sec;

-- Who has a right of their own to a folder, by the readers that it names. A restricted one only names people.
create function sec.folder_people(tenant uuid, folder uuid) returns table (membership_id uuid, files boolean)
language sql stable
as $$
  select m.id, bool_or(r.files) from public.folder_reader r
  join public.membership m on m.tenant_id = r.tenant_id and m.state = 'active' and (
    m.id = r.membership_id
    or r.role = any (m.roles)
    or exists (
      select from public.committee_place p
      where p.tenant_id = r.tenant_id and p.committee_id = r.committee_id and p.membership_id = m.id and p.during @> sec.today()))
  where r.tenant_id = folder_people.tenant and r.folder_id = folder_people.folder
  group by m.id
$$;

-- The folders the caller reads, and those they file in. Clerks and administrators do both wherever it is not restricted.
create function sec.folders(filing boolean) returns uuid[]
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
declare
  own constant uuid := sec.membership();
  here constant uuid := sec.tenant();
  held constant text[] := string_to_array((sec.seal())[5], ',');
begin
  if own is null or here is null then
    return '{}';
  end if;
  return array(
    select f.id from public.folder f
    where f.tenant_id = here and (
      (not f.restricted and held && sec.keeper_roles())
      or exists (
        select from public.folder_reader r
        where r.tenant_id = here and r.folder_id = f.id and (r.files or not filing) and (
          r.membership_id = own
          or (not f.restricted and (
            r.role = any (held)
            or exists (
              select from public.committee_place p
              where p.tenant_id = here and p.committee_id = r.committee_id and p.membership_id = own
                and p.during @> sec.today())))))));
end
$$;

create function sec.folders_read() returns uuid[]
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return sec.folders(false); end $$;

create function sec.folders_filed() returns uuid[]
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return sec.folders(true); end $$;

-- The folders of which the log tells the caller nothing.
create function sec.folders_hidden() returns uuid[]
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return array(
    select f.id from public.folder f
    where f.tenant_id = sec.tenant() and f.restricted and f.id <> all (sec.folders(false)));
end
$$;

-- Who reads a folder by name, role or committee, for who reads it too.
create function sec.folder_readers(folder uuid) returns table (membership_id uuid, files boolean)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if folder_readers.folder = any (sec.folders(false)) then
    return query select p.membership_id, p.files from sec.folder_people(sec.tenant(), folder_readers.folder) p;
  end if;
end
$$;

grant execute on function sec.folders_read(), sec.folders_filed(), sec.folders_hidden(), sec.folder_readers(uuid)
  to quorate_web;

-- A restricted folder names people only, and a role or a committee is no person.
create function sec.folder_reader_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whole public.folder;
begin
  select f.* into whole from public.folder f where f.tenant_id = new.tenant_id and f.id = new.folder_id for share;
  if whole.restricted and new.membership_id is null then
    raise exception 'a restricted folder is read by named people'
      using errcode = '23514', table = 'folder_reader', constraint = 'folder_reader_named';
  end if;
  if new.membership_id is not null and not exists (
    select from public.membership m
    where m.tenant_id = new.tenant_id and m.id = new.membership_id and m.state <> 'ended') then
    raise exception 'somebody who was removed reads nothing'
      using errcode = '23514', table = 'folder_reader', constraint = 'folder_reader_of_member';
  end if;
  return null;
end
$$;

-- At the end of the transaction: a folder has somebody who reads it, and a restricted one two, so that its readers can ever
-- change. Who was removed from the school is gone from it all the same.
create function sec.folder_read_by_some() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whole public.folder;
  readers integer;
begin
  if tg_table_name = 'folder' then
    whole := new;
  else
    if exists (select from public.membership m
      where m.tenant_id = old.tenant_id and m.id = old.membership_id and m.state = 'ended') then
      return null;
    end if;
    select f.* into whole from public.folder f where f.tenant_id = old.tenant_id and f.id = old.folder_id for update;
  end if;
  select count(*) into readers from public.folder_reader r where r.tenant_id = whole.tenant_id and r.folder_id = whole.id;
  if readers < (case when whole.restricted then 2 else 1 end) then
    raise exception 'a folder needs readers'
      using errcode = '23514', table = 'folder', constraint = 'folder_read_by_some';
  end if;
  return null;
end
$$;

-- Whoever comes back begins anew, and what they asked for or was asked for them is over.
create function sec.membership_leaves_folders() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  delete from public.folder_change c
  where c.tenant_id = new.tenant_id and new.id in (c.membership_id, c.asked_by);
  delete from public.folder_reader r where r.tenant_id = new.tenant_id and r.membership_id = new.id;
  return null;
end
$$;

-- What lies in a restricted folder stays there: to move it out would give it new readers at one person's wish.
create function sec.document_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if new.folder_id <> old.folder_id and exists (
    select from public.folder f where f.tenant_id = old.tenant_id and f.id = old.folder_id and f.restricted) then
    raise exception 'it stays in its restricted folder'
      using errcode = '23514', table = 'document', constraint = 'document_stays';
  end if;
  return null;
end
$$;

-- At the end of the transaction: what a document is called newest is its newest version, and there is one.
create function sec.document_has_version() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whole uuid;
begin
  if tg_table_name = 'document' then
    whole := new.id;
  else
    whole := new.document_id;
  end if;
  if exists (
    select from public.document d where d.tenant_id = new.tenant_id and d.id = whole
      and d.newest is distinct from (
        select max(v.number) from public.version v where v.tenant_id = d.tenant_id and v.document_id = d.id)) then
    raise exception 'the newest version of a document is not there'
      using errcode = '23514', table = 'document', constraint = 'document_has_version';
  end if;
  return null;
end
$$;

grant execute on function sec.folder_reader_fits(), sec.folder_read_by_some(), sec.membership_leaves_folders(),
  sec.document_fits(), sec.document_has_version() to quorate_owner;

set local role quorate_owner;

create trigger folder_reader_fits after insert on folder_reader
  for each row execute function sec.folder_reader_fits();
create constraint trigger folder_read_by_some after insert on folder
  deferrable initially deferred for each row execute function sec.folder_read_by_some();
create constraint trigger folder_read_by_some after delete on folder_reader
  deferrable initially deferred for each row execute function sec.folder_read_by_some();
create trigger membership_leaves_folders after update of state on membership
  for each row when (new.state = 'ended') execute function sec.membership_leaves_folders();
create trigger document_fits after update of folder_id on document
  for each row execute function sec.document_fits();
create constraint trigger document_has_version after insert or update of newest on document
  deferrable initially deferred for each row execute function sec.document_has_version();
create constraint trigger document_has_version after insert on version
  deferrable initially deferred for each row execute function sec.document_has_version();

alter table folder enable row level security;
alter table folder force row level security;

-- That a restricted folder exists is no secret from who keeps the school's papers; what is in it is.
create policy folder_select on folder for select to quorate_web
  using (tenant_id = (select sec.tenant())
    and ((select sec.keeps_board()) or id = any ((select sec.folders_read())::uuid[])));
create policy folder_insert on folder for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_board()) and made_by = (select sec.membership()));
create policy folder_update on folder for update to quorate_web
  using (tenant_id = (select sec.tenant()) and id = any ((select sec.folders_filed())::uuid[]))
  with check (tenant_id = (select sec.tenant()));
grant select, insert (tenant_id, name, about, restricted, made_by), update (name, about, archived_on) on folder to quorate_web;

alter table folder_reader enable row level security;
alter table folder_reader force row level security;

create policy folder_reader_select on folder_reader for select to quorate_web
  using (tenant_id = (select sec.tenant()) and folder_id = any ((select sec.folders_read())::uuid[]));
-- Of a new folder by who makes it; later of an open one by who keeps it, and of a restricted one by a second of its readers.
create policy folder_reader_insert on folder_reader for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and exists (
    select from folder f
    where f.tenant_id = folder_reader.tenant_id and f.id = folder_reader.folder_id and (
      (f.made_by = (select sec.membership()) and f.made_at = now())
      or (not f.restricted and (select sec.keeps_board()))
      or (f.restricted and f.id = any ((select sec.folders_read())::uuid[]) and exists (
        select from folder_change c
        where c.tenant_id = f.tenant_id and c.folder_id = f.id and c.adds
          and c.membership_id = folder_reader.membership_id and c.files = folder_reader.files
          and c.asked_by <> (select sec.membership()))))));
create policy folder_reader_delete on folder_reader for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and exists (
    select from folder f
    where f.tenant_id = folder_reader.tenant_id and f.id = folder_reader.folder_id and (
      (not f.restricted and (select sec.keeps_board()))
      or (f.restricted and f.id = any ((select sec.folders_read())::uuid[]) and exists (
        select from folder_change c
        where c.tenant_id = f.tenant_id and c.folder_id = f.id and not c.adds
          and c.membership_id = folder_reader.membership_id
          and c.asked_by <> (select sec.membership()))))));
grant select, insert (tenant_id, folder_id, role, committee_id, membership_id, files), delete on folder_reader to quorate_web;

alter table folder_change enable row level security;
alter table folder_change force row level security;

-- Also by whoever is to leave: having agreed to that they read it no more, and it is done.
create policy folder_change_select on folder_change for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (folder_id = any ((select sec.folders_read())::uuid[])
    or (not adds and membership_id = (select sec.membership()))));
create policy folder_change_insert on folder_change for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and folder_id = any ((select sec.folders_read())::uuid[])
    and asked_by = (select sec.membership())
    and exists (select from folder f where f.tenant_id = folder_change.tenant_id and f.id = folder_id and f.restricted));
create policy folder_change_delete on folder_change for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and (folder_id = any ((select sec.folders_read())::uuid[])
    or (not adds and membership_id = (select sec.membership()))));
grant select, insert (tenant_id, folder_id, adds, membership_id, files, asked_by), delete on folder_change to quorate_web;

alter table document enable row level security;
alter table document force row level security;

-- What is in the bin is seen by who could take it out again.
create policy document_select on document for select to quorate_web
  using (tenant_id = (select sec.tenant()) and folder_id = any ((select sec.folders_read())::uuid[])
    and (state <> 'binned' or folder_id = any ((select sec.folders_filed())::uuid[])));
create policy document_insert on document for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and folder_id = any ((select sec.folders_filed())::uuid[])
    and made_by = (select sec.membership()) and state = 'current');
create policy document_update on document for update to quorate_web
  using (tenant_id = (select sec.tenant()) and folder_id = any ((select sec.folders_filed())::uuid[]))
  with check (tenant_id = (select sec.tenant()) and folder_id = any ((select sec.folders_filed())::uuid[])
    and (state <> 'binned' or binned_by is not null));
grant select, insert (tenant_id, id, folder_id, title, kind, owner_id, review_by, effective, tags, newest, made_by),
  update (folder_id, title, kind, owner_id, review_by, effective, tags, state, newest, binned_at, binned_by, bin_reason)
  on document to quorate_web;

alter table version enable row level security;
alter table version force row level security;

create policy version_select on version for select to quorate_web
  using (tenant_id = (select sec.tenant()) and exists (
    select from document d where d.tenant_id = version.tenant_id and d.id = version.document_id));
create policy version_insert on version for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and made_by = (select sec.membership()) and exists (
    select from document d
    where d.tenant_id = version.tenant_id and d.id = version.document_id and d.state <> 'binned'
      and d.folder_id = any ((select sec.folders_filed())::uuid[])));
grant select, insert (tenant_id, id, document_id, number, note, file_name, format, size, sha256, pages, key, store_version,
  restores, made_by) on version to quorate_web;

alter table page enable row level security;
alter table page force row level security;

create policy page_select on page for select to quorate_web
  using (tenant_id = (select sec.tenant()) and exists (
    select from version v where v.tenant_id = page.tenant_id and v.id = page.version_id));
create policy page_insert on page for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and exists (
    select from version v
    where v.tenant_id = page.tenant_id and v.id = page.version_id and v.made_by = (select sec.membership())
      and v.made_at = now()));
grant select, insert (tenant_id, version_id, number, body) on page to quorate_web;

alter table opening enable row level security;
alter table opening force row level security;

-- One's own, and for who files there: who has not read it yet is what they ask about.
create policy opening_select on opening for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (
    membership_id = (select sec.membership())
    or exists (
      select from version v join document d on d.tenant_id = v.tenant_id and d.id = v.document_id
      where v.tenant_id = opening.tenant_id and v.id = opening.version_id
        and d.folder_id = any ((select sec.folders_filed())::uuid[]))));
create policy opening_insert on opening for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()) and exists (
    select from version v where v.tenant_id = opening.tenant_id and v.id = opening.version_id));
grant select, insert (tenant_id, version_id, membership_id) on opening to quorate_web;

-- For the definer functions of `sec`, and the demo.
do $$
declare
  name text;
begin
  foreach name in array array['folder', 'folder_reader', 'folder_change', 'document', 'version', 'page', 'opening'] loop
    execute format('create policy %I on %I for select to quorate_sec using (true)', name || '_sec_select', name);
    execute format('create policy %I on %I for insert to quorate_sec with check (true)', name || '_sec_insert', name);
    execute format('grant select, insert on %I to quorate_sec', name);
  end loop;
  -- `for share` and `for update` ask for the right to change.
  foreach name in array array['folder', 'document'] loop
    execute format('create policy %I on %I for update to quorate_sec using (true) with check (true)',
      name || '_sec_update', name);
    execute format('grant update on %I to quorate_sec', name);
  end loop;
  foreach name in array array['folder_reader', 'folder_change', 'document'] loop
    execute format('create policy %I on %I for delete to quorate_sec using (true)', name || '_sec_delete', name);
    execute format('grant delete on %I to quorate_sec', name);
  end loop;
end
$$;

-- A notice can be about a folder or a document. As all of them it names by key, and the name is looked up as its reader.
alter table notice add column folder_id uuid;
alter table notice add column document_id uuid;
alter table notice drop constraint notice_hears_known;
alter table notice add constraint notice_hears_known check (hears in ('person', 'chair', 'keeper', 'board', 'reader', 'owner'));
comment on column notice.hears is 'as what they hear of it: whom it was done to, who chairs the committee, who keeps people, who sits on the board, who reads the folder, or who owns the document';
drop policy notice_select on notice;
create policy notice_select on notice for select to quorate_web
  using (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()) and case hears
    when 'person' then true when 'keeper' then (select sec.keeps_board())
    when 'reader' then folder_id = any ((select sec.folders_read())::uuid[])
    when 'owner' then folder_id = any ((select sec.folders_read())::uuid[])
    else (select sec.sees_board()) end);

set local role quorate_sec;

-- What happens in a restricted folder is told to its readers, in the log too.
drop policy event_select on public.event;
create policy event_select on public.event for select to quorate_web using (
  tenant_id = (select sec.tenant()) and (select sec.has_role('clerk', 'school_admin', 'trust_admin', 'org_admin'))
  and (not detail ? 'folder' or sec.maybe_uuid(detail ->> 'folder') <> all ((select sec.folders_hidden())::uuid[])));
grant execute on function sec.maybe_uuid(text) to quorate_web;

-- The lines of the log that its reader may only know to be there, by their place and their hashes: without them a copy of the
-- log would not be a chain.
create function sec.withheld(after bigint, until bigint) returns table (seq bigint, prev bytea, hash bytea)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
declare
  hidden constant uuid[] := sec.folders_hidden();
begin
  if hidden = '{}' or not sec.has_role('clerk', 'school_admin', 'trust_admin', 'org_admin') then
    return;
  end if;
  return query
    select e.seq, e.prev, e.hash from public.event e
    where e.tenant_id = sec.tenant() and e.seq > withheld.after and e.seq <= withheld.until
      and e.detail ? 'folder' and sec.maybe_uuid(e.detail ->> 'folder') = any (hidden);
end
$$;
grant execute on function sec.withheld(bigint, bigint) to quorate_web;

alter table sec.notice_rule drop constraint notice_rule_hears_known;
alter table sec.notice_rule add constraint notice_rule_hears_known
  check (hears in ('person', 'chair', 'keeper', 'board', 'reader', 'owner', 'nobody'));
insert into sec.notice_rule (act, hears) values
  ('folder.reader_added', 'person'), ('folder.reader_added', 'reader'),
  ('folder.reader_removed', 'person'), ('folder.reader_removed', 'reader'),
  ('folder.change_asked', 'reader'), ('folder.change_dropped', 'reader'),
  ('folder.opened', 'nobody'), ('folder.renamed', 'nobody'), ('folder.archived', 'nobody'), ('folder.reopened', 'nobody'),
  ('document.added', 'reader'), ('document.version_added', 'reader'), ('document.version_restored', 'reader'),
  ('document.described', 'owner'), ('document.moved', 'nobody'), ('document.archived', 'owner'),
  ('document.reinstated', 'nobody'), ('document.binned', 'owner'), ('document.unbinned', 'nobody'),
  ('document.purged', 'nobody'), ('document.opened', 'nobody');

create or replace function sec.tell() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whom uuid := new.about;
  committee uuid;
  folder uuid;
  document uuid;
  doer uuid;
begin
  if new.act = 'mail.undeliverable' then
    insert into public.bounce as b (tenant_id, membership_id, at)
    select m.tenant_id, m.id, new.at from public.membership m where m.tenant_id = new.tenant_id and m.id = new.about
    on conflict on constraint bounce_person_key do update set at = excluded.at;
  elsif new.act in ('mail.delivered', 'membership.address_corrected') then
    delete from public.bounce b where b.tenant_id = new.tenant_id and b.membership_id = new.about;
  elsif new.act = 'membership.removed' then
    -- Whoever comes back begins anew. Rows that the person is marking just now are left to them: they wait for this lock.
    update public.notice n set seen_at = new.at where (n.tenant_id, n.id) in (
      select o.tenant_id, o.id from public.notice o
      where o.tenant_id = new.tenant_id and o.membership_id = new.about and o.seen_at is null
      for update skip locked);
  end if;
  if not exists (select from sec.notice_rule r where r.act = new.act and r.hears <> 'nobody') then
    return null;
  end if;
  if new.act like 'committee.%' then
    committee := coalesce(sec.maybe_uuid(new.detail ->> 'committee'), new.about);
  end if;
  if new.act = 'committee.chair_chosen' then
    whom := sec.maybe_uuid(new.detail ->> 'chair');
  end if;
  folder := sec.maybe_uuid(new.detail ->> 'folder');
  if folder is not null then
    document := case when new.act like 'folder.%' then null else new.about end;
    whom := sec.maybe_uuid(new.detail ->> 'person');
  end if;
  select m.id into doer from public.membership m where m.tenant_id = new.tenant_id and m.account_id = new.actor;
  with hears as materialized (
    select distinct on (m.id) m.id, r.hears,
      case when c.mail = 'at_once' and m.state = 'active' and not sec.is_held(new.tenant_id, m.id, new.at) then uuidv7() end as letter
    from sec.notice_rule r
    cross join lateral (
      select p.* from public.membership p
      where r.hears = 'person' and p.tenant_id = new.tenant_id and p.id = whom and p.state in ('active', 'suspended')
      union all
      select p.* from public.committee k
      join public.membership p on p.tenant_id = k.tenant_id and p.id = k.chair and p.state = 'active'
      where r.hears = 'chair' and k.tenant_id = new.tenant_id and k.id = committee
      union all
      select p.* from public.membership p
      where r.hears in ('keeper', 'board') and p.tenant_id = new.tenant_id and p.state = 'active'
        and p.roles && case r.hears when 'keeper' then sec.keeper_roles() else array['chair', 'governor', 'associate', 'clerk'] end
      union all
      select p.* from sec.folder_people(new.tenant_id, folder) f
      join public.membership p on p.tenant_id = new.tenant_id and p.id = f.membership_id
      where r.hears = 'reader'
      union all
      select p.* from public.document d
      join public.membership p on p.tenant_id = d.tenant_id and p.id = d.owner_id and p.state = 'active'
      where r.hears = 'owner' and d.tenant_id = new.tenant_id and d.id = document
    ) m
    left join public.notice_choice c on c.tenant_id = m.tenant_id and c.membership_id = m.id
    where r.act = new.act and m.account_id is distinct from new.actor
    order by m.id, array_position(array['person', 'chair', 'owner', 'keeper', 'reader', 'board'], r.hears)
  ), posted as (
    insert into sec.letter (tenant_id, id, membership_id)
    select new.tenant_id, h.letter, h.id from hears h where h.letter is not null
  )
  insert into public.notice
    (tenant_id, membership_id, seq, at, kind, hears, by_id, about_id, committee_id, folder_id, document_id, letter_id)
  select new.tenant_id, h.id, new.seq, new.at, new.act, h.hears, doer, whom, committee, folder, document, h.letter from hears h
  on conflict do nothing;
  return null;
end
$$;

-- Whether somebody reads a folder, whoever asks.
create function sec.reads_folder(tenant uuid, folder uuid, person uuid) returns boolean
language sql stable
as $$
  select exists (
    select from sec.folder_people(reads_folder.tenant, reads_folder.folder) p where p.membership_id = reads_folder.person)
  or exists (
    select from public.folder f
    join public.membership m on m.tenant_id = f.tenant_id and m.id = reads_folder.person and m.state = 'active'
    where f.tenant_id = reads_folder.tenant and f.id = reads_folder.folder and not f.restricted
      and m.roles && sec.keeper_roles())
$$;

-- What a letter says, and to whom: how many of which, and where the log stands. No row when it was sent, when they have seen
-- or done all of it meanwhile, or when they are not here any more.
create or replace function sec.letter_open(tenant uuid, letter uuid)
returns table (
  email text, name text, tenant_name text, label text, mail text, news jsonb, duties jsonb, seq bigint, hash bytea
)
language plpgsql stable security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    with one as (
      select l.tenant_id, l.id, l.membership_id, l.duties, coalesce(c.mail, 'daily') as mail, m.name, m.roles, a.email
      from sec.letter l
      join public.membership m on m.tenant_id = l.tenant_id and m.id = l.membership_id and m.state = 'active'
      join public.account a on a.id = m.account_id and a.closed_at is null
      left join public.notice_choice c on c.tenant_id = m.tenant_id and c.membership_id = m.id
      where l.tenant_id = letter_open.tenant and l.id = letter_open.letter and l.sent_at is null
        and not sec.is_held(l.tenant_id, l.membership_id, now())
    ), said as (
      select o.*,
        (select coalesce(jsonb_agg(jsonb_build_object('kind', k.kind, 'hears', k.hears, 'count', k.n) order by k.first), '[]')
         from (
           select n.kind, n.hears, count(*) as n, min(n.seq) as first from public.notice n
           where n.tenant_id = o.tenant_id and n.membership_id = o.membership_id and n.letter_id = o.id
             and n.seen_at is null and o.mail <> 'never'
             and case when n.hears = 'person' then true when n.hears = 'keeper' then o.roles && sec.keeper_roles()
               when n.hears in ('reader', 'owner') then sec.reads_folder(n.tenant_id, n.folder_id, n.membership_id)
               else not o.roles <@ array['parent', 'member'] end
           group by n.kind, n.hears
         ) k) as told,
        (select coalesce(jsonb_agg(jsonb_build_object('duty', k.duty, 'count', k.n) order by k.duty), '[]')
         from (
           select d.duty, count(*) as n from sec.duties(o.tenant_id, sec.today()) d
           where o.duties and d.membership_id = o.membership_id group by d.duty
         ) k) as waits
      from one o
    )
    select s.email, s.name, t.name, t.label, s.mail, s.told, s.waits, h.seq, h.hash
    from said s
    join public.tenant t on t.id = s.tenant_id
    join sec.event_head h on h.tenant_id = s.tenant_id
    where s.told <> '[]' or s.waits <> '[]';
end
$$;

-- Pages that hold the words, by folders that the caller reads: the newest version of each document, the best page of it.
-- A function, since the index serves no query under row security; its own terms are the policy's.
create function sec.search(query text, most integer)
returns table (document_id uuid, page integer, rank real, snippet text)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
declare
  wanted constant tsquery := websearch_to_tsquery('english', query);
  here constant uuid := sec.tenant();
  reads constant uuid[] := sec.folders(false);
begin
  if here is null or numnode(wanted) = 0 then
    return;
  end if;
  return query
    with hit as materialized (
      select d.id, p.number, ts_rank(p.words, wanted) as rank, p.body
      from public.page p
      join public.version v on v.tenant_id = p.tenant_id and v.id = p.version_id
      join public.document d on d.tenant_id = v.tenant_id and d.id = v.document_id and d.newest = v.number
      where p.tenant_id = here and p.words @@ wanted and d.state <> 'binned' and d.folder_id = any (reads)
    ), best as (
      select distinct on (h.id) h.* from hit h order by h.id, h.rank desc, h.number
    ), top as (
      select b.* from best b order by b.rank desc, b.id limit least(most, 100)
    )
    select t.id, t.number, t.rank, ts_headline('english', left(t.body, 20000), wanted,
      'StartSel=' || chr(2) || ', StopSel=' || chr(3) || ', MaxWords=30, MinWords=12, MaxFragments=1')
    from top t order by t.rank desc, t.id;
end
$$;
grant execute on function sec.search(text, integer) to quorate_web;

-- Which of these keys of the store a version points at. What lies there and is not among them may go.
create function sec.keys_known(keys text[]) returns text[]
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$ begin return array(select distinct v.key from public.version v where v.key = any (keys)); end $$;

-- What has lain in the bin for 30 days.
create function sec.binned(most integer) returns table (tenant_id uuid, document_id uuid)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    select d.tenant_id, d.id from public.document d
    where d.state = 'binned' and d.binned_at < now() - interval '30 days'
    order by d.binned_at limit most;
end
$$;

-- Ends a document that has lain in the bin for 30 days, with its versions, their text and who opened them; the log keeps that it
-- was. Returns where its objects lay: nothing points there any more, so whatever fails now, the sweep finds them.
create function sec.purge(tenant uuid, document uuid) returns text[]
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  one public.document;
  keys text[];
begin
  select d.* into one from public.document d
  where d.tenant_id = purge.tenant and d.id = purge.document and d.state = 'binned'
    and d.binned_at < now() - interval '30 days' for update;
  if not found then
    return null;
  end if;
  keys := array(select distinct v.key from public.version v where v.tenant_id = one.tenant_id and v.document_id = one.id);
  delete from public.document d where d.tenant_id = one.tenant_id and d.id = one.id;
  perform sec.append_for(one.tenant_id, null, 'document.purged', one.id,
    jsonb_build_object('folder', one.folder_id, 'versions', one.newest), array['folder/' || one.folder_id], null);
  return keys;
end
$$;

grant execute on function sec.keys_known(text[]), sec.binned(integer), sec.purge(uuid, uuid) to quorate_worker;

set local role quorate_owner;
