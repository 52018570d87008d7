{#
  A backlog is what stands at the start of a local hour or day, and what comes and goes in it: what happens on the very
  moment at which an hour begins is an event of that hour, and not yet in its start.
#}

{# The local hour in which an instant lies, by its beginning. #}
{% macro hour_of(instant) -%}
    date_trunc('hour', {{ instant }}, '{{ account_timezone() }}')
{%- endmacro %}


{# The local date in which an instant lies. #}
{% macro date_of(instant) -%}
    {{ local_time(instant) }}::date
{%- endmacro %}


{# The local date whose midnight (its beginning) is the first at or after an instant. #}
{% macro first_midnight_at_or_after(instant) -%}
    {{ date_of('(' ~ instant ~ " - interval '1 microsecond')") }} + 1
{%- endmacro %}


{#
  SQL: who entered a state and who left it from an instant to another, read by index: an interval costs two events, however
  long it is. What an event counts as: opened, closed, became_stale, returned.
#}
{% macro backlog_events(starts_at, as_of) %}
{%- for side, change in [('entered_at', 1), ('left_at', -1)] %}
    select
        {{ side }} as happened_at,
        {{ change }} as change,
        state,
        agent_id,
        department_id,
        channel,
        {{ change }} = 1 and is_opening as is_opened,
        {{ change }} = -1 and is_closing as is_closed,
        {{ change }} = 1 and state = 'stale' as is_becoming_stale,
        {{ change }} = -1 and state = 'stale' as is_returning
    from {{ ref('int_backlog_intervals') }}
    where {{ side }} >= {{ starts_at }} and {{ side }} <= {{ as_of }}
    {%- if not loop.last %}

    union all
{% endif %}
{%- endfor %}
{%- endmacro %}


{#
  SQL: the first hour or date to count anew: the first that the new loads affected, or the last one that is stored, which
  went on since. NULL where nothing has landed since. The balance at its start is stored, and stays.
#}
{% macro first_uncounted(key, of_instant) -%}
    {%- set from_the_beginning -%}
        (select min({{ of_instant('entered_at') }}) from {{ ref('int_backlog_intervals') }})
    {%- endset -%}
    {%- if is_incremental() -%}
    case
        when not exists (select from {{ this }}) then {{ from_the_beginning }}
        when current_setting('b2chat.high_watermark')::bigint > current_setting('b2chat.low_watermark')::bigint then least(
            (
                select min({{ of_instant('affected.changed_from') }})
                from {{ ref('int_backlog_intervals') }} as affected
                where {{ load_window('affected') }}
            ),
            (select max({{ key }}) from {{ this }})
        )
    end
    {%- else -%}
    {{ from_the_beginning }}
    {%- endif -%}
{%- endmacro %}


{#
  The rows after the first change go before they are counted anew: where nothing is open any more there is no new row
  that would take an old one's place. All go when all loads are read anew.
#}
{% macro forget_changed_backlog(key, first_changed) -%}
    {%- if execute and is_incremental() -%}
    delete from {{ this }}
    where {{ all_loads_are_read() }}
        or {{ key }} > (
            select min({{ first_changed }})
            from {{ ref('int_backlog_intervals') }} as affected
            where {{ load_window('affected') }}
        )
    {%- endif -%}
{%- endmacro %}
