-- maildesk, version 9, for PostgreSQL. migrations/sqlite carries the same tables.

-- Articles learnt from tickets, one each: KB012 was learnt from IT012.
create table article (
    ticket bigint not null primary key references ticket (number) deferrable initially deferred,
    -- draft, published or retired.
    state text not null,
    language text not null,
    category text not null,
    title text not null,
    symptom text not null,
    diagnosis text not null,
    solution text not null,
    scope text not null,
    prevention text not null,
    -- Between blanks.
    keywords text not null,
    -- The engineer who answers for it.
    owner text,
    drafted bigint not null,
    published bigint,
    -- When its owner is asked whether it still holds.
    review bigint,
    -- Grows by one with every change.
    version bigint not null
);
-- What a requester was shown, and whether it helped: null until they say so.
create table suggestion (
    ticket bigint not null references ticket (number) deferrable initially deferred,
    article bigint not null,
    at bigint not null,
    helped boolean,
    answered bigint,
    primary key (ticket, article)
);
create index suggestion_article on suggestion (article);

-- What is searched: a ticket by its number, an article by its number and 2^40, so that articles are never lost behind
-- the newest tickets.
create table document (
    id bigint not null primary key,
    title text not null,
    -- How it was solved; may be empty.
    summary text not null,
    category text not null,
    -- A solved ticket or a published article: what new tickets are likened to.
    solved boolean not null,
    -- Distinct terms between blanks, cut by the program (src/desk/knowledge/terms.rs).
    terms text not null
);
-- The terms as they are looked for.
create table document_terms (
    id bigint not null primary key references document (id) on delete cascade,
    vector tsvector not null
);
-- No list of what is pending: every search would read it.
create index document_vector on document_terms using gin (vector) with (fastupdate = off);
-- Besides its terms each holds the blocks of documents that it belongs to, of four sizes, so that the newest ones can be
-- asked alone (src/store/postgres.rs).
create function document_added() returns trigger language plpgsql as $$
begin
    insert into document_terms (id, vector) values (
        new.id,
        array_to_tsvector(array_remove(string_to_array(
            new.terms || case when new.solved then ' _solved' else '' end || ' _a' || (new.id / 1024)
                || ' _b' || (new.id / 4096) || ' _c' || (new.id / 16384) || ' _d' || (new.id / 65536), ' '
        ), ''))
    );
    return null;
end $$;
create trigger document_added after insert on document for each row execute function document_added();
-- Always by the index of terms: for all other plans every vector would have to be read. Hence also the sums.
create function find_documents(wanted tsquery, low bigint, high bigint, most bigint) returns setof bigint
language sql stable set enable_seqscan = off set enable_indexscan = off set enable_indexonlyscan = off as $$
    select id from document_terms where vector @@ wanted and id + 0 >= low and id + 0 < high
    order by id desc limit most
$$;

-- How many solved documents hold a term; the empty term: how many there are.
create table term (
    term text not null primary key,
    documents bigint not null
);
insert into term (term, documents) values ('', 0);

-- Documents that are out of date, by their ids: one mark for each change, so that marking never waits for anybody.
create table stale (
    document bigint not null,
    -- The version of the ticket or article, or a message's number below zero.
    mark bigint not null,
    primary key (document, mark)
);
create function ticket_stale() returns trigger language plpgsql as $$
begin
    insert into stale (document, mark) values (new.number, new.version) on conflict do nothing;
    return null;
end $$;
create trigger ticket_stale_opened after insert on ticket for each row execute function ticket_stale();
create trigger ticket_stale_changed after update on ticket for each row
when (old.status <> new.status or old.subject <> new.subject or old.category <> new.category
    or old.rating is distinct from new.rating or old.merged_into is distinct from new.merged_into)
execute function ticket_stale();
create function message_stale() returns trigger language plpgsql as $$
begin
    insert into stale (document, mark) values (new.ticket, -new.id) on conflict do nothing;
    return null;
end $$;
create trigger message_stale after insert on message for each row when (new.ticket is not null)
execute function message_stale();
create function article_stale() returns trigger language plpgsql as $$
begin
    insert into stale (document, mark) values (new.ticket + 1099511627776, new.version) on conflict do nothing;
    return null;
end $$;
create trigger article_stale after insert or update on article for each row execute function article_stale();
insert into stale (document, mark) select number, version from ticket;
