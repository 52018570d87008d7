-- A view over the calls of its periods: who reads one period pays for that.
with counted as (
    select
        periods.period,
        periods.period_start,
        scopes.scope,
        scopes.scope_id,
        {{ call_measures() }}
    from {{ ref('int_call_periods') }} as periods
    inner join {{ ref('int_call_times') }} as calls
        on calls.created_local_date between periods.period_start and periods.period_end
    {{ call_scopes('calls') }}
    where not calls.is_deleted and scopes.scope_id is not null
    group by periods.period, periods.period_start, scopes.scope, scopes.scope_id
),

rated as (
    select
        *,
        {{ call_rates('counted') }}
    from counted
)

select
    rated.period,
    rated.period_start,
    rated.scope,
    rated.scope_id,
    {{ call_scope_name('rated', 'members') }} as scope_name,
    {{ call_columns('rated') }},
    {{ var('call_target_seconds') }} as target_seconds,
    {{ var('call_target_share') }}::double precision as target_share
from rated
{{ join_call_scope('members', 'rated') }}
