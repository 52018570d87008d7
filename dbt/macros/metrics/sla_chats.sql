{#
  SQL: chats that nothing happened to, but whose SLA must be evaluated again, with the load that is the cause: other
  targets or hours hold on their days, or a deadline has passed since the last build. For sla_chats alone.
  OFFSET makes Postgres begin with the changes: there are none in most builds.
#}
{% macro sla_reevaluations(opened_local_date) %}
        select
            concerned.chat_id,
            changes.load_id
        from {{ ref('int_rule_changes') }} as changes
        cross join lateral (
            select times.chat_id
            from {{ ref('chat_response_times') }} as times
            where changes.rule_name in ('', times.channel)
                and changes.days @> least(
                    greatest({{ opened_local_date }}, {{ calendar_first_day() }}), {{ calendar_last_day() }}
                )
            {{ planner_fence() }}
        ) as concerned
        where changes.rule_kind = 'targets' and {{ load_window('changes') }}

        {%- if is_incremental() %}

        union all

        select
            known.chat_id,
            newest_load.load_id
        from newest_load
        inner join {{ this }} as known on known.next_due_at < newest_load.as_of

        union all

        -- Deadlines that lie beyond the last event of their chat move with the hours of the days before them.
        select
            concerned.chat_id,
            changes.load_id
        from {{ ref('int_rule_changes') }} as changes
        cross join lateral (
            select known.chat_id
            from {{ this }} as known
            inner join {{ ref('chat_response_times') }} as times on times.chat_id = known.chat_id
            where times.calendar = changes.rule_name
                and changes.days && daterange(
                    {{ local_time('known.opened_at') }}::date, {{ local_time('known.business_due_at') }}::date, '[]'
                )
                and known.business_due_at >= known.opened_at
            {{ planner_fence() }}
        ) as concerned
        where changes.rule_kind = 'calendar' and {{ load_window('changes') }}
        {%- endif %}
{% endmacro %}


{#
  SQL: the targets of each day, channel and priority of a relation, a column a metric. The row of the seed for the priority
  stands before the one for the channel, that before the one for all; of several the one that began last.
#}
{% macro sla_targets_of(days) %}
    select
        opened_local_date,
        channel,
        priority,
        {%- for metric in sla_metrics() %}
        max(target_seconds) filter (where metric = '{{ metric }}' and is_enabled) as {{ metric }}_target_seconds,
        {%- endfor %}
        coalesce(bool_or(is_enabled) filter (where metric = 'overall'), false) as is_overall_enabled
    from (
        select distinct on (days.opened_local_date, days.channel, days.priority, targets.metric)
            days.opened_local_date,
            days.channel,
            days.priority,
            targets.metric,
            targets.target_seconds,
            targets.is_enabled
        from {{ days }} as days
        inner join {{ ref('sla_targets') }} as targets
            on (targets.provider is null or targets.provider = days.channel)
            and (targets.priority is null or targets.priority = days.priority)
            and {{ is_effective('targets', 'days.opened_local_date') }}
        order by
            days.opened_local_date, days.channel, days.priority, targets.metric,
            targets.priority is null, targets.provider is null, targets.valid_from desc nulls last
    ) as chosen
    group by opened_local_date, channel, priority
{% endmacro %}
