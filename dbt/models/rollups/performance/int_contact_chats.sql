{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'affected_by': 'int_conversations'},
    indexes=[
        {'columns': ['chat_id']},
        {'columns': ['contact_id', 'created_at']},
        {'columns': ['closed_at']},
        {'columns': ['load_id']},
    ],
) }}

with affected as (
    select * from {{ ref('int_conversations') }} as conversations
    where {{ load_window('conversations') }}
)

select
    chat_id,
    contact_id,
    created_at,
    closed_at,
    direction,
    false as is_left,
    load_id
from affected
where contact_id is not null and not is_deleted

{% if is_incremental() -%}
union all

-- A contact that the chat was taken away from stays, so that it is counted anew, however much later.
select
    known.chat_id,
    known.contact_id,
    null as created_at,
    null as closed_at,
    known.direction,
    true as is_left,
    case when known.is_left then known.load_id else affected.load_id end as load_id
from {{ this }} as known
inner join affected on affected.chat_id = known.chat_id
where known.contact_id is distinct from affected.contact_id or affected.is_deleted
{%- endif %}
