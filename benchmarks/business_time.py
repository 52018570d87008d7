"""Business time over a million intervals, against the plain subtraction of their ends.

    .venv/bin/python benchmarks/business_time.py [--intervals 1000000]

The seeds and models of the project make the calendar in an embedded Postgres of its own; its macros make the queries.
"""

import argparse
import functools
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import jinja2
import psycopg
from common import ROOT, with_project
from peak_memory import cpu_of_tree

from dagster_project.orchestration.dbt_project import DBT_DIR, executable
from dagster_project.warehouse import connection, embedded, migrations

RUNS = 5
# What a Postgres without any settings has.
DEFAULTS = {"work_mem": "4MB", "random_page_cost": "4", "effective_cache_size": "4GB"}
# Two years of starts; lengths as B2Chat's are: most are short, some last for weeks.
INTERVALS = """
    create table public.intervals as
    select
        number as id,
        'default' as calendar,
        starts_at,
        starts_at + (exp(random() * 10) * 60)::integer * interval '1 second' as ends_at,
        (array[120, 300, 7200])[1 + number %% 3] as target_seconds
    from (
        select number, timestamptz '2024-01-01' + (random() * 63e6)::integer * interval '1 second' as starts_at
        from generate_series(1, %s) as number
    ) as drawn
"""


def main() -> None:
    """Print the table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--intervals", type=int, default=1_000_000)
    intervals = parser.parse_args().intervals
    with tempfile.TemporaryDirectory(prefix="b2chat-benchmark-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with embedded.running(Path(folder) / "pg", throwaway=True) as url:
            _build_calendars(url, Path(folder) / "target")
            with psycopg.connect(url, autocommit=True) as conn:
                _prepare(conn, intervals)
                measured = _measure(conn, _queries())
    print(f"{intervals:,} intervals; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; median of {RUNS} runs.\n")
    print("| what | seconds | ratio | work, CPU seconds | ratio |\n|---|---:|---:|---:|---:|")
    floor = measured["plain subtraction"]
    for name, (seconds, work) in measured.items():
        print(f"| {name} | {seconds:.2f} | {seconds / floor[0]:.1f} | {work:.2f} | {work / floor[1]:.1f} |")


def _build_calendars(url: str, target: Path) -> None:
    migrations.upgrade(url)
    subprocess.run(
        [
            executable(),
            "--quiet",
            "build",
            "--exclude-resource-type",
            "unit_test",
            "--exclude",
            "test_type:data",
            "--select",
            "resource_type:seed",
            "int_business_slots",
            "int_rule_days",
            "int_affected_calendars",
            "int_calendar_clock",
            "int_calendar_due",
            "--project-dir",
            DBT_DIR,
            "--profiles-dir",
            DBT_DIR,
            "--target-path",
            target,
            "--log-path",
            target,
        ],
        check=True,
        cwd=ROOT,
        env=with_project(os.environ) | connection.environment(url),
    )


def _prepare(conn: psycopg.Connection, intervals: int) -> None:
    for name, value in DEFAULTS.items():
        conn.execute("select set_config(%s, %s, false)", (name, value))
    conn.execute("select setseed(0.5)")
    conn.execute(INTERVALS, (intervals,))
    conn.execute(
        "create table public.slots as select tstzrange(starts_at, ends_at) as slot from intermediate.int_business_slots"
    )
    conn.execute("create index on public.slots using gist (slot)")
    conn.execute("analyze public.intervals")
    conn.execute("analyze public.slots")


def _queries() -> dict[str, str]:
    text = (DBT_DIR / "macros" / "metrics" / "business_time.sql").read_text()
    macros: Any = jinja2.Environment().from_string(text, globals={"ref": lambda name: f"intermediate.{name}"}).module
    used_up = macros.open_seconds("start_clock", "i.starts_at") + " + i.target_seconds"
    starts = macros.join_clock("start_clock", "i.calendar", "i.starts_at")
    ends = macros.join_clock("end_clock", "i.calendar", "i.ends_at")
    return {
        "plain subtraction": "select id, ends_at - starts_at as elapsed from public.intervals",
        "business seconds between two instants": f"""
            select id, {macros.business_seconds("start_clock", "i.starts_at", "end_clock", "i.ends_at")} as elapsed
            from public.intervals as i {starts} {ends}""",
        "deadline of a target": f"""
            select id, {macros.due_at("due", used_up)} as due_at
            from public.intervals as i {starts} {macros.join_due("due", "i.calendar", used_up)}""",
        "for comparison: overlap with slots, by a GiST index": """
            select
                i.id,
                sum(extract(epoch from
                    least(i.ends_at, upper(s.slot)) - greatest(i.starts_at, lower(s.slot)))) as elapsed
            from public.intervals as i
            left join public.slots as s on s.slot && tstzrange(i.starts_at, i.ends_at)
            group by i.id""",
    }


def _measure(conn: psycopg.Connection, queries: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Median seconds and CPU seconds of each query as a `create table as`; by turns, so that all meet the same load."""
    server = _postmaster(conn)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in queries}
    for turn in range(RUNS):
        for name, query in queries.items():
            if turn and "comparison" in name:
                continue
            conn.execute("drop table if exists public.measured")
            statement = f"create table public.measured as {query}"
            taken[name].append(_timed(functools.partial(conn.execute, statement), server))
    return {
        name: (median(seconds for seconds, _ in runs), median(work for _, work in runs)) for name, runs in taken.items()
    }


def _timed(step: Callable[[], object], server: int) -> tuple[float, float]:
    began, worked = time.monotonic(), cpu_of_tree(server)
    step()
    return time.monotonic() - began, cpu_of_tree(server) - worked


def _postmaster(conn: psycopg.Connection) -> int:
    stat = Path(f"/proc/{conn.info.backend_pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main()
