{{ config(
    materialized='incremental',
    unique_key='week_start',
    meta={'affected_by': 'int_affected_weeks'},
    indexes=[{
        'columns': ['week_start', 'scope', 'scope_id', 'direction_filter', 'office_hours_filter'],
        'unique': true,
    }],
) }}

with affected as (
    select distinct week_start from {{ ref('int_affected_weeks') }} as affects
    where {{ load_window('affects') }}
),

weeks as (
    select
        week_start,
        scope,
        scope_id,
        direction_filter,
        office_hours_filter,
        {{ first_response_measures() }}
    from {{ ref('int_heatmap_chats') }}
    where {{ is_of('affected', 'week_start') }}
    group by week_start, scope, scope_id, direction_filter, office_hours_filter
),

cells as (
    select * from {{ ref('int_heatmap_cells') }}
    where chat_count > 0 and {{ is_of('affected', 'week_start') }}
)

select
    weeks.*,
    fastest.day_of_week as fastest_day_of_week,
    fastest.hour as fastest_hour,
    fastest.mean_first_response_seconds as fastest_mean_seconds,
    fastest.chat_count as fastest_chat_count,
    slowest.day_of_week as slowest_day_of_week,
    slowest.hour as slowest_hour,
    slowest.mean_first_response_seconds as slowest_mean_seconds,
    slowest.chat_count as slowest_chat_count
from weeks
{%- for slot, rank in [('fastest', 'fastest_rank'), ('slowest', 'slowest_rank')] %}
left join cells as {{ slot }}
    on {{ slot }}.week_start = weeks.week_start
    and {{ slot }}.scope = weeks.scope
    and {{ slot }}.scope_id = weeks.scope_id
    and {{ slot }}.direction_filter = weeks.direction_filter
    and {{ slot }}.office_hours_filter = weeks.office_hours_filter
    and {{ slot }}.{{ rank }} = 1
{%- endfor %}
