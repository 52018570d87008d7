"""The export of all chats as CSV, against a bare COPY of the same rows: seconds, and memory that does not grow.

    .venv/bin/python benchmarks/export.py [--chats 1800000]

An embedded Postgres of its own holds the marts' columns, filled with made rows; each export has a process of its own.
"""

import argparse
import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import yaml
from common import ROOT, with_project

from dagster_project.exports import csv_file, making, parquet_file, tables
from dagster_project.exports.records import Request
from dagster_project.exports.stores import Folder
from dagster_project.warehouse import embedded, migrations
from dagster_project.warehouse.binaries import find

ZONE, FEW = "America/Bogota", 20_000
FORMATS = ("csv", "csv-excel", "parquet")
# One expression a type; of `n`, the number of the row. A tenth is NULL, as where nothing happened.
VALUES = {
    "text": "'Sofía Muñoz ' || n % 40", "integer": "n % 7200", "bigint": "n", "boolean": "n % 7 = 0",
    "double precision": "n % 7200 / 7.0", "date": "date '2024-01-01' + n % 700",
    "timestamptz": "timestamptz '2024-01-01' + n * interval '35 seconds'",
}  # fmt: skip
CATEGORIES = """
    create table marts.chat_categories as
    select n::text as chat_id, 'PAYMENT' as customer_intent, 'PROSPECT' as journey_stage, 'NEUTRAL' as sentiment,
           7 as agent_quality_score, 0.8::double precision as confidence_score,
           'clasificado por reglas' as classified_by_es, 'PAYMENT' as final_intent, 'PROSPECT' as final_stage,
           'NEUTRAL' as final_sentiment, 7 as final_agent_quality_score, 'rules' as final_source
    from generate_series(1, %s) as n where n %% 5 > 0
"""


def main() -> None:
    """Print the table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chats", type=int, default=1_800_000)
    chats = parser.parse_args().chats
    with tempfile.TemporaryDirectory(prefix="b2chat-benchmark-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded.running(folder / "pg", throwaway=True) as url:
            migrations.upgrade(url)
            measured = [(count, *_measure(url, folder, count)) for count in (FEW, chats)]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}.\n")
    print("| rows | what | seconds | ratio | peak MiB of the process | file, MiB |\n|---:|---|---:|---:|---:|---:|")
    for count, bare, exports in measured:
        print(f"| {count:,} | bare COPY TO (psql) | {bare:.1f} | 1 | | |")
        for what, (seconds, peak, size) in exports.items():
            print(f"| {count:,} | {what} | {seconds:.1f} | {seconds / bare:.2f} | {peak:.0f} | {size:.0f} |")


def _measure(url: str, folder: Path, chats: int) -> tuple[float, dict[str, tuple[float, float, float]]]:
    _fill(url, chats)
    bare = folder / "bare.csv"
    program = find(None).folder / "psql"
    with psycopg.connect(url) as conn:
        query = _table(conn).query.as_string(conn).replace("%(first)s", "null").replace("%(last)s", "null")
    began = time.monotonic()
    subprocess.run([program, url, "-qc", f"\\copy ({' '.join(query.split())}) to '{bare}' (format csv, header)"],
                   check=True)  # fmt: skip
    seconds = time.monotonic() - began
    exports = {}
    for profile in FORMATS:
        command = [sys.executable, __file__, url, str(folder), profile]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=with_project(os.environ))
        took, peak, size, rows = map(float, answer.stdout.split())
        assert rows == chats, f"{profile}: {rows} rows of {chats}"
        exports[profile] = (took, peak, size)
    return seconds, exports


def _fill(url: str, chats: int) -> None:
    model = yaml.safe_load((ROOT / "dbt/models/marts/response_times/chat_response_times.yml").read_text())
    columns = model["models"][0]["columns"]
    shown = [f"case when n % 10 > 0 then {VALUES[c['data_type']]} end as {c['name']}" for c in columns
             if c["name"] not in ("chat_id", "is_deleted")]  # fmt: skip
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("drop schema if exists marts cascade")
        conn.execute("create schema marts")
        conn.execute(f"create table marts.chat_response_times as select n::text as chat_id, {', '.join(shown)}, "
                     f"false as is_deleted from generate_series(1, {chats}) as n")  # fmt: skip
        conn.execute("create schema if not exists core")
        for table in ("agents", "departments"):
            conn.execute(f"create table if not exists core.{table} (id text)")
        conn.execute(CATEGORIES, [chats])
        conn.execute("vacuum analyze")


def _table(conn: psycopg.Connection) -> tables.Table:
    return tables.chats(conn, tables.Filters(), "es")


def _export(url: str, folder: Path, profile: str) -> None:
    """One export, in this process: seconds, peak MiB, MiB of the file, rows."""
    def write(conn: psycopg.Connection, out: object) -> making.Written:
        if profile == "parquet":
            return parquet_file.write(conn, out, _table(conn), zone=ZONE)
        return csv_file.write(conn, out, _table(conn), for_excel=profile == "csv-excel", zone=ZONE)

    began = time.monotonic()
    made = making.export(url, Folder(folder / "exports"), Request("chats", profile, "benchmark"), write,
                         label="all", zone=ZONE, keep=timedelta(days=1))  # fmt: skip
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if profile == "csv":
        with open(made.place, newline="", encoding="utf-8") as file:
            assert sum(1 for _ in csv.reader(file)) == made.rows + 1
    print(seconds, peak, made.size_bytes / 1024**2, made.rows)
    Path(made.place).unlink()


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _export(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
    else:
        main()
