{{ config(
    materialized='incremental',
    unique_key='department_name',
    meta={'placement': 'reference'},
    indexes=[{'columns': ['department_name'], 'unique': true}, {'columns': ['load_id']}],
) }}

with told as (
    select
        department_name,
        department_code,
        load_id,
        loaded_at,
        chat_id
    from {{ ref('stg_b2chat__chats') }}
    where {{ load_window('stg_b2chat__chats') }}

    union all

    -- A version that came and went between two builds.
    select
        department_name,
        department_code,
        landed_load_id as load_id,
        loaded_at,
        chat_id
    from {{ ref('stg_b2chat__chat_versions') }}
    where {{ load_window('stg_b2chat__chat_versions') }}
)

-- What was told first holds: a name that later comes with another code must not move all chats again.
select distinct on (told.department_name)
    told.department_name,
    told.department_code,
    told.load_id
from told
{% if is_incremental() -%}
left join {{ this }} as known on known.department_name = told.department_name
{%- endif %}
where told.department_code is not null and told.department_name <> told.department_code
    {%- if is_incremental() %} and known.department_name is null{% endif %}
order by told.department_name, told.loaded_at, told.load_id, told.chat_id, told.department_code
