-- maildesk, version 13, for PostgreSQL. migrations/sqlite carries the same.

-- The message that its ticket was opened for. An answer that opens one found no ticket of its own; reports count these.
alter table message add column opens boolean not null default false;
create index message_unmatched on message (handled) where opens and kind = 'reply';

-- Pictures that somebody sends with every mail are recognised by their digest.
create index attachment_digest on attachment (digest, message);
