-- A view over the chats of its periods, right whenever it is read: the asset that categorizes runs after the models.
with labelled as (
    select
        periods.period,
        periods.period_start,
        scopes.scope,
        scopes.scope_id,
        chats.direction,
        labels.field,
        coalesce(labels.label, 'none') as label,
        count(*)::integer as chat_count
    from {{ ref('int_periods') }} as periods
    inner join {{ ref('chat_response_times') }} as chats
        on chats.created_local_date between periods.period_start and periods.period_end
    inner join {{ ref('chat_categories') }} as categories on categories.chat_id = chats.chat_id
    cross join lateral ({{ scopes('chats') }}) as scopes (scope, scope_id)
    cross join lateral (
        values
        ('customer_intent', categories.final_intent),
        ('journey_stage', categories.final_stage),
        ('sentiment', categories.final_sentiment)
    ) as labels (field, label)
    where not chats.is_deleted and scopes.scope_id is not null and categories.final_source is not null
    group by
        periods.period, periods.period_start, scopes.scope, scopes.scope_id, chats.direction, labels.field, labels.label
)

select
    period,
    period_start,
    scope,
    scope_id,
    direction,
    field,
    label,
    chat_count,
    chat_count
    / (sum(chat_count) over (partition by period, period_start, scope, scope_id, direction, field))::double precision
        as label_share
from labelled
