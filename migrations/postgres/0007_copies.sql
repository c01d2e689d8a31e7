-- maildesk, version 7, for PostgreSQL. migrations/sqlite carries the same.

-- Who is in copy and hears what the requester hears: a JSON list of name and address.
alter table ticket add column copied text not null default '[]';
