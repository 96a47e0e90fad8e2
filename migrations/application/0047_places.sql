-- What a pupil is in is looked for by the pupil, and by the group: each has an index that begins so. `group_pupil_once` had the group
-- before the pupil, and the planner, to which a gist index that must be read whole is as dear as a btree that need not, took it for every
-- pupil who was deleted: 370 µs each beside 100,000 places, now 30.

alter table group_pupil drop constraint group_pupil_once;
alter table group_pupil add constraint group_pupil_once unique (tenant_id, pupil_id, group_id, during without overlaps);
create index group_pupil_by_group on group_pupil (tenant_id, group_id);

reset role;
