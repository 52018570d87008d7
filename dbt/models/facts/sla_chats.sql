{{ config(
    materialized='incremental',
    unique_key='chat_id',
    indexes=[{'columns': ['opened_local_date']}, {'columns': ['load_id']}, {'columns': ['next_due_at']}],
) }}

{%- set metrics = sla_metrics() %}
{%- set deadlines = ['pickup', 'first_response', 'resolution'] %}
{%- set opened_local_date = local_time('coalesce(times.opened_at, times.created_at)') ~ '::date' %}

-- What is pending is judged as of the newest load, not of now: another build gives the same.
with newest_load as (
    select
        load_id,
        loaded_at as as_of
    from {{ source('ops', 'page_loads') }} as loads
    where not {{ is_above_high_watermark('loads') }}
    order by load_id desc
    limit 1
),

-- Chats that nothing happened to, but that must be judged again.
rejudgements as (
    select
        concerned.chat_id,
        changes.load_id
    from {{ ref('int_rule_changes') }} as changes
    -- OFFSET makes Postgres begin with the changes, here and below: there are none in most builds.
    cross join lateral (
        select times.chat_id
        from {{ ref('chat_response_times') }} as times
        where changes.rule_name in ('', times.channel)
            and changes.days @> least(
                greatest({{ opened_local_date }}, {{ calendar_first_day() }}), {{ calendar_last_day() }}
            )
        offset 0
    ) as concerned
    where changes.rule_kind = 'targets' and {{ load_window('changes') }}

    {%- if is_incremental() %}

    union all

    -- Deadlines that passed since the last build.
    select
        known.chat_id,
        newest_load.load_id
    from newest_load
    inner join {{ this }} as known on known.next_due_at < newest_load.as_of

    union all

    -- Deadlines that lie beyond the last event of their chat move with the hours of the days before them.
    select
        concerned.chat_id,
        changes.load_id
    from {{ ref('int_rule_changes') }} as changes
    cross join lateral (
        select known.chat_id
        from {{ this }} as known
        inner join {{ ref('chat_response_times') }} as times on times.chat_id = known.chat_id
        where times.calendar = changes.rule_name
            and changes.days && daterange(
                {{ local_time('known.opened_at') }}::date, {{ local_time('known.business_due_at') }}::date, '[]'
            )
            and known.business_due_at >= known.opened_at
        offset 0
    ) as concerned
    where changes.rule_kind = 'calendar' and {{ load_window('changes') }}
    {%- endif %}
),

rejudged as (
    select
        chat_id,
        max(load_id) as load_id
    from rejudgements
    group by chat_id
),

affected as (
    select chat_id from {{ ref('chat_response_times') }} as times
    where {{ load_window('times') }}

    union all

    select chat_id from rejudged
),

replies as (
    select
        chat_id,
        sum(reply_business_seconds)::double precision / count(reply_business_seconds) as avg_reply_business_seconds
    from {{ ref('reply_turns') }}
    where chat_id in (select chat_id from affected)
    group by chat_id
    having count(reply_business_seconds) > 0
),

opened as (
    select
        times.*,
        replies.avg_reply_business_seconds,
        chats.priority,
        newest_load.as_of,
        greatest(times.load_id, rejudged.load_id) as judged_load_id,
        {{ opened_local_date }} as opened_local_date,
        {{ open_seconds('opened_clock', 'times.opened_at') }} as opened_open_seconds
    from {{ ref('chat_response_times') }} as times
    inner join {{ ref('int_conversations') }} as chats on chats.chat_id = times.chat_id
    cross join newest_load
    left join rejudged on rejudged.chat_id = times.chat_id
    left join replies on replies.chat_id = times.chat_id
    {{ join_clock('opened_clock', 'times.calendar', 'times.opened_at') }}
    where times.chat_id in (select chat_id from affected)
),

-- Targets are chosen once for each day, channel and priority, not for each chat.
days as (
    select distinct
        opened_local_date,
        channel,
        priority
    from opened
),

chosen as (
    select distinct on (days.opened_local_date, days.channel, days.priority, targets.metric)
        days.opened_local_date,
        days.channel,
        days.priority,
        targets.metric,
        targets.target_seconds,
        targets.is_enabled
    from days
    inner join {{ ref('sla_targets') }} as targets
        on (targets.provider is null or targets.provider = days.channel)
        and (targets.priority is null or targets.priority = days.priority)
        and {{ is_effective('targets', 'days.opened_local_date') }}
    order by
        days.opened_local_date, days.channel, days.priority, targets.metric,
        targets.priority is null, targets.provider is null, targets.valid_from desc nulls last
),

targets as (
    select
        opened_local_date,
        channel,
        priority,
        {%- for metric in metrics %}
        max(target_seconds) filter (where metric = '{{ metric }}' and is_enabled) as {{ metric }}_target_seconds,
        {%- endfor %}
        coalesce(bool_or(is_enabled) filter (where metric = 'overall'), false) as is_overall_enabled
    from chosen
    group by opened_local_date, channel, priority
),

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

judged as (
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
judged_together as (
    select
        *,
        {{ sla_overall_state('wall') }} as overall_wall_state,
        {{ sla_overall_state('business') }} as overall_business_state
    from (select * from judged offset 0) as judged
    offset 0
),

states as (
    select
        judged.*,
        state.*
    from judged_together as judged
    cross join lateral (
        values
        {%- for metric in metrics %}
        {%- set has_deadline = metric in deadlines %}
        (
            '{{ metric }}',
            {{ credited_agent(metric, 'judged') }},
            {{ metric }}_target_seconds,
            {{ metric }}_wall_state,
            {{ metric }}_business_state,
            {{ metric }}_seconds::double precision,
            {{ metric }}_business_seconds::double precision,
            {{ metric ~ '_wall_due_at' if has_deadline else 'null::timestamptz' }},
            {{ metric ~ '_business_due_at' if has_deadline else 'null::timestamptz' }},
            {{ metric ~ '_wall_due_at' if has_deadline else 'null::timestamptz' }},
            {{ metric ~ '_business_due_at' if has_deadline else 'null::timestamptz' }}
        ),
        {%- endfor %}
        (
            'overall',
            judged.agent_id,
            null,
            overall_wall_state,
            overall_business_state,
            null,
            null,
            null,
            null,
            {%- for clock in ('wall', 'business') %}
            -- least ignores NULL: the first of the breaches.
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
        wall_due_at, business_due_at, wall_late_at, business_late_at
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
    wall_due_at,
    business_due_at,
    case when wall_state = 'breached' then wall_late_at end as wall_breached_at,
    case when business_state = 'breached' then business_late_at end as business_breached_at,
    case when wall_state = 'breached' then ceil(actual_seconds - target_seconds)::integer end as wall_seconds_past,
    case when business_state = 'breached' then ceil(actual_business_seconds - target_seconds)::integer end
        as business_seconds_past,
    least(
        case when wall_state = 'pending' then wall_due_at end,
        case when business_state = 'pending' then business_due_at end
    ) as next_due_at,
    is_deleted,
    judged_load_id as load_id
from states
