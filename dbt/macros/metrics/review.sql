{# Notes of a machine that read what strangers wrote: no control characters, no tags, nothing that a spreadsheet takes for a formula. #}
{% macro shown_notes(value) -%}
    left(ltrim(translate(regexp_replace({{ value }}, '[[:cntrl:]]+', ' ', 'g'), '<>', '‹›'), ' =+-@'), 600)
{%- endmacro %}


{# An agent's score as its band: 1-4 low, 5-7 mid, 8-10 high. #}
{% macro quality_band(score) -%}
    case when {{ score }} <= 4 then 'low' when {{ score }} <= 7 then 'mid' when {{ score }} <= 10 then 'high' end
{%- endmacro %}


{# One end of the 95 % interval (Wilson) of a share; NULL when there is nothing to share. sign is - or +. #}
{% macro wilson_bound(right_count, count, sign) -%}
    (
        ({{ right_count }}::double precision / nullif({{ count }}, 0) + 3.8416 / (2.0 * nullif({{ count }}, 0))
            {{ sign }} 1.96 * sqrt(
                {{ right_count }}::double precision * ({{ count }} - {{ right_count }}) / nullif({{ count }}, 0) ^ 3
                + 3.8416 / (4.0 * nullif({{ count }}, 0) ^ 2)))
        / (1 + 3.8416 / nullif({{ count }}, 0))
    )
{%- endmacro %}
