-- maildesk, version 1, for PostgreSQL. migrations/sqlite carries the same numbers, tables and columns.
--
-- Times are milliseconds since 1970-01-01T00:00:00Z and always given by the program; no statement asks the
-- database for the time or for chance. Addresses stand as they were written; a column ending in _key is the
-- lower-case form that is compared.

-- Small values the desk keeps about itself, such as its signing key.
create table meta (
    key text not null primary key,
    value bytea not null
);

-- The last number that was used up: 'ticket', and 'whole' for messages and letters, which share their numbers.
create table counter (
    name text not null primary key,
    value bigint not null
);
insert into counter (name, value) values ('ticket', 0), ('whole', 0);

-- How far each mailbox was read.
create table mailbox (
    name text not null primary key,
    uid_validity bigint not null,
    uid bigint not null
);

create table ticket (
    number bigint not null primary key,
    subject text not null,
    requester text not null,
    requester_key text not null,
    requester_name text not null,
    language text not null,
    category text not null,
    priority text not null,
    impact text not null,
    -- Why triage said so: JSON array of terms.
    matched text not null,
    -- What the requester told: JSON object, field name to value.
    fields text not null,
    status text not null,
    -- What a pending ticket waits for; null in every other status.
    wait text,
    assignee text,
    assignee_key text,
    created bigint not null,
    updated bigint not null,
    first_response bigint,
    response_due bigint not null,
    resolution_due bigint not null,
    resolved bigint,
    closed bigint,
    rating text,
    cycle bigint not null,
    asked boolean not null,
    merged_into bigint references ticket (number) deferrable initially deferred,
    related bigint references ticket (number) deferrable initially deferred,
    -- Grows by one with every change.
    version bigint not null
);
create index ticket_requester on ticket (requester_key, created);
create index ticket_open_of on ticket (assignee_key, priority, resolution_due)
    where status in ('new', 'assigned', 'in_progress', 'pending');

-- Open tickets per assignee. Kept by the triggers below so that asking for it costs nothing however many tickets
-- are open.
create table load (
    assignee_key text not null primary key,
    open bigint not null
);

create function ticket_load() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.assignee_key is not null
        and old.status in ('new', 'assigned', 'in_progress', 'pending') then
        update load set open = open - 1 where assignee_key = old.assignee_key;
    end if;
    if new.assignee_key is not null and new.status in ('new', 'assigned', 'in_progress', 'pending') then
        insert into load (assignee_key, open) values (new.assignee_key, 1)
            on conflict (assignee_key) do update set open = load.open + 1;
    end if;
    return null;
end $$;

create trigger ticket_load_opened after insert on ticket for each row execute function ticket_load();

create trigger ticket_load_changed after update on ticket for each row
when (old.assignee_key is distinct from new.assignee_key or old.status <> new.status)
execute function ticket_load();

-- Append-only: every change has one line.
create table timeline (
    ticket bigint not null references ticket (number) deferrable initially deferred,
    seq bigint not null,
    at bigint not null,
    -- 'desk' or an address.
    who text not null,
    -- JSON of what happened.
    what text not null,
    why text not null,
    primary key (ticket, seq)
);

create table participant (
    ticket bigint not null references ticket (number) deferrable initially deferred,
    address_key text not null,
    address text not null,
    primary key (ticket, address_key)
);

-- What one person saw of a ticket, as Message-IDs between blanks, oldest first: the first one and the latest.
create table conversation (
    ticket bigint not null references ticket (number) deferrable initially deferred,
    address_key text not null,
    seen text not null,
    primary key (ticket, address_key)
);

create table rating (
    ticket bigint not null references ticket (number) deferrable initially deferred,
    cycle bigint not null,
    rating text not null,
    comment text not null,
    at bigint not null,
    primary key (ticket, cycle)
);

create table person (
    address_key text not null primary key,
    name text not null,
    department text not null,
    employee_id text not null,
    contact text not null,
    language text
);

create table timer (
    ticket bigint not null references ticket (number) deferrable initially deferred,
    kind text not null,
    due bigint not null,
    cycle bigint not null,
    primary key (ticket, kind)
);
create index timer_due on timer (due, ticket, kind);

-- Every message that was taken in: on a ticket, or set aside with a reason.
create table message (
    -- Its exact bytes are the pieces of this number.
    id bigint not null primary key,
    ticket bigint references ticket (number) deferrable initially deferred,
    set_aside text,
    -- 'public' or 'internal'.
    visibility text not null,
    kind text not null,
    from_address text,
    from_key text,
    from_name text not null,
    subject text not null,
    message_id text,
    -- SHA-256 that recognises the message when it comes again, by whatever way: of its content, or of its exact bytes
    -- when it has no Message-ID.
    identity bytea not null,
    size bigint not null,
    arrived bigint not null,
    handled bigint not null,
    -- JSON array.
    anomalies text not null,
    -- The new text, everything, and the new text as HTML; cut at a bound, the exact bytes are whole.
    body text not null,
    full_text text not null,
    html text,
    check ((ticket is null) <> (set_aside is null))
);
-- One message is taken in once, also by two daemons at the same moment.
create unique index message_identity on message (identity);
create index message_ticket on message (ticket, id);
create index message_set_aside on message (id) where set_aside is not null;

create table attachment (
    message bigint not null references message (id) deferrable initially deferred,
    position bigint not null,
    name text not null,
    media_type text not null,
    bytes bigint not null,
    digest bytea not null,
    inline boolean not null,
    content_id text,
    primary key (message, position)
);

-- Where in a mailbox a message lies. message is null for a copy of one that was known already.
create table source (
    mailbox text not null,
    uid_validity bigint not null,
    uid bigint not null,
    message bigint references message (id) deferrable initially deferred,
    put_away boolean not null,
    primary key (mailbox, uid_validity, uid)
);
create index source_put_away on source (mailbox, uid_validity, put_away, uid);

-- Message-IDs that lead to a ticket: the ids of its messages (own) and those they cite.
create table message_ref (
    id text not null,
    ticket bigint not null references ticket (number) deferrable initially deferred,
    own boolean not null,
    primary key (id, ticket)
);

-- Files named by their SHA-256, in chunks of at most 1 MiB.
create table blob (
    digest bytea not null,
    chunk bigint not null,
    bytes bytea not null,
    primary key (digest, chunk)
);

-- The exact bytes of a message or a letter, in pieces: bytes as they are (1 MiB at most), or a file.
create table piece (
    -- message.id or outbox.id.
    whole bigint not null,
    seq bigint not null,
    bytes bytea,
    -- The file of this digest as it is; in base64 when columns says how many characters a line has and crlf how lines
    -- end.
    file bytea,
    columns bigint,
    crlf boolean,
    primary key (whole, seq),
    check ((bytes is null) <> (file is null))
);

-- Letters on their way. The states are told in src/store/sql/outbox.rs.
create table outbox (
    -- Its exact bytes are the pieces of this number.
    id bigint not null primary key,
    key text not null unique,
    ticket bigint references ticket (number) deferrable initially deferred,
    to_address text not null,
    to_key text not null,
    -- Null is the null sender.
    envelope_from text,
    message_id text not null,
    subject text not null,
    template text not null,
    -- The smaller, the sooner.
    urgency bigint not null check (urgency in (0, 1, 2, 3, 4)),
    size bigint not null,
    queued bigint not null,
    state text not null check (state in ('pending', 'sent', 'failed')),
    -- May be claimed from this moment on: the schedule's next moment, or the end of a lease.
    due bigint not null,
    -- Claims so far. Names the current claim: a settlement that names another one is refused.
    attempts bigint not null,
    -- Claims that were no fault of the letter.
    uncounted bigint not null,
    -- The server's last words.
    answer text not null,
    settled bigint
);
-- These three hold all that a claim or a count looks at, so that no letter is read for it.
create index outbox_turn on outbox (urgency, due, id, size, queued, state) where state = 'pending';
create index outbox_sent on outbox (settled, state) where state = 'sent';
create index outbox_failed on outbox (settled, state) where state = 'failed';
create index outbox_message_id on outbox (message_id, ticket);
create index outbox_ticket on outbox (ticket, id);
create index outbox_automatic on outbox (to_key, queued)
    where template in ('acknowledgement', 'clarify', 'too_large');
