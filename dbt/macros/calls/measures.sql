{# What may become of a call; each has one. #}
{% macro call_outcomes() -%}
    {{ return(['answered', 'missed', 'rejected', 'abandoned', 'short_abandoned', 'failed', 'waiting']) }}
{%- endmacro %}


{# The members of whom a call counts, beside all: what has no pool, site or disposition is the member `none`. #}
{% macro call_scopes(calls) -%}
    cross join lateral (
        values
        ('all', 'all'),
        ('organization', {{ calls }}.organization_id),
        ('pool', coalesce({{ calls }}.pool_id, 'none')),
        ('site', coalesce({{ calls }}.site_id, 'none')),
        ('country', {{ calls }}.country),
        ('agent', {{ calls }}.agent_id),
        ('disposition', coalesce({{ calls }}.disposition_id, 'none'))
    ) as scopes (scope, scope_id)
{%- endmacro %}


{# What calls come to: counts, means and percentiles. #}
{% macro call_measures() -%}
    count(*)::integer as call_count,
    {%- for outcome in call_outcomes() %}
    count(*) filter (where outcome = '{{ outcome }}')::integer as {{ outcome }}_count,
    {%- endfor %}
    count(*) filter (where is_judged)::integer as judged_count,
    count(*) filter (where is_answered_in_time)::integer as answered_in_time_count,
    count(*) filter (where is_live)::integer as live_count,
    count(*) filter (where is_orphaned)::integer as orphaned_count,
    count(*) filter (where reconnect_count > 0)::integer as reconnected_count,
    sum(offer_count)::integer as offer_count,
    sum(timeout_count)::integer as missed_offer_count,
    {%- for seconds in call_times() %}
    {{ spread_of(seconds, [50, 90, 95, 99]) }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{% macro call_times() -%}
    {{ return(['answer_seconds', 'wait_seconds', 'talk_seconds', 'handle_seconds']) }}
{%- endmacro %}


{# Rates of what `call_measures` counts. #}
{% macro call_rates(counts) -%}
    {{ counts }}.answered_count::double precision / nullif({{ counts }}.judged_count, 0) as answer_rate,
    {{ counts }}.answered_in_time_count::double precision / nullif({{ counts }}.judged_count, 0) as service_level,
    {{ counts }}.abandoned_count::double precision / nullif({{ counts }}.judged_count, 0) as abandon_rate,
    {{ counts }}.missed_count::double precision / nullif({{ counts }}.judged_count, 0) as miss_rate
{%- endmacro %}


{# The columns that `call_measures` and `call_rates` make, in the order in which a mart shows them. #}
{% macro call_columns(calls) -%}
    {{ calls }}.call_count,
    {%- for name in call_outcomes() + ['judged', 'answered_in_time', 'live', 'orphaned', 'reconnected', 'offer', 'missed_offer'] %}
    {{ calls }}.{{ name }}_count,
    {%- endfor %}
    {%- for name in ['answer_rate', 'service_level', 'abandon_rate', 'miss_rate'] %}
    {{ calls }}.{{ name }},
    {%- endfor %}
    {%- for seconds in call_times() %}
    {%- set of_all = loop.last %}
    {%- for name in spread_names(seconds, [50, 90, 95, 99]) %}
    {{ calls }}.{{ name }}{{ ',' if not (of_all and loop.last) }}
    {%- endfor %}
    {%- endfor %}
{%- endmacro %}
