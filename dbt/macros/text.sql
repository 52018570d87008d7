{# Text with outer spaces removed and inner runs of white space made one space; NULL when nothing is left. #}
{% macro clean_text(value) -%}
    nullif(regexp_replace(btrim({{ value }}, E' \t\r\n'), '\s+', ' ', 'g'), '')
{%- endmacro %}


{# 'true' and 'false' to boolean; NULL for anything else. #}
{% macro to_boolean(value) -%}
    case {{ value }} when 'true' then true when 'false' then false end
{%- endmacro %}


{# The text of a JSON string; NULL for any other JSON. #}
{% macro json_string(value) -%}
    case when jsonb_typeof({{ value }}) = 'string' then {{ value }} #>> '{}' end
{%- endmacro %}


{# A JSON value, or SQL NULL for JSON null. #}
{% macro json_value(value) -%}
    nullif({{ value }}, 'null'::jsonb)
{%- endmacro %}


{# B2Chat writes WHATSAPPB2CHAT, LIVECHAT, ...: lower case, less a trailing b2chat. Unknown values survive. #}
{% macro normalize_provider(value) -%}
    nullif(regexp_replace(lower(btrim({{ value }})), '(.)b2chat$', '\1'), '')
{%- endmacro %}


{# A JSON list of strings, or of objects with a name, to text[]; an empty array for anything else. #}
{% macro text_array(value) -%}
    array(
        select coalesce(element.value ->> 'name', element.value #>> '{}')
        from jsonb_array_elements(
            case when jsonb_typeof({{ value }}) = 'array' then {{ value }} else '[]'::jsonb end
        ) with ordinality as element (value, position)
        where element.value <> 'null'::jsonb
        order by element.position
    )
{%- endmacro %}


{# The audit export's YES/NO and TRUE/FALSE to boolean; NULL for anything else. #}
{% macro yes_no_to_boolean(value) -%}
    case upper(btrim({{ value }})) when 'YES' then true when 'TRUE' then true when 'NO' then false when 'FALSE' then false end
{%- endmacro %}


{# Messages have no id: theirs is a hash of what they are, with a count among equal ones of a chat. #}
{% macro message_id(chat_id, created_at_text, is_incoming, b2chat_type, occurrence, body) -%}
    md5(concat_ws(
        chr(31), {{ chat_id }}, {{ created_at_text }}, {{ is_incoming }}::text, {{ b2chat_type }}, {{ occurrence }}::text, {{ body }}
    ))
{%- endmacro %}


{# The texts of a JSON list in one text, in the list's order; NULL for an empty list. #}
{% macro joined_texts(list) -%}
    (
        select string_agg(element.value, ', ' order by element.position)
        from jsonb_array_elements_text({{ list }}) with ordinality as element (value, position)
    )
{%- endmacro %}
