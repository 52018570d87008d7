{{ config(
    alias='analysis_kpis',
    unique_key='analysis_id',
    pre_hook="select ops.lock_in_transaction('build', 'analysis_kpis')",
    indexes=[
        {'columns': ['analysis_id', 'metric_type']},
        {'columns': ['analysis_id', 'category']},
        {'columns': ['agent_id', 'metric_type']},
    ],
) }}

{%- set times = ['pickup', 'first_response', 'response', 'resolution', 'handling'] %}
{%- set volumes = {
    'total_chats': 'count(*)',
    'total_messages': 'sum(incoming_message_count + outgoing_message_count)',
    'incoming_messages': 'sum(incoming_message_count)',
    'outgoing_messages': 'sum(outgoing_message_count)',
    'categorized_chats': "count(*) filter (where state = 'categorized')",
    'skipped_chats': "count(*) filter (where state = 'skipped')",
    'pending_chats': "count(*) filter (where state = 'pending')",
} %}
{%- set labels = {
    'CUSTOMER_INTENT': ('intent', 'customer_intent', ['PROJECT_INFO', 'PAYMENT', 'LEGAL', 'POST_PURCHASE', 'OTHER']),
    'JOURNEY_STAGE': ('journey', 'journey_stage', ['PROSPECT', 'ACTIVE_BUYER', 'POST_PURCHASE']),
    'SENTIMENT': ('sentiment', 'sentiment', ['POSITIVE', 'NEUTRAL', 'FRICTION']),
} %}
{%- set scopes = "(values ('all', 'all'), ('agent', chats.agent_id), ('department', chats.department_id)) as scopes (scope, scope_id)" %}
{%- set grain = ['analysis_id', 'scope', 'scope_id'] | join(', ') %}

-- Analyses whose chats were published and whose KPIs are not of that publication; all of them after a change of rules.
with due as materialized (
    select
        analyses.id as analysis_id,
        analyses.published_at,
        analyses.is_llm,
        analyses.classifier_version,
        (analyses.filters ->> 'date_start')::date as date_start,
        (analyses.filters ->> 'date_end')::date as date_end
    from {{ source('analysis', 'customer_analyses') }} as analyses
    where analyses.published_at is not null
    {%- if is_incremental() %}
        and (
            {{ all_loads_are_read() }}
            or not exists (
                select from {{ this }} as stored
                where stored.analysis_id = analyses.id and stored.published_at = analyses.published_at
            )
        )
    {%- endif %}
),

analysed as materialized (
    select
        members.analysis_id,
        members.state,
        members.reason,
        times.*,
        categories.chat_id is not null as is_categorized,
        categories.customer_intent,
        categories.journey_stage,
        categories.sentiment,
        categories.agent_quality_score
    from due
    inner join {{ source('analysis', 'analysis_chats') }} as members on members.analysis_id = due.analysis_id
    inner join {{ ref('chat_response_times') }} as times on times.chat_id = members.chat_id and not times.is_deleted
    left join {{ source('analysis', 'customer_categorizations') }} as categories
        on categories.analysis_id = members.analysis_id and categories.chat_id = members.chat_id
),

-- Once for all chats of an analysis, once for each agent and each department.
chats as materialized (
    select
        scopes.scope,
        scopes.scope_id,
        chats.*
    from analysed as chats
    cross join lateral {{ scopes }}
    where scopes.scope_id is not null
),

messages as materialized (
    select
        chats.analysis_id,
        messages.content_type,
        {{ local_time('messages.timestamp') }} as sent_at
    from analysed as chats
    inner join {{ ref('messages') }} as messages on messages.chat_id = chats.chat_id
),

-- Pick-up and first response are those of the agent who gave them, whoever has the chat now.
credited as (
    select
        chats.analysis_id,
        scopes.scope,
        scopes.scope_id
        {%- for time in times %},
        case when scopes.scope <> 'agent' or scopes.scope_id = {{ credited_agent(time, 'chats') }}
            then chats.{{ time }}_seconds end as {{ time }}_seconds
        {%- endfor %}
    from analysed as chats
    cross join lateral (
        values
        ('all', 'all'),
        {%- for agent_id in credited_agents('chats') %}
        ('agent', {{ agent_id }}),
        {%- endfor %}
        ('department', chats.department_id)
    ) as scopes (scope, scope_id)
    where scopes.scope_id is not null
),

time_figures as (
    select
        {{ grain }}
        {%- for time in times %},
        count({{ time }}_seconds) as {{ time }}_count,
        avg({{ time }}_seconds)::double precision as {{ time }}_average,
        percentile_cont(array[0.5, 0.9, 0.95, 0.99]) within group (order by {{ time }}_seconds) as {{ time }}_percentiles
        {%- endfor %}
    from credited
    group by {{ grain }}
),

volume_figures as (
    select
        {{ grain }}
        {%- for name, expression in volumes.items() %},
        {{ expression }} as {{ name }}
        {%- endfor %}
    from chats
    group by {{ grain }}
),

sla_figures as (
    select
        chats.analysis_id,
        scopes.scope,
        scopes.scope_id,
        'sla_' || sla.metric || clocks.suffix || '_rate' as metric_name,
        count(*) filter (where clocks.state = 'met') as met_count,
        count(*) filter (where clocks.state in ('met', 'breached')) as judged_count
    from analysed as chats
    inner join {{ ref('sla_chats') }} as sla on sla.chat_id = chats.chat_id
    cross join lateral {{ scopes | replace('chats.agent_id', 'sla.agent_id') }}
    cross join lateral (values ('', sla.wall_state), ('_business', sla.business_state)) as clocks (suffix, state)
    where scopes.scope_id is not null
    group by chats.analysis_id, scopes.scope, scopes.scope_id, sla.metric, clocks.suffix
),

-- The chats that the agents of an analysis were at work on on its days, those of other filters too: that is their load.
concurrency as (
    select
        agents.analysis_id,
        agents.scope_id,
        max(days.peak_chat_count) as peak_chat_count,
        sum(days.active_chat_seconds)::double precision / nullif(sum(days.active_seconds), 0) as mean_chat_count,
        count(days.local_date) filter (where days.active_seconds > 0) as active_day_count
    from (select distinct analysis_id, scope_id from chats where scope = 'agent') as agents
    inner join due on due.analysis_id = agents.analysis_id
    left join {{ ref('int_agent_days') }} as days
        on days.agent_id = agents.scope_id and days.local_date between due.date_start and due.date_end
    group by agents.analysis_id, agents.scope_id
),

quality_figures as (
    select
        {{ grain }},
        count(agent_quality_score) as scored_count,
        avg(agent_quality_score)::double precision as mean_score
    from chats
    group by {{ grain }}
),

-- Chats that say the same in all that is distributed below, counted once: few rows stand for many chats.
alike as materialized (
    select
        {{ grain }},
        customer_intent,
        journey_stage,
        sentiment,
        agent_quality_score,
        provider,
        count(*) as chat_count
    from chats
    group by {{ grain }}, customer_intent, journey_stage, sentiment, agent_quality_score, provider
),

-- How something is distributed: a row a member, those that nothing fell on too where the members are known.
members as (
    {%- for type, (name, column, values) in labels.items() %}
    select
        {{ grain }},
        '{{ type }}' as metric_type,
        '{{ name }}_distribution' as distribution,
        '{{ name }}_share' as metric_name,
        'customer_analysis' as category,
        true as is_share,
        members.member,
        members.place,
        coalesce(sum(alike.chat_count) filter (where alike.{{ column }} = members.member), 0) as member_count
    from alike
    cross join unnest(array['{{ values | join("', '") }}']) with ordinality as members (member, place)
    group by {{ grain }}, members.member, members.place

    union all
    {% endfor %}
    select
        {{ grain }},
        'AGENT_QUALITY' as metric_type,
        'agent_quality_distribution' as distribution,
        'agent_quality_share' as metric_name,
        'customer_analysis' as category,
        true as is_share,
        scores.score::text as member,
        scores.score as place,
        coalesce(sum(alike.chat_count) filter (where alike.agent_quality_score = scores.score), 0) as member_count
    from alike
    cross join generate_series(1, 10) as scores (score)
    group by {{ grain }}, scores.score

    union all

    select
        {{ grain }},
        'CHANNEL_USAGE' as metric_type,
        'channel_distribution' as distribution,
        'channel_share' as metric_name,
        'operational' as category,
        true as is_share,
        provider as member,
        0 as place,
        sum(chat_count) as member_count
    from alike
    group by {{ grain }}, provider

    union all

    select
        due.analysis_id,
        'all' as scope,
        'all' as scope_id,
        'CHANNEL_USAGE' as metric_type,
        'content_distribution' as distribution,
        'content_share' as metric_name,
        'operational' as category,
        true as is_share,
        kinds.kind as member,
        kinds.place,
        count(messages.analysis_id) as member_count
    from due
    cross join
        unnest(array['text', 'voice', 'image', 'video', 'file', 'other']) with ordinality as kinds (kind, place)
    left join messages on messages.analysis_id = due.analysis_id and messages.content_type = kinds.kind
    group by due.analysis_id, kinds.kind, kinds.place
    {%- for what, relation, hour, day in [
        ('chats', 'analysed', 'created_local_hour', 'created_day_of_week'),
        ('messages', 'messages', 'extract(hour from sent_at)::integer', 'extract(dow from sent_at)::integer'),
    ] %}
    {%- for unit, expression, last in [('hour', hour, 23), ('day', day, 6)] %}

    union all

    select
        due.analysis_id,
        'all' as scope,
        'all' as scope_id,
        'PEAK_TIME' as metric_type,
        '{{ what }}_by_{{ unit }}' as distribution,
        '{{ what }}_{{ 'in_hour' if unit == 'hour' else 'on_day' }}' as metric_name,
        'operational' as category,
        false as is_share,
        slots.slot::text as member,
        slots.slot as place,
        count(counted.analysis_id) as member_count
    from due
    cross join generate_series(0, {{ last }}) as slots (slot)
    left join (select analysis_id, {{ expression }} as slot from {{ relation }}) as counted
        on counted.analysis_id = due.analysis_id and counted.slot = slots.slot
    group by due.analysis_id, slots.slot
    {%- endfor %}
    {%- endfor %}
),

shared as (
    select
        *,
        sum(member_count) over (partition by {{ grain }}, distribution) as total_count,
        case when is_share
            then member_count::double precision / nullif(sum(member_count) over (partition by {{ grain }}, distribution), 0)
            else member_count
        end as numeric_value
    from members
),

figures as (
    select
        {{ grain }},
        'RESPONSE_TIME' as metric_type,
        'performance' as category,
        times.metric || statistics.suffix as metric_name,
        1000 * statistics.seconds as numeric_value,
        null::text as string_value,
        null::jsonb as json_value,
        'milliseconds' as unit,
        times.count
    from time_figures
    cross join lateral (
        values
        {%- for time in times %}
        ('{{ time }}', {{ time }}_count, {{ time }}_average, {{ time }}_percentiles){{ ',' if not loop.last }}
        {%- endfor %}
    ) as times (metric, count, average, percentiles)
    cross join lateral (
        values
        ('_average', times.average),
        ('_p50', times.percentiles[1]),
        ('_p90', times.percentiles[2]),
        ('_p95', times.percentiles[3]),
        ('_p99', times.percentiles[4])
    ) as statistics (suffix, seconds)

    union all

    select
        {{ grain }},
        'VOLUME',
        'operational',
        volumes.metric,
        volumes.value,
        null,
        null,
        case when volumes.metric like '%messages' then 'messages' else 'chats' end,
        volumes.value::bigint
    from volume_figures
    cross join lateral (
        values
        {%- for name in volumes %}
        ('{{ name }}', {{ name }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as volumes (metric, value)

    union all

    select
        analysis_id,
        'all',
        'all',
        'VOLUME',
        'operational',
        state || '_chats_because',
        count(*),
        reason,
        null,
        'chats',
        count(*)
    from analysed
    where reason is not null
    group by analysis_id, state, reason

    union all

    select
        {{ grain }},
        'RESPONSE_TIME',
        'sla',
        metric_name,
        met_count::double precision / nullif(judged_count, 0),
        null,
        null,
        'share',
        judged_count
    from sla_figures

    union all

    select
        analysis_id,
        'agent',
        scope_id,
        'VOLUME',
        'operational',
        concurrent.metric,
        concurrent.value,
        null,
        null,
        'chats',
        active_day_count
    from concurrency
    cross join lateral (
        values
        ('concurrent_chats_peak', case when active_day_count > 0 then peak_chat_count end),
        ('concurrent_chats_average', mean_chat_count)
    ) as concurrent (metric, value)

    union all

    select
        {{ grain }},
        'AGENT_QUALITY',
        'customer_analysis',
        'agent_quality_average',
        mean_score,
        null,
        null,
        'points',
        scored_count
    from quality_figures

    union all

    select
        {{ grain }},
        metric_type,
        category,
        metric_name,
        numeric_value,
        member,
        null,
        case when is_share then 'share' when metric_name like 'messages%' then 'messages' else 'chats' end,
        member_count
    from shared

    union all

    select
        {{ grain }},
        metric_type,
        category,
        distribution,
        null,
        null,
        case when not is_share or sum(member_count) > 0 then jsonb_object_agg(member, numeric_value order by place, member) end,
        case when is_share then 'share' when metric_name like 'messages%' then 'messages' else 'chats' end,
        sum(member_count)
    from shared
    group by {{ grain }}, metric_type, category, metric_name, distribution, is_share
)

select
    md5(concat_ws('|', figures.analysis_id, figures.metric_name, figures.scope, figures.scope_id, figures.string_value))
        as id,
    now() as created_at,
    figures.analysis_id,
    figures.metric_type,
    figures.metric_name,
    figures.numeric_value::double precision as numeric_value,
    figures.string_value,
    figures.json_value,
    case when figures.scope = 'agent' then figures.scope_id end as agent_id,
    case when figures.scope = 'department' then figures.scope_id end as department_id,
    figures.category,
    figures.scope,
    figures.unit,
    figures.count::integer as count,
    case when figures.category = 'customer_analysis' then due.is_llm end as is_llm,
    case when figures.category = 'customer_analysis' then due.classifier_version end as classified_by,
    due.published_at
from figures
inner join due on due.analysis_id = figures.analysis_id
