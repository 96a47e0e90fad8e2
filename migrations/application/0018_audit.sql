-- Reading the log and checking it: the indexes of the timeline, what the auditor is told, and one guard more for the
-- recipe of the chain.

set local role quorate_sec;

-- The recipe joins nine fields by line feeds, and eight of them cannot hold one: ids, numbers, the act by its constraint,
-- and jsonb, which writes a line feed as \n. A topic could, so that nine lines would not always be nine fields.
alter table public.event add constraint event_topics_plain check (
  coalesce(array_ndims(topics), 1) = 1 and coalesce(array_lower(topics, 1), 1) = 1 and array_position(topics, null) is null
  and array_to_string(topics, '') !~ '[\u0001-\u001f\u007f-\u009f]');

-- Under row security a condition serves an index only if its operator is leakproof: = of uuid and ^@ of text are, like is
-- not. Together with event_pkey and event_by_about, each filter of the timeline is then read backwards from an index that
-- begins with its tenant, newest first; the planner takes the narrower where there are two.
create index event_by_actor on public.event (tenant_id, actor, seq) where actor is not null;
create index event_by_act on public.event (tenant_id, act text_pattern_ops, seq);

-- Each tenant's log by its label, and where it ends.
create function sec.logs() returns table (tenant_id uuid, label text, name text, seq bigint, hash bytea)
language plpgsql stable security definer set search_path = pg_catalog, sec, pg_temp
as $$
begin
  return query
    select t.id, t.label, t.name, h.seq, h.hash
    from public.tenant t join sec.event_head h on h.tenant_id = t.id order by t.label;
end
$$;
grant execute on function sec.logs() to quorate_auditor;

set local role quorate_owner;
