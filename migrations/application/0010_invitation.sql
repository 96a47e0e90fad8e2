-- Bringing people in and sending them away: what the clerk's verbs need beyond the membership row itself.

set local role quorate_sec;

-- Whether the sealed caller may manage this membership: the rule of the policy membership_update, for definer functions.
create function sec.manages(membership uuid) returns boolean
language plpgsql stable
as $$
begin
  return exists (
    select from public.membership m
    where m.tenant_id = sec.tenant() and m.id = manages.membership and m.account_id <> sec.person()
      and (sec.has_role('school_admin', 'trust_admin', 'org_admin')
        or (sec.has_role('clerk') and not m.roles && sec.admin_roles())));
end
$$;

-- The account of an address, made when missing: the answer has the same shape whether it existed.
create function sec.account_for(email text) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  found_id uuid;
begin
  if sec.tenant() is null or not sec.has_role('clerk', 'school_admin', 'trust_admin', 'org_admin') then
    raise exception 'only a clerk or an administrator adds people' using errcode = '42501';
  end if;
  insert into public.account as a (email) values (sec.email(account_for.email))
  on conflict on constraint account_email_key do nothing returning a.id into found_id;
  if found_id is null then
    select a.id into found_id from public.account a where a.email = sec.email(account_for.email);
  end if;
  return found_id;
end
$$;

-- A new invitation of an invited membership, in the transaction that records it; earlier ones are void. The worker
-- gives it its token when the mail goes out.
create function sec.invite(membership uuid) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  made uuid;
begin
  if not sec.manages(invite.membership) then
    raise exception 'only a clerk or an administrator invites people' using errcode = '42501';
  end if;
  perform from public.membership m
  where m.tenant_id = sec.tenant() and m.id = invite.membership and m.state = 'invited' for update;
  if not found then
    raise exception 'only somebody who has not joined is invited'
      using errcode = '23514', table = 'invitation', constraint = 'invitation_of_invited';
  end if;
  update sec.invitation i set voided_at = clock_timestamp()
  where i.tenant_id = sec.tenant() and i.membership_id = invite.membership
    and i.used_at is null and i.voided_at is null;
  insert into sec.invitation as i (tenant_id, membership_id) values (sec.tenant(), invite.membership)
  returning i.id into made;
  return made;
end
$$;

-- Ends what the account still has open in this tenant: sessions, invitations, resets that were asked for through it,
-- and tickets to it. Returns {"sessions": [ids], "invitations": n, "resets": n, "tickets": n}, for the event's
-- `closes`; appending that event is the caller's part.
create function sec.revoke(account uuid, why text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  here uuid := sec.tenant();
  place uuid;
  sessions jsonb;
  invitations integer;
  resets integer;
  tickets integer;
begin
  select m.id into place from public.membership m where m.tenant_id = here and m.account_id = revoke.account;
  if place is null or not sec.manages(place) then
    raise exception 'only a clerk or an administrator sends people away' using errcode = '42501';
  end if;
  perform sec.lock_account(revoke.account);
  perform from sec.session s
  where s.tenant_id = here and s.account_id = revoke.account and s.ended_at is null order by s.id for update;
  with ended as (
    update sec.session s set ended_at = clock_timestamp(), ended_why = why
    where s.tenant_id = here and s.account_id = revoke.account and s.ended_at is null
    returning s.id
  )
  select coalesce(jsonb_agg(e.id order by e.id), '[]') into sessions from ended e;
  update sec.invitation i set voided_at = clock_timestamp()
  where i.tenant_id = here and i.membership_id = place and i.used_at is null and i.voided_at is null;
  get diagnostics invitations = row_count;
  update sec.reset r set voided_at = clock_timestamp()
  where r.tenant_id = here and r.account_id = revoke.account and r.used_at is null and r.voided_at is null;
  get diagnostics resets = row_count;
  update sec.ticket t set used_at = clock_timestamp()
  where t.tenant_id = here and t.account_id = revoke.account and t.used_at is null;
  get diagnostics tickets = row_count;
  return jsonb_build_object('sessions', sessions, 'invitations', invitations, 'resets', resets, 'tickets', tickets);
end
$$;

-- For the mail: the token goes onto the open invitation and lives 7 days from now. No row when it was voided.
create function sec.invitation_issue(tenant uuid, membership uuid, token bytea)
returns table (email text, name text, tenant_name text, label text)
language plpgsql volatile security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    with issued as (
      update sec.invitation i
      set token_hash = sec.token_hash(token), expires_at = clock_timestamp() + interval '7 days'
      where i.tenant_id = invitation_issue.tenant and i.membership_id = invitation_issue.membership
        and i.used_at is null and i.voided_at is null
      returning i.tenant_id, i.membership_id
    )
    select a.email, m.name, t.name, t.label
    from issued i
    join public.membership m on m.tenant_id = i.tenant_id and m.id = i.membership_id and m.state = 'invited'
    join public.account a on a.id = m.account_id and a.closed_at is null
    join public.tenant t on t.id = i.tenant_id;
end
$$;

-- What the page of an invitation shows; no row when it cannot be used (any more, or on this host).
create function sec.invitation_open(token bytea, tenant uuid)
returns table (name text, email text, tenant_name text, has_password boolean)
language plpgsql stable security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    select m.name, a.email, t.name, exists (select from sec.credential c where c.account_id = a.id)
    from sec.invitation i
    join public.membership m on m.tenant_id = i.tenant_id and m.id = i.membership_id and m.state = 'invited'
    join public.account a on a.id = m.account_id and a.closed_at is null
    join public.tenant t on t.id = i.tenant_id
    where i.token_hash = sec.token_hash(token) and i.tenant_id = invitation_open.tenant
      and i.used_at is null and i.voided_at is null and i.expires_at > clock_timestamp();
end
$$;

-- ok: joined, with the password given. needs_sign_in: joined, and the password they already have is left as it is.
-- gone: nothing was changed. The membership is locked before the invitation, as the clerk's verbs lock them.
create function sec.invitation_accept(token bytea, tenant uuid, phc text default null) returns text
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  who public.membership;
  had_password boolean;
begin
  select m.* into who
  from sec.invitation i join public.membership m on m.tenant_id = i.tenant_id and m.id = i.membership_id
  where i.token_hash = sec.token_hash(token) and i.tenant_id = invitation_accept.tenant and m.state = 'invited'
  for update of m;
  if not found or not exists (select from public.account a where a.id = who.account_id and a.closed_at is null) then
    return 'gone';
  end if;
  had_password := exists (select from sec.credential c where c.account_id = who.account_id);
  if not had_password and invitation_accept.phc is null then
    raise exception 'the first invitation sets a password' using errcode = '22023';
  end if;
  update sec.invitation i set used_at = clock_timestamp()
  where i.token_hash = sec.token_hash(token) and i.tenant_id = invitation_accept.tenant
    and i.used_at is null and i.voided_at is null and i.expires_at > clock_timestamp();
  if not found then
    return 'gone';
  end if;
  if not had_password then
    insert into sec.credential (account_id, phc) values (who.account_id, invitation_accept.phc)
    on conflict on constraint credential_pkey do nothing;
  end if;
  update public.membership m set state = 'active' where m.tenant_id = who.tenant_id and m.id = who.id;
  perform sec.append_for(who.tenant_id, who.account_id, 'membership.accepted', who.id, '{}',
    array['people', 'me/' || who.account_id], null);
  return case when had_password then 'needs_sign_in' else 'ok' end;
end
$$;

grant execute on function sec.account_for(text), sec.invite(uuid), sec.revoke(uuid, text),
  sec.invitation_open(bytea, uuid), sec.invitation_accept(bytea, uuid, text) to quorate_web;
grant execute on function sec.invitation_issue(uuid, uuid, bytea) to quorate_worker;

set local role quorate_owner;
