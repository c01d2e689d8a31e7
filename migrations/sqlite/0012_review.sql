-- maildesk, version 12, for SQLite. migrations/postgres carries the same.

-- What is learnt from what went wrong: the review of a ticket, or of the fault that comes back and that it was the first of.
create table review (
    ticket bigint not null references ticket (number) deferrable initially deferred,
    -- incident or problem.
    kind text not null,
    -- asked, planned, done or withdrawn.
    state text not null,
    -- What recurs, and in which module; empty for an incident.
    title text not null,
    module text not null,
    cause text not null,
    corrective text not null,
    preventive text not null,
    -- As it was written; who that is, when somebody here goes by that name.
    owner text not null,
    owner_address text,
    -- A day of the desk's zone, year-month-day.
    due text,
    -- Who was asked, as JSON.
    people text not null,
    -- Those of a problem between blanks, oldest first.
    tickets text not null,
    -- The round of the ticket that was looked at last.
    cycle bigint not null,
    opened bigint not null,
    -- When the form was complete, and when it was done or withdrawn.
    planned bigint,
    ended bigint,
    asked_again boolean not null,
    -- Grows by one with every change.
    version bigint not null,
    primary key (ticket, kind)
) without rowid;
create index review_open on review (opened) where ended is null;
create index review_ended on review (ended) where ended is not null;

-- What faults look like, for as long as they count: a new one is likened to those of the same module or category.
create table symptom (
    ticket integer not null primary key references ticket (number) deferrable initially deferred,
    -- module/ERP or category/hardware.
    about text not null,
    created bigint not null,
    -- Between blanks.
    terms text not null,
    -- The problem it belongs to.
    problem bigint
);
create index symptom_about on symptom (about, created);
create index symptom_created on symptom (created);
