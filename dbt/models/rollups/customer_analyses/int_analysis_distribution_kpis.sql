-- Each distribution twice: a row a member, and all members of it at once as JSON.
with distributions (distribution, metric_type, metric_name, category, is_share, unit) as (
    values
    {%- for field in label_fields() %}
    (
        '{{ field.kpi }}_distribution', '{{ field.name | upper }}', '{{ field.kpi }}_share', 'customer_analysis', true,
        'share'
    ),
    {%- endfor %}
    ('agent_quality_distribution', 'AGENT_QUALITY', 'agent_quality_share', 'customer_analysis', true, 'share'),
    ('channel_distribution', 'CHANNEL_USAGE', 'channel_share', 'operational', true, 'share'),
    ('content_distribution', 'CHANNEL_USAGE', 'content_share', 'operational', true, 'share'),
    ('chats_by_hour', 'PEAK_TIME', 'chats_in_hour', 'operational', false, 'chats'),
    ('chats_by_day', 'PEAK_TIME', 'chats_on_day', 'operational', false, 'chats'),
    ('messages_by_hour', 'PEAK_TIME', 'messages_in_hour', 'operational', false, 'messages'),
    ('messages_by_day', 'PEAK_TIME', 'messages_on_day', 'operational', false, 'messages')
),

totalled as (
    select
        counts.*,
        sum(counts.member_count) over (partition by analysis_id, scope, scope_id, distribution) as total_count
    from {{ ref('int_analysis_member_counts') }} as counts
),

valued as (
    select
        totalled.*,
        distributions.metric_type,
        distributions.metric_name,
        distributions.category,
        distributions.is_share,
        distributions.unit,
        case when distributions.is_share then totalled.member_count::double precision / nullif(totalled.total_count, 0)
            else totalled.member_count::double precision end as value
    from totalled
    inner join distributions on distributions.distribution = totalled.distribution
),

whole as (
    select
        *,
        jsonb_object_agg(member, value) over (partition by analysis_id, scope, scope_id, distribution) as members,
        row_number() over (partition by analysis_id, scope, scope_id, distribution order by member) as place
    from valued
)

select
    whole.analysis_id,
    whole.scope,
    whole.scope_id,
    whole.metric_type,
    whole.category,
    kpis.metric_name,
    kpis.numeric_value,
    kpis.member,
    kpis.json_value,
    whole.unit,
    kpis.count::bigint as count
from whole
cross join lateral (
    values
    (whole.metric_name, whole.value, whole.member, null::jsonb, whole.member_count::numeric),
    (
        whole.distribution, null, null,
        case when not whole.is_share or whole.total_count > 0 then whole.members end, whole.total_count
    )
) as kpis (metric_name, numeric_value, member, json_value, count)
where kpis.member is not null or whole.place = 1
