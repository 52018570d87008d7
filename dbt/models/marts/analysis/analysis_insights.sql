with chats as (
    select
        *,
        case when state = 'pending' then case when reason ~ '^(refused|dead)' then 'dead_lettered' else 'pending' end end as waits
    from {{ ref('analysis_chats') }}
)

select
    analysis_id,
    {{ categorized_measures('source', 'waits', 'agent_quality_score') }}
from chats
group by analysis_id
