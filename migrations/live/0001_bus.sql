-- The bus between nodes is NOTIFY alone: it needs no table and no privilege beyond connecting. It has a database and
-- a login of its own so that a transaction that writes rows cannot notify, which would serialise its commit with all
-- others. Whoever listens here has nothing to read but the rings themselves.

comment on schema public is 'empty on purpose: the live database carries notifications and no rows';
