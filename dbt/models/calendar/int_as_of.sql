-- What is not landed yet is not known: a build on the same loads gives the same rows whenever it runs. A source that has
-- stopped holds the time back, however lively another one is; files that people bring now and then say nothing of it.
select min(newest.known_until) as as_of
from (
    select max({{ known_until('loads') }}) as known_until
    from {{ source('ops', 'page_loads') }} as loads
    left join {{ source('ops', 'data_source') }} as sources on sources.source = loads.source
    where sources.kind is distinct from 'files' and not {{ is_above_high_watermark('loads') }}
    group by loads.source
) as newest
