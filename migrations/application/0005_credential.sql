-- How a person proves who they are, what was tried, and what they were sent. No login has a grant on any of it.

set local role quorate_sec;

create table sec.credential (
  account_id uuid not null,
  phc text not null,
  changed_at timestamptz not null default now(),
  constraint credential_pkey primary key (account_id),
  constraint credential_account_fkey foreign key (account_id) references public.account (id),
  constraint credential_phc_shape check (
    phc ~ '^\$argon2id\$v=19\$m=[0-9]+,t=[0-9]+,p=[0-9]+\$[A-Za-z0-9+/]{22,86}\$[A-Za-z0-9+/]{43,86}$')
);

-- Keyed by a hash (of the e-mail, or of the account for what only a signed-in person tries), so that unknown people
-- are counted exactly as known ones. `known` is the password tried from a browser the account was signed in on.
create table sec.attempt (
  who bytea not null,
  kind text not null,
  recent timestamptz[] not null default '{}',
  locked_until timestamptz,
  lock_level integer not null default 0,
  constraint attempt_pkey primary key (who, kind),
  constraint attempt_kind_known check (kind in ('password', 'known', 'factor', 'step_up', 'reset')),
  constraint attempt_recent_few check (cardinality(recent) <= 10)
) with (fillfactor = 50);

-- At most one confirmed factor, and one that waits to be confirmed: the old one serves until the new one has.
create table sec.factor (
  account_id uuid not null,
  pending boolean not null,
  secret bytea not null,
  last_step bigint not null default 0,
  confirmed_at timestamptz,
  created_at timestamptz not null default now(),
  constraint factor_pkey primary key (account_id, pending),
  constraint factor_account_fkey foreign key (account_id) references public.account (id),
  constraint factor_pending_unconfirmed check (pending = (confirmed_at is null))
);
comment on column sec.factor.secret is 'encrypted by the application; never readable here';
comment on column sec.factor.last_step is 'the last 30-second step that was used: no code works twice';

create table sec.recovery_code (
  account_id uuid not null,
  code_hash bytea not null,
  used_at timestamptz,
  constraint recovery_code_pkey primary key (account_id, code_hash),
  constraint recovery_code_account_fkey foreign key (account_id) references public.account (id),
  constraint recovery_code_hash_length check (octet_length(code_hash) = 32)
);

create table sec.session (
  id uuid not null default uuidv7(),
  token_hash bytea not null,
  account_id uuid not null,
  tenant_id uuid,
  membership_id uuid,
  assurance text not null,
  factor_at timestamptz,
  shared boolean not null,
  agent text,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '10 hours',
  idle interval not null,
  stepped_up_at timestamptz,
  ended_at timestamptz,
  ended_why text,
  constraint session_pkey primary key (id),
  constraint session_token_key unique (token_hash),
  constraint session_account_fkey foreign key (account_id) references public.account (id),
  constraint session_membership_fkey foreign key (tenant_id, membership_id) references public.membership (tenant_id, id),
  constraint session_place check ((tenant_id is null) = (membership_id is null)),
  constraint session_assurance_known check (assurance in ('password', 'full')),
  constraint session_factor_is_full check (factor_at is null or assurance = 'full'),
  constraint session_token_length check (octet_length(token_hash) = 32),
  constraint session_agent_short check (char_length(agent) <= 80),
  constraint session_ended check ((ended_at is null) = (ended_why is null))
) with (fillfactor = 70);
comment on column sec.session.tenant_id is 'null on the bare host';
comment on column sec.session.factor_at is 'when the second factor was passed, here or where the ticket came from';
create index session_by_account on sec.session (account_id) where ended_at is null;

create table sec.invitation (
  tenant_id uuid not null,
  id uuid not null default uuidv7(),
  membership_id uuid not null,
  token_hash bytea,
  expires_at timestamptz,
  used_at timestamptz,
  voided_at timestamptz,
  created_at timestamptz not null default now(),
  constraint invitation_pkey primary key (tenant_id, id),
  constraint invitation_token_key unique (token_hash),
  constraint invitation_membership_fkey foreign key (tenant_id, membership_id)
    references public.membership (tenant_id, id),
  constraint invitation_mailed check ((token_hash is null) = (expires_at is null))
);
-- Also the promise that an earlier invitation is void once there is a later one.
create unique index invitation_open_key on sec.invitation (tenant_id, membership_id)
  where used_at is null and voided_at is null;

create table sec.reset (
  id uuid not null default uuidv7(),
  account_id uuid not null,
  tenant_id uuid not null,
  token_hash bytea,
  expires_at timestamptz,
  used_at timestamptz,
  voided_at timestamptz,
  created_at timestamptz not null default now(),
  constraint reset_pkey primary key (id),
  constraint reset_token_key unique (token_hash),
  constraint reset_account_fkey foreign key (account_id) references public.account (id),
  constraint reset_tenant_fkey foreign key (tenant_id) references public.tenant (id),
  constraint reset_mailed check ((token_hash is null) = (expires_at is null))
);
comment on column sec.reset.tenant_id is 'whose log carries the request and whose host the link leads to';
create index reset_by_account on sec.reset (account_id, created_at);

create table sec.ticket (
  token_hash bytea not null,
  account_id uuid not null,
  from_session uuid not null,
  tenant_id uuid not null,
  expires_at timestamptz not null default now() + interval '60 seconds',
  used_at timestamptz,
  constraint ticket_pkey primary key (token_hash),
  constraint ticket_account_fkey foreign key (account_id) references public.account (id),
  constraint ticket_session_fkey foreign key (from_session) references sec.session (id) on delete cascade,
  constraint ticket_tenant_fkey foreign key (tenant_id) references public.tenant (id)
);
create index ticket_by_session on sec.ticket (from_session);

-- One spelling for an address; the table holds only this one.
create function sec.email(typed text) returns text
language sql immutable parallel safe
return normalize(lower(btrim(typed)));

create function sec.email_hash(typed text) returns bytea
language sql immutable parallel safe
return sha256(convert_to(sec.email(typed), 'UTF8'));

-- Counts a try before it is judged, and says how many seconds to wait: 0 means judge it. At most 10 in any 5 minutes;
-- the eleventh locks for 1, 2, 4 … 60 minutes, and never for less than those 5 minutes last.
create function sec.try(who bytea, kind text) returns integer
language plpgsql volatile
as $$
declare
  a sec.attempt;
  moment timestamptz;
begin
  loop
    insert into sec.attempt (who, kind) values (try.who, try.kind) on conflict on constraint attempt_pkey do nothing;
    select t.* into a from sec.attempt t where t.who = try.who and t.kind = try.kind for update;
    exit when found; -- else the sweep took it in between
  end loop;
  moment := clock_timestamp();
  if a.locked_until > moment then
    return ceil(extract(epoch from a.locked_until - moment));
  end if;
  -- A quiet day forgives.
  if a.locked_until < moment - interval '1 day' then
    a.lock_level := 0;
  end if;
  if cardinality(a.recent) = 10 and a.recent[1] > moment - interval '5 minutes' then
    a.locked_until := greatest(
      moment + least(power(2, a.lock_level), 60) * interval '1 minute', a.recent[1] + interval '5 minutes');
    update sec.attempt t set locked_until = a.locked_until, lock_level = least(a.lock_level + 1, 10)
    where t.who = try.who and t.kind = try.kind;
    return ceil(extract(epoch from a.locked_until - moment));
  end if;
  update sec.attempt t
  set recent = (array_append(a.recent, moment))[greatest(cardinality(a.recent) - 8, 1):], lock_level = a.lock_level
  where t.who = try.who and t.kind = try.kind;
  return 0;
end
$$;

-- Keeps the row: a try that waits for its lock must find it, or it would go uncounted.
create function sec.try_passed(who bytea, kind text) returns void
language sql volatile
as $$
  update sec.attempt t set recent = '{}', locked_until = null, lock_level = 0
  where t.who = try_passed.who and t.kind = try_passed.kind
$$;

-- A token is hashed before it is looked up or stored, so a copy of the tables opens nothing.
create function sec.token_hash(token bytea) returns bytea
language plpgsql immutable parallel safe
as $$
begin
  if token is null or octet_length(token) not between 16 and 64 then
    raise exception 'a token has 16 to 64 bytes' using errcode = '22023';
  end if;
  return sha256(token);
end
$$;

set local role quorate_owner;
