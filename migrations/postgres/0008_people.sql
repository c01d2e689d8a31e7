-- maildesk, version 8, for PostgreSQL. migrations/sqlite carries the same.

-- The company's directory as it was last read, so that it is there when its source is not.
create table directory (
    -- file or ldap.
    source text not null primary key,
    read_at bigint not null,
    -- Everybody, as JSON.
    people bytea not null
);

-- Addresses a letter came back from: nothing is sent there until then.
create table held_address (
    address_key text not null primary key,
    address text not null,
    -- When the latest letter came back.
    since bigint not null,
    until bigint not null,
    -- The words of the server.
    reason text not null
);
create index held_address_until on held_address (until);
