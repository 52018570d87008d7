{{ config(
    unique_key='id',
    meta={'placement': 'reference'},
    indexes=[
        {'columns': ['b2chat_code'], 'unique': true},
        {'columns': ['parent_id']},
        {'columns': ['path']},
        {'columns': ['is_active', 'is_leaf']},
        {'columns': ['load_id']},
    ],
    post_hook="
        -- It was a department by its name, until a chat told the code.
        delete from {{ this }}
        where id in (select department_name from {{ ref('int_b2chat__department_codes') }})
            and id not in (select department_code from {{ ref('int_b2chat__department_codes') }})
    ",
) }}

with named as (
    select distinct on (department_id)
        department_id,
        coalesce(department_name, department_id) as department_name,
        load_id,
        loaded_at
    from {{ ref('int_b2chat__identified_chats') }}
    where department_id is not null and {{ load_window('int_b2chat__identified_chats') }}
    -- A chat that has the code alone does not know the name.
    order by
        department_id, coalesce(department_name, department_id) = department_id,
        loaded_at desc, load_id desc, created_at desc nulls last, chat_id
)

select
    named.department_id as id,
    named.department_id as b2chat_code,
    named.department_name as name,
    null::text as parent_id,
    true as is_leaf,
    true as is_active,
    '/' || named.department_name || '/' as path,
    0 as level,
    named.loaded_at as last_sync_at,
    {% if is_incremental() %}coalesce(known.created_at, named.loaded_at){% else %}named.loaded_at{% endif %} as created_at,

    named.load_id
from named
{% if is_incremental() -%}
left join {{ this }} as known on known.id = named.department_id
where known.id is null
    -- A chat that is read again, because its contact was erased, says what was known when it came.
    or (
        known.name <> named.department_name
        and named.department_name <> named.department_id
        and named.loaded_at >= known.last_sync_at
    )
{%- endif %}
