-- Pupils: who they are, which groups they are in, who teaches them, whose children they are, and who has looked at them.
--
-- Teachers and assistants see the pupils of their caseload while it lasts, and for an hour one whom they gave a reason to look up.
-- The SENCO, senior leaders and administrators see the school. A parent has no policy on any table of this file: what parents see
-- are entries that were put on record for them, and the names of their own children, by functions that tell no more.

set local role quorate_owner;

create table pupil (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  upn text,
  admission_number text,
  first_name text not null,
  last_name text not null,
  preferred_name text,
  born date not null,
  sex text,
  year_group text not null,
  left_on date,
  made_at timestamptz not null default now(),
  constraint pupil_pkey primary key (tenant_id, id),
  constraint pupil_tenant_fkey foreign key (tenant_id) references tenant (id),
  -- Of current and former pupils together (Common Basic Data Set, error 1520).
  constraint pupil_upn_key unique (tenant_id, upn),
  constraint pupil_admission_number_key unique (tenant_id, admission_number),
  -- Unique Pupil Number 2.0: the letters I, O and S are never used, and the first is the check of the rest.
  constraint pupil_upn_shape check (upn ~ '^[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]$'),
  constraint pupil_upn_check check (upn !~ '^[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]$' or (
    2 * substr(upn, 2, 1)::integer + 3 * substr(upn, 3, 1)::integer + 4 * substr(upn, 4, 1)::integer
    + 5 * substr(upn, 5, 1)::integer + 6 * substr(upn, 6, 1)::integer + 7 * substr(upn, 7, 1)::integer
    + 8 * substr(upn, 8, 1)::integer + 9 * substr(upn, 9, 1)::integer + 10 * substr(upn, 10, 1)::integer
    + 11 * substr(upn, 11, 1)::integer + 12 * substr(upn, 12, 1)::integer
    + 13 * (greatest(strpos('0123456789', substr(upn, 13, 1)), strpos('ABCDEFGHJKLMNPQRTUVWXYZ', substr(upn, 13, 1))) - 1)
    ) % 23 = strpos('ABCDEFGHJKLMNPQRTUVWXYZ', substr(upn, 1, 1)) - 1),
  constraint pupil_admission_number_shape check (
    admission_number = btrim(admission_number) and char_length(admission_number) between 1 and 20
    and admission_number !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint pupil_first_name_shape check (
    first_name = btrim(first_name) and char_length(first_name) between 1 and 120
    and first_name !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint pupil_last_name_shape check (
    last_name = btrim(last_name) and char_length(last_name) between 1 and 120
    and last_name !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint pupil_preferred_name_shape check (
    preferred_name = btrim(preferred_name) and char_length(preferred_name) between 1 and 120
    and preferred_name !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint pupil_born_finite check (isfinite(born)),
  constraint pupil_sex_known check (sex in ('F', 'M', 'U')),
  constraint pupil_year_group_known check (year_group in (
    'E1', 'E2', 'N1', 'N2', 'R', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', 'X')),
  constraint pupil_left_on_finite check (isfinite(left_on))
);
comment on column pupil.upn is 'null while one is awaited';
comment on column pupil.sex is 'as the school recorded it; U for not specified, null where the school has not said';
comment on column pupil.left_on is 'the first day on which they were no pupil here any more';
create index pupil_by_name on pupil (tenant_id, lower(last_name), lower(first_name));

-- What pupils are taught in: a registration group, of which each has one at a time, or a class.
create table teaching_group (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  kind text not null,
  name text not null,
  closed_on date,
  constraint teaching_group_pkey primary key (tenant_id, id),
  constraint teaching_group_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint teaching_group_kind_key unique (tenant_id, id, kind),
  constraint teaching_group_kind_known check (kind in ('registration', 'class')),
  constraint teaching_group_name_shape check (
    name = btrim(name) and char_length(name) between 1 and 40
    and name !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint teaching_group_closed_on_finite check (isfinite(closed_on))
);
create unique index teaching_group_name_key on teaching_group (tenant_id, kind, lower(name)) where closed_on is null;

create table group_pupil (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  group_id uuid not null,
  kind text not null,
  pupil_id uuid not null,
  during daterange not null,
  constraint group_pupil_pkey primary key (tenant_id, id),
  constraint group_pupil_group_fkey foreign key (tenant_id, group_id, kind) references teaching_group (tenant_id, id, kind),
  constraint group_pupil_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete cascade,
  constraint group_pupil_during_some check (
    not isempty(during) and not lower_inf(during) and isfinite(lower(during)) and coalesce(isfinite(upper(during)), true)),
  constraint group_pupil_once unique (tenant_id, group_id, pupil_id, during without overlaps),
  -- `with =` of an exclusion compares in a gist index, as `without overlaps` does.
  constraint group_pupil_one_registration exclude using gist (
    tenant_id extension.gist_uuid_ops with =, pupil_id extension.gist_uuid_ops with =, during with &&)
    where (kind = 'registration')
);
create index group_pupil_by_pupil on group_pupil (tenant_id, pupil_id);

-- Whose records somebody keeps: those of a group or of one pupil, from a moment and perhaps to one. A supply teacher's cover ends at
-- half past three, and with it what they see.
create table caseload (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  group_id uuid,
  pupil_id uuid,
  cover boolean not null default false,
  during tstzrange not null,
  given_by uuid not null,
  given_at timestamptz not null default now(),
  told_at timestamptz,
  constraint caseload_pkey primary key (tenant_id, id),
  constraint caseload_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint caseload_group_fkey foreign key (tenant_id, group_id) references teaching_group (tenant_id, id),
  constraint caseload_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete cascade,
  constraint caseload_given_by_fkey foreign key (tenant_id, given_by) references membership (tenant_id, id),
  constraint caseload_one check (num_nonnulls(group_id, pupil_id) = 1),
  constraint caseload_during_some check (
    not isempty(during) and not lower_inf(during) and isfinite(lower(during)) and coalesce(isfinite(upper(during)), true)),
  constraint caseload_cover_ends check (not cover or not upper_inf(during)),
  constraint caseload_group_once unique (tenant_id, membership_id, group_id, during without overlaps),
  constraint caseload_pupil_once unique (tenant_id, membership_id, pupil_id, during without overlaps)
);
comment on column caseload.cover is 'whether it stands in for somebody, for a time that is known';
comment on column caseload.told_at is 'when its end was put into the log, which closes the pages that are open';
create index caseload_ending on caseload (upper(during)) where told_at is null and not upper_inf(during);
create index caseload_by_person on caseload (tenant_id, membership_id);
create index caseload_by_group on caseload (tenant_id, group_id) where group_id is not null;

-- That somebody gave a reason to look up a pupil who is not on their caseload. Nobody changes or deletes one.
create table pupil_access (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  pupil_id uuid not null,
  reason text not null,
  words text not null,
  opened_at timestamptz not null default now(),
  until timestamptz not null,
  told_at timestamptz,
  constraint pupil_access_pkey primary key (tenant_id, id),
  constraint pupil_access_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint pupil_access_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete cascade,
  constraint pupil_access_reason_known check (reason in ('covering', 'incident', 'family', 'transition', 'asked', 'other')),
  constraint pupil_access_words_shape check (
    words = btrim(words) and char_length(words) between 10 and 500
    and words !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint pupil_access_until_later check (until > opened_at and until <= opened_at + interval '1 hour')
);
create index pupil_access_by_person on pupil_access (tenant_id, membership_id, until);
create index pupil_access_ending on pupil_access (until) where told_at is null;

-- Who looked at a pupil's records, by what right, and at which parts: no value of any. One line for ten minutes, since an open page
-- asks again whenever something changes.
create table pupil_read (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  pupil_id uuid not null,
  basis text not null,
  access_id uuid,
  parts text[] not null,
  at timestamptz not null default now(),
  constraint pupil_read_pkey primary key (tenant_id, id),
  constraint pupil_read_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint pupil_read_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete cascade,
  constraint pupil_read_access_fkey foreign key (tenant_id, access_id) references pupil_access (tenant_id, id),
  constraint pupil_read_basis_known check (basis in ('caseload', 'role', 'reason')),
  constraint pupil_read_reason_named check ((basis = 'reason') = (access_id is not null)),
  constraint pupil_read_parts_some check (cardinality(parts) between 1 and 20 and array_position(parts, null) is null)
);
create index pupil_read_by_pupil on pupil_read (tenant_id, pupil_id, at);
create index pupil_read_by_person on pupil_read (tenant_id, membership_id, at);

-- Whose child it is, as far as the school has asked that person in.
create table guardian_link (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  pupil_id uuid not null,
  relation text not null,
  linked_by uuid not null,
  linked_at timestamptz not null default now(),
  ended_at timestamptz,
  constraint guardian_link_pkey primary key (tenant_id, id),
  constraint guardian_link_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint guardian_link_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete cascade,
  constraint guardian_link_linked_by_fkey foreign key (tenant_id, linked_by) references membership (tenant_id, id),
  constraint guardian_link_relation_known check (relation in ('mother', 'father', 'carer', 'grandparent', 'guardian', 'other'))
);
create unique index guardian_link_open_key on guardian_link (tenant_id, membership_id, pupil_id) where ended_at is null;
create index guardian_link_by_pupil on guardian_link (tenant_id, pupil_id);

-- A court order or the like that keeps somebody from a child. The link stays as it was, so that nothing tells of this but what is
-- not there any more.
create table contact_restriction (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  pupil_id uuid not null,
  words text not null,
  made_by uuid not null,
  made_at timestamptz not null default now(),
  until date,
  lifted_at timestamptz,
  lifted_by uuid,
  constraint contact_restriction_pkey primary key (tenant_id, id),
  constraint contact_restriction_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint contact_restriction_pupil_fkey foreign key (tenant_id, pupil_id) references pupil (tenant_id, id) on delete cascade,
  constraint contact_restriction_made_by_fkey foreign key (tenant_id, made_by) references membership (tenant_id, id),
  constraint contact_restriction_lifted_by_fkey foreign key (tenant_id, lifted_by) references membership (tenant_id, id),
  constraint contact_restriction_words_shape check (
    words = btrim(words) and char_length(words) between 1 and 500
    and words !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint contact_restriction_until_finite check (isfinite(until)),
  constraint contact_restriction_lifted_both check ((lifted_at is null) = (lifted_by is null))
);
comment on column contact_restriction.until is 'its last day; null until it is lifted';
create unique index contact_restriction_open_key on contact_restriction (tenant_id, membership_id, pupil_id) where lifted_at is null;

-- The optional fields a school has switched on, and what for. A field without a row is off, and nothing of it is stored.
create table field_switch (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  field text not null,
  purpose text not null,
  on_by uuid not null,
  on_at timestamptz not null default now(),
  constraint field_switch_pkey primary key (tenant_id, id),
  constraint field_switch_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint field_switch_on_by_fkey foreign key (tenant_id, on_by) references membership (tenant_id, id),
  constraint field_switch_field_key unique (tenant_id, field),
  constraint field_switch_field_known check (field in ('preferred_name', 'ethnicity', 'fsm', 'fsm6', 'looked_after',
    'pupil_premium', 'sen', 'service_child', 'traveller', 'home_language', 'more_able')),
  constraint field_switch_purpose_shape check (
    purpose = btrim(purpose) and char_length(purpose) between 10 and 500
    and purpose !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
);

-- Who answers for safeguarding and for data protection, and how they are reached. Of the first every member of staff is told, of
-- both the school's leaders.
create table duty_holder (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  duty text not null,
  membership_id uuid not null,
  reached text not null,
  process text not null default '',
  constraint duty_holder_pkey primary key (tenant_id, id),
  constraint duty_holder_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint duty_holder_duty_key unique (tenant_id, duty),
  constraint duty_holder_duty_known check (duty in ('safeguarding', 'data_protection')),
  constraint duty_holder_reached_shape check (
    reached = btrim(reached) and char_length(reached) between 1 and 200
    and reached !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint duty_holder_process_shape check (
    char_length(process) <= 1000
    and process !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
);
comment on column duty_holder.reached is 'as a person reads it: a number, a room';

set local role quorate_sec;

-- Every pupil of the school, by role.
create function sec.sees_school() returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return sec.has_role('school_admin', 'senior_leader', 'senco'); end $$;

-- Those who have to do with pupils at all.
create function sec.teaches() returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return sec.has_role('school_admin', 'senior_leader', 'senco', 'teacher', 'teaching_assistant'); end $$;

-- Who keeps the roll.
create function sec.keeps_pupils() returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return sec.has_role('school_admin'); end $$;

-- The pupils of somebody's caseload at a moment.
create function sec.pupils_of(tenant uuid, membership uuid, moment timestamptz) returns setof uuid
language sql stable
as $$
  select c.pupil_id from public.caseload c
  where c.tenant_id = pupils_of.tenant and c.membership_id = pupils_of.membership and c.pupil_id is not null
    and c.during @> moment
  union
  select p.pupil_id from public.caseload c
  join public.group_pupil p on p.tenant_id = c.tenant_id and p.group_id = c.group_id
    and p.during @> (moment at time zone 'Europe/London')::date
  where c.tenant_id = pupils_of.tenant and c.membership_id = pupils_of.membership and c.during @> moment
$$;

-- The caller's own caseload, now.
create function sec.caseload() returns uuid[]
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if sec.membership() is null or not sec.has_role('teacher', 'teaching_assistant') then
    return '{}';
  end if;
  return array(select sec.pupils_of(sec.tenant(), sec.membership(), now()));
end
$$;

-- With those whom the caller has given a reason for.
create function sec.pupils_seen() returns uuid[]
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if sec.membership() is null or not sec.has_role('teacher', 'teaching_assistant') then
    return '{}';
  end if;
  return array(
    select sec.pupils_of(sec.tenant(), sec.membership(), now())
    union
    select a.pupil_id from public.pupil_access a
    where a.tenant_id = sec.tenant() and a.membership_id = sec.membership() and a.until > now());
end
$$;

-- The children of the caller as a parent, without those whom a restriction keeps from them.
create function sec.children() returns uuid[]
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if sec.membership() is null or not sec.has_role('parent') then
    return '{}';
  end if;
  return array(
    select g.pupil_id from public.guardian_link g
    where g.tenant_id = sec.tenant() and g.membership_id = sec.membership() and g.ended_at is null
      and not exists (
        select from public.contact_restriction r
        where r.tenant_id = g.tenant_id and r.membership_id = g.membership_id and r.pupil_id = g.pupil_id
          and r.lifted_at is null and coalesce(r.until >= sec.today(), true)));
end
$$;

-- What a parent is told of each of their children: how they are called.
create function sec.children_called() returns table (id uuid, called text, last_name text)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    select p.id, coalesce(p.preferred_name, p.first_name), p.last_name from public.pupil p
    where p.tenant_id = sec.tenant() and p.id = any (sec.children()) order by p.born desc, p.first_name;
end
$$;

-- Whose child a pupil is, by name, for those who see the school: the SENCO does not otherwise see who the parents are.
create function sec.guardians_called(pupil uuid) returns table (membership_id uuid, name text)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if not sec.sees_school() then
    return;
  end if;
  return query
    select m.id, m.name from public.guardian_link g
    join public.membership m on m.tenant_id = g.tenant_id and m.id = g.membership_id
    where g.tenant_id = sec.tenant() and g.pupil_id = guardians_called.pupil and g.ended_at is null;
end
$$;

-- By what right the caller sees a pupil: their role, their caseload or a reason; null for none.
create function sec.pupil_basis(pupil uuid) returns text
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return case
    when pupil_basis.pupil = any (sec.caseload()) then 'caseload'
    when sec.sees_school() then 'role'
    when pupil_basis.pupil = any (sec.pupils_seen()) then 'reason'
  end;
end
$$;

-- Puts down that the caller looks at a pupil, before they see anything. Returns by what right; null, and nothing is put down, for
-- whom they do not see.
create function sec.look_at(pupil uuid, parts text[]) returns text
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  here constant uuid := sec.tenant();
  own constant uuid := sec.membership();
  right_of constant text := sec.pupil_basis(look_at.pupil);
  reason uuid;
begin
  if own is null or right_of is null
     or not exists (select from public.pupil p where p.tenant_id = here and p.id = look_at.pupil) then
    return null;
  end if;
  if right_of = 'reason' then
    select a.id into reason from public.pupil_access a
    where a.tenant_id = here and a.membership_id = own and a.pupil_id = look_at.pupil and a.until > now()
    order by a.opened_at desc limit 1;
  end if;
  insert into public.pupil_read (tenant_id, membership_id, pupil_id, basis, access_id, parts)
  select here, own, look_at.pupil, right_of, reason, look_at.parts
  where not exists (
    select from public.pupil_read r
    where r.tenant_id = here and r.membership_id = own and r.pupil_id = look_at.pupil and r.basis = right_of
      and r.access_id is not distinct from reason and r.parts @> look_at.parts and r.at > now() - interval '10 minutes');
  return right_of;
end
$$;

-- Looks a pupil up who is not on the caller's caseload, by the name they know: how many bear it, and, where it is one, their id, with
-- an hour to look. The group, where it is given, tells two apart. What was asked is an event in any case; appending it is the
-- caller's part.
create function sec.seek_pupil(first_name text, last_name text, registration text, reason text, words text)
returns table (many integer, only_one uuid)
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  here constant uuid := sec.tenant();
  own constant uuid := sec.membership();
  ids uuid[];
begin
  if own is null or not sec.has_role('teacher', 'teaching_assistant') then
    raise exception 'only who has a caseload looks beyond it' using errcode = '42501';
  end if;
  ids := array(
    select p.id from public.pupil p
    where p.tenant_id = here and p.left_on is null
      and lower(p.last_name) = lower(btrim(seek_pupil.last_name))
      and lower(btrim(seek_pupil.first_name)) in (lower(p.first_name), lower(p.preferred_name))
      and (btrim(seek_pupil.registration) = '' or exists (
        select from public.group_pupil x
        join public.teaching_group g on g.tenant_id = x.tenant_id and g.id = x.group_id
        where x.tenant_id = here and x.pupil_id = p.id and x.during @> sec.today()
          and lower(g.name) = lower(btrim(seek_pupil.registration))))
    limit 20);
  many := cardinality(ids);
  if many = 1 then
    only_one := ids[1];
    insert into public.pupil_access (tenant_id, membership_id, pupil_id, reason, words, opened_at, until)
    values (here, own, ids[1], seek_pupil.reason, btrim(seek_pupil.words), now(), now() + interval '1 hour');
  end if;
  return next;
end
$$;

-- Who goes through who looked: whoever answers for data protection, and administrators.
create function sec.reviews_access() returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return sec.has_role('school_admin') or exists (
    select from public.duty_holder d
    where d.tenant_id = sec.tenant() and d.duty = 'data_protection' and d.membership_id = sec.membership());
end
$$;

-- A caseload is given to who teaches, and a child to who was asked in as a parent.
create function sec.caseload_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if not exists (
    select from public.membership m
    where m.tenant_id = new.tenant_id and m.id = new.membership_id and m.state <> 'ended'
      and m.roles && array['teacher', 'teaching_assistant']) then
    raise exception 'only teachers and assistants have a caseload'
      using errcode = '23514', table = 'caseload', constraint = 'caseload_of_teacher';
  end if;
  return null;
end
$$;

create function sec.guardian_link_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if not exists (
    select from public.membership m
    where m.tenant_id = new.tenant_id and m.id = new.membership_id and m.state <> 'ended' and 'parent' = any (m.roles)) then
    raise exception 'only who has the role of a parent is linked to a child'
      using errcode = '23514', table = 'guardian_link', constraint = 'guardian_link_of_parent';
  end if;
  return null;
end
$$;

-- Whoever comes back begins without a caseload and without children.
create function sec.membership_leaves_pupils() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  delete from public.caseload c
  where c.tenant_id = new.tenant_id and c.membership_id = new.id and lower(c.during) >= now();
  update public.caseload c set during = tstzrange(lower(c.during), now())
  where c.tenant_id = new.tenant_id and c.membership_id = new.id and c.during @> now();
  update public.guardian_link g set ended_at = now()
  where g.tenant_id = new.tenant_id and g.membership_id = new.id and g.ended_at is null;
  delete from public.duty_holder d where d.tenant_id = new.tenant_id and d.membership_id = new.id;
  return null;
end
$$;

-- What ends by the clock alone ends in the log too, where sockets hear of it: a caseload, and the hour that a reason gave. Rows that
-- another process is at are left to it. Returns how many ended.
create function sec.rights_end() returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  one record;
  ended integer := 0;
begin
  for one in
    with over as materialized (
      select c.tenant_id, c.id from public.caseload c
      where c.told_at is null and not upper_inf(c.during) and upper(c.during) <= now()
      order by upper(c.during) limit 200 for update skip locked
    ), closed as materialized (
      select a.tenant_id, a.id from public.pupil_access a
      where a.told_at is null and a.until <= now()
      order by a.until limit 200 for update skip locked
    ), told as (
      update public.caseload c set told_at = now() from over o where c.tenant_id = o.tenant_id and c.id = o.id
      returning c.tenant_id, 'caseload.ended' as act, c.membership_id
    ), also as (
      update public.pupil_access a set told_at = now() from closed o where a.tenant_id = o.tenant_id and a.id = o.id
      returning a.tenant_id, 'pupil.closed' as act, a.membership_id
    )
    select x.tenant_id, x.act, x.membership_id, m.account_id, count(*)::integer as many
    from (select * from told union all select * from also) x
    join public.membership m on m.tenant_id = x.tenant_id and m.id = x.membership_id
    group by x.tenant_id, x.act, x.membership_id, m.account_id
    order by x.tenant_id
  loop
    perform sec.append_for(one.tenant_id, null, one.act, one.membership_id,
      jsonb_build_object('pupils', one.many, 'by', 'clock'), array['caseload', 'me/' || one.account_id],
      jsonb_build_object('accounts', jsonb_build_array(one.account_id), 'sessions', '[]'::jsonb, 'code', 4403));
    ended := ended + one.many;
  end loop;
  return ended;
end
$$;
grant execute on function sec.rights_end() to quorate_worker;

grant execute on function
  sec.sees_school(), sec.teaches(), sec.keeps_pupils(), sec.caseload(), sec.pupils_seen(), sec.children(), sec.children_called(),
  sec.guardians_called(uuid), sec.pupil_basis(uuid), sec.look_at(uuid, text[]), sec.seek_pupil(text, text, text, text, text), sec.reviews_access()
  to quorate_web;
grant execute on function sec.caseload_fits(), sec.guardian_link_fits(), sec.membership_leaves_pupils() to quorate_owner;

set local role quorate_owner;

create trigger caseload_fits after insert on caseload for each row execute function sec.caseload_fits();
create trigger guardian_link_fits after insert on guardian_link for each row execute function sec.guardian_link_fits();
create trigger membership_leaves_pupils after update of state on membership
  for each row when (new.state = 'ended') execute function sec.membership_leaves_pupils();

do $$
declare
  name text;
begin
  foreach name in array array['pupil', 'teaching_group', 'group_pupil', 'caseload', 'pupil_access', 'pupil_read', 'guardian_link',
    'contact_restriction', 'field_switch', 'duty_holder'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy %I on %I for select to quorate_sec using (true)', name || '_sec_select', name);
    execute format('create policy %I on %I for insert to quorate_sec with check (true)', name || '_sec_insert', name);
    execute format('create policy %I on %I for update to quorate_sec using (true) with check (true)',
      name || '_sec_update', name);
    execute format('grant select, insert, update on %I to quorate_sec', name);
  end loop;
  foreach name in array array['caseload', 'duty_holder'] loop
    execute format('create policy %I on %I for delete to quorate_sec using (true)', name || '_sec_delete', name);
    execute format('grant delete on %I to quorate_sec', name);
  end loop;
end
$$;

create policy pupil_select on pupil for select to quorate_web
  using (tenant_id = (select sec.tenant())
    and ((select sec.sees_school()) or id = any ((select sec.pupils_seen())::uuid[])));
create policy pupil_insert on pupil for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
create policy pupil_update on pupil for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
create policy pupil_delete on pupil for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
grant select, insert (tenant_id, id, upn, admission_number, first_name, last_name, preferred_name, born, sex, year_group),
  update (upn, admission_number, first_name, last_name, preferred_name, born, sex, year_group, left_on), delete
  on pupil to quorate_web;

create policy teaching_group_select on teaching_group for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.teaches()));
create policy teaching_group_insert on teaching_group for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
create policy teaching_group_update on teaching_group for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
create policy teaching_group_delete on teaching_group for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
grant select, insert (tenant_id, id, kind, name), update (name, closed_on), delete on teaching_group to quorate_web;

create policy group_pupil_select on group_pupil for select to quorate_web
  using (tenant_id = (select sec.tenant())
    and ((select sec.sees_school()) or pupil_id = any ((select sec.pupils_seen())::uuid[])));
create policy group_pupil_insert on group_pupil for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
create policy group_pupil_update on group_pupil for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
create policy group_pupil_delete on group_pupil for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
grant select, insert (tenant_id, id, group_id, kind, pupil_id, during), update (during), delete on group_pupil to quorate_web;

-- One's own, and for who sees the school.
create policy caseload_select on caseload for select to quorate_web
  using (tenant_id = (select sec.tenant())
    and ((select sec.sees_school()) or membership_id = (select sec.membership())));
create policy caseload_insert on caseload for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.sees_school()) and given_by = (select sec.membership()));
create policy caseload_update on caseload for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_school()))
  with check (tenant_id = (select sec.tenant()) and (select sec.sees_school()));
create policy caseload_delete on caseload for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_school()) and lower(during) > now());
grant select, insert (tenant_id, id, membership_id, group_id, pupil_id, cover, during, given_by), update (during, told_at), delete
  on caseload to quorate_web;

create policy pupil_access_select on pupil_access for select to quorate_web
  using (tenant_id = (select sec.tenant()) and ((select sec.reviews_access()) or membership_id = (select sec.membership())));
grant select on pupil_access to quorate_web;

create policy pupil_read_select on pupil_read for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.reviews_access()));
grant select on pupil_read to quorate_web;

create policy guardian_link_select on guardian_link for select to quorate_web
  using (tenant_id = (select sec.tenant()) and ((select sec.sees_school())
    or (membership_id = (select sec.membership()) and pupil_id = any ((select sec.children())::uuid[]))));
create policy guardian_link_insert on guardian_link for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()) and linked_by = (select sec.membership()));
create policy guardian_link_update on guardian_link for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()))
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
grant select, insert (tenant_id, membership_id, pupil_id, relation, linked_by), update (relation, ended_at)
  on guardian_link to quorate_web;

create policy contact_restriction_select on contact_restriction for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_school()) and membership_id <> (select sec.membership()));
create policy contact_restriction_insert on contact_restriction for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()) and made_by = (select sec.membership())
    and membership_id <> (select sec.membership()));
create policy contact_restriction_update on contact_restriction for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()) and membership_id <> (select sec.membership()))
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()) and lifted_by = (select sec.membership()));
grant select, insert (tenant_id, membership_id, pupil_id, words, made_by, until), update (lifted_at, lifted_by)
  on contact_restriction to quorate_web;

create policy field_switch_select on field_switch for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.teaches()));
create policy field_switch_insert on field_switch for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()) and on_by = (select sec.membership()));
create policy field_switch_delete on field_switch for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
grant select, insert (tenant_id, field, purpose, on_by), delete on field_switch to quorate_web;

create policy duty_holder_select on duty_holder for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.teaches()));
create policy duty_holder_insert on duty_holder for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
create policy duty_holder_delete on duty_holder for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_pupils()));
grant select, insert (tenant_id, duty, membership_id, reached, process), delete on duty_holder to quorate_web;

set local role quorate_sec;

-- What is done about pupils carries how many they are, and is in the log of those who see the school; to whoever else reads the log,
-- a clerk, such a line is a place and two hashes.
drop policy event_select on public.event;
create policy event_select on public.event for select to quorate_web using (
  tenant_id = (select sec.tenant()) and (select sec.has_role('clerk', 'school_admin', 'trust_admin', 'org_admin'))
  and (not detail ? 'folder' or sec.maybe_uuid(detail ->> 'folder') <> all ((select sec.folders_hidden())::uuid[]))
  and (not detail ? 'only' or coalesce((detail -> 'only') ? (select sec.membership()::text), false))
  and (not detail ? 'pupils' or (select sec.sees_school())));

create or replace function sec.withheld(after bigint, until bigint) returns table (seq bigint, prev bytea, hash bytea)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
declare
  hidden constant uuid[] := sec.folders_hidden();
  own constant text := sec.membership()::text;
  pupils constant boolean := sec.sees_school();
begin
  if not sec.has_role('clerk', 'school_admin', 'trust_admin', 'org_admin') then
    return;
  end if;
  return query
    select e.seq, e.prev, e.hash from public.event e
    where e.tenant_id = sec.tenant() and e.seq > withheld.after and e.seq <= withheld.until
      and ((e.detail ? 'folder' and sec.maybe_uuid(e.detail ->> 'folder') = any (hidden))
        or (e.detail ? 'only' and not coalesce((e.detail -> 'only') ? own, false))
        or (e.detail ? 'pupils' and not pupils));
end
$$;

-- Whoever may see pupils proves themselves with a second factor, whatever the school has chosen for others.
create or replace function sec.factor_needed(account uuid, tenant uuid) returns boolean
language plpgsql stable
as $$
begin
  return exists (
    select from public.membership m join public.tenant t on t.id = m.tenant_id
    where m.account_id = factor_needed.account and m.state = 'active'
      and (factor_needed.tenant is null or m.tenant_id = factor_needed.tenant)
      and case t.factor_rule
        when 'officers' then m.roles && (sec.admin_roles() || array['clerk', 'chair', 'senior_leader', 'senco', 'teacher',
          'teaching_assistant'])
        else not m.roles <@ array['parent', 'member'] end);
end
$$;

insert into sec.notice_rule (act, hears) values
  ('caseload.given', 'person'), ('caseload.ended', 'person'),
  ('pupil.added', 'nobody'), ('pupil.corrected', 'nobody'), ('pupil.left', 'nobody'), ('pupil.returned', 'nobody'),
  ('pupil.removed', 'nobody'), ('pupil.sought', 'nobody'), ('pupil.opened', 'nobody'), ('pupil.closed', 'nobody'),
  ('group.opened', 'nobody'), ('group.renamed', 'nobody'), ('group.closed', 'nobody'), ('group.joined', 'nobody'),
  ('group.left', 'nobody'),
  ('guardian.linked', 'nobody'), ('guardian.unlinked', 'nobody'),
  ('restriction.made', 'nobody'), ('restriction.lifted', 'nobody'),
  ('field.switched_on', 'nobody'), ('field.switched_off', 'nobody'),
  ('duty.given', 'person');

set local role quorate_owner;
