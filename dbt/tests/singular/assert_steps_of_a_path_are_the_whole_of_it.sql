{{ config(meta={'dagster': {'ref': {'name': 'escalation_paths'}}}) }}

-- The seconds of all steps of a conversation, and those before and after them, are those of its path; each is worked out apart.
with steps as (
    select
        conversation_id,
        count(*) as step_count,
        sum(coalesce(level_seconds, 0) + from_level_seconds) as seconds,
        sum(handover_seconds) as handover_seconds
    from {{ ref('escalation_steps') }}
    group by conversation_id
)

select
    coalesce(steps.conversation_id, paths.conversation_id) as conversation_id,
    steps.seconds,
    paths.total_seconds
from steps
full join {{ ref('escalation_paths') }} as paths on paths.conversation_id = steps.conversation_id
where steps.step_count is distinct from paths.step_count
    or steps.handover_seconds is distinct from paths.handover_seconds_sum
    or steps.seconds <> paths.total_seconds
