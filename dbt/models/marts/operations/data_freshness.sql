-- A view over the catalog and the build state: a mart that is added is in it without being named, and nothing has
-- to be kept up to date.
with recursive marts as (
    select
        relation.oid,
        relation.relname::text as mart,
        case relation.relkind when 'r' then 'table' else 'view' end as kind,
        -- Postgres' own count of rows written and deleted; after a crash there is none, then the planner's.
        case
            when relation.relkind = 'r'
                then coalesce(nullif(pg_stat_get_live_tuples(relation.oid), 0), nullif(relation.reltuples, -1)::bigint)
        end as row_estimate
    from pg_class as relation
    inner join pg_namespace as schema on schema.oid = relation.relnamespace
    where schema.nspname = 'marts'
        and relation.relkind in ('r', 'v')
        and relation.relname not like '%\_\_dbt\_%'
),

-- Each mart with all that it stands on; the rule of a view depends on what the view reads.
beneath as (
    select
        oid as mart_oid,
        oid as relation_oid
    from marts

    union

    select
        beneath.mart_oid,
        reads.refobjid
    from beneath
    inner join pg_rewrite as rule on rule.ev_class = beneath.relation_oid
    inner join pg_depend as reads
        on reads.objid = rule.oid
        and reads.classid = 'pg_rewrite'::regclass
        and reads.refclassid = 'pg_class'::regclass
        and reads.refobjid <> beneath.relation_oid
),

-- A mart has what the slowest of its tables has.
built as (
    select
        beneath.mart_oid,
        min(watermarks.load_id) as load_id,
        min(watermarks.built_at) as refreshed_at
    from beneath
    inner join pg_class as relation on relation.oid = beneath.relation_oid
    inner join {{ source('ops', 'build_watermarks') }} as watermarks on watermarks.model = relation.relname::text
    group by beneath.mart_oid
),

landed as (
    select
        marts.mart,
        marts.kind,
        marts.row_estimate,
        coalesce(built.refreshed_at, now()) as refreshed_at,
        coalesce(furthest_behind.loaded_at, newest.loaded_at) as data_through,
        waiting.load_count as waiting_load_count
    from marts
    left join built on built.mart_oid = marts.oid
    left join lateral (
        select loaded_at from {{ source('ops', 'page_loads') }}
        where built.load_id is null or load_id <= built.load_id
        order by load_id desc
        limit 1
    ) as newest on true
    -- A source that has stopped shows, however lively another one is; files that people bring now and then do not.
    cross join lateral (
        select min(latest.loaded_at) as loaded_at
        from {{ source('ops', 'data_source') }} as sources
        cross join lateral (
            select loaded_at from {{ source('ops', 'page_loads') }} as loads
            where loads.source = sources.source and (built.load_id is null or load_id <= built.load_id)
            order by load_id desc
            limit 1
        ) as latest
        where sources.kind <> 'files'
    ) as furthest_behind
    cross join lateral (
        select count(*) as load_count from {{ source('ops', 'page_loads') }}
        where load_id > built.load_id
    ) as waiting
)

select
    mart,
    kind,
    row_estimate,
    data_through,
    refreshed_at,
    waiting_load_count,
    extract(epoch from now() - data_through)::bigint as lag_seconds,
    case
        when data_through is null then 'never'
        when data_through >= now() - interval '2 hours' then 'fresh'
        when data_through >= now() - interval '24 hours' then 'late'
        else 'lost'
    end as freshness
from landed
