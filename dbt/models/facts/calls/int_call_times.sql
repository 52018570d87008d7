{{ config(
    materialized='incremental',
    unique_key='call_id',
    meta={'affected_by': 'int_affected_calls'},
    indexes=[
        {'columns': ['chat_id'], 'unique': true},
        {'columns': ['created_local_date']},
        {'columns': ['agent_id', 'created_local_date']},
        {'columns': ['visitor_key', 'created_at']},
        {'columns': ['load_id']},
    ],
) }}

with affected as (
    select
        call_id,
        max(load_id) as load_id
    from {{ ref('int_affected_calls') }} as affected
    where {{ load_window('affected') }}
    group by call_id
),

offers as (
    select
        offers.call_id,
        count(*)::integer as offer_count,
        count(*) filter (where offers.outcome = 'declined')::integer as declined_count,
        count(*) filter (where offers.outcome = 'timeout')::integer as timeout_count,
        count(*) filter (where offers.outcome = 'accepted')::integer as accepted_count,
        min(offers.decided_at) filter (where offers.outcome = 'accepted') as first_accepted_at,
        (array_agg(offers.agent_id order by offers.decided_at, offers.id) filter (where offers.outcome = 'accepted'))[1]
            as first_accepted_by,
        -- An agent of another pool is asked where nobody of the call's own is there; or by mistake.
        bool_or(calls.pool_id is not null and not exists (
            select 1 from {{ ref('call_pool_members') }} as members
            where members.agent_id = offers.agent_id
                and members.pool_id = calls.pool_id
                and not members.is_deleted
                and offers.offered_at >= members.added_at
                and offers.offered_at < members.left_at
        )) as is_offered_outside_pool
    from {{ ref('call_offers') }} as offers
    inner join {{ ref('calls') }} as calls on calls.id = offers.call_id
    where offers.call_id = any(array(select call_id from affected)) and not offers.is_deleted
    group by offers.call_id
),

-- Of two answers the first one counts; where the call does not say when it was answered, its offers do.
answered as (
    select
        calls.*,
        affected.load_id as newest_load_id,
        coalesce(organizations.timezone, '{{ account_timezone() }}') as timezone,
        coalesce(offers.offer_count, 0) as offer_count,
        coalesce(offers.declined_count, 0) as declined_count,
        coalesce(offers.timeout_count, 0) as timeout_count,
        coalesce(offers.accepted_count, 0) as accepted_count,
        coalesce(offers.is_offered_outside_pool, false) as is_offered_outside_pool,
        case
            when offers.accepted_count > 1 then offers.first_accepted_at
            else coalesce(calls.answered_at, offers.first_accepted_at)
        end as first_answered_at,
        case when offers.accepted_count > 1 then offers.first_accepted_by else coalesce(calls.agent_id, offers.first_accepted_by) end
            as answering_agent_id,
        calls.silent_at <= known.known_until as is_silent
    from affected
    inner join {{ ref('calls') }} as calls on calls.id = affected.call_id
    cross join (select max(known_until) as known_until from {{ ref('int_call_loads') }}) as known
    left join offers on offers.call_id = calls.id
    left join {{ ref('call_directory') }} as organizations
        on organizations.kind = 'organization' and organizations.id = calls.organization_id
    where calls.created_at is not null and not calls.is_from_the_future
),

judged as (
    select
        *,
        case
            when ended_at >= created_at and not coalesce(ended_at < first_answered_at and first_answered_at >= created_at, false)
                then ended_at
        end as known_ended_at,
        case
            when first_answered_at is not null then 'answered'
            when status = 'failed' or (status = 'completed' and ended_at is not null) then 'failed'
            when ended_at is null and coalesce(status not in ('missed', 'rejected', 'canceled'), true)
                then case when is_silent then 'failed' else 'waiting' end
            when status = 'canceled' or ended_by = 'visitor'
                then case
                    when ended_at < created_at + interval '{{ var('call_short_abandon_seconds') | int }} seconds'
                        then 'short_abandoned'
                    else 'abandoned'
                end
            when (offer_count > 0 and declined_count > 0 and timeout_count = 0) or (offer_count = 0 and status = 'rejected')
                then 'rejected'
            else 'missed'
        end as outcome
    from answered
),

wrapped as (
    {{- wrap_up_of('judged') }}
),

timed as (
    select
        judged.*,
        {{ elapsed_seconds('judged.created_at', 'judged.first_answered_at') }} as answer_seconds,
        {{ elapsed_seconds('judged.ring_started_at', 'judged.first_answered_at') }} as ring_seconds,
        case when judged.outcome not in ('answered', 'waiting') then {{ elapsed_seconds('judged.created_at', 'judged.ended_at') }} end
            as wait_seconds,
        case when judged.outcome = 'answered' then {{ elapsed_seconds('judged.first_answered_at', 'judged.ended_at') }} end
            as talk_seconds,
        wrapped.wrap_seconds,
        judged.created_at at time zone judged.timezone as local_created_at
    from judged
    left join wrapped on wrapped.id = judged.id
)

select
    id as call_id,
    chat_id,
    {{ source_key('calls', 'organization_id') }} as organization_id,
    {{ source_key('calls', 'site_id') }} as site_id,
    {{ source_key('calls', 'pool_id') }} as pool_id,
    {{ source_key('calls', 'answering_agent_id') }} as agent_id,
    {{ source_key('calls', 'disposition_id') }} as disposition_id,
    country,
    visitor_key,
    visitor_id is null as is_anonymous,
    pageview_id,
    status,
    outcome,
    created_at,
    ring_started_at,
    first_answered_at as answered_at,
    known_ended_at as ended_at,
    case when ended_at is null and outcome <> 'waiting' and (outcome <> 'answered' or is_silent) then silent_at end as given_up_at,
    ended_by,
    answer_seconds,
    ring_seconds,
    wait_seconds,
    talk_seconds,
    wrap_seconds,
    talk_seconds + coalesce(wrap_seconds, 0) as handle_seconds,
    outcome = 'answered' and ended_at is null and not is_silent as is_live,
    outcome = 'answered' and ended_at is null and is_silent as is_orphaned,
    outcome in ('answered', 'missed', 'rejected', 'abandoned') as is_judged,
    coalesce(
        outcome = 'answered' and first_answered_at >= created_at
        and first_answered_at <= created_at + interval '{{ var('call_target_seconds') | int }} seconds',
        false
    ) as is_answered_in_time,
    offer_count,
    declined_count,
    timeout_count,
    coalesce(reconnect_count, 0) as reconnect_count,
    timezone,
    local_created_at::date as created_local_date,
    extract(hour from local_created_at)::integer as created_local_hour,
    extract(dow from local_created_at)::integer as created_day_of_week,
    is_deleted,
    nullif(concat_ws(
        ', ',
        quality_rules,
        case when accepted_count > 1 then 'answered_twice' end,
        case when is_offered_outside_pool then 'offer_outside_pool' end,
        case when outcome = 'failed' and status = 'completed' then 'completed_without_answer' end,
        case
            when exists (
                select 1 from {{ ref('calls') }} as twin
                where twin.reconnect_key = timed.reconnect_key and twin.created_at < timed.created_at
            ) then 'reconnect_token_twice'
        end
    ), '') as quality_rules,
    newest_load_id as load_id
from timed
