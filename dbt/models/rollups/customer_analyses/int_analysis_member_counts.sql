-- How often each member of what is distributed occurs; a member that nothing fell on is here where it is known beforehand.
with alike as (
    select
        analysis_id,
        scope,
        scope_id,
        {%- for field in label_fields() %}
        {{ field.name }},
        {%- endfor %}
        agent_quality_score,
        channel,
        created_local_hour,
        created_day_of_week,
        count(*) as chat_count
    from {{ ref('int_analysis_chats') }}
    group by
        analysis_id, scope, scope_id, agent_quality_score, channel, created_local_hour, created_day_of_week
        {%- for field in label_fields() %}, {{ field.name }}{% endfor %}
),

messages as (
    select
        chats.analysis_id,
        messages.content_type,
        extract(hour from {{ local_time('messages.sent_at') }})::integer as hour,
        extract(dow from {{ local_time('messages.sent_at') }})::integer as day_of_week,
        count(*) as message_count
    from {{ ref('int_analysis_chats') }} as chats
    inner join {{ ref('int_messages') }} as messages on messages.chat_id = chats.chat_id
    where chats.scope = 'all'
    group by 1, 2, 3, 4
),

counted as (
    select
        alike.analysis_id,
        alike.scope,
        alike.scope_id,
        members.distribution,
        members.member,
        alike.chat_count as member_count
    from alike
    cross join lateral (
        values
        {%- for field in label_fields() %}
        ('{{ field.kpi }}_distribution', alike.{{ field.name }}),
        {%- endfor %}
        ('agent_quality_distribution', alike.agent_quality_score::text),
        ('channel_distribution', alike.channel),
        ('chats_by_hour', case when alike.scope = 'all' then alike.created_local_hour::text end),
        ('chats_by_day', case when alike.scope = 'all' then alike.created_day_of_week::text end)
    ) as members (distribution, member)

    union all

    select
        messages.analysis_id,
        'all',
        'all',
        members.distribution,
        members.member,
        messages.message_count
    from messages
    cross join lateral (
        values
        ('content_distribution', messages.content_type),
        ('messages_by_hour', messages.hour::text),
        ('messages_by_day', messages.day_of_week::text)
    ) as members (distribution, member)
    where members.distribution <> 'content_distribution'
        or members.member in ('text', 'voice', 'image', 'video', 'file', 'other')

    union all

    -- Labels of the taxonomy and scores, of each whose chats there are.
    select
        grain.analysis_id,
        grain.scope,
        grain.scope_id,
        members.distribution,
        members.member,
        0
    from (
        select analysis_id, scope, scope_id from {{ ref('int_analysis_chats') }} group by analysis_id, scope, scope_id
    ) as grain
    cross join (
        select
            case labels.field
                {%- for field in label_fields() %}
                when '{{ field.name }}' then '{{ field.kpi }}_distribution'
                {%- endfor %}
            end as distribution,
            labels.label as member
        from {{ source('analysis', 'taxonomy_labels') }} as labels
        where labels.is_current

        union all

        select 'agent_quality_distribution', score::text from generate_series(1, 10) as scores (score)
    ) as members

    union all

    -- Hours, days and kinds of content, of each analysis.
    select
        analyses.id,
        'all',
        'all',
        members.distribution,
        members.member,
        0
    from {{ source('analysis', 'customer_analyses') }} as analyses
    cross join (
        select
            distributions.distribution,
            slots.slot::text as member
        from (
            values ('chats_by_hour', 23), ('messages_by_hour', 23), ('chats_by_day', 6), ('messages_by_day', 6)
        ) as distributions (distribution, last)
        cross join lateral generate_series(0, distributions.last) as slots (slot)

        union all

        select 'content_distribution', kind
        from unnest(array['text', 'voice', 'image', 'video', 'file', 'other']) as kinds (kind)
    ) as members
    where analyses.published_at is not null
)

select
    analysis_id,
    scope,
    scope_id,
    distribution,
    member,
    sum(member_count)::bigint as member_count
from counted
where member is not null and distribution is not null
group by analysis_id, scope, scope_id, distribution, member
