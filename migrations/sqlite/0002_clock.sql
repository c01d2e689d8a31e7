-- maildesk, version 2, for SQLite. migrations/postgres carries the same.

-- How high each ladder of the present cycle was climbed, in percent of the target.
alter table ticket add column response_warned bigint not null default 0;
alter table ticket add column resolution_warned bigint not null default 0;

-- Tickets of version 1 have no timer for their targets: each is looked at once, at the next start.
insert into timer (ticket, kind, due, cycle)
    select number, 'targets', updated, cycle from ticket
    where status in ('new', 'assigned', 'in_progress', 'pending');
