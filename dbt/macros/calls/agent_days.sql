{#
  SQL: the statuses that agents had while they were there; the first one, from their coming on, is not known.

  Args:
      presence: a relation with agent_id, number, starts_at and ends_at.
#}
{% macro statuses_while_present(presence) %}
    select
        presence.agent_id,
        presence.ends_at as present_until,
        presence.number,
        'unknown' as status,
        presence.starts_at as changed_at,
        '' as id
    from {{ presence }} as presence

    union all

    select
        presence.agent_id,
        presence.ends_at as present_until,
        presence.number,
        changes.status,
        date_trunc('second', changes.changed_at) as changed_at,
        changes.id
    from {{ presence }} as presence
    inner join {{ ref('agent_status_changes') }} as changes
        on changes.agent_id = presence.agent_id
        and changes.changed_at >= presence.starts_at
        and changes.changed_at < presence.ends_at
    where not changes.is_deleted
{% endmacro %}


{#
  SQL: what agents were offered on days, and what they made of it.

  Args:
      days: a relation with local_date, timezone, starts_at and ends_at.
      agents: one with agent_id and timezone.
#}
{% macro offers_by_day(days, agents) %}
    select
        days.local_date,
        offers.agent_id,
        count(*)::integer as offer_count,
        count(*) filter (where offers.outcome = 'accepted')::integer as accepted_count,
        count(*) filter (where offers.outcome = 'declined')::integer as declined_count,
        count(*) filter (where offers.outcome = 'timeout')::integer as missed_offer_count,
        count(*) filter (where offers.outcome = 'withdrawn')::integer as withdrawn_count,
        count(decided.seconds)::integer as decision_count,
        coalesce(sum(decided.seconds), 0)::bigint as decision_seconds_sum
    from {{ days }} as days
    inner join {{ agents }} as agents on agents.timezone = days.timezone
    inner join {{ ref('call_offers') }} as offers
        on offers.agent_id = agents.agent_id
        and offers.offered_at >= days.starts_at
        and offers.offered_at < days.ends_at
    cross join lateral (
        select
            case
                when offers.outcome in ('accepted', 'declined') then {{ elapsed_seconds('offers.offered_at', 'offers.decided_at') }}
            end as seconds
    ) as decided
    where not offers.is_deleted
    group by days.local_date, offers.agent_id
{% endmacro %}
