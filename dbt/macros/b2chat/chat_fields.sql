{# Key of a chat's agent (jsonb): the username, or the e-mail in lower case, or the name. #}
{% macro agent_key(agent) -%}
    coalesce(
        nullif(btrim({{ agent }} ->> 'username'), ''),
        {{ lower_text("nullif(btrim(" ~ agent ~ " ->> 'email'), '')") }},
        {{ clean_text(agent ~ " ->> 'name'") }}
    )
{%- endmacro %}


{#
  Name and code of a chat's department (jsonb): a free text, a number, or an object {name, code}, whose fields are also
  met as department_name and department_code. Which department a bare text means is told by int_b2chat__identified_chats.
#}
{% macro department_name(department) -%}
    {{ clean_text(
        "coalesce("
        ~ json_text(department ~ " -> 'name'") ~ ", " ~ json_text(department ~ " -> 'department_name'") ~ ", "
        ~ json_text(department) ~ ")"
    ) }}
{%- endmacro %}


{% macro department_code(department) -%}
    {{ clean_text(
        "coalesce(" ~ json_text(department ~ " -> 'code'") ~ ", " ~ json_text(department ~ " -> 'department_code'") ~ ")"
    ) }}
{%- endmacro %}


{# Whether a department (jsonb) says something, but nothing that department_name or department_code finds. #}
{% macro is_department_unreadable(department) -%}
    coalesce(
        {{ department_name(department) }} is null
        and {{ department_code(department) }} is null
        and case jsonb_typeof({{ department }})
            when 'object' then exists (
                select 1 from jsonb_each({{ department }}) as member
                where member.value not in ('null', '""', '[]', '{}')
            )
            when 'array' then {{ department }} <> '[]'
            when 'boolean' then true
        end,
        false
    )
{%- endmacro %}


{# The priority of a chat in the data dictionary's spelling: urgent, high, normal, low. Others survive in lower case. #}
{% macro chat_priority(priority) -%}
    {{ lower_text("nullif(btrim(" ~ priority ~ "), '')") }}
{%- endmacro %}


{# The data dictionary's status of a chat, from B2Chat's. One not known here survives in lower case. #}
{% macro dictionary_status(b2chat_status) -%}
    case
        when {{ b2chat_status }} in ('BOT_CHATTING', 'OPENED') then 'pending'
        when {{ b2chat_status }} in ('PICKED_UP', 'RESPONDED_BY_AGENT') then 'open'
        when {{ b2chat_status }} in ('CLOSED', 'COMPLETING_POLL', 'COMPLETED_POLL', 'ABANDONED_POLL') then 'closed'
        else {{ lower_text(b2chat_status) }}
    end
{%- endmacro %}


{# B2Chat writes WHATSAPPB2CHAT, LIVECHAT, ...: lower case, less a trailing b2chat. Unknown values survive. #}
{% macro normalize_provider(value) -%}
    nullif(regexp_replace({{ lower_text('btrim(' ~ value ~ ')') }}, '(.)b2chat$', '\1'), '')
{%- endmacro %}


{# The audit export's YES/NO and TRUE/FALSE to boolean; NULL for anything else. #}
{% macro yes_no_to_boolean(value) -%}
    case {{ upper_ascii('btrim(' ~ value ~ ')') }} when 'YES' then true when 'TRUE' then true when 'NO' then false when 'FALSE' then false end
{%- endmacro %}


{# Messages have no id: theirs is a hash of what they are, with a count among equal ones of a chat. #}
{% macro message_id(chat_id, created_at_text, is_incoming, b2chat_type, occurrence, body) -%}
    md5(concat_ws(
        chr(31), {{ chat_id }}, {{ created_at_text }}, {{ is_incoming }}::text, {{ b2chat_type }}, {{ occurrence }}::text, {{ body }}
    ))
{%- endmacro %}
