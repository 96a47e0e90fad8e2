-- The bus between nodes is NOTIFY alone: it needs no table and no privilege beyond connecting, and it lives in a
-- database of its own because NOTIFY's commit lock is one per database cluster-wide queue and must never be taken
-- by a transaction that writes. This file only makes sure that there is nothing else to reach.

comment on schema public is 'empty on purpose: the live database carries notifications and no rows';
