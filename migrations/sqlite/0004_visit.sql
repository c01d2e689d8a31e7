-- maildesk, version 4, for SQLite. migrations/postgres carries the same.

-- The latest appointment on site of each ticket.
create table visit (
    ticket bigint not null primary key references ticket (number) deferrable initially deferred,
    -- Counts the appointments that are calendar entries of their own, from 1.
    round bigint not null,
    -- SEQUENCE of RFC 5545: grows with every change that is sent out.
    sequence bigint not null,
    state text not null,
    -- When the appointment was first made: its target counts from here.
    since bigint not null,
    begins bigint not null,
    ends bigint not null,
    -- As the engineer wrote it; empty when nothing was said.
    place text not null,
    -- Who comes.
    engineer text not null
) without rowid;
