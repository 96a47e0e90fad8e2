-- The first administrator of a tenant has nobody to invite them: whoever runs the installation does, as the migrator.

set local role quorate_sec;

-- An invited membership with an open invitation of this token, good for seven days; earlier ones are void. Returns the
-- membership; null when there is no such tenant, or the person is a member there already. No mail goes out: the act is
-- not one that the worker writes about, so the token that was handed over stays the one that counts.
create function sec.make_invitation(label text, email text, name text, roles text[], token bytea) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp
as $$
declare
  place uuid;
  person uuid;
  made uuid;
begin
  select t.id into place from public.tenant t where t.label = make_invitation.label;
  if place is null then
    return null;
  end if;
  -- Before the membership, as every writer of this tenant does.
  perform from sec.event_head h where h.tenant_id = place for update;
  person := sec.make_account(make_invitation.email);
  insert into public.membership as m (tenant_id, account_id, name, roles)
  values (place, person, make_invitation.name, make_invitation.roles)
  on conflict on constraint membership_account_key do update set
    name = excluded.name, roles = excluded.roles, state = 'invited'
    where m.state in ('invited', 'ended')
  returning m.id into made;
  if made is null then
    return null;
  end if;
  update sec.invitation i set voided_at = clock_timestamp()
  where i.tenant_id = place and i.membership_id = made and i.used_at is null and i.voided_at is null;
  insert into sec.invitation (tenant_id, membership_id, token_hash, expires_at)
  values (place, made, sec.token_hash(make_invitation.token), clock_timestamp() + interval '7 days');
  perform sec.append_for(place, null, 'membership.added', made,
    jsonb_build_object('roles', to_jsonb(make_invitation.roles), 'state', 'invited'), array['people', 'me/' || person], null);
  return made;
end
$$;

grant execute on function sec.make_invitation(text, text, text, text[], bytea) to quorate_migrator, quorate_owner;

set local role quorate_owner;
