select
    chat_id,
    {{ to_instant("payload ->> 'created_at'") }} as created_at,
    superseded_by_load_id as load_id
from {{ source('raw', 'chat_versions') }}
