-- What is not landed yet is not known: a build on the same loads gives the same rows whenever it runs.
select max(loads.loaded_at) as as_of
from {{ source('ops', 'page_loads') }} as loads
where not {{ is_above_high_watermark('loads') }}
