-- maildesk, version 11, for SQLite. migrations/postgres carries the same.

-- Tickets whose rounds are not up to date: whatever happens to a ticket leaves a line in its timeline.
create table changed (
    ticket bigint not null primary key
) without rowid;
insert into changed (ticket) select number from ticket;

create trigger changed_by_timeline after insert on timeline
begin
    insert into changed (ticket) values (new.ticket) on conflict (ticket) do nothing;
end;

create trigger changed_by_rating after insert on rating
begin
    insert into changed (ticket) values (new.ticket) on conflict (ticket) do nothing;
end;

-- What reports need of each time a ticket was worked on, boiled down from its row and its timeline; nothing is known
-- here that is not known there.
create table round (
    ticket bigint not null,
    -- Counted from 1.
    cycle bigint not null,
    began bigint not null,
    -- The last moment at which something happened that reports count; null while it is open.
    until bigint,
    -- Everything, on one line: src/desk/digest/round.rs.
    facts text not null,
    primary key (ticket, cycle)
) without rowid;

-- When a [[digest]] was seen in the configuration for the first time: nothing from before is ever sent.
create table digest (
    name text not null primary key,
    since bigint not null
) without rowid;

-- Which reader was written to about which period. Written with the letter: there is never a second one.
create table digest_sent (
    name text not null,
    slot bigint not null,
    reader_key text not null,
    at bigint not null,
    primary key (name, slot, reader_key)
) without rowid;

-- Mail of a period is counted.
create index message_handled on message (handled);
create index message_aside on message (handled, set_aside) where set_aside is not null;
