-- Whether the reader prints what lies in a folder. Who may read a file may have it, and what they do with it elsewhere nobody rules.

set local role quorate_owner;

alter table folder add column prints boolean not null default true;
comment on column folder.prints is 'whether the reader offers to print what lies in it';
grant select (prints), update (prints) on folder to quorate_web;
