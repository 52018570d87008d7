{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_call_times', 'affected_key': 'created_local_date'},
    indexes=[{'columns': ['scope', 'scope_id', 'local_date']}],
) }}

with affected_days as (
    select distinct created_local_date as local_date
    from {{ ref('int_call_times') }} as affected
    where {{ load_window('affected') }}
),

calls as (
    select
        calls.*,
        scopes.scope,
        scopes.scope_id
    from {{ ref('int_call_times') }} as calls
    {{ call_scopes('calls') }}
    where calls.created_local_date = any(array(select local_date from affected_days))
        and not calls.is_deleted
        and scopes.scope_id is not null
)

select
    created_local_date as local_date,
    scope,
    scope_id,
    {{ call_measures() }}
from calls
group by created_local_date, scope, scope_id
