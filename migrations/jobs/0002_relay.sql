-- How far each tenant's log has been turned into jobs. A job's row is gone once it is done, so its key alone cannot
-- tell "done" from "never there": this mark can. It moves in the statement that adds the job, so that a job is added
-- exactly once, wherever the process dies between the two databases.

create schema relay;
grant usage on schema relay to quorate_jobs;

create table relay.mark (
  tenant_id uuid not null,
  seq bigint not null,
  constraint mark_pkey primary key (tenant_id),
  constraint mark_seq_positive check (seq > 0)
) with (fillfactor = 50);
grant select, insert, update on relay.mark to quorate_jobs;
