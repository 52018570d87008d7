-- A subscriber that restarts is inactive for a moment: only one whose WAL is gone, or about to go, is a finding.
select
    'database' as schema_name,
    'slot ' || slot_name as object,
    'error' as severity,
    format('inactive, its WAL is %s: past max_slot_wal_keep_size', wal_status) as evidence,
    format('select pg_drop_replication_slot(%L);', slot_name) as fix
from pg_replication_slots
where not active and wal_status in ('unreserved', 'lost')
