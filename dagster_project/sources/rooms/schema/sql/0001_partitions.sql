-- Months (UTC) of the monthly tables. There is no default partition: a row of a month that nobody made is refused.
create function rooms.keep_month(parent regclass, month date) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
declare
    first constant date := date_trunc('month', month::timestamp);
    following constant date := first + interval '1 month';
    part constant text := (select relname from pg_class where oid = parent) || to_char(first, '_YYYY_MM');
begin
    if exists (
        select from pg_inherits inner join pg_class on oid = inhrelid where inhparent = parent and relname = part
    ) then
        return false;
    end if;
    -- Made first and attached then: that does not wait for those who read the other months.
    execute format(
        'create table rooms.%I (like %s including defaults including constraints including storage '
        'including compression)', part, parent
    );
    execute format(
        'alter table %s attach partition rooms.%I for values from (%L) to (%L)',
        parent, part, first || ' 00:00:00+00', following || ' 00:00:00+00'
    );
    -- Triggers on rows come with the partition; those on statements guard the table by its own name alone.
    execute format(
        'create trigger refuse_truncate before truncate on rooms.%I execute function rooms.refuse_truncate()', part
    );
    execute format('grant select on rooms.%I to rooms_reader', part);
    return true;
end $$;

create function rooms.keep_months(since date, until date) returns integer
language sql security definer set search_path = pg_catalog
begin atomic
    select (count(*) filter (where rooms.keep_month(pg_class.oid::regclass, month::date)))::integer
    from pg_class
    cross join generate_series(date_trunc('month', since::timestamp), until::timestamp, interval '1 month') as month
    where pg_class.relnamespace = 'rooms'::regnamespace and pg_class.relkind = 'p';
end;

-- What the job keep_partitions calls: this month and the next three, and what each month of each table holds.
create function rooms.keep_partitions(at timestamptz default now()) returns integer
language plpgsql security definer set search_path = pg_catalog as $$
declare
    today constant date := at at time zone 'UTC';
    made integer := rooms.keep_months(today, (today + interval '3 months')::date);
begin
    perform rooms.count_months();
    return made;
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
