with shown_weeks as (
    select * from {{ ref('int_shown_weeks') }}
),

scopes as (
    select * from {{ ref('int_traffic_scopes') }}
),

filled as (
    select
        shown_weeks.week_start,
        scopes.scope,
        scopes.scope_id,
        scopes.scope_name,
        grid.*
    from shown_weeks
    cross join scopes
    -- OFFSET keeps it apart: whatever a week and a scope are found by, their cells are then looked up by the key.
    cross join lateral (
        select
            days.member::integer as day_of_week,
            hours.hour,
            shown_weeks.week_start + (days.member::integer + 6) % 7 as cell_date,
            days.label_es as day_label_es,
            days.label_en as day_label_en,
            lpad(hours.hour::text, 2, '0') as hour_label,
            coalesce(cells.chat_count, 0) as chat_count,
            coalesce(cells.incoming_chat_count, 0) as incoming_chat_count,
            coalesce(cells.outgoing_chat_count, 0) as outgoing_chat_count,
            coalesce(cells.message_count, 0) as message_count,
            coalesce(cells.incoming_message_count, 0) as incoming_message_count,
            coalesce(cells.outgoing_message_count, 0) as outgoing_message_count,
            coalesce(cells_before.chat_count, 0) as previous_chat_count,
            coalesce(cells_before.message_count, 0) as previous_message_count
        from {{ ref('labels') }} as days
        cross join generate_series(0, 23) as hours (hour)
        {%- for cells, begins in [('cells', 'shown_weeks.week_start'), ('cells_before', 'shown_weeks.week_start - 7')] %}
        left join {{ ref('int_traffic_cells') }} as {{ cells }}
            on {{ cells }}.scope = scopes.scope
            and {{ cells }}.scope_id = scopes.scope_id
            and {{ cells }}.local_date between {{ begins }} and {{ begins }} + 6
            and {{ cells }}.local_date = {{ begins }} + (days.member::integer + 6) % 7
            and {{ cells }}.hour = hours.hour
        {%- endfor %}
        where days.label_set = 'day_of_week'
        offset 0
    ) as grid
)

select
    week_start,
    scope,
    scope_id,
    scope_name,
    day_of_week,
    hour,
    cell_date,
    day_label_es,
    day_label_en,
    hour_label,
    chat_count,
    incoming_chat_count,
    outgoing_chat_count,
    message_count,
    incoming_message_count,
    outgoing_message_count,
    chat_count / nullif(sum(chat_count) over same_week, 0)::double precision as share_of_chats,
    message_count / nullif(sum(message_count) over same_week, 0)::double precision as share_of_messages,
    previous_chat_count,
    previous_message_count,
    {{ percent_change('chat_count', 'previous_chat_count') }} as chat_count_delta_pct,
    {{ percent_change('message_count', 'previous_message_count') }} as message_count_delta_pct
from filled
window same_week as (partition by week_start, scope, scope_id)
