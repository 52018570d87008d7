-- The stored rows that have one value each, in the units that marts have. What json_value holds is in the rows with a member.
with kpis as (
    select * from {{ ref('analysis_kpi_rows') }}
    where metric_name not like '%\_distribution' and metric_name not like '%\_by\_%'
),

agents as (
    select * from {{ ref('int_agents') }}
),

departments as (
    select * from {{ ref('int_departments') }}
)

select
    kpis.id,
    kpis.analysis_id,
    kpis.metric_type,
    kpis.category,
    kpis.metric_name,
    kpis.string_value as member,
    kpis.scope,
    kpis.agent_id,
    agents.name as agent_name,
    kpis.department_id,
    departments.name as department_name,
    case when kpis.unit = 'milliseconds' then kpis.numeric_value / 1000 else kpis.numeric_value end as value,
    case when kpis.unit = 'milliseconds' then 'seconds' else kpis.unit end as unit,
    kpis.count,
    kpis.is_llm,
    {{ classified_by('kpis.is_llm', 'kpis.classified_by', 'es') }} as classified_by_es,
    {{ classified_by('kpis.is_llm', 'kpis.classified_by', 'en') }} as classified_by_en,
    kpis.classified_by,
    kpis.created_at
from kpis
left join agents on agents.id = kpis.agent_id
left join departments on departments.id = kpis.department_id
