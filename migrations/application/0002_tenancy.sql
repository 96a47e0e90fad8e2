-- Schools, trusts and organisations. A tenant is what every other row belongs to, so its own id is the tenant id.

create table tenant (
  id uuid not null default uuidv7(),
  label text not null,
  name text not null,
  kind text not null,
  phase text,
  trust_id uuid,
  seats integer,
  accent text,
  factor_rule text not null default 'everyone',
  created_at timestamptz not null default now(),
  constraint tenant_pkey primary key (id),
  constraint tenant_label_key unique (label),
  constraint tenant_label_shape check (label ~ '^[a-z][a-z0-9-]{1,40}$'),
  constraint tenant_name_shape check (
    name = btrim(name) and char_length(name) between 1 and 120
    and name !~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]'),
  constraint tenant_kind_known check (kind in ('school', 'trust', 'organisation')),
  constraint tenant_phase_known check (phase in ('primary', 'secondary')),
  constraint tenant_phase_of_school check (phase is null or kind = 'school'),
  constraint tenant_trust_fkey foreign key (trust_id) references tenant (id),
  constraint tenant_trust_of_school check (trust_id is null or kind = 'school'),
  constraint tenant_seats_positive check (seats > 0),
  constraint tenant_accent_shape check (accent ~ '^#[0-9a-f]{6}$' or accent ~ '^[a-z][a-z-]{0,31}$'),
  constraint tenant_factor_rule_known check (factor_rule in ('everyone', 'officers'))
);

comment on column tenant.label is 'first part of the tenant''s own host name';
comment on column tenant.factor_rule is
  'who must have a second factor: every staff and governor role, or only admins, clerks and chairs';

create index tenant_by_trust on tenant (trust_id) where trust_id is not null;

alter table tenant enable row level security;
alter table tenant force row level security;

set local role quorate_sec;

-- On the bare host the person is sealed and the tenant is not: these are the places they may go to. Inside a tenant
-- there are no others.
create function sec.my_tenants() returns uuid[]
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if sec.person() is null or sec.tenant() is not null then
    return '{}';
  end if;
  return array(select m.tenant_id from public.membership m where m.account_id = sec.person() and m.state = 'active');
end
$$;
grant execute on function sec.my_tenants() to quorate_web;

set local role quorate_owner;

create policy tenant_select on tenant for select to quorate_web
  using (id = (select sec.tenant()) or id = any ((select sec.my_tenants())::uuid[]));
create policy tenant_update on tenant for update to quorate_web
  using (id = (select sec.tenant()) and (select sec.has_role('school_admin', 'trust_admin', 'org_admin')))
  with check (id = (select sec.tenant()) and (select sec.has_role('school_admin', 'trust_admin', 'org_admin')));
grant select on tenant to quorate_web;
grant update (name, factor_rule, accent, seats) on tenant to quorate_web;

create policy tenant_worker_select on tenant for select to quorate_worker using (id = (select sec.tenant()));
grant select on tenant to quorate_worker;

-- The definer functions of `sec`. They have no policy to delete: not even they can.
create policy tenant_sec_select on tenant for select to quorate_sec using (true);
create policy tenant_sec_insert on tenant for insert to quorate_sec with check (true);
create policy tenant_sec_update on tenant for update to quorate_sec using (true) with check (true);
grant select, insert, update, references on tenant to quorate_sec;
