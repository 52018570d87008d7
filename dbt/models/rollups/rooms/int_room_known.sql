-- What is not landed yet is not known: a build on the same loads gives the same rows whenever it runs.
select max({{ known_until('loads') }}) as known_until
from {{ source('ops', 'page_loads') }} as loads
where loads.source = 'rooms' and not {{ is_above_high_watermark('loads') }}
