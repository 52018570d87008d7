"""What users and the audit log cost those who write, and how long administrators wait for a count.

    .venv/bin/python benchmarks/people.py [--rows 100000] [--events 1825000] [--json]

In an embedded Postgres of its own. Each figure of a writer is the median of five inserts of so many rows, beside the
same insert with the foreign key and the triggers of migration 0032 taken away, in turn, in the same run. The events are
those of a year by the data dictionary (5,000 a day).
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psycopg

from dagster_project.warehouse import connection, embedded, migrations, partitions
from dagster_project.warehouse.access import audit_log

RUNS = 5
WRITERS = {
    "analysis.effectiveness_analysis": """
        insert into analysis.effectiveness_analysis (chat_id, user_id, classification_id, model_vendor, model, is_llm,
            classified_by, recommendations, analysis_data, created_at)
        select 'c' || n, 'pipeline', n, 'rules', 'rules-v1', false, 'rules-v1', '[]', '{}', now()
        from generate_series(1, %(rows)s) as n
    """,
    "analysis.human_labels": """
        insert into analysis.human_labels (chat_id, content_key, sentiment, labelled_by)
        select 'c' || n, 'k', 'POSITIVE', 'ana' from generate_series(1, %(rows)s / 10) as n
    """,
    "ops.sync_logs": """
        insert into ops.sync_logs (user_id, source, entity_type, operation, record_count, status, started_at)
        select 'dagster', 'b2chat', 'chats', 'incremental', n, 'success', now()
        from generate_series(1, %(rows)s / 10) as n
    """,
}
EVENTS = """
    insert into ops.audit_logs (timestamp, user_id, event_type, severity, resource, action, metadata, correlation_id)
    select at, (array['dagster', 'ana', 'bea'])[1 + n %% 3],
        (array['sync.start', 'sync.complete', 'data.export', 'data.read', 'permission.denied'])[1 + n %% 5], 'low',
        'export:' || n, 'read', '{"database_role": "b2chat"}', md5(n::text)
    from generate_series(1, %(events)s) as n
    cross join lateral (select now() - n * interval '365 days' / %(events)s) as moment (at)
"""
# As marts_admin.audit_daily has it.
DAILY = """
    with by_user as (
        select (timestamp at time zone 'America/Bogota')::date as local_date, event_type, severity, success, user_id,
            count(*) as event_count, max(timestamp) as last_event_at
        from ops.audit_logs group by 1, 2, 3, 4, 5
    )

    select local_date, event_type, severity, role, kind, success, sum(event_count), count(user_id), max(last_event_at)
    from by_user left join ops.users on users.id = user_id group by 1, 2, 3, 4, 5, 6
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_825_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="b2chat-people-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with embedded.running(Path(folder) / "pg", throwaway=True) as url:
            migrations.upgrade(url)
            with connection.connect(url, autocommit=True) as conn:
                found = measured(conn, given.rows, given.events)
    print(json.dumps(found) if given.json else "\n".join(f"{name}: {value}" for name, value in found.items()))


def measured(conn: psycopg.Connection, rows: int, events: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for table, insert in WRITERS.items():
        with_rules, without = [], []
        for _ in range(RUNS):
            with_rules.append(_rolled_back(conn, table, insert, rows, bare=False))
            without.append(_rolled_back(conn, table, insert, rows, bare=True))
        found[f"{table}, seconds"] = round(median(with_rules), 3)
        found[f"{table}, seconds without"] = round(median(without), 3)
    found["one event, ms"] = round(
        median(_timed(lambda: audit_log.record(conn, "data.read")) for _ in range(200)) * 1e3, 2
    )
    partitions.keep(
        conn, partitions.AUDIT_LOGS, [partitions.months_after(datetime.now(UTC).date(), -ahead) for ahead in range(13)]
    )
    conn.execute(EVENTS, {"events": events})  # type: ignore[arg-type]
    conn.execute("vacuum analyze ops.audit_logs")
    found["audit_daily of a year, seconds"] = round(
        median(_timed(lambda: conn.execute(DAILY).fetchall()) for _ in range(3)), 2
    )
    found["the log of a year, MiB"] = round(
        sum(one.bytes for one in partitions.partitions_of(conn, partitions.AUDIT_LOGS)) / 2**20
    )
    return found


def _rolled_back(conn: psycopg.Connection, table: str, insert: str, rows: int, *, bare: bool) -> float:
    with conn.transaction(force_rollback=True):
        if bare:
            conn.execute(f"""
                do $$ declare name text; begin
                    for name in select tgname from pg_trigger where tgrelid = '{table}'::regclass and not tgisinternal
                    loop execute format('drop trigger %I on {table}', name); end loop;
                    for name in select conname from pg_constraint where conrelid = '{table}'::regclass and contype = 'f'
                    loop execute format('alter table {table} drop constraint %I', name); end loop;
                end $$
            """)  # type: ignore[arg-type]
        return _timed(lambda: conn.execute(insert, {"rows": rows}))  # type: ignore[arg-type]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
