-- A view over the chats of its periods, right whenever it is read: the asset that categorizes runs after the models.
with labelled as (
    select
        periods.period,
        periods.period_start,
        scopes.scope,
        scopes.scope_id,
        chats.direction,
        categories.final_intent as customer_intent,
        count(*)::integer as chat_count,
        count(*) filter (where categories.final_source = 'human')::integer as by_human_count,
        count(chats.first_response_seconds)::integer as first_response_count,
        percentile_cont(0.5) within group (order by chats.first_response_seconds) as p50_first_response_seconds,
        percentile_cont(0.9) within group (order by chats.first_response_seconds) as p90_first_response_seconds
    from {{ ref('int_periods') }} as periods
    inner join {{ ref('chat_response_times') }} as chats
        on chats.created_local_date between periods.period_start and periods.period_end
    inner join {{ ref('chat_categories') }} as categories on categories.chat_id = chats.chat_id
    cross join lateral ({{ scopes('chats') }}) as scopes (scope, scope_id)
    where not chats.is_deleted and scopes.scope_id is not null and categories.final_intent is not null
    group by
        periods.period, periods.period_start, scopes.scope, scopes.scope_id, chats.direction, categories.final_intent
)

select
    period,
    period_start,
    labelled.scope,
    labelled.scope_id,
    direction,
    customer_intent,
    chat_count,
    (sum(chat_count) over same_period)::integer as labelled_count,
    chat_count / (sum(chat_count) over same_period)::double precision as label_share,
    by_human_count,
    first_response_count,
    {{ time_of_one_source('p50_first_response_seconds') }} as p50_first_response_seconds,
    {{ time_of_one_source('p90_first_response_seconds') }} as p90_first_response_seconds
from labelled
{{ join_mixed_members('labelled') }}
window same_period as (partition by period, period_start, labelled.scope, labelled.scope_id, direction)
