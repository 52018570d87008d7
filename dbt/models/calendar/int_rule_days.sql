-- Never built anew: which load changed a day is not to be found anywhere else.
{{ config(
    materialized='incremental',
    unique_key='rule_day',
    meta={'placement': 'reference'},
    full_refresh=false,
    indexes=[{'columns': ['rule_day'], 'unique': true}, {'columns': ['load_id']}],
) }}

with days as (
    select day::date as local_date
    from generate_series({{ calendar_first_day() }}::timestamp, {{ calendar_last_day() }}::timestamp, interval '1 day') as day
    {% if is_incremental() %}where {{ new_version_load() }} is not null{% endif %}
),

open_times as (
    select
        slots.calendar,
        day::date as local_date,
        string_agg(
            greatest({{ local_time('slots.starts_at') }}, day) || ' to '
            || least({{ local_time('slots.ends_at') }}, day + interval '1 day'),
            ', ' order by slots.starts_at
        ) as rule
    from {{ ref('int_business_slots') }} as slots
    cross join lateral generate_series(
        date_trunc('day', {{ local_time('slots.starts_at') }}),
        {{ local_time('slots.ends_at') }} - interval '1 microsecond',
        interval '1 day'
    ) as day
    {% if is_incremental() %}where {{ new_version_load() }} is not null{% endif %}
    group by slots.calendar, day
),

calendars as (
    select
        'calendar' as rule_kind,
        names.calendar as rule_name,
        days.local_date,
        open_times.rule
    from (select distinct calendar from {{ ref('business_hours') }}) as names
    cross join days
    left join open_times on open_times.calendar = names.calendar and open_times.local_date = days.local_date
),

-- A rule that is no longer in the seed changes its days as well.
departments as (
    select
        'department' as rule_kind,
        names.department as rule_name,
        days.local_date,
        {{ kept_calendar(ref('department_calendars'), 'department', 'names.department', 'days.local_date') }} as rule
    from (
        select department from {{ ref('department_calendars') }}
        {% if is_incremental() %}union select rule_name from {{ this }} where rule_kind = 'department'{% endif %}
    ) as names
    cross join days
),

targets as (
    select
        'targets' as rule_kind,
        names.provider as rule_name,
        days.local_date,
        string_agg(
            concat_ws(' ', rows.metric, rows.priority, rows.target_seconds, rows.is_enabled, rows.valid_from),
            ', ' order by rows.metric, rows.priority, rows.valid_from
        ) as rule
    from (
        select '' as provider
        union
        select coalesce(provider, '') from {{ ref('sla_targets') }}
        {% if is_incremental() %}union select rule_name from {{ this }} where rule_kind = 'targets'{% endif %}
    ) as names
    cross join days
    left join {{ ref('sla_targets') }} as rows
        on coalesce(rows.provider, '') = names.provider
        and {{ is_effective('rows', 'days.local_date') }}
    group by names.provider, days.local_date
),

rules as (
    select * from calendars
    union all
    select * from departments
    union all
    select * from targets
)

select
    concat_ws(' ', rules.rule_kind, rules.rule_name, rules.local_date) as rule_day,
    rules.rule_kind,
    rules.rule_name,
    rules.local_date,
    coalesce(rules.rule, '') as rule,
    {% if is_incremental() -%}
    {{ new_version_load() }} as load_id
from rules
left join {{ this }} as known
    on known.rule_day = concat_ws(' ', rules.rule_kind, rules.rule_name, rules.local_date)
where known.rule is distinct from coalesce(rules.rule, '')
    {%- else -%}
    0::bigint as load_id
from rules
    {%- endif %}
