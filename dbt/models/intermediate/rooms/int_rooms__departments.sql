-- A room has no department: it belongs to an organization.
select
    {{ source_key('rooms', 'id') }} as id,
    coalesce({{ clean_text('name') }}, id) as name,
    load_id
from {{ ref('stg_rooms__organizations') }}
