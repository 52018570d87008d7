{{ config(
    unique_key='id',
    indexes=[{'columns': ['organization_id']}, {'columns': ['created_local_date']}, {'columns': ['load_id']}],
) }}

select
    id,
    organization_id,
    username,
    first_name,
    last_name,
    email,
    display_name,
    avatar_url,
    current_status,
    last_seen_at,
    chat_preferences,
    account_type_informal,
    current_account_status,
    is_email_verified,
    created_at,
    updated_at,
    {{ row_state('landed') }},

    coalesce(
        {{ clean_text('display_name') }}, {{ clean_text("concat_ws(' ', first_name, last_name)") }}, {{ clean_text('username') }}, id
    ) as name,
    coalesce(account_type_informal = 'robot', false) as is_robot,
    {{ local_time('coalesce(created_at, loaded_at)') }}::date as created_local_date,
    {{ broken_rules({
        'unknown_value': has_unknown_value({'account_type_informal': 'account_type', 'current_account_status': 'account_status'}),
    }) }} as quality_rules,
    load_id
from {{ ref('stg_rooms__users') }} as landed
where {{ load_window('landed') }}
