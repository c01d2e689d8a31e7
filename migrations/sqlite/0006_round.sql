-- maildesk, version 6, for SQLite. migrations/postgres carries the same.

-- The first human answer of the present round: a reopened ticket is to be answered anew. The first one of all stays in
-- first_response.
alter table ticket add column answered bigint;
update ticket set answered = first_response;

-- Tickets that were on hold before version 2 have no timer for it: each is looked at once, at the next start.
insert into timer (ticket, kind, due, cycle)
    select number, 'hold', updated, cycle from ticket
    where status = 'pending' and not exists (select 1 from timer where timer.ticket = number and kind = 'hold');
