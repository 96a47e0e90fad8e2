-- Questions and comments on a sentence of a document, what was replied, where they stand in each version; and the notes that
-- somebody keeps for themselves.
--
-- Who reads the document reads its questions, and one that was put to named people is read by them and by who asked, for as long
-- as they read the folder. A note is read by whoever keeps it: there is no function and no policy by which anybody else would.

set local role quorate_owner;

create table question (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  document_id uuid not null,
  asked_on integer not null,
  kind text not null,
  audience text not null,
  body text not null,
  exact text,
  prefix text,
  suffix text,
  page integer,
  state text not null default 'open',
  asked_by uuid not null,
  asked_at timestamptz not null default now(),
  answered_by uuid,
  answered_at timestamptz,
  constraint question_pkey primary key (tenant_id, id),
  constraint question_version_fkey foreign key (tenant_id, document_id, asked_on)
    references version (tenant_id, document_id, number) on delete cascade,
  constraint question_asked_by_fkey foreign key (tenant_id, asked_by) references membership (tenant_id, id),
  constraint question_answered_by_fkey foreign key (tenant_id, answered_by) references membership (tenant_id, id),
  constraint question_kind_known check (kind in ('question', 'comment')),
  constraint question_audience_known check (audience in ('readers', 'named')),
  constraint question_state_known check (state in ('open', 'answered', 'withdrawn')),
  constraint question_body_shape check (
    body = btrim(body, E' \n') and char_length(body) <= 2000 and (body = '') = (state = 'withdrawn')
    and body !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint question_quotation_whole check (
    num_nulls(exact, prefix, suffix, page) in (0, 4) and (exact is null or state <> 'withdrawn')),
  constraint question_exact_shape check (
    char_length(exact) between 1 and 500 and exact !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint question_around_shape check (
    char_length(prefix) <= 64 and char_length(suffix) <= 64
    and prefix || suffix !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint question_page_positive check (page > 0),
  constraint question_answer_whole check (
    case state when 'answered' then num_nulls(answered_by, answered_at) = 0 else num_nonnulls(answered_by, answered_at) = 0 end)
);
comment on column question.asked_on is 'the number of the version that it was asked on';
comment on column question.exact is 'the words it is about, as they stood there; null where it is about the document as a whole';
comment on column question.page is 'the page they stood on';
create index question_by_document on question (tenant_id, document_id, asked_on);

-- Whom a question was put to, where not to everybody who reads the document.
create table question_hearer (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  question_id uuid not null,
  membership_id uuid not null,
  constraint question_hearer_pkey primary key (tenant_id, id),
  constraint question_hearer_question_fkey foreign key (tenant_id, question_id)
    references question (tenant_id, id) on delete cascade,
  constraint question_hearer_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint question_hearer_once unique (tenant_id, question_id, membership_id)
);
create index question_hearer_by_person on question_hearer (tenant_id, membership_id);

create table question_reply (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  question_id uuid not null,
  body text not null,
  by_id uuid not null,
  at timestamptz not null default now(),
  constraint question_reply_pkey primary key (tenant_id, id),
  constraint question_reply_question_fkey foreign key (tenant_id, question_id)
    references question (tenant_id, id) on delete cascade,
  constraint question_reply_by_fkey foreign key (tenant_id, by_id) references membership (tenant_id, id),
  constraint question_reply_body_shape check (
    body = btrim(body, E' \n') and char_length(body) between 1 and 2000
    and body !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
);
create index question_reply_by_question on question_reply (tenant_id, question_id, at);

-- Where a question stands in a version, found when the version came; without a page its sentence has gone. Whoever adds a version
-- does not read what was put to others: of those there is no row, and they are looked for when they are read.
create table question_place (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  question_id uuid not null,
  version_id uuid not null,
  page integer,
  starts integer,
  ends integer,
  exact text,
  prefix text,
  suffix text,
  constraint question_place_pkey primary key (tenant_id, id),
  constraint question_place_question_fkey foreign key (tenant_id, question_id)
    references question (tenant_id, id) on delete cascade,
  constraint question_place_version_fkey foreign key (tenant_id, version_id)
    references version (tenant_id, id) on delete cascade,
  constraint question_place_once unique (tenant_id, version_id, question_id),
  constraint question_place_whole check (num_nulls(page, starts, ends, exact, prefix, suffix) in (0, 6)),
  constraint question_place_on_page check (page > 0 and starts >= 0 and ends > starts),
  constraint question_place_text_fits check (char_length(exact) <= 1000 and char_length(prefix) <= 64 and char_length(suffix) <= 64)
);
comment on column question_place.starts is 'its first letter, counted in the text of the page with white space made single';
create index question_place_by_question on question_place (tenant_id, question_id);

create table note (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  document_id uuid not null,
  kept_on integer not null,
  membership_id uuid not null,
  body text not null,
  exact text,
  prefix text,
  suffix text,
  page integer,
  kept_at timestamptz not null default now(),
  constraint note_pkey primary key (tenant_id, id),
  constraint note_version_fkey foreign key (tenant_id, document_id, kept_on)
    references version (tenant_id, document_id, number) on delete cascade,
  constraint note_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint note_body_shape check (
    body = btrim(body, E' \n') and char_length(body) between 1 and 2000
    and body !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint note_quotation_whole check (num_nulls(exact, prefix, suffix, page) in (0, 4)),
  constraint note_exact_shape check (
    char_length(exact) between 1 and 500 and exact !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint note_around_shape check (
    char_length(prefix) <= 64 and char_length(suffix) <= 64
    and prefix || suffix !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint note_page_positive check (page > 0)
);
create index note_by_document on note (tenant_id, document_id, membership_id);
create index note_by_person on note (tenant_id, membership_id);

set local role quorate_sec;

-- The questions that were put to the caller by name. A function, since a policy of one table that looked into the other and back
-- would never end.
create function sec.questions_heard() returns uuid[]
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return array(
    select h.question_id from public.question_hearer h where h.tenant_id = sec.tenant() and h.membership_id = sec.membership());
end
$$;
grant execute on function sec.questions_heard() to quorate_web;

-- From one state to another: answered and open again by who asked and by who files the document; taken back by who asked, while
-- nobody has replied, and then its words are gone.
create function sec.question_steps() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  own constant uuid := sec.membership();
  step constant text := old.state || ' ' || new.state;
begin
  if new.state = old.state then
    return new;
  end if;
  if step not in ('open answered', 'answered open', 'open withdrawn') then
    raise exception 'it is not in that state any more'
      using errcode = '23514', table = 'question', constraint = 'question_step';
  end if;
  if step = 'open withdrawn' then
    if old.asked_by is distinct from own then
      raise exception 'who asked takes it back'
        using errcode = '23514', table = 'question', constraint = 'question_asker';
    end if;
    if exists (select from public.question_reply r where r.tenant_id = old.tenant_id and r.question_id = old.id) then
      raise exception 'somebody has replied'
        using errcode = '23514', table = 'question', constraint = 'question_unreplied';
    end if;
    new.body := '';
    new.exact := null;
    new.prefix := null;
    new.suffix := null;
    new.page := null;
    delete from public.question_place p where p.tenant_id = old.tenant_id and p.question_id = old.id;
    return new;
  end if;
  if own is null or (old.asked_by <> own and not exists (
    select from public.document d
    where d.tenant_id = old.tenant_id and d.id = old.document_id and d.folder_id = any (sec.folders(true)))) then
    raise exception 'who asked or who files says so'
      using errcode = '23514', table = 'question', constraint = 'question_answerer';
  end if;
  new.answered_by := case new.state when 'answered' then own end;
  new.answered_at := case new.state when 'answered' then now() end;
  return new;
end
$$;

-- Nobody replies to what is being taken back: one of the two waits for the other.
create function sec.question_reply_fits() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  standing text;
begin
  select q.state into standing from public.question q where q.tenant_id = new.tenant_id and q.id = new.question_id for share;
  if standing = 'withdrawn' then
    raise exception 'it was taken back'
      using errcode = '23514', table = 'question_reply', constraint = 'question_reply_of_asked';
  end if;
  return null;
end
$$;

-- Notes go with whoever kept them, and what was put to somebody by name is not put to them when they come back.
create function sec.membership_leaves_questions() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  delete from public.note n where n.tenant_id = new.tenant_id and n.membership_id = new.id;
  delete from public.question_hearer h where h.tenant_id = new.tenant_id and h.membership_id = new.id;
  return null;
end
$$;

grant execute on function sec.question_steps(), sec.question_reply_fits(), sec.membership_leaves_questions() to quorate_owner;

set local role quorate_owner;

create trigger question_steps before update on question for each row execute function sec.question_steps();
create trigger question_reply_fits after insert on question_reply for each row execute function sec.question_reply_fits();
create trigger membership_leaves_questions after update of state on membership
  for each row when (new.state = 'ended') execute function sec.membership_leaves_questions();

alter table question enable row level security;
alter table question force row level security;

create policy question_select on question for select to quorate_web
  using (tenant_id = (select sec.tenant())
    and (audience = 'readers' or asked_by = (select sec.membership()) or id = any ((select sec.questions_heard())::uuid[]))
    and exists (select from document d where d.tenant_id = question.tenant_id and d.id = question.document_id));
create policy question_insert on question for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and asked_by = (select sec.membership()) and state = 'open'
    and exists (
      select from document d
      where d.tenant_id = question.tenant_id and d.id = question.document_id and d.state <> 'binned'));
create policy question_update on question for update to quorate_web
  using (tenant_id = (select sec.tenant())
    and (audience = 'readers' or asked_by = (select sec.membership()) or id = any ((select sec.questions_heard())::uuid[]))
    and exists (select from document d where d.tenant_id = question.tenant_id and d.id = question.document_id))
  with check (tenant_id = (select sec.tenant()));
grant select, insert (tenant_id, document_id, asked_on, kind, audience, body, exact, prefix, suffix, page, asked_by),
  update (state) on question to quorate_web;

alter table question_hearer enable row level security;
alter table question_hearer force row level security;

create policy question_hearer_select on question_hearer for select to quorate_web
  using (tenant_id = (select sec.tenant()) and exists (
    select from question q where q.tenant_id = question_hearer.tenant_id and q.id = question_hearer.question_id));
-- Named once, when it is asked.
create policy question_hearer_insert on question_hearer for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and exists (
    select from question q
    where q.tenant_id = question_hearer.tenant_id and q.id = question_hearer.question_id and q.audience = 'named'
      and q.asked_by = (select sec.membership()) and q.asked_at = now()));
grant select, insert (tenant_id, question_id, membership_id) on question_hearer to quorate_web;

alter table question_reply enable row level security;
alter table question_reply force row level security;

create policy question_reply_select on question_reply for select to quorate_web
  using (tenant_id = (select sec.tenant()) and exists (
    select from question q where q.tenant_id = question_reply.tenant_id and q.id = question_reply.question_id));
create policy question_reply_insert on question_reply for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and by_id = (select sec.membership()) and exists (
    select from question q where q.tenant_id = question_reply.tenant_id and q.id = question_reply.question_id));
grant select, insert (tenant_id, question_id, body, by_id) on question_reply to quorate_web;

alter table question_place enable row level security;
alter table question_place force row level security;

create policy question_place_select on question_place for select to quorate_web
  using (tenant_id = (select sec.tenant()) and exists (
    select from question q where q.tenant_id = question_place.tenant_id and q.id = question_place.question_id));
-- By who asks, and by who adds a version, and only then.
create policy question_place_insert on question_place for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and exists (
    select from question q
    join version v on v.tenant_id = q.tenant_id and v.document_id = q.document_id
    where q.tenant_id = question_place.tenant_id and q.id = question_place.question_id and v.id = question_place.version_id
      and ((q.asked_by = (select sec.membership()) and q.asked_at = now() and q.asked_on = v.number)
        or (v.made_by = (select sec.membership()) and v.made_at = now()))));
grant select, insert (tenant_id, question_id, version_id, page, starts, ends, exact, prefix, suffix) on question_place to quorate_web;

alter table note enable row level security;
alter table note force row level security;

create policy note_select on note for select to quorate_web
  using (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership())
    and exists (select from document d where d.tenant_id = note.tenant_id and d.id = note.document_id));
create policy note_insert on note for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership())
    and exists (select from document d where d.tenant_id = note.tenant_id and d.id = note.document_id));
create policy note_delete on note for delete to quorate_web
  using (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership())
    and exists (select from document d where d.tenant_id = note.tenant_id and d.id = note.document_id));
grant select, insert (tenant_id, document_id, kept_on, membership_id, body, exact, prefix, suffix, page), delete on note to quorate_web;

-- For the definer functions of `sec`, and the demo. Of a note they know whose it is, to end it, and not what it says.
do $$
declare
  name text;
begin
  foreach name in array array['question', 'question_hearer', 'question_reply', 'question_place'] loop
    execute format('create policy %I on %I for select to quorate_sec using (true)', name || '_sec_select', name);
    execute format('create policy %I on %I for insert to quorate_sec with check (true)', name || '_sec_insert', name);
    execute format('grant select, insert on %I to quorate_sec', name);
  end loop;
  foreach name in array array['question_hearer', 'question_place', 'note'] loop
    execute format('create policy %I on %I for delete to quorate_sec using (true)', name || '_sec_delete', name);
    execute format('grant delete on %I to quorate_sec', name);
  end loop;
end
$$;
-- `for share` asks for the right to change.
create policy question_sec_update on question for update to quorate_sec using (true) with check (true);
grant update on question to quorate_sec;
create policy note_sec_select on note for select to quorate_sec using (true);
grant select (tenant_id, membership_id) on note to quorate_sec;

set local role quorate_sec;

-- What was put to named people, and that somebody keeps notes, is in the log like everything else that is done, since no change
-- goes without its line; but the line is read by those people only (`only`, their places here), whoever else reads the log. To
-- everybody else it is what a line of a restricted folder is: a place and two hashes.
drop policy event_select on public.event;
create policy event_select on public.event for select to quorate_web using (
  tenant_id = (select sec.tenant()) and (select sec.has_role('clerk', 'school_admin', 'trust_admin', 'org_admin'))
  and (not detail ? 'folder' or sec.maybe_uuid(detail ->> 'folder') <> all ((select sec.folders_hidden())::uuid[]))
  and (not detail ? 'only' or coalesce((detail -> 'only') ? (select sec.membership()::text), false)));

create or replace function sec.withheld(after bigint, until bigint) returns table (seq bigint, prev bytea, hash bytea)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
declare
  hidden constant uuid[] := sec.folders_hidden();
  own constant text := sec.membership()::text;
begin
  if not sec.has_role('clerk', 'school_admin', 'trust_admin', 'org_admin') then
    return;
  end if;
  return query
    select e.seq, e.prev, e.hash from public.event e
    where e.tenant_id = sec.tenant() and e.seq > withheld.after and e.seq <= withheld.until
      and ((e.detail ? 'folder' and sec.maybe_uuid(e.detail ->> 'folder') = any (hidden))
        or (e.detail ? 'only' and not coalesce((e.detail -> 'only') ? own, false)));
end
$$;

-- Who hears of questions: who asked, who was named, and who files the document. Added to what there is.
do $$
declare
  known text;
begin
  select pg_get_expr(c.conbin, c.conrelid) into strict known from pg_constraint c
  where c.conrelid = 'sec.notice_rule'::regclass and c.conname = 'notice_rule_hears_known';
  alter table sec.notice_rule drop constraint notice_rule_hears_known;
  execute format(
    'alter table sec.notice_rule add constraint notice_rule_hears_known check (%s or hears in (''asker'', ''hearer'', ''filer''))',
    known);
end
$$;
insert into sec.notice_rule (act, hears) values
  ('question.asked', 'owner'), ('question.asked', 'filer'), ('question.put', 'hearer'),
  ('question.replied', 'asker'), ('question.answered', 'asker'), ('question.reopened', 'filer'), ('question.reopened', 'hearer'),
  ('question.withdrawn', 'nobody'), ('note.kept', 'nobody'), ('note.dropped', 'nobody');

-- Tells those of `asker`, `hearer` and `filer` who read the folder now; each hears of it as its reader, and for as long as they are.
-- Of what was put to named people nobody else hears. Where nobody is named to file in an open folder, its clerks do.
create function sec.tell_of_question() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  folder constant uuid := sec.maybe_uuid(new.detail ->> 'folder');
  question constant uuid := sec.maybe_uuid(new.detail ->> 'question');
  doer uuid;
begin
  select m.id into doer from public.membership m where m.tenant_id = new.tenant_id and m.account_id = new.actor;
  with hears as materialized (
    select distinct m.id,
      case when c.mail = 'at_once' and not sec.is_held(new.tenant_id, m.id, new.at) then uuidv7() end as letter
    from (
      select distinct w.id from sec.notice_rule r
      cross join lateral (
        select q.asked_by as id from public.question q
        where r.hears = 'asker' and q.tenant_id = new.tenant_id and q.id = question
        union all
        select h.membership_id from public.question_hearer h
        where r.hears = 'hearer' and h.tenant_id = new.tenant_id and h.question_id = question
        union all
        select f.membership_id from sec.folder_people(new.tenant_id, folder) f
        where r.hears = 'filer' and f.files and not new.detail ? 'only'
        union all
        select p.id from public.folder o
        join public.membership p on p.tenant_id = o.tenant_id and 'clerk' = any (p.roles)
        where r.hears = 'filer' and not new.detail ? 'only' and o.tenant_id = new.tenant_id and o.id = folder and not o.restricted
          and not exists (select from sec.folder_people(new.tenant_id, folder) f where f.files)
      ) w
      where r.act = new.act
    ) told
    join public.membership m on m.tenant_id = new.tenant_id and m.id = told.id and m.state = 'active'
    left join public.notice_choice c on c.tenant_id = m.tenant_id and c.membership_id = m.id
    where m.account_id is distinct from new.actor and sec.reads_folder(new.tenant_id, folder, m.id)
      and not exists (
        select from public.notice n where n.tenant_id = new.tenant_id and n.membership_id = m.id and n.seq = new.seq)
  ), posted as (
    insert into sec.letter (tenant_id, id, membership_id)
    select new.tenant_id, h.letter, h.id from hears h where h.letter is not null
  )
  insert into public.notice (tenant_id, membership_id, seq, at, kind, hears, by_id, folder_id, document_id, letter_id)
  select new.tenant_id, h.id, new.seq, new.at, new.act, 'reader', doer, folder, new.about, h.letter from hears h
  on conflict do nothing;
  return null;
end
$$;
create trigger tell_of_question after insert on public.event
  for each row when (new.act like 'question.%') execute function sec.tell_of_question();

set local role quorate_owner;
