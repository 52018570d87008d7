-- A view, and the one list of what an alert is sent of: Python reads it and decides nothing.
{%- set min_judged_count = 20 %}
{%- set sla_days = 7 %}
with newest as (
    select max(local_date) as local_date from {{ ref('int_backlog_hours') }} where scope = 'all' and scope_id = 'all'
),

-- The day of the newest load is not over. A day of few chats says little of a rate: the one before it stands.
judged as (
    select distinct on (days.metric)
        days.metric,
        days.local_date,
        days.rate,
        days.goal,
        days.is_goal_met
    from {{ ref('sla_daily') }} as days
    inner join newest
        on days.local_date < newest.local_date and days.local_date >= newest.local_date - {{ sla_days }}
    where days.scope = 'all'
        and days.scope_id = 'all'
        and days.clock = 'business'
        and days.met_count + days.breached_count >= {{ min_judged_count }}
    order by days.metric asc, days.local_date desc
)

select
    'kpi_out_of_band' as kind,
    metric,
    metric_label_es,
    metric_label_en,
    unit,
    local_date,
    hour_label,
    value,
    usual_low as expected_low,
    usual_high as expected_high
from {{ ref('kpi_bands') }}
where is_newest
    and band_position in ('above', 'below')
    and band_position is distinct from case better when 'lower' then 'below' when 'higher' then 'above' end

union all

select
    'sla_below_goal' as kind,
    kpis.metric,
    kpis.label_es,
    kpis.label_en,
    kpis.unit,
    judged.local_date,
    null,
    judged.rate,
    judged.goal,
    null
from judged
inner join {{ ref('kpi_metrics') }} as kpis on kpis.metric = 'sla_' || judged.metric || '_business_rate'
where not judged.is_goal_met
