{#
  SQL: agents in the scopes of coverage, each with its zone: in all and their organization always, in a pool from when they came to
  when they left it, once however often they are its member.

  Args:
      agents: a relation with agent_id, agent_number and organization_id.
      scopes: one with scope_number, scope, scope_id and timezone.
#}
{% macro members_of_scopes(agents, scopes) %}
    select
        agents.agent_number,
        scopes.scope_number,
        scopes.timezone,
        lower(membership.span) as member_from,
        upper(membership.span) as member_to
    from {{ agents }} as agents
    cross join lateral (
        select 'all' as scope, 'all' as scope_id, tstzrange('-infinity', 'infinity') as span

        union all

        select 'organization', {{ source_key('calls', 'agents.organization_id') }}, tstzrange('-infinity', 'infinity')

        union all

        select 'pool', {{ source_key('calls', 'pool_times.pool_id') }}, pool_times.span
        from (
            select
                members.pool_id,
                unnest(range_agg(tstzrange(
                    date_trunc('second', members.added_at), date_trunc('second', members.left_at)
                ))) as span
            from {{ ref('call_pool_members') }} as members
            where members.agent_id = agents.agent_id and not members.is_deleted
            group by members.pool_id
        ) as pool_times
    ) as membership
    inner join {{ scopes }} as scopes on scopes.scope = membership.scope and scopes.scope_id = membership.scope_id
{% endmacro %}


{#
  SQL: what visitors asked for, in each scope that it is of, in windows of that scope's zone.

  Args:
      windows: a relation with timezone, starts_at and ends_at.
      scopes: as of members_of_scopes.
      suspects: as of suspected_bots, whose pageviews are nobody's.
#}
{% macro asked_of_scopes(windows, scopes, suspects) %}
    select
        scopes.scope_number,
        asked.created_at as happened_at,
        asked.pageview_count,
        asked.popup_count,
        asked.call_count
    from (
        {%- for relation in ['widget_pageviews', 'calls'] %}
        select
            windows.timezone,
            asked.organization_id,
            asked.pool_id,
            asked.created_at,
            {%- if relation == 'calls' %}
            0 as pageview_count,
            0 as popup_count,
            1 as call_count
            {%- else %}
            1 as pageview_count,
            (asked.popup_shown_at is not null)::integer as popup_count,
            0 as call_count
            {%- endif %}
        from {{ windows }} as windows
        inner join {{ ref(relation) }} as asked
            on asked.created_at >= windows.starts_at and asked.created_at < windows.ends_at
        where not asked.is_deleted and not asked.is_from_the_future
            {%- if relation == 'widget_pageviews' %}
            and not asked.is_bot
            and not exists (
                select 1 from {{ suspects }} as suspects
                where suspects.timezone = windows.timezone
                    and suspects.visitor_key = asked.visitor_key
                    and suspects.local_date = (asked.created_at at time zone windows.timezone)::date
            )
            {%- endif %}
            {%- if not loop.last %}

        union all
            {% endif %}
        {%- endfor %}
    ) as asked
    cross join lateral (
        values
        ('all', 'all'),
        ('organization', {{ source_key('calls', 'asked.organization_id') }}),
        ('pool', {{ source_key('calls', 'asked.pool_id') }})
    ) as own (scope, scope_id)
    inner join {{ scopes }} as scopes
        on scopes.scope = own.scope and scopes.scope_id = own.scope_id and scopes.timezone = asked.timezone
{% endmacro %}


{# Who looked at more pages on a day of a zone than people do: the visitor, and the day. #}
{% macro suspected_bots(windows) %}
    select
        windows.timezone,
        asked.visitor_key,
        (asked.created_at at time zone windows.timezone)::date as local_date
    from {{ windows }} as windows
    inner join {{ ref('widget_pageviews') }} as asked
        on asked.created_at >= windows.starts_at and asked.created_at < windows.ends_at
    where not asked.is_deleted and not asked.is_from_the_future
    group by windows.timezone, asked.visitor_key, local_date
    having count(*) > {{ var('bot_daily_pageviews') | int }}
{% endmacro %}
