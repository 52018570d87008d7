-- The stamp of each write: by row_xid a reader knows what is new, however late its transaction ends.
-- What runs for each row has its caller's rights and search_path: to set another one would cost a fifth of the update.
-- A row is never older than its image before: rows of a history then follow each other without a gap.
create function {schema}.touch() returns trigger language plpgsql as $$
begin
    new.row_xid := pg_current_xact_id()::text::bigint;
    if tg_op = 'UPDATE' then
        new.updated_at := greatest(now(), old.updated_at + interval '1 microsecond');
    end if;
    return new;
end $$;
