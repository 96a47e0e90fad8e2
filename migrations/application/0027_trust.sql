-- What is trusted of the library and of approvals, said by the schema and not by the code above it: who can get into a restricted
-- folder, what can end in the bin, who is counted, and who signs.

set local role quorate_owner;

-- Of the document it belongs to, and not only of the tenant: a version that pointed at another document's object would take that with
-- it when it is purged.
alter table version drop constraint version_key_own;
alter table version add constraint version_key_own
  check (key ~ ('^t/' || tenant_id::text || '/d/' || document_id::text || '/v/[0-9a-f-]{36}$'));

-- Who was asked may leave before it is decided: that is put down when it happens, since they may come back, and the place that was
-- theirs may go to somebody else.
alter table approval_place add column left_at timestamptz;
comment on column approval_place.left_at is 'since when nobody answers in it any more: they left the school while it was open';

-- What a folder is for may say what is in it: of a restricted one it is for its readers.
revoke select on folder from quorate_web;
grant select (tenant_id, id, name, restricted, made_by, made_at, archived_on) on folder to quorate_web;

set local role quorate_sec;

create function sec.folders_about() returns table (folder_id uuid, about text)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    select f.id, f.about from public.folder f where f.tenant_id = sec.tenant() and f.id = any (sec.folders(false));
end
$$;
grant execute on function sec.folders_about() to quorate_web;

-- A restricted folder names people only, who have joined: the place of somebody who has not can be given another address, and whoever
-- keeps the places would read there under it.
create or replace function sec.folder_reader_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whole public.folder;
  standing text;
begin
  select f.* into whole from public.folder f where f.tenant_id = new.tenant_id and f.id = new.folder_id for share;
  if whole.restricted and new.membership_id is null then
    raise exception 'a restricted folder is read by named people'
      using errcode = '23514', table = 'folder_reader', constraint = 'folder_reader_named';
  end if;
  if new.membership_id is not null then
    select m.state into standing from public.membership m where m.tenant_id = new.tenant_id and m.id = new.membership_id;
    if coalesce(standing, 'ended') = 'ended' then
      raise exception 'somebody who was removed reads nothing'
        using errcode = '23514', table = 'folder_reader', constraint = 'folder_reader_of_member';
    end if;
    if whole.restricted and standing = 'invited' then
      raise exception 'somebody who has not joined reads no restricted folder'
        using errcode = '23514', table = 'folder_reader', constraint = 'folder_reader_joined';
    end if;
  end if;
  return null;
end
$$;

-- Nor are they asked for.
create function sec.folder_change_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if exists (
    select from public.membership m
    where m.tenant_id = new.tenant_id and m.id = new.membership_id and m.state = 'invited') then
    raise exception 'somebody who has not joined reads no restricted folder'
      using errcode = '23514', table = 'folder_reader', constraint = 'folder_reader_joined';
  end if;
  return null;
end
$$;

-- Nobody answers any more where somebody was asked who has left; what they answered before stays. The lock makes those who answer and
-- those who leave take their turns.
create function sec.approvals_left(tenant uuid, person uuid) returns void
language plpgsql volatile
as $$
begin
  perform from public.approval a
  where a.tenant_id = approvals_left.tenant and a.state = 'open' and exists (
    select from public.approval_place p
    where p.tenant_id = a.tenant_id and p.approval_id = a.id and p.membership_id = approvals_left.person)
  order by a.id for update;
  update public.approval_place p set left_at = now()
  from public.approval a
  where a.tenant_id = approvals_left.tenant and a.state = 'open' and p.tenant_id = a.tenant_id and p.approval_id = a.id
    and p.membership_id = approvals_left.person and p.left_at is null;
end
$$;

-- A place that goes to another account takes no restricted folder along. Those named before this rule stood are the only ones.
create function sec.membership_changes_hands() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  delete from public.folder_change c where c.tenant_id = new.tenant_id and c.membership_id = new.id;
  delete from public.folder_reader r using public.folder f
  where r.tenant_id = new.tenant_id and r.membership_id = new.id
    and f.tenant_id = r.tenant_id and f.id = r.folder_id and f.restricted;
  perform sec.approvals_left(new.tenant_id, new.id);
  return null;
end
$$;

create function sec.membership_leaves_approvals() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  perform sec.approvals_left(new.tenant_id, new.id);
  return null;
end
$$;

create or replace function sec.folder_read_by_some() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whole public.folder;
  readers integer;
begin
  if tg_table_name = 'folder' then
    whole := new;
  else
    -- Whether it is restricted never changes. At the end of a transaction the log is locked already, and rows are locked before it:
    -- two who take readers away take their turns there.
    select f.* into whole from public.folder f where f.tenant_id = old.tenant_id and f.id = old.folder_id;
    perform from sec.event_head h where h.tenant_id = old.tenant_id for update;
    if exists (select from public.membership m
      where m.tenant_id = old.tenant_id and m.id = old.membership_id
        and (m.state = 'ended' or (m.state = 'invited' and whole.restricted))) then
      return null;
    end if;
  end if;
  select count(*) into readers from public.folder_reader r where r.tenant_id = whole.tenant_id and r.folder_id = whole.id;
  if readers < (case when whole.restricted then 2 else 1 end) then
    raise exception 'a folder needs readers'
      using errcode = '23514', table = 'folder', constraint = 'folder_read_by_some';
  end if;
  return null;
end
$$;

-- Thirty days in the bin are thirty days from now, whoever puts it there.
create function sec.document_binned_now() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if sec.tenant() is not null and (new.binned_at, new.binned_by) is distinct from (old.binned_at, old.binned_by)
    and (new.binned_at <> now() or new.binned_by <> sec.membership()) then
    raise exception 'a document is put into the bin now, by who does it'
      using errcode = '23514', table = 'document', constraint = 'document_binned_now';
  end if;
  return null;
end
$$;

-- A version has an object of its own, or brings back the very bytes of an earlier one: what was approved is what is handed out.
create function sec.version_of_its_object() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if sec.tenant() is not null and new.key not like '%/v/' || new.id and not exists (
    select from public.version v
    where v.tenant_id = new.tenant_id and v.document_id = new.document_id and v.id <> new.id
      and v.key = new.key and v.sha256 = new.sha256 and v.size = new.size and v.format = new.format
      and v.store_version is not distinct from new.store_version) then
    raise exception 'the object is not that of this version'
      using errcode = '23514', table = 'version', constraint = 'version_of_its_object';
  end if;
  return null;
end
$$;

-- An answer is a signature, and taking one back is as well: it needs a proof of the last few minutes of who gives it. QR403 without.
create function sec.needs_step_up() returns void
language plpgsql volatile
as $$
declare
  session constant uuid := nullif((sec.seal())[4], '')::uuid;
begin
  if session is not null and not exists (select from sec.session s where s.id = session and sec.stepped_up(s)) then
    raise exception 'needs_step_up' using errcode = 'QR403';
  end if;
end
$$;

-- How an approval stands. Counted are those who were asked, without those who abstained by an interest, who may not decide, and
-- without those who left the school before they answered. Whoever reads it no more is waited for all the same: to move a paper, or to suspend somebody for a minute, must not decide for them.
-- Everyone: all who count agree. Majority: more than half of those who count. At least n: n of them.
create or replace function sec.approval_count(tenant uuid, approval uuid)
returns table (
  asked integer, counted integer, agreed integer, objected integer, abstained integer, waiting integer, needed integer, outcome text
)
language sql stable
as $$
  with place as (
    select p.membership_id, w.answer,
      w.answer is not null or p.left_at is null as here, a.rule, a.least
    from public.approval a
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

-- Who stands in is neither asked nor asks, and whoever is asked has a day to themselves.
create or replace function sec.approval_fits() returns trigger
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
  if new.stand_in = new.asked_by then
    raise exception 'who asks stands in for nobody'
      using errcode = '23514', table = 'approval', constraint = 'approval_stand_in_not_asker';
  end if;
  if new.stand_in_on <= sec.today() then
    raise exception 'who is asked has a day at least'
      using errcode = '23514', table = 'approval', constraint = 'approval_stand_in_later';
  end if;
  if new.stand_in is not null and not sec.reads_folder(new.tenant_id, paper.folder_id, new.stand_in) then
    raise exception 'the stand-in does not read the document'
      using errcode = '23514', table = 'approval', constraint = 'approval_stand_in_reads';
  end if;
  return null;
end
$$;

-- Only who reads a document can agree to it, and nobody is asked once somebody has answered: they would be counted as asked by
-- those who read what came of it.
create or replace function sec.approval_place_fits() returns trigger
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
  if sec.tenant() is not null and exists (
    select from public.approval_answer w where w.tenant_id = new.tenant_id and w.approval_id = new.approval_id) then
    raise exception 'somebody has answered already'
      using errcode = '23514', table = 'approval_place', constraint = 'approval_place_first';
  end if;
  return null;
end
$$;

-- An answer comes while there is time, to the version that is newest, from who was asked or from who stands in. The lock makes
-- those who answer, take back or bring a newer version take their turns; where it is the last that was needed, it closes.
create or replace function sec.approval_answer_settles() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  one public.approval;
  paper public.document;
begin
  perform sec.needs_step_up();
  select a.* into one from public.approval a where a.tenant_id = new.tenant_id and a.id = new.approval_id for update;
  select d.* into paper from public.document d where d.tenant_id = one.tenant_id and d.id = one.document_id;
  if one.state is distinct from 'open' or one.due < sec.today() or paper.state <> 'current' then
    raise exception 'it is closed' using errcode = '23514', table = 'approval', constraint = 'approval_open';
  end if;
  if new.by_id <> new.membership_id and (one.stand_in is distinct from new.by_id or one.stand_in_on > sec.today()) then
    raise exception 'they do not stand in for anybody yet'
      using errcode = '23514', table = 'approval_answer', constraint = 'approval_answer_own';
  end if;
  if (new.by_id <> new.membership_id and new.by_id = one.asked_by) or exists (
    select from public.approval_place p
    where p.tenant_id = new.tenant_id and p.approval_id = new.approval_id and p.membership_id = new.membership_id
      and p.left_at is not null) then
    raise exception 'nobody answers there any more, or not they'
      using errcode = '23514', table = 'approval_answer', constraint = 'approval_answer_own';
  end if;
  update public.approval a set state = c.outcome
  from sec.approval_count(new.tenant_id, new.approval_id) c
  where a.tenant_id = new.tenant_id and a.id = new.approval_id and c.outcome is not null;
  return null;
end
$$;

-- An answer can be taken back while it is open. When the approval itself is going there is nothing to ask.
create or replace function sec.approval_answer_leaves() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  one public.approval;
begin
  select a.* into one from public.approval a where a.tenant_id = old.tenant_id and a.id = old.approval_id for update;
  if found then
    perform sec.needs_step_up();
  end if;
  if found and exists (
    select from public.approval_place p
    where p.tenant_id = old.tenant_id and p.approval_id = old.approval_id and p.membership_id = old.membership_id
      and p.left_at is not null) then
    raise exception 'whose answer it was has left'
      using errcode = '23514', table = 'approval_answer', constraint = 'approval_answer_own';
  end if;
  if found and (one.state <> 'open' or one.due < sec.today()) then
    raise exception 'it is closed' using errcode = '23514', table = 'approval', constraint = 'approval_open';
  end if;
  return old;
end
$$;

-- Nobody waits for who has left.
create or replace function sec.approvals_waiting(tenant uuid, day date) returns table (membership_id uuid, approval_id uuid, since date)
language sql stable
as $$
  with open as materialized (
    select a.*, d.folder_id, (a.asked_at at time zone 'Europe/London')::date as asked_on from public.approval a
    join public.document d on d.tenant_id = a.tenant_id and d.id = a.document_id and d.state = 'current'
    where a.tenant_id = approvals_waiting.tenant and a.state = 'open' and a.due >= day
  ), missing as (
    select p.membership_id, o.id, o.folder_id, o.asked_on from open o
    join public.approval_place p on p.tenant_id = o.tenant_id and p.approval_id = o.id and p.left_at is null
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

-- A review is the duty of an owner who reads the document.
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
    and sec.reads_folder(d.tenant_id, d.folder_id, m.id)
$$;

-- The same on the bare host.
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
      and sec.reads_folder(d.tenant_id, d.folder_id, p.id)
    group by p.tenant_id, p.name;
end
$$;

-- By tenant: whoever locks the heads of several logs does it in this order.
create or replace function sec.approvals_go_on(moment timestamptz, most integer) returns integer
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
    where a.state = 'open' order by a.tenant_id, a.due, a.id for update of a skip locked
  loop
    exit when steps >= most;
    topics := array['approvals', 'folder/' || one.folder_id, 'paper/' || one.document_id];
    select case when one.due < day and c.outcome is distinct from 'adopted' then 'lapsed' else c.outcome end into outcome
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
      where p.tenant_id = one.tenant_id and p.approval_id = one.id and p.left_at is null
        and p.nudged < case
          when one.asked_at <= moment - interval '7 days' then 2 when one.asked_at <= moment - interval '3 days' then 1 else 0 end
        and sec.reads_folder(one.tenant_id, one.folder_id, p.membership_id)
        and not exists (
          select from public.approval_answer w
          where w.tenant_id = p.tenant_id and w.approval_id = p.approval_id and w.membership_id = p.membership_id)
      -- Of one who is just leaving nothing is awaited: they wait for this log.
      for update of p skip locked
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

grant execute on function sec.folder_change_fits(), sec.membership_changes_hands(), sec.membership_leaves_approvals(),
  sec.document_binned_now(), sec.version_of_its_object() to quorate_owner;

-- Of who had left before this was put down.
update public.approval_place p set left_at = m.ended_at
from public.approval a, public.membership m
where a.tenant_id = p.tenant_id and a.id = p.approval_id
  and m.tenant_id = p.tenant_id and m.id = p.membership_id and m.state = 'ended'
  and (a.state = 'open' or m.ended_at <= a.closed_at);

-- In whose place a stand-in answered hears of it, and may take that answer back and give their own.
delete from sec.notice_rule where act = 'approval.agreed' and hears = 'nobody';
insert into sec.notice_rule (act, hears) values
  ('approval.agreed', 'person'), ('approval.objected', 'person'), ('approval.abstained', 'person');

set local role quorate_owner;

create trigger folder_change_fits after insert on folder_change
  for each row when (new.adds) execute function sec.folder_change_fits();
create trigger membership_changes_hands after update of account_id on membership
  for each row when (new.account_id <> old.account_id) execute function sec.membership_changes_hands();
create trigger membership_leaves_approvals after update of state on membership
  for each row when (new.state = 'ended') execute function sec.membership_leaves_approvals();
create trigger version_of_its_object after insert on version
  for each row execute function sec.version_of_its_object();
-- Stale is what a newer version leaves behind, and not what somebody touches.
drop trigger document_outdates on document;
create trigger document_outdates after update of newest on document
  for each row when (new.newest > old.newest) execute function sec.document_outdates();
create trigger document_binned_now after update of binned_at, binned_by on document
  for each row when (new.state = 'binned') execute function sec.document_binned_now();

drop policy approval_answer_delete on approval_answer;
create policy approval_answer_delete on approval_answer for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and (by_id = (select sec.membership()) or membership_id = (select sec.membership())));
