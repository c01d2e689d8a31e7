-- maildesk, version 3, for PostgreSQL. migrations/sqlite carries the same.

-- What other reports of the same fault share, and the ticket that leads them.
alter table ticket add column fault text;
alter table ticket add column parent bigint;
create index ticket_fault on ticket (fault, created) where fault is not null;
create index ticket_parent on ticket (parent, number) where parent is not null;

-- Mail is base64 or compressed already: trying to compress it costs most of a letter's way into the database.
alter table piece alter column bytes set storage external;
alter table blob alter column bytes set storage external;
