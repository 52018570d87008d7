-- Visitors of whom something came or changed; and who it was before, where it is another's now, as of a person who was erased.
{%- for relation in ['widget_pageviews', 'calls'] %}
{%- for key in ['visitor_key', 'previous_visitor_key'] %}
select
    {{ key }} as visitor_key,
    load_id
from {{ ref(relation) }}
where {{ key }} is not null

union all
{% endfor %}
{%- endfor %}
select
    visitor_key,
    load_id
from {{ ref('int_call_times') }}
