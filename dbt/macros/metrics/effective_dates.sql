{# Whether a row of int_rule_changes changes a time of a chat. #}
{% macro change_concerns_chat(changes, chats, message_facts, calendars) -%}
    (
        {{ changes }}.rule_kind = 'calendar'
        and {{ changes }}.rule_name = {{ calendars }}.calendar
        and {{ changes }}.days && {{ chat_days(chats, message_facts) }}
        or {{ changes }}.rule_kind = 'department'
        and {{ changes }}.rule_name = {{ chats }}.department_id
        and {{ changes }}.days @> {{ chats }}.created_local_date
    )
{%- endmacro %}


{# The local days from the first to the last thing that happened to a chat. Here least and greatest may ignore NULL. #}
{% macro chat_days(chats, message_facts) -%}
    daterange(
        {{ local_time("least(" ~ chats ~ ".created_at, " ~ chats ~ ".opened_at, " ~ message_facts ~ ".first_customer_at)") }}::date,
        {{ local_time(
            "greatest(" ~ chats ~ ".created_at, " ~ chats ~ ".opened_at, " ~ chats ~ ".last_agent_action_at, " ~ chats ~ ".closed_at, " ~ message_facts ~ ".last_replied_at)"
        ) }}::date,
        '[]'
    )
{%- endmacro %}


{# SQL: the calendar that a department keeps on a day; NULL when the seed department_calendars names none. #}
{% macro kept_calendar(department_calendars, key, department, local_date) -%}
    (
        select kept.calendar
        from {{ department_calendars }} as kept
        where kept.{{ key }} = {{ department }} and {{ is_effective('kept', local_date) }}
        order by kept.valid_from desc nulls last, kept.calendar
        limit 1
    )
{%- endmacro %}


{# Whether a row of an effective-dated seed counts on a day. An empty date is no bound. #}
{% macro is_effective(rule, local_date) -%}
    {{ local_date }} >= coalesce({{ rule }}.valid_from, '-infinity')
    and {{ local_date }} <= coalesce({{ rule }}.valid_to, 'infinity')
{%- endmacro %}
