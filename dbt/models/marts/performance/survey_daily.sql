{%- set offered = 'survey_completed_count + survey_abandoned_count + survey_lapsed_count + survey_answering_count' %}

with days as (
    select * from {{ ref('int_outcome_days') }}
    where closed_chat_count > 0
),

names as (
    select * from {{ ref('int_scope_names') }}
)

select
    days.local_date,
    days.scope,
    days.scope_id,
    coalesce(names.scope_name, days.scope_id) as scope_name,
    days.closed_chat_count,
    {{ offered }} as offered_count,
    days.survey_completed_count as completed_count,
    days.survey_abandoned_count as abandoned_count,
    days.survey_lapsed_count as lapsed_count,
    days.survey_answering_count as answering_count,
    ({{ offered }})::double precision / nullif(days.closed_chat_count, 0) as offer_rate,
    days.survey_completed_count::double precision / nullif({{ offered }} - days.survey_answering_count, 0) as response_rate
from days
left join names on names.scope = days.scope and names.scope_id = days.scope_id
