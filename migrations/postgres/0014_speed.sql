-- maildesk, version 14, for PostgreSQL.

-- Most letters and mails fit into a page as they are: cut into pieces of two kilobytes each would be five rows and five
-- entries of an index. What is larger is compressed with lz4, in a third of the usual time, if the server has it.
alter table piece set (toast_tuple_target = 8160);
do $$ begin
    execute 'alter table piece alter column bytes set compression lz4';
exception when feature_not_supported or invalid_parameter_value or syntax_error then
    null;
end $$;

-- A ticket changes a dozen times; with room beside it the change stays on its page, and no index hears of it.
alter table ticket set (fillfactor = 80);

-- Whether something archived would change is asked once a statement, not once a row.
drop trigger archived_ticket on ticket;
drop trigger archived_timeline on timeline;
drop trigger archived_message on message;
drop function archived_ticket();
drop function archived_part();
create function archived_ticket() returns trigger language plpgsql as $$
begin
    if exists (select 1 from archive where ticket = any (array(select number from before))) then
        raise exception 'the ticket is archived';
    end if;
    return null;
end $$;
create trigger archived_ticket after update on ticket referencing old table as before
for each statement execute function archived_ticket();
create function archived_part() returns trigger language plpgsql as $$
begin
    if exists (select 1 from archive where ticket = any (array(select ticket from added))) then
        raise exception 'the ticket is archived';
    end if;
    return null;
end $$;
create trigger archived_timeline after insert on timeline referencing new table as added
for each statement execute function archived_part();
create trigger archived_message after insert on message referencing new table as added
for each statement execute function archived_part();
