-- What is gone through and stands afterwards: circumstances that a roster brings, which can be undone with it, and
-- a list, week by week, of looks at pupils' records that are out of the ordinary, which whoever goes through them signs off. A list is
-- made once when its week is over and then stands; so does what was said at signing, to which something can be added and no more.

set local role quorate_owner;

create table access_week (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  monday date not null,
  looks integer not null,
  made_at timestamptz not null default now(),
  constraint access_week_pkey primary key (tenant_id, id),
  constraint access_week_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint access_week_monday_key unique (tenant_id, monday),
  constraint access_week_monday_first check (extract(isodow from monday) = 1),
  constraint access_week_looks_some check (looks > 0)
);
comment on column access_week.looks is 'how many looks there were, unusual or not';

create table access_finding (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  week_id uuid not null,
  rule text not null,
  membership_id uuid,
  pupil_id uuid,
  access_id uuid,
  at timestamptz not null,
  many integer not null,
  usual integer,
  constraint access_finding_pkey primary key (tenant_id, id),
  constraint access_finding_week_fkey foreign key (tenant_id, week_id) references access_week (tenant_id, id),
  constraint access_finding_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  -- The line stays when a pupil goes who was on the roll by mistake.
  constraint access_finding_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete set null (pupil_id),
  constraint access_finding_access_fkey foreign key (tenant_id, access_id) references pupil_access (tenant_id, id)
    on delete set null (access_id),
  constraint access_finding_week_key unique (tenant_id, week_id, id),
  constraint access_finding_rule_known check (rule in ('beyond', 'hours', 'many', 'crowd', 'family')),
  constraint access_finding_person_named check ((membership_id is null) = (rule = 'crowd')),
  constraint access_finding_many_some check (many > 0)
);
comment on column access_finding.at is 'the first look that it is about';
comment on column access_finding.many is 'pupils looked at, or of a crowd the people who looked';
comment on column access_finding.usual is 'how many pupils that person looks at on a day of theirs; null where there was none before';
create index access_finding_by_pupil on access_finding (tenant_id, pupil_id) where pupil_id is not null;
create index access_finding_by_access on access_finding (tenant_id, access_id) where access_id is not null;

create table access_review (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  week_id uuid not null,
  by_id uuid not null,
  at timestamptz not null default now(),
  constraint access_review_pkey primary key (tenant_id, id),
  constraint access_review_week_fkey foreign key (tenant_id, week_id) references access_week (tenant_id, id),
  constraint access_review_by_fkey foreign key (tenant_id, by_id) references membership (tenant_id, id),
  constraint access_review_once_key unique (tenant_id, week_id)
);

create table access_statement (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  week_id uuid not null,
  finding_id uuid,
  follow_up boolean not null,
  words text not null,
  by_id uuid not null,
  at timestamptz not null default now(),
  constraint access_statement_pkey primary key (tenant_id, id),
  constraint access_statement_review_fkey foreign key (tenant_id, week_id) references access_review (tenant_id, week_id),
  constraint access_statement_finding_fkey foreign key (tenant_id, week_id, finding_id)
    references access_finding (tenant_id, week_id, id),
  constraint access_statement_by_fkey foreign key (tenant_id, by_id) references membership (tenant_id, id),
  constraint access_statement_words_shape check (
    words = btrim(words) and char_length(words) between 1 and 1000
    and words !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
);
comment on column access_statement.finding_id is 'null for what is said of the whole list';
create index access_statement_by_week on access_statement (tenant_id, week_id);

-- All looks of a school's week.
create index pupil_read_by_time on pupil_read (tenant_id, at);
create index pupil_access_by_time on pupil_access (tenant_id, opened_at);

-- What a roster says of pupils' circumstances is set when it is taken in, and undone with it: what it was and what it became stand here
-- as they do in the tag, sealed.
alter table roster_change drop constraint roster_change_what_known;
alter table roster_change add constraint roster_change_what_known
  check (what in ('added', 'field', 'joined', 'left', 'group', 'caseload', 'tag'));
alter table roster_change drop constraint roster_change_field_named;
alter table roster_change add constraint roster_change_field_named check ((what in ('field', 'tag')) = (field is not null));
comment on column roster_change.becomes is
  'a value, sealed where it is a tag, a time in a group, or the digest of an added pupil: by it one sees whether it is as it was left';

set local role quorate_sec;

-- As before, without tags and their trail: whether those are as a roster left them is told by the trail's times.
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
        one.attname, case when one.conrelid = 'public.group_pupil'::regclass then ' and t.id <> all ($3)' else '' end)
      using here, pupils, places;
  end loop;
end
$$;

-- By what a surname is known again: the whole of it, its last word, and of a double-barrelled one each part that is a name by itself,
-- for which particles are too short; without apostrophes, which are typed in several ways.
create function sec.surnames(name text) returns text[]
language sql immutable parallel safe
as $$
  with plain as (
    select translate(lower(btrim(surnames.name)), '''’‘`´', '') as whole
  ), parts as (
    select regexp_split_to_array(p.whole, '[[:space:]-]+') as part, p.whole from plain p
  )
  select array(
    select x from parts p cross join lateral unnest(p.part || p.whole) with ordinality as u (x, place)
    where char_length(x) >= 4 or u.place >= cardinality(p.part))
$$;

-- When a day begins in England.
create function sec.midnight(day date) returns timestamptz
language sql immutable parallel safe
as $$ select day::timestamp at time zone 'Europe/London' $$;

-- What is out of the ordinary in a week, put down. What each rule is for stands with it in the domain, which says it in words.
create function sec.access_findings(tenant uuid, week uuid, monday date) returns void
language sql volatile
as $$
  with looks as materialized (
    select r.membership_id, r.pupil_id, r.basis, r.at, (r.at at time zone 'Europe/London') as here
    from public.pupil_read r
    where r.tenant_id = access_findings.tenant and r.at >= sec.midnight(monday - 56) and r.at < sec.midnight(monday + 7)
  ), week as materialized (
    select * from looks l where l.at >= sec.midnight(monday)
  ), daily as (
    select l.membership_id, l.here::date as day, count(distinct l.pupil_id)::integer as many, min(l.at) as at
    from looks l group by l.membership_id, l.here::date
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
    from week w group by w.pupil_id, w.here::date having count(distinct w.membership_id) >= 5
    union all
    select 'family', w.membership_id, w.pupil_id, null, min(w.at), 1, null
    from week w
    join public.membership m on m.tenant_id = access_findings.tenant and m.id = w.membership_id
    join public.pupil p on p.tenant_id = access_findings.tenant and p.id = w.pupil_id
    where w.basis <> 'caseload'
      and (sec.surnames(p.last_name) && sec.surnames(regexp_replace(btrim(m.name), '^\S+\s+', ''))
        or exists (select from public.guardian_link g
          where g.tenant_id = m.tenant_id and g.membership_id = m.id and g.pupil_id = p.id))
    group by w.membership_id, w.pupil_id
  )
  insert into public.access_finding (tenant_id, week_id, rule, membership_id, pupil_id, access_id, at, many, usual)
  select access_findings.tenant, access_findings.week, f.rule, f.membership_id, f.pupil_id, f.access_id, f.at, f.many, f.usual
  from found f order by f.at, f.rule
$$;

-- Makes the lists of the weeks that are over, of the last eight, where anybody looked. Returns how many.
create function sec.access_weeks_made() returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  latest constant date := sec.today() - extract(isodow from sec.today())::integer - 6;
  one record;
  week uuid;
  made integer := 0;
begin
  for one in
    select t.id as tenant, latest - 7 * n as monday, l.looks
    from public.tenant t cross join generate_series(0, 7) n
    cross join lateral (
      select (select count(*) from public.pupil_read r
          where r.tenant_id = t.id and r.at >= sec.midnight(latest - 7 * n) and r.at < sec.midnight(latest - 7 * n + 7))
        + (select count(*) from public.pupil_access a
          where a.tenant_id = t.id and a.opened_at >= sec.midnight(latest - 7 * n)
            and a.opened_at < sec.midnight(latest - 7 * n + 7)) as looks) l
    where l.looks > 0 and not exists (
      select from public.access_week w where w.tenant_id = t.id and w.monday = latest - 7 * n)
    order by t.id, monday
  loop
    week := null;
    -- Another process may be at the same.
    insert into public.access_week (tenant_id, monday, looks) values (one.tenant, one.monday, one.looks)
    on conflict on constraint access_week_monday_key do nothing returning id into week;
    if week is not null then
      perform sec.access_findings(one.tenant, week, one.monday);
      made := made + 1;
    end if;
  end loop;
  return made;
end
$$;
grant execute on function sec.access_weeks_made() to quorate_worker;

-- Lists that nobody has signed a week after they were made, oldest first. One without a finding asks for nothing.
create function sec.access_weeks_due(tenant uuid, day date) returns table (week_id uuid, monday date)
language sql stable
as $$
  select w.id, w.monday from public.access_week w
  where w.tenant_id = access_weeks_due.tenant and w.monday + 14 <= day
    and exists (select from public.access_finding f where f.tenant_id = w.tenant_id and f.week_id = w.id)
    and not exists (select from public.access_review r where r.tenant_id = w.tenant_id and r.week_id = w.id)
  order by w.monday
$$;

-- Who goes through them: whoever answers for data protection, and administrators.
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
  union all
  select m.id, 'access', w.week_id from sec.access_weeks_due(duties.tenant, day) w
  join public.membership m on m.tenant_id = duties.tenant and m.state = 'active'
    and ('school_admin' = any (m.roles) or exists (
      select from public.duty_holder h
      where h.tenant_id = m.tenant_id and h.membership_id = m.id and h.duty = 'data_protection'))
$$;

set local role quorate_owner;

do $$
declare
  name text;
begin
  foreach name in array array['access_week', 'access_finding', 'access_review', 'access_statement'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy %I on %I for select to quorate_sec using (true)', name || '_sec_select', name);
    execute format('grant select on %I to quorate_sec', name);
    execute format('create policy %I on %I for select to quorate_web
      using (tenant_id = (select sec.tenant()) and (select sec.reviews_access()))', name || '_select', name);
    execute format('grant select on %I to quorate_web', name);
  end loop;
  foreach name in array array['access_week', 'access_finding'] loop
    execute format('create policy %I on %I for insert to quorate_sec with check (true)', name || '_sec_insert', name);
    execute format('grant insert on %I to quorate_sec', name);
  end loop;
  foreach name in array array['access_review', 'access_statement'] loop
    execute format('create policy %I on %I for insert to quorate_web
      with check (tenant_id = (select sec.tenant()) and (select sec.reviews_access()) and by_id = (select sec.membership()))',
      name || '_insert', name);
  end loop;
end
$$;
grant insert (tenant_id, week_id, by_id) on access_review to quorate_web;
grant insert (tenant_id, week_id, finding_id, follow_up, words, by_id) on access_statement to quorate_web;

set local role quorate_sec;

insert into sec.notice_rule (act, hears) values ('access.reviewed', 'nobody'), ('access.noted', 'nobody');

set local role quorate_owner;
