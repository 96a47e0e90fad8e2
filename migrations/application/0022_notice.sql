-- What a person should hear of: notices, written where the log is written, so that no act can forget them; whose mail came
-- back; and the letters that tell of notices and duties.

-- One row for each who hears of an event. As in the log there are no foreign keys: to check one would lock the place of
-- everybody who hears while the head of the log is held, against the order in which all else locks. A place is never deleted.
create table notice (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  seq bigint not null,
  at timestamptz not null,
  kind text not null,
  hears text not null,
  by_id uuid,
  about_id uuid,
  committee_id uuid,
  seen_at timestamptz,
  letter_id uuid,
  constraint notice_pkey primary key (tenant_id, id),
  constraint notice_once_key unique (tenant_id, membership_id, seq),
  constraint notice_kind_shape check (kind ~ '^[a-z][a-z_]*(\.[a-z][a-z_]*)+$'),
  constraint notice_hears_known check (hears in ('person', 'chair', 'keeper', 'board'))
);
comment on column notice.membership_id is 'who hears of it';
comment on column notice.kind is 'the act, as in the log';
comment on column notice.hears is 'as what they hear of it: whom it was done to, who chairs the committee, who keeps people, or who sits on the board';
comment on column notice.letter_id is 'the letter that tells of it, once there is one';
create index notice_unseen on notice (tenant_id, membership_id, seq) where seen_at is null;

-- How somebody wants to be written to. Who has said nothing is written to once a day.
create table notice_choice (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  mail text not null,
  constraint notice_choice_pkey primary key (tenant_id, id),
  constraint notice_choice_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint notice_choice_person_key unique (tenant_id, membership_id),
  constraint notice_choice_mail_known check (mail in ('at_once', 'daily', 'weekly', 'never'))
);

-- Whose last letter was refused for good. Gone once a later one is taken, or the address is another.
create table bounce (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  at timestamptz not null,
  constraint bounce_pkey primary key (tenant_id, id),
  constraint bounce_person_key unique (tenant_id, membership_id)
);

alter table notice enable row level security;
alter table notice force row level security;

-- One's own, and nobody else's: not even for who may read the log. What somebody heard of by a role ends with it.
create policy notice_select on notice for select to quorate_web
  using (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()) and case hears
    when 'person' then true when 'keeper' then (select sec.keeps_board()) else (select sec.sees_board()) end);
create policy notice_update on notice for update to quorate_web
  using (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()))
  with check (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()));
grant select, update (seen_at) on notice to quorate_web;

create policy notice_sec_select on notice for select to quorate_sec using (true);
create policy notice_sec_insert on notice for insert to quorate_sec with check (true);
create policy notice_sec_update on notice for update to quorate_sec using (true) with check (true);
create policy notice_sec_delete on notice for delete to quorate_sec using (true);
grant select, insert, update, delete on notice to quorate_sec;

alter table notice_choice enable row level security;
alter table notice_choice force row level security;

create policy notice_choice_select on notice_choice for select to quorate_web
  using (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()));
create policy notice_choice_insert on notice_choice for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()));
create policy notice_choice_update on notice_choice for update to quorate_web
  using (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()))
  with check (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()));
grant select, insert (tenant_id, membership_id, mail), update (mail) on notice_choice to quorate_web;

create policy notice_choice_sec_select on notice_choice for select to quorate_sec using (true);
grant select on notice_choice to quorate_sec;

alter table bounce enable row level security;
alter table bounce force row level security;

-- For who can do something about it.
create policy bounce_select on bounce for select to quorate_web
  using (tenant_id = (select sec.tenant()) and (select sec.keeps_board()));
grant select on bounce to quorate_web;

create policy bounce_sec_select on bounce for select to quorate_sec using (true);
create policy bounce_sec_insert on bounce for insert to quorate_sec with check (true);
create policy bounce_sec_update on bounce for update to quorate_sec using (true) with check (true);
create policy bounce_sec_delete on bounce for delete to quorate_sec using (true);
grant select, insert, update, delete on bounce to quorate_sec;

set local role quorate_sec;

-- Who hears of which act. Every act has a line, also that of which nobody hears: a test holds the sources to it.
create table sec.notice_rule (
  act text not null,
  hears text not null,
  constraint notice_rule_pkey primary key (act, hears),
  constraint notice_rule_hears_known check (hears in ('person', 'chair', 'keeper', 'board', 'nobody'))
);
insert into sec.notice_rule (act, hears) values
  ('membership.role_given', 'person'), ('membership.role_dropped', 'person'), ('membership.renamed', 'person'),
  ('membership.suspended', 'person'), ('membership.restored', 'person'),
  ('membership.accepted', 'keeper'), ('membership.removed', 'keeper'),
  ('contact.phone_set', 'person'), ('dbs_check.recorded', 'person'), ('training.recorded', 'person'),
  ('term.started', 'person'), ('term.started', 'board'), ('term.ended', 'person'), ('term.ended', 'board'),
  ('term.dropped', 'person'), ('term.suspended', 'person'), ('term.reinstated', 'person'),
  ('committee.joined', 'person'), ('committee.joined', 'chair'), ('committee.left', 'person'), ('committee.left', 'chair'),
  ('committee.chair_chosen', 'person'),
  ('declaration.made', 'keeper'), ('mail.undeliverable', 'keeper'),
  ('factor.reset', 'person'), ('account.unlocked', 'person'),
  -- They bring somebody in, who is told by the invitation itself.
  ('membership.added', 'nobody'), ('membership.invited', 'nobody'), ('membership.reinvited', 'nobody'),
  ('membership.address_corrected', 'nobody'),
  -- The board itself, which everybody sees who has to do with it.
  ('seat.opened', 'nobody'), ('seat.closed', 'nobody'), ('committee.opened', 'nobody'), ('committee.renamed', 'nobody'),
  ('committee.remit_set', 'nobody'), ('committee.closed', 'nobody'), ('board.rule_set', 'nobody'),
  ('tenant.opened', 'nobody'), ('tenant.factor_rule_set', 'nobody'), ('audit.exported', 'nobody'),
  -- One's own doing.
  ('session.opened', 'nobody'), ('session.closed', 'nobody'), ('password.changed', 'nobody'), ('password.reset', 'nobody'),
  ('reset.asked', 'nobody'), ('factor.enrolled', 'nobody'), ('factor.codes_replaced', 'nobody'),
  ('factor.recovered', 'nobody'), ('notice.seen', 'nobody'), ('notice.choice_set', 'nobody'), ('mail.delivered', 'nobody');

-- Letters of notices and duties. A job names the letter and nobody; what it says is looked up when it is sent.
create table sec.letter (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  morning timestamptz,
  duties boolean not null default false,
  created_at timestamptz not null default now(),
  queued_at timestamptz,
  sent_at timestamptz,
  constraint letter_pkey primary key (tenant_id, id),
  constraint letter_once_key unique (tenant_id, membership_id, morning)
);
comment on column sec.letter.morning is 'of which morning a digest is; null for a letter at once';
create index letter_waiting on sec.letter (created_at) where queued_at is null;

-- Of which mornings the letters were made.
create table sec.morning (
  at timestamptz not null,
  letters integer not null default 0,
  constraint morning_pkey primary key (at)
);

-- Which duties somebody was reminded of, and on which day last.
create table sec.reminder (
  tenant_id uuid not null,
  membership_id uuid not null,
  duty text not null,
  subject_id uuid not null,
  last_on date not null,
  constraint reminder_pkey primary key (tenant_id, membership_id, duty, subject_id)
);

-- Sessions that are over, too: when somebody was last here before this time.
create index session_by_place on sec.session (tenant_id, membership_id);

create function sec.keeper_roles() returns text[]
language sql immutable parallel safe
as $$ select sec.admin_roles() || array['clerk'] $$;

-- An id, where it is one.
create function sec.maybe_uuid(text text) returns uuid
language sql immutable parallel safe
as $$ select case when pg_input_is_valid(text, 'uuid') then text::uuid end $$;

-- Whether letters to this place are held back: the last one came back less than a week ago.
create function sec.is_held(tenant uuid, membership uuid, moment timestamptz) returns boolean
language sql stable
as $$
  select exists (select from public.bounce b
    where b.tenant_id = is_held.tenant and b.membership_id = is_held.membership and b.at > moment - interval '7 days')
$$;

-- After each line of the log: who hears of it, and for whom a letter leaves at once. Never the one who did it, nobody who was
-- removed, and nobody who has not joined.
create function sec.tell() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whom uuid := new.about;
  committee uuid;
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
    ) m
    left join public.notice_choice c on c.tenant_id = m.tenant_id and c.membership_id = m.id
    where r.act = new.act and m.account_id is distinct from new.actor
    order by m.id, array_position(array['person', 'chair', 'keeper', 'board'], r.hears)
  ), posted as (
    insert into sec.letter (tenant_id, id, membership_id)
    select new.tenant_id, h.letter, h.id from hears h where h.letter is not null
  )
  insert into public.notice (tenant_id, membership_id, seq, at, kind, hears, by_id, about_id, committee_id, letter_id)
  select new.tenant_id, h.id, new.seq, new.at, new.act, h.hears, doer, whom, committee, h.letter from hears h
  on conflict do nothing;
  return null;
end
$$;

create trigger tell after insert on public.event for each row execute function sec.tell();

-- When the caller was last active in this tenant before the session they are in; null for somebody who never was.
create function sec.last_visit() returns timestamptz
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return (
    select max(before.seen_at) from sec.session now
    join sec.session before on before.tenant_id = now.tenant_id and before.membership_id = now.membership_id
      and before.assurance = 'full' and before.seen_at < now.created_at
    where now.id = sec.session_id() and now.tenant_id = sec.tenant());
end
$$;
grant execute on function sec.last_visit() to quorate_web;

-- What waits for whom at a tenant on a day, as their home page says it; of an invitation only once it is a week old.
create function sec.duties(tenant uuid, day date) returns table (membership_id uuid, duty text, subject_id uuid)
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
$$;

-- Seven o'clock in the morning of that day in England, as a moment: an hour earlier in summer.
create function sec.morning_of(day date) returns timestamptz
language sql immutable parallel safe
as $$ select (day + time '07:00') at time zone 'Europe/London' $$;

-- Makes the letters of the last morning before the moment, once: of the news since the last letter, for who wants them daily,
-- and up to the last Monday for who wants them weekly; and of what waits for somebody, when it comes to wait and every seventh
-- day from then on, whatever they want. What was missed while nobody ran this comes in one letter. Returns how many were made.
create function sec.digest(moment timestamptz) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  day date := (moment at time zone 'Europe/London')::date;
  dawn timestamptz;
  monday timestamptz;
  made integer;
begin
  if sec.morning_of(day) > moment then
    day := day - 1;
  end if;
  dawn := sec.morning_of(day);
  monday := sec.morning_of(date_trunc('week', day)::date);
  -- A clock that was set back a little makes no second letters of a morning, nor any of an earlier one. What lies days ahead
  -- was made by a clock that was wrong, and must not silence all mornings until then.
  insert into sec.morning (at) select dawn
  where not exists (select from sec.morning m where m.at >= dawn and m.at < dawn + interval '2 days')
  on conflict do nothing;
  if not found or not exists (select from sec.morning m where m.at < dawn) then
    -- Done already; or the first of all, before which nothing was missed.
    return 0;
  end if;
  with place as materialized (
    select m.tenant_id, m.id,
      case c.mail when 'weekly' then monday when 'never' then '-infinity' else dawn end as until
    from public.membership m
    join public.account a on a.id = m.account_id and a.closed_at is null
    left join public.notice_choice c on c.tenant_id = m.tenant_id and c.membership_id = m.id
    where m.state = 'active' and m.joined_at < dawn and not sec.is_held(m.tenant_id, m.id, dawn)
  ), waits as materialized (
    select p.tenant_id, p.id, d.duty, d.subject_id
    from (select distinct x.tenant_id from place x) t
    cross join lateral sec.duties(t.tenant_id, day) d
    join place p on p.tenant_id = t.tenant_id and p.id = d.membership_id
  ), over as (
    delete from sec.reminder r where not exists (
      select from waits w where w.tenant_id = r.tenant_id and w.id = r.membership_id
        and w.duty = r.duty and w.subject_id = r.subject_id)
  ), remind as (
    select distinct w.tenant_id, w.id from waits w
    left join sec.reminder r on r.tenant_id = w.tenant_id and r.membership_id = w.id
      and r.duty = w.duty and r.subject_id = w.subject_id
    where coalesce(r.last_on + 7 <= day or r.last_on > day + 2, true)
  ), news as materialized (
    select n.tenant_id, n.id, n.membership_id from public.notice n
    join place p on p.tenant_id = n.tenant_id and p.id = n.membership_id
    -- A letter that has not left after four days never will.
    left join sec.letter l on l.tenant_id = n.tenant_id and l.id = n.letter_id
    where (n.letter_id is null or (l.sent_at is null and l.created_at < dawn - interval '4 days'))
      and n.seen_at is null and n.at < p.until and n.at > dawn - interval '30 days'
    -- Somebody is marking it just now: the next morning knows.
    for update of n skip locked
  ), written as (
    insert into sec.letter as l (tenant_id, membership_id, morning, duties)
    select p.tenant_id, p.id, dawn,
      exists (select from remind r where r.tenant_id = p.tenant_id and r.id = p.id)
    from place p
    where exists (select from remind r where r.tenant_id = p.tenant_id and r.id = p.id)
      or exists (select from news n where n.tenant_id = p.tenant_id and n.membership_id = p.id)
    on conflict on constraint letter_once_key do nothing
    returning l.tenant_id, l.id, l.membership_id, l.duties
  ), told as (
    update public.notice n set letter_id = w.id
    from written w join news k on k.tenant_id = w.tenant_id and k.membership_id = w.membership_id
    where n.tenant_id = k.tenant_id and n.id = k.id
  ), reminded as (
    insert into sec.reminder as r (tenant_id, membership_id, duty, subject_id, last_on)
    select w.tenant_id, w.id, w.duty, w.subject_id, day
    from waits w join written l on l.tenant_id = w.tenant_id and l.membership_id = w.id and l.duties
    on conflict on constraint reminder_pkey do update set last_on = excluded.last_on
  )
  select count(*) into made from written;
  update sec.morning m set letters = made where m.at = dawn;
  return made;
end
$$;

-- Letters that are not in the queue, the oldest first.
create function sec.letters_waiting(most integer) returns table (tenant_id uuid, id uuid)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    select l.tenant_id, l.id from sec.letter l where l.queued_at is null order by l.created_at limit most;
end
$$;

create function sec.letter_queued(tenant uuid, letter uuid) returns void
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  update sec.letter l set queued_at = clock_timestamp()
  where l.tenant_id = letter_queued.tenant and l.id = letter_queued.letter and l.queued_at is null;
end
$$;

-- What a letter says, and to whom: how many of which, and where the log stands. No row when it was sent, when they have seen
-- or done all of it meanwhile, or when they are not here any more.
create function sec.letter_open(tenant uuid, letter uuid)
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
             and case n.hears when 'person' then true when 'keeper' then o.roles && sec.keeper_roles()
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

create function sec.letter_sent(tenant uuid, letter uuid) returns void
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  update sec.letter l set sent_at = clock_timestamp()
  where l.tenant_id = letter_sent.tenant and l.id = letter_sent.letter and l.sent_at is null;
end
$$;

-- Whose letter it is or was: of an invitation (a place), a reset, or a letter of this file; null for none.
create function sec.addressee(tenant uuid, about uuid) returns uuid
language sql stable
as $$
  select m.id from public.membership m
  where m.tenant_id = addressee.tenant and (
    m.id = addressee.about
    or m.id = (select l.membership_id from sec.letter l where l.tenant_id = addressee.tenant and l.id = addressee.about)
    or m.account_id = (select r.account_id from sec.reset r where r.tenant_id = addressee.tenant and r.id = addressee.about))
$$;

-- A letter was refused for good. `detail` says which and with what code.
create function sec.mail_returned(tenant uuid, about uuid, detail jsonb) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return sec.append_for(mail_returned.tenant, null, 'mail.undeliverable',
    sec.addressee(mail_returned.tenant, mail_returned.about), mail_returned.detail, array['people'], null);
end
$$;

-- A letter was taken. It is a line of the log only where one had come back before.
create function sec.mail_taken(tenant uuid, about uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  whom uuid := sec.addressee(mail_taken.tenant, mail_taken.about);
begin
  perform from public.bounce b where b.tenant_id = mail_taken.tenant and b.membership_id = whom;
  if not found then
    return false;
  end if;
  perform sec.append_for(mail_taken.tenant, null, 'mail.delivered', whom, '{}', array['people'], null);
  return true;
end
$$;

-- Forgets letters after 90 days, and notices after a year.
create function sec.sweep_notices() returns void
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  delete from sec.letter l where l.created_at < now() - interval '90 days';
  delete from public.notice n where n.at < now() - interval '1 year';
end
$$;

grant execute on function sec.digest(timestamptz), sec.letters_waiting(integer), sec.letter_queued(uuid, uuid),
  sec.letter_open(uuid, uuid), sec.letter_sent(uuid, uuid), sec.mail_returned(uuid, uuid, jsonb),
  sec.mail_taken(uuid, uuid), sec.sweep_notices() to quorate_worker;

set local role quorate_owner;
