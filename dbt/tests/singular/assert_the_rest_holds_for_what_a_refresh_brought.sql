{{ config(meta={'dagster': {'ref': {'name': 'data_freshness'}}}) }}

-- The tests of views, and those of references that no table can ask (macros/engine/tested_rows.sql), in one query, in a
-- refresh. Any other build runs each of them by itself. It waits for the tables that these views read:
-- depends_on: {{ ref('kpi_daily') }}, {{ ref('weekly_response_time_summary') }}, {{ ref('agent_occupancy') }}
-- depends_on: {{ ref('analysis_kpis') }}, {{ ref('backlog_hourly') }}, {{ ref('contact_activity') }}, {{ ref('contacts') }}
-- depends_on: {{ ref('data_quality') }}, {{ ref('tag_daily') }}, {{ ref('data_freshness') }}
-- depends_on: {{ source('analysis', 'taxonomy_labels') }}
{{ failures_of_tests('rest') if execute and (is_first_build() or is_refresh()) else 'select null where false' }}
