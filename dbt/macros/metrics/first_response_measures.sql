{# What a heatmap tells of a group of answered chats, for a cell as for a whole week. #}
{% macro first_response_measures() -%}
    count(*)::integer as chat_count,
    sum(first_response_seconds)::bigint as sum_first_response_seconds,
    sum(first_response_seconds)::double precision / count(*) as mean_first_response_seconds,
    percentile_cont(0.5) within group (order by first_response_seconds) as p50_first_response_seconds,
    percentile_cont(0.9) within group (order by first_response_seconds) as p90_first_response_seconds
{%- endmacro %}
