-- Whom a promise is judged of is the agent that sla_chats names, not the one who has the chat now.
with judged as (
    select
        chats.analysis_id,
        scopes.scope,
        scopes.scope_id,
        'sla_' || sla.metric || clocks.suffix || '_rate' as metric_name,
        count(*) filter (where clocks.state = 'met') as met_count,
        count(*) filter (where clocks.state in ('met', 'breached')) as evaluated_count
    from {{ ref('int_analysis_chats') }} as chats
    inner join {{ ref('sla_chats') }} as sla on sla.chat_id = chats.chat_id
    cross join lateral (
        values ('all', 'all'), ('agent', sla.agent_id), ('department', chats.department_id)
    ) as scopes (scope, scope_id)
    cross join lateral (values ('', sla.wall_state), ('_business', sla.business_state)) as clocks (suffix, state)
    where chats.scope = 'all' and scopes.scope_id is not null
    group by chats.analysis_id, scopes.scope, scopes.scope_id, sla.metric, clocks.suffix
)

select
    analysis_id,
    scope,
    scope_id,
    'RESPONSE_TIME' as metric_type,
    'sla' as category,
    metric_name,
    met_count::double precision / nullif(evaluated_count, 0) as numeric_value,
    'share' as unit,
    evaluated_count as count
from judged
