-- With one source, two look-ups in an index say that there is nothing to look for.
select
    scope,
    scope_id
from {{ ref('int_scope_sources') }}
where (
    select min(scope_id) <> max(scope_id) from {{ ref('int_scope_sources') }}
    where scope = 'source'
)
group by scope, scope_id
having min(source) <> max(source)
