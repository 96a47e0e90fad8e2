-- What the clerk's further verbs on people need.

set local role quorate_sec;

-- The place of somebody who has not joined goes to another address, which is to say to another account: the account of the
-- address that was wrong stays whose it is. Returns the account that has the place now. Whether it was there before is not
-- told. Inviting there is the caller's part.
create function sec.correct_address(membership uuid, email text) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  owner uuid;
begin
  if not sec.manages(correct_address.membership) then
    raise exception 'only a clerk or an administrator corrects addresses' using errcode = '42501';
  end if;
  owner := sec.account_for(correct_address.email);
  update public.membership m set account_id = owner
  where m.tenant_id = sec.tenant() and m.id = correct_address.membership and m.state = 'invited';
  if not found then
    raise exception 'only the address of somebody who has not joined is corrected'
      using errcode = '23514', table = 'invitation', constraint = 'invitation_of_invited';
  end if;
  return owner;
end
$$;

grant execute on function sec.correct_address(uuid, text) to quorate_web;


-- Ends what the account still has open in this tenant: sessions, invitations, resets that were asked for through it, tickets to
-- it, and with them the letters that wait: the worker makes a link only for a letter that is still due. Returns {"sessions":
-- [ids], "invitations": n, "resets": n, "letters": n, "tickets": n}, for the event's detail; appending it is the caller's part.
create or replace function sec.revoke(account uuid, why text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  here uuid := sec.tenant();
  place uuid;
  sessions jsonb;
  invitations integer;
  resets integer;
  letters integer;
  waiting integer;
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
  with ended as (
    update sec.invitation i set voided_at = clock_timestamp()
    where i.tenant_id = here and i.membership_id = place and i.used_at is null and i.voided_at is null
    returning i.token_hash
  )
  select count(*), count(*) filter (where e.token_hash is null) into invitations, letters from ended e;
  with ended as (
    update sec.reset r set voided_at = clock_timestamp()
    where r.tenant_id = here and r.account_id = revoke.account and r.used_at is null and r.voided_at is null
    returning r.token_hash
  )
  select count(*), count(*) filter (where e.token_hash is null) into resets, waiting from ended e;
  update sec.ticket t set used_at = clock_timestamp()
  where t.tenant_id = here and t.account_id = revoke.account and t.used_at is null;
  get diagnostics tickets = row_count;
  return jsonb_build_object('sessions', sessions, 'invitations', invitations, 'resets', resets,
    'letters', letters + waiting, 'tickets', tickets);
end
$$;

-- The acts that the worker writes a letter about.
create index event_by_letter on public.event (tenant_id, seq)
  where act in ('membership.invited', 'membership.reinvited', 'membership.address_corrected', 'reset.asked');
drop index public.event_by_mail;

create or replace function sec.jobs_after(name text, most integer default 100)
returns table (tenant_id uuid, seq bigint, at timestamptz, act text, actor uuid, about uuid, detail jsonb)
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    with behind as (
      select h.tenant_id as tenant, h.seq as head, coalesce(c.seq, 0) as done
      from sec.event_head h
      left join sec.relay_cursor c on c.tenant_id = h.tenant_id and c.name = jobs_after.name
      where h.seq > coalesce(c.seq, 0)
    ), due as materialized (
      select e.* from behind b cross join lateral (
        select v.tenant_id, v.seq, v.at, v.act, v.actor, v.about, v.detail from public.event v
        where v.tenant_id = b.tenant and v.seq > b.done
          and v.act in ('membership.invited', 'membership.reinvited', 'membership.address_corrected', 'reset.asked')
        order by v.seq limit most
      ) e
    ), moved as (
      insert into sec.relay_cursor as c (name, tenant_id, seq)
      select jobs_after.name, b.tenant, b.head from behind b
      where not exists (select from due d where d.tenant_id = b.tenant)
      on conflict on constraint relay_cursor_pkey do update set seq = greatest(c.seq, excluded.seq)
    )
    select d.tenant_id, d.seq, d.at, d.act, d.actor, d.about, d.detail from due d order by d.tenant_id, d.seq;
end
$$;

set local role quorate_owner;
