-- What the job keep_partitions calls: this month and the next three, and what each month of each table holds.
create function rooms.keep_partitions(at timestamptz default now()) returns integer
language plpgsql security definer set search_path = pg_catalog as $$
declare
    today constant date := at at time zone 'UTC';
    made integer := rooms.keep_months(today, (today + interval '3 months')::date);
begin
    perform rooms.match_search_months();
    perform rooms.count_months();
    return made;
end $$;

-- What is searched is what is there: months of messages that were archived, or came back.
create function rooms.match_search_months() returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    month text;
begin
    for month in
        select right(inhrelid::regclass::text, 7) from pg_inherits where inhparent = 'rooms.messages'::regclass
        except
        select right(inhrelid::regclass::text, 7) from pg_inherits where inhparent = 'rooms.message_search'::regclass
    loop
        perform rooms.keep_month('rooms.message_search', to_date(month, 'YYYY_MM'));
    end loop;
    for month in
        select right(inhrelid::regclass::text, 7) from pg_inherits where inhparent = 'rooms.message_search'::regclass
        except
        select right(inhrelid::regclass::text, 7) from pg_inherits where inhparent = 'rooms.messages'::regclass
    loop
        execute format('drop table rooms.%I', 'message_search_' || month);
        delete from rooms.archives where "table" = 'message_search' and partition = 'message_search_' || month;
    end loop;
end $$;

-- Small months are counted; of large ones the planner's estimate is good enough to see what is kept.
create function rooms.count_months() returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    part record;
    held bigint;
begin
    for part in
        select parents.relname as table_name, parts.relname as name, parts.reltuples::bigint as estimate,
            pg_relation_size(parts.oid) as heap_bytes, pg_total_relation_size(parts.oid) as bytes,
            substring(pg_get_expr(parts.relpartbound, parts.oid) from $re$FROM \('([^']+)'$re$)::timestamptz as since,
            substring(pg_get_expr(parts.relpartbound, parts.oid) from $re$TO \('([^']+)'$re$)::timestamptz as until
        from pg_inherits
        inner join pg_class as parts on parts.oid = pg_inherits.inhrelid and parts.relkind = 'r'
        inner join pg_class as parents on parents.oid = pg_inherits.inhparent
        where parents.relnamespace = 'rooms'::regnamespace
        order by 1, 2
    loop
        held := part.estimate;
        if held < 0 or part.heap_bytes < 16 * 1024 * 1024 then
            execute format('select count(*) from rooms.%I', part.name) into held;
        end if;
        insert into rooms.archives as kept ("table", partition, "from", "to", rows, bytes)
        values (part.table_name, part.name, part.since, part.until, held, part.bytes)
        on conflict ("table", partition) do update set rows = excluded.rows, bytes = excluded.bytes
        where kept.state in ('online', 'restored') and (kept.rows, kept.bytes) is distinct from (held, part.bytes);
    end loop;
end $$;
