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


{# SQL: whether an interval counts in the build that reads it. #}
{% macro counts_now(intervals) -%}
    (
        {{ intervals }}.superseded_by_load_id is null
        or {{ is_above_high_watermark(intervals, 'superseded_by_load_id') }}
    ) and not {{ is_above_high_watermark(intervals) }}
{%- endmacro %}


{# SQL: whether it counted in the build before; the same interval may do both. #}
{% macro counted_before(intervals) -%}
    {{ intervals }}.load_id <= {{ low_watermark() }}
    and ({{ intervals }}.superseded_by_load_id is null or {{ intervals }}.superseded_by_load_id > {{ low_watermark() }})
{%- endmacro %}


{#
  The last day that is stored has gone on since: it goes where anything has landed, and is counted anew. All days go when all
  loads are read anew.
#}
{% macro forget_last_day() -%}
    {%- if execute and is_incremental() -%}
    delete from {{ this }}
    where local_date >= case
        when {{ all_loads_are_read() }} then '-infinity'
        when current_setting('b2chat.high_watermark')::bigint > current_setting('b2chat.low_watermark')::bigint
            then (select max(local_date) from {{ this }})
        else 'infinity'
    end
    {%- endif -%}
{%- endmacro %}


{# All days go when all loads are read anew. #}
{% macro forget_all_days() -%}
    {%- if execute and is_incremental() -%}
    delete from {{ this }} where {{ all_loads_are_read() }}
    {%- endif -%}
{%- endmacro %}


{#
  SQL: what intervals add to a backlog of days, and take off it: at each midnight, by how long the chat had been in the
  state (an age); and in each day, by what happened. An interval that counts now and counted before adds nothing to what
  is stored.

  Args:
      intervals: rows of int_backlog_intervals, with now and before: 1 where the interval counts, else 0.
      bounds: one row: as_of and last_date of this build, counted_until and stored_until of the one before, or NULL.
      ages: by name, how long after entering the state an age begins, and how long after it ends.
#}
{% macro backlog_moves(intervals, bounds, ages) %}
    select
        midnight.local_date,
        spent.state,
        spent.agent_id,
        spent.department_id,
        spent.channel,
        spent.source,
        spent.age as measure,
        midnight.change * (
            spent.now - case when midnight.local_date <= bounds.stored_until then spent.before else 0 end
        ) as change
    from (
        -- An age's midnights: from the first one at which a chat that came before it has it.
        select
            intervals.*,
            age.name as age,
            greatest(
                {{ date_of('intervals.entered_at') }} + 1,
                {{ first_midnight_at_or_after('(intervals.entered_at + age.starts_after)') }}
            ) as from_date,
            least(
                {{ first_midnight_at_or_after('(intervals.entered_at + age.ends_after)') }},
                {{ date_of('intervals.left_at') }} + 1
            ) as until_date
        from {{ intervals }} as intervals
        inner join (
            values
            {%- for name, limits in ages.items() %}
            ('{{ name }}', interval '{{ limits[0] }}', {{ "'" ~ limits[1] ~ "'" if limits[1] else 'null' }}::interval){{ ',' if not loop.last }}
            {%- endfor %}
        ) as age (name, starts_after, ends_after)
            on intervals.left_at is null
            or (
                intervals.left_at >= intervals.entered_at + age.starts_after
                and {{ date_of('intervals.left_at') }} > {{ date_of('intervals.entered_at') }}
            )
    ) as spent
    cross join {{ bounds }} as bounds
    cross join lateral (values (spent.from_date, 1), (spent.until_date, -1)) as midnight (local_date, change)
    where (spent.from_date < spent.until_date or spent.until_date is null) and midnight.local_date <= bounds.last_date

    union all

    select
        {{ date_of('event.happened_at') }} as local_date,
        told_of.state,
        intervals.agent_id,
        intervals.department_id,
        intervals.channel,
        intervals.source,
        counted.measure,
        counted.change * (
            intervals.now - case when event.happened_at <= bounds.counted_until then intervals.before else 0 end
        ) as change
    from {{ intervals }} as intervals
    cross join {{ bounds }} as bounds
    cross join lateral (values (intervals.entered_at, 1), (intervals.left_at, -1)) as event (happened_at, change)
    -- Who becomes stale leaves those in work, and comes back to them.
    cross join lateral (
        values (intervals.state, event.change), (case when intervals.state = 'stale' then 'open' end, 0)
    ) as told_of (state, change)
    cross join lateral (
        values
        ('day', told_of.change),
        ('opened', (event.change = 1 and intervals.is_opening)::integer),
        ('closed', (event.change = -1 and intervals.is_closing)::integer),
        ('became_stale', (event.change = 1 and intervals.state = 'stale')::integer),
        ('returned', (event.change = -1 and intervals.state = 'stale')::integer)
    ) as counted (measure, change)
    where event.happened_at <= bounds.as_of and told_of.state is not null
{%- endmacro %}
