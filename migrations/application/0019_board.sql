-- The board: its seats, who holds them and from when to when, its committees, what its people declare, and what is kept of
-- them beside. Periods are stored half-open and told to people with their last day.

-- `without overlaps` compares uuids in a gist index. The functions of the extension stand in a schema of their own, which no
-- login may use or search: an index needs no right to them.
create schema extension;
create extension btree_gist schema extension;

alter table tenant add column board_rule text not null default 'maintained';
alter table tenant add constraint tenant_board_rule_known check (board_rule in ('maintained', 'academy'));
comment on column tenant.board_rule is 'how the quorum is counted: by the Regulations of 2013, or by the model articles';
grant update (board_rule) on tenant to quorate_web;

set local role quorate_sec;

-- England has one clock, and a school's day begins when it is midnight there.
create function sec.today() returns date
language sql stable parallel safe
as $$ select (now() at time zone 'Europe/London')::date $$;

-- All but parents and young people, who see nothing of the board.
create function sec.sees_board() returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return sec.has_role('clerk', 'chair', 'governor', 'associate', 'school_admin', 'senior_leader', 'senco', 'teacher',
    'teaching_assistant', 'trust_admin', 'trust_lead', 'org_admin', 'org_staff');
end
$$;

create function sec.keeps_board() returns boolean
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return sec.has_role('clerk', 'school_admin', 'trust_admin', 'org_admin'); end $$;

grant execute on function sec.today(), sec.sees_board(), sec.keeps_board() to quorate_web;

set local role quorate_owner;

create table seat (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  category text not null,
  number integer not null,
  appointed_by text not null,
  opened_on date not null,
  closed_on date,
  constraint seat_pkey primary key (tenant_id, id),
  constraint seat_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint seat_number_key unique (tenant_id, category, number),
  constraint seat_category_known check (category in ('parent', 'staff', 'local_authority', 'co_opted', 'foundation',
    'partnership', 'ex_officio', 'associate')),
  constraint seat_number_positive check (number > 0),
  constraint seat_appointed_by_shape check (
    appointed_by = btrim(appointed_by) and char_length(appointed_by) between 1 and 120
    and appointed_by !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint seat_days_finite check (isfinite(opened_on) and coalesce(isfinite(closed_on), true)),
  constraint seat_days_order check (closed_on >= opened_on)
);
comment on column seat.category is 'an associate member sits on committees, is no governor and counts in no quorum';
comment on column seat.closed_on is 'the first day without it';

create table term (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  seat_id uuid not null,
  membership_id uuid not null,
  during daterange not null,
  ended_why text,
  suspended_on date,
  suspended_until date,
  constraint term_pkey primary key (tenant_id, id),
  constraint term_seat_fkey foreign key (tenant_id, seat_id) references seat (tenant_id, id),
  constraint term_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint term_during_some check (
    not isempty(during) and not lower_inf(during) and isfinite(lower(during)) and coalesce(isfinite(upper(during)), true)),
  -- Nobody sits in two seats at once, and no seat has two people.
  constraint term_seat_once unique (tenant_id, seat_id, during without overlaps),
  constraint term_person_once unique (tenant_id, membership_id, during without overlaps),
  constraint term_ended_why_known check (ended_why in (
    'term ended', 'resigned', 'removed', 'disqualified', 'died', 'other')),
  constraint term_ended_why_has_end check (ended_why is null or not upper_inf(during)),
  constraint term_suspended_both check ((suspended_on is null) = (suspended_until is null)),
  constraint term_suspended_order check (suspended_until >= suspended_on),
  -- 2013 Regulations, regulation 17.
  constraint term_suspended_length check (suspended_until < suspended_on + interval '6 months')
);
comment on column term.suspended_on is 'first day of a suspension from meetings, which bars nobody from signing in';
comment on column term.suspended_until is 'its last day';
create index term_by_person on term (tenant_id, membership_id);

create table committee (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  name text not null,
  remit text not null default '',
  quorum integer not null,
  closed_on date,
  chair uuid,
  constraint committee_pkey primary key (tenant_id, id),
  constraint committee_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint committee_chair_fkey foreign key (tenant_id, chair) references membership (tenant_id, id),
  constraint committee_name_shape check (
    name = btrim(name) and char_length(name) between 1 and 120
    and name !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint committee_remit_shape check (
    char_length(remit) <= 4000
    and remit !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  -- 2013 Regulations, part 5: three governors who are members of it.
  constraint committee_quorum_least check (quorum between 3 and 100),
  constraint committee_closed_on_finite check (isfinite(closed_on))
);
comment on column committee.closed_on is 'the day on which it was closed, and the last one of those who sat on it';
create unique index committee_name_key on committee (tenant_id, lower(name)) where closed_on is null;

create table committee_place (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  committee_id uuid not null,
  membership_id uuid not null,
  during daterange not null,
  constraint committee_place_pkey primary key (tenant_id, id),
  constraint committee_place_committee_fkey foreign key (tenant_id, committee_id) references committee (tenant_id, id),
  constraint committee_place_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint committee_place_during_some check (
    not isempty(during) and not lower_inf(during) and isfinite(lower(during)) and coalesce(isfinite(upper(during)), true)),
  constraint committee_place_once unique (tenant_id, committee_id, membership_id, during without overlaps)
);
create index committee_place_by_person on committee_place (tenant_id, membership_id);

-- What somebody declared on a day. Nobody has a policy or a grant to change or delete one: the newest counts.
create table declaration (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  nothing boolean not null,
  declared_on date not null default sec.today(),
  made_at timestamptz not null default now(),
  constraint declaration_pkey primary key (tenant_id, id),
  constraint declaration_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint declaration_declared_on_finite check (isfinite(declared_on))
);
comment on column declaration.made_at is 'start of the transaction that made it, the only one that may add interests to it';
create index declaration_by_person on declaration (tenant_id, membership_id, declared_on, id);

create table interest (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  declaration_id uuid not null,
  kind text not null,
  who text not null,
  nature text not null,
  since date,
  constraint interest_pkey primary key (tenant_id, id),
  constraint interest_declaration_fkey foreign key (tenant_id, declaration_id) references declaration (tenant_id, id),
  constraint interest_kind_known check (kind in ('business', 'governance_elsewhere', 'relationship', 'gift', 'other')),
  constraint interest_who_shape check (
    who = btrim(who) and char_length(who) between 1 and 200
    and who !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint interest_nature_shape check (
    char_length(nature) between 1 and 1000
    and nature !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint interest_since_finite check (isfinite(since))
);
create index interest_by_declaration on interest (tenant_id, declaration_id);

-- The day on which a certificate was seen, and nothing of what it says. Who saw it stands in the log.
create table dbs_check (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  checked_on date not null,
  constraint dbs_check_pkey primary key (tenant_id, id),
  constraint dbs_check_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint dbs_check_day_key unique (tenant_id, membership_id, checked_on),
  constraint dbs_check_checked_on_finite check (isfinite(checked_on))
);

create table training (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  title text not null,
  completed_on date not null,
  renew_by date,
  constraint training_pkey primary key (tenant_id, id),
  constraint training_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint training_title_shape check (
    title = btrim(title) and char_length(title) between 1 and 200
    and title !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint training_days_finite check (isfinite(completed_on) and coalesce(isfinite(renew_by), true)),
  constraint training_days_order check (renew_by > completed_on)
);
create index training_by_person on training (tenant_id, membership_id, completed_on);

-- Not a column of membership, whose rows everybody reads: a telephone number is for fewer eyes.
create table contact (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  phone text,
  constraint contact_pkey primary key (tenant_id, id),
  constraint contact_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint contact_person_key unique (tenant_id, membership_id),
  -- As the person gives it; seven to fifteen digits (ITU-T E.164), and an extension.
  constraint contact_phone_shape check (
    phone ~ '^\+?[0-9 ()./-]{7,30}( ext [0-9]{1,6})?$'
    and char_length(regexp_replace(split_part(phone, ' ext ', 1), '[^0-9]', '', 'g')) between 7 and 15)
);

set local role quorate_sec;

-- The rules below hold between rows, so they look after the row was allowed and written: whoever may not write it is told
-- that and nothing else. They lock what they look at, so that of two who act at once the second sees what the first did.

-- A term lies within the days of its seat, has an end unless it comes with an office, and is of somebody who is still here.
create function sec.term_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  place public.seat;
  person public.membership;
begin
  select s.* into place from public.seat s where s.tenant_id = new.tenant_id and s.id = new.seat_id for share;
  if not daterange(place.opened_on, place.closed_on) @> new.during then
    raise exception 'the seat is not open in the whole of that time'
      using errcode = '23514', table = 'term', constraint = 'term_in_seat';
  end if;
  if upper_inf(new.during) and place.category <> 'ex_officio' then
    raise exception 'only an ex officio term has no end'
      using errcode = '23514', table = 'term', constraint = 'term_needs_end';
  end if;
  if tg_op = 'INSERT' then
    select m.* into person from public.membership m
    where m.tenant_id = new.tenant_id and m.id = new.membership_id for share;
    if person.state = 'ended' then
      raise exception 'somebody who was removed takes no office'
        using errcode = '23514', table = 'term', constraint = 'term_of_member';
    end if;
  end if;
  return null;
end
$$;

create function sec.seat_unheld() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if exists (
    select from public.term t where t.tenant_id = new.tenant_id and t.seat_id = new.id
      and not daterange(new.opened_on, new.closed_on) @> t.during) then
    raise exception 'somebody holds this seat then'
      using errcode = '23514', table = 'seat', constraint = 'seat_unheld';
  end if;
  return null;
end
$$;

create function sec.committee_place_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whole public.committee;
  person public.membership;
begin
  select c.* into whole from public.committee c
  where c.tenant_id = new.tenant_id and c.id = new.committee_id for share;
  if whole.closed_on is not null then
    raise exception 'nobody joins a committee that is closed'
      using errcode = '23514', table = 'committee_place', constraint = 'committee_place_of_open';
  end if;
  select m.* into person from public.membership m
  where m.tenant_id = new.tenant_id and m.id = new.membership_id for share;
  if person.state = 'ended' then
    raise exception 'somebody who was removed joins no committee'
      using errcode = '23514', table = 'committee_place', constraint = 'committee_place_of_member';
  end if;
  return null;
end
$$;

-- Those who sit on a committee sit there no longer than it is open, whoever closed it.
create function sec.committee_close() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  update public.committee_place p set during = daterange(lower(p.during), greatest(lower(p.during), new.closed_on), '[]')
  where p.tenant_id = new.tenant_id and p.committee_id = new.id
    and coalesce(upper(p.during) > new.closed_on + 1, true);
  return null;
end
$$;

-- At the end of the transaction: a declaration of nothing has no interests, and one of something has at least one.
create function sec.declaration_says() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whole uuid;
begin
  if tg_table_name = 'declaration' then
    whole := new.id;
  else
    whole := new.declaration_id;
  end if;
  if exists (
    select from public.declaration d where d.tenant_id = new.tenant_id and d.id = whole
      and d.nothing = exists (
        select from public.interest i where i.tenant_id = d.tenant_id and i.declaration_id = d.id)) then
    raise exception 'a declaration says nothing or something'
      using errcode = '23514', table = 'declaration', constraint = 'declaration_says';
  end if;
  return null;
end
$$;

grant execute on function sec.term_fits(), sec.seat_unheld(), sec.committee_place_fits(), sec.committee_close(),
  sec.declaration_says() to quorate_owner;

set local role quorate_owner;

create trigger term_fits after insert or update of seat_id, membership_id, during on term
  for each row execute function sec.term_fits();
create trigger seat_unheld after update of opened_on, closed_on on seat
  for each row execute function sec.seat_unheld();
create trigger committee_place_fits after insert on committee_place
  for each row execute function sec.committee_place_fits();
create trigger committee_close after update of closed_on on committee
  for each row when (new.closed_on is not null) execute function sec.committee_close();
create constraint trigger declaration_says after insert on declaration
  deferrable initially deferred for each row execute function sec.declaration_says();
create constraint trigger declaration_says after insert on interest
  deferrable initially deferred for each row execute function sec.declaration_says();

alter table seat enable row level security;
alter table seat force row level security;

create policy seat_select on seat for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_board()));
create policy seat_insert on seat for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_board()));
create policy seat_update on seat for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_board()))
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_board()));
grant select, insert (tenant_id, category, number, appointed_by, opened_on), update (closed_on) on seat to quorate_web;

alter table term enable row level security;
alter table term force row level security;

-- Also about an administrator, such as a head who governs ex officio; but nobody records their own.
create policy term_select on term for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_board()));
create policy term_insert on term for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_board())
    and membership_id <> (select sec.membership()));
create policy term_update on term for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_board())
    and membership_id <> (select sec.membership()))
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_board())
    and membership_id <> (select sec.membership()));
-- Only what never was is taken off the record.
create policy term_delete on term for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_board())
    and membership_id <> (select sec.membership()) and lower(during) > (select sec.today()));
grant select, insert (tenant_id, seat_id, membership_id, during),
  update (during, ended_why, suspended_on, suspended_until), delete on term to quorate_web;

alter table committee_place enable row level security;
alter table committee_place force row level security;

-- Not in advance: a place that has not begun could never be taken back.
create policy committee_place_select on committee_place for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_board()));
create policy committee_place_insert on committee_place for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_board())
    and membership_id <> (select sec.membership()) and lower(during) <= (select sec.today()));
create policy committee_place_update on committee_place for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_board())
    and membership_id <> (select sec.membership()))
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_board())
    and membership_id <> (select sec.membership()) and lower(during) <= (select sec.today()));
grant select, insert (tenant_id, committee_id, membership_id, during), update (during) on committee_place to quorate_web;

alter table committee enable row level security;
alter table committee force row level security;

create policy committee_select on committee for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_board()));
create policy committee_insert on committee for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_board()));
create policy committee_update on committee for update to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_board()))
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_board())
    and (chair is null or exists (
      select from committee_place p
      where p.tenant_id = committee.tenant_id and p.committee_id = committee.id and p.membership_id = committee.chair)));
grant select, insert (tenant_id, name, remit, quorum), update (name, remit, quorum, closed_on, chair) on committee
  to quorate_web;

alter table declaration enable row level security;
alter table declaration force row level security;

-- Everybody for themselves alone, and only who has to do with the board.
create policy declaration_select on declaration for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_board()));
create policy declaration_insert on declaration for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()) and (
    (select sec.has_role('clerk', 'chair'))
    or exists (
      select from term t where t.tenant_id = declaration.tenant_id and t.membership_id = declaration.membership_id
        and coalesce(upper(t.during) > (select sec.today()), true))
    or exists (
      select from committee_place p where p.tenant_id = declaration.tenant_id and p.membership_id = declaration.membership_id
        and coalesce(upper(p.during) > (select sec.today()), true))));
grant select, insert (tenant_id, membership_id, nothing) on declaration to quorate_web;

alter table interest enable row level security;
alter table interest force row level security;

create policy interest_select on interest for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.sees_board()));
create policy interest_insert on interest for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and exists (
    select from declaration d
    where d.tenant_id = interest.tenant_id and d.id = interest.declaration_id
      and d.membership_id = (select sec.membership()) and d.made_at = now()));
grant select, insert (tenant_id, declaration_id, kind, who, nature, since) on interest to quorate_web;

alter table dbs_check enable row level security;
alter table dbs_check force row level security;

create policy dbs_check_select on dbs_check for select to quorate_web
  using (tenant_id = (select sec.tenant())
    and ((select sec.keeps_board()) or membership_id = (select sec.membership())));
create policy dbs_check_insert on dbs_check for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_board())
    and membership_id <> (select sec.membership()));
grant select, insert (tenant_id, membership_id, checked_on) on dbs_check to quorate_web;

alter table training enable row level security;
alter table training force row level security;

create policy training_select on training for select to quorate_web
  using (tenant_id = (select sec.tenant())
    and ((select sec.keeps_board()) or membership_id = (select sec.membership())));
create policy training_insert on training for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and (select sec.keeps_board())
    and membership_id <> (select sec.membership()));
grant select, insert (tenant_id, membership_id, title, completed_on, renew_by) on training to quorate_web;

alter table contact enable row level security;
alter table contact force row level security;

-- Seen by whom the e-mail address is seen.
create policy contact_select on contact for select to quorate_web
  using (tenant_id = (select sec.tenant())
    and ((select sec.keeps_board()) or (select sec.has_role('senior_leader')) or membership_id = (select sec.membership())));
create policy contact_insert on contact for insert to quorate_web
  with check (tenant_id = (select sec.tenant())
    and ((select sec.keeps_board()) or membership_id = (select sec.membership())));
create policy contact_update on contact for update to quorate_web
  using (tenant_id = (select sec.tenant())
    and ((select sec.keeps_board()) or membership_id = (select sec.membership())))
  with check (tenant_id = (select sec.tenant())
    and ((select sec.keeps_board()) or membership_id = (select sec.membership())));
grant select, insert (tenant_id, membership_id, phone), update (phone) on contact to quorate_web;

-- The definer functions of `sec`, and the demo. They change no seat and no committee, but `for share` asks for the right to.
do $$
declare
  name text;
begin
  foreach name in array array['seat', 'term', 'committee', 'committee_place', 'declaration', 'interest', 'dbs_check',
      'training', 'contact'] loop
    execute format('create policy %I on %I for select to quorate_sec using (true)', name || '_sec_select', name);
    execute format('create policy %I on %I for insert to quorate_sec with check (true)', name || '_sec_insert', name);
    execute format('grant select, insert on %I to quorate_sec', name);
  end loop;
  foreach name in array array['seat', 'committee', 'committee_place'] loop
    execute format('create policy %I on %I for update to quorate_sec using (true) with check (true)',
      name || '_sec_update', name);
    execute format('grant update on %I to quorate_sec', name);
  end loop;
end
$$;
