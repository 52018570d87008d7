{{ config(
    materialized='incremental',
    unique_key='contact_id',
    meta={'affected_by': 'int_affected_contacts'},
) }}

with judged as (
    select * from {{ ref('int_contact_outcomes') }}
    where contact_id in (
        select contact_id from {{ ref('int_affected_contacts') }} as affected
        where {{ load_window('affected') }}
    )
)

select
    contact_id,
    min(created_at) as first_contact_at,
    max(created_at) as last_contact_at,
    count(*)::integer as chat_count,
    count(*) filter (where direction = 'incoming')::integer as incoming_chat_count,
    count(closed_at)::integer as closed_chat_count,
    count(*) filter (where is_followed)::integer as followed_chat_count,
    count(*) filter (where is_contacted_again)::integer as contacted_again_count,
    count(is_resolved)::integer as judged_chat_count,
    count(*) filter (where is_resolved)::integer as resolved_chat_count,
    count(*) filter (where is_resolved)::double precision / nullif(count(is_resolved), 0) as first_contact_resolution_rate
from judged
group by contact_id
