{{ config(
    schema='analysis',
    alias='analysis_kpis',
    materialized='incremental',
    contract={'enforced': true},
    unique_key='analysis_id',
    pre_hook="select ops.lock_in_transaction('build', 'analysis_kpis')",
    indexes=[
        {'columns': ['analysis_id', 'metric_type']},
        {'columns': ['analysis_id', 'category']},
        {'columns': ['agent_id', 'metric_type']},
    ],
) }}

-- Analyses whose chats were published and whose KPIs are not of that publication; all of them after a change of rules.
with due as materialized (
    select
        analyses.id as analysis_id,
        analyses.published_at,
        analyses.is_llm,
        analyses.classifier_version
    from {{ source('analysis', 'customer_analyses') }} as analyses
    where analyses.published_at is not null
    {%- if is_incremental() %}
        and (
            {{ all_loads_are_read() }}
            or not exists (
                select 1 from {{ this }} as stored
                where stored.analysis_id = analyses.id and stored.published_at = analyses.published_at
            )
        )
    {%- endif %}
),

kpis as (
    {%- for kpis, has_member, has_json in [
        ('int_analysis_time_kpis', false, false),
        ('int_analysis_sla_kpis', false, false),
        ('int_analysis_volume_kpis', true, false),
        ('int_analysis_concurrency_kpis', false, false),
        ('int_analysis_distribution_kpis', true, true),
    ] %}
    select
        analysis_id,
        scope,
        scope_id,
        metric_type,
        category,
        metric_name,
        numeric_value,
        {{ 'member' if has_member else 'null' }}::text as member,
        {{ 'json_value' if has_json else 'null' }}::jsonb as json_value,
        unit,
        count
    from {{ ref(kpis) }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
)

select
    md5(concat_ws('|', kpis.analysis_id, kpis.metric_name, kpis.scope, kpis.scope_id, kpis.member)) as id,
    now() as created_at,
    kpis.analysis_id,
    kpis.metric_type,
    kpis.metric_name,
    kpis.numeric_value,
    kpis.member as string_value,
    kpis.json_value,
    case when kpis.scope = 'agent' then kpis.scope_id end as agent_id,
    case when kpis.scope = 'department' then kpis.scope_id end as department_id,
    kpis.category,
    kpis.scope,
    kpis.unit,
    kpis.count::integer as count,
    case when kpis.category = 'customer_analysis' then due.is_llm end as is_llm,
    case when kpis.category = 'customer_analysis' then due.classifier_version end as classified_by,
    due.published_at
from kpis
inner join due on due.analysis_id = kpis.analysis_id
-- An array is handed down into the views of the steps, which then count these analyses alone; the join would be made last.
where kpis.analysis_id = any(array(select due.analysis_id from due))
