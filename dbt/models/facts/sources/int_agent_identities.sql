{{ config(
    materialized='incremental',
    unique_key='id',
    meta={'placement': 'reference'},
    indexes=[{'columns': ['id'], 'unique': true}],
) }}

{%- set sources = conversation_sources().keys() | list %}
{%- set told = "current_setting('b2chat.high_watermark')::bigint" %}

with agents as (
    select * from {{ ref('int_source_agents') }}
),

-- An address that two agents of one source have is a mailbox that they share: it says nothing of anybody.
addresses as (
    select verified_email
    from agents
    where verified_email is not null
    group by verified_email
    having count(*) = count(distinct source)
),

seeded as (
    select
        agents.id,
        agents.verified_email,
        'seed ' || identities.person as person
    from {{ ref('agent_identities') }} as identities
    inner join agents on agents.source = identities.source and agents.source_agent_id = identities.agent_id
),

-- Where the seed gives an address to two persons, nobody else is either of them by it.
addressed as (
    select
        addresses.verified_email,
        case count(distinct seeded.person)
            when 0 then 'email ' || addresses.verified_email
            when 1 then min(seeded.person)
        end as person
    from addresses
    left join seeded on seeded.verified_email = addresses.verified_email
    group by addresses.verified_email
),

named as (
    select
        agents.*,
        coalesce(seeded.person, addressed.person, 'agent ' || agents.id) as person,
        case when seeded.id is not null then 'seed' else 'email' end as identified_by
    from agents
    left join seeded on seeded.id = agents.id
    left join addressed on addressed.verified_email = agents.verified_email
),

-- A person is known by the key of the first source that they work in, so that B2Chat's agents stay the agents that BI knows.
now as (
    select
        id,
        source,
        source_agent_id,
        name as source_agent_name,
        first_value(id) over keys as agent_id,
        first_value(name) over keys as agent_name,
        case when count(*) over (partition by person) > 1 then identified_by end as identified_by
    from named
    window keys as (
        partition by person
        order by array_position(array['{{ sources | join("', '") }}'], source), source_agent_id
        rows between unbounded preceding and unbounded following
    )
)

{% if is_incremental() -%}
select
    now.*,
    case when now.agent_id <> coalesce(known.agent_id, now.id) then {{ told }} else known.identity_load_id end as identity_load_id,
    -- What else is new of an agent, as in the seed and still the same person, makes no chat anew.
    case
        when now.agent_id = known.agent_id and now.agent_name = known.agent_name then known.load_id
        else {{ told }}
    end as load_id
from now
left join {{ this }} as known on known.id = now.id
where (now.agent_id, now.agent_name, now.source_agent_name, now.identified_by)
    is distinct from (known.agent_id, known.agent_name, known.source_agent_name, known.identified_by)
    -- A seed that was edited while a sync wrote counts with the next load: nobody would read this one again.
    and {{ told }} > current_setting('b2chat.low_watermark')::bigint
{%- else -%}
select
    now.*,
    case when now.agent_id <> now.id then {{ told }} end as identity_load_id,
    {{ told }} as load_id
from now
{%- endif %}
