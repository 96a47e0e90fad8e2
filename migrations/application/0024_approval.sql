-- Approvals: who was asked to agree to one version of a document, by which rule, what each answered, and what came of it.
--
-- What is agreed to is a version and its SHA-256. The outcome is counted here and nowhere else, under a lock on the approval, by a
-- trigger of the answers: no code, and no raw statement under anybody's seal, can set it, and two last answers close it once.

set local role quorate_owner;

-- What an approval points at, so that the hash under it cannot be another.
alter table version add constraint version_bytes_key unique (tenant_id, id, sha256);

create table approval (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  document_id uuid not null,
  version_id uuid not null,
  sha256 bytea not null,
  rule text not null,
  least integer,
  reason text not null default '',
  routine boolean not null default false,
  role text,
  committee_id uuid,
  asked_by uuid not null,
  asked_at timestamptz not null default now(),
  due date not null,
  stand_in uuid,
  stand_in_on date,
  stand_in_called boolean not null default false,
  state text not null default 'open',
  closed_at timestamptz,
  constraint approval_pkey primary key (tenant_id, id),
  constraint approval_document_fkey foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade,
  constraint approval_version_fkey foreign key (tenant_id, version_id, sha256)
    references version (tenant_id, id, sha256) on delete cascade,
  constraint approval_committee_fkey foreign key (tenant_id, committee_id) references committee (tenant_id, id),
  constraint approval_asked_by_fkey foreign key (tenant_id, asked_by) references membership (tenant_id, id),
  constraint approval_stand_in_fkey foreign key (tenant_id, stand_in) references membership (tenant_id, id),
  constraint approval_rule_known check (rule in ('everyone', 'at_least', 'majority')),
  constraint approval_least_fits check (case rule when 'at_least' then least > 0 and least is not null else least is null end),
  constraint approval_reason_shape check (
    char_length(reason) <= 1000
    and reason !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint approval_role_known check (role in (
    'school_admin', 'senior_leader', 'senco', 'teacher', 'teaching_assistant', 'clerk', 'chair', 'governor',
    'associate', 'parent', 'member', 'trust_admin', 'trust_lead', 'org_admin', 'org_staff')),
  constraint approval_due_finite check (isfinite(due)),
  constraint approval_stand_in_whole check (num_nonnulls(stand_in, stand_in_on) in (0, 2)),
  constraint approval_stand_in_before_due check (stand_in_on <= due),
  constraint approval_state_known check (state in ('open', 'adopted', 'rejected', 'lapsed', 'stale', 'withdrawn')),
  constraint approval_closed_whole check ((state = 'open') = (closed_at is null))
);
comment on column approval.due is 'the last day on which there is time to answer';
comment on column approval.role is 'those of which role were asked, where not single people; as is committee_id';
comment on column approval.routine is 'whether it may be answered together with others, from the list';
comment on column approval.stand_in_on is 'from this day on the stand-in may answer in the place of one who has not';
comment on column approval.state is 'stale: a newer version came before it was decided';
create index approval_by_document on approval (tenant_id, document_id);
-- One at a time for a version.
create unique index approval_open_key on approval (tenant_id, version_id) where state = 'open';
create index approval_open on approval (due) where state = 'open';

-- Somebody who was asked, whether they answer or not.
create table approval_place (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  approval_id uuid not null,
  membership_id uuid not null,
  nudged smallint not null default 0,
  constraint approval_place_pkey primary key (tenant_id, id),
  constraint approval_place_approval_fkey foreign key (tenant_id, approval_id) references approval (tenant_id, id) on delete cascade,
  constraint approval_place_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint approval_place_once unique (tenant_id, approval_id, membership_id),
  constraint approval_place_nudged_few check (nudged between 0 and 2)
);
create index approval_place_by_person on approval_place (tenant_id, membership_id);

-- What somebody answered, in their own place or as the stand-in of another's.
create table approval_answer (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  approval_id uuid not null,
  membership_id uuid not null,
  by_id uuid not null,
  answer text not null,
  reason text not null default '',
  at timestamptz not null default now(),
  constraint approval_answer_pkey primary key (tenant_id, id),
  constraint approval_answer_place_fkey foreign key (tenant_id, approval_id, membership_id)
    references approval_place (tenant_id, approval_id, membership_id) on delete cascade,
  constraint approval_answer_by_fkey foreign key (tenant_id, by_id) references membership (tenant_id, id),
  constraint approval_answer_place_once unique (tenant_id, approval_id, membership_id),
  constraint approval_answer_once unique (tenant_id, approval_id, by_id),
  constraint approval_answer_known check (answer in ('agree', 'object', 'abstain')),
  constraint approval_answer_reason_shape check (
    reason = btrim(reason) and char_length(reason) <= 1000
    and (answer = 'agree') = (reason = '')
    and reason !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
);
comment on column approval_answer.membership_id is 'in whose place';
comment on column approval_answer.reason is 'why they object, or which interest they have in the matter and therefore abstain';

set local role quorate_sec;

-- How an approval stands. Counted are those who were asked, without those who abstained by an interest, who may not decide, and
-- without those who can answer no more because they left the school or the folder before they did.
-- Everyone: all who count agree. Majority: more than half of those who count. At least n: n of them.
create function sec.approval_count(tenant uuid, approval uuid)
returns table (
  asked integer, counted integer, agreed integer, objected integer, abstained integer, waiting integer, needed integer, outcome text
)
language sql stable
as $$
  with place as (
    select p.membership_id, w.answer,
      w.answer is not null or sec.reads_folder(p.tenant_id, d.folder_id, p.membership_id) as here, a.rule, a.least
    from public.approval a
    join public.document d on d.tenant_id = a.tenant_id and d.id = a.document_id
    join public.approval_place p on p.tenant_id = a.tenant_id and p.approval_id = a.id
    left join public.approval_answer w
      on w.tenant_id = p.tenant_id and w.approval_id = p.approval_id and w.membership_id = p.membership_id
    where a.tenant_id = approval_count.tenant and a.id = approval_count.approval
  ), sum as (
    select count(*) as asked, count(*) filter (where here and answer is distinct from 'abstain') as counted,
      count(*) filter (where answer = 'agree') as agreed, count(*) filter (where answer = 'object') as objected,
      count(*) filter (where answer = 'abstain') as abstained, count(*) filter (where here and answer is null) as waiting,
      min(rule) as rule, min(least) as least
    from place
  ), rule as (
    select s.*, case s.rule when 'everyone' then s.counted when 'majority' then s.counted / 2 + 1 else s.least end as needed from sum s
  )
  select asked::integer, counted::integer, agreed::integer, objected::integer, abstained::integer, waiting::integer, needed::integer,
    case when counted = 0 then 'lapsed' when agreed >= needed then 'adopted' when agreed + waiting < needed then 'rejected' end
  from rule
$$;

-- The same for who reads the document.
create function sec.approval_standing(approval uuid)
returns table (
  asked integer, counted integer, agreed integer, objected integer, abstained integer, waiting integer, needed integer
)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if exists (
    select from public.approval a join public.document d on d.tenant_id = a.tenant_id and d.id = a.document_id
    where a.tenant_id = sec.tenant() and a.id = approval_standing.approval and d.folder_id = any (sec.folders(false))) then
    return query
      select c.asked, c.counted, c.agreed, c.objected, c.abstained, c.waiting, c.needed
      from sec.approval_count(sec.tenant(), approval_standing.approval) c;
  end if;
end
$$;

-- The lines of the log that a certificate names, for who reads the document: place, act, time and hash, and not who or what.
create function sec.approval_lines(approval uuid) returns table (seq bigint, act text, at timestamptz, hash bytea)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whole public.approval;
begin
  select a.* into whole from public.approval a
  join public.document d on d.tenant_id = a.tenant_id and d.id = a.document_id
  where a.tenant_id = sec.tenant() and a.id = approval_lines.approval and d.folder_id = any (sec.folders(false));
  if found then
    return query
      select e.seq, e.act, e.at, e.hash from public.event e
      where e.tenant_id = whole.tenant_id and e.about = whole.document_id and e.act like 'approval.%'
        and e.detail ->> 'approval' = whole.id::text
      order by e.seq;
  end if;
end
$$;

-- Everybody who reads a folder, for who files in it: whom they can ask.
create function sec.folder_audience(folder uuid) returns table (membership_id uuid)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if folder_audience.folder = any (sec.folders(true)) then
    return query
      select p.membership_id from sec.folder_people(sec.tenant(), folder_audience.folder) p
      union
      select m.id from public.folder f
      join public.membership m on m.tenant_id = f.tenant_id and m.state = 'active' and m.roles && sec.keeper_roles()
      where f.tenant_id = sec.tenant() and f.id = folder_audience.folder and not f.restricted;
  end if;
end
$$;

grant execute on function sec.approval_standing(uuid), sec.approval_lines(uuid), sec.folder_audience(uuid) to quorate_web;

-- Approval is asked of the newest version of a document in use, and until a day that is not over. As the others that follow, after
-- the row: before it, the policies have not spoken yet, and a refusal would tell of a row that its asker may not know.
create function sec.approval_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  paper public.document;
begin
  select d.* into paper from public.document d where d.tenant_id = new.tenant_id and d.id = new.document_id for share;
  if paper.state is distinct from 'current' or not exists (
    select from public.version v
    where v.tenant_id = new.tenant_id and v.id = new.version_id and v.document_id = paper.id and v.number = paper.newest) then
    raise exception 'it is not the newest version of a document in use'
      using errcode = '23514', table = 'approval', constraint = 'approval_of_newest';
  end if;
  if new.due < sec.today() or new.due > sec.today() + 366 then
    raise exception 'the last day is over, or more than a year away'
      using errcode = '23514', table = 'approval', constraint = 'approval_due_ahead';
  end if;
  if new.stand_in is not null and not sec.reads_folder(new.tenant_id, paper.folder_id, new.stand_in) then
    raise exception 'the stand-in does not read the document'
      using errcode = '23514', table = 'approval', constraint = 'approval_stand_in_reads';
  end if;
  return null;
end
$$;

-- Only who reads a document can agree to it.
create function sec.approval_place_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if not exists (
    select from public.approval a join public.document d on d.tenant_id = a.tenant_id and d.id = a.document_id
    where a.tenant_id = new.tenant_id and a.id = new.approval_id
      and sec.reads_folder(new.tenant_id, d.folder_id, new.membership_id)) then
    raise exception 'they do not read the document'
      using errcode = '23514', table = 'approval_place', constraint = 'approval_place_reads';
  end if;
  return null;
end
$$;

-- At the end of the transaction: somebody is asked, as many as must agree, and the stand-in is somebody else.
create function sec.approval_asks_some() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  places integer;
begin
  select count(*) into places from public.approval_place p where p.tenant_id = new.tenant_id and p.approval_id = new.id;
  if places = 0 then
    raise exception 'nobody is asked' using errcode = '23514', table = 'approval', constraint = 'approval_asks_some';
  end if;
  if new.least > places then
    raise exception 'more must agree than are asked' using errcode = '23514', table = 'approval', constraint = 'approval_asks_enough';
  end if;
  if exists (
    select from public.approval_place p
    where p.tenant_id = new.tenant_id and p.approval_id = new.id and p.membership_id = new.stand_in) then
    raise exception 'the stand-in is asked already'
      using errcode = '23514', table = 'approval', constraint = 'approval_stand_in_other';
  end if;
  return null;
end
$$;

-- What is closed stays as it is, and knows when that was.
create function sec.approval_closes() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if old.state <> 'open' then
    raise exception 'it is closed' using errcode = '23514', table = 'approval', constraint = 'approval_open';
  end if;
  new.closed_at := clock_timestamp();
  return new;
end
$$;

-- An answer comes while there is time, to the version that is newest, from who was asked or from who stands in. The lock makes
-- those who answer, take back or bring a newer version take their turns; where it is the last that was needed, it closes.
create function sec.approval_answer_settles() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  one public.approval;
  paper public.document;
begin
  select a.* into one from public.approval a where a.tenant_id = new.tenant_id and a.id = new.approval_id for update;
  select d.* into paper from public.document d where d.tenant_id = one.tenant_id and d.id = one.document_id;
  if one.state is distinct from 'open' or one.due < sec.today() or paper.state <> 'current' then
    raise exception 'it is closed' using errcode = '23514', table = 'approval', constraint = 'approval_open';
  end if;
  if new.by_id <> new.membership_id and (one.stand_in is distinct from new.by_id or one.stand_in_on > sec.today()) then
    raise exception 'they do not stand in for anybody yet'
      using errcode = '23514', table = 'approval_answer', constraint = 'approval_answer_own';
  end if;
  update public.approval a set state = c.outcome
  from sec.approval_count(new.tenant_id, new.approval_id) c
  where a.tenant_id = new.tenant_id and a.id = new.approval_id and c.outcome is not null;
  return null;
end
$$;

-- An answer can be taken back while it is open. When the approval itself is going there is nothing to ask.
create function sec.approval_answer_leaves() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  one public.approval;
begin
  select a.* into one from public.approval a where a.tenant_id = old.tenant_id and a.id = old.approval_id for update;
  if found and (one.state <> 'open' or one.due < sec.today()) then
    raise exception 'it is closed' using errcode = '23514', table = 'approval', constraint = 'approval_open';
  end if;
  return old;
end
$$;

-- A newer version leaves nothing to decide about the one before it.
create function sec.document_outdates() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  update public.approval a set state = 'stale'
  where a.tenant_id = new.tenant_id and a.document_id = new.id and a.state = 'open';
  return null;
end
$$;

grant execute on function sec.approval_fits(), sec.approval_place_fits(), sec.approval_asks_some(), sec.approval_closes(),
  sec.approval_answer_settles(), sec.approval_answer_leaves(), sec.document_outdates()
  to quorate_owner;

set local role quorate_owner;

create trigger approval_fits after insert on approval for each row execute function sec.approval_fits();
create constraint trigger approval_asks_some after insert on approval
  deferrable initially deferred for each row execute function sec.approval_asks_some();
create trigger approval_closes before update of state on approval
  for each row when (new.state is distinct from old.state) execute function sec.approval_closes();
create trigger approval_place_fits after insert on approval_place for each row execute function sec.approval_place_fits();
create trigger approval_answer_settles after insert on approval_answer
  for each row execute function sec.approval_answer_settles();
create trigger approval_answer_leaves before delete on approval_answer
  for each row execute function sec.approval_answer_leaves();
create trigger document_outdates after update of newest on document for each row execute function sec.document_outdates();

alter table approval enable row level security;
alter table approval force row level security;

create policy approval_select on approval for select to quorate_web
  using (tenant_id = (select sec.tenant()) and exists (
    select from document d where d.tenant_id = approval.tenant_id and d.id = approval.document_id));
create policy approval_insert on approval for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and asked_by = (select sec.membership()) and exists (
    select from document d
    where d.tenant_id = approval.tenant_id and d.id = approval.document_id
      and d.folder_id = any ((select sec.folders_filed())::uuid[])));
-- Who files there may take the question back, and nothing else of it is anybody's to change.
create policy approval_update on approval for update to quorate_web
  using (tenant_id = (select sec.tenant()) and exists (
    select from document d
    where d.tenant_id = approval.tenant_id and d.id = approval.document_id
      and d.folder_id = any ((select sec.folders_filed())::uuid[])))
  with check (tenant_id = (select sec.tenant()) and state = 'withdrawn');
grant select, insert (tenant_id, document_id, version_id, sha256, rule, least, reason, routine, role, committee_id, asked_by, due,
  stand_in, stand_in_on), update (state) on approval to quorate_web;

alter table approval_place enable row level security;
alter table approval_place force row level security;

create policy approval_place_select on approval_place for select to quorate_web
  using (tenant_id = (select sec.tenant()) and exists (
    select from approval a where a.tenant_id = approval_place.tenant_id and a.id = approval_place.approval_id));
-- Whoever asks says whom, in the same transaction and never later.
create policy approval_place_insert on approval_place for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and exists (
    select from approval a
    where a.tenant_id = approval_place.tenant_id and a.id = approval_place.approval_id
      and a.asked_by = (select sec.membership()) and a.asked_at = now()));
grant select, insert (tenant_id, approval_id, membership_id) on approval_place to quorate_web;

alter table approval_answer enable row level security;
alter table approval_answer force row level security;

create policy approval_answer_select on approval_answer for select to quorate_web
  using (tenant_id = (select sec.tenant()) and exists (
    select from approval a where a.tenant_id = approval_answer.tenant_id and a.id = approval_answer.approval_id));
create policy approval_answer_insert on approval_answer for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and by_id = (select sec.membership()) and exists (
    select from approval a where a.tenant_id = approval_answer.tenant_id and a.id = approval_answer.approval_id));
create policy approval_answer_delete on approval_answer for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and by_id = (select sec.membership()));
grant select, insert (tenant_id, approval_id, membership_id, by_id, answer, reason), delete on approval_answer to quorate_web;

do $$
declare
  name text;
begin
  foreach name in array array['approval', 'approval_place', 'approval_answer'] loop
    execute format('create policy %I on %I for select to quorate_sec using (true)', name || '_sec_select', name);
    execute format('create policy %I on %I for insert to quorate_sec with check (true)', name || '_sec_insert', name);
    execute format('grant select, insert on %I to quorate_sec', name);
  end loop;
  foreach name in array array['approval', 'approval_place'] loop
    execute format('create policy %I on %I for update to quorate_sec using (true) with check (true)',
      name || '_sec_update', name);
    execute format('grant update on %I to quorate_sec', name);
  end loop;
end
$$;

-- Those who were asked for an approval, and who asked, hear of it as long as they read the folder.
alter table notice drop constraint notice_hears_known;
alter table notice add constraint notice_hears_known
  check (hears in ('person', 'chair', 'keeper', 'board', 'reader', 'owner', 'asked', 'asker'));
comment on column notice.hears is 'as what they hear of it: whom it was done to, who chairs the committee, who keeps people, who sits on the board, who reads the folder, who owns the document, who was asked for an approval, or who asked';
drop policy notice_select on notice;
create policy notice_select on notice for select to quorate_web
  using (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()) and case
    when hears = 'person' then true when hears = 'keeper' then (select sec.keeps_board())
    when hears in ('reader', 'owner', 'asked', 'asker') then folder_id = any ((select sec.folders_read())::uuid[])
    else (select sec.sees_board()) end);

set local role quorate_sec;

alter table sec.notice_rule drop constraint notice_rule_hears_known;
alter table sec.notice_rule add constraint notice_rule_hears_known
  check (hears in ('person', 'chair', 'keeper', 'board', 'reader', 'owner', 'asked', 'asker', 'nobody'));
insert into sec.notice_rule (act, hears) values
  ('approval.asked', 'asked'), ('approval.asked', 'owner'),
  ('approval.agreed', 'nobody'), ('approval.objected', 'asker'), ('approval.abstained', 'asker'),
  ('approval.answer_withdrawn', 'asker'),
  ('approval.closed', 'asked'), ('approval.closed', 'asker'), ('approval.closed', 'owner'),
  ('approval.withdrawn', 'asked'),
  ('approval.nudged', 'person'), ('approval.stand_in_called', 'person'), ('approval.stand_in_called', 'asker');

create or replace function sec.tell() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whom uuid := new.about;
  committee uuid;
  folder uuid;
  document uuid;
  approval uuid;
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
    approval := sec.maybe_uuid(new.detail ->> 'approval');
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
      union all
      select p.* from public.approval_place q
      join public.membership p on p.tenant_id = q.tenant_id and p.id = q.membership_id and p.state = 'active'
      where r.hears = 'asked' and q.tenant_id = new.tenant_id and q.approval_id = approval
      union all
      select p.* from public.approval q
      join public.membership p on p.tenant_id = q.tenant_id and p.id = q.asked_by and p.state = 'active'
      where r.hears = 'asker' and q.tenant_id = new.tenant_id and q.id = approval
    ) m
    left join public.notice_choice c on c.tenant_id = m.tenant_id and c.membership_id = m.id
    where r.act = new.act and m.account_id is distinct from new.actor
    order by m.id, array_position(array['person', 'asked', 'asker', 'chair', 'owner', 'keeper', 'reader', 'board'], r.hears)
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
               when n.hears in ('reader', 'owner', 'asked', 'asker') then sec.reads_folder(n.tenant_id, n.folder_id, n.membership_id)
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

-- Whose answer is waited for on a day, and since when: of those who were asked and have not answered, and of the stand-in from
-- the day on which they may.
create function sec.approvals_waiting(tenant uuid, day date) returns table (membership_id uuid, approval_id uuid, since date)
language sql stable
as $$
  with open as materialized (
    select a.*, d.folder_id, (a.asked_at at time zone 'Europe/London')::date as asked_on from public.approval a
    join public.document d on d.tenant_id = a.tenant_id and d.id = a.document_id and d.state = 'current'
    where a.tenant_id = approvals_waiting.tenant and a.state = 'open' and a.due >= day
  ), missing as (
    select p.membership_id, o.id, o.folder_id, o.asked_on from open o
    join public.approval_place p on p.tenant_id = o.tenant_id and p.approval_id = o.id
    where not exists (
      select from public.approval_answer w
      where w.tenant_id = p.tenant_id and w.approval_id = p.approval_id and w.membership_id = p.membership_id)
  )
  select m.membership_id, m.id, m.asked_on from missing m
  where sec.reads_folder(approvals_waiting.tenant, m.folder_id, m.membership_id)
  union all
  select o.stand_in, o.id, o.stand_in_on from open o
  where o.stand_in_on <= day and exists (select from missing m where m.id = o.id)
    and sec.reads_folder(approvals_waiting.tenant, o.folder_id, o.stand_in)
    and not exists (
      select from public.approval_answer w where w.tenant_id = o.tenant_id and w.approval_id = o.id and w.by_id = o.stand_in)
$$;

-- What waits for whom at a tenant on a day, as their home page says it; of an invitation only once it is a week old.
create or replace function sec.duties(tenant uuid, day date) returns table (membership_id uuid, duty text, subject_id uuid)
language sql stable
as $$
  with due as materialized (
    select d.membership_id from sec.declarations_due(duties.tenant, day) d
  ), keeper as (
    select m.id from public.membership m
    where m.tenant_id = duties.tenant and m.state = 'active' and m.roles && sec.keeper_roles()
  ), kept as (
    select 'invitation' as duty, m.id as subject_id from public.membership m
    where m.tenant_id = duties.tenant and m.state = 'invited'
      and (m.invited_at at time zone 'Europe/London')::date <= day - 7
    union all
    select 'term', e.term_id from sec.ending_terms(duties.tenant, day) e
    union all
    select 'vacancy', v from sec.vacant_seats(duties.tenant, day) v
  )
  select m.id, 'declare', m.id from due join public.membership m on m.tenant_id = duties.tenant and m.id = due.membership_id
  where m.state = 'active' and not m.roles <@ array['parent', 'member']
  union all
  select k.id, w.duty, w.subject_id from keeper k cross join kept w
  union all
  select k.id, 'declarations', d.membership_id from keeper k join due d on d.membership_id <> k.id
  union all
  select w.membership_id, 'approval', w.approval_id from sec.approvals_waiting(duties.tenant, day) w
  union all
  select m.id, 'review', d.id from public.document d
  join public.membership m on m.tenant_id = d.tenant_id and m.id = d.owner_id and m.state = 'active'
  where d.tenant_id = duties.tenant and d.state = 'current' and d.review_by <= day + 30
$$;

-- What waits at each of the places of whoever is on the bare host: the duties that their home there shows, in numbers, with the
-- day since which the oldest waits (null for never done) and for terms the day on which the first ends. Of a place where they
-- are suspended that and nothing else. A session of a tenant gets nothing: inside one there are no others.
create or replace function sec.my_waiting(token bytea)
returns table (tenant_id uuid, name text, what text, many integer, since date, ends date)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  s sec.session := sec.live_session(token);
begin
  if s.id is null or s.tenant_id is not null or sec.session_needs(s) <> 'none' then
    return;
  end if;
  return query
    with place as (
      select m.tenant_id, m.id, t.name, m.state, (m.suspended_at at time zone 'Europe/London')::date as suspended_on,
        not m.roles <@ array['parent', 'member'] as sees, m.roles && (sec.admin_roles() || array['clerk']) as keeps
      from public.membership m join public.tenant t on t.id = m.tenant_id
      where m.account_id = s.account_id and m.state in ('active', 'suspended')
    ), sees as (
      select * from place p where p.state = 'active' and p.sees
    ), keeps as (
      select * from place p where p.state = 'active' and p.keeps
    )
    select p.tenant_id, p.name, 'suspended', 1, p.suspended_on, null::date from place p where p.state = 'suspended'
    union all
    select p.tenant_id, p.name, 'declare', 1, d.since, null
    from sees p cross join lateral sec.declarations_due(p.tenant_id, sec.today()) d where d.membership_id = p.id
    union all
    select p.tenant_id, p.name, 'invitations', count(*)::integer,
      min((m.invited_at at time zone 'Europe/London')::date), null
    from keeps p join public.membership m on m.tenant_id = p.tenant_id and m.state = 'invited'
    group by p.tenant_id, p.name
    union all
    select p.tenant_id, p.name, 'terms', count(*)::integer, min(e.last) - 90, min(e.last)
    from keeps p cross join lateral sec.ending_terms(p.tenant_id, sec.today()) e
    group by p.tenant_id, p.name
    union all
    select p.tenant_id, p.name, 'seats', count(*)::integer, sec.today(), null
    from keeps p cross join lateral sec.vacant_seats(p.tenant_id, sec.today()) v
    group by p.tenant_id, p.name
    union all
    select p.tenant_id, p.name, 'declarations', count(*)::integer, sec.today(), null
    from keeps p cross join lateral sec.declarations_due(p.tenant_id, sec.today()) d where d.membership_id <> p.id
    group by p.tenant_id, p.name
    union all
    select p.tenant_id, p.name, 'approvals', count(*)::integer, min(w.since), null
    from place p cross join lateral sec.approvals_waiting(p.tenant_id, sec.today()) w
    where p.state = 'active' and w.membership_id = p.id
    group by p.tenant_id, p.name
    union all
    select p.tenant_id, p.name, 'reviews', count(*)::integer, min(d.review_by) - 30, min(d.review_by)
    from place p join public.document d on d.tenant_id = p.tenant_id and d.owner_id = p.id
    where p.state = 'active' and d.state = 'current' and d.review_by <= sec.today() + 30
    group by p.tenant_id, p.name;
end
$$;

-- Moves on what does not move by itself, and tells each step: what is over lapses; what is decided because somebody left is
-- closed; the stand-in is called on their day; whoever has not answered is reminded after three and after seven days. Returns how
-- many steps it took.
create function sec.approvals_go_on(moment timestamptz, most integer) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  day constant date := (moment at time zone 'Europe/London')::date;
  steps integer := 0;
  one record;
  place record;
  outcome text;
  topics text[];
begin
  for one in
    select a.tenant_id, a.id, a.document_id, a.due, a.asked_at, a.stand_in, a.stand_in_on, a.stand_in_called, d.folder_id, d.state
    from public.approval a join public.document d on d.tenant_id = a.tenant_id and d.id = a.document_id
    where a.state = 'open' order by a.due, a.id for update of a skip locked
  loop
    exit when steps >= most;
    topics := array['approvals', 'folder/' || one.folder_id, 'paper/' || one.document_id];
    select case when one.due < day then 'lapsed' else c.outcome end into outcome
    from sec.approval_count(one.tenant_id, one.id) c;
    if outcome is not null then
      update public.approval a set state = outcome where a.tenant_id = one.tenant_id and a.id = one.id;
      perform sec.append_for(one.tenant_id, null, 'approval.closed', one.document_id,
        jsonb_build_object('folder', one.folder_id, 'approval', one.id, 'outcome', outcome), topics, null);
      steps := steps + 1;
      continue;
    end if;
    if one.state <> 'current' then
      continue;
    end if;
    if one.stand_in_on <= day and not one.stand_in_called then
      update public.approval a set stand_in_called = true where a.tenant_id = one.tenant_id and a.id = one.id;
      perform sec.append_for(one.tenant_id, null, 'approval.stand_in_called', one.document_id,
        jsonb_build_object('folder', one.folder_id, 'approval', one.id, 'person', one.stand_in), topics, null);
      steps := steps + 1;
    end if;
    for place in
      select p.id, p.membership_id, case when one.asked_at <= moment - interval '7 days' then 2 else 1 end as due
      from public.approval_place p
      where p.tenant_id = one.tenant_id and p.approval_id = one.id
        and p.nudged < case
          when one.asked_at <= moment - interval '7 days' then 2 when one.asked_at <= moment - interval '3 days' then 1 else 0 end
        and sec.reads_folder(one.tenant_id, one.folder_id, p.membership_id)
        and not exists (
          select from public.approval_answer w
          where w.tenant_id = p.tenant_id and w.approval_id = p.approval_id and w.membership_id = p.membership_id)
    loop
      update public.approval_place p set nudged = place.due where p.tenant_id = one.tenant_id and p.id = place.id;
      perform sec.append_for(one.tenant_id, null, 'approval.nudged', one.document_id,
        jsonb_build_object('folder', one.folder_id, 'approval', one.id, 'person', place.membership_id, 'time', place.due),
        array['approvals'], null);
      steps := steps + 1;
    end loop;
  end loop;
  return steps;
end
$$;

grant execute on function sec.approvals_go_on(timestamptz, integer) to quorate_worker;

set local role quorate_owner;
