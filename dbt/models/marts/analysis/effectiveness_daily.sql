-- A view over the chats of its days. Scores of rules and of a language model are never in one mean.
with chats as (
    select * from {{ ref('chat_effectiveness') }}
)

select
    chats.created_local_date as local_date,
    scopes.scope,
    scopes.scope_id,
    scopes.scope_name,
    chats.is_llm,
    chats.classified_by_es,
    chats.classified_by_en,
    count(*)::integer as chat_count,
    count(chats.effectiveness_score)::integer as scored_count,
    avg(chats.effectiveness_score)::double precision as mean_effectiveness_score,
    sum(chats.effectiveness_score)::double precision as sum_effectiveness_score,
    count(chats.resolution_score)::integer as resolution_count,
    avg(chats.resolution_score)::double precision as mean_resolution_score,
    count(chats.customer_satisfaction)::integer as satisfaction_count,
    avg(chats.customer_satisfaction)::double precision as mean_customer_satisfaction,
    count(chats.response_time_score)::integer as response_time_count,
    avg(chats.response_time_score)::double precision as mean_response_time_score
from chats
cross join lateral (
    values
    ('all', 'all', 'all'),
    ('agent', chats.agent_id, chats.agent_name),
    ('department', coalesce(chats.department_id, 'none'), coalesce(chats.department_name, 'none'))
) as scopes (scope, scope_id, scope_name)
where scopes.scope_id is not null
group by
    chats.created_local_date, scopes.scope, scopes.scope_id, scopes.scope_name, chats.is_llm, chats.classified_by_es,
    chats.classified_by_en
