{# The steps of the funnel with their rates, of counts of visits. #}
{% macro funnel_columns(visits) -%}
    {%- set has_pageviews = var('calls_have_pageviews') %}
    {%- set first = 'pageview_visit_count' if has_pageviews else 'popup_visit_count' %}
    {{ visits }}.visit_count,
    {{ visits ~ '.pageview_visit_count' if has_pageviews else 'null::integer' }} as pageview_visit_count,
    {{ visits }}.popup_visit_count,
    {{ visits }}.call_visit_count,
    {{ visits }}.accepted_visit_count,
    {{ visits }}.completed_visit_count,
    {{ visits ~ '.popup_visit_count::double precision / nullif(' ~ visits ~ '.pageview_visit_count, 0)' if has_pageviews
        else 'null::double precision' }} as popup_rate,
    {{ visits }}.call_visit_count::double precision / nullif({{ visits }}.popup_visit_count, 0) as call_rate,
    {{ visits }}.accepted_visit_count::double precision / nullif({{ visits }}.call_visit_count, 0) as accepted_rate,
    {{ visits }}.completed_visit_count::double precision / nullif({{ visits }}.accepted_visit_count, 0) as completed_rate,
    {{ visits }}.completed_visit_count::double precision / nullif({{ visits }}.{{ first }}, 0) as overall_rate,
    {{ visits }}.direct_call_count,
    {{ visits }}.anonymous_count,
    {{ visits }}.anonymous_count::double precision / nullif({{ visits }}.visit_count, 0) as anonymous_share,
    {{ visits }}.bot_count,
    {{ visits }}.suspected_bot_count
{%- endmacro %}
