-- A view over the chats of its periods, right whenever it is read: the asset that categorizes runs after the models.
select
    periods.period,
    periods.period_start,
    scopes.scope,
    scopes.scope_id,
    chats.direction,
    {{ categorized_measures('categories.final_source', 'categories.state', 'categories.final_agent_quality_score') }},
    sum(categories.needs_review::integer)::integer as needs_review_count
from {{ ref('int_periods') }} as periods
inner join {{ ref('chat_response_times') }} as chats
    on chats.created_local_date between periods.period_start and periods.period_end
left join {{ ref('chat_categories') }} as categories on categories.chat_id = chats.chat_id
cross join lateral ({{ scopes('chats') }}) as scopes (scope, scope_id)
where not chats.is_deleted and scopes.scope_id is not null
group by periods.period, periods.period_start, scopes.scope, scopes.scope_id, chats.direction
