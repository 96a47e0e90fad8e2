-- People. An account is one person in the whole installation; a membership joins an account to one tenant.

-- A platform table: it has no tenant, and so a foreign key to it is the one kind that carries no tenant_id.
-- Its id tells no time, unlike uuidv7(): a clerk who adds somebody must not read off it that they had an account before.
create table account (
  id uuid not null default gen_random_uuid(),
  email text not null,
  created_at timestamptz not null default now(),
  closed_at timestamptz,
  constraint account_pkey primary key (id),
  constraint account_email_key unique (email),
  constraint account_email_lower check (email = lower(btrim(email))),
  constraint account_email_shape check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and char_length(email) <= 254)
);

create table membership (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  name text not null,
  roles text[] not null,
  state text not null default 'invited',
  version bigint not null default 1,
  invited_at timestamptz not null default now(),
  joined_at timestamptz,
  suspended_at timestamptz,
  ended_at timestamptz,
  constraint membership_pkey primary key (tenant_id, id),
  constraint membership_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint membership_account_fkey foreign key (account_id) references account (id),
  constraint membership_account_key unique (tenant_id, account_id),
  -- As the person gives it; no control characters and none that turn the writing direction of what follows.
  constraint membership_name_shape check (
    name = btrim(name) and char_length(name) between 1 and 120
    and name !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint membership_roles_some check (cardinality(roles) > 0),
  constraint membership_roles_known check (roles <@ array[
    'school_admin', 'senior_leader', 'senco', 'teacher', 'teaching_assistant', 'clerk', 'chair', 'governor',
    'associate', 'parent', 'member', 'trust_admin', 'trust_lead', 'org_admin', 'org_staff']),
  constraint membership_state_known check (state in ('invited', 'active', 'suspended', 'ended')),
  constraint membership_state_times check (case state
    when 'invited' then joined_at is null and suspended_at is null and ended_at is null
    when 'active' then joined_at is not null and suspended_at is null and ended_at is null
    when 'suspended' then joined_at is not null and suspended_at is not null and ended_at is null
    else ended_at is not null end),
  constraint membership_version_positive check (version > 0)
);

create index membership_by_account on membership (account_id, tenant_id);

-- Keeps version and times, which nobody may set by hand: the version ends a caller's right to go on, and the times
-- are evidence. Only accepting an invitation makes an invited person active, and that runs as quorate_sec.
create function membership_keep() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  new.roles := array(select distinct r from unnest(new.roles) as r order by r);
  if tg_op = 'INSERT' then
    return new;
  end if;
  if new.state <> old.state then
    if (old.state, new.state) not in (('invited', 'ended'), ('active', 'suspended'), ('active', 'ended'),
        ('suspended', 'active'), ('suspended', 'ended'), ('ended', 'invited'))
       and not (old.state = 'invited' and new.state = 'active' and current_user = 'quorate_sec') then
      raise exception 'a membership cannot go from % to %', old.state, new.state
        using errcode = '23514', table = 'membership', constraint = 'membership_step';
    end if;
    case new.state
      when 'invited' then
        new.invited_at := now(); new.joined_at := null; new.suspended_at := null; new.ended_at := null;
      when 'active' then
        new.joined_at := coalesce(old.joined_at, now()); new.suspended_at := null;
      when 'suspended' then
        new.suspended_at := now();
      else
        new.ended_at := now();
    end case;
  end if;
  if new.state <> old.state or new.roles <> old.roles then
    new.version := old.version + 1;
  end if;
  return new;
end
$$;

create trigger membership_keep before insert or update on membership for each row execute function membership_keep();

set local role quorate_sec;

-- Locks the tenant's event_head first. A writer that appended holds it already; any other waits here for whoever
-- is removing the other admin, and then counts with a fresh snapshot.
create function sec.membership_last_admin() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  perform from sec.event_head h where h.tenant_id = old.tenant_id for update;
  if exists (select from public.tenant t where t.id = old.tenant_id)
     and not exists (select from public.membership m
       where m.tenant_id = old.tenant_id and m.state = 'active' and m.roles && sec.admin_roles()) then
    raise exception 'the last administrator must stay'
      using errcode = '23514', table = 'membership', constraint = 'membership_last_admin';
  end if;
  return null;
end
$$;
grant execute on function sec.membership_last_admin() to quorate_owner;

set local role quorate_owner;

create constraint trigger membership_last_admin after update or delete on membership
  deferrable initially deferred for each row
  when (old.state = 'active' and old.roles && array['school_admin', 'trust_admin', 'org_admin'])
  execute function sec.membership_last_admin();

alter table membership enable row level security;
alter table membership force row level security;

create policy membership_select on membership for select to quorate_web using (
  tenant_id = (select sec.tenant()) and (
    account_id = (select sec.person())
    or (select sec.has_role('clerk', 'school_admin', 'senior_leader', 'trust_admin', 'trust_lead', 'org_admin'))
    or ((select sec.has_role('chair', 'governor', 'associate', 'senco', 'teacher', 'teaching_assistant', 'org_staff'))
      and not roles <@ array['parent', 'member'])));

create policy membership_insert on membership for insert to quorate_web with check (
  tenant_id = (select sec.tenant()) and state = 'invited' and (
    (select sec.has_role('school_admin', 'trust_admin', 'org_admin'))
    or ((select sec.has_role('clerk')) and not roles && array['school_admin', 'trust_admin', 'org_admin'])));

-- Nobody changes their own row, or a clerk would make himself something else and an admin lock himself out. The
-- clerk's term holds for the old row and, as check, for the new one.
create policy membership_update on membership for update to quorate_web
  using (
    tenant_id = (select sec.tenant()) and account_id <> (select sec.person()) and (
      (select sec.has_role('school_admin', 'trust_admin', 'org_admin'))
      or ((select sec.has_role('clerk')) and not roles && array['school_admin', 'trust_admin', 'org_admin'])))
  with check (
    tenant_id = (select sec.tenant()) and account_id <> (select sec.person()) and (
      (select sec.has_role('school_admin', 'trust_admin', 'org_admin'))
      or ((select sec.has_role('clerk')) and not roles && array['school_admin', 'trust_admin', 'org_admin'])));

grant select, insert (tenant_id, account_id, name, roles), update (name, roles, state) on membership to quorate_web;

create policy membership_worker_select on membership for select to quorate_worker
  using (tenant_id = (select sec.tenant()));
grant select on membership to quorate_worker;

create policy membership_sec_select on membership for select to quorate_sec using (true);
create policy membership_sec_insert on membership for insert to quorate_sec with check (true);
create policy membership_sec_update on membership for update to quorate_sec using (true) with check (true);
grant select, insert, update, references on membership to quorate_sec;

alter table account enable row level security;
alter table account force row level security;

-- E-mail addresses are not for everybody: one's own, and those of the tenant for who runs it.
create policy account_select on account for select to quorate_web using (
  id = (select sec.person())
  or ((select sec.has_role('clerk', 'school_admin', 'senior_leader', 'trust_admin', 'org_admin'))
    and exists (select from membership m where m.tenant_id = (select sec.tenant()) and m.account_id = account.id)));
-- Not created_at, which would tell a clerk who just added somebody that they were known elsewhere already.
grant select (id, email) on account to quorate_web;

create policy account_sec_select on account for select to quorate_sec using (true);
create policy account_sec_insert on account for insert to quorate_sec with check (true);
create policy account_sec_update on account for update to quorate_sec using (true) with check (true);
grant select, insert, update, references on account to quorate_sec;
