-- A version of a chat that tells of a moment what the one before told of it changes no day: its backlog is that of the
-- moments at which anything comes or goes.
{%- set versions = {'told': ['load_id', 'superseded_by_load_id'], 'gone': ['superseded_by_load_id', 'load_id']} %}
{%- for version, (load, counterpart) in versions.items() %}
{%- for side, flag in [('entered_at', 'is_opening'), ('left_at', 'is_closing')] %}
select
    {{ date_of(version ~ '.' ~ side) }} as local_date,
    {{ version }}.{{ load }} as load_id
from {{ ref('int_backlog_intervals') }} as {{ version }}
where {{ version }}.{{ load }} is not null
    and {{ version }}.{{ side }} is not null
    and not exists (
        select 1 from {{ ref('int_backlog_intervals') }} as same
        where same.chat_id = {{ version }}.chat_id
            and same.{{ counterpart }} = {{ version }}.{{ load }}
            and same.state = {{ version }}.state
            and same.{{ side }} = {{ version }}.{{ side }}
            and (same.{{ flag }}, same.agent_id, same.department_id, same.channel, same.source) is not distinct from
                (
                    {{ version }}.{{ flag }}, {{ version }}.agent_id, {{ version }}.department_id, {{ version }}.channel,
                    {{ version }}.source
                )
    )
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
