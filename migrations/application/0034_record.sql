-- Wellbeing records, what was put on record of them for parents, and what parents say to it.
--
-- A record is seen by who sees one of its pupils; of the others it shows them how many there are and in which part, and no name: the
-- text has a token where a linked pupil is named. Nothing is overwritten: a change, a withdrawal too, is one more version. A parent
-- has no policy on any record. What they read are the words that somebody put on record for their child, once the cooling time is over.

set local role quorate_owner;

create table record (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  kind text not null,
  happened_at timestamptz not null,
  author_id uuid not null,
  recorded_at timestamptz not null default now(),
  newest integer not null default 0,
  withdrawn_at timestamptz,
  constraint record_pkey primary key (tenant_id, id),
  constraint record_author_fkey foreign key (tenant_id, author_id) references membership (tenant_id, id),
  constraint record_kind_known check (kind in ('check_in', 'observation', 'intervention', 'conversation', 'plan', 'instrument')),
  constraint record_happened_before check (isfinite(happened_at) and happened_at <= recorded_at)
);
comment on column record.newest is 'number of the newest version; nought before the first';

-- Whom a record is about, fixed when it is made. `place` is what stands for them in the text.
create table record_pupil (
  tenant_id uuid not null,
  record_id uuid not null,
  pupil_id uuid not null,
  place integer not null,
  part text not null,
  constraint record_pupil_pkey primary key (tenant_id, record_id, pupil_id),
  constraint record_pupil_record_fkey foreign key (tenant_id, record_id) references record (tenant_id, id),
  constraint record_pupil_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id),
  constraint record_pupil_place_key unique (tenant_id, record_id, place),
  constraint record_pupil_place_some check (place between 1 and 40),
  constraint record_pupil_part_known check (part in ('subject', 'harmed', 'caused', 'witness', 'other'))
);
create index record_pupil_by_pupil on record_pupil (tenant_id, pupil_id);

create table record_version (
  tenant_id uuid not null,
  record_id uuid not null,
  number integer not null,
  body text not null,
  detail jsonb not null,
  review_on date,
  reason text,
  withdraws boolean not null default false,
  made_by uuid not null,
  made_at timestamptz not null default now(),
  constraint record_version_pkey primary key (tenant_id, record_id, number),
  constraint record_version_record_fkey foreign key (tenant_id, record_id) references record (tenant_id, id),
  constraint record_version_made_by_fkey foreign key (tenant_id, made_by) references membership (tenant_id, id),
  constraint record_version_number_positive check (number > 0),
  constraint record_version_body_shape check (
    char_length(body) <= 10000
    and body !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint record_version_detail_object check (jsonb_typeof(detail) = 'object'),
  constraint record_version_review_on_finite check (isfinite(review_on)),
  constraint record_version_reason_given check ((number > 1) = (reason is not null)),
  constraint record_version_reason_shape check (
    reason = btrim(reason) and char_length(reason) between 3 and 500
    and reason !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint record_version_withdraws_later check (not withdraws or number > 1)
);
create index record_version_by_review on record_version (tenant_id, review_on) where review_on is not null;

-- A pupil's own part in the words of a version, for who sees that pupil.
create table record_words (
  tenant_id uuid not null,
  record_id uuid not null,
  number integer not null,
  pupil_id uuid not null,
  words text not null,
  constraint record_words_pkey primary key (tenant_id, record_id, number, pupil_id),
  constraint record_words_version_fkey foreign key (tenant_id, record_id, number)
    references record_version (tenant_id, record_id, number),
  constraint record_words_pupil_fkey foreign key (tenant_id, record_id, pupil_id)
    references record_pupil (tenant_id, record_id, pupil_id),
  constraint record_words_shape check (
    char_length(words) between 1 and 4000
    and words !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
);

-- The levels of a check-in.
create table score (
  tenant_id uuid not null,
  record_id uuid not null,
  number integer not null,
  pupil_id uuid not null,
  domain text not null,
  value smallint not null,
  happened_on date not null,
  constraint score_pkey primary key (tenant_id, record_id, number, pupil_id, domain),
  constraint score_version_fkey foreign key (tenant_id, record_id, number)
    references record_version (tenant_id, record_id, number),
  constraint score_pupil_fkey foreign key (tenant_id, record_id, pupil_id)
    references record_pupil (tenant_id, record_id, pupil_id),
  constraint score_domain_known check (domain in (
    'safe', 'healthy', 'settled', 'connected', 'listened_to', 'learning', 'active', 'hopeful')),
  constraint score_value_known check (value between 1 and 5)
);
comment on column score.happened_on is 'the day in England on which the record says that it happened';
create index score_by_pupil on score (tenant_id, pupil_id, domain, happened_on desc);

-- What a school has said about records: how long an entry can be taken back unseen, whether parents see a trend, whom they ask.
create table record_rule (
  tenant_id uuid not null,
  cooling interval not null default '30 minutes',
  trend boolean not null default false,
  talk_to text not null default '',
  constraint record_rule_pkey primary key (tenant_id),
  constraint record_rule_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint record_rule_cooling_bounded check (cooling between interval '0' and interval '7 days'),
  constraint record_rule_talk_to_shape check (
    char_length(talk_to) <= 500
    and talk_to !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
);

set local role quorate_sec;

create function sec.record_cooling() returns interval
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return coalesce((select r.cooling from public.record_rule r where r.tenant_id = sec.tenant()), interval '30 minutes');
end
$$;
grant execute on function sec.record_cooling() to quorate_web, quorate_owner;

set local role quorate_owner;

-- What a parent reads, word for word, and nothing else of the record.
create table on_record (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  record_id uuid not null,
  number integer not null,
  pupil_id uuid not null,
  kind text not null,
  happened_at timestamptz not null,
  words text not null,
  put_by uuid not null,
  put_at timestamptz not null default now(),
  opens_at timestamptz not null default now() + sec.record_cooling(),
  taken_back_at timestamptz,
  off_at timestamptz,
  off_why text,
  told_at timestamptz,
  constraint on_record_pkey primary key (tenant_id, id),
  constraint on_record_version_fkey foreign key (tenant_id, record_id, number)
    references record_version (tenant_id, record_id, number),
  constraint on_record_pupil_fkey foreign key (tenant_id, record_id, pupil_id)
    references record_pupil (tenant_id, record_id, pupil_id),
  constraint on_record_put_by_fkey foreign key (tenant_id, put_by) references membership (tenant_id, id),
  constraint on_record_pupil_key unique (tenant_id, id, pupil_id),
  constraint on_record_kind_known check (kind in ('check_in', 'observation', 'intervention', 'conversation', 'plan', 'instrument')),
  constraint on_record_words_shape check (
    char_length(words) between 1 and 4000
    and words !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint on_record_opens_later check (opens_at >= put_at),
  constraint on_record_taken_back_unseen check (taken_back_at < opens_at),
  constraint on_record_off_seen check (off_at >= opens_at),
  constraint on_record_ends_once check (taken_back_at is null or off_at is null),
  constraint on_record_off_why_given check ((off_at is null) = (off_why is null)),
  constraint on_record_off_why_shape check (
    off_why = btrim(off_why) and char_length(off_why) between 3 and 500
    and off_why !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
);
comment on column on_record.opens_at is 'from when on parents see it; until then it is taken back without a trace';
comment on column on_record.told_at is 'when its opening was put into the log';
create unique index on_record_once_key on on_record (tenant_id, record_id, pupil_id)
  where taken_back_at is null and off_at is null;
create index on_record_by_pupil on on_record (tenant_id, pupil_id, opens_at);
create index on_record_opening on on_record (opens_at) where told_at is null and taken_back_at is null;

-- A parent's own words to an entry. Each version stays.
create table statement (
  tenant_id uuid not null,
  on_record_id uuid not null,
  author_id uuid not null,
  number integer not null,
  pupil_id uuid not null,
  words text not null,
  made_at timestamptz not null default now(),
  constraint statement_pkey primary key (tenant_id, on_record_id, author_id, number),
  constraint statement_entry_fkey foreign key (tenant_id, on_record_id, pupil_id) references on_record (tenant_id, id, pupil_id),
  constraint statement_author_fkey foreign key (tenant_id, author_id) references membership (tenant_id, id),
  constraint statement_number_some check (number between 1 and 1000),
  constraint statement_words_shape check (
    char_length(words) between 1 and 4000
    and words !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
);
create index statement_by_pupil on statement (tenant_id, pupil_id);

do $$
declare
  name text;
begin
  foreach name in array array['record', 'record_pupil', 'record_version', 'record_words', 'score', 'record_rule', 'on_record',
    'statement'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy %I on %I for select to quorate_sec using (true)', name || '_sec_select', name);
    execute format('grant select on %I to quorate_sec', name);
  end loop;
  foreach name in array array['record', 'on_record'] loop
    execute format('create policy %I on %I for update to quorate_sec using (true) with check (true)', name || '_sec_update', name);
    execute format('grant update on %I to quorate_sec', name);
  end loop;
end
$$;

set local role quorate_sec;

-- Whether the caller may see a pupil's records.
create function sec.sees_pupil(pupil uuid) returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return sec.sees_school() or sees_pupil.pupil = any (sec.pupils_seen()); end $$;

-- Whether the caller is making this record in this very transaction: only then are pupils linked to it.
create function sec.begins_record(record uuid) returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return sec.teaches() and exists (
    select from public.record r
    where r.tenant_id = sec.tenant() and r.id = begins_record.record and r.author_id = sec.membership()
      and r.recorded_at = now() and r.newest = 0);
end
$$;

-- Whether the caller may add the next version: who makes the record, later its author or who sees the school, and in any case with
-- rights to every pupil it is about.
create function sec.revises(record uuid, number integer) returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
declare
  one public.record;
begin
  select r.* into one from public.record r where r.tenant_id = sec.tenant() and r.id = revises.record;
  return one.id is not null and sec.teaches() and one.withdrawn_at is null and revises.number = one.newest + 1
    and (one.author_id = sec.membership() or sec.sees_school())
    and (one.newest > 0 or sec.begins_record(one.id))
    and exists (select from public.record_pupil p where p.tenant_id = one.tenant_id and p.record_id = one.id)
    and (sec.sees_school() or not exists (
      select from public.record_pupil p
      where p.tenant_id = one.tenant_id and p.record_id = one.id and p.pupil_id <> all (sec.pupils_seen())));
end
$$;

-- Whether the caller is making this version in this very transaction, of a record of that day where a day is named.
create function sec.writes_version(record uuid, number integer, day date) returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return exists (
    select from public.record_version v join public.record r on r.tenant_id = v.tenant_id and r.id = v.record_id
    where v.tenant_id = sec.tenant() and v.record_id = writes_version.record and v.number = writes_version.number
      and v.made_by = sec.membership() and v.made_at = now()
      and coalesce(writes_version.day = (r.happened_at at time zone 'Europe/London')::date, true));
end
$$;

-- Of the records that the caller sees: those among the linked pupils whom they do not, as a number for each part.
create function sec.other_parts(records uuid[]) returns table (record_id uuid, part text, many integer)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  seen constant uuid[] := sec.pupils_seen();
begin
  if not sec.teaches() or sec.sees_school() then
    return;
  end if;
  return query
    select p.record_id, p.part, count(*)::integer from public.record_pupil p
    where p.tenant_id = sec.tenant() and p.record_id = any (other_parts.records) and p.pupil_id <> all (seen)
      and exists (
        select from public.record_pupil o
        where o.tenant_id = p.tenant_id and o.record_id = p.record_id and o.pupil_id = any (seen))
    group by p.record_id, p.part;
end
$$;

-- A text as names are compared: without accents, capitals, apostrophes, hyphens, and the s of "Aisha's". The domain folds alike.
create function sec.folded(words text) returns text
language sql immutable parallel safe
as $$
  select btrim(regexp_replace(regexp_replace(regexp_replace(
    replace(replace(replace(translate(
      lower(regexp_replace(normalize(words, nfd), '[\u0300-\u036f]', '', 'g') collate pg_c_utf8),
      'łøđðı', 'loddi'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe') collate pg_c_utf8,
    '[''’‘ʼ`´′]s?(?![[:alnum:]])', ' ', 'g'),
    '[''’‘ʼ`´′]', '', 'g'),
    '[^[:alnum:]]+', ' ', 'g'))
$$;

-- What of the words is the name of a pupil of the school who is not the one they are about, folded; null for nothing. A pupil who is
-- linked to the record is found by one name, any other by two. Names that the pupil themselves bears are theirs.
create function sec.named_there(tenant uuid, words text, pupil uuid, record uuid) returns text
language sql stable
as $$
  with text as materialized (select ' ' || sec.folded(named_there.words) || ' ' as folded),
  own as materialized (
    select array[sec.folded(p.first_name), sec.folded(p.last_name), sec.folded(p.preferred_name),
      sec.folded(p.first_name || ' ' || p.last_name), sec.folded(p.preferred_name || ' ' || p.last_name)] as forms
    from public.pupil p where p.tenant_id = named_there.tenant and p.id = named_there.pupil
  )
  select f.form from text t cross join own o
  cross join (
    select sec.folded(x.form) as form from public.pupil p
    cross join lateral (values (p.first_name || ' ' || p.last_name), (p.preferred_name || ' ' || p.last_name)) as x (form)
    where p.tenant_id = named_there.tenant and p.id <> named_there.pupil
    union
    select sec.folded(x.form) from public.record_pupil l
    join public.pupil p on p.tenant_id = l.tenant_id and p.id = l.pupil_id
    cross join lateral (values (p.first_name), (p.preferred_name), (p.last_name)) as x (form)
    where l.tenant_id = named_there.tenant and l.record_id = named_there.record and l.pupil_id <> named_there.pupil
  ) f
  where f.form <> '' and coalesce(f.form <> all (array_remove(o.forms, null)), true)
    and (strpos(t.folded, ' ' || f.form || ' ') > 0 or strpos(t.folded, ' ' || f.form || 's ') > 0)
  order by length(f.form) desc, f.form limit 1
$$;

-- The same for who writes such words, about a pupil and a record of theirs: it tells a part of what they typed, and nothing else.
create function sec.other_named(words text, pupil uuid, record uuid) returns text
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if not sec.teaches() or not sec.sees_pupil(other_named.pupil) then
    raise exception 'only who may put it on record asks' using errcode = '42501';
  end if;
  return sec.named_there(sec.tenant(), other_named.words, other_named.pupil, other_named.record);
end
$$;

-- The accounts of those who read on record of these pupils: linked, not restricted. For the topics of an act on one's own pupils.
create function sec.parents_of(pupils uuid[]) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if not sec.teaches() then
    return '{}';
  end if;
  return array(
    select distinct m.account_id from public.guardian_link g
    join public.membership m on m.tenant_id = g.tenant_id and m.id = g.membership_id and m.state = 'active'
      and 'parent' = any (m.roles)
    where g.tenant_id = sec.tenant() and g.pupil_id = any (parents_of.pupils) and g.ended_at is null
      and (sec.sees_school() or g.pupil_id = any (sec.pupils_seen()))
      and not exists (
        select from public.contact_restriction r
        where r.tenant_id = g.tenant_id and r.membership_id = g.membership_id and r.pupil_id = g.pupil_id
          and r.lifted_at is null and coalesce(r.until >= sec.today(), true)));
end
$$;

-- Whether the caller reads an entry, as a parent.
create function sec.reads_entry(entry uuid, pupil uuid) returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return exists (
    select from public.on_record o
    where o.tenant_id = sec.tenant() and o.id = reads_entry.entry and o.pupil_id = reads_entry.pupil
      and o.pupil_id = any (sec.children()) and o.opens_at <= now() and o.taken_back_at is null and o.off_at is null);
end
$$;

-- How often the caller has spoken to an entry.
create function sec.statements_made(entry uuid) returns integer
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return (select count(*)::integer from public.statement s
    where s.tenant_id = sec.tenant() and s.on_record_id = statements_made.entry and s.author_id = sec.membership());
end
$$;

-- Who put the entries that a parent reads on record, by name.
create function sec.entry_authors() returns table (id uuid, name text)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    select o.id, m.name from public.on_record o
    join public.membership m on m.tenant_id = o.tenant_id and m.id = o.put_by
    where o.tenant_id = sec.tenant() and o.pupil_id = any (sec.children()) and o.opens_at <= now()
      and o.taken_back_at is null and o.off_at is null;
end
$$;

-- The trend of a child, for a parent, where the school has switched it on: a median for each week and domain, and nothing of a domain
-- that has fewer than three weeks.
create function sec.child_trend(pupil uuid) returns table (domain text, week date, median double precision)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if not coalesce(child_trend.pupil = any (sec.children()), false)
     or not exists (select from public.record_rule r where r.tenant_id = sec.tenant() and r.trend) then
    return;
  end if;
  return query
    with weeks as materialized (
      select s.domain, date_trunc('week', s.happened_on::timestamp)::date as week,
             percentile_cont(0.5) within group (order by s.value::double precision) as median
      from public.score s
      join public.record r on r.tenant_id = s.tenant_id and r.id = s.record_id and r.newest = s.number and r.withdrawn_at is null
      where s.tenant_id = sec.tenant() and s.pupil_id = child_trend.pupil
      group by 1, 2
    )
    select w.domain, w.week, w.median from weeks w
    where (select count(*) from weeks o where o.domain = w.domain) >= 3
    order by w.domain, w.week;
end
$$;

-- Whom a parent asks, in the school's own words.
create function sec.talk_to() returns text
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return case when sec.has_role('parent') or sec.teaches()
    then coalesce((select r.talk_to from public.record_rule r where r.tenant_id = sec.tenant()), '') else '' end;
end
$$;

-- A version counts from now on. One that withdraws takes away from parents what they read of the record.
create function sec.record_version_counts() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  update public.record r set newest = new.number, withdrawn_at = case when new.withdraws then new.made_at end
  where r.tenant_id = new.tenant_id and r.id = new.record_id and r.newest = new.number - 1 and r.withdrawn_at is null;
  if not found then
    raise exception 'another version came first'
      using errcode = '23514', table = 'record_version', constraint = 'record_version_next';
  end if;
  if new.withdraws then
    update public.on_record o
    set taken_back_at = case when o.opens_at > now() then now() end,
        off_at = case when o.opens_at <= now() then now() end,
        off_why = case when o.opens_at <= now() then new.reason end
    where o.tenant_id = new.tenant_id and o.record_id = new.record_id and o.taken_back_at is null and o.off_at is null;
  end if;
  return null;
end
$$;

-- What is put on record is the newest version of a record that stands, and names no other pupil.
create function sec.on_record_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if not exists (
    select from public.record r
    where r.tenant_id = new.tenant_id and r.id = new.record_id and r.newest = new.number and r.withdrawn_at is null
      and r.kind = new.kind and r.happened_at = new.happened_at) then
    raise exception 'there is a newer version'
      using errcode = '23514', table = 'on_record', constraint = 'on_record_newest';
  end if;
  if sec.named_there(new.tenant_id, new.words, new.pupil_id, new.record_id) is not null then
    raise exception 'another pupil is named'
      using errcode = '23514', table = 'on_record', constraint = 'on_record_names_nobody';
  end if;
  return null;
end
$$;

-- Entries whose cooling time is over are told to their parents: that there is something, and how much of it, never what. A line for
-- each parent, who hears of it as a person. Rows that another process is at are left to it. Returns how many entries opened.
create function sec.records_open() returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  one record;
  opened jsonb;
begin
  with due as materialized (
    select o.tenant_id, o.id from public.on_record o
    where o.told_at is null and o.taken_back_at is null and o.opens_at <= now()
    order by o.opens_at limit 200 for update skip locked
  ), told as (
    update public.on_record o set told_at = now() from due d where o.tenant_id = d.tenant_id and o.id = d.id
    returning o.tenant_id, o.pupil_id, o.off_at
  )
  select coalesce(jsonb_agg(jsonb_build_object('tenant', t.tenant_id, 'pupil', t.pupil_id, 'stands', t.off_at is null)), '[]')
  into opened from told t;
  for one in
    select e.tenant, m.id as person, m.account_id, count(*)::integer as many, count(distinct e.pupil)::integer as pupils
    from jsonb_to_recordset(opened) as e (tenant uuid, pupil uuid, stands boolean)
    join public.guardian_link g on g.tenant_id = e.tenant and g.pupil_id = e.pupil and g.ended_at is null
    join public.membership m on m.tenant_id = g.tenant_id and m.id = g.membership_id and m.state = 'active'
      and 'parent' = any (m.roles)
    where e.stands and not exists (
      select from public.contact_restriction r
      where r.tenant_id = g.tenant_id and r.membership_id = g.membership_id and r.pupil_id = g.pupil_id
        and r.lifted_at is null and coalesce(r.until >= sec.today(), true))
    group by e.tenant, m.id, m.account_id
    order by e.tenant, m.id
  loop
    perform sec.append_for(one.tenant, null, 'record.opened', one.person,
      jsonb_build_object('pupils', one.pupils, 'entries', one.many, 'by', 'clock'), array['me/' || one.account_id], null);
  end loop;
  return jsonb_array_length(opened);
end
$$;
grant execute on function sec.records_open() to quorate_worker;

grant execute on function
  sec.sees_pupil(uuid), sec.begins_record(uuid), sec.revises(uuid, integer), sec.writes_version(uuid, integer, date),
  sec.other_parts(uuid[]), sec.other_named(text, uuid, uuid), sec.parents_of(uuid[]), sec.reads_entry(uuid, uuid),
  sec.statements_made(uuid), sec.entry_authors(), sec.child_trend(uuid), sec.talk_to()
  to quorate_web;
grant execute on function sec.record_version_counts(), sec.on_record_fits() to quorate_owner;

set local role quorate_owner;

create trigger record_version_counts after insert on record_version
  for each row execute function sec.record_version_counts();
create trigger on_record_fits after insert on on_record for each row execute function sec.on_record_fits();

create policy record_pupil_select on record_pupil for select to quorate_web
  using (tenant_id = (select sec.tenant())
    and ((select sec.sees_school()) or pupil_id = any ((select sec.pupils_seen())::uuid[])));
create policy record_pupil_insert on record_pupil for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and sec.begins_record(record_id)
    and ((select sec.sees_school()) or pupil_id = any ((select sec.pupils_seen())::uuid[])));
grant select, insert on record_pupil to quorate_web;

-- Whom the inner question finds is what the policy of `record_pupil` lets through.
create policy record_select on record for select to quorate_web
  using (tenant_id = (select sec.tenant()) and ((select sec.sees_school()) or exists (
    select from record_pupil p where p.tenant_id = record.tenant_id and p.record_id = record.id)));
create policy record_insert on record for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.teaches()) and author_id = (select sec.membership()));
grant select, insert (tenant_id, id, kind, happened_at, author_id) on record to quorate_web;

create policy record_version_select on record_version for select to quorate_web
  using (tenant_id = (select sec.tenant()) and ((select sec.sees_school()) or exists (
    select from record_pupil p where p.tenant_id = record_version.tenant_id and p.record_id = record_version.record_id)));
create policy record_version_insert on record_version for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and made_by = (select sec.membership()) and sec.revises(record_id, number));
grant select, insert (tenant_id, record_id, number, body, detail, review_on, reason, withdraws, made_by)
  on record_version to quorate_web;

create policy record_words_select on record_words for select to quorate_web
  using (tenant_id = (select sec.tenant())
    and ((select sec.sees_school()) or pupil_id = any ((select sec.pupils_seen())::uuid[])));
create policy record_words_insert on record_words for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and sec.writes_version(record_id, number, null)
    and ((select sec.sees_school()) or pupil_id = any ((select sec.pupils_seen())::uuid[])));
grant select, insert on record_words to quorate_web;

create policy score_select on score for select to quorate_web
  using (tenant_id = (select sec.tenant())
    and ((select sec.sees_school()) or pupil_id = any ((select sec.pupils_seen())::uuid[])));
create policy score_insert on score for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and sec.writes_version(record_id, number, happened_on)
    and ((select sec.sees_school()) or pupil_id = any ((select sec.pupils_seen())::uuid[])));
grant select, insert on score to quorate_web;

create policy record_rule_select on record_rule for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.teaches()));
create policy record_rule_insert on record_rule for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
create policy record_rule_update on record_rule for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
grant select, insert, update (cooling, trend, talk_to) on record_rule to quorate_web;

create policy on_record_select on on_record for select to quorate_web
  using (tenant_id = (select sec.tenant()) and ((select sec.sees_school())
    or pupil_id = any ((select sec.pupils_seen())::uuid[])
    or (pupil_id = any ((select sec.children())::uuid[]) and opens_at <= now() and taken_back_at is null and off_at is null)));
create policy on_record_insert on on_record for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and put_by = (select sec.membership()) and (select sec.teaches())
    and ((select sec.sees_school()) or pupil_id = any ((select sec.pupils_seen())::uuid[])));
-- Whoever put it there, and who sees the school; once, and at the moment at which they say so.
create policy on_record_update on on_record for update to quorate_web
  using (tenant_id = (select sec.tenant()) and taken_back_at is null and off_at is null
    and ((select sec.sees_school())
      or (put_by = (select sec.membership()) and pupil_id = any ((select sec.pupils_seen())::uuid[]))))
  with check (tenant_id = (select sec.tenant()) and coalesce(taken_back_at, off_at) = now()
    and ((select sec.sees_school())
      or (put_by = (select sec.membership()) and pupil_id = any ((select sec.pupils_seen())::uuid[]))));
grant select, insert (tenant_id, record_id, number, pupil_id, kind, happened_at, words, put_by),
  update (taken_back_at, off_at, off_why) on on_record to quorate_web;

create policy statement_select on statement for select to quorate_web
  using (tenant_id = (select sec.tenant()) and ((select sec.sees_school())
    or pupil_id = any ((select sec.pupils_seen())::uuid[])
    or (author_id = (select sec.membership()) and sec.reads_entry(on_record_id, pupil_id))));
create policy statement_insert on statement for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and author_id = (select sec.membership())
    and sec.reads_entry(on_record_id, pupil_id) and number = sec.statements_made(on_record_id) + 1);
grant select, insert (tenant_id, on_record_id, author_id, number, pupil_id, words) on statement to quorate_web;

set local role quorate_sec;

insert into sec.notice_rule (act, hears) values
  ('record.checked_in', 'nobody'), ('record.observed', 'nobody'), ('record.conversed', 'nobody'), ('record.planned', 'nobody'),
  ('record.intervened', 'nobody'), ('record.scored', 'nobody'), ('record.revised', 'nobody'), ('record.withdrawn', 'nobody'),
  ('record.put_on_record', 'nobody'), ('record.taken_back', 'nobody'), ('record.taken_off', 'nobody'),
  ('record.opened', 'person'), ('record.rule_set', 'nobody'), ('statement.made', 'nobody');

set local role quorate_owner;
