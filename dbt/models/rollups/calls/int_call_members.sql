-- Two organizations may each have a pool or a disposition of one name.
select
    members.kind,
    members.id,
    case
        when count(*) over (partition by members.kind, members.name) > 1 and members.kind <> 'organization'
            then members.name || coalesce(' (' || organizations.name || ')', '')
        else members.name
    end as name
from {{ ref('call_directory') }} as members
left join {{ ref('call_directory') }} as organizations
    on organizations.kind = 'organization' and organizations.id = members.organization_id
