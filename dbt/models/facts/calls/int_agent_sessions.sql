-- A session without an end lasts to the last sign of life before a silence, and while there was none, as far as is known.
select
    sessions.id,
    sessions.agent_id,
    sessions.organization_id,
    sessions.started_at,
    date_trunc('second', sessions.started_at) as starts_at,
    date_trunc('second', least(
        coalesce(sessions.ended_at, silent.silent_from, known.known_until), sessions.started_at + {{ max_session_time() }}
    )) as ends_at,
    sessions.ended_at is null and silent.silent_from is null
        and known.known_until < sessions.started_at + {{ max_session_time() }} as is_open,
    silent.silent_from is not null as is_end_inferred,
    coalesce(sessions.ended_at > sessions.started_at + {{ max_session_time() }}, false) as is_cut,
    sessions.ended_by,
    sessions.ever_from,
    sessions.ever_to,
    sessions.load_id
from {{ ref('agent_sessions') }} as sessions
cross join (select max(known_until) as known_until from {{ ref('int_call_loads') }}) as known
cross join lateral (
    select
        case
            when sessions.ended_at is null then (
                select min(activities.happened_at)
                from (
                    select
                        activities.happened_at,
                        lead(activities.happened_at, 1, known.known_until) over (order by activities.happened_at) as next_at
                    from (
                        select sessions.started_at as happened_at

                        union all

                        select changes.changed_at
                        from {{ ref('agent_status_changes') }} as changes
                        where changes.agent_id = sessions.agent_id
                            and changes.changed_at >= sessions.started_at
                            and changes.changed_at < sessions.started_at + {{ max_session_time() }}
                            and not changes.is_deleted

                        union all

                        select offers.decided_at
                        from {{ ref('call_offers') }} as offers
                        where offers.agent_id = sessions.agent_id
                            and offers.offered_at >= sessions.started_at
                            and offers.offered_at < sessions.started_at + {{ max_session_time() }}
                            and offers.outcome in ('accepted', 'declined')
                            and offers.decided_at is not null
                            and not offers.is_deleted

                        union all

                        select calls.ended_at
                        from {{ ref('calls') }} as calls
                        where calls.agent_id = sessions.agent_id
                            and calls.ended_at >= sessions.started_at
                            and calls.ended_at < sessions.started_at + {{ max_session_time() }}
                            and not calls.is_deleted
                    ) as activities
                ) as activities
                where activities.next_at >= activities.happened_at + interval '{{ var('session_silent_hours') | int }} hours'
            )
        end as silent_from
) as silent
where not sessions.is_deleted
    and not sessions.is_ended_before_started
    and sessions.agent_id is not null
    and sessions.started_at < known.known_until
