-- maildesk, version 9, for SQLite. migrations/postgres carries the same tables.

-- Articles learnt from tickets, one each: KB012 was learnt from IT012.
create table article (
    ticket integer not null primary key references ticket (number) deferrable initially deferred,
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
) without rowid;
create index suggestion_article on suggestion (article);

-- What is searched: a ticket by its number, an article by its number and 2^40, so that articles are never lost behind
-- the newest tickets.
create table document (
    id integer not null primary key,
    title text not null,
    -- How it was solved; may be empty.
    summary text not null,
    category text not null,
    -- A solved ticket or a published article: what new tickets are likened to.
    solved boolean not null,
    -- Distinct terms between blanks, cut by the program (src/desk/knowledge/terms.rs).
    terms text not null
);
-- The terms are cut already: what unicode61 would split further is declared part of a word.
create virtual table document_terms using fts5(
    terms, content='', contentless_delete=1, detail=none,
    tokenize="unicode61 remove_diacritics 0 tokenchars '-_.'"
);
create trigger document_added after insert on document
begin
    insert into document_terms (rowid, terms)
        values (new.id, new.terms || case when new.solved then ' _solved' else '' end);
end;
create trigger document_removed after delete on document
begin
    delete from document_terms where rowid = old.id;
end;

-- How many solved documents hold a term; the empty term: how many there are.
create table term (
    term text not null primary key,
    documents bigint not null
) without rowid;
insert into term (term, documents) values ('', 0);

-- Documents that are out of date, by their ids: one mark for each change, so that marking never waits for anybody.
create table stale (
    document bigint not null,
    -- The version of the ticket or article, or a message's number below zero.
    mark bigint not null,
    primary key (document, mark)
) without rowid;
create trigger ticket_stale_opened after insert on ticket
begin
    insert into stale (document, mark) values (new.number, new.version) on conflict do nothing;
end;
create trigger ticket_stale_changed after update on ticket
when old.status <> new.status or old.subject <> new.subject or old.category <> new.category
    or old.rating is not new.rating or old.merged_into is not new.merged_into
begin
    insert into stale (document, mark) values (new.number, new.version) on conflict do nothing;
end;
create trigger message_stale after insert on message when new.ticket is not null
begin
    insert into stale (document, mark) values (new.ticket, -new.id) on conflict do nothing;
end;
create trigger article_stale_added after insert on article
begin
    insert into stale (document, mark) values (new.ticket + 1099511627776, new.version) on conflict do nothing;
end;
create trigger article_stale_changed after update on article
begin
    insert into stale (document, mark) values (new.ticket + 1099511627776, new.version) on conflict do nothing;
end;
insert into stale (document, mark) select number, version from ticket;
