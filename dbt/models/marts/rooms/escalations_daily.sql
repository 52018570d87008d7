select
    period_start as local_date,
    scope,
    scope_id,
    scope_name,
    created_count,
    resolved_count,
    cancelled_count,
    superseded_count,
    open_count,
    end_open_count,
    {%- for time in ['assign', 'start', 'handover', 'level'] %}
    {{ time }}_count,
    {{ spread_names(time ~ '_seconds', [50, 90, 95, 99]) | join(', ') }},
    {{ spread_names(time ~ '_business_seconds', [50, 90]) | join(', ') }},
    {%- endfor %}
    room_count,
    escalated_room_count,
    escalation_rate,
    finished_room_count,
    first_level_room_count,
    first_level_resolution_rate
from {{ ref('escalations_by_period') }}
where period = 'day'
