{#
  SQL: what the agent did right after a call: id and wrap_seconds, of those that were answered and ended. Of several changes of a
  status at one instant the last one lasts. 0 where something else came, NULL where statuses are not known or it is not over.

  Args:
      calls: a relation with id, answering_agent_id, ended_at and outcome.
#}
{% macro wrap_up_of(calls) %}
    select
        {{ calls }}.id,
        case
            when next.status = 'wrap_up' and next.changed_at <= {{ calls }}.ended_at + interval '1 minute'
                then {{ elapsed_seconds('next.changed_at', 'least(next.until_at, session.ends_at)') }}
            when exists (
                select 1 from {{ ref('agent_status_changes') }} as before
                where before.agent_id = {{ calls }}.answering_agent_id
                    and before.changed_at < {{ calls }}.ended_at
                    and before.changed_at > {{ calls }}.ended_at - {{ max_session_time() }}
            ) then 0
        end as wrap_seconds
    from {{ calls }}
    left join lateral (
        select *
        from (
            select
                changes.status,
                changes.changed_at,
                changes.id,
                lead(changes.changed_at) over (order by changes.changed_at, changes.id) as until_at
            from {{ ref('agent_status_changes') }} as changes
            where changes.agent_id = {{ calls }}.answering_agent_id
                and changes.changed_at >= {{ calls }}.ended_at
                and changes.changed_at < {{ calls }}.ended_at + {{ max_session_time() }}
                and not changes.is_deleted
        ) as following
        where following.until_at is null or following.until_at > following.changed_at
        order by following.changed_at, following.id
        limit 1
    ) as next on true
    left join lateral (
        select max(sessions.ends_at) as ends_at
        from {{ ref('int_agent_sessions') }} as sessions
        where sessions.agent_id = {{ calls }}.answering_agent_id
            and sessions.started_at <= {{ calls }}.ended_at
            and sessions.started_at > {{ calls }}.ended_at - {{ max_session_time() }}
            and not sessions.is_open
    ) as session on true
    where {{ calls }}.outcome = 'answered' and {{ calls }}.ended_at is not null
{% endmacro %}
