"""Measures what people and BI tools read: `b2chat exec .venv/bin/python benchmarks/reads.py [--pooled] [--json]`.

The warehouse must be filled (fill.py) and built. README.md beside it says what is measured.
"""

import argparse
import contextlib
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from common import one

from dagster_project.settings import Settings
from dagster_project.warehouse.access import bi_access
from tests.support import pgbouncer

CLIENTS, POOLED_CLIENTS, POOL_SIZE = 50, 1000, 15
HEATMAP = """select day_of_week, hour, day_label_es, hour_label, chat_count, mean_first_response_seconds,
 p50_first_response_seconds, band, mean_delta_pct from marts.weekly_response_time_heatmap
 where week_start = date '{week}' and scope = '{scope}' and scope_id = '{scope_id}'
 and direction_filter = '{direction}' and office_hours_filter = '{office}'"""
# As many rows and columns out of nothing: what answering at all costs.
FLOOR = """select g, g, g::text, g::text, g, g * 1.37::float8, g * 1.37::float8, g::text, g * 1.37::float8
 from generate_series(1, 168) as g"""
LIST = """select chat_id, created_at, agent_id, channel, department_name, status, pickup_seconds,
 first_response_seconds, resolution_seconds from marts.chat_response_times
 where created_at >= %(since)s order by created_at limit 10000"""
HISTORY = """select chats.id, chats.created_at, chats.provider, chats.agent_id, messages.timestamp, messages.incoming,
 messages.text from core.chats left join core.messages on messages.chat_id = chats.id
 where chats.contact_id = %(contact)s order by chats.created_at, chats.id, messages.timestamp, messages.position"""
SEARCH = """select chat_id, timestamp, text from core.messages
 where to_tsvector('spanish', text) @@ websearch_to_tsquery('spanish', %(words)s) order by timestamp desc limit 50"""
SEARCH_INDEX = """create index if not exists messages_words_idx on core.messages
 using gin (to_tsvector('spanish', text)) where text is not null"""


@dataclass
class Latency:
    """Milliseconds at the client, and how many queries a second were answered."""

    what: str
    p50: float
    p95: float
    a_second: float
    failed: int = 0


@dataclass
class Report:
    """All that one run found out."""

    chats: int
    weeks: int
    cells: int
    cores: int
    load_before: float
    load_after: float = 0
    latencies: list[Latency] = field(default_factory=list)
    search_index: dict[str, float] = field(default_factory=dict)
    plans: dict[str, list[str]] = field(default_factory=dict)


def main() -> None:
    """Run all and print what it took."""
    options = _options()
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as conn, _scratch() as folder:
        report = _report(conn)
        heatmaps = _scripts(conn, folder)
        (folder / "floor.sql").write_text(FLOOR.replace("\n", " ") + ";\n")
        bench = _Pgbench(folder, options.seconds)
        if options.pooled:
            bi_url = bi_access.url_with_password(Settings.load(), url)
            with pgbouncer.pool_before(bi_url, folder, size=POOL_SIZE, clients=POOLED_CLIENTS + 10) as pooled:
                name = f"{POOLED_CLIENTS:,} clients of bi_reader through PgBouncer"
                many = bench.run(f"{name}, 100 a second", pooled, heatmaps, POOLED_CLIENTS, rate=100)
                report.latencies += [many, bench.run(f"{name}, closed loop", pooled, heatmaps, POOLED_CLIENTS)]
        report.latencies += [
            bench.run("heatmap, 1 client", url, heatmaps, 1),
            bench.run(f"heatmap, {CLIENTS} clients, closed loop", url, heatmaps, CLIENTS),
            bench.run(f"168 rows of nothing, {CLIENTS} clients, closed loop", url, [folder / "floor.sql"], CLIENTS),
            bench.run(f"heatmap, {CLIENTS} clients, 100 a second", url, heatmaps, CLIENTS, rate=100),
            bench.run(f"heatmap, {CLIENTS} clients, 500 a second", url, heatmaps, CLIENTS, rate=500),
        ]
        _direct(conn, report, options.search)
    report.load_after = round(os.getloadavg()[0], 1)
    print(json.dumps(asdict(report), indent=2) if options.json else _markdown(report))


class _Pgbench:
    """pgbench with the simple protocol: each query is planned each time, as BI tools have it."""

    def __init__(self, folder: Path, seconds: int) -> None:
        self._folder, self._seconds = folder, seconds

    def run(self, what: str, url: str, scripts: list[Path], clients: int, rate: int | None = None) -> Latency:
        log = self._folder / "log"
        command = ["pgbench", "-n", "-M", "simple", "-c", str(clients), "-j", "2", "-l"]
        # Logging in takes 10 to 20 ms of a core (SCRAM), and pgbench counts it as time.
        command += ["-T", str(self._seconds + clients // 25)]
        command += [f"--log-prefix={log}", *(["-R", str(rate)] if rate else [])]
        command += [argument for script in scripts for argument in ("-f", str(script))]
        # As a BI tool connects: without what `b2chat exec` sets for our own sessions, which PgBouncer would refuse.
        environment = {name: value for name, value in os.environ.items() if name != "PGOPTIONS"}
        done = subprocess.run([*command, url], capture_output=True, text=True, check=False, env=environment)
        lines = [line.split() for file in self._folder.glob("log.*") for line in file.read_text().splitlines()]
        for file in self._folder.glob("log.*"):
            file.unlink()
        if done.returncode or not lines:
            raise SystemExit(f"{what}: {done.stderr[-500:]}")
        # With a rate, from when the query was due.
        took = sorted(int(line[2]) / 1000 for line in lines if line[2].isdigit())
        ends = [int(line[4]) + int(line[5]) / 1e6 for line in lines]
        print(f"{what}: {len(took)} queries", file=sys.stderr)
        p50, p95 = _at(took, 0.5), _at(took, 0.95)
        return Latency(what, p50, p95, round(len(took) / (max(ends) - min(ends)), 1), len(lines) - len(took))


def _scripts(conn: psycopg.Connection, folder: Path) -> list[Path]:
    """Heatmaps of any week and filter, so that no two questions in a row are the same."""
    rows = conn.execute("""
        select week_start, scope, scope_id, direction_filter, office_hours_filter
        from marts.heatmap_weeks
        order by md5(concat_ws('|', week_start, scope, scope_id, direction_filter, office_hours_filter))
        limit 100
    """).fetchall()
    scripts = []
    for number, (week, scope, scope_id, direction, office) in enumerate(rows):
        query = HEATMAP.format(week=week, scope=scope, scope_id=scope_id, direction=direction, office=office)
        scripts.append(folder / f"heatmap{number}.sql")
        scripts[-1].write_text(query.replace("\n", " ") + ";\n")
    return scripts


def _direct(conn: psycopg.Connection, report: Report, with_search: bool) -> None:
    """What one person asks, each 20 times."""
    since = one(
        conn,
        "select min(created_at) from (select created_at from marts.chat_response_times "
        "where created_at is not null order by created_at desc limit 10000) as newest",
    )[0]
    contacts = [
        row[0]
        for row in conn.execute("select contact_id from core.chats group by 1 order by count(*) desc, 1 limit 20")
    ]
    report.latencies += [
        _timed(conn, "list of 10,000 chats", LIST, [{"since": since}] * 20),
        _timed(
            conn,
            "history of a contact with messages (the 20 with most chats)",
            HISTORY,
            [{"contact": contact} for contact in contacts],
        ),
    ]
    report.plans["list"] = _plan(conn, LIST, {"since": since})
    report.plans["history"] = _plan(conn, HISTORY, {"contact": contacts[0]})
    if with_search:
        began = time.monotonic()
        conn.execute(SEARCH_INDEX)
        size = one(
            conn,
            "select (select sum(pg_relation_size(relid)) from pg_partition_tree('core.messages_words_idx')), "
            "(select sum(pg_table_size(relid)) from pg_partition_tree('core.messages'))",
        )
        report.search_index = {
            "seconds": round(time.monotonic() - began, 1),
            "mib": int(size[0]) >> 20,
            "messages_mib": int(size[1]) >> 20,
        }
        words = [{"words": text} for text in ('"cuota inicial"', "escritura notaria", "lote disponible", "zzz") * 5]
        report.latencies.append(_timed(conn, "search of messages by words, newest 50", SEARCH, words))
        report.plans["search"] = _plan(conn, SEARCH, words[1])
        conn.execute("drop index core.messages_words_idx")


def _timed(conn: psycopg.Connection, what: str, query: str, values: list[dict[str, object]]) -> Latency:
    took = []
    for value in values:
        began = time.monotonic()
        conn.execute(query, value).fetchall()
        took.append((time.monotonic() - began) * 1000)
    return Latency(what, _at(sorted(took), 0.5), _at(sorted(took), 0.95), round(1000 / statistics.mean(took), 1))


def _plan(conn: psycopg.Connection, query: str, values: dict[str, object]) -> list[str]:
    return [row[0] for row in conn.execute(f"explain (analyze, buffers) {query}", values)]


def _at(sorted_values: list[float], share: float) -> float:
    return round(sorted_values[math.ceil(len(sorted_values) * share) - 1], 1)


def _report(conn: psycopg.Connection) -> Report:
    counts = one(
        conn,
        "select (select count(*) from marts.chat_response_times), "
        "(select count(distinct week_start) from marts.heatmap_weeks), (select count(*) from marts.heatmap_cells)",
    )
    return Report(*counts, os.cpu_count() or 1, round(os.getloadavg()[0], 1))


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="b2chat-reads-", dir="/tmp"))
    folder.chmod(0o755)  # pgbouncer runs as another user where we are root
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _markdown(report: Report) -> str:
    lines = [
        f"{report.chats:,} chats, {report.weeks:,} weeks, {report.cells:,} cells; {report.cores} cores, "
        f"load {report.load_before} before and {report.load_after} after.",
        "",
        "| what | p50, ms | p95, ms | queries a second |",
        "|---|---:|---:|---:|",
        *(f"| {one_.what} | {one_.p50} | {one_.p95} | {one_.a_second:,} |" for one_ in report.latencies),
    ]
    if report.search_index:
        lines += ["", "Index of words: " + ", ".join(f"{name} {value}" for name, value in report.search_index.items())]
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what people and BI tools read.")
    parser.add_argument("--seconds", type=int, default=10, help="of each run of pgbench (default: 10)")
    parser.add_argument("--pooled", action="store_true", help="also 1,000 clients through PgBouncer")
    parser.add_argument("--search", action="store_true", help="also the search by words; makes its index and drops it")
    parser.add_argument("--json", action="store_true", help="print JSON, with the plans, instead of a table")
    return parser.parse_args()


if __name__ == "__main__":
    main()
