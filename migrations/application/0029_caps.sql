-- How much one person puts beside one document, so that what is looked for in each new version of it stays within what a machine
-- does in a moment; and whether a version has more text than is kept.

set local role quorate_owner;

alter table version add column cut boolean not null default false;
comment on column version.cut is 'whether its file has more text than is kept to be searched and compared';
grant insert (cut) on version to quorate_web;

set local role quorate_sec;

-- Two at once of one person wait for each other: else neither would count the other. A comment stays open, and so does a question
-- until it is answered or taken back; one that is opened again counts again.
create function sec.question_few() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('question ' || new.document_id || ' ' || new.asked_by, 0));
  if (select count(*) from public.question q
    where q.tenant_id = new.tenant_id and q.document_id = new.document_id and q.asked_by = new.asked_by and q.state = 'open') > 200 then
    raise exception 'one person has so many open on a document'
      using errcode = '23514', table = 'question', constraint = 'question_few';
  end if;
  return null;
end
$$;

create function sec.note_few() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('note ' || new.document_id || ' ' || new.membership_id, 0));
  if (select count(*) from public.note n
    where n.tenant_id = new.tenant_id and n.document_id = new.document_id and n.membership_id = new.membership_id) > 200 then
    raise exception 'one person has so many on a document'
      using errcode = '23514', table = 'note', constraint = 'note_few';
  end if;
  return null;
end
$$;

grant execute on function sec.question_few(), sec.note_few() to quorate_owner;

set local role quorate_owner;

-- Whose a note is they know already, and now on which document; not what it says.
grant select (document_id) on note to quorate_sec;

create trigger question_few after insert on question
  for each row when (new.state = 'open') execute function sec.question_few();
create trigger question_few_again after update of state on question
  for each row when (new.state = 'open' and old.state <> 'open') execute function sec.question_few();
create trigger note_few after insert on note for each row execute function sec.note_few();
