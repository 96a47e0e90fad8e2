-- graphile_worker brings its own tables and migrates them when it starts, as quorate_jobs. Its schema stands ready
-- and belongs to an owner without login, so that the login can fill the schema but not drop it. The tables inside
-- are the login's own: nothing in them belongs to one school only, and no personal value is put into a job.

create schema if not exists graphile_worker;
grant usage, create on schema graphile_worker to quorate_jobs;
