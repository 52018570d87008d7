{# Key of a chat's agent (jsonb): the username, or the e-mail in lower case, or the name. #}
{% macro agent_key(agent) -%}
    coalesce(
        nullif(btrim({{ agent }} ->> 'username'), ''),
        lower(nullif(btrim({{ agent }} ->> 'email'), '')),
        {{ clean_text(agent ~ " ->> 'name'") }}
    )
{%- endmacro %}


{# Key of a chat's department (jsonb, a free string or an object {name, code}): the code, or the name. #}
{% macro department_key(department) -%}
    coalesce(
        {{ clean_text(department ~ " ->> 'code'") }},
        {{ clean_text("coalesce(" ~ department ~ " ->> 'name', " ~ json_string(department) ~ ")") }}
    )
{%- endmacro %}


{# The data dictionary's status of a chat, from B2Chat's. One not known here survives in lower case. #}
{% macro dictionary_status(b2chat_status) -%}
    case
        when {{ b2chat_status }} in ('BOT_CHATTING', 'OPENED') then 'pending'
        when {{ b2chat_status }} in ('PICKED_UP', 'RESPONDED_BY_AGENT') then 'open'
        when {{ b2chat_status }} in ('CLOSED', 'COMPLETING_POLL', 'COMPLETED_POLL', 'ABANDONED_POLL') then 'closed'
        else lower({{ b2chat_status }})
    end
{%- endmacro %}
