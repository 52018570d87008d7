with quality_rules as (
    select * from {{ ref('quality_rules') }}
),

set_aside as (
    select
        source,
        entity_type,
        rule,
        {{ local_time('quarantined_at') }}::date as day,
        record_key,
        row_number() over (
            partition by source, entity_type, rule, {{ local_time('quarantined_at') }}::date order by quarantine_id
        ) as number
    from {{ source('raw', 'quarantine') }}
    where resolved_at is null
),

-- Records wait here for a fix, so the days are few and read live; those of a retry that passed are gone.
quarantine as (
    select
        source,
        entity_type,
        rule,
        day,
        count(*)::integer as broken_count,
        string_agg(left(record_key, 40), ', ' order by number) filter (where number <= 5) as sample_ids
    from set_aside
    group by source, entity_type, rule, day
),

records_read as (
    select
        source,
        entity_type,
        {{ local_time('loaded_at') }}::date as day,
        sum(record_count)::integer as checked_count
    from {{ source('ops', 'page_loads') }}
    group by 1, 2, 3
),

combined as (
    select
        case source when 'b2chat' then 'chats' when 'rooms' then 'support rooms' else source end as subject,
        rule,
        day,
        broken_count,
        checked_count,
        sample_ids
    from {{ ref('int_chat_quality') }}

    union all

    select subject, rule, day, broken_count, checked_count, sample_ids
    from {{ ref('int_room_quality') }}

    union all

    select subject, rule, day, broken_count, checked_count, sample_ids
    from {{ ref('int_call_quality') }}

    union all

    select
        'quarantine of ' || quarantine.source || ' ' || quarantine.entity_type as subject,
        quarantine.rule,
        quarantine.day,
        quarantine.broken_count,
        greatest(records_read.checked_count, quarantine.broken_count) as checked_count,
        quarantine.sample_ids
    from quarantine
    left join records_read
        on records_read.source = quarantine.source
        and records_read.entity_type = quarantine.entity_type
        and records_read.day = quarantine.day
)

select
    combined.day as local_date,
    combined.subject,
    combined.rule,
    coalesce(quality_rules.severity, 'error') as severity,
    coalesce(quality_rules.label_es, combined.rule) as rule_label_es,
    coalesce(quality_rules.label_en, combined.rule) as rule_label_en,
    combined.broken_count,
    combined.checked_count,
    combined.broken_count::double precision / nullif(combined.checked_count, 0) as broken_share,
    combined.sample_ids
from combined
left join quality_rules on quality_rules.rule = combined.rule
