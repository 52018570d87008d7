"""The database audit over many tables, and what counting statements costs the server.

    .venv/bin/python benchmarks/database_audit.py [--tables 500] [--json]

Tables with four indexes and a foreign key each, in an embedded Postgres of its own. Its baseline is one pass over
pg_class and pg_index with the size of each relation, in the same run. Statements are counted (pg_stat_statements) or
not for the same pgbench, which reads one row by its key, in turn.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from dagster_project.database_audit import audit
from dagster_project.warehouse import binaries, connection, embedded, migrations

RUNS = 5
TABLES = """
    do $$ begin
        create schema many;
        create table many.parent (id int primary key);
        for number in 1 .. {tables} loop
            execute format('create table many.t_%s (id int primary key, a int, b text, '
                || 'parent int references many.parent)', number);
            execute format('create index on many.t_%s (a, b)', number);
            execute format('create index on many.t_%s (parent)', number);
            execute format('create index on many.t_%s (b) where a > 0', number);
            if number % 25 = 0 then commit; end if;
        end loop;
    end $$
"""
BASELINE = (
    "select sum(pg_relation_size(oid)) from pg_class left join pg_index on indexrelid = oid where relkind in ('r', 'i')"
)
TRANSACTIONS = "select * from many.t_1 where id = 1;"


def main() -> None:
    """Print seconds of the audit, and transactions a second with and without counters."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="b2chat-audit-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with embedded.running(Path(folder) / "pg", throwaway=True) as url:
            migrations.upgrade(url)
            figures = _audits(url, given.tables) | _counting(url)
    for name, value in figures.items():
        if not given.json:
            print(f"{name:<40} {value:,.3f}")
    if given.json:
        print(json.dumps(figures))


def _audits(url: str, tables: int) -> dict[str, float]:
    with connection.connect(url, autocommit=True) as conn:
        conn.execute(TABLES.format(tables=tables))  # type: ignore[arg-type]
        first = _seconds(lambda: audit.run(conn, ZoneInfo("UTC"), known={}, schema="many"))
        later = median(_seconds(lambda: audit.run(conn, ZoneInfo("UTC"), known={}, schema="many")) for _ in range(RUNS))
        baseline = median(_seconds(lambda: conn.execute(BASELINE).fetchall()) for _ in range(RUNS))  # type: ignore[arg-type]
    return {"tables": tables, "audit_first_s": first, "audit_s": later, "pass_over_pg_class_s": baseline}


def _counting(url: str) -> dict[str, float]:
    counted, uncounted = list[float](), list[float]()
    with connection.connect(url, autocommit=True) as conn:
        for _ in range(RUNS):
            for track, rates in (("top", counted), ("none", uncounted)):
                conn.execute(f"alter system set pg_stat_statements.track = {track}")  # type: ignore[arg-type]
                conn.execute("select pg_reload_conf()")
                rates.append(_transactions_a_second(url))
    return {
        "tps_counted": median(counted),
        "tps_not_counted": median(uncounted),
        "ratio": median(a / b for a, b in zip(counted, uncounted, strict=True)),
    }


def _transactions_a_second(url: str) -> float:
    pgbench = binaries.find(None).folder / "pgbench"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(TRANSACTIONS)
        script.flush()
        done = subprocess.run(
            [pgbench, "-n", "-c", "4", "-T", "4", "-f", script.name, url], capture_output=True, text=True, check=True
        )
    return float(next(line for line in done.stdout.splitlines() if line.startswith("tps")).split()[2])


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
