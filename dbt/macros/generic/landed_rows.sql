{#
  An instant of a row's JSON, as text, to timestamptz; NULL for anything that is none, so that a landed row never stops a
  build. One without an offset is UTC: a Postgres whose columns have no zone.
#}
{% macro json_instant(value) -%}
    case
        when {{ value }} !~ '^(199\d|20\d\d|2100)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]\d\d(:\d\d)?)?$'
            then null
        when substr({{ value }}, 9, 2) > '28' and substr({{ value }}, 9, 2)::integer > extract(
            day from (left({{ value }}, 7) || '-01')::date + interval '1 month' - interval '1 day'
        ) then null
        when substr({{ value }}, 20) ~ '[Z+-]' then ({{ value }})::timestamptz
        else ({{ value }})::timestamp at time zone 'UTC'
    end
{%- endmacro %}


{# A whole number of a row's JSON, as text, to bigint; NULL for anything that is none. #}
{% macro json_integer(value) -%}
    case when {{ value }} ~ '^-?\d{1,18}$' then ({{ value }})::bigint end
{%- endmacro %}


{# The same to integer. #}
{% macro json_small_integer(value) -%}
    case when {{ value }} ~ '^-?\d{1,9}$' then ({{ value }})::integer end
{%- endmacro %}


{# A row's JSON, unpacked once. #}
{% macro unpacked(payload, columns) -%}
    jsonb_to_record(
        case when jsonb_typeof({{ payload }}) = 'object' then {{ payload }} else '{}'::jsonb end
    ) as record (
        {%- for column in columns %}
        {{ column if ' ' in column else column ~ ' text' }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}


{# The values that an enumeration of the schemas rooms and calls has; another one, from a foreign source, stands as it is. #}
{% macro known_values(enumeration) -%}
    {{ return({
        'room_type': ['group', 'direct', 'support', 'escalated'],
        'room_status': ['active', 'archived', 'closed'],
        'participant_role': ['member', 'moderator', 'observer', 'guest'],
        'participant_status': ['active', 'muted', 'removed', 'left'],
        'message_type': ['chat', 'robot', 'system', 'file', 'image', 'graph'],
        'delivery_status': ['streaming', 'batch-delay', 'delivered', 'failed'],
        'robot_status': ['pending', 'processing', 'completed', 'failed'],
        'escalation_status': ['created', 'assigned', 'in_progress', 'resolved', 'cancelled'],
        'support_level': ['T1', 'T2', 'T3', 'manager'],
        'account_type': ['guest', 'registered', 'agent', 'supervisor', 'robot', 'admin'],
        'account_status': ['pending-verification', 'active', 'suspended', 'closed'],
        'call_status': ['pending', 'accepted', 'completed', 'missed', 'rejected', 'canceled', 'failed'],
        'call_ended_by': ['visitor', 'agent', 'system'],
        'call_offer_outcome': ['accepted', 'declined', 'timeout', 'withdrawn'],
        'session_ended_by': ['agent', 'timeout', 'unknown'],
        'agent_status': ['available', 'in_call', 'wrap_up', 'busy', 'away', 'offline'],
    }[enumeration]) }}
{%- endmacro %}


{# SQL: whether one of these columns has a value that its enumeration does not know; columns: {column: enumeration}. #}
{% macro has_unknown_value(columns) -%}
    coalesce(
        {%- for column, enumeration in columns.items() %}
        {{ 'or ' if not loop.first }}{{ column }} not in ('{{ known_values(enumeration) | join("', '") }}')
        {%- endfor %},
        false
    )
{%- endmacro %}


{# The rules that a row breaks, as text, in the order given; NULL where it breaks none. rules: {rule: condition}. #}
{% macro broken_rules(rules) -%}
    nullif(concat_ws(
        ', '
        {%- for rule, condition in rules.items() %},
        case when {{ condition }} then '{{ rule }}' end
        {%- endfor %}
    ), '')
{%- endmacro %}


{#
  SQL: of each id among the rows that a build reads, the newest one. A row of a table in months is known by its id, though
  the table's key has a time beside it: one id may stand in two months.

  newest: the order of the rows of an id.
#}
{% macro newest_landed(staging, newest) -%}
    select distinct on (id) *
    from {{ staging }} as landed
    where id is not null and {{ load_window('landed') }}
    order by id, {{ newest }}
{%- endmacro %}


{# Whether an instant lies more than a day ahead of the load that brought it: no clock is so wrong. #}
{% macro is_from_the_future(instant, landed) -%}
    coalesce({{ instant }} > {{ landed }}.loaded_at + interval '1 day', false)
{%- endmacro %}
