select
    days.local_date,
    days.scope,
    days.scope_id,
    {{ call_scope_name('days', 'members') }} as scope_name,
    {{ funnel_columns('days') }}
from {{ ref('int_funnel_days') }} as days
{{ join_call_scope('members', 'days') }}
