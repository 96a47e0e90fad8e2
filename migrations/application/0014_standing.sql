-- Who the sealed caller is, for the first question of every transaction: one row under a genuine seal of a tenant, else none.

set local role quorate_sec;

create function sec.standing()
returns table (
  tenant_id uuid, kind text, account_id uuid, membership_id uuid, roles text[], seq bigint, stepped_up boolean
)
language plpgsql stable security definer parallel restricted rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
declare
  sealed text[] := sec.seal();
begin
  return query
    select t.id, t.kind, s.account_id, s.membership_id, string_to_array(sealed[5], ','), h.seq, sec.stepped_up(s)
    from sec.session s
    join public.tenant t on t.id = s.tenant_id
    join sec.event_head h on h.tenant_id = s.tenant_id
    where s.id = nullif(sealed[4], '')::uuid and s.tenant_id = nullif(sealed[1], '')::uuid;
end
$$;

grant execute on function sec.standing() to quorate_web;

set local role quorate_owner;
