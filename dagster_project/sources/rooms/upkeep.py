"""What jobs do in the schema rooms, and how long what is in it is kept (docs/rooms.md): two years online, seven more in
files, what was changed for ten.

The months themselves are moved by the engine of archives (`warehouse/archive`), where the schema lies in the warehouse.
"""

from datetime import date

import psycopg

from dagster_project.sources.rooms.tables import SCHEMA, TABLES
from dagster_project.warehouse.connection import has_relation
from dagster_project.warehouse.partitions import drop_before, months_after

AUDIT_MONTHS = 120
HISTORIES = tuple(f"{SCHEMA}.{table.history}" for table in TABLES.values() if table.keeps_history)
# The newest archive of a month; the key of its file is nobody's business but the engine's.
_STATES = r"""
    insert into rooms.archives as kept (
        "table", partition, "from", "to", state, rows, bytes, sha256, content_sum, uri, planned_at, exported_at,
        verified_at, detached_at, dropped_at, restored_at, purged_at
    )
    select distinct on (table_name, month)
        split_part(table_name, '.', 2), split_part(table_name, '.', 2) || to_char(month, '_YYYY_MM'),
        month::timestamp at time zone 'UTC', (month + interval '1 month') at time zone 'UTC', state, row_count, bytes,
        sha256, content_sum, regexp_replace(object_key, '-[0-9a-f]{32}', ''), planned_at, exported_at, verified_at,
        detached_at, dropped_at, restored_at, purged_at
    from ops.archives
    where starts_with(table_name, 'rooms.')
    order by table_name, month, id desc
    on conflict ("table", partition) do update set
        state = excluded.state, sha256 = excluded.sha256, content_sum = excluded.content_sum, uri = excluded.uri,
        rows = case excluded.state when 'restored' then kept.rows else coalesce(excluded.rows, kept.rows) end,
        bytes = case excluded.state when 'restored' then kept.bytes else coalesce(excluded.bytes, kept.bytes) end,
        planned_at = excluded.planned_at, exported_at = excluded.exported_at, verified_at = excluded.verified_at,
        detached_at = excluded.detached_at, dropped_at = excluded.dropped_at, restored_at = excluded.restored_at,
        purged_at = excluded.purged_at
    where (kept.state, kept.sha256, kept.purged_at) is distinct from
        (excluded.state, excluded.sha256, excluded.purged_at)
"""


def keep_months(conn: psycopg.Connection) -> int:
    """Make this month and the next three where the schema is, and say in rooms.archives what each month holds.

    Returns:
        how many partitions were made; 0 where there is no schema `rooms`.
    """
    if not has_relation(conn, "rooms.archives"):
        return 0
    row = conn.execute("select rooms.keep_partitions()").fetchone()
    if has_relation(conn, "ops.archives"):
        conn.execute(_STATES)
    return row[0] if row else 0


def fill_search(conn: psycopg.Connection) -> int:
    """Make documents of messages that were written since the last time. Returns how many; 0 in a schema of others."""
    if conn.execute("select to_regprocedure('rooms.fill_message_search()') is null").fetchone() == (True,):
        return 0
    row = conn.execute("select rooms.fill_message_search()").fetchone()
    return row[0] if row else 0


def drop_old_audit(conn: psycopg.Connection, today: date) -> dict[str, int]:
    """Drop what was changed and read more than ten years ago. Returns how many months or rows, by table."""
    if not has_relation(conn, "rooms.archives"):
        return {}
    before = months_after(today, -AUDIT_MONTHS)
    dropped = {table: drop_before(conn, table, before) for table in HISTORIES}
    conn.execute(
        "update rooms.archives set state = 'dropped', dropped_at = now() "
        "where state = 'online' and 'rooms.' || partition = any(%s)",
        [[name for names in dropped.values() for name in names]],
    )
    reads = conn.execute("delete from rooms.data_access_log where at < %s", [before]).rowcount
    return {table: len(names) for table, names in dropped.items()} | {"rooms.data_access_log": reads}
