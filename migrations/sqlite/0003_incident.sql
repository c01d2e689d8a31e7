-- maildesk, version 3, for SQLite. migrations/postgres carries the same.

-- What other reports of the same fault share, and the ticket that leads them.
alter table ticket add column fault text;
alter table ticket add column parent bigint;
create index ticket_fault on ticket (fault, created) where fault is not null;
create index ticket_parent on ticket (parent, number) where parent is not null;
