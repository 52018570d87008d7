-- A view over what the audit keeps: it is right whenever it is read.
select
    finding_id,
    rule,
    check_name,
    schema_name,
    object,
    severity,
    evidence,
    fix,
    since as found_at,
    last_seen_at,
    resolved_at,
    resolved_at is null as is_open,
    exception_reason is not null as is_excepted,
    exception_reason,
    exception_until as excepted_until
from {{ source('ops', 'database_findings') }}
