-- Days, weeks and months in one column, so that a reader of one period reads the days of that period by index.
{%- set first_day = "timestamp '" ~ var('calendar_first_year') ~ "-01-01'" %}
{%- set last_day = "timestamp '" ~ var('calendar_last_year') ~ "-12-31'" %}
{%- for period in ['day', 'week', 'month'] %}
select
    '{{ period }}' as period,
    period_start::date as period_start,
    (period_start + interval '1 {{ period }}')::date - 1 as period_end
from generate_series(date_trunc('{{ period }}', {{ first_day }}), {{ last_day }}, interval '1 {{ period }}') as period_start
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
