select
    periods.period,
    periods.period_id,
    quality.subject,
    quality.rule,
    max(quality.severity) as severity,
    max(quality.rule_label_es) as rule_label_es,
    max(quality.rule_label_en) as rule_label_en,
    sum(quality.broken_count)::bigint as broken_count,
    sum(quality.checked_count)::bigint as checked_count,
    sum(quality.broken_count)::double precision / nullif(sum(quality.checked_count), 0) as broken_share
from {{ ref('report_periods') }} as periods
inner join {{ ref('data_quality') }} as quality on quality.local_date between periods.first_date and periods.last_date
-- Records in quarantine are counted by the pages that were read.
where not starts_with(quality.subject, 'quarantine of ')
group by periods.period, periods.period_id, quality.subject, quality.rule
having sum(quality.broken_count) > 0
