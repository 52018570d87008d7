-- A view over what the first sync of each source noted: it is right whenever it is read.
select
    source,
    kind,
    kind = 'sandbox' as is_made_up,
    first_used_at
from {{ source('ops', 'data_source') }}
