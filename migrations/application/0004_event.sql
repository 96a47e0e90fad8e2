-- What happened. One row is at once the audit line, the live push and the source of mail and jobs, so the three
-- cannot disagree. Rows are added by sec.append alone; no role has a policy or a grant to change or delete one.

set local role quorate_sec;

-- One row per tenant. Whoever holds its lock is the only one who writes to that tenant's log.
create table sec.event_head (
  tenant_id uuid not null,
  seq bigint not null default 0,
  hash bytea not null default decode(repeat('00', 32), 'hex'),
  constraint event_head_pkey primary key (tenant_id),
  constraint event_head_tenant_fkey foreign key (tenant_id) references public.tenant (id),
  constraint event_head_hash_length check (octet_length(hash) = 32)
) with (fillfactor = 30);

-- Owned by quorate_sec, which adds a partition each month. No foreign keys: the head row vouches for the tenant, and
-- a line of the log outlives the account it names.
create table public.event (
  tenant_id uuid not null,
  seq bigint not null,
  at timestamptz not null,
  act text not null,
  actor uuid,
  about uuid,
  detail jsonb not null default '{}',
  topics text[] not null default '{}',
  closes jsonb,
  prev bytea not null,
  hash bytea not null,
  constraint event_pkey primary key (tenant_id, seq, at),
  constraint event_seq_positive check (seq > 0),
  constraint event_act_shape check (act ~ '^[a-z][a-z_]*(\.[a-z][a-z_]*)+$'),
  constraint event_detail_object check (jsonb_typeof(detail) = 'object'),
  constraint event_closes_object check (jsonb_typeof(closes) = 'object'),
  constraint event_hash_length check (octet_length(prev) = 32 and octet_length(hash) = 32)
) partition by range (at);

comment on column public.event.actor is 'the account that acted; null for a job or before sign-in';
comment on column public.event.about is 'the membership or other subject it was done to';
comment on column public.event.closes is 'sockets to close: {"accounts": […], "sessions": […], "code": 4403}';

-- What the mail relay looks for, without reading the rest of the log.
create index event_by_mail on public.event (tenant_id, seq)
  where act in ('membership.invited', 'membership.reinvited', 'reset.asked');
create index event_by_about on public.event (tenant_id, about, seq) where about is not null;

-- Partitions stand in `sec`, without grants and policies: whoever reads a row reads it through the parent.
create table sec.event_default partition of public.event default;
alter table sec.event_default enable row level security;
alter table sec.event_default force row level security;

-- Makes this month's partition and those of the months ahead; returns how many were missing. Rows that fell into the
-- default partition stay there, and so does their month: moving them would need the right to delete.
create function sec.make_partitions(months_ahead integer) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp set lock_timeout = '5s'
as $$
declare
  month timestamp;
  starts timestamptz;
  ends timestamptz;
  part text;
  made integer := 0;
begin
  for ahead in 0 .. least(greatest(months_ahead, 0), 24) loop
    month := date_trunc('month', clock_timestamp() at time zone 'UTC') + make_interval(months => ahead);
    starts := month at time zone 'UTC';
    ends := (month + interval '1 month') at time zone 'UTC';
    part := 'event_' || to_char(month, 'YYYY_MM');
    continue when to_regclass('sec.' || part) is not null
      or exists (select from public.event e where e.at >= starts and e.at < ends);
    execute format('create table sec.%I partition of public.event for values from (%L) to (%L)', part, starts, ends);
    execute format('alter table sec.%I enable row level security', part);
    execute format('alter table sec.%I force row level security', part);
    made := made + 1;
  end loop;
  return made;
end
$$;
select sec.make_partitions(3);

-- The whole recipe of the chain, for anybody who checks it: text joined by line feeds, times in microseconds UTC.
create function sec.event_hash(
  prev bytea, tenant_id uuid, seq bigint, at timestamptz, act text, actor uuid, about uuid, detail jsonb,
  topics text[], closes jsonb
) returns bytea
language sql immutable parallel safe
return sha256(prev || convert_to(concat_ws(E'\n',
  tenant_id::text, seq::text, (extract(epoch from at) * 1000000)::bigint::text, act, coalesce(actor::text, '-'),
  coalesce(about::text, '-'), detail::text, topics::text, coalesce(closes::text, '-')), 'UTF8'));

-- Appends for whom it is told; only functions of this schema may call it. Holds the head's lock until the commit, so
-- a seq becomes visible only after every smaller one. Several tenants in one transaction: in order of their id.
create function sec.append_for(
  tenant uuid, actor uuid, act text, about uuid, detail jsonb, topics text[], closes jsonb
) returns bigint
language plpgsql volatile
as $$
declare
  head sec.event_head;
  moment timestamptz;
  next_hash bytea;
begin
  select h.* into head from sec.event_head h where h.tenant_id = append_for.tenant for update;
  if not found then
    raise exception 'no_such_tenant' using errcode = 'QR404';
  end if;
  moment := clock_timestamp();
  detail := coalesce(detail, '{}');
  topics := coalesce(topics, '{}');
  next_hash := sec.event_hash(
    head.hash, append_for.tenant, head.seq + 1, moment, act, actor, about, detail, topics, closes);
  insert into public.event (tenant_id, seq, at, act, actor, about, detail, topics, closes, prev, hash)
  values (append_for.tenant, head.seq + 1, moment, act, actor, about, detail, topics, closes, head.hash, next_hash);
  update sec.event_head h set seq = head.seq + 1, hash = next_hash where h.tenant_id = append_for.tenant;
  return head.seq + 1;
end
$$;

-- The last statement of every write. Under the lock, and with a snapshot taken after it, the caller must still be
-- who was sealed: a removal that committed first wins. QR401 when they are gone.
create function sec.append(act text, about uuid, detail jsonb, topics text[], closes jsonb) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  sealed text[] := sec.seal();
  moment timestamptz;
begin
  if nullif(sealed[1], '') is null then
    raise exception 'caller_gone' using errcode = 'QR401';
  end if;
  -- The second look needs a second snapshot.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'an event is appended in read committed only' using errcode = '0A000';
  end if;
  perform from sec.event_head h where h.tenant_id = sealed[1]::uuid for update;
  moment := clock_timestamp();
  if sealed[4] <> '' and not exists (
    select from sec.session s
    join public.account a on a.id = s.account_id and a.closed_at is null
    join public.membership m on m.tenant_id = s.tenant_id and m.id = s.membership_id
    where s.id = sealed[4]::uuid and sec.is_live(s, moment)
      and m.id = sealed[3]::uuid and m.state = 'active' and m.version = sealed[6]::bigint
  ) then
    raise exception 'caller_gone' using errcode = 'QR401';
  end if;
  return sec.append_for(sealed[1]::uuid, nullif(sealed[2], '')::uuid, act, about, detail, topics, closes);
end
$$;

-- The seq a page is rendered at: read it in the same repeatable-read transaction as the page's data.
create function sec.seq() returns bigint
language plpgsql stable security definer parallel restricted set search_path = pg_catalog, sec, pg_temp
as $$ begin return (select h.seq from sec.event_head h where h.tenant_id = sec.tenant()); end $$;

grant execute on function sec.append(text, uuid, jsonb, text[], jsonb) to quorate_web, quorate_worker;
grant execute on function sec.seq() to quorate_web;
grant execute on function sec.make_partitions(integer) to quorate_worker, quorate_owner, quorate_migrator;
grant execute on function
  sec.event_hash(bytea, uuid, bigint, timestamptz, text, uuid, uuid, jsonb, text[], jsonb) to quorate_auditor;

alter table public.event enable row level security;
alter table public.event force row level security;

create policy event_select on public.event for select to quorate_web using (
  tenant_id = (select sec.tenant()) and (select sec.has_role('clerk', 'school_admin', 'trust_admin', 'org_admin')));
create policy event_worker_select on public.event for select to quorate_worker
  using (tenant_id = (select sec.tenant()));
create policy event_auditor_select on public.event for select to quorate_auditor using (true);
create policy event_sec_select on public.event for select to quorate_sec using (true);
create policy event_sec_insert on public.event for insert to quorate_sec with check (true);
grant select on public.event to quorate_web, quorate_worker, quorate_auditor;

set local role quorate_owner;
