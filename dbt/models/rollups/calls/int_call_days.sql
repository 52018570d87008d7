{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_call_times', 'affected_key': 'created_local_date'},
    indexes=[{'columns': ['scope', 'scope_id', 'local_date']}],
) }}

{%- set outcomes = ['answered', 'missed', 'rejected', 'abandoned', 'short_abandoned', 'failed', 'waiting'] %}

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
    cross join lateral (
        values
        ('all', 'all'),
        ('organization', calls.organization_id),
        ('pool', coalesce(calls.pool_id, 'none')),
        ('site', coalesce(calls.site_id, 'none')),
        ('country', calls.country),
        ('agent', calls.agent_id),
        ('disposition', coalesce(calls.disposition_id, 'none'))
    ) as scopes (scope, scope_id)
    where calls.created_local_date = any(array(select local_date from affected_days))
        and not calls.is_deleted
        and scopes.scope_id is not null
)

select
    created_local_date as local_date,
    scope,
    scope_id,
    count(*)::integer as call_count,
    {%- for outcome in outcomes %}
    count(*) filter (where outcome = '{{ outcome }}')::integer as {{ outcome }}_count,
    {%- endfor %}
    count(*) filter (where is_judged)::integer as judged_count,
    count(*) filter (where is_answered_in_time)::integer as answered_in_time_count,
    count(*) filter (where is_live)::integer as live_count,
    count(*) filter (where is_orphaned)::integer as orphaned_count,
    count(*) filter (where reconnect_count > 0)::integer as reconnected_count,
    sum(offer_count)::integer as offer_count,
    sum(timeout_count)::integer as missed_offer_count,
    {%- for seconds in ['answer_seconds', 'wait_seconds', 'talk_seconds', 'handle_seconds'] %}
    {{ spread_of(seconds, [50, 90, 95, 99]) }}{{ ',' if not loop.last }}
    {%- endfor %}
from calls
group by created_local_date, scope, scope_id
