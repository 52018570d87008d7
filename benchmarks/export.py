"""The export of all chats as CSV, against a bare COPY of the same rows: seconds, and memory that does not grow.

    .venv/bin/python benchmarks/export.py [--chats 1800000]

An embedded Postgres of its own holds the marts' columns, filled with made rows; each export has a process of its own.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import yaml
from common import ROOT, with_project
from peak_memory import cpu_of_tree

from dagster_project.exports import service
from dagster_project.exports.export_log import LogEntry
from dagster_project.exports.formats.format import Options, WriteResult
from dagster_project.exports.formats.registry import FORMATS
from dagster_project.exports.stores.folder import Folder
from dagster_project.exports.tables import statements
from dagster_project.exports.tables.table import Filters, Table
from dagster_project.warehouse import embedded, migrations
from dagster_project.warehouse.binaries import find

ZONE, FEW = "America/Bogota", 20_000
MEASURED = ("csv", "csv-excel", "parquet")
# One expression a type; of `n`, the number of the row. A tenth is NULL, as where nothing happened.
VALUES = {
    "text": "'Sofía Muñoz ' || n % 40",
    "integer": "n % 7200",
    "bigint": "n",
    "boolean": "n % 7 = 0",
    "double precision": "n % 7200 / 7.0",
    "date": "date '2024-01-01' + n % 700",
    "timestamptz": "timestamptz '2024-01-01' + n * interval '35 seconds'",
}
CATEGORIES = """
    create table marts.chat_categories as
    select n::text as chat_id, 'answered' as state, 'PAYMENT' as customer_intent,
           'PROSPECT' as journey_stage, 'NEUTRAL' as sentiment,
           7 as agent_quality_score, 0.8::double precision as confidence_score,
           'clasificado por reglas' as classified_by_es, 'PAYMENT' as final_intent, 'PROSPECT' as final_stage,
           'NEUTRAL' as final_sentiment, 7 as final_agent_quality_score, 'rules' as final_source
    from generate_series(1, %s) as n where n %% 5 > 0
"""


def main() -> None:
    """Print the table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chats", type=int, default=1_800_000)
    parser.add_argument("--formats", default=",".join(MEASURED))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="b2chat-benchmark-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded.running(folder / "pg", throwaway=True) as url:
            migrations.upgrade(url)
            rows = [
                row
                for count in (FEW, arguments.chats)
                for row in _measure(url, folder, count, arguments.formats.split(","))
            ]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}.\n")
    print("| rows | what | seconds | ratio | work, CPU seconds | ratio | peak MiB of the process | file, MiB |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|", *rows, sep="\n")


def _measure(url: str, folder: Path, chats: int, formats: list[str]) -> list[str]:
    """A bare COPY before each export, which is held against it."""
    _fill(url, chats)
    with psycopg.connect(url) as conn:
        server = _postmaster(conn)
        query = _table(conn).query.as_string(conn).replace("%(first)s", "null").replace("%(last)s", "null")
    copy = f"\\copy ({' '.join(query.split())}) to '{folder / 'bare.csv'}' (format csv, header)"
    lines = []
    for profile in formats:
        _, *bare = _timed([str(find(None).folder / "psql"), url, "-qc", copy], server)
        told, *ours = _timed([sys.executable, __file__, url, str(folder), profile], server)
        peak, size, rows = map(float, told.split())
        assert rows == chats, f"{profile}: {rows} rows of {chats}"
        lines += [
            f"| {chats:,} | bare COPY TO (psql) | {bare[0]:.1f} | 1 | {bare[1]:.1f} | 1 | | |",
            f"| {chats:,} | {profile} | {ours[0]:.1f} | {ours[0] / bare[0]:.2f} | {ours[1]:.1f} "
            f"| {ours[1] / bare[1]:.2f} | {peak:.0f} | {size:.0f} |",
        ]
    return lines


def _timed(command: list[str], server: int) -> tuple[str, float, float]:
    """What a program printed, its seconds, and the CPU seconds that it and all of Postgres worked."""
    began, worked = time.monotonic(), _work(server)
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=with_project(os.environ))
    return answer.stdout, time.monotonic() - began, _work(server) - worked


def _work(server: int) -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return cpu_of_tree(server) + children.ru_utime + children.ru_stime


def _postmaster(conn: psycopg.Connection) -> int:
    stat = Path(f"/proc/{conn.info.backend_pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def _fill(url: str, chats: int) -> None:
    model = yaml.safe_load((ROOT / "dbt/models/facts/chat_response_times.yml").read_text())
    columns = model["models"][0]["columns"]
    shown = [
        f"case when n % 10 > 0 then {VALUES[c['data_type']]} end as {c['name']}"
        for c in columns
        if c["name"] not in ("chat_id", "is_deleted")
    ]
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("drop schema if exists marts cascade")
        conn.execute("create schema marts")
        conn.execute(
            f"create table marts.chat_response_times as select n::text as chat_id, {', '.join(shown)}, "
            f"false as is_deleted from generate_series(1, {chats}) as n"
        )
        conn.execute("create schema if not exists core")
        for table in ("agents", "departments"):
            conn.execute(f"create table if not exists core.{table} (id text)")
        conn.execute(CATEGORIES, [chats])
        conn.execute("vacuum analyze")


def _table(conn: psycopg.Connection) -> Table:
    return statements.chats(conn, Filters(), "es")


def _export(url: str, folder: Path, profile: str) -> None:
    """One export, in this process: prints peak MiB, MiB of the file and rows."""

    def write(conn: psycopg.Connection, out: object) -> WriteResult:
        return FORMATS[profile].table(conn, out, _table(conn), Options("es", ZONE, datetime.now(UTC)))

    made = service.export(
        url,
        Folder(folder / "exports"),
        LogEntry("chats", profile, "benchmark"),
        write,
        label="all",
        zone=ZONE,
        keep=timedelta(days=1),
    )
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, made.size_bytes / 1024**2, made.rows)
    Path(made.place).unlink()


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _export(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
    else:
        main()
