select
    scope,
    scope_id,
    scope_name
from {{ ref('int_traffic_scopes') }}
