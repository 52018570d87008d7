{{ config(meta={'dagster': {'ref': {'name': 'data_freshness'}}}) }}

-- All data tests of views in one query (macros/engine/tested_rows.sql), where a refresh built the tables below them and
-- not the views. Any other build runs each of them by itself. It waits for the tables that these views read:
-- depends_on: {{ ref('kpi_daily') }}, {{ ref('weekly_response_time_summary') }}, {{ ref('agent_occupancy') }}
-- depends_on: {{ ref('analysis_kpis') }}, {{ ref('backlog_hourly') }}
-- depends_on: {{ ref('data_quality') }}, {{ ref('tag_daily') }}, {{ ref('data_freshness') }}
-- depends_on: {{ source('analysis', 'taxonomy_labels') }}
{% if execute and invocation_args_dict.get('selector') == 'refresh' -%}
{{ tests_of_views() }}
{%- else -%}
select null where false
{%- endif %}
