-- Checking a certificate: whoever holds one may ask whether it is still about the newest version.

set local role quorate_owner;

-- The one look-up that knows no tenant: a certificate is checked on any host of the installation.
create index approval_by_id on approval (id);

set local role quorate_sec;

-- What anybody may know of an approval who names it together with the SHA-256 it is about; both stand on its certificate, and
-- neither can be guessed. No row for an approval that is not on record, or is of other bytes, which look the same. Of a document
-- in the bin that it is known, and nothing more. Nothing tells of which school, document or people it is.
-- Newest goes by the bytes: a version that brings the approved ones back is what was approved. What a newer one broke off before
-- it was decided stays so.
create function sec.approval_known(approval uuid, sha256 bytea) returns table (state text, newest boolean)
language plpgsql stable security definer rows 1 set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    select case when d.state <> 'binned' then a.state end,
      case when d.state <> 'binned' then v.sha256 = a.sha256 and a.state <> 'stale' end
    from public.approval a
    join public.document d on d.tenant_id = a.tenant_id and d.id = a.document_id
    join public.version v on v.tenant_id = d.tenant_id and v.document_id = d.id and v.number = d.newest
    where a.id = approval_known.approval and a.sha256 = approval_known.sha256;
end
$$;
grant execute on function sec.approval_known(uuid, bytea) to quorate_web;

set local role quorate_owner;
