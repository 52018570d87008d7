{{ config(
    unique_key='id',
    indexes=[
        {'columns': ['started_at']},
        {'columns': ['agent_id', 'started_at']},
        {'columns': ['created_local_date']},
        {'columns': ['load_id']},
    ],
) }}

-- A session of more than a day is cut there (rollups/calls/int_agent_sessions): nobody works so long.
with landed as (
    select distinct on (id)
        *,
        case
            when started_at is not null and coalesce(ended_at >= started_at, true)
                then least(ended_at, started_at + {{ max_session_time() }})
        end as counted_to
    from {{ ref('stg_calls__agent_sessions') }} as sessions
    where id is not null and {{ load_window('sessions') }}
    order by id, load_id desc, started_at desc nulls last
)

select
    landed.id,
    landed.agent_id,
    landed.organization_id,
    landed.started_at,
    case when landed.ended_at < landed.started_at then null else landed.ended_at end as ended_at,
    coalesce(landed.ended_at < landed.started_at, false) as is_ended_before_started,
    landed.ended_by,
    landed.created_at,
    landed.updated_at,
    landed.removed_at is not null as is_deleted,
    landed.removed_at as deleted_at,
    landed.loaded_at as last_sync_at,

    -- On these days it was counted, by what any load told: they are counted anew.
    {% if is_incremental() -%}
    least(known.ever_from, landed.started_at) as ever_from,
    greatest(known.ever_to, landed.counted_to) as ever_to,
    {%- else -%}
    landed.started_at as ever_from,
    landed.counted_to as ever_to,
    {%- endif %}
    {{ local_time('coalesce(landed.started_at, landed.created_at, landed.loaded_at)') }}::date as created_local_date,
    {{ broken_rules({
        'unknown_value': has_unknown_value({'landed.ended_by': 'session_ended_by'}),
        'session_ended_before_started': 'landed.ended_at < landed.started_at',
        'session_too_long': "landed.ended_at > landed.started_at + " ~ max_session_time(),
    }) }} as quality_rules,
    landed.load_id
from landed
{%- if is_incremental() %}
left join {{ this }} as known on known.id = landed.id
{%- endif %}
