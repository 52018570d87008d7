"""Coverage by the hour of many agents' sessions over two years: built at once, four times as many, one changed.

    .venv/bin/python benchmarks/coverage.py [--sessions 1000000] [--weeks 200]

500 agents in three pools of one organization, in an embedded Postgres of its own. The sessions are written into core:
the model int_coverage_hours is timed, by dbt's own clock. A run that finds nothing new says what dbt itself costs.
`--weeks` also lands random weeks as the source would have them, both clock changes among them, and compares each hour
with a count of every second. Exits with 1 where a goal is missed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from common import with_project

from dagster_project.orchestration.dbt_project import DBT_DIR, executable
from dagster_project.warehouse import connection, embedded, migrations
from tests.support.coverage_weeks import Week, land

MOST_SECONDS, MOST_TIMES, MOST_OF_ONE = 30.0, 5.0, 0.5
CHANGES = 3  # one session each
MODEL = "int_coverage_hours"
HOUSE = """
    insert into core.call_directory
        (kind, id, organization_id, name, timezone, is_deleted, last_sync_at, created_local_date, load_id)
    values ('organization', 'o', 'o', 'Ours', 'America/Bogota', false, now(), current_date, 1);
    insert into core.call_directory
        (kind, id, organization_id, name, is_deleted, last_sync_at, created_local_date, load_id)
    select 'pool', 'pool' || number, 'o', 'A pool', false, now(), current_date, 1 from generate_series(0, 2) as number;
    insert into core.call_pool_members
        (id, pool_id, agent_id, added_at, left_at, is_deleted, changed_from, last_sync_at, load_id)
    select 'm' || agent, 'pool' || agent % 3, 'agent' || agent, '-infinity', 'infinity', false, '-infinity', now(), 1
    from generate_series(0, 499) as agent
"""
# A minute to four hours each, spread over two years.
SESSIONS = """
    truncate core.agent_sessions;
    insert into core.agent_sessions (
        id, agent_id, organization_id, started_at, ended_at, is_ended_before_started, is_deleted, ever_from, ever_to,
        created_local_date, last_sync_at, load_id
    )
    select
        number::text, 'agent' || number %% 500, 'o', begun, begun + lasts, false, false, begun, begun + lasts,
        (begun at time zone 'America/Bogota')::date, now(), 1
    from generate_series(1, {0}) as number
    cross join lateral (
        select
            timestamptz '2024-03-01' + number * (interval '730 days' / {0}::double precision) as begun,
            (60 + (hashint4(number)::bigint & 2147483647) %% 14340) * interval '1 second' as lasts
    ) as drawn
"""
LOAD = """
    insert into ops.page_loads (
        source, entity_type, loaded_at, record_count, new_count, changed_count, sync_id, page_offset, unchanged_count,
        quarantined_count, response_bytes, request_ms
    ) values ('calls', 'agent_sessions', '2026-04-16 20:00+00', 1, 1, 0, 'benchmark', 0, 0, 0, 0, 0)
    returning load_id
"""


def main() -> None:
    """Print the seconds of each build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--weeks", type=int, default=0, help="count so many random weeks second by second")
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory(prefix="b2chat-benchmark-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if given.weeks:
            with embedded.running(folder / "weeks", throwaway=True) as url:
                _count_weeks(url, folder, given.weeks)
        with embedded.running(folder / "pg", throwaway=True) as url:
            is_reached = _time(url, folder, given.sessions)
    sys.exit(not is_reached)


def _count_weeks(url: str, folder: Path, count: int) -> None:
    migrations.upgrade(url)
    weeks = [Week(number) for number in range(count)]
    with psycopg.connect(url, autocommit=True) as conn:
        for week in weeks:
            land(conn, week.rows(), datetime.fromisoformat("2026-03-14T20:30:00+00:00"))
        _run(url, folder, f"+{MODEL}")
        for week in weeks:
            week.check(conn)
    print(f"{count} random weeks agree with a count of every second", flush=True)


def _time(url: str, folder: Path, sessions: int) -> bool:
    migrations.upgrade(url)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(LOAD)
        _run(url, folder, f"+{MODEL}")
        conn.execute(HOUSE)
        whole = {}
        for number in (sessions // 4, sessions):
            conn.execute(SESSIONS.replace("%%", "%").format(number))  # type: ignore[arg-type]
            conn.execute("vacuum analyze core.agent_sessions")
            whole[number] = _run(url, folder, MODEL, "--full-refresh")
            print(f"{number:>9,} sessions, first build: {whole[number]:6.2f} s", flush=True)
        nothing = _run(url, folder, MODEL)
        changed = median(_run_after_a_change(conn, url, folder, str(sessions // 2 + one)) for one in range(CHANGES))
    times = whole[sessions] / whole[sessions // 4]
    print(f"time of {sessions:,} / time of a quarter of them: {times:.2f}")
    print(f"one session changed: {changed:.2f} s, of which dbt costs {nothing:.2f} s where nothing changed")
    return whole[sessions] <= MOST_SECONDS and times <= MOST_TIMES and changed <= MOST_OF_ONE


def _run_after_a_change(conn: psycopg.Connection, url: str, folder: Path, session: str) -> float:
    (load,) = conn.execute(LOAD).fetchone() or (0,)
    conn.execute("update ops.build_watermarks set load_id = %s where model <> %s", [load, MODEL])
    conn.execute(
        "update core.agent_sessions set load_id = %s, ended_at = ended_at + interval '10 minutes', "
        "ever_to = ever_to + interval '10 minutes' where id = %s",
        [load, session],
    )
    return _run(url, folder, MODEL)


def _run(url: str, folder: Path, select: str, *options: str) -> float:
    """Run dbt on models; returns the seconds of the last of them."""
    target = folder / "target"
    subprocess.run(
        [
            *(executable(), "--quiet", "run", "--select", select, *options),
            *("--project-dir", str(DBT_DIR), "--profiles-dir", str(DBT_DIR)),
            *("--target-path", str(target), "--log-path", str(target)),
        ],
        check=True,
        env=with_project(os.environ) | connection.environment(url),
    )
    results = json.loads((target / "run_results.json").read_text())["results"]
    return next(float(one["execution_time"]) for one in results if one["unique_id"].endswith(f".{MODEL}"))


if __name__ == "__main__":
    main()
