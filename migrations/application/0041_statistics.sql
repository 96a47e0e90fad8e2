-- Whoever puts a thousand pupils on the roll leaves it, for up to a minute, to a planner that still takes it for empty: lists that join
-- pupils with their groups then run for minutes. What fills the roll says so itself, before anybody reads it.

set local role quorate_owner;

-- Only a table's owner, and whom it is granted, may count it anew.
grant maintain on pupil, group_pupil, teaching_group, caseload, tag, roster_row, roster_change, rollover_change to quorate_sec;

set local role quorate_sec;

-- Counts anew what a roster or a school year touches. Takes nothing and tells nothing; a second one at the same time waits for the
-- first's transaction, and for no longer than that is worth.
create function sec.count_roll_anew() returns void
language plpgsql volatile security definer set search_path = pg_catalog, sec, pg_temp set lock_timeout = '2s'
as $$
begin
  if not sec.keeps_pupils() then
    return;
  end if;
  analyze public.pupil, public.group_pupil, public.teaching_group, public.caseload, public.tag, public.roster_row,
    public.roster_change, public.rollover_change;
exception when lock_not_available then
  -- Somebody else counts already.
  null;
end
$$;
grant execute on function sec.count_roll_anew() to quorate_web;

reset role;
