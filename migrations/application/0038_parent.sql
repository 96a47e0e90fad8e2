-- How parents come in and what they are told: that they were asked as parents, that a child was linked to them, and nothing any more
-- of a child that was taken from them.

set local role quorate_sec;

-- Whether somebody is asked in as a parent alone, which their letter says in other words.
drop function sec.invitation_issue(uuid, uuid, bytea);
create function sec.invitation_issue(tenant uuid, membership uuid, token bytea)
returns table (email text, name text, tenant_name text, label text, as_parent boolean)
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
    select a.email, m.name, t.name, t.label, m.roles = array['parent']
    from issued i
    join public.membership m on m.tenant_id = i.tenant_id and m.id = i.membership_id and m.state = 'invited'
    join public.account a on a.id = m.account_id and a.closed_at is null
    join public.tenant t on t.id = i.tenant_id;
end
$$;
grant execute on function sec.invitation_issue(uuid, uuid, bytea) to quorate_worker;

-- What was to be told of a child, at home or by a letter that has not left, is not told to whom the last child is taken from: it
-- would say that there is something on record. Rows that the person is marking just now are left to them.
create function sec.child_taken() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  if exists (
    select from public.guardian_link g
    where g.tenant_id = new.tenant_id and g.membership_id = new.membership_id and g.ended_at is null
      and not exists (
        select from public.contact_restriction r
        where r.tenant_id = g.tenant_id and r.membership_id = g.membership_id and r.pupil_id = g.pupil_id
          and r.lifted_at is null and coalesce(r.until >= sec.today(), true))) then
    return null;
  end if;
  update public.notice n set seen_at = now() where (n.tenant_id, n.id) in (
    select o.tenant_id, o.id from public.notice o
    where o.tenant_id = new.tenant_id and o.membership_id = new.membership_id and o.seen_at is null
      and o.kind in ('record.opened', 'guardian.linked')
    for update skip locked);
  return null;
end
$$;
grant execute on function sec.child_taken() to quorate_owner;

-- Whoever has a place here is told by a notice; a letter brings in who has none.
update sec.notice_rule set hears = 'person' where act = 'guardian.linked';

set local role quorate_owner;

create trigger child_taken after insert on contact_restriction for each row execute function sec.child_taken();
create trigger child_taken after update of ended_at on guardian_link
  for each row when (new.ended_at is not null) execute function sec.child_taken();
