-- maildesk, version 10, for SQLite. migrations/postgres carries the same tables.

-- Tickets that have been closed for long: nothing of them changes any more.
create table archive (
    ticket bigint not null primary key references ticket (number) deferrable initially deferred,
    at bigint not null
) without rowid;

-- The last line of defence; the rules change nothing of an archived ticket. Erasing a person takes the row away, and puts
-- it back.
create trigger archived_ticket before update on ticket
when exists (select 1 from archive where ticket = old.number)
begin
    select raise(abort, 'the ticket is archived');
end;
create trigger archived_timeline before insert on timeline
when exists (select 1 from archive where ticket = new.ticket)
begin
    select raise(abort, 'the ticket is archived');
end;
create trigger archived_message before insert on message
when new.ticket is not null and exists (select 1 from archive where ticket = new.ticket)
begin
    select raise(abort, 'the ticket is archived');
end;

-- What was erased or had been kept long enough: how much, not whose.
create table deletion (
    at bigint not null,
    -- 'erased', or the class of [retention].
    why text not null,
    tickets bigint not null,
    messages bigint not null,
    letters bigint not null,
    files bigint not null
);

-- Tickets that were closed before: each is looked at once.
insert into timer (ticket, kind, due, cycle)
    select number, 'archive', coalesce(closed, updated), cycle from ticket where status in ('closed', 'cancelled');
