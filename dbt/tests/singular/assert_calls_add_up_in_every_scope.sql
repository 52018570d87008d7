{{ config(tags=['calls'], meta={'dagster': {'ref': {'name': 'int_call_days'}}}) }}

-- Each call has one outcome; those of pools, sites, countries and dispositions together are all calls of the day; each offer of a
-- call is counted with it.
with days as (
    select * from {{ ref('int_call_days') }}
)

select 'outcomes are not the calls' as broken, local_date, scope, scope_id from days
where call_count <> answered_count + missed_count + rejected_count + abandoned_count
    + short_abandoned_count + failed_count + waiting_count
    or judged_count <> answered_count + missed_count + rejected_count + abandoned_count
    or answered_in_time_count > answered_count

union all

select 'members are not all' as broken, parts.local_date, parts.scope, null as scope_id
from days as parts
inner join days as whole on whole.local_date = parts.local_date and whole.scope = 'all'
where parts.scope in ('pool', 'site', 'country', 'disposition')
group by parts.local_date, parts.scope, whole.call_count, whole.judged_count, whole.answered_in_time_count
having (sum(parts.call_count), sum(parts.judged_count), sum(parts.answered_in_time_count))
    is distinct from (whole.call_count::bigint, whole.judged_count::bigint, whole.answered_in_time_count::bigint)

union all

select 'offers are not those of the call' as broken, calls.created_local_date, 'call', calls.call_id
from {{ ref('int_call_times') }} as calls
left join {{ ref('call_offers') }} as offers on offers.call_id = calls.call_id and not offers.is_deleted
group by calls.call_id, calls.created_local_date, calls.offer_count
having count(offers.id) <> calls.offer_count
