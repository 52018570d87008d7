{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id'},
    indexes=[{'columns': ['opened_local_date']}, {'columns': ['load_id']}, {'columns': ['next_due_at']}],
) }}

{%- set metrics = sla_metrics() %}
{%- set deadlines = ['pickup', 'first_response', 'resolution'] %}
{%- set opened_local_date = local_time('coalesce(times.opened_at, times.created_at)') ~ '::date' %}

-- What is pending is evaluated as of the newest load, not of now: another build gives the same.
with newest_load as (
    select max(load_id) as load_id, max({{ known_until('loads') }}) as as_of
    from {{ source('ops', 'page_loads') }} as loads
    where not {{ is_above_high_watermark('loads') }}
),

reevaluated as (
    select chat_id, max(load_id) as load_id
    from ({{ sla_reevaluations(opened_local_date) }}) as reevaluations
    group by chat_id
),

affected as (
    select chat_id from {{ ref('chat_response_times') }} as times
    where {{ load_window('times') }}

    union all

    select chat_id from reevaluated
),

replies as (
    select
        chat_id,
        sum(reply_business_seconds)::double precision / count(reply_business_seconds) as avg_reply_business_seconds
    from {{ ref('reply_turns') }}
    where {{ is_of('affected') }}
    group by chat_id
    having count(reply_business_seconds) > 0
),

opened as (
    select
        times.*,
        replies.avg_reply_business_seconds,
        chats.priority,
        newest_load.as_of,
        greatest(times.load_id, reevaluated.load_id) as evaluated_load_id,
        {{ opened_local_date }} as opened_local_date,
        {{ open_seconds('opened_clock', 'times.opened_at') }} as opened_open_seconds
    from {{ ref('chat_response_times') }} as times
    -- A conversation is of one source: LIMIT spares the look into those that come after it.
    cross join lateral (
        select conversations.priority
        from {{ ref('int_conversations') }} as conversations
        where conversations.chat_id = times.chat_id
        limit 1
    ) as chats
    cross join newest_load
    left join reevaluated on reevaluated.chat_id = times.chat_id
    left join replies on replies.chat_id = times.chat_id
    {{ join_clock('opened_clock', 'times.calendar', 'times.opened_at') }}
    where {{ is_of('affected', 'times.chat_id', 'chat_id') }}
),

-- Targets are chosen once for each day, channel and priority, not for each chat.
days as (
    select distinct
        opened_local_date,
        channel,
        priority
    from opened
),

targets as ({{ sla_targets_of('days') }}),

due as (
    select
        opened.*,
        {%- for metric in metrics %}
        targets.{{ metric }}_target_seconds,
        {%- endfor %}
        {%- for metric in deadlines %}
        {%- set used_up = 'opened.opened_open_seconds + targets.' ~ metric ~ '_target_seconds' %}
        opened.opened_at + targets.{{ metric }}_target_seconds * interval '1 second' as {{ metric }}_wall_due_at,
        {{ due_at(metric ~ '_due', used_up) }} as {{ metric }}_business_due_at,
        {%- endfor %}
        coalesce(targets.is_overall_enabled, false) as is_overall_enabled
    from opened
    left join targets
        on targets.opened_local_date = opened.opened_local_date
        and targets.channel = opened.channel
        and targets.priority = opened.priority
    {%- for metric in deadlines %}
    {%- set used_up = 'opened.opened_open_seconds + targets.' ~ metric ~ '_target_seconds' %}
    {{ join_due(metric ~ '_due', 'opened.calendar', used_up) }}
    {%- endfor %}
),

evaluated as (
    select
        *
        {%- for metric, happened_at in metrics.items() %}
        {%- set due = metric if metric in deadlines %},
        {{ sla_state(metric, metric ~ '_seconds', due ~ '_wall_due_at' if due, happened_at) }}
            as {{ metric }}_wall_state,
        {{ sla_state(metric, metric ~ '_business_seconds', due ~ '_business_due_at' if due, happened_at) }}
            as {{ metric }}_business_state
        {%- endfor %}
    from due
),

-- OFFSET makes Postgres work each state out once, not at each of its uses.
evaluated_together as (
    select
        *,
        {{ sla_overall_state('wall') }} as overall_wall_state,
        {{ sla_overall_state('business') }} as overall_business_state
    from (select * from evaluated offset 0) as evaluated
    offset 0
),

states as (
    select
        evaluated.*,
        state.*
    from evaluated_together as evaluated
    cross join lateral (
        values
        {%- for metric in metrics %}
        {%- set has_deadline = metric in deadlines %}
        (
            '{{ metric }}',
            {{ credited_agent(metric, 'evaluated') }},
            {{ metric }}_target_seconds,
            {{ metric }}_wall_state,
            {{ metric }}_business_state,
            {{ metric }}_seconds::double precision,
            {{ metric }}_business_seconds::double precision,
            {{ metric ~ '_wall_due_at' if has_deadline else 'null::timestamptz' }},
            {{ metric ~ '_business_due_at' if has_deadline else 'null::timestamptz' }}
        ),
        {%- endfor %}
        (
            'overall',
            evaluated.agent_id,
            null,
            overall_wall_state,
            overall_business_state,
            null,
            null,
            {%- for clock in ('wall', 'business') %}
            -- Of all together the first deadline that was missed: least ignores NULL.
            least(
                {%- for metric in deadlines %}
                case when {{ metric }}_{{ clock }}_state = 'breached' then {{ metric }}_{{ clock }}_due_at end
                {{- ',' if not loop.last }}
                {%- endfor %}
            ){{ ',' if not loop.last }}
            {%- endfor %}
        )
    ) as state (
        metric, credited_agent_id, target_seconds, wall_state, business_state, actual_seconds, actual_business_seconds,
        wall_due_at, business_due_at
    )
)

select
    chat_id,
    source,
    conversation_id,
    metric,
    opened_at,
    opened_local_date,
    credited_agent_id as agent_id,
    department_id,
    channel,
    direction,
    target_seconds,
    wall_state,
    business_state,
    actual_seconds,
    actual_business_seconds,
    case when metric <> 'overall' then wall_due_at end as wall_due_at,
    case when metric <> 'overall' then business_due_at end as business_due_at,
    case when wall_state = 'breached' then wall_due_at end as wall_breached_at,
    case when business_state = 'breached' then business_due_at end as business_breached_at,
    case when wall_state = 'breached' then ceil(actual_seconds - target_seconds)::integer end as wall_seconds_past,
    case when business_state = 'breached' then ceil(actual_business_seconds - target_seconds)::integer end
        as business_seconds_past,
    least(
        case when wall_state = 'pending' then wall_due_at end,
        case when business_state = 'pending' then business_due_at end
    ) as next_due_at,
    is_deleted,
    evaluated_load_id as load_id
from states
