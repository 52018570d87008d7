{# IANA name of the zone that the account's naive local times are in. #}
{% macro account_timezone() -%}
    {{ return(var('account_timezone', env_var('B2CHAT_TIMEZONE', 'America/Bogota'))) }}
{%- endmacro %}
