-- Whether others see that somebody has a paper open, and on which page. Who has one open is nowhere in the database: only this
-- choice is.

set local role quorate_owner;

-- Who has said nothing is seen.
create table reading_choice (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  shown boolean not null,
  constraint reading_choice_pkey primary key (tenant_id, id),
  constraint reading_choice_membership_fkey foreign key (tenant_id, membership_id) references membership (tenant_id, id),
  constraint reading_choice_person_key unique (tenant_id, membership_id)
);

alter table reading_choice enable row level security;
alter table reading_choice force row level security;

-- One's own: that somebody does not want to be seen is nobody's business either.
create policy reading_choice_select on reading_choice for select to quorate_web
  using (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()));
create policy reading_choice_insert on reading_choice for insert to quorate_web
  with check (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()));
create policy reading_choice_update on reading_choice for update to quorate_web
  using (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()))
  with check (tenant_id = (select sec.tenant()) and membership_id = (select sec.membership()));
grant select, insert (tenant_id, membership_id, shown), update (shown) on reading_choice to quorate_web;

create policy reading_choice_sec_select on reading_choice for select to quorate_sec using (true);
grant select on reading_choice to quorate_sec;

set local role quorate_sec;

-- Those of these people whom the caller may see reading a paper of a folder: others who read it too and have not said that they
-- do not want to be seen. Nobody for who does not read the folder.
create function sec.readers_shown(folder uuid, accounts uuid[]) returns table (membership_id uuid, account_id uuid)
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if readers_shown.folder = any (sec.folders(false)) then
    return query
      select m.id, m.account_id from public.membership m
      join public.folder f on f.tenant_id = m.tenant_id and f.id = readers_shown.folder
      where m.tenant_id = sec.tenant() and m.state = 'active' and m.account_id = any (readers_shown.accounts)
        and m.id <> sec.membership()
        and ((not f.restricted and m.roles && sec.keeper_roles())
          or exists (select from sec.folder_people(f.tenant_id, f.id) p where p.membership_id = m.id))
        and not exists (
          select from public.reading_choice c where c.tenant_id = m.tenant_id and c.membership_id = m.id and not c.shown);
  end if;
end
$$;
grant execute on function sec.readers_shown(uuid, uuid[]) to quorate_web;

insert into sec.notice_rule (act, hears) values ('reading.choice_set', 'nobody');

set local role quorate_owner;
