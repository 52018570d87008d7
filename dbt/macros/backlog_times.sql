{#
  A backlog is looked at on each full hour and each local midnight. Whatever happens between two looks is first seen by
  the later one; what happens on the very moment of a look is seen by it.
#}

{# The first full local hour at or after an instant. #}
{% macro first_hour_at_or_after(instant) -%}
    date_trunc('hour', {{ instant }} - interval '1 microsecond', '{{ account_timezone() }}') + interval '1 hour'
{%- endmacro %}


{# The local date whose midnight (its beginning) is the first at or after an instant. #}
{% macro first_midnight_at_or_after(instant) -%}
    {{ local_time('(' ~ instant ~ " - interval '1 microsecond')") }}::date + 1
{%- endmacro %}


{# Whom a chat's backlog counts for; a lateral table named scopes. A chat without agent or department has no such row. #}
{% macro backlog_scopes(relation) -%}
    lateral (
        values
        ('all', 'all'),
        ('agent', {{ relation }}.agent_id),
        ('department', {{ relation }}.department_id),
        ('provider', {{ relation }}.provider)
    ) as scopes (scope, scope_id)
{%- endmacro %}


{#
  The rows from the first change on go before they are counted anew: where nothing is open any more there is no new row
  that would take an old one's place. All go when all loads are read anew.
#}
{% macro forget_changed_backlog(key, first_changed) -%}
    {%- if execute and is_incremental() -%}
    delete from {{ this }}
    where current_setting('b2chat.loads_after') = '0'
        or {{ key }} >= (
            select min({{ first_changed }})
            from {{ ref('int_backlog_spells') }} as touched
            where {{ load_window('touched') }}
        )
    {%- endif -%}
{%- endmacro %}
