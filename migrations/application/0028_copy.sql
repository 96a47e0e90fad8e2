-- Copies for reading: a PDF of each office file, made by LibreOffice in a job of the server, so that a paper is read on its page
-- and not only downloaded. What is approved, searched and quoted is the file; the copy is only looked at.

set local role quorate_owner;

create table reading_copy (
  tenant_id uuid not null,
  version_id uuid not null,
  state text not null default 'wanted',
  tries smallint not null default 0,
  next_at timestamptz not null default now(),
  claimed_at timestamptz,
  fault text,
  key text,
  store_version text,
  size bigint,
  sha256 bytea,
  pages integer,
  constraint reading_copy_pkey primary key (tenant_id, version_id),
  constraint reading_copy_version_fkey foreign key (tenant_id, version_id) references version (tenant_id, id) on delete cascade,
  constraint reading_copy_state_known check (state in ('wanted', 'made', 'failed')),
  constraint reading_copy_tries_few check (tries between 0 and 3),
  constraint reading_copy_fault_known check (fault in ('slow', 'ended', 'nothing', 'refused', 'altered', 'lost')),
  constraint reading_copy_whole check (
    case state when 'made' then num_nulls(key, size, sha256) = 0 and num_nonnulls(claimed_at, fault) = 0
      else num_nonnulls(key, store_version, size, sha256, pages) = 0 end),
  constraint reading_copy_failed_why check (state <> 'failed' or (fault is not null and claimed_at is null)),
  constraint reading_copy_size_fits check (size between 1 and 209715200),
  constraint reading_copy_sha256_length check (octet_length(sha256) = 32),
  constraint reading_copy_pages_positive check (pages > 0),
  -- Inside the tenant's own part of the store, and never where the file of a version lies.
  constraint reading_copy_key_own check (key ~ ('^t/' || tenant_id::text || '/d/[0-9a-f-]{36}/c/[0-9a-f-]{36}$'))
);
comment on column reading_copy.claimed_at is 'since when a server makes it; it names the try, so that one that was given up cannot end a later one';
comment on column reading_copy.next_at is 'not tried before';
comment on column reading_copy.fault is 'why the last try came to nothing';
comment on column reading_copy.key is 'where the PDF lies: a key of its own for each try, since an object is never written twice';
create index reading_copy_wanted on reading_copy (next_at) where state = 'wanted';
create index reading_copy_by_key on reading_copy (key) where key is not null;

alter table reading_copy enable row level security;
alter table reading_copy force row level security;

-- Whoever reads the version reads its copy; nobody but the job makes one.
create policy reading_copy_select on reading_copy for select to quorate_web
  using (tenant_id = (select sec.tenant()) and exists (
    select from version v where v.tenant_id = reading_copy.tenant_id and v.id = reading_copy.version_id));
grant select on reading_copy to quorate_web;

create policy reading_copy_sec_select on reading_copy for select to quorate_sec using (true);
create policy reading_copy_sec_insert on reading_copy for insert to quorate_sec with check (true);
create policy reading_copy_sec_update on reading_copy for update to quorate_sec using (true) with check (true);
grant select, insert, update on reading_copy to quorate_sec;

set local role quorate_sec;

-- After the row is there: its own transaction decides whether it stays.
create function sec.version_wants_copy() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  insert into public.reading_copy (tenant_id, version_id) values (new.tenant_id, new.id);
  return null;
end
$$;
grant execute on function sec.version_wants_copy() to quorate_owner;

-- As quorate_sec, who sees the versions of every school.
insert into public.reading_copy (tenant_id, version_id)
  select v.tenant_id, v.id from public.version v
  where v.format in ('docx', 'xlsx', 'pptx', 'odt', 'ods', 'odp');

insert into sec.notice_rule (act, hears) values ('document.copy_made', 'nobody'), ('document.copy_failed', 'nobody');

-- What became of a copy, in the log: only the document's own pages show it.
create function sec.copy_told(tenant uuid, version uuid, act text, more jsonb) returns void
language plpgsql volatile
as $$
declare
  document uuid;
  folder uuid;
  number integer;
begin
  select d.id, d.folder_id, v.number into document, folder, number
  from public.version v join public.document d on d.tenant_id = v.tenant_id and d.id = v.document_id
  where v.tenant_id = copy_told.tenant and v.id = copy_told.version;
  perform sec.append_for(copy_told.tenant, null, copy_told.act, document,
    jsonb_build_object('folder', folder, 'version', number) || copy_told.more, array['paper/' || document], null);
end
$$;

-- The next copy to make, which is the caller's for ten minutes; none where there is nothing to do. One that was claimed three
-- times and never ended is given up.
create function sec.copy_claim() returns table (
  tenant_id uuid, version_id uuid, document_id uuid, key text, store_version text, format text, size bigint, sha256 bytea,
  claimed_at timestamptz
)
language plpgsql volatile security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
declare
  one public.reading_copy;
begin
  for one in
    select c.* from public.reading_copy c
    where c.state = 'wanted' and c.tries >= 3 and c.claimed_at < now() - interval '10 minutes'
    order by c.tenant_id, c.version_id for update skip locked
  loop
    update public.reading_copy as c set state = 'failed', claimed_at = null, fault = 'lost'
    where c.tenant_id = one.tenant_id and c.version_id = one.version_id;
    perform sec.copy_told(one.tenant_id, one.version_id, 'document.copy_failed', '{"why": "lost"}');
  end loop;
  select c.* into one from public.reading_copy c
  where c.state = 'wanted' and c.tries < 3 and c.next_at <= now()
    and (c.claimed_at is null or c.claimed_at < now() - interval '10 minutes')
  order by c.next_at limit 1 for update skip locked;
  if not found then
    return;
  end if;
  update public.reading_copy as c set tries = one.tries + 1, claimed_at = now()
  where c.tenant_id = one.tenant_id and c.version_id = one.version_id;
  return query
    select v.tenant_id, v.id, v.document_id, v.key, v.store_version, v.format, v.size, v.sha256, now()
    from public.version v where v.tenant_id = one.tenant_id and v.id = one.version_id;
end
$$;

-- The copy lies in the store. False where the version is gone, or somebody else has the claim by now.
create function sec.copy_made(
  tenant uuid, version uuid, claim timestamptz, made_key text, made_version text, made_size bigint, made_sha256 bytea,
  made_pages integer
) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  update public.reading_copy as c
  set state = 'made', claimed_at = null, fault = null, key = copy_made.made_key, store_version = copy_made.made_version,
    size = copy_made.made_size, sha256 = copy_made.made_sha256, pages = copy_made.made_pages
  where c.tenant_id = copy_made.tenant and c.version_id = copy_made.version
    and c.state = 'wanted' and c.claimed_at = copy_made.claim;
  if not found then
    return false;
  end if;
  perform sec.copy_told(copy_made.tenant, copy_made.version, 'document.copy_made',
    jsonb_build_object('size', copy_made.made_size, 'copy_sha256', encode(copy_made.made_sha256, 'hex')));
  return true;
end
$$;

-- A try came to nothing by the file's own fault: the third was the last. False where the claim is somebody else's by now.
create function sec.copy_failed(tenant uuid, version uuid, claim timestamptz, why text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  now_is text;
begin
  update public.reading_copy as c
  set state = case when c.tries >= 3 then 'failed' else 'wanted' end, claimed_at = null, fault = copy_failed.why,
    next_at = now() + c.tries * interval '1 minute'
  where c.tenant_id = copy_failed.tenant and c.version_id = copy_failed.version
    and c.state = 'wanted' and c.claimed_at = copy_failed.claim
  returning c.state into now_is;
  if not found then
    return false;
  end if;
  if now_is = 'failed' then
    perform sec.copy_told(copy_failed.tenant, copy_failed.version, 'document.copy_failed',
      jsonb_build_object('why', copy_failed.why));
  end if;
  return true;
end
$$;

-- A try that says nothing of the file, since the store or the server was not there for it: as if it had not been.
create function sec.copy_put_back(tenant uuid, version uuid, claim timestamptz, wait interval) returns void
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  update public.reading_copy as c
  set tries = c.tries - 1, claimed_at = null, next_at = now() + copy_put_back.wait
  where c.tenant_id = copy_put_back.tenant and c.version_id = copy_put_back.version
    and c.state = 'wanted' and c.claimed_at = copy_put_back.claim;
end
$$;

grant execute on function sec.copy_claim(),
  sec.copy_made(uuid, uuid, timestamptz, text, text, bigint, bytea, integer),
  sec.copy_failed(uuid, uuid, timestamptz, text), sec.copy_put_back(uuid, uuid, timestamptz, interval) to quorate_worker;

-- Which of these keys of the store a version or its copy points at. What lies there and is not among them may go.
create or replace function sec.keys_known(keys text[]) returns text[]
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return array(
    select v.key from public.version v where v.key = any (keys)
    union
    select c.key from public.reading_copy c where c.key = any (keys));
end
$$;

-- As before, and with the copies.
create or replace function sec.purge(tenant uuid, document uuid) returns text[]
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
  keys := array(
    select v.key from public.version v where v.tenant_id = one.tenant_id and v.document_id = one.id
    union
    select c.key from public.reading_copy c
    join public.version v on v.tenant_id = c.tenant_id and v.id = c.version_id
    where v.tenant_id = one.tenant_id and v.document_id = one.id and c.key is not null);
  delete from public.document d where d.tenant_id = one.tenant_id and d.id = one.id;
  perform sec.append_for(one.tenant_id, null, 'document.purged', one.id,
    jsonb_build_object('folder', one.folder_id, 'versions', one.newest), array['folder/' || one.folder_id], null);
  return keys;
end
$$;

set local role quorate_owner;

create trigger version_wants_copy after insert on version
  for each row when (new.format in ('docx', 'xlsx', 'pptx', 'odt', 'ods', 'odp'))
  execute function sec.version_wants_copy();
