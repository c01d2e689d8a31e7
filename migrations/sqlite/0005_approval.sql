-- maildesk, version 5, for SQLite. migrations/postgres carries the same.

-- Who has to approve a ticket, and what they said: the latest asking of each ticket that ever needed it.
create table approval (
    ticket bigint not null primary key references ticket (number) deferrable initially deferred,
    -- Grows each time something new is asked; links and letters of an older version are dead.
    version bigint not null,
    -- Name of the [[module]].
    module text not null,
    -- Exactly what the owners read.
    request text not null,
    -- What the engineer who asked added; may be empty.
    note text not null,
    -- asked, approved, rejected or withdrawn.
    state text not null,
    -- When the first version of this round was asked: the lead time counts from here.
    since bigint not null,
    -- When this version was asked.
    asked bigint not null,
    -- When it was approved, rejected or withdrawn.
    decided bigint,
    -- It is the substitutes' turn, too.
    substituted boolean not null,
    -- Everybody who was asked about this version, as JSON: who, what they said and when, the code mailed to them.
    people text not null
) without rowid;
