-- Months (UTC) of the monthly tables. There is no default partition: a row of a month that nobody made is refused.
create function {schema}.keep_month(parent regclass, month date) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
declare
    first constant date := date_trunc('month', month::timestamp);
    following constant date := first + interval '1 month';
    part constant text := (select relname from pg_class where oid = parent) || to_char(first, '_YYYY_MM');
    guard text;
begin
    if exists (
        select from pg_inherits inner join pg_class on oid = inhrelid where inhparent = parent and relname = part
    ) then
        return false;
    end if;
    -- Made first and attached then: that does not wait for those who read the other months.
    execute format(
        'create table {schema}.%I (like %s including defaults including constraints including storage '
        'including compression)', part, parent
    );
    execute format(
        'alter table %s attach partition {schema}.%I for values from (%L) to (%L)',
        parent, part, first || ' 00:00:00+00', following || ' 00:00:00+00'
    );
    -- Triggers on rows come with the partition. Those on statements are of the table by its own name alone, and a
    -- statement may name the partition.
    for guard in select pg_get_triggerdef(oid) from pg_trigger where tgrelid = parent and not tgisinternal
        and tgtype & 1 = 0
    loop
        execute replace(guard, format(' ON %s ', parent), format(' ON {schema}.%I ', part));
    end loop;
    execute format('grant select on {schema}.%I to {schema}_reader', part);
    return true;
end $$;

create function {schema}.keep_months(since date, until date) returns integer
language sql security definer set search_path = pg_catalog
begin atomic
    select (count(*) filter (where {schema}.keep_month(pg_class.oid::regclass, month::date)))::integer
    from pg_class
    cross join generate_series(date_trunc('month', since::timestamp), until::timestamp, interval '1 month') as month
    where pg_class.relnamespace = '{schema}'::regnamespace and pg_class.relkind = 'p';
end;
