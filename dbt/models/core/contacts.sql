{{ config(
    unique_key='id',
    meta={'placement': 'reference'},
    indexes=[
        {'columns': ['b2chat_id'], 'unique': true},
        {'columns': ['email']},
        {'columns': ['mobile']},
        {'columns': ['phone_number']},
        {'columns': ['is_deleted']},
        {'columns': ['load_id']},
    ],
) }}

with candidates as (
    select * from {{ ref('int_b2chat__contact_candidates') }}
    where {{ load_window('int_b2chat__contact_candidates') }}
),

-- The contacts export knows a contact wholly, a chat only in part: a stub never stands before it.
chosen as (
    select distinct on (contact_id) *
    from candidates
    order by contact_id, is_stub, load_id desc, seen_at desc nulls last, chat_id
)

select
    chosen.contact_id as id,
    chosen.contact_id as b2chat_id,
    chosen.full_name,
    chosen.mobile,
    chosen.phone_number,
    chosen.email,
    chosen.identification,
    chosen.address,
    chosen.city,
    chosen.country,
    chosen.company,
    chosen.custom_attributes,
    chosen.deleted_at is not null as is_deleted,
    chosen.deleted_at,
    chosen.deletion_reason,
    chosen.loaded_at as last_sync_at,
    chosen.created_at,
    coalesce(chosen.updated_at, chosen.loaded_at) as updated_at,

    chosen.tags,
    chosen.is_stub,
    chosen.load_id
from chosen
{% if is_incremental() -%}
left join {{ this }} as known on known.id = chosen.contact_id
where known.id is null
    or chosen.is_stub < known.is_stub
    or (chosen.is_stub = known.is_stub and (
        known.full_name, known.mobile, known.phone_number, known.email, known.identification, known.address,
        known.city, known.country, known.company, known.custom_attributes, known.tags, known.created_at, known.deleted_at
    ) is distinct from (
        chosen.full_name, chosen.mobile, chosen.phone_number, chosen.email,
        chosen.identification, chosen.address, chosen.city, chosen.country, chosen.company,
        chosen.custom_attributes, chosen.tags, chosen.created_at, chosen.deleted_at
    ))
{%- endif %}
