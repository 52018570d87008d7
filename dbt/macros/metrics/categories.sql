{#
  The labels of all weeks or months, as categories_weekly and categories_monthly show them: the days of categories_daily summed.
  LATERAL, so that who reads one period reads the chats of that period and of the one before, not all.
#}
{% macro categories_of_periods(period) -%}
select
    periods.period_start,
    periods.day_count,
    periods.is_partial,
    counted.scope,
    counted.scope_id,
    counted.scope_name,
    counted.field,
    counted.label,
    counted.label_es,
    counted.label_en,
    counted.chat_count,
    counted.by_human_count,
    counted.labelled_count,
    counted.chat_count / nullif(counted.labelled_count, 0)::double precision as label_share,
    counted.previous_chat_count,
    counted.previous_chat_count / nullif(counted.previous_labelled_count, 0)::double precision as previous_label_share,
    {{ percent_change('counted.chat_count', 'counted.previous_chat_count') }} as chat_count_delta_pct,
    counted.chat_count / nullif(counted.labelled_count, 0)::double precision
        - counted.previous_chat_count / nullif(counted.previous_labelled_count, 0)::double precision as label_share_delta,
    counted.is_llm,
    counted.classified_by_es,
    counted.classified_by_en
from {{ ref('int_rollup_periods') }} as periods
cross join lateral (
    select
        summed.*,
        (sum(summed.chat_count) over whole)::integer as labelled_count,
        (sum(summed.previous_chat_count) over whole)::integer as previous_labelled_count
    from (
        select
            days.scope,
            days.scope_id,
            min(days.scope_name) as scope_name,
            days.field,
            days.label,
            days.label_es,
            days.label_en,
            days.is_llm,
            days.classified_by_es,
            days.classified_by_en,
            coalesce(sum(days.chat_count) filter (where days.local_date >= periods.period_start), 0)::integer as chat_count,
            coalesce(sum(days.by_human_count) filter (where days.local_date >= periods.period_start), 0)::integer as by_human_count,
            coalesce(sum(days.chat_count) filter (where days.local_date < periods.period_start), 0)::integer as previous_chat_count
        from {{ ref('categories_daily') }} as days
        where days.local_date between periods.previous_start and periods.period_end
        group by
            days.scope, days.scope_id, days.field, days.label, days.label_es, days.label_en, days.is_llm,
            days.classified_by_es, days.classified_by_en
    ) as summed
    window whole as (partition by summed.scope, summed.scope_id, summed.field, summed.classified_by_en)
) as counted
where periods.period = '{{ period }}' and counted.chat_count > 0
{%- endmacro %}
