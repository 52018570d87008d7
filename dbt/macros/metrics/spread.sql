{# Mean and percentiles of a column of seconds, where a condition holds. #}
{% macro spread_of(seconds, percentiles, condition='true') -%}
    avg({{ seconds }}) filter (where {{ condition }})::double precision as mean_{{ seconds }}
    {%- for percentile in percentiles %},
        percentile_cont({{ percentile / 100 }}) within group (order by {{ seconds }}) filter (where {{ condition }})
            as p{{ percentile }}_{{ seconds }}
    {%- endfor %}
{%- endmacro %}


{# The names of these columns. #}
{% macro spread_names(seconds, percentiles) -%}
    {%- set names = ['mean_' ~ seconds] -%}
    {%- for percentile in percentiles -%}
        {%- do names.append('p' ~ percentile ~ '_' ~ seconds) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}
