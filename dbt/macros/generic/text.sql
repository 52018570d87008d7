{#
  Text with outer white space removed and inner runs of it made one space; NULL when nothing is left. What is white space
  is listed: \s alone means other characters on another server.
#}
{% macro clean_text(value) -%}
    nullif(btrim(regexp_replace({{ value }}, '[\s\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+', ' ', 'g')), '')
{%- endmacro %}


{#
  Text in lower case, the same on every server. lower() alone goes by the server's locale: with lc_ctype C it leaves É
  as it is, in Turkish it makes ı of I. Latin, Greek and Cyrillic letters are paired here.
#}
{% macro lower_text(value) -%}
    {%- set capitals, smalls = [], [] -%}
    {%- for number in range(192, 1328) -%}
        {%- set letter = '%c' % number -%}
        {%- if letter.lower() != letter and letter.lower() | length == 1 -%}
            {%- do capitals.append(letter) -%}
            {%- do smalls.append(letter.lower()) -%}
        {%- endif -%}
    {%- endfor -%}
    (case
        when octet_length({{ value }}) = length({{ value }}) then lower({{ value }} collate "C")
        else translate(lower({{ value }} collate "C"), '{{ capitals | join }}', '{{ smalls | join }}')
    end collate "default")
{%- endmacro %}


{# A code of ASCII letters in upper case, the same on every server. #}
{% macro upper_ascii(value) -%}
    (upper(({{ value }}) collate "C") collate "default")
{%- endmacro %}


{# Lower case without accents, by which several spellings of a label are one. #}
{% macro folded_text(value) -%}
    {{ clean_text(lower_text("regexp_replace(normalize(" ~ value ~ ", nfkd), '[\\u0300-\\u036f]', '', 'g')")) }}
{%- endmacro %}


{# 'true' and 'false' to boolean; NULL for anything else. #}
{% macro to_boolean(value) -%}
    case {{ value }} when 'true' then true when 'false' then false end
{%- endmacro %}


{# The text of a JSON string or number; NULL for any other JSON. #}
{% macro json_text(value) -%}
    case when jsonb_typeof({{ value }}) in ('string', 'number') then {{ value }} #>> '{}' end
{%- endmacro %}


{# A JSON value, or SQL NULL for JSON null. #}
{% macro json_value(value) -%}
    nullif({{ value }}, 'null'::jsonb)
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


{# The texts of a JSON list in one text, in the list's order; NULL for an empty list. #}
{% macro joined_texts(list) -%}
    (
        select string_agg(element.value, ', ' order by element.position)
        from jsonb_array_elements_text({{ list }}) with ordinality as element (value, position)
    )
{%- endmacro %}
